"""SIGKILL at random moments of trainings that are restarted until they are done.

A moment is a time, or a change in the folders (a save begins, is renamed, replaces another, is removed), plus a short
delay. A checkpoint is acknowledged when the kernel has reported its final name. Conditions: a run resumes from the
newest acknowledged checkpoint. It prints what the undisturbed run prints from there on. The variables and slots at the
end have the same bits. The files of interrupted saves are gone once the next run has begun.
"""

import argparse
import random
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from . import forks
from .common import Report, main, names_in, orphans_in, states_in, work_folder
from .forks import Fork, Outcome
from .models import EVERY, MODELS, Model
from .watch import MOVED_TO, Event, Watch

_KILLS = 0.92  # the share of runs to kill
_MOST = 14  # maximum kills of one training
_LATE = 2  # of them after the last step
_STEP = re.compile(r"step (\d+) ")


@dataclass
class Undisturbed:
    """A model on an engine, and its undisturbed outcome."""

    model: Model
    engine: str
    compiled: object
    folder: Path
    outcome: Outcome
    seconds: float
    changes: int  # in its folders

    def lines_from(self, step: int | None) -> list[str]:
        """The lines printed from the checkpoint of a step on."""
        if step is None:
            return self.outcome.lines
        for at, line in enumerate(self.outcome.lines):
            found = _STEP.match(line)
            if (found and int(found[1]) >= step) or line.startswith("end"):
                return self.outcome.lines[at:]
        raise AssertionError("no end")


def undisturbed(model: Model, engine: str, compiled, folder: Path) -> Undisturbed:
    kept = folder / "kept"
    kept.mkdir(parents=True)
    with Watch(folder, kept) as watch:
        started, fork = time.monotonic(), Fork(folder, forks.training(compiled, engine))
        code = fork.wait()
        seconds = time.monotonic() - started
        changes = len([e for e in watch.events() if is_change(e)])
    outcome = fork.outcome(code)
    if not outcome.is_done or outcome.notes:
        raise RuntimeError(f"{model.name} on {engine} fails undisturbed: {outcome.error} {outcome.notes}")
    return Undisturbed(model, engine, compiled, folder, outcome, seconds, changes)


def _step_of(state: str) -> int:
    return int(state.rpartition("-")[2])


def is_change(event: Event) -> bool:
    return event.name.startswith((".new-", ".old-", ".final")) or "-step-" in event.name or ".ckpt" in event.name


