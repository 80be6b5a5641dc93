"""`save`: variables in a checkpoint."""

from ...program import Save
from ..execution.execution import Execution
from .health import refuse_spoilt


def save(run: Execution, statement: Save) -> None:
    refuse_spoilt(run, run.savers.variables(statement.pairs), statement.origin)
    path = run.text(statement.path)
    run.savers.save(run.session, statement.pairs, path, statement.origin)
    run.result.saved.append(path)
