"""`NAME = EXPR`: gives names of the session values."""

from ...program import Bind
from ..execution.execution import Execution
from ..execution.kept import Kept


def execute(run: Execution, statement: Bind) -> None:
    fetched = run.fetch(statement.values, statement.feeds, statement.origin)
    values = [run.value(value, fetched, statement.origin) for value in statement.values]
    for name, value in zip(statement.names, values, strict=True):
        run.context.kept[name] = Kept({"": value})
