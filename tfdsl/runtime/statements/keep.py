"""`keep lowest|highest`: writes the variables to a checkpoint when a value is better than before."""

from ...program import Keep
from ..execution.best import improved
from ..execution.execution import Execution


def execute(run: Execution, statement: Keep) -> None:
    if improved(run, statement, 0.0):
        run.refuse_nan(run.savers.variables(None), statement.origin)
        path = run.text(statement.path)
        run.savers.save(run.session, None, path, statement.origin)
        run.result.saved.append(path)
