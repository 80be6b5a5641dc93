"""`print`: the values of expressions as a line."""

from collections.abc import Mapping

from ...program import Print, Ref
from ..execution.execution import Execution


def print_values(run: Execution, statement: Print, fetched: Mapping[Ref, object] | None = None) -> None:
    """Print a line. Without `fetched`, the values that it needs are computed."""
    if fetched is None:
        fetched = run.fetch(statement.uses().values, statement.feeds, statement.origin)
    shown = []
    for item in statement.items:
        value = run.value(item.value, fetched, statement.origin)
        if not isinstance(value, str):
            run.result.values[item.text] = value
        shown.append(str(value))
    if run.is_unprinted(statement, run.step):
        line = " ".join(shown)
        run.result.printed.append(line)
        run.options.write(line)
