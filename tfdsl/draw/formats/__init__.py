"""The formats that `tfdsl graph` writes. Each module in this folder defines a format, `FORMAT`; the name of the
module is the name of the format and its file suffix.

`base.py` defines what a format is. To add one, add a file here and a test for it.
"""

from ...module_table import ModuleTable
from .base import Format

FORMATS: ModuleTable[Format] = ModuleTable(__name__, "FORMAT")


def suffixes() -> tuple[str, ...]:
    """The file suffixes."""
    return tuple(f".{name}" for name in FORMATS)
