"""Programs of one call of one op through the whole compiler: `benchmarks/fuzz.py ops` in its short form, and its
judge."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import forked
import numpy as np
import pytest
from conftest import some

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.append(str(Path(__file__).parents[2]))  # make `benchmarks` importable

from benchmarks.fuzzing import processes
from benchmarks.fuzzing.calls import ROWS, Call, Calls, Given
from benchmarks.fuzzing.judged import NARROWER, Outcome, Verdict, by_hand, by_us, judge
from tfdsl.diagnostics import EMPTY_LIST
from tfdsl.ops import OPS
from tfdsl.types import DTYPES, TensorType

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "rows", some([list(ROWS), list(ROWS)[::12]], [list(ROWS)[::12]]), ids=lambda rows: f"{len(rows)} rows"
)
def test_every_row(rows):
    command = [
        sys.executable,
        "benchmarks/fuzz.py",
        "ops",
        "--programs",
        str(len(rows)),
        "--seed",
        "3",
        "--only",
        *rows,
    ]
    done = forked.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.long
def test_every_row_twenty_times():
    command = [sys.executable, "benchmarks/fuzz.py", "ops", "--programs", str(20 * len(ROWS)), "--seed", "4"]
    done = forked.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def call(name, **tensors):
    """A call of placeholders: each with its value and its declared sizes."""
    params = {param.name: param for param in OPS[name].params}
    arguments = {
        at: Given(params[at], np.array(value, np.float32), "float32", "placeholder", shape)
        for at, (value, shape) in tensors.items()
    }
    return Call(OPS[name], arguments)


def verdict(one):
    return judge(one, by_hand(one), by_us(one)).kind


ADD = {"x": ([1, 2], (2,)), "y": ([[1], [2]], ("n", 1))}


def test_a_call_and_its_text():
    one = call("add", **ADD)
    assert one.text == (
        "placeholder p0: float32[2]\nplaceholder p1: float32[n, 1]\nout = add(x=p0, y=p1)\n"
        "session: run out with p0 = [1.0, 2.0], p1 = [[1.0], [2.0]]\n"
    )
    assert verdict(one) == "same" and not one.is_known


def with_rule(monkeypatch, name, rule):
    monkeypatch.setitem(OPS, name, replace(OPS[name], rule=rule))


@pytest.mark.parametrize("shape, kind", [((2, 3), "bug"), ((None, 3), "bug"), ((2,), "bug")])
def test_a_wrong_type_is_found(monkeypatch, shape, kind):
    with_rule(monkeypatch, "add", lambda call: TensorType(DTYPES["float32"], shape))
    assert verdict(call("add", **ADD)) == kind


def test_a_wrong_size_in_the_run_is_found(monkeypatch):
    with_rule(monkeypatch, "add", lambda call: TensorType(DTYPES["float32"], (3, 2)))
    assert verdict(call("add", x=([1, 2], (2,)), y=([[1], [2]], None))) == "wrong"


def test_late_and_needless_refusals_are_found(monkeypatch):
    with_rule(monkeypatch, "add", lambda call: TensorType(DTYPES["float32"], None))
    assert verdict(call("add", x=([1, 2], (2,)), y=([1, 2, 3], (3,)))) == "late"
    with_rule(monkeypatch, "add", lambda call: call.fail(EMPTY_LIST, "x", param="x"))
    assert verdict(call("add", **ADD)) == "wrongly refused"


def test_other_values_are_found():
    one = call("add", **ADD)
    hand, ours = by_hand(one), by_us(one)
    wrong = Outcome(values=(np.asarray(ours.values[0]) + 1,), types=ours.types)
    assert judge(one, hand, wrong) == Verdict("wrong", "other values")
    assert judge(one, None, Outcome("check", "TFG208")).kind == "refused"
    assert judge(one, Outcome("run", "no"), ours).kind == "lenient"


@pytest.mark.long
def test_crashes_and_hangs_are_found(monkeypatch):
    def hand(one):
        at = int(one.given[0].value)
        if at == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        while at == 5:
            pass
        return Outcome(values=())

    monkeypatch.setattr(processes, "PATIENCE", 0.5)
    monkeypatch.setattr(processes, "by_hand", hand)
    refused = {3}

    def ours(one):
        at = int(one.given[0].value)
        if at in refused:
            return Outcome("check", "TFG222")
        return hand(one) if at in (3, 5) else Outcome(values=())

    monkeypatch.setattr(processes, "by_us", ours)
    campaign = processes.Campaign(lambda number: call("square", x=(number, ())))
    campaign.run(0, 8)
    assert campaign.counts == {"same": 6, "refused": 1, "hang": 1}
    refused.clear()
    campaign = processes.Campaign(lambda number: call("square", x=(number, ())))
    campaign.run(2, 5)
    assert campaign.counts == {"same": 2, "abort": 1} and campaign.found[0]["number"] == 3


def test_calls_depend_on_their_number():
    calls, again = Calls(), Calls()
    texts = [calls.call(number).text for number in range(len(ROWS))]
    assert texts == [again.call(number).text for number in range(len(ROWS))]
    assert texts != [again.call(number, 2).text for number in range(len(ROWS))]
    assert all(f"out = {name}(" in text for name, text in zip(ROWS, texts, strict=True))


def test_narrowings_are_of_rows():
    assert {op for op, _ in NARROWER} <= {*ROWS, "*"}
