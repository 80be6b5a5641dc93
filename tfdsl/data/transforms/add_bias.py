"""Adds a column of ones."""

from typing import TYPE_CHECKING

from ...record import replace
from ...types import FLOAT32, TF
from ..schema import Column, Schema
from ..stage import Arguments
from .base import ColumnTransform, Facts, Learned, Tensors, distinct

if TYPE_CHECKING:
    from ..tables import Block, Function, Words


class AddBias(ColumnTransform):
    name = "add_bias"
    example = "data iris = iris() | standardize | add_bias"
    doc = "Adds a first column of ones."

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        bias = Column(_name(before), FLOAT32, is_bias=True, is_computed=True)
        return replace(before, table=(bias, *before.table))

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        return ()

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        import numpy as np

        name = _name(before)

        def with_ones(block: "Block") -> "Block":
            rows = len(next(iter(block.values())))
            return {name: np.ones(rows), **block}

        return with_ones, words

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        return {_name(before): tf.ones(tf.shape(next(iter(columns.values())))[:1], tf.float64), **columns}


def _name(before: Schema) -> str:
    return distinct(["bias"], [column.name for column in before.table])[0]


TRANSFORM = AddBias()
