"""`later n`: a name that is bound further down, for a loop of TensorFlow 1."""

from ...diagnostics import REBOUND, Note
from ...syntax import tree as t
from ..context import Analysis
from ..values import Env, ErrorValue, LaterValue


def later(ctx: Analysis, env: Env, expr: t.Later) -> LaterValue:
    """The value of `later n`, whose name has no value yet."""
    known = env.reached(expr.id)
    if known is not None and not isinstance(known.value, ErrorValue):
        note = Note(f"'{expr.id}' was bound on line {{line}}", known.span)
        ctx.fail(REBOUND, expr.span, (note,), f"leave out 'later': {expr.id}", name=expr.id)
    return LaterValue(expr.id, expr.span, env)
