"""Input pipelines: the queues, readers, iterators and datasets that bring the data into a graph. A program is fed
instead, so placeholders replace the tensors that a pipeline gives to the rest of the graph."""

import re
from collections.abc import Iterator, Mapping

from ..diagnostics.spelling import listed
from ..lowering.tf import AttrValue, TensorShapeProto, op_def, tf
from ..record import Record, replace
from ..types import TensorType
from .constants import attribute, constant_value
from .draft import NotReadable
from .graph import GRADIENTS_SCOPE, NAMED, SWITCHES, Endpoint, GraphNode, SavedGraph, reached, unused_node
from .read import graph_def_of, graph_of
from .signatures import served

MERGE = "MergeSummary"
_OPS = re.compile(r"Queue|Reader|Iterator|Dataset|^Barrier|^(Ordered)?(Map)?(Unst|St)age|^(Ordered)?Map(Peek|Clear)"
                  r"|^Optional(Has|Get)|^RecordInput$")  # fmt: skip
# The ops that take elements out of a pipeline.
_TAKING = re.compile(r"Dequeue|Read(UpTo)?(V2)?$|GetNext|GetValue|ToSingleElement|RecordInput|Unstage|TakeMany")
_KINDS = ("queue", "reader", "iterator", "dataset")
_SUMMARY = re.compile(r"Summary(V2)?$")
_HANDLES = ("resource", "variant")
_DEQUEUES = re.compile(r"QueueDequeue(Many|UpTo|)(V2)?")


class FedGraph(Record):
    """A graph that is fed where it had an input pipeline. `results` maps the tensors of the pipeline to
    placeholders."""

    graph: SavedGraph
    results: dict[Endpoint, Endpoint]
    notes: tuple[str, ...] = ()


def is_pipeline(op: str) -> bool:
    """Whether an op belongs to an input pipeline."""
    return _OPS.search(op) is not None


def is_in_pipeline(node: GraphNode) -> bool:
    """Whether a node belongs to an input pipeline. Gradients of branches have optional values of their own."""
    is_of_gradients = node.op.startswith("Optional") and GRADIENTS_SCOPE.match(node.name) is not None
    return is_pipeline(node.op) and not is_of_gradients


def fed(graph: SavedGraph) -> FedGraph:
    """Replace the tensors that input pipelines give to the rest of a graph with placeholders. The other nodes of the
    pipelines stay, but the rest does not need them any more."""
    given = {node.name: _given(graph, node) for node in graph.nodes.values() if is_in_pipeline(node)}
    sources = {name for name, outputs in given.items() if outputs and _is_needed(graph, name)}
    if not sources:
        return FedGraph(graph, {})
    conditional = sources & graph.below(*(node.name for node in graph.nodes.values() if node.op in SWITCHES))
    if conditional:
        raise NotReadable(f"{min(conditional)} takes its elements in a branch or a loop")
    nodes: dict[str, GraphNode] = {}
    results: dict[Endpoint, Endpoint] = {}
    origins: dict[str, list[str]] = {}  # the placeholders that replace each queue, reader or iterator
    taken = graph.nodes.keys() - sources
    for node in graph.nodes.values():
        if node.name not in sources:
            nodes[node.name] = _rewired(node, results, sources)
            continue
        for at in given[node.name]:
            name = unused_node(f"{node.name}_{at}" if at else node.name, taken)
            nodes[name] = _placeholder(name, _type(graph, node, at))
            results[Endpoint(node.name, at)] = Endpoint(name)
            origins.setdefault(_origin(graph, node), []).append(name)
    made = graph_of(graph_def_of(replace(graph, nodes=nodes)), graph.path)  # with the types that follow
    signatures = {
        name: replace(one, inputs=_moved(one.inputs, results), outputs=_moved(one.outputs, results))
        for name, one in graph.signatures.items()
    }
    notes = tuple(
        f"in place of {origin}, feed the placeholder{'s' if len(names) > 1 else ''} {listed(names, NAMED)}"
        for origin, names in origins.items()
    )
    return FedGraph(replace(graph, nodes=made.nodes, signatures=signatures), results, notes)


