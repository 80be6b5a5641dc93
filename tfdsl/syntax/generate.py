"""Makes the tables of the parser from the grammar, with Lark. They are plain values, for `marshal`."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol, cast

import lark
from lark.common import LexerConf
from lark.grammar import Rule
from lark.lexer import Lexer, Token
from lark.parsers.lalr_analysis import Shift

_CLASSES = ("_NL", "NUMBER", "STRING", "BYTES", "NAME")


class _NoLexer(Lexer):
    """Lark would compile the regular expressions of its own lexer."""

    def __init__(self, conf: LexerConf):
        pass

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Token]:  # never called, of Lark's own types
        raise AssertionError


class _ParseTable(Protocol):
    """Lark's tables: the actions of each state for the next terminal or rule, enter a state or complete a rule."""

    states: Mapping[int, Mapping[str, tuple[object, Any]]]  # the number of a state, or a rule
    start_states: Mapping[str, int]
    end_states: Mapping[str, int]


def grammar(text: str, starts: Sequence[str]) -> lark.Lark:
    """A grammar as Lark understands it."""
    return lark.Lark(
        text, start=list(starts), parser="lalr", lexer=_NoLexer, keep_all_tokens=True, maybe_placeholders=True
    )


def generated(text: str, starts: Sequence[str]) -> tuple[Any, ...]:  # of parts with different types
    """The fields of `tables.Tables`, with plain tuples in place of rules."""
    made = grammar(text, starts)
    frontend: Any = made.parser  # of a class that Lark does not export
    table = cast(_ParseTable, frontend.parser._parse_table)
    numbers = {rule: number for number, rule in enumerate(made.rules)}
    order = _numbered(table)
    states = tuple(
        {
            name: order[to] if action is Shift else ~numbers[to]
            for name, (action, to) in sorted(table.states[state].items(), key=itemgetter(0))
        }
        for state in order
    )
    ends = {start: (order[table.start_states[start]], order[table.end_states[start]]) for start in starts}
    patterns = {terminal.name: terminal.pattern for terminal in made.terminals}
    ignored = "|".join(patterns.pop(name).value for name in made.ignore_tokens)
    classes = {name: patterns.pop(name).value for name in _CLASSES}
    symbols = {pattern.value: name for name, pattern in patterns.items() if pattern.type == "str"}
    keywords = sorted(
        (one for one in made.terminals if one.name in patterns and one.pattern.type == "re"),
        key=lambda terminal: -terminal.priority,
    )
    words = tuple((one.name, one.pattern.value) for one in keywords)
    return states, ends, tuple(map(_plain, numbers)), ignored, classes, symbols, words


def _numbered(table: _ParseTable) -> dict[int, int]:
    """A new number for each state, in the order in which they are reached. Lark's numbers differ between processes."""
    order: dict[int, int] = {}
    todo = [*table.start_states.values()]
    for state in todo:  # which grows
        if state not in order:
            order[state] = len(order)
            todo += [
                to for _, (action, to) in sorted(table.states[state].items(), key=itemgetter(0)) if action is Shift
            ]
    return order


def _plain(rule: Rule) -> tuple[Any, ...]:  # the fields of `tables.Rule`
    options = rule.options
    missing = "".join("01"[one] for one in options.empty_indices) if options else ""
    before = [len(ones) for ones in missing.split("0")] if missing else [0] * (len(rule.expansion) + 1)
    parts = tuple((before[at], str(part.name)) for at, part in enumerate(rule.expansion))
    origin, method = str(rule.origin.name), str(rule.alias or rule.origin.name)
    return origin, method, len(parts), parts, before[-1], bool(options and options.expand1 and not rule.alias)
