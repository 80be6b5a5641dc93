"""The documentation site, as Markdown. `--long` also makes the HTML."""

import posixpath
import re
import subprocess
import sys
import tomllib
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from builder.pages import FENCE
from builder.site import write_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the pages of the site and its configuration."""
    folder = tmp_path_factory.mktemp("site")
    write_pages(folder)
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {
        path.relative_to(site / "pages").as_posix(): path.read_text("utf-8") for path in (site / "pages").rglob("*.md")
    }


def prose(page):
    """A page without its blocks."""
    return FENCE.sub("", page)


@cache
def anchors(page):
    """The anchors of the headings of a page, as git hosts name them."""
    names: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{name}_{names[name]}" if name in names else name)
        names[name] = names.get(name, 0) + 1
    return found


def links(page):
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(page)))


def test_links_and_anchors(site, pages):
    count = 0
    for path, page in pages.items():
        for link in links(page):
            if link.startswith(("http:", "https:", "mailto:")):
                continue
            file, _, anchor = link.partition("#")
            to = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
            assert (site / "pages" / to).is_file(), f"{path}: {link}"
            assert not anchor or anchor in anchors(pages[to]), f"{path}: {link}"
            count += 1
    assert count > 200


def test_every_page_of_the_documentation_is_in_the_navigation_once(site, pages):
    project = tomllib.loads((site / "zensical.toml").read_text("utf-8"))["project"]

    def paths(entry):
        match entry:
            case str():
                return [entry]
            case list():
                return [path for one in entry for path in paths(one)]
            case dict():
                return [path for one in entry.values() for path in paths(one)]

    found = paths(project["nav"])
    assert len(set(found)) == len(found) and set(found) <= set(pages)
    written = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert {*written, "README.md"} <= set(found)


def test_pictures_have_a_description(pages):
    shown = [one for page in pages.values() for one in re.findall(r"<img [^>]*>|!\[[^\]]*\]", prose(page))]
    assert shown and not [one for one in shown if not re.search(r'alt="[^"]+"|!\[[^\]]+\]', one)]


class Loaded(HTMLParser):
    """What a page loads: scripts, styles, pictures and frames."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.found += [given[name] for name in ("src", "srcset", "data", "poster") if given.get(name)]
        self.found += [given["href"]] if tag in ("link", "use", "image") and given.get("href") else []


@pytest.mark.long
def test_the_html_has_no_broken_link_and_loads_nothing_from_elsewhere(site):
    pytest.importorskip("zensical")
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", str(site / "zensical.toml")]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    written = [*(site / "site").rglob("*.html")]
    assert len(written) > 50
    for path in written:
        reader = Loaded()
        text = path.read_text("utf-8")
        reader.feed(text)
        assert reader.found and not [one for one in reader.found if re.match(r"(https?:)?//", one)], path
        assert "fonts.googleapis" not in text
    for style in (site / "site").rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text("utf-8")), style
