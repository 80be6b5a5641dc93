"""Workers that read the rows of batches from their own files, or keep them: the bits of two towers in one process."""

import random
import shutil
from pathlib import Path

import clusters
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from client import Job, differences, run
from test_recovery import Client

pytestmark = pytest.mark.loops

MODEL = """
placeholder X: float32[n, d.columns]
placeholder y: float32[n, 1]
variable w = random_normal([d.columns, 1])
mse = reduce_mean(square(X @ w - y))
loss mse
optimize with adam(learning_rate=0.01)
session:
    train {epochs} epochs on {part} in batches of 17 as batch:
        feed X = batch.features, y = batch.target
        every {every} steps: print step, mse
    print w
"""
SEVERAL = (
    """
seed 3
data d = csv("p-*.csv", target="y", separator=";") | where(number > 20) | fill("age", with="median")
    | fill("city", with="most_frequent") | one_hot("city") | standardize | shuffle(seed=3) | split(test=0.2, seed=1)
"""
    + MODEL
)
ONE = 'seed 3\ndata d = parquet("p.parquet", target="y") | minmax\n' + MODEL
SHORT = {"epochs": 3, "every": 7}


def write_files() -> None:
    """Three CSV files with missing cells, of which only the last has a category, and a Parquet file."""
    drawn, number = random.Random(0), 0
    for file, rows in enumerate((100, 107, 50)):
        lines = ["age;city;number;flag;y"]
        for _ in range(rows):
            age = "" if drawn.random() < 0.1 else repr(drawn.gauss(40, 10))
            city = "" if drawn.random() < 0.1 and file < 2 else drawn.choice(["Rome", "Oslo", "Paris"][: file + 1])
            lines.append(f"{age};{city};{number};{'true' if number % 3 else 'false'};{drawn.gauss(0, 1)!r}")
            number += 1
        Path(f"p-{file}.csv").write_text("\n".join(lines))
    columns = {name: [drawn.gauss(0, 3) for _ in range(150)] for name in ("a", "b", "y")}
    parquet.write_table(pa.table({**columns, "whole": list(range(150))}), "p.parquet")


@pytest.fixture
def files(here):
    write_files()
    return here


@pytest.mark.long
def test_the_bits_of_two_towers(files, cluster, request):
    begins = {worker: len(cluster.log("worker", worker)) for worker in (0, 1)}
    several, one = SEVERAL.format(part="d.train", **SHORT), ONE.format(part="d", **SHORT)
    changed = Path("p-1.csv").read_text().replace("Oslo", "Rome", 1)
    cases: dict[str, tuple[str, dict, str]] = {  # with the reason why the client sends the rows, if it does
        "several": (several, {}, ""),
        "one": (one, {}, ""),
        "gone": (several, {"p-1.csv": None}, "worker 1 cannot read {}/p-1.csv: no such file or directory"),
        "changed": (several, {"p-1.csv": changed}, "worker 1 has other rows in {}/p-1.csv"),
        "old": (several, {}, "the servers run another version of tfdsl"),
    }
    if not request.config.getoption("--long"):
        cases = {name: cases[name] for name in ("several", "changed")}
    jobs = [Job(several, files, towers=2), Job(one, files, towers=2)]
    for name, (text, after_check, _) in cases.items():
        folder = files / name
        folder.mkdir()
        for path in files.glob("p*"):
            shutil.copy(path, folder)
        jobs.append(Job(text, folder, cluster.config, after_check=after_check, old_servers=name == "old"))
    alone = run(files, jobs)
    wanted = {several: alone.pop(0), one: alone.pop(0)}
    for (name, (text, _, reason)), found in zip(cases.items(), alone, strict=True):
        assert found.printed and not found.errors and differences(found, wanted[text]) == [], (name, found.errors)
        notes = f"the client sends the rows of d: {reason.format(files / name)}" if reason else ""
        assert "\n".join(found.notes).startswith(notes) and len(found.notes) == bool(reason), name
        assert (found.sent > 17) == bool(reason), name  # more floats than a batch has
    logs = {worker: cluster.log("worker", worker)[begin:] for worker, begin in begins.items()}
    assert f"read 108 rows of {files}/several/p-0.csv, {files}/several/p-2.csv\n" in logs[0]
    assert f"read 80 rows of {files}/several/p-1.csv\n" in logs[1]
    assert "one" not in cases or all(f"read 75 rows of {files}/one/p.parquet\n" in log for log in logs.values())


def test_the_first_worker_keeps_rows_and_all_workers_keep_variables(here, cluster):
    random = np.random.RandomState(0)
    np.savez("p.npz", features=random.rand(60, 2), target=random.rand(60))
    text = 'seed 3\ndata d = npz("p.npz")\n' + MODEL.format(part="d", epochs=4, every=5)
    begins = {worker: len(cluster.log("worker", worker)) for worker in (0, 1)}
    placed = Job(text, here, cluster.config, engine="loop", placement="workers")
    alone, together = run(here, [Job(text, here, towers=2, engine="loop"), placed])
    assert together.printed and not together.errors and differences(together, alone) == [], together.errors
    assert "keeps 60 rows that a client sent\n" in cluster.log("worker", 0)[begins[0] :]
    assert "keeps" not in cluster.log("worker", 1)[begins[1] :]


@pytest.mark.long
def test_a_killed_worker_reads_again(files, cluster):
    Path("t.tfg").write_text(SEVERAL.format(part="d.train", epochs=150, every=25))
    alone = clusters.run(clusters.tfdsl("run", "t.tfg", "--towers", "2"))
    begin = len(cluster.log("worker", 1))
    client = Client(cluster, "t.tfg")
    client.wait_for(r"(?m)^100 ")
    cluster.kill("worker", 1)
    client.wait_for("waiting for worker 1")
    cluster.start("worker", 1)
    assert client.end() == alone.stdout.splitlines()
    assert "with the client's snapshot\n" in client.err.read_text() and "sends" not in client.err.read_text()
    assert cluster.log("worker", 1)[begin:].count("read 80 rows of ") == 2


@pytest.mark.long
@pytest.mark.parametrize("worker", [0, 1])
def test_a_killed_worker_had_kept_rows_and_variables(here, cluster, worker):
    random = np.random.RandomState(0)
    np.savez("p.npz", features=random.rand(60, 2), target=random.rand(60))
    Path("t.tfg").write_text('seed 3\ndata d = npz("p.npz")\n' + MODEL.format(part="d", epochs=1000, every=100))
    alone = clusters.run(clusters.tfdsl("run", "t.tfg", "--towers", "2"))
    client = Client(cluster, "t.tfg", "--placement", "workers")
    client.wait_for(r"(?m)^400 ")
    cluster.kill("worker", worker)
    client.wait_for(f"waiting for worker {worker}")
    cluster.start("worker", worker)
    assert client.end() == alone.stdout.splitlines()
    assert "with the client's snapshot\n" in client.err.read_text()
