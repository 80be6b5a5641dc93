"""What the kinds share: their options, their report, and the undisturbed run that the others are compared with."""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Skipped(Exception):
    """This machine lacks what a kind needs. The text says what."""


@dataclass(slots=True)
class Report:
    """The figures of a kind, and its faults."""

    kind: str
    figures: dict[str, object] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def count(self, name: str, number: int = 1) -> None:
        self.figures[name] = self.figures.get(name, 0) + number

    def most(self, name: str, number: float) -> None:
        self.figures[name] = max(self.figures.get(name, 0), number)

    def fault(self, text: str) -> None:
        self.faults.append(text)
        if len(self.faults) <= 20:
            print(f"{self.kind}: {text}", file=sys.stderr, flush=True)


def main(kind: str, count: int, measure: Callable[[argparse.Namespace, random.Random, Report], None],
         configure: Callable[[argparse.ArgumentParser], None] = lambda parser: None) -> None:  # fmt: skip
    """The command line of a kind. It ends the process: 0 if all is well, 1 if not, 77 if it was skipped."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.survival.{kind}", allow_abbrev=False)
    parser.add_argument("--count", type=int, default=count, help="how often (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random choices (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file")
    configure(parser)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminated)
    report, started = Report(kind), time.monotonic()
    try:
        measure(arguments, random.Random(arguments.seed), report)
    except Skipped as reason:
        print(f"{kind}: skipped: {reason}", flush=True)
        sys.exit(77)
    report.figures |= {"faults": len(report.faults), "seconds": round(time.monotonic() - started)}
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({**report.figures, "what": report.faults}, indent=1) + "\n")
    print(f"{kind}: " + ", ".join(f"{name} {value}" for name, value in report.figures.items()), flush=True)
    sys.exit(1 if report.faults else 0)


def _terminated(number: int, frame: object) -> None:
    """Exit as after an error, so that everything is unmounted and removed. A second signal does not prevent this."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


@contextmanager
def work_folder() -> Iterator[Path]:
    """A temporary folder, in memory if possible."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="survival-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def made(folder: Path) -> Path:
    """An existing, empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def states_in(folder: Path) -> list[str]:
    """The names of the checkpoints in a folder, the newest last."""
    return sorted(name for name in names_in(folder) if not name.startswith(".") and "-step-" in name)


def orphans_in(folder: Path) -> list[str]:
    """What interrupted saves have left in a folder."""
    return [name for name in names_in(folder) if name.startswith((".new-", ".old-"))]


def names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
