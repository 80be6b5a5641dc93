"""Which steps of a training a process takes, where each worker trains by itself."""

from dataclasses import dataclass

from ..program import Run, Statement


@dataclass(frozen=True, slots=True)
class StepSlice:
    """The steps of one worker: those whose number, divided by `of`, leaves `number`. `board` is the name of the
    run's blackboard."""

    number: int
    of: int
    board: str

    @property
    def is_chief(self) -> bool:
        return self.number == 0

    def first(self, step: int) -> int:
        """The first of them that is not before a step."""
        return step + (self.number - step) % self.of

    def takes(self, step: int, statement: Statement) -> bool:
        """Whether a statement of a step is done by this process: a `run` by the one whose step it is, all else by the
        chief."""
        return self.first(step) == step if isinstance(statement, Run) else self.is_chief
