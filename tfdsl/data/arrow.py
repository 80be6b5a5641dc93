"""Columns of Arrow tables: Parquet files, and what other libraries give as Arrow.

Input: record batches. Output: a `Held` source and its columns. Integers become int64, floats float32 (float64 while
loading), text codes of its words. Null and nan are missing cells.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as parquet

from ..diagnostics import (
    COLUMN_CELL,
    COLUMN_NOT_UTF8,
    COLUMN_TWICE,
    CSV_COLUMNS_DIFFER,
    CSV_EMPTY,
    CSV_INTEGER,
)
from ..diagnostics.spelling import counted
from ..types import BOOL, FLOAT32, INT64, STRING, DType
from .arrays import Spool
from .memory import check_room
from .schema import Column, DataError, FilePlace, FindPlace, composed, row_at, shown, shown_path
from .sources.base import Where, open_file, unreadable
from .tables import BLOCK, Held, Matrix, absent

if TYPE_CHECKING:
    from .sources.base import Choose

pc: Any = pyarrow.compute  # its functions are made when it is imported

_EXACT = 1 << 53  # up to here float64 holds all whole numbers


class ArrowColumn:
    """A column while it is read, from a type of Arrow."""

    def __init__(self, name: str, type: pa.DataType, path: str, find: FindPlace | None = None):
        self.name, self.path = name, path
        self._find = find
        self.shape: tuple[int, ...] = ()
        while pa.types.is_fixed_size_list(type):
            self.shape, type = (*self.shape, type.list_size), type.value_type
        if pa.types.is_dictionary(type):
            type = type.value_type
        self.dtype = _dtype(type)
        self.other: tuple[FilePlace, str] | None = None
        if self.dtype is None or (self.shape and self.dtype == STRING):
            self.other, self.shape, self.dtype = (FilePlace(path), _described(type)), (), STRING
        self.gaps = 0
        self.words: dict[str, int] = {}
        self.ends: list[float] = []
        self._largest = 0  # the whole number farthest from 0

    def _place(self, row: int) -> FilePlace:
        return (self._find and self._find(row, self.name)) or FilePlace(self.path)

    def _see(self, ends: Iterable[int | None]) -> None:
        self._largest = max(self._largest, *(int(one) for one in ends if one is not None), 0, key=abs)

    @property
    def rounded(self) -> str:
        """A whole number beside missing cells that float64 cannot hold. "" if there is none."""
        return str(self._largest) if self.gaps and abs(self._largest) > _EXACT else ""

    def add(self, cells: pa.Array, first: int) -> np.ndarray:
        """The cells of a block as codes, float64, int64 or bool. `first` is the number of its first row."""
        if self.other is not None:
            self.gaps += len(cells)
            return np.full(len(cells), -1, np.int32)
        if pa.types.is_dictionary(cells.type):
            words = cells.dictionary  # of texts that Arrow does not take from, in some tables of polars
            cells = (words.cast(pa.string()) if pa.types.is_string_view(words.type) else words).take(cells.indices)
        if self.shape:
            return self._nested(cells)
        self.gaps += cells.null_count
        if self.dtype == STRING:
            encoded = pc.dictionary_encode(cells)
            words = self._texts(encoded.dictionary, cells, first)
            local = np.array([*(self.words.setdefault(word, len(self.words)) for word in words), -1], np.int32)
            return local[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
        if self.dtype == BOOL or (self.dtype == INT64 and cells.null_count == 0):
            values = cells.to_numpy(zero_copy_only=False)
            if cells.null_count:
                return np.array([np.nan if cell is None else float(cell) for cell in values])
            self._check_int64(values)
            result = values if self.dtype == BOOL else values.astype(np.int64)
            if self.dtype == INT64 and len(values):
                self._see((values.min(), values.max()))
        else:
            result = pc.cast(cells, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            if self.dtype == INT64:
                self._see(pc.min_max(cells).as_py().values())
            infinite = np.isinf(result)
            if infinite.any():
                row = int(np.argmax(infinite))
                place = self._place(first + row)
                raise DataError(COLUMN_CELL, place=place, row=row_at(first + row, place), column=shown(self.name),
                                cell=str(result[row]))  # fmt: skip
            self.gaps += int(np.isnan(result).sum()) - cells.null_count
        if self.dtype != BOOL and len(result) and not np.isnan(result).all():
            self.ends = [min([float(np.nanmin(result)), *self.ends]), max([float(np.nanmax(result)), *self.ends])]
        return result

    def _check_int64(self, values: np.ndarray) -> None:
        large = values > np.iinfo(np.int64).max if values.dtype.kind == "u" else np.zeros(0, bool)
        if large.any():
            value = values[int(np.argmax(large))]
            raise DataError(CSV_INTEGER, place=FilePlace(self.path), column=shown(self.name), cell=str(value),
                            way="make its numbers floats, which round it")  # fmt: skip

    def _texts(self, words: pa.Array, cells: pa.Array, first: int) -> list[str]:
        """The words of a block. The bytes of a damaged file may be no text."""
        try:
            return words.to_pylist()
        except UnicodeDecodeError:
            raw = (cell.as_buffer().to_pybytes() if cell.is_valid else b"" for cell in cells)
            row = next(at for at, cell in enumerate(raw) if not _is_text(cell))
            place = self._place(first + row)
            details = {"row": row_at(first + row, place), "column": shown(self.name)}
            raise DataError(COLUMN_NOT_UTF8, place=place, **details) from None

    def _nested(self, cells: pa.Array) -> np.ndarray:
        """The numbers of lists. Those of a list that is missing are nan."""
        rows, missing = len(cells), np.zeros(len(cells), bool)
        while pa.types.is_fixed_size_list(cells.type):
            size = cells.type.list_size
            missing = np.repeat(missing | cells.is_null().to_numpy(zero_copy_only=False), size)
            cells = cells.values.slice(cells.offset * size, len(cells) * size)
        missing = missing | cells.is_null().to_numpy(zero_copy_only=False)
        if missing.any() or self.dtype == FLOAT32:
            values = pc.cast(cells, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            values = np.where(missing, np.nan, values)
        else:
            values = cells.to_numpy(zero_copy_only=False)
        if self.dtype == INT64 and values.dtype.kind == "u":
            self._check_int64(values)
            values = values.astype(np.int64)
        values = values.reshape(rows, *self.shape)
        self.gaps += int(absent(values).sum())
        return values

    def column(self) -> Column:
        """Its facts, after all blocks."""
        dtype = FLOAT32 if self.gaps and self.dtype in (INT64, BOOL) else self.dtype
        assert dtype is not None
        ends = (self.ends[0], self.ends[1]) if self.ends else None
        return Column(self.name, dtype, self.shape, gaps=self.gaps, ends=ends, other=self.other)

    @property
    def numpy(self) -> type:
        """The dtype of its arrays."""
        if self.dtype == STRING:
            return np.int32
        if self.dtype == FLOAT32 or self.gaps:
            return np.float64
        return np.bool_ if self.dtype == BOOL else np.int64


def _is_text(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _dtype(type: pa.DataType) -> DType | None:
    if pa.types.is_integer(type):
        return INT64
    if pa.types.is_floating(type):
        return FLOAT32
    if pa.types.is_boolean(type):
        return BOOL
    if pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type):
        return STRING
    if pa.types.is_null(type):
        return FLOAT32
    return None


_KINDS: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_date, "dates"), (pa.types.is_timestamp, "timestamps"),
    (pa.types.is_time, "times"), (pa.types.is_duration, "durations"), (pa.types.is_decimal, "decimals"),
    (pa.types.is_list, "lists"), (pa.types.is_large_list, "lists"), (pa.types.is_struct, "columns of its own"),
    (pa.types.is_binary, "bytes"), (pa.types.is_large_binary, "bytes"), (pa.types.is_fixed_size_binary, "bytes"),
)  # fmt: skip


def _described(type: pa.DataType) -> str:
    return next((what for is_kind, what in _KINDS if is_kind(type)), str(type))


def _composed(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_name(composed(field.name)) for field in schema])


class Blocks:
    """Batches of Arrow as blocks of arrays. `again` gives the batches anew, each time from the first. With `choose`
    only some rows of each block are kept. `find` gives the places of cells that are in no file."""

    def __init__(
        self, schema: pa.Schema, path: str, again: Callable[[], Iterable[pa.RecordBatch]], stream: bool,
        choose: "Choose | None" = None, find: FindPlace | None = None,
    ):  # fmt: skip
        schema = _composed(schema)
        names = list(schema.names)
        if len(set(names)) < len(names):
            twice = next(name for at, name in enumerate(names) if name in names[:at])
            raise DataError(COLUMN_TWICE, place=FilePlace(path), column=shown(twice))
        self._schema, self.path, self._again, self._stream, self._find = schema, path, again, stream, find
        self.names, self.rows = names, 0
        self.rows_of: list[int] = []  # of each file
        self._read = self._new()
        self._kept: list[list[np.ndarray]] = [[] for _ in names]
        for read in self._blocks(self._read):
            block = read if choose is None else choose(read)
            for kept, made in zip(self._kept, block, strict=True):
                if not stream:
                    kept.append(made)
            self.rows += len(block[0])

    def columns(self) -> tuple[Column, ...]:
        return tuple(column.column() for column in self._read)

    @property
    def rounded(self) -> dict[str, str]:
        """The columns with whole numbers that float64 cannot hold, beside missing cells, each with such a number."""
        return {column.name: column.rounded for column in self._read if column.rounded}

    @property
    def gaps(self) -> list[int]:
        """The number of missing cells of each column."""
        return [column.gaps for column in self._read]

    @gaps.setter
    def gaps(self, gaps: Sequence[int]) -> None:
        for column, number in zip(self._read, gaps, strict=True):
            column.gaps = number

    def texts(self, name: str) -> tuple[str, ...]:
        """The different texts of a column."""
        return tuple(self._read[self.names.index(name)].words)

    def _new(self) -> list[ArrowColumn]:
        return [ArrowColumn(name, self._schema.field(name).type, self.path, self._find) for name in self.names]

    def _blocks(self, columns: Sequence[ArrowColumn]) -> Iterator[list[np.ndarray]]:
        first = 0
        for batch in self._again():
            if batch.num_rows:
                yield [column.add(cells, first) for column, cells in zip(columns, batch.columns, strict=True)]
                first += batch.num_rows

    def source(self, origin: str) -> Held:
        """The columns in memory, or in unnamed files."""
        panels: list[tuple[tuple[str, ...], Matrix]] = []
        words = self._read
        if self._stream:
            words, groups = self._new(), dict[tuple[type[np.generic], int], list[int]]()
            for at, column in enumerate(self._read):
                groups.setdefault((column.numpy, at) if column.shape else (column.numpy, -1), []).append(at)
            spools = {key: Spool(self._read[group[0]].shape or (len(group),), key[0]) for key, group in groups.items()}
            for block in self._blocks(words):
                for key, group in groups.items():
                    arrays = [block[at].astype(key[0], copy=False) for at in group]
                    spools[key].add(arrays[0] if self._read[group[0]].shape else np.column_stack(arrays))
            panels += ((tuple(self.names[at] for at in group), spools[key].array()) for key, group in groups.items())
        else:
            for column, parts in zip(self._read, self._kept, strict=True):
                array = parts[0] if len(parts) == 1 else np.concatenate(parts)
                panels.append(((column.name,), array.astype(column.numpy, copy=False)))
                parts.clear()
        texts = {column.name: tuple(column.words) for column in words if column.dtype == STRING}
        order = {name: at for at, name in enumerate(self.names)}
        return Held(self.rows, tuple(panels), origin, texts, streamed=self._stream, order=tuple(order), find=self._find)


def parquet_blocks(paths: Sequence[str], where: Where, stream: bool, choose: "Choose | None" = None) -> Blocks:
    """The rows of Parquet files with the same columns."""
    schema, first, rows_of = None, "", list[int]()
    for path in paths:
        with open_file(path, where) as file:
            opened = _opened(file)
            rows_of.append(opened.metadata.num_rows)
            found = _composed(opened.schema_arrow.remove_metadata())
            if schema is None:
                schema, first = found, file.name
            elif found.names != schema.names or found.types != schema.types:
                a, b = next(
                    ((f"{a.name}: {a.type}", f"{b.name}: {b.type}") for a, b in zip(schema, found) if a != b),
                    (counted(len(schema), "column"), f"{len(found)}"),
                )
                raise DataError(CSV_COLUMNS_DIFFER, place=FilePlace(file.name), param="path", first=shown_path(first),
                                other=shown_path(file.name), column=shown(a), found=shown(b), way="")  # fmt: skip
    assert schema is not None

    def batches() -> Iterator[pa.RecordBatch]:
        for path in paths:
            with open_file(path, where) as file:
                try:
                    check_room()
                    for batch in _opened(file).iter_batches(BLOCK):
                        check_room()
                        yield batch
                except (DataError, MemoryError):
                    raise
                except Exception as error:  # pyarrow has a different error for each damaged part of a file
                    raise _damaged(file.name, error) from None

    made = Blocks(schema, first, batches, stream, choose)
    made.rows_of = rows_of
    if made.rows == 0:
        raise DataError(CSV_EMPTY, place=FilePlace(first), path=shown_path(first))
    return made


def _opened(file: BinaryIO) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(file)
    except Exception as error:
        raise _damaged(file.name, error) from None


def _damaged(path: str, error: Exception) -> DataError:
    remedy = "write it with pandas: frame.to_parquet(path), or with pyarrow.parquet.write_table(table, path)"
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return unreadable(path, "a Parquet file", reason, remedy)
