"""Data files as far as they can be read without NumPy: CSV whole, the headers of an .npz.

Input: a path, and what it is relative to. Output: `CsvRows`, the cells as text with their places,
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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, TextIO

from ..access import Access, Refused
from ..diagnostics import (
    ARRAY_KIND,
    CSV_CELL,
    CSV_COLUMN_TYPO,
    CSV_EMPTY,
    CSV_INTEGER,
    CSV_MALFORMED,
    CSV_NAME_TWICE,
    CSV_NO_COLUMN,
    CSV_NO_HEADER,
    CSV_NO_NAME,
    CSV_NOT_UTF8,
    CSV_RAGGED,
    CSV_SEPARATOR,
    DATA_FILE,
    NPZ_BAD,
    NPZ_DAMAGED,
    NPZ_NAMES,
    TIME_LONG,
    Message,
)
from ..limits import Clock
from ..record import Record
from ..suggest import nearest
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
SEPARATORS = (",", ";", "\t", "|", " ")  # that files are found to have
_NAME = re.compile(r"[\w .()\[\]/%#$°²³+-]*")  # what names of columns are made of


def listed(header: Iterable[str]) -> str:
    """The names of columns, for a message; what does not look like one may be anything that a file holds."""
    names = list(header)
    kept = [shown(name) for name in names if _NAME.fullmatch(name)]
    left = len(names) - len(kept)
    return ", ".join([*kept, *([f"{left} that are not shown"] if left else [])])


class CsvRows:
    """A CSV file that is read as it is needed: its header at once, its rows block by block, as often as wanted."""

    BLOCK = 16_384  # rows

    def __init__(self, path: str, where: Where, separator: str = ","):
        self._given, self._where, self._separator = path, where, separator
        with open_file(path, where) as file:
            self.path = file.name
        lines: list[str] = []
        records = self._records(lines)
        line, header = next(records, (1, []))
        if not header:
            raise DataError(CSV_EMPTY, place=FilePlace(self.path), path=shown(self.path))
        first = [text for text in lines if text.strip()] or [""]
        if len(header) == 1:
            lines.clear()
            next(records, None)
            self._check_separator(line, "".join(first), "".join(text for text in lines if text.strip()))
        self.header = self._names(header, lambda column: self._place(first, line, column))

    def column(self, name: str) -> int:
        """The index of a column."""
        if name in self.header:
            return self.header.index(name)
        place = FilePlace(self.path, 1)
        if close := nearest(name, self.header):
            raise DataError(CSV_COLUMN_TYPO, place=place, param="target", column=shown(name), close=shown(close))
        raise DataError(CSV_NO_COLUMN, place=place, param="target", column=shown(name), columns=listed(self.header))

    def counted(self, column: int | None) -> tuple[int, bool]:
        """The number of rows, and whether all cells of a column are integers. Every cell is a finite number."""
        rows, whole, fits = 0, column is not None, True
        for block in self.blocks():
            self.numbers(block)
            rows += len(block)
            values = integers(row[column] for row in block) if whole else None
            whole = values is not None
            fits = fits and (values is None or in_int64(values))
        if whole and not fits:
            raise self._found(
                CSV_INTEGER,
                lambda at, cell: at == column and int(cell) not in INT64_RANGE,
                lambda cell: repr(float(cell)),
            )
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

    def numbers(self, block: list[list[str]]) -> list[float]:
        """The cells of some rows, one row after the other."""
        cells = list(chain.from_iterable(block))
        try:
            values = list(map(float, cells))
        except ValueError:
            values = [math.nan]
        # A sum shows quickly what is nan or inf; and Python takes 1_000 for a number.
        if not (math.isfinite(sum(values)) or all(map(math.isfinite, values))) or "_" in "".join(cells):
            raise self._found(CSV_CELL, lambda at, cell: not is_finite(cell))
        return values

    def _found(
        self, message: Message, is_bad: Callable[[int, str], bool], number: Callable[[str], str] = str
    ) -> DataError:
        """The error for the first cell that is bad, given its column, once it is known that there is one."""
        lines: list[str] = []
        records = self._records(lines)
        next(records)
        lines.clear()
        for line, record in records:
            for column, cell in enumerate(record):
                if is_bad(column, cell):
                    place = self._place([text for text in lines if text.strip()] or [""], line, column)
                    name = shown(self.header[column])
                    return DataError(message, place=place, column=name, cell=shown(cell), number=number(cell))
            lines.clear()
        raise AssertionError("no cell is bad")

    def _records(self, seen: list[str] | None = None) -> Iterator[tuple[int, list[str]]]:
        """The line that each record begins on, and its cells; `seen` gets the lines that were read.

        Empty lines are none, but between the rows of one column they are empty cells.
        """
        with open_file(self._given, self._where) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            lines = _lines(text)
            lines = map(_seen(seen), lines) if seen is not None else lines
            reader = csv.reader(lines, strict=True, delimiter=self._separator)
            line, width, empty = 1, 0, []
            try:
                for record in reader:
                    if not record:
                        empty.append(line)
                    else:
                        yield from ((number, [""]) for number in empty if width == 1)
                        yield line, record
                        width, empty = width or len(record), []
                    line = reader.line_num + 1
            except UnicodeDecodeError:
                place = FilePlace(file.name, _undecodable(file))
                raise DataError(CSV_NOT_UTF8, place=place, path=shown(file.name)) from None
            except csv.Error as error:
                place = FilePlace(file.name, reader.line_num)
                raise DataError(CSV_MALFORMED, place=place, reason=str(error)) from None

    def _check_separator(self, line: int, header: str, row: str) -> None:
        """Refuse a file with another separator; these are the texts of its header, of one column, and its first row."""
        for other in SEPARATORS:
            cells, wanted = (len(next(csv.reader([text], delimiter=other), ())) for text in (row, header))
            if cells == wanted > 1:
                place, path = FilePlace(self.path, line), shown(self._given)
                raise DataError(
                    CSV_SEPARATOR, place=place, path=path, found=shown(other), separator=shown(self._separator)
                )

    def _names(self, header: list[str], place: Callable[[int], FilePlace]) -> tuple[str, ...]:
        check_size(shown(self.path), 1, len(header))
        names = tuple(name.strip() for name in header)
        if all(map(is_finite, names)):
            example = [f"x{i}" for i in range(min(len(names), 3))] + ["..."] * (len(names) > 3)
            raise DataError(CSV_NO_HEADER, place=place(0), example=self._separator.join(example))
        seen: set[str] = set()
        for column, name in enumerate(names):
            if not name:
                raise DataError(CSV_NO_NAME, place=place(column), number=column + 1)
            if name in seen:
                raise DataError(CSV_NAME_TWICE, place=place(column), column=shown(name))
            seen.add(name)
        return names

    def _place(self, lines: list[str], start: int, column: int) -> FilePlace:
        """Where a cell of a record begins, of which these are the lines, the first with this number. A record can span
        lines and a cell can hold separators, so quotes are counted."""
        quoted = False
        for number, line in enumerate(lines, start):
            for at, char in enumerate(line):
                if column == 0:
                    return FilePlace(self.path, number, at + 1)
                quoted ^= char == '"'
                column -= char == self._separator and not quoted
        # An empty last cell with no newline after it.
        return FilePlace(self.path, start + len(lines) - 1, len(lines[-1]) + 1)


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
    """Cells as integers, or None where one of them is not an integer."""
    try:
        return [int(cell) for cell in cells]
    except ValueError:
        return None


def in_int64(values: list[int]) -> bool:
    return min(values) in INT64_RANGE and max(values) in INT64_RANGE


def is_finite(cell: str) -> bool:
    """Whether a cell is a finite number. Python's `1_000` is not one in a data file."""
    try:
        return "_" not in cell and math.isfinite(float(cell))
    except ValueError:
        return False


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
