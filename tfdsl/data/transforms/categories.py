"""Makes text or whole numbers the numbers of categories."""

from typing import TYPE_CHECKING

from ...record import replace
from ...types import INT64, TF
from ..categories import Categorical, category_codes, numbered
from ..schema import Column, Schema
from ..stage import Arguments
from .base import Facts, Learned, Tensors

if TYPE_CHECKING:
    from ..tables import Block, Function, Words


class Categories(Categorical):
    name = "categories"
    example = 'data people = csv("people.csv", target="income") | categories("city")'
    doc = (
        "Replaces each category with its number, counted from 0 in the order of the texts in the training rows; "
        "without names, in all columns of text. A category that the training rows do not have is -1: "
        "`nn.embedding(ids + 1, size=count + 1, units=...)` has a row for it."
    )

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        columns = self.worked_on(arguments, before, facts)
        self.doubt(columns, facts)
        names, counts = {one.name for one in columns}, {n: len(v) for n, v in facts.learned["categories"].items()}

        def change(column: Column) -> Column:
            if column.name not in names:
                return column
            ends = (0.0, counts[column.name] - 1.0)
            return replace(
                column, dtype=INT64, ends=ends, gaps=0, is_computed=True, is_learned=True, nearly_numbers=False
            )

        return before.with_columns(change)

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        codes = {name: category_codes(found, words.get(name)) for name, found in learned["categories"].items()}

        def numbered(block: "Block") -> "Block":
            return {name: codes[name](column) if name in codes else column for name, column in block.items()}

        return numbered, {name: known for name, known in words.items() if name not in codes}

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        known = learned["categories"]
        return {name: numbered(tf, known[name], one) if name in known else one for name, one in columns.items()}


TRANSFORM = Categories()
