"""Which op chooses between two values in `a if c else b`."""

from ...ops.named import WHERE, WHERE_V2
from ...ops.op import Op
from ...types import Dim, Shape, TensorType, nested_shape
from ..context import Analysis
from ..values import Array, ExprValue, Tensor, is_host


def chooser(ctx: Analysis, test: ExprValue, then: ExprValue, otherwise: ExprValue) -> Op:
    """The op of a choice, which broadcasts if its shapes differ."""
    return WHERE_V2 if _broadcasts(ctx, *map(_shape, (test, then, otherwise))) else WHERE


def _shape(value: ExprValue) -> Shape:
    """The shape of a side of a choice, or of its condition, if it is known."""
    match value:
        case Tensor(type=TensorType(shape=shape)) | Array(type=TensorType(shape=shape)):
            return shape
        case _ if value is not None and is_host(value):
            return nested_shape(value)
        case _:
            return None


def _broadcasts(ctx: Analysis, test: Shape, then: Shape, otherwise: Shape) -> bool:
    """Whether the sides of a choice, or its condition, are of other shapes and broadcast. A vector of conditions
    chooses rows of sides that have more axes."""
    if test is None or then is None or otherwise is None:
        return False
    largest = max(then, otherwise, key=len)
    if len(test) == 1 and len(largest) > 1:
        return False
    return _stretches(ctx, then, otherwise) or (test != () and _stretches(ctx, test, largest))


def _stretches(ctx: Analysis, first: tuple[Dim, ...], second: tuple[Dim, ...]) -> bool:
    """Whether two shapes differ in a way that broadcasting makes good."""
    sizes = [tuple(map(ctx.graph.sizes.resolve, shape)) for shape in (first, second)]
    return len(first) != len(second) or any((a == 1) != (b == 1) for a, b in zip(*sizes) if None not in (a, b))
