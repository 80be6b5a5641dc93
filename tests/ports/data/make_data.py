"""Makes the data of the programs in the folder above: python tests/ports/data/make_data.py."""

import csv
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


def parabola():
    """x^2 - 5 with noise."""
    random = np.random.default_rng(1)
    x = np.linspace(-7, 10, 500)
    yield ["x", "y"]
    for row in zip(x, np.square(x) - 5 + random.normal(0, 2, x.shape)):
        yield [f"{value:.3f}" for value in row]


def sequences():
    """Numbers that rise in even steps, with the label 0, and numbers at random, with the label 1. Most series are shorter
    than the longest one, and end with zeros."""
    random = np.random.default_rng(2)
    longest = 20
    yield ["label", "length", *(f"x{at}" for at in range(longest))]
    for _ in range(400):
        label, length = random.integers(2), random.integers(3, longest + 1)
        start = random.uniform(0, 1 - 0.02 * length)
        series = random.uniform(0, 1, length) if label else start + 0.02 * np.arange(length)
        yield [label, length, *(f"{value:.3f}" for value in series), *[0] * (longest - length)]


if __name__ == "__main__":
    for make in (parabola, sequences):
        with (FOLDER / f"{make.__name__}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(make())
