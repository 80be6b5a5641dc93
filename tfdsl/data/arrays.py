"""The arrays of a data set, as programs use them.

Input: a `Table` and its schema. Output: a `Dataset` with the arrays of its fields: `.features` as float32, `.target`,
and each column in its dtype.

An array is made when it is first used, block by block, so the finished array is the only array of all rows. A streamed
data set can be larger than memory. It keeps its arrays in unnamed files, which disappear when nothing uses them. Both
ways give the same bits.
"""

import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from threading import RLock

import numpy as np
import numpy.typing as npt

from ..diagnostics import COLUMN_CELL, DATA_DISK, DATA_VALUE
from ..diagnostics.spelling import counted, listed
from ..record import replace
from ..types import INT64, STRING
from .schema import Column, DataError, Schema, row_at, shown
from .tables import BLOCK, Block, Held, Table, absent, matrix

_BLOCK_NUMBERS = 1 << 18  # numbers per block that is only passed on: what a cache holds
# The largest ranges of exact integers in float32 and int64.
_ALL_WHOLE, _INTEGERS = float(1 << 24), float(1 << 63)
_NUMPY: Mapping[str, type] = {"float32": np.float32, "int64": np.int64, "bool": np.bool_}

Rounded = tuple[str, int, float, float]
Emptied = tuple[str, str, float]
Reported = Callable[[], AbstractContextManager[object]]  # inside it errors of data become those of a program


class Fields(ABC):
    """The sizes, names and arrays of a data set or of a part of it."""

    schema: Schema

    @abstractmethod
    def array(self, field: str) -> np.ndarray:
        """The array of a field: features, target, or a column."""

    @property
    def rows(self) -> int:
        return self.schema.rows

    @property
    def columns(self) -> int:
        return self.schema.columns

    @property
    def names(self) -> tuple[str, ...]:
        return self.schema.names

    @property
    def target_name(self) -> str | None:
        targets = self.schema.targets
        return targets[0].name if len(targets) == 1 else None

    @property
    def features(self) -> np.ndarray:
        """The features as float32. The array of all rows of a split data set is made on first use."""
        return self.array("features")

    @property
    def target(self) -> np.ndarray | None:
        """The target. None if there is none."""
        return None if self.schema.target_type is None else self.array("target")


