"""The protocols of a training: its engine, its checkpointer, and its handlers."""

from dataclasses import dataclass
from typing import Literal, Protocol

from ...program import EngineName, Origin
from ..execution.execution import Execution
from .loop import TrainingLoop

GraphEngineName = Literal["loop", "xla"]  # of the engines whose steps are in the graph


class NotInGraph(Exception):
    """This training cannot run in the graph. The text says why, and `origin` where. Without a text there is nothing to
    report, because the steps themselves will show what is wrong."""

    def __init__(self, reason: str, origin: Origin):
        super().__init__(reason)
        self.origin = origin


class Stopped(Exception):
    """`stop when` held."""


class Engine(Protocol):
    """Takes the steps of a training."""

    @property
    def name(self) -> EngineName: ...

    def begin(self) -> None:
        """Prepare for the first step."""

    def advance(self) -> None:
        """Take one or more steps."""

    def flush(self) -> None:
        """Wait until everything logged is written."""

    def close(self) -> None:
        """End the training."""


class Checkpointer(Protocol):
    """Saves the checkpoints of a training."""

    def is_due(self) -> bool:
        """Whether the program saves a checkpoint in this step and it has not been saved yet."""
        ...

    def save_if_due(self, statement: int) -> None:
        """Save a checkpoint if one is due. The training resumes from it at a statement of the current step."""


@dataclass(slots=True)
class Training:
    """A running training. `place` has the indices of its session and its statement in the program, `first` is the step
    that it began with."""

    run: Execution
    loop: TrainingLoop
    engine: Engine
    place: tuple[int, int]
    first: int
    is_inside_step: bool = False  # the next step has begun before a checkpoint


class Handler:
    """One concern of a training, such as checkpoints or progress. By default a handler does nothing."""

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
        """The training is over."""
