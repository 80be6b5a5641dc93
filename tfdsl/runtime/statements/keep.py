"""`keep lowest|highest`: writes the variables to a checkpoint when a value is better than before."""

from ...program import Keep, PlanExpr, Train, kept_at, walk
from ..execution.best import best, improved
from ..execution.execution import Execution
from ..execution.kept import Kept


def begin(run: Execution, training: Train) -> None:
    """Nothing is kept yet in a training that begins, whatever others have kept at the same path."""
    for name in (name for one in walk((training,)) if isinstance(one, Keep) for name in kept_at(one.path)):
        run.context.kept[name] = Kept({"": False})


def note_kept(run: Execution, path: PlanExpr) -> None:
    """Note that there is something at a path now."""
    for name in kept_at(path):
        if name in run.context.kept:
            run.context.kept[name] = Kept({"": True})


def has_kept(run: Execution, path: PlanExpr) -> bool:
    """Whether something was kept or saved at a path in this run: of trainings that keep there, in the last one."""
    noted = [run.context.kept[name] for name in kept_at(path) if name in run.context.kept]
    return all(kept.fields[""] for kept in noted) if noted else run.text(path) in run.result.saved


def execute(run: Execution, statement: Keep) -> None:
    if improved(run, statement, 0.0):
        run.refuse_nan(run.savers.variables(None), statement.origin)
        path = run.text(statement.path)
        run.savers.save(run.session, None, path, statement.origin)
        run.result.saved.append(path)
        note_kept(run, statement.path)
        if run.options.observer is not None:
            run.options.observer.kept(statement.text, best(run, statement))
