"""The programs that a command line names, as files or as folders with programs."""

import os
from collections.abc import Iterable

from ..diagnostics import FILE_MISSING, Diagnostic, TfgError
from ..runs.folders import project_folders
from ..syntax.read import beside


def programs(paths: Iterable[str]) -> list[str]:
    """The given files, and all programs below the given folders, each once. Raises `TfgError` if a folder has no
    programs."""
    found: dict[str, None] = {}
    for path in paths:
        inside = _programs_below(path) if os.path.isdir(path) else [path]
        if not inside:
            reason = "there is no .tfg file in it, apart from records of runs"
            raise TfgError([Diagnostic(FILE_MISSING, None, {"path": path, "reason": reason}, help=beside(path))])
        found |= dict.fromkeys(inside)
    return list(found)


def _programs_below(path: str) -> list[str]:
    found = [
        os.path.normpath(os.path.join(folder, file))
        for folder, files in project_folders(path)
        for file in files
        if file.endswith(".tfg")
    ]
    return sorted(file for file in found if os.path.isfile(file) and not os.path.islink(file))
