"""Continues after a server of the cluster was lost.

The client keeps a recent snapshot of the session's state: variables, states of random ops, and the position in the
program. If a call fails because a server is gone, the client waits until all servers answer, opens a new session,
restores the variables, and continues from there. So nothing is lost, whichever servers were, and the results are the
same to the bit. Lines printed or logged before are not repeated.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ...diagnostics import CLUSTER_SHARED, CLUSTER_UNSTEADY, Diagnostic, TfgError
from ...program import Init, LogTo, Restore
from ..checkpoint.handler import TrainingCheckpoints
from ..checkpoint.manager import Resume
from ..execution import random_state
from ..execution.cluster_session import ClusterSession, Lost, Servers
from ..execution.execution import Execution
from ..execution.journal import Place
from ..execution.kept import Kept
from ..training.engine import Handler, Training
from .async_training import AsyncWorker

_EVERY = 0.5  # minimum number of seconds between two snapshots
_SHARE = 10  # snapshots may take a tenth of the time
_TRIES = 5  # recoveries at one place
_START = Place()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The client's copy of a session's state. Without variables, the session starts over, or from a checkpoint."""

    place: Place = _START
    variables: dict[str, np.ndarray] | None = None
    streams: np.ndarray | None = None
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)  # of the result: steps, expectations, saved files, trainings
    step: int = 0  # the step counter of the session's logs
    kept: Mapping[str, Kept] = field(default_factory=dict)  # the values of the session's names
    reached: list[int] | None = None  # the progress of the workers in an asynchronous training
    resume: Resume | None = None


@dataclass(slots=True)
class Recovery:
    """The recovery of one session."""

    run: Execution
    servers: Servers
    worker: AsyncWorker | None = None  # in an asynchronous training
    snapshot: Snapshot = Snapshot()
    _next: float = 0.0
    _last_session: ClusterSession | None = None  # the session of the last snapshot
    _failed: tuple[Place | None, int] = (None, 0)

    @property
    def _is_owner(self) -> bool:
        """Whether only this session has set the variables."""
        if self.worker is not None:
            return self.worker.part.is_chief
        first = next((one for one in self.run.plan.body if not isinstance(one, LogTo)), None)
        gives_all = isinstance(first, Init) and first.variables is None
        return self.run.plan.initialise or gives_all or (isinstance(first, Restore) and first.pairs is None)

    def begin(self, resume: Resume | None) -> None:
        """Begin the session, from a checkpoint if there is one. Repeat this if a server is lost meanwhile."""
        run, result = self.run, self.run.result
        place = Place() if resume is None else Place(resume.position.statement, resume.position.step)
        counts = result.steps, result.expectations, len(result.saved), len(result.engines)
        streams = run.streams.states()
        self.snapshot = Snapshot(place, None, streams, counts, place.step, resume=resume)
        with self.servers.within_timeout(run.plan.origin):
            try:
                run.begin()
            except Lost as lost:
                self.recover(lost)

    def take_snapshot(self, place: Place, always: bool = False) -> bool:
        """Take a snapshot before `place`, if the last one is old enough."""
        begun = time.monotonic()
        if not self._is_owner or (begun < self._next and not always):
            return False
        run, result = self.run, self.run.result
        kept = {one.op.name: one for one in run.built.state_variables()}
        counts = result.steps, result.expectations, len(result.saved), len(result.engines)
        streams = run.streams.states()
        reached = self.worker.board.steps() if self.worker else None
        self.snapshot = Snapshot(
            place, run.session.run(kept) if kept else {}, streams, counts, run.step, dict(run.context.kept), reached
        )
        # At first use in a session, the servers must receive the graph.
        took = time.monotonic() - begun if self._last_session is run.session else 0
        self._last_session, self._next = run.session, time.monotonic() + max(_EVERY, _SHARE * took)
        return True

    def values(self, place: Place) -> dict[str, np.ndarray] | None:
        """The values of the variables at a place, if the snapshot was taken there."""
        return self.snapshot.variables if self.snapshot.place == place else None

    def recover(self, lost: Lost) -> Snapshot:
        """Restore the session to its snapshot."""
        if not self._is_owner and self.worker is None:
            raise TfgError([Diagnostic(CLUSTER_SHARED, self.run.plan.origin.span, {"tasks": str(lost)})])
        while True:
            place, times = self._failed
            self._failed = self.snapshot.place, times + 1 if place == self.snapshot.place else 1
            if self._failed[1] > _TRIES:
                details = {"tasks": str(lost), "times": _TRIES}
                raise TfgError([Diagnostic(CLUSTER_UNSTEADY, None, details)])
            try:
                self._reopen(lost)
                return self.snapshot
            except Lost as another:
                lost = another

    def _reopen(self, lost: Lost) -> None:
        run, snapshot = self.run, self.snapshot
        self.servers.wait_for_lost(lost)
        run.session.close()
        run.session = self.servers.session(run.built.data, run.built.setting.soft_placement)
        if self._is_trained_on(lost):
            random_state.initialise(run.built, run.session)
            assert self.worker is not None  # of the training
            self.snapshot = replace(snapshot, place=Place(snapshot.place.statement, self.worker.next_step()))
            run.result.steps += self.snapshot.place.step - run.step
            return
        if snapshot.variables is None:
            run.begin()
            if self.worker is not None:
                self.worker.restart(run.number, -1, [])
        else:
            run.restore_values(snapshot.variables)
            if self.worker is not None:
                assert snapshot.reached is not None  # saved with the variables
                self.worker.restart(run.number, snapshot.place.statement, snapshot.reached)
            line = f"step {snapshot.place.step}" if snapshot.place.step else f"statement {snapshot.place.statement + 1}"
            run.options.note(f"resuming from {line}, with the client's snapshot")
        if snapshot.streams is not None:
            run.streams.put(snapshot.streams)
        run.context.kept.clear()
        run.context.kept.update(snapshot.kept)
        run.step, result = snapshot.step, run.result
        result.steps, result.expectations, saved, trainings = snapshot.counts
        del result.saved[saved:], result.engines[trainings:]

    def _is_trained_on(self, lost: Lost) -> bool:
        """Whether others continue to train the variables, or another process restores them."""
        if self.worker is None or self.snapshot.reached is None:
            return False
        return not self.worker.part.is_chief or (lost.tasks != [] and all(job != "ps" for job, _ in lost.tasks))


@dataclass(slots=True)
class RecoverableTraining(Handler):
    """Takes snapshots of a session while it trains. If the training saves checkpoints, some snapshots are also stored
    on the servers."""

    recovery: Recovery
    checkpoints: TrainingCheckpoints | None

    def before_step(self, training: Training) -> None:
        is_due = self.checkpoints is not None and self.checkpoints.is_due()
        always = is_due or training.loop.step == training.first  # a lost server must not undo more
        place = Place(training.run.at, training.loop.step)
        if training.is_inside_step or not self.recovery.take_snapshot(place, always):
            return
        training.engine.flush()
        if self.checkpoints is not None and not is_due:
            self.checkpoints.copy_to_servers()
