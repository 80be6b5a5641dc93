"""Conditions and orders of records."""

import math

import pytest

from tfdsl.diagnostics import TfgError
from tfdsl.runs.listing import chosen, condition, row


class Made:
    """A record with these values."""

    path, fault = "runs/x", ""

    def __init__(self, id, status="done", seconds=1.0, params=(), evaluated=(), **more):
        self.id, self.status = id, status
        self.begin = {
            "program": "p.tfg", "started": 1.0, "params": {n: {"value": v, "from": "default"} for n, v in dict(params).items()},
            "versions": {"numpy": "2.0"}, "about": more, "host": {"name": "h"},
        }  # fmt: skip
        self.end = {"seconds": seconds, "evaluated": dict(evaluated), "git": None, "engines": ["loop", "loop"]}


RECORDS = [
    Made("a", params={"rate": 0.1, "name": "x"}, evaluated={"test": {"cost": 2.0, "rows": [1]}}),
    Made("b", "failed", 3.0, params={"rate": 0.5, "on": True}),
    Made("c", params={"rate": 10}, evaluated={"test": {"cost": "nan"}, "acc": 0.5}),
]


@pytest.mark.parametrize(
    ("texts", "ids"),
    [
        (["status=failed"], "b"), (["status!=failed"], "ac"), (["param.rate>0.1"], "bc"), (["param.rate >= 0.1"], "abc"),
        (["param.rate<2", "status=done"], "a"), (["param.name=x"], "a"), (["param.name!=x"], "bc"), (["param.on=true"], "b"),
        (["value.test.cost<5"], "a"), (["value.acc=0.5"], "c"), (["seconds=nonsense"], ""), (["engine=loop"], "abc"),
        (["value.test.cost=nan"], "c"), (["param.name=nan"], ""), (["version.numpy=2.0"], "abc"), ([], "abc"),
    ],
)  # fmt: skip
def test_conditions(texts, ids):
    found = chosen(RECORDS, map(condition, texts), None, False)
    assert "".join(one.id for one, _ in found) == ids


@pytest.mark.parametrize(
    ("key", "reverse", "ids"),
    [("param.rate", False, "abc"), ("param.rate", True, "cba"), ("seconds", True, "bac"), ("value.acc", False, "cab"),
     ("param.name", True, "abc"), (None, True, "cba"), ("value.test.cost", False, "acb")],
)  # fmt: skip
def test_orders(key, reverse, ids):
    assert "".join(one.id for one, _ in chosen(RECORDS, [], key, reverse)) == ids


def test_unknown_keys():
    for conditions, sort in (([condition("param.rte=1")], None), ([], "param.rte")):
        with pytest.raises(TfgError) as caught:
            chosen(RECORDS, conditions, sort, False)
        assert caught.value.diagnostics[0].code == "TFG872" and "param.rate" in str(caught.value)
    for key, help in (("rate", "did you mean 'param.rate'?"), ("cost", "did you mean 'value.test.cost'?"),
                      ("name", "did you mean 'param.name'?"), ("nothing", "the keys are ")):  # fmt: skip
        with pytest.raises(TfgError) as caught:
            chosen(RECORDS, [condition(f"{key}=1")], None, False)
        assert help in str(caught.value)
    assert chosen([], [condition("x=1")], None, False) == []


def test_what_is_no_condition():
    assert condition("status") is None and condition("=1") is None and condition("a==1").value == "1"


def test_values():
    assert math.isnan(row(RECORDS[2])["value.test.cost"]) and "value.test.rows" not in row(RECORDS[0])
