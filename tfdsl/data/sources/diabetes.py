"""The diabetes data set of scikit-learn."""

from ...types import FLOAT32
from ..schema import Schema
from .base import SmallSet

SOURCE = SmallSet(
    "diabetes",
    "442 patients with ten features; the target is the disease's progress in a year.",
    Schema(
        442, ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"), FLOAT32, "target", target_range=(25, 346)
    ),
)
