"""What a transform of data is.

Input: the arguments of a declaration, and the schema of the data before. Output: the schema after it, known without
NumPy; and the data itself. `tfdsl check` imports the modules of transforms, so they import NumPy inside functions.

Transforms compute in float64 and agree with scikit-learn's of the same purpose. What is learnt of the data, such as a
mean, is learnt from the training rows. A column of ones that `add_bias` made stays as it is.
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
    """A transform. `of_rows` tells whether it chooses rows, and leaves them as they are; `divides`, whether it makes
    training rows and test rows of them; `learns`, whether it makes features by numbers that it takes from the data."""

    of_rows = False
    divides = False
    learns = False

    @abstractmethod
    def schema(self, arguments: Arguments, before: Schema) -> Schema:
        """The schema of what `apply` gives; every argument is checked."""

    @abstractmethod
    def apply(self, table: "Table", *args: Any, **arguments: Any) -> "Table":
        """The data after it, for arguments that `schema` has checked."""

    def need_undivided(self, before: Schema) -> None:
        """Refuse rows that a split has divided."""
        if before.test_rows is not None:
            raise DataError(DATA_AFTER_SPLIT, name=self.name)


def with_emptied(table: "Table", constant: "np.ndarray", value: "np.ndarray") -> "Table":
    """A table, with a note of the columns whose one value has become 0."""
    import numpy as np

    columns = np.flatnonzero(constant & (value != 0)).tolist()
    return replace(table, emptied=tuple((column, float(value[column])) for column in columns))
