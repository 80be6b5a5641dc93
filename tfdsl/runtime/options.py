"""The options of a run. This module imports neither TensorFlow nor NumPy."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..cluster import TIMEOUT
from ..program import EngineName

if TYPE_CHECKING:
    import numpy as np

    from .checkpoint.store import CheckpointStore
    from .execution.trace import Tracer
    from .observer import RunObserver
    from .step_slice import StepSlice


# Defaults of options are named functions, so that options can be pickled.
def _print(line: str) -> None:
    print(line, file=sys.stdout)


def _drop(line: str) -> None:
    pass


def _never() -> bool:
    return False


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a program: `program.run(options=tfdsl.Options(deterministic=True))`.

    - `write` is called with each printed line (by default it prints to standard output), `note` with each note about
      the run (dropped by default).
    - `logdir` is a folder that replaces all folders after `log to`.
    - `record` is a folder for the record of the run. Without it, a run that logs has its record in the folder of its
      log, and other runs have none.
    - `engine` is step, loop, xla or auto, and overrides the program.
    - `deterministic` asks TensorFlow for the same bits in every run. This is a switch for the whole process.
    - `overwrite` lets `write` replace any file.
    - `fresh` starts over if there are checkpoints. `resume_anyway` resumes from a checkpoint of another program, with
      the variables that still fit.
    - `variables` maps names of variables in TensorFlow to values that replace their initial ones, such as
      `result.variables`, the final values of another run.
    - `keep_variables` adds the variables, and the values of the session's names, to the result at the end of each
      session. `session_ended` is called with the number of the session and these variables.
    - `progress` is called at the start of each training with its number of steps, the steps done before, and the unit
      that it counts. It returns a `tfdsl.Progress`.
    - `interrupted` is called after every execution. If it returns true, the run stops, and all its files are complete.
    - `timeout` is the maximum number of seconds for a call of the servers of a cluster.

    The other fields belong to the commands and to clusters.
    """

    write: Callable[[str], None] = _print
    note: Callable[[str], None] = _drop
    logdir: str | None = None
    record: str | None = None
    overwrite: bool = False
    fresh: bool = False
    stores: "Mapping[str, CheckpointStore] | None" = None  # of the checkpoints, if the caller has opened them
    resume_anyway: bool = False
    variables: "Mapping[str, object] | None" = None
    keep_variables: bool = True
    session_ended: "Callable[[int, Mapping[str, np.ndarray]], None] | None" = None
    training_begins: Callable[[int, int], None] | None = None  # with the indices of its session and its statement
    interrupted: Callable[[], bool] = _never
    progress: "Callable[[int, int, str], Progress] | None" = None
    tracer: "Tracer | None" = None
    engine: EngineName | Literal[""] = ""
    deterministic: bool = False
    timeout: float = TIMEOUT
    part: "StepSlice | None" = None  # this process's steps in an asynchronous training
    check: Callable[[], None] = _nothing  # raises an error if a process of another worker is gone
    observer: "RunObserver | None" = None
    about: Mapping[str, object] | None = None  # more to have in the record of the run, as plain JSON


class Progress:
    """Follows a training. By default it does nothing."""

    def at(self, epoch: int, loss: float | None) -> None:
        """Called before `step` with the epoch of the last step, and the mean loss of the steps since the last call. It
        is None if the training has no loss or several, or says on_nan="ignore"."""

    def step(self, done: int) -> None:
        """`done` steps of the training are done."""

    def close(self) -> None:
        """The training is over."""
