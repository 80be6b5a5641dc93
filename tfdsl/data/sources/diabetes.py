"""The diabetes data set of scikit-learn."""

from ...types import FLOAT32
from ..schema import Schema, numbers
from .base import SmallSet

_NAMES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")

SOURCE = SmallSet(
    "diabetes",
    "442 patients with ten features; the target is the disease's progress in a year.",
    Schema(442, numbers(_NAMES, "target", FLOAT32, (25, 346))),
)
