"""The records of a CSV file with their places, read by Python.

Arrow reads the numbers of a file. This reads its first lines, and finds the line and the column of a cell, or of a
fault that Arrow reports without its place.
"""

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from typing import BinaryIO, TextIO

from ....diagnostics import CSV_MALFORMED, CSV_NOT_UTF8, CSV_RAGGED
from ....record import Record
from ...schema import DataError, FilePlace, shown, shown_path
from ..base import Where, open_file

LONGEST_LINE = 10_000_000  # characters
_COMMENTS = ("#", "//", "%", "--", "!")
SPACES = " \t"  # around a cell; they do not count
_SAMPLE = 100  # lines
_QUOTED = re.compile(r'"[^"]*"')


class Form(Record):
    """How the cells of a file are written. `comment` begins lines that are no rows."""

    separator: str = ","
    decimal: str = "."
    comment: str | None = None


_ENDED = (
    "this row ends with a separator, and the first line does not: remove it in all rows, or name one more column in "
    'the first line, such as unused, and write: | drop("unused")'
)


class CsvFile(Record):
    """One file of CSV. Its records are lists of cells with their first line. Empty lines and those of spaces are
    skipped, but in a file with one column they are empty cells, apart from empty lines at its end."""

    given: str
    where: Where
    form: Form

    @property
    def path(self) -> str:
        return os.path.join(self.where.folder, self.given)

    def records(self, seen: list[str] | None = None) -> Iterator[tuple[int, list[str]]]:
        """All records, the header too. `seen` collects the lines read."""
        with open_file(self.given, self.where) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            numbers: list[int] = []  # of the lines that are no comments
            lines = self.lines(text, numbers, seen)
            reader = csv.reader(lines, strict=True, delimiter=self.form.separator)
            done, width, empty = 0, 0, []
            try:
                for record in reader:
                    line, done = numbers[done], reader.line_num
                    if not record:
                        empty.append(line)
                        continue
                    if width != 1 and is_of_spaces(record):
                        continue
                    if width <= 1:
                        yield from ((number, [""]) for number in empty if width == 1)
                    yield line, record
                    width, empty = width or len(record), []
            except UnicodeDecodeError:
                place = FilePlace(file.name, _undecodable(file))
                raise DataError(CSV_NOT_UTF8, place=place, path=shown_path(file.name)) from None
            except csv.Error as error:
                place = FilePlace(file.name, numbers[-1] if numbers else 1)
                raise DataError(CSV_MALFORMED, place=place, reason=str(error)) from None

    def lines(self, text: TextIO, numbers: list[int], seen: list[str] | None) -> Iterator[str]:
        """The lines that are no comments. A line too long for memory is refused."""
        number = 0
        while line := text.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                numbers.append(number)
                raise csv.Error(f"it has more than {LONGEST_LINE} characters")
            if self.form.comment is not None and line.startswith(self.form.comment):
                continue
            numbers.append(number)
            if seen is not None:
                seen.append(line)
            yield line

    def leading(self) -> int:
        """The number of empty lines before the first record, comments apart."""
        with open_file(self.given, self.where) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
            first = (next(csv.reader([line], delimiter=self.form.separator), []) for line in self.lines(text, [], None))
            return sum(1 for _ in takewhile(lambda record: not record or is_of_spaces(record), first))

    def check(self, width: int) -> None:
        """Raise the error for the first record that is no row of so many cells."""
        first = None
        for line, record in self.records():
            first = record if first is None else first
            if len(record) != width:
                mark = _comment(record) or _comment(first)
                late = any(cell[:1] in SPACES and cell.lstrip().startswith('"') for cell in record if cell)
                way = f"lines that begin with {shown(mark)} are left out with comment={shown(mark)}" if mark else (
                    _ENDED if len(record) == width + 1 and not record[-1] else
                    "a quote counts at the beginning of a cell: remove the spaces before it" if late else
                    "a cell that contains the separator needs double quotes"
                )  # fmt: skip
                place = FilePlace(self.path, line, 1)
                raise DataError(CSV_RAGGED, place=place, found=len(record), wanted=width, way=way)

    def find(self, first: int, is_wanted: Callable[[int, list[str]], int | None]) -> tuple[FilePlace, str] | None:
        """The place and the text of the first cell for which `is_wanted` gives a column, asked for each row and its
        cells. `first` is 1 if the first record is a header."""
        seen: list[str] = []
        for row, (line, record) in enumerate(self.records(seen), -first):
            column = is_wanted(row, record) if row >= 0 else None
            if column is not None and column < len(record):
                lines = [text for text in seen if text.strip()] or [""]
                return self._place(lines, line, column), record[column].strip(SPACES)
            seen.clear()
        return None

    def place_in_header(self, lines: Sequence[str], line: int, column: int) -> FilePlace:
        return self._place([text for text in lines if text.strip()] or [""], line, column)

    def _place(self, lines: Sequence[str], start: int, column: int) -> FilePlace:
        """The place of a cell in a record with these lines, starting at line `start`. Records can span lines and
        cells can contain separators, so quotes are counted."""
        quoted, path = False, self.path
        for number, line in enumerate(lines, start):
            for at, char in enumerate(line):
                if column == 0:
                    return FilePlace(path, number, at + 1)
                quoted ^= char == '"'
                column -= char == self.form.separator and not quoted
        # The last cell is empty, without a newline after it.
        return FilePlace(path, start + len(lines) - 1, len(lines[-1]) + 1)


def is_of_spaces(record: Sequence[str]) -> bool:
    """Whether a record is a line of nothing but spaces."""
    return len(record) == 1 and record[0] != "" and not record[0].strip(SPACES)


def _comment(record: Sequence[str]) -> str | None:
    """How a line begins that looks like a comment."""
    return next((mark for mark in _COMMENTS if record and record[0].lstrip().startswith(mark)), None)


def _undecodable(file: BinaryIO) -> int | None:
    """The number of the first line that is not UTF-8."""
    file.seek(0)
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return number
    return None


def separators(file: CsvFile, candidates: Iterable[str], is_quoted: bool = False) -> Iterator[str]:
    """The characters that make most of the first lines of a file as wide as its first record, and wider than 1. With
    `is_quoted` a quoted cell must have one in it."""
    sample: list[str] = []
    with open_file(file.given, file.where) as opened:
        text = io.TextIOWrapper(opened, "utf-8-sig", errors="replace", newline="")
        with suppress(csv.Error):  # a line that is too long is reported by whoever reads it
            sample += islice(file.lines(text, [], None), _SAMPLE)
    for one in candidates:
        widths = _widths(sample, one)
        if is_quoted and not any(one in cell for line in sample for cell in _QUOTED.findall(line)):
            continue
        if widths and widths[0] > 1 and 2 * widths.count(widths[0]) > len(widths):
            yield one


def _widths(lines: Sequence[str], separator: str) -> list[int]:
    try:
        found = [*csv.reader(lines, delimiter=separator)]
        records = [len(record) for record in found if record and not is_of_spaces(record)]
    except csv.Error:
        return []
    return records[:-1] if len(lines) == _SAMPLE and len(records) > 1 else records  # the last may not be complete
