"""The documentation site, as Markdown. `--long` also makes the HTML."""

import inspect
import posixpath
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from builder.pages import FENCE
from builder.reference import place
from builder.site import write_pages
from markdown_it import MarkdownIt
from test_docs import options

import tfdsl
from tfdsl.cli import COMMANDS, main
from tfdsl.reference import entries
from tfdsl.reference.explanations import explained, explanation
from tfdsl.reference.pages import files

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


def test_each_page_has_one_title_and_no_heading_twice(pages):
    for path, page in pages.items():
        headings = re.findall(r"^(#+) (.*)$", prose(page), re.M)
        assert [level for level, _ in headings].count("#") == 1, path
        assert [text for text, count in Counter(text for _, text in headings).items() if count > 1] == [], path


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


def test_the_page_of_a_section_is_its_first(site):
    """The theme makes an index.md the page of its section, wherever it is in the list."""
    project = tomllib.loads((site / "zensical.toml").read_text("utf-8"))["project"]
    sections = [section for one in project["nav"] for section in one.values() if isinstance(section, list)]
    count = 0
    for section in sections:
        pages = [page for one in section for page in (one.values() if isinstance(one, dict) else [one])]
        sections += [page for page in pages if isinstance(page, list)]
        assert not any(isinstance(page, str) and page.endswith("/index.md") for page in pages[1:]), pages
        count += 1
    assert count > 5


def has_place(pages, place):
    page, _, anchor = place.partition("#")
    return page in pages and (not anchor or anchor in anchors(pages[page]))


def test_everything_that_one_can_look_up_has_a_place_with_an_example(pages):
    """Their examples are run by tests/reference/, test_docs.py, and the tests of ops and of codes."""
    without = [one.name for one in entries() if not has_place(pages, place(one))]
    assert not without and len(entries()) > 1000
    for entry in entries():
        page = pages[place(entry).partition("#")[0]]
        assert entry.name in page, entry.name
        assert entry.example or entry.kind == "code", entry.name
        if entry.kind not in ("code", "command", "type"):  # types are in a table
            assert entry.example.strip() in page, entry.name


def test_every_code_that_is_explained_is_shown_with_its_message(pages):
    assert len(explained()) > 50
    for name in explained():
        page, shown = pages[f"docs/reference/messages/{name}.md"], explanation(name)
        assert shown.title in page and all(one.text in page for one in (shown.wrong, shown.mended) if one), name
        if shown.wrong and shown.wrong.note == "wrong" and shown.wrong.kind == "tfg":
            assert f"[{name}]" in page, name


def test_output_is_not_coloured_as_commands(pages):
    """Pygments takes lines of a console for commands if they begin with a prompt, also that of root."""
    count = 0
    for path, page in pages.items():
        for fence in FENCE.finditer(page):
            if fence["kind"].split() and fence["kind"].split()[0] == "console":
                assert not re.search("^[#%]", fence["text"], re.M), path
                count += 1
    assert count > 20


def test_options_in_explanations_exist():
    known = {name for command in COMMANDS for names in options(command) for name in names}
    for name in explained():
        found = re.findall(r"(?<![\w-])--[a-z][\w-]*", re.sub(r"<!--.*?-->", "", explanation(name).body))
        assert set(found) <= {*known, "--version"}, name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_on_its_page(command, pages):
    section = pages["docs/reference/options.md"].partition(f"## tfdsl {command}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \| (.+) \|$", section, re.M)
    shown = {word for spelling, _ in rows for word in re.findall(r"`(--?[\w-]+)", spelling)}
    assert {name for names in options(command) for name in names} <= shown
    assert all(text.strip() for _, text in rows)


# The tests of clusters, of the editor server, of the prompt and of tuning run the others.
OTHERS = {"launch", "server", "reset", "lsp", "repl", "tensorboard", "tune"}


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in OTHERS])
def test_examples_of_commands_run(command, here, capsys):
    entry = next(one for one in entries() if one.kind == "command" and one.name == command)
    shutil.copytree(ROOT / "models", here / "models")
    for name, text in files((ROOT / "docs" / "commands.md").read_text("utf-8")).items():
        (here / name).write_text(text, encoding="utf-8")
    trained = {"predict": "prices.tfg", "export": "rents.tfg"}.get(entry.name)
    if trained is not None:
        assert main(["run", trained, "-q"]) == 0
    wrong = main(shlex.split(entry.example.removeprefix("tfdsl ")))
    said = capsys.readouterr()
    differs = entry.name == "diff" and wrong == 1
    assert (wrong == 0 or differs or "error[" in said.out) and said.out + said.err


def test_every_public_name_of_python_is_described(pages):
    page = pages["docs/reference/api.md"]
    for name in tfdsl.__all__:
        assert f"\n## `tfdsl.{name}`\n" in page and inspect.getdoc(getattr(tfdsl, name)) in page, name


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


class Words(HTMLParser):
    """What a page shows, without blanks, and how many lists, tables and blocks it has."""

    def __init__(self, html):
        super().__init__()
        self.shown, self.counts, self.open = "", Counter(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.counts[tag] += tag in ("h1", "h2", "h3", "li", "ul", "ol", "table", "tr", "td", "pre", "img", "blockquote", "strong", "em")  # fmt: skip
        if tag not in ("img", "br", "hr", "input"):
            classes = dict(attributes).get("class") or ""
            self.open.append((tag, tag in ("style", "script") or classes in ("headerlink", "filename", "md-path")))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, text):
        if not any(is_hidden for _, is_hidden in self.open):
            self.shown += re.sub(r"\s", "", text)


def with_bars(row):
    """A row of a table as git hosts need it: with a backslash before each | in code."""
    return re.sub(r"`[^`\n]*`", lambda code: code[0].replace("|", r"\|"), row[0])


@pytest.mark.long
def test_the_html_is_what_git_hosts_show_and_loads_nothing_from_elsewhere(site, pages):
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
    by_host = MarkdownIt("commonmark", {"html": True}).enable("table")
    for name, page in pages.items():
        path = site / "site" / re.sub(r"(^|/)README\.html$", r"\1index.html", f"{name.removesuffix('.md')}.html")
        article = re.search(r"<article[^>]*>(.*?)</article>", path.read_text("utf-8"), re.S)[1]
        plain = re.sub(r"^---\n.*?\n---\n", "", page, flags=re.S).replace("``` { .text .output }", "```text")
        plain = re.sub(r"^\|.*", with_bars, plain, flags=re.M)
        wanted, found = Words(by_host.render(plain)), Words(article)
        assert (found.shown, found.counts) == (wanted.shown, wanted.counts), name
    for style in (site / "site").rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text("utf-8")), style
