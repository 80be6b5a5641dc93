"""Two networks side by side, one with batch normalization, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine, here):
    agree("batch_norm", engine=engine, n_layers=1, n_epochs=1)


@pytest.mark.long
def test_the_default_size(here):
    agree("batch_norm", rtol=1e-2, atol=1e-3)
