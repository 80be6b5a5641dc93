"""What stands before the cursor, also in a text with mistakes: the word being typed, what can stand in its place, and
the call around it."""

import re

from ..record import Record
from ..syntax.lexer import Token
from ..syntax.line_tokens import Follower, line_tokens, opening
from ..syntax.tables import tables

_WORD_END = re.compile(r"(?:[^\W\d]\w*)?\Z")
_TOP = re.compile(r"^[^\W\d]", re.MULTILINE)


class OpenCall(Record):
    """A call whose brackets are open. `callee` has the words of the dotted name before them."""

    callee: tuple[str, ...]
    start: int  # of the callee
    number: int  # of the argument with the cursor, from 0
    keyword: str  # its name, if it has one
    given: frozenset[str]  # the names of the arguments before
    is_stage: bool | None  # of data: whether it is a source; None if it is no stage


class Cursor(Record):
    """A place in a text. `line` has the tokens of the statement before the word that is being typed."""

    offset: int
    word: str
    line: tuple[Token, ...]
    accepted: frozenset[str]  # terminals that can stand in the place of the word
    string: int | None  # the offset of the quote of the string around it
    in_comment: bool

    @property
    def start(self) -> int:
        """The offset of the word."""
        return self.offset - len(self.word)

    @property
    def last(self) -> str:
        """The kind of the token before the word, "" if there is none."""
        return self.line[-1].kind if self.line else ""

    @property
    def first(self) -> str:
        """The kind of the first token of the statement, "" if the word is the first."""
        return self.line[0].kind if self.line else ""

    def dotted(self) -> tuple[str, ...]:
        """The words of the dotted name whose member is being typed. () if it is none."""
        return _dotted(self.line[:-1]) if self.last == "DOT" else ()

    def calls(self) -> list[OpenCall]:
        """The calls around the cursor, the innermost last."""
        found: list[OpenCall] = []
        stack: list[int] = []
        for at, token in enumerate(self.line):
            if opening(token) > 0:
                stack.append(at)
            elif opening(token) < 0 and stack:
                stack.pop()
        for opened, following in zip(stack, [*stack[1:], len(self.line)]):
            callee = _dotted(self.line[:opened]) if self.line[opened].kind == "LPAR" else ()
            if callee:
                found.append(self._call(callee, opened, following))
        return found

    def _call(self, callee: tuple[str, ...], opened: int, end: int) -> OpenCall:
        depth, number = 0, 0
        begun = opened + 1  # of the argument
        given: set[str] = set()
        for at in range(opened + 1, end):
            depth += opening(self.line[at])
            if self.line[at].kind == "COMMA" and depth == 0:
                given.add(self._keyword(begun, at))
                number, begun = number + 1, at + 1
        before = opened - (2 * len(callee) - 1)
        kind = self.line[before - 1].kind if before else ""
        is_stage = None
        if self.first == "DATA" and len(callee) == 1 and kind in ("EQUAL", "VBAR"):
            is_stage = kind == "EQUAL"
        return OpenCall(
            callee, self.line[before].start, number, self._keyword(begun, end), frozenset(given - {""}), is_stage
        )

    def _keyword(self, begun: int, end: int) -> str:
        """The name of an argument, "" if it has none."""
        is_named = begun + 1 < end and self.line[begun].kind == "NAME" and self.line[begun + 1].kind == "EQUAL"
        return str(self.line[begun]) if is_named else ""


def _dotted(tokens: tuple[Token, ...]) -> tuple[str, ...]:
    """The words of the dotted name that some tokens end with."""
    words: list[str] = []
    at = len(tokens) - 1
    while at >= 0 and (tokens[at].isidentifier() or tokens[at].kind == "NAME"):
        words.append(str(tokens[at]))
        if at < 2 or tokens[at - 1].kind != "DOT":
            break
        at -= 2
    return tuple(reversed(words))


def cursor(text: str, offset: int) -> Cursor:
    """What stands before an offset of a text."""
    found = _WORD_END.search(text, 0, offset)
    word = found[0] if found else ""
    # A statement of the top level begins in the first column.
    begun = max((one.start() for one in _TOP.finditer(text, 0, offset - len(word))), default=0)
    before = text[begun : offset - len(word)]
    follower = Follower(tables())
    tokens: list[Token] = []
    entered = list(follower.entered)
    for token in line_tokens(f"{before}x", follower):  # some words are keywords only before another
        if token.end > len(before):
            break
        token.start, token.end = token.start + begun, token.end + begun
        tokens.append(token)
        entered = list(follower.entered)
    follower.entered[:] = entered
    line = _statement(tokens)
    row = text.rfind("\n", 0, offset) + 1
    quote = next((one.start for one in line if one.kind == "" and one == '"' and one.start >= row), None)
    last = tokens[-1] if tokens else None
    at = 0 if last is None else last.start if last.kind == "_NL" else last.end
    in_comment = "#" in text[at : offset - len(word)]
    return Cursor(offset, word, tuple(line), frozenset(follower.accepted()), quote, quote is None and in_comment)


def _statement(tokens: list[Token]) -> list[Token]:
    """The tokens of the last statement. A line end inside brackets is none."""
    depth, begun = 0, 0
    for at, token in enumerate(tokens):
        if token.kind == "_NL" and depth <= 0:
            depth, begun = 0, at + 1
        depth += opening(token)
    return [token for token in tokens[begun:] if token.kind != "_NL"]
