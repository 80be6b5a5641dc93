"""Copies a node op by op from a similar node built before, instead of building it again.

A Python function of TensorFlow takes at least 150 microseconds per op. Most of this time it repeats its work for the
last op: find the op for these dtypes, convert the arguments, compute the attributes. The result depends only on the
node's op, its options and the types of its inputs. So the second node of a kind is built by that function in a separate
graph, and its ops become a template. This node and all later ones of the kind are added to the program's graph from the
template through TensorFlow's C interface. TensorFlow infers and checks their shapes there as usual.

TensorFlow's functions build all other nodes: those whose ops are stateful, call functions or register gradients, and
those that may look at values and not only at types.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..diagnostics import TfgError
from ..ops import OPS
from ..ops.op import Alike
from ..program import (
    APPLY,
    CARRIED,
    COND,
    OPTIMIZE,
    PLACEHOLDER,
    SHARED,
    SUMMARY,
    VARIABLE,
    WHILE,
    Arg,
    Graph,
    HostValue,
    Literal,
    Node,
    Pack,
    Ref,
    Refs,
    Static,
)
from ..record import Record
from .tf import AttrValue, Operand, Operation, ResourceVariable, TensorProto, VariableDef, c_api, op_def, tf, v1

_NAME = "NODE"  # the name of a node in a template
_NUMBERED = re.compile(r"(.+)_(\d+)")
_STATEFUL = frozenset(("ReadVariableOp", "VarHandleOp", "VarIsInitializedOp", "AssignVariableOp"))
# Nodes that are built in the same way for all values of tensors, and of numbers that become tensors.
_BY_TYPES = frozenset(op.name for op in OPS.values() if op.alike is Alike.BY_TYPES) | {VARIABLE}
_NEVER = frozenset(op.name for op in OPS.values() if op.alike is Alike.NEVER) | {
    PLACEHOLDER, SHARED, CARRIED, OPTIMIZE, APPLY, SUMMARY, WHILE, COND,
}  # fmt: skip
_DRAWN = frozenset(op.name for op in OPS.values() if op.alike is Alike.DRAWN)
_FIRST_VALUE = 37  # of a literal in a template: a value that TensorFlow functions do not use themselves


class _Type(NamedTuple):
    """The type of a tensor or variable of known rank. It is a tuple because it is part of keys, and tuples hash
    fast."""

    is_variable: bool
    dtype: tf.DType
    shape: tuple[int | None, ...]


class _Input(Record):
    """An input of a template: a tensor of the node's arguments, or the handle of a variable."""

    number: int


class _Made(Record):
    """An output of an op of the template, by their numbers."""

    op: int
    output: int


class _Variable(Record):
    """A variable of the template, by the numbers of its ops. `collections` has the graph collections that contain
    it."""

    handle: int
    initializer: int
    read: int
    initial: "_Source"
    trainable: bool
    collections: tuple[str, ...]


_Source = _Input | _Made


class _Named(Record):
    """An attribute whose text has the name of the op with this root: `loc:@w`."""

    attribute: str
    before: str
    root: int
    after: str
    is_list: bool


class _Step(Record):
    """One op. Its name is the root with the number `root` and then `suffix`, and it contains the literal with the
    number `value`, if any. An input is one source, or several for an op that takes a list."""

    type: str
    root: int
    suffix: str
    inputs: tuple[_Source | tuple[_Source, ...], ...]
    attributes: tuple[tuple[str, bytes], ...]
    named: tuple[_Named, ...]
    value: int | None


class _Template(Record):
    """The root names of a node's ops, the ops, what the node becomes, and the types of that."""

    roots: tuple[str, ...]
    steps: tuple[_Step, ...]
    results: tuple[_Source | _Variable, ...]
    types: tuple[_Type | None, ...]


class _NoTemplate(Exception):
    """The types of a node of this kind do not determine its ops."""


class _Built(Protocol):
    """The graph, what its nodes became, and the program's graph."""

    graph: tf.Graph
    values: MutableMapping[int, tuple[Operand, ...]]
    program: Graph


