"""Asynchronous training: each worker has a process that takes every n-th step of a training.

The variables are on the parameter servers, and any worker reads and changes them at any time. So the result depends on
timing and differs between runs. The worker of each step is fixed, so one worker sees each batch of an epoch. The first
process, the chief, runs everything else in the program; the others follow it.

The processes share a board, some variables on the first parameter server: which training is running, how far each
worker has come, and whether it has found variables without values.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ...diagnostics import WORKER_SILENT, Diagnostic, TfgError
from ...lowering.data import GraphData
from ...lowering.tf import tf, v1
from ...record import Record
from ..execution.cluster_session import ClusterSession, Lost, Servers
from ..step_slice import StepSlice
from ..training.engine import Handler, Training

_LOOK = 0.05  # seconds between two looks at the board while waiting
_NOTE = 0.1  # minimum number of seconds between two notes of a worker's progress


class Phase(Record):
    """What the chief is doing: a training, by the indices of its session and statement, or none after the end. `turn`
    counts how often the variables were restored."""

    session: int
    statement: int
    turn: int
    is_open: bool


class Blackboard:
    """The variables that the processes share."""

    def __init__(self, servers: Servers, part: StepSlice):
        self._servers = servers
        with tf.Graph().as_default() as graph, tf.device("/job:ps/task:0"):
            self._data = GraphData(graph)
            self._phase = self._handle(part, "phase", tf.string, [])
            self._steps, self._missing = (
                [self._handle(part, f"{what}/{number}", tf.int64, []) for number in range(part.of)]
                for what in ("step", "missing")
            )
            self._text, self._number = v1.placeholder(tf.string, []), v1.placeholder(tf.int64, [])
            self._all = v1.placeholder(tf.int64, [part.of])
            self._read = tf.raw_ops.ReadVariableOp(resource=self._phase, dtype=tf.string)
            self._reached, self._missed_in = (
                tf.stack([tf.raw_ops.ReadVariableOp(resource=one, dtype=tf.int64) for one in handles])
                for handles in (self._steps, self._missing)
            )
            self._set, self._set_missing = (
                [tf.raw_ops.AssignVariableOp(resource=one, value=self._number) for one in handles]
                for handles in (self._steps, self._missing)
            )
            nothing = tf.zeros([part.of], tf.int64)
            begun = [
                tf.raw_ops.AssignVariableOp(resource=one, value=value)
                for handles, values in ((self._steps, self._all), (self._missing, nothing))
                for one, value in zip(handles, tf.unstack(values), strict=True)
            ]
            with tf.control_dependencies(begun):
                self._write = tf.raw_ops.AssignVariableOp(resource=self._phase, value=tf.identity(self._text))
            every = (self._phase, *self._steps, *self._missing)
            self._remove = [tf.raw_ops.DestroyResourceOp(resource=one) for one in every]
        self._open()

    @staticmethod
    def _handle(part: StepSlice, name: str, dtype: tf.DType, shape: list[int]) -> tf.Tensor:
        return tf.raw_ops.VarHandleOp(dtype=dtype, shape=shape, shared_name=f"tfdsl.board.{part.board}/{name}")

    def _open(self) -> None:
        config = self._servers.config(device_filters=["/job:ps/task:0"])
        self._session = ClusterSession(self._servers, self._data, config, ("ps", 0))

    def _run(self, *arguments: Any) -> Any:  # of the kind of what is fetched, as `Session.run` gives it
        try:
            return self._session.run(*arguments)
        except Lost:
            self._session.close()
            self._open()
            raise

    def read(self) -> Phase | None:
        """The phase, or None if it was never written."""
        try:
            return Phase(**json.loads(self._run(self._read)))
        except (tf.errors.FailedPreconditionError, tf.errors.NotFoundError):
            return None

    def write(self, phase: Phase, steps: list[int]) -> None:
        """Begin or end a phase, with the progress of the workers."""
        text = json.dumps({name: getattr(phase, name) for name in Phase.__match_args__})
        self._run(self._write, {self._text: text, self._all: np.array(steps, np.int64)})

    def steps(self) -> list[int]:
        """The progress of the workers: the first step that each may still have to take."""
        return self._run(self._reached).tolist()

    def note(self, number: int, step: int) -> None:
        self._run(self._set[number], {self._number: step})

    def missing(self) -> list[int]:
        """For each worker the last turn in which it has found variables without values."""
        return self._run(self._missed_in).tolist()

    def note_missing(self, number: int, turn: int) -> None:
        self._run(self._set_missing[number], {self._number: turn})

    def remove(self) -> None:
        self._run(self._remove)
        self._session.close()


class AsyncWorker:
    """The part of one process in the trainings of a run. `check` raises an error if another process is gone for
    good."""

    def __init__(self, servers: Servers, part: StepSlice, check: Callable[[], None] = lambda: None):
        self.part, self.board, self._check, self._servers = part, Blackboard(servers, part), check, servers
        self._turn, self._next = 0, 0.0
        self._phase: Phase | None = None

    # --- the chief ------------------------------------------------------------------------------

    def begin(self, session: int, statement: int, first: int, steps: list[int] | None) -> None:
        """Begin a training as the chief. `first` is its first step, or the step from which each worker continues. If
        the chief returns to the running training, nothing changes."""
        phase = self._phase
        if phase is None or not phase.is_open or (phase.session, phase.statement) != (session, statement):
            self.open(session, statement, steps or [first] * self.part.of)

    def open(self, session: int, statement: int, steps: list[int]) -> None:
        """Begin or continue a training: each worker from its step."""
        self._turn += 1
        self._phase = Phase(session, statement, self._turn, True)
        self.board.write(self._phase, steps)

    def restart(self, session: int, statement: int, steps: list[int]) -> None:
        """The variables were restored to their values before a statement, when the workers had come that far."""
        phase = self._phase
        if not self.part.is_chief:
            return
        if phase is not None and phase.is_open and (phase.session, phase.statement) == (session, statement):
            self.open(session, statement, steps)
        else:
            self._phase = None

    def join(self, total: int) -> None:
        """Wait until every worker is at the end of the training. If one has found variables without values, they are
        lost: this process, which takes no more steps, would not notice it."""
        self.report_step(total, always=True)
        before, since = [], time.monotonic()
        while min(steps := self.board.steps()) < total:
            self._check()
            if self._turn in self.board.missing():
                raise Lost(self._servers.lost(), was_late=False)
            if steps != before:
                before, since = steps, time.monotonic()
            elif time.monotonic() - since > self._servers.timeout:
                details = {"number": int(np.argmin(steps)), "seconds": self._servers.timeout}
                raise TfgError([Diagnostic(WORKER_SILENT, None, details)])
            time.sleep(_LOOK)

    def close(self) -> None:
        """End the training."""
        if self._phase is not None and self._phase.is_open:
            self._phase = Phase(self._phase.session, self._phase.statement, self._turn, False)
            self.board.write(self._phase, self.board.steps())

    def end(self) -> None:
        """End the run."""
        self.board.write(Phase(-1, -1, self._turn, False), self.board.steps())

    # --- all workers ----------------------------------------------------------------------------

    def report_step(self, step: int, always: bool = False) -> None:
        """Record the progress of this worker."""
        if always or time.monotonic() >= self._next:
            self.board.note(self.part.number, step)
            self._next = time.monotonic() + _NOTE
        self._check()

    # --- the other workers ----------------------------------------------------------------------

    def wait(self, done: Phase | None) -> Phase | None:
        """The next open training, or None at the end of the run."""
        while True:
            phase = self.board.read()
            if phase is not None and phase.session < 0:
                return None
            if phase is not None and phase.is_open and phase != done:
                self._phase = phase
                return phase
            time.sleep(_LOOK)

    def report_missing(self, phase: Phase) -> None:
        """Report that variables have no values in a phase. The chief restores them, and begins another phase."""
        self.board.note_missing(self.part.number, phase.turn)

    def next_step(self) -> int:
        """The step from which this worker continues, once the chief has written it."""
        while self.board.read() is None:
            self._check()
            time.sleep(_LOOK)
        return self.board.steps()[self.part.number]

    def is_over(self) -> bool:
        """Whether the phase of this worker is over. It looks at the board only now and then."""
        if time.monotonic() < self._next:
            return False
        return self.board.read() != self._phase


class AsyncTraining(Handler):
    """The chief's part in an asynchronous training. `reached` has the step from which each worker continues."""

    def __init__(self, worker: AsyncWorker, reached: list[int] | None):
        self._worker, self._reached = worker, reached

    def begin(self, training: Training) -> None:
        self._worker.begin(*training.place, training.first, self._reached)

    def after_step(self, training: Training) -> None:
        self._worker.report_step(training.loop.step)

    def complete(self, training: Training) -> None:
        self._worker.join(training.loop.total)

    def end(self, training: Training) -> None:
        self._worker.close()
