"""Scales features to the range from 0 to 1."""

from typing import TYPE_CHECKING

from ..schema import Schema
from ..stage import Arguments
from .base import Transform, with_emptied

if TYPE_CHECKING:
    from ..arrays import Table


class MinMax(Transform):
    name = "minmax"
    doc = "Each feature from 0 to 1 over the training rows. The column of `add_bias` stays."
    learns = True

    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        return before

    def apply(self, table: "Table") -> "Table":
        """Like MinMaxScaler."""
        import numpy as np

        low = np.min([block.min(axis=0) for block in table.training_blocks()], axis=0)
        high = np.max([block.max(axis=0) for block in table.training_blocks()], axis=0)
        extent = high - low
        constant = extent < 10 * np.finfo(np.float64).eps
        scale = np.where(constant, 1.0, extent)
        low[: table.biases], scale[: table.biases] = 0.0, 1.0
        return with_emptied(table.mapped(lambda features: (features - low) / scale), constant, low)


TRANSFORM = MinMax()
