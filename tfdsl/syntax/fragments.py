"""Reads the text of a statement with a syntax error: where it ends, what kind it is, and the names that it binds."""

import re
from collections.abc import Collection

from ..diagnostics.spelling import nearest
from .hints import GRAPH_WORDS, SESSION_WORDS

SESSION_ONLY = frozenset(SESSION_WORDS) - frozenset(GRAPH_WORDS)
GRAPH_ONLY = frozenset(GRAPH_WORDS) - frozenset(SESSION_WORDS)
SESSION_BLOCKS = frozenset("train every after if elif else for".split())  # in a session; `after` is `after every`
BRANCHES = ("elif", "else")

_WORDS = frozenset((*GRAPH_WORDS, *SESSION_WORDS))
_NAME = r"[^\W\d]\w*"
_NAMES = rf"{_NAME}(?:[ \t]*,[ \t]*{_NAME})*"
_PIECE = re.compile(r'#[^\n]*|"(?:\\.|[^"\\\n])*+"?|[()\[\]{}]')
_CODE = re.compile(r"([ \t\f]*)[^\s#]")  # a line with code
_LINE = re.compile(r"^([ \t\f]*)(?=[^\s#])", re.M)  # the indentation of a line with code
_BLOCK = 4  # columns
_FIRST = re.compile(rf"[ \t]*({_NAME})")
_BINDS = re.compile(rf"[ \t]*{_NAMES},?[ \t]*=(?!=)")  # an assignment
_STARTS = re.compile(rf"[ \t]*({_NAME})(?:[ \t]+[\w\"(\[-]|[ \t]*:)")  # a word and its operand
_TARGETS = re.compile(  # what is in front of a `=`, or the name of a function without its word
    rf"([^=\"#(\[{{<>!]*|[(\[][^=\"#<>!]*[)\]][ \t]*)=(?!=)|({_NAME})[ \t]*\(.*\)[ \t]*:[ \t]*(?:#|$)"
)
_DECLARED = re.compile(rf"[ \t]*{_NAME}[ \t]+({_NAME})")
_IMPORT = re.compile(rf'[ \t]*import[ \t]+(?:({_NAME})|"(?:[^"\n]*/)?([^"/\n.]*))')
_BINDING = {  # how statements name what they bind, by their first words
    "": _TARGETS,
    **dict.fromkeys("param data placeholder variable shared scope graph def function".split(), _DECLARED),
    "for": re.compile(rf"[ \t]*for[ \t]+({_NAMES})"),
    "from": re.compile(r"[ \t]*from\b.*?\bimport\b(.*)"),
    "import": _IMPORT,
}
_EQUALS = re.compile(r"(?<![=<>!])=(?!=)")
_CALL = re.compile(rf"[ \t]*{_NAME}(?:\.{_NAME})*\(")
_LIST = re.compile(rf"[ \t]*{_NAMES},?[ \t]*")
_AS = re.compile(rf"\bas[ \t]+({_NAME})")
_IMPORTED = re.compile(rf"\s*{_NAME}(?:\s+as\s+{_NAME})?(?:\s*,\s*{_NAME}(?:\s+as\s+{_NAME})?)*\s*(?:#.*)?")
_AS_UNKNOWN = re.compile(rf'\bas\b(?![ \t]*(?:{_NAME}|"))')
_BOUND_BELOW = re.compile(rf"^[ \t]*({_NAMES}),?[ \t]*=(?!=)", re.M)
_PLAIN = re.compile(rf"(?<![\w.]){_NAME}")  # a name that is no member


def next_code(text: str, at: int) -> tuple[int, int] | None:
    """The start of the first line with code from the start of a line on, and the column of its code. None at the end
    of the text."""
    while at < len(text):
        if match := _CODE.match(text, at):
            return at, len(match[1])
        at = _line_end(text, at) + 1
    return None


def tab_columns(text: str) -> dict[int, int]:
    """The columns that lines indented with tabs most likely mean, by the offsets of the lines: further in than a line
    above that opens a block, as far as the lines below it; otherwise as an earlier line with the same tabs, or as the
    line above."""
    lines = [(match.start(), match[1]) for match in _LINE.finditer(text)]
    plain = [0]  # the columns of the next lines without tabs
    for _, indent in reversed(lines):
        plain.append(plain[-1] if "\t" in indent else len(indent))
    columns: dict[int, int] = {}
    meant: dict[str, int] = {}  # by the indentation
    above, opens = 0, False
    for number, (at, indent) in enumerate(lines):
        column = len(indent)
        if "\t" in indent:
            below = plain[len(lines) - number - 1]
            if opens:
                column = meant[indent] = below if below > above else above + _BLOCK
            else:
                column = min(meant.get(indent, above), above)
            columns[at] = column
        code = _PIECE.sub(lambda match: "" if match[0][0] == "#" else match[0], text[at : _line_end(text, at)])
        above, opens = column, code.rstrip().endswith(":")
    return columns


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return end if end >= 0 else len(text)


