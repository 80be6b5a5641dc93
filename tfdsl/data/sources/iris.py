"""The iris data set of scikit-learn."""

from ...types import INT64
from ..schema import Schema
from .base import SmallSet

SOURCE = SmallSet(
    "iris",
    "150 irises of three species, four lengths each; the target is the species.",
    Schema(
        150,
        ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        INT64,
        "target",
        target_range=(0, 2),
    ),
)
