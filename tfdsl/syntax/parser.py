"""The parser: an LALR(1) automaton that works by the tables of the grammar.

When it recognises a rule, it calls the builder's method of that name with the rule's parts: tokens, what the methods
made of other rules, and None for missing optional parts.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Protocol, TypeAlias

from ..record import State
from .indenter import Indenter
from .lexer import Lexer, Token
from .literals import BuildError
from .reparse import KeptStatements
from .tables import Rule, Tables

Made: TypeAlias = Any  # what a method of the builder makes: its type depends on the rule, whose name is data
Parts = list[Made]  # and tokens
Method = Callable[[Parts], Made]
# A rule: the number of its parts, its name, and the method that makes its value, or None if it takes the value of its
# only part.
_Completed = tuple[int, str, Method | None]


class Methods(Protocol):
    """What makes the values of rules."""

    def method_of(self, rule: Rule) -> Method:
        """The method for the parts of a rule, with None for missing parts."""
        ...

    def fixed_method_of(self, rule: Rule) -> Method:
        """The method for the parts of a rule that has no lists, without None for missing parts."""
        ...


END = "$END"  # the terminal after the last token


class Stack(State):
    """The states that the parser is in, the outermost first, and the values that it has made in them."""

    entered: list[int]
    made: Parts


class UnexpectedToken(Exception):
    """No rule has this token here. `entered` are the states that the parser is in, the outermost first."""

    def __init__(self, token: Token, entered: list[int]):
        super().__init__(token)
        self.token, self.entered = token, entered


class Parser:
    """Parses texts. `builder` has the methods of rules."""

    def __init__(self, tables: Tables, builder: Methods, layout: Indenter, lexer: Lexer | None = None):
        self.tables, self.layout, self.lexer = tables, layout, lexer or Lexer(tables)
        accepting = dict.fromkeys(last for _, last in tables.starts.values())
        self._states = [
            {**steps, END: number} if number in accepting else steps for number, steps in enumerate(tables.states)
        ]
        self._builder = builder
        self._rules: list[_Completed | None] = [None] * len(tables.rules)  # those met so far
        self._units: dict[tuple[int, int, str], int] = {}  # known states of `_after_units`

    def parse(self, text: str, start: str, stack: Stack | None = None, kept: KeptStatements | None = None) -> Made:
        """The value of the rule `start`. A given empty `stack` keeps the values that were made before an error. Only
        the part of the text is parsed for which nothing is `kept`."""
        stack = stack or Stack([], [])
        entered, made = stack.entered, stack.made
        entered.append(self.tables.starts[start][0])
        indents = [0]
        tokens = self.layout.process(self.lexer.tokens(text, entered, kept.at if kept else 0), indents)
        last = self.run(self.up_to(kept, tokens, entered, indents), entered, made)
        return self.end(start, last, entered, made)

    def up_to(
        self, kept: KeptStatements | None, tokens: Iterable[Token], entered: list[int], indents: list[int]
    ) -> Iterable[Token]:
        """The tokens up to the first statement of the file that is kept."""
        return tokens if kept is None else self._up_to(kept, tokens, entered, indents)

    def _up_to(
        self, kept: KeptStatements, tokens: Iterable[Token], entered: list[int], indents: list[int]
    ) -> Iterator[Token]:
        kept.reached, is_fresh = None, True  # whether a line has no token yet
        for token in tokens:
            if is_fresh and token.start in kept.below and len(indents) == 1 and self.accepts(entered, token.kind):
                kept.reached = token.start
                return
            is_fresh = token.kind in ("_NL", "_DEDENT")
            yield token

    def run(self, tokens: Iterable[Token], entered: list[int], made: Parts) -> Token:
        """Take tokens. `entered` are the states that the parser is in, `made` what it has made in them. Returns the
        last token."""
        states, rules, units = self._states, self._rules, self._units
        steps = states[entered[-1]]
        token = Token.of(END, "", 0, 0)
        for token in tokens:
            kind = token.kind
            while (step := steps.get(kind)) is None or step < 0:
                if step is None:
                    raise UnexpectedToken(token, entered)
                size, origin, method = rules[~step] or self._rule(~step)
                if method is None:
                    place = entered[-2], entered[-1], kind
                    top = units.get(place)
                    if top is None:
                        top = units[place] = self._after_units(*place)
                    entered[-1] = top
                else:
                    parts: Parts = []
                    if size:
                        parts = made[-size:]
                        del entered[-size:], made[-size:]
                    top = states[entered[-1]][origin]
                    entered.append(top)
                    try:
                        made.append(method(parts))
                    except BuildError as error:
                        made.append(self.instead(error, parts))
                steps = states[top]
            entered.append(step)
            made.append(token)
            steps = states[step]
        return token

    def end(self, start: str, token: Token, entered: list[int], made: Parts) -> Made:
        """What the builder makes of the rule `start`, after the last token."""
        self.run([Token.of(END, "", token.start, token.end)], entered, made)
        return made[0]

    def _rule(self, number: int) -> _Completed:
        """A rule, by its number in the tables."""
        known = self._rules[number]
        if known is None:
            rule = self.tables.rules[number]
            known = self._rules[number] = rule.size, rule.origin, _method(rule, self._builder)
        return known

    def _after_units(self, below: int, top: int, kind: str) -> int:
        """Complete rules that take the value of their only part, and return the state that replaces `top`. `below` is
        the state below it, and `kind` is the next terminal."""
        while (step := self._states[top].get(kind)) is not None and step < 0 and self._rule(~step)[2] is None:
            top = self._states[below][self._rule(~step)[1]]
        return top

    def instead(self, error: BuildError, parts: Parts) -> Made:
        """The value to go on with if the builder refuses the parts of a rule. Raises the error here."""
        raise error

    def accepted(self, entered: list[int]) -> set[str]:
        """The terminals that can come next."""
        return {name for name in self.tables.states[entered[-1]] if name.isupper() and self.accepts(entered, name)}

    def accepts(self, entered: list[int], name: str) -> bool:
        """Whether a terminal leads to another state, or to the end."""
        tables, entered = self.tables, list(entered)
        while (step := tables.states[entered[-1]].get(name)) is not None and step < 0:
            rule = tables.rules[~step]
            if rule.size:
                del entered[-rule.size :]
            entered.append(tables.states[entered[-1]][rule.origin])
        return step is not None or any(entered[-1] == last for _, last in tables.starts.values())


def _method(rule: Rule, builder: Methods) -> Method | None:
    """What makes the value of a rule from its parts. The parts of a rule like `_this` go to the rule around it. Any
    other rule has a method, unless it always has one part and gives that."""
    if rule.only_part and rule.size == 1 and rule.is_plain:
        return None
    if not rule.is_list and not rule.has_lists:
        return builder.fixed_method_of(rule)
    method = _unchanged if rule.is_list else builder.method_of(rule)
    if rule.only_part:
        method = partial(_only, method)
    return method if rule.is_plain else partial(_arranged, method, rule)


def _unchanged(parts: Parts) -> Parts:
    return parts


def _only(method: Method, parts: Parts) -> Made:
    return parts[0] if len(parts) == 1 else method(parts)


def _arranged(method: Method, rule: Rule, parts: Parts) -> Made:
    return method(rule.arranged(parts))
