"""Formats a program in canonical form: text in, text out. `tfdsl fmt` uses it.

Only the space between tokens changes. Names, numbers, strings, brackets and comments stay the same. The rules:

- Blocks are indented by four spaces. At most two blank lines are kept at the top level and one in a block, none at
  the start of a block or at the ends of the file.
- One space goes around operators, after commas and around `=`; none around `**`, in slices, after a sign, around the
  `=` of a keyword argument, and inside brackets.
- The `=` of params on consecutive lines are aligned. So are trailing comments on consecutive lines, two spaces after
  the longest line.
- The content of brackets goes on one line if that is at most `WIDTH` wide. Otherwise the largest brackets are
  opened: their content gets a separate line or, if that is too wide, one line per argument and as few lines as
  possible for the elements of a list. Brackets with comments in them keep their lines.
- A declaration of data that is too wide gets a line for each transform.
"""

import bisect
import dataclasses
import re
from collections.abc import Iterator
from itertools import groupby

from ..limits import Clock, Limits
from ..source import Source
from . import tree as t
from .parse import parse, whole

WIDTH = 100
_WORTH_OPENING = 30  # characters in brackets; opening shorter ones makes a line no easier to read
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<newline>\r?\n)|(?P<space>[ \t\f]+)|(?P<string>b?"(?:[^"\\\n]|\\.)*")
    |(?P<number>0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:(?:\d[\d_]*)?\.\d[\d_]*|\d[\d_]*\.?)(?:[eE][+-]?[\d_]+)?)
    |(?P<name>[^\W\d]\w*)|(?P<op>\.\.\.|\*\*|//|->|[<>=!]=|.)""",
    re.VERBOSE,
)
_OPEN, _CLOSE = "([{", ")]}"


@dataclasses.dataclass(slots=True)
class _Token:
    """A token of the text at an offset. `tight_before` and `tight_after` mean no space on that side."""

    text: str
    kind: str
    start: int
    tight_before: bool = False
    tight_after: bool = False


@dataclasses.dataclass(slots=True)
class _Line:
    """The line of a statement, a comment, or a blank line. `parts` are its lines without the comment."""

    level: int
    parts: list[str]
    comment: str = ""
    word: str = ""  # the first word
    equals: int = -1  # the position of the = of a param


def format_text(source: Source, limits: Limits | None = None) -> str:
    """The canonical form of a program. Raises `TfgError` if it does not parse."""
    limits = limits or Limits()
    clock = Clock(limits)
    tree = parse(source, limits, clock)
    if not source.text.strip():
        return ""
    before = whole(source.text)
    tokens = _tokens(before)
    _mark(tokens, tree)
    lines = _blank_lines(list(_lines(tokens, before)))
    _align_params(lines)
    text = _with_comments(lines)
    if text != source.text:
        assert _plain(parse(Source(source.path, text), limits, clock)) == _plain(tree), "formatting changed the program"
    return text


def _plain(tree: t.Part) -> list[object]:
    """The content of a tree in order, without its places."""
    parts: list[object] = []
    todo: list[t.Part] = [tree]
    while todo:
        one = todo.pop()
        if isinstance(one, t.Tree):
            parts.append(type(one))
            todo += [getattr(one, field.name) for field in dataclasses.fields(one) if field.name != "span"]
        elif isinstance(one, tuple):
            parts.append(len(one))
            todo += one
        else:
            parts += (type(one), one)
    return parts


# --- tokens -----------------------------------------------------------------------------------


def _tokens(text: str) -> list[_Token]:
    found = ((m[0], m.lastgroup or "", m.start()) for m in _TOKEN.finditer(text))
    tokens = [_Token(part, kind, start) for part, kind, start in found if kind != "space"]
    return [*tokens, _Token("\n", "newline", len(text))]


def _walk(tree: t.Part) -> Iterator[t.Tree]:
    todo: list[t.Part] = [tree]
    while todo:
        one = todo.pop()
        if isinstance(one, t.Tree):
            yield one
            todo += [getattr(one, field.name) for field in dataclasses.fields(one)]
        elif isinstance(one, tuple):
            todo += one