def end_of(text: str, start: int, level: int, opens: bool) -> int:
    """The line end that ends a statement with a syntax error in a block at the column `level`. `opens` says whether
    the statement has a block.

    Open brackets hold lines together, up to one that certainly begins a statement. If they are never closed, they hold
    those that are further in.
    """
    depth, further = 0, None  # the end of the lines that are further in
    at, end = start, _line_end(text, start)
    while True:
        for match in _PIECE.finditer(text, at, end):
            depth = max(0, depth + (match[0] in "([{") - (match[0] in ")]}"))
        following = next_code(text, end + 1)
        if following is None:
            return end if depth == 0 or further is None else further
        begin, column = following
        sign = text[begin + column]
        if sign != "|":  # otherwise the line goes on
            if depth == 0:
                return end
            if column > level:
                if opens and (text[at:end].partition("#")[0].rstrip().endswith(":") or begins(text, begin)):
                    return end
            elif sign not in ")]}":
                further = end if further is None else further
                if begins(text, begin):
                    return further
        at, end = begin, _line_end(text, begin)


def end_of_block(text: str, end: int, level: int) -> int:
    """The line end that ends all lines that are further in than a column, after the line end `end`, and the brackets
    that close what they open."""
    while (following := next_code(text, end + 1)) is not None:
        begin, column = following
        if column <= level and text[begin + column] not in ")]}|":
            break
        end = _line_end(text, begin)
    return end


def end_of_branches(text: str, end: int, level: int) -> int:
    """The line end that ends all branches of an `if` in a column, after the line end `end`."""
    while (following := next_code(text, end + 1)) is not None:
        begin, column = following
        if column != level or word_of(text[begin : _line_end(text, begin)]) not in BRANCHES:
            break
        end = end_of_block(text, end_of(text, begin, level, opens=True), level)
    return end


def end_of_session(text: str, end: int) -> int:
    """The line end that ends all statements that can only be in a session, after the line end `end`."""
    while (following := next_code(text, end + 1)) is not None:
        begin, column = following
        if word_of(text[begin : _line_end(text, begin)]) not in SESSION_ONLY:
            break
        end = end_of_block(text, end_of(text, begin, column, opens=True), column)
    return end


def is_of_session(block: str) -> bool:
    """Whether the block that a text begins with has a statement that can only be in a session."""
    return _has_statement(block, SESSION_ONLY)


def is_of_graph(block: str) -> bool:
    """Whether the block that a text begins with has a statement that can only be in the graph half."""
    return _has_statement(block, GRAPH_ONLY)


def _has_statement(block: str, words: Collection[str]) -> bool:
    at, level = 0, None
    while (following := next_code(block, at)) is not None and following[1] >= (level or 0):
        begin, column = following
        at, level = _line_end(block, begin), column if level is None else level
        if column == level and word_of(block[begin:at]) in words:
            return True
    return False


def begins(text: str, at: int) -> bool:
    """Whether the line that starts here certainly begins a statement: it is an assignment, or has a word of the
    language and its operand."""
    if _BINDS.match(text, at):
        return True
    match = _STARTS.match(text, at)
    return match is not None and match[1] in _WORDS


def word_of(text: str) -> str:
    """The word of the language that a statement most likely begins with. "" if there is none."""
    match = _FIRST.match(text)
    if match is None or _BINDS.match(text):
        return ""
    if match[1] in _WORDS:
        return match[1]
    is_operand = _STARTS.match(text) is not None
    return (nearest(match[1], _WORDS) or "") if is_operand and len(match[1]) > 2 else ""


def bound(text: str) -> tuple[list[tuple[int, int]], bool]:
    """The places of the names that a statement with a syntax error most likely binds, and whether it binds names that
    cannot be read."""
    line, word = text[: _line_end(text, 0)], word_of(text)
    named = [match.span(1) for match in _AS.finditer(line)]
    for match in _BOUND_BELOW.finditer(text, len(line)):  # in lines that an open bracket holds together with the first
        named += [one.span() for one in _PLAIN.finditer(text, *match.span(1))]
    if _AS_UNKNOWN.search(line):
        return named, True
    pattern = _BINDING.get(word)
    if pattern is None or (pattern is _IMPORT and named):
        return named, word in ("optimize", "apply") and not named
    match = pattern.match(line)
    part = match.span(match.lastindex or 0) if match else (0, 0)
    names = [one.span() for one in _PLAIN.finditer(line, *part)]
    is_unread = not names or (word == "from" and _IMPORTED.fullmatch(line, *part) is None)
    if pattern is _TARGETS:  # not of a call
        is_unread = _EQUALS.search(line) is not None and _CALL.match(line) is None
        is_unread &= not names or _LIST.fullmatch(line, *part) is None or line[slice(*names[0])] in _BINDING
    return named + names, is_unread
