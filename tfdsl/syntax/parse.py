"""Parses text into a tree. Parsing stops at the first error, a `TfgError` with one diagnostic."""

import re
from functools import cache
from typing import Any

from ..collector import paused
from ..diagnostics import INDENT_TAB, INDENT_UNEXPECTED, Diagnostic, Note, TfgError
from ..limits import Clock, Limits
from ..source import Source, Span
from . import tree as t
from .build import Builder, BuildError
from .indenter import Indenter, LayoutError
from .lexer import UnexpectedCharacter
from .parser import Parser, UnexpectedToken
from .tables import tables


@cache
def _parts() -> tuple[Builder, Indenter, Parser]:
    builder, layout = Builder(), Indenter()
    return builder, layout, Parser(tables(), builder, layout)


def whole(text: str) -> str:
    """A text whose last line ends with a newline."""
    return text if text.endswith("\n") else text + "\n"


def parse(source: Source, limits: Limits | None = None, clock: Clock | None = None) -> t.File:
    """The tree of a whole file. `clock` is the clock of the enclosing check."""
    text = whole(source.text)
    indent = re.match(r"([ \t\f]*)[^\s#]", text)
    if indent and indent[1]:
        message = INDENT_TAB if "\t" in indent[1] else INDENT_UNEXPECTED
        raise TfgError([Diagnostic(message, Span(source, 0, len(indent[1])))])
    return _parse(source, text, "file", limits, clock)


def parse_expression(source: Source, limits: Limits | None = None) -> t.Expr:
    """The tree of a text that is a single expression."""
    return _parse(source, source.text, "expr", limits)


# The builder's result for the rule `start`.
def _parse(source: Source, text: str, start: str, limits: Limits | None, clock: Clock | None = None) -> Any:
    builder, layout, parser = _parts()
    builder.source = source
    layout.limits = limits or Limits()
    layout.clock = clock or Clock(layout.limits)
    try:
        with paused():
            return parser.parse(text, start)
    except BuildError as error:
        diagnostic = Diagnostic(error.message, error.span, error.details, help=error.help)
    except LayoutError as error:
        notes: tuple[Note, ...] = ()
        if error.other is not None:
            notes = (
                Note(f"'{text[error.other]}' was opened on line {{line}}", Span(source, error.other, error.other + 1)),
            )
        diagnostic = Diagnostic(error.message, Span(source, error.start, error.end), error.details, notes)
    except UnexpectedCharacter as error:
        from .explain import unexpected_character

        diagnostic = unexpected_character(source, text, error.at)
    except UnexpectedToken as error:
        from .explain import unexpected_token

        diagnostic = unexpected_token(source, text, error.token, parser.accepted(error.entered))
    raise TfgError([diagnostic])
