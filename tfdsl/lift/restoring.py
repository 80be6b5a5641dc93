"""The session of a lifted program: it restores the variables from the checkpoint of the graph."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ..diagnostics.spelling import listed
from ..lowering.failures import plain_reason
from ..lowering.tf import TrackableObjectGraph, v1
from ..record import Record
from ..runtime.execution.partitions import part_of, parts, whole_of
from ..types import ALL_DTYPES, TensorType
from .constants import constant_value, value_text
from .folds.variables import variable_type
from .graph import ASSIGNS, NAMED, RESTORES, VARIABLES, GraphNode, SavedGraph

_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"  # the list of variables in checkpoints of TensorFlow 2
_UNREADABLE = (ValueError, RuntimeError, IndexError, v1.errors.OpError)


class ProgramVariable(Record):
    """A variable of a program: how statements name it, its name in TensorFlow, and its type. A slot of an optimizer has
    no name in statements, which name its step, and the type of its node in the graph."""

    text: str
    node: str
    type: TensorType | None = None
    step: str = ""


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
        stored = stored_names(graph, {name: one.type for name, one in variables.items() if one.type is not None})
    except _UNREADABLE as error:
        return Restoring(notes=(f"the checkpoint {graph.checkpoint} cannot be read: {plain_reason(error)}",))
    source = f"from {value_text(path.replace('{', '{{').replace('}', '}}'), 'string')}"
    if all(stored.get(name) == one.node for name, one in variables.items()):
        return Restoring((f"restore {source}",), frozenset(variables))
    found = {name: one for name, one in variables.items() if name in stored and one.text}
    anew = {one.step for name, one in variables.items() if one.step and stored.get(name) != one.node}
    steps = list(dict.fromkeys(one.step for one in variables.values() if one.step and one.step not in anew))
    restored = found.keys() | {name for name, one in variables.items() if one.step in steps}
    kept = [name for name in variables if name in stored and name not in restored]
    lost = [name for name in variables if name not in restored and name not in kept]
    notes = (f"not restored from the checkpoint: {listed([*_reasons(graph, variables, lost)], NAMED)}",) if lost else ()
    if kept:
        notes += (
            f"training on differs from TensorFlow: what optimizers keep begins anew ({listed(kept, NAMED)}), because "
            "the checkpoint has only a part of it, or has it under other names",
        )
    if not restored:
        return Restoring(notes=notes)
    items = ", ".join([*(_item(one, stored[name]) for name, one in found.items()), *steps])
    return Restoring((*(("init",) if lost or kept else ()), f"restore {items} {source}"), frozenset(restored), notes)


def is_partial(graph: SavedGraph) -> bool:
    """Whether the checkpoint of a graph lacks variables of the graph, or has some under other names."""
    if not graph.checkpoint:
        return False
    try:
        stored = stored_names(graph)
    except _UNREADABLE:
        return False  # `restoring` says so
    return any(stored.get(node.name) != node.name for node in _variables(graph))


def _reasons(graph: SavedGraph, variables: Mapping[str, ProgramVariable], lost: Iterable[str]) -> Iterator[str]:
    """Variables that are not restored. If the checkpoint has one with another type, both types follow its name."""
    names, types = _names_and_types(graph)
    for name in lost:
        declared, actual = variables[name].type or variable_type(graph.nodes[name]), types.get(names[name])
        is_other = actual is not None and actual != declared
        yield f"{name} ({declared} in the graph, {actual} in the checkpoint)" if is_other else name


def _item(variable: ProgramVariable, name: str) -> str:
    return variable.text if variable.node == name else f"{variable.text} as {value_text(name, 'string')}"


def stored_names(graph: SavedGraph, known: Mapping[str, TensorType] = {}) -> dict[str, str]:
    """Maps the nodes of variables to their names in the checkpoint of the graph. A variable is included only if the
    checkpoint has it, or the variable that it is a part of, with the same type. `known` has types of variables that
    differ from those in the graph."""
    held = {node.name: known.get(node.name, variable_type(node)) for node in _variables(graph)}
    names, types = _names_and_types(graph)
    sizes = {names[name]: size for name, type in held.items() if (size := _size(type)) is not None}
    divided = parts(sizes, {name: size for name, type in types.items() if (size := _size(type)) is not None})
    return {
        name: names[name]
        for name, type in held.items()
        if types.get(names[name]) == type
        or (names[name] in divided and types[divided[names[name]].whole].dtype == type.dtype)
    }


def saved_names(graph: SavedGraph) -> dict[str, str]:
    """Maps the nodes of all variables to their names in a checkpoint of the graph: in its own one, or else in those
    that its Saver writes."""
    own = {node.name: node.name for node in _variables(graph)}
    if graph.checkpoint:
        with suppress(*_UNREADABLE):
            return own | _names_and_types(graph)[0]
    return own | {name: text for name, text in _names_of_saver(graph).items() if name in own}


def shapes_in_checkpoint(graph: SavedGraph) -> dict[str, TensorType]:
    """The types that the checkpoint of a graph has for variables whose shapes the graph leaves open."""
    opened = {node.name: variable_type(node) for node in _variables(graph) if _size(variable_type(node)) is None}
    if not graph.checkpoint or not opened:
        return {}
    try:
        names, types = _names_and_types(graph)
    except _UNREADABLE:
        return {}  # `restoring` says so
    found = {name: types.get(names[name]) for name in opened}
    return {name: type for name, type in found.items()
            if type is not None and type.dtype == opened[name].dtype}  # fmt: skip


def _variables(graph: SavedGraph) -> list[GraphNode]:
    return [node for node in graph.nodes.values() if node.op in VARIABLES]


def _names_and_types(graph: SavedGraph) -> tuple[dict[str, str], dict[str, TensorType]]:
    """The names of all variables in the checkpoint of a graph, which may lack them, and the types in the checkpoint."""
    reader: Any = v1.train.load_checkpoint(graph.checkpoint)  # a compiled class
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    types = {name: TensorType(ALL_DTYPES[v1.as_dtype(dtypes[name]).name], tuple(shapes[name])) for name in shapes}
    names = _names_of_objects(reader.get_tensor(_OBJECTS)) if _OBJECTS in shapes else {}
    names |= _names_of_saver(graph)
    own = {node.name: names.get(node.name, names.get(_shared_name(node), node.name)) for node in _variables(graph)}
    return own, types


def _size(type: TensorType) -> tuple[int, ...] | None:
    """The sizes of a complete shape."""
    sizes = tuple(size for size in type.shape or () if isinstance(size, int))
    return sizes if len(sizes) == type.rank else None


def _shared_name(node: GraphNode) -> str:
    return node.attrs["shared_name"].s.decode(errors="replace") if "shared_name" in node.attrs else ""


def _names_of_saver(graph: SavedGraph) -> dict[str, str]:
    """The names under which a Saver restores variables."""
    found: dict[str, str] = {}
    for node in graph.nodes.values():
        if node.op not in RESTORES or len(node.inputs) < 2:
            continue
        names = constant_value(graph.input(node, 1))
        slices = constant_value(graph.input(node, 2)) if node.op == "RestoreV2" else None
        if names is None:
            continue
        for user in graph.users[node.name]:
            for variable, output in _assigned(graph, node, graph.nodes[user]):
                name = names.reshape(-1)[output].decode(errors="replace")
                is_part = slices is not None and slices.reshape(-1)[output] and whole_of(variable)
                found[variable] = part_of(name, variable) if is_part else name
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
