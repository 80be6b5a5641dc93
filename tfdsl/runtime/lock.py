"""A lock on a folder: one run at a time. The system frees it when the run ends, however that is."""

import fcntl
import json
import os
import socket
import time
from contextlib import suppress

NAME = ".tfdsl.lock"


class Held(Exception):
    """Another run has the folder; the text says who."""


class Lock:
    """Taken when made; `Held` if another run has it."""

    def __init__(self, folder: str):
        self._path = os.path.join(folder, NAME)
        while True:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(self._handle)
                os.close(self._handle)
                raise Held(holder) from None
            if self.is_there:
                break
            os.close(self._handle)  # its holder removed the file before it let go
        about = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        os.ftruncate(self._handle, 0)
        with suppress(OSError):  # a full disk does not keep anybody from locking
            os.pwrite(self._handle, json.dumps(about).encode(), 0)

    @property
    def is_there(self) -> bool:
        """Whether the file of the lock is still the one that is locked."""
        try:
            return os.path.samestat(os.fstat(self._handle), os.stat(self._path, follow_symlinks=False))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        if self.is_there:
            os.remove(self._path)
        os.close(self._handle)


def _holder(handle: int) -> str:
    try:
        about = json.loads(os.pread(handle, 1000, 0))
        return f"process {about['pid']} on {about['host']}, since {about['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
