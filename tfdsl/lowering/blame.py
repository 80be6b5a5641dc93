"""Which node of a program failed: from what an error of TensorFlow says to the node that made the op.

TensorFlow names the op and, where it stands in a function, the function. Loops and branches of the program are
functions, too, and their ops are marked as those of the graph are. Other functions are made by TensorFlow for an op
of its own: `assert_less` is a branch, and in a function there stands an op that is just called `Assert`. Then the op
that calls the function is to blame.
"""

import re

from ..program import Node
from ..record import Record
from .tf import tf

_TAG = re.compile(r"(?:\{\{function_node ([^}]+)\}\})?\{\{node ([^}]+)\}\}")


class Failed(Record):
    """An op that failed, its type where that is known, and the node to blame, if there is one: the one that made the
    op, or the one whose gradient the op computes for the node `taken`."""

    name: str
    type: str = ""
    node: Node | None = None
    taken: Node | None = None


def failed_op(built, error: tf.errors.OpError) -> Failed | None:
    """The op that an error is about; None where it does not say."""
    # A session puts another error in the place of the one that names functions.
    raw = error.__context__ if isinstance(error.__context__, tf.errors.OpError) else error
    tag = _TAG.search(raw.message) or _TAG.search(error.message)
    if tag is not None and tag[1]:
        return op_of(built, tag[2], tag[1])
    if error.op is not None:
        return _of_graph(built, error.op.name, error.op.type)
    return None if tag is None else _of_graph(built, tag[2], "")


def op_of(built, name: str, function: str = "") -> Failed:
    """An op by its name. Of one in a function that no node has made: the op that calls the function, or what calls
    that."""
    if not function:
        return _of_graph(built, name)
    calls = _calls(built.graph)
    todo = [(function, name)]
    for inside, op in todo:  # which grows meanwhile
        node = built.node_of(op, bool(inside))
        if node is not None:
            return Failed(op, "", node)
        todo += [call for call in calls.get(inside, ()) if call not in todo]
    return Failed(name)


def _of_graph(built, name: str, type: str = "") -> Failed:
    maker, forward = _maker(built, name), _forward(built, name)
    node = _maker(built, forward) if forward else None
    return Failed(name, type, maker) if node is None or node is maker else Failed(name, type, node, maker)


def _forward(built, name: str) -> str:
    """The op whose gradient an op of the graph helps to compute; empty if it is part of none."""
    try:
        op = built.graph.get_operation_by_name(built.originals.get(name, name))
    except (KeyError, ValueError):
        return ""
    found = ""
    while (op := getattr(op, "_original_op", None)) is not None:  # which TensorFlow keeps for gradients
        found = op.name
    return found


def _maker(built, name: str) -> Node | None:
    """The node that made an op of the graph; of one that draws numbers for a random op, the node of that."""
    drawn_for = {output.op.name: random for random, (output, _) in built.twins.items()}
    return built.node_of(drawn_for.get(name, name)) if name else None


def functions_of(definition) -> list[str]:
    """The functions that an op calls, by its definition."""
    found: list[str] = []
    for attr in definition.attr.values():
        if attr.HasField("func"):
            found.append(attr.func.name)
        found += [func.name for func in attr.list.func]
    return found


def _calls(graph: tf.Graph) -> dict[str, list[tuple[str, str]]]:
    """For each function of a graph the ops that call it, as the function that an op stands in ("" for none) and the
    op's name."""
    found: dict[str, list[tuple[str, str]]] = {}
    definition = graph.as_graph_def()
    functions = definition.library.function
    for inside, nodes in [("", definition.node), *((one.signature.name, one.node_def) for one in functions)]:
        for node in nodes:
            for function in functions_of(node):
                found.setdefault(function, []).append((inside, node.name))
    return found
