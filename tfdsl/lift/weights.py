"""Constants that become variables, so that a frozen graph can be trained on."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from ..diagnostics import CONSTANT_UNKNOWN, CONSTANTS_NONE
from ..diagnostics.spelling import counted, did_you_mean, listed
from ..lowering.tf import AttrValue
from ..record import Record, replace
from .formats import refuse
from .graph import ASSIGNS, GRADIENTS_SCOPE, NAMED, Endpoint, GraphNode, SavedGraph, unused_node

_TRAINABLE = "trainable_variables"
_READ = re.compile(r"(.*/)?(read|ReadVariableOp)(_\d+)?")  # names of the ops that read the variables before freezing
_NORMALIZES = re.compile(r"FusedBatchNorm(V\d)?")
_STATISTICS = (3, 4)  # the inputs of such an op that are not trained: the mean and the variance
_AVERAGES = re.compile(r"(.*/)?(moving_(mean|variance|avg)|ExponentialMovingAverage)(/.*)?")


class Unfrozen(Record):
    """A graph whose weights are variables, with notes."""

    graph: SavedGraph
    notes: tuple[str, ...] = ()


def unfrozen(graph: SavedGraph, patterns: Sequence[str]) -> Unfrozen:
    """Turn constants into variables that begin with the values of the constants. Patterns choose constants by name;
    without patterns, these are the weights of the graph. Averages that training does not change by gradients are not
    trainable."""
    floats = _floats(graph)
    weights = _weights(graph, floats)
    if not patterns and not weights:
        raise refuse(CONSTANTS_NONE, path=graph.path)
    chosen = _matching(graph, floats, weights, patterns) if patterns else weights
    trained = [name for name in chosen if not _is_average(graph, graph.nodes[name])]
    nodes: dict[str, GraphNode] = {}
    taken = {*graph.nodes}
    for node in graph.nodes.values():
        for one in _variable(node, taken) if node.name in chosen else (node,):
            nodes[one.name] = one
    before = graph.collections.get(_TRAINABLE, ())
    notes = [f"{counted(len(chosen), 'constant is a variable', 'constants are variables')}: {listed(chosen, NAMED)}"]
    fixed = [name for name in chosen if name not in trained]
    if fixed:
        notes.append(f"averages, which are not trained: {listed(fixed, NAMED)}")
    collections = {**graph.collections, _TRAINABLE: (*before, *trained)}
    return Unfrozen(replace(graph, nodes=nodes, collections=collections), tuple(notes))


def _floats(graph: SavedGraph) -> dict[str, GraphNode]:
    """The constants of floats that are a part of the model, rather than of gradients, a loop or an initializer."""
    initial = graph.above(*(node.name for node in graph.nodes.values() if node.op in ASSIGNS))
    return {
        node.name: node
        for node in graph.nodes.values()
        if node.op == "Const" and node.types[0].dtype.kind == "float" and not node.controls
        and graph.users[node.name] and node.name not in initial and GRADIENTS_SCOPE.match(node.name) is None
    }  # fmt: skip


def _weights(graph: SavedGraph, floats: dict[str, GraphNode]) -> list[str]:
    """The constants that were variables before the graph was frozen: an identity is left of the op that read each. If
    the graph has no such identities, these are all constants with an axis."""
    read = [name for name, node in floats.items() if any(True for _ in _reads(graph, node))]
    return read or [name for name, node in floats.items() if node.types[0].rank]


def _matching(
    graph: SavedGraph, floats: dict[str, GraphNode], weights: Sequence[str], patterns: Sequence[str]
) -> list[str]:
    """The constants with these names, and the weights that match these patterns."""
    found: set[str] = set()
    for pattern in patterns:
        own = [pattern] if pattern in floats else [name for name in weights if fnmatchcase(name, pattern)]
        if not own:
            reason = "is not a constant of floats that the model uses" if pattern in graph.nodes else "fits no weight"
            raise refuse(CONSTANT_UNKNOWN, did_you_mean(pattern, floats), name=pattern, reason=reason)
        found.update(own)
    return [name for name in floats if name in found]


def _reads(graph: SavedGraph, node: GraphNode) -> Iterator[GraphNode]:
    for user in (graph.nodes[name] for name in graph.users[node.name]):
        if user.op == "Identity" and _READ.fullmatch(user.name):
            yield user


def _is_average(graph: SavedGraph, node: GraphNode) -> bool:
    """Whether a constant is an average of what the model has seen."""
    ends = {Endpoint(one.name) for one in (node, *_reads(graph, node))}
    users = (graph.nodes[user] for end in ends for user in graph.users[end.node])
    return _AVERAGES.fullmatch(node.name) is not None or any(
        _NORMALIZES.fullmatch(user.op) and user.inputs[at] in ends for user in users for at in _STATISTICS
    )


def _variable(constant: GraphNode, taken: set[str]) -> Iterator[GraphNode]:
    """The nodes of a variable with the name and the value of a constant."""
    first = replace(constant, name=unused_node(f"{constant.name}/initial_value", taken))
    dtype = constant.attrs["dtype"]
    shape = AttrValue(shape=constant.attrs["value"].tensor.tensor_shape)
    attrs = {"dtype": dtype, "shape": shape, "container": AttrValue(s=b""), "shared_name": AttrValue(s=b"")}
    yield first
    yield GraphNode(constant.name, "VariableV2", (), (), attrs, constant.device, constant.types)
    assign = unused_node(f"{constant.name}/Assign", taken)
    attrs = {"T": dtype, "use_locking": AttrValue(b=True), "validate_shape": AttrValue(b=True)}
    yield GraphNode(
        assign, "Assign", (Endpoint(constant.name), Endpoint(first.name)), (), attrs, constant.device, constant.types
    )
