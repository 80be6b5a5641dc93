"""`restore`: sets variables to their values in a checkpoint."""

from ...diagnostics import KEPT_NOTHING
from ...lowering.failures import failure
from ...program import If, Keep, Restore, known_text, places, walk
from ..execution.execution import Execution
from .keep import has_kept


def _kept_nothing(run: Execution, statement: Restore) -> Keep | None:
    """An earlier `keep` that writes to the path of a `restore`, if nothing was kept there in this run. Any file there
    is left over from another run, or from another training."""
    before = [one for one in places(run.plan.body)[: run.at] if not isinstance(one, If)]
    keeps = [one for one in walk(before) if isinstance(one, Keep) and known_text(one.path) is not None]
    path = run.text(statement.path)
    found = next((one for one in keeps if run.text(one.path) == path), None)
    return None if found is None or has_kept(run, found.path) else found


def execute(run: Execution, statement: Restore) -> None:
    path = run.text(statement.path)
    if (keep := _kept_nothing(run, statement)) is not None and not statement.if_exists:
        raise failure(KEPT_NOTHING, statement.origin, line=keep.origin.span.line, path=path)
    if keep is not None or (statement.if_exists and not run.savers.exists(path, statement.origin)):
        run.initialise(None, statement.origin)
    else:
        if run.options.observer is not None:
            run.options.observer.restores(path, run.access)
        for doubt in run.savers.restore(run.session, statement.pairs, path, statement.origin):
            run.warn(doubt)
    restored = None if statement.if_exists else run.savers.variables(statement.pairs).values()
    run.health.allow_nan(None if restored is None else [variable.op.name for variable in restored])
