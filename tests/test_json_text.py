"""JSON has no NaN and no infinity."""

import json
from pathlib import Path

import pytest

import tfdsl
from tfdsl.json_text import json_text
from tfdsl.tuning.study import EndedTrial


@pytest.mark.parametrize("value, text", [
    (float("nan"), '"nan"'),
    ({"a": [1.5, -float("inf")], "b": (float("inf"), None)}, '{"a": [1.5, "-inf"], "b": ["inf", null]}'),
    (["nan", True, 1, "é"], '["nan", true, 1, "\\u00e9"]'),
    (b"x", '"b\'x\'"'),
])  # fmt: skip
def test_values(value, text):
    assert json_text(value) == text


def test_a_trial_with_infinite_numbers():
    trial = EndedTrial(0, "done", {"x": float("inf")}, -float("inf"), "", "")
    assert json.loads(json_text(trial.to_json()))["params"] == {"x": "inf"}


def test_commands_print_json_in_one_way():
    folder = Path(tfdsl.__file__).parent / "cli"
    assert [
        path for path in folder.rglob("*.py") if "print(json.dumps" in path.read_text() and "child" not in path.name
    ] == []