@dataclass
class Chain:
    """One training, killed and restarted until it is done."""

    about: Undisturbed
    folder: Path
    report: Report
    draw: random.Random
    newest: str | None = None  # the newest acknowledged checkpoint, unless all was done
    kills: int = 0
    late: int = 0  # kills after the last step

    def go(self, most: int) -> None:
        """Run the training with at most this many kills."""
        kept = self.folder / "kept"
        while True:
            kept.mkdir(exist_ok=True)
            acknowledged = self.newest
            is_wanted = self.kills < most and self.late < _LATE and self.draw.random() < _KILLS
            fork, code = self._run(kept, is_wanted)
            outcome = fork.outcome(code)
            self._check(outcome, acknowledged)
            if code != -9:
                break
            self.kills += 1
            self._killed(outcome, kept)
        if not outcome.is_done:
            self._fault(f"is not resumable: code {code}, {outcome.error}")
        elif outcome.hash != self.about.outcome.hash:
            self._fault(f"ends with {outcome.hash} instead of {self.about.outcome.hash}")
        else:
            self.report.count("trainings that ended with the same bits")
        left = states_in(kept) + orphans_in(kept) + [n for n in names_in(self.folder) if n.startswith(".final")]
        if left:
            self._fault(f"leaves {left}")

    def _run(self, kept: Path, is_wanted: bool) -> tuple[Fork, int]:
        """One run. With `is_wanted`, it is killed unless it ends before the chosen moment."""
        about, by_time = self.about, self.draw.random() < 0.4
        moment = self.draw.uniform(0, about.seconds) if is_wanted and by_time else float("inf")
        left = 1 if self.newest is None else 1 - _step_of(self.newest) / about.model.steps
        change = self.draw.randrange(3 + int(about.changes * left)) if is_wanted and not by_time else None
        pause = self.draw.choice([0, 0, self.draw.uniform(0, 0.001), self.draw.uniform(0, 0.01)])
        with Watch(self.folder, kept) as watch:
            started, seen = time.monotonic(), 0
            fork = Fork(self.folder, forks.training(about.compiled, about.engine))
            code = None
            while code is None:
                for event in watch.events(min(0.02, max(0.0, started + moment - time.monotonic()))):
                    self._acknowledge(event, kept)
                    seen += is_change(event)
                if is_wanted and (time.monotonic() - started > moment or (change is not None and seen > change)):
                    time.sleep(pause)
                    code = fork.kill()
                else:
                    code = fork.poll()
            for event in watch.events():
                self._acknowledge(event, kept)
        if code == -9:
            kind = "time" if by_time else "change"
            self.report.count(f"kills by {kind}")
        return fork, code

    def _acknowledge(self, event: Event, kept: Path) -> None:
        if event.folder == kept and event.kind == MOVED_TO and "-step-" in event.name:
            self.report.count("states acknowledged")
            self.newest = event.name

    def _check(self, outcome: Outcome, acknowledged: str | None) -> None:
        """Check one run, killed or not."""
        if outcome.orphans:
            self._fault(f"{outcome.orphans} orphans are left after the restart")
        if not outcome.lines and not outcome.notes:
            return  # killed before it reported anything
        step = None if acknowledged is None else _step_of(acknowledged)
        if step != outcome.resumed:
            self._fault(f"resumes from {outcome.resumed}, although {acknowledged} was acknowledged")
        elif step is not None:
            self.report.count("runs resumed from the newest checkpoint")
        wanted = self.about.lines_from(outcome.resumed)
        if outcome.lines != wanted[: len(outcome.lines)]:
            first = next((a, b) for a, b in zip(outcome.lines, [*wanted, None]) if a != b)
            self._fault(f"resuming from {outcome.resumed}, prints {first[0]!r} instead of {first[1]!r}")
        odd = [note for note in outcome.notes if not note.startswith("resuming from")]
        if odd:
            self._fault(f"says {odd}")

    def _killed(self, outcome: Outcome, kept: Path) -> None:
        """Check the files after a kill."""
        left = orphans_in(kept)
        self.report.most("orphans after a kill, at most", len(left))
        if left:
            self.report.count("kills in a save or a removal")
        if self.newest is None:
            self.report.count("kills before the first state")
        if any(line.startswith("end") for line in outcome.lines):
            self.report.count("kills after the last step")
            self.late += 1
            if (self.folder / "final.ckpt.manifest").exists() and not states_in(kept):
                self.newest = None  # everything is done and saved

    def _fault(self, text: str) -> None:
        self.report.fault(f"{self.about.model.name} on {self.about.engine}, after {self.kills} kills, {text}")


def chains(
    models: list[Model], work: Path, kills: int, draw: random.Random, report: Report, most: int = _MOST
) -> Iterator[Chain]:
    """Trainings of models on their engines in turn, up to this many kills."""
    pairs = []
    for model in models:
        compiled = forks.program(model.write(work / "programs" / model.name))
        pairs += [(model, engine, compiled) for engine in model.engines]
    draw.shuffle(pairs)
    known: dict[int, Undisturbed] = {}
    report.figures["kills"] = 0
    for number in count():
        if report.figures["kills"] >= kills:
            break
        at = number % len(pairs)
        if at not in known:
            known[at] = undisturbed(*pairs[at], work / f"undisturbed-{at}")
        folder = work / f"chain-{number}"
        folder.mkdir()
        chain = Chain(known[at], folder, report, draw)
        chain.go(min(most, kills - report.figures["kills"]))
        report.count("kills", chain.kills)
        report.count("trainings")
        yield chain
    report.figures["models and engines"] = len(known)


def chosen(models: list[Model], arguments: argparse.Namespace) -> list[Model]:
    """The models and engines that the command line names, or all of them."""
    named = [model for model in models if not arguments.models or model.name in arguments.models]
    engines = arguments.engines or EVERY
    return [replace(model, engines=tuple(one for one in model.engines if one in engines)) for model in named]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", nargs="+", help="only these")
    parser.add_argument("--engines", nargs="+", choices=EVERY, help="only these")


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    with work_folder() as work:
        for chain in chains(chosen(MODELS, arguments), work, arguments.count, draw, report):
            shutil.rmtree(chain.folder)


if __name__ == "__main__":
    main("kills", 1000, measure, configure)
