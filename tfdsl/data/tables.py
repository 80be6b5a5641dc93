"""Tables during loading: what the rows of a data set are, before the arrays of a program are made.

Input: the columns of a source. Output: a `Table`, whose rows transforms choose and map. Data can be as large as memory,
so a table computes its rows block by block, once for every statistic and once at the end.

A block is a dict of arrays by column, in the order of the table: float64, int64 or bool with a number per row, arrays
with more axes, or the codes of text (int32, -1 for a missing cell; `Table.words` has what they mean). A missing number
is nan."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from ..diagnostics import ARRAY_KIND, DATA_VALUE
from .schema import DataError, FilePlace, FindPlace, row_at, shown
from .stored import StoredRows

BLOCK = 16_384  # rows per block of a statistic; its last bits depend on this

Block = dict[str, np.ndarray]
Function = Callable[[Block], Block]
Words = Mapping[str, Sequence[str]]
Rows = slice | np.ndarray


class ColumnSource(Protocol):
    """Columns that are read by rows. `origin` names them for people; `streamed` is true if they are not in memory,
    `synthetic` if they stand in for real data."""

    @property
    def rows(self) -> int: ...
    @property
    def words(self) -> Words: ...
    @property
    def origin(self) -> str: ...
    @property
    def streamed(self) -> bool: ...
    @property
    def synthetic(self) -> bool: ...

    def read(self, rows: Rows) -> Block: ...

    def place(self, row: int, column: str) -> FilePlace | None:
        """The place of a cell in its file, if there is one."""
        ...


class Matrix(Protocol):
    """An array of rows, or an object that is read like one: by a slice of rows or by row numbers."""

    def __getitem__(self, rows: Rows, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Floats:
    """Numbers of any dtype that are read as float64."""

    array: Matrix

    def __getitem__(self, rows: Rows) -> np.ndarray:
        return np.asarray(self.array[rows]).astype(np.float64, copy=False)


@dataclass(frozen=True)
class Wholes:
    """Whole numbers from 0 on that are read as int64. Refuses those that it cannot hold."""

    name: str
    array: Matrix

    def __getitem__(self, rows: Rows) -> np.ndarray:
        found = np.asarray(self.array[rows])
        _check_int64(self.name, found, rows)
        return found.astype(np.int64)


@dataclass(frozen=True)
class Held:
    """Columns that are read from arrays, each from one of its own, [rows] or with more axes, or several from one [rows,
    columns]. `find` gives the place of a cell."""

    rows: int
    panels: tuple[tuple[tuple[str, ...], Matrix], ...]
    origin: str
    words: Words = field(default_factory=dict)
    streamed: bool = False
    synthetic: bool = False
    order: tuple[str, ...] = ()  # of the columns, if it is not that of the panels
    find: FindPlace | None = None

    def read(self, rows: Rows) -> Block:
        block: Block = {}
        for names, panel in self.panels:
            part = np.asarray(panel[rows])
            if len(names) == 1:
                block[names[0]] = part.reshape(len(part)) if part.ndim == 2 and part.shape[1] == 1 else part
            else:
                block.update((name, part[:, at]) for at, name in enumerate(names))
        return {name: block[name] for name in self.order} if self.order else block

    def place(self, row: int, column: str) -> FilePlace | None:
        return self.find and self.find(row, column)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a source with functions applied. `chosen` has the row numbers of the source in order, or is None for the
    first `rows`. `parts` has the positions of the rows of each part of a split."""

    source: ColumnSource
    rows: int
    words: Words
    chosen: np.ndarray | None = None
    functions: tuple[Function, ...] = ()
    largest: int = BLOCK  # rows of a block
    parts: tuple[tuple[str, np.ndarray], ...] = ()

    def block(self, rows: Rows) -> Block:
        block = self.source.read(self.numbers(rows))
        for function in self.functions:
            block = function(block)
        return block

    def numbers(self, rows: Rows) -> Rows:
        """The row numbers in the source."""
        return rows if self.chosen is None else self.chosen[rows]

    def place(self, row: int, column: str) -> FilePlace | None:
        """The place of a cell in its file, if it is known."""
        return self.source.place(row if self.chosen is None else int(self.chosen[row]), column)

    def blocks(self, most: int = BLOCK) -> Iterator[tuple[int, Block]]:
        """All rows, each block with the number of its first."""
        size = min(most, self.largest)
        for start in range(0, self.rows, size):
            yield start, self.block(slice(start, min(start + size, self.rows)))

    def training_blocks(self) -> Iterator[Block]:
        """The blocks that a transform learns from: the training rows, or all rows without a split."""
        learned = dict(self.parts).get("train")
        for start in range(0, self.training_rows, self.largest):
            part = slice(start, min(start + self.largest, self.training_rows))
            yield self.block(part if learned is None else learned[part])

    @property
    def training_rows(self) -> int:
        learned = dict(self.parts).get("train")
        return self.rows if learned is None else len(learned)

    def mapped(self, function: Function, words: Words | None = None) -> "Table":
        """The table with new columns, each row computed from the same row."""
        return replace(self, functions=(*self.functions, function), words=self.words if words is None else words)

    def ordered(self, rows: np.ndarray) -> "Table":
        """The table with these rows, in this order."""
        return replace(self, rows=len(rows), chosen=np.asarray(self.numbers(rows)))

    def divided(self, parts: tuple[tuple[str, np.ndarray], ...]) -> "Table":
        """The table with parts. Rows that are in none go."""
        kept = np.sort(np.concatenate([rows for _, rows in parts]))
        if len(kept) == self.rows:
            return replace(self, parts=parts)
        return replace(self.ordered(kept), parts=tuple((name, np.searchsorted(kept, rows)) for name, rows in parts))

    def within(self, choose: Callable[[np.ndarray], np.ndarray]) -> "Table":
        """The table with some of its rows. `choose` gets positions, of all rows or of each part, and returns those that
        stay. Rows that are in no part any more go."""
        if not self.parts:
            return self.ordered(choose(np.arange(self.rows)))
        return self.divided(tuple((name, choose(rows)) for name, rows in self.parts))


