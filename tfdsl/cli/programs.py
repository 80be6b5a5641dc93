"""The programs that a command line names, as files or as folders with programs."""

import os
from collections.abc import Iterable, Iterator

from ..diagnostics import FILE_MISSING, Diagnostic, TfgError


def programs(paths: Iterable[str]) -> list[str]:
    """The given files, and all programs below the given folders, each once. Raises `TfgError` if a folder has no
    programs."""
    found: dict[str, None] = {}
    for path in paths:
        inside = _programs_below(path) if os.path.isdir(path) else [path]
        if not inside:
            raise TfgError([Diagnostic(FILE_MISSING, None, {"path": path, "reason": "there is no .tfg file in it"})])
        found |= dict.fromkeys(inside)
    return list(found)


def folders(path: str) -> Iterator[tuple[str, list[str]]]:
    """A folder and all folders below it, with their files. Hidden folders, virtual environments and links, which may
    lead out of the folder, are left out."""
    for folder, below, files in os.walk(path) if os.path.isdir(path) else ():
        below[:] = [name for name in below if not name.startswith(".") and not _is_environment(folder, name)]
        yield folder, files


def _is_environment(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))


def _programs_below(path: str) -> list[str]:
    found = [
        os.path.normpath(os.path.join(folder, file))
        for folder, files in folders(path)
        for file in files
        if file.endswith(".tfg")
    ]
    return sorted(file for file in found if os.path.isfile(file) and not os.path.islink(file))
