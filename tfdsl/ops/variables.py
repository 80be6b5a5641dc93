"""Changes of variables. Each op returns the new value of the variable."""

from ..diagnostics import RANK
from ..types import BOOL, TensorType
from .batch import whole
from .flops import no_flops, per_element
from .index import check_updates, scattered
from .op import OpCall
from .row import table
from .rules import clear_rank, merge, same_size, scalar

OPS, row = table("variables")


def assign(call: OpCall) -> TensorType:
    """The variable after the assignment. The value has its shape."""
    merge(call, call["ref"].shape, call["value"].shape, "ref", "value")
    return call["ref"]


def scatter_variable(call: OpCall) -> TensorType:
    """The variable after a change of the slices at the indices. A scalar can update all of them."""
    inner, indices = call["ref"].shape[1:], call["indices"].shape
    updates = clear_rank(call, "updates") if inner else call["updates"].shape
    if updates and indices is None and inner:
        if len(updates) < len(inner):
            call.fail(RANK, "updates", param="updates", wanted=f"{len(inner)} or more", type=call["updates"])
        for left, right in zip(updates[-len(inner) :], inner):
            same_size(call, left, right, "updates")
    elif updates != ():
        check_updates(call, call["ref"].shape, indices, "updates", 1)
    return call["ref"]


def scatter_nd_variable(call: OpCall) -> TensorType:
    """The variable after a change at the index tuples on the last axis."""
    scattered(call, call["ref"].shape, "ref")
    return call["ref"]


# fmt: off
_VECTOR = "variable x = [1.0, 2.0, 3.0]\n"

for _name, _what in (
    ("assign", "replaced by"), ("assign_add", "increased by"), ("assign_sub", "decreased by"),
):
    row(_name, "ref: variable T, value: T", assign, _name,
        f"The variable {_what} a value of the same shape; returns its new value.",
        f"{_VECTOR}{_name}(x, [4.0, 5.0, 6.0])", batch=whole,
        lowered="" if _name == "assign" else "special.change",
        writes=True, no_gradient="value", picture="train",
        flops=no_flops if _name == "assign" else per_element("ref"), T="any" if _name == "assign" else "number")
for _name, _what in (("update", "replaced by"), ("add", "increased by"), ("sub", "decreased by"),
                     ("mul", "multiplied by"), ("div", "divided by"), ("max", "raised to at least"),
                     ("min", "lowered to at most")):
    row(f"scatter_{_name}", "ref: variable T, indices: U, updates: T", scatter_variable,
        f"scatter_{_name}",
        f"The slices of the variable at the indices {_what} the updates: one slice each, or one scalar for "
        "all.",
        f"{_VECTOR}scatter_{_name}(x, [0, 2], [4.0, 5.0])", batch=whole, sliced="updates",
        picture="train" if _name in ("update", "add") else "",
        flops=no_flops if _name == "update" else per_element("updates"),
        writes=True, no_gradient="updates", T="any" if _name == "update" else "number", U="int32 int64")
for _name, _what in (("update", "replaced by"), ("add", "increased by"), ("sub", "decreased by")):
    row(f"scatter_nd_{_name}", "ref: variable T, indices: U, updates: T", scatter_nd_variable,
        f"scatter_nd_{_name}", f"The slices of the variable at the tuples of indices {_what} the updates.",
        f"{_VECTOR}scatter_nd_{_name}(x, [[0], [2]], [4.0, 5.0])", batch=whole, writes=True, no_gradient="updates",
        flops=no_flops if _name == "update" else per_element("updates"),
        pairs=("indices", "updates"), T="any", U="int32 int64")
row("is_variable_initialized", "variable: variable T", scalar(BOOL), "is_variable_initialized",
    "Whether the variable has a value yet, a scalar.", f"{_VECTOR}is_variable_initialized(x)", batch=whole, named=False)
# fmt: on
