"""Files that outlive a kill and a power cut: flushed to the disk, named only when whole, with a checksum.

A file without its checksum, or that is not what the checksum says, is `Damaged`; it is never taken for one that is
not there. All of them are in an open `access.Folder`.
"""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..access import Folder, Refused


class Damaged(Exception):
    """What is on the disk is not what was written; the text says which file, and what is wrong with it."""


def sync(folder: Folder, name: str) -> None:
    """Have the disk keep a file."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder.fd)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(folder: Folder, name: str, content: bytes) -> None:
    """Write a file that was not there, and have the disk keep it. Its folder has to be synced after it."""
    with folder.creating(name) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def new_folder(folder: Folder, kind: str) -> Iterator[tuple[Folder, str]]:
    """A folder to fill, `.kind-...` with a mark of its own; it is removed with its files if that fails."""
    name = f".{kind}-{os.urandom(8).hex()}"
    try:
        with folder.folder(name, exclusive=True) as made:
            yield made, name
    except BaseException:
        remove_folder(folder, name, lambda file: True)
        raise


def remove_folder(folder: Folder, name: str, is_ours: Callable[[str], object]) -> None:
    """Remove a folder and the files of ours in it, as far as that goes; anything else stays, and the folder with it."""
    with suppress(OSError):
        with folder.folder(name) as left:
            for file in filter(is_ours, left.names()):
                left.remove(file)
        os.rmdir(name, dir_fd=folder.fd)


# --- manifests ----------------------------------------------------------------------------------

_SEAL = b"tfdsl 1 sha256 "


def sealed(about: dict) -> bytes:
    """A manifest: JSON under a line with its checksum."""
    text = json.dumps(about, indent=1, sort_keys=True).encode()
    return _SEAL + hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n"


def unsealed(folder: Folder, name: str) -> dict:
    """What a manifest says. `Damaged` if a bit of it is not what was written; FileNotFoundError without it."""
    with _reading(folder, name) as file:
        seal, _, rest = file.read().partition(b"\n")
    text = rest[:-1]
    if seal != _SEAL + hashlib.sha256(text).hexdigest().encode() or rest[-1:] != b"\n":
        raise Damaged(f"{name} is not what was written")
    return json.loads(text)


def listed(folder: Folder, names: list[str]) -> dict[str, list]:
    """Sizes and checksums of files, for a manifest."""
    return {name: _measured(folder, name) for name in names}


def files_of(about: object, is_ours: Callable[[str], object]) -> dict[str, list]:
    """The files that a manifest lists. `Damaged` where it is not made like those of `sealed`, or names others: its
    checksum says that it is whole, not who wrote it."""
    files = about.get("files") if isinstance(about, dict) else None
    if not isinstance(files, dict) or not all(map(is_ours, files)):
        raise Damaged("its manifest is none of ours")
    for entry in files.values():
        if not isinstance(entry, list) or [type(one) for one in entry] != [int, str]:
            raise Damaged("its manifest is none of ours")
    return files


def verify(folder: Folder, files: dict[str, list]) -> None:
    """`Damaged` where a file of a manifest is not what was written."""
    for name, (size, checksum) in sorted(files.items()):
        try:
            found = folder.stat(name)
            if found is None:
                raise Damaged(f"{name} is missing")
            if found.st_size != size:
                raise Damaged(f"{name} has {found.st_size} bytes instead of {size}")
            if _measured(folder, name) != [size, checksum]:
                raise Damaged(f"{name} is not what was written")
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):  # no fault of the file
                raise
            raise Damaged(f"{name}: {(error.strerror or str(error)).lower()}") from None


def _measured(folder: Folder, name: str) -> list:
    with _reading(folder, name) as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        return [file.tell(), checksum]


def _reading(folder: Folder, name: str):
    try:
        return folder.reading(name)
    except Refused as reason:
        raise Damaged(f"{name}: {reason}") from None
