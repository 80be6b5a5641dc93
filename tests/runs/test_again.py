"""Runs are repeated from their records, and give the same bits."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.cli import main
from tfdsl.runs.reading import named, records

MODELS = Path(__file__).resolve().parents[2] / "models"
QUICK = ("basics", "moons")
# 30 programs that need no file that another program has saved, and no cluster.
PROGRAMS = (
    "autodiff_passes basics bidirectional_lstm bikes digits dqn ferries gan gcn gradient_descent_autodiff "
    "gradient_descent_by_hand gradient_descent_optimizer graphs housing lifecycle logistic_regression messages "
    "mini_batches momentum moons name_scopes normal_equation placeholders relu relu_repeated save_and_restore "
    "set_variable shapes transformer word2vec"
).split()
PROGRAM = """
import "inner/lib.tfg"

param rate = 0.5
data d = csv("data/*.csv", target="y")
placeholder X: float32[n, 1]
placeholder y: float32[n, 1]
variable w: float32[1, 1] = {initial}
cost = reduce_mean(square(lib.same(X @ w) - y))
optimize cost with gradient_descent(learning_rate=rate)
summary scalar cost as "cost"

session:
    log to "logs"
    train 3 steps on d as batch:
        feed X = batch.features, y = batch.target
        log
    print "w", w[0, 0]
    save to "w.ckpt"
"""


def path_of(program):
    (found,) = [path for path in MODELS.rglob(f"{program}.tfg") if path.parent in (MODELS, MODELS / program)]
    return found


def test_there_are_30():
    assert len(PROGRAMS) == len(set(PROGRAMS)) == 30


@pytest.mark.parametrize("program", some(PROGRAMS, QUICK))
def test_programs_repeat_in_another_folder(program, here, monkeypatch, capsys):
    assert main(["run", str(path_of(program)), "--record", "-q"]) == 0
    (here / "other").mkdir()
    monkeypatch.chdir(here / "other")
    before = sorted(here.rglob("*"))
    capsys.readouterr()
    assert main(["runs", "again", "last", "--in", "../runs", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["exact"] and made["differences"] == [] and made["compared"]["line"] + made["compared"]["variable"]
    assert sorted(here.rglob("*")) == before


@pytest.fixture
def project(here):
    """A project in a folder, run from another."""
    for folder in ("p/inner", "p/data", "work"):
        (here / folder).mkdir(parents=True)
    (here / "p/inner/lib.tfg").write_text("def same(x):\n    return x\n")
    (here / "p/data/a.csv").write_text("x,y\n1,2\n2,4\n")
    (here / "p/data/b.csv").write_text("x,y\n3,6\n")
    os.chdir(here / "work")
    return here


def run(project, initial="zeros", **options):
    path = project / "p" / "p.tfg"
    path.write_text(PROGRAM.format(initial=initial))
    program = tfdsl.compile(path, rate=0.125)
    return program.run(options=tfdsl.Options(write=lambda line: None, **options))


def again(capsys, *words):
    capsys.readouterr()
    code = main(["runs", "again", *(words or ("last",))])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_imports_patterns_and_params(project, capsys):
    run(project)
    code, said = again(capsys)
    assert code == 0 and said.endswith("repeats exactly: the same bits in 1 variable, 1 line, 3 points\n")


def test_other_bits_are_differences(project, capsys):
    """Initial values without a seed differ from run to run."""
    run(project, initial="random_normal")
    code, said = again(capsys)
    assert code == 1
    assert "differs: variable w at the end of session 1\n" in said and "differs: curve cost: differs at " in said
    assert "differs: line 1: w " in said


def test_changed_data_are_an_error(project, capsys):
    run(project)
    (project / "p/data/b.csv").write_text("x,y\n3,7\n")
    code, said = again(capsys)
    assert code == 1 and "error[TFG875]" in said and f"{project}/p/data/b.csv has changed since" in said
    (project / "p/data/b.csv").unlink()
    assert "b.csv is missing" in again(capsys)[1]


def test_changed_data_of_a_copy_are_named_where_they_are(project, capsys):
    run(project)
    (project / "moved").mkdir()
    os.rename(project / "p", project / "moved/p")
    os.rename(project / "work", project / "moved/work")
    (project / "moved/p/data/b.csv").write_text("x,y\n3,7\n")
    os.chdir(project / "moved/work")
    assert f"{project}/moved/p/data/b.csv has changed since" in again(capsys)[1]


def test_the_text_of_the_record_is_what_runs(project, capsys):
    run(project)
    (project / "p/p.tfg").write_text("nonsense")
    (project / "p/inner/lib.tfg").unlink()
    assert again(capsys)[0] == 0


def test_a_project_that_has_moved(project, capsys):
    """The data are found where they are relative to the working folder."""
    run(project)
    (project / "moved").mkdir()
    os.rename(project / "p", project / "moved/p")
    os.rename(project / "work", project / "moved/work")
    os.chdir(project / "moved/work")
    assert again(capsys)[0] == 0


def test_restored_checkpoints(project, capsys):
    run(project)
    (project / "more.tfg").write_text(
        'variable w: float32[1, 1] = zeros\nsession:\n    restore from "w.ckpt"\n    print w\n'
    )
    assert main(["run", str(project / "more.tfg"), "--record"]) == 0
    assert again(capsys)[0] == 0
    for file in Path.cwd().glob("w.ckpt*"):
        file.write_bytes(b"x")
    assert "TFG875" in again(capsys)[1]


def test_data_in_another_file(project, capsys):
    (project / "other.csv").write_text("x,y\n1,3\n")
    path = project / "p" / "p.tfg"
    path.write_text(PROGRAM.format(initial="zeros"))
    assert main(["run", str(path), "--data", "d=../other.csv", "--set", "rate=0.1", "--logdir", "elsewhere"]) == 0
    assert again(capsys)[0] == 0


@pytest.mark.parametrize(("status", "reason"), [("killed", "it was killed"), ("interrupted", "it was interrupted")])
def test_runs_without_an_end(project, capsys, status, reason):
    path = run(project, interrupted=Soon() if status == "interrupted" else bool).records[0]
    if status == "killed":
        from tfdsl.access import TRUSTED
        from tfdsl.runtime.files.durable_io import finish

        os.remove(os.path.join(path, "result.json"))
        with TRUSTED.folder(path) as folder:
            finish(folder, "manifest", {})
    code, said = again(capsys)
    assert code == 1 and "error[TFG874]" in said and reason in said


class Soon:
    signal = 2
    count = 0

    def __call__(self):
        self.count += 1
        return self.count > 3


def test_data_and_variables_and_ops_from_python(here, capsys):
    text = 'data d = csv("d.csv", target="y")\nvariable w = 1.0\nsession:\n    log to "logs"\n    print w, d.rows\n'
    options = tfdsl.Options(write=lambda line: None)
    tfdsl.compile(text, data={"d": (np.ones((2, 1)), np.ones(2))}).run(options=options)
    assert "Python gave it the data 'd'" in again(capsys)[1]
    plain = 'variable w = 1.0\nx = twice(w)\nsession:\n    log to "logs"\n    print x\n'
    tfdsl.compile(plain, ops={"twice": lambda x: x * 2}).run(options=options)
    assert "uses names or functions from outside" in again(capsys)[1]
    tfdsl.compile(plain.replace("twice(w)", "w * 2")).run(options=tfdsl.Options(write=str, variables={"w": 2.0}))
    assert "began with variables that Python gave" in again(capsys)[1]


def test_limits_of_the_command_line(here, capsys):
    text = f"session:\n    print {'(' * 2600}1{')' * 2600}\n"
    (here / "p.tfg").write_text(text + "#" * 1_000_000)
    limits = ("--max-depth", "3000", "--max-file-size", "2000000", "--max-seconds", "100")
    assert main(["run", "p.tfg", "--record", *limits]) == 0
    assert main(["run", "p.tfg", "--record", *limits[:4], "--max-seconds", "120"]) == 0
    assert again(capsys)[0] == 0
    assert main(["runs", "diff", "last~1", "last"]) == 1
    assert "options:\n    limit seconds: 100 -> 120\n" in capsys.readouterr().out


def test_a_failed_expectation_repeats(here, capsys):
    (here / "p.tfg").write_text("variable w = 1.0\nsession:\n    print w\n    expect w == 2\n")
    assert main(["run", "p.tfg", "--record"]) == 1
    assert again(capsys)[0] == 0 and named("last", records()).status == "failed"


def test_full_paths_of_a_repeated_run_replace_nothing(project, capsys):
    """A program of a folder that the user allowed writes beside its data, by full paths."""
    (project / "out").mkdir()
    place = project / "p" / "data"
    (project / "p/p.tfg").write_text(f"""
