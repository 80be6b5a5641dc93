"""The wine data set of scikit-learn."""

from ...types import INT64
from ..schema import Schema, numbers
from .base import SmallSet

_NAMES = (
    "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
    "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline",
)  # fmt: skip

SOURCE = SmallSet(
    "wine",
    "178 wines of three growers, thirteen measurements each; the target is the grower.",
    Schema(178, numbers(_NAMES, "target", INT64, (0, 2))),
)
