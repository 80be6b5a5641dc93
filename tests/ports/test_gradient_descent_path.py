"""The path of gradient descent, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine, here):
    agree("gradient_descent_path", engine=engine)
