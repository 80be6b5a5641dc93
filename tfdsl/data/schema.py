"""The facts about a data set known at compile time, and the error class for all data errors.

These plain types are shared by the other modules of this folder: `Schema`, `DataError`, `FilePlace`, and the
checks of values and sizes.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeGuard

from ..diagnostics import ARRAY_KIND, ARRAY_SHAPE, DATA_TOO_LARGE, Message
from ..record import Record
from ..types import FLOAT32, INT64, DType

# Limits: data made or unpacked in memory, in numbers of eight bytes (2 GiB); existing data, in numbers of four
# bytes, its size in memory (16 GiB); and columns, each of which has a name.
MAX_NUMBERS = 1 << 28
MAX_HELD = 1 << 32
MAX_COLUMNS = 1 << 16
SHOWN = 40  # characters of a name or cell of the user's data in a message


class FilePlace(Record):
    """A place in a data file. Line and column count from 1, columns in characters."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


class DataError(Exception):
    """Data that cannot be loaded or used.

    `place` is a place in the data file, if the error is there. `param` names the argument to blame. `stage` is the
    part of the declaration: 0 for the source, 1 for the first transform, and so on.
    """

    def __init__(
        self, message: Message, *, place: FilePlace | None = None, param: str | None = None, **details: object
    ):
        super().__init__(message.code)
        self.message = message
        self.details: dict[str, Any] = details  # passed on as keywords of any type
        self.place, self.param = place, param
        self.stage: int | None = None

    @property
    def headline(self) -> str:
        return self.message.headline.format(**self.details)

    @property
    def help(self) -> str:
        return self.message.help.format(**self.details)

    def __str__(self) -> str:
        return f"{self.place}: {self.headline}" if self.place else self.headline


@contextmanager
def at_stage(stage: int) -> Iterator[None]:
    """Blame errors inside the block on this stage of the declaration."""
    try:
        yield
    except DataError as error:
        error.stage = stage
        raise


class Schema(Record):
    """Sizes, dtypes and names of a data set. `target` is [rows, 1], or None if there is none. The first `biases`
    columns come from `add_bias`; transforms leave them unchanged. `named` is true if the column names come with
    the data. `target_range` has the smallest and the largest target, if they are known."""

    rows: int
    names: tuple[str, ...]
    target: DType | None = None
    target_name: str | None = None
    features: DType = FLOAT32
    test_rows: int | None = None  # after a split
    streamed: bool = False  # on disk, read in batches
    biases: int = 0
    named: bool = True
    target_range: tuple[float, float] | None = None

    @property
    def columns(self) -> int:
        return len(self.names)

    @property
    def train(self) -> "Schema | None":
        """The training rows after a split."""
        if self.test_rows is None:
            return None
        return replace(self, rows=self.rows - self.test_rows, test_rows=None)

    @property
    def test(self) -> "Schema | None":
        """The test rows after a split."""
        return None if self.test_rows is None else replace(self, rows=self.test_rows, test_rows=None)


def shown(text: str) -> str:
    """Text of the user's data for a message: quoted, short, and without control characters."""
    short = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short) + '"'


def is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    return is_integer(value) or isinstance(value, float)


def number_dtype(name: str, kind: str) -> DType:
    """The dtype for an array of a NumPy kind (a letter): integers become int64, floats float32."""
    if kind in ("b", "i", "u"):
        return INT64
    if kind == "f":
        return FLOAT32
    raise DataError(ARRAY_KIND, array=name, dtype=shown(kind))


def numbered(columns: int) -> tuple[str, ...]:
    """Names for unnamed columns."""
    return tuple(f"x{i}" for i in range(columns))


def check_size(what: str, rows: int, columns: int, is_there: bool = False) -> None:
    """Refuse data that does not fit, before it is built. `is_there` is true if it already takes its space."""
    most = MAX_HELD if is_there else MAX_NUMBERS
    if columns > MAX_COLUMNS or rows * columns > most:
        raise DataError(
            DATA_TOO_LARGE,
            what=what,
            rows=rows,
            columns=columns,
            max_numbers=most,
            max_columns=MAX_COLUMNS,
        )


def check_features(name: str, shape: Sequence[int], is_there: bool = False) -> None:
    """Check that features have two axes, are not empty, and fit."""
    if len(shape) != 2 or 0 in shape:
        wanted = "[rows, columns], neither of them 0"
        raise DataError(ARRAY_SHAPE, array=name, shape=_sizes(shape), wanted=wanted)
    rows, columns = shape
    check_size(name, rows, columns, is_there)


def check_target(name: str, shape: Sequence[int], rows: int) -> None:
    """Check that a target has one number per row."""
    if tuple(shape) not in ((rows,), (rows, 1)):
        wanted = f"[{rows}] or [{rows}, 1], one number for each row of the features"
        raise DataError(ARRAY_SHAPE, array=name, shape=_sizes(shape), wanted=wanted)


def _sizes(shape: Iterable[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"
