"""The path of gradient descent, beside the same program by hand."""

import pytest
from beside_by_hand import agree


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_the_same_results(engine, here):
    agree("gradient_descent_path", engine=engine, n_steps=20)


@pytest.mark.long
def test_the_default_size(here):
    agree("gradient_descent_path", rtol=1e-2, atol=1e-3)
