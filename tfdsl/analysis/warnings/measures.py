"""Finds mistakes in measures that a program computes itself: comparisons of probabilities and classes whose result is
always the same or meaningless.

Input: the nodes of the finished graphs, and the conditions of sessions. Output: warnings, each with the correct code.
"""

from collections.abc import Iterator, Mapping

from ...diagnostics import FRACTION_BOUND, ROWS_FOR_CLASSES, SHARE_ALWAYS, SHARE_EQUALS, Message, Note
from ...ops.named import ARGMAX, CAST, REDUCE_MEAN
from ...program import (
    Apply,
    Arg,
    Expect,
    Fetch,
    Graph,
    Literal,
    Node,
    PlanExpr,
    Program,
    Ref,
    Static,
    Stop,
    Value,
    walk,
)
from ...types import Dim, Size
from ..calls.labels import makers
from ..context import Analysis, GraphBuilder

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_EQUALITIES = ("==", "!=")
_COMPARED = frozenset((*_FLIPPED, *_EQUALITIES))


Users = Mapping[int, list[Node]]  # the nodes that use each node


def warn_measures(ctx: Analysis, builder: GraphBuilder, graph: Graph) -> None:
    compared = [
        (node, node.row.operator) for node in graph.nodes.values()
        if node.row is not None and node.row.operator in _COMPARED and not node.origin.span.source.is_library
    ]  # fmt: skip
    users: dict[int, list[Node]] = {}
    for node in graph.nodes.values() if compared else ():
        for ref in node.inputs():
            users.setdefault(ref.node, []).append(node)
    for node, operator in compared:
        sides = list(node.args.values())
        if operator in _FLIPPED:
            _doubt_order(ctx, graph, users, node, operator, *sides)
            _doubt_order(ctx, graph, users, node, _FLIPPED[operator], *reversed(sides))
        else:
            for one, other in (sides, reversed(sides)):
                _doubt_equality(ctx, graph, node, one, other)
                _doubt_axis(ctx, builder, graph, node, one, other)


# --- conditions of sessions -------------------------------------------------------------------


def warn_conditions(ctx: Analysis, program: Program) -> None:
    """Warn of conditions that can never hold, because a fraction is compared with a percentage."""
    for session in program.sessions:
        graph = program.graph(session.graph)
        for one in walk(session.body):
            if isinstance(one, (Stop, Expect)):
                for op, left, right in _compared(one.condition):
                    _doubt_percent(ctx, graph, one, op, left, right)
                    if op in _FLIPPED:
                        _doubt_percent(ctx, graph, one, _FLIPPED[op], right, left)


def _compared(condition: PlanExpr) -> Iterator[tuple[str, PlanExpr, PlanExpr]]:
    """The comparisons that a condition needs to hold."""
    match condition:
        case Apply(op="and" | "or", args=parts):
            for part in parts:
                yield from _compared(part)
        case Apply(op=op, args=(left, right)) if op in _FLIPPED:
            yield op, left, right


def _doubt_percent(
    ctx: Analysis, graph: Graph, one: Stop | Expect, op: str, fraction: PlanExpr, bound: PlanExpr
) -> None:
    if not isinstance(fraction, Fetch) or not isinstance(bound, Value) or not isinstance(bound.value, (int, float)):
        return
    value = bound.value
    never = value >= 1 if op == ">" else value > 1 if op == ">=" else value < 0 if op == "<=" else value <= 0
    always = op in ("<", "<=") and value > 1 and isinstance(one, Stop)
    if not (never or always) or not _is_fraction(graph, fraction.ref):
        return
    bound_names = (text for text, _, refs in ctx.graphs[graph.name].bound if fraction.ref in refs and text)
    name = next(bound_names, "the value")
    number = value / 100 if 1 < value <= 100 else 0.9
    ctx.warn(FRACTION_BOUND, one.origin, help=f"compare with a fraction: {name} {op} {number:g}", name=name,
             holds="never" if never else "always", condition=f"{op} {value}")  # fmt: skip


def _is_fraction(graph: Graph, ref: Ref) -> bool:
    """Whether a value is a mean of comparisons, of probabilities or of such means, or one of those."""
    for node in makers(graph.nodes, ref):
        row = node.row
        if row is REDUCE_MEAN:
            return _is_fraction(graph, node.ref("input_tensor"))
        if row is CAST:
            made = next(iter(node.inputs()))
            return graph.nodes[made.node].outputs[made.output].dtype.kind == "bool"
        if row is not None and row.applies == node.op:
            return True
    return False


