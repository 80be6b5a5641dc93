"""A graph convolutional network, beside the same program by hand."""

import pytest
from beside_by_hand import agree


def test_the_same_results():
    agree("gcn", n_epochs=10)


@pytest.mark.long
def test_the_default_size():
    agree("gcn", rtol=1e-3)