class OpCache:
    """The templates of one graph. `alone(node, values)` builds a node into the default graph, a separate one, and
    returns what it becomes. `values` has the stand-ins for its inputs, by reference."""

    def __init__(self, built: _Built, alone: Callable):
        self._built, self._alone = built, alone
        self._graph: tf.Graph = built.graph
        self._templates: dict[object, _Template | None] = {}
        self._once: set[object] = set()  # kinds with one node so far
        self._types: dict[tuple[int, int], _Type | None] = {}  # by node and output
        self._constant: set[int] = set()  # nodes computed from constants alone
        self._free: set[int] = set()  # nodes computed without variables

    def build(self, node: Node, is_plain: bool) -> tuple | None:
        """What a node becomes if it is similar to an earlier one, else None. TensorFlow must accept its name. A plain
        node is in the graph itself and only in name scopes."""
        refs = list(node.inputs())
        inputs = {ref.node for ref in refs}
        self._note(node, inputs)
        if not is_plain or node.op in _NEVER or node.op in _DRAWN or node.function or node.is_reference_variable:
            return None
        if node.is_variable:
            if not inputs <= self._free:  # TensorFlow guards the initial value of a variable that depends on another
                return None
        elif node.op not in _BY_TYPES and not inputs.isdisjoint(self._constant):
            return None
        literals: list[Literal] = []
        try:
            key = self._key(node, literals)
            if key not in self._templates:
                self._templates[key] = None
                self._once.add(key)
                return None
            if key in self._once:
                self._once.discard(key)
                self._templates[key] = self._recorded(node, refs)
        except _NoTemplate:
            return None
        template = self._templates[key]
        if template is None:
            return None
        if node.op in _BY_TYPES:
            self._types.update(((node.id, output), type) for output, type in enumerate(template.types))
        return self._copied(template, node, refs, literals)

    def _note(self, node: Node, inputs: set[int]) -> None:
        """Record what later nodes need to know about a node."""
        if node.op in _NEVER or node.is_variable:
            return
        if inputs <= self._free:
            self._free.add(node.id)
        if inputs <= self._constant and node.op not in _DRAWN:
            self._constant.add(node.id)

    # --- kinds ----------------------------------------------------------------------------

    def _key(self, node: Node, literals: list[Literal]) -> tuple:
        """The key of a node's kind. Appends the literals that may differ to `literals`."""
        refs = list(node.inputs())
        same = tuple(map(refs.index, refs))  # x * x is built differently from x * y
        parts: list[object] = [node.op, bool(node.name), node.default, same]
        kinds = _kinds(node.op)
        for name, arg in node.args.items():
            parts.append(name)
            if type(arg) is Literal and kinds.get(name) == "tensor":
                shape = _open_shape(arg)
                if shape is not None:
                    literals.append(arg)
                    parts += (arg.dtype, shape)
                    continue
            self._add_to_key(arg, node.op, parts)
        return tuple(parts)

    def _add_to_key(self, arg: Arg, op: str, parts: list[object]) -> None:
        match arg:
            case Ref():
                value = self._built.values[arg.node][arg.output]
                if isinstance(value, tf.Variable) and not self._built.program.nodes[arg.node].is_variable:
                    raise _NoTemplate  # the result of a write is read after the write
                kind = self._type(arg)
                if kind is None or (op not in _BY_TYPES and kind.dtype is not tf.float32 and len(kind.shape) < 2):
                    raise _NoTemplate  # integers are often sizes and axes
                parts.append(kind)
            case Literal() | Static():
                parts += (type(arg), repr(arg))
            case Pack(items) | Refs(items):
                parts += (type(arg), len(items))
                for item in items:
                    self._add_to_key(item, op, parts)
            case _:
                raise _NoTemplate

    def _type(self, ref: Ref) -> _Type | None:
        key = ref.node, ref.output
        if key not in self._types:
            self._types[key] = _type(self._built.values[ref.node][ref.output])
        return self._types[key]

    # --- recording ------------------------------------------------------------------------

    def _recorded(self, node: Node, refs: list[Ref]) -> _Template:
        """The template of a node's kind. Raises `_NoTemplate` if there is none."""
        kinds, args = _kinds(node.op), dict(node.args)
        values: list[np.ndarray] = []
        for name, arg in args.items():
            if not isinstance(arg, Literal) or kinds.get(name) != "tensor":
                continue
            shape = _open_shape(arg)
            if shape is not None:
                value = np.full(shape, _FIRST_VALUE + len(values), tf.as_dtype(arg.dtype).as_numpy_dtype)
                values.append(value)
                args[name] = Literal(_frozen(value.tolist()), arg.dtype)
        with tf.Graph().as_default() as graph:
            stand_ins = [_stand_in(self._type(ref)) for ref in refs]
            before, taken = len(graph.get_operations()), set(graph._names_in_use)
            collections = {name: len(graph.get_collection(name)) for name in graph.get_all_collection_keys()}
            name = _NAME if node.name else None
            try:
                made = self._alone(replace(node, args=args, name=name), dict(zip(refs, stand_ins, strict=True)))
            except TfgError:  # TensorFlow looked at a value; it will report an error in the real graph
                raise _NoTemplate from None
            new = {name for name in graph.get_all_collection_keys()
                   if len(graph.get_collection(name)) > collections.get(name, 0)}  # fmt: skip
            if not _is_inferred(graph):
                raise _NoTemplate
            asked = {name: count for name, count in graph._names_in_use.items() if name not in taken}
            return _Recording(graph.get_operations()[before:], stand_ins, values, asked).template(made, new)

    # --- copying --------------------------------------------------------------------------

    def _copied(self, template: _Template, node: Node, refs: list[Ref], literals: list[Literal]) -> tuple:
        graph = self._graph
        inputs = []
        for ref in refs:
            value = self._built.values[ref.node][ref.output]
            inputs.append(value.handle if isinstance(value, tf.Variable) else value)
        name = node.name or ""
        roots = [graph.unique_name(root.replace(_NAME, name) if name else root) for root in template.roots]
        operations: list[Operation] = []

        def source(one: _Source) -> tf.Tensor:
            return inputs[one.number] if isinstance(one, _Input) else operations[one.op].outputs[one.output]

        with graph._c_graph.get() as c_graph:
            for step in template.steps:
                name = roots[step.root]
                if step.suffix:
                    name += step.suffix
                    graph._names_in_use[name.lower()] = 1
                description = c_api.TF_NewOperation(c_graph, step.type, name)
                for one in step.inputs:
                    if isinstance(one, tuple):
                        c_api.TF_AddInputList(description, [source(item)._as_tf_output() for item in one])
                    else:
                        c_api.TF_AddInput(description, source(one)._as_tf_output())
                for attribute, value in step.attributes:
                    c_api.TF_SetAttrValueProto(description, attribute, value)
                for named in step.named:
                    text = f"{named.before}{roots[named.root]}{named.after}".encode()
                    value = AttrValue(list=AttrValue.ListValue(s=[text])) if named.is_list else AttrValue(s=text)
                    c_api.TF_SetAttrValueProto(description, named.attribute, value.SerializeToString())
                if step.value is not None:
                    c_api.TF_SetAttrValueProto(description, "value", _attribute(literals[step.value]))
                operations.append(Operation._from_c_op(c_api.TF_FinishOperation(description), graph))

        def result(one: _Source | _Variable):
            if not isinstance(one, _Variable):
                return source(one)
            definition = VariableDef(
                variable_name=operations[one.handle].outputs[0].name, is_resource=True, trainable=one.trainable,
                initializer_name=operations[one.initializer].name, initial_value_name=source(one.initial).name,
                snapshot_name=operations[one.read].outputs[0].name,
            )  # fmt: skip
            variable = ResourceVariable.from_proto(definition)
            graph.add_to_collections(one.collections, variable)
            return variable

        return tuple(map(result, template.results))


