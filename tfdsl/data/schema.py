"""The facts about a data set known at compile time, and the error class for all data errors.

These plain types are shared by the other modules of this folder: `Schema`, `Column`, `DataError`, `FilePlace`, and the
checks of values and sizes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias, TypeGuard
from unicodedata import normalize

from ..diagnostics import ARRAY_KIND, ARRAY_SHAPE, DATA_TOO_LARGE, Message
from ..diagnostics.message import filled
from ..diagnostics.spelling import counted, shortened, visible
from ..record import Record, replace
from ..types import BOOL, FLOAT32, INT64, STRING, DType, TensorType

# Limits: data made or unpacked in memory, in numbers of eight bytes (2 GiB); existing data, in numbers of four
# bytes, its size in memory (16 GiB); and columns, each of which has a name.
MAX_NUMBERS = 1 << 28
MAX_HELD = 1 << 32
MAX_COLUMNS = 1 << 16
# The words after `data.` and `batch.` that are no names of columns.
PARTS = ("train", "validation", "test")
FIELDS = frozenset(("features", "target", "rows", "columns", "shape", *PARTS, "mean", "categories"))
_NAME = re.compile(r"[\w .()\[\]/%#$°²³^+-]*")  # the characters of column names
_WORD = re.compile(r"[^\W\d]\w*")  # a name of the language
SHOWN = 40  # characters of a name or cell of the user's data in a message


class FilePlace(Record):
    """A place in a data file. Line and column count from 1, columns in characters. In data from Python, `index` is
    the label of the row in its table, or its number from 0."""

    path: str
    line: int | None = None
    column: int | None = None
    index: str = ""

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


FindPlace: TypeAlias = Callable[[int, str], FilePlace | None]  # the place of a cell, by its row and column


def row_at(row: int, place: FilePlace | None = None) -> int | str:
    """A row for a message: its number, from 1, with its line in the file or its index in a table. `row` counts from
    0."""
    if place is not None and place.line is not None:
        return f"{row + 1} (line {place.line})"
    return f"{row + 1} (index {place.index})" if place is not None and place.index else row + 1


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
        self.details: dict[str, Any] = details  # passed on as keywords, whatever their types
        self.place, self.param = place, param
        self.stage: int | None = None

    @property
    def headline(self) -> str:
        return filled(self.message.headline, self.details)

    @property
    def help(self) -> str:
        return filled(self.message.help, self.details)

    def __str__(self) -> str:
        return f"{self.place}: {self.headline}" if self.place else self.headline


def by_kind(doubts: Iterable[DataError]) -> list[list[DataError]]:
    """Warnings, those of one kind at a stage together."""
    kinds: dict[tuple[str, int], list[DataError]] = {}
    for doubt in doubts:
        kinds.setdefault((doubt.message.code, doubt.stage or 0), []).append(doubt)
    return list(kinds.values())


@contextmanager
def at_stage(stage: int) -> Iterator[None]:
    """Blame errors inside the block on this stage of the declaration, unless an inner block has blamed another."""
    try:
        yield
    except DataError as error:
        if error.stage is None:
            error.stage = stage
        raise


Role = Literal["feature", "target", "aside"]


class Column(Record):
    """A column of a table: `dtype` is float32, int64, bool or string, `shape` the shape per row. `gaps` is how many of
    its cells are missing, in the source. `ends` has its least and its greatest number, if they are known.
    `is_computed` is true if a transform computed its values, `is_learned` if they depend on what one learned from
    other rows. `nearly_numbers` is true for text of which more than nine of ten cells are numbers. `other` has the
    file and the kind of a column that is neither, such as "timestamps", which can only be dropped. `place` is its place
    among several targets. `classes` has the names of class numbers that a source gives."""

    name: str
    dtype: DType
    shape: tuple[int, ...] = ()
    role: Role = "feature"
    is_bias: bool = False  # from `add_bias`; transforms leave it unchanged
    gaps: int = 0
    ends: tuple[float, float] | None = None
    is_computed: bool = False
    is_learned: bool = False
    nearly_numbers: bool = False
    other: tuple[FilePlace, str] | None = None
    place: int = 0
    classes: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether the column has one number per row."""
        return self.shape == () and self.dtype != STRING

    @property
    def field(self) -> str:
        """The name as a program writes it after `data.` or `batch.`."""
        return self.name if _WORD.fullmatch(self.name) and self.name not in FIELDS else f'["{self.name}"]'


