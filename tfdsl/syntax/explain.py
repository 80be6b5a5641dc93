"""Explains syntax errors: what stands where something else could stand, and what was probably meant."""

import re
from functools import cache
from unicodedata import combining, normalize

from ..diagnostics import (
    ASSIGN_TARGET,
    BLOCK_EXPECTED,
    BRACKET_OPEN,
    CHARACTER,
    COLON_MISSING,
    INDENT_UNEXPECTED,
    QUOTES,
    STRING_OPEN,
    UNEXPECTED,
    Diagnostic,
    Note,
)
from ..diagnostics.spelling import did_you_mean, visible
from ..source import Source, Span
from .assigned_parts import assigned_part
from .hints import (
    CURLY,
    FOREIGN,
    FORMS,
    OPENS_BLOCK,
    SESSION_WORDS,
    WHOLE_MODEL,
    code_of,
    empty_training,
    first_word,
    hint,
    misspelt,
    unindented,
    unit,
    unknown_word,
    unopened,
)
from .indenter import LayoutError
from .lexer import Token, UnexpectedCharacter
from .literals import BuildError
from .parser import Parser, UnexpectedToken
from .session_hints import session_hint
from .tables import tables

SyntaxFault = BuildError | LayoutError | UnexpectedCharacter | UnexpectedToken

# Names in messages of terminals that are neither one sign nor one word.
_NAMES = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "BYTES": "a string of bytes",
    "_NL": "the end of the line",
    "UNIT": "epochs, batches, steps or seconds", "IF_EXISTS": "'if exists'",
    "ORDER": "shuffled, ordered or sampled", "BEST": "lowest or highest", "BETTER": "lower or higher",
    "$END": "the end of the file",
    "_INDENT": "an indented block", "_DEDENT": "the end of the block",
    "BROKEN": "a statement", "BROKEN_BRANCH": "a branch", "BROKEN_SESSION": "a session",
}  # fmt: skip
_EXPRESSION = frozenset(
    ("NAME", "NUMBER", "STRING", "BYTES", "LPAR", "LSQB", "LBRACE", "PLUS", "MINUS", "NOT", "TRUE", "FALSE", "NONE")
)
_OPERATORS = frozenset(
    "PLUS MINUS STAR SLASH FLOORDIV PERCENT AT POW AND OR NOT IN IF LESSTHAN MORETHAN LPAR LSQB DOT".split()
)


def explained(error: SyntaxFault, source: Source, text: str, parser: Parser) -> Diagnostic:
    """The diagnostic of a syntax error."""
    match error:
        case BuildError():
            help = error.help
            if error.message is ASSIGN_TARGET and not help:
                help = assigned_part(source, code_of(source.line_text(error.span.line)).strip())
            return Diagnostic(error.message, error.span, error.details, help=help)
        case LayoutError():
            notes: tuple[Note, ...] = ()
            if (at := error.other) is not None:
                notes = (Note(f"'{text[at]}' was opened on line {{line}}", Span(source, at, at + 1)),)
            return Diagnostic(error.message, Span(source, error.start, error.end), error.details, notes)
        case UnexpectedCharacter():
            return _unexpected_character(source, text, error.at)
        case UnexpectedToken():
            return _unexpected_token(source, text, error.token, parser.accepted(error.entered))


_BEFORE_NOT = "and or if elif else while when expect return print in".split()
_BOUND = re.compile(r"\s*(?:(?:data|param|variable|shared|placeholder|set|feed)\s+)?[\w.]+(?:\s*:\s*[^=]*)?\s*")


def _unexpected_character(source: Source, text: str, at: int) -> Diagnostic:
    """The error of a character that begins no token."""
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
    help = _composed(text, at) if combining(character) else FOREIGN.get(character, "")
    if character == "!":
        help = _exclaimed(source.line_text(span.line)[: span.column - 1], text[at + 1 :])
    return Diagnostic(CHARACTER, span, {"character": f"'{visible(character)}'"}, help=help)


