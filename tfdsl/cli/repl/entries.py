"""Divides what is typed or piped into entries, and says what an entry is: declarations, or statements of a session."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise

from ...diagnostics import Diagnostic, TfgError
from ...record import Record, replace
from ...source import Source, Span
from ...syntax import tree as t
from ...syntax.fragments import SESSION_ONLY, next_code, word_of
from ...syntax.lexer import Token
from ...syntax.line_tokens import line_tokens, opening
from ...syntax.parse import parse

_CONTINUES = re.compile(r"[\s)\]}|]|(?:else|elif)\b")


_EVALUATES = re.compile(r"([\w\s,]*=)?\s*evaluate\b")


class Parsed(Record):
    """What was entered: declarations of the graph, and what sessions are to do."""

    declarations: tuple[t.Statement, ...]
    sessions: tuple[t.Session, ...]


def is_complete(text: str) -> bool:
    """Whether an entry can end here: brackets are closed, and a block has been ended by an empty line."""
    tokens, last = list(line_tokens(text)), text.rpartition("\n")[2]
    if sum(map(opening, tokens)) > 0:
        return False
    if not last.strip():
        return True
    kinds = [token.kind for token in tokens if token.kind != "_NL"]
    in_block = "\n" in text and (last[0].isspace() or any(map(_opens, pairwise(tokens))))
    return not in_block and (not kinds or kinds[-1] not in ("VBAR", "COLON"))


def _opens(tokens: tuple[Token, Token]) -> bool:
    """Whether the first of two tokens ends a line and opens a block."""
    return tokens[0].kind == "COLON" and tokens[1].kind == "_NL"


def divided(lines: Iterable[str]) -> Iterator[str]:
    """The entries of piped lines. Each begins at a line that is not indented and does not continue the line above."""
    held: list[str] = []
    for line in lines:
        line = line.rstrip("\r\n")
        before = "\n".join(held)
        starts = line.strip() and not _CONTINUES.match(line) and sum(map(opening, line_tokens(before))) <= 0
        if starts and has_code(before):
            yield before
            held = []
        held.append(line)
    if has_code("\n".join(held)):
        yield "\n".join(held)


def has_code(text: str) -> bool:
    """Whether a text has more than empty lines and comments."""
    return next_code(text, 0) is not None


_INDENT = "    "


def in_session(text: str) -> str:
    """Statements as the body of a session."""
    return f"session:\n{_INDENT}" + text.replace("\n", f"\n{_INDENT}")


class _InSession(Source):
    """Statements as the body of a session, with their places in the typed text. `word` was put in front of the text."""

    def __init__(self, path: str, text: str, word: str = ""):
        super().__init__(path, in_session(word + text))
        self._first: int = len(_INDENT) + len(word)

    def _added(self, line: int) -> int:
        """How many characters at the beginning of a line were not typed."""
        return self._first if line == 1 else len(_INDENT)

    def position(self, offset: int) -> tuple[int, int]:
        line, column = super().position(offset)
        return (1, 1) if line == 1 else (line - 1, max(column - self._added(line - 1), 1))

    def position_of(self, line: int) -> int:
        return super().position_of(line + 1) + self._added(line)

    def line_text(self, line: int) -> str:
        return super().line_text(line + 1)[self._added(line) :]

    def named_by(self, one: Diagnostic) -> Diagnostic:
        """A diagnostic about the text of the session, with its places moved to this source."""
        notes = tuple(replace(note, span=self._here(note.span)) for note in one.notes)
        return replace(one, span=self._here(one.span), notes=notes)

    def _here(self, span: Span | None) -> Span | None:
        return span and replace(span, source=self)


def parsed(path: str, text: str) -> Parsed:
    """An entry as trees. Raises `TfgError` for a text that is neither declarations nor statements."""
    entry = _InSession(path, text)
    try:
        file = parse(Source(path, text))
        if _is_word(file, SESSION_ONLY):  # `init` alone
            with suppress(TfgError):
                return _of_file(parse(entry))
        return _of_file(file)
    except TfgError as error:
        as_declaration = error
    try:
        parse(Source(path, entry.text))  # its hints look at the lines around an error
    except TfgError as error:
        with suppress(TfgError):  # `y with X = [[1]]`
            return _of_file(parse(_InSession(path, text, "print ")))
        if word_of(text.lstrip()) not in SESSION_ONLY and not _EVALUATES.match(text):
            raise as_declaration from None
        raise TfgError([entry.named_by(one) for one in error.diagnostics]) from None
    return _of_file(parse(entry))


def _is_word(file: t.File, words: Collection[str]) -> bool:
    """Whether a text is one of some words and nothing else."""
    match file.body:
        case (t.ExpressionStatement(value=t.Name(id=name)),):
            return name in words
        case _:
            return False


def _of_file(file: t.File) -> Parsed:
    declarations: list[t.Statement] = []
    sessions: list[t.Session] = []
    for statement in file.body:
        if isinstance(statement, t.Session):
            sessions.append(statement)
        elif isinstance(statement, t.ExpressionStatement):
            shown = t.Print(statement.span, (statement.value,), ())
            sessions.append(t.Session(statement.span, None, None, (shown,)))
        else:
            declarations.append(statement)
    return Parsed(tuple(declarations), tuple(sessions))
