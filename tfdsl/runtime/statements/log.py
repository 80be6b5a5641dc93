"""`log`: summaries in an event file."""

from ...lowering.tf import v1
from ...program import Log
from ..execution.execution import Execution


def execute(run: Execution, statement: Log) -> None:
    refs = statement.summaries
    written = run.compute(refs, [run.built.value(ref) for ref in refs], statement.feeds, statement.origin)
    if not run.is_unlogged(statement, run.step):
        return
    for serialized in written:
        run.add_summary(v1.Summary.FromString(serialized), run.step)
