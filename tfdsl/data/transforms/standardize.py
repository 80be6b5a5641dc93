"""Scales features to mean 0 and standard deviation 1."""

from typing import TYPE_CHECKING

from ..schema import Schema
from ..stage import Arguments
from .base import Transform, with_emptied

if TYPE_CHECKING:
    from ..arrays import Table


class Standardize(Transform):
    name = "standardize"
    doc = "Each feature with mean 0 and standard deviation 1 over the training rows. The column of `add_bias` stays."
    learns = True

    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        return before

    def apply(self, table: "Table") -> "Table":
        """Like StandardScaler."""
        import numpy as np

        rows = table.training_rows
        mean = np.asarray(sum(block.sum(axis=0) for block in table.training_blocks())) / rows
        variance = np.asarray(sum(((block - mean) ** 2).sum(axis=0) for block in table.training_blocks())) / rows
        # Rounding leaves a constant column a tiny variance. The bound is the one of scikit-learn, after Chan et al.
        eps = np.finfo(np.float64).eps
        constant = variance <= rows * eps * variance + (rows * mean * eps) ** 2
        scale = np.where(constant, 1.0, np.sqrt(variance))
        mean[: table.biases], scale[: table.biases] = 0.0, 1.0
        return with_emptied(table.mapped(lambda features: (features - mean) / scale), constant, mean)


TRANSFORM = Standardize()
