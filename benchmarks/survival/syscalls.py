"""A kill after each system call of one save, of a checkpoint and of a `save to`, in whichever thread.

There is a state before. Conditions: the folder has the old state or the new one, nothing else, and the new one if it
already had its name. The next run resumes from it and ends as if nothing had happened.
"""

import argparse
import os
import random
import shutil
from pathlib import Path

from . import calls, forks
from .common import Report, made, main, names_in, orphans_in, states_in, work_folder
from .forks import Fork, Outcome

_TRAINING = """
seed 3
variable w = random_normal([3, 2])
variable b = 0.5
loss = reduce_mean(square(w - b))
optimize loss with momentum(0.9, learning_rate=0.1) as training_op
session:
    train 14 steps:
        print "step", step, b
        checkpoint every 3 steps in "kept"
        every 3 steps: print "kept", step
        run training_op
    save to "final.ckpt"
"""
_SAVE = """
param value = 1.0
variable w = zeros([30, 20]) + value
variable b = value
session:
    {start}
    print "now", reduce_min(w), reduce_max(w), b
    {set}
    print "saving"
    save to "final.ckpt"
    print "saved"
"""


def killed(folder: Path, compiled, first: str, last: str, call: int) -> int:
    """Run a program and kill it this many system calls after it printed a line, or at another line. Returns the
    number."""
    ready, go = os.pipe(), os.pipe()

    def line(text: str) -> None:
        if text.startswith(first):
            os.write(ready[1], b".")
            os.read(go[0], 1)
        elif text.startswith(last):
            os.kill(os.getpid(), calls.END)

    fork = Fork(folder, forks.training(compiled, "step", hooks={"line": line}))
    try:
        os.close(ready[1])
        if not os.read(ready[0], 1):
            raise RuntimeError(fork.outcome(fork.wait()).error)
        return calls.kill_after(fork.pid, call, go[1])
    finally:
        for end in (ready[0], *go):
            os.close(end)


def checkpoints(work: Path, report: Report, chosen) -> None:
    """Kills in the third save of a training, which removes the first."""
    path = work / "training.tfg"
    path.write_text(_TRAINING)
    compiled = forks.program(path)
    wanted = forks.run(made(work / "undisturbed"), forks.training(compiled, "step"))
    if not wanted.is_done:
        raise RuntimeError(wanted.error)
    whole = killed(made(work / "whole"), compiled, "step 9", "kept 9", 1 << 30)
    report.figures["system calls of a checkpoint"] = whole
    for call in chosen(whole):
        folder = made(work / "killed")
        killed(folder, compiled, "step 9", "kept 9", call)
        states = states_in(folder / "kept")
        report.most("orphans of a checkpoint after a kill, at most", len(orphans_in(folder / "kept")))
        outcome = forks.run(folder, forks.training(compiled, "step"))
        has_new = any(name.endswith("-step-9") for name in states)
        report.count("resumed from the new state" if outcome.resumed == 9 else "resumed from the old state")
        report.count("kills in a checkpoint")
        if outcome.resumed != (9 if has_new else 6):
            report.fault(f"after {call} calls, with {states}, it resumes from {outcome.resumed} {outcome.error}")
        elif outcome.hash != wanted.hash or outcome.lines != after(wanted, outcome.resumed) or len(outcome.notes) != 1:
            report.fault(f"after {call} calls, it ends differently: {outcome.error} {outcome.notes} {outcome.lines}")
        elif outcome.orphans or names_in(folder / "kept"):
            report.fault(f"after {call} calls, {names_in(folder / 'kept')} are left")


def after(wanted: Outcome, step: int) -> list[str]:
    return wanted.lines[wanted.lines.index(f"kept {step}") :]


def saves(work: Path, report: Report, chosen) -> None:
    """Kills in a `save to` that replaces another."""
    programs = {}
    for name, start, value in (("first", "", "2.0"), ("second", 'restore from "final.ckpt"', "4.0")):
        path = work / f"{name}.tfg"
        path.write_text(_SAVE.format(start=start, set=f"set w = zeros([30, 20]) + {value}\n    set b = {value}"))
        programs[name] = forks.program(path)
    saved = made(work / "saved")
    first = forks.run(saved, forks.training(programs["first"], "step"))
    if not first.is_done:
        raise RuntimeError(first.error)

    def again() -> Path:
        folder = work / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(saved, folder)
        return folder

    whole = killed(again(), programs["second"], "saving", "saved", 1 << 30)
    report.figures["system calls of a save to"] = whole
    for call in chosen(whole):
        folder = again()
        killed(folder, programs["second"], "saving", "saved", call)
        is_new = any(".whole-" in name for name in names_in(folder))
        outcome = forks.run(folder, forks.training(programs["second"], "step"))
        value = {"now 2.0 2.0 2.0": 2, "now 4.0 4.0 4.0": 4}.get(outcome.lines[0] if outcome.lines else "")
        report.count("restored the new save" if value == 4 else "restored the old save")
        report.count("kills in a save to")
        if value is None or not outcome.is_done or outcome.notes or (is_new and value != 4):
            report.fault(f"after {call} calls, it restores {outcome.lines} {outcome.notes} {outcome.error}")
        left = [name for name in names_in(folder) if name.startswith(".")]
        if left:
            report.fault(f"after {call} calls, {left} are left")


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    calls.is_allowed()

    def chosen(whole: int) -> list[int]:
        """All calls, and a few more because the number varies between runs, or some of them."""
        every = range(1, whole + 3)
        return list(every) if not arguments.count else sorted(draw.sample(every, min(len(every), arguments.count)))

    with work_folder() as work:
        checkpoints(work, report, chosen)
        saves(work, report, chosen)


if __name__ == "__main__":
    main("syscalls", 0, measure)
