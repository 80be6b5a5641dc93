"""Runs the trials of a study, each in a fork of a process that has imported TensorFlow.

A fork has its own memory and working folder, and may crash. It sends lines of JSON through a socket: a report for each
value of the objective, which is answered with whether to go on, and in the end the outcome.
"""

import argparse
import gc
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from selectors import EVENT_READ, BaseSelector, DefaultSelector
from typing import TYPE_CHECKING, cast

from ..diagnostics import TfgError
from ..record import State
from ..tuning.space import Value
from ..tuning.study import Study
from . import process, tensorflow
from .child import end_with
from .compiling import compile_given
from .signals import children

if TYPE_CHECKING:
    from ..runtime.observer import RunObserver
    from ..runtime.options import Options
    from ..runtime.result import Result

# The modules that trials need. They import the rest.
_NEEDED = ("runtime.run", "lowering.graph", "runtime.training.train", "runtime.checkpoint.store", "runs.recording")
_LONGEST = 1 << 20  # bytes of a line


class TrialOutcome(State):
    """What a trial came to. Without a value and an error, it was pruned."""

    value: float | None = None
    error: str = ""
    record: str = ""
    known: list[str] | None = None  # the values that the run has, if the objective is not among them


class RunningTrial(State):
    """A trial that is running."""

    number: int
    values: Mapping[str, Value]
    pid: int
    socket: socket.socket
    lines: TextIOWrapper  # that it sends, of which at most one is waiting
    outcome: TrialOutcome | None = None

    def poll(self) -> int | None:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


class Trials:
    """Runs the trials of a study, several at a time."""

    def __init__(self, arguments: argparse.Namespace, study: Study):
        self._arguments, self._study = arguments, study
        self._records = os.path.join(study.folder, "records")
        os.makedirs(self._records, exist_ok=True)
        tensorflow.load()
        for name in _NEEDED:
            import_module(f"tfdsl.{name}")

    def run(self, count: int, jobs: int, until: float) -> Iterator[tuple[RunningTrial, TrialOutcome]]:
        """Run so many trials, and yield each with its outcome when it is over. None begins after a time."""
        running: dict[int, RunningTrial] = {}
        with DefaultSelector() as selector:
            try:
                while True:
                    while count > 0 and len(running) < jobs and time.monotonic() < until:
                        begun = self._study.begin()
                        count = 0 if begun is None else count - 1
                        if begun is not None:
                            trial = self._begin(*begun)
                            running[trial.number] = trial
                            selector.register(trial.socket, EVENT_READ, trial)
                    if not running:
                        return
                    for key, _ in selector.select():
                        trial = cast(RunningTrial, key.data)
                        outcome = self._hear(trial, selector)
                        if outcome is not None:
                            del running[trial.number]
                            self._study.end(trial.number, outcome.value, outcome.record, outcome.error)
                            yield trial, outcome
            finally:
                for trial in running.values():
                    trial.kill()
                    self._end(trial)

    def _begin(self, number: int, values: Mapping[str, Value]) -> RunningTrial:
        ours, theirs = socket.socketpair()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        parent = os.getpid()
        gc.freeze()  # keeps the memory shared with the fork
        pid = os.fork()
        if pid == 0:
            ours.close()
            os.setpgid(0, 0)  # Ctrl-C is for the parent
            end_with(parent)
            process(lambda: self._try(number, values, theirs))
        theirs.close()
        trial = RunningTrial(number, values, pid, ours, ours.makefile("r", encoding="utf-8"))
        children.add(trial)
        return trial

    def _hear(self, trial: RunningTrial, selector: BaseSelector) -> TrialOutcome | None:
        """Take a line from a trial. Returns its outcome if the trial is over."""
        line = trial.lines.readline(_LONGEST)
        if line:
            said = json.loads(line)
            if "step" in said:
                stops = self._study.report(trial.number, said["value"], said["step"])
                trial.socket.sendall((json.dumps(not stops) + "\n").encode())
            else:
                trial.outcome = TrialOutcome(**said)
            return None
        selector.unregister(trial.socket)
        code = self._end(trial)
        if trial.outcome is not None:
            return trial.outcome
        how = f"signal {-code} ended it" if code < 0 else f"it ended with exit code {code}"
        return TrialOutcome(error=f"{how}; its output is in {os.path.join(self._folder(trial.number), 'output.txt')}")

    def _end(self, trial: RunningTrial) -> int:
        children.discard(trial)
        trial.lines.close()
        trial.socket.close()
        _, status = os.waitpid(trial.pid, 0)
        return os.waitstatus_to_exitcode(status)

    # --- in the fork ----------------------------------------------------------------------

    def _folder(self, number: int) -> str:
        return os.path.join(self._study.folder, "trials", f"{number:04}")

    def _try(self, number: int, values: Mapping[str, Value], told: socket.socket) -> int:
        """Run a trial, and tell its outcome."""
        with told:
            with _at(self._folder(number)):
                outcome = self._outcome(number, values, told)
            _send(told, {name: getattr(outcome, name) for name in TrialOutcome.__match_args__})
        return 0

    def _outcome(self, number: int, values: Mapping[str, Value], told: socket.socket) -> TrialOutcome:
        from ..runtime.observer import RunStopped
        from ..runtime.result import Result

        arguments, objective = self._arguments, self._study.plan.objective
        arguments.params = [*arguments.params, *(f"{name}={_text(value)}" for name, value in values.items())]
        result = Result("", {})
        try:
            extra, compiled = compile_given(arguments)
            options = self._options(number, told, extra.logdir)
            result = compiled.on(towers=1).run(arguments.session, options)
        except RunStopped:
            return TrialOutcome(record=self._record_of(number))
        except TfgError as error:
            first = error.diagnostics[0]
            place = "" if first.span is None else f" ({first.span})"
            return TrialOutcome(error=f"{first.code}: {first.headline}{place}", record=self._record_of(number))
        found = _values(result)
        record = self._record_of(number)
        if objective not in found:
            return TrialOutcome(error=f"it has no value {objective}", record=record, known=sorted(found))
        value = found[objective]
        if value != value:
            return TrialOutcome(error=f"{objective} is not a number", record=record)
        return TrialOutcome(value=value, record=record)

    def _options(self, number: int, told: socket.socket, logdir: str | None) -> "Options":
        from ..runtime.options import Options

        objective = self._study.plan.objective
        reporter = _reporter(objective, told) if self._study.plan.prune else None
        return Options(
            record=self._records, logdir=logdir, note=lambda line: print(line, file=sys.stderr), keep_variables=False,
            engine=self._arguments.engine, deterministic=True, fresh=True, observer=reporter,
            about={"study": self._study.folder, "trial": number},
        )  # fmt: skip

    def _record_of(self, number: int) -> str:
        from ..runs.reading import records

        found = [one for one in records([self._records]) if one.begin.get("about", {}).get("trial") == number]
        return found[-1].id if found else ""


