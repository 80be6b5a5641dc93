"""The functions of a graph's library, as graphs."""

from collections.abc import Mapping

from ..diagnostics import FUNCTION_BROKEN
from ..lowering.tf import AttrValue, FunctionDef, FunctionDefLibrary, NodeDef
from ..record import Record
from .formats import refuse
from .graph import Cycle, Endpoint, GraphNode, in_order
from .nodes import BadNode, OpDefs, count_of, dtype_name

# TensorFlow derives these attributes from others.
DERIVED = frozenset({"_output_shapes", "_input_shapes"})

Attributes = Mapping[str, AttrValue]


class FunctionGraph(Record):
    """A function. `inputs` has the dtypes and attributes of its inputs; `outputs` has the endpoints of its results, and
    `dtypes` their dtypes; all by name. `controls` are the nodes that every call waits for. Nodes have no types."""

    name: str
    inputs: Mapping[str, tuple[str, Attributes]]
    nodes: Mapping[str, GraphNode]
    outputs: Mapping[str, Endpoint]
    dtypes: Mapping[str, str]
    controls: tuple[str, ...]
    attributes: Attributes

    @property
    def called(self) -> set[str]:
        """The functions that its nodes name in attributes."""
        values = [value for node in self.nodes.values() for value in node.attrs.values()]
        return {one.func.name for one in values} | {func.name for one in values for func in one.list.func}


def graph_functions(library: FunctionDefLibrary, defs: OpDefs) -> dict[str, FunctionGraph]:
    """The functions of a library, each after the functions that it calls."""
    found: dict[str, FunctionGraph] = {}
    for one in library.function:
        try:
            found[one.signature.name] = _function(one, defs)
        except BadNode as error:
            raise refuse(FUNCTION_BROKEN, name=one.signature.name, reason=str(error)) from None
        except Cycle as error:
            raise refuse(FUNCTION_BROKEN, name=one.signature.name, reason=f"it has a cycle: {error.names[0]}") from None
    try:
        return {
            name: found[name] for name in in_order({name: one.called & found.keys() for name, one in found.items()})
        }
    except Cycle:
        return found  # functions that call each other: the source names them in quotes


def _function(function: FunctionDef, defs: OpDefs) -> FunctionGraph:
    signature = function.signature
    nodes = {node.name: node for node in function.node_def}
    inputs = {
        one.name: (dtype_name(one.type), _kept(function.arg_attr[at].attr if at in function.arg_attr else {}))
        for at, one in enumerate(signature.input_arg)
    }
    attrs = {name: defs.filled(node, {}) for name, node in nodes.items()}
    links = {name: _links(node, nodes, inputs, attrs, defs) for name, node in nodes.items()}
    needs = {
        name: [*controls, *(end.node for end in ends if end.node in nodes and not _is_back(nodes, name, end))]
        for name, (ends, controls) in links.items()
    }
    made = {
        name: GraphNode(name, nodes[name].op, *links[name], attrs[name], nodes[name].device, ())
        for name in in_order(needs)
    }
    outputs = {one.name: _endpoint(function.ret[one.name], nodes, inputs, attrs, defs) for one in signature.output_arg}
    dtypes = {one.name: dtype_name(one.type) for one in signature.output_arg}
    controls = tuple(function.control_ret[name] for name in signature.control_output)
    return FunctionGraph(signature.name, inputs, made, outputs, dtypes, controls, _kept(function.attr))


def _kept(attributes: Attributes) -> dict[str, AttrValue]:
    return {name: value for name, value in attributes.items() if name not in DERIVED}


def _is_back(nodes: Mapping[str, NodeDef], name: str, end: Endpoint) -> bool:
    return nodes[name].op == "Merge" and nodes[end.node].op == "NextIteration"


def _links(
    node: NodeDef,
    nodes: Mapping[str, NodeDef],
    inputs: Mapping[str, object],
    attrs: Mapping[str, Attributes],
    defs: OpDefs,
) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    ends = [_endpoint(one, nodes, inputs, attrs, defs) for one in node.input if not one.startswith("^")]
    controls = [one[1:] for one in node.input if one.startswith("^")]
    for one in controls:
        if one not in nodes and one not in inputs:
            raise BadNode(f"'{node.name}' waits for '{one}', which is not in the function")
    return tuple(ends), tuple(controls)


def _endpoint(
    text: str,
    nodes: Mapping[str, NodeDef],
    inputs: Mapping[str, object],
    attrs: Mapping[str, Attributes],
    defs: OpDefs,
) -> Endpoint:
    """`y:output:0`, an output of the node `y` by name and index, or `x`, an input of the function."""
    name, *place = text.split(":")
    if name in inputs and name not in nodes:
        return Endpoint(name)
    definition = defs.find(nodes[name].op) if name in nodes else None
    if definition is None or len(place) != 2 or not place[1].isdecimal():
        raise BadNode(f"'{text}' is not in it")
    before = 0
    for arg in definition.output_arg:
        if arg.name == place[0]:
            return Endpoint(name, before + int(place[1]))
        count = count_of(arg, attrs[name])
        before += 1 if count is None else count
    raise BadNode(f"'{text}' is not in it")