class Schema(Record):
    """Rows and columns of a data set. `table` has its columns in order. `parts` has the names of the parts of a split,
    with their rows. `named` is true if the names of the columns come with the data."""

    rows: int
    table: tuple[Column, ...]
    parts: tuple[tuple[str, int], ...] = ()
    streamed: bool = False  # on disk, read in batches
    named: bool = True

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns of `.features`: the features with one number per row. A column with more numbers per row is in it
        only if it is the only feature."""
        kept = tuple(column for column in self.table if column.role == "feature")
        flat = tuple(column for column in kept if column.shape == ())
        return flat or (kept if len(kept) == 1 else ())

    @property
    def left_out(self) -> tuple[Column, ...]:
        """The columns that are neither targets nor set aside, and that `.features` does not have."""
        features = self.features
        return tuple(column for column in self.table if column.role == "feature" and column not in features)

    @property
    def targets(self) -> tuple[Column, ...]:
        found = [column for column in self.table if column.role == "target"]
        return tuple(sorted(found, key=lambda column: column.place))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features."""
        return tuple(column.name for column in self.features)

    @property
    def columns(self) -> int:
        """How many numbers the last axis of `.features` has."""
        features = self.features
        return features[0].shape[-1] if len(features) == 1 and features[0].shape else len(features)

    @property
    def features_type(self) -> TensorType | None:
        """The type of `.features`. None if there are none."""
        features = self.features
        if not features:
            return None
        return TensorType(FLOAT32, (self.rows, *(features[0].shape or (len(features),))))

    @property
    def target_type(self) -> TensorType | None:
        """The type of `.target`: int64 for whole numbers, otherwise float32. None if there is no target."""
        targets = self.targets
        if not targets:
            return None
        dtypes = {column.dtype for column in targets}
        dtype = targets[0].dtype if len(dtypes) == 1 else FLOAT32
        return TensorType(INT64 if dtype == BOOL else dtype, (self.rows, *(targets[0].shape or (len(targets),))))

    @property
    def target_range(self) -> tuple[float, float] | None:
        """The least and the greatest number of the target, if they are known."""
        targets = self.targets
        return targets[0].ends if len(targets) == 1 else None

    @property
    def biases(self) -> int:
        return sum(column.is_bias for column in self.table)

    def columns_of(self, field: str) -> tuple[Column, ...]:
        """The columns of a field: of features, of the target, or a column as a program names it."""
        if field == "features":
            return self.features
        if field == "target":
            return self.targets
        return tuple(column for column in self.table if column.field == field)

    def type_of(self, field: str) -> TensorType | None:
        """The type of a field. None if there is no such field."""
        if field == "features":
            return self.features_type
        if field == "target":
            return self.target_type
        columns = self.columns_of(field)
        return TensorType(columns[0].dtype, (self.rows, *columns[0].shape)) if columns else None

    def is_complete(self, field: str) -> bool:
        """Whether features or target exist and are numbers without missing cells."""
        columns = self.columns_of(field)
        return bool(columns) and all(column.dtype != STRING and not column.gaps for column in columns)

    def without_targets(self) -> "Schema":
        """The schema with its targets set aside."""
        return self.with_columns(lambda one: replace(one, role="aside") if one.role == "target" else one)

    def column(self, name: str) -> Column | None:
        name = composed(name)
        return next((column for column in self.table if column.name == name), None)

    def part(self, name: str) -> "Schema | None":
        """A part of a split, such as `train`."""
        rows = dict(self.parts).get(name)
        return None if rows is None else replace(self, rows=rows, parts=())

    def with_columns(self, change: Callable[[Column], "Column | Iterable[Column]"]) -> "Schema":
        """The schema with each column replaced by one or more others."""
        table: list[Column] = []
        for column in self.table:
            made = change(column)
            table += [made] if isinstance(made, Column) else made
        return replace(self, table=tuple(table))


def numbers(names: Iterable[str], target: str | None = None, dtype: DType = FLOAT32,
            ends: tuple[float, float] | None = None) -> tuple[Column, ...]:  # fmt: skip
    """The columns of a table with float32 features and at most one target, which comes last."""
    features = tuple(Column(name, FLOAT32) for name in names)
    return features if target is None else (*features, Column(target, dtype, role="target", ends=ends))


def composed(name: str) -> str:
    """The name of a column in Unicode's form NFC. Columns have it, however their files write an accent."""
    return name if name.isascii() else normalize("NFC", name)


def shown(text: str) -> str:
    """Text of the user's data for a message: quoted, short, and without control characters."""
    return f'"{visible(shortened(text, SHOWN))}"'


def shown_path(path: str) -> str:
    """A path for a message: quoted, whole, and without control characters."""
    return f'"{visible(path)}"'


def listed(header: Iterable[str]) -> str:
    """Column names for a message. Other text is left out, because it may be any content of the file."""
    names = list(header)
    kept = [shown(name) for name in names if _NAME.fullmatch(name)]
    left = len(names) - len(kept)
    alone = f"{left}, whose {'name is' if left == 1 else 'names are'} not shown here"
    others = counted(left, "other") if kept else alone
    return ", ".join([*kept, *([others] if left else [])])


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
        raise DataError(ARRAY_SHAPE, array=name, shape=sizes(shape), wanted=wanted)
    rows, columns = shape
    check_size(name, rows, columns, is_there)


def check_target(name: str, shape: Sequence[int], rows: int) -> None:
    """Check that a target has one number per row."""
    if tuple(shape) not in ((rows,), (rows, 1)):
        wanted = f"[{rows}] or [{rows}, 1], one number for each row of the features"
        raise DataError(ARRAY_SHAPE, array=name, shape=sizes(shape), wanted=wanted)


def sizes(shape: Iterable[int]) -> str:
    """A shape for a message."""
    return f"[{', '.join(map(str, shape))}]"
