"""A transformer that sorts digits, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("transformer", engine=engine, atol=1e-5, n_steps=3, eval_every=3)


@pytest.mark.long
def test_more_steps():
    agree("transformer", atol=1e-3, n_steps=9, eval_every=9)  # Adam makes steps of what rounding leaves
