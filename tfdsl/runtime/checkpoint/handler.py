"""The checkpoints of one training, as a concern of it."""

from ...access import AccessRefused
from ...diagnostics import CHECKPOINT_DAMAGED
from ...lowering.failures import failure, reason_of
from ...lowering.tf import tf
from ...program import Checkpoint, Origin
from ..execution import random_state
from ..execution.execution import Execution
from ..training.engine import Handler, Training
from ..training.loop import TrainingLoop
from .manager import CheckpointManager, Position, Resume
from .server_snapshot import SnapshotCopy


class TrainingCheckpoints(Handler):
    """Keeps checkpoints where the program says so, and where the run is interrupted.

    `checkpoint` is the statement of the training's body, `place` as in `Training`. The training goes on from `resume`.
    """

    def __init__(
        self, manager: CheckpointManager, loop: TrainingLoop, checkpoint: Checkpoint, place: tuple[int, int],
        resume: Resume | None,
    ):  # fmt: skip
        self._manager, self._loop, self._checkpoint, self._place = manager, loop, checkpoint, place
        self._run, self._resume = loop.run, resume
        self._folder = loop.run.text(checkpoint.path)
        self._kept_at = -1  # the step before which a checkpoint was kept last

    def restore(self) -> None:
        """Give the variables what the checkpoint has that the training goes on from, if it does."""
        if self._resume is not None:
            _restore(self._run, self._resume, self._checkpoint.origin)

    def begin(self, training: Training) -> None:
        if self._resume is not None and self._resume.is_exact:
            self._manager.check_engine(self._resume, training.engine.name, self._checkpoint.origin)

    def is_due(self) -> bool:
        """Whether the program says that a checkpoint is kept in this step, and it was not done yet."""
        loop, since = self._loop, max(self._kept_at, self._loop.started_at)
        if loop.step <= since:
            return False
        return loop.is_time(self._checkpoint) if self._checkpoint.unit == "second" else loop.is_due(self._checkpoint)

    def keep_if_due(self, statement: int) -> None:
        """Keep one if it is due. The training goes on from it at a statement of the current step."""
        if self.is_due() and self._loop.is_due(self._checkpoint):
            self.keep(statement)

    def keep(self, statement: int) -> None:
        """Keep a checkpoint, from which the training goes on at a statement of the current step; not of what is lost
        already: the one before stays the last that is good."""
        lost = self._run.health.lost() if self._loop.watch.cares else ""
        if lost:
            self._run.options.note(f"no checkpoint of step {self._loop.step} is kept: {lost} has become NaN")
            return
        position = Position(*self._place, self._loop.step, statement)
        self._manager.save(self._run, self._folder, position, self._checkpoint.origin)
        self._kept_at = self._loop.step

    def copy_to_servers(self) -> None:
        """Keep the state on the servers, too, for a client that comes after this one."""
        if self._loop.step == 0:
            self.keep(0)  # by which the other client knows whose training it is
        self._manager.copy_to_servers(self._run, self._folder, Position(*self._place, self._loop.step, 0))

    def interrupted(self, training: Training) -> None:
        training.engine.flush()
        self.keep(0)
        step = self._loop.step
        self._run.options.note(f"kept step {step} in {self._folder}: the next run goes on from there")

    def end(self, training: Training) -> None:
        self._manager.finish(self._run, self._folder)


def _restore(run: Execution, resume: Resume, origin: Origin) -> None:
    """Give a session's variables and random ops what a checkpoint has: all of it, or what fits."""
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
                for name, reason in run.savers.read_what_fits(run.session, prefix):
                    run.options.note(f"variable '{name}' starts anew: {reason}")
    except (OSError, AccessRefused, ValueError, tf.errors.OpError) as error:
        folder, name = resume.store.path, resume.entry.name
        raise failure(CHECKPOINT_DAMAGED, origin, folder=folder, name=name, reason=reason_of(error)) from error
    random_state.put(run.built, run.session, run.streams, about["random"])
