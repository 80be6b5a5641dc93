"""Makes numbers of the parts of dates."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...diagnostics import DATE_CELL
from ...types import FLOAT32, INT64, STRING
from ..schema import Column, DataError, Schema, shown
from ..stage import Arguments
from .base import ColumnTransform, Facts, Learned, OutsideGraph, check_names

if TYPE_CHECKING:
    from datetime import datetime

    from ..tables import Block, Function, Words

_PARTS: "dict[str, Callable[[datetime], int]]" = {
    "year": lambda date: date.year, "month": lambda date: date.month, "day": lambda date: date.day,
    "weekday": lambda date: date.weekday(), "hour": lambda date: date.hour, "minute": lambda date: date.minute,
    "second": lambda date: date.second, "dayofyear": lambda date: date.timetuple().tm_yday,
}  # fmt: skip
_USUAL = ("year", "month", "day", "weekday")


class DateParts(OutsideGraph, ColumnTransform):
    name = "date_parts"
    signature = "parts: static = none, format: text = none"
    doc = (
        "Columns of whole numbers for the parts of dates: `date` becomes `date_year`, `date_month`, `date_day` and "
        "`date_weekday`, 0 for Monday. `parts` names others out of year, month, day, weekday, hour, minute, second and "
        "dayofyear. Dates are written as 2024-12-31, 2024-12 or 2024-12-31 23:59:59, or in a `format` of Python, such "
        'as "%d.%m.%Y".'
    )
    takes_columns = True
    needs_columns = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        parts = self._parts(arguments)
        columns = self.worked_on(arguments, before, facts)
        for column in columns:
            for text in facts.words(column.name):
                if parsed_date(text, arguments["format"]) is None:
                    place = facts.first(column.name, text)
                    raise DataError(DATE_CELL, place=place, param=f"column {column.name}", column=shown(column.name),
                                    cell=shown(text))  # fmt: skip
        names = {column.name for column in columns}

        def change(column: Column) -> Column | tuple[Column, ...]:
            if column.name not in names:
                return column
            dtype = FLOAT32 if column.gaps else INT64
            return tuple(
                Column(f"{column.name}_{part}", dtype, (), column.role, gaps=column.gaps, is_computed=True)
                for part in parts
            )

        return check_names(before.with_columns(change))

    def _parts(self, arguments: Arguments) -> tuple[str, ...]:
        parts = _USUAL if arguments["parts"] is None else arguments["parts"]
        if not isinstance(parts, tuple) or not parts or not all(part in _PARTS for part in parts):
            self.refuse(arguments, "parts", "names in a list, out of " + ", ".join(_PARTS))
        return tuple(str(part) for part in parts)

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        return self.wanted(arguments, before, lambda one: one.dtype == STRING, "columns of text", facts)

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        import numpy as np

        parts, columns = self._parts(arguments), self.worked_on(arguments, before)
        numbers = {}
        for column in columns:
            dates = [parsed_date(text, arguments["format"]) for text in words[column.name]]
            rows = [[np.nan if date is None else _PARTS[part](date) for part in parts] for date in dates]
            table = np.array([*rows, [np.nan] * len(parts)], np.float64)  # a missing cell takes the last
            numbers[column.name] = table if column.gaps else np.nan_to_num(table).astype(np.int64)

        def divided(block: "Block") -> "Block":
            result: Block = {}
            for name, cells in block.items():
                if name in numbers:
                    result.update((f"{name}_{part}", numbers[name][cells, at]) for at, part in enumerate(parts))
                else:
                    result[name] = cells
            return result

        return divided, {name: known for name, known in words.items() if name not in numbers}


def parsed_date(text: str, form: object) -> "datetime | None":
    """The date that a text is in a form, or in one of the usual ones if that is None. None if it is no date."""
    from datetime import datetime

    try:
        if isinstance(form, str):
            return datetime.strptime(text, form)
        return datetime.fromisoformat(f"{text}-01" if len(text) == 7 else text)
    except (ValueError, re.error):  # re.error: the form has a part twice
        return None


TRANSFORM = DateParts()
