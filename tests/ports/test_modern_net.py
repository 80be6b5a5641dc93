"""Dropout in training only, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("modern_net", engine=engine, n_epochs=2)


@pytest.mark.long
def test_the_default_size():
    agree("modern_net", rtol=1e-2, atol=1e-3)
