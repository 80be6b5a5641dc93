"""The formats of `tfdsl check`, and `--watch`."""

import re
import shutil
import signal
import sys
from pathlib import Path

import forked
import pytest
from watching import put, until_watching

import tfdsl
from tfdsl.cli import main
from tfdsl.cli.watch import Seen
from tfdsl.diagnostics import CATALOGUE, Diagnostic
from tfdsl.diagnostics.render import render_github
from tfdsl.source import Source, Span

WRONG = "placeholder X: float32[n, 3]\nvariable w: float32[4, 1] = zeros\ny = X @ w\n"


def unescaped(text):
    return re.sub("%(..)", lambda found: chr(int(found[1], 16)), text)


def test_annotations_of_github(here, capsys):
    Path("a b,c:d%.tfg").write_text(WRONG + "_a = 1 +\n  \n", encoding="utf-8")
    Path("wrong.tfg").write_text(WRONG + "session: print y with X = [[1, 2, 3]], z = [[", encoding="utf-8")
    Path("warned.tfg").write_text("x = constant(1.0)\ny = constant(2.0)\nsession: print y\n", encoding="utf-8")
    assert main(["check", "--format", "github", "warned.tfg"]) == 0
    assert re.fullmatch(
        r"::warning file=warned\.tfg,line=1,col=1,endColumn=2,endLine=1,title=TFG9\d\d::.+\n", capsys.readouterr().out
    )
    assert main(["check", "--format", "github", "a b,c:d%.tfg", "missing.tfg"]) == 1
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("::error file=a b%2Cc%3Ad%25.tfg,line=") and "endLine=" in first
    assert last == "::error title=TFG808::missing.tfg cannot be read: no such file or directory"


def test_an_annotation_has_the_notes_and_the_help(here, capsys):
    Path("wrong.tfg").write_text(WRONG + "z = reduce_men(X)\n", encoding="utf-8")
    assert main(["check", "--format", "github", "wrong.tfg"]) == 1
    one, two = capsys.readouterr().out.splitlines()
    place, _, text = one.removeprefix("::error ").partition("::")
    assert place == "file=wrong.tfg,line=3,col=5,endColumn=10,endLine=3,title=TFG201"
    assert unescaped(text).splitlines() == [
        "matmul cannot multiply float32[n, 3] by float32[4, 1]: 3 is not 4",
        "X: float32[n, 3] is from line 1",
        "w: float32[4, 1] is from line 2",
    ]
    assert two.endswith("title=TFG301::there is no name 'reduce_men'%0Adid you mean 'reduce_mean'?")


def test_a_message_cannot_end_its_annotation():
    """Line breaks and percent signs are escaped, and a place of several lines has no columns."""
    source = Source("a.tfg", "ab\ncd\n")
    message = CATALOGUE["TFG301"]
    line = render_github(Diagnostic(message, Span(source, 1, 5), {"name": "50%\r\n::error::x"}))
    assert line == "::error file=a.tfg,line=1,endLine=2,title=TFG301::there is no name '50%25%0D%0A::error::x'"


@pytest.fixture
def folder(here):
    """Programs in and below a folder, and some that are not the user's."""
    texts = {
        "a.tfg": "y = bogus\n",
        "sub/b.tfg": 'import "layers.tfg" as layers\nz = layers.f(1.0)\n',
        "sub/c.tfg": 'import "layers.tfg" as layers\nz = layers.f(1.0)\n',
        "sub/layers.tfg": "def f(x): return x + bogus\n",
        "sub/notes.txt": "y = bogus\n",
        ".git/a.tfg": "y = bogus\n",
        "env/pyvenv.cfg": "",
        "env/lib/a.tfg": "y = bogus\n",
        "elsewhere/a.tfg": "y = 1 +\n",
    }
    for path, text in texts.items():
        Path("shop", path).parent.mkdir(parents=True, exist_ok=True)
        Path("shop", path).write_text(text, encoding="utf-8")
    Path("shop/elsewhere").rename("elsewhere")
    Path("shop/link").symlink_to("../elsewhere")
    Path("shop/link.tfg").symlink_to("../elsewhere/a.tfg")


def test_a_folder_stands_for_the_programs_below_it(folder, capsys):
    assert main(["check", "--format", "concise", "shop/sub/b.tfg", "shop"]) == 1
    out, err = capsys.readouterr()
    assert [line.partition(": ")[0] for line in out.splitlines()] == ["shop/sub/layers.tfg:1:22", "shop/a.tfg:1:5"]
    assert err == "4 files: 2 errors, 0 warnings\n"


