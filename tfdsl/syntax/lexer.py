"""The lexer: one regular expression for the shape of tokens, and the parser state for soft keywords.

A word is a keyword only if the parser can accept that keyword next, and if the keyword's pattern in the grammar,
including its look-ahead, matches. Otherwise it is a NAME. Lark's contextual lexer does the same with one regular
expression per parser state. Compiling those takes longer at every start than checking a program.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from lark import Token
from lark.common import LexerConf
from lark.exceptions import UnexpectedCharacters
from lark.grammar import Rule
from lark.lexer import Lexer
from lark.utils import TextSlice

_CLASSES = ("_NL", "NUMBER", "STRING", "NAME")
_FIRST_WORD = re.compile(r"\\b|\(\?|\[ (?:\\t|\t)\]")  # the end of the word in a keyword's pattern


class LexerState(Protocol):
    """What Lark's lexer reads, and the last token."""

    text: TextSlice[str]
    last_token: Token | None


class ParserTables(Protocol):
    """The actions of Lark's parser in each state for the next terminal or rule: enter another state, or complete a
    rule."""

    states: Mapping[int, Mapping[str, tuple[object, int | Rule]]]
    end_state: int


class ParserState(Protocol):
    """The current state of Lark's parser."""

    parse_conf: ParserTables
    state_stack: list[int]

    @property
    def position(self) -> int: ...


class SoftKeywordLexer(Lexer):
    """The tokens of a text. Each depends on the parser state before it."""

    __future_interface__ = 2

    def __init__(self, conf: LexerConf):
        patterns = {terminal.name: terminal.pattern for terminal in conf.terminals}
        ignored = "|".join(patterns.pop(name).value for name in conf.ignore)
        classes = {name: patterns.pop(name).value for name in _CLASSES}
        self._symbols = {pattern.value: name for name, pattern in patterns.items() if pattern.type == "str"}
        symbols = "|".join(re.escape(text) for text in sorted(self._symbols, key=len, reverse=True))
        groups = "|".join(f"(?P<{name}>{pattern})" for name, pattern in classes.items())
        self._token = re.compile(f"(?:{ignored})|{groups}|(?P<SYMBOL>{symbols})")
        keywords = sorted((t for t in conf.terminals if t.name in patterns and t.pattern.type == "re"),
                          key=lambda terminal: -terminal.priority)  # fmt: skip
        self._keywords = [(t.name, _FIRST_WORD.split(t.pattern.value)[0], t.pattern.value) for t in keywords]
        self._candidates: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def _keywords_of(self, word: str) -> list[tuple[str, re.Pattern[str]]]:
        """The keywords that a word could be, with their whole patterns."""
        found = self._candidates.get(word)
        if found is None:
            found = [
                (name, re.compile(pattern))
                for name, spelling, pattern in self._keywords
                if spelling == word or (not spelling.isalpha() and re.fullmatch(spelling, word))
            ]
            if found or len(self._candidates) < 10_000:
                self._candidates[word] = found
        return found

    def lex(self, lexer_state: LexerState, parser_state: ParserState) -> Iterator[Token]:
        text, at, end = lexer_state.text.text, lexer_state.text.start, lexer_state.text.end
        match_token = self._token.match
        states = parser_state.parse_conf.states
        while at < end:
            match = match_token(text, at)
            if match is None:
                raise UnexpectedCharacters(text, at, 0, 0)
            kind, start, at = match.lastgroup, at, match.end()
            if kind is None:
                continue
            if kind == "_NL" and text.startswith("|", at):  # the line goes on
                continue
            value = match[0]
            if kind == "SYMBOL":
                kind = self._symbols[value]
            elif kind == "NAME":
                for keyword, pattern in self._keywords_of(value):
                    if keyword in states[parser_state.position] and (match := pattern.match(text, start)):
                        kind, at = keyword, match.end()
                        value = match[0]
                        break
            token = Token(kind, value, start, end_pos=at)
            lexer_state.last_token = token
            yield token
