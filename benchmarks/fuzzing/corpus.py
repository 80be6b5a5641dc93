"""The programs of the project in pieces, from which mutated programs are made."""

import re
import shutil
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("models", "tests/cases", "tests/golden", "tests/fuzz", "tfdsl/nn", "benchmarks/programs")
TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|\w+|\n *|[^\w\s]+')
_LINES = 5  # of a piece
LONGEST = 300  # characters of a piece: many short programs find more than a few long ones


class Corpus:
    """`pieces` has short programs, and paragraphs and runs of lines of all programs; `tokens` has their words."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.tfg"))
        self.texts = [path.read_bytes().decode("utf-8", "replace") for path in paths]

    @cached_property
    def pieces(self) -> list[str]:
        found: dict[str, None] = {}
        for text in self.texts:
            lines = text.split("\n")
            if len(lines) <= 2 * _LINES:
                found[text] = None
            for paragraph in re.split(r"\n\n+(?=\S)", text):
                found[paragraph + "\n"] = None
            for at in range(0, len(lines), _LINES // 2):
                found["\n".join(lines[at : at + _LINES]) + "\n"] = None
        return [piece for piece in found if piece.strip() and len(piece) <= self._longest]

    @cached_property
    def lines(self) -> list[str]:
        return sorted({line for piece in self.pieces for line in piece.split("\n") if line.strip()})

    @cached_property
    def tokens(self) -> list[str]:
        return sorted({token for line in self.lines for token in TOKEN.findall(line)})


def surroundings(folder: Path) -> None:
    """Put the files that the cases import and read into a folder, so that programs made of them find them too."""
    for part in ("modules/lib", "data/files"):
        source = ROOT / "tests" / "cases" / part
        shutil.copytree(source, folder / source.name, dirs_exist_ok=True)
    for path in [*(folder / "lib").iterdir(), *(folder / "files").iterdir()]:
        if path.is_file():
            shutil.copy(path, folder / path.name)