def test_hidden_folders_and_environments_can_be_named(folder, capsys, monkeypatch):
    for folder in ("shop/.git", "shop/env", "shop/link"):
        assert main(["check", "--format", "concise", folder]) == 1
        assert capsys.readouterr().out.startswith(f"{folder}/")
    monkeypatch.chdir("shop")
    assert main(["check", "--format", "concise", "."]) == 1
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["a.tfg", "sub/layers.tfg"]


def test_a_folder_without_programs(folder, capsys):
    Path("shop/a.tfg").unlink()
    Path("shop/link.tfg").unlink()
    shutil.rmtree("shop/sub")
    assert main(["check", "shop"]) == 1
    assert "error[TFG808]: shop cannot be read: there is no .tfg file in it" in capsys.readouterr().err


def test_what_is_looked_for_counts_as_seen(here):
    seen = Seen()
    Path("there").write_text("1")
    for path in ("there", "missing", "."):
        seen.note(path)
    assert not seen.is_changed()
    Path("there").write_text("12")
    assert seen.is_changed()
    seen.pop("there"), seen.pop(".")
    assert not seen.is_changed()
    Path("missing").write_text("1")
    assert seen.is_changed()


@pytest.mark.parametrize("format", ["text", "concise"])
def test_watch(here, format):
    """A change of the program, of an import, of data, and a data file that appears, are each checked."""
    Path("layers.tfg").write_text("width = 3\n", encoding="utf-8")
    program = (
        'import "layers.tfg" as layers\ndata d = csv("d.csv", target="b")\nplaceholder X: float32[n, layers.width]\n'
    )
    program += "session: print reduce_mean(X), d.rows with X = d.features\n"
    Path("p.tfg").write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "tfdsl", "check", "--watch", "--format", format, "p.tfg"]
    changes = [
        ("d.csv", "a,b,c,d\n1,2,3,4\n", "1 file: 0 errors, 0 warnings"),
        ("layers.tfg", "width = 7\n", "1 file: 1 error, 0 warnings"),
        ("layers.tfg", "width = 3\n\n", "1 file: 0 errors, 0 warnings"),
        ("d.csv", "a,b,c\n1,2,3\n", "1 file: 1 error, 0 warnings"),
        ("p.tfg", "x = 1\n", "1 file: 0 errors, 0 warnings"),
    ]
    with forked.Popen(command, stdout=-1, stderr=-2, text=True, bufsize=1) as watching:
        try:
            said = until_watching(watching)
            assert "1 file: 1 error, 0 warnings" in said and '"d.csv"' in said
            for path, text, summary in changes:
                put(path, text)
                said = until_watching(watching)
                assert summary in said, (path, said)
                assert "\x1b" not in said
            watching.send_signal(signal.SIGINT)
            assert watching.wait(60) == 130
        finally:
            watching.kill()


def test_watch_a_folder(here):
    """A new program is checked, in a new folder too."""
    Path("shop").mkdir()
    Path("shop/a.tfg").write_text("x = 1\n", encoding="utf-8")
    command = [sys.executable, "-m", "tfdsl", "check", "--watch", "shop"]
    with forked.Popen(command, stdout=-1, stderr=-2, text=True, bufsize=1) as watching:
        try:
            assert "1 file: 0 errors, 0 warnings" in until_watching(watching)
            put("shop/b.tfg", "y = bogus\n")
            assert "2 files: 1 error, 0 warnings" in until_watching(watching)
            Path("shop/sub").mkdir()
            assert "2 files: 1 error, 0 warnings" in until_watching(watching)
            put("shop/sub/c.tfg", "z = bogus\n")
            assert "3 files: 2 errors, 0 warnings" in until_watching(watching)
        finally:
            watching.kill()


def test_texts_keep_their_stamps_when_others_are_renewed(here):
    """An edit between the end of a run and the wait for the next one is not lost."""
    seen = Seen()
    for path in ("p.tfg", "d.csv"):
        Path(path).write_text("1")
        seen.note(path)
        Path(path).write_text("12")
    seen.renew((".tfg",))
    assert seen.is_changed((".tfg",)) and not seen.is_changed((".csv",))


def test_only_programs_are_suggested_for_a_program(here, capsys):
    (here / "houses.csv").write_text("a\n1\n")
    assert main(["check", "houses"]) == 1
    assert "did you mean" not in capsys.readouterr().out
    (here / "houses.tfg").write_text("a = 1.0\n")
    main(["check", "houses"])
    assert "did you mean 'houses.tfg'?" in capsys.readouterr().out


def test_options_in_the_place_of_the_name_of_a_session():
    program = tfdsl.compile("variable w = 1.0\nsession:\n    print w\n")
    with pytest.raises(TypeError, match="options are given by name: options="):
        program.run(tfdsl.Options())
