"""The sources of data. Each module or package of this folder is one, of its own name, and defines `SOURCE`.

`base.py` says what a source is. To add one, add a file here, and its test.
"""

from ...module_table import ModuleTable
from .base import DataSource, FileSource

SOURCES: ModuleTable[DataSource] = ModuleTable(__name__, "SOURCE")


def by_suffix() -> dict[str, FileSource]:
    """The sources that read a file, by the endings of the names of their files."""
    files = [source for source in SOURCES.values() if isinstance(source, FileSource)]
    return {suffix: source for source in files for suffix in source.suffixes}


def suffixes() -> str:
    """The endings of the names of files that can stand in for a source, as a text says them."""
    *others, last = by_suffix()
    return f"{', '.join(others)} or {last}"
