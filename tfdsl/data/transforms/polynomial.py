"""Adds products of features."""

import math
from dataclasses import replace
from itertools import combinations_with_replacement, groupby
from typing import TYPE_CHECKING

from ..schema import Schema, check_size, is_integer
from ..stage import Arguments
from .base import Transform

if TYPE_CHECKING:
    from ..arrays import Table

_MAX_DEGREE = 100


class Polynomial(Transform):
    name = "polynomial"
    signature = "degree: integer = 2"
    doc = "All products of the features up to a degree, without the constant one. The column of `add_bias` stays."

    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        degree = arguments["degree"]
        if not is_integer(degree) or not 1 <= degree <= _MAX_DEGREE:
            self.refuse(arguments, "degree", f"an integer from 1 to {_MAX_DEGREE}")
        biases, factors_of = before.names[: before.biases], before.names[before.biases :]
        columns = len(biases) + math.comb(len(factors_of) + degree, degree) - 1
        check_size(self.name, 1 if before.streamed else before.rows, columns)
        names = tuple(
            " ".join(_power(name, len(list(group))) for name, group in groupby(factors))
            for power in range(1, degree + 1)
            for factors in combinations_with_replacement(factors_of, power)
        )
        return replace(before, names=biases + names)

    def apply(self, table: "Table", degree: int) -> "Table":
        """Like PolynomialFeatures."""
        import numpy as np
        from sklearn.preprocessing import PolynomialFeatures

        biases, products = table.biases, PolynomialFeatures(degree, include_bias=False).fit_transform
        if not biases:
            return table.mapped(products)
        return table.mapped(lambda features: np.column_stack([features[:, :biases], products(features[:, biases:])]))


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


TRANSFORM = Polynomial()