data d = csv("{place}/[a].csv", target="y")
data e = csv("{place}/b.csv", target="y")
variable w = 1.0
session:
    write d.x as x to "{place}/x.csv"
    write e.x as x to "{project}/out/x.csv"
    save to "{place}/w.ckpt"
""")
    assert main(["run", str(project / "p/p.tfg"), "--record", "--allow-path", str(project / "out")]) == 0
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(project.rglob("*"))}
    code, said = again(capsys)
    assert code == 0, said
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(project.rglob("*"))} == before


def test_another_failure_is_a_difference(here, capsys):
    """Numbers without a seed fail an expectation with other values, which the notes say."""
    (here / "p.tfg").write_text("variable w: float32[1] = random_normal\nsession:\n    expect w[0] == 2\n")
    assert main(["run", "p.tfg", "--record"]) == 1
    code, said = again(capsys)
    assert code == 1 and "differs: error 1: expected w[0] == 2 (p.tfg:3:5); " in said


def test_numbers_that_are_none_repeat(here, capsys):
    (here / "p.tfg").write_text(
        'param s = "nan"\nparam x = 1.0\nvariable w = x\nsession:\n    t = s\n    v = w * 2\n    print t, v\n'
    )
    assert main(["run", "p.tfg", "--record", "--set", "x=nan"]) == 0
    assert again(capsys)[0] == 0


RESUMED = """
data m = moons(8, noise=0.2, seed=1)
placeholder X: float32[b, m.columns]
variable w = 0.0
cost = reduce_mean(square(w - X))
optimize cost with gradient_descent(learning_rate=0.1)
summary scalar cost as "C"
session:
    log to "logs"
    train 6 epochs on m in batches of 8 as batch:
        feed X = batch.features
        checkpoint every 2 epochs in "ck"
        every 1 batches: log
        every 1 epochs:
            c = evaluate cost on m as b with X = b.features
            print c
"""


def test_a_resumed_run_repeats(here, capsys):
    program = tfdsl.compile(RESUMED)
    options = tfdsl.Options(write=lambda line: None, interrupted=Soon())
    assert program.run(options=options).interrupted
    assert program.run(options=tfdsl.Options(write=lambda line: None)).resumed
    code, said = again(capsys)
    assert code == 0, said