def _exclaimed(before: str, after: str) -> str:
    """A help line for a ! between the rest of its line and what follows."""
    if re.match(r"\s*=", after):
        return "leave ! out" if _BOUND.fullmatch(before) else "write: !="
    above = re.search(r"(\w+|[)\]\"])\s*$", before)
    return "write: not" if above is None or above[1] in _BEFORE_NOT else ""


def _composed(text: str, at: int) -> str:
    """A help line for an accent that is a character of its own, after its letter."""
    around = (re.search(r"\w*\Z", text[:at]), re.match(r"(?:\w|[\u0300-\u036f])*", text[at:]))
    word = normalize("NFC", "".join(part[0] for part in around if part))
    return f"a letter and its accent are one character in names: write {word}" if word.isidentifier() else ""


_BRACKETS = re.compile(r'#[^\n]*|"(?:\\.|[^"\\\n])*+"?|[()\[\]{}]')


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
        if match[0] in "([{":
            stack.append(match.start())
        elif match[0] in ")]}" and stack and stack.pop() == opened:
            return opened, True
    return (opened if found else stack[-1] if stack else None), False


def _unexpected_token(source: Source, text: str, token: Token, accepts: set[str]) -> Diagnostic:
    """The error of a token that stands where only the terminals `accepts` can stand."""
    kind, start = token.kind, token.start
    span = Span(source, start, max(start + 1, token.end))
    if kind == "$END" or (kind == "_NL" and "\n" in token):
        start = _code_end(source, start)
        span = Span(source, start, start + 1)
    if accepts == {"EQUAL", "COMMA"}:  # what follows shows that the first word begins no statement of a session
        first = re.search(r"(?:^|:)[ \t]*([^\W\d]\w*)\s*\Z", text[:start], re.MULTILINE)
        if first is not None:
            token, kind, accepts = Token.of("NAME", first[1], first.start(1), first.end(1)), "NAME", set[str]()
            start = first.start(1)
            span = Span(source, start, first.end(1))
    line = source.position(min(start, len(source.text)))[0]
    word = first_word(source, line)
    end = token.end
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
        help = unindented(source, _opening(source, opening), line) or empty_training(source, _opening(source, opening))
        return Diagnostic(BLOCK_EXPECTED, span, help=help)
    if kind == "_NL" and "COLON" in accepts and word in OPENS_BLOCK:
        is_empty = _indent(source, line + 1) <= _indent(source, line)
        return Diagnostic(COLON_MISSING, span, help=empty_training(source, line) if is_empty else "")
    opened, closed = _open_bracket(text, start)
    notes: tuple[Note, ...] = ()
    if opened is not None and (source.position(opened)[0] < line or kind == "VBAR"):  # no bracket has a | in it
        place = Span(source, opened, opened + 1)
        if not closed:
            return Diagnostic(BRACKET_OPEN, place, {"bracket": text[opened]})
        notes = (Note(f"'{text[opened]}' was opened on line {{line}}", place),)
    if kind == "$END" and "RPAR" in accepts:
        return Diagnostic(BRACKET_OPEN, span, {"bracket": "("})
    found = {"_NL": "the end of the line", "$END": "the end of the text", "_DEDENT": "the end of the block"}.get(
        kind, f"'{visible(str(token))}'"
    )
    help = session_hint(source, line)
    if not help and kind == "EQUAL":
        help = assigned_part(source, code_of(source.line_text(line)).strip())
    help = help or hint(source, text, start, word, kind)
    if opened is not None and help == "write: |":
        help = f"close '{text[opened]}' before the |"
    if opened is not None and text[opened] == "{" and kind in ("COMMA", "RBRACE") and "COLON" in accepts:
        help = 'there are no sets: write a list, [...]; a dictionary has pairs, as in columns={"age": float32}'
    before = text[source.position_of(line) : start]
    if not help and before.rstrip().endswith(":") and str(token) in OPENS_BLOCK:
        help = f"put '{token}' on its own line, and indent it: a block cannot follow a ':' on the same line"
    if not help and len(word) > 2 and "=" not in before and (help := misspelt(source, line, word)):
        at = source.text.index(word, source.position_of(line))
        span, found = Span(source, at, at + len(word)), f"'{word}'"
    if not help and "UNIT" in accepts and kind in ("NAME", "NUMBER"):
        help = unit(text[source.position_of(line) : _code_end(source, start)])
    if not help and kind == "NAME":
        words = {one for name in accepts for one in _words().get(name, ())}
        help = did_you_mean(str(token), sorted(words - {str(token)}))
    help = help or unknown_word(source, line, word) or _before_path(source, text, token, accepts)
    return Diagnostic(
        UNEXPECTED, span, {"found": found}, notes, help or _expected(accepts - {kind, str(token).upper()})
    )


