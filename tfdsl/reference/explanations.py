"""What a message means: one page a code, `tfdsl/explanations/TFG201.md`.

A page has a title, the cause, a wrong program that has the code, what to do about it, and the mended program. The
blocks of the programs are below `<!-- wrong -->` and `<!-- mended -->`; files that they need are below
`<!-- file: NAME -->`. A program that only a run finds wrong is below `<!-- wrong: run -->`. Instead of a program, a
block can be a command: `console`.
"""

import os
import re
from collections.abc import Iterator
from contextlib import chdir
from tempfile import TemporaryDirectory

from ..diagnostics import CATALOGUE, Diagnostic
from ..diagnostics.render import render_text
from ..record import Record
from ..source import Source
from .pages import Block, blocks, files, parts

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "explanations")
PROGRAM = "program.tfg"  # what messages call a program of a page


class Explanation(Record):
    """The page of a code. `body` is its Markdown below the title."""

    code: str
    title: str
    body: str

    @property
    def wrong(self) -> Block | None:
        return next((block for block in blocks(self.body) if block.note in ("wrong", "wrong: run")), None)

    @property
    def mended(self) -> Block | None:
        return next((block for block in blocks(self.body) if block.note == "mended"), None)

    @property
    def files(self) -> dict[str, str]:
        return files(self.body)

    def parts(self) -> Iterator[str | Block]:
        """The texts and blocks of the page below the title, in order."""
        return parts(self.body)


def explained() -> list[str]:
    """The codes that have a page."""
    return sorted(name.removesuffix(".md") for name in os.listdir(FOLDER) if name.endswith(".md"))


def explanation(code: str) -> Explanation | None:
    """The page of a code, if it has one."""
    path = os.path.join(FOLDER, f"{code}.md")
    if code not in CATALOGUE or not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        head, _, body = file.read().partition("\n")
    title = re.fullmatch(rf"# {code}: (.+)", head)
    if title is None:
        raise ValueError(f"{path} does not begin with: # {code}: TITLE")
    return Explanation(code, title[1], body.strip())


def messages(page: Explanation, color: bool = False) -> str:
    """What `tfdsl check` says of the wrong program of a page, "" if only a run or a command finds it."""
    if page.wrong is None or page.wrong.note != "wrong" or page.wrong.kind != "tfg":
        return ""
    with TemporaryDirectory() as folder, chdir(folder):
        write_files(page)
        return "\n".join(render_text(one, color) for one in diagnosed(page.wrong.text))


def write_files(page: Explanation) -> None:
    """Write the files that a page shows to the working folder."""
    for name, text in page.files.items():
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)


def diagnosed(program: str) -> list[Diagnostic]:
    """The diagnostics of a program of a page, whose files are in the working folder."""
    from ..driver import check  # which costs imports

    return check(Source(PROGRAM, program))[1]
