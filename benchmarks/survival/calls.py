"""Stops a process at the system calls of all its threads (Linux's ptrace), and kills it after one of them."""

import ctypes
import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .common import Skipped

_SYSCALL, _SEIZE, _INTERRUPT, _INFO = 24, 0x4206, 0x4207, 0x420E
_SYSGOOD, _CLONE, _EXITKILL = 0x1, 0x8, 0x100000
_WALL = 0x40000000
_EXIT = 2  # the kind of a stop, in `ptrace_syscall_info`
END = signal.SIGUSR1  # the process sends it when the examined part is over


class _Info(ctypes.Structure):
    """The beginning of `struct ptrace_syscall_info`."""

    _fields_ = (("op", ctypes.c_uint8), ("rest", ctypes.c_uint8 * 127))


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, thread: int, address: int = 0, data: object = 0) -> None:
    if _libc.ptrace(request, thread, address, data) < 0:
        number = ctypes.get_errno()
        if number == errno.EPERM and request == _SEIZE:
            raise Skipped("processes may not be traced here")
        if number != errno.ESRCH:  # it has ended meanwhile
            raise OSError(number, os.strerror(number))


def kill_after(pid: int, call: int, go: int) -> int:
    """Let a process, which waits for a byte from the pipe `go`, make this many system calls, and kill it. Returns the
    number of calls.

    It is also killed when it sends itself the signal `END`.
    """
    with _alarm(60):
        threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
        for thread in threads:
            _ptrace(_SEIZE, thread, 0, _SYSGOOD | _CLONE | _EXITKILL)
            _ptrace(_INTERRUPT, thread)
        for thread in threads:
            os.waitpid(thread, _WALL)
        for thread in threads:
            _ptrace(_SYSCALL, thread)
        os.write(go, b".")
        made = 0
        while made < call:
            thread, status = os.waitpid(-1, _WALL)
            if not os.WIFSTOPPED(status):
                if thread == pid:
                    raise RuntimeError(f"it ended on its own after {made} calls")
                continue
            number, event = os.WSTOPSIG(status), status >> 16
            if number == END:
                break
            if number == signal.SIGTRAP | 0x80:
                made += _is_exit(thread)
                number = 0
            elif event:
                number = 0
            if made < call:
                _ptrace(_SYSCALL, thread, 0, number)
        os.kill(pid, signal.SIGKILL)
        while True:
            thread, status = os.waitpid(-1, _WALL)
            if thread == pid and not os.WIFSTOPPED(status):
                return made


def _is_exit(thread: int) -> bool:
    info = _Info()
    _ptrace(_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
    return info.op == _EXIT


@contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    def late(number, frame):
        raise TimeoutError("a traced process hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def is_allowed() -> None:
    """Raise `Skipped` if processes cannot be traced."""
    if not Path("/proc/self/task").exists() or os.uname().sysname != "Linux":
        raise Skipped("this is not Linux")
