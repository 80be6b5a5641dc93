"""Finds the node of a program that failed, given an error from TensorFlow.

TensorFlow names the op and, if the op is in a function, the function. Loops and branches of the program are functions
too, and their ops are marked like those of the graph. TensorFlow also creates functions for its own ops: `assert_less`
is a branch whose function contains an op named just `Assert`. Then the op that calls the function is to blame.
"""

import re

from ..program import Node
from ..record import Record
from .built import BuiltGraph
from .definitions import functions_of
from .tf import tf

_TAG = re.compile(r"(?:\{\{function_node ([^}]+)\}\})?\{\{node ([^}]+)\}\}")


class Failed(Record):
    """An op that failed, its type if known, and the node to blame, if any: the one that made the op, or the one whose
    gradient the op computes for the node `taken`."""

    name: str
    type: str = ""
    node: Node | None = None
    taken: Node | None = None


def failed_op(built: BuiltGraph, error: tf.errors.OpError) -> Failed | None:
    """The op that an error is about, or None if the error does not say."""
    # A session replaces the error that names functions by another one.
    raw = error.__context__ if isinstance(error.__context__, tf.errors.OpError) else error
    tag = _TAG.search(raw.message) or _TAG.search(error.message)
    if tag is not None and tag[1]:
        return op_of(built, tag[2], tag[1])
    if error.op is not None:
        return _of_graph(built, error.op.name, error.op.type)
    return None if tag is None else _of_graph(built, tag[2], "")


def op_of(built: BuiltGraph, name: str, function: str = "") -> Failed:
    """An op by its name. If no node made it and it is in a function, return the op that calls the function, directly or
    indirectly."""
    if not function:
        return _of_graph(built, name)
    calls = _calls(built.graph)
    todo = [(function, name)]
    for inside, op in todo:  # grows during the loop
        node = built.node_of(op, bool(inside))
        if node is not None:
            return Failed(op, "", node)
        todo += [call for call in calls.get(inside, ()) if call not in todo]
    return Failed(name)


def _of_graph(built: BuiltGraph, name: str, type: str = "") -> Failed:
    maker, forward = _maker(built, name), _forward(built, name)
    node = _maker(built, forward) if forward else None
    return Failed(name, type, maker) if node is None or node is maker else Failed(name, type, node, maker)


def _forward(built: BuiltGraph, name: str) -> str:
    """The op whose gradient an op of the graph helps to compute, or "" if there is none."""
    try:
        op = built.graph.get_operation_by_name(built.originals.get(name, name))
    except (KeyError, ValueError):
        return ""
    found = ""
    while (op := getattr(op, "_original_op", None)) is not None:  # set by TensorFlow for gradients
        found = op.name
    return found


def _maker(built: BuiltGraph, name: str) -> Node | None:
    """The node that made an op of the graph. An op that draws numbers for a random op belongs to the random op's
    node."""
    drawn_for = {output.op.name: random for random, (output, _) in built.twins.items()}
    return built.node_of(drawn_for.get(name, name)) if name else None


def _calls(graph: tf.Graph) -> dict[str, list[tuple[str, str]]]:
    """For each function of a graph, the ops that call it: pairs of the function that contains the op ("" for none) and
    the op's name."""
    found: dict[str, list[tuple[str, str]]] = {}
    definition = graph.as_graph_def()
    functions = definition.library.function
    for inside, nodes in [("", definition.node), *((one.signature.name, one.node_def) for one in functions)]:
        for node in nodes:
            for function in functions_of(node):
                found.setdefault(function, []).append((inside, node.name))
    return found
