"""Runs the trials of a study, each in a fork of a process that has imported TensorFlow.

A fork has its own memory and working folder, and may crash. It sends lines of JSON through a socket: a report for each
value of the objective, which is answered with whether to go on, and in the end the outcome.
"""

import argparse
import json
import math
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from selectors import EVENT_READ, BaseSelector, DefaultSelector
from typing import TYPE_CHECKING, SupportsFloat

from ..diagnostics import STUDY_DIFFERS, STUDY_UNWRITTEN, WRITE_FAILED, Diagnostic, TfgError
from ..diagnostics.spelling import listed
from ..record import State
from ..runs.folders import TRIALS
from ..runs.form import PREFIX
from ..runs.reading import RunRecord
from ..runtime.observer import RunObserver, RunStopped
from ..runtime.options import Options
from ..syntax.read import read
from ..tuning.space import Value
from ..tuning.study import Study
from .child import Fork, fork
from .each import ProgramRuns
from .options import given
from .signals import await_end, children, interruptible

if TYPE_CHECKING:
    from ..runs.inputs import RunInputs

# The modules that trials need. They import the rest.
_NEEDED = ("runtime.run", "lowering.graph", "runtime.training.train", "runtime.checkpoint.store", "runs.recording")
_LONGEST = 1 << 20  # bytes of a line
_POLL_SECONDS = 0.1  # until an interruption is noticed
_GRACE = 60.0  # seconds for interrupted trials to end their records on a busy machine; a second signal ends them


class TrialOutcome(State):
    """What a trial came to. Without a value and an error, it was pruned."""

    value: float | None = None
    error: str = ""
    record: str = ""
    is_unwritten: bool = False  # it could not write a file, so the error is none of its params


class RunningTrial(State):
    """A trial that is running."""

    number: int
    values: Mapping[str, Value]
    fork: Fork
    socket: socket.socket
    lines: TextIOWrapper  # that it sends, of which at most one is waiting
    outcome: TrialOutcome | None = None