def _moved(ends: Mapping[str, Endpoint], results: Mapping[Endpoint, Endpoint]) -> dict[str, Endpoint]:
    return {key: results.get(end, end) for key, end in ends.items()}


# --- what the rest of the graph takes -----------------------------------------------------------


def _given(graph: SavedGraph, node: GraphNode) -> list[int]:
    """The outputs of a node of a pipeline that the rest of the graph reads. If nothing uses the node, these are all the
    elements that it takes out of the pipeline."""
    definition = op_def(node.op)
    if definition is None or any(one.is_ref for one in definition.output_arg):
        return []  # a handle of a queue or reader
    users = [graph.nodes[user] for user in graph.users[node.name]]
    read = {end.output for one in users if not is_pipeline(one.op) for end in one.inputs if end.node == node.name}
    read |= {end.output for end in served(graph.signatures) if end.node == node.name}
    if not users and _TAKING.search(node.op):
        read = set(range(len(node.types)))
    return [at for at in sorted(read) if node.types[at].dtype.name not in _HANDLES]


def _is_needed(graph: SavedGraph, name: str) -> bool:
    """Whether more than pipelines and summaries depends on a node."""

    def users(name: str) -> Iterator[str]:
        return (user for user in graph.users[name] if not is_pipeline(graph.nodes[user].op))

    found = reached([name], users)
    ends = [one for one in found if not graph.users[one] and _SUMMARY.search(graph.nodes[one].op) is None]
    return bool(ends) or not found.isdisjoint(end.node for end in served(graph.signatures))


def _rewired(node: GraphNode, results: Mapping[Endpoint, Endpoint], sources: set[str]) -> GraphNode:
    """A node that reads placeholders, and does not wait for a pipeline."""
    inputs = tuple(results.get(end, end) for end in node.inputs)
    return replace(node, inputs=inputs, controls=tuple(name for name in node.controls if name not in sources))


def _placeholder(name: str, type: TensorType) -> GraphNode:
    shape = TensorShapeProto(unknown_rank=type.shape is None)
    for size in type.shape or ():
        shape.dim.add(size=size if isinstance(size, int) else -1)
    attrs = {"dtype": AttrValue(type=tf.as_dtype(type.dtype.name).as_datatype_enum), "shape": AttrValue(shape=shape)}
    return GraphNode(name, "Placeholder", (), (), attrs, "", (type,))


def _type(graph: SavedGraph, node: GraphNode, output: int) -> TensorType:
    """The type of an output. TensorFlow does not infer shapes of elements that are taken from a queue."""
    type, taken = node.types[output], _DEQUEUES.fullmatch(node.op)
    shapes = _component_shapes(graph.input(node, 0)) if taken is not None else []
    if type.shape is not None or taken is None or not shapes or shapes[output] is None:
        return type
    count = constant_value(graph.input(node, 1)) if taken[1] == "Many" else None
    rows = () if not taken[1] else (None if count is None else int(count),)
    return replace(type, shape=(*rows, *(shapes[output] or ())))


def _component_shapes(queue: GraphNode) -> list[list[int | None] | None]:
    """The shapes of the tensors of an element of a queue, or an empty list if they are not known."""
    return attribute(queue.attrs["shapes"]) if "shapes" in queue.attrs else []


def _origin(graph: SavedGraph, node: GraphNode) -> str:
    """The part of a pipeline that gives a tensor, in words."""
    holder = node
    while holder.inputs and (holder is node or not is_pipeline(holder.op)):
        holder = graph.input(holder, 0)
    kind = next((one for one in _KINDS if one in holder.op.lower()), "")
    return f"the {kind} {holder.name}" if kind and holder is not node else f"what {node.name} takes"
