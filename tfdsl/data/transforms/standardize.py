"""Scales columns to mean 0 and standard deviation 1."""

from typing import TYPE_CHECKING

from ..scaling import Scaling
from ..stage import Arguments
from .base import Learned, Readable

if TYPE_CHECKING:
    import numpy as np

    from ..tables import Table


class Standardize(Scaling):
    name = "standardize"
    example = "data iris = iris() | split(test=0.2) | standardize"
    doc = (
        "Scales each column to mean 0 and standard deviation 1, by the training rows. The column of `add_bias` does "
        "not change."
    )

    words = ("mean", "std")

    def readable(self, arguments: Arguments, learned: Learned) -> Readable:
        names = learned["columns"]
        deviations = (0.0 if constant else scale for scale, constant in zip(learned["scale"], learned["constant"]))
        return {"mean": dict(zip(names, learned["shift"])), "std": dict(zip(names, deviations))}

    def measured(self, table: "Table", names: tuple[str, ...]) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """Like StandardScaler."""
        import numpy as np

        from ..tables import matrix

        rows = table.training_rows
        mean = np.asarray(sum(matrix(block, names).sum(axis=0) for block in table.training_blocks())) / rows
        squares = (((matrix(block, names) - mean) ** 2).sum(axis=0) for block in table.training_blocks())
        variance = np.asarray(sum(squares)) / rows
        # Rounding leaves a constant column a tiny variance. The bound is the one of scikit-learn, after Chan et al.
        eps = np.finfo(np.float64).eps
        constant = variance <= rows * eps * variance + (rows * mean * eps) ** 2
        return mean, np.where(constant, 1.0, np.sqrt(variance)), constant


TRANSFORM = Standardize()
