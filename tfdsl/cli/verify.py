"""`tfdsl run FILE --verify-resume`: proves that the trainings of a program resume exactly.

The program runs twice, each time in an empty folder: once undisturbed, and once killed halfway through each
training with checkpoints and restarted. Then all results of the two are compared: the bits of every variable at
the end of every session, the printed lines, and the points in TensorBoard.
"""

import argparse
import logging
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from glob import escape, glob
from typing import TYPE_CHECKING

from ..diagnostics import NO_CHECKPOINTS, Diagnostic, TfgError
from ..diagnostics.spelling import counted
from ..program import Checkpoint, Program, Restore, Train, known_text, places, walk
from . import tensorflow
from .compiling import at_home, compile_given
from .orders import carried_out
from .report import WrongUse, show_json

if TYPE_CHECKING:
    import numpy as np


@dataclass(slots=True)
class Killed:
    """A killed training: the line of its checkpoint, its step at that time, and the step it resumed from."""

    line: int
    killed: int
    of: int
    resumed: int = 0


@dataclass(slots=True)
class ResumeReport:
    """What was compared, and the differences."""

    killed: list[Killed] = field(default_factory=list)
    variables: int = 0
    lines: int = 0
    points: int = 0
    differences: list[str] = field(default_factory=list)


def verify(arguments: argparse.Namespace) -> int:
    """Run a program in both ways and report. Returns 0 if there is no difference."""
    shown = arguments.file
    at_home(arguments)
    extra, compiled = compile_given(arguments)
    if extra.cluster is not None:
        raise WrongUse("--verify-resume works on this machine alone: leave 'cluster' out of the config file")
    program = compiled.program
    trainings = _trainings(program, arguments.session)
    if not trainings:
        raise TfgError([Diagnostic(NO_CHECKPOINTS, None, {"path": shown})])
    report = ResumeReport()
    with tempfile.TemporaryDirectory(prefix="tfdsl-verify-") as work:
        whole, parts = (os.path.join(work, name) for name in ("whole", "parts"))
        for folder in (whole, parts):
            _bring_restored(program, folder)
        run = _Runs(arguments)
        run.child(whole)
        processes, ran = 0, {tuple(map(int, line.split())) for line in _lines(os.path.join(whole, "trainings"))}
        for place, checkpoint in trainings.items():
            if place not in ran:  # it is in a branch of an `if`
                continue
            line = checkpoint.origin.span.line
            reached = run.child(parts, processes, place, known_text(checkpoint.path))
            if reached is None:
                report.differences.append(f"the checkpoint of line {line} is never saved during the training")
                break
            report.killed.append(Killed(line, *reached))
            processes += 1
        else:
            run.child(parts, processes)
        if not report.differences:
            for process, one in enumerate(report.killed, 1):
                one.resumed = int(_lines(os.path.join(parts, f"from-{process}"))[0])
            _compare(whole, parts, report)
    if arguments.json:
        show_json({"exact": not report.differences, **asdict(report)})
    else:
        _show(report, shown)
    return 1 if report.differences else 0


def _trainings(program: Program, only: str | None) -> dict[tuple[int, int], Checkpoint]:
    """The checkpoints of the trainings that have one, in execution order, by the indices of session and statement."""
    return {
        (number, at): inner
        for number, session in enumerate(program.sessions) if only in (None, session.name)
        for at, statement in enumerate(places(session.body)) if isinstance(statement, Train)
        for inner in statement.body if isinstance(inner, Checkpoint)
    }  # fmt: skip


def _bring_restored(program: Program, folder: str) -> None:
    """Prepare a folder for the run, with the files that the program restores from the working folder."""
    os.mkdir(folder)
    for session in program.sessions:
        for statement in walk(session.body):
            path = known_text(statement.path) if isinstance(statement, Restore) else None
            if path is not None and not os.path.isabs(path):
                for file in glob(f"{escape(path)}.*"):
                    target = os.path.join(folder, file)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    shutil.copy(file, target)


