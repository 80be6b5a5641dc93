"""Runs a command as a child process that ends with its parent: `python -m tfdsl.cli.child PID COMMAND...`.

PID is the parent. If the parent is killed, it cannot end its children itself.
"""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from . import process
from .signals import NUMBERS

_PR_SET_PDEATHSIG = 1


def child(*words: str) -> list[str]:
    """The command line of a `tfdsl` command that ends with this process."""
    return [sys.executable, "-P", "-m", __name__, str(os.getpid()), *words]


def environment() -> dict[str, str]:
    """An environment in which a child finds this package from any folder."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


class Fork:
    """A fork of this process. `code` is its exit code, None while it runs."""

    def __init__(self, pid: int):
        self.pid = pid
        self.code: int | None = None

    def poll(self) -> int | None:
        return self._ended(os.WNOHANG)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, unless the fork has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        code = self._ended(0)
        assert code is not None
        return code

    def _ended(self, options: int) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, options)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code


def fork(work: Callable[[], int]) -> Fork:
    """Do some work in a fork of this process, which ends with it. Ctrl-C does not reach the fork."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    parent = os.getpid()
    gc.freeze()  # keeps the memory shared with the fork
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)  # the fork must not take signals as this process does
    pid = os.fork()
    if pid == 0:
        for number in NUMBERS:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    if pid == 0:
        os.setpgid(0, 0)
        end_with(parent)
        process(work)
    return Fork(pid)


def end_with(parent: int) -> None:
    """Have the system kill this process when its parent ends for any reason."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # the parent has already ended
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    end_with(int(sys.argv.pop(1)))
    process()
