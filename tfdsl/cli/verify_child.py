"""A process of `--verify-resume`: runs a program in its working folder, and can kill itself.

Input: an order, as JSON on standard input. Output: the step at which it killed itself, on standard output; in the
folder `lines-0`, the printed lines; `from-0`, the first step of the run; `trainings`, those that began; and the
variables at the end of each session.
"""

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from . import tensorflow
from .compiling import compile_given
from .orders import carry_out


# The arguments come from the command line and have any type.
def _run(arguments: Mapping[str, Any], process: int, kill: list[int] | None, kept: str | None) -> None:
    given, program = compile_given(argparse.Namespace(**arguments))
    program = program.on(towers=arguments["towers"])
    tensorflow.load()
    import numpy as np

    from ..runtime.options import Options, Progress

    begun: list[list[int]] = []

    def begins(*place: int) -> None:
        begun.append(list(place))
        with open("trainings", "a", encoding="utf-8") as file:
            print(*place, file=file)

    class Killer(Progress):
        def __init__(self, total: int, done: int, unit: str):
            self.total, self.is_wanted = total, begun[-1] == kill
            if len(begun) == 1:
                with open(f"from-{process}", "w", encoding="utf-8") as file:
                    print(done, file=file)

        def step(self, done: int) -> None:
            if self.is_wanted and 2 * done >= self.total and _has_checkpoint(kept):
                print(done, self.total, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    def ended(number: int, variables: Mapping[str, np.ndarray]) -> None:
        arrays: dict[str, Any] = dict(variables)  # NumPy's stubs treat keywords as options
        np.savez(f"session-{number}.npz", **arrays)

    with open(f"lines-{process}", "w", encoding="utf-8") as lines:

        def write(line: str) -> None:
            print(line, file=lines, flush=True)

        def note(line: str) -> None:
            print(f"tfdsl: {line}", file=sys.stderr, flush=True)

        is_logged = arguments["logdir"] or given.logdir
        program.run(
            arguments["session"],
            Options(write=write, note=note, logdir="log" if is_logged else None, progress=Killer, deterministic=True,
                    engine=arguments["engine"], session_ended=ended, training_begins=begins),
        )  # fmt: skip


def _has_checkpoint(folder: str | None) -> bool:
    return any(name[:1] != "." for name in os.listdir(folder)) if folder and os.path.isdir(folder) else False


if __name__ == "__main__":
    carry_out(_run)
