"""Loops of TensorFlow 1: `raw.Merge(inputs=[first, later next])`, and the line further down that binds `next`."""

from ...diagnostics import LATER_LOOP, LATER_MISSING, Diagnostic, Note
from ...ops import raw
from ...program import Back, Refs
from ...record import replace
from ...syntax import tree as t
from ..context import Analysis, GraphBuilder
from ..values import Env, ErrorValue, ExprValue, Tensor, describe


def close(ctx: Analysis, env: Env, target: t.Identifier, value: ExprValue) -> None:
    """Give a name that was bound to the merges that wait for it."""
    graph = ctx.graph
    waiting = [one for one in graph.pending if one.name == target.id and one.env is env]
    if not waiting:
        return
    graph.pending = [one for one in graph.pending if one not in waiting]
    for one in waiting:
        merge = graph.nodes[one.node]
        dtype = merge.outputs[0].dtype
        made = graph.nodes[value.ref.node].raw_op if isinstance(value, Tensor) else None
        if (
            not isinstance(value, Tensor)
            or made is None
            or made.tf not in raw.NEXT_ITERATIONS
            or value.type.dtype != dtype
        ):
            note = Note("the merge is on line {line}", one.span)
            ctx.fail(LATER_LOOP, target.span, (note,), name=target.id, dtype=dtype, value=describe(value))
        items = list(merge.items("inputs"))
        items[one.at] = Back(value.ref)
        graph.exchange(replace(merge, args={**merge.args, "inputs": Refs(tuple(items))}))


def unclosed(ctx: Analysis, graph: GraphBuilder) -> list[Diagnostic]:
    """An error for each `later` whose name nothing binds."""
    return [
        Diagnostic(LATER_MISSING, one.span, {"name": one.name})
        for one in graph.pending
        if not (_failed(one.env, one.name) or ctx.is_doubtful(one.name))
    ]


def _failed(env: Env, name: str) -> bool:
    known = env.reached(name)
    return known is not None and isinstance(known.value, ErrorValue)
