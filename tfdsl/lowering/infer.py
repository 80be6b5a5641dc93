"""TensorFlow's own inference for nodes: from arguments and their types to the types of the outputs.

Raw nodes are built in order into a graph of their own, by the same code that builds the program. A placeholder stands
for an input that no raw node makes, unless it is a constant. A call of a Python function is built in a separate graph,
once.

What TensorFlow has found for a node is known for others whose inputs have the same types, unless values can matter to
it: those of constants, and whole numbers, which may be sizes.

A named size is unknown to TensorFlow. If a size of the result is unknown too, the node is built twice more, into graphs
with numbers instead of the names. A call of a Python function is not built again: its graph is copied with the numbers.
A size that equals the number of the same name both times has that name.
"""

from collections.abc import Callable, Mapping

from ..diagnostics import TfgError
from ..ops.named import CONSTANT
from ..program import Field, Literal, Node, Ref, Static
from ..record import replace
from ..types import ALL_DTYPES, Dim, DType, Size, TensorType
from .graph import Lowering, empty_graph
from .tf import Operand, tf, v1

_FIRST = 100_003  # numbers that no real size has
_STEP = 1_009
_SIZES = 10_000  # the maximum number of named sizes

Types = Mapping[Ref | Field, TensorType]
Functions = Mapping[str, Callable[..., object]]
Inferred = TensorType | tuple[TensorType, ...]
_Key = tuple[str, tuple[tuple[str, object], ...], tuple[TensorType, ...], tuple[DType, ...]]
_PLAIN = (Ref, Literal, Static)


class GraphInference:
    """The inference for the nodes of one graph."""

    def __init__(self, nodes: Mapping[int, Node], version: int | None):
        self._nodes, self._version = nodes, version
        self._sizes: dict[Size, int] = {}  # the named sizes so far, with their numbers
        self._found: dict[_Key, Inferred] = {}
        self._constant: set[int] = set()  # raw nodes whose values may not depend on what is fed
        self._unknown = _Scratch(nodes, version, lambda size: None)
        # In the second graph, the greater numbers come first, because a size may be the maximum of two.
        self._known = [
            _Scratch(nodes, version, lambda size: _FIRST + _STEP * self._sizes[size]),
            _Scratch(nodes, version, lambda size: _FIRST + _STEP * (_SIZES - self._sizes[size])),
        ]

    def infer(self, node: Node, types: Types, functions: Functions) -> Inferred:
        """The type of the node's output, or a tuple of types if it has several outputs or none. `types` has the types
        of its inputs."""
        key = self._key(node, types)
        if key is not None and key in self._found:
            for one in (self._unknown, *self._known):
                one.leave_out(node.id)
            return self._found[key]
        found = self._inferred(node, types, functions)
        if key is not None:
            self._found[key] = found
        return found

    def _key(self, node: Node, types: Types) -> "_Key | None":
        """What decides the types of a node's outputs. None if that may be more than the types of its inputs."""
        op, refs = node.raw_op, node.inputs()
        if op is None:
            return None
        if all(map(self._is_constant, refs)):
            self._constant.add(node.id)
            return None
        self._constant.discard(node.id)
        is_plain = all(one.dtype.kind == "float" for one in (*types.values(), *node.outputs))
        is_plain = is_plain and not any(map(self._is_constant, refs))
        is_plain = is_plain and not any(one.takes_variable for one in (*op.inputs, *op.outputs))
        is_plain = is_plain and not any(one.item == "func" for one in op.attrs.values())
        if not is_plain or not all(isinstance(arg, _PLAIN) for arg in node.args.values()):
            return None
        order = list(dict.fromkeys(refs))  # an input may be there twice
        args = tuple(
            [(name, order.index(arg) if isinstance(arg, Ref) else arg) for name, arg in node.args.items()],
        )
        return op.name, args, tuple([types[ref] for ref in order]), tuple([one.dtype for one in node.outputs])

    def _is_constant(self, ref: Ref) -> bool:
        return ref.node in self._constant or self._nodes[ref.node].row is CONSTANT

    def _inferred(self, node: Node, types: Types, functions: Functions) -> Inferred:
        is_raw = node.raw_op is not None
        scratch = self._unknown if is_raw else _Scratch(self._nodes, self._version, lambda size: None)
        result = scratch.add(node, types, functions)
        if isinstance(result, tf.Operation):
            return ()
        found = [_type(tensor) for tensor in (result if isinstance(result, list) else [result])]
        if any(dim is None for type in found for dim in type.shape or ()) and self._has_names(types):
            shapes = [
                one.sizes(node, types, functions) if is_raw else scratch.imported(result, one.standing)
                for one in self._known
            ]
            found = self._named(found, shapes)
        return tuple(found) if isinstance(result, list) else found[0]

    def forget(self, count: int) -> None:
        """Forget all nodes after the first `count`: they were removed."""
        for one in (self._unknown, *self._known):
            one.forget(count)

    def _has_names(self, types: Types) -> bool:
        """Whether sizes of inputs have names. New names get numbers."""
        met = {dim for type in types.values() for dim in type.shape or () if isinstance(dim, Size)}
        for size in sorted(met - self._sizes.keys(), key=str):
            self._sizes[size] = len(self._sizes)
        return bool(met) and len(self._sizes) < _SIZES

    def _named(self, found: list[TensorType], shapes: list[list[tuple[Dim, ...]]]) -> list[TensorType]:
        """The inferred types, with named sizes if they can be determined."""
        if not all(shapes):  # the op does not take these sizes
            return found
        named = []
        for type, first, second in zip(found, *shapes, strict=True):
            if type.shape is None:
                named.append(type)
                continue
            dims = [self._name(*sizes) for sizes in zip(type.shape, first, second, strict=True)]
            named.append(TensorType(type.dtype, tuple(dims)))
        return named

    def _name(self, dim: Dim, first: Dim, second: Dim) -> Dim:
        if dim is not None or not isinstance(first, int) or not isinstance(second, int):
            return dim
        number, rest = divmod(first - _FIRST, _STEP)
        is_name = rest == 0 and first + second == 2 * _FIRST + _STEP * _SIZES
        return next((size for size, known in self._sizes.items() if is_name and known == number), None)


