"""The beginning of a graph: the version of its ops, and the functions that its ops call."""

from collections.abc import Iterable, Iterator, Mapping
from typing import assert_never

from ..ops.raw import RawOp
from ..program import Arg, Enter, Exit, Graph, GraphFunction, Literal, Node, Ref, Refs
from .raw_nodes import DTYPE_NUMBERS, attribute, attributes, free_attribute
from .tf import AttrValue, FunctionDef, NodeDef, op_def, tf, v1


def begin(graph: tf.Graph, program: Graph) -> None:
    """Give an empty graph its version and its functions."""
    if program.version is None and not program.functions:
        return
    definition = v1.GraphDef()
    newest = graph.graph_def_versions.producer
    definition.versions.producer = newest if program.version is None else program.version
    made: dict[str, FunctionDef] = {}
    for function in program.functions:
        made[function.name] = definition.library.function.add()
        _Body(function, made).write(made[function.name])
    v1.import_graph_def(definition, name="")


class _Body:
    """The definition of one function. `known` has the definitions of earlier functions, by name."""

    def __init__(self, function: GraphFunction, known: Mapping[str, FunctionDef]):
        self._function, self._known = function, known
        self._nodes = function.body.nodes
        self._names: dict[int, str] = {one.node: one.name for one in function.inputs}
        whole = (item.given_name for item in function.body.items if isinstance(item, Node) and item.is_whole)
        self._taken = {*self._names.values(), *whole}
        self._defined: dict[int, NodeDef] = {}

    def write(self, result: FunctionDef) -> None:
        function, signature = self._function, result.signature
        signature.name = function.name
        for at, one in enumerate(function.inputs):
            dtype = self._nodes[one.node].outputs[0].dtype
            signature.input_arg.add(name=one.name, type=DTYPE_NUMBERS[dtype.name])
            for name, value in one.attributes.items():
                result.arg_attr[at].attr[name].CopyFrom(free_attribute(value))
        for name, value in function.attributes.items():
            result.attr[name].CopyFrom(free_attribute(value))
        around: list[Enter] = []
        for item in function.body.items:
            match item:
                case Enter():
                    around.append(item)
                case Exit():
                    around.pop()
                case Node():
                    if not item.is_carried:
                        result.node_def.extend(self._node(item, around))
                case _:
                    assert_never(item)
        for name, ref in function.outputs.items():
            dtype = self._nodes[ref.node].outputs[ref.output].dtype
            signature.output_arg.add(name=name, type=DTYPE_NUMBERS[dtype.name])
            result.ret[name] = self._source(ref)
        for name, ref in function.controls.items():
            signature.control_output.append(name)
            result.control_ret[name] = self._names[ref.node]
        signature.is_stateful = any(self._is_stateful(node) for node in result.node_def)

    def _is_stateful(self, node: NodeDef) -> bool:
        """Whether a node has state, or calls a function that has."""
        definition = op_def(node.op)
        values = node.attr.values()
        called = [one.func.name for one in values] + [one.name for value in values for one in value.list.func]
        inner = [self._known[name] for name in called if name in self._known]
        return (definition is not None and definition.is_stateful) or any(one.signature.is_stateful for one in inner)

    def _node(self, node: Node, around: Iterable[Enter]) -> Iterator[NodeDef]:
        """The definition of a node, after the constants for the inputs that are known at compile time. `around` has the
        open scopes."""
        op = node.raw_op
        assert op is not None, node.op  # the check refuses other ops
        scopes = () if node.is_whole else _names(around, "scope")
        name = self._unique("/".join((*scopes, node.name or op.tf)), node.is_whole)
        device, containers = _merged(_names(around, "device")), _names(around, "container")
        made = NodeDef(name=name, op=op.tf, device=device)
        dtypes: dict[str, list[int]] = {}
        for one in op.inputs:
            arg = node.args[one.name]
            items = arg.items if one.is_list and isinstance(arg, Refs) else (arg,)
            dtypes[one.name] = []
            for at, item in enumerate(items):
                constant = f"{name}/{one.registered}" + (f"_{at}" if one.is_list else "")
                if isinstance(item, Literal):
                    yield self._constant(constant, item, device)
                    made.input.append(f"{constant}:output:0")
                else:
                    made.input.append(self._source(_ref(item)))
                dtypes[one.name].append(DTYPE_NUMBERS[self._dtype(item)])
        for ref in dict.fromkeys(self._function.body.controls(node)):
            made.input.append(f"^{self._names[ref.node]}")
        for attr, value in attributes(op, node, dtypes, *containers[-1:]).items():
            made.attr[attr].CopyFrom(value)
        self._names[node.id] = name
        self._defined[node.id] = made
        yield made

    def _unique(self, name: str, is_whole: bool) -> str:
        made, number = name, 0
        while made in self._taken and not is_whole:
            number += 1
            made = f"{name}_{number}"
        self._taken.add(made)
        return made

    def _constant(self, name: str, literal: Literal, device: str) -> NodeDef:
        dtype = AttrValue()
        dtype.type = DTYPE_NUMBERS[literal.dtype]
        attrs = {"dtype": dtype, "value": attribute("tensor", literal)}
        return NodeDef(name=name, op="Const", device=device, attr=attrs)

    def _dtype(self, arg: Arg) -> str:
        if isinstance(arg, Literal):
            return arg.dtype
        ref = _ref(arg)
        return self._nodes[ref.node].outputs[ref.output].dtype.name

    def _source(self, ref: Ref) -> str:
        """The name of an output in the body of a function: `x` for an input, `y:output:0` for an output of a node."""
        name = self._names[ref.node]
        if self._nodes[ref.node].is_carried:
            return name
        op = self._nodes[ref.node].raw_op
        assert op is not None
        output = ref.output
        for argument, count in zip(op.outputs, self._counts(op, self._defined[ref.node]), strict=True):
            if output < count:
                return f"{name}:{argument.registered}:{output}"
            output -= count
        raise AssertionError(ref)

    def _counts(self, op: RawOp, definition: NodeDef) -> Iterator[int]:
        """The number of tensors in each output of an op."""
        for one in op.outputs:
            if one.count:
                attr = op.attrs[one.count]
                given = definition.attr[attr.registered].i if attr.registered in definition.attr else attr.default
                yield given if isinstance(given, int) else 0
            elif one.is_list:
                yield len(definition.attr[op.attrs[one.attr].registered].list.type)
            else:
                yield 1


def _names(around: Iterable[Enter], kind: str) -> list[str]:
    """The names of the open scopes of a kind, from the outermost."""
    return [one.name for one in around if one.kind == kind]


def _merged(devices: list[str]) -> str:
    """The device inside nested `device` blocks. An inner block completes or overrides the blocks around it."""
    if len(devices) < 2:
        return "".join(devices)
    made = tf.DeviceSpec()
    for one in devices:
        made = made.make_merged_spec(tf.DeviceSpec.from_string(one))
    return made.to_string()


def _ref(arg: Arg) -> Ref:
    assert isinstance(arg, Ref), arg  # nothing else can be in the body of a function
    return arg
