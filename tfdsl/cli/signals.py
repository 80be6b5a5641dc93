"""Ctrl-C and SIGTERM in a process of ours: they end it, with 130 or 143, whatever it is doing.

Python calls a handler in the main thread, between two of its own instructions: never while a kernel of TensorFlow
hangs there. So a second thread watches. The system tells it of each signal at once, through a pipe
(`signal.set_wakeup_fd`), and it ends the process where the main thread has not done so in time after

- a second signal, which asks to end at once, or
- SIGTERM, whose sender does not ask twice.

What ends in that way loses what a kill loses. Nothing here is for a process of somebody else's that uses tfdsl: only
`process` installs it.
"""

import os
import select
import signal
import subprocess
import sys
import time
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

NUMBERS = (signal.SIGINT, signal.SIGTERM)
PROMPT = 2.0  # seconds that the main thread has after a second signal
GRACE = 10.0  # seconds that it has after SIGTERM
_FOR_CHILDREN = 5.0  # more that it has where it waits for processes, which have as many
_REAPED = 2.0  # seconds that killed children have to be gone

children: set[subprocess.Popen] = set()  # processes that must not outlive this one


class Asked(KeyboardInterrupt):
    """This process is asked to end, by the signal of this number."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number


def code_of(asked: KeyboardInterrupt) -> int:
    """The exit code of a process that is asked to end."""
    return 128 + getattr(asked, "number", signal.SIGINT)


def install() -> None:
    """Have signals end this process: first by `Asked` in the main thread, and by force where that does not help."""
    seen, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in NUMBERS:
        signal.signal(number, _raise)
    sys.unraisablehook = _lost
    start_new_thread(_watch, (seen,))


def ignore() -> None:
    """The process is over, and has its exit code."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def handled(handler: Callable[[int, object], object]) -> Iterator[None]:
    """Call a handler in the main thread meanwhile, instead of what is called now."""
    before = {number: signal.signal(number, handler) for number in NUMBERS}
    try:
        yield
    finally:
        for number, one in before.items():
            signal.signal(number, one)


class StopSignal:
    """Whether the run was asked to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal = 0

    def __call__(self) -> bool:
        return self.signal != 0


@contextmanager
def interruptible() -> Iterator[StopSignal]:
    """Ctrl-C and SIGTERM ask the run to stop after its step; a second one does what it does without this."""
    asked = StopSignal()
    before = {int(number): signal.getsignal(number) for number in NUMBERS}

    def handle(number: int, frame: object) -> None:
        if asked.signal:
            signal.signal(number, before[number])
            signal.raise_signal(number)
        asked.signal = number

    with handled(handle):
        yield asked


@contextmanager
def at_once(tidy: Callable[[], object] = lambda: None) -> Iterator[None]:
    """End the process in the handler, in the middle of an import: C++ that is on the way does not stand an exception.

    Only where `install` was called: a process of somebody else's goes on as it likes.
    """
    if signal.getsignal(signal.SIGINT) is not _raise:
        yield
        return

    def handle(number: int, frame: object) -> None:
        with suppress(Exception):
            tidy()
        leave(number)

    with handled(handle):
        yield


def leave(number: int) -> None:
    """End the process now, and its children with it."""
    for child in tuple(children):
        child.kill()
    end = time.monotonic() + _REAPED
    while any(child.poll() is None for child in tuple(children)) and time.monotonic() < end:
        time.sleep(0.01)
    os._exit(128 + number)


def raise_asked() -> None:
    """Raise `Asked` again where a library has made another exception of it."""
    if _asked:
        raise Asked(_asked[0])


_asked: list[int] = []


def _raise(number: int, frame: object) -> None:
    _asked.append(number)
    raise Asked(number)


def _lost(unraisable) -> None:
    """An exception came where Python drops it, as in the end of an object."""
    if isinstance(unraisable.exc_value, Asked):
        leave(unraisable.exc_value.number)
    sys.__unraisablehook__(unraisable)


def _watch(seen: int) -> None:
    """Wait for signals, and end the process when the main thread has had its time."""
    asked, end = 0, None
    while True:
        left = None if end is None else max(0.0, end - time.monotonic())
        if not select.select([seen], [], [], left)[0]:
            leave(asked)
        for number in os.read(seen, 100):
            if number in NUMBERS:
                if asked or number == signal.SIGTERM:
                    patience = PROMPT if asked else GRACE + _FOR_CHILDREN * bool(children)
                    end = min(end or float("inf"), time.monotonic() + patience)
                asked = number
