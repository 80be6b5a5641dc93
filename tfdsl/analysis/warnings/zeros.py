"""Warns of variables that begin with zeros and can never change: each gradient is multiplied by the zeros of another.

Two matrices in a row that begin with zeros are the usual case. The gradient of the first is multiplied by the second,
and that of the second by what the first makes. The loss then stays where it was, and nothing fails.

Input: the finished program. A tensor counts as zero only if it is 0 in every element for any data, and a gradient as
stopped only if it is multiplied by such a tensor, or goes through a relu, a square or an absolute value at 0.
"""

from collections.abc import Iterable, Mapping, Sequence, Set

from ...diagnostics import ZEROS_STAY
from ...ops.named import (
    ABS,
    ADD,
    ADD_N,
    BIAS_ADD,
    CONCAT,
    CONSTANT,
    FILL,
    GRADIENTS,
    SQUARE,
    STACK,
    SUBTRACT,
    TRUEDIV,
    ZEROS,
    ZEROS_LIKE,
)
from ...program import (
    Arg,
    Graph,
    Literal,
    Node,
    Pack,
    Program,
    Ref,
    Refs,
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

_SUMS = (ADD, ADD_N, BIAS_ADD, CONCAT, STACK, SUBTRACT)  # zero if all that they join is


def warn_zeros(ctx: Analysis, program: Program) -> None:
    told: set[int] = set()
    for session in program.sessions:
        graph, statements = program.graph(session.graph), walk(session.body)
        if any(isinstance(one, Train) for one in statements) and not any(
            isinstance(one, Restore) for one in statements
        ):
            stuck = [id for id in _stuck(ctx, graph, statements) if graph.nodes[id].origin.span.start not in told]
            told |= {graph.nodes[id].origin.span.start for id in stuck}
            if stuck:
                stay, it = ("stay", "them") if len(stuck) > 1 else ("stays", "it")
                names = shown_variables(graph.items, stuck)
                ctx.warn(ZEROS_STAY, graph.nodes[stuck[0]].origin, names=names, stay=stay, it=it)


def _stuck(ctx: Analysis, graph: Graph, statements: Sequence[Statement]) -> list[int]:
    """The trained variables that begin with zeros, and get no gradient as long as all of them are zero."""
    nodes = graph.nodes
    ids = dict.fromkeys(id for one in statements if isinstance(one, Run) for id in changes(ctx, graph, one))
    steps = {id: set(trained(ctx, nodes, nodes[id])) for id in ids if nodes[id].is_step}
    changed = {id for node in nodes.values() for id in written(nodes, node)}
    changed |= {ref.node for one in statements for ref in one.uses().sets}
    changed |= {id for step, own in steps.items() if not _is_plain(nodes, nodes[step]) for id in own}
    fed = {feed.ref.node for one in statements for feed in one.uses().feeds}
    zero = {
        node.id
        for node in graph.variables()
        if _is_zero(node.args.get("initial"), nodes, ()) and node.id not in changed
    }
    below = sorted(graph.reach([ref for step in steps for ref in minimized(nodes, nodes[step])])) if zero else []
    while zero:
        ctx.spend(
            3 * len(below) * (1 + len(steps)), nodes[below[0]].origin.span if below else statements[0].origin.span
        )
        zeros = _zeros(nodes, below, zero, fed)
        moving = set[int]()
        for step, own in steps.items():
            moving |= own & zero & _reached(nodes, minimized(nodes, nodes[step]), zeros)
        if not moving:
            # What only a square holds at 0, as a penalty does, may be where it should be.
            held = graph.reach(_multiplied(nodes, below, zeros))
            return sorted({id for own in steps.values() for id in own & zero if id in held})
        zero -= moving
    return []


def _multiplied(nodes: Mapping[int, Node], below: Iterable[int], zeros: Set[int]) -> list[Ref]:
    """The tensors whose gradient is multiplied by another tensor that is zero, or stopped by a relu."""
    return [ref for id in below for ref in _stopped(nodes, nodes[id], zeros) if not _is_power(nodes[id])]


def _is_power(node: Node) -> bool:
    """Whether a node multiplies a tensor by itself, or takes its absolute value."""
    inputs = node.inputs()
    return node.row in (ABS, SQUARE) or (len(inputs) == 2 and inputs[0] == inputs[1])


def _stopped(nodes: Mapping[int, Node], node: Node, zeros: Set[int]) -> set[Ref]:
    """The inputs of a node to which it passes no gradient, as another is zero, or as they are."""
    row, args = node.row, list(node.args.values())
    if row is not None and row.product:
        first, second = (set(refs_of(arg)) for arg in args[:2])
        is_zero = [_is_zero(arg, nodes, zeros) for arg in args[:2]]
        return (first if is_zero[1] and (is_zero[0] or not first & second) else set()) | (
            second if is_zero[0] and (is_zero[1] or not first & second) else set()
        )
    if row is not None and (row.cuts or row in (ABS, SQUARE)) and _is_zero(args[0], nodes, zeros):
        return set(node.inputs())
    return set()


def _is_plain(nodes: Mapping[int, Node], step: Node) -> bool:
    """Whether a step applies gradients as they are."""
    return step.loss is not None or all(nodes[ref.node].row is GRADIENTS for ref in step.refs("gradients"))


def _is_zero(arg: Arg | None, nodes: Mapping[int, Node], found: Iterable[int]) -> bool:
    """Whether an argument is 0 in every element, if some nodes are."""
    match arg:
        case Literal(value=value):
            return _are_zero(value)
        case Ref(node=id):
            made = nodes[id]
            if made.row in (FILL, CONSTANT):
                return _is_zero(made.args.get("value"), nodes, found)
            return made.row in (ZEROS, ZEROS_LIKE) or id in found
        case Pack(items=items) | Refs(items=items):
            return all(_is_zero(one, nodes, found) for one in items)
        case _:
            return False


def _are_zero(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_are_zero, value))
    return type(value) in (int, float) and value == 0


def _zeros(nodes: Mapping[int, Node], below: Iterable[int], variables: Set[int], fed: Set[int]) -> set[int]:
    """The nodes whose only output is zero if some variables are."""
    found = set(variables)
    for id in below:  # a node comes after its inputs
        node = nodes[id]
        row, args = node.row, list(node.args.values())
        if len(node.outputs) != 1 or not args or id in fed:
            continue
        zero = [_is_zero(arg, nodes, found) for arg in args[:2]]
        if row is None:
            is_zero = node.is_index and zero[0]
        elif row.product:
            is_zero = any(zero)
        elif row in _SUMS:
            is_zero = all(zero) if row in (ADD, BIAS_ADD, SUBTRACT) else zero[0]
        elif row is TRUEDIV:
            is_zero = zero[0] and isinstance(args[1], Literal) and not zero[1]
        else:
            is_zero = zero[0] and (row.arranges or row.cuts or row.keeps_zero)
        if is_zero:
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
        stopped = _stopped(nodes, node, zeros)
        todo += [ref.node for ref in gradient_inputs(nodes, node) if ref not in stopped]
    return seen
