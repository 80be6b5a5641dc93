"""Nodes that are like one built before are copied from it, op by op, instead of being built again.

A Python function of TensorFlow takes 150 microseconds and more for an op, most of it to find out again what it
found out for the last one: which op it is for these dtypes, what has to be converted, what the attributes are. What it
makes depends on nothing but the node's op, its options and the types of its inputs. So the second node of a kind is
built by that function in a graph of its own, and the ops found there are the template by which it, and all that
follow, are added to the program's graph through TensorFlow's C interface. TensorFlow infers their shapes and checks
them there as everywhere.

Left to TensorFlow's functions is every node of which that may not be true: those whose ops are stateful, call
functions or register gradients of their own, and those that may look at values and not only at types.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..diagnostics import TfgError
from ..ops import OPS
from ..ops.op import Alike
from ..program import (
    CARRIED,
    COND,
    OPTIMIZE,
    PLACEHOLDER,
    SHARED,
    SUMMARY,
    VARIABLE,
    WHILE,
    Arg,
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

_NAME = "NODE"  # what a node is called in a template
_NUMBERED = re.compile(r"(.+)_(\d+)")
_STATEFUL = frozenset(("ReadVariableOp", "VarHandleOp", "VarIsInitializedOp", "AssignVariableOp"))  # and yet alike
# Nodes that are built alike for all values of tensors, and of numbers that become tensors.
_BY_TYPES = frozenset(op.name for op in OPS.values() if op.alike is Alike.BY_TYPES) | {VARIABLE}
_NEVER = frozenset(op.name for op in OPS.values() if op.alike is Alike.NEVER) | {
    PLACEHOLDER, SHARED, CARRIED, OPTIMIZE, SUMMARY, WHILE, COND,
}  # fmt: skip
_DRAWN = frozenset(op.name for op in OPS.values() if op.alike is Alike.DRAWN)
_FIRST_VALUE = 37  # of a literal in a template: one that TensorFlow's functions do not put there themselves


class _Type(NamedTuple):
    """The type of a tensor or variable, of a known rank. It is part of keys, and a tuple is hashed fast."""

    is_variable: bool
    dtype: tf.DType
    shape: tuple[int | None, ...]


class _Input(Record):
    """What a template takes from the graph: a tensor of the node's arguments, or the handle of a variable."""

    number: int


class _Made(Record):
    """An output of an op of the template, by their numbers."""

    op: int
    output: int


class _Variable(Record):
    """A variable of the template, by the numbers of its ops; `collections` are those that it is in."""

    handle: int
    initializer: int
    read: int
    initial: "_Source"
    trainable: bool
    collections: tuple[str, ...]


_Source = _Input | _Made


class _Named(Record):
    """An attribute whose text has the name of an op, that with this root: `loc:@w`."""

    attribute: str
    before: str
    root: int
    after: str
    is_list: bool


class _Step(Record):
    """One op: it stands under the name with the number `root`, `suffix` follows it, and it holds the literal with the
    number `value`, if any. An input is one source or, for an op that takes a list, several."""

    type: str
    root: int
    suffix: str
    inputs: tuple[_Source | tuple[_Source, ...], ...]
    attributes: tuple[tuple[str, bytes], ...]
    named: tuple[_Named, ...]
    value: int | None


class _Template(Record):
    """The names that a node's ops stand under, the ops, what the node becomes, and of which types that is."""

    roots: tuple[str, ...]
    steps: tuple[_Step, ...]
    results: tuple[_Source | _Variable, ...]
    types: tuple[_Type | None, ...]


class _NoTemplate(Exception):
    """A node of this kind is not built by its types alone."""