def _mark(tokens: list[_Token], tree: t.File) -> None:
    """Decide which tokens have no space before or after them."""
    at = {token.start: number for number, token in enumerate(tokens)}
    starts, partners = sorted(at), _partners(tokens)
    typed: set[int] = set()  # offsets of colons before types in brackets

    def first(texts: str | tuple[str, ...], start: int) -> _Token:
        """The first token with one of these texts from an offset on."""
        number = bisect.bisect_left(starts, start)
        while tokens[number].text not in texts:
            number += 1
        return tokens[number]

    for node in _walk(tree):
        match node:
            case t.Unary(op="-" | "+"):
                first(("-", "+"), node.span.start).tight_after = True
            case t.Call() | t.Index():
                # Its arguments end it, unless brackets surround the whole.
                start, end = at[node.span.start], at[node.span.end - 1]
                while partners[end] == start:
                    start, end = _after(tokens, start), _before(tokens, end)
                tokens[partners[end]].tight_before = True
            case t.Type() if node.dims is not None:
                first(("[",), node.span.start).tight_before = True
            case t.Stage():
                after = first((node.name,), node.span.start)
                following = tokens[_after(tokens, at[after.start])]
                following.tight_before |= following.text == "("
            case t.Def() | t.GraphFunction():
                first(("(",), node.target.span.start).tight_before = True
            case t.FunctionInput() | t.FunctionOutput():
                colon = first((":", ",", ")"), node.span.start)
                typed.add(colon.start)
            case t.Argument() if node.name is not None:
                equals = first(("=",), node.span.start)
                equals.tight_before = equals.tight_after = True
            case _:
                pass
    opened: list[str] = []
    before = None  # the previous token of code
    for token in tokens:
        depth = len(opened)
        if token.text in _OPEN:
            opened.append(token.text)
            token.tight_after = True
        elif token.text in _CLOSE:
            opened.pop()
            token.tight_before = True
        elif token.text in (",", ":"):
            token.tight_before = True
            token.tight_after = token.text == ":" and depth > 0 and opened[-1] != "{" and token.start not in typed
        elif token.text in ("**", ".") or (token.text == "=" and depth > 0):
            token.tight_after = True
            # A number directly followed by a dot would become a different number.
            token.tight_before = token.text != "." or before is None or before.kind != "number"
        if token.text in (":", "**") and depth > 0 and before is not None and before.text == ",":
            token.tight_before = False
        if token.kind not in ("comment", "newline"):
            before = token


def _after(tokens: list[_Token], number: int) -> int:
    """The index of the next token of code, or of the last token."""
    number += 1
    while tokens[number].kind in ("comment", "newline") and number + 1 < len(tokens):
        number += 1
    return number


def _before(tokens: list[_Token], number: int) -> int:
    """The index of the previous token of code."""
    number -= 1
    while tokens[number].kind in ("comment", "newline"):
        number -= 1
    return number


