"""A folder of checkpoints, each of them complete: the disk always holds the old checkpoint or the new one.

A checkpoint is a folder `00000012-step-1200` with files and a manifest with their checksums. It is written under a
temporary name, `.new-...`, flushed to disk, and renamed. The two newest are kept. So a folder without a leading dot was
complete once. If it is not now, it is damaged, and the one before it is the newest. The rest of an interrupted save
begins with a dot and is removed by the next run. A folder with such a name but without our manifest belongs to someone
else and stays.

The values that names of the session have are in files `value-...` beside these folders. Several checkpoints can share
one, as its name is made of its content. It is written in the folder with the temporary name too, and then moved.

This module does not need TensorFlow: folders are locked before the import.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

from ...access import Access, AccessRefused, Folder
from ...diagnostics import CHECKPOINT_HELD, WRITE_FAILED, Note
from ...lowering.failures import failure, reason_of
from ...program import Origin, Program, checkpoint_folders
from ..files.durable_io import (
    CorruptFile,
    files_of,
    finish,
    new_folder,
    owned,
    read_manifest,
    remove_folder,
    verify,
    write,
)
from ..files.lock import FolderInUse, Lock

MANIFEST = "manifest.json"
VARIABLES = "variables"  # the prefix of TensorFlow's files
VERSION = 2
_KEPT = 2
_STATE = re.compile(r"(\d{8,})-step-\d+\Z")
_LEFT = re.compile(r"\.(?:new|old)-[0-9a-f]{16}\Z")
_PLANNED = [f"{VARIABLES}.index", f"{VARIABLES}.data-00000-of-00001", f"{VARIABLES}.data.json"]
_FILE = re.compile(r"variables\.(?:index|data-\d{5}-of-\d{5}|data\.json)\Z")
_VALUE = re.compile(r"value-([0-9a-f]{16})\Z")


@dataclass(frozen=True, slots=True)
class CheckpointEntry:
    """A verified checkpoint: the name of its folder, and its manifest."""

    name: str
    about: dict


class CheckpointStore:
    """The checkpoints of one folder. It is created if it does not exist, and locked until the store is closed.

    Raises `lock.FolderInUse` if another run has the folder, OSError if it cannot be created or written to,
    `AccessRefused` if the program may not use it.
    """

    def __init__(self, path: str, access: Access):
        self.path, self._access = path, access
        self._whole: list[str] = []  # names of entries known to be complete
        self._sound: set[str] = set()  # files with values that are known to be undamaged
        self._is_ours = False  # whether a run made the folder; otherwise it stays even if it is empty
        self._open()
        left = list(filter(_LEFT.match, self._folder.names()))
        self._is_ours |= self._lock.was_left or bool(left) or bool(self._ours())
        for name in left:
            remove_folder(self._folder, name, MANIFEST)

    def _open(self) -> None:
        self._find()
        try:
            self._lock = Lock(self._folder, self._is_ours)
        except FileNotFoundError:  # the last run has just removed the folder
            self._folder.close()
            self._find()
            self._lock = Lock(self._folder, self._is_ours)

    def _find(self) -> None:
        try:
            self._folder = self._access.folder(self.path)
        except FileNotFoundError:
            self._folder, self._is_ours = self._access.folder(self.path, create=True), True

    def newest(self) -> tuple[CheckpointEntry | None, list[tuple[str, str]]]:
        """The newest complete entry, if any, and the names of newer damaged ones with what is wrong."""
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
        """The prefix of an entry's variables, for TensorFlow to read."""
        files = {name: name for name in state.about["files"] if name.startswith(VARIABLES)}
        with self._folder.folder(state.name) as folder, folder.held(files) as path:
            yield os.path.join(path, VARIABLES)

    def values(self, state: CheckpointEntry) -> dict[str, bytes]:
        """The values of the session's names in an entry. Raises `CorruptFile`."""
        names: dict[str, str] = state.about["values"]
        return {name: _value(self._folder, file) for name, file in names.items()}

    def put(
        self, step: int, about: dict, save: Callable[[str], None], values: Mapping[str, Callable[[], bytes]]
    ) -> bool:  # fmt: skip
        """Add a checkpoint: `save` takes a prefix and writes files. `values` has the values of the session's
        names, by the names of their files. A file that exists is only written again if it is damaged. Then remove all
        checkpoints but the two newest complete ones.

        Returns True if the folder had vanished and was created again.
        """
        has_vanished = not self._is_there()
        if has_vanished:
            self._lock.release()
            self._folder.close()
            self._whole.clear()
            self._sound.clear()
            self._open()
        numbers = list(map(_number, self._named()))
        number = max(numbers, default=0) + 1
        name = f"{number:08}-step-{step}"
        with new_folder(self._folder, "new", MANIFEST, [*_PLANNED, *values]) as (made, work):
            for file, content in values.items():
                if not self._has_value(file):
                    write(made, file, content())
                    made.rename(file, file, into=self._folder)
                    self._sound.add(file)
            save(os.path.join(made.path, VARIABLES))
            finish(made, MANIFEST, {**about, "version": VERSION})
            self._folder.rename(work, name)
        self._folder.sync()
        self._whole = [*self._whole, name][-_KEPT:]
        if len(self._whole) == _KEPT:
            for name in set(self._named()).difference(self._whole):
                self._forget(name)
            self._forget_values()
        return has_vanished

    def clear(self) -> None:
        """Remove all entries."""
        self._whole.clear()
        for name in sorted(self._named(), key=_number):
            self._forget(name)
        self._forget_values()

    def _has_value(self, file: str) -> bool:
        """Whether a file with a value exists and is undamaged."""
        if file not in self._sound:
            with suppress(CorruptFile, OSError):
                _value(self._folder, file)
                self._sound.add(file)
        return file in self._sound and self._folder.has(file)

    def _forget_values(self) -> None:
        """Remove the values of names that no entry has."""
        files = [file for file in self._folder.names() if _VALUE.match(file)]
        needed: set[object] = set()
        for name in self._ours() if files else ():
            with self._folder.folder(name) as folder:
                needed.update(read_manifest(folder, MANIFEST).get("values", {}).values())
        for file in files:
            if file not in needed:
                with suppress(CorruptFile, OSError):  # somebody else's file stays
                    _value(self._folder, file)
                    self._folder.remove(file)

    def foreign(self) -> list[str]:
        """The folders with the name of an entry but without our manifest."""
        return [name for name in self._names() if name not in self._ours()]

    def close(self) -> None:
        """Release the folder, and remove it if a run created it and it is empty."""
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
        """The folders with the name of an entry, except those that contain only other files."""
        return sorted(filter(self._may_be_state, self._named()), key=_number)

    def _named(self) -> list[str]:
        return list(filter(_STATE.match, self._folder.names()))

    def _may_be_state(self, name: str) -> bool:
        try:
            with self._folder.folder(name) as folder:
                inside = folder.names()
        except OSError:  # not a folder
            return True
        return not inside or any(one.startswith((MANIFEST, VARIABLES)) for one in inside)

    def _ours(self) -> list[str]:
        """The entries with our manifest, complete or damaged."""
        return sorted(filter(self._is_state, self._named()), key=_number)

    def _is_state(self, name: str) -> bool:
        try:
            with self._folder.folder(name) as folder:
                return bool(owned(folder, MANIFEST))
        except OSError:  # not a folder
            return False

    def _read(self, name: str) -> dict:
        """The manifest of an entry. Raises `CorruptFile` if it or one of its files is not as written."""
        try:
            with self._folder.folder(name) as folder:
                about = read_manifest(folder, MANIFEST)
                files = files_of(about, _FILE.match)
                if about.get("version") != VERSION:
                    raise CorruptFile(f"{MANIFEST} has version {about.get('version')}, not {VERSION}")
                verify(folder, files)
            for file in about.get("values", {}).values():
                _value(self._folder, str(file))
            return about
        except FileNotFoundError:
            raise CorruptFile(f"{MANIFEST} is missing") from None
        except OSError as error:
            raise CorruptFile((error.strerror or str(error)).lower()) from None

    def _forget(self, name: str) -> None:
        """Remove an entry atomically. Files that others put into it stay, and so does all that is no entry of ours."""
        try:
            with self._folder.folder(name) as folder:
                ours = owned(folder, MANIFEST)
                is_ours_alone = not set(folder.names()).difference(ours)
        except OSError:  # not a folder
            return
        if not ours:
            return
        left = f".old-{os.urandom(8).hex()}" if is_ours_alone else name
        if is_ours_alone:
            self._folder.rename(name, left)
        remove_folder(self._folder, left, MANIFEST)


