"""`tfdsl diff`: its output, its exit codes, and its errors for wrong use."""

import os
import subprocess
import sys

import pytest

from tfdsl.cli import main

OLD = "param size = 2\nvariable w: float32[size] = zeros\nsession: print w\n"
SHOWN = """\
--- old.tfg
+++ new.tfg

variables
  ~ w  initializer zeros -> ones

1 changed
"""


@pytest.fixture
def files(here):
    (here / "old.tfg").write_text(OLD)
    (here / "new.tfg").write_text(OLD.replace("zeros", "ones"))
    (here / "same.tfg").write_text("# the same\n" + OLD)
    (here / "wrong.tfg").write_text("x = y\n")
    return here


def test_output_and_exit_codes(files, capsys):
    assert main(["diff", "old.tfg", "new.tfg"]) == 1
    assert capsys.readouterr() == (SHOWN, "")
    assert main(["diff", "old.tfg", "same.tfg"]) == 0
    assert main(["diff", "old.tfg", "new.tfg", "-q"]) == 1
    assert capsys.readouterr() == ("", "")


def test_params_are_those_of_both(files, capsys):
    (files / "new.tfg").write_text(OLD.replace("size = 2", "size = 3"))
    assert main(["diff", "old.tfg", "new.tfg"]) == 1
    assert main(["diff", "old.tfg", "new.tfg", "--set", "size=4"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["old.tfg", "none.tfg"], "error[TFG808]"),
        (["old.tfg", "wrong.tfg"], "error[TFG301"),
        (["wrong.tfg", "wrong.tfg"], "error[TFG301"),
        (
            ["old.tfg", "empty"],
            "empty is a checkpoint, and old.tfg is a program; compare two checkpoints, or two graphs or programs",
        ),
        (
            ["model.index", "g.meta"],
            "model.index is a checkpoint, and g.meta is a graph; compare model.meta and g.meta",
        ),
        (
            ["model.meta", "other.index"],
            "other.index is a checkpoint, and model.meta is a graph; compare other.index and model",
        ),
        (["model.index", "none"], "model.index is a checkpoint, and there is no none\n"),
        (["more", "model"], "and there is no more; the latest checkpoint of that name is more-20"),
        (["empty", "empty"], "error[TFG012]"),
        (["empty", "empty", "--exact"], "--exact compares graphs and programs, not checkpoints"),
        (["old.tfg", "bytes"], "error[TFG002]"),
        (["old.tfg", "new.tfg", "--set", "size"], "NAME=VALUE"),
    ],
)
def test_what_cannot_be_compared(files, capsys, words, said):
    (files / "empty").mkdir()
    (files / "bytes").write_bytes(bytes(range(256)))
    for name in ("model.index", "model.meta", "other.index", "g.meta", "more-20.index"):
        (files / name).write_bytes(b"\0")
    assert main(["diff", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err


def test_wrong_use(files):
    for words in (["old.tfg"], ["old.tfg", "new.tfg", "new.tfg"], ["", "new.tfg"], ["old.tfg", "new.tfg", "--jso"]):
        with pytest.raises(SystemExit) as ended:
            main(["diff", *words])
        assert ended.value.code == 2


def test_a_program_from_a_pipe(files, capsys):
    """A pipe, as a shell passes the output of a command: tfdsl diff <(git show HEAD:old.tfg) old.tfg."""
    end, start = os.pipe()
    with os.fdopen(start, "w") as file:
        file.write("# " + "x" * 20_000 + "\n" + OLD)
    assert main(["diff", f"/dev/fd/{end}", "new.tfg"]) == 1
    os.close(end)
    assert capsys.readouterr().out == SHOWN.replace("old.tfg", f"/dev/fd/{end}")


def test_programs_need_no_tensorflow(files):
    program = (
        "import sys, tfdsl.cli\ncode = tfdsl.cli.main(['diff', 'old.tfg', 'new.tfg'])\n"
        "print(code, [m for m in ('tensorflow', 'numpy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == SHOWN + "1 []\n"


def test_colours_are_for_terminals(files, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["diff", "old.tfg", "new.tfg"]) == 1
    assert "\x1b[33m  ~ w\x1b[0m  initializer zeros -> ones\n" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["diff", "old.tfg", "new.tfg"]) == 1
    assert capsys.readouterr().out == SHOWN
