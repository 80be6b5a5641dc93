"""Pages of the documentation, as Markdown: their blocks, and the sections between their headings."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from ..bundled import bundled
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


def anchor(title: str) -> str:
    """The anchor of a heading, as git hosts name it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


class Section(Record):
    """A heading of a page in `docs/`, and the text up to the next heading."""

    page: str
    title: str
    text: str

    @property
    def place(self) -> str:
        """The page with the anchor of the heading."""
        return f"{self.page}#{anchor(self.title)}"

    def passages(self) -> list[str]:
        """The paragraphs and the items of lists, without blocks and tables."""
        texts = [part for part in parts(self.text) if isinstance(part, str)]
        found = [piece for text in texts for piece in re.split(r"\n\n+|\n(?=- )", text)]
        return [re.sub(r"^- |(?<=\n)  ", "", piece) for piece in found if not piece.startswith(("|", "<!--"))]

    def rows(self) -> Iterator[tuple[str, str]]:
        """The rows of its tables: the first cell, and the others, in order."""
        for line in re.findall(r"^\| (.*) \|$", self.text, re.M):
            first, _, rest = line.partition(" | ")
            yield first.replace("\\|", "|"), rest.replace("\\|", "|")

    def blocks(self) -> list[Block]:
        return list(blocks(self.text))

    def programs(self) -> list[str]:
        """Its programs, apart from files that others read."""
        return [block.text for block in self.blocks() if block.kind == "tfg" and not block.note]

    def form(self) -> str:
        """How a statement is written, as the section shows it."""
        return next((block.text.rstrip() for block in self.blocks() if block.kind == "text"), "")

    def body(self) -> str:
        """The section without its form and its comments, apart from names of files, as Markdown."""
        form = re.escape(f"```text\n{self.form()}\n```\n")
        text = re.sub(rf"^{form}|^<!-- (?!{_FILE}).*? -->\n", "", self.text, flags=re.M)
        return re.sub(r"\n{3,}", "\n\n", text).strip()


@cache
def page(name: str) -> str:
    """The text of a page of `docs/`."""
    with open(bundled("docs", name), encoding="utf-8") as file:
        return file.read()


class _Sections(dict[str, Section]):
    def __init__(self, page: str, sections: Iterable[Section]):
        super().__init__((one.title, one) for one in sections)
        self._page = page

    def __missing__(self, title: str) -> Section:
        raise KeyError(f"docs/{self._page} has no heading '{title}'")


@cache
def sections(name: str) -> Mapping[str, Section]:
    """The sections of a page by their titles."""
    text = page(name)
    # A line of a program that begins with # is no heading.
    shown = re.sub(r"^```.*?^```$", lambda found: found[0].replace("#", " "), text, flags=re.S | re.M)
    heads = list(re.finditer(r"^#{1,4} (.+)$", shown, re.M))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    made = (Section(name, head[1], text[head.end() : end].strip()) for head, end in zip(heads, ends, strict=True))
    return _Sections(name, made)


@cache
def programs(*names: str) -> tuple[str, ...]:
    """The programs on pages, the shortest first. Those that read files of the page come last."""
    shown = {text for name in names for section in sections(name).values() for text in section.programs()}
    return tuple(sorted(shown, key=lambda text: (bool(re.search(r'csv\(|import "|from "', text)), len(text), text)))


def sentence(text: str) -> str:
    """A text of a table as a sentence."""
    return f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.:' else '.'}"
