"""A lock on a folder: one run at a time. The system frees it when the run ends, however that is."""

import fcntl
import json
import os
import socket
import stat
import time
from contextlib import suppress

from ..access import Folder

NAME = ".tfdsl.lock"
_SOMEBODY = "another process"


class Held(Exception):
    """Another run has the folder; the text says who."""


class Lock:
    """Taken when made; `Held` if another run has it. `was_left` says whether a run left it behind."""

    def __init__(self, folder: Folder):
        self._folder = folder
        while True:
            self._handle = os.open(NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666, dir_fd=folder.fd)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(self._handle)
                os.close(self._handle)
                raise Held(holder) from None
            if self._is_there():
                break
            os.close(self._handle)  # its holder removed the file before it let go
        if not _is_ours(self._handle):
            os.close(self._handle)
            raise OSError(None, f"the file {NAME} in it is not what tfdsl wrote")
        self.was_left = os.fstat(self._handle).st_size > 0
        about = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        with suppress(OSError):  # a full disk does not keep anybody from locking
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, json.dumps(about).encode(), 0)

    def _is_there(self) -> bool:
        """Whether the file of the lock is still the one that is locked."""
        found = self._folder.stat(NAME)
        return found is not None and os.path.samestat(os.fstat(self._handle), found)

    def release(self) -> None:
        """Let go of the folder; a second time is no error."""
        if self._handle < 0:
            return
        if self._is_there():
            self._folder.remove(NAME)
        os.close(self._handle)
        self._handle = -1


def _is_ours(handle: int) -> bool:
    """Whether an open file is a lock: one that was just made, or one that a run left behind."""
    found = os.fstat(handle)
    is_plain = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    return is_plain and (found.st_size == 0 or _holder(handle) != _SOMEBODY)


def _holder(handle: int) -> str:
    try:
        about = json.loads(os.pread(handle, 1000, 0))
        return f"process {about['pid']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return _SOMEBODY
