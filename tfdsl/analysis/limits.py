"""What a program may ask of the compiler, so that none fills its memory, its stack or its time."""

from ..record import Record

MAX_LIST = 1_000_000  # elements of a list, those of the lists in it included
MAX_ADVICE = 100  # statements that failed, after which no similar names are looked for: it takes a while
MAX_DEPTH = 100  # of lists in lists
MAX_BITS = 14_000  # of a whole number: Python writes out no more than 4300 digits
MAX_CALLS = 2_500  # functions that call one another
MAX_IMPORTS = 20  # files that import one another
MAX_MOVING = 100  # operators on values that only the running session knows, in one expression


class Limits(Record):
    """`unroll` limits the turns of loops and the calls of functions; the rest grows with it."""

    unroll: int = 100_000

    @property
    def work(self) -> int:
        """Units of about a microsecond: elements of lists looked at; an expression is several, a node a hundred."""
        return max(20_000_000, 200 * self.unroll)


def size_of(value: object) -> int:
    """About how many elements a value holds; counting stops above `MAX_LIST`, or where lists are too deep."""
    if isinstance(value, range):
        return _length(value)
    if not isinstance(value, (list, tuple)):
        return 1
    count = 0
    todo: list[tuple] = [(value, 1)]
    while todo:
        one, depth = todo.pop()
        count += len(one)
        if count > MAX_LIST or depth > MAX_DEPTH:
            return MAX_LIST + 1
        for item in one:
            if isinstance(item, (list, tuple)):
                todo.append((item, depth + 1))
            elif isinstance(item, str):
                count += len(item)
            elif isinstance(item, range):
                count += _length(item)
            elif isinstance(item, int):
                count += item.bit_length() >> 6
    return count


def is_too_large(value: object) -> bool:
    """Whether a value is more than the compiler works with."""
    return size_of(value) > MAX_LIST or (isinstance(value, int) and value.bit_length() > MAX_BITS)


def _length(value: range) -> int:
    try:
        return len(value)
    except OverflowError:
        return MAX_LIST + 1