def matrix(block: Block, names: Iterable[str]) -> np.ndarray:
    """Some columns of a block as float64 [rows, columns]: a view where they stand side by side in one array."""
    columns = [block[name] for name in names]
    first = columns[0]
    size = first.itemsize
    if first.dtype == np.float64 and first.base is not None and all(
        column.base is first.base and column.dtype == first.dtype and column.strides == first.strides
        and column.__array_interface__["data"][0] == first.__array_interface__["data"][0] + at * size
        for at, column in enumerate(columns)
    ) and first.strides[0] >= size * len(columns):  # fmt: skip
        shape, strides = (len(first), len(columns)), (first.strides[0], size)
        return np.lib.stride_tricks.as_strided(first, shape, strides, writeable=False)
    return np.column_stack([column.astype(np.float64, copy=False) for column in columns])


def columns_of(array: np.ndarray, names: Iterable[str]) -> Block:
    """The columns of a matrix, as views."""
    return {name: array[:, at] for at, name in enumerate(names)}


def held(names: Sequence[str], features: object, target: object, origin: str, *targets: str,
         synthetic: bool = False, find: FindPlace | None = None) -> Held:  # fmt: skip
    """The columns of a matrix of features, and of a target or None, of any real dtypes. `targets` names the targets."""
    matrix = features if isinstance(features, StoredRows) else real("features", features)
    panels: list[tuple[tuple[str, ...], Matrix]] = [(tuple(names), Floats(matrix))]
    if target is not None:
        array = real("target", target)
        one = len(targets) < 2
        panels.append((targets or ("target",), whole_or_float("target", array) if one else Floats(array)))
    return Held(len(matrix), tuple(panels), origin, synthetic=synthetic, find=find)


def whole_or_float(name: str, data: object, is_bool: bool = False) -> np.ndarray:
    """An array of one number per row as int64 or float64, or as bool if it `is_bool`."""
    array = real(name, data).reshape(-1)
    if is_bool and array.dtype.kind == "b":
        return array
    _check_int64(name, array, slice(0, None))
    return array.astype(np.int64 if array.dtype.kind in "biu" else np.float64)


def _check_int64(name: str, array: np.ndarray, rows: Rows) -> None:
    """Refuse numbers of some rows that int64 cannot hold."""
    large = array > np.iinfo(np.int64).max if array.dtype.kind == "u" else np.zeros(0, bool)
    if large.any():
        at = int(np.argmax(large.reshape(len(array), -1).any(axis=1)))
        row = (rows.start or 0) + at if isinstance(rows, slice) else int(rows[at])
        raise DataError(
            DATA_VALUE, row=row_at(row), column=shown(name), value=array[large].flat[0], dtype="int64", way=""
        )


def real(name: str, data: object) -> np.ndarray:
    """An array of numbers. Refuses other dtypes."""
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise DataError(ARRAY_KIND, array=name, dtype=shown(str(array.dtype)))
    return array


def absent(column: np.ndarray) -> np.ndarray:
    """Which cells of a column are missing."""
    if column.dtype == np.int32:  # codes of text
        return column < 0
    if column.dtype.kind != "f":
        return np.zeros(len(column), bool)
    return np.asarray(np.isnan(column.reshape(len(column), -1)).any(axis=1))