class Dataset(Fields):
    """Data for programs. `emptied` has the transform, name and value of
    columns that a transform set to 0, since they had one value in all training rows.

    `rounded` lists columns with integers that float32 cannot represent, of the arrays made so far: the name, and the
    row, old value and new value of the first such number."""

    def __init__(
        self, table: Table, schema: Schema, check: Callable[[str], None], emptied: tuple[Emptied, ...] = (),
        reported: Reported = nullcontext,
    ):  # fmt: skip
        self.schema, self.emptied, self._check, self._reported = schema, emptied, check, reported
        self.rounded: list[Rounded] = []
        self._table, self._lock = table, RLock()
        self._released = False
        self._made: dict[str, dict[str, np.ndarray]] = {}  # by field: the arrays of the parts, or of all rows as ""

    def __repr__(self) -> str:
        parts = "".join(f", {name} {rows}" for name, rows in self.schema.parts)
        columns = listed(column.name for column in self.schema.table)
        return f"<Dataset {self.origin}: {counted(self.schema.rows, 'row')}{parts}; {columns}>"

    @property
    def origin(self) -> str:
        """The name of the source."""
        return self._table.source.origin

    @property
    def synthetic(self) -> bool:
        """Whether it stands in for real data."""
        return self._table.source.synthetic

    @property
    def parts(self) -> "tuple[Part, ...]":
        """The parts of a split."""
        return tuple(Part(self, name) for name, _ in self.schema.parts)

    @property
    def train(self) -> "Part | None":
        """The training rows after a split."""
        return self._part("train")

    @property
    def test(self) -> "Part | None":
        """The test rows after a split."""
        return self._part("test")

    @property
    def validation(self) -> "Part | None":
        """The rows for validation after a split that has them."""
        return self._part("validation")

    def _part(self, name: str) -> "Part | None":
        return next((part for part in self.parts if part.name == name), None)

    def array(self, field: str, part: str = "") -> np.ndarray:
        with self._lock:
            made = self.make(field)[field]
            if part not in made:  # all rows after a split
                made[part] = self._joined(made)
            return made[part]

    def make(self, *fields: str) -> Mapping[str, dict[str, np.ndarray]]:
        """The arrays of fields, made once and in one reading of the rows: by part, or of all rows as ""."""
        with self._lock, self._reported():
            wanted = [field for field in fields if field not in self._made]
            for field in wanted:
                self._check(field)
            if wanted:
                self._made |= (
                    {field: self._of_made(field) for field in wanted} if self._released else self._read(wanted)
                )
            return self._made

    def numbers(self, part: str = "") -> np.ndarray:
        """The row numbers in the source of all rows, or of those of a part."""
        rows = dict(self._table.parts)[part] if part else np.arange(self.rows)
        return np.asarray(self._table.numbers(rows))

    def release(self, numbered: bool = False) -> bool:
        """Let go of the rows that the arrays were made of, if the arrays have all that was in them: columns of float32,
        and the target. Returns whether they do. With `numbered`, `numbers` still knows where they were."""
        with self._lock:
            made = [field for field in ("features", "target") if field in self._made]
            there = {
                column.name for field in made for column in self.schema.columns_of(field) if self._is_in(column, field)
            }
            if there != {column.name for column in self.schema.table} or self._table.source.streamed:
                return False
            old, self._released = self._table.source, True
            gone = Held(old.rows, (), old.origin, synthetic=old.synthetic)
            chosen = self._table.chosen if numbered else None
            self._table = replace(self._table, source=gone, functions=(), chosen=chosen)
            return True

    def _is_in(self, column: Column, field: str) -> bool:
        type = self.schema.type_of(field)
        return type is not None and column.dtype == type.dtype and column.dtype != STRING and column.shape == ()

    def _of_made(self, field: str) -> dict[str, np.ndarray]:
        """The arrays of a column, out of those of all features or targets."""
        (column,) = self.schema.columns_of(field)
        of = "target" if column.role == "target" else "features"
        at, type = self.schema.columns_of(of).index(column), self.schema.type_of(field)
        assert type is not None
        shape = [size for size in (type.shape or ())[1:] if isinstance(size, int)]
        return {part: aligned(array[:, at].reshape(-1, *shape)) for part, array in self._made[of].items()}

    def _read(self, fields: list[str]) -> dict[str, dict[str, np.ndarray]]:
        table, placing = self._table, _Placing(self._table) if self._table.parts else None
        made = {field: _FieldArrays(table, self.schema, field, placing) for field in fields}
        numbers = sum(int(np.prod(column.shape, dtype=np.int64)) for column in self.schema.table)
        for start, block in table.blocks(min(BLOCK, max(1, _BLOCK_NUMBERS // numbers))):
            for arrays in made.values():
                arrays.add(start, block)
        found = {field: arrays.finished() for field, arrays in made.items()}
        for arrays in made.values():
            self.rounded += arrays.rounded()
        return found

    def columns_as_they_are(self, columns: Iterable[Column]) -> Iterator[tuple[str, np.ndarray]]:
        """The values of some columns block by block, missing cells too, and the words of text."""
        kept = list(columns)
        for column in kept:
            if column.dtype == STRING:
                yield column.name, np.frombuffer(json.dumps(self._table.words[column.name]).encode(), np.uint8)
        for _, block in self._table.blocks() if kept else ():
            yield from ((column.name, block[column.name]) for column in kept)

    def _joined(self, made: Mapping[str, np.ndarray]) -> np.ndarray:
        first = next(iter(made.values()))
        result = empty((self.rows, *first.shape[1:]), first.dtype)
        for name, rows in self._table.parts:
            result[rows] = made[name]
        return result


class Part(Fields):
    """A part of a split: its arrays and sizes."""

    def __init__(self, of: Dataset, name: str):
        self.of, self.name = of, name
        schema = of.schema.part(name)
        assert schema is not None
        self.schema = schema

    @property
    def parts(self) -> tuple[()]:
        return ()

    @property
    def train(self) -> None:
        return None

    @property
    def test(self) -> None:
        return None

    def array(self, field: str) -> np.ndarray:
        return self.of.array(field, self.name)


# --- arrays in memory, and in files -----------------------------------------------------------


_ALIGNMENT = 64  # bytes, of memory that TensorFlow uses without a copy


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """An uninitialised array in memory that TensorFlow can use without a copy."""
    if np.dtype(dtype) == object:
        return np.empty(shape, object)
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def aligned(array: np.ndarray) -> np.ndarray:
    """The array, or a copy of it, in memory that TensorFlow can use without a copy."""
    if array.dtype == object or (array.flags.c_contiguous and array.ctypes.data % _ALIGNMENT == 0):
        return array
    result = empty(array.shape, array.dtype)
    result[...] = array
    return result


def is_streamed(array: object) -> bool:
    return isinstance(array, np.memmap)


class Spool:
    """An array in an unnamed file that grows by rows. The array keeps the file open."""

    def __init__(self, shape: tuple[int, ...], dtype: type):
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._rows = 0

    def add(self, block: np.ndarray) -> None:
        try:
            self._file.write(np.ascontiguousarray(block, self._dtype).data)
        except OSError as error:
            raise DataError(DATA_DISK, folder=shown(tempfile.gettempdir()), reason=error.strerror) from None
        self._rows += len(block)

    def array(self) -> np.memmap:
        """All rows added so far, at least one."""
        try:
            self._file.flush()
        except OSError as error:
            raise DataError(DATA_DISK, folder=shown(tempfile.gettempdir()), reason=error.strerror) from None
        return np.memmap(self._file, self._dtype, "r", shape=(self._rows, *self._shape))


def _chosen(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    spool = Spool(array.shape[1:], array.dtype.type)
    for start in range(0, len(rows), BLOCK):
        spool.add(array[rows[start : start + BLOCK]])
    return spool.array()


class _Placing:
    """Where the rows of a table stand in the arrays of its parts."""

    def __init__(self, table: Table):
        self.sizes = {name: len(rows) for name, rows in table.parts}
        self._part, self._place = np.full(table.rows, -1, np.int8), np.empty(table.rows, np.int64)
        for number, (_, rows) in enumerate(table.parts):
            self._part[rows], self._place[rows] = number, np.arange(len(rows))

    def put(self, start: int, block: np.ndarray, arrays: Mapping[str, np.ndarray]) -> None:
        within = slice(start, start + len(block))
        for number, array in enumerate(arrays.values()):
            mine = self._part[within] == number
            array[self._place[within][mine]] = block[mine]


class _FieldArrays:
    """The arrays of one field while the rows are read."""

    def __init__(self, table: Table, schema: Schema, field: str, placing: _Placing | None):
        type = schema.type_of(field)
        assert type is not None, field  # checked by the analysis
        self._table, self._placing, self._columns = table, placing, schema.columns_of(field)
        self._names = [column.name for column in self._columns]
        self._dtype, self._shape = type.dtype, tuple(size for size in (type.shape or ())[1:] if isinstance(size, int))
        self._watch = _Watch(table, self._columns) if self._dtype.name == "float32" else None
        self._spool: Spool | None = None
        self._arrays: dict[str, np.ndarray] = {}
        if table.source.streamed and self._dtype != STRING:
            self._spool = Spool(self._shape, _NUMPY[self._dtype.name])
            return
        numpy = np.dtype(object if self._dtype == STRING else _NUMPY[self._dtype.name])
        sizes = placing.sizes if placing else {"": table.rows}
        self._arrays = {name: empty((rows, *self._shape), numpy) for name, rows in sizes.items()}

    def add(self, start: int, block: Block) -> None:
        """The rows of a block. Checks every number."""
        made = self._made(start, block)
        if self._spool is not None:
            self._spool.add(made)
        elif self._placing is not None:
            self._placing.put(start, made, self._arrays)
        else:
            self._arrays[""][start : start + len(made)] = made

    def _made(self, start: int, block: Block) -> np.ndarray:
        names = self._names
        if self._dtype == STRING:
            return _texts(block[names[0]], self._table.words[names[0]]).reshape(-1, *self._shape)
        if len(names) == 1:
            made_of = block[names[0]].reshape(-1, *self._shape)
        elif self._watch is not None:
            made_of = matrix(block, names)
        else:
            made_of = np.column_stack([block[name] for name in names])
        if self._watch is None:
            if self._dtype == INT64 and made_of.dtype.kind == "f":  # new rows of a column of whole numbers
                bad = ~((made_of == np.trunc(made_of)) & (np.abs(made_of) < _INTEGERS))
                _refuse(bad, made_of, names, self._table, start, "int64")
            return made_of
        with np.errstate(over="ignore", invalid="ignore"):
            result = np.ascontiguousarray(made_of, np.float32)
        _refuse(~np.isfinite(result), made_of, names, self._table, start)
        self._watch.see(start, result, made_of)
        return result

    def finished(self) -> dict[str, np.ndarray]:
        """The arrays by part, after all rows."""
        if self._spool is None:
            return self._arrays
        whole = self._spool.array()
        return {"": whole} | {name: _chosen(whole, rows) for name, rows in self._table.parts}

    def rounded(self) -> list[Rounded]:
        return [] if self._watch is None else self._watch.found()


# --- numbers as float32 -----------------------------------------------------------------------


def _texts(codes: np.ndarray, words: Collection[str]) -> np.ndarray:
    """Text as TensorFlow takes it, a missing cell as the empty string."""
    known = np.empty(len(words) + 1, object)
    known[:-1], known[-1] = [word.encode() for word in words], b""  # the code -1 takes the last
    return known[codes]


class _Watch:
    """Finds columns of integers that float32 cannot represent, among columns of one number per row, or in the only
    column. Numbers that a transform computed are rounded anyway."""

    def __init__(self, table: Table, columns: tuple[Column, ...]):
        self._table = table
        self._names = [column.name for column in columns]
        self._given = [at for at, column in enumerate(columns) if not column.is_computed]
        self._found: dict[int, Rounded] = {}
        self._fractions: set[int] = set()  # columns with fractions

    def see(self, start: int, block: np.ndarray, made_of: np.ndarray) -> None:
        if not self._given or not (block.max() >= _ALL_WHOLE or block.min() <= -_ALL_WHOLE):
            return
        rows, columns = len(block), len(self._names)
        block, made_of = block.reshape(-1, columns), made_of.reshape(-1, columns)
        different = (block != made_of) & (np.abs(made_of) > _ALL_WHOLE) & (np.abs(made_of) < _INTEGERS)
        for column in np.flatnonzero(different.any(axis=0)).tolist():
            if column in self._given and column not in self._found and column not in self._fractions:
                row = int(np.argmax(different[:, column]))
                at = start + row * rows // len(block)
                self._found[column] = self._names[column], at, made_of[row, column], block[row, column]
        self._fractions |= _with_fractions(made_of, self._found.keys() - self._fractions)

    def found(self) -> list[Rounded]:
        if self._found.keys() - self._fractions:
            for _, block in self._table.blocks():
                made_of = np.column_stack([block[name].reshape(-1) for name in self._names])
                self._fractions |= _with_fractions(made_of, self._found.keys() - self._fractions)
        return [self._found[column] for column in sorted(self._found.keys() - self._fractions)]


def _with_fractions(block: np.ndarray, columns: Collection[int]) -> set[int]:
    """The columns that have numbers with a fraction, out of the given ones."""
    return {column for column in columns if (block[:, column] != np.trunc(block[:, column])).any()}


def _refuse(
    bad: np.ndarray, array: np.ndarray, names: list[str], table: Table, first: int, dtype: str = "float32"
) -> None:
    if not bad.any():
        return
    row, column = np.argwhere(bad.reshape(len(bad), -1))[0].tolist()
    value, name = array.reshape(len(array), -1)[row, column], names[column if len(names) > 1 else 0]
    place = table.place(first + row, name)
    at = row_at(first + row, place)
    if np.isnan(value) and place is not None and place.line is not None:
        raise DataError(COLUMN_CELL, place=place, row=at, column=shown(name), cell="missing")
    way = f', or fill the missing numbers: | fill({shown(name)}, with="median")' if np.isnan(value) else ""
    raise DataError(DATA_VALUE, place=place, row=at, column=shown(name), value=value, dtype=dtype, way=way)


def check_finite(table: Table, columns: Iterable[Column]) -> None:
    """Refuse the first number of some columns that is infinite in float32."""
    names = [column.name for column in columns]
    for start, block in table.blocks():
        for name in names:
            with np.errstate(over="ignore"):
                bad = np.isinf(block[name].astype(np.float32))
            _refuse(bad, block[name], [name], table, start)


def missing(table: Table, columns: Iterable[Column]) -> tuple[str, int] | None:
    """The first missing cell of some columns: its column and row."""
    names = [column.name for column in columns]
    for start, block in table.blocks():
        for name in names:
            bad = absent(block[name])
            if bad.any():
                return name, start + int(np.argmax(bad))
    return None