def _type(value: object) -> _Type | None:
    """The type of a tensor or variable, or None if the rank is unknown."""
    if not isinstance(value, (tf.Tensor, tf.Variable)) or value.shape.rank is None:
        return None
    if value.dtype._is_ref_dtype:  # a template could not tell its reads
        return None
    return _Type(isinstance(value, tf.Variable), value.dtype.base_dtype, tuple(value.shape.as_list()))


def _is_inferred(graph: tf.Graph) -> bool:
    """Whether TensorFlow infers all shapes of a graph. Some of its functions set shapes that it does not infer."""
    with tf.Graph().as_default() as again:
        v1.import_graph_def(graph.as_graph_def(), name="")
    made = [(tensor, again.get_tensor_by_name(tensor.name)) for op in graph.get_operations() for tensor in op.outputs]
    return all(str(tensor.shape) == str(inferred.shape) for tensor, inferred in made)


def _kinds(op: str) -> dict[str, str]:
    """The parameters of an op whose literals may differ between similar nodes."""
    if op == VARIABLE:
        return {"initial": "tensor"}
    return {param.name: param.kind for param in OPS[op].params} if op in _BY_TYPES else {}


def _open_shape(literal: Literal) -> tuple[int, ...] | None:
    """The shape of a literal that may have any value, or None if its value matters."""
    if literal.dtype in ("bool", "string"):
        return None
    if not isinstance(literal.value, tuple):
        return ()
    shape = np.asarray(literal.value).shape
    return None if 0 in shape else shape


