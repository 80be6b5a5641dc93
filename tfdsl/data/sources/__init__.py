"""The sources of data. Each module or package in this folder defines a source, `SOURCE`, with its own name.

`base.py` defines what a source is. To add one, add a file here and a test for it.
"""

from ...diagnostics.spelling import alternatives
from ...module_table import ModuleTable
from .base import DataSource, FileSource

SOURCES: ModuleTable[DataSource] = ModuleTable(__name__, "SOURCE")


def by_suffix() -> dict[str, FileSource]:
    """The sources that read a file, by file suffix."""
    files = [source for source in SOURCES.values() if isinstance(source, FileSource)]
    return {suffix: source for source in files for suffix in source.suffixes}


def suffixes() -> str:
    """The suffixes of files that can replace a source, joined for a message."""
    return alternatives(by_suffix())
