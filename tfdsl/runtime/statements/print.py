"""`print`: the values of expressions as a line."""

from collections.abc import Mapping

from ...program import Print, Ref
from ..execution import evaluate
from ..execution.execution import Execution


def execute(run: Execution, statement: Print) -> None:
    replay(run, statement, run.fetch(statement.uses().values, statement.feeds, statement.origin))


def replay(run: Execution, statement: Print, fetched: Mapping[Ref, object]) -> None:
    """Print a line."""
    shown: list[str] = []
    for item in statement.items:
        value = run.value(item.value, fetched, statement.origin)
        if not isinstance(value, str):
            run.result.values[item.text] = value
        shown.append(evaluate.shown_at(statement.origin, value))
    if run.is_unprinted(statement, run.step):
        line = " ".join(shown)
        run.result.printed.append(line)
        run.options.write(line)
