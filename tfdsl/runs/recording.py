"""Records a run while it runs. Importing this module imports TensorFlow."""

import json
import os
import platform
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from math import isfinite

import numpy as np

from .. import __version__
from ..access import Access, AccessRefused, access_of
from ..diagnostics import RECORD_FAILED, WRITE_FAILED, Diagnostic, TfgError
from ..diagnostics.render import note_text, render_text
from ..record import replace
from ..runtime import run as running
from ..runtime.checkpoint.machine import machine
from ..runtime.observer import RunObserver, RunStopped
from ..runtime.options import Options
from ..runtime.program import Machines
from ..runtime.result import Result, plain
from . import form, inputs
from .digests import described, of_array, texts
from .git import GitState
from .inputs import RecordedProgram, RunInputs
from .writing import RecordWriter

_NO_SEEDS: Mapping[str, object] = {
    "graphs": {},
    "data": {},
    "trainings": [],
}  # of several runs, which may have different ones
_UNIT = 1 if sys.platform == "darwin" else 1024  # of the peak memory that the system reports


def run(compiled: RecordedProgram, session: str | None, options: Options) -> Result:
    """Run a program as `runtime.run.run` does, and leave a record."""
    recorder = RunRecorder(compiled, session, options)
    try:
        result = running.run(compiled, session, replace(options, observer=recorder))
        recorder.end(result)
        return result
    except BaseException as error:
        recorder.fail(error)
        raise
    finally:
        recorder.close()


