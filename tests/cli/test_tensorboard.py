"""`tfdsl tensorboard`: which folder it shows."""

import importlib.util
import os
import socket
import subprocess
import sys

import pytest

from tfdsl.cli import main, tensorboard


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
        assert path == argv[0] == sys.executable and argv[1:3] == ["-m", "tfdsl.cli.quiet_tensorboard"]
        assert importlib.util.find_spec(argv[2]) is not None
        return argv[3:]

    monkeypatch.setattr(tensorboard, "_check_address", lambda host, port: None)
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
    assert main(["tensorboard", "none"]) == 1
    assert (
        "TFG808]: none cannot be read: no such file" in (said := capsys.readouterr().err) and "a run that logs" in said
    )
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["tensorboard", ".", "--host", "localhost", "--port", port]) == 1
    said = capsys.readouterr().err
    assert f"TFG866]: TensorBoard cannot listen at localhost:{port}: address already in use" in said
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["tensorboard", "."]) == 1
    assert "pip install tensorboard" in capsys.readouterr().err


@pytest.mark.long
def test_tensorflow_says_nothing(here):
    """TensorBoard imports TensorFlow, which says more than it does."""
    done = subprocess.run([sys.executable, "-m", "tfdsl.cli.quiet_tensorboard", "--version_tb"], capture_output=True)
    assert done.returncode == 0 and not done.stderr
