"""Sets columns aside."""

from typing import TYPE_CHECKING

from ...record import replace
from ...types import TF
from ..schema import Schema
from ..stage import Arguments
from .base import Facts, Learned, NamedColumns, Tensors

if TYPE_CHECKING:
    from ..tables import Function, Words


class Aside(NamedColumns):
    name = "aside"
    example = 'data people = csv("people.csv", target="income") | aside("name")'
    doc = "Keeps these columns in the table, as in `batch.id`, but not in `.features`."

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        names = {column.name for column in self.worked_on(arguments, before, facts)}
        return before.with_columns(lambda one: replace(one, role="aside") if one.name in names else one)

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        return lambda block: block, words

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        return columns


TRANSFORM = Aside()
