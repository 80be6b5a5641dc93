"""Rows of the op table: checks. The operations without output stop the run where a check fails."""

from ..types import BOOL
from . import shapes_check as check
from .row import table
from .shapes import like, nothing, scalar

ROWS, row = table("checks")

row("check_numerics", "tensor: T, message: text", like("tensor"), "check_numerics",
    "The tensor unchanged; the run stops with the message where an element is NaN or infinite.",
    "check_numerics([1.0, 2.0], \"the loss\")", T="float")
row("check_whole", "input: T", like("input"), "identity",
    "The tensor unchanged; the run stops where an element is no whole number, such as a class number of 1.5.",
    "check_whole([1.0, 2.0])", special=True, T="real")
# name, what must hold of all elements, an example's arguments, dtypes
_PAIRS = (
    ("equal", "==", "x is y", "[1, 2], [1, 2]", "any"), ("none_equal", "!=", "x is not y", "[1, 2], [2, 3]", "number"),
    ("less", "<", "x is less than y", "[1, 2], 3", "real"), ("less_equal", "<=", "x is y or less", "[1, 2], 2", "real"),
    ("greater", ">", "x is greater than y", "[1, 2], 0", "real"),
    ("greater_equal", ">=", "x is y or greater", "[1, 2], 1", "real"),
)
for _name, _relation, _what, _arguments, _dtypes in _PAIRS:
    row(f"assert_{_name}", "x: T, y: T, message: text = none", check.pair(_relation), f"assert_{_name}",
        f"An operation that checks that everywhere {_what}; shapes broadcast.",
        f"assert_{_name}({_arguments})",
        compares=_name in ("equal", "none_equal"), T=_dtypes)
row("assert_near", "x: T, y: T, rtol: number = none, atol: number = none, message: text = none", check.pair(),
    "assert_near", "An operation that checks that everywhere abs(x - y) <= atol + rtol * abs(y); shapes "
    "broadcast.",
    "assert_near([1.0, 2.0], [1.0, 2.0])", compares=True, T="float16 float32 float64 complex64 complex128")
for _name, _relation, _what in (("positive", ">", "more than 0"), ("negative", "<", "less than 0"),
                                ("non_negative", ">=", "0 or more"), ("non_positive", "<=", "0 or less")):
    _below = _name in ("negative", "non_positive")
    _values = "[-1, -2]" if _below else "[1, 2]"
    row(f"assert_{_name}", "x: T, message: text = none", check.sign(_relation), f"assert_{_name}",
        f"An operation that checks that all elements are {_what}.", f"assert_{_name}({_values})",
        T="float int8 int16 int32 int64" if _below else "real")
for _name, _rule, _what in (("rank", check.rank, "so many"), ("rank_at_least", check.rank_at_least, "at "
    "least so many")):
    row(f"assert_{_name}", "x: T, rank: integer, message: text = none", _rule, f"assert_{_name}",
        f"An operation that checks that a tensor has {_what} axes.", f"assert_{_name}([[1, 2]], 2)", by_shape=True)
for _name, _what in (("is_non_decreasing", "each element is at least the one before"),
                     ("is_strictly_increasing", "each element is more than the one before")):
    row(_name, "x: T", scalar(BOOL), _name, f"Whether {_what}, a scalar.", f"{_name}([1, 2, 3])", T="real")
row("no_op", "", nothing, "no_op", "An operation that does nothing, for others to come after.", "no_op()")
