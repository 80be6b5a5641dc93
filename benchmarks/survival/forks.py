"""Runs in processes with TensorFlow already imported: forks of this one, which does nothing else with it.

A run writes its report to a file, line by line and unbuffered, so that the report of a killed run is complete.
"""

import ctypes
import gc
import hashlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

REPORT = "report.jsonl"  # in the run's folder, with one JSON object per line
_PR_SET_PDEATHSIG = 1


@cache
def _ready() -> None:
    """Import all that a run needs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    from tfdsl.cli import tensorflow

    tensorflow.load()
    import tfdsl.lowering.graph
    import tfdsl.runtime.run
    import tfdsl.runtime.statements.export
    import tfdsl.runtime.training.graph_loop
    import tfdsl.runtime.training.train  # noqa: F401

    gc.freeze()


@dataclass(slots=True)
class Outcome:
    """The report of a run, and its end: `code` is negative for a signal."""

    code: int
    lines: list[str]
    notes: list[str]
    orphans: int | None  # that existed when it had begun
    hash: str | None  # of all variables, if it ended normally
    error: str  # that it ended with
    resumed: int | None  # the step that it resumed from
    others: dict[str, object] = field(default_factory=dict)  # other reports

    @property
    def is_done(self) -> bool:
        return self.code == 0 and self.hash is not None


class Fork:
    """A process that does some work in a folder. It ends with its parent in any case. Its report is in the folder, or
    in `reports`."""

    def __init__(self, folder: Path, work: Callable[[Callable[..., None]], None], reports: Path | None = None):
        _ready()
        self.folder, self.reports = folder, reports or folder
        self.report = self.reports / REPORT
        self.report.unlink(missing_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        self.ended = False
        self.pid = os.fork()
        if self.pid == 0:
            self._child(work)

    def _child(self, work: Callable[[Callable[..., None]], None]) -> None:
        code = 1
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.chdir(self.folder)
            file = os.open(self.report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            errors = os.open(self.reports / "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(errors, 2)
            work(lambda **about: os.write(file, json.dumps(about).encode() + b"\n"))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        self.ended = self.ended or bool(pid)
        return os.waitstatus_to_exitcode(status) if pid else None

    def wait(self, seconds: float = 120) -> int:
        """Wait for its end. If it takes too long, it is killed, and this fails."""
        end, pause = time.monotonic() + seconds, 0.002
        while time.monotonic() < end:
            code = self.poll()
            if code is not None:
                return code
            time.sleep(pause)
            pause = min(0.02, pause * 1.2)
        self.kill()
        raise TimeoutError(f"a run in {self.folder} hangs")

    def kill(self) -> int:
        os.kill(self.pid, signal.SIGKILL)
        self.ended = True
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def outcome(self, code: int) -> Outcome:
        result = Outcome(code, [], [], None, None, "", None)
        text = self.report.read_text() if self.report.exists() else ""
        for about in map(json.loads, text.splitlines()):
            match about:
                case {"line": line}:
                    result.lines.append(line)
                case {"note": note}:
                    result.notes.append(note)
                    if note.startswith("resuming from step "):
                        result.resumed = int(note.split()[3].rstrip(","))
                case {"orphans": number}:
                    result.orphans = number
                case {"hash": value}:
                    result.hash = value
                case {"error": text}:
                    result.error = text
                case _:
                    result.others |= about
        errors = self.reports / "stderr"
        if code > 0 and not result.error and errors.exists():
            result.error = errors.read_text()[-2000:]
        return result


def program(path: Path, **params: object):
    """A compiled program with its graph, not yet executed."""
    _ready()
    from tfdsl.driver import compile_source
    from tfdsl.inputs import CompileInputs
    from tfdsl.syntax.read import read

    result = compile_source(read(str(path)), CompileInputs(params))
    for session in result.program.sessions:
        result.built(session.graph)
    return result


def training(compiled, engine: str, kept: str = "kept", hooks: dict[str, Callable] | None = None, **options):
    """The work of a run, for `Fork`. `hooks` are called before the run (`before`), with each line (`line`), and after a
    failure (`failed`)."""
    hooks = hooks or {}

    def work(say: Callable[..., None]) -> None:
        from tfdsl.diagnostics import TfgError
        from tfdsl.diagnostics.render import render_text
        from tfdsl.runtime.options import Options

        seen = False

        def tell(**about: object) -> None:
            nonlocal seen
            if not seen:
                seen = True
                left = [n for n in (os.listdir(kept) if os.path.isdir(kept) else []) if n[:5] in (".new-", ".old-")]
                say(orphans=len(left))
            say(**about)

        def write(line: str) -> None:
            tell(line=line)
            if "line" in hooks:
                hooks["line"](line)

        if "before" in hooks:
            hooks["before"]()
        settings = Options(write=write, note=lambda note: tell(note=note), engine=engine, deterministic=True, **options)
        try:
            result = compiled.run(options=settings)
        except TfgError as error:
            if "failed" in hooks:
                hooks["failed"]()
            tell(error="\n".join(render_text(one) for one in error.diagnostics))
            os._exit(1)
        tell(hash=hashed(result.variables))

    return work


def hashed(variables) -> str:
    """The SHA-256 of all bits of the variables."""
    result = hashlib.sha256()
    for name in sorted(variables):
        value = variables[name]
        result.update(f"{name} {value.dtype} {value.shape};".encode() + value.tobytes())
    return f"{len(variables)}:{result.hexdigest()}"


def run(folder: Path, work: Callable, seconds: float = 120, reports: Path | None = None) -> Outcome:
    """A run from its beginning to its end."""
    fork = Fork(folder, work, reports)
    return fork.outcome(fork.wait(seconds))
