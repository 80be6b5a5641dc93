"""Quick fixes: edits that follow the help of a message.

A fix is only offered if it works: the edited text is analysed, and must not have the message any more, nor a new one.
A fix loses nothing: it replaces a part of the program only with a part of the same kind that has all its words.
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
from ..syntax.hints import GRAPH_WORDS, SESSION_WORDS, code_of
from .text import Edit
from .workspace import Analysed, Document

_DID_YOU_MEAN = re.compile(r"did you mean '?([^'?]+)'?\?")
_WRITE = re.compile(r"\bwrite(?: it without quotes| it)?:? (.+)")
_TOP = re.compile(r"write at the top of the file: (.+)")
_CUTS = re.compile(r"; |, (?:or|and|if|which) | if |: (?=[a-z])")  # where code in a help line can end
_MOST = 5  # how many fixes are tried for a diagnostic
_WORDS = re.compile(r'"(?:\\.|[^"\\\n])*"?|#.*|[^\W\d]\w*|\d[\w.]*')
_NAME = r"[^\W\d][\w.]*"
_ARGUMENT = re.compile(r"([^\W\d]\w*)\s*=(?!=)")
_KEYWORDS = frozenset((*GRAPH_WORDS, *SESSION_WORDS))
_OPERATORS = frozenset("== | or and not".split())


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
        yield from _replaced(one, span, meant[1])
    if top := _TOP.search(help):
        yield f"Add '{top[1]}'", _at_top(document, top[1])
    elif wanted := _WRITE.search(help):
        for code in _readings(wanted[1]):
            for edit in _written(document, span, code):
                yield f"Write: {shortened(code)}", edit


def _replaced(one: Diagnostic, span: Span, meant: str) -> Iterator[tuple[str, Edit]]:
    """The word that is misspelt, in the place of a diagnostic, with another in its place."""
    title = f"Change to '{meant}'"
    details = [value for value in (one.details or {}).values() if isinstance(value, str) and value]
    for wrong in sorted((*details, span.text), key=lambda text: -_alike(text, meant)):
        at = span.text.rfind(wrong)
        if at >= 0:
            yield title, Edit(span.start + at, span.start + at + len(wrong), meant)
    if re.fullmatch(_NAME, meant):
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


# --- code that replaces other code --------------------------------------------------------------


def _written(document: Document, span: Span, code: str) -> Iterator[Edit]:
    """The edits that replace code that a diagnostic is about. Edits that change the fewest words come first."""
    wanted = _words(code)
    found: dict[tuple[int, int], int] = {}
    near = (node.span for node in t.trees(document.tree) if span.holds(node.span) or node.span.holds(span))
    for part in (span, _row(span), *near):
        text = _trimmed(part.text)
        if _keeps(text, span, code):
            words = _words(text)
            found[part.start, part.start + len(text)] = ((words - wanted) + (wanted - words)).total()
    for start, end in sorted(found, key=lambda one: (found[one], one[0] - one[1])):
        edit = Edit(start, end, code)
        if _is_code(document, edit):
            yield edit
    if _ARGUMENT.match(code):
        yield from _added(document, span, code)


def _row(span: Span) -> Span:
    """The line on which a place begins."""
    source = span.source
    line = source.position(span.start)[0]
    start, text = source.position_of(line), source.line_text(line)
    return Span(source, start + len(text) - len(text.lstrip()), start + len(text))


def _trimmed(text: str) -> str:
    """The text of a part, without a comment at its end."""
    before, newline, last = text.rpartition("\n")
    return before + newline + code_of(last).rstrip()


def _keeps(part: str, span: Span, code: str) -> bool:
    """Whether code has all words of the part that it would replace, except the wrong words."""
    argument, named = _ARGUMENT.match(part), _ARGUMENT.match(code)
    if argument and named and argument[1] == named[1]:
        return True  # another value for the argument
    lost = _words(part).keys() - _words(code).keys()
    wrong = re.match(_NAME, span.text)
    if wrong is not None and (wrong[0] == span.text or re.match(rf"{_NAME}\(", code)):
        lost -= {*wrong[0].split(".")}
    return lost <= _KEYWORDS.intersection(part.split()[:2])  # keywords that begin a statement


def _words(text: str) -> Counter[object]:
    """The names, numbers and comments in a text, including names and numbers in its strings."""
    found: Counter[object] = Counter()
    for word in _WORDS.findall(text):
        if word[0] == '"':
            found += _words(word.strip('"').replace("#", " "))
        elif word[0].isdigit():
            found[_number(word)] += 1
        else:
            found[word] += 1
    return found


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def _added(document: Document, span: Span, argument: str) -> Iterator[Edit]:
    """An edit that adds an argument at the end of a call, or of a data source or transform."""
    for node in t.trees(document.tree):
        if node.span == span and isinstance(node, t.Call | t.Stage):
            end = span.end - 1
            yield (
                Edit(end, end, f", {argument}" if node.arguments else argument)
                if span.text.endswith(")")
                else (Edit(span.end, span.end, f"({argument})"))
            )


def _is_code(document: Document, edit: Edit) -> bool:
    """Whether the new text is a part of the program, and of the same kind as the part that it replaces."""
    if edit.text in _OPERATORS:
        return True
    edited = document.workspace.edited({document.path: [edit]}).tree(document.path)[0]
    new = _kinds(edited, edit.start, edit.start + len(edit.text))
    old = _kinds(document.tree, edit.start, edit.end)
    return bool(new & old) if old else bool(new)


def _kinds(tree: t.File, start: int, end: int) -> set[str]:
    """The kinds of the trees that begin and end at two offsets. Empty for a part with a syntax error."""
    return {
        "expression" if isinstance(node, t.ExprTree) else "statement" if isinstance(node, t.StatementTree) else "part"
        for node in t.trees(tree)
        if node.span.start == start and start + len(_trimmed(node.span.text)) == end and not isinstance(node, t.Broken)
    }  # fmt: skip


def _works(document: Document, before: Analysed, one: Diagnostic, edit: Edit) -> bool:
    """Whether an edit removes a diagnostic, adds none, and keeps all names bound, except a misspelt one."""
    workspace = document.workspace.edited({document.path: [edit]})
    after = workspace.analysed(document.path)
    was, now = _counted(before.diagnostics), _counted(after.diagnostics)
    unbound = bound(document) - bound(workspace.document(document.path))
    return now[one.code] < was[one.code] and not now - was and unbound <= {document.source.text[edit.start : edit.end]}


def bound(document: Document) -> set[str]:
    """The names that a document binds."""
    return {one.symbol.name for one in document.symbols.occurrences if one.is_binding}


def _counted(diagnostics: list[Diagnostic]) -> Counter[str]:
    return Counter(one.code for one in diagnostics)
