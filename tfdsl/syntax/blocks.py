"""The statements in blocks, at any depth, and the places of statements with their blocks."""

from collections.abc import Iterator

from ..source import Span
from . import tree as t


def bodies(statement: t.Statement) -> tuple[t.Block, ...]:
    """The blocks of a statement, in order."""
    if isinstance(statement, t.If):
        return tuple([body for _, body in statement.branches])
    body: t.Block | None = getattr(statement, "body", None)
    return () if body is None else (body,)


def statements(block: t.Block) -> Iterator[t.Statement]:
    """The statements of a block, at any depth."""
    for statement in block:
        yield statement
        for body in bodies(statement):
            yield from statements(body)


def broken(block: t.Block) -> Iterator[t.Broken]:
    """The statements of a block with syntax errors, at any depth."""
    return (one for one in statements(block) if isinstance(one, t.Broken))


def whole(statement: t.Statement) -> Span:
    """The place of a statement with its block. The span of a statement ends before its block."""
    span, last = statement.span, statement
    while inner := [body[-1] for body in bodies(last) if body]:
        last = inner[-1]
    return Span(span.source, span.start, last.span.end) if last is not statement else span
