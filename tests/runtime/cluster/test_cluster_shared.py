"""What servers keep, share and forget: programs of several processes on one cluster."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import clusters
import forked
import pytest
import tensorflow as tf
from client import Job, run, same
from interrupted import points
from test_cluster import checkpoints

pytestmark = pytest.mark.loops

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def lines(cluster):
    """Runs a command on the cluster, which must succeed. Returns its output."""

    def run(*words):
        done = cluster.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def model(name):
    return str(ROOT / "models" / f"{name}.tfg")


@pytest.mark.long
def test_the_commands_of_the_documentation(cluster):
    """Its commands run, one after the other, and print the documented output, if there is one; `models/cluster.yaml` is
    the cluster of the tests."""
    page = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    commands = re.findall(r"^(?:\$ )?tfdsl (.*)\n((?:(?!\$ |tfdsl |```).*\n)*)", page, re.MULTILINE)
    assert len(commands) > 10
    for command, output in commands:
        words = shlex.split(command.replace("models/cluster.yaml", cluster.config))
        done = clusters.run(clusters.tfdsl(*words), cwd=ROOT)
        assert done.returncode == 0, (command, done.stderr)
        if not output:
            continue
        shown = output.splitlines()
        assert [line for line in shown if not line.startswith("tfdsl: ")] == done.stdout.splitlines(), command
        assert set(shown) <= set(done.stdout.splitlines() + done.stderr.splitlines()), command


def test_a_session_finds_the_variables_of_another(cluster, tmp_path):
    (outcome,) = run(tmp_path, [Job(model("cluster_variables"), tmp_path, cluster.config)])
    assert outcome.printed == ["11", "18 1"] and not outcome.errors


def test_containers_separate_variables_and_slots(lines, cluster, tmp_path):
    def job(session, **params):
        return Job(model("cluster_containers"), tmp_path, cluster.config, session=session, params=params)

    other = {"name": "other", "rate": 0.01}
    jobs = [job("begin"), job("begin", **other), job("go_on"), job("go_on", **other)]
    # With momentum: 4.4 - 0.1 * (0.9 * 6 + 4.8), and 4.94 - 0.01 * (0.9 * 6 + 5.88).
    assert [outcome.printed for outcome in run(tmp_path, jobs)] == [
        ["mine w is 4.4 after 1"], ["other w is 4.94 after 1"],
        ["mine w is 3.38 after 1"], ["other w is 4.8272 after 1"],
    ]  # fmt: skip
    assert lines("reset", "--container", "other") == []
    gone, goes_on = run(tmp_path, [job("go_on", **other), job("go_on")])
    headline = "'w' has no value: neither this session nor another run has initialised it"
    assert gone.errors == [("TFG744", 27, headline)]
    assert goes_on.printed == ["mine w is 2.186 after 1"]


TRAINING = """
seed 3
param box = "a"
param epochs = 40
data d = moons(96, seed=1)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
container box:
    variable w = random_normal([2, 1], seed=1)
    loss reduce_mean(square(X @ w - y))
    optimize with adam(learning_rate=0.01) as step_op
session:
    train epochs epochs on d in batches of 5 as batch:
        feed X = batch.features, y = batch.target
        run step_op
        every 2 epochs: print epoch, w[0, 0]
    save to "end"
"""


@pytest.mark.long
def test_a_container_is_reset_while_another_program_trains(cluster, here):
    """Two programs run at once in separate containers. One container is reset: its program ends with an error, and the
    other is not affected."""
    (here / "t.tfg").write_text(TRAINING)

    def training(box, *words):
        folder = here / box
        folder.mkdir(exist_ok=True)
        words = clusters.tfdsl(
            "run", "../t.tfg", "--config", cluster.config, "--allow-path", str(here), "--set", f"box={box}", *words
        )
        return forked.Popen(
            words, env=clusters.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
        )

    alone = training("alone")
    wanted = alone.communicate(timeout=300)
    assert alone.returncode == 0, wanted[1]
    ours, theirs = training("ours"), training("theirs", "--set", "epochs=100_000")
    first = [ours.stdout.readline(), theirs.stdout.readline()]
    assert first[0] == first[1] == wanted[0].splitlines(keepends=True)[0]
    done = cluster.run("reset", "--container", "theirs")
    assert done.returncode == 0, done.stderr
    out, err = ours.communicate(timeout=300)
    assert ours.returncode == 0, err
    assert first[0] + out == wanted[0]
    out, err = theirs.communicate(timeout=300)
    assert theirs.returncode == 1
    assert re.search(r"^error\[TFG748\]: .* has lost its value: another process has cleared it", err, re.MULTILINE), err
    found, expected = checkpoints(here / "ours"), checkpoints(here / "alone")
    assert found.keys() == expected.keys() and found
    assert all(same(value, expected[key]) for key, value in found.items())


FILES = """
seed 5
data d = moons(64, seed=2)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = random_normal([2, 1], seed=1)
z = X @ w
mse = reduce_mean(square(z - y))
optimize mse with momentum(0.9, learning_rate=0.05) as step_op
summary scalar mse as "MSE"
session:
    log to "logs"
    train 3 epochs on d in batches of 10 as batch:
        feed X = batch.features, y = batch.target
        every 2 batches: log
    save to "all.ckpt"
    save w as "weights" to "some.ckpt"
    export z with X to "model"
