"""Runs a compiled program: its sessions in order, or from where an interrupted training stopped."""

from ..access import TRUSTED
from ..diagnostics import SYNTHETIC, Diagnostic
from ..lowering.tf import tf
from ..render import render_text
from .checkpoints import kept
from .events import rewind, scalars
from .record import DataUsed, Result
from .session import Interrupted, Options, run_session


def run(compiled, session: str | None = None, options: Options | None = None) -> Result:
    """Run the sessions of a program; one by its name if given."""
    options = options or Options(write=lambda line: None)
    program = compiled.program
    result = Result(program.path, {param.name: param.value for param in program.params})
    result.versions = {"tensorflow": tf.__version__}

    def arrays(field):
        array = compiled.array(field)
        _record_data(compiled, options, result)
        return array

    with kept(program, session, options, result, compiled.dataset, lambda: list(compiled.datasets)) as checkpoints:
        if options.fresh:
            checkpoints.clear()
        resume = checkpoints.resume(options.resume_anyway)
        if resume is not None:
            _take_up_logs(result, options)
        first = 0 if resume is None else resume.position.session
        try:
            for number, plan in enumerate(program.sessions):
                if number < first or session not in (None, plan.name):
                    continue
                built = compiled.built(plan.graph)
                _record_data(compiled, options, result)
                here = resume if number == first else None
                run_session(plan, built, arrays, options, result, checkpoints, number, here)
        except Interrupted:
            result.interrupted = True
    return result


def _take_up_logs(result: Result, options: Options) -> None:
    """Go on with the event files of a run that was stopped, and with what it had logged."""
    access = options.access if options.logdir is None else TRUSTED
    for folder in rewind(result.events, result.run, access):
        options.note(f"what was logged to {folder} before the checkpoint is not there any more, or not all of it")
    for tag, step, value in scalars(result.events, access):
        result.history.setdefault(tag, []).append((step, value))


def _record_data(compiled, options: Options, result: Result) -> None:
    """Record the data sets loaded since the last call; say so where one stands in for another."""
    for name, used in compiled.datasets.items():
        if name in result.data:
            continue
        result.data[name] = DataUsed(used.origin, used.rows, used.columns, used.synthetic)
        if used.synthetic:
            spec = next(data for data in compiled.program.data if data.name == name)
            warning = Diagnostic(SYNTHETIC, spec.origin.span, {"name": spec.source.name})
            options.note(render_text(warning).rstrip())
