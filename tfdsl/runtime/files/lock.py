"""A lock on a folder for one run. The system releases it when the run ends, in whatever way.

The lock file says who holds it. If a run has just created the folder, another run may lock it first. Then the first run
adds a mark to the file, and the other run removes the folder as if it had created it.
"""

import fcntl
import json
import os
import socket
import stat
import time
from contextlib import suppress

from ...access import Folder

NAME = ".tfdsl.lock"
_LENGTH = 1000  # bytes of the description of the holder
_MARK = b"made"
_SOMEBODY = "another process"


class FolderInUse(Exception):
    """Another run has the folder. The text says who."""


class Lock:
    """A lock, acquired on creation. Raises `FolderInUse` if another run has it. `is_new` says whether this run has just
    created the folder, `was_left` whether an earlier run left the lock file behind."""

    def __init__(self, folder: Folder, is_new: bool = False):
        self._folder = folder
        while True:
            self._handle = os.open(NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666, dir_fd=folder.fd)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(self._handle)
                if is_new and _is_ours(self._handle):
                    _write(self._handle, _MARK, _LENGTH)
                # The holder removes the file before it looks for the mark, so either it sees the mark, or the file is
                # gone here.
                if self._is_there():
                    os.close(self._handle)
                    raise FolderInUse(holder) from None
            else:
                if self._is_there():
                    break
            os.close(self._handle)  # the holder removed the file before it released the lock
        if not _is_ours(self._handle):
            os.close(self._handle)
            raise OSError(None, f"the file {NAME} in it was not written by tfdsl")
        self.was_left = os.fstat(self._handle).st_size > 0
        about = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        _write(self._handle, json.dumps(about).encode().ljust(_LENGTH), 0)

    def _is_there(self) -> bool:
        """Whether the lock file still is the locked one."""
        found = self._folder.stat(NAME)
        return found is not None and os.path.samestat(os.fstat(self._handle), found)

    def release(self) -> bool:
        """Release the folder. It is not an error to call this twice. Returns whether another run created the folder and
        left it."""
        if self._handle < 0:
            return False
        if self._is_there():
            self._folder.remove(NAME)
        is_marked = os.pread(self._handle, len(_MARK), _LENGTH) == _MARK
        os.close(self._handle)
        self._handle = -1
        return is_marked


def _write(handle: int, text: bytes, at: int) -> None:
    with suppress(OSError):  # locking works on a full disk too
        os.pwrite(handle, text, at)


def _is_ours(handle: int) -> bool:
    """Whether an open file is a lock: new, or left behind by a run."""
    found = os.fstat(handle)
    is_plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    is_unsaid = not os.pread(handle, _LENGTH, 0).strip(b"\0")  # empty, or only the mark
    return is_plain and (is_unsaid or _holder(handle) != _SOMEBODY)


def _holder(handle: int) -> str:
    try:
        about = json.loads(os.pread(handle, _LENGTH, 0))
        return f"process {about['pid']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return _SOMEBODY
