"""A folder of states of which each is whole: what is on the disk is at every moment the old state or the new.

A state is a folder `00000012-step-1200` with files and a manifest that has their checksums. It is made under another
name, `.new-...`, flushed to the disk, and renamed. The two newest are kept. So a folder without a leading dot was
whole once; if it is not now, it is damaged, and the state before it is the newest. What is left of a save that was
stopped begins with a dot and is removed by the next run.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from .durable import Damaged, listed, make_folder, sealed, sync, undone_on_failure, unsealed, verify, write
from .lock import Lock

MANIFEST = "manifest.json"
VARIABLES = "variables"  # the prefix of TensorFlow's files
VERSION = 2
_KEPT = 2
_STATE = re.compile(r"(\d{8,})-step-\d+\Z")
_LEFT = re.compile(r"\.(?:new|old)-[0-9a-f]{16}\Z")
_FILE = re.compile(r"(?:variables\.[\w.-]+|manifest\.json)\Z")


@dataclass(frozen=True, slots=True)
class State:
    """A state that was verified: its folder and its manifest."""

    path: str
    about: dict

    @property
    def prefix(self) -> str:
        """Of TensorFlow's files."""
        return os.path.join(self.path, VARIABLES)


class States:
    """The states of one folder, which is made if there is none, and is this run's alone until it is closed.

    `lock.Held` if another run has it, OSError if it cannot be made or written to.
    """

    def __init__(self, folder: str):
        self.folder = folder
        self._whole: list[str] = []  # names of states known to be
        self._open()
        self._sweep()

    def _open(self) -> None:
        make_folder(self.folder)
        try:
            self._lock = Lock(self.folder)
        except FileNotFoundError:  # who had it last has just removed it
            make_folder(self.folder)
            self._lock = Lock(self.folder)

    def newest(self) -> tuple[State | None, list[tuple[str, str]]]:
        """The newest state that is whole, if any, and the newer ones that are not, each with what is wrong."""
        damaged = []
        for name in reversed(self._names()):
            path = os.path.join(self.folder, name)
            try:
                state = State(path, _read(path))
                self._whole.append(name)
                return state, damaged
            except Damaged as reason:
                damaged.append((path, str(reason)))
        return None, damaged

    def put(self, step: int, about: dict, save: Callable[[str], None]) -> bool:
        """Add a state: `save` is given a prefix to write files with; then forget all but the two newest whole ones.

        True if the folder had vanished and was made again.
        """
        is_new = not self._lock.is_there
        if is_new:
            self._lock.release()
            self._open()
        names = self._names()
        number = int(_STATE.match(names[-1])[1]) + 1 if names else 1
        name = f"{number:08}-step-{step}"
        made = os.path.join(self.folder, f".new-{os.urandom(8).hex()}")
        os.mkdir(made)
        with undone_on_failure(lambda: _remove(made)):
            save(os.path.join(made, VARIABLES))
            files = sorted(os.listdir(made))
            for file in files:
                sync(os.path.join(made, file))
            about = {"version": VERSION, **about, "files": listed(made, files)}
            write(os.path.join(made, MANIFEST), sealed(about))
            sync(made)
            os.rename(made, os.path.join(self.folder, name))
        sync(self.folder)
        self._whole = [*self._whole, name][-_KEPT:]
        if len(self._whole) == _KEPT:
            for name in set(self._names()).difference(self._whole):
                self._forget(name)
        return is_new

    def clear(self) -> None:
        """Forget all states."""
        self._whole.clear()
        for name in self._names():
            self._forget(name)

    def close(self) -> None:
        """Let go of the folder, and remove it if nothing is in it."""
        self._lock.release()
        with suppress(OSError):
            os.rmdir(self.folder)

    def _names(self) -> list[str]:
        names = [name for name in os.listdir(self.folder) if _STATE.match(name)]
        return sorted(names, key=lambda name: int(_STATE.match(name)[1]))

    def _forget(self, name: str) -> None:
        """Remove a state; in one step for whoever looks at the folder."""
        left = os.path.join(self.folder, f".old-{os.urandom(8).hex()}")
        os.rename(os.path.join(self.folder, name), left)
        _remove(left)

    def _sweep(self) -> None:
        for name in os.listdir(self.folder):
            if _LEFT.match(name):
                _remove(os.path.join(self.folder, name))


def _read(path: str) -> dict:
    """The manifest of a state. `Damaged` if it, or a file of it, is not what was written."""
    try:
        about = unsealed(os.path.join(path, MANIFEST))
    except FileNotFoundError:
        raise Damaged(f"{MANIFEST} is missing") from None
    except OSError as error:
        raise Damaged(f"{MANIFEST}: {(error.strerror or str(error)).lower()}") from None
    if about["version"] != VERSION:
        raise Damaged(f"{MANIFEST} is of version {about['version']}, not {VERSION}")
    verify(path, about["files"])
    return about


def _remove(path: str) -> None:
    """Remove a state's folder with what a save has written; anything else in it stays, and the folder with it."""
    with suppress(OSError):
        for name in os.listdir(path):
            if _FILE.match(name):
                os.remove(os.path.join(path, name))
        os.rmdir(path)
