"""Pages of the documentation, as Markdown: their blocks, and the sections between their headings."""

import re
from collections.abc import Iterator

from ..record import Record

# A fenced block, with the comment on the line above it.
BLOCK = re.compile(r"(?:<!-- (?P<note>[^\n]*?) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.S | re.M)
_FILE = "file: "


class Block(Record):
    """A fenced block of a page. `note` is the comment above it."""

    note: str
    kind: str
    text: str

    @property
    def file(self) -> str:
        """The name of the file that the block shows, "" if it shows none."""
        return self.note.removeprefix(_FILE) if self.note.startswith(_FILE) else ""


def parts(page: str) -> Iterator[str | Block]:
    """A page as the texts between its blocks, and the blocks, in order. Empty texts are left out."""
    at = 0
    for found in BLOCK.finditer(page):
        if text := page[at : found.start()].strip():
            yield text
        yield Block(found["note"] or "", found["kind"], found["text"])
        at = found.end()
    if text := page[at:].strip():
        yield text


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    return (part for part in parts(page) if isinstance(part, Block))


def files(page: str) -> dict[str, str]:
    """The files that a page shows, by name."""
    return {block.file: block.text for block in blocks(page) if block.file}
