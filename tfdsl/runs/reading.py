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
from typing import Any, cast

from ..access import TRUSTED, AccessRefused, Folder
from ..diagnostics import RUN_DAMAGED, RUN_SEVERAL, RUN_UNKNOWN, Diagnostic, TfgError
from ..diagnostics.spelling import listed
from ..runtime.files.durable_io import CorruptFile, files_of, read_manifest, verify
from . import form
from .folders import folders_below

Json = Mapping[str, Any]  # the content of a file, whose form is checked when it is read

_SHOWN = 5  # ids in a message
_LAST = re.compile(r"last(?:~(\d{1,6}))?\Z")
# What the files of a record must have to be read. Anything else may lack.
_BEGIN: Mapping[str, type | tuple[type, ...]] = {
    "id": str, "started": (int, float), "program": str, "working_folder": str, "texts": list, "params": dict,
    "options": dict, "versions": dict, "host": dict, "seeds": dict, "about": dict,
}  # fmt: skip
_END: Mapping[str, type | tuple[type, ...]] = {
    "status": str, "exit_code": int, "ended": (int, float), "seconds": (int, float), "errors": list, "printed": list,
    "values": dict, "evaluated": dict, "variables": dict, "data": dict, "inputs": dict,
}  # fmt: skip


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
            small = {name: entry for name, entry in files.items() if name in (form.BEGIN, form.END)}
            verify(folder, small)
            if form.BEGIN not in small:
                raise CorruptFile(f"{form.BEGIN} is missing")
            self.begin = _checked(folder, form.BEGIN, _BEGIN)
            self.end = _checked(folder, form.END, _END) if form.END in small else None
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
        if self._has_curves:
            yield from map(json.loads, self._file(form.CURVES).decode().splitlines())

    def _file(self, name: str) -> bytes:
        try:
            with TRUSTED.folder(self.path) as folder:
                files = files_of(read_manifest(folder, form.MANIFEST))
                verify(folder, {name: files[name]})
                with folder.reading(name) as file:
                    return file.read()
        except (OSError, CorruptFile, AccessRefused, KeyError) as error:
            details = {"path": self.path, "reason": getattr(error, "strerror", None) or str(error)}
            raise TfgError([Diagnostic(RUN_DAMAGED, None, details)]) from None


def _is_locked(folder: Folder) -> bool:
    """Whether the process of the run still holds the lock."""
    try:
        fcntl.flock(folder.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False


def _checked(folder: Folder, name: str, wanted: Mapping[str, type | tuple[type, ...]]) -> Json:
    with folder.reading(name) as file:
        content = file.read()
    with suppress(ValueError, RecursionError):
        made = json.loads(content)
        if isinstance(made, dict):
            about = cast(dict[str, Any], made)  # JSON has no other keys
            if all(isinstance(about.get(key), kind) for key, kind in wanted.items()):
                return about
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
        raise TfgError([Diagnostic(RUN_DAMAGED, None, {"path": record.path, "reason": record.fault})])
    return record
