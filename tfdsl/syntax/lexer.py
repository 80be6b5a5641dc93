"""The lexer: one regular expression for the shape of tokens, and the parser's state for soft keywords.

A word is a keyword only if the parser can accept that keyword next, and if the keyword's pattern in the grammar,
including its look-ahead, matches. Otherwise it is a NAME.
"""

import re
from collections.abc import Iterator, Sequence

from .tables import Tables

_FIRST_WORD = re.compile(r"\\b|\(\?|\[ (?:\\t|\t)\]")  # the end of the word in a keyword's pattern


class Token(str):
    """A piece of the text: its text, the terminal that it is, and its offsets."""

    __slots__ = ("end", "kind", "start")

    kind: str
    start: int
    end: int

    @staticmethod
    def of(kind: str, text: str, start: int, end: int) -> "Token":
        """A token. There is no `__new__` for this, because the lexer does the same faster."""
        made = Token(text)
        made.kind, made.start, made.end = kind, start, end
        return made


class UnexpectedCharacter(Exception):
    """No token begins at this offset."""

    def __init__(self, at: int):
        super().__init__(at)
        self.at = at


class Lexer:
    """Divides texts into tokens. Each depends on the parser's state before it."""

    def __init__(self, tables: Tables):
        self._states, self._symbols = tables.states, tables.symbols
        symbols = "|".join(re.escape(text) for text in sorted(tables.symbols, key=len, reverse=True))
        groups = "|".join(f"(?P<{name}>{pattern})" for name, pattern in tables.classes.items())
        self._ignored = re.compile(f"(?:{tables.ignored})*+")
        self._token = re.compile(f"(?:{tables.ignored})*+(?:{groups}|(?P<SYMBOL>{symbols}))")
        self._keywords = [(name, _FIRST_WORD.split(pattern)[0], pattern) for name, pattern in tables.keywords]
        self._candidates: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def _keywords_of(self, word: str) -> list[tuple[str, re.Pattern[str]]]:
        """The keywords that a word could be, with their whole patterns."""
        found = [
            (name, re.compile(pattern))
            for name, spelling, pattern in self._keywords
            if spelling == word or (not spelling.isalpha() and re.fullmatch(spelling, word))
        ]
        if found or len(self._candidates) < 10_000:
            self._candidates[word] = found
        return found

    def tokens(self, text: str, entered: Sequence[int], at: int = 0) -> Iterator[Token]:
        """The tokens of a text from an offset on. The last of `entered` is the parser's state, which it changes between
        two tokens."""
        match_token, states, symbols, candidates = self._token.match, self._states, self._symbols, self._candidates
        while match := match_token(text, at):
            kind = match.lastgroup
            assert kind is not None  # each alternative of the pattern is a group with a name
            value = match[kind]
            start, at = match.span(kind)
            if kind == "SYMBOL":
                kind = symbols[value]
            elif kind == "NAME":
                keywords = candidates.get(value)
                for keyword, pattern in self._keywords_of(value) if keywords is None else keywords:
                    if keyword in states[entered[-1]] and (match := pattern.match(text, start)):
                        kind, at = keyword, match.end()
                        value = match[0]
                        break
            elif kind == "_NL" and text.startswith("|", at):  # the line goes on
                continue
            made = Token(value)
            made.kind, made.start, made.end = kind, start, at
            yield made
        ignored = self._ignored.match(text, at)
        if ignored is not None and (at := ignored.end()) < len(text):
            raise UnexpectedCharacter(at)
