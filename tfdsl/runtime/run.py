"""Runs a compiled program: its sessions in order, or from where an interrupted training stopped."""

from ..diagnostics import SYNTHETIC, Diagnostic
from ..lowering.tf import tf
from ..render import render_text
from . import checkpoints
from .record import DataUsed, Result
from .session import Interrupted, Options, run_session


def run(compiled, session: str | None = None, options: Options | None = None) -> Result:
    """Run the sessions of a program; one by its name if given."""
    options = options or Options(write=lambda line: None)
    program = compiled.program
    result = Result(program.path, {param.name: param.value for param in program.params})
    result.versions = {"tensorflow": tf.__version__}
    position = None
    if options.fresh:
        for folder, _ in checkpoints.folders(program, session):
            checkpoints.clear(folder)
    found = checkpoints.find(program, session)
    if found is not None:
        position, folder = found
        options.note(f"going on from step {position.step}, kept in {folder}")
        result.resumed.append(folder)

    def arrays(field):
        array = compiled.array(field)
        _record_data(compiled, options, result)
        return array

    try:
        for index, plan in enumerate(program.sessions):
            if session is not None and plan.name != session:
                continue
            if position is not None and index < position.session:
                continue
            here = position if position is not None and index == position.session else None
            built = compiled.built(plan.graph)
            _record_data(compiled, options, result)
            run_session(plan, built, arrays, options, result, program, index, here)
    except Interrupted:
        result.interrupted = True
    return result


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
