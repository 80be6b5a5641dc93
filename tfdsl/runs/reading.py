"""Reads records, also those that a kill left incomplete, and finds them by their ids.

Input: folders. Output: the records in and below them, oldest first. This module imports neither TensorFlow nor NumPy.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from ..access import TRUSTED, AccessRefused, Folder
from ..diagnostics import RUN_DAMAGED, RUN_SEVERAL, RUN_UNKNOWN, Diagnostic, TfgError
from ..diagnostics.spelling import listed
from ..runtime.files.durable_io import CorruptFile, files_of, read_manifest, verify
from . import form
from .contents import IS_BEGIN, IS_END, IS_POINT, Check
from .folders import folders_below

Json = Mapping[str, Any]  # the content of a file, whose form is checked when it is read

_SHOWN = 5  # ids in a message
_LAST = re.compile(r"last(?:~(\d{1,6}))?\Z")


class RunRecord:
    """A record: how the run began, and how it ended. `end` is None for a run that lasts or was killed.

    `status` is done, failed, interrupted, stopped (by an observer), running, killed or damaged. Only a damaged record
    has no `begin`.
    """

    def __init__(self, path: str):
        self.path = path
        self.id = os.path.basename(path).removeprefix(form.PREFIX)
        self.begin: Json = {}
        self.end: Json | None = None
        self.fault = ""
        self.is_running = self._has_curves = False
        try:
            self._read()
        except (OSError, CorruptFile, AccessRefused) as error:
            self.fault = getattr(error, "strerror", None) or str(error)

    def _read(self) -> None:
        with TRUSTED.folder(self.path) as folder:
            is_running = _is_locked(folder)  # before the files: it may end meanwhile
            files = files_of(read_manifest(folder, form.MANIFEST))
            verify(folder, files)
            begin = _checked(folder, form.BEGIN, IS_BEGIN) if form.BEGIN in files else None
            end = _checked(folder, form.END, IS_END) if form.END in files else None
            missing = {form.BEGIN, *(one["file"] for one in (begin or {}).get("texts", ()))} - files.keys()
            if begin is None or missing:
                raise CorruptFile(f"{min(missing)} is missing")
        self.begin, self.end = begin, end
        self.is_running = is_running and self.end is None
        self._has_curves = form.CURVES in files

    @property
    def status(self) -> str:
        if self.fault:
            return "damaged"
        if self.end is None:
            return "running" if self.is_running else "killed"
        return self.end["status"]

    @cached_property
    def texts(self) -> dict[str, str]:
        """The texts of the program and of its imports, by their full paths."""
        return {one["path"]: self._file(one["file"]).decode("utf-8", "replace") for one in self.begin["texts"]}

    def curves(self) -> Iterator[Json]:
        """The logged and evaluated numbers: objects with `tag` or `evaluate`, `step` and `value`."""
        lines = self._file(form.CURVES).splitlines() if self._has_curves else []
        try:
            yield from (_parsed(line, form.CURVES, IS_POINT) for line in lines)
        except CorruptFile as error:
            raise _damaged(self.path, str(error)) from None

    def _file(self, name: str) -> bytes:
        try:
            with TRUSTED.folder(self.path) as folder:
                files = files_of(read_manifest(folder, form.MANIFEST))
                verify(folder, {name: files[name]})
                with folder.reading(name) as file:
                    return file.read()
        except (OSError, CorruptFile, AccessRefused, KeyError) as error:
            raise _damaged(self.path, getattr(error, "strerror", None) or str(error)) from None


def _is_locked(folder: Folder) -> bool:
    """Whether the process of the run still holds the lock."""
    try:
        fcntl.flock(folder.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False


def _checked(folder: Folder, name: str, check: Check) -> Json:
    with folder.reading(name) as file:
        return _parsed(file.read(), name, check)


def _parsed(content: bytes, name: str, check: Check) -> Json:
    with suppress(ValueError, RecursionError):
        made = json.loads(content)
        if check(made):
            return made
    raise CorruptFile(f"{name} was not written by a run")


def records(folders: Iterable[str] = (".",)) -> list[RunRecord]:
    """All records in and below some folders, oldest first. Links, hidden folders and virtual environments are left
    out."""
    found = {os.path.realpath(path): path for folder in folders for path in _below(folder)}
    made = [RunRecord(path) for path in found.values()]
    return sorted(made, key=lambda one: (one.begin.get("started", 0.0), one.id))


def _below(folder: str) -> Iterator[str]:
    if form.NAME.match(os.path.basename(os.path.normpath(folder))):
        yield os.path.normpath(folder)
        return
    for place, inner, _ in folders_below(folder):
        yield from (os.path.normpath(os.path.join(place, name)) for name in inner if form.NAME.match(name))
        inner[:] = [name for name in inner if not form.NAME.match(name)]


def named(word: str, known: list[RunRecord]) -> RunRecord:
    """The record that a word names: the beginning of its id, or of the last part of it, `last`, `last~1` for the one
    before, or the path of its folder. Raises `TfgError`."""
    if os.path.sep in word and form.NAME.match(os.path.basename(os.path.normpath(word))) and os.path.isdir(word):
        return _sound(RunRecord(os.path.normpath(word)))
    last = _LAST.match(word)
    if last is not None:
        back = int(last[1] or 0)
        if back < len(known):
            return _sound(known[-1 - back])
    word = word.removeprefix(form.PREFIX)
    found = [one for one in known if one.id.startswith(word) or one.id.rpartition("-")[2].startswith(word)]
    if len({one.id for one in found}) == 1:
        return _sound(found[0])
    if found:
        ids = listed([one.id for one in found[:_SHOWN]] + ["others"] * (len(found) > _SHOWN))
        raise TfgError([Diagnostic(RUN_SEVERAL, None, {"word": word, "ids": ids})])
    help = f"the last one is {known[-1].id}" if known else "tfdsl run FILE --record records a run"
    raise TfgError([Diagnostic(RUN_UNKNOWN, None, {"word": word}, help=help)])


def _sound(record: RunRecord) -> RunRecord:
    if record.fault:
        raise _damaged(record.path, record.fault)
    return record


def _damaged(path: str, reason: str) -> TfgError:
    return TfgError([Diagnostic(RUN_DAMAGED, None, {"path": path, "reason": reason})])
