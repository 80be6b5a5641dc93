"""Gradients of tables that are read beside the step of an optimizer, for example by summaries.

TensorFlow has them as slices, one for each row that is looked up. A program has no name for slices: it takes the
gradient of the looked-up rows, or that of the whole table, in which the slices of each row are added up.
"""

from collections.abc import Collection, Mapping

from ...record import Record
from ..draft import NotReadable
from ..graph import Endpoint, GraphNode, SavedGraph
from .gradients import has_gradient, of_ops

SUM = "UnsortedSegmentSum"
_LOOKUPS = ("Gather", "GatherV2", "ResourceGather")
# Ops of slices between the gradient of the rows and a reader.
_PASSES = ("Cast", "Concat", "ConcatV2", "Const", "ExpandDims", "Identity", "Reshape", "Shape", "Size", "StridedSlice")


class ReadGradients(Record):
    """Gradients that are read, with the tensors that they belong to; and the nodes between them and their readers."""

    found: dict[Endpoint, Endpoint]
    between: frozenset[str]


def sums_of_slices(graph: SavedGraph, rows: Mapping[Endpoint, Endpoint]) -> dict[Endpoint, Endpoint]:
    """The sums of slices over the rows of a whole table, with the slices. `rows` maps slices to their rows."""
    return {
        Endpoint(name): end
        for end, indices in rows.items()
        for name in dict.fromkeys(graph.users[end.node])
        if graph.nodes[name].op == SUM and graph.nodes[name].inputs[:2] == (end, indices)
    }


def only_for(graph: SavedGraph, name: str, inside: set[str]) -> set[str]:
    """A node and the nodes above it that only it and nodes `inside` need."""
    found = {name}
    todo = [end.node for end in graph.nodes[name].inputs]
    while todo:
        one = todo.pop()
        if one not in inside | found and found.union(inside).issuperset(graph.users[one]):
            found.add(one)
            todo += [end.node for end in graph.nodes[one].inputs]
    return found


def read_gradients(
    graph: SavedGraph, scope: str, step: str, read: Collection[Endpoint], known: Mapping[Endpoint, Endpoint]
) -> ReadGradients:
    """The gradients in a scope that are read outside a step. `known` maps gradients to the tensors that they belong to.
    Raises `NotReadable` for others, apart from those of looked-up rows."""
    found: dict[Endpoint, Endpoint] = {}
    between: set[str] = set()
    todo = sorted(read, key=str)
    while todo:
        end = todo.pop()
        node = graph.nodes[end.node]
        if end in known:
            found[end] = known[end]
        elif not node.name.startswith(f"{scope}/") or node.name in between:
            continue
        elif node.op not in _PASSES:
            raise NotReadable(f"{end} is also used outside {step}")
        else:
            between.add(node.name)
            lookup = _lookup(graph, scope, node)
            if lookup is not None:
                found.setdefault(node.inputs[0], lookup)
            todo += node.inputs if lookup is None else node.inputs[1:]
    ordered = sorted(found.items(), key=lambda one: (graph.places[one[1].node], graph.places[one[0].node]))
    return ReadGradients(dict(ordered), frozenset(between))


def _lookup(graph: SavedGraph, scope: str, node: GraphNode) -> Endpoint | None:
    """The looked-up rows whose gradient a node takes as slices."""
    if node.op != "Reshape" or not has_gradient(graph, Endpoint(node.name)):
        return None
    names = [one for one in of_ops(node.name.removeprefix(f"{scope}/")) if one in graph.nodes]
    return Endpoint(names[-1]) if names and graph.nodes[names[-1]].op in _LOOKUPS else None
