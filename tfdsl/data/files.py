"""Data files as far as they can be read without NumPy: CSV whole, the headers of an .npz.

Input: a path, and what it is relative to. Output: `CsvText`, the cells as text with their places,
and `NpzArray`, what the header of a stored array declares. Every fault of a file is a `DataError`.
"""

import ast
import csv
import io
import lzma
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import BinaryIO, TextIO

from ..access import Access, Refused
from ..diagnostics import (
    ARRAY_KIND,
    CSV_CELL,
    CSV_COLUMN_TYPO,
    CSV_EMPTY,
    CSV_MALFORMED,
    CSV_NAME_TWICE,
    CSV_NO_COLUMN,
    CSV_NO_HEADER,
    CSV_NO_NAME,
    CSV_NOT_UTF8,
    CSV_RAGGED,
    DATA_FILE,
    NPZ_BAD,
    NPZ_DAMAGED,
    NPZ_NAMES,
    TIME_LONG,
)
from ..limits import Clock
from ..record import Record
from .schema import DataError, FilePlace, check_features, check_size, check_target, shown

_LONGEST_LINE = 10_000_000  # characters
_LONGEST_DIRECTORY = 1_000_000  # bytes, of a zip
_ZIP_END = 22 + 65_535 + 20 + 56  # bytes at the end of a zip that say where its directory is
# What an array may unpack to: this much in any case, in bytes, and so many times what is stored of it.
_PACKED, _TIMES_PACKED = 1 << 28, 100
INT64_RANGE = range(-(1 << 63), 1 << 63)
NPY_HEADER_LIMIT = 10_000  # NumPy's own
NPZ_PAIRS = (("features", "target"), ("X", "y"))
# What zipfile and NumPy raise on a file that is none; RuntimeError where a password or a method is wanted.
NPZ_FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)


class Where(Record):
    """What the paths of data are relative to, and what opens them."""

    folder: str
    access: Access
    clock: Clock | None = None  # of the check that reads


def open_file(path: str, where: Where) -> BinaryIO:
    """Open a regular file; anything else, such as a pipe, could keep the compiler waiting for ever."""
    try:
        return where.access.reading(path, where.folder)
    except Refused as error:
        raise DataError(error.message, param="path", **error.details) from None
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, "strerror", None) or str(error)
        folder = shown(os.path.abspath(where.folder))
        raise DataError(DATA_FILE, param="path", path=shown(path), reason=reason, folder=folder) from None


# --- CSV --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV file as text: the names of its columns, and its rows, each as long as the header."""

    path: str
    text: str
    header: tuple[str, ...]
    rows: list[list[str]]

    def column(self, name: str) -> int:
        """The index of a column."""
        return _column(self.path, self.header, name)

    def counted(self, column: int | None) -> tuple[int, bool]:
        """The number of rows, and whether all cells of a column are integers."""
        return len(self.rows), column is not None and self.integers(column) is not None

    def integers(self, column: int) -> list[int] | None:
        """The cells of a column as integers, or None where one of them is not an integer of 64 bits."""
        return integers(row[column] for row in self.rows)

    def bad_cell(self) -> DataError:
        """The error for the first cell that is not a finite number, once it is known that there is one."""
        for index, row in enumerate(self.rows):
            for column, cell in enumerate(row):
                if not is_finite(cell):
                    return DataError(
                        CSV_CELL,
                        place=_place(self.path, self.text, index + 1, column),
                        column=shown(self.header[column]),
                        cell=shown(cell),
                    )
        raise AssertionError("no cell is bad")


_NAME = re.compile(r"[\w .()\[\]/%#$°²³+-]*")  # what names of columns are made of


def listed(header: Iterable[str]) -> str:
    """The names of columns, for a message; what does not look like one may be anything that a file holds."""
    names = list(header)
    kept = [shown(name) for name in names if _NAME.fullmatch(name)]
    left = len(names) - len(kept)
    return ", ".join([*kept, *([f"{left} that are not shown"] if left else [])])


def _column(path: str, header: tuple[str, ...], name: str) -> int:
    if name in header:
        return header.index(name)
    place = FilePlace(path, 1)
    if close := get_close_matches(name, header, 1):
        raise DataError(CSV_COLUMN_TYPO, place=place, param="target", column=shown(name), close=shown(close[0]))
    raise DataError(CSV_NO_COLUMN, place=place, param="target", column=shown(name), columns=listed(header))


