"""Values with a name for their scope or their node: `nn.dense(x, 10) as head`, `y - t as "loss/error"`."""

from collections.abc import Iterator
from typing import assert_never

from ...diagnostics import NO_NODE, NOT_CALLED
from ...syntax import tree as t
from ..context import Analysis
from ..values import Env, ExprValue, Function, NodeValue, describe, is_host
from .expressions import called, evaluate, value_of, valued
from .node_names import give_name, node_name


def named(ctx: Analysis, env: Env, expr: t.Expr, name: str | None, given: t.ScopeName | t.NodeName | None) -> ExprValue:
    """The value of an expression after which the program may name the scope that it opens, or its node. `name` is the
    name that it gets otherwise."""
    match given:
        case None:
            return value_of(ctx, env, expr, name)
        case t.NodeName():
            return _with_node_name(ctx, env, expr, given)
        case t.ScopeName() if isinstance(expr, t.Call):
            return valued(ctx, env, expr, ctx.with_depth(called, expr.span, ctx, env, expr, name, given))
        case t.ScopeName():
            ctx.fail(NOT_CALLED, given.span, name=given.target.id, value=describe(value_of(ctx, env, expr, name)))
        case _:
            assert_never(given)


def _with_node_name(ctx: Analysis, env: Env, expr: t.Expr, given: t.NodeName) -> ExprValue:
    """The value of an expression whose node gets a whole name."""
    name, first = node_name(ctx, env, given), len(ctx.graph.nodes)
    function = evaluate(ctx, env, expr.function) if isinstance(expr, t.Call) else None
    value = value_of(ctx, env, expr)
    refs = set(_nodes(value))
    if isinstance(function, Function):
        last = name.rpartition("/")[2]
        help = f"name the node in the body of {function.tree.target.id}, or the scope of the call, without quotes: "
        help += f"as {last if last.isidentifier() else 'first'}"
        ctx.fail(NO_NODE, given.span, help=help, value=f"a call of {function.tree.target.id}", name=name)
    if len(refs) != 1 or min(refs) < first:
        help = f"make a node of it: constant({expr.span.one_line})" if is_host(value) else ""
        ctx.fail(NO_NODE, given.span, help=help, value=describe(value), name=name)
    give_name(ctx, refs.pop(), name, given.span)
    return value


def _nodes(value: ExprValue) -> Iterator[int]:
    """The nodes that make a value, which can be a list of outputs."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _nodes(one)
    elif isinstance(value, NodeValue):
        yield value.ref.node