def _partners(tokens: list[_Token]) -> dict[int, int]:
    """The indices of matching brackets, in both directions."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    for number, token in enumerate(tokens):
        if token.kind == "op" and token.text in _OPEN:
            opened.append(number)
        elif token.kind == "op" and token.text in _CLOSE:
            partners[number] = start = opened.pop()
            partners[start] = number
    return partners


# --- lines ------------------------------------------------------------------------------------


def _lines(tokens: list[_Token], text: str) -> Iterator[_Line]:
    """The logical lines of a text, each laid out at its level."""
    indents, opens = [0], False
    line: list[_Token] = []
    depth = 0
    blank = True
    for token in tokens:
        if token.kind == "newline" and depth == 0:
            if not line:
                if blank:
                    yield _Line(0, [])
                blank = True
                continue
            column = _column(text, line[0].start)
            if line[0].kind == "comment":
                level = sum(indent <= column for indent in indents) - 1
                level += opens and column > indents[-1]
                yield _Line(max(level, 0), [], line[0].text.rstrip())
            else:
                while column < indents[-1]:
                    indents.pop()
                if column > indents[-1]:
                    indents.append(column)
                code = [one for one in line if one.kind != "comment"]
                opens = code[-1].text == ":"
                yield _laid_out(line, len(indents) - 1)
            line, blank = [], True
            continue
        depth += (token.text in _OPEN) - (token.text in _CLOSE) if token.kind == "op" else 0
        line.append(token)


def _column(text: str, start: int) -> int:
    return start - (text.rfind("\n", 0, start) + 1)


def _laid_out(line: list[_Token], level: int) -> _Line:
    comment = line.pop().text.rstrip() if line[-1].kind == "comment" else ""
    word = line[0].text
    if any(token.kind == "comment" for token in line):
        return _Line(level, _as_they_are(line, level), comment, word)
    code = [token for token in line if token.kind != "newline"]
    parts = _stages(code, 4 * level) if word == "data" else _filled(code, 4 * level)
    equals = next((n for n, token in enumerate(code) if token.text == "="), 0)
    place = len(_joined(code[:equals])) if word == "param" and len(parts) == 1 and equals else -1
    return _Line(level, parts, comment, word, place)


def _joined(tokens: list[_Token]) -> str:
    text = ""
    for before, token in zip([None, *tokens], tokens, strict=False):
        tight = before is None or before.tight_after or token.tight_before
        text += token.text if tight else f" {token.text}"
    return text


def _filled(tokens: list[_Token], indent: int) -> list[str]:
    """Tokens on one line if they fit, otherwise with their largest brackets opened."""
    whole = _joined(tokens)
    # If brackets are nested deeper than a line is wide, opening more of them does not help.
    opened = _largest(tokens) if indent + len(whole) > WIDTH > indent else None
    if opened is None:
        return [" " * indent + whole]
    start, end = opened
    inner = tokens[start + 1 : end]
    body = _joined(inner)
    if indent + 4 + len(body) <= WIDTH:
        lines = [" " * (indent + 4) + body]
    else:
        elements = _elements(inner)
        if tokens[start].text == "[":
            elements = _packed(elements, indent + 4)
        lines = [part for one in elements for part in _filled(one, indent + 4)]
    return [" " * indent + _joined(tokens[: start + 1]), *lines, " " * indent + _joined(tokens[end:])]


def _stages(tokens: list[_Token], indent: int) -> list[str]:
    """The declaration of data on one line if it fits, otherwise with a line for each of its transforms."""
    bars = [number for number, token in enumerate(tokens) if token.text == "|" and token.kind == "op"]
    if indent + len(_joined(tokens)) <= WIDTH or not bars:
        return _filled(tokens, indent)
    rest = (tokens[start:end] for start, end in zip(bars, [*bars[1:], len(tokens)]))
    return [*_filled(tokens[: bars[0]], indent), *(part for one in rest for part in _filled(one, indent + 4))]


def _largest(tokens: list[_Token]) -> tuple[int, int] | None:
    """The outermost brackets with the most content, if opening them is worthwhile."""
    pairs: list[tuple[int, int, int]] = []
    depth, start = 0, 0
    for number, token in enumerate(tokens):
        if token.kind == "op" and token.text in _OPEN:
            start = start if depth else number
            depth += 1
        elif token.kind == "op" and token.text in _CLOSE:
            depth -= 1
            if depth == 0:
                pairs.append((len(_joined(tokens[start + 1 : number])), -number, start))
    if not pairs or max(pairs)[0] < _WORTH_OPENING:
        return None
    _, end, start = max(pairs)
    return start, -end


def _elements(tokens: list[_Token]) -> list[list[_Token]]:
    """The parts between commas, each with its comma."""
    elements: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "op":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
        elements[-1].append(token)
        if token.text == "," and depth == 0:
            elements.append([])
    return [element for element in elements if element]


def _packed(elements: list[list[_Token]], indent: int) -> list[list[_Token]]:
    """The elements of a list, as many on each line as fit."""
    lines: list[list[_Token]] = []
    for element in elements:
        if lines and indent + len(_joined(lines[-1] + element)) <= WIDTH:
            lines[-1] = lines[-1] + element
        else:
            lines.append(element)
    return lines


def _as_they_are(line: list[_Token], level: int) -> list[str]:
    """A line with comments inside its brackets, with its lines unchanged."""
    parts: list[str] = []
    depth = 0
    for is_end, group in groupby(line, key=lambda token: token.kind == "newline"):
        if is_end:
            parts += [""] * (sum(1 for _ in group) > 1)
            continue
        tokens = list(group)
        closing = 0
        while closing < len(tokens) and tokens[closing].text in _CLOSE:
            closing += 1
        code = [token for token in tokens if token.kind != "comment"]
        comment = tokens[-1].text.rstrip() if tokens[-1].kind == "comment" else ""
        indent = " " * (4 * (level + max(depth - closing, 0)))
        parts.append(indent + "  ".join(filter(None, (_joined(code), comment))))
        depth += sum((one.text in _OPEN) - (one.text in _CLOSE) for one in code if one.kind == "op")
    return parts


# --- the page ---------------------------------------------------------------------------------


def _blank_lines(lines: list[_Line]) -> list[_Line]:
    """Drop blank lines at the ends and at the start of blocks, and keep at most one or two elsewhere."""
    result: list[_Line] = []
    blanks = 0
    for line in lines:
        if not line.parts and not line.comment:
            blanks += 1
            continue
        before = result[-1] if result else None
        if before is not None and not (line.level > before.level and before.parts):
            blanks = 0 if line.word in ("elif", "else") else blanks
            result += [_Line(0, [])] * min(blanks, 1 if line.level else 2)
        blanks = 0
        result.append(line)
    return result


def _align_params(lines: list[_Line]) -> None:
    for (is_param, _), group in groupby(lines, key=lambda line: (line.equals >= 0, line.level)):
        run = list(group)
        if not is_param:
            continue
        widest = max(line.equals for line in run)
        for line in run:
            cut = 4 * line.level + line.equals
            line.parts = [line.parts[0][:cut] + " " * (widest - line.equals) + line.parts[0][cut:]]


def _with_comments(lines: list[_Line]) -> str:
    """The text, with trailing comments on consecutive lines in one column."""
    text = ""
    for trailing, group in groupby(lines, key=lambda line: bool(line.parts and line.comment)):
        run = list(group)
        width = max(len(line.parts[-1]) for line in run) + 2 if trailing else 0
        for line in run:
            if trailing:
                parts = [*line.parts[:-1], f"{line.parts[-1]:<{width}}{line.comment}"]
            else:
                parts = line.parts or [" " * (4 * line.level) + line.comment]
            text += "".join(part.rstrip() + "\n" for part in parts)
    return text
