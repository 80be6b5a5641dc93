"""Pieces of Markdown."""

import posixpath
import re
from collections.abc import Iterable

# The head of a page of links, which would be in the way of what they lead to.
UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n"
_LINK = re.compile(r"```.*?^```|`[^`\n]*`|\]\((?P<to>[^)\s]+)\)", re.S | re.M)


def block(kind: str, text: str) -> str:
    return f"```{kind}\n{text.rstrip()}\n```\n"


def code(text: str) -> str:
    """Code in a line, also with backticks."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, "" without rows."""
    cells = [[re.sub(r"\s+", " ", cell).replace("|", r"\|") for cell in row] for row in rows]
    names = list(head)
    lines = [f"| {' | '.join(row)} |" for row in (names, ["---"] * len(names), *cells)]
    return "\n".join(lines) + "\n" if cells else ""


def rebased(text: str, page: str, folder: str) -> str:
    """A part of a page, with its links as they are from another folder."""

    def link(found: re.Match[str]) -> str:
        to = found["to"]
        if not to or re.match("https?:|mailto:", to):
            return found[0]
        file, mark, heading = to.partition("#")
        file = posixpath.join(posixpath.dirname(page), file) if file else page
        return f"]({posixpath.relpath(file, folder)}{mark}{heading})"

    return _LINK.sub(link, text)
