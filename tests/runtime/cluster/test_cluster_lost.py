"""One loss in each engine: a server, the client, both; and a frozen server. The results are the same to the bit.

`test_recovery.py` tests harder moments, `benchmarks/survival/clusters.py` random ones.
"""

import signal
from functools import cache
from pathlib import Path

import clusters
import pytest
from client import same
from conftest import some
from test_cluster import checkpoints
from test_recovery import Client

pytestmark = pytest.mark.loops

# Long enough in the engine `loop` that the training still runs after the first lines.
TRAINING = """
seed 3
data d = moons(100, noise=0.1, seed=1)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = random_normal([2, 4])
variable v = random_normal([4, 1])
mse = reduce_mean(square(tanh(dropout(X, rate=0.1) @ w) @ v - y))
loss mse
optimize with adam(learning_rate=0.001)
session:
    before = evaluate mse on d in batches of 40 as b with X = b.features, y = b.target
    least = before
    train {epochs} epochs on d in batches of 33 as batch:
        feed X = batch.features, y = batch.target
        checkpoint every {every} epochs in "kept"
        every {every} steps:
            least = minimum(least, mse)
            print step, mse, least
    save to "end"
    print w, before, least
"""
ENGINES = {"loop": {"epochs": 120, "every": 30}, "step": {"epochs": 50, "every": 10}}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What an engine prints and saves if nothing is lost."""

    @cache
    def of(engine):
        folder = tmp_path_factory.mktemp(engine)
        (folder / "t.tfg").write_text(TRAINING.format(**ENGINES[engine]))
        done = clusters.run(clusters.tfdsl("run", "t.tfg", "--towers", "2", "--engine", engine), cwd=folder)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines(), checkpoints(folder)

    return of


@pytest.fixture
def training(request, here, cluster, undisturbed):
    """A function that starts a client, with one in the middle of its training, and the expected results."""
    engine, clients = request.param, []
    Path("t.tfg").write_text(TRAINING.format(**ENGINES[engine]))

    def start(*words, until=rf"(?m)^{20 * ENGINES[engine]['every'] // 4} "):
        clients.append(Client(cluster, "t.tfg", "--engine", engine, *words))
        if until:
            clients[-1].wait_for(until)
        return clients[-1]

    yield start, *undisturbed(engine)
    for client in clients:
        client.kill()


def in_engines(*usual):
    return pytest.mark.parametrize("training", some(ENGINES, usual), indirect=True)


def ends_as(client, lines, files):
    """The client ends normally, and prints and saves the same as an undisturbed one from where it began."""
    printed = client.end()
    assert printed == lines[len(lines) - len(printed) :] and len(printed) > 2
    found = checkpoints(Path())
    assert found.keys() == files.keys()
    assert [key for key, value in found.items() if not same(value, files[key])] == []


@in_engines()
@pytest.mark.parametrize("who", [("worker", 1), ("ps", 0)], ids=["a worker", "a parameter server"])
def test_a_server_is_killed_and_restarts(training, cluster, who):
    start, lines, files = training
    client = start()
    cluster.kill(*who)
    client.wait_for(f"waiting for {who[0]} {who[1]}")
    cluster.start(*who)
    ends_as(client, lines, files)
    said = client.err.read_text()
    assert f"tfdsl: {who[0]} {who[1]} is there\n" in said
    assert "with the client's snapshot\n" in said
    assert client.out.read_text().splitlines() == lines


@in_engines()
def test_a_killed_client_resumes_from_the_servers(training):
    start, lines, files = training
    start().kill()
    again = start(until="")
    ends_as(again, lines, files)
    assert "tfdsl: resuming from step " in again.err.read_text()


@pytest.mark.long
@in_engines("loop")
def test_the_client_and_a_parameter_server_are_killed(training, cluster):
    start, lines, files = training
    client = start()
    client.wait_until(lambda: list(Path("kept").glob("*-step-*")))
    cluster.kill("ps", 0)
    client.kill()
    cluster.start("ps", 0)
    again = start(until="")
    ends_as(again, lines, files)
    assert "saved in kept\n" in again.err.read_text()


@pytest.mark.long
@in_engines("step")
def test_a_frozen_server_ends_the_run_and_the_next_one_resumes(training, cluster):
    start, lines, files = training
    client = start("--timeout", "6")
    cluster.stop("ps", 0)
    assert client.process.wait(240) == 1
    assert "error[TFG740]: ps 0 at " in client.err.read_text()
    cluster.cont("ps", 0)
    again = start(until="")
    ends_as(again, lines, files)


@pytest.mark.long
def test_a_call_times_out(cluster, here):
    Path("t.tfg").write_text("i = constant(0)\nwhile i < 100_000_000:\n    i = i + 1\nsession:\n    print i\n")
    client = Client(cluster, "t.tfg", "--timeout", "1")
    assert client.process.wait(240) == 1
    assert "error[TFG741]: this took longer than 1 second" in client.err.read_text()
    assert "t.tfg:5:5" in client.err.read_text()
    for worker in (0, 1):  # one of them still counts
        cluster.kill("worker", worker)


@pytest.mark.long
def test_variables_shared_with_other_runs_cannot_be_restored(cluster, here):
    Path("t.tfg").write_text("""
device "/job:ps/task:0":
    variable x = 1.0
variable y = 1.0
more = assign_add(x, y)
session first:
    print x
session second:
    init y
    train 1_000_000 steps:
        run more
        every 100 steps: print step
""")
    client = Client(cluster, "t.tfg", "--engine", "step")
    client.wait_for("100")
    client.signal(signal.SIGSTOP)
    cluster.restart("ps", 0)
    client.signal(signal.SIGCONT)
    assert client.process.wait(240) == 1
    said = client.err.read_text()
    assert "error[TFG743]: ps 0 was lost, and other runs may share the variables of this session" in said
    assert "t.tfg:8:1" in said
