"""The Linnerud data set of scikit-learn."""

from ...types import FLOAT32
from ..schema import Column, Schema, numbers
from .base import SmallSet

_TARGETS = {"Weight": (138, 247), "Waist": (31, 46), "Pulse": (46, 74)}

SOURCE = SmallSet(
    "linnerud",
    "20 men, three exercises each; the targets are their weight, waist and pulse.",
    Schema(
        20,
        (
            *numbers(("Chins", "Situps", "Jumps")),
            *(Column(name, FLOAT32, role="target", ends=ends) for name, ends in _TARGETS.items()),
        ),
    ),
)
