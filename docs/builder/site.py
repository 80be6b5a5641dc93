"""The Markdown of the site, and its configuration."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from .pages import mirrored, project_pages
from .reference import reference_pages

HERE = Path(__file__).resolve().parent
_PATTERN = re.compile(r'^( *)"([^"\n]*\*[^"\n]*)",\n', re.M)


def write_pages(folder: Path) -> None:
    """Write the Markdown of the site below a folder, with the configuration of zensical."""
    pages = folder / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    files = mirrored(project_pages(), reference_pages())
    for path, content in files.items():
        file = pages / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for name in ("style.css", "keyboard.js", "iframe-worker.js"):
        shutil.copy(HERE / name, pages / name)
    config = (HERE / "zensical.toml").read_text(encoding="utf-8")
    (folder / "zensical.toml").write_text(_PATTERN.sub(lambda one: _expanded(one, files), config), encoding="utf-8")


def _expanded(entry: re.Match[str], files: Iterable[str]) -> str:
    """An entry of the navigation with a pattern, as an entry for each page."""
    pattern = re.compile(re.escape(entry[2]).replace(r"\*", "(?!index)[^/]*"))
    return "".join(f'{entry[1]}"{path}",\n' for path in sorted(files) if pattern.fullmatch(path))
