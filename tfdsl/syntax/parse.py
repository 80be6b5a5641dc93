"""Text to tree. Parsing stops at the first error, which is one `TfgError` with one diagnostic."""

import re
from functools import cache

from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.parsers.lalr_analysis import Shift

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
from ..limits import Clock, Limits
from ..source import Source, Span
from ..suggest import did_you_mean, visible
from . import tree as t
from .build import Builder, BuildError
from .grammar import parser
from .layout import Layout, LayoutError

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
def _parts() -> tuple[Builder, Layout]:
    return Builder(), Layout()


def whole(text: str) -> str:
    """A text with an end to its last line."""
    return text if text.endswith("\n") else text + "\n"


def parse(source: Source, limits: Limits | None = None, clock: Clock | None = None) -> t.File:
    """The tree of a whole file. The clock is that of a check of which this is a part."""
    text = whole(source.text)
    indent = re.match(r"([ \t\f]*)[^\s#]", text)
    if indent and indent[1]:
        message = INDENT_TAB if "\t" in indent[1] else INDENT_UNEXPECTED
        raise TfgError([Diagnostic(message, Span(source, 0, len(indent[1])))])
    return _parse(source, text, "file", limits, clock)


def parse_expression(source: Source, limits: Limits | None = None) -> t.Expr:
    """The tree of a text that is one expression."""
    return _parse(source, source.text, "expr", limits)


def _parse(source: Source, text: str, start: str, limits: Limits | None, clock: Clock | None = None):
    builder, layout = _parts()
    lark = parser(builder, layout)
    builder.source = source
    layout.limits = limits or Limits()
    layout.clock = clock or Clock(layout.limits)
    try:
        with paused():
            return lark.parse(text, start=start)
    except BuildError as error:
        details = {k: _plain(v) for k, v in error.details.items()}
        diagnostic = Diagnostic(error.message, error.span, details)
    except LayoutError as error:
        notes: tuple[Note, ...] = ()
        if error.other is not None:
            notes = (
                Note(f"'{text[error.other]}' is open since line {{line}}", Span(source, error.other, error.other + 1)),
            )
        diagnostic = Diagnostic(error.message, Span(source, error.start, error.end), error.details, notes)
    except UnexpectedCharacters as error:
        diagnostic = _character(source, text, error.pos_in_stream)
    except UnexpectedToken as error:
        diagnostic = _token(source, text, error)
    except UnexpectedEOF:
        diagnostic = Diagnostic(UNEXPECTED, Span(source, len(text), len(text)), {"found": "the end of the text"})
    raise TfgError([diagnostic])


def _plain(value: object) -> object:
    if not isinstance(value, tuple):
        return value
    names = [{"batch": "batches"}.get(name, name + "s") for name in value]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _character(source: Source, text: str, at: int) -> Diagnostic:
    span = Span(source, at, at + 1)
    character = text[at]
    if character == '"':
        end = text.find("\n", at)
        return Diagnostic(STRING_OPEN, Span(source, at, end if end >= 0 else len(text)))
    if character == "'":
        closing = re.match(r"'(?:\\.|[^'\\\n])*'", text[at:])
        help = f'write "{closing[0][1:-1]}"' if closing and '"' not in closing[0] else ""
        return Diagnostic(QUOTES, Span(source, at, at + (closing.end() if closing else 1)), help=help)
    return Diagnostic(CHARACTER, span, {"character": f"'{visible(character)}'"}, help=_FOREIGN.get(character, ""))


# What other languages write, and this one writes otherwise.
_FOREIGN = {
    ";": "write each statement on a line of its own", "{": "lists stand in [...]; there are no dictionaries or sets",
    "!": "write: not", "&": "write: and", "?": "? is an unknown size, as in float32[?, 3]",
    "\\": "a line goes on inside brackets: (...)",
}  # fmt: skip
_NO_STATEMENTS = frozenset(
    "class try except finally raise global nonlocal del pass assert async await yield lambda break continue".split()
)
_OPENS_BLOCK = frozenset("scope device container after graph if elif else while for def session train every".split())
_BRACKETS = re.compile(r'#[^\n]*|"(?:\\.|[^"\\\n])*+"?|[()\[\]]')


def _code_end(source: Source, offset: int) -> int:
    """The end of a line's code, before its comment."""
    line = source.position(min(offset, len(source.text)))[0]
    text = source.line_text(line)
    comment = next((m.start() for m in _BRACKETS.finditer(text) if m[0][0] == "#"), len(text))
    return source.position_of(line) + (len(text[:comment].rstrip()) or len(text))


