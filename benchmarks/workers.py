"""Processes that hold one contender each, so that frameworks share neither processes nor threads.

A worker creates an object and keeps it. The driver then calls its methods, one worker at a time:

    with Worker(make, arguments, environment) as worker:
        outcome = worker.call("run", 1000)

Processes are spawned, not forked. The standard error of a framework goes to a file, which is shown if it fails.
"""

import multiprocessing
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping


class Failed(Exception):
    """A call in a worker failed. The text is the last line of Python's traceback, `details` all of it."""

    def __init__(self, text: str, details: str = ""):
        super().__init__(text)
        self.details = details


class Worker:
    """A process that has called `make(*arguments)` and keeps the result. `environment` is set first."""

    def __init__(self, make: Callable, arguments: tuple = (), environment: Mapping[str, str] | None = None):
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._said = tempfile.NamedTemporaryFile()  # noqa: SIM115  closed with the worker
        arguments = other, make, arguments, dict(environment or {}), self._said.name
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        other.close()
        try:
            self._answer()
        except Failed:
            self.close()
            raise

    def call(self, method: str, *arguments):
        """The result of a method of the kept object. Raises `Failed` if it raises, or if the process ends."""
        self._pipe.send((method, arguments))
        return self._answer()

    def _answer(self):
        try:
            is_good, answer = self._pipe.recv()
        except EOFError:
            self._process.join()
            said = self._said.read().decode(errors="replace")
            raise Failed(f"the process ended with {self._process.exitcode}", said) from None
        if not is_good:
            raise Failed(*answer)
        return answer

    def close(self) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._said.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def _serve(pipe, make: Callable, arguments: tuple, environment: dict[str, str], said: str) -> None:
    os.environ.update(environment)
    sys.stderr.flush()
    file = os.open(said, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        kept = make(*arguments)
        pipe.send((True, None))
    except Exception as error:
        pipe.send((False, _description(error)))
        return
    while True:
        try:
            method, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((True, getattr(kept, method)(*arguments)))
        except Exception as error:
            pipe.send((False, _description(error)))


def _description(error: Exception) -> tuple[str, str]:
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"{type(error).__name__}: {first}", traceback.format_exc()
