"""Sets columns aside."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..schema import Column, Schema
from ..stage import Arguments
from .base import ColumnTransform, Facts, Learned

if TYPE_CHECKING:
    from ..tables import Function, Words


class Aside(ColumnTransform):
    name = "aside"
    doc = "These columns stay in the table, as in `batch.id`, but not in `.features`."
    takes_columns = True
    needs_columns = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        names = {column.name for column in self.worked_on(arguments, before)}
        return before.with_columns(lambda one: replace(one, role="aside") if one.name in names else one)

    def worked_on(self, arguments: Arguments, before: Schema) -> tuple[Column, ...]:
        return self.wanted(arguments, before)

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        return lambda block: block, words


TRANSFORM = Aside()
