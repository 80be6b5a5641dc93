"""How to run: what the caller of a run decides. Imports neither TensorFlow nor NumPy."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..cluster import TIMEOUT

if TYPE_CHECKING:
    import numpy as np

    from .checkpoint.store import CheckpointStore
    from .execution.trace import Tracer
    from .step_slice import StepSlice


# Defaults of options are functions with names, so that options can be pickled.
def _print(line: str) -> None:
    print(line, file=sys.stdout)


def _drop(line: str) -> None:
    pass


def _never() -> bool:
    return False


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a program: `program.run(options=tfdsl.Options(deterministic=True))`.

    - `write` gets each line that the program prints (standard output unless given), `note` what is worth knowing about
      the run, as a line (dropped unless given).
    - `logdir` is a folder that takes the place of all folders after `log to`.
    - `engine` is step, loop, xla or auto, in place of what the program says.
    - `deterministic` asks TensorFlow for the same bits in every run, which is a switch for the whole process.
    - `fresh` starts over where there are checkpoints; `resume_anyway` goes on from a checkpoint of another program with
      the variables that still fit.
    - `keep_variables` puts the variables into the result when a session ends; `session_ended` gets the number of the
      session and its variables then.
    - `progress` is called at the start of each training with its steps, the steps done before, and the unit that it
      counts; it returns a `tfdsl.Progress`.
    - `interrupted` is asked after every execution; where it says true, the run stops, and all that
      it has written is whole.
    - `timeout` is how many seconds a call of the servers of a cluster may take.

    The other fields belong to the commands and to clusters.
    """

    write: Callable[[str], None] = _print
    note: Callable[[str], None] = _drop
    logdir: str | None = None
    fresh: bool = False
    stores: "Mapping[str, CheckpointStore] | None" = None  # of the checkpoints, where the caller has opened them
    resume_anyway: bool = False
    keep_variables: bool = True
    session_ended: "Callable[[int, Mapping[str, np.ndarray]], None] | None" = None
    interrupted: Callable[[], bool] = _never
    progress: "Callable[[int, int, str], Progress] | None" = None
    tracer: "Tracer | None" = None
    engine: str = ""
    deterministic: bool = False
    timeout: float = TIMEOUT
    part: "StepSlice | None" = None  # what this process takes of the trainings, where each worker trains by itself
    check: Callable[[], None] = _nothing  # raises an error if a process of another worker is gone


class Progress:
    """Follows a training; does nothing, unless a subclass does."""

    def step(self, done: int) -> None:
        """`done` steps of the training are done."""

    def close(self) -> None:
        """The training is over."""
