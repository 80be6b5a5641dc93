"""The best value that a statement of a training has seen, and when. Checkpoints have both, as values of the session."""

import math

from ...program import Keep, StopAfter
from .execution import Execution
from .kept import Kept


def improved(run: Execution, statement: Keep | StopAfter, by: float) -> bool:
    """Whether the value of a statement is better than before, by more than a distance. NaN is never better, nor is the
    same. A better value becomes the best, with the step of the training."""
    fetched = run.fetch((statement.value,), statement.feeds, statement.origin)
    value = float(run.value(statement.value, fetched, statement.origin))
    kept = run.context.kept.get(statement.state)
    best = None if kept is None else kept.fields["best"]
    assert best is None or isinstance(best, float)
    is_better = not math.isnan(value) and (
        best is None or (value > best + by if statement.highest else value < best - by)
    )
    if is_better:
        run.context.kept[statement.state] = Kept({"best": value, "since": run.step})
    elif kept is None:
        run.context.kept[statement.state] = Kept({"best": None, "since": run.step})
    return is_better


def best(run: Execution, statement: Keep) -> float:
    """The best value that a statement has seen."""
    value = run.context.kept[statement.state].fields["best"]
    assert isinstance(value, float)
    return value


def since(run: Execution, statement: StopAfter) -> int:
    """The step at which the value of a statement was best, or at which it was first looked at."""
    step = run.context.kept[statement.state].fields["since"]
    assert isinstance(step, int)
    return step
