"""The frozen graph of a signature: a `GraphDef` in which the variables are constants.

It has only what computes the outputs, with `training` false, and no training nodes. Placeholders have the names of the
signature's inputs, and the outputs are nodes with their names, so a caller needs the names of the signature and nothing
else. All other nodes keep the names that they have in the program, unless an input or an output has that name.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ...lowering.definitions import op_name
from ...lowering.tf import tf, v1
from ...quiet import unlogged
from .model import Model

_TABLES = "LookupTableImportV2"


@dataclass(frozen=True, slots=True)
class FrozenGraph:
    """The graph, with the names of its inputs and outputs. `prepare` is the op that fills its tables, to be executed
    once; "" if it has none. `tables` has the keys and the values of the tables, by the names of their nodes."""

    definition: v1.GraphDef
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    prepare: str
    tables: Mapping[str, tuple[np.ndarray, np.ndarray]]


def frozen(model: Model, signature: str) -> FrozenGraph:
    """The frozen graph of a signature of a model."""
    one = model.signatures[signature]
    inputs, outputs = ({name: some[name].name for name in sorted(some)} for some in (one.inputs, one.outputs))
    definition = model.graph.as_graph_def()
    _fix_placeholders(definition, [model.graph.get_tensor_by_name(name) for name in inputs.values()])
    needed = _needed(definition, map(op_name, outputs.values()))
    tables = [op for op in model.graph.get_operations() if op.type == _TABLES and op_name(op.inputs[0].name) in needed]
    prepare = model.prepare.name if model.prepare and tables else ""
    wanted = [*map(op_name, outputs.values()), *map(op_name, inputs.values()), *filter(None, [prepare])]
    with unlogged(), model.graph.as_default():
        made = v1.graph_util.convert_variables_to_constants(model.session, definition, list(dict.fromkeys(wanted)))
    contents = model.session.run([list(op.inputs[1:3]) for op in tables])
    names = _named(made, inputs, outputs)
    found = {names.get(op.inputs[0].op.name, op.inputs[0].op.name): (keys, values)
             for op, (keys, values) in zip(tables, contents, strict=True)}  # fmt: skip
    return FrozenGraph(
        made, tuple(map(_possible, inputs)), tuple(map(_possible, outputs)), names.get(prepare, prepare), found
    )


def _fix_placeholders(definition: v1.GraphDef, inputs: Iterable[tf.Tensor]) -> None:
    """Make placeholders of the inputs. Give others their default values, such as false for `training`."""
    fed = {tensor.op.name: tensor for tensor in inputs if len(tensor.op.outputs) == 1}
    for node in definition.node:
        if (tensor := fed.get(node.name)) is not None:
            node.op = "Placeholder"
            node.ClearField("attr")
            node.ClearField("input")
            node.attr["dtype"].type = tensor.dtype.as_datatype_enum
            node.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
        elif node.op == "PlaceholderWithDefault":
            dtype = node.attr["dtype"].type
            node.op = "Identity"
            node.ClearField("attr")
            node.attr["T"].type = dtype


def _needed(definition: v1.GraphDef, names: Iterable[str]) -> set[str]:
    """The names of the nodes that some nodes need."""
    nodes = {node.name: node for node in definition.node}
    found, todo = set[str](), list(names)
    while todo:
        name = op_name(todo.pop())
        if name not in found:
            found.add(name)
            todo += nodes[name].input
    return found


def _named(definition: v1.GraphDef, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, str]:
    """Give inputs and outputs their names. Returns the new names of nodes that have got others."""
    given = {op_name(tensor): _possible(name) for name, tensor in inputs.items()}
    added: dict[str, str] = {}
    for name, tensor in outputs.items():
        if tensor != f"{_possible(name)}:0" or op_name(tensor) in given:
            added[_possible(name)] = tensor
    own = {_possible(name) for name, tensor in outputs.items()} - added.keys()
    taken = {node.name for node in definition.node} | set(given.values()) | added.keys()
    for node in definition.node:
        if node.name not in given and node.name not in own and node.name in {*given.values(), *added}:
            given[node.name] = _free(node.name, taken)
            taken.add(given[node.name])
    for node in definition.node:
        node.name = given.get(node.name, node.name)
        node.input[:] = [_renamed(one, given) for one in node.input]
        if "_class" in node.attr:
            del node.attr["_class"]  # the op that it is colocated with may have another name
    types = dict(_types(definition, added, given))
    for name, tensor in added.items():
        node = definition.node.add(name=name, op="Identity", input=[_renamed(tensor.removesuffix(":0"), given)])
        node.attr["T"].type = types[tensor]
    return given


def _types(definition: v1.GraphDef, added: Mapping[str, str], given: Mapping[str, str]) -> Iterable[tuple[str, int]]:
    """The dtypes of tensors that become outputs."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        for tensor in added.values():
            yield tensor, graph.get_tensor_by_name(_renamed(tensor, given)).dtype.as_datatype_enum


def _renamed(name: str, given: Mapping[str, str]) -> str:
    """An input of a node, if the node that it comes from has another name."""
    control, whole = ("^", name[1:]) if name.startswith("^") else ("", name)
    node, colon, number = whole.partition(":")
    return f"{control}{given.get(node, node)}{colon}{number}"


def _free(name: str, taken: Collection[str]) -> str:
    number = 1
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _possible(name: str) -> str:
    """A name that a node can have."""
    made = "".join(c if c.isascii() and (c.isalnum() or c in "_.") else "_" for c in name)
    return made if made[:1].isalnum() or made[:1] == "." else f"x{made}"
