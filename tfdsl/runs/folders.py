"""Which folders a search looks into, for the programs of a project or for its records."""

import os
from collections.abc import Iterable, Iterator

from .form import BEGIN, MANIFEST

JOURNAL, TRIALS = "journal.log", "trials"  # what is in the folder of a study


def folders_below(path: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """A folder and all folders below it, each with its folders and its files. Hidden folders, virtual environments,
    `node_modules` and links, which may lead out of the folder, are left out. The caller may leave out more of a
    folder's folders."""
    for folder, inner, files in os.walk(path):
        inner[:] = [name for name in inner if not _is_left_out(folder, name)]
        yield folder, inner, files


def _is_left_out(folder: str, name: str) -> bool:
    path = os.path.join(folder, name)
    is_installed = name == "node_modules" or os.path.exists(os.path.join(path, "pyvenv.cfg"))
    return name.startswith(".") or is_installed or os.path.islink(path)


def project_folders(path: str) -> Iterator[tuple[str, list[str]]]:
    """The same folders with their files, without records and studies: the programs in them are what has run."""
    for folder, inner, files in folders_below(path):
        if _is_record(files) or {*inner, *files} >= {JOURNAL, TRIALS}:
            inner.clear()
        else:
            yield folder, files


def is_recorded(path: str) -> bool:
    """Whether a file belongs to a record."""
    folder = os.path.dirname(os.path.realpath(path))
    return _is_record(name for name in (BEGIN, MANIFEST) if os.path.isfile(os.path.join(folder, name)))


def _is_record(files: Iterable[str]) -> bool:
    return {BEGIN, MANIFEST} <= {*files}
