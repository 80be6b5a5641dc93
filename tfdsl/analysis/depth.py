"""Deep programs on a shallow stack: every so many levels the analysis goes on in a thread of its own.

Python limits the calls that are open in one thread, and the limit is the process's, which a compiler must not touch.
The threads wait for one another, so nothing runs at the same time.
"""

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_Made = TypeVar("_Made")


class NoStack(Exception):
    """The system gives the process no room for another thread."""


LEVELS = 30  # expressions and blocks inside one another that one thread takes; each is up to twenty Python calls


def on_own_stack(function: Callable[_P, _Made], *arguments: _P.args, **named: _P.kwargs) -> _Made:
    """What a function returns, or raises, when it is called in a new thread."""
    outcome: list[_Made] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(function(*arguments, **named))
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="tfdsl-depth", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        raise NoStack from None
    thread.join()
    if raised:
        raise raised[0]
    return outcome[0]
