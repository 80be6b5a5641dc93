"""Removes columns."""

from typing import TYPE_CHECKING

from ...record import replace
from ...types import TF
from ..schema import Schema
from ..stage import Arguments
from .base import Facts, Learned, NamedColumns, Tensors

if TYPE_CHECKING:
    from ..tables import Block, Function, Words


class Drop(NamedColumns):
    name = "drop"
    removes = True
    example = 'data people = csv("people.csv", target="income") | drop("name", "born")'
    doc = "Removes these columns."

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        names = {column.name for column in self.worked_on(arguments, before, facts)}
        return self.not_empty(replace(before, table=tuple(one for one in before.table if one.name not in names)))

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        names = {column.name for column in self.worked_on(arguments, before)}

        def without(block: "Block") -> "Block":
            return {name: column for name, column in block.items() if name not in names}

        return without, words

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        names = {column.name for column in self.worked_on(arguments, before)}
        return {name: column for name, column in columns.items() if name not in names}


TRANSFORM = Drop()
