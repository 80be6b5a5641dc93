"""Choices by tensors, compared with NumPy."""

import numpy as np
import pytest

import tfdsl

X = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]], np.float32)
W = np.array([1.0, 2.0, 3.0], np.float32)
PROGRAM = """
placeholder X: float32[n, 3]
variable W = [1.0, 2.0, 3.0]
is_first = X[:, :1] < 2.0
result = {choice}
"""


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("X * W if X > 0.0 else 0.0", np.where(X > 0, X * W, 0)),
        ("1.0 if X > 2.0 else W", np.where(X > 2, 1, W)),
        ("X * W if is_first else -1.0", np.where(X[:, :1] < 2, X * W, -1)),
        ("X if is_first else W", np.where(X[:, :1] < 2, X, W)),
        ("X if reduce_sum(X) > 100.0 else W", np.where(X.sum() > 100, X, W) + 0 * X),
        ("W * X if X[:, 0] > 2.0 else -X", np.where(X[:, :1] > 2, W * X, -X)),
    ],
)
def test_a_choice_broadcasts(choice, wanted):
    with tfdsl.compile(PROGRAM.format(choice=choice)).session() as session:
        found = session.run("result", {"X": X})
    np.testing.assert_allclose(found + 0 * X, wanted, rtol=1e-6)
