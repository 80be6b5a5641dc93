"""The pages of the project as pages of the site.

The site mirrors the project: README.md is its first page, and a page keeps its path, so links between pages and to
pictures stay as they are written. A file that is no page, such as a module or a program, becomes a page that shows it.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = (".svg", ".png")
LANGUAGES = {".py": "python", ".tfg": "tfg", ".csv": "text", ".lark": "text", ".json": "json", ".toml": "toml"}

FENCE = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?^(?P<marks>`{3,})(?P<kind>[^\n]*)\n(?P<text>.*?)^(?P=marks)$", re.S | re.M
)
# A link's target or the code of a message, outside code and headings.
_LINK = re.compile(r"^#[^\n]*|\[`[^`\n]*`(?=\])|`(?P<code>TFG\d{3})`|`[^`\n]*`|\]\((?P<target>[^)\s]+)\)", re.M)
_TITLES = {"wrong": "wrong", "wrong: run": "wrong when it runs", "mended": "corrected"}  # of programs of messages
_IMAGE = re.compile(r'(?:<img src="|!\[[^\]]*\]\()([^")]+)')


def project_pages() -> list[str]:
    """The paths of the pages that begin the site."""
    return ["README.md", *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))]


def mirrored(first: Iterable[str], generated: Mapping[str, str]) -> dict[str, str | bytes]:
    """The files of the site by their paths: pages, those that they link to, their pictures, and `generated` pages."""
    found: dict[str, str | bytes] = {}
    todo = [*first]
    for path, text in generated.items():
        found[path] = staged(path, text, generated, todo)
    for path in todo:  # which grows
        if path in found:
            continue
        file = ROOT / path
        if file.suffix in PICTURES:
            found[path] = file.read_bytes()
        elif file.is_file():
            found[path] = staged(path, file.read_text(encoding="utf-8"), generated, todo)
        else:
            found[path] = shown(ROOT / path.removesuffix(".md"))
    return found


def shown(file: Path) -> str:
    """A page with the text of a file."""
    name = file.relative_to(ROOT).as_posix()
    text = file.read_text(encoding="utf-8")
    fence = "```" if "```" not in text else "````"
    head = f"---\ntitle: {name}\nsearch:\n  exclude: true\n---\n\n# `{name}`\n\n"
    return f"{head}{fence}{LANGUAGES.get(file.suffix, 'text')}\n{text.rstrip()}\n{fence}\n"


def staged(path: str, text: str, generated: Mapping[str, str], linked: list[str]) -> str:
    """A page for the site. The paths that it links to are added to `linked`."""
    folder = posixpath.dirname(path)

    def target(found: re.Match[str]) -> str:
        if found["code"]:
            page = f"docs/reference/messages/{found['code']}.md"
            return f"[{found[0]}]({posixpath.relpath(page, folder or '.')})" if page in generated else found[0]
        if not found["target"] or found["target"].startswith(("#", "http:", "https:", "mailto:")):
            return found[0]
        file, mark, heading = found["target"].partition("#")
        to = posixpath.normpath(posixpath.join(folder, file))
        if explained := re.fullmatch(r"tfdsl/explanations/(TFG\d{3}\.md)", to):
            to = f"docs/reference/messages/{explained[1]}"
            file = posixpath.relpath(to, folder or ".")
        elif not to.endswith((".md", *PICTURES)):
            file, to = f"{file}.md", f"{to}.md"
        linked.append(to)
        return f"]({file}{mark}{heading})"

    def prose(text: str) -> str:
        return re.sub(r"^\|.*", _cells, _LINK.sub(target, text), flags=re.M)

    parts: list[str] = []
    at = 0
    for fence in FENCE.finditer(text):
        parts += [prose(text[at : fence.start()]), _fence(fence)]
        at = fence.end()
    parts.append(prose(text[at:]))
    linked += [
        posixpath.normpath(posixpath.join(folder, image))
        for image in _IMAGE.findall(text)
        if image.endswith(PICTURES) and not image.startswith("http")
    ]
    return "".join(parts)


def _cells(row: re.Match[str]) -> str:
    """A row of a table. Git hosts need a backslash before each | in its code, and Python's Markdown would show it."""
    return re.sub(r"`[^`\n]*`", lambda code: code[0].replace(r"\|", "|"), row[0])


def _fence(fence: re.Match[str]) -> str:
    """A block for the site: a file has its name above it, and an output looks unlike a program."""
    note, kind, text = fence["note"] or "", fence["kind"], fence["text"]
    if kind == "ipython":
        kind = "tfg" if text.startswith("%%tfg") else "python"
    if kind == "console" and re.search("^[#%]", text, re.M):
        kind = "text"  # Pygments takes such lines of an output for commands
    shown = note.removeprefix("file: ") if note.startswith("file: ") else _TITLES.get(note, "")
    title = f' title="{shown}"' if shown else ""
    attributes = " { .text .output }" if kind == "output" else f"{kind}{title}"
    return f"{fence['marks']}{attributes}\n{text}{fence['marks']}"
