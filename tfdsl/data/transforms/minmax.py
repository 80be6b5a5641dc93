"""Scales columns to the range from 0 to 1."""

from typing import TYPE_CHECKING

from ..scaling import Scaling
from ..stage import Arguments
from .base import Learned, Readable

if TYPE_CHECKING:
    import numpy as np

    from ..tables import Table


class MinMax(Scaling):
    name = "minmax"
    example = "data digits = digits() | minmax"
    doc = "Scales each column to the range from 0 to 1, by the training rows. The column of `add_bias` does not change."

    words = ("min", "range")

    def readable(self, arguments: Arguments, learned: Learned) -> Readable:
        names = learned["columns"]
        ranges = (0.0 if constant else scale for scale, constant in zip(learned["scale"], learned["constant"]))
        return {"min": dict(zip(names, learned["shift"])), "range": dict(zip(names, ranges))}

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
