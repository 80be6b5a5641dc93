"""A progress bar on standard error during a training."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..runtime.options import Progress as Reporter


class Bar(Reporter):
    """A progress bar for steps. Lines that the program prints go above it."""

    def __init__(self, total: int, done: int, colour: bool):
        console = Console(stderr=True, no_color=not colour)
        columns = (
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps"),
            TimeRemainingColumn(),
        )
        shares_terminal = sys.stdout.isatty()
        self._progress = Progress(
            *columns, console=console, transient=True, redirect_stdout=shares_terminal, redirect_stderr=False
        )
        self._task = self._progress.add_task("", total=total, completed=done)
        self._progress.start()

    def step(self, done: int) -> None:
        self._progress.update(self._task, completed=done)

    def close(self) -> None:
        self._progress.stop()


def bar(colour: bool):
    return lambda total, done, unit: Bar(total, done, colour)
