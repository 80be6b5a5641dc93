"""The journal of a study: a file of Optuna's with a JSON object in each line, to which lines are added.

This imports Optuna, so it is imported where a study is opened.
"""

import json
import os

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from ..diagnostics import STUDY_DAMAGED, Diagnostic, TfgError
from ..runs.folders import JOURNAL


class _Held(JournalFileOpenLock):
    """Lets everything pass: who opens a study holds its folder. A lock of Optuna's would outlive a killed process."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def storage(folder: str, name: str) -> JournalStorage:
    """Open the journal of the study `name` in a folder that this process holds, or begin one.

    A last line that a killed process left incomplete is cut off.

    Raises `TfgError` if another line is damaged.
    """
    path = os.path.join(folder, JOURNAL)
    is_begun = os.path.exists(path) and _mend(folder, path)
    try:
        found = JournalStorage(JournalFileBackend(path, _Held(path)))
        names = [study.study_name for study in found.get_all_studies()]
    except Exception as error:  # whatever Optuna raises at a line that is not one of its own
        raise _damaged(folder, f"Optuna cannot read it ({type(error).__name__}: {error})") from error
    if is_begun and names != [name]:
        raise _damaged(folder, "it does not begin with this study")
    return found


def _damaged(folder: str, reason: str) -> TfgError:
    return TfgError([Diagnostic(STUDY_DAMAGED, None, {"path": folder, "reason": reason})])


def _mend(folder: str, path: str) -> bool:
    """Cut off an incomplete line. Returns whether there is a whole one."""
    whole = 0
    with open(path, "rb+") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            if not _is_object(line):
                raise _damaged(folder, f"line {number} of {JOURNAL} is not a JSON object")
            whole += len(line)
        file.truncate(whole)
    return whole > 0


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
