"""Expressions of sessions: values that are computed outside the graph, when a statement runs.

Names in them are references to nodes.
"""

from collections.abc import Iterator
from typing import assert_never

from ..record import Record
from .graph import Field, HostValue, Index, Origin, Ref


class Value(Record):
    """A compile-time value."""

    value: HostValue


class Fetch(Record):
    """The value of a tensor when the statement runs."""

    ref: Ref


class Counter(Record):
    """epoch or step of the loop, or now, the start time of the session."""

    name: str


COUNTERS = ("epoch", "step")  # those of a training


class BatchField(Record):
    """features, target or rows of the current batch of the loop. `index` is as in `Field`."""

    field: str
    index: tuple[Index, ...] = ()


class SessionValue(Record):
    """The value that a name of the session has. `field` is one of several that an `evaluate` gave it, else "". `index`
    is as in `Field`."""

    name: str
    field: str = ""
    index: tuple[Index, ...] = ()


class Apply(Record):
    """An operator on values outside the graph: arithmetic, a comparison, and, or, not, if."""

    op: str
    args: tuple["PlanExpr", ...]


class Template(Record):
    """A string with values in it. Parts are texts and expressions."""

    parts: tuple["str | PlanExpr", ...]


def known_text(expr: "PlanExpr") -> str | None:
    """The text of a path if it is the same in every run, else None."""
    match expr:
        case Value(value=value):
            return value if isinstance(value, str) else None
        case Template(parts=parts):
            texts = [part for part in parts if isinstance(part, str)]
            return "".join(texts) if len(texts) == len(parts) else None
        case Fetch() | Counter() | Field() | BatchField() | SessionValue() | Apply():
            return None
        case _:
            assert_never(expr)


def kept_at(path: "PlanExpr") -> tuple[str, ...]:
    """The name under which the session keeps whether a `keep` to a path has kept something, if the path is the same in
    every run. No name of a program has a space."""
    text = known_text(path)
    return () if text is None else (f"kept at {text}",)


PlanExpr = Value | Fetch | Counter | Field | BatchField | SessionValue | Apply | Template


def parts_of(expr: PlanExpr) -> Iterator[PlanExpr]:
    """An expression and those in it."""
    yield expr
    match expr:
        case Apply(args=parts) | Template(parts=parts):
            for part in parts:
                if not isinstance(part, str):
                    yield from parts_of(part)
        case Value() | Fetch() | Counter() | Field() | BatchField() | SessionValue():
            pass
        case _:
            assert_never(expr)


def fetches_of(*exprs: PlanExpr) -> list[Ref]:
    """The tensors that expressions need."""
    return [part.ref for expr in exprs for part in parts_of(expr) if isinstance(part, Fetch)]


def session_names_of(*exprs: PlanExpr) -> set[str]:
    """The names of the session whose values expressions need."""
    return {part.name for expr in exprs for part in parts_of(expr) if isinstance(part, SessionValue)}


def counters_of(expr: PlanExpr) -> Iterator[str]:
    """The names of the counters that an expression needs."""
    return (part.name for part in parts_of(expr) if isinstance(part, Counter))


class Shown(Record):
    """An expression with its text in the program."""

    text: str
    value: PlanExpr


class Feed(Record):
    """A tensor and its fed value. `text` is its name in the program."""

    ref: Ref
    text: str
    value: PlanExpr
    origin: Origin
