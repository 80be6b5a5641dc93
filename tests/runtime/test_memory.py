"""The memory of a training on large data: the data once, and a little more."""

import runpy
import subprocess
from pathlib import Path

import forked
import pytest

pytestmark = pytest.mark.loops

memory = runpy.run_path(str(Path(__file__).resolve().parents[2] / "benchmarks" / "memory.py"))
ROWS = 100_000  # 50 MB
ROUNDING = 8 << 20  # bytes by which the memory of a process varies; the data has 50 million
LIMIT = 1.6  # times the data, beyond the memory of a program without data


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    memory["write"](folder / "big.npz", ROWS)
    return folder


@pytest.mark.parametrize(
    "transforms", [pytest.param("", marks=pytest.mark.long), "| standardize | add_bias | split(test=0.1)"]
)
def test_data_is_stored_once(folder, transforms, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", forked.Popen)  # by `peaks`
    part = ".train" if "split" in transforms else ""
    text = memory["PROGRAM"].format(file="big.npz", transforms=transforms, part=part, steps=100)
    tiny, whole = memory["peaks"](text, "loop", folder)
    assert whole - tiny < LIMIT * 4 * ROWS * (memory["COLUMNS"] + 1) + ROUNDING
