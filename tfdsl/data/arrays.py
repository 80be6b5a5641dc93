"""The arrays of a data set, during loading and after.

Input: arrays from a source. Output: a `Table`, which transforms work on in float64, and a `Dataset` for programs,
with float32 features and a target of float32 or int64.

Data can be as large as memory, so the finished array is the only array of all rows. A `Table` describes how its
rows follow from the source's rows, and computes them block by block: once for every statistic and once at the
end. A streamed data set can be larger than memory. It keeps its arrays in unnamed files, which disappear when
nothing uses them. Both ways give the same bits.
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

BLOCK = 16_384  # rows per block of a statistic; its last bits depend on this
_BLOCK_NUMBERS = 1 << 21  # numbers per block that is only passed on
_ALL_WHOLE, _INTEGERS = (
    float(1 << 24),
    float(1 << 63),
)  # the largest ranges of exact integers in float32 and int64


class Matrix(Protocol):
    """An array [rows, columns], or an object that is read like one: by a slice of rows or by row indices."""

    @property
    def dtype(self) -> np.dtype: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | np.ndarray, /) -> Any: ...


Function = Callable[[np.ndarray], np.ndarray]
Rounded = tuple[str, int, float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """Data during loading. The features are rows of a source with functions applied in float64. `chosen` has the row
    indices in order, or is None for the first rows. The first `biases` features are the ones from `add_bias`. The
    target is a column of int64 or float64. `split` has the training rows and the test rows. `emptied` has the
    columns that the last transform set to 0, with the constant value that they had in all training rows."""

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
        """The features of some rows as float64."""
        block = self._raw(rows).astype(np.float64, copy=False)
        for function in self.functions:
            block = function(block)
        return block

    def narrow_block(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """The features of some rows as float32, and the values they were made from."""
        raw = self._raw(rows)
        block = raw if raw.dtype == np.float32 and not self.functions else self.block(rows)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(block, np.float32), block

    def _raw(self, rows: slice | np.ndarray) -> np.ndarray:
        return np.asarray(self.source[rows if self.chosen is None else self.chosen[rows]])

    def training_blocks(self) -> Iterator[np.ndarray]:
        """The blocks that a transform learns from: the training rows, or all rows without a split."""
        for start in range(0, self.training_rows, BLOCK):
            part = slice(start, min(start + BLOCK, self.training_rows))
            yield self.block(part if self.split is None else self.split[0][part])

    @property
    def training_rows(self) -> int:
        return self.rows if self.split is None else len(self.split[0])

    def mapped(self, function: Function) -> "Table":
        """The table with new features, each row computed from the same row."""
        return replace(self, functions=(*self.functions, function))

    def first(self, rows: int) -> "Table":
        """The table with its first rows only."""
        chosen = None if self.chosen is None else self.chosen[:rows]
        return replace(self, rows=rows, chosen=chosen, target=None if self.target is None else self.target[:rows])

    def ordered(self, rows: np.ndarray) -> "Table":
        """The table with these rows, in this order."""
        chosen = rows if self.chosen is None else self.chosen[rows]
        target = None if self.target is None else _chosen(self.target, rows)
        return replace(self, rows=len(rows), chosen=chosen, target=target)


@dataclass(frozen=True)
class Dataset:
    """Data for programs. After a split, `parts` has `train` and `test`, each with its row indices. `origin` names the
    source. `rounded` lists columns with integers that float32 cannot represent: the name, and the row, old value
    and new value of the first such number. `emptied` has the transform, name and value of the columns in
    `Table.emptied`."""

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
        """All rows as float32. After a split, the whole array is made on first use."""
        if self.held is not None:
            return self.held
        result = empty((self.rows, self.columns), np.float32)
        for part, rows in self.parts:
            result[rows] = part.features
        return result

    @property
    def train(self) -> "Dataset | None":
        """The training rows after a split."""
        return self.parts[0][0] if self.parts else None

    @property
    def test(self) -> "Dataset | None":
        """The test rows after a split."""
        return self.parts[1][0] if self.parts else None

    @property
    def columns(self) -> int:
        return len(self.names)


# --- arrays in memory, and in files -----------------------------------------------------------


_ALIGNMENT = 64  # bytes, of memory that TensorFlow uses without a copy


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """An uninitialised array in memory that TensorFlow can use without a copy."""
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


def is_streamed(array: Matrix) -> bool:
    return isinstance(array, np.memmap)


class Gathered:
    """An array in memory that grows by rows. Without a dtype it takes the dtype of the rows."""

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
    """An array in an unnamed file that grows by rows. The array keeps the file open."""

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
        """All rows added so far, at least one."""
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
    """Make a table from a source's arrays of any real dtype."""
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
    """Convert a target of any real dtype to its dtype during loading."""
    array = _real("target", data).reshape(-1, 1)
    if array.dtype.kind == "u":
        _refuse(array > np.iinfo(np.int64).max, array, ("target",), "int64")
    return array.astype(np.int64 if array.dtype.kind in "biu" else np.float64)


def dataset(made: Table, schema: Schema) -> Dataset:
    """The finished data, with every number checked."""
    rounded: list[Rounded] = []
    target = made.target
    if target is not None and target.dtype.kind == "f":
        assert schema.target_name is not None  # there is a target
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
    """All features as float32, in memory or in a file."""
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
    """The features of the training rows and of the test rows, without an array of all rows."""
    parts = [empty((len(rows), len(names)), np.float32) for rows in split]
    place = np.empty(made.rows, np.int64)  # of each row in its part; rows of the second part count down from -1
    train, test = split
    place[train] = np.arange(len(train))
    place[test] = -1 - np.arange(len(test))
    for start, block in _narrow(made, names, rounded):
        at = place[start : start + len(block)]
        parts[0][at[at >= 0]] = block[at >= 0]
        parts[1][-1 - at[at < 0]] = block[at < 0]
    return parts


def _narrow(made: Table, names: tuple[str, ...], rounded: list[Rounded]) -> Iterator[tuple[int, np.ndarray]]:
    """The features block by block as float32, each with its first row number. Adds the columns for `Dataset.rounded`
    to `rounded`."""
    size = min(BLOCK, max(1, _BLOCK_NUMBERS // len(names)))
    is_as_given = len(made.functions) == made.biases  # computed features are rounded anyway
    found: dict[int, Rounded] = {}
    fractions: set[int] = set()  # columns with fractions
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
    """Whether a block may have numbers beyond the exact integers of float32."""
    return block.max() >= _ALL_WHOLE or block.min() <= -_ALL_WHOLE


def _rounded(block: np.ndarray, made_of: np.ndarray) -> Iterator[tuple[int, int]]:
    """The row and column of the first number in each column that could be an integer and has changed."""
    different = (block != made_of) & (np.abs(made_of) > _ALL_WHOLE) & (np.abs(made_of) < _INTEGERS)
    for column in np.flatnonzero(different.any(axis=0)).tolist():
        yield int(np.argmax(different[:, column])), column


def _with_fractions(block: np.ndarray, columns: Collection[int]) -> set[int]:
    """The columns that have numbers with a fraction, out of the given ones."""
    return {column for column in columns if (block[:, column] != np.trunc(block[:, column])).any()}


def _refuse(bad: np.ndarray, array: np.ndarray, names: tuple[str, ...], dtype: str, first: int = 0) -> None:
    if bad.any():
        row, column = np.argwhere(bad.reshape(array.shape))[0]
        value = array[row, column]
        raise DataError(DATA_VALUE, row=first + row, column=shown(names[column]), value=value, dtype=dtype)
