"""The text of an open document: edits of it, and its positions as editors count them.

Editors count lines and, in a line, UTF-16 code units. The compiler counts characters of a text whose lines end in
"\\n". A document keeps the editor's text as it is.
"""

import re
from bisect import bisect_left, bisect_right
from functools import cached_property

from ..record import Record

_ENDS = re.compile(r"\r\n|\n|\r")  # the line ends of the protocol


class LinePosition(Record):
    """A line, and UTF-16 code units in it, both from 0."""

    line: int
    unit: int


class Edit(Record):
    """New text in the place of the text between two offsets."""

    start: int
    end: int
    text: str


def _units(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text) + sum(c > "\uffff" for c in text)


class OpenText:
    """A text as an editor has it. Offsets are those of `plain`, the text that the compiler reads."""

    def __init__(self, raw: str):
        self.raw: str = raw

    @cached_property
    def plain(self) -> str:
        return self.raw.removeprefix("\ufeff").replace("\r\n", "\n")

    @cached_property
    def newline(self) -> str:
        """The line end of the text."""
        return "\r\n" if "\r\n" in self.raw else "\n"

    @cached_property
    def _lines(self) -> list[tuple[int, int]]:
        """The offsets in `raw` where each line begins and where it ends, without its line end."""
        lines: list[tuple[int, int]] = []
        start = 0
        for end in _ENDS.finditer(self.raw):
            lines.append((start, end.start()))
            start = end.end()
        return [*lines, (start, len(self.raw))]

    @cached_property
    def _starts(self) -> list[int]:
        return [start for start, _ in self._lines]

    @cached_property
    def _dropped(self) -> list[int]:
        """The offsets in `raw` of the characters that `plain` lacks."""
        mark = [0] if self.raw.startswith("\ufeff") else []
        return mark + [end.start() for end in re.finditer("\r\n", self.raw)]

    @cached_property
    def _dropped_in_plain(self) -> list[int]:
        """For each of them, the offset in `plain` of what follows it."""
        return [at - count for count, at in enumerate(self._dropped)]

    def _raw_offset(self, position: LinePosition) -> int:
        """The offset in `raw` of a position. One beyond a line or the text stands for its end, and one inside a
        character for its beginning."""
        if position.line >= len(self._lines):
            return len(self.raw)
        start, end = self._lines[max(0, position.line)]
        line = self.raw[start:end]
        if position.line < 0:
            return 0
        if line.isascii():
            return start + min(max(0, position.unit), len(line))
        units = 0
        for at, character in enumerate(line):
            units += _units(character)
            if units > position.unit:
                return start + at
        return end

    def offset(self, position: LinePosition) -> int:
        """The offset of a position."""
        raw = self._raw_offset(position)
        return raw - bisect_left(self._dropped, raw)

    def position(self, offset: int) -> LinePosition:
        """The position of an offset."""
        offset = min(max(0, offset), len(self.plain))
        raw = offset + bisect_right(self._dropped_in_plain, offset)
        line = bisect_right(self._starts, raw) - 1
        start, end = self._lines[line]
        return LinePosition(line, _units(self.raw[start : min(raw, end)]))

    def changed(self, start: LinePosition, end: LinePosition, text: str) -> "OpenText":
        """The text with new text in the place of a range."""
        first, last = self._raw_offset(start), self._raw_offset(end)
        return OpenText(self.raw[:first] + text + self.raw[max(first, last) :])

    def edited(self, edits: list[Edit]) -> str:
        """The plain text after edits, which do not overlap."""
        plain = self.plain
        for edit in sorted(edits, key=lambda one: one.start, reverse=True):
            plain = plain[: edit.start] + edit.text + plain[edit.end :]
        return plain