# --- comparisons on the graph -----------------------------------------------------------------


def _report(ctx: Analysis, message: Message, node: Node, made: Node, help: str, **details: object) -> None:
    """Warn of a comparison with the output of another node."""
    place = made.origin.outside_libraries
    notes = () if node.origin.span.holds(place) else (Note(f"{made.op} is called on line {{line}}", place),)
    ctx.warn(message, node.origin, *notes, help=help, **details)


def _doubt_order(ctx: Analysis, graph: Graph, users: Users, node: Node, operator: str, shares: Arg, bound: Arg) -> None:
    """Warn of probabilities compared with a bound that all of them are on one side of. A condition may guard against
    a probability that is rounded to 0."""
    made = _shares(graph, shares)
    value = bound.value if isinstance(bound, (Literal, Static)) else None
    if made is None or not isinstance(value, (int, float)) or 0 < value < 1 or not _is_counted(users, node):
        return
    outcome = "true" if (operator in (">", ">=")) == (value <= 0) else "false"
    help = (
        f"compare with a probability, such as 0.5; or leave {made.op} out: a logit above 0 is a probability above 0.5"
    )
    _report(ctx, SHARE_ALWAYS, node, made, help, first=made.op, outcome=outcome)


def _is_counted(users: Users, node: Node) -> bool:
    """Whether a condition is only converted to numbers, or unused."""
    rows = [one.row for one in users.get(node.id, ())]
    return all(row is CAST or (row is not None and row.operator in _EQUALITIES) for row in rows)


def _doubt_equality(ctx: Analysis, graph: Graph, node: Node, shares: Arg, other: Arg) -> None:
    """Warn of probabilities compared for equality with a value that is not computed from them."""
    made = _shares(graph, shares)
    if made is None or (isinstance(other, Ref) and _is_from(ctx, graph, other, made.id)):
        return
    name = graph.nodes[shares.node].name if isinstance(shares, Ref) else None
    help = f"compare them with 0.5 before, as in {name or 'x'} > 0.5; for classes take argmax({name or 'x'}, axis=-1)"
    _report(ctx, SHARE_EQUALS, node, made, help, first=made.op, other=_shown(graph, other))


def _is_from(ctx: Analysis, graph: Graph, ref: Ref, id: int) -> bool:
    """Whether a value is computed from a node."""
    ctx.graphs[graph.name].executions.ask([Ref(id)])
    return id in ctx.executed(graph, [ref], graph.nodes[ref.node].origin.span)


def _doubt_axis(ctx: Analysis, builder: GraphBuilder, graph: Graph, node: Node, one: Arg, other: Arg) -> None:
    """Warn of the index of the largest row in each column, compared with one value per row."""
    best = next((made for made in _made(graph, one) if made.row is ARGMAX), None)
    axis = best and best.args.get("axis")
    if best is None or not isinstance(axis, (Static, Literal)) or axis.value != 0:
        return
    rows, others = _sizes(builder, graph, best.args["input"]), _sizes(builder, graph, other)
    if len(rows) == 2 and isinstance(rows[0], Size) and others[:1] == rows[:1] and rows[0] != rows[1]:
        help = "write axis=1 for the class of each row"
        _report(ctx, ROWS_FOR_CLASSES, node, best, help, op=best.op, other=_shown(graph, other))


def _sizes(builder: GraphBuilder, graph: Graph, arg: Arg) -> tuple[Dim, ...]:
    if not isinstance(arg, Ref) or not graph.nodes[arg.node].outputs:
        return ()
    return tuple(map(builder.sizes.resolve, graph.nodes[arg.node].outputs[arg.output].shape or ()))


def _made(graph: Graph, arg: Arg) -> Iterator[Node]:
    return makers(graph.nodes, arg) if isinstance(arg, Ref) else iter(())


def _shares(graph: Graph, arg: Arg) -> Node | None:
    """The node that turned logits into probabilities."""
    return next((node for node in _made(graph, arg) if node.row is not None and node.row.applies == node.op), None)


def _shown(graph: Graph, arg: Arg) -> str:
    match arg:
        case Ref(node=id):
            return graph.nodes[id].name or "the other side"
        case Literal(value=value) | Static(value=value):
            return str(value)
    return "the other side"
