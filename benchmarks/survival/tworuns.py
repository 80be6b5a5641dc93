"""Two runs on one folder: the second is refused at once, and its error names the first.

The first is `tfdsl run` in its own process. The second is another one, from its start to its end, or a run in a process
that has already imported TensorFlow. Then several runs start at the same moment: one of them gets the folder.
"""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from . import forks
from .common import Report, made, main, work_folder
from .forks import Fork

_PROGRAM = """
param n = 1000000000
variable w = [0.5, 1.0]
loss = reduce_sum(square(w))
optimize loss with momentum(0.9, learning_rate=0.001) as training_op
session:
    print "begin"
    train n steps:
        checkpoint every 100000 steps in "kept"
        run training_op
"""
_WANTED = 1.0  # seconds


def command(path: Path) -> list[str]:
    return [sys.executable, "-c", "from tfdsl.cli import process; process()", "run", str(path)]


def is_refusal(text: str, pid: int) -> bool:
    return "TFG736" in text and f"process {pid} on" in text and "Traceback" not in text


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    with work_folder() as work:
        path = work / "model.tfg"
        path.write_text(_PROGRAM)
        compiled = forks.program(path)
        first = subprocess.Popen(command(path), cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            if first.stdout.readline() != "begin\n":
                raise RuntimeError(first.communicate()[1])
            whole, inner, before = [], [], os.times()
            for _ in range(arguments.count):
                started = time.monotonic()
                second = subprocess.run(command(path), cwd=work, capture_output=True, text=True)
                whole.append(time.monotonic() - started)
                if second.returncode != 1 or second.stdout or not is_refusal(second.stderr, first.pid):
                    report.fault(f"the second run ends with {second.returncode}: {second.stderr}")
                started = time.monotonic()
                outcome = forks.run(work, forks.training(compiled, "step"), reports=made(work / "second"))
                inner.append(time.monotonic() - started)
                if outcome.code != 1 or outcome.lines or not is_refusal(outcome.error, first.pid):
                    report.fault(f"the second run in a fork ends with {outcome}")
            report.figures["refused"] = 2 * arguments.count - len(report.faults)
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            report.figures["process and run, processor s"] = round(spent / arguments.count, 3)
            report.figures |= _seconds("process", whole) | _seconds("run", inner)
            if max(whole) >= _WANTED:
                report.figures["processes that took longer than wanted"] = sum(s >= _WANTED for s in whole)
        finally:
            first.send_signal(signal.SIGTERM)
            first.communicate()
        if first.returncode != 128 + signal.SIGTERM:
            report.fault(f"the first run ends with {first.returncode}")
        short = forks.program(path, n=20000)
        for number in range(arguments.count):
            race(short, made(work / f"race-{number}"), report)


def race(compiled, folder: Path, report: Report) -> None:
    """Start three at once. Each refused run is refused by one that is not."""
    start = os.pipe()

    def wait() -> None:
        os.close(start[1])
        os.read(start[0], 1)  # until all other ends of the pipe are closed

    running = [
        Fork(folder, forks.training(compiled, "loop", hooks={"before": wait}), made(folder / str(number)))
        for number in range(3)
    ]
    for end in start:
        os.close(end)
    outcomes = {fork.pid: fork.outcome(fork.wait()) for fork in running}
    done = [pid for pid, outcome in outcomes.items() if outcome.is_done]
    refused = [outcome for outcome in outcomes.values() if not outcome.is_done]
    report.count("races")
    report.count("refused in races", len(refused))
    # A run that was refused while the lock was being taken may not know by whom.
    if not done or any("TFG736" not in outcome.error for outcome in refused):
        report.fault(f"a race ends with {list(outcomes.values())}")
    if (folder / "kept").exists():
        report.fault(f"a race leaves {os.listdir(folder / 'kept')}")


def _seconds(of: str, found: list[float]) -> dict[str, float]:
    return {f"{of}, median s": round(statistics.median(found), 3), f"{of}, longest s": round(max(found), 3)}


if __name__ == "__main__":
    main("tworuns", 50, measure)
