"""Tree nodes from the grammar's rules: one method a rule, called by Lark as each is recognised.

A method gets the rule's span and its parts: names, numbers and strings as tokens, what other
rules made, None for what is optional and absent. Punctuation and keywords only count for the span.
"""

import re
import threading
import unicodedata
from dataclasses import replace
from typing import overload

from lark import Token

from ..diagnostics import ARGUMENT_ORDER, ASSIGN_TARGET, ESCAPE, NUMBER_SIZE, WRONG_UNIT, Message
from ..record import Record
from ..source import Source, Span
from . import tree as t
from .layout import ends

# Terminals that a method gets as an argument; all others are layout, punctuation and keywords.
_PARTS = frozenset(
    "NAME NUMBER STRING UNIT ORDER REUSE IF_EXISTS AND OR NOT TRUE FALSE NONE OPERATOR "
    "PLUS MINUS STAR SLASH FLOORDIV PERCENT AT POW".split()
)
_MAX_DIGITS = 4000
_MANY: dict[t.Unit, str] = {"epoch": "epochs", "batch": "batches", "step": "steps", "second": "seconds"}
_CONSTANTS = {"true": True, "false": False, "none": None}

_ESCAPES = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]+)\}|(.))")


class BuildError(Exception):
    """What the grammar accepts and the language does not."""

    def __init__(self, message: Message, span: Span, **details: object):
        super().__init__(message.code)
        self.message, self.span, self.details = message, span, details


class _Items(Record):
    """A list of nodes on its way to its parent, which gets the bare tuple."""

    span: Span
    items: tuple


class _Body(_Items):
    """A block; its span is the colon, where the span of its statement ends."""

    __slots__ = ()


def _rule(method):
    """Call `method` with the rule's span and the parts that carry meaning."""

    def callback(self, children):
        start = end = None
        in_header = True
        parts = []
        for child in children:
            if child is None:
                parts.append(None)
                continue
            if isinstance(child, Token):
                kind = child.type
                if kind in _PARTS:
                    parts.append(child)
                elif kind in ("_NL", "_INDENT", "_DEDENT"):
                    continue
                left, right = child.start_pos, child.end_pos
            else:
                span = child.span
                left, right = span.start, span.end
                parts.append(child.items if isinstance(child, (_Items, _Part)) else child)
            if start is None:
                start = left
            if in_header:
                end = right
            if type(child) is _Body:
                in_header = False
        return method(self, Span(self.source, start or 0, end or 0), *parts)

    return callback


def _items(self, span, *items):
    return _Items(span, items)


class _Part:
    """An optional part of a rule, such as `: type`, on its way to its parent, which gets the bare value."""

    __slots__ = ("items", "span")

    def __init__(self, span: Span, value: object):
        self.span, self.items = span, value


def _make(node: type):
    """A rule whose parts are exactly the fields of a node."""
    return _rule(lambda self, span, *parts: node(span, *parts))


