"""The values that `tfdsl tune` can optimize. It accepts every name that it suggests."""

import pytest

from tfdsl.cli.objective import check_objective, keeps_of, other_kept
from tfdsl.cli.report import WrongUse
from tfdsl.diagnostics import TfgError
from tfdsl.driver import check
from tfdsl.source import Source

PROGRAM = """
data d = moons(8, seed=1)
placeholder X: float32[n, 2]
variable w = 0.5
cost = square(w) + reduce_mean(X * 0)
optimize square(w) with gradient_descent(learning_rate=0.1)
scope s:
    summary scalar square(w) as "my cost/x y"
    scope t:
        summary scalar square(w) as "plain"
summary scalar cost as "of all"
session:
    log to "logs"
    train 2 steps:
        log with X = d.features
        every 1 step:
            test = evaluate cost on d as b with X = b.features
            log test
    last = evaluate cost, w on d as b with X = b.features
    print last.cost, last.w, test
"""


def checked(objective, prune=False):
    program, found = check(Source("p.tfg", PROGRAM))
    assert program is not None, found
    check_objective(program, objective, None, prune)


def test_the_values_of_a_program():
    known = ("last.cost", "last.w", "test", "s/my cost/x y", "s/t/plain", "test/of all", "of all", "s_1/t/plain")
    for one in known:
        checked(one)
    with pytest.raises(TfgError) as caught:
        checked("nothing alike")
    listed = caught.value.diagnostics[0].help_line
    for one in listed.removeprefix("its values are ").split(", "):
        checked(one)
    for wrong, meant in (("my cost/x y", "s/my cost/x y"), ("plain", "s/t/plain"), ("last", "last.w")):
        with pytest.raises(TfgError) as caught:
            checked(wrong)
        assert meant in caught.value.diagnostics[0].help_line
    for one in ("test", "s/my cost/x y", "test/of all"):
        checked(one, prune=True)
    with pytest.raises(WrongUse, match=r"no training gives last\.cost.*trainings give test, "):
        checked("last.cost", prune=True)


KEEPS = """
    train 2 steps:
        every 1 step:
            test = evaluate cost, w on d as b with X = b.features
            keep lowest test.cost to "m"
"""


@pytest.mark.parametrize(
    ("more", "is_kept"),
    [
        ("", True),
        ("    last = 1\n", True),
        ("    if 1 > 0:\n        last = 1\n", True),
        ("    test = evaluate cost, w on d as b with X = b.features\n", False),
        ('    restore from "m"\n    if 1 > 0:\n        test = evaluate cost, w on d as b with X = b.features\n', False),
    ],
)
def test_what_is_kept_counts_unless_the_value_is_given_again(more, is_kept):
    text = PROGRAM.partition("session:")[0] + f"session:{KEEPS}{more}    print test.cost\n"
    program, found = check(Source("p.tfg", text))
    assert program is not None, found
    keeps = keeps_of(program, "test.cost", None)
    assert [one.text for one in keeps] == ["test.cost"] * is_kept
    assert other_kept(keeps, "test.cost", maximize=False) == ""
    assert bool(other_kept(keeps, "test.cost", maximize=True)) == bool(other_kept(keeps, "test.w", False)) == is_kept
    assert keeps_of(program, "last", None) == []
