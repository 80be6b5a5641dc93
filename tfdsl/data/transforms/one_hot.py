"""Makes a column for each category."""

from typing import TYPE_CHECKING

from ...record import replace
from ...types import FLOAT32, TF
from ..categories import Categorical, category_codes, numbered
from ..schema import Column, Schema, check_size
from ..stage import Arguments
from .base import Facts, Learned, Tensors, check_names

if TYPE_CHECKING:
    from ..tables import Block, Function, Words


class OneHot(Categorical):
    name = "one_hot"
    example = 'data people = csv("people.csv", target="income") | one_hot("city")'
    doc = (
        "Replaces each of these columns with a column of 0 and 1 for each category; without names, all columns of "
        "text: `sex` becomes `sex_female` and `sex_male`, in the order of the texts in the training rows. A category "
        "that the training rows do not have is 0 in all of them."
    )

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        columns = self.worked_on(arguments, before, facts)
        found = facts.learned["categories"]
        width = len(before.table) + sum(map(len, found.values()))
        self.doubt(columns, facts)
        check_size(self.name, 1 if before.streamed else before.rows, width)

        def change(column: Column) -> Column | tuple[Column, ...]:
            if column.name not in found:
                return column
            names = _names(column.name, found[column.name])
            made = Column("", FLOAT32, (), column.role, is_computed=True, is_learned=True, place=column.place)
            return tuple(replace(made, name=name) for name in names)

        return check_names(before.with_columns(change))

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        """Like OneHotEncoder(handle_unknown="ignore")."""
        import numpy as np

        from ..tables import columns_of

        found = learned["categories"]
        codes = {name: category_codes(values, words.get(name)) for name, values in found.items()}
        names = {name: _names(name, values) for name, values in found.items()}

        def encoded(block: "Block") -> "Block":
            result: Block = {}
            for name, column in block.items():
                if name in codes:
                    hot = codes[name](column)[:, None] == np.arange(len(names[name]))
                    result.update(columns_of(hot.astype(np.float64), names[name]))
                else:
                    result[name] = column
            return result

        return encoded, {name: known for name, known in words.items() if name not in codes}

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        known, result = learned["categories"], Tensors()
        for name, cells in columns.items():
            if name not in known:
                result[name] = cells
                continue
            names = _names(name, known[name])
            hot = tf.one_hot(numbered(tf, known[name], cells), len(names), dtype=tf.float64)
            result.update(zip(names, tf.unstack(hot, len(names), 1), strict=True))
        return result


def _names(column: str, categories: list[str | int]) -> list[str]:
    return [f"{column}_{category}" for category in categories]


TRANSFORM = OneHot()
