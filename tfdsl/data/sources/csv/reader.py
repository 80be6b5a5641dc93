"""Reads the cells of CSV files with Arrow and makes columns of numbers and text.

Spaces and tabs around a cell do not count. A column is of whole numbers if all its cells are, that are not missing;
else of numbers; else of bools, if all are true or false; else text. A number is what Python's `float` takes for a
finite one, without underscores; numbers are the same doubles. A cell with leading zeros, such as 007, is text.
"""

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as arrow

from ....diagnostics import CSV_CELL, CSV_EMPTY, CSV_GAP, CSV_MALFORMED, TIME_LONG
from ....types import BOOL, FLOAT32, INT64, STRING, DType
from ...memory import check_room
from ...schema import DataError, FilePlace, shown
from ..base import open_file
from .records import SPACES, CsvFile, is_of_spaces

pc: Any = pyarrow.compute  # its functions are made when it is imported
_BLOCK = 1 << 22  # bytes
_ONE_COLUMN = 1 << 16  # rows
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_INT64_RANGE = range(-(1 << 63), 1 << 63)
_EXACT = 1 << 53  # up to here float64 holds all whole numbers
_WHOLE = r"^[+-]?[0-9]+$"
Kind = DType | None  # None while all cells are missing


class ReadColumn:
    """A column while it is read. `dtype` is what it is so far; text has codes, and `words` what they mean."""

    def __init__(self, name: str, wanted: DType | None, known: bool = False):
        self.name, self._wanted = name, wanted
        self.dtype: Kind = wanted if known else None
        self._known = known
        self.words: dict[str, int] = {}
        self.gaps = 0
        self.counts = np.zeros(0, np.int64)  # of the words
        self.lost = False  # became text after cells were read as numbers
        self.ends: list[float] = []
        self._rounded = ""

    def add(self, cells: pa.StringArray, decimal: str) -> np.ndarray:
        """The cells of a block, of which the missing ones are null."""
        self.gaps += cells.null_count
        if cells.null_count and self._wanted in (INT64, BOOL) and not self._known:
            raise _Bad(self.name)
        if self._wanted == STRING:
            self.dtype = STRING
        if cells.null_count == len(cells) and self.dtype != STRING:
            return np.full(len(cells), np.nan)
        if self.dtype in (None, INT64, FLOAT32):
            numbers = self._numbers(cells, decimal)
            if numbers is not None:
                return numbers
        if self.dtype in (None, BOOL) and self._wanted in (None, BOOL) and (bools := _bools(cells)) is not None:
            self.dtype = BOOL
            return bools
        if self._wanted not in (None, STRING):
            raise _Bad(self.name)
        self.lost = self.lost or self.dtype not in (None, STRING)
        self.dtype = STRING
        return self._codes(cells)

    def _numbers(self, cells: pa.StringArray, decimal: str) -> np.ndarray | None:
        whole = self.dtype != FLOAT32 and self._wanted != FLOAT32
        numbers = _parsed(cells, decimal, whole, zeros=self._wanted is not None)
        if numbers is None:
            return None
        if self._wanted == BOOL:
            return None
        if numbers.dtype.kind == "f":
            if self._wanted == INT64 and not self._known:
                return None
            before = max(self.ends, key=abs, default=0) if self.dtype == INT64 else 0
            large = str(before) if abs(before) > _EXACT else ""
            self._rounded = self._rounded or large or _inexact(cells, numbers)
            self.dtype = FLOAT32
        elif self.dtype is None:
            self.dtype = INT64
        low, high = (np.nanmin(numbers).item(), np.nanmax(numbers).item()) if len(numbers) else (0, 0)
        self.ends = [min([low, *self.ends]), max([high, *self.ends])]
        return numbers

    @property
    def rounded(self) -> str:
        """A whole number that float64 cannot hold, if the column is not of whole numbers alone. "" if there is none."""
        most = max(self.ends, key=abs, default=0)
        is_whole = self.dtype == INT64 and not (self.gaps and abs(most) > _EXACT)
        return (
            "" if is_whole or self._wanted is not None else self._rounded or (str(most) if self.dtype == INT64 else "")
        )

    def _codes(self, cells: pa.StringArray) -> np.ndarray:
        encoded = pc.dictionary_encode(cells)
        local = np.array(
            [self.words.setdefault(word, len(self.words)) for word in encoded.dictionary.to_pylist()] or [-1]
        )
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        result = np.where(codes < 0, -1, local[codes]).astype(np.int32)
        counts = np.bincount(result[result >= 0], minlength=len(self.words))
        counts[: len(self.counts)] += self.counts
        self.counts = counts
        return result

    def nearly_numbers(self, decimal: str) -> bool:
        """Whether more than nine of ten cells are numbers."""
        numeric = np.fromiter((number(word, decimal) is not None for word in self.words), bool, len(self.words))
        return bool(self.counts[numeric].sum() > 0.9 * self.counts.sum())


