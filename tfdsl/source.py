"""Source text and places in it.

A `Span` is two offsets and their `Source`. Lines and columns are computed only when a place is printed, so the
front end works with integers only.
"""

from bisect import bisect_right
from functools import cached_property

from .record import Record


class Source:
    """A text: a `.tfg` file, a text passed to `compile` (then `path` is a label such as `<text>`), a bundled library,
    or an argument of a command (then `path` is its option, and places in it have no lines)."""

    def __init__(self, path: str, text: str, is_library: bool = False, is_argument: bool = False):
        self.path: str = path
        self.text: str = text
        self.is_library: bool = is_library
        self.is_argument: bool = is_argument

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and (self.path, self.text) == (other.path, other.text)

    def __hash__(self) -> int:
        return hash((self.path, self.text))

    def __repr__(self) -> str:
        return f"Source({self.path!r})"

    def edit(self, text: str) -> None:
        """Give the source another text. Only an editor does so, for which places in front of an edit remain what they
        are. Whatever belongs to other places must be made anew."""
        self.text = text
        self.__dict__.pop("_line_starts", None)

    @property
    def is_lifted(self) -> bool:
        """Whether the first line says that `tfdsl lift` wrote the text."""
        return self.text.startswith("# lifted from ")

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1. Columns count characters."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def position_of(self, line: int) -> int:
        """The offset of the first character of a line (from 1)."""
        return self._line_starts[line - 1]

    def line_text(self, line: int) -> str:
        """The text of a line (from 1) without its newline."""
        start = self._line_starts[line - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")


class Span(Record):
    """The characters `start` to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def one_line(self) -> str:
        """The text on one line, for messages."""
        return " ".join(self.source.text[self.start : self.end].split())

    def holds(self, inner: "Span") -> bool:
        """Whether another span lies in this one."""
        return self.source == inner.source and self.start <= inner.start < inner.end <= self.end

    def __repr__(self) -> str:
        return f"Span({self.start}, {self.end})"

    def __str__(self) -> str:
        path = self.source.path
        return path if self.source.is_argument else f"{path}:{self.line}:{self.column}"

    def __hash__(self) -> int:
        return hash((self.source.path, self.start, self.end))
