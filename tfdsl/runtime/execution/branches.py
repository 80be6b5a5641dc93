"""The branch of an `if` that a value of the session chooses."""

from ...program import If, Statement
from . import evaluate
from .execution import Execution


def holds(run: Execution, statement: If) -> bool:
    """Whether the condition holds, after one execution of the graph if it has tensors."""
    fetched = run.fetch(statement.uses().values, statement.feeds, statement.origin)
    return evaluate.truth(run.value(statement.condition, fetched, statement.origin))


def chosen(run: Execution, statement: If) -> tuple[Statement, ...]:
    """The statements of the branch."""
    return statement.then if holds(run, statement) else statement.otherwise
