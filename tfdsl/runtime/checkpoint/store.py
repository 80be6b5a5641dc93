"""A folder of states of which each is whole: what is on the disk is at every moment the old state or the new.

A state is a folder `00000012-step-1200` with files and a manifest that has their checksums. It is made under another
name, `.new-...`, flushed to the disk, and renamed. The two newest are kept. So a folder without a leading dot was
whole once; if it is not now, it is damaged, and the state before it is the newest. What is left of a save that was
stopped begins with a dot and is removed by the next run. A folder with such a name whose manifest is not ours is
somebody else's, and stays.

Nothing here needs TensorFlow: whether a folder is free is known before the import.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

from ...access import Access, AccessRefused
from ...diagnostics import CHECKPOINT_HELD, WRITE_FAILED, Note
from ...lowering.failures import failure, reason_of
from ...program import Origin, Program, checkpoint_folders
from ..files.durable_io import CorruptFile, files_of, finish, new_folder, owned, read_manifest, remove_folder, verify
from ..files.lock import FolderInUse, Lock

MANIFEST = "manifest.json"
VARIABLES = "variables"  # the prefix of TensorFlow's files
VERSION = 2
_KEPT = 2
_STATE = re.compile(r"(\d{8,})-step-\d+\Z")
_LEFT = re.compile(r"\.(?:new|old)-[0-9a-f]{16}\Z")
_PLANNED = [f"{VARIABLES}.index", f"{VARIABLES}.data-00000-of-00001"]
_FILE = re.compile(r"variables\.(?:index|data-\d{5}-of-\d{5})\Z")


@dataclass(frozen=True, slots=True)
class CheckpointEntry:
    """A state that was verified: its folder's name and its manifest."""

    name: str
    about: dict


