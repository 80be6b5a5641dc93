"""How many floating-point operations an op does, given the shapes of its arguments.

An operation on a number counts as one, whether it is a sum or an exponential, as in TensorFlow's profiler. A rule gets
a `FlopCall`, and returns the number or raises `NotKnown`. The rules here serve many ops; a rule for one or two rows is
next to them.
"""

from collections.abc import Callable, Mapping
from math import isqrt, prod

from ..record import State
from ..types import Dim, Nested, Shape, Size, TensorType
from .batch import OPEN, BatchArgument


class NotKnown(Exception):
    """The number is not known: of which op, or of which size."""


class FlopCall(State):
    """A node as a rule sees it. `sizes` has the numbers of named sizes."""

    arguments: Mapping[str, BatchArgument]
    outputs: tuple[TensorType, ...]
    sizes: Mapping[str, int]

    def number(self, dim: Dim) -> int:
        """A size as a number."""
        found = self.sizes.get(dim.name) if isinstance(dim, Size) else dim
        if found is None:
            raise NotKnown(f"the size {dim.name}" if isinstance(dim, Size) else "an unknown size")
        return found

    def sized(self, shape: Shape) -> tuple[int, ...]:
        if shape is None:
            raise NotKnown("an unknown shape")
        return tuple(map(self.number, shape))

    def has(self, name: str) -> bool:
        return name in self.arguments

    def option(self, name: str, default: Nested = None) -> Nested:
        """The value of a compile-time argument."""
        value = self.arguments[name].value if name in self.arguments else default
        return default if value is OPEN else value

    def numbers(self, name: str) -> tuple[int, ...]:
        """The value of a compile-time argument that is one or several whole numbers."""
        given = self.option(name)
        return tuple(one for one in (given if isinstance(given, (tuple, list)) else (given,)) if isinstance(one, int))

    def shape(self, name: str) -> tuple[int, ...]:
        """The sizes of a tensor argument."""
        return self.sized(self.arguments[name].shape)

    def shapes(self, name: str) -> list[tuple[int, ...]]:
        """The sizes of each tensor of an argument that is a list."""
        return [self.sized(one.shape) for one in self.arguments[name].operands]

    def count(self, name: str) -> int:
        """The number of elements of a tensor argument."""
        return prod(self.shape(name))

    @property
    def result(self) -> tuple[int, ...]:
        """The sizes of the first output."""
        return self.sized(self.outputs[0].shape)

    @property
    def made(self) -> int:
        """The number of elements of the first output."""
        return prod(self.result)


Flops = Callable[[FlopCall], int]


def no_flops(call: FlopCall) -> int:
    """The op only arranges elements, or checks them."""
    return 0


def uncounted(call: FlopCall) -> int:
    """Nobody has counted."""
    raise NotKnown


def per_result(count: int = 1) -> Flops:
    """So many for each element of the result."""
    return lambda call: count * call.made


def per_element(name: str, count: int = 1, last: int = 0) -> Flops:
    """So many for each element of an argument, and then for each element of the result."""
    return lambda call: count * call.count(name) + (last * call.made if last else 0)


def products(call: FlopCall) -> int:
    """A product and a sum for each pair of elements that meet. Each axis is one of two of the three tensors."""
    return 2 * isqrt(call.count("a") * call.count("b") * call.made)


def kernel_products(kernel: str, kept: int = 1) -> Flops:
    """A product and a sum for each element of a kernel at each place, where the last `kept` axes are the results."""
    return lambda call: 2 * call.made * prod(call.shape(kernel)[:-kept])