def _frozen(value: Any) -> HostValue:  # numbers in lists, as NumPy gives them
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _stand_in(type: _Type | None) -> Operand:
    """What stands for an input of a node in the separate graph."""
    if type is None:
        raise _NoTemplate
    if type.is_variable:
        initial = tf.zeros(type.shape, type.dtype)
        return v1.Variable(initial, use_resource=True, trainable=False, name="stand_in")
    return v1.placeholder(type.dtype, type.shape, "stand_in")


_FIELDS = {  # of a `TensorProto`: the number of the dtype, and the field of the values
    "float32": (tf.float32.as_datatype_enum, "float_val"), "float64": (tf.float64.as_datatype_enum, "double_val"),
    "int32": (tf.int32.as_datatype_enum, "int_val"), "int64": (tf.int64.as_datatype_enum, "int64_val"),
}  # fmt: skip


def _attribute(literal: Literal) -> bytes:
    """A literal as the attribute of a Const."""
    if literal.dtype in _FIELDS and not isinstance(literal.value, tuple):
        dtype, values = _FIELDS[literal.dtype]
        fields: dict[str, Any] = {values: [literal.value], "tensor_shape": {}}  # of different types
        tensor = TensorProto(dtype=dtype, **fields)
    else:
        tensor = tf.make_tensor_proto(np.asarray(literal.value, tf.as_dtype(literal.dtype).as_numpy_dtype))
    return AttrValue(tensor=tensor).SerializeToString()


