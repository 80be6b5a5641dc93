"""The parser: an LALR(1) automaton that works by the tables of the grammar.

When it recognises a rule, it calls the builder's method of that name with the rule's parts: tokens, what the methods
made of other rules, and None for missing optional parts.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from .indenter import Indenter
from .lexer import Lexer, Token
from .tables import Rule, Tables

Parts = list[Any]  # tokens, and what methods of the builder make
Method = Callable[[Parts], Any]
END = "$END"  # the terminal after the last token


class UnexpectedToken(Exception):
    """No rule has this token here. `entered` are the states that the parser is in, the outermost first."""

    def __init__(self, token: Token, entered: list[int]):
        super().__init__(token)
        self.token, self.entered = token, entered


class Parser:
    """Parses texts. The methods of `builder` have the names of rules."""

    def __init__(self, tables: Tables, builder: object, layout: Indenter):
        self._tables, self._layout, self._lexer = tables, layout, Lexer(tables)
        self._rules = [(rule.size, rule.origin, _method(rule, builder)) for rule in tables.rules]

    def parse(self, text: str, start: str) -> Any:
        """What the builder makes of the rule `start`."""
        states, rules = self._tables.states, self._rules
        first, last = self._tables.starts[start]
        entered, made = [first], Parts()
        token = Token(END, "", 0, 0)
        for token in self._layout.process(self._lexer.tokens(text, entered)):
            while (step := states[entered[-1]].get(token.kind)) is None or step < 0:
                if step is None:
                    raise UnexpectedToken(token, entered)
                self._complete(rules[~step], entered, made)
            entered.append(step)
            made.append(token)
        end = Token(END, "", token.start, token.end)
        while entered[-1] != last:
            step = states[entered[-1]].get(END)
            if step is None or step >= 0:
                raise UnexpectedToken(end, entered)
            self._complete(rules[~step], entered, made)
        return made[0]

    def _complete(self, rule: tuple[int, str, Method], entered: list[int], made: Parts) -> None:
        size, origin, method = rule
        parts = made[-size:] if size else []
        if size:
            del entered[-size:], made[-size:]
        entered.append(self._tables.states[entered[-1]][origin])
        made.append(method(parts))

    def accepted(self, entered: list[int]) -> set[str]:
        """The terminals that can come next."""
        return {name for name in self._tables.states[entered[-1]] if name.isupper() and self._accepts(entered, name)}

    def _accepts(self, entered: list[int], name: str) -> bool:
        """Whether a terminal leads to another state, or to the end."""
        tables, entered = self._tables, list(entered)
        while (step := tables.states[entered[-1]].get(name)) is not None and step < 0:
            rule = tables.rules[~step]
            if rule.size:
                del entered[-rule.size :]
            entered.append(tables.states[entered[-1]][rule.origin])
        return step is not None or any(entered[-1] == last for _, last in tables.starts.values())


def _method(rule: Rule, builder: object) -> Method:
    """What makes the value of a rule from its parts. The parts of a rule like `_this` go to the rule around it. Any
    other rule has a method, unless it always has one part and gives that."""
    is_inlined = rule.method.startswith("_") or (rule.only_part and rule.size == 1 and rule.is_plain)
    method: Method = _unchanged if is_inlined else getattr(builder, rule.method)
    if rule.only_part:
        method = partial(_only, method)
    return method if rule.is_plain else partial(_arranged, method, rule)


def _unchanged(parts: Parts) -> Parts:
    return parts


def _only(method: Method, parts: Parts) -> Any:
    return parts[0] if len(parts) == 1 else method(parts)


def _arranged(method: Method, rule: Rule, parts: Parts) -> Any:
    """Call a method with the parts of rules without methods, and None for missing parts."""
    arranged: Parts = []
    for part, (missing, is_list) in zip(parts, rule.parts):
        arranged += [None] * missing
        if not is_list:
            arranged.append(part)
        elif arranged:
            arranged += part
        else:  # a long list grows in place, part by part
            arranged = part
    arranged += [None] * rule.missing
    return method(arranged)