class CheckpointStore:
    """The states of one folder, which is made if there is none, and is this run's alone until it is closed.

    `lock.FolderInUse` if another run has it, OSError if it cannot be made or written to, `AccessRefused` if it is
    elsewhere.
    """

    def __init__(self, path: str, access: Access):
        self.path, self._access = path, access
        self._whole: list[str] = []  # names of states known to be
        self._is_ours = False  # whether a run made the folder: if not, it stays, also when it is empty
        self._open()
        left = list(filter(_LEFT.match, self._folder.names()))
        self._is_ours |= self._lock.was_left or bool(left) or bool(self._ours())
        for name in left:
            remove_folder(self._folder, name, MANIFEST)

    def _open(self) -> None:
        self._find()
        try:
            self._lock = Lock(self._folder, self._is_ours)
        except FileNotFoundError:  # who had it last has just removed the folder
            self._folder.close()
            self._find()
            self._lock = Lock(self._folder, self._is_ours)

    def _find(self) -> None:
        try:
            self._folder = self._access.folder(self.path)
        except FileNotFoundError:
            self._folder, self._is_ours = self._access.folder(self.path, create=True), True

    def newest(self) -> tuple[CheckpointEntry | None, list[tuple[str, str]]]:
        """The newest state that is whole, if any, and the names of newer ones that are not, with what is wrong."""
        damaged = []
        for name in reversed(self._names()):
            try:
                state = CheckpointEntry(name, self._read(name))
            except CorruptFile as reason:
                damaged.append((name, str(reason)))
            else:
                self._whole.append(name)
                return state, damaged
        return None, damaged

    @contextmanager
    def reading(self, state: CheckpointEntry) -> Iterator[str]:
        """The prefix of a state's files, for TensorFlow to read."""
        files = {name: name for name in state.about["files"]}
        with self._folder.folder(state.name) as folder, folder.held(files) as path:
            yield os.path.join(path, VARIABLES)

    def put(self, step: int, about: dict, save: Callable[[str], None]) -> bool:
        """Add a state: `save` is given a prefix to write files with; then forget all but the two newest whole ones.

        True if the folder had vanished and was made again.
        """
        has_vanished = not self._is_there()
        if has_vanished:
            self._lock.release()
            self._folder.close()
            self._whole.clear()
            self._open()
        numbers = list(map(_number, self._named()))
        number = max(numbers, default=0) + 1
        name = f"{number:08}-step-{step}"
        with new_folder(self._folder, "new", MANIFEST, _PLANNED) as (made, work):
            save(os.path.join(made.path, VARIABLES))
            finish(made, MANIFEST, {**about, "version": VERSION})
            self._folder.rename(work, name)
        self._folder.sync()
        self._whole = [*self._whole, name][-_KEPT:]
        if len(self._whole) == _KEPT:
            for name in set(self._ours()).difference(self._whole):
                self._forget(name)
        return has_vanished

    def clear(self) -> None:
        """Forget all states."""
        self._whole.clear()
        for name in self._ours():
            self._forget(name)

    def foreign(self) -> list[str]:
        """What has the name of a state, and a manifest that is not ours."""
        return [name for name in self._names() if name not in self._ours()]

    def close(self) -> None:
        """Let go of the folder, and remove it if a run made it and nothing is in it."""
        self._is_ours |= self._lock.release()
        self._folder.close()
        if not self._is_ours:
            return
        with suppress(OSError, AccessRefused):  # its name may lead elsewhere by now
            folder, name = self._access.beside(self.path)
            with folder:
                os.rmdir(name, dir_fd=folder.fd)

    def _is_there(self) -> bool:
        """Whether the folder still has its name."""
        with suppress(OSError, AccessRefused), self._access.folder(self.path) as folder:
            return os.path.samestat(os.fstat(folder.fd), os.fstat(self._folder.fd))
        return False

    def _names(self) -> list[str]:
        """The folders with the name of a state, those that hold nothing but files of others left out."""
        return sorted(filter(self._may_be_state, self._named()), key=_number)

    def _named(self) -> list[str]:
        return list(filter(_STATE.match, self._folder.names()))

    def _may_be_state(self, name: str) -> bool:
        try:
            with self._folder.folder(name) as folder:
                inside = folder.names()
        except OSError:  # no folder
            return True
        return not inside or any(one.startswith((MANIFEST, VARIABLES)) for one in inside)

    def _ours(self) -> list[str]:
        """The states, whole or damaged, whose manifest is ours."""
        return [name for name in self._names() if self._is_state(name)]

    def _is_state(self, name: str) -> bool:
        try:
            with self._folder.folder(name) as folder:
                return bool(owned(folder, MANIFEST))
        except OSError:  # no folder
            return False

    def _read(self, name: str) -> dict:
        """The manifest of a state. `CorruptFile` if it, or a file of it, is not what was written."""
        try:
            with self._folder.folder(name) as folder:
                about = read_manifest(folder, MANIFEST)
                files = files_of(about, _FILE.match)
                if about.get("version") != VERSION:
                    raise CorruptFile(f"{MANIFEST} is of version {about.get('version')}, not {VERSION}")
                verify(folder, files)
                return about
        except FileNotFoundError:
            raise CorruptFile(f"{MANIFEST} is missing") from None
        except OSError as error:
            raise CorruptFile((error.strerror or str(error)).lower()) from None

    def _forget(self, name: str) -> None:
        """Remove a state; in one step for whoever looks at the folder. What others have put into it stays there."""
        with self._folder.folder(name) as folder:
            is_ours_alone = not set(folder.names()).difference(owned(folder, MANIFEST))
        left = f".old-{os.urandom(8).hex()}" if is_ours_alone else name
        if is_ours_alone:
            self._folder.rename(name, left)
        remove_folder(self._folder, left, MANIFEST)


def _number(name: str) -> int:
    """The number of an entry, with which its name begins."""
    return int(name.partition("-")[0])


@contextmanager
def open_stores(program: Program, only: str | None, access: Access) -> Iterator[dict[str, CheckpointStore]]:
    """The folders of a program's checkpoints, or of one session's, for nobody else to work in meanwhile."""
    with ExitStack() as stack:
        result = {}
        for path, origin in checkpoint_folders(program, only).items():
            with reported(path, origin):
                result[path] = stack.enter_context(closing(CheckpointStore(path, access)))
        yield result


@contextmanager
def reported(path: str, origin: Origin, note: str = "") -> Iterator[None]:
    """What goes wrong with a folder, as an error of the statement that names it."""
    try:
        yield
    except FolderInUse as holder:
        raise failure(CHECKPOINT_HELD, origin, path=path, holder=str(holder)) from None
    except AccessRefused as error:
        raise failure(error.message, origin, **error.details) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise failure(WRITE_FAILED, origin, [Note(note)] if note else [], path=path, reason=reason_of(error)) from error
