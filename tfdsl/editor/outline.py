"""The structure of a text: what it binds, by scope, and the blocks that can be folded."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from ..diagnostics.spelling import shortened
from ..record import Record
from ..source import Source, Span
from ..syntax import tree as t
from ..syntax.blocks import statements, whole
from .workspace import Document

OutlineKind = Literal[
    "param", "data", "placeholder", "variable", "value", "function", "scope", "module", "graph", "session", "step",
    "train", "loss",
]  # fmt: skip


class Outline(Record):
    """A part of a program. `name` is its text, and `span` its place in the whole, which ends with its block."""

    name: str
    kind: OutlineKind
    span: Span
    whole: Span
    detail: str
    children: "tuple[Outline, ...]"


def outline(document: Document) -> list[Outline]:
    """The parts of a program in order."""
    return list(_parts(document.tree.body))


def _parts(block: Iterable[t.Statement]) -> Iterator[Outline]:
    for statement in block:
        match statement:
            case t.Param():
                yield _made(statement.target, "param", statement)
            case t.Data():
                yield _made(statement.target, "data", statement)
            case t.Placeholder():
                yield _made(statement.target, "placeholder", statement)
            case t.Variable():
                yield _made(statement.target, "variable", statement)
            case t.Assign() | t.Bind() | t.Evaluate():
                yield from (_made(target, "value", statement) for target in statement.targets)
            case t.Optimize() | t.ApplyGradients() if statement.target is not None:
                yield _made(statement.target, "step", statement)
            case t.Import() if statement.target is not None:
                yield _made(statement.target, "module", statement)
            case t.Loss():
                yield _part("loss", "loss", statement.span, statement, ())
            case t.Scope():
                yield _made(statement.target, "scope", statement, statement.body)
            case t.Graph():
                yield _made(statement.target, "graph", statement, statement.body)
            case t.Def():
                yield _made(statement.target, "function", statement, statement.body)
            case t.Session():
                name = statement.target.id if statement.target is not None else "session"
                yield _part(name, "session", statement.span, statement, tuple(_parts(statement.body)))
            case t.Train():
                text = statement.span.one_line.rstrip(":")
                yield _part(text, "train", statement.span, statement, tuple(_parts(statement.body)))
            case t.If():
                yield from (one for _, body in statement.branches for one in _parts(body))
            case t.Device() | t.Container() | t.After() | t.While() | t.For() | t.Every():
                yield from _parts(statement.body)
            case _:
                pass


def _made(target: t.Identifier, kind: OutlineKind, statement: t.Statement, body: t.Block = ()) -> Outline:
    return _part(target.id, kind, target.span, statement, tuple(_parts(body)))


def _part(name: str, kind: OutlineKind, span: Span, statement: t.Statement, children: tuple[Outline, ...]) -> Outline:
    return Outline(name, kind, span, whole(statement), shortened(statement.span.one_line, 80), children)


# --- folding --------------------------------------------------------------------------------------


class Fold(Record):
    """Lines that can be folded, from 0: the first stays."""

    first: int
    last: int
    is_comment: bool = False


def folds(document: Document) -> list[Fold]:
    """Blocks, statements of several lines, and comments of several lines."""
    source = document.source
    found: dict[int, Fold] = {}
    for statement in statements(document.tree.body):
        _fold(found, source, statement.span.start, whole(statement).end)
        if isinstance(statement, t.If):
            for _, body in statement.branches:
                if body:
                    header = source.text.rfind("\n", 0, body[0].span.start)
                    _fold(found, source, max(0, header), whole(body[-1]).end)
    for match in re.finditer(r"(?:^[ \t]*#[^\n]*(?:\n|\Z)){2,}", source.text, re.MULTILINE):
        first, last = source.position(match.start())[0] - 1, source.position(match.end() - 1)[0] - 1
        found[first] = Fold(first, last, True)
    return sorted(found.values(), key=lambda one: one.first)


def _fold(found: dict[int, Fold], source: Source, start: int, end: int) -> None:
    first, last = source.position(start)[0] - 1, source.position(end)[0] - 1
    if last > first and (first not in found or found[first].last < last):
        found[first] = Fold(first, last)
