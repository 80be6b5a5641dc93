"""`tfdsl run FILE --verify-resume`: proof that a program's trainings go on exactly.

The program is run twice, each time in an empty folder: once undisturbed, and once killed halfway through each training
that keeps checkpoints and started again. Then everything is compared that is left of the two: the bits of every
variable at the end of every session, the lines printed, the points that TensorBoard shows.
"""

import argparse
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from glob import escape, glob

from ..diagnostics import NO_CHECKPOINTS, Diagnostic, TfgError
from ..driver import compile_source
from ..program import Checkpoint, Program, Restore, Train, known_text, walk
from ..syntax.read import read
from . import tensorflow
from .options import given
from .report import count


@dataclass(slots=True)
class Killed:
    """A training that was killed: the line of its checkpoint, its step then, and the one that it went on from."""

    line: int
    killed: int
    of: int
    resumed: int = 0


@dataclass(slots=True)
class Report:
    """What was compared, and what differs."""

    killed: list[Killed] = field(default_factory=list)
    variables: int = 0
    lines: int = 0
    points: int = 0
    differences: list[str] = field(default_factory=list)


def verify(arguments: argparse.Namespace) -> int:
    """Run a program in both ways and report; 0 if there is no difference."""
    shown, arguments.file = arguments.file, os.path.abspath(arguments.file)
    extra = given(arguments)
    extra.data = {name: os.path.abspath(path) for name, path in extra.data.items()}
    compiled = compile_source(
        read(arguments.file), extra.params, extra.data, extra.limits, None, tensorflow.foreign(),
        extra.access(arguments.file),
    )  # fmt: skip
    compiled.soft_placement = arguments.soft_placement
    trainings = _trainings(compiled.program, arguments.session)
    if not any(trainings):
        raise TfgError([Diagnostic(NO_CHECKPOINTS, None, {"path": shown})])
    report = Report()
    with tempfile.TemporaryDirectory(prefix="tfdsl-verify-") as work:
        whole, parts = (os.path.join(work, name) for name in ("whole", "parts"))
        for folder in (whole, parts):
            _bring_restored(compiled.program, folder)
        run = _Runs(arguments, compiled)
        run.child(whole)
        first, processes = 0, 0
        for at, checkpoint in enumerate(trainings):
            if checkpoint is None:
                continue
            line = checkpoint.origin.span.line
            reached = run.child(parts, processes, first, at, known_text(checkpoint.path))
            if reached is None:
                report.differences.append(f"the checkpoint of line {line} is never kept on the way")
                break
            report.killed.append(Killed(line, *reached))
            first, processes = at, processes + 1
        else:
            run.child(parts, processes, first)
        if not report.differences:
            for process, one in enumerate(report.killed, 1):
                one.resumed = int(_lines(os.path.join(parts, f"from-{process}"))[0])
            _compare(whole, parts, report)
    if arguments.json:
        print(json.dumps({"exact": not report.differences, **asdict(report)}, indent=2))
    else:
        _show(report, shown)
    return 1 if report.differences else 0


def _trainings(program: Program, only: str | None) -> list[Checkpoint | None]:
    """The trainings in the order in which they run, each by its checkpoint, if it keeps any."""
    return [
        next((inner for inner in statement.body if isinstance(inner, Checkpoint)), None)
        for session in program.sessions if only in (None, session.name)
        for statement in session.body if isinstance(statement, Train)
    ]  # fmt: skip


