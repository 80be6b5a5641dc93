"""Parses a text with syntax errors: finds all of them, and goes on after each.

The text of a statement with an error becomes one token, from which the grammar makes a `Broken` statement. If it begins
a block, only its first line does, and the block is parsed.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import cast

from ..diagnostics import (
    BLOCK_EXPECTED,
    BLOCKS_DEEP,
    COLON_MISSING,
    DEDENT_MISMATCH,
    ERRORS_MANY,
    INDENT_TAB,
    INDENT_UNEXPECTED,
    SESSION_MISSING,
    TIME_LONG,
    UNEXPECTED,
    Diagnostic,
    TfgError,
)
from ..record import State, replace
from ..source import Source, Span
from . import tree as t
from .build import Builder
from .explain import SyntaxFault, explained
from .fragments import (
    BRANCHES,
    SESSION_BLOCKS,
    SESSION_ONLY,
    end_of,
    end_of_block,
    end_of_branches,
    end_of_session,
    is_of_graph,
    is_of_session,
    next_code,
    tab_columns,
    word_of,
)
from .hints import OPENS_BLOCK, indented_into
from .indenter import LayoutError
from .lexer import Token, UnexpectedCharacter
from .literals import BuildError
from .parser import Parser, Parts, Stack, UnexpectedToken
from .reparse import KeptStatements
from .rule_methods import Body

MAX_BROKEN = 100  # statements with syntax errors, after which the rest of a text is not parsed

_MARKS = 4
_LAYOUT = ("_NL", "_INDENT", "_DEDENT")
_SESSION_WORD = re.compile(
    r"(?:\w+(?:[ \t]*,[ \t]*\w+)*[ \t]*=[ \t]*(?=evaluate\b)|after[ \t]+(?=every\b))?([a-z]+)(?=\s|:)(?!\s*[=.(\[])"
)
_TOP = re.compile(r"^[^\s#]", re.MULTILINE)
_TABBED = re.compile(r"^ *\t", re.MULTILINE)
_Found = tuple[list[Token], int]  # the tokens to go on with, and the offset of those after them


class _Mark(State):
    """The parser before the token at an offset. Lists in `made` grow in place, so their sizes are kept too."""

    start: int
    entered: list[int]
    made: Parts
    lists: list[tuple[Parts, int]]
    indents: list[int]


class ErrorParser(Parser):
    """Parses one text with syntax errors, after a parser that stopped at the first error with a `stack`. The statements
    that this parser finished are kept, except for the last ones."""

    def __init__(
        self,
        parser: Parser,
        source: Source,
        text: str,
        builder: Builder,
        stack: Stack,
        kept: KeptStatements | None = None,
    ):
        super().__init__(parser.tables, builder, parser.layout, parser.lexer)
        self._source, self._text, self._builder = source, text, builder
        self._shown = text  # with spaces in place of the statements that have errors
        self._errors: dict[tuple[str, int], Diagnostic] = {}
        self._reused = kept
        self._at = self._kept(stack)  # where to begin
        self._entered, self._made, self._indents = stack.entered, stack.made, [0]
        self._most = min(MAX_BROKEN, self.layout.limits.errors)
        self._tabbed: dict[int, int] | None = None  # the columns of lines with tabs, once one is reported
        self._put_end = -1  # where the last token in place of a statement ends
        self._marks: deque[_Mark] = deque(maxlen=_MARKS)  # the state before each of the last statements
        self._above = self._mark(self._at)  # the state before the last line end
        self._is_fresh = True  # whether a line has no token yet
        self._broken = Counter[int]()  # how often the statement at an offset was found to have an error

    def _kept(self, stack: Stack) -> int:
        """Remove everything from a stack, except finished statements of the file that are too old for a mark. Return
        the offset after these statements."""
        entered, made = stack.entered, stack.made
        # `isinstance` leaves open of what a list is.
        begun = cast(Parts, made[0]) if made and isinstance(made[0], list) else []
        statements = [number for number, part in enumerate(begun) if not isinstance(part, Token)]
        if len(statements) <= _MARKS:
            entered[:], made[:] = [self.tables.starts["file"][0]], []
            return self._reused.at if self._reused else 0
        first = statements[-_MARKS]
        statement: t.Statement = begun[first]
        del entered[2:], made[1:], begun[first:]
        return statement.span.start

    def tree(self) -> t.File:
        """The tree of the text, with all errors."""
        tokens, at = self._first_line()
        while True:
            try:
                stream = self.lexer.tokens(self._text, self._entered, at)
                laid_out = chain(tokens, self.layout.process(stream, self._indents, self._tabbed))
                parsed = self.up_to(self._reused, laid_out, self._entered, self._indents)
                last = self.run(self._watched(parsed), self._entered, self._made)
                made: t.File = self.end("file", last, self._entered, self._made)
            except (BuildError, LayoutError, UnexpectedCharacter, UnexpectedToken) as error:
                tokens, at = self._after(error)
            else:
                return replace(made, errors=tuple(sorted(self._errors.values(), key=_start)))

    def instead(self, error: BuildError, parts: Parts) -> t.Broken:
        """An error in the first line of a block may only be found at its end. The block is kept."""
        body = next((part for part in parts if isinstance(part, Body)), None)
        if body is None:
            raise error
        self._report(explained(error, self._source, self._shown, self))
        block = cast(t.Block, body.value)  # the value of a carrier depends on the rule
        return self._builder.remains(Span(self._source, parts[0].start, body.span.start), block)

    def _report(self, diagnostic: Diagnostic) -> None:
        assert diagnostic.span is not None
        if diagnostic.message is BLOCK_EXPECTED and self._has_tab(diagnostic.span.line):
            return  # a tab has no width
        if diagnostic.message is SESSION_MISSING and any(code == SESSION_MISSING.code for code, _ in self._errors):
            return  # one line is missing for all of them
        if len(self._errors) < self._most or diagnostic.message is ERRORS_MANY:
            self._errors.setdefault((diagnostic.code, diagnostic.span.start), diagnostic)

    def _is_below_tab(self, at: int) -> bool:
        """Whether a line above, in the same statement of the file, is indented with a tab. Then no column matches."""
        begun = max((one.start() for one in _TOP.finditer(self._text, 0, at)), default=0)
        return _TABBED.search(self._text, begun, at) is not None

    def _has_tab(self, line: int) -> bool:
        """Whether a tab in the indentation of a line was reported."""
        known = (one for one in self._errors.values() if one.message is INDENT_TAB)
        return any(one.span is not None and one.span.line == line for one in known)

    # --- the state of the parser ----------------------------------------------------------

    def _mark(self, start: int) -> _Mark:
        # `isinstance` leaves open of what a list is.
        parts = (cast(Parts, part) for part in self._made if isinstance(part, list))
        lists = [(part, len(part)) for part in parts]
        return _Mark(start, [*self._entered], [*self._made], lists, [*self._indents])

    def _back_to(self, mark: _Mark) -> None:
        self._entered[:], self._made[:], self._indents[:] = mark.entered, mark.made, mark.indents
        for part, size in mark.lists:
            del part[size:]
        while self._marks and self._marks[-1].start >= mark.start:
            self._marks.pop()

    def _watched(self, tokens: Iterable[Token]) -> Iterator[Token]:
        """The same tokens. The state before each statement and each line end is kept."""
        for token in tokens:
            if token.kind == "_NL":
                self._above, self._is_fresh = self._mark(token.start), True
            elif token.kind not in _LAYOUT:
                if self._begins():
                    self._marks.append(self._mark(token.start))
                self._is_fresh = False
            yield token

    def _begins(self) -> bool:
        """Whether a statement can begin here."""
        return "BROKEN" in self.tables.states[self._entered[-1]]

    # --- going on -------------------------------------------------------------------------

    def _first_line(self) -> _Found:
        """What to begin with. The first line must not be indented."""
        indent = re.match(r"([ \t\f]+)[^\s#]", self._text)
        if indent is None:
            return [], self._at
        message = INDENT_TAB if "\t" in indent[1] else INDENT_UNEXPECTED
        self._report(Diagnostic(message, Span(self._source, 0, indent.end(1))))
        return self._put(self._mark(indent.end(1)), with_block=True)

    def _after(self, error: SyntaxFault) -> _Found:
        """What to go on with after an error."""
        diagnostic = explained(error, self._source, self._shown, self)
        if diagnostic.message is UNEXPECTED:
            diagnostic = self._outside_session() or diagnostic
        if diagnostic.message is TIME_LONG:
            raise TfgError([*sorted(self._errors.values(), key=_start), diagnostic])
        if diagnostic.message is INDENT_TAB:
            self._report(diagnostic)
            self._back_to(self._above)
            self._tabbed = tab_columns(self._text)
            return [], self._above.start
        if isinstance(error, LayoutError) and diagnostic.message is DEDENT_MISMATCH:
            return self._dedented(error, diagnostic)
        indent = error.token if isinstance(error, UnexpectedToken) and error.token.kind == "_INDENT" else None
        if indent is not None and diagnostic.message is not COLON_MISSING and self._begins():
            self._report(diagnostic)
            self._indents.pop()
            return self._put(self._mark(indent.end), with_block=True)
        is_before = isinstance(error, (LayoutError, UnexpectedCharacter)) and self._is_fresh and self._begins()
        if is_before:
            assert diagnostic.span is not None
            mark = self._mark(diagnostic.span.start)
        else:
            mark = self._marks[-1]
        if diagnostic.message is COLON_MISSING:
            mark = next((one for one in reversed(self._marks) if one.start <= _start(diagnostic)), mark)
            if self._broken[mark.start]:
                mark = self._marks[-1]
        if not self._broken[mark.start]:
            self._report(diagnostic)
        self._back_to(mark)
        return self._put(mark, with_block=diagnostic.message is BLOCKS_DEEP)

    def _outside_session(self) -> Diagnostic | None:
        """The error of a statement that can only be in a session, in the first column or in a block that can be in a
        session too."""
        mark = self._marks[-1] if self._marks else None
        word = None if mark is None else _SESSION_WORD.match(self._text, mark.start)
        if mark is None or word is None or word[1] not in (*SESSION_ONLY, "evaluate"):
            return None
        if self.accepts(mark.entered, "RUN"):  # in a session
            return None
        top = max((one.start() for one in _TOP.finditer(self._text, 0, mark.start + 1)), default=mark.start)
        if top != mark.start and word_of(self._text[top:]) not in (*BRANCHES, "if", "for"):
            return None
        line = self._source.position(top)[0]
        place, details = Span(self._source, word.start(1), word.end(1)), {"word": word[1], "line": line}
        return Diagnostic(SESSION_MISSING, place, details, help=indented_into(self._source, line))

    def _dedented(self, error: LayoutError, diagnostic: Diagnostic) -> _Found:
        """What to go on with if a line is less indented than the block above it. It belongs to that block. If the lines
        below it are in its column, so does all of the block from here on."""
        text, above = self._text, self._above
        is_above = above.start == self._put_end  # the line with the wrong indentation has another error too
        if not is_above and not self._is_below_tab(error.start):
            self._report(diagnostic)
        self._back_to(above)
        width = error.end - error.start
        following = next_code(text, text.index("\n", error.end) + 1)
        if is_above or following is None or following[1] <= width:
            self._indents[-1] = width
            return [], above.start
        end = Token.of("_NL", "\n", above.start, above.start)
        tokens, at = self._put(replace(above, start=error.end), with_block=False)
        return [end, *tokens], at

    def _put(self, mark: _Mark, with_block: bool) -> _Found:
        """Put one token in place of a statement, `with_block` in place of its block too."""
        text, start, level = self._text, mark.start, self._indents[-1]
        times = self._broken[start] = self._broken[start] + 1
        kind, end = "BROKEN", len(text) - 1
        has_block = False
        if len(self._broken) > self._most:
            self._report(Diagnostic(ERRORS_MANY, Span(self._source, start, end), {"limit": self._most}))
        elif times <= 2:
            word = word_of(text[start:])
            end = end_of(text, start, level, word in OPENS_BLOCK)
            following = next_code(text, end + 1)
            if following is not None and following[1] > level:
                kind = self._kind(word, text[following[0] :]) if times == 1 and not with_block else ""
                has_block = bool(kind)
                end = end if has_block else end_of_block(text, end, level)
            is_first = not text[text.rfind("\n", 0, start) + 1 : start].strip()  # on its line
            if is_first and not has_block:
                end = end_of_branches(text, end, level)
            if word == "session" and not has_block:  # the lines below it may be its block
                end = end_of_session(text, end)
        end = start + len(text[start:end].rstrip())
        self._shown = self._shown[:start] + " " * (end - start) + self._shown[end:]
        self._put_end = text.index("\n", end)
        tokens = [Token.of(kind or "BROKEN", text[start:end], start, end)]
        if has_block:
            tokens.append(Token.of("COLON", ":", end, end))
        return tokens, self._put_end

    def _kind(self, word: str, block: str) -> str:
        """The terminal for the first line of a block. "" if its kind is unknown."""
        if word in BRANCHES and self.accepts(self._entered, "BROKEN_BRANCH"):
            return "BROKEN_BRANCH"
        if self.accepts(self._entered, "TRAIN"):  # in a session
            return "BROKEN" if word in SESSION_BLOCKS else ""
        of_session = word in ("train", "every") and not is_of_graph(block)
        if word == "session" or of_session or is_of_session(block):
            return "BROKEN_SESSION"
        return "BROKEN" if word in OPENS_BLOCK else ""


def _start(diagnostic: Diagnostic) -> int:
    return diagnostic.span.start if diagnostic.span is not None else 0