def _value(folder: Folder, file: str) -> bytes:
    """The content of a file with a value, whose name is made of it. Raises `CorruptFile`."""
    digest = _VALUE.match(file)
    try:
        if digest is None:
            raise CorruptFile("its manifest was not written by tfdsl")
        with folder.reading(file) as opened:
            content = opened.read()
    except FileNotFoundError:
        raise CorruptFile(f"{file} is missing") from None
    except AccessRefused as reason:
        raise CorruptFile(f"{file} is {reason.details['what']}") from None
    if hashlib.sha256(content).hexdigest()[:16] != digest[1]:
        raise CorruptFile(f"{file} is damaged")
    return content


def _number(name: str) -> int:
    """The number with which the name of an entry begins."""
    return int(name.partition("-")[0])


@contextmanager
def open_stores(program: Program, only: str | None, access: Access) -> Iterator[dict[str, CheckpointStore]]:
    """The open stores of a program or of one session, locked against other runs."""
    with ExitStack() as stack:
        result = {}
        for path, origin in checkpoint_folders(program, only).items():
            with reported(path, origin):
                result[path] = stack.enter_context(closing(CheckpointStore(path, access)))
        yield result


@contextmanager
def reported(path: str, origin: Origin, note: str = "") -> Iterator[None]:
    """An error about a folder, at the statement that names it."""
    try:
        yield
    except FolderInUse as holder:
        raise failure(CHECKPOINT_HELD, origin, path=path, holder=str(holder)) from None
    except AccessRefused as error:
        raise failure(error.message, origin, **error.details) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise failure(WRITE_FAILED, origin, [Note(note)] if note else [], path=path, reason=reason_of(error)) from error