session:
    restore w as "weights" from "some.ckpt"
    print w
session:
    restore from "all.ckpt"
    print w
"""


@pytest.mark.long
def test_the_client_writes_files_as_without_a_cluster(cluster, tmp_path):
    jobs = [
        Job(FILES, tmp_path / "cluster", cluster=cluster.config),
        Job(FILES, tmp_path / "here", towers=2),
    ]
    ours, theirs = run(tmp_path, jobs)
    assert not ours.errors and ours.printed == theirs.printed and len(ours.printed) == 2
    model = tf.saved_model.load(str(tmp_path / "cluster" / "model"))
    (served,) = model.signatures["serving_default"](tf.constant([[1.0, 2.0]])).values()
    w = ours.variables["2:w"]
    assert served.numpy()[0, 0] == pytest.approx(w[0, 0] + 2 * w[1, 0], rel=1e-6)
    assert ours.history == theirs.history and len(ours.history["MSE"]) == 12

    def files(folder):
        return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}

    ours, theirs = files(tmp_path / "cluster"), files(tmp_path / "here")
    plain = [name for name in ours if not name.startswith("logs/")]
    assert plain == [name for name in theirs if not name.startswith("logs/")]
    data = [name for name in plain if ".data-" in name or name.endswith(".index")]
    assert len(data) >= 6
    assert [name for name in data if ours[name].read_bytes() != theirs[name].read_bytes()] == []
    assert points(str(tmp_path / "cluster" / "logs")) == points(str(tmp_path / "here" / "logs"))


# --- errors -----------------------------------------------------------------------------------

ERRORS = {
    "a job that there is not": (
        'device "/job:evaluator":\n    variable x = 1.0\nsession:\n    print x\n', "", [("TFG713", 2)]),
    "a task that there is not": (
        'device "/job:ps/task:7":\n    variable x = 1.0\nsession:\n    print x\n', "", [("TFG713", 2)]),
    "XLA": (FILES, "xla", [("TFG715", 13)]),
    "nobody's variable": (
        'container "nobody":\n    variable x = 1.0\nvariable y = 1.0\nsession:\n    init y\n    print x\n', "", [("TFG744", 6)]),
}  # fmt: skip


def test_errors_of_programs(cluster, tmp_path):
    jobs = [
        Job(text, tmp_path / name, cluster=cluster.config, engine=engine) for name, (text, engine, _) in ERRORS.items()
    ]
    outcomes = run(tmp_path, [*jobs, Job(FILES, tmp_path / "auto", cluster=cluster.config, engine="auto")])
    for (name, (_, _, wanted)), outcome in zip(ERRORS.items(), outcomes, strict=False):
        assert [error[:2] for error in outcome.errors] == wanted, (name, outcome.errors)
    assert not outcomes[-1].errors and outcomes[-1].counts[2] == ("loop",)


def test_towers_are_for_one_machine(cluster):
    done = cluster.run("run", model("basics"), "--towers", "2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--towers is for one machine" in done.stderr


def test_a_missing_server(cluster, here):
    config = json.loads(Path(cluster.config).read_text())
    port = clusters.free_ports(1)[0]
    config["cluster"]["worker"][1] = f"127.0.0.1:{port}"
    (here / "c.yaml").write_text(json.dumps(config))
    done = clusters.run(clusters.tfdsl("run", model("basics"), "--config", "c.yaml", "--timeout", "2"))
    assert (done.returncode, done.stdout) == (1, "")
    note, error, *_ = done.stderr.splitlines()
    assert note == f"tfdsl: waiting for worker 1 at 127.0.0.1:{port}, up to 2 s"
    assert error.startswith(f"error[TFG740]: worker 1 at 127.0.0.1:{port} does not answer: ")
    assert "tfdsl server --config FILE.yaml --job worker --task 1" in done.stderr
