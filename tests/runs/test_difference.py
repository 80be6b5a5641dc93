"""What differs between two runs."""

import os

import pytest

import tfdsl
from tfdsl.cli import main
from tfdsl.runs.difference import _changes, curve_apart, differences
from tfdsl.runs.reading import RunRecord, records

PROGRAM = """
param rate = 0.5
param name = "a"
data d = csv("d.csv", target="y")
placeholder X: float32[n, 1]
variable w = {value}
cost = reduce_sum(X) * w * rate
summary scalar w as "w"
session:
    log to "logs"
    log w
    all = evaluate cost on d as b with X = b.features
    print name
    print "cost", all
"""


def run(value=1.0, rows="1,2\n2,4\n", **params):
    with open("d.csv", "w") as file:
        file.write(f"x,y\n{rows}")
    program = tfdsl.compile(PROGRAM.format(value=value), **params)
    return RunRecord(program.run(options=tfdsl.Options(write=str)).records[0])


def parts(a, b):
    return {one.part: list(one.lines) for one in differences(a, b)}


def test_the_same(here):
    assert parts(run(), run()) == {}


@pytest.mark.parametrize("deterministic, value", [(True, "on"), (False, "off")])
def test_op_determinism_is_what_the_session_had(here, deterministic, value):
    """Whether the record begins before the session or in it."""
    program = tfdsl.compile('variable w = 1.0\nsession:\n    log to "logs"\n    print w\n')
    made = []
    for record in (None, "runs"):
        options = tfdsl.Options(write=str, record=record, deterministic=deterministic)
        made.append(RunRecord(program.run(options=options).records[0]))
    assert [one.end["op_determinism"] for one in made] == [[value], [value]]
    assert "machine" not in parts(*made)
    unseeded = tfdsl.compile("session: print random_normal([1])\n")  # refused by TensorFlow if ops are deterministic
    other = RunRecord(unseeded.run(options=tfdsl.Options(write=str, record="runs", deterministic=True)).records[0])
    assert parts(made[0], other).get("machine") == (["op_determinism: on -> off"] if deterministic else None)


def test_a_param(here):
    assert parts(run(), run(rate=1.0)) == {
        "params": ["rate: 0.5 -> 1.0"],
        "results": [
            "all: 1.5 -> 3.0",
            "printed all: 1.5 -> 3.0",
            "line 2: cost 1.5 -> cost 3.0",
            "curve all: differs at 1 of 1 step, most at step 0: 1.5 -> 3.0, 1.5 apart",
        ],
    }


def test_a_text(here):
    found = parts(run(), run(2.0))
    assert found["text"][4:] == ["-variable w = 1.0", "+variable w = 2.0", " cost = reduce_sum(X) * w * rate"]
    assert "variable w at the end of session 1" in found["results"] and any(
        one.startswith("curve w: differs at ") for one in found["results"]
    )
    assert "data" not in found and "params" not in found


def test_data(here):
    found = parts(run(), run(rows="1,2\n2,4\n0,0\n"))
    lines = "\n".join(found["data"])
    assert "d: rows: 2 -> 3" in lines and "d: arrays: " in lines and "d: d.csv: " in lines
    assert set(found) == {"data"}


def test_further_lines_are_counted(here):
    found = parts(run(name="b"), run(name="c", rate=1.0))
    assert found["results"][-3:-1] == ["line 1: b -> c", "1 more line of those below it"]


@pytest.fixture
def three(here):
    return [run(), run(rate=1.0), run(rate=2.0)]