class _Bad(Exception):
    """A cell that its column cannot have, which `Reader` finds."""


def number(cell: str, decimal: str = ".", zeros: bool = False) -> float | None:
    """The number that a cell is, or None. With `zeros` it may have leading ones."""
    text = cell.strip()
    if decimal != ".":
        text = "_" if "." in text else text.replace(decimal, ".")
    if "_" in text or (_has_leading_zero(text) and not zeros):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _is_whole(cell: str) -> bool:
    """Whether a cell that is a number is a whole one, without a fraction or an exponent."""
    return cell.strip().lstrip("+-").isdecimal()


def _is_int64(cell: str) -> bool:
    return _is_whole(cell) and int(cell) in _INT64_RANGE


def _has_leading_zero(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


def _parsed(cells: pa.StringArray, decimal: str, whole: bool, zeros: bool) -> np.ndarray | None:
    """Cells as int64 if `whole` is true and they are, else as float64, nan for null. None if one is no number. With
    `zeros` numbers may have leading ones."""
    if decimal != ".":
        if pc.any(pc.match_substring(cells, ".")).as_py():
            return None
        cells = pc.replace_substring(cells, decimal, ".")
    for _ in range(2):
        found = _cast(cells, whole)
        if found is not None and whole and found.dtype.kind == "f" and cells.null_count == 0:
            found = _whole(cells, found)
        if found is not None:
            return None if _have_leading_zeros(cells, zeros) else found
        cells = pc.utf8_trim_whitespace(cells)
    words = pc.unique(cells).to_pylist()
    values = [None if word is None else number(word, zeros=zeros) for word in words[:1000]]
    if any(value is None for value, word in zip(values, words) if word is not None):
        return None
    encoded = pc.dictionary_encode(cells)
    words = encoded.dictionary.to_pylist()
    known = [number(word, zeros=zeros) for word in words]
    if None in known:
        return None
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    if whole and cells.null_count == 0 and all(map(_is_int64, words)):
        return np.array([int(word) for word in words], np.int64)[indices]
    return np.array([*known, math.nan], float)[indices]


def _have_leading_zeros(cells: pa.StringArray, zeros: bool) -> bool:
    """Whether a cell has a leading zero before an x, or, unless `zeros` are taken, before another digit. It looks at
    the bytes of all cells."""
    _, offsets, data = cells.buffers()
    if data is None or data.size == 0:
        return False
    ends = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    characters, first, last = np.frombuffer(data, np.uint8), ends[:-1], ends[1:] - 1
    kept = first <= last
    first, last = first[kept], last[kept]
    signs = characters[first]
    first = np.where((signs == ord("-")) | (signs == ord("+")), first + 1, first)
    first, last = first[first < last], last[first < last]
    after = characters[first[characters[first] == ord("0")] + 1] | 0x20  # in lower case
    wrong = after == ord("x")  # Arrow takes 0x1F too
    return bool((wrong if zeros else wrong | (after - ord("0") <= 9)).any())  # of unsigned bytes


def _cast(cells: pa.StringArray, whole: bool) -> np.ndarray | None:
    if whole:
        try:
            made = pc.cast(cells, pa.int64())
        except pa.ArrowInvalid:
            pass
        else:
            if made.null_count == 0:
                return made.to_numpy(zero_copy_only=False)
            return pc.cast(made, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    try:
        made = pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return None
    result = made.to_numpy(zero_copy_only=False)
    if not np.isfinite(result).all() and int(np.isfinite(result).sum()) + made.null_count < len(result):
        return None
    return result


def _inexact(cells: pa.StringArray, numbers: np.ndarray) -> str:
    """A cell with a whole number that is another one in float64. "" if there is none."""
    for at in np.flatnonzero(np.abs(numbers) >= _EXACT).tolist():
        text = cells[at].as_py().strip()
        if _is_whole(text) and int(text) != int(numbers[at]):
            return text
    return ""


def _whole(cells: pa.StringArray, numbers: np.ndarray) -> np.ndarray:
    """The numbers of cells as int64 if they are written as whole ones, with signs that Arrow does not take."""
    if (numbers != np.trunc(numbers)).any() or not pc.all(pc.match_substring_regex(cells, _WHOLE)).as_py():
        return numbers
    try:
        return pc.cast(pc.replace_substring_regex(cells, r"^\+", ""), pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # outside the range of int64
        return numbers


def _bools(cells: pa.StringArray) -> np.ndarray | None:
    """Cells as bools, as float64 with nan if some are null. None if one is neither true nor false."""
    true, false = (pc.is_in(cells, pa.array(words)) for words in (_TRUE, _FALSE))
    if pc.sum(pc.or_(true, false)).as_py() != len(cells) - cells.null_count:
        return None
    result = true.to_numpy(zero_copy_only=False)
    if cells.null_count == 0:
        return result
    gaps = pc.is_null(cells).to_numpy(zero_copy_only=False)
    return np.where(gaps, np.nan, result.astype(np.float64))


class Reader:
    """The rows of files with the same columns."""

    def __init__(self, files: Sequence[CsvFile], names: Sequence[str], has_header: bool, missing: Sequence[str]):
        self.files, self.names, self._has_header = files, list(names), has_header
        self._missing = pa.array([one.strip(SPACES) for one in missing], pa.string())
        self.rows_of: list[int] = []  # of each file, once they are read

    def read(self, columns: Sequence[ReadColumn]) -> Iterator[list[np.ndarray]]:
        """The blocks of some columns, each as an array per column."""
        self.rows_of = []
        wanted = [self.names.index(column.name) for column in columns]
        for file in self.files:
            rows = 0
            for block in self._blocks(file, wanted):
                clock = file.where.clock
                if clock is not None and clock.is_over:
                    place = FilePlace(file.path, None)
                    raise DataError(TIME_LONG, place=place, param="path", seconds=clock.seconds)
                try:
                    made = [
                        column.add(self._with_gaps(_trimmed(cells)), file.form.decimal)
                        for column, cells in zip(columns, block, strict=True)
                    ]
                except MemoryError:
                    file.check(len(self.names))  # a cell may be too large
                    raise
                except _Bad as error:
                    raise self._bad_cell(file, str(error), columns) from None
                rows += len(block[0])
                yield made
            if _is_odd(file):
                for _ in file.records():  # a quote may be open to the end of the file
                    pass
            if rows == 0:
                raise DataError(CSV_EMPTY, place=FilePlace(file.path), path=shown(file.path))
            self.rows_of.append(rows)

    def give_back(self) -> None:
        """Give the memory of blocks that are gone back to the system."""
        pa.default_memory_pool().release_unused()

    def _with_gaps(self, cells: pa.StringArray) -> pa.StringArray:
        if not len(self._missing):
            return cells
        gaps = pc.is_in(cells, self._missing)
        return pc.if_else(gaps, pa.scalar(None, pa.string()), cells) if pc.any(gaps).as_py() else cells

    def _blocks(self, file: CsvFile, wanted: Sequence[int]) -> Iterator[list[pa.StringArray]]:
        """The cells of a file as text."""
        width = len(self.names)
        if width == 1:
            yield from self._one_column(file)
            return
        keys = [str(at) for at in range(width)]
        try:
            with open_file(file.given, file.where) as raw:
                check_room()
                reader = arrow.open_csv(
                    _Lines(raw, file.form.comment),
                    arrow.ReadOptions(
                        block_size=_BLOCK, column_names=keys, skip_rows=file.leading(),
                        skip_rows_after_names=int(self._has_header),
                    ),
                    arrow.ParseOptions(
                        delimiter=file.form.separator, newlines_in_values=True, invalid_row_handler=_of_spaces
                    ),
                    arrow.ConvertOptions(
                        column_types=dict.fromkeys(keys, pa.string()), strings_can_be_null=False, null_values=[],
                        include_columns=[keys[at] for at in wanted],
                    ),
                )  # fmt: skip
                is_checked = False
                for batch in reader:
                    check_room()
                    if not is_checked and any(_longest(cells) > csv.field_size_limit() for cells in batch.columns):
                        file.check(width)  # refuses what is longer in characters too
                        is_checked = True
                    if batch.num_rows:
                        yield batch.columns
        except MemoryError:
            file.check(width)  # a cell may be too large
            raise
        except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
            file.check(width)
            reason = str(error).splitlines()[0].removeprefix("CSV parse error: ")[:200]
            raise DataError(CSV_MALFORMED, place=FilePlace(file.path), reason=reason) from None

    def _one_column(self, file: CsvFile) -> Iterator[list[pa.StringArray]]:
        cells: list[str] = []
        for at, (_, record) in enumerate(file.records()):
            if len(record) != 1:
                file.check(1)
            if at or not self._has_header:
                cells.append(record[0])
            if len(cells) == _ONE_COLUMN:
                yield [pa.array(cells, pa.string())]
                cells = []
        if cells:
            yield [pa.array(cells, pa.string())]

    def _bad_cell(self, file: CsvFile, name: str, columns: Sequence[ReadColumn]) -> DataError:
        """The error for the first cell of a column that is not of its dtype."""
        column = next(one for one in columns if one.name == name)
        wanted = column._wanted
        found = self.first_other(name, wanted, [file])
        if found is None:
            at, missing = self.names.index(name), set(self._missing.to_pylist())
            gap = self._first(lambda _, record: at if record[at].strip(SPACES) in missing else None, [file])
            raise DataError(CSV_GAP, place=gap and gap[0], column=shown(name), dtype=str(wanted))
        place, cell = found or (FilePlace(file.path), "")
        return DataError(CSV_CELL, place=place, column=shown(name), cell=shown(cell), dtype=str(wanted))

    def first_other(
        self, name: str, dtype: DType | None = None, files: Sequence[CsvFile] | None = None, whole: bool = False
    ) -> tuple[FilePlace, str] | None:
        """The first cell of a column that is not missing, and is no number, or no whole one, or not of a dtype."""
        at, missing = self.names.index(name), set(self._missing.to_pylist())

        def is_wanted(row: int, record: list[str]) -> int | None:
            cell = record[at].strip(SPACES) if at < len(record) else ""
            fits = _is_of(cell, dtype, self.files[0].form.decimal) and (not whole or _is_whole(cell))
            return None if cell in missing or fits else at

        return self._first(is_wanted, files)

    def _first(
        self, is_wanted: Callable[[int, list[str]], int | None], files: Sequence[CsvFile] | None = None
    ) -> tuple[FilePlace, str] | None:
        for file in files or self.files:
            found = file.find(int(self._has_header), is_wanted)
            if found is not None:
                return found
        return None

    def place(self, row: int, name: str) -> FilePlace | None:
        """The place of a cell."""
        at = self.names.index(name) if name in self.names else 0
        for file, rows in zip(self.files, self.rows_of, strict=True):
            if row < rows:
                wanted = row
                found = file.find(int(self._has_header), lambda number, _: at if number == wanted else None)  # noqa: B023
                return found and found[0]
            row -= rows
        return None


def _trimmed(cells: pa.StringArray) -> pa.StringArray:
    """The cells without the spaces around them."""
    data = cells.buffers()[2]
    characters = np.frombuffer(b"" if data is None else data, np.uint8)
    if not any((characters == ord(space)).any() for space in SPACES):
        return cells
    return pc.utf8_trim(cells, characters=SPACES)


def _of_spaces(row: arrow.InvalidRow) -> str:
    """What to do with a line that has another number of cells: those of spaces are skipped."""
    return "skip" if row.actual_columns == 1 and is_of_spaces(next(csv.reader([row.text]), [])) else "error"


def _longest(cells: pa.StringArray) -> int:
    """The number of bytes of the longest cell."""
    offsets = np.frombuffer(cells.buffers()[1], np.int32)[cells.offset : cells.offset + len(cells) + 1]
    return int(np.diff(offsets).max(initial=0))


def _is_odd(file: CsvFile) -> bool:
    """Whether a file has an odd number of quotes."""
    with open_file(file.given, file.where) as raw:
        return sum(part.count(b'"') for part in iter(lambda: raw.read(_BLOCK), b"")) % 2 == 1


def _is_of(cell: str, dtype: DType | None, decimal: str) -> bool:
    if dtype == BOOL:
        return cell in (*_TRUE, *_FALSE)
    value = number(cell, decimal, zeros=dtype is not None)
    if value is None or dtype != INT64:
        return value is not None
    return _is_int64(cell)


class _Lines(io.RawIOBase):
    """The lines of a file that are no comments, as Arrow reads them. No part of it ends between the two characters of
    a line end, of which Arrow would lose one in a quoted cell."""

    def __init__(self, raw: BinaryIO, comment: str | None):
        self._raw, self._lines = raw, None if comment is None else _without_comments(raw, comment.encode())
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        read = self._left + self._more(max(0, size - len(self._left)) if size >= 0 else size)
        part, self._left = read[:size], read[size:]
        if part.endswith(b"\r") and len(part) > 1 and not self._left:
            self._left = self._more(1)
        if part.endswith(b"\r") and len(part) > 1 and self._left.startswith(b"\n"):
            part, self._left = part[:-1], b"\r" + self._left
        return part

    def _more(self, size: int) -> bytes:
        """Some bytes, at least so many if there are."""
        if self._lines is None:
            return self._raw.read(size)
        read, found = [], 0
        while found < size and (line := next(self._lines, None)) is not None:
            read.append(line)
            found += len(line)
        return b"".join(read)


def _without_comments(raw: BinaryIO, comment: bytes) -> Iterator[bytes]:
    """The lines of a file that do not begin with a comment."""
    text = io.TextIOWrapper(raw, "latin-1", newline="")  # any bytes, with the ends of lines as they are
    for line in iter(text.readline, ""):
        if not line.encode("latin-1").removeprefix(b"\xef\xbb\xbf").startswith(comment):
            yield line.encode("latin-1")
