"""How a batch goes through an op: what it makes of the rows of a batch, given what its arguments are made of them.

What a node makes of the batch is of one of four kinds:

    fixed    it does not depend on the batch
    rows     its first axis is that of the batch, and each row is made of that row of the batch alone
    mean     the mean over the rows of what is made of each, or what is linear in one
    sum      the same of a sum

Everything else, a batch's own statistics for instance, cannot be put together from parts.

Input of a rule: a `BatchCall`, at least one of whose arguments depends on the batch. Output: a kind. A rule that
cannot say of which kind the result is raises `Mixed`. The rules here serve many ops; one that only a row or two need
stands beside them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from ..record import Record
from ..types import Nested, Shape, TensorType

FIXED, ROWS, MEAN, SUM = "fixed", "rows", "mean", "sum"


class Open(Enum):
    """The value of an argument that is not known while compiling."""

    OPEN = "open"


OPEN = Open.OPEN


class Mixed(Exception):
    """The result is of none of the kinds."""


class Operand(Record):
    """A tensor among the arguments of a node, and the kinds of what it is made of."""

    shape: Shape
    kinds: frozenset[str]
    is_packed: bool = False  # it is a list that becomes one tensor

    def is_all(self, kind: str) -> bool:
        """Whether it is of this kind alone."""
        return self.kinds == frozenset((kind,))


class BatchArgument(Record):
    """An argument: a tensor, the tensors of a list, or a value known while compiling. A list has no shape."""

    operands: tuple[Operand, ...]
    shape: Shape
    is_list: bool = False
    value: "Nested | Open" = OPEN

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for one in self.operands for kind in one.kinds) or frozenset((FIXED,))


@dataclass(slots=True)
class BatchCall:
    """A node with the kinds of what it is made from, as its batch rule sees it."""

    arguments: Mapping[str, BatchArgument]
    output: TensorType

    def has(self, name: str) -> bool:
        return name in self.arguments

    def kind(self, name: str) -> str:
        """The kind of an argument; of a list, that of those in it that depend on the batch."""
        if name not in self.arguments:
            return FIXED
        found = self.arguments[name].kinds - {FIXED}
        if len(found) > 1:
            raise Mixed
        return next(iter(found), FIXED)

    def rank(self, name: str) -> int:
        shape = self.arguments[name].shape
        if shape is None:
            raise Mixed
        return len(shape)

    def option(self, name: str, default: Nested = None) -> Nested:
        """The value of an argument that is known while compiling."""
        if name not in self.arguments:
            return default
        value = self.arguments[name].value
        if value is OPEN:
            raise Mixed
        return value

    def axis(self, name: str, default: int) -> int:
        """The value of an argument that is one axis."""
        value = self.option(name, default)
        if not isinstance(value, int):
            raise Mixed
        return value

    def axes(self, name: str, of: str) -> set[int]:
        """The axes that an argument names, counted from 0; all where it is not given."""
        rank, given = self.rank(of), self.option(name)
        return set(range(rank)) if given is None else {axis % rank for axis in several(given)}

    def only(self, *names: str) -> None:
        """Refuse that anything but these arguments depends on the batch."""
        if any(self.kind(name) != FIXED for name in self.arguments if name not in names):
            raise Mixed


Rule = Callable[[BatchCall], str]


def several(axes: Nested) -> tuple[int, ...]:
    """One axis or several as several."""
    given = axes if isinstance(axes, tuple) else (axes,)
    found = tuple(axis for axis in given if isinstance(axis, int))
    if len(found) < len(given):
        raise Mixed
    return found


def whole(call: BatchCall) -> str:
    """Nothing can be said: it may need the batch as a whole."""
    raise Mixed


def each(call: BatchCall) -> str:
    """Element by element: an axis of the batch stays the first one if what is combined with it has no more axes."""
    shape = call.output.shape
    for operand in (one for argument in call.arguments.values() for one in argument.operands):
        own = operand.shape
        if own is None or shape is None or len(own) > len(shape):
            raise Mixed
        if operand.is_all(FIXED):
            if shape and len(own) == len(shape) and own[0] != 1:
                raise Mixed
        elif not operand.is_all(ROWS) or len(own) != len(shape) or operand.is_packed:
            raise Mixed
    return ROWS


def linear(name: str) -> Rule:
    """Linear in one argument, element by element; the others are fixed."""

    def rule(call: BatchCall) -> str:
        if call.kind(name) == ROWS:
            return each(call)
        call.only(name)
        return call.kind(name)

    return rule


def rows(*names: str) -> Rule:
    """Row by row of these arguments, whose first axis is that of the batch; the others are fixed."""

    def rule(call: BatchCall) -> str:
        call.only(*names)
        if any(call.kind(name) != ROWS for name in names if call.has(name)):
            raise Mixed
        return ROWS

    return rule


def along(axis: str, name: str, default: int = -1) -> Rule:
    """Row by row, where an axis that is not the first one is gone along."""

    def rule(call: BatchCall) -> str:
        call.only(name)
        given = call.option(axis)
        axes = {one % call.rank(name) for one in several(default if given is None else given)}
        if call.kind(name) != ROWS or 0 in axes:
            raise Mixed
        return ROWS

    return rule


def reduced(name: str, over_rows: str = "") -> Rule:
    """A reduction: row by row if the first axis stays; else what it makes of rows, if that is anything."""

    def rule(call: BatchCall) -> str:
        call.only(name)
        kind = call.kind(name)
        if kind == ROWS and 0 not in call.axes("axis", name):
            return ROWS
        is_cut_off = over_rows == MEAN and call.output.dtype.kind not in ("float", "complex")
        if not over_rows or is_cut_off:
            raise Mixed
        return over_rows if kind == ROWS else kind  # a mean or a sum of one

    return rule


def mean_loss(*names: str) -> Rule:
    """A loss that is the mean over all elements."""

    def rule(call: BatchCall) -> str:
        rows(*names)(call)
        return MEAN

    return rule
