"""K-means on digits, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("kmeans", engine=engine, k=10)


@pytest.mark.long
def test_the_default_size():
    agree("kmeans")
