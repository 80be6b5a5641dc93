"""What ops of scalars compute, as formulas that SymPy derives. SymPy itself is not imported here.

A row's `formula` is one of these. `Made` and `Own` get a namespace first: `s.exp` is the formula of the op exp, and
`s.sympy` is SymPy.
"""

from collections.abc import Callable
from typing import Any, Protocol

from ..record import Record

Expr = Any  # an expression of SymPy, which has no types
Partials = tuple[Expr, ...]


class Formulas(Protocol):
    """The formulas of all ops, by name."""

    sympy: Any  # the module, which has no types

    def __getattr__(self, op: str, /) -> Callable[..., Expr]: ...


class Known(Record):
    """One of SymPy's own functions, by its name there. One that is not derived only comes out of derivatives."""

    name: str
    is_derived: bool = True


class Made(Record):
    """A formula made of others: `Made(lambda s, x: 1 / s.sqrt(x))`."""

    of: Callable[[Formulas, Expr], Expr] | Callable[[Formulas, Expr, Expr], Expr]


class Own(Record):
    """A function that SymPy lacks, by its derivatives with respect to each argument. One that is a condition is 1
    where it holds and 0 where it does not."""

    partials: (
        Callable[[Formulas, Expr], Partials]
        | Callable[[Formulas, Expr, Expr], Partials]
        | Callable[[Formulas, Expr, Expr, Expr], Partials]
    )
    is_condition: bool = False


Formula = Known | Made | Own
