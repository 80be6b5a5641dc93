"""Analyses deep programs on a shallow stack: after a fixed number of levels the analysis continues in a new thread.

Python limits the call depth of a thread. The limit belongs to the whole process, so a compiler must not change
it. Each thread waits for the next one, so nothing runs in parallel.
"""

import mmap
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_Made = TypeVar("_Made")


class NoStack(Exception):
    """The system cannot give the process another thread, or memory for its work."""


_RESERVE = 64 << 20  # bytes that the work in a new thread can count on
LEVELS = 30  # nested expressions and blocks per thread; each takes up to twenty Python calls


def on_own_stack(function: Callable[_P, _Made], *arguments: _P.args, **named: _P.kwargs) -> _Made:
    """Call a function in a new thread; return its result or raise its error."""
    outcome: list[_Made] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(function(*arguments, **named))
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="tfdsl-depth", daemon=True)
    try:
        mmap.mmap(-1, _RESERVE).close()
        thread.start()
    except (OSError, RuntimeError):
        raise NoStack from None
    thread.join()
    if raised:
        raise raised[0]
    return outcome[0]
