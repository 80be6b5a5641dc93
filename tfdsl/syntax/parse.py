"""Parses text into a tree. A text with syntax errors has one too, with `Broken` statements."""

import re
import threading
from contextlib import suppress
from functools import cache

from ..collector import paused
from ..diagnostics import TfgError
from ..limits import Clock, Limits
from ..source import Source
from . import tree as t
from .build import Builder
from .indenter import Indenter, LayoutError
from .lexer import Lexer, UnexpectedCharacter
from .literals import BuildError
from .parser import Parser, Stack, UnexpectedToken
from .reparse import Earlier, kept
from .tables import tables

_FAULTS = (BuildError, LayoutError, UnexpectedCharacter, UnexpectedToken)


class _Parts(threading.local):
    """What each thread parses with."""

    def __init__(self) -> None:
        self.builder, self.layout = Builder(), Indenter()
        self.parser = Parser(tables(), self.builder, self.layout, _lexer())


@cache
def _lexer() -> Lexer:
    return Lexer(tables())


@cache
def _threads() -> _Parts:
    return _Parts()


def _parts() -> tuple[Builder, Indenter, Parser]:
    own = _threads()
    return own.builder, own.layout, own.parser


def whole(text: str) -> str:
    """A text whose last line ends with a newline."""
    return text if text.endswith("\n") else text + "\n"


def parse(source: Source, limits: Limits | None = None, clock: Clock | None = None) -> t.File:
    """The tree of a whole file. Raises `TfgError` with all syntax errors.

    `clock` is the clock of the enclosing check.
    """
    tree = parse_anyway(source, limits, clock)
    if tree.errors:
        raise TfgError(tree.errors)
    return tree


def parse_anyway(
    source: Source, limits: Limits | None = None, clock: Clock | None = None, before: Earlier | None = None
) -> t.File:
    """The tree of a whole file, with its syntax errors. What it has in common with the text `before` an edit is not
    parsed again. If the source was edited in place, the statements above the edit are the same objects."""
    builder, layout, parser = _parts()
    text = whole(source.text)
    _prepare(builder, layout, source, limits, clock)
    stack = Stack([], [])
    with paused():
        known = None if before is None else kept(source, text, before.tree, whole(before.text))
        made: t.File | None = None
        if re.match(r"[ \t\f]+[^\s#]", text) is None:
            with suppress(*_FAULTS):
                made = parser.parse(text, "file", stack, known)
        if made is None:
            from .recover import ErrorParser

            made = ErrorParser(parser, source, text, builder, stack, known).tree()
        return made if known is None else known.with_kept(made)


def parse_expression(source: Source, limits: Limits | None = None) -> t.Expr:
    """The tree of a text that is a single expression."""
    builder, layout, parser = _parts()
    _prepare(builder, layout, source, limits, None)
    try:
        with paused():
            return parser.parse(source.text, "expr")
    except _FAULTS as error:
        from .explain import explained

        raise TfgError([explained(error, source, source.text, parser)]) from None


def _prepare(builder: Builder, layout: Indenter, source: Source, limits: Limits | None, clock: Clock | None) -> None:
    builder.source = source
    layout.limits = limits or Limits()
    layout.clock = clock or Clock(layout.limits)
