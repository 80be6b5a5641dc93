"""The formats that `tfdsl graph` writes. Each module of this folder is one, of its own name, which is the ending of the
names of its files too, and defines `FORMAT`.

`base.py` says what a format is. To add one, add a file here, and its test.
"""

from ...module_table import ModuleTable
from .base import Format

FORMATS: ModuleTable[Format] = ModuleTable(__name__, "FORMAT")


def suffixes() -> str:
    """The endings of the names of files, as a text says them."""
    *others, last = (f".{name}" for name in FORMATS)
    return f"{', '.join(others)} or {last}"