class _Scratch:
    """A graph in which `standing` gives the number or None to use for a named size."""

    def __init__(self, nodes: Mapping[int, Node], version: int | None, standing: Callable[[Size], int | None]):
        self.standing = standing
        self._nodes = nodes
        self._built = empty_graph(version)
        self._count = 0  # how many raw nodes were tried
        self._fed: dict[str, TensorType] = {}  # the types of placeholders, by name

    def add(self, node: Node, types: Types, functions: Functions) -> Operand:
        """What TensorFlow returns for a node."""
        with self._built.graph.as_default():
            arrays: dict[Field, tf.Tensor] = {}
            for leaf, type in types.items():
                if isinstance(leaf, Field):
                    arrays[leaf] = self._placeholder(type)
                elif not self._has(leaf, type):
                    self._built.give(leaf, self._stand_in(leaf, type))
            if node.raw_op is not None:
                self._count += 1
                node = replace(node, name=f"{node.raw_op.tf}_{self._count}", is_whole=True)
            result = Lowering(self._built, arrays.__getitem__, functions).result(node)
        if node.raw_op is not None:
            self._built.values[node.id] = tuple(result) if isinstance(result, list) else (result,)
        return result

    def sizes(self, node: Node, types: Types, functions: Functions) -> list[tuple[Dim, ...]]:
        """The sizes of a node's outputs, or an empty list if TensorFlow refuses it."""
        try:
            result = self.add(node, types, functions)
        except TfgError:
            return []
        return [_type(tensor).shape or () for tensor in (result if isinstance(result, list) else [result])]

    def imported(self, result: Operand, standing: Callable[[Size], int | None]) -> list[tuple[Dim, ...]]:
        """The sizes of outputs in a copy of the graph whose placeholders have other sizes. Empty if TensorFlow refuses
        the copy. Python functions are not called again."""
        definition = self._built.graph.as_graph_def()
        for operation in definition.node:
            type = self._fed.get(operation.name)
            if type is not None and type.shape is not None:
                shape = [standing(dim) if isinstance(dim, Size) else dim for dim in type.shape]
                operation.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())
        outputs = [tensor.name for tensor in (result if isinstance(result, list) else [result])]
        try:
            with tf.Graph().as_default():
                copies = v1.import_graph_def(definition, return_elements=outputs)
        except ValueError:
            return []
        return [_type(tensor).shape or () for tensor in copies]

    def leave_out(self, id: int) -> None:
        """Have a placeholder stand for a node."""
        self._built.values.pop(id, None)

    def forget(self, count: int) -> None:
        for id in [id for id in self._built.values if id >= count]:
            del self._built.values[id]

    def _has(self, ref: Ref, type: TensorType) -> bool:
        """Whether the graph has an output, and knows at least as much about its shape as the program."""
        values = self._built.values.get(ref.node, ())
        if ref.output >= len(values) or values[ref.output] is None:
            return False
        value = values[ref.output]
        wanted = self._shape(type)
        if not isinstance(value, tf.Tensor) or wanted is None:
            return True
        return value.shape.rank is not None and all(
            size is None or size == own for own, size in zip(value.shape.as_list(), wanted, strict=True)
        )

    def _stand_in(self, ref: Ref, type: TensorType) -> Operand:
        node = self._nodes[ref.node]
        if node.row is CONSTANT:  # some shapes follow from its value
            return Lowering(self._built, self._no_array, {}).result(replace(node, name=None))
        if node.is_reference(ref.output):
            return tf.raw_ops.VariableV2(shape=self._shape(type), dtype=type.dtype.name)
        if node.is_variable:
            initial = v1.zeros(self._shape(type), type.dtype.name)
            return v1.Variable(initial, use_resource=True, trainable=False)
        return self._placeholder(type)

    @staticmethod
    def _no_array(field: Field) -> tf.Tensor:
        raise AssertionError(f"a constant needs no data, but {field} was asked for")

    def _placeholder(self, type: TensorType) -> tf.Tensor:
        tensor = v1.placeholder(type.dtype.name, self._shape(type))
        self._fed[tensor.op.name] = type
        return tensor

    def _shape(self, type: TensorType) -> list[int | None] | None:
        if type.shape is None:
            return None
        return [self.standing(dim) if isinstance(dim, Size) else dim for dim in type.shape]


def _type(tensor: tf.Tensor) -> TensorType:
    shape = None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
    return TensorType(ALL_DTYPES[tensor.dtype.base_dtype.name], shape)
