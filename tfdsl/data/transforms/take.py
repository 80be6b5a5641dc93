"""Takes the first rows."""

from typing import TYPE_CHECKING

from ...record import replace
from ..schema import Schema, is_integer
from ..stage import Arguments
from .base import Facts, RowTransform

if TYPE_CHECKING:
    from ..tables import Table


class Take(RowTransform):
    name = "take"
    signature = "n: integer"
    example = "data digits = digits() | take(100)"
    doc = "Keeps the first n rows; after a `split`, those of each part, or all if it has fewer."

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        n = arguments["n"]
        most, what = before.rows, "the number of rows"
        if before.parts:
            most, name = max((rows, name) for name, rows in before.parts)
            what = f"the number of rows of .{name}"
        if not is_integer(n) or not 1 <= n <= most:
            self.refuse(arguments, "n", f"an integer from 1 to {most}, {what}")
        parts = tuple((name, min(n, rows)) for name, rows in before.parts)
        # These rows may have fewer classes.
        unknown = before.with_columns(lambda column: replace(column, ends=None))
        return replace(unknown, rows=sum(rows for _, rows in parts) if parts else n, parts=parts)

    def choose(self, arguments: Arguments, table: "Table") -> "Table":
        n = arguments["n"]
        return table.within(lambda rows: rows[:n])


TRANSFORM = Take()