# --- the runs -----------------------------------------------------------------------------------


class _Runs:
    """Runs the program in separate processes by `verify_child.py`."""

    def __init__(self, arguments: argparse.Namespace):
        self._arguments = vars(arguments)

    def child(
        self, folder: str, process: int = 0, kill: tuple[int, int] | None = None, kept: str | None = None
    ) -> tuple[int, int] | None:
        """Run in a folder, as process number `process`. The training at `kill` is killed halfway, once a checkpoint is
        in `kept`. Then return its step and its number of steps."""
        order = {"arguments": self._arguments, "process": process, "kill": kill, "kept": kept}
        done = carried_out("verify_child", order, folder)
        if done.returncode == -signal.SIGKILL and done.stdout:
            step, total = map(int, done.stdout.split())
            return step, total
        if done.returncode != 0:
            sys.stderr.write(done.stderr)
            raise SystemExit(max(done.returncode, 1))
        return None


# --- what is compared ---------------------------------------------------------------------------


def _compare(whole: str, parts: str, report: ResumeReport) -> None:
    """Record the differences between an undisturbed run and a killed one."""
    import numpy as np

    for path in sorted(glob(os.path.join(whole, "session-*.npz"))):
        name = os.path.basename(path)
        number = int(name[len("session-") : -len(".npz")])
        with np.load(path) as wanted, np.load(os.path.join(parts, name)) as found:
            for variable in wanted.files:
                report.variables += 1
                if variable not in found or not _same(wanted[variable], found[variable]):
                    report.differences.append(f"variable {variable} at the end of session {number + 1}")
    wanted = _lines(os.path.join(whole, "lines-0"))
    report.lines = len(wanted)
    end = 0  # of the lines printed so far
    for process in range(len(report.killed) + 1):
        found = _lines(os.path.join(parts, f"lines-{process}"))
        places = range(min(end, len(wanted) - len(found)), -1, -1)
        if process == len(report.killed):
            places = [one for one in places if one + len(found) == len(wanted)]
        place = next((one for one in places if wanted[one : one + len(found)] == found), None)
        if place is None:
            where = "before the kill" if process == 0 else "after it resumed"
            report.differences.append(f"the printed lines {where}")
            return
        end = place + len(found)
    _compare_points(whole, parts, report)


def _same(wanted: "np.ndarray", found: "np.ndarray") -> bool:
    return (wanted.dtype, wanted.shape) == (found.dtype, found.shape) and wanted.tobytes() == found.tobytes()


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def _compare_points(whole: str, parts: str, report: ResumeReport) -> None:
    """Compare the points in TensorBoard folder by folder. Folder names contain the time of the run."""
    tensorflow.load()
    pairs = [_points(whole), _points(parts)]
    if len(pairs[0]) != len(pairs[1]):
        report.differences.append("the folders of event files")
    for wanted, found in zip(*pairs, strict=False):
        report.points += sum(map(len, wanted.values()))
        report.differences += [f"the points of {tag}" for tag in wanted if wanted[tag] != found.get(tag)]


def _points(folder: str) -> list[dict[str, list[tuple[int, float]]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it reports duplicate graphs
    result = []
    for place in sorted({os.path.dirname(path) for path in glob(f"{folder}/**/*.tfevents.*", recursive=True)}):
        events = EventAccumulator(place, {"scalars": 0})
        events.Reload()
        tags = events.Tags()["scalars"]
        result.append({tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in tags})
    return result


def _show(report: ResumeReport, path: str) -> None:
    for one in report.killed:
        print(f"line {one.line}: killed at step {one.killed} of {one.of}, resumed from step {one.resumed}")
    for what in report.differences:
        print(f"differs: {what}")
    if not report.differences:
        compared = [counted(report.variables, "variable"), counted(report.lines, "line")]
        if report.points:
            compared.append(counted(report.points, "TensorBoard point"))
        print(f"{path} resumes exactly: the same bits in {', '.join(compared)}")
