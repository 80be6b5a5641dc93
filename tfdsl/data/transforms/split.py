"""Splits the rows into training rows and test rows."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ..schema import Schema, is_number
from ..stage import Arguments
from .base import Transform

if TYPE_CHECKING:
    from ..arrays import Table


class Split(Transform):
    name = "split"
    signature = "test: number = 0.2, seed: integer = 42"
    doc = (
        "Divides the rows at random into `.train` and `.test`; `.features` keeps them all. Other transforms learn "
        "from `.train`, wherever `split` is."
    )
    of_rows = True
    divides = True

    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        self.need_undivided(before)
        test = arguments["test"]
        if not is_number(test) or not 0 < test < 1:
            self.refuse(arguments, "test", "a number above 0 and below 1")
        self.check_seed(arguments)
        rows = math.ceil(test * before.rows)
        if rows >= before.rows:
            self.refuse(arguments, "test", f"small enough to leave some of the {before.rows} rows")
        return replace(before, test_rows=rows)

    def apply(self, table: "Table", test: float, seed: int) -> "Table":
        """The same rows as train_test_split(test_size=test, random_state=seed), in the same order."""
        import numpy as np

        rows = table.rows
        permutation = np.random.RandomState(seed).permutation(rows)
        count = math.ceil(test * rows)
        return replace(table, split=(permutation[count:], permutation[:count]))


TRANSFORM = Split()
