"""Asynchronous training on a real cluster: the steps of each worker, and lost processes."""

import os
import re
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import clusters
import pytest
from test_recovery import Client

from tfdsl.cli.workers import RESTARTS, Workers
from tfdsl.diagnostics import TfgError

pytestmark = pytest.mark.loops

# The target of each row is its number, and is counted when it is seen. 23 rows in batches of 4: the last one is short.
COUNTED = """
param epochs = 3
data d = npz("rows.npz")
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = zeros([2, 1])
variable seen = zeros([23])
variable steps = 0
loss = reduce_mean(square(X @ w - 0.1 * y))
loss loss
optimize with gradient_descent(learning_rate=0.01) as learned
count = scatter_add(seen, cast(reshape(y, [-1]), int32), 0.0 * reshape(y, [-1]) + 1.0)
counted = assign_add(steps, 1)
session:
    train epochs epochs on d in batches of 4 ORDER as batch:
        feed X = batch.features, y = batch.target
        every 1 epoch: print "epoch", epoch
        run learned
        run count
        run counted
    print steps
    expect steps == 6 * epochs
    EXPECT
"""
LONG = """
seed 3
data d = moons(200, noise=0.1, seed=1) | standardize
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = zeros([2, 1])
variable b = 0.0
loss = reduce_mean(sigmoid_cross_entropy_with_logits(labels=y, logits=X @ w + b))
loss loss
optimize with momentum(0.9, learning_rate=0.05)
session:
    train 100 epochs on d in batches of 20 as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 20 epochs in "kept"
        every 10 epochs: print "epoch", epoch
    print "loss", loss with X = d.features, y = d.target
    expect loss < 0.32 with X = d.features, y = d.target
"""


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A cluster with 2 ps, for the long tests."""
    with clusters.Cluster(tmp_path_factory.mktemp("cluster"), ps=2, workers=2) as made:
        yield made


@pytest.fixture
def here(tmp_path, monkeypatch):
    import numpy as np

    monkeypatch.chdir(tmp_path)
    rows = np.arange(23, dtype=np.float32)
    np.savez("rows.npz", features=np.stack([rows / 23, rows % 5], 1), target=rows)
    return tmp_path


@pytest.mark.parametrize(
    ("order", "engine"),
    [
        ("shuffled seed 3", "loop"),
        pytest.param("ordered", "step", marks=pytest.mark.long),
        pytest.param("ordered", "loop", marks=pytest.mark.long),
        pytest.param("shuffled seed 3", "step", marks=pytest.mark.long),
    ],
)
def test_one_worker_sees_each_row_once_per_epoch(cluster, here, order, engine):
    text = COUNTED.replace("ORDER", order).replace("EXPECT", "expect most == epochs and least == epochs")
    text = text.replace("session:", "most = reduce_max(seen)\nleast = reduce_min(seen)\nsession:")
    Path("t.tfg").write_text(text)
    done = cluster.run("run", "t.tfg", "--async", "--engine", engine, forks=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "epoch 0\nepoch 1\nepoch 2\n18\n"
    assert "the result differs from run to run" in done.stderr


def test_without_a_cluster_it_is_wrong_use(here):
    Path("t.tfg").write_text(LONG)
    done = clusters.run(clusters.tfdsl("run", "t.tfg", "--async"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "--async needs a cluster" in done.stderr


def test_variables_on_the_workers_are_wrong_use(cluster, here):
    Path("t.tfg").write_text(LONG)
    done = cluster.run("run", "t.tfg", "--async", "--placement", "workers")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--async needs its variables on the parameter servers" in done.stderr


@pytest.mark.long
def test_launch_with_async(here):
    Path("t.tfg").write_text(COUNTED.replace("ORDER", "ordered").replace("EXPECT", ""))
    done = clusters.run(clusters.tfdsl("launch", "t.tfg", "--workers", "3", "--async"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "epoch 0\nepoch 1\nepoch 2\n18\n"


@contextmanager
def running(cluster, *words):
    """A running run that has printed a line."""
    client = Client(cluster, "t.tfg", "--async", *words, forks=True)
    try:
        client.wait_for(r"(?m)^epoch 0$")
        yield client
    finally:
        client.kill()


def assert_is_learnt(client, every=10):
    epochs = [int(line.split()[1]) for line in client.end()[:-1]]
    assert epochs == list(range(0, 100, every)), client.err.read_text()


@pytest.mark.parametrize(
    ("job", "task"),
    [
        pytest.param("ps", 0, marks=pytest.mark.long),
        pytest.param("worker", 1, marks=pytest.mark.long),
        pytest.param("worker", 0, marks=pytest.mark.long),
        pytest.param("ps", 1, marks=pytest.mark.long),
    ],
)
def test_a_server_is_lost(wide, here, job, task):
    Path("t.tfg").write_text(LONG)
    with running(wide) as client:
        if (job, task) == ("worker", 1):
            client.wait_for("worker 1: trains from step")
        wide.restart(job, task)
        assert_is_learnt(client)
        assert f"{job} {task} at " in client.err.read_text()


@pytest.mark.long
def test_a_worker_waits_until_lost_variables_are_restored(wide, here):
    Path("t.tfg").write_text(LONG)
    with running(wide) as client:
        client.signal(signal.SIGSTOP)
        client.wait_for("worker 1: trains from step")
        wide.restart("ps", 1)
        client.wait_for("worker 1: waits until the lost variables are restored")
        client.signal(signal.SIGCONT)
        assert_is_learnt(client)


@pytest.mark.long
def test_variables_are_lost_when_only_one_worker_still_trains(wide, here):
    Path("t.tfg").write_text(LONG.replace("every 10 epochs", "every 1 epoch"))
    with running(wide) as client:
        part = part_of(client)
        client.wait_for("worker 1: trains from step")
        os.kill(part, signal.SIGSTOP)
        client.wait_for(r"(?m)^epoch 99$")
        wide.restart("ps", 1)
        os.kill(part, signal.SIGCONT)
        assert_is_learnt(client, every=1)
        assert "tfdsl: resuming from " in client.err.read_text()


@pytest.mark.long
def test_the_process_of_a_worker_is_killed(wide, here):
    Path("t.tfg").write_text(LONG)
    with running(wide) as client:
        os.kill(part_of(client), signal.SIGKILL)
        assert_is_learnt(client)
        assert "the process of worker 1 was killed; it is restarted" in client.err.read_text()


@pytest.mark.long
def test_a_killed_run_resumes(wide, here):
    Path("t.tfg").write_text(LONG)
    with running(wide) as client:
        part = part_of(client)
        client.wait_for(r"(?m)^epoch 50$")
    for _ in range(200):
        if not Path(f"/proc/{part}").exists():
            break
        time.sleep(0.05)
    done = wide.run("run", "t.tfg", "--async", forks=True)
    assert done.returncode == 0, done.stderr
    found = re.search(r"resuming from step (\d+), (in the memory of the servers|saved in kept)", done.stderr)
    assert int(found[1]) >= 200
    assert done.stdout.splitlines()[0] in ("epoch 20", "epoch 30", "epoch 40", "epoch 50", "epoch 60", "epoch 70")


@pytest.mark.long
def test_the_process_of_a_worker_is_stopped(wide, here):
    Path("t.tfg").write_text(LONG)
    with running(wide, "--timeout", "5") as client:
        part = part_of(client)
        os.kill(part, signal.SIGSTOP)
        assert client.process.wait(300) == 1
        said = client.err.read_text()
        assert "TFG747" in said and "worker 1 has taken no step for 5 seconds" in said
        assert not Path(f"/proc/{part}").exists()


def test_a_failing_worker_ends_the_run(cluster, here):
    # Only the second worker takes the step that fails.
    text = COUNTED.replace("ORDER", "ordered").replace("EXPECT", "")
    text = text.replace("count = scatter_add", "fine = check_numerics(1.0 / (9.0 - reduce_max(y) + 2.0), \"eleven\")\n"
                        "count = scatter_add").replace("run count\n", "run count, fine\n")  # fmt: skip
    Path("t.tfg").write_text(text)
    done = cluster.run("run", "t.tfg", "--async", forks=True)
    assert done.returncode == 1
    assert "eleven" in done.stderr


@pytest.mark.parametrize(("code", "starts"), [(3, 1), (-9, RESTARTS + 1)])
def test_a_process_of_a_worker_that_fails_or_is_killed_too_often(code, starts):
    workers = object.__new__(Workers)
    workers._processes, workers._starts = {1: SimpleNamespace(poll=lambda: code)}, {1: starts}
    with pytest.raises(TfgError) as caught:
        workers.check()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG745"
    assert diagnostic.headline == f"the process of worker 1 has ended with exit code {code}"


def part_of(client) -> int:
    """The process of the other worker of a run."""
    number = client.process.pid
    children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    (child,) = [one for one in children if not Path(f"/proc/{one}/cmdline").read_text().startswith("forks\0")]
    return int(child)
