"""`save`: writes variables to a checkpoint."""

from ...program import Save
from ..execution.execution import Execution
from .keep import note_kept


def execute(run: Execution, statement: Save) -> None:
    run.refuse_nan(run.savers.variables(statement.pairs), statement.origin)
    path = run.text(statement.path)
    run.savers.save(run.session, statement.pairs, path, statement.origin)
    run.result.saved.append(path)
    note_kept(run, statement.path)
