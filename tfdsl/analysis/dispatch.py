"""The recursion of the analysis: an expression can call a function, whose body has statements, which have
expressions. `check.py` fills the table, so the modules of the analysis import each other in one direction only."""

from collections.abc import Callable

from ..record import Record
from .values import ExprValue


class Returned(Record):
    """A `return` was reached."""

    value: ExprValue


class Dispatch(Record):
    """`evaluate(ctx, env, expr, name)` returns the value of an expression. `block(ctx, env, statements)` analyses
    statements in order, up to a `return`."""

    evaluate: Callable[..., ExprValue]
    block: Callable[..., "Returned | None"]
