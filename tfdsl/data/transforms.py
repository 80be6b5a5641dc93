"""The transforms with NumPy. Each takes a `Table` and its arguments, checked already, and returns a `Table`.

They compute in float64 and agree with scikit-learn's of the same purpose; what is learnt of the data,
such as a mean, is learnt from the training rows. So those that choose rows go first (`load.py`). A column of ones
that `add_bias` made stays as it is.
"""

import math
from dataclasses import replace

import numpy as np

from .arrays import Table


def standardize(table: Table) -> Table:
    """As StandardScaler."""
    rows = table.training_rows
    mean = sum(block.sum(axis=0) for block in table.training_blocks()) / rows
    variance = sum(((block - mean) ** 2).sum(axis=0) for block in table.training_blocks()) / rows
    # Rounding leaves a constant column a tiny variance. The bound is scikit-learn's, after Chan et al.
    eps = np.finfo(np.float64).eps
    constant = variance <= rows * eps * variance + (rows * mean * eps) ** 2
    scale = np.where(constant, 1.0, np.sqrt(variance))
    mean[: table.biases], scale[: table.biases] = 0.0, 1.0
    return _emptied(table.mapped(lambda features: (features - mean) / scale), constant, mean)


def minmax(table: Table) -> Table:
    """As MinMaxScaler."""
    low = np.min([block.min(axis=0) for block in table.training_blocks()], axis=0)
    high = np.max([block.max(axis=0) for block in table.training_blocks()], axis=0)
    extent = high - low
    constant = extent < 10 * np.finfo(np.float64).eps
    scale = np.where(constant, 1.0, extent)
    low[: table.biases], scale[: table.biases] = 0.0, 1.0
    return _emptied(table.mapped(lambda features: (features - low) / scale), constant, low)


def _emptied(table: Table, constant: np.ndarray, value: np.ndarray) -> Table:
    """A table, with a note of the columns whose one value has become 0."""
    columns = np.flatnonzero(constant & (value != 0)).tolist()
    return replace(table, emptied=tuple((column, float(value[column])) for column in columns))


def add_bias(table: Table) -> Table:
    with_ones = table.mapped(lambda features: np.column_stack([np.ones(len(features)), features]))
    return replace(with_ones, biases=table.biases + 1)


def polynomial(table: Table, degree: int) -> Table:
    """As PolynomialFeatures."""
    from sklearn.preprocessing import PolynomialFeatures

    biases, products = table.biases, PolynomialFeatures(degree, include_bias=False).fit_transform
    if not biases:
        return table.mapped(products)
    return table.mapped(lambda features: np.column_stack([features[:, :biases], products(features[:, biases:])]))


def split(table: Table, test: float, seed: int) -> Table:
    """The same rows as train_test_split(test_size=test, random_state=seed), in the same order."""
    rows = table.rows
    permutation = np.random.RandomState(seed).permutation(rows)
    count = math.ceil(test * rows)
    return replace(table, train=permutation[count:], test=permutation[:count])


def take(table: Table, n: int) -> Table:
    return table.first(n)


def shuffle(table: Table, seed: int) -> Table:
    """As sklearn.utils.shuffle(random_state=seed)."""
    return table.ordered(np.random.RandomState(seed).permutation(table.rows))