def test_the_command(three, capsys):
    assert main(["runs", "diff", "last~1", "last"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("params:\n    rate: 1.0 -> 2.0\nresults:\n")
    assert main(["runs", "diff", "last", "last"]) == 0 and capsys.readouterr().out == ""
    assert main(["runs", "diff", "last", "last~1", "--json"]) == 1
    assert '"params": [\n    "rate: 2.0 -> 1.0"\n  ]' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "kept"),
    [(["--keep", "1"], 1), (["--keep", "5"], 3), (["--younger-than", "1h"], 3), (["--younger-than", "0m"], 0),
     (["--keep", "2", "--younger-than", "0m"], 2)],
)  # fmt: skip
def test_pruning(three, capsys, words, kept):
    events = sorted(name for name in os.listdir("logs") if "tfevents" in name)
    assert main(["runs", "prune", *words, "--dry-run"]) == 0 and len(records()) == 3
    dry = capsys.readouterr().out
    assert dry.count("would remove logs/run-") == 3 - kept
    assert main(["runs", "prune", *words]) == 0
    assert capsys.readouterr().out == dry.replace("would remove", "removed")
    assert [one.id for one in records()] == [one.id for one in three][3 - kept :]
    assert sorted(name for name in os.listdir("logs") if "tfevents" in name) == events


def test_pruning_leaves_what_it_has_not_written(three, capsys):
    record = three[0]
    with open(os.path.join(record.path, "notes.txt"), "w") as file:
        file.write("mine")
    os.mkdir("logs/.run-0123456789abcdef")
    open("logs/.run-0123456789abcdef/manifest", "w").close()
    os.mkdir("logs/.run-0123456789abcdee")
    open("logs/.run-0123456789abcdee/other", "w").close()
    assert main(["runs", "prune", "--keep", "2"]) == 0
    out = capsys.readouterr().out
    assert f"left {record.path}, which has other files" in out and os.listdir(record.path) == ["notes.txt"]
    assert "removed logs/.run-0123456789abcdef" in out and "left logs/.run-0123456789abcdee" in out
    assert main(["runs", "prune"]) == 2 and "--keep N" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["runs", "prune", "--younger-than", "soon"])


def test_ages_are_of_starts(three):
    from tfdsl.runs.pruning import outdated

    assert outdated(three, None, 60.0, three[1].begin["started"] + 60) == three[:1]


def test_prune_names_a_damaged_record(three, capsys):
    with open(os.path.join(three[0].path, "program.tfg"), "a") as file:
        file.write("# changed\n")
    assert main(["runs", "prune", "--keep", "2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"left {three[0].path}, whose record is damaged: program.tfg has ")
    assert said[1:] == ["nothing to remove, of 3 records"] and len(records()) == 3


def test_long_values_are_cut_around_their_difference():
    long = "moons(n_samples=200, noise=0.3, seed=42) | split(folds=4, fold={}, seed=42) | standardize"
    (found,) = _changes({"m": long.format(2)}, {"m": long.format(3)})
    one, _, two = found.partition(" -> ")
    assert "fold=2" in one and "fold=3" in two and max(len(one), len(two)) <= 65
    assert list(_changes({"m": None}, {"m": "a"})) == ["m: nothing -> a"]


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ([(0, 1.0), (1, 2.0), (2, 3.0)], [(0, 1.0), (1, 2.5), (2, 2.75)],
         "differs at 2 of 3 steps, most at step 1: 2.0 -> 2.5, 0.5 apart"),
        ([(0, 1.0), (1, 2.0)], [(0, 1.5), (1, "nan")], "differs at 2 of 2 steps, most at step 1: 2.0 -> nan"),
        ([(0, 1.0), (1, 2.0)], [(0, 1.0)], "1 step of the first alone"),
        ([(0, 1.0)], [(0, 2.0), (5, 2.0), (6, 1.0)],
         "differs at 1 of 1 step, most at step 0: 1.0 -> 2.0, 1 apart; 2 steps of the second alone"),
        ([(0, 1.0), (0, 2.0)], [(0, 3.0), (0, 2.0)], "other numbers at the same steps"),
    ],
)  # fmt: skip
def test_how_far_apart_curves_are(one, two, said):
    assert curve_apart(one, two) == said