class _Recording:
    """The ops of one node."""

    def __init__(
        self, operations: list[tf.Operation], stand_ins: list, values: list[np.ndarray], asked: Mapping[str, int]
    ):
        self._operations, self._values, self._asked = operations, values, asked
        self._number = {operation.name: number for number, operation in enumerate(operations)}
        self._stand_ins = {}
        for number, one in enumerate(stand_ins):
            self._stand_ins.setdefault((one.handle if isinstance(one, tf.Variable) else one).name, number)
        self._roots = self._found_roots()
        self._held: set[int] = set()  # literals found in an op

    def template(self, made: tuple, collections: set[str]) -> _Template:
        steps = tuple(map(self._step, self._operations))
        if len(self._held) < len(self._values):
            raise _NoTemplate
        results = tuple(self._result(one, tuple(sorted(collections))) for one in made)
        if collections and not any(type(one) is _Variable for one in results):
            raise _NoTemplate
        bases = [base for _, base in sorted(self._roots.values())]
        return _Template((*bases, *self._empty(bases)), steps, results, tuple(map(_type, made)))

    def _empty(self, bases: list[str]) -> Iterator[str]:
        """The names that were requested but have no op."""
        counts = Counter(base.lower() for base in bases)
        for name, count in self._asked.items():
            numbered = _NUMBERED.fullmatch(name)
            if "/" in name or (numbered and numbered[1] in self._asked):
                continue
            if name not in counts:
                yield from [name] * count
            elif count != counts[name]:
                raise _NoTemplate

    def _found_roots(self) -> dict[str, tuple[int, str]]:
        """The first part of each name: its number, and the name requested before it was made unique."""
        names = list(dict.fromkeys(operation.name.partition("/")[0] for operation in self._operations))
        bases = {}
        for name in names:
            numbered = _NUMBERED.fullmatch(name)
            bases[name] = numbered[1] if numbered and numbered[1] in names else name
        names.sort(key=lambda name: names.index(bases[name]) if bases[name] in names else 0)  # in the order of requests
        return {name: (number, bases[name]) for number, name in enumerate(names)}

    def _source(self, tensor: tf.Tensor) -> _Source:
        if tensor.name in self._stand_ins:
            return _Input(self._stand_ins[tensor.name])
        if tensor.op.name not in self._number:
            raise _NoTemplate
        return _Made(self._number[tensor.op.name], tensor.value_index)

    def _step(self, operation: tf.Operation) -> _Step:
        definition = operation.node_def
        known = op_def(operation.type)
        assert known is not None, operation.type
        if (known.is_stateful and operation.type not in _STATEFUL) or operation.control_inputs:
            raise _NoTemplate
        if operation._gradient_function is not None or definition.device:
            raise _NoTemplate
        sources = iter([self._source(tensor) for tensor in operation.inputs])
        inputs: list[_Source | tuple[_Source, ...]] = []
        inferred = set()
        for argument in known.input_arg:
            inferred |= {argument.type_attr, argument.number_attr, argument.type_list_attr}
            if argument.number_attr:
                inputs.append(tuple(next(sources) for _ in range(definition.attr[argument.number_attr].i)))
            elif argument.type_list_attr:
                count = len(definition.attr[argument.type_list_attr].list.type)
                inputs.append(tuple(next(sources) for _ in range(count)))
            else:
                inputs.append(next(sources))
        defaults = {attr.name: attr.default_value for attr in known.attr if attr.HasField("default_value")}
        attributes, named, value = [], [], None
        for name, attribute in definition.attr.items():
            if name in inferred or (name in defaults and defaults[name] == attribute):
                continue
            if attribute.HasField("func") or attribute.list.func or (name[0] == "_" and name != "_class"):
                raise _NoTemplate
            text = attribute.s or (attribute.list.s[0] if len(attribute.list.s) == 1 else b"")
            if name in ("shared_name", "debug_name", "_class"):
                named.append(self._named(name, text.decode(), not attribute.s))
            elif name == "value" and operation.type == "Const" and (value := self._literal(attribute)) is not None:
                self._held.add(value)
            else:
                attributes.append((name, attribute.SerializeToString()))
        root, slash, rest = operation.name.partition("/")
        if _NAME in rest:
            raise _NoTemplate
        number = self._roots[root][0]
        return _Step(operation.type, number, slash + rest, tuple(inputs), tuple(attributes), tuple(named), value)

    def _named(self, attribute: str, text: str, is_list: bool) -> _Named:
        before = "loc:@" if text.startswith("loc:@") else ""
        name = text.removeprefix(before)
        root = name.removesuffix("/")
        if root not in self._roots:
            raise _NoTemplate
        return _Named(attribute, before, self._roots[root][0], name.removeprefix(root), is_list)

    def _literal(self, attribute: AttrValue) -> int | None:
        """The number of the literal in a Const."""
        held = tf.make_ndarray(attribute.tensor)
        for number, value in enumerate(self._values):
            if held.dtype == value.dtype and np.array_equal(held, value):
                if number in self._held:
                    raise _NoTemplate
                return number
        return None

    def _result(self, one: object, collections: tuple[str, ...]) -> _Source | _Variable:
        match one:
            case tf.Variable() if one.op.name in self._number:
                handle, initializer, read = (
                    self._number[op.name] for op in (one.op, one.initializer, one._graph_element.op)
                )
                initial = self._source(one.initial_value)
                return _Variable(handle, initializer, read, initial, one.trainable, collections)
            case tf.Tensor():
                return self._source(one)
        raise _NoTemplate
