"""What a program may ask of the compiler, so that none fills its memory, its stack or its time.

`Limits` are those that a user can raise; the others are Python's, or keep messages readable. A `Clock` watches the
time of one check.
"""

import time
from collections.abc import Sequence
from typing import cast

from .record import Record

_SMALL = {float, bool, complex, type(None)}

MAX_ADVICE = 100  # statements that failed, after which no similar names are looked for: it takes a while
MAX_NESTED = 100  # lists in lists
MAX_BITS = 14_000  # of a whole number: Python writes out no more than 4300 digits
MAX_AXES = 254  # of a tensor: with more, TensorFlow ends the process
MAX_MOVING = 100  # operators on values that only the running session knows, in one expression


class Limits(Record):
    """What one check may take; `cli/options.py` has an option for each."""

    unroll: int = 100_000  # turns of loops and calls of functions while compiling
    depth: int = 2_500  # brackets in brackets, calls in calls
    constant: int = 1_000_000  # elements of a list, those of the lists in it included; characters of a string
    file: int = 1_000_000  # bytes of a program
    imports: int = 20  # files that import one another
    tensor: int = 1_000  # elements of a tensor whose size is known, in billions
    errors: int = 1_000  # errors and warnings that are shown
    seconds: float = 10.0

    @property
    def work(self) -> int:
        """Units of about a third of a microsecond, for a program that repeats what it says: an expression is eight, a
        node a hundred, an element of a list one each time that it is looked at."""
        return max(2_000_000, 20 * self.unroll)

    def work_of(self, text: str) -> int:
        """Units of work for what a text says once."""
        return 20 * len(text)

    @property
    def elements(self) -> int:
        """Elements of a tensor."""
        return self.tensor * 10**9

    @property
    def blocks(self) -> int:
        """Blocks in blocks. Each is a scope, a loop or a branch, which weigh more than brackets."""
        return self.depth // 50

    @property
    def levels(self) -> int:
        """Expressions and blocks inside one another, calls included, in a whole program."""
        return 4 * self.depth

    def size_of(self, value: object) -> int:
        """About how many elements a value holds; counting stops above what is allowed, or where lists are too deep."""
        return self.measure(value)[0]

    def measure(self, value: object) -> tuple[int, int]:
        """As `size_of`, and how deep the lists in it were when the counting stopped."""
        if isinstance(value, range):
            return self._length(value), 1
        if not isinstance(value, (list, tuple)):
            return len(value) if isinstance(value, str) else 1, 0
        count = depth = 0
        todo: list[tuple[Sequence[object], int, int]] = [(value, 1, 1)]
        while todo:
            one, depth, times = todo.pop()  # a list, how deep it stands, and how often
            count += len(one) * times
            if count > self.constant:
                break
            if depth > MAX_NESTED:
                return self.constant + 1, depth
            kinds = set(map(type, one))
            whole = cast(Sequence[int], one) if kinds == {int} else ()  # as their types say
            if kinds <= _SMALL or (whole and max(max(whole), -min(whole)) < 1 << 64):
                continue
            lists: dict[int, tuple[Sequence[object], int]] = {}  # the same list many times is looked at once
            for item in one:
                if isinstance(item, (list, tuple)):
                    inner = cast(Sequence[object], item)  # isinstance does not say of what
                    lists[id(inner)] = inner, lists.get(id(inner), (inner, 0))[1] + times
                elif isinstance(item, str):
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
        """Whether a value is more than the compiler works with."""
        too_long = isinstance(value, int) and value.bit_length() > MAX_BITS
        return too_long or self.size_of(value) > self.constant


class Clock:
    """The processor time that a check may take, from now on, of the thread that does it: how busy the machine is makes
    no difference."""

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
        """Leave out time in which something else was done."""
        self._ends += seconds
