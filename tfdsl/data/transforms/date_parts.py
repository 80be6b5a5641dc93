"""Makes numbers of the parts of dates."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...diagnostics import DATE_CELL, DATE_OFFSET
from ...types import FLOAT32, INT64, STRING
from ..schema import Column, DataError, FilePlace, Schema, shown
from ..stage import Arguments
from .base import ColumnTransform, Facts, Learned, OutsideGraph, check_names

if TYPE_CHECKING:
    from datetime import datetime

    from ..tables import Block, Function, Table, Words

PARTS: "dict[str, Callable[[datetime], int]]" = {
    "year": lambda date: date.year, "month": lambda date: date.month, "day": lambda date: date.day,
    "weekday": lambda date: date.weekday(), "hour": lambda date: date.hour, "minute": lambda date: date.minute,
    "second": lambda date: date.second, "dayofyear": lambda date: date.timetuple().tm_yday,
}  # fmt: skip
_OFFSET = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(?:\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?)?")
_USUAL = ("year", "month", "day", "weekday")


class DateParts(OutsideGraph, ColumnTransform):
    name = "date_parts"
    signature = "parts: static = none, format: text = none"
    example = 'data people = csv("people.csv", target="income") | date_parts("born", parts=["year", "month"])'
    doc = (
        "Splits dates into columns of whole numbers: `date` becomes `date_year`, `date_month`, `date_day` and "
        "`date_weekday`, 0 for Monday. `parts` chooses others out of year, month, day, weekday, hour, minute, second "
        "and dayofyear. Dates are written as 2024-12-31, 2024-12 or 2024-12-31 23:59:59, or in a `format` of Python, "
        'such as "%d.%m.%Y"; with the offset "%z" in it, the parts are in UTC. A cell that is not a date is an error, '
        "and so is a missing cell in new rows if the column had none."
    )
    takes_columns = True
    needs_columns = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        parts, form = self._parts(arguments), arguments["format"]
        if isinstance(form, str) and "%Z" in form.replace("%%", ""):
            self.refuse(
                arguments, "format", 'without "%Z", as names of time zones are not looked at; "%z" is an offset'
            )
        columns = self.worked_on(arguments, before, facts)
        if facts.table is not None:
            self._check(columns, arguments["format"], facts.table)
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
        if not isinstance(parts, tuple) or not parts or not all(part in PARTS for part in parts):
            self.refuse(arguments, "parts", "names in a list, out of " + ", ".join(PARTS))
        return tuple(str(part) for part in parts)

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        return self.wanted(arguments, before, lambda one: one.dtype == STRING, "columns of text", facts)

    def complete(self, arguments: Arguments, before: Schema) -> tuple[Column, ...]:
        # Only of a column that had missing cells the parts can lack.
        return tuple(column for column in self.worked_on(arguments, before) if not column.gaps)

    def check_rows(
        self, arguments: Arguments, before: Schema, table: "Table", data: str, has_target: bool = True
    ) -> None:
        super().check_rows(arguments, before, table, data, has_target)
        there = set(table.block(slice(0, 1)))
        columns = [one for one in self.worked_on(arguments, before) if one.name in there]
        self._check(columns, arguments["format"], table, data)

    def _check(self, columns: Sequence[Column], form: object, table: "Table", data: str = "") -> None:
        """Refuse cells that are no dates. `data` has learned the form, if it is not that of the table itself."""
        import numpy as np

        for name in (column.name for column in columns):
            words = table.words[name]
            wrong = [code for code, text in enumerate(words) if parsed_date(text, form) is None]
            for start, block in table.blocks() if wrong else ():
                found = np.flatnonzero(np.isin(block[name], wrong))
                if len(found):
                    row = int(found[0])
                    raise _no_date(name, words[int(block[name][row])], form, data, table.place(start + row, name))

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        import numpy as np

        parts, columns = self._parts(arguments), self.worked_on(arguments, before)
        numbers, wrong = {}, dict[str, set[int]]()
        for column in columns:
            dates = [parsed_date(text, arguments["format"]) for text in words[column.name]]
            rows = [[np.nan if date is None else PARTS[part](date) for part in parts] for date in dates]
            table = np.array([*rows, [np.nan] * len(parts)], np.float64)  # a missing cell takes the last
            numbers[column.name] = table if column.gaps else np.nan_to_num(table).astype(np.int64)
            wrong[column.name] = {code for code, date in enumerate(dates) if date is None}
            wrong[column.name] |= set() if column.gaps else {-1}

        def divided(block: "Block") -> "Block":
            result: Block = {}
            for name, cells in block.items():
                if name in numbers:
                    for code in wrong[name].intersection(cells.tolist()) if wrong[name] else ():  # of unchecked rows
                        raise _no_date(name, "" if code < 0 else words[name][code], arguments["format"])
                    result.update((f"{name}_{part}", numbers[name][cells, at]) for at, part in enumerate(parts))
                else:
                    result[name] = cells
            return result

        return divided, {name: known for name, known in words.items() if name not in numbers}


def parsed_date(text: str, form: object) -> "datetime | None":
    """The date that a text is in a form, or in one of the usual ones if that is None, which have no offset from UTC; in
    UTC if the form has one. None if it is no date."""
    from datetime import UTC, datetime

    try:
        if isinstance(form, str):
            date = datetime.strptime(text, form)
            return date if date.tzinfo is None else date.astimezone(UTC)
        return datetime.fromisoformat(f"{text}-01" if len(text) == 7 else text) if _DATE.fullmatch(text) else None
    except (ValueError, OverflowError, re.error):  # re.error: the form has a part twice
        return None


def _no_date(column: str, cell: str, form: object, data: str = "", place: FilePlace | None = None) -> DataError:
    """The error for a cell that is no date in a form, which `data` has learned if it is not empty."""
    offset = _OFFSET.fullmatch(cell) if form is None else None
    has_offset = offset is not None and parsed_date(cell[: offset.start(2)], None) is not None
    written = f"in the form {shown(form)}" if isinstance(form, str) else "as 2024-12-31 or 2024-12-31 23:59:59"
    if data:
        way = f"write dates {written}, as {data} has learned from"
    elif offset is not None and has_offset:
        usual = f"%Y-%m-%d{cell[10]}%H:%M{'' if offset[1] is None else ':%S'}{'.%f' if '.' in cell else ''}"
        way = (
            f"format={shown(f'{usual}%z')} makes the parts those of UTC; format={shown(f'{usual}{offset[2]}')} makes "
            f"them those of the clock, and takes no other offset than {offset[2]}"
        )
    elif isinstance(form, str):
        way = f'dates are written {written}; if the cell means a missing date, write missing=["", {shown(cell)}]'
    else:
        way = 'dates are written as 2024-12-31; for another form write format=, such as format="%d.%m.%Y"'
    message = DATE_OFFSET if has_offset else DATE_CELL
    return DataError(message, place=place, param=f"column {column}", column=shown(column), cell=shown(cell), way=way)


TRANSFORM = DateParts()
