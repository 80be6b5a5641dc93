"""`log NAME`: values of the session as a run of their own, with the tags of their summaries."""

from ...lowering.tf import v1
from ...program import LogValues
from ..execution.execution import Execution
from .log_to import beside


def execute(run: Execution, statement: LogValues) -> None:
    if not run.is_unlogged(statement, run.step):
        return
    log = beside(run, statement.run, statement.origin)
    for summary, expr in statement.items:
        value, tag = float(run.value(expr, {}, statement.origin)), run.built.tag(summary)
        log.add(v1.Summary(value=[v1.Summary.Value(tag=tag, simple_value=value)]), run.step)
        run.note_logged(f"{statement.run}/{tag}", value, run.step)
