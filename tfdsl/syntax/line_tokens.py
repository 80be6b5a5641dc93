"""The tokens of a text that may have mistakes, for colours and completion.

The automaton of the grammar follows the tokens of the lexer. It begins anew on each line, so a mistake changes the
tokens of its line only.
"""

from collections.abc import Iterator

from .indenter import OPENERS, PAIRS
from .lexer import Lexer, Token, UnexpectedCharacter
from .tables import Tables, tables

# Where a line of a program and a line of a session begin: after an 'if', which an 'else' can follow.
_IF = ("IF", "NAME", "COLON", "_NL", "_INDENT")
_BEFORE = {
    False: (*_IF, "NAME", "_NL", "_DEDENT"),
    True: ("SESSION", "COLON", "_NL", "_INDENT", *_IF, "INIT", "_NL", "_DEDENT"),
}


def opening(token: Token) -> int:
    """1 for an opening bracket, -1 for a closing bracket, 0 for other tokens."""
    return (token.kind in OPENERS) - (token.kind in PAIRS)


class Follower:
    """The states of the parser after the tokens that it is given. It forgets a token that cannot stand here."""

    def __init__(self, tables: Tables):
        self._tables = tables
        self._begin: dict[bool, list[int]] = {}
        self.entered: list[int] = []  # the same list all the time, as the lexer looks at it
        for in_session, kinds in _BEFORE.items():
            self.entered[:] = [tables.starts["file"][0]]
            for kind in kinds:
                self.follow(kind)
            self._begin[in_session] = list(self.entered)
        self.begin(in_session=False)

    def begin(self, in_session: bool) -> None:
        """Go to the beginning of a line."""
        self.entered[:] = self._begin[in_session]

    def follow(self, kind: str) -> None:
        self.entered[:] = self._after(kind) or self.entered

    def accepted(self) -> set[str]:
        """The terminals that can come next."""
        return {kind for kind in self._tables.states[self.entered[-1]] if kind.isupper() and self._after(kind)}

    def _after(self, kind: str) -> list[int] | None:
        """The states after a token. None if it cannot stand here."""
        states, entered = self._tables.states, list(self.entered)
        while (step := states[entered[-1]].get(kind)) is not None and step < 0:
            rule = self._tables.rules[~step]
            del entered[len(entered) - rule.size :]
            entered.append(states[entered[-1]][rule.origin])
        return None if step is None else [*entered, step]


def line_tokens(text: str, follower: Follower | None = None) -> Iterator[Token]:
    """The tokens of a text. Keywords are those that the grammar has at their place. What begins no token has the kind
    "". A `follower` ends where the text does."""
    grammar = tables()
    follower = follower or Follower(grammar)
    lexer = Lexer(grammar)
    blocks: list[tuple[int, bool]] = []  # the open ones: their indentation, and whether they are in a session
    at, brackets, in_session = 0, 0, False
    first: str | None = None  # the kind of the line's first token
    follower.begin(in_session)
    while at < len(text):
        begun = at
        try:
            for token in lexer.tokens(text[begun:], follower.entered):
                token.start, token.end = begun + token.start, begun + token.end
                at = token.end
                if token.kind == "_NL" and not brackets:
                    indent = len(token.rpartition("\n")[2])
                    if first is not None and indent > (blocks[-1][0] if blocks else 0):
                        blocks.append((indent, in_session or first == "SESSION"))
                    while blocks and indent < blocks[-1][0]:
                        blocks.pop()
                    in_session = bool(blocks) and blocks[-1][1]
                    first = None
                    follower.begin(in_session)
                elif token.kind != "_NL":
                    first = first or token.kind
                    brackets = max(0, brackets + opening(token))
                    follower.follow(token.kind)
                yield token
            return
        except UnexpectedCharacter as error:
            at = begun + error.at
            yield Token.of("", text[at], at, at + 1)
            at += 1
