"""`export`: a SavedModel."""

from ...program import Export
from ..execution.execution import Execution
from ..files.model import exported
from ..files.saved_model import write_model


def execute(run: Execution, statement: Export) -> None:
    run.refuse_nan(exported(run.built, statement), statement.origin)
    path = run.text(statement.path)
    write_model(run.built, run.session, statement, path, run.access, run.fitted)
    run.result.saved.append(path)
