"""Transforms rows with what another data set has learned."""

from typing import TYPE_CHECKING

from ...diagnostics import FITTED_CUT, UNSEEN_CATEGORY
from ...record import replace
from ...types import TF
from ..learned import fitted_of, from_json
from ..plain import JsonPart
from ..schema import Column, Schema, shown
from ..stage import Arguments
from .base import ColumnMaker, Facts, Learned, Tensors

if TYPE_CHECKING:
    from ..tables import Table


class FittedTo(ColumnMaker):
    name = "fitted"
    signature = "data: static, name: text = none"
    example = (
        'data people = csv("people.csv", target="income") | drop("name", "born") | one_hot("city")\n'
        'data new = csv("new.csv") | drop("name", "born") | fitted(people)'
    )
    doc = (
        "Applies all transforms of another data set, with everything they have learned there, except `split`, `take`, "
        "`shuffle` and `where`. Columns are matched by name. The target, dropped columns and those set aside may be "
        'missing. A category that was not learned is a warning. `fitted("model.ckpt", "houses")` takes what `houses` '
        "has learned from the file next to a checkpoint; the name can be left out if the file has only one data set."
    )
    learns = True
    takes_data = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        fitted = fitted_of(facts.learned)
        after = fitted.matched(before, facts)
        if facts.table is not None and facts.of_source.get("header", True) is not True:
            fitted.check_first_row(facts.table)
        if facts.table is not None:
            table = fitted.renumbered(facts.table, before)
            found = [*fitted.unseen_classes(facts.table, before), *fitted.check(table, bool(before.targets))]
            for unseen in found:
                facts.doubt(UNSEEN_CATEGORY, column=shown(unseen.column), cells=unseen.cells, data=fitted.name,
                            some=", ".join(map(shown, unseen.some)))  # fmt: skip
            for size, cut in fitted.cut(facts.table, bool(before.targets)):
                facts.doubt(FITTED_CUT, data=fitted.name, cut=cut, size=size)
            for doubt in fitted.doubts(table, bool(before.targets)):
                facts.doubt(doubt.message, doubt.place, **doubt.details)
        return replace(after, rows=facts.rows, parts=facts.parts) if fitted.remakes_rows else after

    def checked(self, arguments: Arguments, before: Schema, learned: JsonPart) -> Learned:
        name = arguments["name"] or arguments["data"]
        return {"fitted": from_json(str(name), learned.fields("fitted")["fitted"])}

    def uses(self, arguments: Arguments, before: Schema, after: Schema, learned: Learned) -> dict[str, frozenset[str]]:
        return fitted_of(learned).uses()

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        return before.table

    def applied(self, arguments: Arguments, before: Schema, learned: Learned, table: "Table") -> "Table":
        fitted = fitted_of(learned)
        return fitted.transformed(fitted.renumbered(table, before), bool(before.targets))

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        return fitted_of(learned).in_graph(columns, tf)


TRANSFORM = FittedTo()
