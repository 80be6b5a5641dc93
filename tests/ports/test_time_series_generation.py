"""A recurrent network that makes a series, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("time_series_generation", engine=engine, n_iterations=10, n_made=4)


@pytest.mark.long
def test_more_iterations():
    """After the default number of them, rounding has led to another series."""
    agree("time_series_generation", n_iterations=50, rtol=1e-2, atol=1e-3)
