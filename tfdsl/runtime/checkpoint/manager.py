"""Checkpoints of a training: everything that it needs to end with the same bits as without an interruption.

A checkpoint has variables and optimizer slots, the position (session, statement, step, statement of the body), the
state of every random op, the ends of the event files, the time of `{now}`, and what the run did so far. It also has its
identity: the program, its params, the content of its data, and the properties of the machine that affect bits.
`store.py` describes its form on disk.
"""

import base64
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, astuple, dataclass, replace
from functools import cached_property, partial

from ...diagnostics import (
    CHECKPOINT_DAMAGED,
    CHECKPOINT_GONE,
    CHECKPOINT_MACHINE,
    CHECKPOINT_NOT_OURS,
    CHECKPOINT_OTHER,
    CHECKPOINT_SKIPPED,
    Diagnostic,
    Note,
)
from ...diagnostics.render import render_text
from ...lowering.built import BuiltGraph
from ...lowering.failures import failure
from ...lowering.tf import tf
from ...program import Checkpoint, Origin, Program, Train, checkpoint_folders, from_place, known_text, places
from ..execution import random_state
from ..execution.cluster_session import Lost, Servers
from ..execution.execution import Execution
from ..execution.kept import Kept
from ..files.event_log import LogFile
from ..options import Options
from ..program import RunnableProgram
from ..result import Result
from .form import is_formed
from .identity import changes, differences, digest, identity
from .kept_values import encoded, needed
from .machine import machine
from .server_snapshot import ServerSnapshot, SnapshotCopy
from .store import CheckpointEntry, CheckpointStore, reported


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a run: session and statement of the program, step of its loop, statement of the body."""

    session: int
    statement: int
    step: int
    body: int


@dataclass(frozen=True, slots=True)
class Resume:
    """A checkpoint to resume from. It is not exact if it belongs to another program; then the parts that fit are
    used."""

    position: Position
    store: CheckpointStore | SnapshotCopy
    entry: CheckpointEntry
    is_exact: bool


class CheckpointManager:
    """The checkpoints of a run of a compiled program, or of one of its sessions, in folders locked by the run. The
    sessions are those of `program`: a Python caller can train in a session that the compiled program does not have.

    `reached` returns how far the workers have come in an asynchronous training.
    """

    def __init__(
        self, compiled: RunnableProgram, program: Program, only: str | None, stores: Mapping[str, CheckpointStore],
        options: Options, result: Result, servers: Servers | None = None,
        reached: Callable[[], list[int] | None] = lambda: None,
    ):  # fmt: skip
        self._compiled, self._program, self._only = compiled, program, only
        self._stores, self._options, self._result = stores, options, result
        self._servers, self._reached = servers, reached
        self._origins = checkpoint_folders(self._program, only)
        self._digests: dict[str, str] = {}
        self._files: dict[int, tuple[Kept, str]] = {}  # by the identity of a value, which is kept alive
        self._needed: dict[tuple[int, int], set[str]] = {}  # names, by session and statement
        self._finished: set[str] = set()
        self.last: tuple[str, int] | None = None  # folder and step of the newest good checkpoint

    def start_over(self) -> None:
        """Remove all checkpoints. If another file has the name of one, this is an error, and nothing is touched."""
        for folder, store in self._stores.items():
            for name in store.foreign():
                raise failure(CHECKPOINT_NOT_OURS, self._origins[folder], path=os.path.join(folder, name))
        self.clear()

    def clear(self) -> None:
        """Remove all checkpoints written by tfdsl: the run is over, or starts over."""
        for store in self._stores.values():
            store.clear()

    def finish(self, run: Execution, folder: str) -> None:
        """Record the end of a training. Its checkpoints are removed once the statements after it, such as `save`, are
        done."""
        self._finished.add(folder)
        if run.on_cluster:
            ServerSnapshot.of(run.built).clear(run.session)

    def clear_finished(self) -> None:
        """Remove the checkpoints of finished trainings."""
        for folder in self._finished:
            self._stores[folder].clear()

    # --- resuming -------------------------------------------------------------------------------

    def resume(self, anyway: bool) -> Resume | None:
        """The checkpoint to resume from, the furthest of all folders, or None if there is none.

        It is an error if the checkpoint belongs to another program or machine and `--resume-anyway` is not given, or if
        no checkpoint is complete. Then nothing is touched.
        """
        found = [one for folder in self._stores if (one := self._newest(folder)) is not None]
        if not found:
            return None
        folder, state = max(found, key=lambda one: astuple(_position(one[1])))
        on_servers = self._on_servers(folder, state)
        if on_servers is not None:
            return on_servers
        about, origin = state.about, self._origins[folder]
        loaded = [name for name in about["identity"]["contents"] if self._has(name)]
        different = differences(about["identity"], self._identity_with(loaded))
        if different and not anyway:
            raise failure(CHECKPOINT_OTHER, origin, path=folder, what="; ".join(different))
        others = [f"{what} {change}" for what, change in changes(about["machine"], self._machine)]
        if others and not anyway:
            raise failure(CHECKPOINT_MACHINE, origin, path=folder, what="; ".join(others))
        position = _position(state)
        self.last = folder, position.step
        if different or not self._is_valid_position(position):
            position = self._nearest(position, folder)
        else:
            self._restore_record(about)
        self._options.note(f"resuming from step {position.step}, saved in {folder}")
        for what in different + others:
            self._options.note(f"although the checkpoint differs: {what}")
        self._result.resumed.append(folder)
        return Resume(position, self._stores[folder], state, not different)

    def _on_servers(self, folder: str, state: CheckpointEntry) -> Resume | None:
        """The state in the memory of the servers that belongs to a checkpoint, if it is further than the checkpoint."""
        position = _position(state)
        if self._servers is None or not self._is_valid_position(position):
            return None
        built = self._compiled.built(self._program.sessions[position.session].graph)
        run = state.about["record"]["run"]
        with self._servers.within_timeout(self._origins[folder]):
            copied = self._copied(built, lambda about: is_formed(about) and about["record"]["run"] == run)
        if copied is None:
            return None
        about = copied.about
        loaded = [name for name in about["identity"]["contents"] if self._has(name)]
        is_other = differences(about["identity"], self._identity_with(loaded)) or about["machine"] != self._machine
        reached = Position(**about["position"])
        if is_other or about.get("folder") != folder or astuple(reached) <= astuple(position):
            return None
        self.last = folder, position.step
        self._restore_record(about)
        self._options.note(f"resuming from step {reached.step}, in the memory of the servers")
        self._result.resumed.append(folder)
        return Resume(reached, copied, CheckpointEntry("", about), True)

    def _copied(self, built: BuiltGraph, is_wanted: Callable[[dict], bool]) -> SnapshotCopy | None:
        """The newest copy of a graph's variables in the memory of the servers."""
        servers = self._servers
        assert servers is not None
        while True:
            try:
                with closing(servers.session(built.data, built.setting.soft_placement)) as session:
                    return ServerSnapshot.of(built).newest(session, is_wanted)
            except Lost as lost:
                servers.wait_for_lost(lost)

    def check_engine(self, resume: Resume, engine: str, origin: Origin) -> None:
        """XLA computes other bits than the engines that run TensorFlow's ops. Those all compute the same bits."""
        before = resume.entry.about["record"]["engines"][-1]
        if (before == "xla") != (engine == "xla") and not self._options.resume_anyway:
            what = f"its engine was {before} and is {engine}"
            raise failure(CHECKPOINT_MACHINE, origin, path=resume.store.path, what=what)

    def _newest(self, folder: str) -> tuple[str, CheckpointEntry] | None:
        origin = self._origins[folder]
        state, damaged = self._stores[folder].newest()
        if damaged and state is None:
            notes = [Note(f"in {name}, {reason}") for name, reason in damaged[1:]]
            name, reason = damaged[0]
            if foreign := self._stores[folder].foreign():
                raise failure(CHECKPOINT_NOT_OURS, origin, path=os.path.join(folder, foreign[-1]))
            raise failure(CHECKPOINT_DAMAGED, origin, notes, folder=folder, name=name, reason=reason)
        if state is not None and not is_formed(state.about):
            reason = "manifest.json was not written by a run"
            raise failure(CHECKPOINT_DAMAGED, origin, folder=folder, name=state.name, reason=reason)
        for name, reason in damaged:
            assert state is not None
            details = {"path": os.path.join(folder, name), "reason": reason, "step": _position(state).step}
            self._options.note(render_text(Diagnostic(CHECKPOINT_SKIPPED, origin.span, details)).rstrip())
        if state is None:
            return None
        sessions, at = self._program.sessions, _position(state).session
        if self._only is None or at >= len(sessions) or sessions[at].name == self._only:
            return folder, state
        if not self._options.resume_anyway:  # running another session would remove it in the end
            what = f"it belongs to session '{sessions[at].name}', which is not selected"
            raise failure(CHECKPOINT_OTHER, origin, path=folder, what=what)
        return None

    def _nearest(self, position: Position, folder: str) -> Position:
        """The position in a changed program: the training that saves its checkpoints in that folder."""
        for i, session in enumerate(self._program.sessions):
            for j, train in enumerate(places(session.body) if self._only in (None, session.name) else ()):
                if not isinstance(train, Train):
                    continue
                for k, inner in enumerate(train.body):
                    if isinstance(inner, Checkpoint) and known_text(inner.path) == folder:
                        return replace(position, session=i, statement=j, body=k + 1 if position.body else 0)
        raise AssertionError("a folder in which no training saves checkpoints")

    def _is_valid_position(self, position: Position) -> bool:
        """Whether a position is in a training of the program that saves checkpoints."""
        sessions = self._program.sessions[position.session : position.session + 1]
        train = next((one for session in sessions for one in places(session.body)[position.statement :][:1]), None)
        return isinstance(train, Train) and any(isinstance(inner, Checkpoint) for inner in train.body)

    def _restore_record(self, about: Mapping) -> None:
        """Take over what the run did so far."""
        result, record = self._result, about["record"]
        result.run, result.started = record["run"], record["started"]
        result.steps, result.expectations = record["steps"], record["expectations"]
        result.engines += record["engines"][:-1]  # the resumed training adds its own again
        result.logdirs += [folder for folder in record["logdirs"] if folder not in result.logdirs]
        result.saved += record["saved"]
        result.resumed += record["resumed"]
        result.events = [LogFile(**one) for one in record["events"]]

    # --- saving ---------------------------------------------------------------------------------

    def save(self, run: Execution, folder: str, position: Position, origin: Origin) -> None:
        """Save all that a session's training needs to resume."""
        with reported(folder, origin, self.last_checkpoint_note):
            for log in run.logs():
                log.keep()
            values = self._values(run, position)
            files = {name: self._file_of(kept) for name, kept in values.items()}
            about = {**self._about(run, position), "values": files}
            contents = {files[name]: partial(encoded, kept) for name, kept in values.items()}
            if self._stores[folder].put(position.step, about, run.savers.writer(run.session), contents):
                self._options.note(render_text(Diagnostic(CHECKPOINT_GONE, origin.span, {"path": folder})).rstrip())
            self.last = folder, position.step
            self._finished.discard(folder)
            for other in self._stores:  # of finished trainings
                if other != folder:
                    self._stores[other].clear()

    def copy_to_servers(self, run: Execution, folder: str, position: Position) -> None:
        """Save all that a session's training needs to resume in the memory of the servers."""
        for log in run.logs():
            with reported(folder, run.plan.origin, self.last_checkpoint_note):
                log.keep()
        values = {name: encoded(kept) for name, kept in self._values(run, position).items()}
        texts = {name: base64.b64encode(content).decode() for name, content in values.items()}
        about = {**self._about(run, position), "values": texts, "folder": folder}
        ServerSnapshot.of(run.built).put(run.session, about)

    def _values(self, run: Execution, position: Position) -> dict[str, Kept]:
        """The values of the session's names that the rest of the session needs."""
        place = position.session, position.statement
        if place not in self._needed:
            self._needed[place] = needed(from_place(run.plan.body, position.statement))
        wanted = self._needed[place]
        return {name: kept for name, kept in run.context.kept.items() if name in wanted}

    def _file_of(self, kept: Kept) -> str:
        """The name of the file with a value. It is made of its content."""
        if id(kept) not in self._files:
            self._files[id(kept)] = kept, f"value-{hashlib.sha256(encoded(kept)).hexdigest()[:16]}"
        return self._files[id(kept)][1]

    def _about(self, run: Execution, position: Position) -> dict[str, object]:
        """The record of a checkpoint: all that it has besides the variables."""
        return {
            "tensorflow": tf.__version__,
            "identity": self._identity_with(self._compiled.datasets),
            "machine": self._machine,
            "position": asdict(position),
            "now": run.context.counters["now"],
            "time": time.time(),
            "random": random_state.read(run.built, run.session, run.streams),
            "reached": self._reached(),
            "record": self._record(),
        }

    @property
    def last_checkpoint_note(self) -> str:
        """A note for a failed run: the last good checkpoint, or "" if there is none."""
        if self.last is None:
            return ""
        return "the last good checkpoint is of step {1}, in {0}".format(*self.last)

    def _record(self) -> dict[str, object]:
        result = self._result
        return {
            "run": result.run, "started": result.started, "steps": result.steps,
            "expectations": result.expectations, "engines": result.engines, "logdirs": result.logdirs,
            "saved": result.saved, "resumed": result.resumed, "events": [asdict(one) for one in result.events],
        }  # fmt: skip

    @cached_property
    def _identity(self) -> dict[str, object]:
        return identity(self._program)

    def _identity_with(self, loaded: Iterable[str]) -> dict[str, object]:
        """The identity of this run's checkpoints, with the content of the data sets that were loaded."""
        return {**self._identity, "contents": {name: self._digest(name) for name in loaded}}

    @cached_property
    def _machine(self) -> dict[str, str]:
        """The other properties that the bits of this run depend on."""
        towers = str(self._compiled.devices.parts)
        if self._options.part is not None:
            towers = f"one in each of {self._options.part.of} processes"
        return {**machine(), "op_determinism": "on" if self._options.deterministic else "off", "towers": towers}

    def _has(self, name: str) -> bool:
        return any(data.name == name for data in self._program.data)

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            self._digests[name] = digest(self._compiled.dataset(name))
        return self._digests[name]


def _position(state: CheckpointEntry) -> Position:
    return Position(**state.about["position"])
