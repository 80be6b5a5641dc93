"""A progress bar on standard error during a training."""

import sys
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..runtime.options import Progress as Reporter

_PAUSE = 0.1  # seconds between two updates


class Bar(Reporter):
    """A progress bar for steps, with the epoch, and the mean loss of the steps since the bar was updated. Lines that
    the program prints go above it."""

    def __init__(self, total: int, done: int, unit: str, colour: bool):
        console = Console(stderr=True, no_color=not colour)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps{task.fields[loss]}"),
            TimeRemainingColumn(),
        )
        shares_terminal = sys.stdout.isatty()
        self._progress = Progress(
            *columns, console=console, transient=True, redirect_stdout=shares_terminal, redirect_stderr=False
        )
        self._counts_epochs, self._total, self._done = unit == "epoch", total, done
        self._task = self._progress.add_task("training", total=total, completed=done, loss="")
        self._due = 0.0  # when the bar is updated next
        self._epoch = 0
        self._loss: float | None = None
        self._sum, self._steps = 0.0, 0  # of the losses since the bar was updated
        self._progress.start()

    def at(self, epoch: int, loss: float | None) -> None:
        self._epoch, self._loss = epoch, loss

    def step(self, done: int) -> None:
        steps, self._done = done - self._done, done
        if self._loss is not None:
            self._sum, self._steps = self._sum + steps * self._loss, self._steps + steps
        now = monotonic()
        if now < self._due and done < self._total:
            return
        self._due = now + _PAUSE
        loss = f", loss {self._sum / self._steps:.4g}" if self._steps else ""
        description = f"epoch {self._epoch}" if self._counts_epochs else None
        self._progress.update(self._task, completed=done, description=description, loss=loss)
        self._sum, self._steps = 0.0, 0

    def close(self) -> None:
        self._progress.stop()


def bar(colour: bool):
    return lambda total, done, unit: Bar(total, done, unit, colour)
