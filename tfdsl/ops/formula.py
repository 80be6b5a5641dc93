"""Formulas of ops on scalars, for SymPy to derive. This module does not import SymPy.

The `formula` of a row is one of these classes. The functions of `Made` and `Own` take a namespace first: `s.exp`
is the formula of the op exp, and `s.sympy` is SymPy.
"""

from collections.abc import Callable
from typing import Any, Protocol

from ..record import Record

Expr = Any  # an untyped SymPy expression
Partials = tuple[Expr, ...]


class Formulas(Protocol):
    """The formulas of all ops, by name."""

    sympy: Any  # the module, which is untyped

    def __getattr__(self, op: str, /) -> Callable[..., Expr]: ...


class Known(Record):
    """A function of SymPy, by its SymPy name. A function that cannot be derived appears in derivatives only."""

    name: str
    is_derived: bool = True


class Made(Record):
    """A formula made from others: `Made(lambda s, x: 1 / s.sqrt(x))`."""

    of: Callable[[Formulas, Expr], Expr] | Callable[[Formulas, Expr, Expr], Expr]


class Own(Record):
    """A function that SymPy lacks, with its derivative for each argument. A condition is 1 if true and 0 if false."""

    partials: (
        Callable[[Formulas, Expr], Partials]
        | Callable[[Formulas, Expr, Expr], Partials]
        | Callable[[Formulas, Expr, Expr, Expr], Partials]
    )
    is_condition: bool = False


Formula = Known | Made | Own
