"""Shuffles the rows."""

from typing import TYPE_CHECKING

from ..schema import Schema
from ..stage import Arguments, whole
from .base import Facts, RowTransform

if TYPE_CHECKING:
    from ..tables import Table


class Shuffle(RowTransform):
    name = "shuffle"
    signature = "seed: integer = 42"
    example = "data iris = iris() | shuffle(seed=1)"
    doc = "Puts the rows in random order; after a `split`, the rows of each part."

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        self.check_seed(arguments)
        return before

    def choose(self, arguments: Arguments, table: "Table") -> "Table":
        """Like sklearn.utils.shuffle(random_state=seed)."""
        import numpy as np

        seed = whole(arguments, "seed")
        if not table.parts:
            return table.ordered(np.random.RandomState(seed).permutation(table.rows))
        parts = ((name, rows[np.random.RandomState(seed).permutation(len(rows))]) for name, rows in table.parts)
        return table.divided(tuple(parts))


TRANSFORM = Shuffle()
