"""LeNet, beside the same program by hand. Its evaluation is another graph, so a longer training would drop other numbers."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("lenet", engine=engine, n_epochs=4)
