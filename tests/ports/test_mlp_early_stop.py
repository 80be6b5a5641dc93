"""Early stopping with the best variables kept, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine, here):
    agree("mlp_early_stop", engine=engine, patience=1)


@pytest.mark.long
def test_the_default_size(here):
    agree("mlp_early_stop", rtol=1e-2, atol=1e-3)
