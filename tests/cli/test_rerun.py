"""`tfdsl run --watch`: a run after each change, in forks of one process that has imported TensorFlow."""

import os
import signal
import sys
import time
from pathlib import Path

import forked
import pytest
from watching import put, until_watching

from tfdsl.access import Access
from tfdsl.cli import main
from tfdsl.runtime.checkpoint.store import CheckpointStore

LONG = """
variable w = 0.0
up = assign_add(w, 1.0)
session:
    train 100000000 steps:
        checkpoint every 1000 steps in "kept"
        run up
"""


@pytest.fixture
def watching(here):
    Path("layers.tfg").write_text("width = 3\n", encoding="utf-8")
    Path("d.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    text = 'import "layers.tfg"\ndata d = csv("d.csv", target="b")\nvariable w = 2.0\n'
    put("p.tfg", text + 'session:\n    print w * layers.width, d.rows\n    save to "w.ckpt"\n')
    command = [sys.executable, "-m", "tfdsl", "run", "--watch", "p.tfg"]
    with forked.Popen(command, stdout=-1, stderr=-2, text=True, bufsize=1, forks=True) as process:
        yield process
        process.kill()


def test_a_change_is_answered_by_a_run(watching):
    assert until_watching(watching).startswith("6.0 1\n")
    put("layers.tfg", "width = 5\n")
    assert until_watching(watching).startswith("10.0 1\n")
    put("d.csv", "a,b\n1,2\n3,4\n")
    assert until_watching(watching).startswith("10.0 2\n")
    put("p.tfg", "session:\n    print unknown\n")
    assert "error[TFG301]" in until_watching(watching)
    put("p.tfg", "session:\n    print 7\n")
    assert until_watching(watching).startswith("7\n")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == 130


def test_a_change_stops_the_run_at_its_step(watching):
    until_watching(watching)
    put("p.tfg", LONG)
    wait_for(lambda: os.path.isdir("kept") and any("-step-" in name for name in os.listdir("kept")))
    put("p.tfg", "session:\n    print 7\n")
    said = until_watching(watching)
    assert "the program has changed: stopping this run" in said and "tfdsl: interrupted" in said
    assert said.splitlines()[-2] == "7" and any("-step-" in name for name in os.listdir("kept"))


@pytest.mark.long
def test_the_run_ends_with_its_watcher(watching):
    until_watching(watching)
    put("p.tfg", LONG)
    wait_for(lambda: os.path.isdir("kept") and any("-step-" in name for name in os.listdir("kept")))
    watching.send_signal(signal.SIGTERM)
    assert watching.wait(60) == 143
    CheckpointStore("kept", Access("p.tfg")).close()  # it would be locked


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()


@pytest.mark.parametrize("option", ["--verify-resume", "--async"])
def test_what_cannot_be_watched(here, capsys, option):
    put("p.tfg", "session:\n    print 1\n")
    assert main(["run", "--watch", option, "p.tfg"]) == 2
    assert f"--watch cannot be combined with {option}" in capsys.readouterr().err
