"""Entries and Markdown as plain text, for a terminal without colours and for pipes."""

import re
import textwrap
from itertools import groupby

from .entry import ReferenceEntry
from .markdown import captioned
from .pages import Block, parts

WIDTH = 90
_INDENT = "    "
_BOLD = re.compile(r"(`[^`]*`)|\*\*(\S|\S[^*]*\S)\*\*")  # code, which stays as it is, or bold words


def described(entry: ReferenceEntry) -> str:
    """An entry as text: how it is written, what it is, what it is called elsewhere, and its example."""
    found = [entry.call]
    if entry.doc:
        found.append(plain(entry.doc))
    if entry.limits:
        found.append("\n".join(_filled(f"{name} is {words}", "  ", "    ") for name, words in entry.limits.items()))
    if entry.elsewhere:
        found.append("\n".join(f"{where}: {name}" for where, name in entry.elsewhere))
    if entry.example and entry.example not in entry.doc:
        found.append(f"Example:\n{textwrap.indent(entry.example.rstrip(), _INDENT)}")
    return "\n\n".join(found) + "\n"


def plain(markdown: str) -> str:
    """Markdown as text: paragraphs are filled, programs indented, tables become lists, and links their words."""
    found: list[str] = []
    for part in parts(captioned(markdown)):
        if isinstance(part, Block):
            found.append(textwrap.indent(part.text.rstrip(), _INDENT))
        else:
            found += [_paragraph(text) for text in re.split(r"\n\n+", part)]
    return "\n\n".join(filter(None, found))


def _paragraph(text: str) -> str:
    text = re.sub(r"(?<!`)\[([^\]\n]*(?:\n[^\]\n]*)?)\]\([^)\s]+\)", r"\1", text)
    lines: list[str] = []
    for is_row, group in groupby(text.split("\n"), lambda line: line.startswith("|")):
        if is_row:
            lines += [_row(line) for line in group if not re.fullmatch(r"[| -]+", line)]
            continue
        for item in re.split(r"\n(?=- )", "\n".join(group)):
            is_item = item.startswith("- ")
            lines.append(_filled(_BOLD.sub(r"\1\2", item), "", "  " if is_item else ""))
    return "\n".join(lines)


def _row(line: str) -> str:
    cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    return _filled(": ".join(filter(None, cells)), "- ", "  ")


def _filled(text: str, first: str, rest: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, initial_indent=first, subsequent_indent=rest,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip
