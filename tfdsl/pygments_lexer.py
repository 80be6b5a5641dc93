"""Colours for `.tfg` texts, for everything that uses Pygments: IPython, rich, documentation.

A word is coloured as a keyword only where it is one. So the tokens are those of the language's own lexer. A mistake
changes the colours of its line only.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from pygments.lexer import Lexer
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

from .syntax.lexer import Token
from .syntax.line_tokens import line_tokens
from .syntax.tables import tables
from .types import DTYPE_NAMES

Colour = Any  # Pygments makes the types of its tokens as they are named
Coloured = tuple[int, Colour, str]

# Keywords with a colour of their own. The others have that of statements.
_KEYWORDS: dict[str, Colour] = {
    **dict.fromkeys(("TRUE", "FALSE", "NONE"), Keyword.Constant),
    **dict.fromkeys(("AND", "OR", "NOT"), Operator.Word),
    **dict.fromkeys(("IMPORT", "FROM"), Keyword.Namespace),
}
_BEFORE_TYPES = {"COLON", "COMMA", "EQUAL", "LPAR", "LSQB"}  # where the name of a dtype is its name
_MAGIC = re.compile(r"%%tfg\b[^\n]*")  # the first line of a notebook's cell
_BLANK = re.compile(r"(?P<comment>#[^\n]*)|(?P<blank>\s+)|(?P<other>[^\s#]+)")
_ESCAPED = re.compile(r"\\(?:[0-7]{1,3}|x[0-9a-fA-F]{2}|.)|[^\\]+")
_STRING = re.compile(r"(?P<escape>\\.|\{\{|\}\})|(?P<value>\{[^{}]*\})|(?P<plain>[^\\{}]+|[{}])", re.S)


class TfgLexer(Lexer):
    """The programs of tfdsl."""

    name = "tfg"
    url = ""
    aliases: ClassVar[Sequence[str]] = ["tfg", "tfdsl"]
    filenames: ClassVar[Sequence[str]] = ["*.tfg"]
    mimetypes: ClassVar[Sequence[str]] = ["text/x-tfg"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[Coloured]:
        magic = _MAGIC.match(text)
        begin = magic.end() if magic else 0
        if magic:
            yield 0, Comment.Preproc, magic[0]
        grammar = tables()
        keywords = {name for name, _ in grammar.keywords}
        at, before = begin, ""
        tokens = list(line_tokens(text[begin:]))
        for token, after in zip(tokens, [*(one.kind for one in tokens[1:]), "_NL"]):
            start, end = begin + token.start, begin + token.end
            yield from _between(text, at, start)
            if token.kind == "_NL":
                yield from _between(text, start, end)
            elif token.kind == "STRING":
                yield from _string(text, start, end)
            elif token.kind == "BYTES":
                yield start, String.Affix, text[start]
                for part in _ESCAPED.finditer(text, start + 1, end):
                    yield part.start(), String.Escape if part[0][0] == "\\" else String, part[0]
            else:
                yield start, _colour(token, before, after, keywords), text[start:end]
            at, before = end, token.kind
        yield from _between(text, at, len(text))


def _colour(token: Token, before: str, after: str, keywords: Iterable[str]) -> Colour:
    """The colour of a token between others of some kinds."""
    match token.kind:
        case "":
            return Error
        case "NAME":
            return _name(token, before, after)
        case "NUMBER":
            is_float = not token[:2].lower().startswith(("0x", "0o", "0b")) and set(token.lower()) & {".", "e"}
            return Number.Float if is_float else Number.Integer
        case kind if kind in keywords:
            return _KEYWORDS.get(kind, Keyword)
        case _:
            return Punctuation if token in {"(", ")", "[", "]", "{", "}", ",", ":", ".", "..."} else Operator


def _name(name: str, before: str, after: str) -> Colour:
    if name in DTYPE_NAMES and before in _BEFORE_TYPES and (before == "COLON" or after != "EQUAL"):
        return Keyword.Type
    if before == "DEF" or after == "LPAR" or before == "VBAR":
        return Name.Function
    return Name.Attribute if before == "DOT" else Name


def _between(text: str, start: int, end: int) -> Iterator[Coloured]:
    """Line ends, blanks and comments, and what the lexer passes over."""
    for part in _BLANK.finditer(text, start, end):
        colours: dict[str | None, Colour] = {"comment": Comment.Single, "blank": Whitespace, "other": Text}
        yield part.start(), colours[part.lastgroup], part[0]


def _string(text: str, start: int, end: int) -> Iterator[Coloured]:
    """A string, whose values in braces and escapes have colours of their own."""
    yield start, String, text[start]
    for part in _STRING.finditer(text, start + 1, end - 1):
        colours: dict[str | None, Colour] = {"escape": String.Escape, "value": String.Interpol, "plain": String}
        yield part.start(), colours[part.lastgroup], part[0]
    yield end - 1, String, text[end - 1]
