"""Checks. If a check fails, its operation stops the run. A failure known at compile time is refused."""

import operator
import struct
from collections.abc import Callable, Iterator
from typing import Any

from ..diagnostics import ASSERTION
from ..types import BOOL, DType, Nested
from .batch import each, whole
from .flops import no_flops
from .op import OpCall
from .row import table
from .rules import broadcast, least_rank, like, nothing, scalar, wanted_rank

OPS, row = table("checks", flops=no_flops)


def pair(relation: str = ""):
    """Two tensors to compare. They must broadcast, and their known values must satisfy the relation."""

    def rule(call: OpCall) -> tuple[()]:
        broadcast(call, "x", "y")
        _holds(call, relation, call.known("x"), call.known("y"))
        return ()

    return rule


def sign(relation: str):
    """A tensor to compare with 0."""

    def rule(call: OpCall) -> tuple[()]:
        _holds(call, relation, call.known("x"), 0)
        return ()

    return rule


# On numbers or strings; the dtype of both is the same.
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _holds(call: OpCall, relation: str, x: Nested, y: Nested) -> None:
    """Refuse known values that violate a relation, as TensorFlow does when it builds the graph."""
    dtype = call.dtype("T")
    if not relation or x is None or y is None or (dtype.kind in ("float", "complex") and dtype.name not in _FORMATS):
        return
    for left, right in _pairs(x, y):
        if not _RELATIONS[relation](_rounded(left, dtype), _rounded(right, dtype)):
            params = [param for param in ("x", "y") if param in call.arguments]
            call.fail(ASSERTION, *params, x=left, relation=relation, y=right)


_FORMATS = {"float16": "e", "float32": "f", "float64": "d"}


def _rounded(value: Nested, dtype: DType) -> Nested:
    """A number rounded to a dtype."""
    code = _FORMATS.get(dtype.name)
    return value if code is None else struct.unpack(code, struct.pack(code, value))[0]


def _pairs(x: Nested, y: Nested) -> Iterator[tuple[Nested, Nested]]:
    """The pairs of elements of two nested lists after broadcasting."""
    depth = max(_depth(x), _depth(y))
    if depth == 0:
        yield x, y
        return
    left, right = ([*one] if isinstance(one, (list, tuple)) and _depth(one) == depth else [one] for one in (x, y))
    for at in range(max(len(left), len(right)) if left and right else 0):
        yield from _pairs(left[at % len(left)], right[at % len(right)])


def _depth(value: Nested) -> int:
    """The nesting depth of lists."""
    if not isinstance(value, (list, tuple)):
        return 0
    return 1 + max(map(_depth, value), default=0)


def rank(call: OpCall) -> tuple[()]:
    wanted_rank(call, "x", call["rank"])
    return ()


def rank_at_least(call: OpCall) -> tuple[()]:
    least_rank(call, "x", call["rank"])
    return ()


# fmt: off
row("check_numerics", "tensor: T, message: text", like("tensor"), "check_numerics",
    "The tensor unchanged; the run stops with the message if an element is NaN or infinite.",
    "check_numerics([1.0, 2.0], \"the loss\")", batch=each, T="float")
row("check_whole", "input: T", like("input"), "identity",
    "The tensor unchanged; the run stops if an element is not a whole number, such as a class number of 1.5.",
    "check_whole([1.0, 2.0])", batch=each, lowered="special.check_whole", T="real")
# name, what must be true of all elements, arguments of an example, dtypes
_PAIRS = (
    ("equal", "==", "x is y", "[1, 2], [1, 2]", "any"), ("none_equal", "!=", "x is not y", "[1, 2], [2, 3]", "number"),
    ("less", "<", "x is less than y", "[1, 2], 3", "real"), ("less_equal", "<=", "x is y or less", "[1, 2], 2", "real"),
    ("greater", ">", "x is greater than y", "[1, 2], 0", "real"),
    ("greater_equal", ">=", "x is y or greater", "[1, 2], 1", "real"),
)
for _name, _relation, _what, _arguments, _dtypes in _PAIRS:
    row(f"assert_{_name}", "x: T, y: T, message: text = none", pair(_relation), f"assert_{_name}",
        f"An operation that checks that everywhere {_what}; shapes broadcast.",
        f"assert_{_name}({_arguments})", batch=whole,
        compares=_name in ("equal", "none_equal"), T=_dtypes)
row("assert_near", "x: T, y: T, rtol: number = none, atol: number = none, message: text = none", pair(),
    "assert_near", "An operation that checks that everywhere abs(x - y) <= atol + rtol * abs(y); shapes "
    "broadcast.",
    "assert_near([1.0, 2.0], [1.0, 2.0])", batch=whole, compares=True, T="float16 float32 float64 complex64 complex128")
for _name, _relation, _what in (("positive", ">", "more than 0"), ("negative", "<", "less than 0"),
                                ("non_negative", ">=", "0 or more"), ("non_positive", "<=", "0 or less")):
    _below = _name in ("negative", "non_positive")
    _values = "[-1, -2]" if _below else "[1, 2]"
    row(f"assert_{_name}", "x: T, message: text = none", sign(_relation), f"assert_{_name}",
        f"An operation that checks that all elements are {_what}.", f"assert_{_name}({_values})", batch=whole,
        T="float int8 int16 int32 int64" if _below else "real")
for _name, _rule, _what in (("rank", rank, "so many"), ("rank_at_least", rank_at_least, "at "
    "least so many")):
    row(f"assert_{_name}", "x: T, rank: integer, message: text = none", _rule, f"assert_{_name}",
        f"An operation that checks that a tensor has {_what} axes.", f"assert_{_name}([[1, 2]], 2)", batch=whole,
        by_shape=True)
for _name, _what in (("is_non_decreasing", "each element is at least the one before"),
                     ("is_strictly_increasing", "each element is more than the one before")):
    row(_name, "x: T", scalar(BOOL), _name, f"Whether {_what}, a scalar.", f"{_name}([1, 2, 3])", batch=whole, T="real")
row("no_op", "", nothing, "no_op", "An operation that does nothing, for others to wait for.", "no_op()", batch=whole)
# fmt: on
