"""A lock on a folder: one run at a time. The system frees it when the run ends, however that is.

The file of a lock says who holds it. A run that has just made the folder may find that another one was quicker to lock
it. It then adds a mark to the file, and the other run removes the folder as if it had made it.
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
_LENGTH = 1000  # of what says who holds it, in bytes
_MARK = b"made"
_SOMEBODY = "another process"


class FolderInUse(Exception):
    """Another run has the folder; the text says who."""


class Lock:
    """Taken when made; `FolderInUse` if another run has it. `is_new` says whether this run has just made the folder,
    `was_left` whether a run left the lock behind."""

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
                # The holder removes the file before it looks for the mark: it sees the mark, or the file is gone here.
                if self._is_there():
                    os.close(self._handle)
                    raise FolderInUse(holder) from None
            else:
                if self._is_there():
                    break
            os.close(self._handle)  # its holder removed the file before it let go
        if not _is_ours(self._handle):
            os.close(self._handle)
            raise OSError(None, f"the file {NAME} in it is not what tfdsl wrote")
        self.was_left = os.fstat(self._handle).st_size > 0
        about = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        _write(self._handle, json.dumps(about).encode().ljust(_LENGTH), 0)

    def _is_there(self) -> bool:
        """Whether the file of the lock is still the one that is locked."""
        found = self._folder.stat(NAME)
        return found is not None and os.path.samestat(os.fstat(self._handle), found)

    def release(self) -> bool:
        """Let go of the folder; a second time is no error. Whether another run has made the folder, and left it."""
        if self._handle < 0:
            return False
        if self._is_there():
            self._folder.remove(NAME)
        is_marked = os.pread(self._handle, len(_MARK), _LENGTH) == _MARK
        os.close(self._handle)
        self._handle = -1
        return is_marked


def _write(handle: int, text: bytes, at: int) -> None:
    with suppress(OSError):  # a full disk does not keep anybody from locking
        os.pwrite(handle, text, at)


def _is_ours(handle: int) -> bool:
    """Whether an open file is a lock: one that was just made, or one that a run left behind."""
    found = os.fstat(handle)
    is_plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    is_unsaid = not os.pread(handle, _LENGTH, 0).strip(b"\0")  # empty, or nothing but the mark
    return is_plain and (is_unsaid or _holder(handle) != _SOMEBODY)


def _holder(handle: int) -> str:
    try:
        about = json.loads(os.pread(handle, _LENGTH, 0))
        return f"process {about['pid']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return _SOMEBODY
