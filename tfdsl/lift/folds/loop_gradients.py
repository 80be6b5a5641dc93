"""Folds the gradients that flow through loops and that no optimizer takes: `gradients(y, [x])`.

TensorFlow 1 keeps what such gradients need on stacks, which the loop fills. A `while` keeps them by itself.
"""

from ..draft import Draft, NotReadable
from ..graph import ENTERS, GRADIENTS_SCOPE, PLACEHOLDERS, VARIABLES, Endpoint, reached
from .gradients import check_gradients, of_ops
from .optimizers import claim_gradients, loss_of
from .variables import READS

_PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "Mul")
_SUMS, _PART = ("AddN", "Add", "AddV2"), "tuple/control_dependency"


def fold_loop_gradients(draft: Draft) -> None:
    scopes = {match[1] for node in draft.nodes(*ENTERS) if (match := GRADIENTS_SCOPE.match(node.name))}
    for scope in sorted(scopes):
        inside = {name for name in draft.graph.nodes if name.startswith(f"{scope}/") and draft.is_open(name)}
        loss = loss_of(draft, scope)
        found = _gradients(draft, scope, inside)
        if loss is None or not found or None in found.values():
            continue
        given = {x: end for end, x in found.items() if x is not None}
        if len(given) < len(found):
            continue
        try:
            check_gradients(draft, scope, loss, dict.fromkeys(given))
        except NotReadable:
            continue
        claim_gradients(draft, loss, tuple(given), list(given.values()), inside)


def _gradients(draft: Draft, scope: str, inside: set[str]) -> dict[Endpoint, Endpoint | None]:
    """The gradients in a scope that other nodes read or that are results, with the tensors that they belong to."""
    graph = draft.graph
    read = {
        end for name, node in graph.nodes.items() if name not in inside and name not in draft.dropped
        for end in node.inputs if end.node in inside
    }  # fmt: skip
    unread = {Endpoint(name) for name in inside if not graph.users[name] and graph.nodes[name].types}
    sources = {end: _source(draft, scope, end) for end in sorted(read | unread, key=str)}
    held = {end: x and _held(draft, x) for end, x in sources.items()}
    found, others = ({end: held[end] for end in held if end in ends} for ends in (read, unread))
    for ops in (VARIABLES, PLACEHOLDERS):
        if ops == VARIABLES or not found:
            found |= {end: x for end, x in others.items() if x is not None and draft.graph.nodes[x.node].op in ops}
    return found


def _held(draft: Draft, end: Endpoint) -> Endpoint:
    """The variable that a tensor is the value of, or the tensor itself."""
    node = draft.graph.nodes[draft.end(end).node]
    while node.op in READS:
        node = draft.graph.nodes[draft.end(node.inputs[0]).node]
    return Endpoint(node.name) if node.op in VARIABLES else end


def _source(draft: Draft, scope: str, end: Endpoint) -> Endpoint | None:
    """The tensor that a gradient in a scope belongs to. None if the names and inputs of the nodes do not tell."""
    graph = draft.graph
    node = graph.nodes[end.node]
    own = node.name.removeprefix(f"{scope}/")
    names = [name for name in of_ops(own) if name in graph.nodes]
    if not names:  # the sum of the gradients from several ops
        sources = {_source(draft, scope, one) for one in node.inputs if node.op in _SUMS}
        return sources.pop() if len(sources) == 1 else None
    op = graph.nodes[names[-1]]
    ends = [one for one in op.inputs if graph.nodes[one.node].op in VARIABLES or _is_float(draft, one)]
    parts = [name for name in graph.nodes if name.startswith(f"{scope}/{op.name}_grad/{_PART}")]
    if node.name in parts and len(parts) == len(ends):
        return ends[parts.index(node.name)]
    if op.op in _PRODUCTS and not parts:  # the gradient of one factor needs the others
        taken = _reads(draft, end, f"{scope}/{op.name}_grad/")
        ends = [one for one in ends if draft.end(one) not in taken]
    return ends[0] if len(ends) == 1 and not parts else None


def _reads(draft: Draft, end: Endpoint, scope: str) -> set[Endpoint]:
    """The tensors outside a scope whose values a tensor in it needs."""
    graph = draft.graph
    inside = reached([end.node], lambda name: [
        one.node for one in graph.nodes[name].inputs if one.node.startswith(scope)
    ])  # fmt: skip
    nodes = [graph.nodes[name] for name in inside if graph.nodes[name].op != "Shape"]
    return {draft.end(one) for node in nodes for one in node.inputs if one.node not in inside}


def _is_float(draft: Draft, end: Endpoint) -> bool:
    return draft.graph.nodes[end.node].types[end.output].dtype.kind in ("float", "complex")
