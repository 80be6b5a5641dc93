"""A learning rate that is fed, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("lr_schedule_fed", engine=engine, n_epochs=2)


@pytest.mark.long
def test_the_default_size():
    agree("lr_schedule_fed", rtol=1e-2, atol=1e-3)
