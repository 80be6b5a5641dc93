"""Quick fixes: what the help of a message says, done to the text.

A fix is only offered if it works: the text with it is analysed, lacks the message, and has no other one instead.
"""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher

from ..diagnostics import COLON_MISSING, INDENT_TAB, Diagnostic
from ..diagnostics.spelling import shortened
from ..record import Record
from ..source import Span
from ..syntax import tree as t
from .text import Edit
from .workspace import Analysed, Document

_DID_YOU_MEAN = re.compile(r"did you mean '?([^'?]+)'?\?")
_WRITE = re.compile(r"\bwrite(?: it without quotes| it)?:? (.+)")
_TOP = re.compile(r"write at the top of the file: (.+)")
_CUTS = re.compile(r"; |, (?:or|and|if|with) | if |: (?=[a-z])")  # where the text of a help can end
_MOST = 5  # fixes of a diagnostic that are tried


class Fix(Record):
    """A change of a text that removes a diagnostic."""

    title: str
    edits: tuple[Edit, ...]
    diagnostic: Diagnostic


def fixes(document: Document, start: int, end: int) -> list[Fix]:
    """The fixes for what is wrong between two offsets."""
    analysed = document.analysed
    made: list[Fix] = []
    for one in analysed.diagnostics:
        span = one.span
        if span is None or span.source.path != document.path or span.start > end or span.end < start:
            continue
        tried = 0
        for title, edit in _candidates(document, one, span):
            if tried < _MOST and edit.text != document.source.text[edit.start : edit.end]:
                tried += 1
                if _works(document, analysed, one, edit):
                    made.append(Fix(title, (edit,), one))
                    break
    return made


def _candidates(document: Document, one: Diagnostic, span: Span) -> Iterator[tuple[str, Edit]]:
    """What the help of a diagnostic may mean, the likeliest first."""
    text, help = document.source.text, one.help_line
    if one.message is COLON_MISSING:
        yield "Insert ':'", Edit(span.start, span.start, ":")
    if one.message is INDENT_TAB:
        row = text.rfind("\n", 0, span.start) + 1
        indent = re.compile(r"[ \t]*").match(text, row)
        if indent is not None:
            yield "Indent with spaces", Edit(row, indent.end(), indent[0].replace("\t", "    "))
    if meant := _DID_YOU_MEAN.search(help):
        yield from _replaced(text, one, span, meant[1])
    if top := _TOP.search(help):
        yield f"Add '{top[1]}'", _at_top(document, top[1])
    elif wanted := _WRITE.search(help):
        for code in _readings(wanted[1]):
            title = f"Write: {shortened(code)}"
            yield title, Edit(span.start, span.end, code)
            statement = _statement_at(document, span)
            if statement is not None and statement != span:
                yield title, Edit(statement.start, statement.end, code)


def _replaced(text: str, one: Diagnostic, span: Span, meant: str) -> Iterator[tuple[str, Edit]]:
    """The word that is misspelt, in the place of a diagnostic, with another in its place."""
    title = f"Change to '{meant}'"
    details = one.details or {}
    for wrong in (details.get("name"), details.get("kind"), details.get("text"), span.text):
        if isinstance(wrong, str) and wrong:
            at = span.text.rfind(wrong)
            if at >= 0:
                yield title, Edit(span.start + at, span.start + at + len(wrong), meant)
    words = sorted(re.finditer(r"[^\W\d]\w*", span.text), key=lambda word: -_alike(word[0], meant))
    for word in words[:2]:
        yield title, Edit(span.start + word.start(), span.start + word.end(), meant)


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _readings(help: str) -> Iterator[str]:
    """The code that a help begins with: the whole, or up to where the sentence may go on."""
    ends = [len(help), *(one.start() for one in _CUTS.finditer(help))]
    for end in sorted(set(ends), reverse=True):
        code = help[:end].strip()
        if code and "..." not in code:
            yield code


def _at_top(document: Document, line: str) -> Edit:
    """A line in front of the first statement."""
    body = document.tree.body
    first = min((one.span.start for one in body), default=0)
    return Edit(first, first, f"{line}\n" if body and isinstance(body[0], t.Import) else f"{line}\n\n")


def _statement_at(document: Document, span: Span) -> Span | None:
    """The place of the statement around a place, without its block."""
    around = [one.statement.span for one in document.symbols.around if one.statement.span.holds(span)]
    return around[-1] if around else None


def _works(document: Document, before: Analysed, one: Diagnostic, edit: Edit) -> bool:
    """Whether an edit removes a diagnostic, and no other comes."""
    after = document.workspace.edited({document.path: [edit]}).analysed(document.path)
    was, now = _counted(before.diagnostics), _counted(after.diagnostics)
    return now[one.code] < was[one.code] and not (now - was)


def _counted(diagnostics: list[Diagnostic]) -> Counter[str]:
    return Counter(one.code for one in diagnostics)
