"""The nearest neighbour, beside the same program by hand."""

from beside_by_hand import agree


def test_the_same_results():
    agree("nearest_neighbour")
