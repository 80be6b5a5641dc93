"""Finds the shapes of loop variables. In TensorFlow 1, a variable can have a different shape in each iteration; in
source, only if the shape of its first value leaves that open."""

from collections.abc import Collection, Mapping, Sequence

from ...lowering.tf import AttrValue, tf, v1
from ...record import replace
from ...types import Shape, TensorType
from ..draft import Draft
from ..graph import ENTERS, Endpoint, GraphNode
from ..read import graph_def_of, shape_of

_MOST_TURNS = 10


def changing_shapes(draft: Draft, inside: Collection[str], merges: Sequence[GraphNode]) -> dict[str, Shape]:
    """The shapes of variables whose shape changes after the first iteration, by their Merge: the shape that fits all
    iterations. `inside` lists the nodes of the loop."""
    first = {one.name: draft.type(draft.graph.input(one, 0).inputs[0]) for one in merges}
    types = first
    for _ in range(_MOST_TURNS):
        after = _turn(draft, inside, types)
        both = {name: replace(one, shape=_common(one.shape, after[name])) for name, one in types.items()}
        if both == types:
            break
        types = both
    return {name: one.shape for name, one in types.items() if one != first[name]}


def _common(one: Shape, other: Shape) -> Shape:
    """The most specific shape that fits both. An unknown size of the second shape keeps the size of the first, as
    `tf.while_loop` requires."""
    if one is None or other is None:
        return one
    return tuple(a if b is None or a == b else None for a, b in zip(one, other)) if len(one) == len(other) else None


def _turn(draft: Draft, inside: Collection[str], types: Mapping[str, TensorType]) -> dict[str, Shape]:
    """The shapes of variables after an iteration that begins with these types, as TensorFlow infers them."""
    graph = draft.graph
    nodes = {name: _placeholder(name, one) for name, one in types.items()}

    def given(end: Endpoint) -> Endpoint:
        """An input of a node. An input from outside the loop becomes a placeholder."""
        while graph.nodes[end.node].op in ENTERS and end.node not in entering:
            end = graph.nodes[end.node].inputs[0]
        if end.node in kept or end.node in types:
            return end
        name = f"outside/{end.node}/{end.output}"
        nodes[name] = _placeholder(name, draft.type(end))
        return Endpoint(name)

    own = {graph.nodes[name].inputs[0].node for name in types}
    merged = {node.inputs[0].node for name in inside if (node := graph.nodes[name]).op == "Merge"}
    entering = merged - own  # into loops in this one
    kept = {name for name in inside if name not in types and graph.nodes[name].op not in ENTERS} | entering
    for name in kept:
        node = graph.nodes[name]
        nodes[name] = replace(node, inputs=tuple(map(given, node.inputs)), controls=())
    built = tf.Graph()
    try:
        with built.as_default():
            v1.import_graph_def(graph_def_of(replace(graph, nodes=nodes)), name="")
    except (ValueError, TypeError, v1.errors.OpError):
        return {name: one.shape for name, one in types.items()}  # the body has references
    found: dict[str, Shape] = {}
    for name in types:
        end = graph.input(graph.nodes[name], 1).inputs[0]
        if end.node not in nodes:
            found[name] = draft.type(end).shape
            continue
        found[name] = shape_of(built.get_tensor_by_name(f"{end.node}:{end.output}").shape)
    return found


def _placeholder(name: str, type: TensorType) -> GraphNode:
    shape = AttrValue()
    shape.shape.unknown_rank = type.shape is None
    for size in type.shape or ():
        shape.shape.dim.add(size=size if isinstance(size, int) else -1)
    attrs = {"dtype": AttrValue(type=tf.as_dtype(type.dtype.name).as_datatype_enum), "shape": shape}
    return GraphNode(name, "Placeholder", (), (), attrs, "", ())
