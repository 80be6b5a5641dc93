"""The types of nodes, by the definitions of their ops: what each node takes and gives."""

from collections.abc import Mapping, Sequence

from ..lowering.tf import AttrValue, FunctionDefLibrary, NodeDef, OpDef, op_def, tf
from ..record import Record

_UNTYPED = 0  # DT_INVALID
_REFERENCE = 100  # the dtype of a reference is that of its value, plus this


class BadNode(Exception):
    """A node that its op cannot be."""


class NodeDtypes(Record):
    """The dtypes of the inputs and outputs of one node, as TensorFlow numbers them."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class OpDefs:
    """The definitions of the ops that a graph can use: those of TensorFlow and those of its own functions."""

    def __init__(self, library: FunctionDefLibrary):
        self._own: Mapping[str, OpDef] = {one.signature.name: one.signature for one in library.function}
        gradients = {one.gradient_func for one in library.gradient}
        self.functions: frozenset[str] = frozenset(self._own) | gradients

    def find(self, op: str) -> OpDef | None:
        return self._own.get(op) or op_def(op)

    def unknown(self, nodes: Sequence[NodeDef], library: FunctionDefLibrary) -> list[str]:
        """The ops of these nodes and of the functions that nobody defines."""
        used = {node.op for node in nodes} | {node.op for one in library.function for node in one.node_def}
        return sorted(op for op in used if self.find(op) is None)

    def filled(self, node: NodeDef, producer: Mapping[str, OpDef]) -> dict[str, AttrValue]:
        """The attributes of a node, with defaults for those that the file leaves out.

        An attribute that this TensorFlow does not know is left out if it has the default that `producer` names, the ops
        of the TensorFlow that wrote the file.
        """
        known = self._known(node)
        attrs = {name: value for name, value in node.attr.items() if name != "_output_shapes"}
        for name in [one for one in attrs if one not in known and not one.startswith("_")]:
            defaults = {one.name: one.default_value for one in producer[node.op].attr} if node.op in producer else {}
            if attrs[name] != defaults.get(name):
                raise BadNode(f"it has no attribute '{name}'")
            del attrs[name]
        for name, attr in known.items():
            if name in attrs:
                if attrs[name].WhichOneof("value") != _field(attr.type):
                    raise BadNode(f"its attribute '{name}' is not {_kind(attr.type)}")
            elif attr.HasField("default_value"):
                attrs[name] = attr.default_value
            else:
                raise BadNode(f"it lacks the attribute '{name}'")
        return attrs

    def _known(self, node: NodeDef) -> Mapping[str, OpDef.AttrDef]:
        definition = self.find(node.op)
        assert definition is not None  # unknown ops have been refused
        return {one.name: one for one in definition.attr}

    def signature(self, node: NodeDef, attrs: Mapping[str, AttrValue]) -> NodeDtypes:
        definition = self.find(node.op)
        assert definition is not None  # unknown ops have been refused
        return NodeDtypes(*(tuple(_dtypes(args, attrs)) for args in (definition.input_arg, definition.output_arg)))


def _field(kind: str) -> str:
    """The field of an `AttrValue` with a value of a kind such as `list(type)`."""
    names = {"string": "s", "int": "i", "float": "f", "bool": "b"}
    return "list" if kind.startswith("list(") else names.get(kind, kind)


def _kind(kind: str) -> str:
    if kind.startswith("list("):
        return f"a list of {kind[5:-1]}s"
    return f"an {kind}" if kind == "int" else f"a {kind}"


def _dtypes(args: Sequence[OpDef.ArgDef], attrs: Mapping[str, AttrValue]) -> list[int]:
    found: list[int] = []
    for arg in args:
        if arg.type_list_attr:
            own = list(attrs[arg.type_list_attr].list.type)
        else:
            count = attrs[arg.number_attr].i if arg.number_attr else 1
            if not 0 <= count <= 100_000:
                raise BadNode(f"'{arg.name}' cannot be {count} tensors")
            own = [attrs[arg.type_attr].type if arg.type_attr else arg.type] * count
        found += [one + _REFERENCE if arg.is_ref else one for one in own]
    if _UNTYPED in found:
        raise BadNode("a tensor of it has no dtype")
    return found


def base(dtype: int) -> int:
    """The dtype of the value of a reference, and of any other tensor."""
    return dtype - _REFERENCE if dtype > _REFERENCE else dtype


def is_reference(dtype: int) -> bool:
    return dtype > _REFERENCE


def dtype_name(dtype: int) -> str:
    """TensorFlow's name of a dtype, without `_ref`."""
    try:
        return tf.as_dtype(base(dtype)).name
    except TypeError:
        raise BadNode(f"{dtype} is no dtype") from None
