"""Clients and servers of a cluster lost at a chosen moment. `benchmarks/survival/clusters.py` tests the other
moments."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import clusters
import forked
import pytest

from tfdsl.diagnostics import TfgError
from tfdsl.runtime.cluster.recovery import Recovery
from tfdsl.runtime.execution.cluster_session import Lost
from tfdsl.runtime.execution.journal import EffectJournal, Place

pytestmark = pytest.mark.loops

_Found = TypeVar("_Found")
TRAINING = """
seed 3
param kind = 1.0
data d = moons(200, noise=0.1, seed=1)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable v = random_normal([2, 4])
variable w = random_normal([4, 1])
mse = reduce_mean(square(tanh(dropout(X, rate=0.1) @ v) @ w - y))
loss mse
optimize with adam(learning_rate=0.01)
summary scalar mse as "MSE"
session:
    log to "logs"
    train 40 epochs on d in batches of 33 as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 10 epochs in "kept"
        every 1 steps: log
        every 2 steps: print "step", step, mse
    print v, w
"""
# No snapshot is possible before the loop is over, which takes a second or two.
STATEMENTS = """
variable w = 3.0
summary scalar w as "w"
i = constant(0)
while i < 200000:
    i = i + 1
session:
    log to "logs"
    log
    print "begins", w
    print "ends", i
    print "after", w
"""


class Client:
    """A `tfdsl run` on a cluster."""

    def __init__(self, cluster, name: str, *words: str, forks: bool = False):
        self.out, self.err = Path("stdout"), Path("stderr")
        command = clusters.tfdsl("run", name, "--config", cluster.config, "--timeout", "120", *words)
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = forked.Popen(command, env=clusters.environment(), stdout=out, stderr=err, forks=forks)

    def wait_for(self, pattern: str) -> re.Match:
        """Wait until it has printed something."""
        return self.wait_until(lambda: re.search(pattern, self.out.read_text() + self.err.read_text()))

    def wait_until(self, found: Callable[[], _Found | None]) -> _Found:
        """Wait until something is found."""
        end = time.monotonic() + 300
        while True:
            one = found()
            if one:
                return one
            assert self.process.poll() is None and time.monotonic() < end, self.err.read_text()
            time.sleep(0.001)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> list[str]:
        """Its output, after it has ended."""
        assert self.process.wait(300) == 0, self.err.read_text()
        return self.out.read_text().splitlines()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def training(here):
    Path("t.tfg").write_text(TRAINING)
    return "t.tfg"


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """The lines and logs of the undisturbed training."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "t.tfg").write_text(TRAINING)
    done = clusters.run(clusters.tfdsl("run", "t.tfg", "--towers", "2"), cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), curve(folder / "logs")


def curve(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    loaded = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    loaded.Reload()
    return [(tag, event.step, event.value) for tag in loaded.Tags()["scalars"] for event in loaded.Scalars(tag)]


def lines_from(wanted, step):
    return wanted[next(at for at, line in enumerate(wanted) if int(line.split()[1]) >= step) :]


@pytest.mark.long
def test_a_server_that_restarted_during_a_pause(cluster, training, wanted):
    client = Client(cluster, training, "--engine", "step")
    client.wait_for("step 60 ")
    client.signal(signal.SIGSTOP)  # no call is running, or none that fails
    cluster.restart("ps", 0)
    client.signal(signal.SIGCONT)
    assert client.end() == wanted[0]
    assert curve("logs") == wanted[1]
    assert "with the client's snapshot" in client.err.read_text()


@pytest.mark.long
@pytest.mark.parametrize(
    "who",
    [
        ("ps", 0),
        pytest.param(("worker", 0), marks=pytest.mark.long),
        pytest.param(("worker", 1), marks=pytest.mark.long),
    ],
)
def test_a_server_is_lost_while_a_client_resumes(cluster, training, wanted, who):
    client = Client(cluster, training, "--engine", "step")
    client.wait_for("step 60 ")
    client.kill()
    client = Client(cluster, training, "--engine", "step")
    step = int(client.wait_for(r"resuming from step (\d+), in the memory of the servers")[1])
    client.signal(signal.SIGSTOP)  # it has read the server's snapshot, and not written a new one
    cluster.restart(*who)
    client.signal(signal.SIGCONT)
    assert client.end() == lines_from(wanted[0], step)
    assert curve("logs") == wanted[1]


@pytest.mark.long
def test_an_incomplete_server_snapshot_is_not_used(tmp_path, training, wanted):
    with clusters.Cluster(tmp_path, ps=2) as cluster:
        client = Client(cluster, training, "--engine", "step")
        client.wait_for("step 60 ")
        client.kill()
        cluster.restart("ps", 1)  # the other server has the description of the copies
        client = Client(cluster, training, "--engine", "step")
        step = int(client.wait_for(r"resuming from step (\d+), saved in kept")[1])
        assert client.end() == lines_from(wanted[0], step)
        assert curve("logs") == wanted[1]


@pytest.mark.long
def test_variables_left_on_the_servers_by_another_program(cluster, training, wanted):
    Path("other.tfg").write_text(TRAINING.replace("w = random_normal([4, 1])", "w = cast(random_normal([4, 1]), float64)")
                                 .replace("@ w", "@ cast(w, float32)").replace('"kept"', '"others"'))  # fmt: skip
    client = Client(cluster, "other.tfg", "--engine", "step")
    client.wait_for("step 60 ")
    client.kill()
    client = Client(cluster, training, "--logdir", "mine")
    assert client.end() == wanted[0]


def test_a_server_that_is_lost_repeatedly(monkeypatch):
    def lose(*_):
        raise Lost([("ps", 1)], was_late=False)

    monkeypatch.setattr(Recovery, "_reopen", lose)
    plan = SimpleNamespace(body=(), initialise=True)
    recovery = Recovery(SimpleNamespace(plan=plan), servers=None)
    with pytest.raises(TfgError) as caught:
        recovery.recover(Lost([("ps", 1)], was_late=False))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.headline.partition(" lost")[0]) == ("TFG742", "ps 1 was")


def test_the_journal_knows_what_is_done():
    tick, line, other = object(), object(), object()
    once = EffectJournal()
    assert all(once.is_new(Place(1, step), line) for step in range(3))
    assert once.is_new(Place(1, 2), tick)
    assert not once.is_new(Place(1, 1), other)  # a part runs again in which another `every` is due
    assert not once.is_new(Place(1, 2), line)
    assert once.is_new(Place(1, 2), other)
    assert not once.is_new(Place(1, 2), tick)
    assert once.is_new(Place(2, 0), line)


@pytest.mark.long
@pytest.mark.parametrize("who", [("ps", 0), ("worker", 0)])
def test_a_restarted_session_continues_its_log(cluster, here, who):
    Path("t.tfg").write_text(STATEMENTS)
    client = Client(cluster, "t.tfg")
    client.wait_for("begins")
    cluster.kill(*who)
    client.wait_for("is lost")
    cluster.start(*who)
    assert client.end() == ["begins 3.0", "ends 200000", "after 3.0"]
    assert curve("logs") == [("w", 0, 3.0)]
    assert len(list(Path("logs").glob("*.tfevents.*"))) == 1


def test_waiting_can_be_interrupted(cluster, training):
    cluster.stop("ps", 0)
    client = Client(cluster, training, "--timeout", "600")
    client.wait_for("waiting for ps 0")
    client.signal(signal.SIGINT)
    assert client.process.wait(300) == 130
    assert client.err.read_text().endswith("tfdsl: interrupted\n")
