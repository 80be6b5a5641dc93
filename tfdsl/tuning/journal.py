"""The journal of a study: a file of Optuna's with a JSON object in each line, to which lines are added.

Each line has a digest of itself and of the lines before it, so that none can change or be missing unnoticed. Lines that
are missing at the end are what a killed process leaves: their trials are tried again.

This imports Optuna, so it is imported where a study is opened.
"""

import hashlib
import json
import os
import re
from collections.abc import Collection
from typing import Any, TypeAlias

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from ..diagnostics import STUDY_DAMAGED, Diagnostic, TfgError
from ..runs.folders import JOURNAL, TRIALS

_Log: TypeAlias = dict[str, Any]  # a line: JSON, with keys by its operation that only Optuna knows

_DIGEST = "digest"
_BEGIN = b'{"op_code":'  # of each line


class _Held(JournalFileOpenLock):
    """Lets everything pass: who opens a study holds its folder. A lock of Optuna's would outlive a killed process."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


class _Chained(JournalFileBackend):
    """The file, whose lines get digests. `last` is the digest of its last line."""

    def __init__(self, path: str, last: str):
        super().__init__(path, _Held(path))
        self._last = last

    def append_logs(self, logs: list[_Log]) -> None:
        for log in logs:
            digest = _digest(log, self._last)
            super().append_logs([{**log, _DIGEST: digest}])
            self._last = digest


def _digest(log: _Log, before: str) -> str:
    """The digest of a line after one with another digest."""
    return hashlib.sha256((before + json.dumps(log)).encode()).hexdigest()[:16]


def storage(folder: str, name: str, number: str) -> JournalStorage:
    """Open the journal of the study `name` in a folder that this process holds, or begin one. `number` is the attribute
    that has the number of a trial.

    A last line that a killed process left incomplete is cut off.

    Raises `TfgError` if another line is damaged or missing, or if the folder has trials that the journal lacks.
    """
    path = os.path.join(folder, JOURNAL)
    logs = _mended(folder, path) if os.path.exists(path) else []
    _check_folders(folder, {log.get("user_attr", {}).get(number) for log in logs})
    try:
        found = JournalStorage(_Chained(path, logs[-1][_DIGEST] if logs else ""))
        names = [study.study_name for study in found.get_all_studies()]
    except Exception as error:  # whatever Optuna raises at a line that is not one of its own
        raise _damaged(folder, f"Optuna cannot read it ({type(error).__name__}: {error})") from error
    if logs and names != [name]:
        raise _damaged(folder, "it does not begin with this study")
    return found


def _damaged(folder: str, reason: str) -> TfgError:
    return TfgError([Diagnostic(STUDY_DAMAGED, None, {"path": folder, "reason": reason})])


def _mended(folder: str, path: str) -> list[_Log]:
    """The lines of a journal, from which an incomplete last one is cut off."""
    whole, last, logs = 0, "", list[_Log]()
    with open(path, "rb+") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n") and line[: len(_BEGIN)] == _BEGIN[: len(line)]:
                break
            log = _object(line)
            if log is None:
                raise _damaged(folder, f"line {number} of {JOURNAL} is not a JSON object")
            last = _digest({key: one for key, one in log.items() if key != _DIGEST}, last)
            if log.get(_DIGEST) != last:
                raise _damaged(folder, f"line {number} of {JOURNAL} has changed, or one before it is missing")
            logs.append(log)
            whole += len(line)
        file.truncate(whole)
    return logs


def _check_folders(folder: str, known: Collection[object]) -> None:
    """Refuse folders of trials that the journal does not know, which new trials would replace. A trial is in the
    journal before it has a folder."""
    place = os.path.join(folder, TRIALS)
    for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
        if re.fullmatch(r"\d{4,}", name, re.ASCII) and int(name) not in known:
            raise _damaged(folder, f"{TRIALS}/{name} is there, but {JOURNAL} has no such trial")


def _object(line: bytes) -> _Log | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
