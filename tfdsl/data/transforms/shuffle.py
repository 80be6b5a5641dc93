"""Shuffles the rows."""

from typing import TYPE_CHECKING

from ..schema import Schema
from ..stage import Arguments
from .base import Transform

if TYPE_CHECKING:
    from ..arrays import Table


class Shuffle(Transform):
    name = "shuffle"
    signature = "seed: integer = 42"
    doc = "The rows in random order."
    of_rows = True

    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        self.need_undivided(before)
        self.check_seed(arguments)
        return before

    def apply(self, table: "Table", seed: int) -> "Table":
        """Like sklearn.utils.shuffle(random_state=seed)."""
        import numpy as np

        return table.ordered(np.random.RandomState(seed).permutation(table.rows))


TRANSFORM = Shuffle()
