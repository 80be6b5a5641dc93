"""The sources of data. Each module or package in this folder defines a source, `SOURCE`, with its own name.

`base.py` defines what a source is. To add one, add a file here and a test for it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ...diagnostics import DATA_FORMAT
from ...diagnostics.spelling import alternatives
from ...module_table import ModuleTable
from ..schema import DataError, shown_path
from ..stage import Arguments, written_whole
from .base import (
    DataSource,
    FileSource,
    Where,
    files_in,
    folder_named,
    is_folder,
    open_file,
    suffixes_below,
    unreadable,
)

SOURCES: ModuleTable[DataSource] = ModuleTable(__name__, "SOURCE")

_BEGIN = 512  # bytes of a file that show its format
_SAVE_TABLE = "save the table as a CSV file, or with pandas: frame.to_parquet(path)"
# How files of formats begin that no source reads, what they are, and how to read their content.
_OTHER_FORMATS = (
    (re.compile(rb"\x1f\x8b"), "a file packed by gzip", "unpack it before: gunzip FILE"),
    (re.compile(rb"PK\x03\x04"), "a zip archive, as Excel files are", _SAVE_TABLE),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an Excel file", _SAVE_TABLE),
    (re.compile(rb"\x89HDF"), "an HDF5 file", "write its arrays with numpy.savez(path, features=..., target=...)"),
    (re.compile(rb"\x80[\x02-\x05]"), "a pickle, which is never read", _SAVE_TABLE),
)
# Files that are no tables, by their suffixes, and what to do with them.
_LIFTED = "tfdsl lift makes a program of it: tfdsl lift FILE -o model.tfg"
_NO_TABLES = {
    **dict.fromkeys((".pb", ".pbtxt", ".meta"), ("a graph of TensorFlow", _LIFTED)),
    **dict.fromkeys((".index", ".ckpt"), ("a checkpoint", "a session reads it: restore from PATH")),
    ".keras": ("a model of Keras", "name another file"),
    ".py": ("a program in Python", "name another file"),
    ".ipynb": ("a notebook", "name another file"),
    ".tfg": ("a program", "name another file"),
}


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


@contextmanager
def formats_named(source: DataSource, arguments: Arguments, where: Where, is_declared: bool = True) -> Iterator[None]:
    """If the file of a source cannot be read inside the block, and has the format of another source, the error names
    that. `is_declared` is false if the suffix of the file has chosen the source."""
    try:
        yield
    except DataError as error:
        if isinstance(source, FileSource) and (other := _of_other_format(source, arguments, where, is_declared)):
            raise other from error
        raise


def _of_other_format(
    source: FileSource, arguments: Arguments, where: Where, is_declared: bool
) -> DataError | None:  # fmt: skip
    """The error for the first file of a source that has another format. None if there is none."""
    with suppress(DataError):
        for path in source.files(arguments, where):
            with open_file(path, where) as file:
                begin = file.read(_BEGIN)
            other = _with_format(begin, path, source)
            if isinstance(other, FileSource):
                kind, way = other.kind, f"{other.name} reads it"
                if not is_declared:
                    way = f"give it a name that ends in {alternatives(other.suffixes)}"
                elif path == arguments["path"]:
                    params = {param.name for param in other.params}
                    given = {name: one for name, one in arguments.items() if name in params and name != "path"}
                    named = [f"{name}={written_whole(one)}" for name, one in given.items() if one not in (None, False)]
                    way = f"write: {other.name}({', '.join([written_whole(path), *named])})"
            elif other is not None:
                kind, way = other
            else:
                continue
            return unreadable(path, source.kind, f"it is {kind}", way)
    return None


def _with_format(begin: bytes, path: str, source: FileSource) -> "FileSource | tuple[str, str] | None":
    """The other source that reads a file, by how the file begins, or else by its suffix, if it does not begin as those
    of `source`; or what a file is that no source reads, and what to do. None if the file may be one of `source`."""
    if source.begins is not None and source.begins.match(begin):
        return None
    for other in by_suffix().values():
        if other.begins is not None and other.begins.match(begin):
            return other
    for begins, kind, way in _OTHER_FORMATS:
        if begins.match(begin):
            return kind, way
    suffix = os.path.splitext(path)[1].lower()
    if suffix in _NO_TABLES:
        return _NO_TABLES[suffix]
    other = by_suffix().get(suffix)
    is_text = source.begins is None or other is None or other.begins is not None
    return None if is_text else other
