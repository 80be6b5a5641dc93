"""The one recursion of the analysis: an expression may call a function, whose body has statements, which have
expressions. `check.py` fills the table, so that the files of the analysis import one another in one direction only."""

from collections.abc import Callable

from ..record import Record


class Returned(Record):
    """A `return` was reached."""

    value: object


class Dispatch(Record):
    """`evaluate(ctx, env, expr, name)` gives the value of an expression, `block(ctx, env, statements)` analyses
    statements in order, up to a `return`."""

    evaluate: Callable[..., object]
    block: Callable[..., "Returned | None"]
