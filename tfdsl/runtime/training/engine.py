"""The protocols of a training: its engine, its checkpointer, and its handlers."""

from dataclasses import dataclass
from typing import Protocol

from ...program import Origin
from ..execution.execution import Execution
from .loop import TrainingLoop


class NotInGraph(Exception):
    """This training cannot run in the graph; the text says why, `origin` where. Without a text there is nothing to
    say: the steps themselves will show what is wrong."""

    def __init__(self, reason: str, origin: Origin):
        super().__init__(reason)
        self.origin = origin


class Stopped(Exception):
    """`stop when` held."""


class Engine(Protocol):
    """Takes the steps of a training."""

    name: str

    def begin(self) -> None:
        """Be ready to take steps."""

    def advance(self) -> None:
        """Take one step, or several."""

    def flush(self) -> None:
        """Wait until all is written that was logged."""

    def close(self) -> None:
        """The training is over."""


class Checkpointer(Protocol):
    """Keeps the checkpoints of a training."""

    def is_due(self) -> bool:
        """Whether the program says that a checkpoint is kept in this step, and it was not done yet."""
        ...

    def keep_if_due(self, statement: int) -> None:
        """Keep one if it is due. The training goes on from it at a statement of the current step."""


@dataclass(slots=True)
class Training:
    """A training under way. `place` has the numbers of its session and its statement in the program, `first` is the
    step that it began with."""

    run: Execution
    loop: TrainingLoop
    engine: Engine
    place: tuple[int, int]
    first: int
    is_inside_step: bool = False  # the next step has begun already, before a checkpoint


class Handler:
    """A concern of a training, such as checkpoints or progress. It does nothing where a subclass does not say so."""

    def begin(self, training: Training) -> None:
        """The engine is ready; the first step comes next."""

    def before_step(self, training: Training) -> None:
        """The engine is about to take steps."""

    def after_step(self, training: Training) -> None:
        """The engine has taken steps."""

    def interrupted(self, training: Training) -> None:
        """The run was asked to stop."""

    def complete(self, training: Training) -> None:
        """All steps were taken, and no `stop when` held."""

    def end(self, training: Training) -> None:
        """The training has come to its end."""
