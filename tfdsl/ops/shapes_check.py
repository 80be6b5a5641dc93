"""Rules of the checks: most give nothing, and refuse what can already be seen to fail."""

import operator
import struct
from collections.abc import Iterator

from ..diagnostics import ASSERTION
from ..types import DType
from .op import Call
from .shapes import broadcast, least_rank, wanted_rank


def pair(relation: str = ""):
    """Two tensors that are compared, so they must broadcast; what is known of both must hold."""

    def rule(call: Call) -> tuple:
        broadcast(call, "x", "y")
        _holds(call, relation, call.known("x"), call.known("y"))
        return ()

    return rule


def sign(relation: str):
    """A tensor that is compared with 0."""

    def rule(call: Call) -> tuple:
        _holds(call, relation, call.known("x"), 0)
        return ()

    return rule


_RELATIONS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _holds(call: Call, relation: str, x: object, y: object) -> None:
    """Refuse what TensorFlow refuses to build: a relation between values that are known."""
    dtype = call.dtype("T")
    if not relation or x is None or y is None or (dtype.kind in ("float", "complex") and dtype.name not in _FORMATS):
        return
    for left, right in _pairs(x, y):
        if not _RELATIONS[relation](_rounded(left, dtype), _rounded(right, dtype)):
            params = [param for param in ("x", "y") if param in call.arguments]
            call.fail(ASSERTION, *params, x=left, relation=relation, y=right)


_FORMATS = {"float16": "e", "float32": "f", "float64": "d"}


def _rounded(value: object, dtype: DType) -> object:
    """A number as its dtype holds it."""
    code = _FORMATS.get(dtype.name)
    return value if code is None else struct.unpack(code, struct.pack(code, value))[0]


def _pairs(x: object, y: object) -> Iterator[tuple[object, object]]:
    """The elements of nested lists beside one another, as they broadcast."""
    depth = max(_depth(x), _depth(y))
    if depth == 0:
        yield x, y
        return
    x, y = ([one] if _depth(one) < depth else list(one) for one in (x, y))
    for at in range(max(len(x), len(y)) if x and y else 0):
        yield from _pairs(x[at % len(x)], y[at % len(y)])


def _depth(value: object) -> int:
    """How many lists are in one another."""
    if not isinstance(value, (list, tuple)):
        return 0
    return 1 + max(map(_depth, value), default=0)


def rank(call: Call) -> tuple:
    wanted_rank(call, "x", call["rank"])
    return ()


def rank_at_least(call: Call) -> tuple:
    least_rank(call, "x", call["rank"])
    return ()
