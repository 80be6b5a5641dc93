"""The benchmarks' loads at tiny sizes: contenders agree, and one that does not is detected. Times are not tested."""

import dataclasses
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import some

sys.path.append(str(Path(__file__).parents[2]))  # make `benchmarks` importable

from benchmarks import measure
from benchmarks.loads import LOADS, building, commands, startup
from benchmarks.loads.digits import Digits
from benchmarks.measure import BY_HAND, TOLERANCE, Settings, Training, difference
from benchmarks.report import table
from benchmarks.result import LoadResult, Row, Wanted
from benchmarks.workers import Failed, Worker

pytestmark = pytest.mark.loops

TRAININGS = [load for load in LOADS.values() if isinstance(load, Training)]
STEPS = 70  # more than the engine `loop` takes in its first execution


class WrongDigits(Digits):
    """With NumPy, it learns 10 % too fast."""

    def numpy_gradients(self, parameters, X, y):
        return [1.1 * gradient for gradient in super().numpy_gradients(parameters, X, y)]


@pytest.fixture
def no_california(monkeypatch, tmp_path):
    """Without the housing data, the stand-in is used, and nothing is downloaded."""

    def missing(**options):
        raise OSError("no data here")

    monkeypatch.setattr("sklearn.datasets.fetch_california_housing", missing)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))


@pytest.mark.parametrize("load", some(
    TRAININGS, [load for load in TRAININGS if load.name == "housing"]
), ids=lambda load: load.name)  # fmt: skip
def test_contenders_agree(load, no_california):
    problem = load.problem()
    assert problem.is_synthetic == (load.model.__name__ == "Housing")
    expected = load.contender(BY_HAND, problem).run(STEPS).results
    assert expected.keys() == problem.start.keys() | ({"log"} if load.logs else set())
    for name in [name for name in ("step", "loop", "NumPy", "loop, no log") if name in load.contenders]:
        outcome = load.contender(name, problem).run(STEPS)
        assert outcome.seconds > 0 and 0 < outcome.steps <= STEPS
        assert difference(expected, outcome.results, problem.start, "no log" in name) <= TOLERANCE, name


def test_difference():
    start, expected = {"w": np.zeros(2)}, {"w": np.array([1.0, 2.0])}
    assert difference(expected, expected, start) == 0
    assert difference(expected, {"w": np.array([1.0, 2.2])}, start) == pytest.approx(0.1)
    for wrong in ({}, {"w": np.ones(3)}, {"w": np.array([1.0, np.nan])}):
        assert difference(expected, wrong, start) == np.inf
    assert difference(expected, expected, expected) == np.inf  # nothing was learned
    log = {"log": np.array([[0.0, 8.0], [10.0, 4.0]])}
    assert difference(expected | log, expected | {"log": log["log"] * [1, 0.5]}, start) == pytest.approx(0.5)
    assert difference(expected | log, expected | {"log": log["log"] + [1, 0]}, start) == np.inf
    assert difference(expected | log, expected, start, no_log=True) == 0


class Here:
    """A worker without a process."""

    def __init__(self, make, arguments, environment):
        self._kept = make(*arguments)

    def call(self, method, *arguments):
        return getattr(self._kept, method)(*arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_worker_keeps_an_object_in_its_process():
    with Worker(Counter, ("abca",), {"WORKER": "environment"}) as worker:
        assert worker.call("most_common", 1) == [("a", 2)]
        assert worker.call("get", "b") == 1
        with pytest.raises(Failed, match="AttributeError"):
            worker.call("nothing")
    with pytest.raises(Failed, match="TypeError"):
        Worker(Counter, (5,))


def test_a_wrong_contender_has_no_time(monkeypatch):
    monkeypatch.setitem(measure._NEEDS, "JAX", "no_such_package")
    monkeypatch.setattr(measure, "Worker", Here)
    load = dataclasses.replace(
        LOADS["digits"], model=WrongDigits, contenders=(BY_HAND, "NumPy", "JAX"), wanted=(Wanted("NumPy", BY_HAND, 1),)
    )
    result = load.measure(Settings(repeats=1, seconds=0.001, limit=20, check=10))
    by_hand, numpy, jax = result.rows
    assert by_hand.status == "ok" and by_hand.seconds > 0 and by_hand.difference == 0
    assert numpy.status == "differs" and numpy.seconds is None and numpy.difference > TOLERANCE
    assert jax.status == "not installed" and jax.seconds is None
    assert result.reached(result.wanted[0]) is None
    assert "differs" in table(result) and "not installed" in table(result)
    saved = json.loads(json.dumps(result.to_json()))
    assert LoadResult.from_json("digits", saved) == result


def test_ratios():
    rows = [Row("by hand", "", seconds=2.0), Row("xla", "by hand", seconds=0.5)]
    wanted = [Wanted("xla", "by hand", 5), Wanted("xla", "by hand", 0.6, is_time=True), Wanted("xla", "JAX", 1)]
    result = LoadResult("load", "a load", "step", rows, wanted)
    assert result.speed(rows[1]) == 4
    assert [result.measured(one) for one in wanted] == [4, 0.25, None]
    assert [result.reached(one) for one in wanted] == [False, True, None]


def test_both_builders_make_the_same_ops():
    by_hand, tfdsl = (building.Builder(name, 300).types() for name in ("by hand", "tfdsl"))
    assert by_hand == tfdsl
    assert 200 < sum(tfdsl.values()) < 400


def test_commands_must_print_the_same():
    group = {"one": 1.0, "same": 1.0, "another": 2.0}
    commands = {name: [sys.executable, "-c", f"print({value})"] for name, value in group.items()}
    rows = startup.measure([commands], Settings(repeats=1))
    assert [row.status for row in rows] == ["ok", "ok", "differs"]


@pytest.mark.long
def test_commands_print_what_the_scripts_do():
    rows = commands.Commands().measure(Settings(repeats=1)).rows
    assert [(row.name, row.status) for row in rows if row.status != "ok"] == [] != rows
