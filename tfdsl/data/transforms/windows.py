"""Makes windows of series."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...diagnostics import SERIES_BACK, SERIES_GAP, SERIES_GROUPS, SERIES_SAME
from ...diagnostics.spelling import counted
from ...record import replace
from ...types import FLOAT32, INT64
from ..schema import Column, DataError, Schema, check_size, is_integer, shown
from ..stage import Arguments, whole
from .base import Facts, Learned, SeriesTransform, distinct, near_column

if TYPE_CHECKING:
    from ..tables import Table

_MOST = 1 << 16  # rows of a window, and to its target
_SOME = 3  # groups in a message


class Windows(SeriesTransform):
    name = "windows"
    signature = "size: integer, horizon: integer = 1, stride: integer = 1, by: text = none"
    example = 'data tides = csv("tides.csv", target="level") | split(ordered=true) | windows("wind", size=24)'
    doc = (
        "Cuts the rows into windows of `size` consecutive rows. The column `window`, float32 [size, columns], "
        "replaces these columns; without names, all columns of numbers. The target is the one `horizon` rows after "
        "the last row of the window, and so are the columns that are set aside; other columns have the values of the "
        "last row. Without a target, the last window ends with the last row. In new rows without the target that was "
        "learned from, a window has the columns set aside of the row that it predicts, such as its day. If it "
        "predicts a row after the last one, it has those of the last row, and the column `ahead` says how many rows "
        "later the predicted row comes. A window begins "
        "every `stride` rows, and its rows have the same value in the column `by`, which is set aside. No window "
        "spans two parts of a `split`, which must have `ordered=true` or the same `by`; if `split(ordered=true)` "
        "follows, it cuts the series first."
    )
    takes_columns = True
    needs_complete = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        size, by = arguments["size"], arguments["by"]
        for name, least in (("size", 1), ("horizon", 0), ("stride", 1)):
            value = arguments[name]
            if not is_integer(value) or not least <= value <= _MOST:
                self.refuse(arguments, name, f"an integer from {least} to {_MOST}")
        if by is not None and (not isinstance(by, str) or before.column(by) is None):
            self.refuse(arguments, "by", "the name of a column", near_column(by, before))
        columns = self.worked_on(arguments, before, facts)
        if arguments["horizon"] == 0 and any(column.role == "target" for column in columns):
            self.refuse(arguments, "horizon", "1 or more, as the windows have the target")
        assert isinstance(size, int)  # checked above
        for part, rows in facts.parts or (("", facts.rows),):
            if rows == 0:
                needed = self.rows_needed(arguments, bool(before.targets))
                wanted = f"so small that the data has {needed}{part and f' in .{part}'}"
                way = f"write a smaller size, or give .{part} more of the rows" if part else ""
                if part and by is None:
                    way += "; or, if split has by=..., write the same in windows"
                self.refuse(arguments, "size", f"{wanted}, for a window and its target", way)
        if facts.table is not None:
            for doubt in self.doubts(arguments, facts.table, bool(before.targets)):
                facts.doubt(doubt.message, doubt.place, **doubt.details)
        check_size(self.name, 1 if before.streamed else facts.rows, len(columns) * size)
        names = {column.name for column in columns}
        first = next(column.name for column in before.table if column.name in names)
        computed = all(column.is_computed for column in columns)
        window = Column(self._name(before), FLOAT32, (size, len(columns)), is_computed=computed)
        table = [
            one
            for column in before.table
            for one in (*([window] if column.name == first else []),
                        *([_kept(column, by)] if column.name not in names or column.role == "target" else []))
        ]  # fmt: skip
        return Schema(facts.rows, tuple(table), facts.parts, before.streamed, before.named)

    def rows_needed(self, arguments: Arguments, has_target: bool) -> str:
        needed = self._length(arguments, has_target)
        one = "" if arguments["by"] is None else f" with one {arguments['by']}"
        follow = "that follow each other" if needed > 1 else ""
        return f"{counted(needed, 'row')} {follow}{one}".rstrip()

    def rows_there(self, arguments: Arguments, table: "Table", rows: int) -> str:
        from ..series import group_sizes  # imports NumPy

        by = _by(arguments)
        most = 0 if by is None else max((size for _, size in group_sizes(table, by)), default=0)
        return str(rows) if by is None else f"{most} at most, of {counted(rows, 'row')}"

    def doubts(self, arguments: Arguments, table: "Table", has_target: bool, data: str = "") -> Iterator[DataError]:
        from ..series import group_sizes  # imports NumPy
        from ..series_times import Gap, SameTime, StepBack, time_doubt

        name = f"{self.name} of {data}" if data else self.name
        by, least = _by(arguments), self._length(arguments, has_target)
        found = [] if by is None else [one for one in group_sizes(table, by) if one[1] < least]
        if found:
            part = " in one part" if table.parts else ""
            some = ", ".join(f"{shown(group)} has {counted(rows, 'row')}{part}" for group, rows in found[:_SOME])
            needed = self.rows_needed(arguments, has_target)
            yield DataError(SERIES_GROUPS, name=name, needed=needed, groups=len(found), some=some)
        doubt = time_doubt(table, by)
        if doubt is None:
            return
        column, row, place = shown(doubt.column), doubt.row + 1, table.place(doubt.row, doubt.column)
        match doubt:
            case StepBack(_, _, before, after):
                way = f"sort the rows by {column} where the data is made"
                if by is None and not data:
                    way += "; or if they are several series, name the column that tells them apart: by=..."
                yield DataError(SERIES_BACK, place=place, name=name, column=column, row=row, later=shown(before),
                                earlier=shown(after), way=way)  # fmt: skip
            case SameTime(_, _, time, other):
                way = f"if these are several series, write by={shown(other)}"
                if other not in table.block(slice(0, 1)):
                    way += " here, and take the column out of the transforms before that leave it out or change it"
                if by is not None:
                    way = f"make one column of {shown(by)} and {shown(other)} in the file, and name it in by=..."
                yield DataError(SERIES_SAME, place=place, name=name, column=column, row=row, time=shown(time), way=way)
            case Gap(_, _, step, usual, gaps):
                yield DataError(SERIES_GAP, place=place, name=name, row=row, step=step, usual=usual, gaps=gaps)

    def _length(self, arguments: Arguments, has_target: bool) -> int:
        """The number of rows of a window and to its target."""
        return whole(arguments, "size") + (whole(arguments, "horizon") if has_target else 0)

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        by = arguments["by"]
        return self.wanted(arguments, before, lambda one: one.is_number and one.name != by, "columns of numbers", facts)

    def applied(self, arguments: Arguments, before: Schema, learned: Learned, table: "Table") -> "Table":
        return self._windowed(arguments, before, table)

    def ahead(self, before: Schema) -> Column:
        return Column(distinct(["ahead"], [column.name for column in before.table])[0], INT64, role="aside")

    def applied_ahead(self, arguments: Arguments, before: Schema, table: "Table") -> "Table":
        return self._windowed(arguments, before.without_targets(), table, self.ahead(before).name)

    def _windowed(self, arguments: Arguments, before: Schema, table: "Table", ahead: str = "") -> "Table":
        from ..series import WindowForm, windowed

        size, horizon, stride = (whole(arguments, name) for name in ("size", "horizon", "stride"))
        names = [column.name for column in self.worked_on(arguments, before)]
        kept = frozenset(column.name for column in before.table if column.role != "feature")
        by = _by(arguments)
        form, has_target = WindowForm(size, horizon, stride), bool(before.targets)
        return windowed(table, self._name(before), names, form, by, kept, has_target, ahead)

    def _name(self, before: Schema) -> str:
        return distinct(["window"], [column.name for column in before.table])[0]


def _by(arguments: Arguments) -> str | None:
    by = arguments["by"]
    assert by is None or isinstance(by, str)
    return by


def _kept(column: Column, by: object) -> Column:
    """A column beside the windows. It is not learned from the rows that are chosen from now on."""
    role = "aside" if column.name == by and column.role == "feature" else column.role
    return replace(column, role=role, ends=None, is_learned=False)


TRANSFORM = Windows()
