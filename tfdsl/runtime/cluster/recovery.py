"""Going on after a server of the cluster was lost.

The client keeps what the session's state was a moment ago: variables, states of random ops, and where the program
stood. When a call fails because a server is gone, it waits until all servers answer, opens a new session, gives the
variables the values that they had, and runs on from there. So nothing is lost, whichever servers were, and the end is
the same to the bit; what was printed or logged before is not done a second time.
"""

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...diagnostics import CLUSTER_SHARED, CLUSTER_UNSTEADY, Diagnostic, TfgError
from ...lowering.tf import tf
from ...program import Init, LogTo, Restore
from ..checkpoint.manager import Resume
from ..execution import random_state
from ..execution.cluster_session import ClusterSession, Lost, Servers, variables_of
from .async_training import Share

if TYPE_CHECKING:
    from ..session import SessionRun

_EVERY = 0.5  # seconds between two states that are kept, at least
_SHARE = 10  # keeping one may take a tenth of the time
_TRIES = 5  # recoveries at one place


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session stands: before a statement, or before a step of it that is a training."""

    statement: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """What the client keeps of a session. Without variables the session begins anew, or with a checkpoint."""

    place: Place = Place()
    variables: dict[str, np.ndarray] | None = None
    streams: np.ndarray | None = None
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)  # of the result: steps, expectations, saved files, trainings
    step: int = 0  # what the session counts for its logs
    reached: list[int] | None = None  # how far the workers have come, where each trains by itself
    resume: Resume | None = None


@dataclass(slots=True)
class Once:
    """Tells what was done already, where a part of a session is run a second time: all of it before the last place, and
    some statements there."""

    _last: tuple[int, int] = (-1, -1)
    _done: set[int] = field(default_factory=set)

    def is_new(self, place: Place, statement: object) -> bool:
        here = place.statement, place.step
        if here > self._last:
            self._last, self._done = here, set()
        if here < self._last or id(statement) in self._done:
            return False
        self._done.add(id(statement))
        return True


@dataclass(slots=True)
class Recovery:
    """The recovery of one session."""

    run: "SessionRun"
    servers: Servers
    share: Share | None = None  # of an asynchronous training
    held: Held = Held()
    told: Once = field(default_factory=Once)
    logged: Once = field(default_factory=Once)
    _next: float = 0.0
    _holds: ClusterSession | None = None  # from which the state was kept last
    _failed: tuple[Place | None, int] = (None, 0)

    @property
    def _is_owner(self) -> bool:
        """Whether all variables have the values that this session gave them, and nobody else's."""
        if self.share is not None:
            return self.share.part.is_chief
        first = next((one for one in self.run.plan.body if not isinstance(one, LogTo)), None)
        gives_all = isinstance(first, Init) and first.variables is None
        return self.run.plan.initialise or gives_all or (isinstance(first, Restore) and first.pairs is None)

    def begin(self, resume: Resume | None) -> None:
        """Begin the session, to go on from a checkpoint if there is one; again, where a server is lost meanwhile."""
        run, result = self.run, self.run.result
        place = Place() if resume is None else Place(resume.position.statement, resume.position.step)
        counts = result.steps, result.expectations, len(result.saved), len(result.engines)
        streams = run.streams.states() if run.streams else None
        self.held = Held(place, None, streams, counts, place.step, resume=resume)
        with self.servers.in_time(run.plan.origin):
            try:
                run.begin()
            except Lost as lost:
                self.again(lost)

    def missing(self, variables: list[tf.Variable]) -> list[tf.Variable]:
        """Those that have no value yet on the servers."""
        built = self.run.built
        with built.lock:
            if "known" not in built.added:
                with built.adding("known"):
                    built.added["known"] = {one.op.name: one.is_initialized() for one in built.variables()}
        known = self.run.session.run({one.op.name: built.added["known"][one.op.name] for one in variables} or [])
        return [one for one in variables if not known[one.op.name]]

    def forget(self) -> None:
        """Take the program's variables from the servers, as far as they are there: one that another program has left
        under a name may be of another type."""
        built = self.run.built
        with built.lock:
            if "forget" not in built.added:
                with built.adding("forget"):
                    handles = [variable.handle for variable in built.variables()]
                    built.added["forget"] = [tf.raw_ops.DestroyResourceOp(resource=one) for one in handles]
        self.run.session.run(built.added["forget"])

    def hold(self, place: Place, always: bool = False) -> bool:
        """Keep the session's state as it is now, before something, if the last one is old enough."""
        begun = time.monotonic()
        if not self._is_owner or (begun < self._next and not always):
            return False
        run, result = self.run, self.run.result
        kept = {one.op.name: one for one in variables_of(run.built)}
        counts = result.steps, result.expectations, len(result.saved), len(result.engines)
        streams = run.streams.states() if run.streams else None
        reached = self.share.board.steps() if self.share else None
        self.held = Held(place, run.session.run(kept) if kept else {}, streams, counts, run.step, reached=reached)
        # The first time in a session, the servers have to be given the graph for it.
        took = time.monotonic() - begun if self._holds is run.session else 0
        self._holds, self._next = run.session, time.monotonic() + max(_EVERY, _SHARE * took)
        return True

    def values(self, place: Place) -> dict[str, np.ndarray] | None:
        """The variables' values at a place, if it is where the state was kept."""
        return self.held.variables if self.held.place == place else None

    def again(self, lost: Lost) -> Held:
        """Make the session what it was when its state was kept."""
        if not self._is_owner and self.share is None:
            raise TfgError([Diagnostic(CLUSTER_SHARED, self.run.plan.origin.span, {"tasks": str(lost)})])
        while True:
            place, times = self._failed
            self._failed = self.held.place, times + 1 if place == self.held.place else 1
            if self._failed[1] > _TRIES:
                details = {"tasks": str(lost), "times": _TRIES}
                raise TfgError([Diagnostic(CLUSTER_UNSTEADY, None, details)])
            try:
                self._reopen(lost)
                return self.held
            except Lost as another:
                lost = another

    def _reopen(self, lost: Lost) -> None:
        run, held = self.run, self.held
        self.servers.again(lost)
        run.session.close()
        run.session = self.servers.session(run.built.data, run.built.setting.soft_placement)
        if self._is_trained_on(lost):
            random_state.initialise(run)
            self.held = replace(held, place=Place(held.place.statement, self.share.own_step()))
            run.result.steps += self.held.place.step - run.step
            return
        if held.variables is None:
            run.begin()
            if self.share is not None:
                self.share.put_back(run.number, -1, [])
        else:
            self.put_back(held.variables)
            if self.share is not None:
                self.share.put_back(run.number, held.place.statement, held.reached)
            line = f"step {held.place.step}" if held.place.step else f"statement {held.place.statement + 1}"
            run.options.note(f"going on from {line}, with what the client has kept")
        if held.streams is not None:
            run.streams.put(held.streams)
        run.step, result = held.step, run.result
        result.steps, result.expectations, saved, trainings = held.counts
        del result.saved[saved:], result.engines[trainings:]

    def _is_trained_on(self, lost: Lost) -> bool:
        """Whether others go on training the variables, or another process is to put them back."""
        if self.share is None or self.held.reached is None:
            return False
        return not self.share.part.is_chief or (lost.tasks != [] and all(job != "ps" for job, _ in lost.tasks))

    def put_back(self, values: dict[str, np.ndarray]) -> None:
        """Give the variables, and the states of random ops, values that they had."""
        from ..session import setter

        pairs = {one.op.name: setter(self.run.built, one) for one in variables_of(self.run.built)}
        feeds = {placeholder: values[name] for name, (placeholder, _) in pairs.items()}
        if pairs:
            self.run.session.run([assign for _, assign in pairs.values()], feeds)
