"""Calls the builder's methods: one for each rule of the grammar, with the span of the rule and its parts.

Parts are names, numbers and strings as tokens, what the methods of other rules made, and None for missing optional
parts. Punctuation and keywords only count for the span.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from ..source import Source, Span
from . import tree as t
from .lexer import Token
from .tables import Rule

# Terminals passed to a method as arguments. All others are layout, punctuation and keywords.
_PARTS = frozenset(
    "NAME NUMBER STRING BYTES UNIT ORDER REUSE IF_EXISTS BEST BETTER AND OR NOT TRUE FALSE NONE OPERATOR "
    "PLUS MINUS STAR SLASH FLOORDIV PERCENT AT POW BROKEN BROKEN_BRANCH BROKEN_SESSION".split()
)
_LAYOUT = ("_NL", "_INDENT", "_DEDENT")
_BLOCKS = ("block", "session_block")


class Carrier:
    """A value for the rule around it, which gets the bare value: a list of nodes, or an optional part such as
    `: type`."""

    __slots__ = ("span", "value")

    def __init__(self, span: Span, value: object):
        self.span, self.value = span, value


class Body(Carrier):
    """A block. Its span is the colon, where the span of its statement ends."""

    __slots__ = ()


_Present = Token | t.Tree | Carrier
Child = _Present | None
Children = list[Child]
_Parts: TypeAlias = list[Any]  # each a token or what another method made, as the names in the rule say


class _Method:
    """A method with the span of a rule and its parts with meaning as arguments."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Child]):
        self.function = function


def rule_method(function: Callable[..., Child]) -> _Method:
    return _Method(function)


class RuleMethods:
    """The methods of rules. `source` is set before each parse."""

    source: Source

    def method_of(self, rule: Rule) -> Callable[[Children], Child]:
        """The method for the parts of a rule, with None for missing parts."""
        method: _Method | Callable[[Children], Child] = getattr(self, rule.method)
        return partial(self._called, method.function) if isinstance(method, _Method) else method

    def _called(self, function: Callable[..., Child], children: Children) -> Child:
        """Call a function with the span of the parts, and those that have a meaning."""
        start = end = None
        in_header = True
        parts: list[object] = []
        for child in children:
            if child is None:
                parts.append(None)
                continue
            if isinstance(child, Token):
                if child.kind in _PARTS:
                    parts.append(child)
                elif child.kind in _LAYOUT:
                    continue
                left, right = child.start, child.end
            else:
                span = child.span
                left, right = span.start, span.end
                parts.append(child.value if isinstance(child, Carrier) else child)
            if start is None:
                start = left
            if in_header:
                end = right
                in_header = type(child) is not Body
        return function(self, Span(self.source, start or 0, end or 0), *parts)

    def fixed_method_of(self, rule: Rule) -> Callable[[list[_Present]], Child]:
        """The method for the parts of a rule that has no lists, without None for missing parts. It does the same as
        `method_of`, but knows before which parts have a meaning, and where the span begins and ends."""
        method: _Method | Callable[[Children], Child] = getattr(self, rule.method)
        if not isinstance(method, _Method) or not rule.size:
            return lambda children: self.method_of(rule)(rule.arranged(children))
        function = method.function
        names = [name for _, name in rule.parts]
        if len(names) == 1 and rule.is_plain and (names[0] in _PARTS or not names[0].isupper()):
            return self._token_method(function) if names[0] in _PARTS else self._part_method(function)
        spanned = [at for at, name in enumerate(names) if name not in _LAYOUT]
        left, right = spanned[0], next((at for at in spanned if names[at] in _BLOCKS), spanned[-1])
        is_token_left, is_token_right = names[left].isupper(), names[right].isupper()
        arguments: list[int | None] = []  # the positions of parts, or None for missing ones
        for at, (missing, name) in enumerate(rule.parts):
            arguments += [None] * missing
            if not name.isupper() or name in _PARTS:
                arguments.append(at)
        arguments += [None] * rule.missing

        def call(children: _Parts) -> Child:
            first, last = children[left], children[right]
            start = first.start if is_token_left or isinstance(first, Token) else first.span.start
            end = last.end if is_token_right or isinstance(last, Token) else last.span.end
            parts: list[object] = []
            for at in arguments:
                part = None if at is None else children[at]
                parts.append(part.value if isinstance(part, Carrier) else part)
            return function(self, Span(self.source, start, end), *parts)

        return call

    def _token_method(self, function: Callable[..., Child]) -> Callable[[_Parts], Child]:
        """The method for a single token."""

        def call(children: _Parts) -> Child:
            (token,) = children
            return function(self, Span(self.source, token.start, token.end), token)

        return call

    def _part_method(self, function: Callable[..., Child]) -> Callable[[_Parts], Child]:
        """The method for a single part that another method made. Both have the same span."""

        def call(children: _Parts) -> Child:
            (part,) = children
            return function(self, part.span, part.value if isinstance(part, Carrier) else part)

        return call
