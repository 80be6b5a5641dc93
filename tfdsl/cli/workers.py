"""`tfdsl run --async`: one process for each worker except the first, which is the run itself.

The other processes run the same command line with `--part`. They print nothing; their notes name their worker.
"""

import argparse
import os
import subprocess

from ..diagnostics import WORKER_ENDED, Diagnostic, TfgError
from ..driver import Compiled
from ..runtime.step_slice import StepSlice
from . import signals, tensorflow
from .child import child, environment
from .report import tell

RESTARTS = 3  # of each process


class Workers:
    """The processes of the other workers. They end with the `with` block."""

    def __init__(self, arguments: argparse.Namespace, compiled: Compiled):
        assert compiled.devices.cluster is not None
        self._words, self._count = arguments.words, len(compiled.devices.cluster.jobs["worker"])
        self._board = os.urandom(4).hex()
        self._processes: dict[int, subprocess.Popen] = {}
        self._starts: dict[int, int] = {}

    @property
    def part(self) -> StepSlice:
        """The part of the run itself."""
        return StepSlice(0, self._count, self._board)

    def __enter__(self) -> "Workers":
        tell("tfdsl: training is asynchronous: each worker takes its own steps, and the result differs from run to run")
        for number in range(1, self._count):
            self._start(number)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _start(self, number: int) -> None:
        self._starts[number] = self._starts.get(number, 0) + 1
        command = child(*self._words, "--part", f"{number}:{self._count}:{self._board}")
        self._processes[number] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment(), process_group=0
        )
        signals.children.add(self._processes[number])

    def check(self) -> None:
        """Restart a killed process. Raises an error if a process failed or keeps getting killed."""
        for number, process in self._processes.items():
            code = process.poll()
            if code is None or code == 0:
                continue
            if code > 0 or self._starts[number] > RESTARTS:
                raise TfgError([Diagnostic(WORKER_ENDED, None, {"number": number, "code": code})])
            tell(f"tfdsl: the process of worker {number} was killed; it is restarted")
            self._start(number)


def follow(arguments: argparse.Namespace, compiled: Compiled) -> int:
    """Run the process of another worker: it takes its part of the trainings that the run leads."""
    signals.ignore()  # the run ends it
    number, of, board = arguments.part.split(":")
    compiled = compiled.on(worker=int(number))
    tensorflow.load()
    from ..runtime.options import Options
    from ..runtime.run import follow as follow_run

    def note(line: str) -> None:
        tell(f"tfdsl: worker {number}: {line}")

    follow_run(compiled, Options(note=note, engine=arguments.engine, timeout=arguments.timeout, keep_variables=False,
                                 part=StepSlice(int(number), int(of), board)))  # fmt: skip
    return 0
