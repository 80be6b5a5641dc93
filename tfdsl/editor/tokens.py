"""The colours of a text: what each word, number, string and comment is.

Keywords are soft, so a word is a keyword only where it is neither a name nor the name of an argument.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Literal

from ..record import Record
from ..source import Span
from ..syntax import tree as t
from ..syntax.lexer import Token
from ..syntax.line_tokens import line_tokens
from ..syntax.tables import tables
from .lookup import names
from .resolve import name_place
from .symbols import WORD, Kind, Symbol
from .workspace import Document

TokenKind = Literal[
    "comment", "string", "number", "keyword", "function", "variable", "parameter", "property", "namespace", "type",
]  # fmt: skip
Modifier = Literal["declaration", "readonly", "defaultLibrary"]

_KINDS: dict[Kind, TokenKind] = {
    "param": "variable", "data": "variable", "placeholder": "variable", "variable": "variable", "value": "variable",
    "function": "function", "parameter": "parameter", "scope": "namespace", "module": "namespace",
    "graph": "namespace", "session": "namespace", "batch": "variable", "step": "variable", "size": "type",
    "column": "property",
}  # fmt: skip
_OF_LANGUAGE: Mapping[str, TokenKind] = {"type": "type", "name": "variable"}
_COMMENT = re.compile(r"#[^\n]*")
_BUILT_IN: tuple[Modifier, ...] = ("defaultLibrary",)
_BINDING: tuple[Modifier, ...] = ("declaration",)


class Piece(Record):
    """A coloured piece of a text."""

    start: int
    end: int
    kind: TokenKind
    modifiers: tuple[Modifier, ...] = ()


_Place = tuple[int, int]
_Look = tuple[TokenKind, tuple[Modifier, ...]]


def tokens(document: Document) -> list[Piece]:
    """The tokens of a text in order."""
    text, looks = document.source.text, _looks(document)
    inside = sorted(looks)
    keywords = {name for name, _ in tables().keywords}
    made: list[Piece] = []
    at = 0
    for token in line_tokens(text):
        made += _comments(text, at, token.start)
        at = token.end
        match token.kind:
            case "_NL":
                made += _comments(text, token.start, token.end)
            case "STRING":
                made += _string(token, looks, inside)
            case "BYTES":
                made.append(Piece(token.start, token.end, "string"))
            case "NUMBER":
                made.append(Piece(token.start, token.end, "number"))
            case kind:
                look = looks.get((token.start, token.end))
                if look is None and kind == "NAME":
                    look = _prefixed(looks, token.start, token.end)
                if look is None and kind in keywords:
                    look = "keyword", ()
                if look is not None:
                    made.append(Piece(token.start, token.end, *look))
    return made + list(_comments(text, at, len(text)))


def _comments(text: str, start: int, end: int) -> Iterator[Piece]:
    for match in _COMMENT.finditer(text, start, end):
        yield Piece(match.start(), match.end(), "comment")


def _string(token: Token, looks: Mapping[_Place, _Look], inside: list[_Place]) -> Iterator[Piece]:
    """A string, and the names in its braces."""
    start = token.start
    for first, last in inside[bisect_left(inside, (token.start, 0)) : bisect_left(inside, (token.end, 0))]:
        if start < first and last < token.end:
            yield Piece(start, first, "string")
            yield Piece(first, last, *looks[first, last])
            start = last
    yield Piece(start, token.end, "string")


def _prefixed(looks: Mapping[_Place, _Look], start: int, end: int) -> _Look | None:
    """The look of a numbered call, such as `relu_1`, of which only the first part is a name."""
    return next((looks[start, at] for at in range(end - 2, start, -1) if (start, at) in looks), None)


def _looks(document: Document) -> dict[_Place, _Look]:
    """What names are, by their places."""
    looks: dict[_Place, _Look] = {}
    known = names()

    def put(span: Span, kind: TokenKind, *modifiers: Modifier) -> None:
        looks.setdefault((span.start, span.end), (kind, modifiers))

    for one in document.symbols.occurrences:
        modifiers: tuple[Modifier, ...] = (*_BINDING, *_fixed(one.symbol)) if one.is_binding else _fixed(one.symbol)
        looks[one.start, one.end] = (_KINDS[one.symbol.kind], modifiers)
    for part in t.trees(document.tree):
        match part:
            case t.Call(function=t.Attribute() as function):
                put(name_place(function), "function")
            case t.Name(id=name) if name in known:
                kind = known[name].kind
                if name in t.CONSTANTS:
                    put(part.span, "keyword")
                else:
                    put(part.span, _OF_LANGUAGE.get(kind, "function"), *_BUILT_IN)
            case t.Name():
                put(part.span, "variable")
            case t.Attribute():
                put(name_place(part), "property")
            case t.Identifier():
                for word in WORD.finditer(part.span.text):
                    put(
                        Span(part.span.source, part.span.start + word.start(), part.span.start + word.end()), "property"
                    )
            case t.Argument(name=str()):
                put(name_place(part), "parameter")
            case t.Stage():
                put(name_place(part), "function", *_BUILT_IN)
            case t.Type(dtype=dtype):
                put(Span(part.span.source, part.span.start, part.span.start + len(dtype)), "type", *_BUILT_IN)
            case _:
                pass
    return looks


def _fixed(symbol: Symbol) -> tuple[Modifier, ...]:
    built_in = _BUILT_IN if symbol.span.source.is_library else ()
    return ("readonly", *built_in) if symbol.kind in ("param", "size") else built_in
