"""A recurrent network whose state goes on from batch to batch, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("rnn_regression", engine=engine, n_steps=10)


@pytest.mark.long
def test_the_default_size():
    agree("rnn_regression", rtol=1e-2)
