"""Adds products of columns."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement, groupby
from typing import TYPE_CHECKING, TypeVar

from ...types import FLOAT32, TF, Operand
from ..schema import Column, Schema, check_size, is_integer
from ..stage import Arguments, whole
from .base import ColumnTransform, Facts, Learned, Tensors, distinct, is_scalable

if TYPE_CHECKING:
    from ..tables import Block, Function, Words

_MAX_DEGREE = 100

_Cells = TypeVar("_Cells")  # arrays or tensors


class Polynomial(ColumnTransform):
    name = "polynomial"
    signature = "degree: integer = 2"
    example = "data moons = moons(200, noise=0.1) | polynomial(degree=3)"
    doc = (
        "Replaces the columns of numbers with all their products up to a degree, without the constant 1, in the place "
        "of the first of them. The column of `add_bias` does not change."
    )

    needs_complete = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        degree = arguments["degree"]
        if not is_integer(degree) or not 1 <= degree <= _MAX_DEGREE:
            self.refuse(arguments, "degree", f"an integer from 1 to {_MAX_DEGREE}")
        factors = self.worked_on(arguments, before, facts)
        count = math.comb(len(factors) + degree, degree) - 1
        check_size(self.name, 1 if before.streamed else before.rows, count)
        is_learned = any(column.is_learned for column in factors)
        made = tuple(
            Column(name, FLOAT32, is_computed=True, is_learned=is_learned) for name in _names(before, factors, degree)
        )
        places = {column.name for column in factors}
        first = factors[0].name
        return before.with_columns(
            lambda column: made if column.name == first else () if column.name in places else column
        )

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        return self.wanted({}, before, is_scalable, "columns of numbers", facts)

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        """Like PolynomialFeatures."""
        from sklearn.preprocessing import PolynomialFeatures

        from ..tables import columns_of, matrix

        degree = whole(arguments, "degree")
        factors = [column.name for column in self.worked_on(arguments, before)]
        names = list(_names(before, self.worked_on(arguments, before), degree))
        products = PolynomialFeatures(degree, include_bias=False).fit_transform

        def multiplied(block: "Block") -> "Block":
            return _in_place(block, factors, columns_of(products(matrix(block, factors)), names))

        return multiplied, words

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        degree, columns_of = whole(arguments, "degree"), self.worked_on(arguments, before)
        factors = [column.name for column in columns_of]
        others = {name: column for name, column in columns.items() if name not in factors}
        if len(others) + len(factors) > len(columns):
            return others  # nothing needs the products
        products: dict[tuple[int, ...], Operand] = {
            (at,): tf.cast(columns[name], tf.float64) for at, name in enumerate(factors)
        }
        for power in range(2, degree + 1):
            for chosen in combinations_with_replacement(range(len(factors)), power):
                products[chosen] = products[chosen[:1]] * products[chosen[1:]]
        return _in_place(
            columns, factors, dict(zip(_names(before, columns_of, degree), products.values(), strict=True))
        )


def _in_place(columns: Mapping[str, _Cells], factors: Sequence[str], made: Mapping[str, _Cells]) -> dict[str, _Cells]:
    """Columns with others in place of the factors, where the first of these stood. They are arrays or tensors."""
    result: dict[str, _Cells] = {}
    for name, column in columns.items():
        if name == factors[0]:
            result.update(made)
        elif name not in factors:
            result[name] = column
    return result


def _names(before: Schema, factors_of: tuple[Column, ...], degree: int) -> tuple[str, ...]:
    others = [column.name for column in before.table if column not in factors_of]
    return distinct(
        (
            " ".join(_power(name, len(list(group))) for name, group in groupby(factors))
            for power in range(1, degree + 1)
            for factors in combinations_with_replacement([column.name for column in factors_of], power)
        ),
        others,
    )


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


TRANSFORM = Polynomial()
