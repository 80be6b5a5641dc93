"""A language model, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("language_model", engine=engine, atol=1e-4, n_epochs=1, n_steps=150)


@pytest.mark.long
def test_the_default_size():
    agree("language_model", only="exp(cost)", rtol=0.05)
