"""`tfdsl run FILE --verify-resume`: it trains, is killed, resumes in a new process and compares; and it can fail."""

import json
import os
import sys
from pathlib import Path

import forked
import pytest

MODEL = """import nn
seed 5
data points = moons(60, noise=0.1, seed=3)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = random_normal([2, 1])
hidden = nn.dropout(nn.batch_norm(X), rate=0.3)
mse = reduce_mean(square(X @ w - y))
optimize reduce_mean(square(hidden @ w - y)) with adam
summary scalar mse as "MSE"
session:
    log to "logs/{now}"
    train 10 epochs on points in batches of 16 as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 7 steps in "one"
        every 2 steps: log
        every 5 steps: print step, w[0]
    print "between"
    train 30 steps on points in batches of 8 sampled as batch with engine="step":
        feed X = batch.features, y = batch.target
        checkpoint every 4 steps in "two"
        every 3 steps: print step, w[1]
    save to "end.ckpt"
"""
HIDDEN = """
variable w = [0.0]
noise = raw.ParameterizedTruncatedNormal(shape=[1], means=0.0, stdevs=1.0, minvals=-2.0, maxvals=2.0, seed=1, seed2=2)
more = assign_add(w, noise)
session:
    train 20 steps:
        checkpoint every 4 steps in "kept"
        run more
        print w
"""


def verify(folder, text, *arguments):
    (folder / "model.tfg").write_text(text, encoding="utf-8")
    root = str(Path(__file__).resolve().parents[2])
    return forked.run(
        [sys.executable, "-m", "tfdsl", "run", "model.tfg", "--verify-resume", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, timeout=600, forks=True,
    )  # fmt: skip


@pytest.mark.long
def test_two_trainings_with_dropout(tmp_path):
    made = verify(tmp_path, MODEL, "--json")
    assert made.returncode == 0, made.stderr
    report = json.loads(made.stdout)
    assert report["exact"] is True
    assert report["differences"] == []
    one, two = report["killed"]
    assert (one["line"], one["of"]) == (15, 40)
    assert 20 <= one["killed"] < 40
    assert 0 < one["resumed"] <= one["killed"]
    assert one["resumed"] % 7 == 0
    assert (two["line"], two["of"], two["resumed"] % 4) == (21, 30, 0)
    assert report["lines"] == 8 + 1 + 10
    assert report["points"] == 20
    assert report["variables"] >= 3
    # Nothing was written here.
    assert [path.name for path in tmp_path.iterdir()] == ["model.tfg"]


def test_a_state_that_cannot_be_saved_is_detected(tmp_path):
    made = verify(tmp_path, HIDDEN)
    assert made.returncode == 1
    assert "differs: variable w at the end of session 1" in made.stdout
    assert "differs: the printed lines after it resumed" in made.stdout
    assert "resumes exactly" not in made.stdout


def test_a_program_without_checkpoints(tmp_path):
    made = verify(tmp_path, "variable w = 0\nsession: print w\n")
    assert made.returncode == 1
    assert made.stdout == ""
    assert made.stderr.startswith("error[TFG815]: model.tfg has no training with checkpoints")


@pytest.mark.long
def test_a_checkpoint_that_is_never_due(tmp_path):
    made = verify(tmp_path, HIDDEN.replace("every 4 steps", "every 50 steps"))
    assert made.returncode == 1
    assert made.stdout == "differs: the checkpoint of line 7 is never saved during the training\n"


def test_a_failing_program(tmp_path):
    made = verify(tmp_path, HIDDEN.replace("        print w", "        print w\n        expect w < -100.0"))
    assert made.returncode == 1
    assert "error[TFG703]: expected w < -100.0" in made.stderr


@pytest.mark.long
def test_restored_files_are_available(tmp_path):
    (tmp_path / "first.tfg").write_text('variable w = [3.0]\nsession: save to "start.ckpt"\n', encoding="utf-8")
    forked.run([sys.executable, "-m", "tfdsl", "run", "first.tfg"], cwd=tmp_path, check=True)
    text = HIDDEN.replace("session:\n", 'session:\n    restore from "start.ckpt"\n').replace("noise)", "[0.5])", 1)
    made = verify(tmp_path, text)
    assert made.returncode == 0, made.stdout + made.stderr
    first, last = made.stdout.splitlines()
    assert first.startswith("line 8: killed at step ")
    assert last == "model.tfg resumes exactly: the same bits in 1 variable, 20 lines"
    assert made.stderr == ""
