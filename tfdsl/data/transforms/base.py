"""Defines a transform of data.

Input: the arguments of a declaration, and the schema of the data before. Output: the schema after it, known
without NumPy; and the data. `tfdsl check` imports the modules of transforms, so they import NumPy inside
functions.

Transforms compute in float64 and agree with the corresponding transforms of scikit-learn. Statistics such as a
mean are computed from the training rows. A column of ones from `add_bias` stays unchanged.
"""

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...diagnostics import DATA_AFTER_SPLIT
from ..schema import DataError, Schema
from ..stage import Arguments, StageKind

if TYPE_CHECKING:
    import numpy as np

    from ..arrays import Table


class Transform(StageKind):
    """A transform. `of_rows` is true if it selects rows without changing them; `divides`, if it splits them into
    training and test rows; `learns`, if it scales features by numbers computed from the data."""

    of_rows = False
    divides = False
    learns = False

    @abstractmethod
    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        """The schema of the result of `apply`. Checks every argument."""

    @abstractmethod
    def apply(self, table: "Table", *args: Any, **arguments: Any) -> "Table":
        """Apply the transform, with arguments checked by `schema`."""

    def need_undivided(self, before: Schema) -> None:
        """Refuse rows that are already split."""
        if before.test_rows is not None:
            way = "put it before the split, or leave it out"
            if self.divides:
                way = "leave it out: one split makes all that there is, train and test"
            raise DataError(DATA_AFTER_SPLIT, name=self.name, way=way)


def with_emptied(table: "Table", constant: "np.ndarray", value: "np.ndarray") -> "Table":
    """A table with a note of the constant columns that became 0."""
    import numpy as np

    columns = np.flatnonzero(constant & (value != 0)).tolist()
    return replace(table, emptied=tuple((column, float(value[column])) for column in columns))
