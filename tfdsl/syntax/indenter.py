"""Blocks by indentation: turns the lexer's line ends into line ends, indents and dedents.

Line ends inside brackets are ignored. Spaces indent; a tab is an error.
"""

from collections.abc import Iterator, Mapping

from ..diagnostics import (
    BLOCKS_DEEP,
    BRACKET_MISMATCH,
    BRACKET_OPEN,
    DEDENT_MISMATCH,
    INDENT_TAB,
    TIME_LONG,
    TOO_DEEP,
    Message,
)
from ..limits import Clock, Limits
from .lexer import Token

PAIRS = {"RPAR": "LPAR", "RSQB": "LSQB", "RBRACE": "LBRACE"}  # closing brackets with their opening brackets
OPENERS = frozenset(PAIRS.values())
_TOKENS = 1_000  # between two looks at the clock


class LayoutError(Exception):
    """The layout is wrong at `start`..`end`. `other` is the offset of the bracket that it should match."""

    def __init__(self, message: Message, start: int, end: int, other: int | None = None, **details: object):
        super().__init__(message.code)
        self.message, self.start, self.end, self.other, self.details = message, start, end, other, details


class Indenter:
    """The layout between the lexer and the parser. Limits and clock are set before each parse."""

    limits: Limits
    clock: Clock

    def process(
        self, stream: Iterator[Token], indents: list[int] | None = None, tabbed: Mapping[int, int] | None = None
    ) -> Iterator[Token]:
        """The tokens with those of the layout. `indents` are the columns of the open blocks. Once a tab has been
        reported, `tabbed` has the columns of lines with tabs by the offsets of the lines."""
        indents = [0] if indents is None else indents
        brackets: list[Token] = []
        token = None
        for number, token in enumerate(stream):
            kind = token.kind
            if number % _TOKENS == 0 and self.clock.is_over:
                raise LayoutError(TIME_LONG, token.start, token.end, seconds=self.clock.seconds)
            if kind == "_NL":
                if not brackets:
                    yield from self._line_end(token, indents, tabbed)
                continue
            if kind in OPENERS:
                brackets.append(token)
                if len(brackets) > self.limits.depth:
                    raise LayoutError(TOO_DEEP, token.start, token.end, limit=self.limits.depth)
            elif kind in PAIRS:
                if not brackets or brackets[-1].kind != PAIRS[kind]:
                    other = brackets[-1].start if brackets else None
                    raise LayoutError(BRACKET_MISMATCH, token.start, token.end, other, bracket=str(token))
                brackets.pop()
            yield token
        if brackets:
            opened = brackets[-1]
            raise LayoutError(BRACKET_OPEN, opened.start, opened.end, bracket=str(opened))
        while len(indents) > 1:
            assert token is not None  # it has indented
            indents.pop()
            yield Token.of("_DEDENT", "", token.start, token.end)

    def _line_end(self, token: Token, indents: list[int], tabbed: Mapping[int, int] | None) -> Iterator[Token]:
        yield token
        indent = token.rsplit("\n", 1)[1]
        end = token.end
        width, at = len(indent), end - len(indent)
        if tabbed is not None:
            width = tabbed.get(at, width)
        elif "\t" in indent:
            raise LayoutError(INDENT_TAB, at + indent.index("\t"), at + indent.index("\t") + 1)
        if width > indents[-1]:
            indents.append(width)
            if len(indents) - 1 > self.limits.blocks:
                raise LayoutError(BLOCKS_DEEP, at, end, limit=self.limits.blocks)
            yield Token.of("_INDENT", indent, token.start, token.end)
        while width < indents[-1]:
            indents.pop()
            yield Token.of("_DEDENT", indent, token.start, token.end)
        if width != indents[-1]:
            raise LayoutError(DEDENT_MISMATCH, at, end)
