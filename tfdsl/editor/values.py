"""What the analysis finds for the places of a text: the values of expressions, and of names where they are bound."""

import re
from functools import cached_property
from itertools import chain
from typing import cast

from ..inputs import Observer
from ..syntax import tree as t
from .symbols import WORD

_MOST = 20  # values of a place that runs often


_Expr = t.Expr | t.Identifier | t.DefParameter
_Seen = dict[int, tuple[_Expr, list[object]]]  # by the identity of the expression


class Values(Observer):
    """The values of an analysis, by place. The places are computed when the first value is requested. Each name in a
    dotted name has its own place."""

    def __init__(self) -> None:
        self._seen: _Seen = {}
        self._before: tuple[_Seen, ...] = ()  # what was seen up to the marks
        self._called: set[tuple[str, int]] = set()  # where functions that were called begin

    def mark(self) -> object:
        self._before, self._seen = (*self._before, self._seen), {}
        return self._before, frozenset(self._called)

    def go_on_from(self, mark: object) -> None:
        # The mark is one of `mark`, which the observers of an analysis pass on unread.
        self._before, called = cast(tuple[tuple[_Seen, ...], frozenset[tuple[str, int]]], mark)
        self._seen, self._called = {}, set(called)

    def called(self, function: t.Def) -> None:
        self._called.add((function.span.source.path, function.span.start))

    def called_in(self, path: str) -> set[int]:
        """Where the functions of a file begin that were called."""
        return {start for one, start in self._called if one == path}

    def value(self, expr: _Expr, value: object) -> None:
        seen = self._seen.get(id(expr))
        if seen is None:
            self._seen[id(expr)] = expr, [value]
        else:
            _add(seen[1], value)

    @cached_property
    def _found(self) -> dict[tuple[str, int, int], list[object]]:
        found: dict[tuple[str, int, int], list[object]] = {}
        for expr, values in chain.from_iterable(seen.values() for seen in (*self._before, self._seen)):
            place = _place(expr)
            if place is not None:
                known = found.setdefault((expr.span.source.path, *place), [])
                for value in values:
                    _add(known, value)
        return found

    def at(self, path: str, start: int, end: int) -> list[object]:
        """The values of a place, in the order in which they were found."""
        return self._found.get((path, start, end), [])

    def of(self, expr: t.Expr) -> list[object]:
        """The values of an expression."""
        place = _place(expr)
        return [] if place is None else self.at(expr.span.source.path, *place)


def _add(known: list[object], value: object) -> None:
    if len(known) < _MOST:
        for one in known:  # `any` takes several times as long, and each expression comes here
            if one is value:
                return
        known.append(value)


def _place(expr: _Expr) -> tuple[int, int] | None:
    """The offsets of an expression; of a dotted name, those of its last part. None for a name in a string with
    escapes."""
    span = expr.span
    match expr:
        case t.Attribute(value=value) if value.span == span:  # a dotted name where only a name is allowed
            depth, inner = 1, value
            while isinstance(inner, t.Attribute):
                depth, inner = depth + 1, inner.value
            return _word(span.text, depth, span.start)
        case t.Attribute():
            return _word(span.text, -1, span.start)
        case t.Name(id=name) if len(name) != span.end - span.start:
            return _word(span.text, 0, span.start)
        case t.DefParameter():
            return _word(span.text, 0, span.start)
        case _:
            return span.start, span.end


def _word(text: str, number: int, start: int) -> tuple[int, int] | None:
    words = [] if re.search('["(]', text) and number >= 0 else list(WORD.finditer(text))
    if not -len(words) <= number < len(words):
        return None
    return start + words[number].start(), start + words[number].end()
