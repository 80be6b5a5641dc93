"""The dtypes of the inputs and outputs of nodes, from the definitions of their ops."""

from collections.abc import Mapping, Sequence
from math import prod

from ..analysis.graph.statements import DEVICE
from ..limits import MAX_AXES
from ..lowering.tf import (
    AttrValue,
    DataType,
    FunctionDefLibrary,
    NodeDef,
    OpDef,
    TensorProto,
    TensorShapeProto,
    op_def,
    tf,
    v1,
)
from ..record import Record

MAX_FILE = 100_000_000  # the most bytes of a graph, and the most elements of a constant
_UNTYPED = 0  # DT_INVALID
_REFERENCE = 100  # the dtype of a reference is the dtype of its value plus this number


class BadNode(Exception):
    """Raised for a node that does not fit the definition of its op."""


class NodeDtypes(Record):
    """The dtypes of the inputs and outputs of one node, as TensorFlow's numbers."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class OpDefs:
    """The definitions of the ops that a graph can use: TensorFlow's ops, and the functions of the graph."""

    def __init__(self, library: FunctionDefLibrary):
        self._own: Mapping[str, OpDef] = {one.signature.name: one.signature for one in library.function}
        gradients = {one.gradient_func for one in library.gradient}
        self.functions: frozenset[str] = frozenset(self._own) | gradients

    def find(self, op: str) -> OpDef | None:
        return self._own.get(op) or op_def(op)

    def unknown(self, nodes: Sequence[NodeDef], library: FunctionDefLibrary) -> list[str]:
        """The undefined ops of these nodes and of the functions."""
        used = {node.op for node in nodes} | {node.op for one in library.function for node in one.node_def}
        return sorted(op for op in used if self.find(op) is None)

    def filled(self, node: NodeDef, producer: Mapping[str, OpDef]) -> dict[str, AttrValue]:
        """The attributes of a node, with defaults for attributes that the file leaves out.

        `producer` has the ops of the TensorFlow that wrote the file. An attribute that this TensorFlow does not know is
        left out if it has the default from there.
        """
        if node.device and DEVICE.fullmatch(node.device) is None:
            raise BadNode(f"'{node.device[:100]}' is not a device")
        known = self._known(node)
        attrs = {name: value for name, value in node.attr.items() if name != "_output_shapes"}
        for name in [one for one in attrs if one not in known and not one.startswith("_")]:
            defaults = {one.name: one.default_value for one in producer[node.op].attr} if node.op in producer else {}
            if attrs[name] != defaults.get(name):
                raise BadNode(f"it has no attribute '{name}'")
            del attrs[name]
        for name, attr in known.items():
            if name in attrs:
                if attrs[name].WhichOneof("value") != _field(attr.type) or not _is_valid(attrs[name]):
                    raise BadNode(f"its attribute '{name}' is not {_kind(attr.type)}")
            elif attr.HasField("default_value"):
                attrs[name] = attr.default_value
            else:
                raise BadNode(f"it lacks the attribute '{name}'")
        if node.op == "Const" and attrs["value"].tensor.dtype != attrs["dtype"].type:
            raise BadNode("its value has another dtype")
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
    """The field of an `AttrValue` that has the value for a kind such as `list(type)`."""
    names = {"string": "s", "int": "i", "float": "f", "bool": "b"}
    return "list" if kind.startswith("list(") else names.get(kind, kind)


def _kind(kind: str) -> str:
    if kind.startswith("list("):
        return f"a list of {kind[5:-1]}s"
    return f"an {kind}" if kind == "int" else f"a {kind}"


def _is_valid(value: AttrValue) -> bool:
    """Whether the dtypes, shapes and tensors of an attribute are valid."""
    if value.WhichOneof("value") == "tensor":
        return _is_tensor(value.tensor)
    dtypes = [value.type] if value.WhichOneof("value") == "type" else value.list.type
    shapes = [value.shape] if value.WhichOneof("value") == "shape" else value.list.shape
    return all(map(_is_dtype, dtypes)) and all(map(_is_shape, shapes))


def _is_tensor(tensor: TensorProto) -> bool:
    """Whether a tensor can be read. A file can give one number for all elements, so a tensor that is small in the file
    but too large for the memory is refused."""
    if not _is_dtype(tensor.dtype) or not _is_shape(tensor.tensor_shape):
        return False
    if (
        any(one.size < 0 for one in tensor.tensor_shape.dim)
        or prod(one.size for one in tensor.tensor_shape.dim) > MAX_FILE
    ):
        return False
    try:
        return v1.make_ndarray(tensor) is not None
    except (TypeError, ValueError):
        return False


def _is_dtype(number: int) -> bool:
    return number != _UNTYPED and not is_reference(number) and number in DataType.values()


def _is_shape(shape: TensorShapeProto) -> bool:
    sizes = [one.size for one in shape.dim]
    return len(sizes) <= MAX_AXES and min(sizes, default=0) >= -1 and prod(one for one in sizes if one > 0) < 2**62


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
        raise BadNode("one of its tensors has no dtype")
    return found


def base(dtype: int) -> int:
    """The dtype itself, or for a reference the dtype of its value."""
    return dtype - _REFERENCE if dtype > _REFERENCE else dtype


def is_reference(dtype: int) -> bool:
    return dtype > _REFERENCE


def dtype_name(dtype: int) -> str:
    """TensorFlow's name of a dtype, without `_ref`."""
    try:
        return tf.as_dtype(base(dtype)).name
    except TypeError:
        raise BadNode(f"{dtype} is not a dtype") from None


def count_of(arg: OpDef.ArgDef, attrs: Mapping[str, AttrValue]) -> int | None:
    """The number of tensors in an argument that is a list, or None if it is not a list."""
    if arg.number_attr:
        return attrs[arg.number_attr].i
    return len(attrs[arg.type_list_attr].list.type) if arg.type_list_attr else None


def inferred(definition: OpDef, attrs: Mapping[str, AttrValue]) -> set[str]:
    """The attributes that follow from the inputs of a node. Nothing follows from an empty list."""
    found: set[str] = set()
    for arg in definition.input_arg:
        if count_of(arg, attrs) != 0:
            found |= {arg.type_attr, arg.number_attr, arg.type_list_attr} - {""}
    return found
