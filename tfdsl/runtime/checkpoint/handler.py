"""A handler that saves and restores the checkpoints of one training."""

import base64

from ...access import AccessRefused
from ...diagnostics import CHECKPOINT_DAMAGED, CHECKPOINT_VALUE
from ...lowering.failures import failure, reason_of
from ...lowering.tf import tf
from ...program import Checkpoint, Origin, from_place, names_given
from ..execution import random_state
from ..execution.execution import Execution
from ..files.durable_io import CorruptFile
from ..training.engine import Handler, Training
from ..training.loop import TrainingLoop
from .kept_values import decoded, needed
from .manager import CheckpointManager, Position, Resume
from .server_snapshot import SnapshotCopy


class TrainingCheckpoints(Handler):
    """Saves checkpoints when the program says so, and when the run is interrupted.

    `checkpoint` is the statement of the training's body, `place` as in `Training`. The training resumes from `resume`,
    if given.
    """

    def __init__(
        self, manager: CheckpointManager, loop: TrainingLoop, checkpoint: Checkpoint, place: tuple[int, int],
        resume: Resume | None,
    ):  # fmt: skip
        self._manager, self._loop, self._checkpoint, self._place = manager, loop, checkpoint, place
        self._run, self._resume = loop.run, resume
        self._folder = loop.run.text(checkpoint.path)
        self._saved_at = -1  # the step before which the last checkpoint was saved

    def restore(self) -> None:
        """Give the variables the values in the checkpoint that the training resumes from, if any."""
        if self._resume is not None:
            _restore(self._run, self._resume, self._checkpoint.origin)

    def begin(self, training: Training) -> None:
        if self._resume is not None and self._resume.is_exact:
            self._manager.check_engine(self._resume, training.engine.name, self._checkpoint.origin)

    def is_due(self) -> bool:
        """Whether the program saves a checkpoint in this step and it has not been saved yet."""
        loop, since = self._loop, max(self._saved_at, self._loop.started_at)
        if loop.step <= since:
            return False
        checkpoint = self._checkpoint
        return loop.has_elapsed(checkpoint) if checkpoint.unit == "second" else loop.is_due(checkpoint)

    def save_if_due(self, statement: int) -> None:
        """Save a checkpoint if one is due. The training resumes from it at a statement of the current step."""
        if self.is_due() and self._loop.is_due(self._checkpoint):
            self.save(statement)

    def save(self, statement: int) -> None:
        """Save a checkpoint, from which the training resumes at a statement of the current step. If a variable has
        become NaN, nothing is saved, and the last good checkpoint stays."""
        lost = self._run.health.lost() if self._loop.watch.cares else ""
        if lost:
            self._run.options.note(f"no checkpoint of step {self._loop.step} was saved: {lost} has become NaN")
            return
        position = Position(*self._place, self._loop.step, statement)
        self._manager.save(self._run, self._folder, position, self._checkpoint.origin)
        self._saved_at = self._loop.step

    def copy_to_servers(self) -> None:
        """Also save the state on the servers, for a client that replaces this one."""
        if self._loop.step == 0:
            self.save(0)  # tells the other client which training it belongs to
        self._manager.copy_to_servers(self._run, self._folder, Position(*self._place, self._loop.step, 0))

    def interrupted(self, training: Training) -> None:
        training.engine.flush()
        self.save(0)
        step = self._loop.step
        self._run.options.note(f"saved step {step} in {self._folder}: the next run resumes from there")

    def end(self, training: Training) -> None:
        self._manager.finish(self._run, self._folder)


def restore_kept(run: Execution, resume: Resume, origin: Origin) -> None:
    """Give the names of the session their values in a checkpoint."""
    about, store = resume.entry.about, resume.store
    try:
        if isinstance(store, SnapshotCopy):
            contents = {name: base64.b64decode(text) for name, text in about["values"].items()}
        else:
            contents = store.values(resume.entry)
        found = {name: decoded(content) for name, content in contents.items()}
    except (OSError, AccessRefused, ValueError, CorruptFile) as error:
        folder, name = store.path, resume.entry.name
        raise failure(CHECKPOINT_DAMAGED, origin, folder=folder, name=name, reason=reason_of(error)) from error
    run.context.kept.update(found)
    wanted = needed(from_place(run.plan.body, resume.position.statement), at_first=True)
    lacking = (wanted & names_given(run.plan.body)) - found.keys()
    if lacking:  # another program saved it
        raise failure(CHECKPOINT_VALUE, origin, folder=store.path, name=min(lacking))


def _restore(run: Execution, resume: Resume, origin: Origin) -> None:
    """Give a session's variables and random ops their values in a checkpoint: all of them, or those that fit."""
    about = resume.entry.about
    if isinstance(resume.store, SnapshotCopy):
        run.restore_values(resume.store.values)
        random_state.put(run.built, run.session, run.streams, about["random"])
        return
    try:
        with resume.store.reading(resume.entry) as prefix:
            if resume.is_exact:
                run.savers.read(run.session, prefix)
            else:
                for name, reason in run.savers.read_matching(run.session, prefix):
                    run.options.note(f"variable '{name}' starts from its initial value: {reason}")
                for doubt in run.savers.doubts(prefix, f"{resume.store.path}/{resume.entry.name}/variables", origin):
                    run.warn(doubt)
    except (OSError, AccessRefused, ValueError, tf.errors.OpError) as error:
        folder, name = resume.store.path, resume.entry.name
        raise failure(CHECKPOINT_DAMAGED, origin, folder=folder, name=name, reason=reason_of(error)) from error
    random_state.put(run.built, run.session, run.streams, about["random"])
