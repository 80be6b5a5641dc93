"""`restore`: sets variables to their values in a checkpoint."""

from ...program import Restore
from ..execution.execution import Execution


def execute(run: Execution, statement: Restore) -> None:
    path = run.text(statement.path)
    if statement.if_exists and not run.savers.exists(path, statement.origin):
        run.initialise(None, statement.origin)
    else:
        for doubt in run.savers.restore(run.session, statement.pairs, path, statement.origin):
            run.warn(doubt)
    restored = None if statement.if_exists else run.savers.variables(statement.pairs).values()
    run.health.allow_nan(None if restored is None else [variable.op.name for variable in restored])
