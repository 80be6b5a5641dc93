"""Adds a column of ones."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..schema import Schema
from ..stage import Arguments
from .base import Transform

if TYPE_CHECKING:
    from ..arrays import Table


class AddBias(Transform):
    name = "add_bias"
    doc = "A first column of ones."

    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        return replace(before, names=("bias", *before.names), biases=before.biases + 1)

    def apply(self, table: "Table") -> "Table":
        import numpy as np

        with_ones = table.mapped(lambda features: np.column_stack([np.ones(len(features)), features]))
        return replace(with_ones, biases=table.biases + 1)


TRANSFORM = AddBias()