class Builder(threading.local):
    """The callbacks. `source` is set before each parse; each thread has its own."""

    source: Source

    @overload
    def _identifier(self, token: Token) -> t.Identifier: ...

    @overload
    def _identifier(self, token: None) -> None: ...

    def _identifier(self, token: Token | None) -> t.Identifier | None:
        if token is None:
            return None
        return t.Identifier(Span(self.source, *ends(token)), str(token))

    def _unescape(self, token: Token) -> str:
        text = token[1:-1]
        if "\\" not in text:
            return text

        def character(match: re.Match) -> str:
            octal, hex2, hex4, hex8, name, other = match.groups()
            try:
                if octal:
                    return chr(int(octal, 8))
                if hex2 or hex4 or hex8:
                    return chr(int(hex2 or hex4 or hex8, 16))
                if name:
                    return unicodedata.lookup(name)
                return _ESCAPES[other]
            except (KeyError, ValueError):
                start = ends(token)[0] + 1 + match.start()
                span = Span(self.source, start, start + len(match[0]))
                raise BuildError(ESCAPE, span, escape=match[0]) from None

        return _ESCAPE.sub(character, text)

    def _text(self, token: Token | None) -> t.Constant | None:
        if token is None:
            return None
        return t.Constant(Span(self.source, *ends(token)), self._unescape(token))

    # --- files and blocks -----------------------------------------------------------------

    @_rule
    def file(self, span, *statements):
        return t.File(span, statements)

    def block(self, children):
        colon = children[0]
        statements = tuple(c for c in children if not isinstance(c, Token))
        return _Body(Span(self.source, colon.start_pos, colon.end_pos), statements)

    session_block = block

    # --- the graph half -------------------------------------------------------------------

    annotation = initial = tag = wrt = stage_arguments = on_data = within = order_seed = step = _rule(
        lambda self, span, value=None: _Part(span, value)
    )
    alias = on = _rule(lambda self, span, name: _Part(span, self._identifier(name)))
    dims = parameters = saved_list = export_inputs = log_names = _rule(_items)

    seed = _make(t.Seed)
    loss = _make(t.Loss)
    dim = _rule(lambda self, span, value: value)
    unknown_dim = _make(t.UnknownDim)
    ellipsis = _make(t.Dots)
    targets = _rule(lambda self, span, *names: _Items(span, tuple(map(self._identifier, names))))

    @_rule
    def type(self, span, name, dims):
        return t.Type(span, str(name), dims)

    @_rule
    def param(self, span, name, type, value):
        return t.Param(span, self._identifier(name), type, value)

    @_rule
    def stage(self, span, name, arguments):
        return t.Stage(span, str(name), arguments or ())

    @_rule
    def data(self, span, name, *stages):
        return t.Data(span, self._identifier(name), stages)

    @_rule
    def placeholder(self, span, name, type, default):
        return t.Placeholder(span, self._identifier(name), type, default)

    @_rule
    def option(self, span, name, value):
        return t.Argument(Span(self.source, name.start_pos, span.end), str(name), value)

    @_rule
    def variable(self, span, name, type, value, *options):
        return t.Variable(span, False, self._identifier(name), type, value, options)

    @_rule
    def shared(self, span, name, type, value, *options):
        return t.Variable(span, True, self._identifier(name), type, value, options)

    @_rule
    def assign(self, span, targets, values):
        for target in targets:
            if not isinstance(target, t.Name):
                raise BuildError(ASSIGN_TARGET, target.span)
        unpack = len(targets) > 1 or self.source.text[targets[0].span.end : span.end].lstrip().startswith(",")
        names = tuple(t.Identifier(target.span, target.id) for target in targets)
        return t.Assign(span, names, self._tuple(values), unpack)

    def _tuple(self, values):
        """What `a` or `a, b` is as one expression."""
        if len(values) == 1:
            return values[0]
        return t.Tuple(Span(self.source, values[0].span.start, values[-1].span.end), values)

    @_rule
    def expression_statement(self, span, values):
        return t.ExpressionStatement(span, self._tuple(values))

    @_rule
    def optimize(self, span, loss, optimizer, wrt, target):
        return t.Optimize(span, loss, optimizer, wrt, target)

    @_rule
    def summary(self, span, kind, value, tag):
        return t.Summary(span, self._identifier(kind), value, tag)

    @_rule
    def return_(self, span, values):
        return t.Return(span, values or ())

    def import_path(self, children):
        return children[0]

    def _path(self, path):
        return str(path) if path.type == "NAME" else self._unescape(path)

    @_rule
    def import_(self, span, path, target):
        return t.Import(span, self._path(path), path.type == "NAME", target, None)

    @_rule
    def from_import(self, span, path, *names):
        names = tuple(map(self._identifier, names))
        return t.Import(span, self._path(path), path.type == "NAME", None, names)

    @_rule
    def scope(self, span, name, reuse, body):
        return t.Scope(span, self._identifier(name), reuse is not None, body)

    device = _make(t.Device)
    container = _make(t.Container)
    after = _make(t.After)
    while_ = _make(t.While)

    @_rule
    def for_(self, span, targets, values, body):
        return t.For(span, targets, self._tuple(values), body)

    @_rule
    def graph(self, span, name, body):
        return t.Graph(span, self._identifier(name), body)

    @_rule
    def elif_(self, span, condition, body):
        return _Items(span, (condition, body))

    @_rule
    def else_(self, span, body):
        return _Items(span, (None, body))

    @_rule
    def if_(self, span, condition, body, *others):
        return t.If(span, ((condition, body), *(branch for branch in others if branch is not None)))

    @_rule
    def parameter(self, span, name, default):
        return t.Parameter(span, str(name), default)

    @_rule
    def def_(self, span, name, parameters, body):
        return t.Def(span, self._identifier(name), parameters or (), body)

    # --- the session half -----------------------------------------------------------------

    session_elif, session_else, session_if, session_for = elif_, else_, if_, for_
    init = _make(t.Init)
    log_to = _make(t.LogTo)
    feed = _rule(lambda self, span, *feeds: t.Feed(span, feeds))
    with_ = _rule(_items)

    @_rule
    def session(self, span, name, graph, body):
        return t.Session(span, self._identifier(name), graph, body)

    @_rule
    def dotted(self, span, *names):
        return t.Identifier(span, ".".join(names))

    @_rule
    def saved(self, span, target, name):
        return t.Saved(span, target, name)

    @_rule
    def restore(self, span, saved, path, if_exists):
        return t.Restore(span, saved or (), path, if_exists is not None)

    @_rule
    def save(self, span, saved, path):
        return t.Save(span, saved or (), path)

    @_rule
    def run(self, span, values, feeds):
        return t.Run(span, values, feeds or ())

    @_rule
    def print(self, span, values, feeds):
        return t.Print(span, values or (), feeds or ())

    @_rule
    def set(self, span, target, value, feeds):
        return t.Set(span, target, value, feeds or ())

    @_rule
    def log_name(self, span, token):
        text = self._unescape(token) if token.type == "STRING" else str(token)
        return t.Identifier(span, text)

    @_rule
    def log(self, span, tags, feeds):
        return t.Log(span, tags or (), feeds or ())

    @_rule
    def expect(self, span, condition, within, feeds):
        return t.Expect(span, condition, within, feeds or ())

    @_rule
    def export(self, span, values, inputs, path):
        return t.Export(span, values, inputs or (), path)

    @_rule
    def fed(self, span, target, value):
        return t.Fed(span, target, value)

    @_rule
    def stop(self, span, condition, feeds):
        return t.Stop(span, condition, feeds or ())

    def _unit(self, token: Token, allowed: tuple[t.Unit, ...]) -> t.Unit:
        named: dict[str, t.Unit] = {word: one for one in allowed for word in (one, _MANY[one])}
        if token not in named:
            span = Span(self.source, *ends(token))
            raise BuildError(WRONG_UNIT, span, unit=str(token), allowed=allowed)
        return named[token]

    @_rule
    def checkpoint(self, span, count, unit, path):
        return t.Checkpoint(span, count, self._unit(unit, ("epoch", "step", "second")), path)

    @_rule
    def batching(self, span, size, order, seed):
        return t.Batching(span, size, None if order is None else str(order), seed)

    @_rule
    def train_option(self, span, name, value):
        return t.Argument(span, str(name), value)

    @_rule
    def train(self, span, count, unit, data, batching, target, *parts):
        *options, body = parts
        unit = self._unit(unit, ("epoch", "step"))
        return t.Train(span, count, unit, data, batching, target, tuple(options), body)

    @_rule
    def every(self, span, count, unit, body):
        return t.Every(span, count, self._unit(unit, ("epoch", "batch", "step", "second")), body)

    # --- expressions ----------------------------------------------------------------------

    expr_list = _rule(_items)

    @_rule
    def name(self, span, token):
        return t.Name(span, str(token))

    @_rule
    def number(self, span, token):
        text = token.replace("_", "").lower()
        if len(text) > _MAX_DIGITS:
            raise BuildError(NUMBER_SIZE, span, digits=len(text), limit=_MAX_DIGITS)
        if text[:2] in ("0x", "0o", "0b"):
            return t.Constant(span, int(text, 0))
        return t.Constant(span, float(text) if set(text) & set(".e") else int(text))

    @_rule
    def string(self, span, token):
        return t.Constant(span, self._unescape(token))

    @_rule
    def constant(self, span, token):
        return t.Constant(span, _CONSTANTS[token])

    @_rule
    def group(self, span, value):
        return replace(value, span=span)

    @_rule
    def tuple(self, span, *items):
        return t.Tuple(span, items)

    @_rule
    def list(self, span, *items):
        return t.List(span, items)

    @_rule
    def comprehension(self, span, element, *clauses):
        return t.Comprehension(span, element, clauses)

    @_rule
    def comprehension_clause(self, span, targets, iterable, *conditions):
        return t.Clause(span, targets, iterable, conditions)

    @_rule
    def unary(self, span, op, operand):
        return t.Unary(span, str(op), operand)

    @_rule
    def binary(self, span, left, op, right):
        return t.Binary(span, str(op), left, right)

    @_rule
    def boolean(self, span, left, op, right):
        return t.Boolean(span, str(op), left, right)

    def compare_op(self, children):
        first, last = children[0], children[-1]
        text = " ".join(map(str, children))
        return Token("OPERATOR", text, first.start_pos, end_pos=last.end_pos)

    @_rule
    def compare(self, span, first, *rest):
        return t.Compare(span, tuple(map(str, rest[::2])), (first, *rest[1::2]))

    @_rule
    def if_expression(self, span, then, condition, otherwise):
        return t.Conditional(span, condition, then, otherwise)

    @_rule
    def arguments(self, span, *arguments):
        named = None
        for argument in arguments:
            if argument.name is not None:
                named = argument
            elif named is not None:
                raise BuildError(ARGUMENT_ORDER, argument.span, name=named.name)
        return _Items(span, arguments)

    @_rule
    def argument(self, span, value):
        return t.Argument(span, None, value)

    @_rule
    def keyword_argument(self, span, name, value):
        return t.Argument(span, str(name), value)

    @_rule
    def call(self, span, function, arguments=None):
        return t.Call(span, function, arguments or ())

    @_rule
    def index(self, span, value, *items):
        return t.Index(span, value, items)

    @_rule
    def slice(self, span, start, stop, step):
        return t.Slice(span, start, stop, step)

    @_rule
    def attribute(self, span, value, name):
        return t.Attribute(span, value, str(name))
