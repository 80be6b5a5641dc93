"""`tfdsl tensorboard`: which folder it shows."""

import importlib.util
import os
import sys

import pytest

from tfdsl.cli import main


@pytest.fixture
def started(here, monkeypatch, capsys):
    """The words that TensorBoard is started with."""
    words = []

    def execute(path, argv, environment):
        words.append([path, *argv])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", execute)

    def command(*arguments):
        words.clear()
        with pytest.raises(SystemExit):
            main(["tensorboard", *arguments])
        ((path, *argv),) = words
        assert path == argv[0] == sys.executable and argv[1:3] == ["-m", "tensorboard.main"]
        assert importlib.util.find_spec("tensorboard.main") is not None
        return argv[3:]

    return command


@pytest.mark.parametrize(
    ("sessions", "folder"),
    [
        (['"tf_logs/a-{now}"'], "tf_logs"), (['"logs"'], "logs"), (['"logs/{name}/{now}"'], "logs/x"), (['"{now}"'], "."),
        (['"logs/a"', '"logs/b/c"'], "logs"), (['"a"', '"b"'], "."),
    ],
)  # fmt: skip
def test_the_folder_of_a_program(started, here, sessions, folder):
    body = "".join(f"session s{n}:\n    log to {path}\n    log w\n" for n, path in enumerate(sessions))
    (here / "p.tfg").write_text(f'param name = "x"\nvariable w = 1.0\nsummary scalar w as "w"\n{body}')
    assert started("p.tfg", "--port", "7000") == ["--logdir", folder, "--port", "7000", "--host", "localhost"]


def test_folders(started, here):
    (here / "logs").mkdir()
    assert started("logs")[1] == "logs" and started()[1] == "."


def test_what_cannot_be_shown(here, capsys, monkeypatch):
    (here / "p.tfg").write_text("variable w = 1.0\nsession: print w\n")
    assert main(["tensorboard", "p.tfg"]) == 2 and "does not log" in capsys.readouterr().err
    assert main(["tensorboard", "none"]) == 2 and "there is no folder 'none'" in capsys.readouterr().err
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["tensorboard", "."]) == 2
    assert "pip install tensorboard" in capsys.readouterr().err
