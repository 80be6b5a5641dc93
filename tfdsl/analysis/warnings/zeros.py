"""Warns of variables that begin with zeros and can never change: each gradient is multiplied by the zeros of another.

Two matrices in a row that begin with zeros are the usual case. The gradient of the first is multiplied by the second,
and that of the second by what the first makes. The loss then stays where it was, and nothing fails.

Input: the finished program. A tensor counts as zero only if it is 0 in every element for any data, and a gradient as
stopped only if it is multiplied by such a tensor, or goes through a relu at 0.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set

from ...diagnostics import ZEROS_STAY
from ...ops.named import ADD, BIAS_ADD, FILL, SUBTRACT, ZEROS
from ...program import (
    Arg,
    Graph,
    Literal,
    Node,
    Program,
    Ref,
    Restore,
    Run,
    Statement,
    Train,
    minimized,
    refs_of,
    walk,
    written,
)
from ..context import Analysis
from ..gradient_flow import trained
from ..gradient_paths import gradient_inputs
from ..variable_names import shown_variables
from .session_slips import changes

_SUMS = (ADD, BIAS_ADD, SUBTRACT)


def warn_zeros(ctx: Analysis, program: Program) -> None:
    for graph in program.graphs:
        bodies = [session.body for session in program.sessions if session.graph == graph.name]
        statements = [one for body in bodies for one in walk(body)]
        steps = list(_steps(ctx, graph, statements))
        if not steps or any(isinstance(one, Restore) for one in statements):
            continue
        times = Counter(id for step in steps for id in trained(ctx, graph.nodes, step))
        changed = {id for node in graph.nodes.values() for id in written(graph.nodes, node)}
        changed |= {ref.node for one in statements for ref in one.uses().sets}
        for step in steps:
            alone = {id for id in trained(ctx, graph.nodes, step) if times[id] == 1 and id not in changed}
            stuck = _stuck(ctx, graph, step, alone)
            if stuck:
                stay, it = ("stay", "them") if len(stuck) > 1 else ("stays", "it")
                names = shown_variables(graph.items, stuck)
                ctx.warn(ZEROS_STAY, graph.nodes[stuck[0]].origin, names=names, stay=stay, it=it)


def _steps(ctx: Analysis, graph: Graph, statements: Iterable[Statement]) -> Iterator[Node]:
    """The optimizer steps that trainings take, each once."""
    runs = [run for one in statements if isinstance(one, Train) for run in walk(one.body) if isinstance(run, Run)]
    ids = dict.fromkeys(id for run in runs for id in changes(ctx, graph, run))
    yield from (graph.nodes[id] for id in ids if graph.nodes[id].is_step)


def _stuck(ctx: Analysis, graph: Graph, step: Node, variables: Set[int]) -> list[int]:
    """Those of some variables that begin with zeros, and get no gradient as long as all of them are zero."""
    nodes, losses = graph.nodes, minimized(graph.nodes, step)
    stuck = {id for id in variables if _is_zero(nodes, nodes[id].args.get("initial"))}
    below = sorted(graph.reach(losses)) if stuck else []
    while stuck:
        ctx.spend(3 * len(below), step.origin.span)
        reached = _reached(nodes, losses, _zeros(nodes, below, stuck))
        if not stuck & reached:
            return sorted(stuck)
        stuck -= reached
    return []


def _is_zero(nodes: Mapping[int, Node], initial: Arg | None) -> bool:
    """Whether an initial value is 0 in every element."""
    match initial:
        case Literal(value=value):
            return type(value) in (int, float) and value == 0
        case Ref(node=id):
            made = nodes[id]
            return made.row is ZEROS or (made.row is FILL and _is_zero(nodes, made.args.get("value")))
        case _:
            return False


def _zeros(nodes: Mapping[int, Node], below: Iterable[int], stuck: Set[int]) -> set[int]:
    """The nodes whose only output is zero if some variables are."""
    found = set(stuck)
    for id in below:  # a node comes after its inputs
        row, args = nodes[id].row, list(nodes[id].args.values())
        if row is None or len(nodes[id].outputs) != 1:
            continue
        zero = [_is_zero(nodes, arg) or any(ref.node in found for ref in refs_of(arg)) for arg in args[:2]]
        if row.product or row in _SUMS:
            found |= {id} if len(zero) == 2 and (any(zero) if row.product else all(zero)) else set()
        elif (row.arranges or row.cuts or row.keeps_zero) and zero[:1] == [True]:
            found.add(id)
    return found


def _reached(nodes: Mapping[int, Node], losses: Iterable[Ref], zeros: Set[int]) -> set[int]:
    """The nodes that a gradient other than 0 may reach."""
    seen: set[int] = set()
    todo = [ref.node for ref in losses]
    while todo:
        node = nodes[todo.pop()]
        if node.id in seen:
            continue
        seen.add(node.id)
        stopped: set[Ref] = set()
        if node.row is not None and node.row.product:
            first, second, *_ = (tuple(refs_of(arg)) for arg in node.args.values())
            stopped |= set(first) if any(ref.node in zeros for ref in second) else set()
            stopped |= set(second) if any(ref.node in zeros for ref in first) else set()
            stopped -= set(first) & set(second)
        elif node.row is not None and node.row.cuts:
            stopped = {ref for ref in node.inputs() if ref.node in zeros}
        todo += [ref.node for ref in gradient_inputs(nodes, node) if ref not in stopped]
    return seen