class CsvRows:
    """A CSV file that is read as it is needed: its header at once, its rows block by block, as often as wanted."""

    BLOCK = 16_384  # rows

    def __init__(self, path: str, where: Where):
        self._given, self._where = path, where
        with open_file(path, where) as file:
            self.path = file.name
        lines: list[str] = []
        header = next(self._records(lines), None)
        if header is None:
            raise DataError(CSV_EMPTY, place=FilePlace(self.path), path=shown(self.path))
        self.header = _header(self.path, "".join(lines), header[1])

    def column(self, name: str) -> int:
        """The index of a column."""
        return _column(self.path, self.header, name)

    def counted(self, column: int | None) -> tuple[int, bool]:
        """The number of rows, and whether all cells of a column are integers."""
        rows, whole = 0, column is not None
        for block in self.blocks():
            rows += len(block)
            whole = whole and integers(row[column] for row in block) is not None
        return rows, whole

    def blocks(self) -> Iterator[list[list[str]]]:
        """The rows, each as long as the header; at least one."""
        block: list[list[str]] = []
        records = self._records()
        next(records)
        empty = True
        for line, record in records:
            if not block and self._where.clock is not None and self._where.clock.is_over:
                raise DataError(TIME_LONG, place=FilePlace(self.path, line), param="path",
                                seconds=self._where.clock.seconds)  # fmt: skip
            empty = False
            if len(record) != len(self.header):
                place = FilePlace(self.path, line, 1)
                raise DataError(CSV_RAGGED, place=place, found=len(record), wanted=len(self.header))
            block.append(record)
            if len(block) == self.BLOCK:
                yield block
                block = []
        if empty:
            raise DataError(CSV_EMPTY, place=FilePlace(self.path), path=shown(self.path))
        if block:
            yield block

    def bad_cell(self) -> DataError:
        """The error for the first cell that is not a finite number, once it is known that there is one."""
        lines: list[str] = []
        records = self._records(lines)
        next(records)
        lines.clear()
        for line, record in records:
            for column, cell in enumerate(record):
                if not is_finite(cell):
                    raw = [text for text in lines if text.strip()] or [""]
                    place = _cell_place(self.path, raw, line, column)
                    return DataError(CSV_CELL, place=place, column=shown(self.header[column]), cell=shown(cell))
            lines.clear()
        raise AssertionError("no cell is bad")

    def _records(self, seen: list[str] | None = None) -> Iterator[tuple[int, list[str]]]:
        """The line that each record begins on, and its cells; `seen` gets the lines that were read."""
        with open_file(self._given, self._where) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            lines = _lines(text)
            reader = csv.reader(map(_seen(seen), lines) if seen is not None else lines, strict=True)
            line = 1
            try:
                for record in reader:
                    if record:
                        yield line, record
                    line = reader.line_num + 1
            except UnicodeDecodeError:
                place = FilePlace(file.name, _undecodable(file))
                raise DataError(CSV_NOT_UTF8, place=place, path=shown(file.name)) from None
            except csv.Error as error:
                place = FilePlace(file.name, reader.line_num)
                raise DataError(CSV_MALFORMED, place=place, reason=str(error)) from None


def _undecodable(file: BinaryIO) -> int | None:
    """The number of the first line that is not UTF-8."""
    file.seek(0)
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return number
    return None


def _lines(text: TextIO) -> Iterator[str]:
    """The lines of a file, of which none fills the memory."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE and not line.endswith("\n"):
            raise csv.Error(f"it has more than {_LONGEST_LINE} characters")
        yield line


def _seen(lines: list[str]):
    def note(line: str) -> str:
        lines.append(line)
        return line

    return note


def integers(cells: Iterable[str]) -> list[int] | None:
    """Cells as integers, or None where one of them is not an integer of 64 bits."""
    try:
        values = [int(cell) for cell in cells]
    except ValueError:
        return None
    return values if min(values) in INT64_RANGE and max(values) in INT64_RANGE else None


def is_finite(cell: str) -> bool:
    """Whether a cell is a finite number. Python's `1_000` is not one in a data file."""
    try:
        return "_" not in cell and math.isfinite(float(cell))
    except ValueError:
        return False


def read_csv(path: str, where: Where) -> CsvText:
    """Read a whole CSV file. That its cells are numbers is left to whoever wants the numbers."""
    with open_file(path, where) as file:
        path, data = file.name, file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = FilePlace(path, data.count(b"\n", 0, error.start) + 1)
        raise DataError(CSV_NOT_UTF8, place=place, path=shown(path)) from None

    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header, *rows = [row for row in reader if row] or [[]]
    except csv.Error as error:
        raise DataError(CSV_MALFORMED, place=FilePlace(path, reader.line_num), reason=str(error)) from None
    names = _header(path, text, header) if header else ()
    if not rows:
        raise DataError(CSV_EMPTY, place=FilePlace(path), path=shown(path))
    if any(len(row) != len(names) for row in rows):
        index = next(i for i, row in enumerate(rows) if len(row) != len(names))
        place = _place(path, text, index + 1, 0)
        raise DataError(CSV_RAGGED, place=place, found=len(rows[index]), wanted=len(names))
    check_size(shown(path), len(rows), len(names))
    return CsvText(path, text, names, rows)


