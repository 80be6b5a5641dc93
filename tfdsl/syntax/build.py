"""Builds tree nodes: one method per grammar rule, called by the parser when it recognises the rule.

A method gets the span of the rule and its parts: names, numbers and strings as tokens, the results of other
rules, and None for missing optional parts. Punctuation and keywords only count for the span. The parameter types
describe the parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

from ..diagnostics import (
    ARGUMENT_ORDER,
    ASSIGN_TARGET,
    NUMBER_SIZE,
    REST_LAST,
    WRONG_UNIT,
)
from ..record import replace
from ..source import Span
from . import tree as t
from .lexer import Token
from .literals import BuildError, bytes_of, text_of
from .rule_methods import Body, Carrier, Child, Children, RuleMethods, rule_method

_MAX_DIGITS = 4000
_MANY: dict[t.Unit, str] = {"epoch": "epochs", "batch": "batches", "step": "steps", "second": "seconds"}


# The types of parts. They have names because `tuple` and `list` are rules in the class.
_Tokens = list[Token]
_Exprs = tuple[t.Expr, ...]
_Arguments = tuple[t.Argument, ...]
_Feeds = tuple[t.Fed, ...]
_Identifiers = tuple[t.Identifier, ...]
_Parameters = tuple[t.DefParameter, ...]
_Saved = tuple[t.Saved, ...]
_Values = tuple[t.Valued, ...]
_Dims = tuple[t.Expr | t.UnknownDim, ...]
_Called = t.ScopeName | t.NodeName | None
_Branch = tuple[t.Expr | t.Broken | None, t.Block]


@rule_method
def _items(self: Builder, span: Span, *items: object):
    return Carrier(span, items)


@rule_method
def _part(self: Builder, span: Span, value: object = None):
    return Carrier(span, value)


def _make(node: Callable[..., Child]):
    """A rule whose parts are exactly the fields of a node."""

    def made(self: Builder, span: Span, *parts: object) -> Child:
        return node(span, *parts)

    return rule_method(made)


class Builder(RuleMethods):
    """The methods of all rules."""

    @overload
    def _identifier(self, token: Token) -> t.Identifier: ...

    @overload
    def _identifier(self, token: None) -> None: ...

    def _identifier(self, token: Token | None) -> t.Identifier | None:
        if token is None:
            return None
        return t.Identifier(Span(self.source, token.start, token.end), str(token))

    def _text(self, token: Token | None) -> t.Constant | None:
        if token is None:
            return None
        return t.Constant(Span(self.source, token.start, token.end), text_of(self.source, token))

    # --- files and blocks -----------------------------------------------------------------

    @rule_method
    def file(self, span: Span, *statements: t.Statement):
        return t.File(span, statements)

    def block(self, children: Children):
        colon = children[0]
        assert isinstance(colon, Token)
        statements = tuple(c for c in children if not isinstance(c, Token))
        return Body(Span(self.source, colon.start, colon.end), statements)

    session_block = block

    def remains(self, span: Span, *bodies: t.Block) -> t.Broken:
        """What is left of a statement with a syntax error."""
        from .fragments import bound, word_of  # only needed for errors

        text = span.text
        names, is_unread = bound(text)
        targets = (
            t.Identifier(Span(self.source, span.start + start, span.start + end), text[start:end])
            for start, end in names
        )
        return t.Broken(span, word_of(text), tuple(targets), is_unread, sum(bodies, ()))

    @rule_method
    def broken(self, span: Span, text: Token):
        return self.remains(span)

    @rule_method
    def broken_block(self, span: Span, text: Token, body: t.Block, *others: _Branch | None):
        bodies = (branch[1] for branch in others if branch is not None)
        return self.remains(Span(self.source, text.start, text.end), body, *bodies)

    session_broken_block = broken_block

    @rule_method
    def broken_session(self, span: Span, text: Token, body: t.Block):
        made = self.remains(Span(self.source, text.start, text.end), body)
        return made if made.word in ("train", "every") else replace(made, word="session")

    @rule_method
    def broken_branch(self, span: Span, text: Token, body: t.Block):
        return Carrier(span, (self.remains(Span(self.source, text.start, text.end)), body))

    # --- the graph half -------------------------------------------------------------------

    annotation = initial = tag = wrt = stage_arguments = on_data = within = by = order_seed = rows = step = dim = _part
    return_after = attributes = _part
    function_inputs = function_outputs = _items
    dims = parameters = saved_list = export_inputs = signature_inputs = log_names = with_ = expr_list = values = _items

    seed = _make(t.Seed)
    graph_version = _make(t.GraphVersion)
    loss = _make(t.Loss)
    unknown_dim = _make(t.UnknownDim)
    ellipsis = _make(t.Dots)

    @rule_method
    def alias(self, span: Span, name: Token):
        return Carrier(span, self._identifier(name))

    on = alias

    @rule_method
    def targets(self, span: Span, *names: Token):
        return Carrier(span, tuple(map(self._identifier, names)))

    @rule_method
    def type(self, span: Span, name: Token, dims: _Dims | None):
        return t.Type(span, str(name), dims)

    @rule_method
    def param(self, span: Span, name: Token, type: t.Type | None, value: t.Expr):
        return t.Param(span, self._identifier(name), type, value)

    @rule_method
    def stage(self, span: Span, name: Token, arguments: _Arguments | None):
        return t.Stage(span, str(name), arguments or ())

    @rule_method
    def data(self, span: Span, name: Token, *stages: t.Stage):
        return t.Data(span, self._identifier(name), stages)

    @rule_method
    def placeholder(self, span: Span, name: Token, type: t.Type, default: t.Expr | None, node: t.NodeName | None):
        return t.Placeholder(span, self._identifier(name), type, default, node)

    @rule_method
    def scope_name(self, span: Span, name: Token, reuse: Token | None):
        return t.ScopeName(span, self._identifier(name), reuse is not None)

    @rule_method
    def node_name(self, span: Span, text: Token):
        return t.NodeName(span, t.Constant(Span(self.source, text.start, text.end), text_of(self.source, text)))

    @rule_method
    def option(self, span: Span, name: Token, value: t.Expr):
        return t.Argument(Span(self.source, name.start, span.end), str(name), value)

    def _declared(
        self, span: Span, shared: bool, name: Token, type: t.Type | None, value: t.Expr | None,
        rest: tuple[t.Argument | t.NodeName | None, ...],
    ) -> t.Variable:  # fmt: skip
        *options, node = rest
        given = tuple(one for one in options if isinstance(one, t.Argument))
        return t.Variable(
            span, shared, self._identifier(name), type, value, given, node if isinstance(node, t.NodeName) else None
        )

    @rule_method
    def variable(
        self, span: Span, name: Token, type: t.Type | None, value: t.Expr | None,
        *rest: t.Argument | t.NodeName | None,
    ):  # fmt: skip
        return self._declared(span, False, name, type, value, rest)

    @rule_method
    def shared(
        self, span: Span, name: Token, type: t.Type | None, value: t.Expr | None,
        *rest: t.Argument | t.NodeName | None,
    ):  # fmt: skip
        return self._declared(span, True, name, type, value, rest)

    @rule_method
    def assign(self, span: Span, targets: _Exprs, values: _Exprs, name: _Called):
        names: list[t.Identifier] = []
        for target in targets:
            if not isinstance(target, t.Name):
                items = target.items if isinstance(target, t.List) else ()
                written = ", ".join(item.id for item in items if isinstance(item, t.Name))
                comma = "," if len(items) == 1 else ""
                help = f"write the names without the brackets: {written}{comma} = ..." if written else ""
                raise BuildError(ASSIGN_TARGET, target.span, help)
            names.append(t.Identifier(target.span, target.id))
        unpack = len(names) > 1 or self.source.text[names[0].span.end : span.end].lstrip().startswith(",")
        return t.Assign(span, tuple(names), self._tuple(values), unpack, name)

    def _tuple(self, values: _Exprs) -> t.Expr:
        """`a` or `a, b` as one expression."""
        if len(values) == 1:
            return values[0]
        return t.Tuple(Span(self.source, values[0].span.start, values[-1].span.end), values)

    @rule_method
    def expression_statement(self, span: Span, values: _Exprs, name: _Called):
        return t.ExpressionStatement(span, self._tuple(values), name)

    @rule_method
    def optimize(
        self, span: Span, loss: t.Expr | None, optimizer: t.Expr, options: _Arguments | None, wrt: _Exprs | None,
        target: t.Identifier | None, node: t.NodeName | None,
    ):  # fmt: skip
        return t.Optimize(span, loss, optimizer, options or (), wrt, target, node)

    @rule_method
    def apply(
        self, span: Span, gradients: _Exprs, variables: _Exprs, optimizer: t.Expr, options: _Arguments | None,
        target: t.Identifier | None, node: t.NodeName | None,
    ):  # fmt: skip
        return t.ApplyGradients(span, gradients, variables, optimizer, options or (), target, node)

    @rule_method
    def step_options(self, span: Span, *options: t.Argument):
        return Carrier(span, options)

    @rule_method
    def summary(self, span: Span, kind: Token, value: t.Expr, tag: t.Expr | None):
        return t.Summary(span, self._identifier(kind), value, tag)

    @rule_method
    def return_(self, span: Span, values: _Exprs | None, name: _Called, after: _Exprs | None):
        return t.Return(span, values or (), name, after or ())

    def import_path(self, children: _Tokens):
        return children[0]

    def _path(self, path: Token) -> str:
        return str(path) if path.kind == "NAME" else text_of(self.source, path)

    @rule_method
    def import_(self, span: Span, path: Token, target: t.Identifier | None):
        return t.Import(span, self._path(path), path.kind == "NAME", target, None)

    @rule_method
    def from_import(self, span: Span, path: Token, *names: Token):
        return t.Import(span, self._path(path), path.kind == "NAME", None, tuple(map(self._identifier, names)))

    @rule_method
    def scope(self, span: Span, name: Token, reuse: Token | None, body: t.Block):
        return t.Scope(span, self._identifier(name), reuse is not None, body)

    device = _make(t.Device)
    container = _make(t.Container)
    after = _make(t.After)
    while_ = _make(t.While)

    @rule_method
    def for_(self, span: Span, targets: _Identifiers, values: _Exprs, body: t.Block):
        return t.For(span, targets, self._tuple(values), body)

    @rule_method
    def graph(self, span: Span, name: Token, body: t.Block):
        return t.Graph(span, self._identifier(name), body)

    @rule_method
    def elif_(self, span: Span, condition: t.Expr, body: t.Block):
        return Carrier(span, (condition, body))

    @rule_method
    def else_(self, span: Span, body: t.Block):
        return Carrier(span, (None, body))

    @rule_method
    def if_(self, span: Span, condition: t.Expr, body: t.Block, *others: _Branch | None):
        branches = ((condition, body), *(branch for branch in others if branch is not None))
        whole = tuple((test, body) for test, body in branches if not isinstance(test, t.Broken))
        if len(whole) == len(branches):
            return t.If(span, whole)
        return t.Broken(span, "if", (), False, sum((body for _, body in branches), ()))

    @rule_method
    def parameter(self, span: Span, name: Token, default: t.Expr | None):
        return t.DefParameter(span, str(name), default)

    @rule_method
    def rest_parameter(self, span: Span, stars: Token, name: Token):
        return t.DefParameter(span, str(name), None, is_rest=True)

    @rule_method
    def def_(self, span: Span, name: Token, parameters: _Parameters | None, body: t.Block):
        for parameter in (parameters or ())[:-1]:
            if parameter.is_rest:
                raise BuildError(REST_LAST, parameter.span, name=parameter.name)
        return t.Def(span, self._identifier(name), parameters or (), body)

    @rule_method
    def function(
        self, span: Span, name: Token, inputs: tuple[t.FunctionInput, ...] | None,
        outputs: tuple[t.FunctionOutput, ...] | None, attributes: _Arguments | None, node: t.NodeName | None,
        body: t.Block,
    ):  # fmt: skip
        return t.GraphFunction(span, self._identifier(name), inputs or (), outputs or (), attributes or (), node, body)

    @rule_method
    def function_input(
        self, span: Span, name: Token, type: t.Type, attributes: _Arguments | None, node: t.NodeName | None
    ):
        return t.FunctionInput(span, self._identifier(name), type, attributes or (), node)

    @rule_method
    def function_output(self, span: Span, type: t.Type, node: t.NodeName | None):
        return t.FunctionOutput(span, "", type, node)

    @rule_method
    def named_output(self, span: Span, name: Token, type: t.Type, node: t.NodeName | None):
        return t.FunctionOutput(span, str(name), type, node)

    @rule_method
    def later(self, span: Span, name: Token):
        return t.Later(span, str(name))

    # --- the session half -----------------------------------------------------------------

    session_elif, session_else, session_if, session_for = elif_, else_, if_, for_
    init = _make(t.Init)
    log_to = _make(t.LogTo)

    @rule_method
    def feed(self, span: Span, *feeds: t.Fed):
        return t.Feed(span, feeds)

    @rule_method
    def session(self, span: Span, name: Token | None, graph: t.Identifier | None, body: t.Block):
        return t.Session(span, self._identifier(name), graph, body)

    @rule_method
    def dotted(self, span: Span, *names: Token):
        return t.Identifier(span, ".".join(names))

    @rule_method
    def saved(self, span: Span, target: t.Identifier, name: t.Expr | None):
        return t.Saved(span, target, name)

    @rule_method
    def restore(self, span: Span, saved: _Saved | None, path: t.Expr, if_exists: Token | None):
        return t.Restore(span, saved or (), path, if_exists is not None)

    @rule_method
    def save(self, span: Span, saved: _Saved | None, path: t.Expr):
        return t.Save(span, saved or (), path)

    @rule_method
    def run(self, span: Span, values: _Exprs, feeds: _Feeds | None):
        return t.Run(span, values, feeds or ())

    @rule_method
    def print(self, span: Span, values: _Exprs | None, feeds: _Feeds | None):
        return t.Print(span, values or (), feeds or ())

    @rule_method
    def set(self, span: Span, target: t.Identifier, value: t.Expr, feeds: _Feeds | None):
        return t.Set(span, target, value, feeds or ())

    @rule_method
    def log_name(self, span: Span, token: Token):
        return t.Name(span, str(token)) if token.kind == "NAME" else t.Constant(span, text_of(self.source, token))

    @rule_method
    def log(self, span: Span, tags: tuple[t.Name | t.Constant, ...] | None, feeds: _Feeds | None):
        return t.Log(span, tags or (), feeds or ())

    @rule_method
    def expect(self, span: Span, condition: t.Expr, within: t.Expr | None, feeds: _Feeds | None):
        return t.Expect(span, condition, within, feeds or ())

    @rule_method
    def export_input(self, span: Span, target: t.Identifier, value: t.Expr | None = None):
        return t.ExportInput(span, target, value)

    @rule_method
    def export(self, span: Span, values: _Exprs | None, inputs: tuple[t.ExportInput, ...] | None, path: t.Expr):
        return t.Export(span, values or (), inputs or (), path)

    @rule_method
    def signature(self, span: Span, name: Token, outputs: _Saved, inputs: _Saved | None):
        constant = self._text(name)
        assert constant is not None  # the grammar requires a name
        return t.Signature(span, constant, outputs, inputs or ())

    @rule_method
    def value(self, span: Span, value: t.Expr, name: t.Identifier | None):
        return t.Valued(span, value, name)

    @rule_method
    def write(self, span: Span, values: _Values, path: t.Expr, feeds: _Feeds | None):
        return t.Write(span, values, path, feeds or ())

    @rule_method
    def evaluation(
        self, span: Span, values: _Values, data: t.Identifier, size: t.Expr | None, batch: t.Identifier | None
    ):
        return t.Evaluate(span, (), values, data, size, batch, ())

    @rule_method
    def bind(self, span: Span, targets: _Identifiers, value: t.Evaluate | _Exprs, feeds: _Feeds | None):
        if isinstance(value, t.Evaluate):
            return replace(value, span=span, targets=targets, feeds=feeds or ())
        return t.Bind(span, targets, self._tuple(value), feeds or ())

    @rule_method
    def fed(self, span: Span, target: t.Identifier, value: t.Expr):
        return t.Fed(span, target, value)

    @rule_method
    def stop(self, span: Span, condition: t.Expr, feeds: _Feeds | None):
        return t.Stop(span, condition, feeds or ())

    def _unit(self, token: Token, allowed: tuple[t.Unit, ...]) -> t.Unit:
        named: dict[str, t.Unit] = {word: one for one in allowed for word in (one, _MANY[one])}
        if token not in named:
            span = Span(self.source, token.start, token.end)
            names = [_MANY[one] for one in allowed]
            raise BuildError(WRONG_UNIT, span, unit=str(token), allowed=f"{', '.join(names[:-1])} or {names[-1]}")
        return named[token]

    @rule_method
    def checkpoint(self, span: Span, count: t.Expr, unit: Token, path: t.Expr):
        return t.Checkpoint(span, count, self._unit(unit, ("epoch", "step", "second")), path)

    @rule_method
    def batching(self, span: Span, size: t.Expr, order: Token | None, seed: t.Expr | None):
        return t.Batching(span, size, None if order is None else str(order), seed)

    @rule_method
    def train_option(self, span: Span, name: Token, value: t.Expr):
        return t.Argument(span, str(name), value)

    @rule_method
    def train(
        self,
        span: Span,
        count: t.Expr,
        unit: Token,
        data: t.Identifier | None,
        batching: t.Batching | None,
        target: t.Identifier | None,
        *parts: t.Argument | t.Block,
    ):
        body = parts[-1]
        assert isinstance(body, tuple)
        options = tuple(one for one in parts if isinstance(one, t.Argument))
        return t.Train(span, count, self._unit(unit, ("epoch", "step")), data, batching, target, options, body)

    @rule_method
    def every(self, span: Span, count: t.Expr, unit: Token, body: t.Block):
        return t.Every(span, count, self._unit(unit, ("epoch", "batch", "step", "second")), body, False)

    @rule_method
    def after_every(self, span: Span, count: t.Expr, unit: Token, body: t.Block):
        return t.Every(span, count, self._unit(unit, ("epoch", "batch", "step")), body, True)

    @rule_method
    def stop_after(self, span: Span, count: t.Expr, unit: Token, better: Token, value: t.Expr, by: t.Expr | None):
        return t.StopAfter(span, count, self._unit(unit, ("epoch", "batch", "step")), better == "higher", value, by)

    @rule_method
    def keep(self, span: Span, best: Token, value: t.Expr, path: t.Expr):
        return t.Keep(span, best == "highest", value, path)

    # --- expressions ----------------------------------------------------------------------

    @rule_method
    def name(self, span: Span, token: Token):
        return t.Name(span, str(token))

    @rule_method
    def number(self, span: Span, token: Token):
        text = token.replace("_", "").lower()
        if len(text) > _MAX_DIGITS:
            raise BuildError(NUMBER_SIZE, span, digits=len(text), limit=_MAX_DIGITS)
        if text[:2] in ("0x", "0o", "0b"):
            return t.Constant(span, int(text, 0))
        return t.Constant(span, float(text) if set(text) & set(".e") else int(text))

    @rule_method
    def string(self, span: Span, token: Token):
        return t.Constant(span, text_of(self.source, token))

    @rule_method
    def byte_string(self, span: Span, token: Token):
        return t.Constant(span, bytes_of(self.source, token))

    @rule_method
    def constant(self, span: Span, token: Token):
        return t.Constant(span, t.CONSTANTS[token])

    @rule_method
    def group(self, span: Span, value: t.Expr):
        return replace(value, span=span)

    @rule_method
    def tuple(self, span: Span, *items: t.Expr):
        return t.Tuple(span, items)

    @rule_method
    def list(self, span: Span, *items: t.Expr):
        return t.List(span, items)

    @rule_method
    def entry(self, span: Span, key: t.Expr, value: t.Expr):
        return t.Entry(span, key, value)

    @rule_method
    def dictionary(self, span: Span, *entries: t.Entry):
        return t.Dictionary(span, entries)

    @rule_method
    def comprehension(self, span: Span, element: t.Expr, *clauses: t.Clause):
        return t.Comprehension(span, element, clauses)

    @rule_method
    def comprehension_clause(self, span: Span, targets: _Identifiers, iterable: t.Expr, *conditions: t.Expr):
        return t.Clause(span, targets, iterable, conditions)

    @rule_method
    def unary(self, span: Span, op: Token, operand: t.Expr):
        return t.Unary(span, str(op), operand)

    @rule_method
    def binary(self, span: Span, left: t.Expr, op: Token, right: t.Expr):
        return t.Binary(span, str(op), left, right)

    @rule_method
    def boolean(self, span: Span, left: t.Expr, op: Token, right: t.Expr):
        return t.Boolean(span, str(op), left, right)

    def compare_op(self, children: _Tokens):
        first, last = children[0], children[-1]
        text = " ".join(map(str, children))
        return Token.of("OPERATOR", text, first.start, last.end)

    @rule_method
    def compare(self, span: Span, first: t.Expr, *rest: Token | t.Expr):
        operators = tuple(str(one) for one in rest if isinstance(one, Token))
        return t.Compare(span, operators, (first, *(one for one in rest if not isinstance(one, Token))))

    @rule_method
    def if_expression(self, span: Span, then: t.Expr, condition: t.Expr, otherwise: t.Expr):
        return t.Conditional(span, condition, then, otherwise)

    @rule_method
    def arguments(self, span: Span, *arguments: t.Argument):
        named = None
        for argument in arguments:
            if argument.name is not None:
                named = argument.name
            elif argument.is_rest:
                named = argument.span.one_line
            elif named is not None:
                raise BuildError(ARGUMENT_ORDER, argument.span, name=named)
        return Carrier(span, arguments)

    @rule_method
    def argument(self, span: Span, value: t.Expr):
        return t.Argument(span, None, value)

    @rule_method
    def keyword_argument(self, span: Span, name: Token, value: t.Expr):
        return t.Argument(span, str(name), value)

    @rule_method
    def rest_argument(self, span: Span, stars: Token, value: t.Expr):
        return t.Argument(span, None, value, is_rest=True)

    @rule_method
    def call(self, span: Span, function: t.Expr, arguments: _Arguments | None = None):
        return t.Call(span, function, arguments or ())

    @rule_method
    def index(self, span: Span, value: t.Expr, *items: t.Expr):
        return t.Index(span, value, items)

    @rule_method
    def slice(self, span: Span, start: t.Expr | None, stop: t.Expr | None, step: t.Expr | None):
        return t.Slice(span, start, stop, step)

    @rule_method
    def attribute(self, span: Span, value: t.Expr, name: Token):
        return t.Attribute(span, value, str(name))
