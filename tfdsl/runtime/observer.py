"""What a run tells those who follow it. This module imports neither TensorFlow nor NumPy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from ..access import Access
    from .result import Result


class RunStopped(Exception):
    """An observer has ended the run, which has not failed."""


class RunObserver:
    """Follows a run. By default it does nothing."""

    def begins(self, result: "Result") -> None:
        """The run begins, or goes on from a checkpoint."""

    def opens_log(self, folder: str, access: "Access") -> None:
        """The run has opened an event file in a folder."""

    def restores(self, path: str, access: "Access") -> None:
        """The run is about to restore the checkpoint at a path. It may have saved it itself."""

    def training_begins(self) -> None:
        """A training begins. All that its statements give comes before its end."""

    def training_ends(self) -> None:
        """A training has ended, or has failed."""

    def evaluated(self, name: str, value: object, step: int) -> None:
        """An `evaluate` gave a name a value. The name of one of several values is `test.cost`."""

    def logged(self, tag: str, value: float, step: int) -> None:
        """The run has logged a number."""

    def kept(self, text: str, value: float) -> None:
        """A `keep` has kept the variables, for a better value of what the program writes as `text`."""

    def session_ends(self, number: int, variables: "Mapping[str, np.ndarray]") -> None:
        """A session has ended with these values of its variables."""
