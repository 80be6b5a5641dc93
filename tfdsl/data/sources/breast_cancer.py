"""The breast cancer data set of scikit-learn."""

from ...types import INT64
from ..schema import Schema, numbers
from .base import SmallSet

_MEASURED = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
    "fractal dimension",
)  # fmt: skip
_NAMES = (
    *(f"mean {one}" for one in _MEASURED),
    *(f"{one} error" for one in _MEASURED),
    *(f"worst {one}" for one in _MEASURED),
)

SOURCE = SmallSet(
    "breast_cancer",
    "569 tumours, thirty measurements each; the target is 0 for a malignant one, 1 for a benign one.",
    Schema(569, numbers(_NAMES, "target", INT64, (0, 1))),
)
