"""The digits data set of scikit-learn."""

from ...types import INT64
from ..schema import Schema, numbers
from .base import SmallSet

_NAMES = tuple(f"pixel_{i}_{j}" for i in range(8) for j in range(8))

SOURCE = SmallSet(
    "digits",
    "1797 handwritten digits of 8 x 8 pixels; the target is the digit.",
    Schema(1797, numbers(_NAMES, "target", INT64, (0, 9))),
)
