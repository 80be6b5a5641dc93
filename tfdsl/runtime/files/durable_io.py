"""Files that outlive a kill and a power cut: flushed to the disk, named only when whole, with a checksum.

A file without its checksum, or that is not what the checksum says, is `CorruptFile`; it is never taken for one that is
not there. All of them are in an open `access.Folder`.

A name proves nothing: others may have given it. Only a folder with a manifest that carries our seal is ours, and only
the files that the manifest lists are ever removed.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ...access import AccessRefused, Folder


class CorruptFile(Exception):
    """What is on the disk is not what was written; the text says which file, and what is wrong with it."""


class NotPlain(CorruptFile):
    """A file that a program may not open, such as a link; `what` describes it."""

    def __init__(self, name: str, what: object):
        super().__init__(f"{name} is {what}")
        self.what = what


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
def new_folder(folder: Folder, kind: str, manifest: str, planned: list[str]) -> Iterator[tuple[Folder, str]]:
    """A folder to fill, `.kind-...` with a mark of its own; it is removed with its files if that fails.

    Its manifest lists the planned files from the start, so that whoever finds it after a kill knows what is ours.
    `finish` writes the one that lists what is there.
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


def finish(made: Folder, manifest: str, about: dict) -> None:
    """Have the disk keep the files of a folder that is filled, with a manifest that has their checksums."""
    names = [name for name in made.names() if name != manifest]
    for name in names:
        sync(made, name)
    write(made, f"{manifest}{_NEW}", manifest_bytes({**about, "files": listed(made, names)}))
    made.rename(f"{manifest}{_NEW}", manifest)
    made.sync()


def remove_folder(folder: Folder, name: str, manifest: str) -> None:
    """Remove a folder with the files that its manifest lists; anything else stays, and the folder with it.

    Nothing is removed where the manifest is none of ours. One exception is an empty manifest that is alone in its
    folder: a kill left it before anything was written.
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
    """The files in a folder that its manifest lists, and that last, so that what a kill leaves of them can be removed
    later; none where the manifest is not ours."""
    try:
        about = read_manifest(folder, manifest)
        planned = about.get("planned")
        files = planned if isinstance(planned, list) else list(files_of(about))
    except (CorruptFile, OSError):
        return []
    return [*(name for name in folder.names() if name != manifest and _is_planned(name, [*files, manifest])), manifest]


# What TensorFlow, or `finish`, calls a file before it is whole.
_NEW = ".new"
_UNFINISHED = re.compile(r"\.(?:tempstate\d+|tmp[0-9a-f]{32}|new)\Z")


def _is_planned(name: str, planned: list[str]) -> bool:
    return name in planned or _UNFINISHED.sub("", name) in planned


# --- manifests ----------------------------------------------------------------------------------

_SEAL = b"tfdsl 1 sha256 "


def manifest_bytes(about: dict) -> bytes:
    """A manifest: JSON under a line with its checksum."""
    text = json.dumps(about, indent=1, sort_keys=True).encode()
    return _SEAL + hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n"


def read_manifest(folder: Folder, name: str) -> dict:
    """What a manifest says. `CorruptFile` if a bit of it is not what was written; FileNotFoundError without it."""
    with _reading(folder, name) as file:
        seal, _, rest = file.read().partition(b"\n")
    text = rest[:-1]
    if seal != _SEAL + hashlib.sha256(text).hexdigest().encode() or rest[-1:] != b"\n":
        raise CorruptFile(f"{name} is not what was written")
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise CorruptFile("its manifest is none of ours")
    return about


def listed(folder: Folder, names: list[str]) -> dict[str, list]:
    """Sizes and checksums of files, for a manifest."""
    return {name: _measured(folder, name) for name in names}


def files_of(about: object, is_ours: Callable[[str], object] = bool) -> dict[str, list]:
    """The files that a manifest lists. `CorruptFile` where it is not made like those of `manifest_bytes`, or names
    other files: its checksum says that it is whole, not who wrote it."""
    files = about.get("files") if isinstance(about, dict) else None
    if not isinstance(files, dict) or not all(map(is_ours, files)):
        raise CorruptFile("its manifest is none of ours")
    for entry in files.values():
        if not isinstance(entry, list) or [type(one) for one in entry] != [int, str]:
            raise CorruptFile("its manifest is none of ours")
    return files


def verify(folder: Folder, files: dict[str, list]) -> None:
    """`CorruptFile` where a file of a manifest is not what was written."""
    for name, (size, checksum) in sorted(files.items()):
        try:
            found = folder.stat(name)
            if found is None:
                raise CorruptFile(f"{name} is missing")
            if found.st_size != size:
                raise CorruptFile(f"{name} has {found.st_size} bytes instead of {size}")
            if _measured(folder, name) != [size, checksum]:
                raise CorruptFile(f"{name} is not what was written")
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):  # no fault of the file
                raise
            raise CorruptFile(f"{name}: {(error.strerror or str(error)).lower()}") from None


def _measured(folder: Folder, name: str) -> list:
    with _reading(folder, name) as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        return [file.tell(), checksum]


def _reading(folder: Folder, name: str):
    try:
        return folder.reading(name)
    except AccessRefused as reason:
        raise NotPlain(name, reason.details["what"]) from None
