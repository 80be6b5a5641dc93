"""Output cannot control a terminal: never in messages, and on standard output not if it is a terminal."""

import io
import json
import os
import pty
import select
import subprocess
import sys

import forked
import pytest

from tfdsl.cli import main
from tfdsl.cli.report import open_streams
from tfdsl.diagnostics.spelling import visible_lines

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egpj\u2066\x00\r\x08\x7f"
ESCAPED = EVIL.encode("unicode_escape").decode()
LITERAL = "".join(f"\\u{ord(c):04x}" if not c.isalnum() and not c.isprintable() else c for c in EVIL)

GOOD = f"""
param p = "{LITERAL}"
placeholder X: float32[2]
y = X * 2.0
t = constant("{LITERAL}")
loss = reduce_sum(y)
summary scalar loss as "m{LITERAL[:8]}"
session:
    print "{LITERAL}", p, t
    log to "logs"
    log with X = [1.0, 2.0]
    print loss with X = [1.0, 2.0]
"""
WRONG = [
    f'import "{LITERAL}.tfg" as x\n',
    f'data d = csv("{LITERAL}.csv")\n',
    f'data d = iris("{LITERAL}")\n',
    f'x = constant(1.0) + "{LITERAL}"\n',
    f'x = constant(1.0) {EVIL[:4]} 2\n',
    f'x = "{EVIL[:1]}\n',
    f'# {EVIL[:4]}\nx = nothing  # {EVIL[:4]}\n',
    f'device "{LITERAL}":\n    x = constant(1.0)\n',
    f'x = raw.Roll(input=[1], shift=1, axis="{LITERAL}")\n',
    f'param p = 1\nsession:\n    save to "{LITERAL}"\n',
    f'session:\n    print "{{{LITERAL}}}"\n',
    f'x = constant("a")\nsession:\n    expect x == "{LITERAL}"\n',  # only a run finds this
]  # fmt: skip


def is_quiet(text):
    """Whether a text cannot control a terminal."""
    return all(c.isprintable() or c in "\n\t" for c in text)


@pytest.fixture
def good(here):
    (here / "good.tfg").write_text(GOOD)
    return "good.tfg"


def on_terminal(arguments):
    """Everything that a command writes if both outputs are a terminal."""
    ours, theirs = pty.openpty()
    child = forked.Popen([sys.executable, "-m", "tfdsl", *arguments], stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL,
                             env={**os.environ, "NO_COLOR": "1", "TERM": "dumb"})  # fmt: skip
    os.close(theirs)
    text = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        text += part
    os.close(ours)
    return child.wait(), text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("number", range(len(WRONG) - 1))
@pytest.mark.parametrize("form", ["text", "concise", "json"])
def test_messages_of_check(here, number, form, capfd):
    (here / "wrong.tfg").write_text(WRONG[number])
    assert main(["check", "wrong.tfg", "--format", form]) == 1
    out, err = capfd.readouterr()
    assert is_quiet(out) and is_quiet(err)
    if form == "json":
        assert json.loads(out)["diagnostics"]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_messages_of_run(here, number, capfd):
    (here / "wrong.tfg").write_text(WRONG[number])
    assert main(["run", "wrong.tfg"]) == 1
    out, err = capfd.readouterr()
    assert is_quiet(out) and is_quiet(err) and "error[" in err


def test_print_writes_like_python(good, capfd):
    assert main(["run", good]) == 0
    out, err = capfd.readouterr()
    assert out.startswith(f"{EVIL} {EVIL} {EVIL}\n") and is_quiet(err)


def test_print_on_a_terminal_is_escaped(good):
    code, text = on_terminal(["run", good])
    assert (
        code == 0
        and is_quiet(text)
        and text.startswith(f"{ESCAPED} {ESCAPED} {ESCAPED}\n")
        and text.endswith("\n6.0\n")
    )


@pytest.mark.parametrize(
    "arguments",
    [["check"], ["fmt", "--diff"], ["fmt", "--check"], ["dump", "--stage", "tree"], ["dump", "--stage", "program"],
     ["dump", "--stage", "graph"], ["graph"], ["graph", "--format", "html"], ["graph", "--format", "pbtxt"], ["eval", "p"], ["eval", "t"],
     ["run", "-v"], ["run", "--json"]],
    ids=" ".join,
)  # fmt: skip
def test_commands_on_a_terminal(good, arguments):
    name, *options = arguments
    _, text = on_terminal([name, good, *options])
    assert text and is_quiet(text)


