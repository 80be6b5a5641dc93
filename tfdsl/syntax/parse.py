"""Parses text into a tree. Parsing stops at the first error, a `TfgError` with one diagnostic."""

import re
from functools import cache
from typing import Any

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from ..collector import paused
from ..diagnostics import (
    BLOCK_EXPECTED,
    BRACKET_OPEN,
    CHARACTER,
    COLON_MISSING,
    INDENT_TAB,
    INDENT_UNEXPECTED,
    QUOTES,
    STRING_OPEN,
    UNEXPECTED,
    Diagnostic,
    Note,
    TfgError,
)
from ..diagnostics.spelling import visible
from ..limits import Clock, Limits
from ..source import Source, Span
from . import tree as t
from .build import Builder, BuildError
from .grammar import parser
from .hints import CURLY, FOREIGN, OPENS_BLOCK, SESSION_WORDS, empty_training, first_word, hint, misspelt, unopened
from .indenter import Indenter, LayoutError, ends
from .lexer import ParserState, ParserTables

# Names of terminals in messages.
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


@cache
def _parts() -> tuple[Builder, Indenter]:
    return Builder(), Indenter()


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
    builder, layout = _parts()
    lark = parser(builder, layout)
    builder.source = source
    layout.limits = limits or Limits()
    layout.clock = clock or Clock(layout.limits)
    try:
        with paused():
            return lark.parse(text, start=start)
    except BuildError as error:
        diagnostic = Diagnostic(error.message, error.span, error.details, help=error.help)
    except LayoutError as error:
        notes: tuple[Note, ...] = ()
        if error.other is not None:
            notes = (
                Note(f"'{text[error.other]}' was opened on line {{line}}", Span(source, error.other, error.other + 1)),
            )
        diagnostic = Diagnostic(error.message, Span(source, error.start, error.end), error.details, notes)
    except UnexpectedCharacters as error:
        diagnostic = _character(source, text, error)
    except UnexpectedToken as error:
        diagnostic = _token(source, text, error)
    except UnexpectedEOF:
        diagnostic = Diagnostic(UNEXPECTED, Span(source, len(text), len(text)), {"found": "the end of the text"})
    raise TfgError([diagnostic])


def _character(source: Source, text: str, error: UnexpectedCharacters) -> Diagnostic:
    at: int = error.pos_in_stream
    span = Span(source, at, at + 1)
    character = text[at]
    if character == '"':
        end = text.find("\n", at)
        return Diagnostic(STRING_OPEN, Span(source, at, end if end >= 0 else len(text)))
    if character == "'":
        closing = re.match(r"'(?:\\.|[^'\\\n])*'", text[at:])
        help = f'write "{closing[0][1:-1]}"' if closing and '"' not in closing[0] else ""
        return Diagnostic(QUOTES, Span(source, at, at + (closing.end() if closing else 1)), help=help)
    if character in CURLY:
        closing = re.match(rf"[^\n]*?[{CURLY[character]}]", text[at + 1 :])
        help = f'write "{closing[0][:-1]}"' if closing and not set('"\\') & set(closing[0]) else ""
        return Diagnostic(QUOTES, Span(source, at, at + 1 + (closing.end() if closing else 0)), help=help)
    return Diagnostic(CHARACTER, span, {"character": f"'{visible(character)}'"}, help=FOREIGN.get(character, ""))


_BRACKETS = re.compile(r'#[^\n]*|"(?:\\.|[^"\\\n])*+"?|[()\[\]]')


def _code_end(source: Source, offset: int) -> int:
    """The end of the code on a line, before its comment."""
    line = source.position(min(offset, len(source.text)))[0]
    text = source.line_text(line)
    comment = next((m.start() for m in _BRACKETS.finditer(text) if m[0][0] == "#"), len(text))
    return source.position_of(line) + (len(text[:comment].rstrip()) or len(text))


def _indent(source: Source, line: int) -> int:
    """The indentation of the first line with code from a line on; -1 after the last."""
    code = (source.line_text(one) for one in range(line, source.text.count("\n") + 2))
    row = next((row for row in code if row.partition("#")[0].strip()), None)
    return -1 if row is None else len(row) - len(row.lstrip())


def _opening(source: Source, line: int) -> int:
    """The last line with code up to a line."""
    return next((one for one in range(line, 0, -1) if source.line_text(one).partition("#")[0].strip()), line)


def _open_bracket(text: str, offset: int) -> tuple[int | None, bool]:
    """The innermost bracket open at an offset, and whether it is closed later."""
    stack: list[int] = []
    opened: int | None = None
    found = False
    for match in _BRACKETS.finditer(text):
        if not found and match.start() >= offset:
            found = True
            if not stack:
                return None, False
            opened = stack[-1]
        if match[0] in "([":
            stack.append(match.start())
        elif match[0] in ")]" and stack and stack.pop() == opened:
            return opened, True
    return (opened if found else stack[-1] if stack else None), False