def _header(path: str, text: str, header: list[str]) -> tuple[str, ...]:
    check_size(shown(path), 1, len(header))
    names = tuple(name.strip() for name in header)
    if all(map(is_finite, names)):
        example = ",".join(f"x{i}" for i in range(min(len(names), 3))) + (",..." if len(names) > 3 else "")
        raise DataError(CSV_NO_HEADER, place=_place(path, text, 0, 0), example=example)
    seen: set[str] = set()
    for column, name in enumerate(names):
        if not name:
            raise DataError(CSV_NO_NAME, place=_place(path, text, 0, column), number=column + 1)
        if name in seen:
            raise DataError(CSV_NAME_TWICE, place=_place(path, text, 0, column), column=shown(name))
        seen.add(name)
    return names


def _place(path: str, text: str, record: int, column: int) -> FilePlace:
    """Where a cell begins. A record can span lines and a cell can hold commas, so quotes are counted."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    start = 0  # lines before the record
    for row in reader:
        if row and record == 0:
            break
        record -= bool(row)
        start = reader.line_num
    return _cell_place(path, lines[start:] or [lines[-1]], start + 1, column)


def _cell_place(path: str, lines: list[str], start: int, column: int) -> FilePlace:
    """Where a cell of a record begins, of which these are the lines, the first with this number."""
    quoted = False
    for number, line in enumerate(lines, start):
        for at, char in enumerate(line):
            if column == 0:
                return FilePlace(path, number, at + 1)
            quoted ^= char == '"'
            column -= char == "," and not quoted
    return FilePlace(path, start + len(lines) - 1, len(lines[-1]) + 1)  # an empty last cell with no newline after it


# --- NPZ --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class NpzArray:
    """What a stored array declares: `member` is its name in the zip, `kind` NumPy's letter b, i, u or f; `is_packed`
    tells whether it is larger than what is stored of it."""

    name: str
    member: str
    shape: tuple[int, ...]
    kind: str
    is_packed: bool


def npz_arrays(file: BinaryIO) -> tuple[NpzArray, NpzArray | None]:
    """The features and the target that an .npz file declares, checked against the sizes of its members."""
    path = file.name
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            members = {m.filename[:-4]: m for m in archive.infolist() if m.filename.endswith(".npy")}
            for features, target in NPZ_PAIRS:
                if features in members:
                    x = _npy(archive, members[features], path)
                    y = _npy(archive, members[target], path) if target in members else None
                    check_features(x.name, x.shape, not x.is_packed)
                    if y is not None:
                        check_target(y.name, y.shape, x.shape[0])
                    return x, y
    except NPZ_FAULTS as error:
        raise npz_error(path, error) from None
    found = ", ".join(shown(name) for name in list(members)[:10]) or "none"
    raise DataError(NPZ_NAMES, place=FilePlace(path), path=shown(path), found=found)


def _check_directory(file: BinaryIO) -> None:
    """Refuse a zip with a directory that is more than arrays need, all of which Python would read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _ZIP_END))
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    directory = struct.unpack_from("<L", end, at + 12)[0] if 0 <= at <= len(end) - 22 else 0
    locator = end.rfind(b"PK\x06\x06", 0, max(at, 0))
    if directory == 0xFFFFFFFF and 0 <= locator <= len(end) - 56:
        directory = struct.unpack_from("<Q", end, locator + 40)[0]
    if directory > _LONGEST_DIRECTORY:
        raise zipfile.BadZipFile("it has too many members")
    file.seek(0)


def npz_error(path: str, error: Exception) -> DataError:
    """What the library said of a file that is no whole .npz."""
    reason = str(error) or type(error).__name__
    return DataError(NPZ_BAD, place=FilePlace(path), path=shown(path), reason=reason)


def _npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> NpzArray:
    """The header of one member. Nothing but the header is unpacked."""
    name = member.filename[:-4]
    damaged = DataError(NPZ_DAMAGED, place=FilePlace(path), path=shown(path), array=name)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"its array {name} is compressed in a way that NumPy does not write")
    if member.file_size > max(_PACKED, _TIMES_PACKED * member.compress_size):
        raise zipfile.BadZipFile(f"its array {name} is {member.file_size} bytes, packed into {member.compress_size}")
    with archive.open(member) as file:
        magic, version = file.read(6), file.read(2)
        width = 2 if version[:1] == b"\x01" else 4
        size = file.read(width)
        if magic != b"\x93NUMPY" or len(size) < width:
            raise damaged
        (length,) = struct.unpack("<H" if width == 2 else "<I", size)
        if length > NPY_HEADER_LIMIT:
            raise damaged
        text = file.read(length).decode("latin-1")
    try:
        header = ast.literal_eval(text.strip())
        descr, shape = header["descr"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise damaged from None
    number = re.fullmatch(r"[<>=|]?([biuf])(1|2|4|8|16)", str(descr))
    if number is None:  # text, records, or Python objects, which would have to be unpickled
        raise DataError(ARRAY_KIND, place=FilePlace(path), array=name, dtype=shown(str(descr)))
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise damaged
    if member.file_size != 8 + width + length + math.prod(shape) * int(number[2]):
        raise damaged
    return NpzArray(name, member.filename, shape, number[1], member.file_size > member.compress_size)
