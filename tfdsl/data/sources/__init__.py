"""The sources of data. Each module or package in this folder defines a source, `SOURCE`, with its own name.

`base.py` defines what a source is. To add one, add a file here and a test for it.
"""

import os

from ...diagnostics import DATA_FORMAT
from ...diagnostics.spelling import alternatives
from ...module_table import ModuleTable
from ..schema import DataError, shown_path
from .base import DataSource, FileSource, Where, files_in, folder_named, is_folder, suffixes_below

SOURCES: ModuleTable[DataSource] = ModuleTable(__name__, "SOURCE")


def by_suffix() -> dict[str, FileSource]:
    """The sources that read a file, by file suffix."""
    files = [source for source in SOURCES.values() if isinstance(source, FileSource)]
    return {suffix: source for source in files for suffix in source.suffixes}


def suffixes() -> str:
    """The suffixes of files that can replace a source, joined for a message."""
    return alternatives(by_suffix())


def of_file(path: str, where: Where, declared: DataSource | None = None) -> FileSource:
    """The source that reads a file, by its suffix, or a folder, by the files in it. If a folder has files for
    several sources, the declared source reads it."""
    source = by_suffix().get(os.path.splitext(path)[1].lower())
    if source is not None:
        return source
    if is_folder(path, where):
        kinds = suffixes_below(path, where, by_suffix())
        for one in SOURCES.values():
            if not isinstance(one, FileSource) or not one.takes_folder or not files_in(path, where, one.suffixes):
                continue
            if one is declared or kinds <= {*one.suffixes}:
                return one
        raise folder_named(path, where, by_suffix())
    raise DataError(DATA_FORMAT, path=shown_path(path), suffixes=suffixes())
