"""Scales columns to the range from 0 to 1."""

from typing import TYPE_CHECKING

from ..scaling import Scaling

if TYPE_CHECKING:
    import numpy as np

    from ..tables import Table


class MinMax(Scaling):
    name = "minmax"
    doc = "Each column from 0 to 1 over the training rows. The column of `add_bias` stays."

    def measured(self, table: "Table", names: tuple[str, ...]) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """Like MinMaxScaler."""
        import numpy as np

        from ..tables import matrix

        ends = [(part.min(axis=0), part.max(axis=0)) for part in (matrix(b, names) for b in table.training_blocks())]
        low, high = np.min([one for one, _ in ends], axis=0), np.max([one for _, one in ends], axis=0)
        extent = high - low
        constant = extent < 10 * np.finfo(np.float64).eps
        return low, np.where(constant, 1.0, extent), constant


TRANSFORM = MinMax()
