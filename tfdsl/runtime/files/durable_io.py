"""Files that survive a kill and a power cut: flushed to disk, named only when complete, with a checksum.

A file without a checksum, or with a wrong one, raises `CorruptFile`; it is never treated as missing. All files are in
an open `access.Folder`.

A name proves nothing, because anybody can choose it. A folder is ours only if it has a manifest with our seal, and only
the files in the manifest are ever removed.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from ...access import AccessRefused, Folder

Manifest: TypeAlias = dict[str, Any]  # JSON, whose form is checked where a part is read
FileEntry: TypeAlias = list[Any]  # the size and the checksum of a file: a pair is a list in JSON


class CorruptFile(Exception):
    """The content on disk is not what was written. The text says which file, and what is wrong."""


class NotPlain(CorruptFile):
    """A file that a program may not open, such as a link. `what` describes it."""

    def __init__(self, name: str, what: object):
        super().__init__(f"{name} is {what}")
        self.what = what


def sync(folder: Folder, name: str) -> None:
    """Flush a file to disk."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder.fd)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Lock a folder against other runs that replace its files."""
    handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder.fd)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(folder: Folder, name: str, content: bytes) -> None:
    """Write a new file and flush it to disk. The caller must then sync its folder."""
    with folder.creating(name) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def new_folder(folder: Folder, kind: str, manifest: str, planned: list[str]) -> Iterator[tuple[Folder, str]]:
    """A folder to fill, `.kind-...` with a random suffix. It is removed with its files if filling fails.

    Its manifest lists the planned files from the start, so that after a kill the next run knows which files are ours.
    `finish` writes a manifest of the actual files.
    """
    name = f".{kind}-{os.urandom(8).hex()}"
    with folder.folder(name, exclusive=True) as made:
        try:
            with made.creating(manifest) as file:
                file.write(manifest_bytes({"version": 1, "planned": planned}))
            yield made, name
        except BaseException:
            with suppress(OSError):
                for left in made.names():
                    if left == manifest or _is_planned(left, [*planned, manifest]):
                        made.remove(left)
                os.rmdir(name, dir_fd=folder.fd)
            raise


def finish(made: Folder, manifest: str, about: Mapping[str, object]) -> None:
    """Flush the files of a filled folder to disk, with a manifest of their checksums."""
    names = [name for name in made.names() if name != manifest]
    for name in names:
        sync(made, name)
    write(made, f"{manifest}{_NEW}", manifest_bytes({**about, "files": listed(made, names)}))
    made.rename(f"{manifest}{_NEW}", manifest)
    made.sync()


def remove_folder(folder: Folder, name: str, manifest: str) -> None:
    """Remove a folder with the files in its manifest. If it has other files, they stay, and so does the folder.

    Nothing is removed if the manifest is not ours. The only exception is an empty manifest alone in its folder, which a
    kill left before anything was written.
    """
    with suppress(OSError):
        with folder.folder(name) as left:
            is_begun = left.names() == [manifest] and _is_empty(left, manifest)
            for file in [manifest] if is_begun else owned(left, manifest):
                left.remove(file)
        os.rmdir(name, dir_fd=folder.fd)


def _is_empty(folder: Folder, name: str) -> bool:
    stat = folder.stat(name)
    return stat is not None and stat.st_size == 0


def owned(folder: Folder, manifest: str) -> list[str]:
    """The files to remove from a folder: those in its manifest, and the manifest as the last one, so that a kill leaves
    the rest removable. Empty if the manifest is not ours."""
    try:
        about = read_manifest(folder, manifest)
        planned = about.get("planned")
        files = planned if isinstance(planned, list) else list(files_of(about))
    except (CorruptFile, OSError):
        return []
    return [*(name for name in folder.names() if name != manifest and _is_planned(name, [*files, manifest])), manifest]


# Suffixes of incomplete files of TensorFlow and of `finish`.
_NEW = ".new"
_UNFINISHED = re.compile(r"\.(?:tempstate\d+|tmp[0-9a-f]{32}|new)\Z")


def _is_planned(name: str, planned: list[str]) -> bool:
    return name in planned or _UNFINISHED.sub("", name) in planned


# --- manifests ----------------------------------------------------------------------------------

_SEAL = b"tfdsl 1 sha256 "


def manifest_bytes(about: Mapping[str, object]) -> bytes:
    """A manifest: JSON after a line with its checksum."""
    text = json.dumps(about, indent=1, sort_keys=True).encode()
    return _SEAL + hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n"


def read_manifest(folder: Folder, name: str) -> Manifest:
    """The content of a manifest. Raises `CorruptFile` if it is not as written, FileNotFoundError if it does not
    exist."""
    with _reading(folder, name) as file:
        seal = file.read(len(_SEAL) + 65)[:-1]
        rest = file.read() if seal.startswith(_SEAL) else b""  # a file of others can be of any size
    text = rest[:-1]
    if seal != _SEAL + hashlib.sha256(text).hexdigest().encode() or rest[-1:] != b"\n":
        raise CorruptFile(f"{name} is damaged")
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise CorruptFile("its manifest was not written by tfdsl")
    return about


def listed(folder: Folder, names: list[str]) -> dict[str, FileEntry]:
    """Sizes and checksums of files, for a manifest."""
    return {name: _measured(folder, name) for name in names}


def files_of(about: object, is_ours: Callable[[str], object] = bool) -> dict[str, FileEntry]:
    """The files in a manifest. Raises `CorruptFile` if it does not have the form of `manifest_bytes`, or names files
    that are not ours: its checksum only proves that it is complete."""
    files = about.get("files") if isinstance(about, dict) else None
    if not isinstance(files, dict) or not all(map(is_ours, files)):
        raise CorruptFile("its manifest was not written by tfdsl")
    for entry in files.values():
        if not isinstance(entry, list) or [type(one) for one in entry] != [int, str]:
            raise CorruptFile("its manifest was not written by tfdsl")
    return files


def verify(folder: Folder, files: dict[str, FileEntry]) -> None:
    """Raise `CorruptFile` if a file in a manifest is not as written."""
    for name, (size, checksum) in sorted(files.items()):
        try:
            found = folder.stat(name)
            if found is None:
                raise CorruptFile(f"{name} is missing")
            if found.st_size != size:
                raise CorruptFile(f"{name} has {found.st_size} bytes instead of {size}")
            if _measured(folder, name) != [size, checksum]:
                raise CorruptFile(f"{name} is damaged")
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):  # not the fault of the file
                raise
            raise CorruptFile(f"{name}: {(error.strerror or str(error)).lower()}") from None


def _measured(folder: Folder, name: str) -> FileEntry:
    with _reading(folder, name) as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        return [file.tell(), checksum]


def _reading(folder: Folder, name: str):
    try:
        return folder.reading(name)
    except AccessRefused as reason:
        raise NotPlain(name, reason.details["what"]) from None
