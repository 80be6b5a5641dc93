"""`tfdsl run` as a process: output streams, exit codes, and Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import forked
import pytest
from conftest import some
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

ENDLESS = """
seed 1
param steps = 1_000_000_000
variable w = random_normal([3])
variable count = 0
counted = assign_add(count, 1)
optimize reduce_sum(square(w)) with adam as shrink
summary scalar count as "count"
session:
    log to "logs"
    train steps steps:
        checkpoint every 1_000_000 steps in "kept"
        every 1 step: log
        every 5 steps: print step, count
        run shrink
        run counted
    print "end", count
"""


def command(*arguments):
    return [sys.executable, "-m", "tfdsl", "run", *arguments]


def environment():
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": root}


def run(folder, *arguments):
    return forked.run(command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True, timeout=300)


def start(folder, *arguments):
    """A run in the background. Its lines are read as they come."""
    return forked.Popen(
        command(*arguments), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip


def logged(folder):
    events = EventAccumulator(str(folder / "logs"), {"scalars": 0})
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars("count")]


def kept_step(folder):
    """The step of the newest checkpoint."""
    return int(max(path.name for path in folder.iterdir()).rpartition("-")[2])


def interrupted(folder, number, code):
    """The lines of a run that gets a signal after its first line, and its standard error."""
    process = start(folder, "endless.tfg")
    first = process.stdout.readline()
    process.send_signal(number)
    rest, said = process.stdout.read(), process.stderr.read()
    process.wait(timeout=300)
    assert process.returncode == code, said
    return [first, *rest.splitlines(keepends=True)], said


@pytest.mark.parametrize(("number", "code"), some(
    [(signal.SIGINT, 130), (signal.SIGTERM, 143)], [(signal.SIGINT, 130)]
))  # fmt: skip
def test_ctrl_c_and_resuming(tmp_path, number, code):
    (tmp_path / "endless.tfg").write_text(ENDLESS)
    lines, said = interrupted(tmp_path, number, code)
    position = kept_step(tmp_path / "kept")
    assert said == f"tfdsl: saved step {position} in kept: the next run resumes from there\ntfdsl: interrupted\n"
    assert lines == [f"{step} {step}\n" for step in range(0, 5 * len(lines), 5)]
    assert logged(tmp_path) == [(step, step) for step in range(position)]

    # The next run says where it resumes, and no line is missing or repeated.
    more, said = interrupted(tmp_path, number, code)
    assert said.startswith(f"tfdsl: resuming from step {position}, saved in kept\ntfdsl: saved step ")
    lines += more
    assert lines == [f"{step} {step}\n" for step in range(0, 5 * len(lines), 5)]
    position = kept_step(tmp_path / "kept")
    assert logged(tmp_path) == [(step, step) for step in range(position)]

    # --fresh starts over, even with another param, and runs to the end.
    fresh = run(tmp_path, "endless.tfg", "--set", "steps=7", "--fresh")
    assert (fresh.returncode, fresh.stdout, fresh.stderr) == (0, "0 0\n5 5\nend 7\n", "")
    assert not (tmp_path / "kept").exists()
    assert logged(tmp_path) == [(step, step) for step in range(7)]


def test_a_failing_expectation(tmp_path):
    text = "variable x = 3\nvariable y = 4\nf = x*x*y + y + 2\nsession:\n    print f\n    expect f == 43\n"
    (tmp_path / "basics.tfg").write_text(text)
    result = run(tmp_path, "basics.tfg")
    assert (result.returncode, result.stdout) == (1, "42\n")
    assert result.stderr.startswith("""\
error[TFG703]: expected f == 43
 --> basics.tfg:6:5
  |
6 |     expect f == 43
  |     ^^^^^^^^^^^^^^
  = f is 42
""")


def test_a_process_that_exits_at_once_has_written_everything(tmp_path):
    (tmp_path / "p.tfg").write_text("variable x = 3.0\nsession:\n    print x\n    expect x == 4.0\n", encoding="utf-8")
    made = run(tmp_path, "p.tfg")
    assert (made.returncode, made.stdout) == (1, "3.0\n")
    assert "TFG703" in made.stderr


def test_towers_have_a_limit(here, capsys):
    from tfdsl.cli import main

    (here / "t.tfg").write_text("variable x = 1\nsession:\n    print x\n")
    assert main(["run", "t.tfg", "--towers", "101"]) == 2
    assert capsys.readouterr().err == "tfdsl: --towers is at most 100: each is a copy of what an optimizer computes\n"
