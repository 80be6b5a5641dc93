"""The branch of an `if` that a value of the session chooses."""

from ...program import If, Statement
from . import evaluate
from .execution import Execution


def chosen(run: Execution, statement: If) -> tuple[Statement, ...]:
    """The statements of the branch, after one execution of the graph if the condition has tensors."""
    fetched = run.fetch(statement.uses().values, statement.feeds, statement.origin)
    holds = evaluate.truth(run.value(statement.condition, fetched, statement.origin))
    return statement.then if holds else statement.otherwise
