"""Files that `write` writes: replaced as a whole, and only if tfdsl wrote them.

A file is written under a temporary name beside its place, flushed to disk, and renamed. A hidden list in the folder,
`.tfdsl-written`, has the sizes and checksums of the files that were written there. A file that is not in the list, or
has changed since, is replaced only with `--overwrite`.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from ...access import Access, Folder
from .durable_io import CorruptFile, FileEntry, listed, locked, manifest_bytes, read_manifest, verify, write

_LIST = ".tfdsl-written"
_SUFFIX = re.compile(r"\.[0-9a-f]{16}\Z")


class NotWritten(Exception):
    """A file that would be replaced, but was not written by tfdsl, or was changed since."""


@contextmanager
def replacing(path: str, access: Access, overwrite: bool) -> Iterator[BinaryIO]:
    """A new file that takes the place of the one at a path at the end of the block, if the block succeeds. Missing
    folders are created. Raises `NotWritten` if another file is in its place, and what `access` raises."""
    folder, name = access.beside(path, create=True)
    with folder:
        if not overwrite:
            _check(folder, name)
        temporary = f".{name}.{os.urandom(8).hex()}"
        try:
            with folder.creating(temporary) as file:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)  # says that it is being written
                with locked(folder):
                    _remove_left(folder, name, temporary)
                yield file
                file.flush()
                os.fsync(file.fileno())
            with locked(folder):
                if not overwrite:
                    _check(folder, name)
                _list(folder, name, temporary)
                folder.rename(temporary, name)
                folder.sync()
        except BaseException:
            with suppress(OSError):
                folder.remove(temporary)
            raise


def _check(folder: Folder, name: str) -> None:
    """Raise `NotWritten` if the file there may not be replaced."""
    if not folder.has(name):
        return
    for entry in _entries(folder).get(name, ()):
        with suppress(CorruptFile):
            verify(folder, {name: entry})
            return
    raise NotWritten


def _entries(folder: Folder) -> dict[str, list[FileEntry]]:
    """The list of the folder: by name, the size and the checksum of the file and of the one before it."""
    with suppress(FileNotFoundError, CorruptFile):
        files = read_manifest(folder, _LIST).get("files")
        if isinstance(files, dict):
            return {name: found for name, found in files.items() if _is_formed(found)}
    return {}


def _is_formed(found: object) -> bool:
    return isinstance(found, list) and all(
        isinstance(one, list) and [type(part) for part in one] == [int, str] for one in found
    )


def _list(folder: Folder, name: str, temporary: str) -> None:
    """List a file that is about to get its name. The one before it stays listed, until the rename is done."""
    entries = {one: found for one, found in _entries(folder).items() if folder.has(one)}
    new = listed(folder, [temporary])[temporary]
    entries[name] = [new, *(one for one in entries.get(name, ())[:1] if one != new)]
    content = manifest_bytes({"version": 1, "files": entries})
    made = f"{_LIST}.{os.urandom(8).hex()}"
    write(folder, made, content)
    folder.rename(made, _LIST)


def _remove_left(folder: Folder, name: str, own: str) -> None:
    """Remove what a killed run has left of this file."""
    for one in folder.names():
        left = one.startswith((f".{name}.", f"{_LIST}.")) and _SUFFIX.search(one)
        if not left or one == own or _SUFFIX.sub("", one) not in (f".{name}", _LIST):
            continue
        with suppress(OSError), open(os.open(one, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder.fd), "rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails if another run is writing it
            folder.remove(one)
