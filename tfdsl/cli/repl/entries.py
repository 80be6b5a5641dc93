"""Divides what is typed or piped into entries, and says what an entry is: declarations, or statements of a session."""

import re
from collections.abc import Iterable, Iterator

from ...diagnostics import TfgError
from ...record import Record
from ...source import Source
from ...syntax import tree as t
from ...syntax.hints import SESSION_WORDS
from ...syntax.parse import parse, whole

_CONTINUES = re.compile(r"[\s)\]}|]|(?:else|elif)\b")
_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*')


class Parsed(Record):
    """What was entered: declarations of the graph, and what sessions are to do."""

    declarations: tuple[t.Statement, ...]
    sessions: tuple[t.Session, ...]


def open_brackets(text: str) -> int:
    """How many brackets of a text are not closed."""
    bare = _QUOTED.sub("", text)
    return sum(bare.count(one) for one in "([{") - sum(bare.count(one) for one in ")]}")


def is_complete(text: str) -> bool:
    """Whether an entry can end here: brackets are closed, and a block has been ended by an empty line."""
    lines = text.split("\n")
    if open_brackets(text) > 0:
        return False
    last = _QUOTED.sub("", lines[-1]).rstrip()
    if not last:
        return True
    return not last.endswith(("|", ":")) and (len(lines) == 1 or not (lines[-1][:1].isspace() or _opens(lines)))


def _opens(lines: list[str]) -> bool:
    """Whether an earlier line begins a block, which an empty line would end."""
    return any(_QUOTED.sub("", line).rstrip().endswith(":") for line in lines)


def divided(lines: Iterable[str]) -> Iterator[str]:
    """The entries of piped lines: each begins at a line that is not indented and continues none."""
    held: list[str] = []
    for line in lines:
        line = line.rstrip("\r\n")
        starts = line.strip() and not _CONTINUES.match(line) and open_brackets("\n".join(held)) <= 0
        if starts and any(map(_says_something, held)):
            yield "\n".join(held)
            held = []
        held.append(line)
    if any(map(_says_something, held)):
        yield "\n".join(held)


def _says_something(line: str) -> bool:
    """Whether a line is more than empty or a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def parsed(path: str, text: str) -> Parsed:
    """An entry as trees. Raises `TfgError` for a text that is neither declarations nor statements."""
    try:
        return _of_file(parse(Source(path, text)))
    except TfgError as error:
        as_declaration = error
    try:
        inside = "session:\n" + "\n".join(f"    {line}" if line.strip() else "" for line in whole(text).split("\n"))
        return _of_file(parse(Source(path, inside)))
    except TfgError as error:
        word = re.match(r"\s*(\w*)", text)
        is_statement = word is not None and word[1] in SESSION_WORDS and word[1] not in ("if", "for", "elif", "else")
        raise (error if is_statement else as_declaration) from None


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
