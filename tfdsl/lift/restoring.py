"""The session of a lifted program: it restores the variables from the checkpoint of the graph."""

from collections.abc import Mapping
from typing import Any

from ..diagnostics.spelling import listed
from ..lowering.failures import plain_reason
from ..lowering.tf import TrackableObjectGraph, v1
from ..record import Record
from ..types import ALL_DTYPES, TensorType
from .constants import constant_value, value_text
from .folds.variables import variable_type
from .graph import ASSIGNS, NAMED, RESTORES, VARIABLES, GraphNode, SavedGraph

_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"  # the list of variables in checkpoints of TensorFlow 2


class ProgramVariable(Record):
    """A variable of a program: how statements name it, and its name in TensorFlow. A slot of an optimizer has no name
    in statements."""

    text: str
    node: str


class Restoring(Record):
    """The statements of a session that restores variables, the nodes of these variables, and notes."""

    lines: tuple[str, ...] = ()
    restored: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def restoring(graph: SavedGraph, variables: Mapping[str, ProgramVariable], path: str) -> Restoring:
    """The session that restores the variables of a program from the checkpoint of its graph. `variables` maps the nodes
    of the graph to the variables, and `path` is the path of the checkpoint as the program writes it."""
    if not graph.checkpoint or not variables:
        return Restoring()
    try:
        stored = stored_names(graph)
    except (ValueError, RuntimeError, IndexError, v1.errors.OpError) as error:
        return Restoring(notes=(f"the checkpoint {graph.checkpoint} cannot be read: {plain_reason(error)}",))
    source = f"from {value_text(path.replace('{', '{{').replace('}', '}}'), 'string')}"
    if all(stored.get(name) == one.node for name, one in variables.items()):
        return Restoring((f"restore {source}",), frozenset(variables))
    found = {name: one for name, one in variables.items() if name in stored and one.text}
    lost = [name for name in variables if name not in found]
    notes = (f"not restored from the checkpoint: {listed(lost, NAMED)}",) if lost else ()
    if not found:
        return Restoring(notes=notes)
    items = ", ".join(_item(one, stored[name]) for name, one in found.items())
    return Restoring((*(("init",) if lost else ()), f"restore {items} {source}"), frozenset(found), notes)


def _item(variable: ProgramVariable, name: str) -> str:
    return variable.text if variable.node == name else f"{variable.text} as {value_text(name, 'string')}"


def stored_names(graph: SavedGraph) -> dict[str, str]:
    """Maps the nodes of variables to their names in the checkpoint of the graph. A variable is included only if the
    checkpoint has it with the same type."""
    reader: Any = v1.train.load_checkpoint(graph.checkpoint)  # a compiled class
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    names = _names_of_objects(reader.get_tensor(_OBJECTS)) if _OBJECTS in shapes else {}
    names |= _names_of_saver(graph)
    found: dict[str, str] = {}
    for node in graph.nodes.values():
        if node.op in VARIABLES:
            name = names.get(node.name, names.get(_shared_name(node), node.name))
            if name in shapes and variable_type(node) == TensorType(
                ALL_DTYPES[v1.as_dtype(dtypes[name]).name], tuple(shapes[name])
            ):
                found[node.name] = name
    return found


def _shared_name(node: GraphNode) -> str:
    return node.attrs["shared_name"].s.decode(errors="replace") if "shared_name" in node.attrs else ""


def _names_of_saver(graph: SavedGraph) -> dict[str, str]:
    """The names under which a Saver restores variables."""
    found: dict[str, str] = {}
    for node in graph.nodes.values():
        if node.op not in RESTORES or len(node.inputs) < 2:
            continue
        names = constant_value(graph.input(node, 1))
        if names is None:
            continue
        for user in graph.users[node.name]:
            for variable, output in _assigned(graph, node, graph.nodes[user]):
                found[variable] = names.reshape(-1)[output].decode(errors="replace")
    return found


def _assigned(graph: SavedGraph, restore: GraphNode, user: GraphNode) -> list[tuple[str, int]]:
    """The variables that receive an output of a restore op through one of its users, with the index of the output."""
    own = [end.output for end in user.inputs if end.node == restore.name]
    if user.op in ASSIGNS and own:
        return [(user.inputs[0].node, own[0])]
    following = [graph.nodes[name] for name in graph.users[user.name]] if user.op == "Identity" else []
    return [(one.inputs[0].node, own[0]) for one in following if one.op in ASSIGNS and own]


def _names_of_objects(listed: bytes) -> dict[str, str]:
    """The names of variables in a checkpoint of TensorFlow 2, by their full names."""
    objects = TrackableObjectGraph.FromString(listed)
    return {one.full_name: one.checkpoint_key for node in objects.nodes for one in node.attributes if one.full_name}
