"""Watches folders through kernel notifications, which miss no change, even if it is undone at once."""

import ctypes
import os
import select
import struct
from dataclasses import dataclass
from pathlib import Path

CREATED, MOVED_FROM, MOVED_TO, DELETED = 0x100, 0x40, 0x80, 0x200
_EVENT = struct.Struct("iIII")


@dataclass(frozen=True, slots=True)
class Event:
    """One change in a watched folder: a name was created, moved from or to, or deleted."""

    folder: Path
    kind: int
    name: str


class Watch:
    """Watches existing folders."""

    def __init__(self, *folders: Path):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._folders: dict[int, Path] = {}
        for folder in folders:
            mask = CREATED | MOVED_FROM | MOVED_TO | DELETED
            self._folders[self._checked(self._libc.inotify_add_watch(self._fd, os.fsencode(folder), mask))] = folder

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._fd)

    def events(self, seconds: float = 0) -> list[Event]:
        """The changes since the last call. Waits up to this long for the first one."""
        select.select([self._fd], [], [], seconds)
        try:
            data = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return []
        result, at = [], 0
        while at < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, at)
            name = data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0").decode()
            at += _EVENT.size + length
            kind = mask & (CREATED | MOVED_FROM | MOVED_TO | DELETED)
            if watch in self._folders and kind:
                result.append(Event(self._folders[watch], kind, name))
        return result

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
