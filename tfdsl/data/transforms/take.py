"""Takes the first rows."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..schema import Schema, is_integer
from ..stage import Arguments
from .base import Transform

if TYPE_CHECKING:
    from ..arrays import Table


class Take(Transform):
    name = "take"
    signature = "n: integer"
    doc = "The first n rows."
    of_rows = True

    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        self.need_undivided(before)
        n = arguments["n"]
        if not is_integer(n) or not 1 <= n <= before.rows:
            self.refuse(arguments, "n", f"an integer from 1 to {before.rows}, the number of rows")
        return replace(before, rows=n, target_range=None)  # these rows may have fewer classes

    def apply(self, table: "Table", n: int) -> "Table":
        return table.first(n)


TRANSFORM = Take()
