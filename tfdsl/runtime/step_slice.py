"""The steps of an asynchronous training that one process takes."""

from dataclasses import dataclass

from ..program import Run, Statement


@dataclass(frozen=True, slots=True)
class StepSlice:
    """The steps of one worker: those whose number modulo `of` is `number`. `board` is the name of the run's
    blackboard."""

    number: int
    of: int
    board: str

    @property
    def is_chief(self) -> bool:
        return self.number == 0

    def first(self, step: int) -> int:
        """The first of these steps that is not before `step`."""
        return step + (self.number - step) % self.of

    def takes(self, step: int, statement: Statement) -> bool:
        """Whether this process executes a statement of a step: the worker of the step executes a `run`, the chief
        everything else."""
        return self.first(step) == step if isinstance(statement, Run) else self.is_chief
