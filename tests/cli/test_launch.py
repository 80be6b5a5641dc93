"""`tfdsl launch`: a program on processes of this machine. Their output, restarts, and that all of them end."""

import os
import pty
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import clusters
import forked
import pytest
from conftest import some

from tfdsl.cli import main
from tfdsl.cli.launch import RESTARTS

TRAINING = """
seed 1
param rate = 0.1
param text = "x"
data d = moons(64, seed=1)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = random_normal([2, 1], seed=1)
variable b = zeros([1])
loss = reduce_mean(square(X @ w + b - y))
loss loss
optimize with momentum(0.9, learning_rate=rate)
session:
    train 8 epochs on d in batches of 7 as batch:
        feed X = batch.features, y = batch.target
        every 2 epochs: print text, epoch, loss
    print w, b
    expect rate < 0.3
"""
ENDLESS = """
variable count = 0
counted = assign_add(count, 1)
session:
    train 1_000_000_000 steps:
        checkpoint every 1_000_000 steps in "kept"
        every 500 steps: print step
        run counted
"""


@pytest.fixture
def training(here):
    (here / "t.tfg").write_text(TRAINING)
    (here / "c.yaml").write_text("params: {rate: 0.2, text: y}")
    return "t.tfg"


@pytest.fixture
def endless(here):
    (here / "e.tfg").write_text(ENDLESS)
    running = []

    def start(*words, start=forked.Popen, **options):
        process = start(
            clusters.tfdsl("launch", "e.tfg", *words), env=clusters.environment() | {"TMPDIR": str(here)}, **options,
            stdout=subprocess.PIPE, stderr=open("err", "w"), text=True,  # noqa: SIM115
        )  # fmt: skip
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def children(launch):
    """The processes of a launch: their ids by name, such as `run` or `worker 1`."""
    found = {}
    for task in Path(f"/proc/{launch.pid}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            except OSError:  # it has ended
                continue
            if "tfdsl.cli.child" in words:
                is_server = "server" in words
                name = f"{words[words.index('--job') + 1]} {words[words.index('--task') + 1]}" if is_server else "run"
                found[name] = int(child)
    return found


def is_there(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def until(holds, what, seconds=240):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def said():
    return Path("err").read_text()


@pytest.mark.long
def test_standard_output_equals_that_of_a_run_and_standard_error_has_a_progress_bar(training):
    words = [training, "--config", "c.yaml", "--set", "text=z"]
    wanted = clusters.run(clusters.tfdsl("run", *words, "--towers", "2"))
    assert wanted.returncode == 0, wanted.stderr
    ours, theirs = pty.openpty()
    launch = forked.Popen(
        clusters.tfdsl("launch", "--ps=1", *words, "--workers", "2"), env=clusters.environment(), forks=True,
        stdout=subprocess.PIPE, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = []

    def read():
        try:
            while data := os.read(ours, 1 << 16):
                shown.append(data)
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    out = launch.communicate(timeout=600)[0]
    reader.join()
    os.close(ours)
    err = b"".join(shown).decode()
    assert launch.returncode == 0, err
    assert out == wanted.stdout.encode()
    assert out.startswith(b"z 0 ")
    assert "tfdsl: ps 0, worker 0, worker 1 listen" in err
    assert err.count("[TFG914]") == 1
    assert re.search(r"training.*steps", err)
    assert "Traceback" not in err


@pytest.mark.long
def test_a_failing_run_and_passed_options(training):
    words = ["--ps", "2", "--workers=1", "--json", "--quiet", "--set", "rate=0.5"]
    done = clusters.run(clusters.tfdsl("launch", training, *words), forks=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[TFG703]: expected rate < 0.3"), done.stderr
    assert "TFG914" not in done.stderr


@pytest.mark.long
def test_an_ended_server_restarts_and_an_interrupted_run_saves_its_state(endless):
    launch = endless(forks=True)
    assert launch.stdout.readline() == "0\n", said()
    before = children(launch)
    assert set(before) == {"run", "ps 0", "worker 0", "worker 1"}
    os.kill(before["ps 0"], signal.SIGKILL)
    until(lambda: "tfdsl: ps 0 was killed by SIGKILL: it is restarted (1 of 3)\n" in said(), "a note")
    until(lambda: "ps 0" in children(launch), "a new server")
    assert children(launch)["ps 0"] != before["ps 0"]
    until(lambda: "tfdsl: resuming from " in said(), "the run resumes")
    until(lambda: int(launch.stdout.readline()) >= 2_000, "steps")
    every = children(launch)
    launch.send_signal(signal.SIGTERM)
    launch.communicate(timeout=600)
    assert launch.returncode == 143
    assert "tfdsl: interrupted\n" in said()
    assert any(Path("kept").iterdir())
    assert not any(map(is_there, every.values()))
    assert "Traceback" not in said()


@pytest.mark.long
def test_restarts_of_a_server_are_limited_and_a_second_signal_ends_all(endless):
    launch = endless("--quiet", forks=True)
    assert launch.stdout.readline() == "0\n", said()
    os.kill(children(launch)["run"], signal.SIGSTOP)  # it would train all the time, and end at the first signal
    for number in range(1, RESTARTS + 2):
        pid = children(launch)["worker 1"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: said().count("tfdsl: worker 1 was killed") == number, "a note")  # noqa: B023
        if number <= RESTARTS:
            until(lambda: children(launch).get("worker 1", pid) != pid, "a new server")  # noqa: B023
    assert "tfdsl: worker 1 was killed by SIGKILL, for the 4th time: it is not restarted\n" in said()
    every = children(launch)
    assert set(every) == {"run", "ps 0", "worker 0"}
    launch.send_signal(signal.SIGINT)
    time.sleep(0.5)
    if launch.poll() is None:  # it still waits for the run
        launch.send_signal(signal.SIGINT)
    assert launch.wait(120) == 130
    assert not any(map(is_there, every.values()))


@pytest.mark.parametrize("options", some([{"forks": True}, {"start": subprocess.Popen}], [{"forks": True}]), ids=str)
def test_nothing_outlives_a_killed_launch(endless, options):
    launch = endless("--quiet", **options)
    assert launch.stdout.readline() == "0\n", said()
    every = children(launch)
    assert set(every) == {"run", "ps 0", "worker 0", "worker 1"}
    launch.kill()
    until(lambda: not any(map(is_there, every.values())), "children that end")


def test_an_interrupt_while_the_servers_start(endless):
    launch = endless(forks=True)
    until(lambda: "ps 0" in children(launch), "a server")
    every = children(launch)
    launch.send_signal(signal.SIGINT)
    assert launch.wait(120) == 130
    assert not any(map(is_there, every.values()))
    assert "Traceback" not in said()


def test_a_server_fails_to_start(here):
    (here / "p.tfg").write_text("session:\n    print 1\n")
    (here / "tensorflow.py").write_text('raise ImportError("it is broken here")\n')
    environment = clusters.environment()
    environment["PYTHONPATH"] += os.pathsep + str(here)
    done = subprocess.run(
        clusters.tfdsl("launch", "p.tfg", "--workers", "1"), env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(r"^(ps|worker) \d \| error\[TFG899\].*it is broken here", done.stderr, re.MULTILINE), done.stderr
    assert re.search(r"^error\[TFG861\]: (ps|worker) \d has ended with exit code 1", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words, code, found", [
    (["wrong.tfg"], 1, "error[TFG301]"),
    (["none.tfg"], 1, "error[TFG808]"),
    (["t.tfg", "--config", "cluster.yaml"], 2, "launch makes its own cluster"),
    (["t.tfg", "--set", "rat=1"], 2, "error[TFG803]"),
    (["t.tfg", "--ps", "0"], 2, "'0' is not a whole number from 1 to 100"),
    (["t.tfg", "--workers", "101"], 2, "'101' is not a whole number from 1 to 100"),
    (["t.tfg", "--worker", "2"], 2, "there is no option --worker"),
])  # fmt: skip
def test_errors_are_reported_before_anything_starts(training, capsys, monkeypatch, words, code, found):
    Path("wrong.tfg").write_text("x = y\n")
    Path("cluster.yaml").write_text('cluster: {ps: ["a:1"], worker: ["b:1"]}')
    monkeypatch.setattr(subprocess, "Popen", None)
    try:
        ended = main(["launch", *words])
    except SystemExit as error:
        ended = error.code
    assert ended == code
    assert found in capsys.readouterr().err
