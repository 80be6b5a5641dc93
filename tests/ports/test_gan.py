"""A GAN, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("gan", engine=engine, n_epochs=2)


@pytest.mark.long
def test_the_default_size():
    agree("gan", only="distance", atol=0.02)
