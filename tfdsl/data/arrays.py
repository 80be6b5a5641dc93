"""The arrays of a data set while it is being made, and when it is done.

Input: arrays from a source. Output: `Table`, which the transforms work on in float64, and `Dataset`,
which is what programs see: float32 features, and a target of float32 or int64.

A streamed data set has its arrays in files without a name, which are gone when nothing uses them any more; so
everything here that makes an array of all rows goes through them block by block, and gives the same bits for
arrays in memory.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..diagnostics import ARRAY_KIND, DATA_DISK, DATA_VALUE
from .schema import DataError, Schema, shown

BLOCK = 16_384  # rows


@dataclass(frozen=True, slots=True)
class Table:
    """Data being made: float64 features, an int64 or float64 target of one column, and the split's rows."""

    features: np.ndarray
    target: np.ndarray | None
    origin: str
    synthetic: bool = False
    train: np.ndarray | None = None
    test: np.ndarray | None = None

    def training_blocks(self) -> Iterator[np.ndarray]:
        """What a transform learns from: all rows before a split, the training rows after it."""
        rows = len(self.features) if self.train is None else len(self.train)
        for start in range(0, rows, BLOCK):
            part = slice(start, start + BLOCK)
            yield self.features[part] if self.train is None else self.features[self.train[part]]

    @property
    def training_rows(self) -> int:
        return len(self.features) if self.train is None else len(self.train)

    def mapped(self, function: Callable[[np.ndarray], np.ndarray]) -> "Table":
        """The table with other features, of which each row is made from the same row."""
        return replace(self, features=_mapped(self.features, function))

    def with_rows(self, chosen: np.ndarray | slice) -> "Table":
        target = None if self.target is None else _chosen(self.target, chosen)
        return replace(self, features=_chosen(self.features, chosen), target=target)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Data as programs see it. `train` and `test` are there after a split. `origin` says where it is from."""

    features: np.ndarray
    target: np.ndarray | None
    names: tuple[str, ...]
    target_name: str | None
    origin: str
    synthetic: bool = False
    train: "Dataset | None" = None
    test: "Dataset | None" = None

    @property
    def rows(self) -> int:
        return self.features.shape[0]

    @property
    def columns(self) -> int:
        return self.features.shape[1]


# --- arrays in memory, and in files -----------------------------------------------------------


_ALIGNMENT = 64  # bytes, of memory that TensorFlow uses as it is, without a copy


def empty(shape: tuple[int, ...], dtype: type) -> np.ndarray:
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


def is_streamed(array: np.ndarray) -> bool:
    return isinstance(array, np.memmap)


class Spool:
    """An array in a file without a name, to which rows are added; the array keeps the file open."""

    def __init__(self, columns: int, dtype: type):
        self._columns, self._dtype = columns, np.dtype(dtype)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._rows = 0

    def add(self, block: np.ndarray) -> None:
        try:
            self._file.write(np.ascontiguousarray(block, self._dtype))
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


def _mapped(array: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    if not is_streamed(array):
        return function(array)
    spool = None
    for start in range(0, len(array), BLOCK):
        block = function(np.asarray(array[start : start + BLOCK]))
        if spool is None:
            spool = Spool(block.shape[1], block.dtype.type)
        spool.add(block)
    return spool.array()


def _chosen(array: np.ndarray, rows: np.ndarray | slice) -> np.ndarray:
    if isinstance(rows, slice) or not is_streamed(array):
        return array[rows]
    spool = Spool(array.shape[1], array.dtype.type)
    for start in range(0, len(rows), BLOCK):
        spool.add(array[rows[start : start + BLOCK]])
    return spool.array()


# --- from a source, and to a program ----------------------------------------------------------


def table(features: object, target: object, origin: str, synthetic: bool = False) -> Table:
    """A source's arrays, of any real dtype, as a table."""
    wide = _converted("features", features, lambda array: np.float64)
    if target is not None:
        target = _converted("target", target, _target_dtype).reshape(-1, 1)
    return Table(wide, target, origin, synthetic)


def _target_dtype(array: np.ndarray) -> type:
    return np.int64 if array.dtype.kind in "biu" else np.float64


def _converted(name: str, data: object, dtype: Callable[[np.ndarray], type]) -> np.ndarray:
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise DataError(ARRAY_KIND, array=name, dtype=shown(str(array.dtype)))
    wanted = dtype(array)
    if array.dtype.kind == "u" and wanted is np.int64:
        _refuse(array > np.iinfo(np.int64).max, array.reshape(len(array), -1), (name,), "int64")
    return array.astype(wanted)


def dataset(made: Table, schema: Schema) -> Dataset:
    """The finished data, with every number checked."""
    features = _narrow(made.features, schema.names)
    target = made.target
    if target is not None and target.dtype.kind == "f":
        target = _narrow(target, (schema.target_name,))
    whole = Dataset(features, target, schema.names, schema.target_name, made.origin, made.synthetic)
    if made.train is None:
        return whole
    return replace(whole, train=_part(whole, made.train), test=_part(whole, made.test))


def _part(whole: Dataset, rows: np.ndarray) -> Dataset:
    target = None if whole.target is None else _chosen(whole.target, rows)
    return replace(whole, features=_chosen(whole.features, rows), target=target)


def _narrow(wide: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    done = 0

    def narrow(block: np.ndarray) -> np.ndarray:
        nonlocal done
        with np.errstate(over="ignore", invalid="ignore"):
            result = np.ascontiguousarray(block, np.float32)
        _refuse(~np.isfinite(result), block, names, "float32", done)
        done += len(block)
        return result

    return _mapped(wide, narrow)


def _refuse(bad: np.ndarray, array: np.ndarray, names: tuple[str, ...], dtype: str, first: int = 0) -> None:
    if bad.any():
        row, column = np.argwhere(bad.reshape(array.shape))[0]
        value = array[row, column]
        raise DataError(DATA_VALUE, row=first + row, column=shown(names[column]), value=value, dtype=dtype)
