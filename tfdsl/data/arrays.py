"""The arrays of a data set while it is being made, and when it is done.

Input: arrays from a source. Output: `Table`, which the transforms work on in float64, and `Dataset`,
which is what programs see: float32 features, and a target of float32 or int64.

Data can be as large as memory, so there is one array of all rows: the finished one. A `Table` only says how its rows
are made of the source's, and makes them block by block, once for everything that is learnt of them and once at the
end. A streamed data set, which can be larger, has its arrays in files without a name, which are gone when nothing
uses them any more. Both give the same bits.
"""

import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..diagnostics import ARRAY_KIND, DATA_DISK, DATA_VALUE
from .schema import DataError, Schema, shown
from .stored import StoredRows

BLOCK = 16_384  # rows of what something is learnt from: sums depend on it in their last bits
_BLOCK_NUMBERS = 1 << 21  # of a block that is only passed on
_ALL_WHOLE, _INTEGERS = (
    float(1 << 24),
    float(1 << 63),
)  # float32 has all whole numbers up to the one, int64 to the other


class Matrix(Protocol):
    """An array [rows, columns], or what can be read like one: a slice of its rows, or some by their indices."""

    @property
    def dtype(self) -> np.dtype: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | np.ndarray, /) -> Any: ...


Function = Callable[[np.ndarray], np.ndarray]
Rounded = tuple[str, int, float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """Data being made. The features are rows of a source with some functions applied in float64; `chosen` says which
    rows, in which order, the first ones if it is None. The first `biases` features are ones that `add_bias` made. The
    target is int64 or float64, of one column; `split` has the rows for training and those for testing. `emptied` are
    columns that the last transform has made 0, with the one value that they had in all training rows."""

    source: Matrix
    rows: int
    target: np.ndarray | None
    origin: str
    synthetic: bool = False
    chosen: np.ndarray | None = None
    functions: tuple[Function, ...] = ()
    split: tuple[np.ndarray, np.ndarray] | None = None
    biases: int = 0
    emptied: tuple[tuple[int, float], ...] = ()

    def block(self, rows: slice | np.ndarray) -> np.ndarray:
        """The features of some rows, float64."""
        block = self._raw(rows).astype(np.float64, copy=False)
        for function in self.functions:
            block = function(block)
        return block

    def narrow_block(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """The same as float32, and what that was made of."""
        raw = self._raw(rows)
        block = raw if raw.dtype == np.float32 and not self.functions else self.block(rows)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(block, np.float32), block

    def _raw(self, rows: slice | np.ndarray) -> np.ndarray:
        return np.asarray(self.source[rows if self.chosen is None else self.chosen[rows]])

    def training_blocks(self) -> Iterator[np.ndarray]:
        """What a transform learns from: the training rows, or all where there is no split."""
        for start in range(0, self.training_rows, BLOCK):
            part = slice(start, min(start + BLOCK, self.training_rows))
            yield self.block(part if self.split is None else self.split[0][part])

    @property
    def training_rows(self) -> int:
        return self.rows if self.split is None else len(self.split[0])

    def mapped(self, function: Function) -> "Table":
        """The table with other features, of which each row is made from the same row."""
        return replace(self, functions=(*self.functions, function))

    def first(self, rows: int) -> "Table":
        """The table of its first rows."""
        chosen = None if self.chosen is None else self.chosen[:rows]
        return replace(self, rows=rows, chosen=chosen, target=None if self.target is None else self.target[:rows])

    def ordered(self, rows: np.ndarray) -> "Table":
        """The table of these of its rows, in this order."""
        chosen = rows if self.chosen is None else self.chosen[rows]
        target = None if self.target is None else _chosen(self.target, rows)
        return replace(self, rows=len(rows), chosen=chosen, target=target)


@dataclass(frozen=True)
class Dataset:
    """Data as programs see it. `parts` are there after a split: `train` and `test`, each with the numbers of its rows.
    `origin` says where it is from. `rounded` has columns of whole numbers that float32 cannot hold: the name, and of
    the first such number its row, what it was and what it is. `emptied` has the transform, name and value of what
    `Table` has there."""

    held: np.ndarray | None
    target: np.ndarray | None
    names: tuple[str, ...]
    target_name: str | None
    origin: str
    rows: int
    synthetic: bool = False
    parts: tuple[tuple["Dataset", np.ndarray], ...] = ()
    rounded: tuple[Rounded, ...] = ()
    emptied: tuple[tuple[str, str, float], ...] = ()

    @cached_property
    def features(self) -> np.ndarray:
        """All rows, float32. After a split they are only held as a whole once someone has asked for them."""
        if self.held is not None:
            return self.held
        result = empty((self.rows, self.columns), np.float32)
        for part, rows in self.parts:
            result[rows] = part.features
        return result

    @property
    def train(self) -> "Dataset | None":
        """The rows for training after a split."""
        return self.parts[0][0] if self.parts else None

    @property
    def test(self) -> "Dataset | None":
        """The rows for testing after a split."""
        return self.parts[1][0] if self.parts else None

    @property
    def columns(self) -> int:
        return len(self.names)


# --- arrays in memory, and in files -----------------------------------------------------------


_ALIGNMENT = 64  # bytes, of memory that TensorFlow uses as it is, without a copy


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """An array to be filled, in memory that TensorFlow can use as it is."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def aligned(array: np.ndarray) -> np.ndarray:
    """An array, or a copy of it, in memory that TensorFlow can use as it is."""
    if array.dtype == object or (array.flags.c_contiguous and array.ctypes.data % _ALIGNMENT == 0):
        return array
    result = empty(array.shape, array.dtype)
    result[...] = array
    return result


def is_streamed(array: Matrix) -> bool:
    return isinstance(array, np.memmap)


class Gathered:
    """An array in memory, to which rows are added; without a dtype it takes that of the rows."""

    def __init__(self, columns: int, dtype: type | None = None):
        self._columns, self._dtype = columns, dtype
        self._blocks: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        self._blocks.append(block if self._dtype is None else block.astype(self._dtype, copy=False))

    def array(self) -> np.ndarray:
        if len(self._blocks) == 1:
            return self._blocks[0]
        return np.concatenate(self._blocks or [np.empty((0, self._columns), self._dtype)])


class Spool:
    """An array in a file without a name, to which rows are added; the array keeps the file open."""

    def __init__(self, columns: int, dtype: type):
        self._columns, self._dtype = columns, np.dtype(dtype)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._rows = 0

    def add(self, block: np.ndarray) -> None:
        try:
            self._file.write(np.ascontiguousarray(block, self._dtype).data)
        except OSError as error:
            raise DataError(DATA_DISK, folder=shown(tempfile.gettempdir()), reason=error.strerror) from None
        self._rows += len(block)

    def array(self) -> np.memmap:
        """All rows that were added; at least one."""
        try:
            self._file.flush()
        except OSError as error:
            raise DataError(DATA_DISK, folder=shown(tempfile.gettempdir()), reason=error.strerror) from None
        return np.memmap(self._file, self._dtype, "r", shape=(self._rows, self._columns))


def _chosen(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    if not is_streamed(array):
        return array[rows]
    spool = Spool(array.shape[1], array.dtype.type)
    for start in range(0, len(rows), BLOCK):
        spool.add(array[rows[start : start + BLOCK]])
    return spool.array()


# --- from a source, and to a program ----------------------------------------------------------


def table(features: object, target: object, origin: str, synthetic: bool = False) -> Table:
    """A source's arrays, of any real dtype, as a table."""
    source = features if isinstance(features, StoredRows) else _real("features", features)
    if target is not None:
        target = converted_target(target)
    return Table(source, len(source), target, origin, synthetic)


def _real(name: str, data: object) -> np.ndarray:
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise DataError(ARRAY_KIND, array=name, dtype=shown(str(array.dtype)))
    return array


def converted_target(data: object) -> np.ndarray:
    """A target of any real dtype, as it is kept while the data is made."""
    array = _real("target", data).reshape(-1, 1)
    if array.dtype.kind == "u":
        _refuse(array > np.iinfo(np.int64).max, array, ("target",), "int64")
    return array.astype(np.int64 if array.dtype.kind in "biu" else np.float64)


def dataset(made: Table, schema: Schema) -> Dataset:
    """The finished data, with every number checked."""
    rounded: list[Rounded] = []
    target = made.target
    if target is not None and target.dtype.kind == "f":
        assert schema.target_name is not None  # as it has a target
        target = _whole(Table(target, len(target), None, ""), (schema.target_name,), is_streamed(target), rounded)
    if target is not None:
        target = aligned(target)
    split = made.split or ()
    held, parts = None, []
    if is_streamed(made.source) or not split:
        held = _whole(made, schema.names, is_streamed(made.source), rounded)
        parts = [_chosen(held, rows) for rows in split]
    else:
        parts = _parts(made, split, schema.names, rounded)
    whole = Dataset(
        held, target, schema.names, schema.target_name, made.origin, made.rows, made.synthetic, rounded=tuple(rounded)
    )
    targets = [None if target is None else _chosen(target, rows) for rows in split]
    return replace(
        whole,
        parts=tuple(
            (replace(whole, held=features, target=target, rows=len(rows)), rows)
            for features, target, rows in zip(parts, targets, split, strict=True)
        ),
    )


def _whole(made: Table, names: tuple[str, ...], streamed: bool, rounded: list[Rounded]) -> np.ndarray:
    """All features, float32, in memory or in a file."""
    if streamed:
        spool = Spool(len(names), np.float32)
        for _, block in _narrow(made, names, rounded):
            spool.add(block)
        return spool.array()
    result = empty((made.rows, len(names)), np.float32)
    for start, block in _narrow(made, names, rounded):
        result[start : start + len(block)] = block
    return result


def _parts(
    made: Table, split: tuple[np.ndarray, np.ndarray], names: tuple[str, ...], rounded: list[Rounded]
) -> list[np.ndarray]:
    """The features of the training rows and of the test rows, without an array of all."""
    parts = [empty((len(rows), len(names)), np.float32) for rows in split]
    place = np.empty(made.rows, np.int64)  # of each row in its part; those of the second part are counted from -1 down
    train, test = split
    place[train] = np.arange(len(train))
    place[test] = -1 - np.arange(len(test))
    for start, block in _narrow(made, names, rounded):
        at = place[start : start + len(block)]
        parts[0][at[at >= 0]] = block[at >= 0]
        parts[1][-1 - at[at < 0]] = block[at < 0]
    return parts


def _narrow(made: Table, names: tuple[str, ...], rounded: list[Rounded]) -> Iterator[tuple[int, np.ndarray]]:
    """The features block by block as float32, each with the number of its first row. `rounded` gets what `Dataset` has
    of that name."""
    size = min(BLOCK, max(1, _BLOCK_NUMBERS // len(names)))
    is_as_given = len(made.functions) == made.biases  # or else it is computed, and rounded anyway
    found: dict[int, Rounded] = {}
    fractions: set[int] = set()  # columns that have some
    for start in range(0, made.rows, size):
        block, made_of = made.narrow_block(slice(start, min(start + size, made.rows)))
        _refuse(~np.isfinite(block), made_of, names, "float32", start)
        if is_as_given and made_of.dtype != np.float32 and _is_large(block):
            for row, column in _rounded(block, made_of):
                if column not in found and column not in fractions:
                    found[column] = names[column], start + row, made_of[row, column], block[row, column]
            fractions |= _with_fractions(made_of, found.keys() - fractions)
        yield start, block
    for start in range(0, made.rows, size) if found.keys() - fractions else ():
        fractions |= _with_fractions(made.block(slice(start, min(start + size, made.rows))), found.keys() - fractions)
    rounded += [found[column] for column in sorted(found.keys() - fractions)]


def _is_large(block: np.ndarray) -> bool:
    """Whether numbers may have been beyond those of which float32 has all whole ones."""
    return block.max() >= _ALL_WHOLE or block.min() <= -_ALL_WHOLE


def _rounded(block: np.ndarray, made_of: np.ndarray) -> Iterator[tuple[int, int]]:
    """The row and column of the first number of each column that could be an integer and has become another one."""
    different = (block != made_of) & (np.abs(made_of) > _ALL_WHOLE) & (np.abs(made_of) < _INTEGERS)
    for column in np.flatnonzero(different.any(axis=0)).tolist():
        yield int(np.argmax(different[:, column])), column


def _with_fractions(block: np.ndarray, columns: Collection[int]) -> set[int]:
    """Those of some columns that have numbers with a fraction."""
    return {column for column in columns if (block[:, column] != np.trunc(block[:, column])).any()}


def _refuse(bad: np.ndarray, array: np.ndarray, names: tuple[str, ...], dtype: str, first: int = 0) -> None:
    if bad.any():
        row, column = np.argwhere(bad.reshape(array.shape))[0]
        value = array[row, column]
        raise DataError(DATA_VALUE, row=first + row, column=shown(names[column]), value=value, dtype=dtype)
