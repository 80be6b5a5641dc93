"""A training that is interrupted and resumed, beside the same one by hand, which is not interrupted."""

from pathlib import Path

import pytest
from beside_by_hand import PROGRAMS, agree
from conftest import some
from interrupted import stopped_after

import tfdsl

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize("engine", some(["step", "loop"], ["step"]))
def test_interrupted_and_resumed(engine):
    stopped_after(tfdsl.compile(PROGRAMS["resumed"], {"n_epochs": 4}), 30, engine=engine)
    assert Path("checkpoints/resume").exists()
    agree("resumed", engine=engine, n_epochs=4)
    assert not Path("checkpoints/resume").exists()


@pytest.mark.long
def test_the_default_size():
    agree("resumed", rtol=1e-3)
