"""Trainings survive: a short form of each kind in `benchmarks/survival`, in a separate process that may fork."""

import json
import os
import sys
from pathlib import Path

import forked
import pytest
from conftest import some

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77

pytestmark = [
    pytest.mark.loops,
    pytest.mark.skipif(sys.platform != "linux", reason="the faults are made by means of Linux"),
]


def started(arguments, tmp_path, before=""):
    """A kind, run with arguments. `before` is executed first in its process."""
    kind, *rest = arguments
    code = f"import runpy\n{before}\nrunpy.run_module('benchmarks.survival.{kind}', run_name='__main__')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *rest, "--json", str(tmp_path / "figures.json")]
    starts = kind in ("tworuns", "clusters")  # they start processes; others fork themselves
    done = forked.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, forks=starts)
    if done.returncode == SKIPPED:
        pytest.skip(done.stdout.strip())
    return done


def figures(tmp_path, *arguments):
    done = started(arguments, tmp_path)
    assert done.returncode == 0, done.stderr
    return json.loads((tmp_path / "figures.json").read_text())


@pytest.mark.parametrize(("count", "models", "engines"), some(
    [(1, ["dropout"], ["loop"]), (2, ["dropout", "embedding-momentum"], ["step", "loop"])], [(1, ["dropout"], ["loop"])]
))  # fmt: skip
def test_kills(tmp_path, count, models, engines):
    found = figures(tmp_path, "kills", "--count", str(count), "--models", *models, "--engines", *engines)
    assert found["kills"] == count
    assert found["trainings"] == found["trainings that ended with the same bits"] > 0


@pytest.mark.parametrize(("count", "options"), some(
    [(1, ["--models", "best", "--engines", "loop"]), (40, [])], []
))  # fmt: skip
def test_kills_of_sessions(count, options, tmp_path):
    """With values, best values, branches and written files."""
    found = figures(tmp_path, "statements", "--count", str(count), *options)
    assert found["kills"] == count and found["files compared"] > 5
    assert found["trainings"] == found["trainings that ended with the same bits"] > 0


@pytest.mark.long
def test_a_kill_after_a_system_call(tmp_path):
    found = figures(tmp_path, "syscalls", "--count", "1")
    assert found["kills in a checkpoint"] == found["kills in a save to"] == 1
    assert found["system calls of a checkpoint"] > 30


@pytest.mark.long
def test_power_cuts(tmp_path):
    found = figures(tmp_path, "powercuts", "--count", "1")
    assert (found["power cuts"], found["lost"]) == (1, 0)


@pytest.mark.long
def test_power_cuts_without_fsync_lose_checkpoints(tmp_path):
    assert figures(tmp_path, "powercuts", "--count", "2", "--no-fsync")["lost"] > 0


def test_damaged_files(tmp_path):
    found = figures(tmp_path, "flips", "--count", "150")
    assert found["trials"] == 150
    assert found["removed"] > 0 and found["bit flipped"] > 25 and found["through whole runs"] > 0


@pytest.mark.long
@pytest.mark.parametrize("disks", some([["limit"], ["limit", "tmpfs", "ext4"]], [["limit"]]))
def test_full_disks_and_unwritable_folders(tmp_path, disks):
    found = figures(tmp_path, "diskfull", "--count", "262144", "--disks", *disks)
    assert found["times full"] == found["resumed"] >= 3
    assert found["faults of folders"] >= 4


# `test_checkpoint_files.py` has one refusal of a second run, and one curve after kills.
@pytest.mark.long
def test_two_runs(tmp_path):
    found = figures(tmp_path, "tworuns", "--count", "1")
    assert found["refused"] == 2
    assert found["races"] == 1


@pytest.mark.long
def test_events(tmp_path):
    found = figures(tmp_path, "events", "--count", "1")
    assert found["kills"] == 1
    assert (found["records lost, at most"], found["points doubled, at most"]) == (0, 0)
    assert found["trainings"] == found["curves that are right (slow)"] == found["curves that are right (plugin)"]


BROKEN = {
    "nothing is restored": (
        ["kills", "--count", "2", "--models", "momentum", "--seed", "3"],
        "from tfdsl.runtime.execution.savers import Savers; Savers.read = lambda *arguments: None",
        "instead of",
    ),
    "the values of the session are forgotten": (
        ["statements", "--count", "4", "--models", "branches-each"],
        "from tfdsl.runtime import session; session.restore_kept = lambda *arguments: None",
        "branches-each on step",
    ),
    "no checksum is verified": (
        ["flips", "--count", "50"],
        "from tfdsl.runtime.files import atomic_files; from tfdsl.runtime.checkpoint import store; "
        "atomic_files.verify = store.verify = lambda *arguments: None",
        "it is treated as complete",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("broken", BROKEN)
def test_broken_code_is_detected(tmp_path, broken):
    arguments, before, told = BROKEN[broken]
    done = started(arguments, tmp_path, before)
    assert done.returncode == 1, done.stderr
    assert told in done.stderr


@pytest.mark.long
def test_clusters(tmp_path):
    found = figures(tmp_path, "clusters", "--count", "2", "--ps", "1", "--models", "adam")
    assert found["kills"] == 2
    assert found["trainings"] == found["trainings that ended right"] > 0
