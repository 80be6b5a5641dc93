"""Keeps the rows for which a condition holds."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ...diagnostics import CONDITION_KIND, WHERE_LEARNED, WHERE_MISSING, WHERE_NONE
from ..condition import checked, columns_in, holds
from ..schema import DataError, Schema, shown
from ..stage import Arguments
from .base import Facts, RowTransform

if TYPE_CHECKING:
    from ..tables import Table


class Filter(RowTransform):
    name = "where"
    signature = "condition: static"
    doc = (
        'The rows for which a condition on columns holds, such as `age > 30 and sex == "male"`; `column("home city")` '
        "is a column whose name is no word. A row in which one of these columns is missing is left out. After a "
        "`split`, the rows of each part."
    )
    takes_condition = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        condition = arguments["condition"]
        for name in columns_in(condition, before):
            column = before.column(name)
            if column is None:
                raise self.unknown(name, before, "condition")
            if column.is_learned:
                raise DataError(WHERE_LEARNED, param="condition", column=shown(name))
        kind = checked(condition, before)
        if kind != "truth" or not set(columns_in(condition, before)):
            what = "a condition without columns" if kind == "truth" else f"a {kind}"
            raise DataError(CONDITION_KIND, param="condition", kind=what)
        if facts.rows == 0 or any(rows == 0 for _, rows in facts.parts):
            raise DataError(WHERE_NONE, param="condition", rows=before.rows)
        gaps = [column for name in columns_in(condition, before) if (column := before.column(name)) and column.gaps]
        if gaps:
            facts.doubt(WHERE_MISSING, column=" or ".join(shown(column.name) for column in gaps))
        unknown = before.with_columns(lambda one: replace(one, ends=None))
        return replace(unknown, rows=facts.rows, parts=facts.parts)

    def choose(self, arguments: Arguments, table: "Table") -> "Table":
        import numpy as np

        condition = arguments["condition"]
        kept = np.concatenate([holds(condition, block, table.words) for _, block in table.blocks()])
        return table.within(lambda rows: rows[kept[rows]])


TRANSFORM = Filter()
