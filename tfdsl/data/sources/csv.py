"""CSV files: text with one line per row. The first line names the columns.

Input: a path and its base. Output: `CsvRows`, the cells as text with their places, read without NumPy; and the
source, which converts them to numbers. Every fault of a file is a `DataError`.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, TextIO

from ...diagnostics import (
    COLUMN_TWICE,
    CSV_CELL,
    CSV_COLUMN_TYPO,
    CSV_EMPTY,
    CSV_INTEGER,
    CSV_MALFORMED,
    CSV_NO_COLUMN,
    CSV_NO_HEADER,
    CSV_NO_NAME,
    CSV_NOT_UTF8,
    CSV_RAGGED,
    CSV_SEPARATOR,
    ONLY_TARGET,
    TIME_LONG,
    Message,
)
from ...diagnostics.spelling import nearest
from ...types import FLOAT32, INT64
from ..schema import DataError, FilePlace, Schema, check_size, shown
from ..stage import Arguments
from .base import TableSource, Where, listed, open_file

if TYPE_CHECKING:
    from ..arrays import Table

_LONGEST_LINE = 10_000_000  # characters
_INT64_RANGE = range(-(1 << 63), 1 << 63)
_NO_SEPARATORS = '"\n\r\0_+-.'  # besides letters and digits: the characters of numbers, quotes and lines
_SEPARATORS = (",", ";", "\t", "|", " ")  # the separators found in files


class Csv(TableSource):
    name = "csv"
    signature = 'path: text, target: text = none, stream: flag = false, separator: text = ","'
    doc = (
        "A file of comma-separated numbers; its first line names the columns, `target` is one of them. `separator` "
        "separates cells. With `stream` the rows are kept on disk and read batch by batch, for files larger than "
        "memory."
    )
    suffixes = (".csv",)

    def schema(self, arguments: Arguments, where: Where) -> Schema:
        path, target, stream = self.path(arguments), self.target(arguments), self.stream(arguments)
        text = CsvRows(path, where, self._separator(arguments))
        column = None if target is None else text.column(target)
        names = text.header if column is None else text.header[:column] + text.header[column + 1 :]
        if target is not None and not names:
            raise DataError(ONLY_TARGET, place=FilePlace(text.path, 1), param="target", column=shown(target))
        rows, integers, span = text.counted(column)
        check_size(shown(text.path), 1 if stream else rows, len(text.header))
        dtype = None if column is None else INT64 if integers else FLOAT32
        return Schema(rows, names, dtype, target, streamed=stream, target_range=span)

    def columns(self, arguments: Arguments, where: Where) -> tuple[str, ...]:
        return CsvRows(self.path(arguments), where, self._separator(arguments)).header

    def load(self, where: Where, path: str, target: str | None, stream: bool, separator: str) -> "Table":
        import numpy as np

        from ..arrays import Gathered, Spool, Table

        text = CsvRows(path, where, separator)
        column = None if target is None else text.column(target)
        kept = [i for i in range(len(text.header)) if i != column]
        gathered = Spool if stream else Gathered
        features, floats, whole = gathered(len(kept), np.float64), gathered(1, np.float64), gathered(1, np.int64)
        is_whole = column is not None
        for block in text.blocks():
            numbers = np.array(text.numbers(block)).reshape(len(block), -1)
            features.add(numbers[:, kept])
            if column is not None:
                floats.add(numbers[:, [column]])
                values = _integers(row[column] for row in block) if is_whole else None
                is_whole = values is not None and _in_int64(values)
                if is_whole:
                    whole.add(np.array(values, np.int64).reshape(-1, 1))
        chosen = None if column is None else (whole if is_whole else floats).array()
        source = features.array()
        return Table(source, len(source), chosen, text.path)

    def _separator(self, arguments: Arguments) -> str:
        separator = arguments["separator"]
        if not isinstance(separator, str) or len(separator) != 1 or separator.isalnum() or separator in _NO_SEPARATORS:
            self.refuse(arguments, "separator", 'one character between cells, such as ";" or "\\t"')
        return separator


SOURCE = Csv()


class CsvRows:
    """A CSV file that is read on demand: its header at once, its rows block by block, as often as needed."""

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

    def counted(self, column: int | None) -> tuple[int, bool, tuple[float, float] | None]:
        """The number of rows, whether all cells of a column are integers, and their minimum and maximum. Checks that
        every cell is a finite number."""
        rows, whole, fits, ends = 0, column is not None, True, []
        for block in self.blocks():
            numbers = self.numbers(block)
            rows += len(block)
            if column is not None:
                ends += numbers[column :: len(self.header)]
                ends = [min(ends), max(ends)]
            values = None if column is None or not whole else _integers(row[column] for row in block)
            whole = values is not None
            fits = fits and (values is None or _in_int64(values))
        if whole and not fits:
            raise self._found(
                CSV_INTEGER,
                lambda at, cell: at == column and int(cell) not in _INT64_RANGE,
                lambda cell: repr(float(cell)),
            )
        return rows, whole, (ends[0], ends[1]) if ends else None

    def blocks(self) -> Iterator[list[list[str]]]:
        """The rows, each as long as the header, at least one."""
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
        """The cells of some rows as numbers, row after row."""
        cells = list(chain.from_iterable(block))
        try:
            values = list(map(float, cells))
        except ValueError:
            values = [math.nan]
        # The sum quickly shows nan or inf. Python also accepts 1_000 as a number.
        if not (math.isfinite(sum(values)) or all(map(math.isfinite, values))) or "_" in "".join(cells):
            raise self._found(CSV_CELL, lambda at, cell: not _is_finite(cell))
        return values

    def _found(
        self, message: Message, is_bad: Callable[[int, str], bool], number: Callable[[str], str] = str
    ) -> DataError:
        """The error for the first bad cell, searched for once a bad cell is known to exist. `is_bad` gets the column
        and the text."""
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
        """The first line number of each record, and its cells. `seen` collects the lines read.

        Empty lines are skipped, but in a file with one column they are empty cells.
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
        """Refuse a file with another separator, given its header, which has one column, and its first row."""
        for other in _SEPARATORS:
            cells, wanted = (len(next(csv.reader([text], delimiter=other), ())) for text in (row, header))
            if cells == wanted > 1:
                place, path = FilePlace(self.path, line), shown(self._given)
                raise DataError(
                    CSV_SEPARATOR, place=place, path=path, found=shown(other), separator=shown(self._separator)
                )

    def _names(self, header: list[str], place: Callable[[int], FilePlace]) -> tuple[str, ...]:
        check_size(shown(self.path), 1, len(header))
        names = tuple(name.strip() for name in header)
        if all(map(_is_finite, names)):
            example = [f"x{i}" for i in range(min(len(names), 3))] + ["..."] * (len(names) > 3)
            raise DataError(CSV_NO_HEADER, place=place(0), example=self._separator.join(example))
        seen: set[str] = set()
        for column, name in enumerate(names):
            if not name:
                raise DataError(CSV_NO_NAME, place=place(column), number=column + 1)
            if name in seen:
                raise DataError(COLUMN_TWICE, place=place(column), column=shown(name))
            seen.add(name)
        return names

    def _place(self, lines: list[str], start: int, column: int) -> FilePlace:
        """The place of a cell in a record with these lines, starting at line `start`. Records can span lines and
        cells can contain separators, so quotes are counted."""
        quoted = False
        for number, line in enumerate(lines, start):
            for at, char in enumerate(line):
                if column == 0:
                    return FilePlace(self.path, number, at + 1)
                quoted ^= char == '"'
                column -= char == self._separator and not quoted
        # The last cell is empty, without a newline after it.
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
    """The lines of a file. A line too long for memory is refused."""
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE and not line.endswith("\n"):
            raise csv.Error(f"it has more than {_LONGEST_LINE} characters")
        yield line


def _seen(lines: list[str]):
    def note(line: str) -> str:
        lines.append(line)
        return line

    return note


def _integers(cells: Iterable[str]) -> list[int] | None:
    """Cells as integers. None if a cell is not an integer."""
    try:
        return [int(cell) for cell in cells]
    except ValueError:
        return None


def _in_int64(values: list[int]) -> bool:
    return min(values) in _INT64_RANGE and max(values) in _INT64_RANGE


def _is_finite(cell: str) -> bool:
    """Whether a cell is a finite number. Python's `1_000` is not a number in a data file."""
    try:
        return "_" not in cell and math.isfinite(float(cell))
    except ValueError:
        return False