def _bring_restored(program: Program, folder: str) -> None:
    """Make a folder to run in, with what the program restores from the working folder."""
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
    """Runs the program in processes of their own."""

    def __init__(self, arguments: argparse.Namespace, compiled):
        self._arguments, self._compiled = arguments, compiled

    def child(
        self, folder: str, process: int = 0, first: int = 0, kill: int | None = None, kept: str | None = None
    ) -> tuple[int, int] | None:
        """Run in a folder, as the process of a number, from the training of number `first` on. Kill it halfway through
        the training of number `kill`, once a checkpoint is in `kept`: then the step, and how many there are, are
        returned."""
        told, tell = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(told)
            os._exit(self._in_child(folder, process, first, kill, kept, tell))
        os.close(tell)
        with os.fdopen(told) as said:
            text = said.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and text:
            step, total = map(int, text.split())
            return step, total
        if status != 0:
            with open(os.path.join(folder, "stderr"), encoding="utf-8") as file:
                sys.stderr.write(file.read())
            raise SystemExit(os.waitstatus_to_exitcode(status))
        return None

    def _in_child(self, folder: str, *more) -> int:
        from .report import bug, errors, no_memory

        os.chdir(folder)
        output = os.open("stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(output, 2)
        try:
            self._run(*more)
            return 0
        except TfgError as error:
            return errors(error.diagnostics)
        except MemoryError:
            return no_memory()
        except Exception as error:
            return bug(error)
        finally:
            sys.stderr.flush()

    def _run(self, process: int, first: int, kill: int | None, kept: str | None, tell: int) -> None:
        tensorflow.load()
        import numpy as np

        from ..runtime.session import Options, Progress

        training = iter(range(first, 1 << 30))

        class Killer(Progress):
            def __init__(self, total: int, done: int, unit: str):
                number = next(training)
                self.total, self.is_wanted = total, number == kill
                if number == first:
                    with open(f"from-{process}", "w", encoding="utf-8") as file:
                        print(done, file=file)

            def step(self, done: int) -> None:
                if self.is_wanted and 2 * done >= self.total and _has_checkpoint(kept):
                    os.write(tell, f"{done} {self.total}".encode())
                    os.kill(os.getpid(), signal.SIGKILL)

        def ended(number: int, variables: Mapping[str, np.ndarray]) -> None:
            np.savez(f"session-{number}.npz", **variables)

        with open(f"lines-{process}", "w", encoding="utf-8") as lines:

            def write(line: str) -> None:
                print(line, file=lines, flush=True)

            def note(line: str) -> None:
                print(f"tfdsl: {line}", file=sys.stderr, flush=True)

            self._compiled.run(
                self._arguments.session,
                Options(write=write, note=note, logdir="log" if self._arguments.logdir else None, progress=Killer,
                        deterministic=True, engine=self._arguments.engine, session_ended=ended),
            )  # fmt: skip


# --- what is compared ---------------------------------------------------------------------------


def _compare(whole: str, parts: str, report: Report) -> None:
    """Note what differs between an undisturbed run and one that was killed."""
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
    end = 0  # of the lines that were printed so far
    for process in range(len(report.killed) + 1):
        found = _lines(os.path.join(parts, f"lines-{process}"))
        places = range(min(end, len(wanted) - len(found)), -1, -1)
        if process == len(report.killed):
            places = [one for one in places if one + len(found) == len(wanted)]
        place = next((one for one in places if wanted[one : one + len(found)] == found), None)
        if place is None:
            where = "before the kill" if process == 0 else "after it went on"
            report.differences.append(f"the lines that were printed {where}")
            return
        end = place + len(found)
    _compare_points(whole, parts, report)


def _same(wanted, found) -> bool:
    return (wanted.dtype, wanted.shape) == (found.dtype, found.shape) and wanted.tobytes() == found.tobytes()


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def _compare_points(whole: str, parts: str, report: Report) -> None:
    """Compare what TensorBoard shows, folder by folder; in their names is the time of a run."""
    tensorflow.load()
    pairs = [_points(whole), _points(parts)]
    if len(pairs[0]) != len(pairs[1]):
        report.differences.append("the folders of event files")
    for wanted, found in zip(*pairs, strict=False):
        report.points += sum(map(len, wanted.values()))
        report.differences += [f"the points of {tag}" for tag in wanted if wanted[tag] != found.get(tag)]


def _points(folder: str) -> list[dict[str, list[tuple[int, float]]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it tells of each graph that is there twice
    result = []
    for place in sorted({os.path.dirname(path) for path in glob(f"{folder}/**/*.tfevents.*", recursive=True)}):
        events = EventAccumulator(place, {"scalars": 0})
        events.Reload()
        tags = events.Tags()["scalars"]
        result.append({tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in tags})
    return result


def _show(report: Report, path: str) -> None:
    for one in report.killed:
        print(f"line {one.line}: killed at step {one.killed} of {one.of}, went on from step {one.resumed}")
    for what in report.differences:
        print(f"differs: {what}")
    if not report.differences:
        compared = [count(report.variables, "variable"), count(report.lines, "line")]
        if report.points:
            compared.append(count(report.points, "point") + " of TensorBoard's")
        print(f"{path} goes on exactly: the same bits in {', '.join(compared)}")


def _has_checkpoint(folder: str | None) -> bool:
    return any(name[:1] != "." for name in os.listdir(folder)) if folder and os.path.isdir(folder) else False
