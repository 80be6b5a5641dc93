"""Limits on what a program can ask of the compiler: memory, stack and time.

Users can raise the `Limits`. The other limits come from Python, or keep messages readable. A `Clock` measures the
time of a check.
"""

import time
from collections.abc import Sequence
from typing import cast

from .record import Frozen

_SMALL = {float, bool, complex, type(None)}

MAX_ADVICE = 100  # failed statements, after which slow searches for similar names stop
MAX_NESTED = 100  # nesting depth of lists
MAX_BITS = 14_000  # of an integer: Python prints at most 4300 digits
MAX_AXES = 254  # of a tensor: TensorFlow aborts the process if there are more
MAX_MOVING = 100  # operators per expression on values known only to the running session


class Limits(Frozen):
    """Limits of one check. `cli/options.py` has an option for each."""

    unroll: int = 100_000  # loop iterations and function calls at compile time
    depth: int = 2_500  # nesting depth of brackets and calls
    constant: int = 1_000_000  # elements of a list, including nested lists; characters of a string
    file: int = 1_000_000  # bytes of a program
    imports: int = 20  # files that import each other
    tensor: int = 1_000  # elements of a tensor of known size, in billions
    errors: int = 1_000  # errors and warnings shown
    seconds: float = 10.0

    @property
    def work(self) -> int:
        """Units of work, about 0.3 microseconds each, for repeated code: an expression counts 8, a node 100, an
        element of a list 1 each time it is read."""
        return max(2_000_000, 20 * self.unroll)

    def work_of(self, text: str) -> int:
        """Units of work for a text without repetition."""
        return 30 * len(text)

    @property
    def elements(self) -> int:
        """Elements of a tensor."""
        return self.tensor * 10**9

    @property
    def blocks(self) -> int:
        """Nesting depth of blocks. Each is a scope, a loop or a branch, which cost more than brackets."""
        return self.depth // 50

    @property
    def levels(self) -> int:
        """Nesting depth of expressions and blocks in a program, including calls."""
        return 4 * self.depth

    def size_of(self, value: object) -> int:
        """The approximate number of elements in a value. Counting stops above the limit, or if lists are nested too
        deeply."""
        return self.measure(value)[0]

    def measure(self, value: object) -> tuple[int, int]:
        """Like `size_of`, with the depth of its lists when counting stopped."""
        if isinstance(value, range):
            return self._length(value), 1
        if not isinstance(value, (list, tuple)):
            return len(value) if isinstance(value, (str, bytes)) else 1, 0
        count = depth = 0
        todo: list[tuple[Sequence[object], int, int]] = [(value, 1, 1)]
        while todo:
            one, depth, times = todo.pop()  # a list, its depth, and its number of occurrences
            count += len(one) * times
            if count > self.constant:
                break
            if depth > MAX_NESTED:
                return self.constant + 1, depth
            kinds = set(map(type, one))
            whole = cast(Sequence[int], one) if kinds == {int} else ()  # according to their types
            if kinds <= _SMALL or (whole and max(max(whole), -min(whole)) < 1 << 64):
                continue
            lists: dict[int, tuple[Sequence[object], int]] = {}  # a repeated list is visited once
            for item in one:
                if isinstance(item, (list, tuple)):
                    inner = cast(Sequence[object], item)  # isinstance does not know the element type
                    lists[id(inner)] = inner, lists.get(id(inner), (inner, 0))[1] + times
                elif isinstance(item, (str, bytes)):
                    count += len(item) * times
                elif isinstance(item, range):
                    count += self._length(item) * times
                elif isinstance(item, int):
                    count += (item.bit_length() >> 6) * times
            todo += [(item, depth + 1, often) for item, often in lists.values()]
        return count, depth

    def _length(self, value: range) -> int:
        try:
            return len(value) * (1 + (max(abs(value.start), abs(value.stop)).bit_length() >> 6))
        except OverflowError:
            return self.constant + 1

    def is_too_large(self, value: object) -> bool:
        """Whether a value is larger than the compiler allows."""
        too_long = isinstance(value, int) and value.bit_length() > MAX_BITS
        return too_long or self.size_of(value) > self.constant


class Clock:
    """The processor time that the checking thread can still use. Other load on the machine does not count."""

    def __init__(self, limits: Limits):
        self.seconds: float = limits.seconds
        self._ends = self.now() + limits.seconds

    @staticmethod
    def now() -> float:
        """The processor time of this thread."""
        return time.thread_time()

    @property
    def is_over(self) -> bool:
        return self.now() > self._ends

    def wait(self, seconds: float) -> None:
        """Exclude time spent on other work."""
        self._ends += seconds
