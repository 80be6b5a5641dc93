"""Finds the tensors that gradients belong to, from the names and inputs of the nodes that compute them."""

import itertools
from functools import partial

from ..draft import Draft
from ..graph import VARIABLES, Endpoint, GraphNode, SavedGraph, reached
from .gradients import has_gradient, of_ops
from .variables import READS, is_complete

_PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "Mul")
_SUB, _SUMS, _PART = "Sub", ("AddN", "Add", "AddV2"), "tuple/control_dependency"
_PASSES = (_SUB, *_SUMS, *READS)


def seeds_of(graph: SavedGraph, scope: str) -> list[str]:
    """The gradients that a scope begins with, one for each tensor that it differentiates. Before TensorFlow 1.8, they
    were Fill ops, whose numbers had the names that the gradients have today, or, still earlier, no such names."""
    found: list[str] = []
    for at in itertools.count():
        seed, fill = f"{scope}/grad_ys_{at}", f"{scope}/Fill_{at}" if at else f"{scope}/Fill"
        is_filled = fill in graph.nodes and (seed not in graph.nodes or fill in graph.users[seed])
        if not is_filled and seed not in graph.nodes:
            return found
        found.append(fill if is_filled else seed)
    raise AssertionError(scope)


def differentiated(draft: Draft, scope: str, seed: str) -> Endpoint | None:
    """The tensor whose gradient is a seed. If it is a sum, the seed is also the gradient of its terms, and then only
    these may read it. None if the names and inputs of the nodes do not tell."""
    graph = draft.graph
    users = [graph.nodes[name] for name in graph.users[seed]]
    found = {
        _received(draft, scope, seed, user) for user in users if user.op != "Shape" and Endpoint(seed) in user.inputs
    }
    if None in found or not found:
        return None
    ends = [end for end in found if end is not None]
    if len(ends) == 1:
        return ends[0]
    made = [
        Endpoint(name) for name, node in graph.nodes.items() if node.op in _PASSES and not name.startswith(f"{scope}/")
    ]
    return next((one for one in made if reached([one], partial(terms, draft)).issuperset(ends)), None)


def _received(draft: Draft, scope: str, seed: str, user: GraphNode) -> Endpoint | None:
    """The tensor whose gradient a node takes a seed for."""
    names = [one for one in of_ops(user.name.removeprefix(f"{scope}/")) if one in draft.graph.nodes]
    if names:
        return Endpoint(names[-1])
    others = [source_of(draft, scope, end) for end in user.inputs if end.node != seed]
    return common(draft, others) if user.op in _SUMS else None


def source_of(draft: Draft, scope: str, end: Endpoint) -> Endpoint | None:
    """The tensor that a gradient in a scope belongs to. None if the names and inputs of the nodes do not tell."""
    graph = draft.graph
    node = graph.nodes[end.node]
    own = node.name.removeprefix(f"{scope}/")
    names = [name for name in of_ops(own) if name in graph.nodes]
    if not names:  # the sum of the gradients from several ops
        seeds = seeds_of(graph, scope)
        parts = [one for one in node.inputs if one.node not in seeds]
        return common(draft, [source_of(draft, scope, one) for one in parts]) if node.op in _SUMS else None
    op = graph.nodes[names[-1]]
    ends = [one for one in op.inputs if graph.nodes[one.node].op in VARIABLES or has_gradient(graph, one)]
    parts = [name for name in graph.nodes if name.startswith(f"{scope}/{op.name}_grad/{_PART}")]
    if node.name in parts and len(parts) == len(ends):
        return ends[parts.index(node.name)]
    if op.op in _PRODUCTS and not parts:  # the gradient of one factor needs the others
        taken = _reads(draft, end, f"{scope}/{op.name}_grad/")
        ends = [one for one in ends if draft.end(one) not in taken]
    if len(ends) > 1:
        shape = draft.type(end).shape
        ends = [one for one in ends if draft.type(one).shape == shape and is_complete(draft.type(one))]
    return ends[0] if len(ends) == 1 and not parts else None


def is_gradient_of(draft: Draft, scope: str, end: Endpoint, variable: Endpoint) -> bool:
    """Whether a gradient in a scope can belong to a variable: the names and inputs of the nodes do not tell of another
    tensor."""
    source = source_of(draft, scope, end)
    return source is None or variable in {held(draft, one) for one in reached([source], partial(terms, draft))}


def held(draft: Draft, end: Endpoint) -> Endpoint:
    """The variable that a tensor is the value of, or the tensor itself."""
    node = draft.graph.nodes[draft.end(end).node]
    while node.op in READS:
        node = draft.graph.nodes[draft.end(node.inputs[0]).node]
    return Endpoint(node.name) if node.op in VARIABLES else end


def common(draft: Draft, sources: list[Endpoint | None]) -> Endpoint | None:
    """The tensor that all of these gradients belong to. A gradient also belongs to what an op adds something to: it
    passes through the op unchanged."""
    if len(set(sources)) == 1:
        return sources[0]
    added = [reached([one], partial(terms, draft)) for one in sources if one is not None]
    common = set[Endpoint]().union(*added[:1]).intersection(*added) if len(added) == len(sources) else set[Endpoint]()
    return common.pop() if len(common) == 1 else None


def terms(draft: Draft, end: Endpoint) -> list[Endpoint]:
    """The tensors to which the gradient of a sum passes unchanged: those of its shape, as far as shapes are known."""
    node, type = draft.graph.nodes[end.node], draft.type(end)
    inputs = node.inputs[:1] if node.op == _SUB else node.inputs if node.op in _PASSES else ()
    return [one for one in inputs if draft.type(one) == type or None in (draft.type(one).shape, type.shape)]


def _reads(draft: Draft, end: Endpoint, scope: str) -> set[Endpoint]:
    """The tensors outside a scope whose values a tensor in it needs."""
    graph = draft.graph
    inside = reached([end.node], lambda name: [
        one.node for one in graph.nodes[name].inputs if one.node.startswith(scope)
    ])  # fmt: skip
    nodes = [graph.nodes[name] for name in inside if graph.nodes[name].op != "Shape"]
    return {draft.end(one) for node in nodes for one in node.inputs if one.node not in inside}
