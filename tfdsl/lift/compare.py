"""Compares two graphs node for node, to check that `tfdsl lift --exact` builds the same graph."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from ..lowering.sums import ATTRIBUTES
from ..lowering.tf import AttrValue, FunctionDef, NodeDef, OpDef, v1
from ..record import Record
from .functions import DERIVED
from .graph import GraphNode, SavedGraph
from .nodes import OpDefs

# Every graph that tfdsl builds has these attributes, which fix the order of sums.
_IGNORED = frozenset({*DERIVED, *ATTRIBUTES})

_Attributes: TypeAlias = Mapping[str, AttrValue]


class NodeDifference(Record):
    """One difference between two graphs: the node, what differs about it, and its text in each graph."""

    node: str
    what: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.node}: {self.what} is {self.left}, not {self.right}"


def differences(left: SavedGraph, right: SavedGraph) -> list[NodeDifference]:
    """The differences between the nodes and functions of two graphs. Nodes are matched by name."""
    found: list[NodeDifference] = []
    for name in sorted(left.nodes.keys() | right.nodes.keys()):
        one, other = left.nodes.get(name), right.nodes.get(name)
        if one is None or other is None:
            found.append(NodeDifference(name, "the node", _presence(one), _presence(other)))
        else:
            found += _of_nodes(one, other)
    if left.producer != right.producer:
        found.append(NodeDifference("the graph", "its version", str(left.producer), str(right.producer)))
    return found + list(_of_functions(left, right))


def _presence(node: object) -> str:
    return "missing" if node is None else "there"


def _of_nodes(left: GraphNode, right: GraphNode) -> Iterator[NodeDifference]:
    pairs = {
        "the op": (left.op, right.op),
        "the list of inputs": (_listed(left.inputs), _listed(right.inputs)),
        "the list of control inputs": (_listed(sorted({*left.controls})), _listed(sorted({*right.controls}))),
        "the device": (_device(left.device), _device(right.device)),
    }
    yield from (NodeDifference(left.name, what, *pair) for what, pair in pairs.items() if pair[0] != pair[1])
    if left.op == right.op:
        yield from _of_attributes(left.name, left.attrs, right.attrs)


def _listed(items: Iterable[object]) -> str:
    return f"[{', '.join(map(str, items))}]"


def _of_attributes(node: str, left: _Attributes, right: _Attributes) -> Iterator[NodeDifference]:
    for name in sorted((left.keys() | right.keys()) - _IGNORED):
        one, other = left.get(name), right.get(name)
        if one is None or other is None or not same_value(one, other):
            texts = ["missing" if value is None else shortened(value) for value in (one, other)]
            yield NodeDifference(node, f"the attribute '{name}'", *texts)


def same_value(left: AttrValue, right: AttrValue) -> bool:
    """Whether two attributes have the same value. A tensor can be written in several ways."""
    if left == right:
        return True
    if left.WhichOneof("value") != "tensor" or right.WhichOneof("value") != "tensor":
        return _is_empty(left) and _is_empty(right)
    one: np.ndarray = v1.make_ndarray(left.tensor)
    other: np.ndarray = v1.make_ndarray(right.tensor)
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    return bool(np.array_equal(one, other)) if one.dtype == object else one.tobytes() == other.tobytes()


def _is_empty(value: AttrValue) -> bool:
    """Whether a value is an empty list. Such a list does not record the type of its items."""
    return value.WhichOneof("value") == "list" and not value.list.ListFields()


def shortened(value: AttrValue) -> str:
    """The value of an attribute on one line, shortened."""
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _device(text: str) -> str:
    """A device in TensorFlow's current spelling: /cpu:0 is /device:CPU:0."""
    try:
        return str(v1.DeviceSpec.from_string(text).to_string())
    except (ValueError, TypeError):
        return text


# --- functions ----------------------------------------------------------------------------------


def _of_functions(left: SavedGraph, right: SavedGraph) -> Iterator[NodeDifference]:
    ones, others = ({one.signature.name: one for one in graph.library.function} for graph in (left, right))
    defs = OpDefs(left.library), OpDefs(right.library)
    for name in sorted(ones.keys() | others.keys()):
        one, other = ones.get(name), others.get(name)
        if one is None or other is None:
            yield NodeDifference(name, "the function", _presence(one), _presence(other))
        else:
            yield from _of_function(name, one, other, defs)


def _of_function(
    name: str, left: FunctionDef, right: FunctionDef, defs: tuple[OpDefs, OpDefs]
) -> Iterator[NodeDifference]:
    signatures = _signature(left), _signature(right)
    if signatures[0] != signatures[1]:
        yield NodeDifference(name, "the signature", *(" ".join(str(one).split()) for one in signatures))
    if dict(left.ret) != dict(right.ret) or dict(left.control_ret) != dict(right.control_ret):
        yield NodeDifference(name, "the list of results", str(dict(left.ret)), str(dict(right.ret)))
    yield from _of_attributes(name, left.attr, right.attr)
    for at, arg in enumerate(left.signature.input_arg):
        yield from _of_attributes(f"{name}/{arg.name}", left.arg_attr[at].attr, right.arg_attr[at].attr)
    ones, others = ({node.name: node for node in one.node_def} for one in (left, right))
    for node in sorted(ones.keys() | others.keys()):
        one, other, place = ones.get(node), others.get(node), f"{name}/{node}"
        if one is None or other is None:
            yield NodeDifference(place, "the node", _presence(one), _presence(other))
            continue
        if (one.op, _inputs(one), _device(one.device)) != (other.op, _inputs(other), _device(other.device)):
            yield NodeDifference(place, "the node", _call(one), _call(other))
        if one.op == other.op:
            yield from _of_attributes(place, defs[0].filled(one, {}), defs[1].filled(other, {}))


def _signature(function: FunctionDef) -> OpDef:
    """The signature of a function, without descriptions, and without the shapes of variables, which TensorFlow infers
    from the function's ops."""
    signature = OpDef.FromString(function.signature.SerializeToString())
    signature.ClearField("description")
    for arg in (*signature.input_arg, *signature.output_arg):
        arg.ClearField("handle_data")
    return signature


def _call(node: NodeDef) -> str:
    return f"{node.op}({', '.join(_inputs(node))}) {node.device}".rstrip()


def _inputs(node: NodeDef) -> list[str]:
    """The inputs of a node of a function. Control inputs have no order, and one that is repeated says nothing more."""
    controls = {one for one in node.input if one.startswith("^")}
    return [*(one for one in node.input if one not in controls), *sorted(controls)]
