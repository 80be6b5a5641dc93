"""`tfdsl check --watch`: checks again whenever a file changes that the check has read or looked for. `rerun.py` does
the same for `tfdsl run --watch`.

Files are polled, which works on every file system. What they were like is noted before they are read, so no change is
missed.
"""

import argparse
import gc
import os
import sys
from io import BufferedReader
from threading import Event
from typing import NoReturn

from ..access import Access, Folder
from ..diagnostics import TfgError
from ..diagnostics.spelling import counted
from ..runs.folders import project_folders
from .checking import diagnose, report
from .options import given
from .programs import programs
from .report import tell

_PAUSE = 0.2  # seconds between two looks
CLEAR = "\x1b[2J\x1b[3J\x1b[H"  # the screen and what has scrolled away

Stamp = tuple[int, int, int] | None  # what changes with a file; None if there is none


class Seen(dict[str, Stamp]):
    """Files and folders, with what they were like when they were first asked for."""

    def note(self, path: str) -> None:
        self.setdefault(path, _stamp(path))

    def is_changed(self, suffixes: str | tuple[str, ...] = "") -> bool:
        """Whether one of these files has changed. With `suffixes`, only files with such a suffix count."""
        return any(_stamp(path) != stamp for path, stamp in self.items() if path.endswith(suffixes))

    def renew(self, suffixes: tuple[str, ...]) -> None:
        """Note the current state of these files, except those with such a suffix."""
        self.update({path: _stamp(path) for path in self if not path.endswith(suffixes)})


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # ValueError: the path has a null character
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Noting(Access):
    """Notes the files and folders that a program asks for."""

    def __init__(self, program: str, allowed: list[str], seen: Seen):
        super().__init__(program, allowed)
        self._seen = seen

    def reading(self, path: str, base: str = "") -> BufferedReader:
        self._seen.note(os.path.join(base, path))
        return super().reading(path, base)

    def folder(self, path: str, base: str = "", create: bool = False) -> Folder:
        self._seen.note(os.path.join(base, path))
        return super().folder(path, base, create)


def watch(arguments: argparse.Namespace) -> NoReturn:
    """Check now and after each change, until a signal ends the process."""
    gc.enable()  # unlike a single check, this goes on
    while True:
        seen = _checked(arguments)
        while not seen.is_changed():
            Event().wait(_PAUSE)


def _checked(arguments: argparse.Namespace) -> Seen:
    """Check once, and report."""
    seen = Seen()
    files: list[str] = arguments.files
    below = [folder for path in files for folder, _ in project_folders(path)]
    for path in (*arguments.configs, *files, *below):
        seen.note(path)
    try:
        files = programs(files)
        for path in files:
            seen.note(path)
        extra = given(arguments)
        for path in extra.data.values():
            seen.note(path)
        diagnostics = diagnose(files, extra, lambda path: Noting(path, extra.allowed, seen))
    except TfgError as error:  # a wrong config file, or a folder without programs
        diagnostics = list(error.diagnostics)
    if sys.stdout.isatty():
        print(CLEAR, end="")
    report(arguments, files, diagnostics)
    sys.stdout.flush()
    if not arguments.quiet:
        tell(f"tfdsl: watching {counted(len(seen), 'file')}; Ctrl-C ends this")
    return seen
