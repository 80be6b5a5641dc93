"""Two half moons, drawn at random."""

from typing import TYPE_CHECKING

from ...types import INT64
from ..schema import MAX_NUMBERS, Schema, is_integer, is_number, numbered
from ..stage import Arguments
from .base import DataSource, Where

if TYPE_CHECKING:
    from ..arrays import Table

_MAX_ROWS = MAX_NUMBERS // 2
_MAX_NOISE = 1e30


class Moons(DataSource):
    name = "moons"
    signature = "n_samples: integer, noise: number = 0.0, seed: integer = none"
    doc = "Points of two interleaving half circles; the target is the half circle."
    target_name = "target"

    def schema(self, arguments: Arguments, where: Where) -> Schema:
        rows, noise = arguments["n_samples"], arguments["noise"]
        if not is_integer(rows) or not 1 <= rows <= _MAX_ROWS:
            self.refuse(arguments, "n_samples", f"an integer from 1 to {_MAX_ROWS}")
        if not is_number(noise) or not 0 <= noise <= _MAX_NOISE:
            self.refuse(arguments, "noise", f"a number from 0 to {_MAX_NOISE}")
        if arguments["seed"] is not None:
            self.check_seed(arguments)
        return Schema(rows, numbered(2), INT64, "target", named=False, target_range=(0, 1))

    def load(self, where: Where, n_samples: int, noise: float, seed: int | None) -> "Table":
        import numpy as np
        from sklearn.datasets import make_moons

        from ..arrays import table

        # Without a seed, still use a separate generator: the global one belongs to the user.
        random = np.random.RandomState(seed)
        return table(*make_moons(n_samples, noise=noise, random_state=random), self.name)


SOURCE = Moons()
