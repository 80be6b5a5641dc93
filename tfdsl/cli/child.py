"""A command as a process of another command's, which ends with that one: `python -m tfdsl.cli.child PID COMMAND...`.

PID is the process that starts it. Where that is killed, nothing else could tell its children.
"""

import os
import signal
import sys
import threading
import time

from . import process

_PR_SET_PDEATHSIG = 1


def child(*words: str) -> list[str]:
    """The command line of a `tfdsl` command that ends with this process."""
    return [sys.executable, "-P", "-m", __name__, str(os.getpid()), *words]


def environment() -> dict[str, str]:
    """The environment in which a child finds this package, in whatever folder it is started."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def end_with(parent: int) -> None:
    """See to it that this process is killed when its parent ends, however that ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    end_with(int(sys.argv.pop(1)))
    process()