def test_pictures_and_graph_texts_are_escaped_everywhere(good, capfd):
    for arguments in (
        ["dump", "--stage", "tree"],
        ["dump", "--stage", "graph"],
        ["graph"],
        ["graph", "--format", "html"],
    ):
        assert main([arguments[0], good, *arguments[1:]]) == 0
        out, err = capfd.readouterr()
        assert out and is_quiet(out) and is_quiet(err)


@pytest.mark.parametrize(
    "arguments",
    [["check", f"{EVIL}.tfg"], ["run", EVIL], ["run", "good.tfg", EVIL], ["run", "good.tfg", "--engine", EVIL], ["fmt", EVIL], [EVIL],
     ["run", "good.tfg", f"--{EVIL}"], ["ops", EVIL], ["ops", f"raw.{EVIL}"], ["run", "good.tfg", "--set", EVIL], ["run", "good.tfg", "--set", f"{EVIL}=1"],
     ["run", "good.tfg", "--data", f"{EVIL}={EVIL}"], ["run", "good.tfg", "--config", EVIL], ["eval", "good.tfg", EVIL], ["run", "good.tfg", "--session", EVIL],
     ["graph", "good.tfg", "-o", f"{EVIL}.dot"], ["graph", "good.tfg", "--graph", EVIL], ["check", "good.tfg", "--allow-path", EVIL]],
    ids=range(18),
)  # fmt: skip
def test_messages_of_the_command_line(good, arguments, capfd):
    arguments = [
        argument.replace("\0", "") if arguments[0] == "run" and argument == EVIL else argument for argument in arguments
    ]
    try:
        code = main(arguments)
    except SystemExit as leaving:  # raised by argparse
        code = leaving.code
    out, err = capfd.readouterr()
    assert code in (1, 2) and err and is_quiet(out + err)


def test_cells_and_config_files(here, capfd):
    (here / "x.csv").write_text(f"a,b\n1,{EVIL[:6]}\n")
    (here / "x.tfg").write_text(
        'data d = csv("x.csv")\nparam p = 1\ny = constant(d.features) * p\nsession:\n    print y\n'
    )
    assert main(["run", "x.tfg"]) == 1
    assert is_quiet("".join(capfd.readouterr()))
    (here / "x.yaml").write_text(f'"{LITERAL}": 1\n')
    assert main(["run", "x.tfg", "--config", "x.yaml"]) == 2
    assert is_quiet("".join(capfd.readouterr()))


def test_harmless_text_is_unchanged(here):
    assert visible_lines("a\tb\nç 日本 🙂\n") == "a\tb\nç 日本 🙂\n"
    assert visible_lines("\udcff\udc80 \ud800") == r"\xff\x80 \ud800"  # bytes that are not UTF-8, and half a character


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", "\\xff é".encode()), ("ascii", rb"\xff \xe9")])
def test_what_the_encoding_lacks_is_escaped_on_the_streams(monkeypatch, encoding, written):
    output = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", output)
    open_streams()
    output.write("\udcff é")
    output.flush()
    assert output.buffer.getvalue() == written


# --- contents of files ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    ['csv("secret")', 'csv("secret", target="y")', 'csv("secret", stream=true)', 'npz("secret")', 'parquet("secret")'],
)
def test_files_that_are_not_data_are_not_shown(here, source, capfd):
    (here / "secret").write_text("API_KEY=hunter2secret\nroot:x:0:0:hunter2secret\nother=hunter2secret,1\n")
    (here / "x.tfg").write_text(f"data d = {source}\ny = constant(d.features)\nsession:\n    print y\n")
    assert main(["run", "x.tfg"]) == 1
    said = "".join(capfd.readouterr())
    assert "error[TFG6" in said and "hunter2" not in said


def test_files_that_are_not_config_files_are_not_shown(here, capfd):
    (here / "x.tfg").write_text("param p = 1\ny = constant(p)\nsession:\n    print y\n")
    for text in (
        "API_KEY=hunter2\n",
        "root:x:0:0:hunter2\n",
        "- hunter2\n",
        "[hunter2\n",
        "'hunter2\n",
        "a: b: hunter2\n",
    ):
        (here / "x.yaml").write_text(text)
        assert main(["run", "x.tfg", "--config", "x.yaml"]) == 2
        said = "".join(capfd.readouterr())
        assert "error[TFG80" in said and "hunter2" not in said


def test_files_that_are_not_programs_are_not_imported(here, capfd):
    (here / "secret.env").write_text("API_KEY = hunter2 hunter2\n")
    (here / "x.tfg").write_text('import "secret.env" as s\n')
    assert main(["check", "x.tfg"]) == 1
    said = "".join(capfd.readouterr())
    assert "TFG310" in said and "hunter2" not in said
