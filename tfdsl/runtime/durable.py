"""Files that outlive a kill and a power cut: flushed to the disk, named only when whole, with a checksum.

A file without its checksum, or that is not what the checksum says, is `Damaged`; it is never taken for one that is
not there.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Damaged(Exception):
    """What is on the disk is not what was written; the text says which file, and what is wrong with it."""


def sync(path: str) -> None:
    """Have the disk keep a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: str) -> None:
    """Make a folder and those that it is in, and have the disk keep them."""
    above = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(above):
        make_folder(above)
    with suppress(FileExistsError):
        os.mkdir(path)
        sync(above)
    if not os.path.isdir(path):
        raise NotADirectoryError(20, "it is not a folder", path)


def write(path: str, content: bytes) -> None:
    """Write a file that was not there, and have the disk keep it. Its folder has to be synced after it."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def digest(path: str) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- manifests ----------------------------------------------------------------------------------

_SEAL = b"tfdsl 1 sha256 "


def sealed(about: dict) -> bytes:
    """A manifest: JSON under a line with its checksum."""
    text = json.dumps(about, indent=1, sort_keys=True).encode()
    return _SEAL + hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n"


def unsealed(path: str) -> dict:
    """What a manifest says. `Damaged` if a bit of it is not what was written; FileNotFoundError without it."""
    name = os.path.basename(path)
    with open(path, "rb") as file:
        seal, _, rest = file.read().partition(b"\n")
    text = rest[:-1]
    if seal != _SEAL + hashlib.sha256(text).hexdigest().encode() or rest[-1:] != b"\n":
        raise Damaged(f"{name} is not what was written")
    return json.loads(text)


def listed(folder: str, names: list[str]) -> dict[str, list]:
    """Sizes and checksums of files, for a manifest."""
    paths = {name: os.path.join(folder, name) for name in names}
    return {name: [os.path.getsize(path), digest(path)] for name, path in paths.items()}


def verify(folder: str, files: dict[str, list]) -> None:
    """`Damaged` where a file of a manifest is not what was written."""
    for name, (size, checksum) in sorted(files.items()):
        path = os.path.join(folder, name)
        try:
            found = os.path.getsize(path)
            if found != size:
                raise Damaged(f"{name} has {found} bytes instead of {size}")
            if digest(path) != checksum:
                raise Damaged(f"{name} is not what was written")
        except FileNotFoundError:
            raise Damaged(f"{name} is missing") from None
        except OSError as error:
            raise Damaged(f"{name}: {(error.strerror or str(error)).lower()}") from None



@contextmanager
def undone_on_failure(undo: Callable[[], None]) -> Iterator[None]:
    """Undo what was begun, as far as that goes, if it fails."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            undo()
        raise
