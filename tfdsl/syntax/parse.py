"""Text to tree. Parsing stops at the first error, which is one `TfgError` with one diagnostic."""

import gc
import re
from functools import cache

from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from ..diagnostics import (
    BLOCK_EXPECTED,
    BRACKET_OPEN,
    CHARACTER,
    COLON_MISSING,
    INDENT_TAB,
    INDENT_UNEXPECTED,
    QUOTES,
    STRING_OPEN,
    TOO_DEEP,
    UNEXPECTED,
    Diagnostic,
    Note,
    TfgError,
)
from ..source import Source, Span
from ..suggest import did_you_mean, visible
from . import tree as t
from .build import BuildError, Builder
from .grammar import parser
from .layout import LayoutError

# How messages name what the grammar would take.
_NAMES = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "_NL": "the end of the line",
    "LPAR": "'('", "RPAR": "')'", "LSQB": "'['", "RSQB": "']'", "COMMA": "','", "COLON": "':'", "EQUAL": "'='",
    "DOT": "'.'", "VBAR": "'|'", "UNIT": "epochs, batches, steps or seconds", "IF_EXISTS": "'if exists'",
    "ORDER": "shuffled, ordered or sampled", "SEED_WORD": "'seed'", "$END": "the end of the file",
    "_INDENT": "an indented block", "_DEDENT": "the end of the block",
}  # fmt: skip
_EXPRESSION = frozenset(("NAME", "NUMBER", "STRING", "LPAR", "LSQB", "PLUS", "MINUS", "NOT", "TRUE", "FALSE", "NONE"))
_OPERATORS = frozenset(
    "PLUS MINUS STAR SLASH FLOORDIV PERCENT AT POW AND OR NOT IN IF LESSTHAN MORETHAN LPAR LSQB DOT".split()
)
_GRAPH_WORDS = (
    "seed param data placeholder variable shared loss optimize summary return import from scope device "
    "container after graph if elif else while for def session"
).split()
_SESSION_WORDS = (
    "init restore save run print set log expect export feed stop checkpoint train every if elif else for"
).split()


@cache
def _builder() -> Builder:
    return Builder()


def parse(source: Source) -> t.File:
    """The tree of a whole file."""
    text = source.text if source.text.endswith("\n") else source.text + "\n"
    indent = re.match(r"([ \t]*)[^\s#]", text)
    if indent and indent[1]:
        message = INDENT_TAB if "\t" in indent[1] else INDENT_UNEXPECTED
        raise TfgError([Diagnostic(message, Span(source, 0, len(indent[1])))])
    return _parse(source, text, "file")


def parse_expression(source: Source) -> t.Expr:
    """The tree of a text that is one expression."""
    return _parse(source, source.text, "expr")


def _parse(source: Source, text: str, start: str):
    builder = _builder()
    lark = parser(builder)
    builder.source = source
    # Parsing only makes objects that live on; collecting in the middle of it takes half the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return lark.parse(text, start=start)
    except BuildError as error:
        details = {k: _plain(v) for k, v in error.details.items()}
        diagnostic = Diagnostic(error.message, error.span, details)
    except LayoutError as error:
        notes = () if error.other is None else (Note("open since line {line}", Span(source, error.other, error.other + 1)),)
        diagnostic = Diagnostic(error.message, Span(source, error.start, error.end), error.details, notes)
    except UnexpectedCharacters as error:
        diagnostic = _character(source, text, error.pos_in_stream)
    except UnexpectedToken as error:
        diagnostic = _token(source, text, error)
    except UnexpectedEOF:
        diagnostic = Diagnostic(UNEXPECTED, Span(source, len(text), len(text)), {"found": "the end of the text"})
    except RecursionError:
        diagnostic = Diagnostic(TOO_DEEP, Span(source, 0, 0), {"limit": 100})
    finally:
        if collecting:
            gc.enable()
    raise TfgError([diagnostic])


def _plain(value: object) -> object:
    return " or ".join(value) if isinstance(value, tuple) else value


def _character(source: Source, text: str, at: int) -> Diagnostic:
    span = Span(source, at, at + 1)
    character = text[at]
    if character == '"':
        end = text.find("\n", at)
        return Diagnostic(STRING_OPEN, Span(source, at, end if end >= 0 else len(text)))
    if character == "'":
        return Diagnostic(QUOTES, span)
    return Diagnostic(CHARACTER, span, {"character": f"'{visible(character)}'"})


def _token(source: Source, text: str, error: UnexpectedToken) -> Diagnostic:
    token = error.token
    kind = token.type
    accepts = error.accepts if error.accepts is not None else error.expected
    start = token.start_pos if token.start_pos is not None else len(source.text)
    span = Span(source, start, max(start + 1, token.end_pos or start))
    if kind == "$END" or (kind == "_NL" and "\n" in token):
        span = Span(source, start, start + 1)
    if kind == "_INDENT":
        end = token.end_pos
        return Diagnostic(INDENT_UNEXPECTED, Span(source, end - len(token), end))
    if "_INDENT" in accepts and kind != "_INDENT" and "_NL" not in accepts:
        return Diagnostic(BLOCK_EXPECTED, span)
    if kind == "_NL" and "COLON" in accepts:
        help = _misspelt(source, start)
        return Diagnostic(COLON_MISSING, span, help=help)
    if kind == "$END" and "RPAR" in accepts:
        return Diagnostic(BRACKET_OPEN, span, {"bracket": "("})
    found = {"_NL": "the end of the line", "$END": "the end of the text", "_DEDENT": "the end of the block"}.get(
        kind, f"'{visible(str(token))}'"
    )
    help = _misspelt(source, start) or _expected(accepts)
    return Diagnostic(UNEXPECTED, span, {"found": found}, help=help)


def _expected(accepts: set[str]) -> str:
    """What could stand here, in words; nothing where that would be a long list."""
    names = set(accepts)
    parts = []
    if names >= _EXPRESSION:
        parts.append("an expression")
        names -= _EXPRESSION
    elif {"PLUS", "STAR"} <= names:
        names = {n for n in names if n not in _OPERATORS and not n.startswith("__ANON")}
    names -= {"_INDENT", "_DEDENT"}
    parts += sorted(_NAMES.get(n, f"'{n.rstrip('_').lower()}'") for n in names if not n.startswith("__ANON"))
    if not parts or len(parts) > 6:
        return ""
    return "expected " + (parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1])


def _misspelt(source: Source, offset: int) -> str:
    """A help line where the line starts with a word that is nearly a statement."""
    line = source.line_text(source.position(min(offset, len(source.text)))[0])
    word = re.match(r"\s*([^\W\d]\w*)", line)
    if word is None:
        return ""
    inside = bool(line[:1].isspace())
    words = _SESSION_WORDS + _GRAPH_WORDS if inside else _GRAPH_WORDS
    if word[1] in words:
        return ""
    return did_you_mean(word[1], words)
