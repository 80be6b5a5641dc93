"""How a batch goes through an op: how its result depends on the rows of a batch, given how its arguments do.

The result of a node depends on the batch in one of six ways:

    fixed    it does not depend on the batch
    rows     its first axis is the batch axis, and each row depends on the same row of the batch only
    columns  its second axis is the batch axis, and each column depends on the same row of the batch only
    mean     it is the mean over the rows of a value per row, or linear in such a mean
    sizes    it is the shape of rows: its first number is the number of rows, and the others are fixed
    sum      it is the sum over the rows of a value per row, or linear in such a sum

Any other result, such as batch statistics, cannot be combined from parts.

A rule gets a `BatchCall` with at least one argument that depends on the batch, and returns a kind. It raises
`Mixed` if the result is of no kind. The rules here serve many ops; a rule for one or two rows is next to them.
"""

from collections.abc import Callable, Mapping
from enum import Enum

from ..record import Record, State
from ..types import Nested, Shape, TensorType

FIXED, ROWS, COLUMNS, SIZES, MEAN, SUM = "fixed", "rows", "columns", "sizes", "mean", "sum"


class Open(Enum):
    """The value of an argument that is unknown at compile time."""

    OPEN = "open"


OPEN = Open.OPEN


class Mixed(Exception):
    """The result is of no kind."""


class Operand(Record):
    """A tensor among the arguments of a node, with the kinds of its inputs."""

    shape: Shape
    kinds: frozenset[str]
    is_packed: bool = False  # a list that becomes one tensor

    def is_all(self, kind: str) -> bool:
        """Whether all kinds are this one."""
        return self.kinds == frozenset((kind,))


class BatchArgument(Record):
    """An argument: a tensor, a list of tensors, or a compile-time value. A list has no shape."""

    operands: tuple[Operand, ...]
    shape: Shape
    is_list: bool = False
    value: "Nested | Open" = OPEN

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for one in self.operands for kind in one.kinds) or frozenset((FIXED,))


class BatchCall(State):
    """A node with the kinds of its inputs, as a batch rule gets it."""

    arguments: Mapping[str, BatchArgument]
    output: TensorType

    def has(self, name: str) -> bool:
        return name in self.arguments

    def kind(self, name: str) -> str:
        """The kind of an argument. For a list, the kind of its items that depend on the batch. Few rules know what to
        do with columns and sizes; the others get `Mixed`."""
        if name not in self.arguments:
            return FIXED
        found = self.arguments[name].kinds - {FIXED}
        if len(found) > 1 or found & {COLUMNS, SIZES}:
            raise Mixed
        return next(iter(found), FIXED)

    def is_all(self, name: str, kind: str) -> bool:
        """Whether an argument is of this kind and no other."""
        return self.arguments[name].kinds == frozenset((kind,))

    def rank(self, name: str) -> int:
        shape = self.arguments[name].shape
        if shape is None:
            raise Mixed
        return len(shape)

    def option(self, name: str, default: Nested = None) -> Nested:
        """The value of a compile-time argument."""
        if name not in self.arguments:
            return default
        value = self.arguments[name].value
        if value is OPEN:
            raise Mixed
        return value

    def axis(self, name: str, default: int) -> int:
        """The value of an argument that is an axis."""
        value = self.option(name, default)
        if not isinstance(value, int):
            raise Mixed
        return value

    def axes(self, name: str, of: str) -> set[int]:
        """The axes that an argument names, counted from 0. All axes if it is not given."""
        rank, given = self.rank(of), self.option(name)
        return set(range(rank)) if given is None else {axis % rank for axis in several(given)}

    def only(self, *names: str) -> None:
        """Check that only these arguments depend on the batch."""
        if any(self.kind(name) != FIXED for name in self.arguments if name not in names):
            raise Mixed


Rule = Callable[[BatchCall], str]


def several(axes: Nested) -> tuple[int, ...]:
    """One or several axes as a tuple."""
    given = axes if isinstance(axes, tuple) else (axes,)
    found = tuple(axis for axis in given if isinstance(axis, int))
    if len(found) < len(given):
        raise Mixed
    return found


def whole(call: BatchCall) -> str:
    """Unknown: the op may need the whole batch."""
    raise Mixed


def each(call: BatchCall) -> str:
    """Element by element. The batch axis stays first if the other operands have no more axes."""
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
    """Linear in one argument, element by element. The others are fixed."""

    def rule(call: BatchCall) -> str:
        if call.kind(name) == ROWS:
            return each(call)
        call.only(name)
        return call.kind(name)

    return rule


def rows(*names: str) -> Rule:
    """Row by row in these arguments, whose first axis is the batch axis. The others are fixed."""

    def rule(call: BatchCall) -> str:
        call.only(*names)
        if any(call.kind(name) != ROWS for name in names if call.has(name)):
            raise Mixed
        return ROWS

    return rule


def stacked(least: int, *names: str) -> Rule:
    """Row by row in these arguments, or in the first one. They have at least this many axes, since the last axes belong
    together."""

    def rule(call: BatchCall) -> str:
        several = names or tuple(call.arguments)[:1]
        if any(call.kind(name) == ROWS and call.rank(name) < least for name in several):
            raise Mixed
        return rows(*several)(call)

    return rule


def total(name: str) -> Rule:
    """A sum over all elements of one argument."""

    def rule(call: BatchCall) -> str:
        rows(name)(call)
        return SUM

    return rule


def along(axis: str, name: str, default: int = -1) -> Rule:
    """Row by row, for an op along an axis other than the first."""

    def rule(call: BatchCall) -> str:
        call.only(name)
        given = call.option(axis)
        axes = {one % call.rank(name) for one in several(default if given is None else given)}
        if call.kind(name) != ROWS or 0 in axes:
            raise Mixed
        return ROWS

    return rule


def reduced(name: str, over_rows: str = "") -> Rule:
    """A reduction: row by row if the first axis stays, else `over_rows` if it is set."""

    def rule(call: BatchCall) -> str:
        call.only(name)
        kind = call.kind(name)
        if kind == ROWS and 0 not in call.axes("axis", name):
            return ROWS
        is_cut_off = over_rows == MEAN and call.output.dtype.kind not in ("float", "complex")
        if not over_rows or is_cut_off:
            raise Mixed
        return over_rows if kind == ROWS else kind  # a mean or sum of a mean or sum

    return rule


def mean_loss(*names: str) -> Rule:
    """A loss that is the mean over all elements."""

    def rule(call: BatchCall) -> str:
        rows(*names)(call)
        return MEAN

    return rule


def of_shape(shape: str, *names: str) -> Rule:
    """As many as there are rows: the argument `shape` is that of rows, or the number of rows and known sizes. Row by
    row in `names`; the others are fixed. Without `names` they broadcast, and have fewer axes."""

    def rule(call: BatchCall) -> str:
        others = [one for name, one in call.arguments.items() if name not in (shape, *names)]
        if any(one.kinds != frozenset((FIXED,)) for one in others) or any(call.kind(name) != ROWS for name in names):
            raise Mixed
        sizes = call.output.shape
        if sizes is None:
            raise Mixed
        operands = [] if names else [one for other in others for one in other.operands]
        if any(one.shape is None or len(one.shape) >= len(sizes) for one in operands):
            raise Mixed
        is_sized = all(isinstance(size, int) for size in sizes[1:])
        if not call.is_all(shape, SIZES) and not (call.kind(shape) == SUM and is_sized):
            raise Mixed
        return ROWS

    return rule
