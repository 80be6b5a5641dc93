"""`tfdsl run --each`: a run for each combination of params, in one process."""

import json
import signal
import statistics

import pytest

from tfdsl.cli import main
from tfdsl.cli.each import ProgramRuns
from tfdsl.cli.options import GivenInputs
from tfdsl.cli.shared_paths import overwritten
from tfdsl.runs.reading import records

PROGRAM = """
param k = 0
param bad = 100
param name = "x"
variable w = 1.0
data d = moons(8, seed=1)
placeholder X: float32[n, 2]
cost = reduce_mean(X * 0) + w * k
twice = cost * 2

session:
    test = evaluate cost, twice on d as b with X = b.features
    print name, test.cost
    expect k != bad
"""


@pytest.fixture
def tfdsl(here, capsys):
    (here / "p.tfg").write_text(PROGRAM)

    def command(*words):
        capsys.readouterr()
        code = main(["run", "p.tfg", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_combinations_and_their_table(tfdsl):
    code, out, err = tfdsl("--each", "k=1..3", "--each", "name=a,b")
    assert (code, err) == (0, "")
    lines = [f"[k={k} name={name}] {name} {k}.0" for k in (1, 2, 3) for name in "ab"]
    sd = statistics.stdev([1, 1, 2, 2, 3, 3])
    table = f"value       mean        sd  n\ntest.cost      2  {sd:8.6g}  6\ntest.twice     4   {2 * sd:.6g}  6\n"
    assert out.splitlines()[:6] == lines and out.splitlines()[6] == ""
    assert [one.split() for one in out.splitlines()[7:]] == [one.split() for one in table.splitlines()]
    assert records() == []


def test_the_runs_are_those_of_single_runs(tfdsl):
    tfdsl("--each", "k=1..2", "--record")
    tfdsl("--set", "k=2", "--record")
    found = [one for one in records() if "kind" not in one.begin["about"]]
    assert len(found) == 3 and found[1].end["variables"] == found[2].end["variables"]
    assert found[1].begin["params"]["k"] == {"value": 2, "type": "int", "from": "--each"}


def test_a_run_that_fails_hides_no_other(tfdsl):
    code, out, err = tfdsl("--each", "k=1..3", "--set", "bad=2", "--record=r")
    assert code == 1 and err.startswith("tfdsl: the run with k=2 has failed:\nerror[TFG703]")
    assert "[k=3] x 3.0" in out and out.endswith("2 runs of 3 succeeded\n") and "test.cost      2  1.41421  2" in out
    whole, *single = sorted(records(["r"]), key=lambda one: "kind" not in one.begin["about"])
    assert [one.status for one in single] == ["done", "failed", "done"] and whole.status == "failed"
    assert whole.end["evaluated"]["test.cost"] == {"mean": 2.0, "sd": statistics.stdev([1, 3]), "n": 2}
    assert whole.begin["about"]["values"] == {"k": ["1", "2", "3"]} and "k" not in whole.begin["params"]
    assert {one.begin["about"]["each"] for one in single} == {whole.id}
    assert main(["runs", "again", whole.id, "--in", "r"]) == 1
    assert whole.begin["seeds"]["data"] == whole.end["data"] == {} and single[0].end["data"]["d"]["rows"] == 8


def test_the_record_of_all_is_shown(tfdsl, capsys):
    """It has what all runs share, and the runs that failed; neither data nor seeds, which are those of each."""
    tfdsl("--each", "k=1..3", "--set", "bad=2", "--record=r", "-q")
    whole, *single = sorted(records(["r"]), key=lambda one: "kind" not in one.begin["about"])
    capsys.readouterr()
    assert main(["runs", "show", whole.id, "--in", "r"]) == 0
    params, _, rest = capsys.readouterr().out.partition("params:\n")[2].partition("each:\n")
    assert params.split("\n")[0].strip() == "bad = 2 (--set)" and "k =" not in params
    told = [line.split() for line in rest.splitlines()]
    assert told[:4] == [["k", "=", "1,", "2,", "3"], ["values:"], ["value", "mean", "sd", "n"],
                        ["test.cost", "2", "1.41421", "2"]]  # fmt: skip
    assert told[5:7] == [["runs:"], ["id", "status", "seconds", "params", "values"]] and len(told) == 10
    assert [(line[0], line[1], line[3]) for line in told[7:]] == [
        (one.id, one.status, f"k={k}") for k, one in enumerate(single, 1)
    ]


def test_an_interruption_is_said(tfdsl, monkeypatch):
    """Ctrl-C comes when the first run prints."""
    monkeypatch.setattr("tfdsl.cli.each.show", lambda line: signal.raise_signal(signal.SIGINT) if "[" in line else None)
    code, _, said = tfdsl("--each", "k=1..3")
    assert code == 130 and said.endswith("tfdsl: interrupted in run 1 of 3, with k=1\n")


def test_errors_of_a_run_that_does_not_compile(tfdsl):
    """They are shown with the values of the run, whichever it is. An error of the program has none, and is shown once."""
    for values in ("x,2", "2,x"):
        code, out, err = tfdsl("--each", f"k={values}")
        assert (
            code == 1 and err.startswith("tfdsl: the run with k=x has failed:\nerror[TFG804]") and "[k=2] x 2.0" in out
        )
    code, out, err = tfdsl("--each", "k=x,y")
    assert code == 2 and out == "" and all(f"the run with k={one} has failed:\nerror[TFG804]" in err for one in "xy")
    code, out, err = tfdsl("--each", "k=1..5", "--set", "bad=x")
    assert code == 2 and out == "" and err.count("TFG804") == 1 and "the run with" not in err


def test_a_path_is_no_range(tfdsl, here):
    (here / "p.tfg").write_text('param path = "x"\nsession: print path\n')
    code, out, _ = tfdsl("--each", "path=../a,x..y")
    assert code == 0 and "[path=../a] ../a\n[path=x..y] x..y" in out


def test_lists_and_other_values(tfdsl, here):
    """Commas in a list are its own. Only what an `evaluate` gives has a mean."""
    (here / "p.tfg").write_text(
        PROGRAM.replace("param k", "param sizes = [1]\nparam k") + "    n = sizes[0]\n    t = 'nan'\n".replace("'", '"')
    )
    code, out, _ = tfdsl("--each", "sizes=[1, 2],[3]", "--record", "--engine", "step", "--json")
    made = json.loads(out)
    assert code == 0 and len(made["runs"]) == 2 and set(made["summary"]) == {"test.cost", "test.twice"}
    whole, single, _ = sorted(records(), key=lambda one: "kind" not in one.begin["about"])
    assert whole.begin["options"] == single.begin["options"] and whole.begin["options"]["deterministic"]


def test_texts_in_quotation_marks_and_lists_in_lists(tfdsl, here):
    (here / "p.tfg").write_text('param name = "x"\nparam deep = [[1]]\nsession: print "({name})", deep\n')
    code, out, _ = tfdsl("--each", r'name="a, b", "", "say \"a\"" ,c"d,[e]f', "--each", 'deep=[["],", "b"], []],[2]')
    said = [line.partition("] (")[2] for line in out.splitlines()]
    assert code == 0 and said == [
        f"{name}) {deep}" for name in ("a, b", "", 'say "a"', 'c"d', "[e]f") for deep in ("[['],', 'b'], []]", "[2]")
    ]


def test_json(tfdsl):
    code, out, _ = tfdsl("--each", "k=4", "--json")
    made = json.loads(out)
    assert code == 0 and made["summary"]["test.cost"] == {"mean": 4.0, "sd": None, "n": 1}
    (run,) = made["runs"]
    assert run["params"] == {"k": 4} and run["printed"] == ["x 4.0"] and run["record"] is None


def test_not_a_number(tfdsl, here):
    (here / "p.tfg").write_text(PROGRAM.replace("w * k", "w * k / (k - 1)"))
    code, out, _ = tfdsl("--each", "k=1..2", "--json")
    assert code == 0 and json.loads(out)["summary"]["test.cost"] == {"mean": "nan", "sd": "nan", "n": 2}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--each", "k"], 2, "is not of the form"), (["--each", "k=3..1"], 2, "k=3..1 is empty"),
        (["--each", "k=1,,2"], 2, "has an empty value"), (["--each", "=1"], 2, "is not of the form"),
        *((["--each", f"k={one}"], 2, f"k={one}: {said}\n") for one, said in {
            "[[1,2],[3]": "[[1,2],[3] has no closing ]", '["a]': '["a] has no closing "', '["a"': '["a" has no closing ]',
            '1,"a,b': '"a,b has no closing "'}.items()),
        (["--each", 'name="a",a'], 2, "has the value a twice"), (["--each", r'name="\q"'], 2, r"\q"),
        (["--each", "k=1..20000"], 2, "more than 10000 runs"),
        *((["--each", f"k={one}"], 2, "is no range, which has two whole numbers and stands alone, as in k=1..10")
          for one in ("1..", "..3", "0.1..0.3", "1..x", "1,2..4", "-1..", "..-2", "1e-3..1e-1")),
        (["--each", "k=1...3"], 2, "k=1...3: a range has two dots: write k=1..3"),
        (["--each", "k=1", "--each", "k=2"], 2, "names the param k twice"),
        (["--each", "k=1..200", "--each", "bad=1..200"], 2, "more than 10000 runs"),
        (["--each", "k=1", "--set", "k=2"], 2, "is given by --set and by --each"),
        (["--each", "k=1", "--session", "nope"], 2, "TFG809"), (["--each", "k=1,2,1"], 2, "has the value 1 twice"),
        (["--each", "k=1", "--show-params"], 2, "--each cannot be combined with --show-params"),
        (["--each", "k=1", "--watch"], 2, "--each cannot be combined with --watch"),
        (["--each", "nme=1"], 2, "TFG803"), (["--each", "k=x"], 2, "TFG804"),
    ],
)  # fmt: skip
def test_wrong_use(tfdsl, words, code, said):
    found, out, err = tfdsl(*words)
    assert (found, out) == (code, "") and said in err


