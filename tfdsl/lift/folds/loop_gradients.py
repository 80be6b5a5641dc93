"""Folds the gradients that flow through loops and branches and that no optimizer takes: `gradients(y, [x])`.

TensorFlow 1 keeps what gradients of loops need on stacks, which the loop fills. A `while` keeps them by itself.
"""

from collections.abc import Iterable

from ...ops.named import MULTIPLY
from ..draft import CallPiece, Draft, NotReadable, Produced
from ..graph import ENTERS, GRADIENTS_SCOPE, PLACEHOLDERS, SWITCHES, VARIABLES, Endpoint
from .gradients import check_gradients, nodes_of_gradients
from .operands import operand
from .optimizers import claim_gradients
from .row_gradients import SUM, only_for
from .sources import differentiated, held, seeds_of, source_of


def fold_loop_gradients(draft: Draft) -> None:
    scopes = {match[1] for node in draft.nodes(*ENTERS, *SWITCHES) if (match := GRADIENTS_SCOPE.match(node.name))}
    for scope in sorted(scopes):
        inside = nodes_of_gradients(draft, scope)
        sums = {
            node.name for node in draft.nodes(SUM) if inside.issuperset(end.node for end in node.inputs[:2])
        } - inside
        between = {one for name in sums for one in only_for(draft.graph, name, inside)}
        inside |= between
        seeds = {seed: differentiated(draft, scope, seed) for seed in seeds_of(draft.graph, scope)}
        found = _gradients(draft, scope, inside)
        if not seeds or None in seeds.values() or not found or None in found.values():
            continue
        ys = {seed: y for seed, y in seeds.items() if y is not None}
        given = {x: end for end, x in found.items() if x is not None}
        if len(given) < len(found):
            continue
        try:
            check_gradients(draft, scope, tuple(ys.values()), dict.fromkeys(given))
        except NotReadable:
            continue
        weights = _weights(draft, ys)
        if any(end.node in draft.graph.above(weight.node) for weight in weights.values() for end in given):
            continue  # no gradient flows through a weight
        made = [_weighted(draft, seed, y, weights.get(seed)) for seed, y in ys.items()]
        hosts = {end.node for end in made} & inside
        claim_gradients(draft, made, tuple(given), list(given.values()), inside - hosts)
        draft.dropped |= between - sums


def _weights(draft: Draft, seeds: Iterable[str]) -> dict[str, Endpoint]:
    """The seeds that are given, `grad_ys` of `tf.gradients`, with their values."""
    nodes = [draft.graph.nodes[seed] for seed in seeds if seed in draft.graph.nodes]
    return {node.name: node.inputs[0] for node in nodes if node.op == "Identity"}


def _weighted(draft: Draft, seed: str, y: Endpoint, weights: Endpoint | None) -> Endpoint:
    """A tensor whose gradients are those of `y` if they begin with a seed: `y` itself, or its product with weights."""
    if weights is None:
        return y
    given = (("x", Produced(draft.end(y))), ("y", operand(draft, weights)))
    draft.claim(CallPiece(seed, (Endpoint(seed),), callee=MULTIPLY.name, arguments=given))
    return Endpoint(seed)


def _gradients(draft: Draft, scope: str, inside: set[str]) -> dict[Endpoint, Endpoint | None]:
    """The gradients in a scope that other nodes read or that are results, with the tensors that they belong to."""
    graph = draft.graph
    read = {
        end for name, node in graph.nodes.items() if name not in inside and name not in draft.dropped
        for end in node.inputs if end.node in inside
    }  # fmt: skip
    unread = {Endpoint(name) for name in inside if not graph.users[name] and graph.nodes[name].types}
    sources = {
        end: source_of(draft, scope, graph.nodes[end.node].inputs[0] if graph.nodes[end.node].op == SUM else end)
        for end in sorted(read | unread, key=str)
    }
    known = {end: x and held(draft, x) for end, x in sources.items()}
    found, others = ({end: known[end] for end in known if end in ends} for ends in (read, unread))
    for ops in (VARIABLES, PLACEHOLDERS):
        if ops == VARIABLES or not found:
            found |= {end: x for end, x in others.items() if x is not None and draft.graph.nodes[x.node].op in ops}
    return found
