"""The page of each code: its wrong program has this code and no other, and its mended program has none.

A page is `tfdsl/explanations/TFG201.md`; docs/extending.md says what it has. Programs that only a run finds wrong, and
commands other than `tfdsl check`, are tried with `--long`.
"""

import shlex
from pathlib import Path

import pytest
from test_cases import ELSEWHERE

import tfdsl
from tfdsl.cli import main
from tfdsl.diagnostics import CATALOGUE
from tfdsl.diagnostics.render import render_text
from tfdsl.reference.explanations import PROGRAM, diagnosed, explained, explanation, write_files
from tfdsl.reference.pages import Block
from tfdsl.source import Source
from tfdsl.syntax.format import format_text

# Codes without a program that a page can show.
UNSHOWN = {
    **ELSEWHERE,
    "TFG115": "a number of 4,000 digits",
    **dict.fromkeys(("TFG605", "TFG672"), "bytes that are not text"),
    **dict.fromkeys(
        ("TFG617", "TFG618", "TFG619", "TFG620", "TFG868", "TFG624", "TFG627", "TFG654"), "arrays and pictures"
    ),
    **dict.fromkeys(("TFG696", "TFG697"), "stored arrays"),
    "TFG717": "comes with TFG915",
    **dict.fromkeys(("TFG919", "TFG920"), "predictions of a command"),
    "TFG840": "a long check",
    **dict.fromkeys(("TFG842", "TFG905"), "the end of a long list of other codes"),
}
NOTES = ("wrong", "wrong: run", "mended")


def needs_a_run(page):
    """Whether one of the page's programs has to be run."""
    commands = [block.text.split()[2] for block in page.parts() if isinstance(block, Block) and block.kind == "console"]
    return (page.wrong is not None and page.wrong.note == "wrong: run") or bool(set(commands) - {"check"})


PAGES = [
    pytest.param(page, id=code, marks=[pytest.mark.long] if needs_a_run(page) else [])
    for code in explained()
    for page in [explanation(code)]
    if page is not None
]


def reported(words, capsys):
    """The exit code of a command, and the codes that it reports."""
    capsys.readouterr()
    code = main(words)
    said = capsys.readouterr()
    return code, {one for one in CATALOGUE if f"[{one}]" in said.out + said.err}


def test_every_code_has_a_page():
    assert set(explained()) <= set(CATALOGUE)
    missing = set(CATALOGUE) - set(explained())
    assert not missing, f"no page tfdsl/explanations/CODE.md for {sorted(missing)}"


def test_every_page_can_be_read():
    for code in explained():
        page = explanation(code)
        assert page is not None and page.title[0].isupper() and not page.title.endswith("."), code
        first, *rest = page.parts()
        assert isinstance(first, str), f"{code}: the cause comes first"
        shown = [block for block in rest if isinstance(block, Block)]
        assert all(block.note in NOTES or block.file for block in shown), f"{code}: {[block.note for block in shown]}"
        named = [block.note.partition(":")[0] for block in shown if not block.file]
        assert named == ["wrong", "mended"] or (code in UNSHOWN and named in ([], ["mended"])), f"{code}: {named}"
        assert not named or isinstance([first, *rest][-2], str), f"{code}: what to do comes before the mended program"


def test_pages_are_plain_and_short():
    """They have neither headings nor links, and lines like those of the other pages."""
    for code in explained():
        text = (Path(tfdsl.__file__).parent / "explanations" / f"{code}.md").read_text(encoding="utf-8")
        assert text.endswith("\n") and not text.endswith("\n\n") and len(text.splitlines()) <= 90, code
        prose = "\n".join(part for part in explanation(code).parts() if isinstance(part, str))
        assert max(map(len, prose.splitlines())) <= 125 and "](" not in prose and "\n#" not in prose, code


@pytest.mark.parametrize("page", PAGES)
def test_programs_of_a_page(page, here, capsys):
    write_files(page)
    for block in filter(None, (page.wrong, page.mended)):
        wanted = set() if block.note == "mended" else {page.code}
        is_failure = wanted and CATALOGUE[page.code].severity == "error"
        if block.kind == "console":
            assert block.text.startswith("$ tfdsl ") and len(block.text.splitlines()) == 1
            code, found = reported(shlex.split(block.text.removeprefix("$ tfdsl ")), capsys)
            assert found == wanted and bool(code) == bool(is_failure)
            continue
        diagnostics = diagnosed(block.text)
        said = "\n".join(map(render_text, diagnostics))
        assert {one.code for one in diagnostics} == (wanted if block.note == "wrong" else set()), said
        if not any(one.code.startswith("TFG1") for one in diagnostics):
            assert format_text(Source(PROGRAM, block.text)) == block.text
        if page.wrong is not None and page.wrong.note == "wrong: run":
            Path(PROGRAM).write_text(block.text, encoding="utf-8")
            code, found = reported(["run", PROGRAM], capsys)
            assert found == wanted and bool(code) == bool(is_failure)
    if page.wrong is not None and page.mended is not None:
        mended = page.mended.text.splitlines()
        changed = [line for line in page.wrong.text.splitlines() if line not in mended]
        assert len(changed) <= 4, f"the mended program is another one: {changed}"
