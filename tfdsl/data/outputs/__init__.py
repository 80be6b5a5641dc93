"""The formats of files that `write` and `tfdsl predict` write. Each module in this folder defines a format, `OUTPUT`,
and its name is the suffix of the files.

`base.py` defines what a format is. To add one, add a file here and a test for it.
"""

import os

from ...module_table import ModuleTable
from .base import Output

OUTPUTS: ModuleTable[type[Output]] = ModuleTable(__name__, "OUTPUT")


def suffix_of(path: str) -> str:
    """The name of the format of a path, in small letters. "" without a suffix."""
    return os.path.splitext(path)[1].lower().removeprefix(".")


def output_suffixes() -> tuple[str, ...]:
    """The suffixes of files that can be written."""
    return tuple(f".{name}" for name in OUTPUTS)
