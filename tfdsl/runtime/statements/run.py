"""`run`: operations."""

from ...program import Run
from ..execution.evaluate import no_batch
from ..execution.execution import Execution
from ..execution.trace import FIRST_STEP, OTHER, STEP


def execute(run: Execution, statement: Run) -> None:
    operations = [run.built.operation(ref) for ref in statement.refs]
    kind = OTHER if run.context.batch is no_batch else STEP if run.step else FIRST_STEP
    run.compute(statement.refs, operations, statement.feeds, statement.origin, kind)
