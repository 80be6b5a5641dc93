"""Reports variables that a training made NaN."""

from .engine import Handler, Training
from .loop import TrainingLoop


class HealthyTraining(Handler):
    """Checks the variables when a training ends. The losses are checked at each step (`nan.Watch`)."""

    def __init__(self, loop: TrainingLoop):
        self._loop, self._health = loop, loop.run.health

    def begin(self, training: Training) -> None:
        if self._loop.watch.cares:
            self._health.begin()
        else:
            self._health.forget()

    def end(self, training: Training) -> None:
        if self._loop.watch.cares:
            when = f"after the last step, {self._loop.step - 1}"
            self._health.check(when, "the training fails", self._loop.plan.origin, self._loop.watch.notes)
