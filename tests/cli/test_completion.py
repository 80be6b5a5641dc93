"""Completion in shells: what is proposed, and the scripts in real shells."""

import os
import pty
import re
import select
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tfdsl.cli import COMMANDS, main
from tfdsl.cli.completion import SHELLS, answer, complete
from tfdsl.diagnostics import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """param rate = 0.1
param n = 3
data houses = csv("houses.csv")
placeholder X: float32[n]
graph other:
    variable w = 1.0
session one: print rate
session two on other: print w
"""


@pytest.fixture
def files(here):
    Path("good.tfg").write_text(PROGRAM, encoding="utf-8")
    Path("my programs").mkdir()
    Path("my programs/a b.tfg").write_text("x = 1\n", encoding="utf-8")
    for name in ("houses.csv", "wide.yaml", ".hidden.tfg", "notes.txt"):
        Path(name).write_text("", encoding="utf-8")
    return here


@pytest.mark.parametrize(
    ("line", "kind", "wanted"),
    [
        ("ru", "words", {"run", "runs"}),
        ("", "words", {*COMMANDS, "--help", "--version"}),
        ("--v", "words", {"--version"}),
        ("run --eng", "words", {"--engine"}),
        ("run good.tfg --engine ", "words", {"step", "loop", "xla", "auto"}),
        ("run good.tfg --engine=x", "words", {"--engine=xla"}),
        ("check --format ", "words", {"text", "concise", "json", "github"}),
        ("run ", "paths", {"good.tfg", "my programs/"}),
        ("check good.tfg ", "paths", {"good.tfg", "my programs/"}),
        ("run good.tfg ", "words", set()),
        ("run .h", "paths", {".hidden.tfg"}),
        ("data no", "paths", {"notes.txt"}),
        ("run good.tfg --config ", "paths", {"wide.yaml", "my programs/"}),
        ("run good.tfg --logdir ", "paths", {"my programs/"}),
        ("run good.tfg --set ", "open", {"rate=", "n="}),
        ("run good.tfg --set rate=", "words", set()),
        ("run good.tfg --data ", "open", {"houses="}),
        ("run good.tfg --data houses=h", "paths", {"houses=houses.csv"}),
        ("eval good.tfg --feed ", "open", {"X="}),
        ("run good.tfg --session ", "words", {"one", "two"}),
        ("graph good.tfg --graph o", "words", {"other"}),
        ("lift n", "paths", {"notes.txt"}),
        ("lift notes.txt --drop ", "words", {"dropout", "training", "assert", "summaries"}),
        ("lift notes.txt --drop training,s", "words", {"training,summaries"}),
        ("lift --drop=training,d", "words", {"--drop=training,dropout"}),
        ("lift notes.txt --keep-names ", "words", {"all", "outputs", "none"}),
        ("lift notes.txt --as-variables --ve", "words", {"--verify"}),
        ("lift --as-variables w n", "paths", {"notes.txt"}),
        ("lift --as-variables --verify n", "paths", {"notes.txt"}),
        ("diff good.tfg n", "paths", {"notes.txt"}),
        ("explain TFG2", "words", {one for one in CATALOGUE if one.startswith("TFG2")}),
        ("explain trai", "words", {"train", "trainable", "trainable_variables", "training"}),
        ("explain --resume", "words", {"--resume-anyway"}),
        ("explain predict --o", "words", {"--output", "--only", "--overwrite"}),
        ("ops nn.den", "words", {"nn.dense"}),
        ("new --from lene", "words", {"lenet"}),
        ("completion ", "words", set(SHELLS)),
        ("frobnicate ", "words", set()),
    ],
)
def test_proposals(line, kind, wanted, files):
    found = complete(line.split(" "))
    assert (found[0], set(found[1])) == (kind, wanted)


