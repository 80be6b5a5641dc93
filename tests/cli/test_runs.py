"""`tfdsl runs`: what it prints, and what it refuses."""

import json

import pytest

from tfdsl.cli import main

PROGRAM = """
param rate = 0.5
param depth = 2
variable w = 1.0
data d = moons(20, seed=1)
placeholder X: float32[n, 2]
cost = reduce_mean(square(X)) * w * rate

session:
    test = evaluate cost on d as b with X = b.features
    print "cost", test
    expect test < 5
"""


@pytest.fixture
def tfdsl(here, capsys):
    (here / "p.tfg").write_text(PROGRAM)

    def command(*words):
        capsys.readouterr()
        code = main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.fixture
def two(tfdsl):
    """Two runs, of which the second fails."""
    (one, _, _), (two, _, _) = tfdsl("run", "p.tfg", "--record"), tfdsl("run", "p.tfg", "--record", "--set", "rate=100")
    assert (one, two) == (0, 1)
    return tfdsl


def test_nothing(tfdsl):
    assert tfdsl("runs") == (0, "no runs\n", "")
    assert tfdsl("runs", "show", "last")[0] == 2


def test_a_list(two):
    code, out, err = two("runs")
    head, one, other = out.splitlines()
    assert (code, err) == (0, "") and head.split() == ["id", "program", "status", "seconds", "params", "values"]
    assert one.split()[1:3] == ["p.tfg", "done"] and "rate=" not in one and "test=0." in one
    assert other.split()[1:3] == ["p.tfg", "failed"] and other.split()[4] == "rate=100"
    assert two("runs", "list", "--reverse")[1].splitlines()[1:] == [other, one]
    assert two("runs", "--where", "param.rate<1")[1].splitlines()[1].split()[2] == "done"
    assert two("runs", "--where", "status==done")[1] == two("runs", "--where", "status=done")[1]
    assert two("runs", "--where", "param.rate<0.1")[1] == "no runs, of 2 records\n"
    assert "exit_code" in two("runs", "--where", "exit_code=1")[1].splitlines()[0]
    rows = json.loads(two("runs", "--json", "--sort", "param.rate", "--reverse")[1])
    assert [row["param.rate"] for row in rows] == [100, 0.5] and rows[1]["value.test"] < 5


def test_one(two):
    code, out, _ = two("runs", "show", "last")
    assert code == 0 and "status     failed, exit code 1" in out
    assert "    rate = 100 (--set)\n    depth = 2 (default)\n" in out and "expected test < 5" in out
    assert "data:\n    d: moons(n_samples=20, noise=" in out and PROGRAM.strip().splitlines()[0] not in out
    assert "    param rate = 0.5\n" in two("runs", "show", "last", "--text")[1]
    made = json.loads(two("runs", "show", "last~1", "--json")[1])
    assert made["status"] == "done" and list(made["texts"].values()) == [PROGRAM] and made["curves"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show"], "takes 1 run, not 0"), (["list", "x"], "takes no run, not 1"), (["show", "a", "b"], "not 2"),
        (["show", "last", "--where", "a=1"], "--where is not for tfdsl runs show"), (["--text"], "--text is not for tfdsl runs list"),
        (["--where", "status"], "is no condition"), (["--in", ""], "needs the name of a folder"), (["shwo"], "did you mean 'show'?"),
    ],
)  # fmt: skip
def test_wrong_use(tfdsl, capsys, words, said):
    with pytest.raises(SystemExit) if words[0] in ("shwo", "--in") else _nothing():
        code, _, err = tfdsl("runs", *words)
        assert code == 2 and said in err
    if words[0] in ("shwo", "--in"):
        assert said in capsys.readouterr().err


def _nothing():
    from contextlib import nullcontext

    return nullcontext()


def test_a_program_in_the_place_of_the_folder(tfdsl, capsys):
    with pytest.raises(SystemExit):
        tfdsl("run", "--record", "p.tfg")
    assert "write FILE --record, or --record=DIR FILE" in capsys.readouterr().err


def test_a_missing_folder_is_an_error(here, capsys):
    assert (
        main(["runs", "--in", "nowhere"]) == 1 and "nowhere cannot be read: no such folder" in capsys.readouterr().err
    )
