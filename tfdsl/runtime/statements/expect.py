"""`expect`: a condition that must hold."""

from collections.abc import Mapping

import numpy as np

from ...diagnostics import EXPECT_FAILED, Note
from ...diagnostics.spelling import shortened
from ...lowering.failures import failure
from ...program import Counter, Expect, Fetch, Origin, Ref, Shown, fetches_of
from ..execution import evaluate
from ..execution.execution import Execution


def execute(run: Execution, statement: Expect) -> None:
    replay(run, statement, run.fetch(statement.uses().values, statement.feeds, statement.origin))


def replay(run: Execution, statement: Expect, fetched: Mapping[Ref, object]) -> None:
    """Raise an error if the condition does not hold."""
    within = None
    if statement.within is not None:
        within = float(np.asarray(run.value(statement.within, fetched, statement.origin)))
    run.result.expectations += 1
    if evaluate.truth(run.value(statement.condition, fetched, statement.origin, within)):
        return
    notes = [
        Note(f"{side.text} is {_shown(run, side, fetched, statement.origin)}")
        for side in statement.sides
        if not is_literal(side)
    ]
    text = statement.text + (f" within {within:g}" if within is not None else "")
    raise failure(EXPECT_FAILED, statement.origin, notes, text=text)


def is_literal(side: Shown) -> bool:
    """Whether a side of an expectation is a number literal."""
    return (
        not isinstance(side.value, (Fetch, Counter))
        and not fetches_of(side.value)
        and side.text[:1] in '0123456789-["('
    )


def _shown(run: Execution, side: Shown, fetched: Mapping[Ref, object], origin: Origin) -> str:
    value = run.value(side.value, fetched, origin)
    text = " ".join(evaluate.shown_at(origin, value).split())
    text = f'"{text}"' if isinstance(value, (str, bytes)) else text
    return shortened(text, 400)
