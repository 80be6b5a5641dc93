"""`init`: sets variables to their initial values."""

from ...program import Init
from ..execution.execution import Execution


def execute(run: Execution, statement: Init) -> None:
    run.initialise(statement.variables, statement.origin, statement.steps)
    chosen = statement.variables
    run.health.allow_nan(None if chosen is None else [run.built.value(ref).op.name for ref in chosen])
