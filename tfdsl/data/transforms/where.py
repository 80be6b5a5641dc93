"""Keeps the rows for which a condition holds."""

from typing import TYPE_CHECKING

from ...diagnostics import (
    CONDITION_FORM,
    CONDITION_KIND,
    CONDITION_NAME,
    CSV_COLUMN_TYPO,
    WHERE_LEARNED,
    WHERE_MISSING,
    WHERE_NONE,
)
from ...diagnostics.spelling import nearest
from ...record import replace
from ...syntax.hints import gap_help
from ...types import STRING
from ..condition import Condition, checked, columns_in, compared_with_themselves, holds, looks_for_gaps, texts_in
from ..schema import Column, DataError, Schema, listed, shown
from ..stage import Arguments
from .base import Facts, RowTransform

if TYPE_CHECKING:
    from ..tables import Table


_SHOWN_WORDS = 6  # in a message


def _written(column: Column) -> str:
    """A column, as it is written in a condition."""
    return column.name if column.name == column.field else f"column({shown(column.name)})"


def _filled(column: Column) -> str:
    """How to give missing cells a value that does not depend on the rows."""
    return f"fill({shown(column.name)}, with={shown('none') if column.dtype == STRING else 0})"


class Filter(RowTransform):
    name = "where"
    signature = "condition: static"
    example = 'data people = csv("people.csv", target="income") | where(age > 30 and city == "London")'
    doc = (
        'Keeps the rows for which a condition on columns holds, such as `age > 30 and sex == "male"`; `column("home '
        'city")` is a column whose name is not a word. A row in which one of these columns is missing is left out. '
        "After a `split`, this applies to each part."
    )
    takes_condition = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        condition = arguments["condition"]
        if (sought := looks_for_gaps(condition, before)) is not None:
            name, word = sought
            column = before.column(name)
            assert column is not None  # it was found there
            value = shown("none") if column.dtype == STRING else "0"
            way = gap_help(_written(column), word in ("!=", "not in"), value, _filled(column))
            raise DataError(CONDITION_FORM, param="condition", part="a missing value", way=way)
        for name in columns_in(condition, before):
            column = before.column(name)
            if column is None:
                raise self._unknown(name, before, facts)
            if column.is_learned:
                raise DataError(WHERE_LEARNED, param="condition", column=shown(name))
        kind = self._kind(condition, before, facts)
        if kind != "truth" or not set(columns_in(condition, before)):
            what = "a condition without columns" if kind == "truth" else f"a {kind}"
            named = next((one for text in texts_in(condition) if (one := before.column(text))), None)
            way = 'write for example: where(age > 30 and city == "Rome")'
            if named is not None:
                way = f"{shown(named.name)} is a text; the column is {_written(named)}"
            raise DataError(CONDITION_KIND, param="condition", kind=what, way=way)
        empty = next((name for name, rows in facts.parts if rows == 0), None)
        if facts.rows == 0 or empty is not None:
            part = "" if facts.rows == 0 else f" of .{empty}"
            raise DataError(WHERE_NONE, param="condition", rows=dict(before.parts).get(empty or "", before.rows),
                            part=part, ways=_values(condition, before, facts))  # fmt: skip
        meant = set(compared_with_themselves(condition))
        looked_at = dict.fromkeys(columns_in(condition, before))
        gaps = [one for name in looked_at if name not in meant and (one := before.column(name)) and one.gaps]
        if gaps:
            names = list(map(_written, gaps))
            facts.doubt(WHERE_MISSING, column=" or ".join(shown(column.name) for column in gaps),
                        test=" and ".join(f"{name} == {name}" for name in names),
                        fill=" | ".join(map(_filled, gaps)))  # fmt: skip
        unknown = before.with_columns(lambda one: replace(one, ends=None))
        return replace(unknown, rows=facts.rows, parts=facts.parts)

    def _kind(self, condition: Condition, before: Schema, facts: Facts) -> str:
        """What the condition is. An error of kinds says how a column of text becomes one of numbers."""
        try:
            return checked(condition, before)
        except DataError as error:
            columns = map(before.column, columns_in(condition, before))
            texts = [one for one in columns if one is not None and one.dtype == STRING]
            error.details["ways"] = "".join(f"; {shown(one.name)} is text: {_as_text(one, facts)}" for one in texts)
            raise

    def _unknown(self, name: str, before: Schema, facts: Facts) -> DataError:
        """The error for a name that is nothing: a column with a typo, or a text without quotes."""
        names = [column.name for column in before.table]
        texts = [column.name for column in before.table if column.dtype == STRING and column.shape == ()]
        close = before.column(nearest(name, names) or "")
        if close is not None and not any(name in facts.words(text) for text in texts):
            return DataError(CSV_COLUMN_TYPO, param="condition", column=shown(name), close=_written(close))
        begun = next((one for one in before.table if one.name != one.field and name in one.name.split()), None)
        ways = f"; a column whose name is not a word is {_written(begun)}" if begun else ""
        return DataError(CONDITION_NAME, param="condition", name=name, columns=listed(names), ways=ways)

    def choose(self, arguments: Arguments, table: "Table") -> "Table":
        import numpy as np

        condition = arguments["condition"]
        kept = np.concatenate([holds(condition, block, table.words) for _, block in table.blocks()])
        return table.within(lambda rows: rows[kept[rows]])


def _as_text(column: Column, facts: Facts) -> str:
    """What to do about a column of text in a condition on numbers. A condition sees the texts of the file, also where
    `categories` makes numbers of them."""
    some = min(facts.words(column.name), default="...")
    way = f"compare it with its texts in quotes, as in {_written(column)} == {shown(some)}"
    return facts.ways_out(column, way) or way


def _values(condition: Condition, before: Schema, facts: Facts) -> str:
    """The values of the columns that a condition looks at, for a message."""
    found: list[str] = []
    for name in dict.fromkeys(columns_in(condition, before)):
        column = before.column(name)
        if column is not None and column.dtype == STRING:
            words = sorted(facts.words(name))
            some = ", ".join(map(shown, words[:_SHOWN_WORDS])) + (", ..." if len(words) > _SHOWN_WORDS else "")
            found.append(f"{shown(name)} has {some}")
        elif column is not None and column.ends is not None:
            least, most = column.ends
            found.append(f"{shown(name)} goes from {least:.10g} to {most:.10g}")
    return "; ".join(found)


TRANSFORM = Filter()
