"""A convolutional network in two towers, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("multi_tower", engine=engine, n_steps=5, towers=2)


@pytest.mark.long
def test_the_default_size():
    agree("multi_tower", towers=2, rtol=1e-2)
