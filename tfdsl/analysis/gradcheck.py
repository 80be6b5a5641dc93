"""Prepares `tfdsl gradcheck`: for each gradient of a program, nodes that compute it by every available method."""

from collections.abc import Iterator

from ..diagnostics import LOSS_TYPE, UNKNOWN_NAME, Diagnostic, TfgError
from ..ops.named import GRADIENTS
from ..program import Graph, Item, Program, Ref
from ..record import Record
from ..source import Span
from .calls.arguments import ArgumentValue
from .calls.calls import gradients
from .context import Analysis, StatementFailed
from .gradient_flow import depends
from .other_graph import on_graph
from .values import Tensor

METHODS = ("reverse", "forward", "numeric", "symbolic")


class Way(Record):
    """One way to compute a gradient: the nodes to add and their outputs, or the reason why there is none."""

    method: str
    items: tuple[Item, ...] = ()
    refs: tuple[Ref, ...] = ()
    reason: str = ""


class Check(Record):
    """A gradient of a scalar, or of the sum of the ys, with respect to the xs."""

    graph: str
    ys: tuple[Ref, ...]
    xs: tuple[Ref, ...]
    span: Span


def wanted(ctx: Analysis, program: Program, node: str | None) -> list[Check]:
    """The gradients to check: those that the program takes and those of its optimizers, or those of one node."""
    if node is not None:
        return [_of_node(ctx, program.graph(""), node)]
    found = [check for graph in program.graphs for check in _of_graph(ctx, graph)]
    return list({(check.graph, check.ys, check.xs): check for check in reversed(found)}.values())[::-1]


def _of_node(ctx: Analysis, graph: Graph, name: str) -> Check:
    named = graph.names.get(name)
    type = graph.type(named.value) if named is not None and isinstance(named.value, Ref) else None
    if named is None or not isinstance(named.value, Ref) or type is None:
        help = ctx.did_you_mean(name, graph.names)
        raise TfgError([Diagnostic(UNKNOWN_NAME, None, {"name": name}, help=help)])
    if type.dtype.kind != "float" or type.rank not in (0, None):
        raise TfgError([Diagnostic(LOSS_TYPE, named.span, {"type": type})])
    return Check("", (named.value,), _sources(ctx, graph, named.value), named.span)


def _of_graph(ctx: Analysis, graph: Graph) -> Iterator[Check]:
    for node in graph.nodes.values():
        if node.row is GRADIENTS:
            yield Check(graph.name, node.refs("ys"), node.refs("xs"), node.origin.span)
        elif (loss := node.loss) is not None:
            with on_graph(ctx, ctx.graphs[graph.name]):
                xs = node.refs("wrt") if "wrt" in node.args else _sources(ctx, graph, loss)
            yield Check(graph.name, (loss,), xs, node.origin.span)


def _sources(ctx: Analysis, graph: Graph, y: Ref) -> tuple[Ref, ...]:
    """The trainable variables that a node depends on, or its placeholders if there are none."""
    for sources in (graph.variables(), graph.placeholders()):
        nodes = [node for node in sources if node.outputs[0].dtype.kind == "float"]
        trainable = [Ref(node.id) for node in nodes if node.is_trainable or node.is_placeholder]
        found = tuple(ref for ref in trainable if ref != y and depends(ctx, y, ref))
        if found:
            return found
    return ()


def way(ctx: Analysis, check: Check, method: str) -> Way:
    """The nodes of a gradient by one method, added to the program's nodes."""
    ctx.count_anew()
    graph = ctx.graphs[check.graph]
    start, nodes = len(graph.items), graph.nodes
    tensors = [
        [Tensor(ref, nodes[ref.node].outputs[ref.output], check.graph, nodes[ref.node].origin.span,
                nodes[ref.node].is_variable) for ref in refs]
        for refs in (check.ys, check.xs)
    ]  # fmt: skip
    given = [("ys", ArgumentValue(tensors[0], check.span)), ("xs", ArgumentValue(tensors[1], check.span)),
             ("method", ArgumentValue(method, check.span))]  # fmt: skip
    with on_graph(ctx, graph):
        try:
            results = gradients(ctx, GRADIENTS, given, check.span, None)
        except StatementFailed as abandoned:
            del graph.items[start:]
            reason = abandoned.diagnostic.headline if abandoned.diagnostic else "it cannot be built"
            return Way(method, reason=reason)
    items = tuple(graph.items[start:])
    del graph.items[start:]
    return Way(method, items, tuple(one.ref for one in results))


def between(ctx: Analysis, check: Check) -> list[Ref]:
    """The nodes that the gradient flows through from the ys to the xs, starting at the ys."""
    graph = ctx.graphs[check.graph]
    with on_graph(ctx, graph):
        reached = sorted(graph.reach(check.ys), reverse=True)
        found = [
            Ref(id) for id in reached
            if (outputs := graph.nodes[id].outputs) and len(outputs) == 1 and outputs[0].dtype.kind == "float"
            and any(depends(ctx, Ref(id), x) for x in check.xs) and any(depends(ctx, y, Ref(id)) for y in check.ys)
        ]  # fmt: skip
    return [ref for ref in found if ref not in check.ys and ref not in check.xs] + list(check.xs)