class Trials:
    """Runs the trials of a study, several at a time. TensorFlow has been imported."""

    def __init__(
        self, arguments: argparse.Namespace, study: Study, imported: Mapping[str, str], inputs: "RunInputs",
        compares_kept: bool = False,
    ):  # fmt: skip
        """`imported` are the texts of the files that the program imports, and `inputs` the files that it reads.
        `compares_kept` says whether the value of a trial is that for which its training has kept the variables."""
        self._arguments, self._study, self._imported = arguments, study, imported
        self._compares_kept = compares_kept
        self._data = {(name, about["declared"]): about["files"] for name, about in inputs.data().items()}
        self._others = {file["path"]: file["sha256"] for files in inputs.others().values() for file in files}
        extra = given(arguments)
        self._runs, self._logdir = ProgramRuns(arguments.file, extra, "tfdsl tune"), extra.logdir
        for name in _NEEDED:
            import_module(f"tfdsl.{name}")

    def run(
        self, count: int, jobs: int, until: float, interrupted: Callable[[], bool]
    ) -> Iterator[tuple[RunningTrial, TrialOutcome]]:
        """Run so many trials, and yield each with its outcome when it is over. None begins after a time, or once the
        search was interrupted.

        Raises `TfgError` if a file that the trials read has changed, or one cannot be written. The trials that are
        running when it ends are tried again by the next search.
        """
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
                    if not running or interrupted():
                        return
                    for key, _ in selector.select(_POLL_SECONDS):
                        trial: RunningTrial = key.data
                        outcome = self._hear(trial, selector)
                        if outcome is not None:
                            del running[trial.number]
                            self._check(trial.number, outcome)
                            self._study.end(trial.number, outcome.value, outcome.record, outcome.error)
                            yield trial, outcome
            finally:
                self._stop(list(running.values()))

    def _stop(self, running: list[RunningTrial]) -> None:
        """Interrupt trials, which then end their records. Kill those that do not end in time."""
        for trial in running:
            trial.fork.kill(signal.SIGINT)
        await_end([trial.fork for trial in running], _GRACE)
        for trial in running:
            trial.fork.kill()
            self._end(trial)

    def _check(self, number: int, outcome: TrialOutcome) -> None:
        """Refuse an outcome that does not follow from the program and its params alone."""
        for path, before in self._imported.items():
            if read(path, given(self._arguments).limits).text != before:
                raise self._changed(path)
        self._check_files(number, outcome)
        if outcome.is_unwritten:
            raise TfgError([Diagnostic(STUDY_UNWRITTEN, None, {"number": number, "reason": outcome.error})])

    def _check_files(self, number: int, outcome: TrialOutcome) -> None:
        """Compare the files that a trial has read, by its record, with those that the others have read."""
        end = RunRecord(os.path.join(self._folder(number), outcome.record)).end if outcome.record else None
        if end is None:
            return
        for name, about in end["data"].items():
            # The declaration may depend on the params of the trial.
            before = self._data.setdefault((name, about["declared"]), about["files"])
            changed = [one for one in [*about["files"], *before] if one not in before or one not in about["files"]]
            if changed:
                raise self._changed(changed[0]["path"])
        for file in (one for files in end["inputs"].values() for one in files):
            if self._others.get(file["path"], file["sha256"]) != file["sha256"]:
                raise self._changed(file["path"])

    def _changed(self, path: str) -> TfgError:
        what = f"{os.path.relpath(path)} has changed while the trials ran"
        return TfgError([Diagnostic(STUDY_DIFFERS, None, {"path": self._study.folder, "what": what})])

    def _begin(self, number: int, values: Mapping[str, Value]) -> RunningTrial:
        ours, theirs = socket.socketpair()

        def work() -> int:
            ours.close()
            return self._try(number, values, theirs)

        trial = RunningTrial(number, values, fork(work), ours, ours.makefile("r", encoding="utf-8"))
        theirs.close()
        children.add(trial.fork)
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
        children.discard(trial.fork)
        trial.lines.close()
        trial.socket.close()
        return trial.fork.wait()

    # --- in the fork ----------------------------------------------------------------------

    def _folder(self, number: int) -> str:
        return os.path.join(self._study.folder, TRIALS, f"{number:04}")

    def _try(self, number: int, values: Mapping[str, Value], told: socket.socket) -> int:
        """Run a trial, and tell its outcome."""
        with told:
            with _at(self._folder(number)), interruptible() as interrupted:
                outcome = self._outcome(number, values, told, interrupted)
            _send(told, {name: getattr(outcome, name) for name in TrialOutcome.__match_args__})
        return 0

    def _outcome(
        self, number: int, values: Mapping[str, Value], told: socket.socket, interrupted: Callable[[], bool]
    ) -> TrialOutcome:
        objective = self._study.plan.objective
        observer = Reporter(objective, told) if self._study.plan.prune else KeptValue(objective)
        ran = self._runs.run(values, self._options(number, observer, interrupted), self._arguments.session)
        record = next((name for name in os.listdir() if name.startswith(PREFIX)), "")
        if ran.is_stopped:
            return TrialOutcome(record=record)
        if ran.result is None:
            first = ran.diagnostics[0]
            place = "" if first.span is None else f" ({first.span})"
            is_unwritten = first.message is WRITE_FAILED
            return TrialOutcome(
                error=f"{first.code}: {first.headline}{place}", record=record, is_unwritten=is_unwritten
            )
        logged = {tag: points[-1][1] for tag, points in ran.result.history.items() if points}
        found = {**logged, **ran.evaluated}
        if self._compares_kept and observer.best is not None:
            found[objective] = observer.best
        if objective not in found:
            has = f"its values are {listed(sorted(found))}" if found else "it has none"
            is_other = objective in ran.result.session_values
            why = f"{objective} is not a number" if is_other else f"it has no value {objective}; {has}"
            return TrialOutcome(error=why, record=record)
        if math.isnan(found[objective]):
            return TrialOutcome(error=f"{objective} is not a number", record=record)
        return TrialOutcome(value=found[objective], record=record)

    def _options(self, number: int, observer: RunObserver, interrupted: Callable[[], bool]) -> Options:
        return Options(
            record=os.getcwd(), logdir=self._logdir, note=lambda line: print(line, file=sys.stderr),
            keep_variables=False, engine=self._arguments.engine, deterministic=True, fresh=True,
            observer=observer,
            interrupted=interrupted, about={"study": self._study.folder, "trial": number},
        )  # fmt: skip


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


class KeptValue(RunObserver):
    """The value for which a `keep` of an objective has kept the variables last, which is the best of its training."""

    def __init__(self, objective: str):
        self._objective = objective
        self.best: float | None = None

    def kept(self, text: str, value: float) -> None:
        self.best = value if text == self._objective else self.best


class Reporter(KeptValue):
    """Reports the values that trainings give the objective, and ends the run if the study says so. After the training,
    nothing would be saved by that."""

    def __init__(self, objective: str, told: socket.socket):
        super().__init__(objective)
        self._told = told
        self._answers = told.makefile("r", encoding="utf-8")
        self._trains = False

    def training_begins(self) -> None:
        self._trains = True

    def training_ends(self) -> None:
        self._trains = False

    def evaluated(self, name: str, value: object, step: int) -> None:
        if isinstance(value, SupportsFloat):
            self._report(name, float(value), step)

    def logged(self, tag: str, value: float, step: int) -> None:
        self._report(tag, value, step)

    def _report(self, name: str, value: float, step: int) -> None:
        if self._trains and name == self._objective and not math.isnan(value):
            _send(self._told, {"value": value, "step": step})
            if not json.loads(self._answers.readline()):
                raise RunStopped
