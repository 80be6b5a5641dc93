"""`export`: a SavedModel."""

from ...program import Export
from ..execution.execution import Execution
from ..files.saved_model import exported, write_model
from .health import refuse_spoilt


def export(run: Execution, statement: Export) -> None:
    refuse_spoilt(run, exported(run.built, statement), statement.origin)
    path = run.text(statement.path)
    write_model(run.built, run.session, statement, path, run.access)
    run.result.saved.append(path)