class RunRecorder(RunObserver):
    """Writes the record of one run. Passes on what it observes to the observer in the options, if there is one."""

    def __init__(self, compiled: RecordedProgram, session: str | None, options: Options):
        self._compiled, self._session, self._options = compiled, session, options
        self._next = options.observer or RunObserver()
        self._started = time.time()
        self.id = form.new_id(self._started)
        self._result = Result(compiled.program.path, {})
        self._writer: RecordWriter | None = None
        self._inputs: RunInputs | None = None
        self._git: GitState | None = None
        self._varied: frozenset[str] = frozenset()  # params that are not the same in all runs
        self._restored: list[str] = []
        self._evaluated: list[tuple[str, int, object]] = []
        self._variables: dict[str, object] = {}

    # --- what the run tells ---------------------------------------------------------------

    def begins(self, result: Result) -> None:
        self._result = result
        self._next.begins(result)
        if self._options.record is not None:
            try:
                self._begin(self._options.record, access_of(self._options.record))
            except OSError as error:
                details = {"path": self._options.record, "reason": (error.strerror or str(error)).lower()}
                raise TfgError([Diagnostic(WRITE_FAILED, None, details)]) from None

    def opens_log(self, folder: str, access: Access) -> None:
        self._next.opens_log(folder, access)
        if self._options.record is None and self._writer is None:
            try:
                self._begin(folder, access)
            except (OSError, AccessRefused) as error:  # the folder was replaced after the log was opened in it
                self._lost(folder, error)

    def restores(self, path: str, access: Access) -> None:
        self._next.restores(path, access)
        if path in self._result.saved:
            return
        if self._inputs is None:
            self._restored.append(path)
        else:
            self._inputs.add_checkpoint(path)

    def training_begins(self) -> None:
        self._next.training_begins()

    def training_ends(self) -> None:
        self._next.training_ends()

    def evaluated(self, name: str, value: object, step: int) -> None:
        self._next.evaluated(name, value, step)
        if np.asarray(value).ndim == 0 and not isinstance(value, (str, bytes)):
            self._evaluated.append((name, step, value))

    def logged(self, tag: str, value: float, step: int) -> None:
        self._next.logged(tag, value, step)

    def kept(self, text: str, value: float) -> None:
        self._next.kept(text, value)

    def session_ends(self, number: int, variables: Mapping[str, np.ndarray]) -> None:
        self._next.session_ends(number, variables)
        self._variables[str(number)] = {name: of_array(value) for name, value in sorted(variables.items())}

    # --- the record -----------------------------------------------------------------------

    def _begin(self, folder: str, access: Access) -> None:
        self._inputs = RunInputs(self._compiled)
        for path in self._restored:
            self._inputs.add_checkpoint(path)
        self._git = GitState(os.path.dirname(self._compiled.program.path))
        files = inputs.texts(self._compiled)
        self._writer = RecordWriter(folder, access, self._beginning(list(files)), list(files.values()))

    def _beginning(self, paths: list[str]) -> dict[str, object]:
        compiled, options = self._compiled, self._options
        devices, names = compiled.devices, form.text_names(len(paths))
        return {
            "version": form.VERSION,
            "id": self.id,
            "run": self._result.run,  # which a resumed run keeps
            "started": self._started,
            "resumed": self._result.resumed,
            "program": compiled.program.path,
            "working_folder": os.getcwd(),
            "texts": [{"path": path, "file": name} for path, name in zip(paths, names, strict=True)],
            "has_outside": compiled.has_outside,
            "session": self._session,
            "params": {
                name: one for name, one in inputs.params(compiled).items() if name not in self._varied
            },
            "seeds": _NO_SEEDS if self._varied else inputs.seeds(compiled),
            "limits": inputs.limits(compiled),
            "options": {
                "engine": options.engine, "deterministic": options.deterministic, "logdir": options.logdir,
                "overwrite": options.overwrite, "resume_anyway": options.resume_anyway,
                "has_variables": options.variables is not None, **_devices(devices),
            },
            "about": dict(options.about or {}),
            "versions": {
                "tfdsl": __version__, "python": platform.python_version(), "numpy": np.__version__,
                **self._result.versions,
            },
            "host": {
                "name": socket.gethostname(), "system": " ".join(os.uname()[::2]), "pid": os.getpid(), **machine(),
            },
        }  # fmt: skip

    def summarize(
        self, id: str, started: float, varied: Iterable[str], evaluated: Mapping[str, object], code: int
    ) -> None:
        """Write the record of several runs."""
        self.id, self._started, self._varied = id, started, frozenset(varied)
        try:
            self.begins(Result(self._compiled.program.path, {}, session_values=dict(evaluated)))
            self.end_as("failed" if code == 1 else "interrupted" if code else "done", code)
        finally:
            self.close()

    def end(self, result: Result) -> None:
        """The run is over, or was interrupted."""
        number = int(getattr(self._options.interrupted, "signal", 0)) or signal.SIGINT
        code = 128 + number if result.interrupted else 0
        self.end_as("interrupted" if result.interrupted else "done", code)

    def fail(self, error: BaseException) -> None:
        """The run has raised an error."""
        if self._writer is None and self._options.record is not None:  # before it could begin
            with suppress(OSError, TfgError):
                self._begin(self._options.record, access_of(self._options.record))
        match error:
            case KeyboardInterrupt():
                self.end_as("interrupted", 128 + int(getattr(error, "number", signal.SIGINT)))
            case RunStopped():
                self.end_as("stopped", 0)
            case TfgError():
                self.end_as("failed", 1, [_plain(one) for one in error.diagnostics if one.severity == "error"])
            case _:
                self.end_as("failed", 1, [{"code": None, "message": f"{type(error).__name__}: {error}", "place": None}])

    def end_as(self, status: str, code: int, errors: list[dict[str, object]] | None = None) -> None:
        """Write what came of the run, if its record has begun."""
        if self._writer is None or self._inputs is None or self._git is None:
            return
        result, ended = self._result, time.time()
        reads = None if self._varied else self._inputs  # of several runs, each may read other data
        content: dict[str, object] = {
            "status": status,
            "exit_code": code,
            "ended": ended,
            "seconds": ended - self._started,
            "errors": errors or [],
            "printed": result.printed,
            "values": described(result.values),
            "evaluated": described(result.session_values),
            "texts": texts(result.session_values),
            "expectations": result.expectations,
            "variables": self._variables,
            "engines": result.engines,
            "op_determinism": result.op_determinism,
            "steps": result.steps,
            "logdirs": result.logdirs,
            "saved": result.saved,
            "data": reads.data() if reads else {},
            "inputs": reads.others() if reads else {},
            "synthetic": any(one.synthetic for one in result.data.values()),
            "git": self._git.value(),
            "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT,
        }
        try:
            self._writer.end(content, self._curves())
        except OSError as error:
            self._lost(self._writer.path, error)
        else:
            result.records.append(self._writer.path)

    def _curves(self) -> Iterator[str]:
        """A line for each number that was logged, and for each that an `evaluate` gave."""
        for tag, points in self._result.history.items():
            head = f'{{"tag": {json.dumps(tag)}, "step": '
            yield from (f'{head}{step}, "value": {_number(value)}}}\n' for step, value in points)
        for name, step, value in self._evaluated:
            yield f'{{"evaluate": {json.dumps(name)}, "step": {step}, "value": {_number(value)}}}\n'

    def _lost(self, path: str, error: OSError | AccessRefused) -> None:
        """Say that there will be no record. That is no reason for the run to fail."""
        reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        details = {"path": path, "reason": reason}
        with suppress(OSError):  # a full disk may take no note either, which must not hide the error of the run
            self._options.note(render_text(Diagnostic(RECORD_FAILED, None, details)).rstrip())

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def write_summary(
    compiled: RecordedProgram, session: str | None, options: Options, id: str, started: float, varied: Iterable[str],
    evaluated: Mapping[str, object], code: int,
) -> None:  # fmt: skip
    """Write a record of several runs, which have records of their own. `options` are those of the runs, `varied` the
    params whose values differ, and `evaluated` says what came of all runs."""
    recorder = RunRecorder(compiled, session, options)
    recorder.summarize(id, started, varied, evaluated, code)


def _devices(devices: Machines) -> dict[str, object]:
    jobs = None if devices.cluster is None else {name: list(tasks) for name, tasks in devices.cluster.jobs.items()}
    return {
        "towers": devices.towers, "soft_placement": devices.soft_placement, "placement": devices.placement,
        "worker": devices.worker, "cluster": jobs,
    }  # fmt: skip


def _plain(diagnostic: Diagnostic) -> dict[str, object]:
    place = None if diagnostic.span is None else str(diagnostic.span)
    path = "" if diagnostic.span is None else diagnostic.span.source.path
    notes = [note_text(one, path) for one in diagnostic.notes]
    return {"code": diagnostic.code, "message": diagnostic.headline, "place": place, "notes": notes}


def _number(value: object) -> str:
    """A number as JSON, which has no NaN and no infinity."""
    if type(value) is float and isfinite(value):
        return repr(value)
    return json.dumps(plain(np.asarray(value)[()]))