def _before_path(source: Source, text: str, token: Token, accepts: set[str]) -> str:
    """A help line for a path without the word that belongs before it, or with another word."""
    words = ("TO", "FROM") if "PLUS" in accepts else ("TO", "FROM", "IN")  # after an expression, `in` is an operator
    wanted = next((one for one in words if one in accepts), None)
    other = re.match(r"(?:to|into|from|in|at|as)\s+(?=\")", text[token.start :])
    if wanted is None or (token.kind != "STRING" and other is None):
        return ""
    begin = source.position_of(source.position(token.start)[0])
    path = text[token.start + (other.end() if other else 0) : _code_end(source, token.start)]
    written = text[begin : token.start].strip()
    if doubled := re.fullmatch(r"((?:.*:\s*)?(\w+)\b.*?)\s+(?:to|into|from|in|at|as)", written):
        if doubled[2] not in ("save", "restore"):
            return f"its parts are in this order: {FORMS[doubled[2]]}" if doubled[2] in FORMS else ""
        written = doubled[1]
    whole = re.fullmatch(r"(?:.*:\s*)?(save|restore)\s+(\w+)", written)
    if whole and whole[2] in WHOLE_MODEL and not re.search(rf"(?m)^\s*(\w+\s+)?{whole[2]}\s*[:=]", text):
        written = written.removesuffix(whole[2]).strip()  # a word for all variables, which no line declares
    if re.search(rf'\b{wanted.lower()}\s+"', path):
        return ""
    behind = re.fullmatch(r'("[^"]*")\s+((?!if\b|with\b)[^\W\d].*)', path)
    if behind and re.fullmatch(r"(?:.*:\s*)?(save|restore)", written):  # the names stand before the path
        path, written = behind[1], f"{written} {behind[2]}"
    return f"write: {written} {wanted.lower()} {path}"


def terminal_name(terminal: str) -> str:
    """The name of a terminal in messages: the word or sign that it is, or what it can be."""
    return _NAMES.get(terminal) or _spellings()[terminal]


@cache
def _words() -> dict[str, tuple[str, ...]]:
    """The words that terminals can be, such as `shuffled` and `sampled`. A name can be any word."""
    patterns = {name: re.sub(r"\(\?[!=][^)]*\)|\\\w", "", pattern) for name, pattern in tables().keywords}
    return {name: tuple(re.findall(r"[a-z]{3,}", pattern)) for name, pattern in patterns.items()}


@cache
def _spellings() -> dict[str, str]:
    """The terminals that are one sign or one word."""
    made = tables()
    words = {name: re.match(r"\w*", pattern) for name, pattern in made.keywords}
    return {name: f"'{sign}'" for sign, name in made.symbols.items()} | {
        name: f"'{word[0]}'" for name, word in words.items() if word is not None
    }


def _expected(accepts: set[str]) -> str:
    """The expected terminals in words. Empty if the list would be long."""
    names = set(accepts)
    parts: list[str] = []
    if names >= _EXPRESSION:
        parts.append("an expression")
        names -= _EXPRESSION | {"LATER"}  # which only one op takes
    elif {"PLUS", "STAR"} <= names:
        names = {n for n in names if n not in _OPERATORS and not n.startswith("__ANON")}
    names -= {"_INDENT", "_DEDENT", "BROKEN", "BROKEN_BRANCH", "BROKEN_SESSION"}
    parts += sorted(map(terminal_name, names))
    if not parts or len(parts) > 6:
        return ""
    return "expected " + (parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1])
