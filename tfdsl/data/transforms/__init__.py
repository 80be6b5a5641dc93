"""The transforms of data. Each module of this folder is one, of its own name, and defines `TRANSFORM`.

`base.py` says what a transform is. To add one, add a file here, and its test.
"""

from ...module_table import ModuleTable
from .base import Transform

TRANSFORMS: ModuleTable[Transform] = ModuleTable(__name__, "TRANSFORM")
