"""Lowers raw nodes such as `raw.Roll`: the attributes of the op, its inputs, and the op itself.

A node with a whole name (`as "scope/Roll"`) becomes exactly the node that it describes: with this name, the device of
the `device` block around it, and the control inputs of the `after` blocks around it. Other raw nodes get
their names, devices and control inputs from TensorFlow, like all nodes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from ..diagnostics import RAW_REACHES
from ..ops import raw
from ..ops.forbidden_ops import REACHING_BY, UNCLASSED
from ..program import Arg, Back, HostValue, Literal, Node, Ref, Refs, Static, outside_of
from ..types import ALL_DTYPES
from .built import NodeLowering
from .failures import failure
from .tf import AttrValue, NameAttrList, Operand, Operation, c_api, tf, v1

DTYPE_NUMBERS = {name: tf.as_dtype(name).as_datatype_enum for name in ALL_DTYPES}

WAITED_FOR = "_has_manual_control_dependencies"  # the attribute with which TensorFlow marks control inputs


class RawInput(NamedTuple):
    """An input with its tensors. It has one tensor if it is not a list."""

    argument: raw.RawArgument
    tensors: list[tf.Tensor]


# --- attributes ---------------------------------------------------------------------------


def attributes(
    op: raw.RawOp, node: Node, dtypes: Mapping[str, Sequence[int]], container: str = ""
) -> dict[str, AttrValue]:
    """The attributes of a node's op in a container. `dtypes` has the dtypes of each input, as TensorFlow's numbers."""
    found: dict[str, AttrValue] = {}
    for one in op.inputs:
        if one.count:
            found[op.attrs[one.count].registered] = AttrValue(i=len(dtypes[one.name]))
        if one.attr and op.attrs[one.attr].is_list:
            several: Any = dtypes[one.name]  # the stubs have a class for these numbers
            found[op.attrs[one.attr].registered] = AttrValue(list=AttrValue.ListValue(type=several))
        elif one.attr and dtypes[one.name]:
            single: Any = dtypes[one.name][0]  # the same
            found[op.attrs[one.attr].registered] = AttrValue(type=single)
    inputs = {one.name for one in op.inputs}
    for name, arg in node.args.items():
        if name in op.attrs:
            attr = op.attrs[name]
            found[attr.registered] = attribute(attr.kind, arg)
        elif name not in inputs:
            found[name] = free_attribute(arg)
    if container and "container" in op.attrs:
        found.setdefault("container", AttrValue(s=container.encode()))
    return found


def free_attribute(arg: Arg) -> AttrValue:
    """The value of an attribute that the op itself does not have. Its argument has the kind and the value."""
    match arg:
        case Static(value=(str(kind), value)):
            return attribute(kind, Static(value))
        case _:
            raise AssertionError(arg)


def attribute(kind: str, arg: Arg) -> AttrValue:
    """The value of an attribute of a kind, such as `list(int)`."""
    match arg:
        case Literal(value, dtype):
            return AttrValue(tensor=tf.make_tensor_proto(_plain(value), dtype))
        case Static(value=tuple(items)) if kind.startswith("list("):
            field, made = _FIELDS[kind.removeprefix("list(").removesuffix(")")]
            values: dict[str, _Value] = {field: list(map(made, items))}
            return AttrValue(list=AttrValue.ListValue(**values))
        case Static(value):
            field, made = _FIELDS[kind]
            single: dict[str, _Value] = {field: made(value)}
            return AttrValue(**single)
        case _:
            raise AssertionError(arg)


_Value: TypeAlias = Any  # of the language, or for a message: the kind of an attribute says of which type


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _shape(value: HostValue) -> object:
    return tf.TensorShape(_plain(value)).as_proto()


def _function(name: str) -> NameAttrList:
    return NameAttrList(name=name)


def _same(value: _Value) -> _Value:
    return value


_FIELDS: Mapping[str, tuple[str, Callable[[_Value], _Value]]] = {
    "string": ("s", _bytes), "int": ("i", _same), "float": ("f", _same), "bool": ("b", _same),
    "type": ("type", DTYPE_NUMBERS.__getitem__), "shape": ("shape", _shape), "func": ("func", _function),
}  # fmt: skip


def _plain(value: HostValue) -> Operand:
    return list(map(_plain, value)) if isinstance(value, tuple) else value


# --- ops ----------------------------------------------------------------------------------


def raw_node(lowering: NodeLowering, op: raw.RawOp, node: Node) -> Operand:
    """Add the op of a node: a tensor, a list of tensors, or the op itself if it has no outputs."""
    graph = v1.get_default_graph()
    what, instead = node.outside
    if what and (graph is not lowering.built.graph or op.tf in REACHING_BY or op.reaches == UNCLASSED):
        # The compiler has checked this for source text, but a program can also be loaded.
        raise failure(RAW_REACHES, node.origin, op=op.name, what=what, instead=instead)
    name = f"{node.name}/" if node.is_whole else node.name or op.tf
    if all(map(_makes_none, [node.args[one.name] for one in op.inputs])):
        inputs = _inputs(lowering, op, node)
    else:
        with v1.name_scope(name) as name:
            inputs = _inputs(lowering, op, node)
    dtypes = {one.name: [tensor.dtype.base_dtype.as_datatype_enum for tensor in given] for one, given in inputs}
    attrs = attributes(op, node, dtypes, graph._container or "")
    if node.is_whole and graph is lowering.built.graph:
        controls = dict.fromkeys(map(lowering.built.operation, lowering.built.program.controls(node)))
        made = exact_op(graph, op, node.given_name, inputs, attrs, list(controls))
    else:
        flat = [tensor for _, given in inputs for tensor in given]
        made = graph._create_op_internal(op.tf, flat, name=name, attrs=attrs)
    if outside_of(lowering.built.program, node)[0]:
        lowering.built.outside[made.name] = node
    if not made.outputs:
        return made
    is_single = len(op.outputs) == 1 and not op.outputs[0].is_list
    return made.outputs[0] if is_single else list(made.outputs)


def _inputs(lowering: NodeLowering, op: raw.RawOp, node: Node) -> list[RawInput]:
    """The inputs of a node. Inputs that are known at compile time become constants in the open name scope."""
    found: list[RawInput] = []
    for one in op.inputs:
        arg = node.args[one.name]
        items = arg.items if one.is_list and isinstance(arg, Refs) else (arg,)
        there = next((item for item in items if not isinstance(item, Back)), None)
        items = tuple(there if isinstance(item, Back) and there else item for item in items)  # see `close_loop`
        names = [f"{one.registered}_{at}" for at in range(len(items))] if one.is_list else [one.registered]
        tensors = [_tensor(lowering, one, item, name) for item, name in zip(items, names, strict=True)]
        found.append(RawInput(one, tensors))
    return found


def _tensor(lowering: NodeLowering, one: raw.RawArgument, arg: Arg, name: str) -> tf.Tensor:
    """An input. If the op takes a resource, a variable is passed as its handle."""
    value = lowering.argument(arg)
    if isinstance(value, tf.Variable):
        if one.is_reference:
            return value._ref()
        if one.dtype is not None and one.dtype.name == "resource":
            return value.handle
    return value if isinstance(value, tf.Tensor) else tf.convert_to_tensor(value, name=name)


def _makes_none(arg: Arg) -> bool:
    """Whether an input is already in the graph, so that it needs no new constant."""
    match arg:
        case Refs(items):
            return all(map(_makes_none, items))
        case _:
            return isinstance(arg, (Ref, Back))


def close_loop(lowering: NodeLowering, merge: Node, at: int, value: Ref) -> None:
    """Connect the input that comes back into a merge once its node is made. Until then, the first input replaces it."""
    made = lowering.built.value(Ref(merge.id))
    made.op._update_input(at, lowering.built.value(value))


def exact_op(
    graph: tf.Graph,
    op: raw.RawOp,
    name: str,
    inputs: list[RawInput],
    attrs: Mapping[str, AttrValue],
    controls: list[tf.Operation],
) -> Operation:
    """Add an op through TensorFlow's C interface, which adds it unchanged."""
    blocks = list(graph._device_function_stack.peek_objs())
    device = blocks[0].raw_string if len(blocks) == 1 else ""
    with graph._c_graph.get() as c_graph:
        description = c_api.TF_NewOperation(c_graph, op.tf, name)
    if device:
        c_api.TF_SetDevice(description, device)
    for one, given in inputs:
        if one.is_list:
            c_api.TF_AddInputList(description, [tensor._as_tf_output() for tensor in given])
        else:
            c_api.TF_AddInput(description, given[0]._as_tf_output())
    for control in controls:
        c_api.TF_AddControlInput(description, control._c_op)
    for attribute_name, value in attrs.items():
        c_api.TF_SetAttrValueProto(description, attribute_name, value.SerializeToString())
    made = Operation._from_c_op(c_api.TF_FinishOperation(description), graph)
    graph._record_op_seen_by_control_dependencies(made)
    if len(blocks) > 1:
        graph._apply_device_functions(made)
    return made