def test_every_option_is_proposed(files):
    from importlib import import_module

    from tfdsl.cli.parser import CommandParser

    for name in COMMANDS:
        parser = CommandParser()
        import_module(f"tfdsl.cli.{name}").configure(parser)
        shown = {one for action in parser.shown for one in action.option_strings}
        proposed = set(complete([name, "-"])[1])
        assert proposed > shown if name == "explain" else proposed == shown, name


def test_words_have_texts():
    assert complete(["explain", "matmu"])[1] == {"matmul": "an op"}
    assert complete(["che"])[1] == {"check": COMMANDS["check"]}
    assert answer("zsh", ["che"]) == f"words\ncheck\t{COMMANDS['check']}\n"


def test_bash_parts_words_at_equal_signs(files):
    assert answer("bash", ["run", "good.tfg", "--engine", "=", "x"]) == "words\nxla\n"
    assert answer("bash", ["run", "good.tfg", "--data", "houses", "=", "h"]) == "paths\nhouses.csv\n"
    assert answer("bash", ["run", "my\\ pro"]) == "paths\nmy programs\n"


def test_the_script_is_printed(capsys):
    for shell in SHELLS:
        assert main(["completion", shell]) == 0
        assert f"completion --words {shell} -- " in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "tcsh"])


SHELL_COMMANDS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(tfdsl completion bash)"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(tfdsl completion zsh)"),
    "fish": (["fish", "--no-config", "-i"], "tfdsl completion fish | source"),
}


@pytest.mark.long
@pytest.mark.parametrize("shell", [
    pytest.param(one, marks=pytest.mark.skipif(shutil.which(one) is None, reason=f"{one} is not installed"))
    for one in SHELLS
])  # fmt: skip
def test_a_real_shell_completes(shell, files, monkeypatch):
    """A command that prints its arguments stands in for `tfdsl`, unless the shell asks for completions."""
    (files / "bin").mkdir()
    command = files / "bin" / "tfdsl"
    run = f'exec {sys.executable} -m tfdsl "$@"'
    command.write_text(f"#!/bin/sh\n[ $1 = completion ] && {run}\nprintf '<%s>' \"$@\"; echo\n", encoding="utf-8")
    command.chmod(0o755)
    for name, value in (("PATH", f"{files / 'bin'}:{os.environ['PATH']}"), ("PYTHONPATH", str(ROOT)),
                        ("TERM", "dumb"), ("HOME", str(files))):  # fmt: skip
        monkeypatch.setenv(name, value)
    words, setup = SHELL_COMMANDS[shell]
    with Typed(words) as typed:
        typed.line(f"{setup}; tfdsl ready")
        assert typed.arguments() == ["ready"]
        for begun, completed in (
            ("chec", ["check"]),
            ("check --form", ["check", "--format"]),
            ("run go", ["run", "good.tfg"]),
            ("run good.tfg --set ra", ["run", "good.tfg", "--set", "rate="]),
            ("run good.tfg --engine=xl", ["run", "good.tfg", "--engine=xla"]),
            ("run good.tfg --data houses=hou", ["run", "good.tfg", "--data", "houses=houses.csv"]),
            ("explain matmu", ["explain", "matmul"]),
            ("run my", ["run", "my programs/"]),
        ):
            typed.line(f"tfdsl {begun}\t")
            assert typed.arguments() == completed


class Typed:
    """A shell on a terminal, into which a test types."""

    def __init__(self, words):
        self._words, self._said = words, ""

    def __enter__(self):
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            os.execvp(self._words[0], self._words)
        return self

    def __exit__(self, *error):
        os.close(self._terminal)
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)

    def line(self, text):
        os.write(self._terminal, f"{text}\r".encode())

    def arguments(self):
        """The arguments that the command prints next."""
        while (found := re.search(r"((?:<[^<>\r\n]*>)+)\r?\n", self._said)) is None:
            assert select.select([self._terminal], [], [], 60)[0], self._said
            self._said += os.read(self._terminal, 65536).decode(errors="replace")
        self._said = self._said[found.end() :]
        return re.findall("<(.*?)>", found[1])