class OpCache:
    """The templates of one graph. `alone(node, values)` builds a node into a graph of its own, which is open, and
    returns what it becomes; `values` has what stands for the outputs that it is made from, by their references."""

    def __init__(self, built, alone: Callable):
        self._built, self._alone = built, alone
        self._graph: tf.Graph = built.graph
        self._templates: dict[object, _Template | None] = {}
        self._once: set[object] = set()  # kinds of which there was one node so far
        self._types: dict[tuple[int, int], _Type | None] = {}  # by node and output
        self._constant: set[int] = set()  # nodes that are made of constants alone, and
        self._free: set[int] = set()  # those that no variable is needed for

    def build(self, node: Node, is_plain: bool) -> tuple | None:
        """What a node becomes, where it is like one before it. Its name is one that TensorFlow takes; a plain one
        stands in the graph itself, and in no scope but those that name."""
        refs = list(node.inputs())
        inputs = {ref.node for ref in refs}
        self._note(node, inputs)
        if not is_plain or node.op in _NEVER or node.op in _DRAWN or node.function:
            return None
        if node.is_variable:
            if not inputs <= self._free:  # TensorFlow guards what another variable's value goes into
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
        """Remember of a node what those that are made from it have to know."""
        if node.op in _NEVER or node.is_variable:
            return
        if inputs <= self._free:
            self._free.add(node.id)
        if inputs <= self._constant and node.op not in _DRAWN:
            self._constant.add(node.id)

    # --- kinds ----------------------------------------------------------------------------

    def _key(self, node: Node, literals: list[Literal]) -> tuple:
        """What nodes have in common that are built alike; adds the literals that may differ."""
        refs = list(node.inputs())
        same = tuple(map(refs.index, refs))  # x * x is not built as x * y is
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
                    raise _NoTemplate  # a variable as a write leaves it is read after the write
                kind = self._type(arg)
                if kind is None or (op not in _BY_TYPES and kind.dtype is not tf.float32 and len(kind.shape) < 2):
                    raise _NoTemplate  # whole numbers are often sizes and axes
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
        """The template of a node's kind; `_NoTemplate` where it cannot have one."""
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
            except TfgError:  # TensorFlow has looked at a value: it will say what is wrong, if something is
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
    """The type of a tensor or variable; that of one whose rank is unknown is not known."""
    if not isinstance(value, (tf.Tensor, tf.Variable)) or value.shape.rank is None:
        return None
    return _Type(isinstance(value, tf.Variable), value.dtype.base_dtype, tuple(value.shape.as_list()))


def _is_inferred(graph: tf.Graph) -> bool:
    """Whether all shapes of a graph are those that TensorFlow infers: some of its functions know more and say it."""
    with tf.Graph().as_default() as again:
        v1.import_graph_def(graph.as_graph_def(), name="")
    made = [(tensor, again.get_tensor_by_name(tensor.name)) for op in graph.get_operations() for tensor in op.outputs]
    return all(str(tensor.shape) == str(inferred.shape) for tensor, inferred in made)


def _kinds(op: str) -> dict[str, str]:
    """The parameters of an op whose literals may differ between nodes that are built alike."""
    if op == VARIABLE:
        return {"initial": "tensor"}
    return {param.name: param.kind for param in OPS[op].params} if op in _BY_TYPES else {}


def _open_shape(literal: Literal) -> tuple[int, ...] | None:
    """The shape of a literal that may have any value; None where the value counts."""
    if literal.dtype in ("bool", "string"):
        return None
    if not isinstance(literal.value, tuple):
        return ()
    shape = np.asarray(literal.value).shape
    return None if 0 in shape else shape


def _frozen(value: Any) -> HostValue:  # numbers in lists, as NumPy gives them
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _stand_in(type: _Type | None) -> Operand:
    """What stands for an input of a node in the graph in which it is built alone."""
    if type is None:
        raise _NoTemplate
    if type.is_variable:
        initial = tf.zeros(type.shape, type.dtype)
        return v1.Variable(initial, use_resource=True, trainable=False, name="stand_in")
    return v1.placeholder(type.dtype, type.shape, "stand_in")


_FIELDS = {  # of a `TensorProto`: the dtype's number, and where it keeps the values
    "float32": (tf.float32.as_datatype_enum, "float_val"), "float64": (tf.float64.as_datatype_enum, "double_val"),
    "int32": (tf.int32.as_datatype_enum, "int_val"), "int64": (tf.int64.as_datatype_enum, "int64_val"),
}  # fmt: skip


def _attribute(literal: Literal) -> bytes:
    """A literal as the attribute of a Const."""
    if literal.dtype in _FIELDS and not isinstance(literal.value, tuple):
        dtype, values = _FIELDS[literal.dtype]
        fields: dict[str, Any] = {values: [literal.value], "tensor_shape": {}}  # each of another type
        tensor = TensorProto(dtype=dtype, **fields)
    else:
        tensor = tf.make_tensor_proto(np.asarray(literal.value, tf.as_dtype(literal.dtype).as_numpy_dtype))
    return AttrValue(tensor=tensor).SerializeToString()


class _Recording:
    """The ops that one node became."""

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
        """The names that were asked for and under which there is no op."""
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
        """The first part of each name: its number, and what was asked for before it was made unique."""
        names = list(dict.fromkeys(operation.name.partition("/")[0] for operation in self._operations))
        bases = {}
        for name in names:
            numbered = _NUMBERED.fullmatch(name)
            bases[name] = numbered[1] if numbered and numbered[1] in names else name
        names.sort(key=lambda name: names.index(bases[name]) if bases[name] in names else 0)  # in the order asked for
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
        """The number of the literal that a Const holds."""
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
