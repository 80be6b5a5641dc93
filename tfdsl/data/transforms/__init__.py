"""The transforms of data. Each module in this folder defines a transform, `TRANSFORM`, with its own name.

`base.py` defines what a transform is. To add one, add a file here and a test for it.
"""

from ...module_table import ModuleTable
from .base import ColumnMaker, RowTransform

TRANSFORMS: ModuleTable[RowTransform | ColumnMaker] = ModuleTable(__name__, "TRANSFORM")
