"""The transforms of data. Each module in this folder defines a transform, `TRANSFORM`, with its own name.

`base.py` defines what a transform is. To add one, add a file here and a test for it.
"""

from ...module_table import ModuleTable
from .base import ColumnTransform, RowTransform

TRANSFORMS: ModuleTable[RowTransform | ColumnTransform] = ModuleTable(__name__, "TRANSFORM")