WRITES = """
param k = 1
param s = 1
variable w = 3.0
cost = square(w - k)
optimize cost with gradient_descent(learning_rate=0.1)
session:
    train 1 epoch:
        checkpoint every 1 epoch in "ck/"
        keep lowest cost to "best-{k}.ckpt"
        every 2 epochs: save to "at-{epoch}-{s:.1f}"
    write cost to "out-{k}-{s}.csv"
    print cost
session other:
    save to "{now}"
    log to "logs"
"""


def test_paths_that_runs_share(here):
    (here / "p.tfg").write_text(WRITES)
    runs = ProgramRuns("p.tfg", GivenInputs(), "--each")

    def found(session=None, **axes):
        params = {name: values[0] for name, values in axes.items()}
        first = runs.compiled(params)
        return [(one.span.line, one.help_line) for one in overwritten(runs.compiled, first, params, axes, session)]

    way = "put the param into the path, as in "
    assert found(k=["1", "2"]) == [
        (9, f'{way}"ck-{{k}}"'),
        (11, f'{way}"at-{{epoch}}-{{s:.1f}}-{{k}}"'),
        (16, f'{way}"logs-{{k}}"'),
    ]
    assert found(k=["1", "2"], s=["1", "2"], session="")[:2] == [
        (9, 'put the params into the path, as in "ck-{k}-{s}"'),
        (10, f'{way}"best-{{k}}-{{s}}.ckpt"'),
    ]
    assert found(k=["1"]) == []


def test_paths_that_runs_share_are_told(tfdsl, here):
    (here / "p.tfg").write_text(PROGRAM + '    save to "m-{name}.ckpt"\n')
    code, _, err = tfdsl("--each", "k=1..2")
    assert code == 0 and "warning[TFG867]: runs of --each that differ in k all write m-{name}.ckpt, so only what" in err
    assert tfdsl("--each", "name=a,b")[2] == tfdsl("--each", "k=1..2", "-q")[2] == ""