@contextmanager
def _at(folder: str) -> Iterator[None]:
    """Work in an empty folder, into which the output goes, too."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    os.chdir(folder)
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for stream, fd in ((sys.stdout, 1), (sys.stderr, 2)):
        stream.flush()
        os.dup2(output, fd)
    os.close(output)
    yield
    sys.stdout.flush()
    sys.stderr.flush()


def _send(told: socket.socket, said: Mapping[str, object]) -> None:
    told.sendall((json.dumps(said) + "\n").encode())


def _reporter(objective: str, told: socket.socket) -> "RunObserver":
    """An observer that reports the values of the objective, and ends the run if the study says so."""
    from ..runtime.observer import RunObserver, RunStopped

    answers = told.makefile("r", encoding="utf-8")

    class Reporter(RunObserver):
        def evaluated(self, name: str, value: object, step: int) -> None:
            self._report(name, value, step)

        def logged(self, tag: str, value: float, step: int) -> None:
            self._report(tag, value, step)

        def _report(self, name: str, value: object, step: int) -> None:
            number = _number(value)
            if name != objective or number is None or number != number:
                return
            _send(told, {"value": number, "step": step})
            if not json.loads(answers.readline()):
                raise RunStopped

    return Reporter()


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _values(result: "Result") -> dict[str, float]:
    """The numbers that a run ends with: those of its `evaluate` statements, other names, and what it logs."""
    found: dict[str, float] = {tag: points[-1][1] for tag, points in result.history.items() if points}
    for name, value in result.session_values.items():
        fields = value if isinstance(value, dict) else {"": value}
        for field, one in cast("dict[str, object]", fields).items():
            number = _number(one)
            if number is not None:
                found[f"{name}.{field}".rstrip(".")] = number
    return found


def _text(value: Value) -> str:
    """A value as `--set` takes it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
