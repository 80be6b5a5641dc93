"""Keeps only some columns."""

from typing import TYPE_CHECKING

from ...record import replace
from ...types import TF
from ..schema import Column, Schema
from ..stage import Arguments
from .base import Facts, Learned, NamedColumns, Tensors

if TYPE_CHECKING:
    from ..tables import Block, Function, Words


class Select(NamedColumns):
    name = "select"
    keeps_others = False
    example = 'data people = csv("people.csv", target="income") | select("city", "age")'
    doc = "Keeps only these columns, in this order, and the target."

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        return replace(before, table=self._kept(arguments, before))

    def _kept(self, arguments: Arguments, before: Schema) -> tuple[Column, ...]:
        chosen = self.worked_on(arguments, before)
        return (*chosen, *(column for column in before.targets if column not in chosen))

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        names = [column.name for column in self._kept(arguments, before)]

        def kept(block: "Block") -> "Block":
            return {name: block[name] for name in names if name in block}

        return kept, words

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        names = [column.name for column in self._kept(arguments, before)]
        return {name: columns[name] for name in names if name in columns}


TRANSFORM = Select()