def _open_bracket(text: str, offset: int) -> tuple[int | None, bool]:
    """The innermost bracket open at an offset, and whether it is closed further on."""
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
    token = error.token
    kind = token.type
    accepts = _accepted(error)
    start = token.start_pos if token.start_pos is not None else len(source.text)
    span = Span(source, start, max(start + 1, token.end_pos or start))
    if kind == "$END" or (kind == "_NL" and "\n" in token):
        start = _code_end(source, start)
        span = Span(source, start, start + 1)
    if kind == "_INDENT":
        end = token.end_pos
        return Diagnostic(INDENT_UNEXPECTED, Span(source, end - len(token), end))
    if "_INDENT" in accepts and kind != "_INDENT" and "_NL" not in accepts:
        return Diagnostic(BLOCK_EXPECTED, span)
    line = source.position(min(start, len(source.text)))[0]
    word = _first_word(source, line)
    if kind == "_NL" and "COLON" in accepts and word in _OPENS_BLOCK:
        return Diagnostic(COLON_MISSING, span)
    opened, closed = _open_bracket(text, start)
    notes: tuple[Note, ...] = ()
    if opened is not None and source.position(opened)[0] < line:
        place = Span(source, opened, opened + 1)
        if not closed:
            return Diagnostic(BRACKET_OPEN, place, {"bracket": text[opened]})
        notes = (Note(f"'{text[opened]}' is open since line {{line}}", place),)
    if kind == "$END" and "RPAR" in accepts:
        return Diagnostic(BRACKET_OPEN, span, {"bracket": "("})
    found = {"_NL": "the end of the line", "$END": "the end of the text", "_DEDENT": "the end of the block"}.get(
        kind, f"'{visible(str(token))}'"
    )
    help = _hint(source, text, start, word, kind)
    before = text[source.position_of(line) : start]
    if not help and len(word) > 2 and "=" not in before and (help := _misspelt(source, line, word)):
        at = text.index(word, source.position_of(line))
        span, found = Span(source, at, at + len(word)), f"'{word}'"
    return Diagnostic(
        UNEXPECTED, span, {"found": found}, notes, help or _expected(accepts - {kind, str(token).upper()})
    )


def _accepted(error: UnexpectedToken) -> set[str]:
    """The terminals that could stand in the place of a token: those that lead to a shift.

    Lark's own `accepts` comes to the same by copies of the parser, which takes most of the time of a wrong program.
    """
    conf, stack = error.state.parse_conf, error.state.state_stack
    return {name for name in conf.states[stack[-1]] if name.isupper() and _is_shifted(conf, list(stack), name)}


def _is_shifted(conf, stack: list[int], name: str) -> bool:
    states = conf.states
    while (step := states[stack[-1]].get(name)) is not None:
        action, rule = step
        if action is Shift:
            return True
        if rule.expansion:
            del stack[-len(rule.expansion) :]
        stack.append(states[stack[-1]][rule.origin.name][1])
        if name == "$END" and stack[-1] == conf.end_state:
            return True
    return False


def _first_word(source: Source, line: int) -> str:
    match = re.match(r"\s*([^\W\d]\w*)", source.line_text(line))
    return match[1] if match else ""


def _in_session(source: Source, line: int) -> bool:
    """Whether a line stands in the body of a session."""
    if not source.line_text(line)[:1].isspace():
        return False
    for above in range(line - 1, 0, -1):
        text = source.line_text(above)
        if text.strip() and not text[0].isspace() and text[0] != "#":
            return _first_word(source, above) == "session"
    return False


def _hint(source: Source, text: str, start: int, word: str, kind: str) -> str:
    """A help line for what is often written; nothing for anything else."""
    line = source.position(min(start, len(source.text)))[0]
    row = source.line_text(line).strip()
    if kind == "EQUAL" and text[start - 1 : start] in tuple("+-*/%@"):
        return "write x = x + ... in a 'for'; to change a variable while it runs: assign_add(x, ...)"
    if kind == "EQUAL" and word in ("if", "elif", "while", "stop", "expect"):
        return "to compare, write: =="
    if kind == "STRING" and text[start - 2 : start] == '""':
        return 'a string stands between single " marks; a line break in it is written \\n'
    if kind == "VBAR":
        return "write: or"
    before = text[source.position_of(line) : start]
    foreign = re.search(r"(?:^|\s)(\w+)\s+$", before)
    for one in (word, foreign[1] if foreign else ""):
        if one in _NO_STATEMENTS:
            return f"the language has no '{one}'"
    inner = re.search(r":\s*(\w+)\s+$", before)
    if inner and inner[1] in _OPENS_BLOCK:
        return f"'{inner[1]}' has a block of its own: write it on the next line, indented"
    if word == "placeholder":
        return "a placeholder has a type, as in: placeholder X: float32[?, 3]" if ":" not in row else ""
    if word in ("elif", "else"):
        return f"'{word}' follows the block of an 'if', in the same column"
    if _in_session(source, line):
        if word in _GRAPH_WORDS and word not in _SESSION_WORDS:
            return f"'{word}' belongs to the graph: put it before the session"
        if re.match(r"[^\W\d]\w*\s*(,\s*[^\W\d]\w*\s*)*=(?!=)", row) and word not in _SESSION_WORDS:
            return "a session binds no names: put this line before the session"
    elif word in _SESSION_WORDS and word not in _GRAPH_WORDS and not re.match(r"\w+\s*[=(.\[]", row):
        return f"'{word}' can only stand in a session"
    return ""


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


def _misspelt(source: Source, line: int, word: str) -> str:
    """A help line where the line starts with a word that is nearly a statement."""
    words = _SESSION_WORDS if _in_session(source, line) else _GRAPH_WORDS
    return "" if not word or word in words else did_you_mean(word, words)
