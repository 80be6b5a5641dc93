"""Finds the nodes that a gradient flows through, and where it ends."""

from collections.abc import Mapping

from ..diagnostics import Note
from ..program import Node, Ref, minimized, refs_of
from ..source import Span
from .context import Analysis
from .gradient_paths import gradient_inputs, gradient_upstream


def depends(ctx: Analysis, y: Ref, x: Ref) -> bool:
    """Whether a gradient can flow from `y` back to `x`."""
    nodes, seen, todo = ctx.graph.nodes, set(), [y]
    while todo:
        ref = todo.pop()
        if _is_at(ctx, ref, x):
            return True
        if ref.node not in seen:
            seen.add(ref.node)
            todo += gradient_inputs(nodes, nodes[ref.node])
            ctx.spend(2, nodes[ref.node].origin.span)
    return False


def variables_below(ctx: Analysis, y: Ref, span: Span) -> set[int]:
    """The variables to which a gradient can flow from `y`, as by `depends`."""
    reached = list(gradient_upstream(ctx.graph.nodes, [y]))
    ctx.spend(2 * len(reached), span)
    return {node.id for node in reached if node.is_variable}


def _is_at(ctx: Analysis, ref: Ref, x: Ref) -> bool:
    return ref == x or (ref.node == x.node and ctx.graph.nodes[x.node].is_variable)


def barriers(ctx: Analysis, y: Ref, x: Ref) -> tuple[Note, ...]:
    """The places where the gradient from `y` to its input `x` ends: ops without a gradient, and integers."""
    nodes, notes = ctx.graph.nodes, []
    for node in gradient_upstream(nodes, [y]):
        if len(notes) >= 3:
            break
        if node.is_variable:
            continue
        passes = gradient_inputs(nodes, node)
        ended = [ref for ref in node.inputs() if ref not in passes and any(n == x.node for n in ctx.graph.reach([ref]))]
        for ref in dict.fromkeys(ended):
            row, made = node.row, nodes[ref.node]
            fixed = [name for name, arg in node.args.items() if ref in refs_of(arg)]
            if row is not None and not all(map(row.passes_gradient, fixed)):
                to = "" if row.no_gradient == "*" else f" to its {fixed[0]}"
                notes.append(Note(f"no gradient goes through {row.name}{_of(node)}{to}", node.origin.outside_libraries))
            elif made.outputs:
                dtype = made.outputs[ref.output].dtype
                text = f"{made.op}{_of(made)} gives {dtype}, which has no gradient"
                notes.append(Note(text, made.origin.outside_libraries))
    return tuple(notes)


def _of(node: Node) -> str:
    """Where a node is made: its line, or the call of a library that makes it."""
    place = node.origin.outside_libraries
    call = next((what for what, span in node.origin.chain if span == place), "") if place != node.origin.span else ""
    function = call.removeprefix("in ").removesuffix(", called")
    return f" in {function} of line {{line}}" if function else " of line {line}"


def depending(ctx: Analysis, nodes: Mapping[int, Node], xs: list[Ref]) -> set[int]:
    """All nodes from which a gradient can flow to one of `xs`, by the rules of `depends`."""
    wanted = set(xs)
    found = {x.node for x in xs if nodes[x.node].is_variable}
    for id in sorted(nodes):  # a node comes after its inputs
        if any(ref in wanted or ref.node in found for ref in gradient_inputs(nodes, nodes[id])):
            found.add(id)
    ctx.spend(2 * len(nodes), nodes[xs[0].node].origin.span)
    return found


def trained(ctx: Analysis, nodes: Mapping[int, Node], step: Node) -> list[int]:
    """The variables that an optimizer step changes."""
    if "wrt" in step.args:
        return [ref.node for ref in refs_of(step.args["wrt"])]
    return sorted(id for id in reached_variables(ctx, nodes, step) if id < step.id)


def reached_variables(ctx: Analysis, nodes: Mapping[int, Node], step: Node) -> set[int]:
    """The trainable variables that a gradient of the loss of an optimizer step reaches."""
    known = ctx.reached.get(id(step))
    if known is None:
        reached = list(gradient_upstream(nodes, minimized(nodes, step)))
        ctx.spend(2 * len(reached), step.origin.span)
        known = ctx.reached[id(step)] = step, {node.id for node in reached if node.is_trainable}
    return known[1]


def is_one_loss(one: Node, other: Node) -> bool:
    """Whether two optimizer steps minimize the same loss."""
    return one.loss is not None and one.loss == other.loss
