"""The iris data set of scikit-learn."""

from ...types import INT64
from ..schema import Schema, numbers
from .base import SmallSet

_NAMES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")

SOURCE = SmallSet(
    "iris",
    "150 irises of three species, four lengths each; the target is the species.",
    Schema(150, numbers(_NAMES, "target", INT64, (0, 2))),
)
