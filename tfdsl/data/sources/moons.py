"""Two half moons, drawn at random."""

from typing import TYPE_CHECKING

from ...types import INT64
from ..schema import MAX_NUMBERS, Schema, is_integer, is_number, numbered, numbers
from ..stage import Arguments
from .base import DataSource, OpenedData, Where

if TYPE_CHECKING:
    from ..tables import ColumnSource

_MAX_ROWS = MAX_NUMBERS // 2
_MAX_NOISE = 1e30


class Moons(DataSource):
    name = "moons"
    signature = "n_samples: integer, noise: number = 0.0, seed: integer = none"
    example = "data moons = moons(1000, noise=0.1, seed=42)"
    doc = "Points of two interleaving half circles; the target is the number of the half circle, 0 or 1."
    target_name = "target"

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        rows, noise = arguments["n_samples"], arguments["noise"]
        if not is_integer(rows) or not 1 <= rows <= _MAX_ROWS:
            self.refuse(arguments, "n_samples", f"an integer from 1 to {_MAX_ROWS}")
        if not is_number(noise) or not 0 <= noise <= _MAX_NOISE:
            self.refuse(arguments, "noise", f"a number from 0 to {_MAX_NOISE}")
        if arguments["seed"] is not None:
            self.check_seed(arguments)
        schema = Schema(rows, numbers(numbered(2), "target", INT64, (0, 1)), named=False)
        return OpenedData(schema, lambda: self._made(rows, float(noise), arguments["seed"]))

    def _made(self, rows: int, noise: float, seed: object) -> "ColumnSource":
        import numpy as np
        from sklearn.datasets import make_moons

        from ..tables import held

        # Without a seed, still use a separate generator: the global one belongs to the user.
        random = np.random.RandomState(seed if is_integer(seed) else None)
        return held(numbered(2), *make_moons(rows, noise=noise, random_state=random), self.name)


SOURCE = Moons()
