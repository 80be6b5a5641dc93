"""Ends a process of ours on Ctrl-C and SIGTERM, with 130 or 143, whatever it is doing.

Python calls signal handlers in the main thread between two bytecode instructions, so never while a TensorFlow
kernel hangs there. So a second thread watches. The system informs it of each signal through a pipe
(`signal.set_wakeup_fd`). It ends the process if the main thread does not do so in time after

- a second signal, which asks to end at once, or - SIGTERM, whose sender does not ask twice.

A process ended in this way loses what a killed process loses. Only `process` installs this, never a user's own
process that imports tfdsl.
"""

import os
import select
import signal
import sys
import time
from _thread import start_new_thread
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol


class Child(Protocol):
    """A process that this one has started."""

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...


NUMBERS = (signal.SIGINT, signal.SIGTERM)
PROMPT = 2.0  # seconds for the main thread after a second signal
GRACE = 10.0  # seconds for it after SIGTERM
_FOR_CHILDREN = 5.0  # extra seconds if it waits for processes, which have the same time
_REAPED = 2.0  # seconds for killed children to disappear
_PAUSE = 0.01  # seconds between two looks at processes: the system offers no wait for several with a time limit

children: set[Child] = set()  # processes that must not outlive this one


INTERRUPTED = "tfdsl: interrupted"


def tell_interrupted() -> None:
    with suppress(OSError, ValueError):  # the reader may have closed it
        print(INTERRUPTED, file=sys.stderr)


class Asked(KeyboardInterrupt):
    """The signal with this number asked this process to end."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number


def code_of(asked: KeyboardInterrupt) -> int:
    """The exit code of a process that was asked to end."""
    return 128 + getattr(asked, "number", signal.SIGINT)


def install() -> None:
    """Have signals end this process: first by `Asked` in the main thread, then by force."""
    seen, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in NUMBERS:
        signal.signal(number, _raise)
    sys.unraisablehook = _lost
    start_new_thread(_watch, (seen,))


def ignore() -> None:
    """Ignore signals: the process is finished and has its exit code."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def handled(handler: Callable[[int, object], object]) -> Iterator[None]:
    """Call a handler in the main thread inside the block, instead of the current one."""
    before = {number: signal.signal(number, handler) for number in NUMBERS}
    try:
        yield
    finally:
        for number, one in before.items():
            signal.signal(number, one)


class StopSignal:
    """Whether a signal asked the run to stop, and which one."""

    def __init__(self) -> None:
        self.signal = 0

    def __call__(self) -> bool:
        return self.signal != 0


@contextmanager
def interruptible() -> Iterator[StopSignal]:
    """Ctrl-C and SIGTERM ask the run to stop after its step. A second signal acts as it does without this."""
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
    """End the process in the handler during an import: C++ code in progress cannot handle an exception.

    This only applies after `install`, so a user's own process continues.
    """
    if signal.getsignal(signal.SIGINT) is not _raise:
        yield
        return

    try:
        told = os.dup(2)  # the import holds back what is written to 2
    except OSError:  # there is no standard error
        told = None

    def handle(number: int, frame: object) -> None:
        with suppress(Exception):
            tidy()
        if told is not None:
            with suppress(OSError):
                os.write(told, f"{INTERRUPTED}\n".encode())
        leave(number)

    try:
        with handled(handle):
            yield
    finally:
        if told is not None:
            os.close(told)


def leave(number: int) -> None:
    """End the process now, with its children."""
    for child in tuple(children):
        child.kill()
    await_end(tuple(children), _REAPED)
    os._exit(128 + number)


def await_end(processes: Collection[Child], seconds: float) -> None:
    """Wait until processes have ended, but not longer than so many seconds."""
    end = time.monotonic() + seconds
    while any(one.poll() is None for one in processes) and time.monotonic() < end:
        time.sleep(_PAUSE)


def raise_asked() -> None:
    """Raise `Asked` again if a library turned it into another exception."""
    if _asked:
        raise Asked(_asked[0])


_asked: list[int] = []


def _raise(number: int, frame: object) -> None:
    _asked.append(number)
    raise Asked(number)


def _lost(unraisable: "sys.UnraisableHookArgs") -> None:
    """An exception arrived where Python drops it, such as in a finalizer."""
    if isinstance(unraisable.exc_value, Asked):
        tell_interrupted()
        leave(unraisable.exc_value.number)
    sys.__unraisablehook__(unraisable)


def _watch(seen: int) -> None:
    """Wait for signals, and end the process when the main thread's time is over."""
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
