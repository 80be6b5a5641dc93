"""Rows of the op table: changes of variables. Each gives the variable's value after the change."""

from ..types import BOOL
from . import shapes_index as index
from .row import table
from .shapes import scalar

ROWS, row = table("variables")

_VECTOR = "variable x = [1.0, 2.0, 3.0]\n"

for _name, _what in (
    ("assign", "replaced by"), ("assign_add", "increased by"), ("assign_sub", "decreased by"),
):
    row(_name, "ref: variable T, value: T", index.assign, _name,
        f"The variable {_what} a value of the same shape; gives its new value.",
        f"{_VECTOR}{_name}(x, [4.0, 5.0, 6.0])",
        writes=True, no_gradient="value", T="any" if _name == "assign" else "number")
for _name, _what in (("update", "replaced by"), ("add", "increased by"), ("sub", "decreased by"),
                     ("mul", "multiplied by"), ("div", "divided by"), ("max", "raised to at least"),
                     ("min", "lowered to at most")):
    row(f"scatter_{_name}", "ref: variable T, indices: U, updates: T", index.scatter_variable,
        f"scatter_{_name}",
        f"The slices of the variable at the indices {_what} the updates: one slice each, or one scalar for "
        "all.",
        f"{_VECTOR}scatter_{_name}(x, [0, 2], [4.0, 5.0])", sliced="updates",
        writes=True, no_gradient="updates", T="any" if _name == "update" else "number", U="int32 int64")
for _name, _what in (("update", "replaced by"), ("add", "increased by"), ("sub", "decreased by")):
    row(f"scatter_nd_{_name}", "ref: variable T, indices: U, updates: T", index.scatter_nd_variable,
        f"scatter_nd_{_name}", f"The slices of the variable at the tuples of indices {_what} the updates.",
        f"{_VECTOR}scatter_nd_{_name}(x, [[0], [2]], [4.0, 5.0])", writes=True, no_gradient="updates",
        pairs=("indices", "updates"), T="any", U="int32 int64")
row("is_variable_initialized", "variable: variable T", scalar(BOOL), "is_variable_initialized",
    "Whether the variable has a value yet, a scalar.", f"{_VECTOR}is_variable_initialized(x)", named=False)