def _token(source: Source, text: str, error: UnexpectedToken) -> Diagnostic:
    token: Token = error.token
    kind = token.type
    accepts = _accepted(error)
    start = token.start_pos if token.start_pos is not None else len(source.text)
    span = Span(source, start, max(start + 1, token.end_pos or start))
    if kind == "$END" or (kind == "_NL" and "\n" in token):
        start = _code_end(source, start)
        span = Span(source, start, start + 1)
    if accepts == {"EQUAL", "COMMA"}:  # what follows shows that the first word begins no statement of a session
        first = re.search(r"(?:^|:)[ \t]*([^\W\d]\w*)\s*\Z", text[:start], re.MULTILINE)
        if first is not None:
            token, kind, accepts = Token("NAME", first[1], first.start(1), end_pos=first.end(1)), "NAME", set[str]()
            start = first.start(1)
            span = Span(source, start, first.end(1))
    line = source.position(min(start, len(source.text)))[0]
    word = first_word(source, line)
    end = ends(token)[1] if kind == "_INDENT" else 0
    if kind == "_INDENT":
        line, word = source.position(end - len(token))[0], ""
    above = unopened(source, line, word) if kind == "_INDENT" or word in SESSION_WORDS else None
    if above is not None:
        at = _code_end(source, source.position_of(above))
        return Diagnostic(COLON_MISSING, Span(source, at, at + 1))
    if kind == "_INDENT":
        return Diagnostic(INDENT_UNEXPECTED, Span(source, end - len(token), end))
    if "_INDENT" in accepts and kind != "_INDENT" and "_NL" not in accepts:
        opening = source.position(len(text[:start].rstrip()))[0] if kind != "$END" else line
        return Diagnostic(BLOCK_EXPECTED, span, help=empty_training(source, _opening(source, opening)))
    if kind == "_NL" and "COLON" in accepts and word in OPENS_BLOCK:
        is_empty = _indent(source, line + 1) <= _indent(source, line)
        return Diagnostic(COLON_MISSING, span, help=empty_training(source, line) if is_empty else "")
    opened, closed = _open_bracket(text, start)
    notes: tuple[Note, ...] = ()
    if opened is not None and source.position(opened)[0] < line:
        place = Span(source, opened, opened + 1)
        if not closed:
            return Diagnostic(BRACKET_OPEN, place, {"bracket": text[opened]})
        notes = (Note(f"'{text[opened]}' was opened on line {{line}}", place),)
    if kind == "$END" and "RPAR" in accepts:
        return Diagnostic(BRACKET_OPEN, span, {"bracket": "("})
    found = {"_NL": "the end of the line", "$END": "the end of the text", "_DEDENT": "the end of the block"}.get(
        kind, f"'{visible(str(token))}'"
    )
    help = hint(source, text, start, word, kind)
    before = text[source.position_of(line) : start]
    if not help and before.rstrip().endswith(":") and str(token) in OPENS_BLOCK:
        help = f"put '{token}' on its own line, and indent it: a block cannot follow a ':' on the same line"
    if not help and len(word) > 2 and "=" not in before and (help := misspelt(source, line, word)):
        at = text.index(word, source.position_of(line))
        span, found = Span(source, at, at + len(word)), f"'{word}'"
    return Diagnostic(
        UNEXPECTED, span, {"found": found}, notes, help or _expected(accepts - {kind, str(token).upper()})
    )


def _accepted(error: UnexpectedToken) -> set[str]:
    """The terminals that could replace a token: those that lead to a shift.

    Lark's own `accepts` gives the same result by copying the parser, which takes most of the time of a wrong program.
    """
    state: ParserState = error.state
    conf, stack = state.parse_conf, state.state_stack
    return {name for name in conf.states[stack[-1]] if name.isupper() and _is_shifted(conf, list(stack), name)}


def _is_shifted(conf: ParserTables, stack: list[int], name: str) -> bool:
    states = conf.states
    while (step := states[stack[-1]].get(name)) is not None:
        _, rule = step
        if isinstance(rule, int):
            return True
        if rule.expansion:
            del stack[-len(rule.expansion) :]
        _, state = states[stack[-1]][rule.origin.name]
        assert isinstance(state, int)
        stack.append(state)
        if name == "$END" and stack[-1] == conf.end_state:
            return True
    return False


def _expected(accepts: set[str]) -> str:
    """The expected terminals in words. Empty if the list would be long."""
    names = set(accepts)
    parts: list[str] = []
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
