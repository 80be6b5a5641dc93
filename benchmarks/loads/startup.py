"""Whole processes: the time of a command from one shell prompt to the next.

The commands of a group must print the same numbers.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from ..result import LoadResult, Row, Wanted
from ..workers import Failed, Worker

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "benchmarks" / "programs"
CHECK, LARK = "tfdsl check models/housing.tfg", "python -c 'import lark'"
BASICS, PLAIN = "tfdsl run models/basics.tfg", "the same as a plain script"
HOUSING, CHAPTER = "tfdsl run: the chapter's housing program", "the chapter's script"


class RawHousing:
    """Load the housing data like the programs, in a worker. tfdsl looks for it where scikit-learn does."""

    def load(self) -> tuple[np.ndarray, np.ndarray, bool]:
        import tfdsl

        data = tfdsl.compile('data housing = california_housing(offline="synthetic")\n').dataset("housing")
        return data.features, data.target, data.synthetic


class Startup:
    name = "startup"

    def measure(self, settings) -> LoadResult:
        notes = []
        with Worker(RawHousing) as worker:
            features, target, is_synthetic = worker.call("load")
        with tempfile.TemporaryDirectory() as folder:
            stand_in = None
            if is_synthetic:
                stand_in = Path(folder, "housing.npz")
                np.savez(stand_in, features=features, target=target.reshape(-1))
                notes.append("housing is tfdsl's synthetic stand-in, read by both from an .npz file")
            rows = measure(groups(stand_in), settings)
        wanted = [Wanted(HOUSING, CHAPTER, 0.6, is_time=True)]
        return LoadResult(self.name, "whole processes", "run", rows, wanted, notes)


def groups(stand_in: Path | None) -> list[dict[str, list[str]]]:
    """Commands to compare, by name. The others are compared with the first of a group."""
    tfdsl = [sys.executable, "-m", "tfdsl"]
    data = [f"--data=housing={stand_in}"] if stand_in else []
    script = [sys.executable, str(PROGRAMS / "housing.py"), *([str(stand_in)] if stand_in else [])]
    return [
        {LARK: [sys.executable, "-c", "import lark"], CHECK: [*tfdsl, "check", "-q", "models/housing.tfg"]},
        {PLAIN: [sys.executable, str(PROGRAMS / "basics.py")], BASICS: [*tfdsl, "run", "models/basics.tfg"]},
        {CHAPTER: script, HOUSING: [*tfdsl, "run", str(PROGRAMS / "housing.tfg"), *data]},
    ]


def measure(groups: list[dict[str, list[str]]], settings, load: str = "startup") -> list[Row]:
    """Run each command once as a warm-up, whose output is compared, then in turn."""
    rows, commands = [], []
    for group in groups:
        first = next(iter(group))
        expected = None
        for name, command in group.items():
            settings.say(f"{load}: {name}")
            row = Row(name, "" if name == first else first)
            rows.append(row)
            commands.append(command)
            try:
                numbers = numbers_of(run(command)[2])
            except Failed as error:
                row.status = f"failed: {error}"
                settings.say(error.details)
                continue
            expected = numbers if expected is None else expected
            if numbers.shape != expected.shape or not np.allclose(numbers, expected, rtol=1e-4, atol=1e-5):
                row.status = "differs"
    for repeat in range(settings.repeats):
        settings.say(f"{load}: repeat {repeat + 1} of {settings.repeats}")
        for row, command in zip(rows, commands):
            if row.status == "ok":
                seconds, memory, _ = run(command)
                row.repeats.append(seconds)
                row.memory = max(memory, row.memory or 0)
    for row in rows:
        row.seconds = statistics.median(row.repeats) if row.repeats else None
    return rows


def run(command: list[str]) -> tuple[float, int, str]:
    """Seconds of a command, the maximum memory of its process in bytes, and its standard output."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    started = perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=said, text=True)
        assert process.stdout is not None
        with process.stdout as output:
            out = output.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = perf_counter() - started
        said.seek(0)
        if process.returncode:
            raise Failed(f"exit code {process.returncode}", said.read())
    return seconds, usage.ru_maxrss * 1024, out


def numbers_of(text: str) -> np.ndarray:
    return np.array([float(number) for number in re.findall(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?", text)])
