"""Layers that serve for other digits, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine, here):
    agree("transfer", engine=engine, n_epochs=1)


@pytest.mark.long
def test_the_default_size(here):
    agree("transfer", rtol=1e-2, atol=1e-3)
