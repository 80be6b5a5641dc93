"""TensorFlow's own inference for one node: from its arguments and their types to the types of its outputs.

The node is built in its own graph, with placeholders for its inputs, by the same code that builds the program. A named
size is unknown to TensorFlow. If a size of the result is unknown too, the graph is imported twice more with numbers
instead of the names. A size that equals the number of the same name both times has that name.
"""

from collections.abc import Callable, Mapping

from ..program import Field, Node, Ref
from ..types import ALL_DTYPES, Dim, Size, TensorType
from .graph import Lowering, empty_graph
from .tf import shape_of, tf, v1

_FIRST = 100_003  # numbers that no real size has
_STEP = 1_009


def infer(
    node: Node, types: Mapping[Ref | Field, TensorType], variables: frozenset[Ref], functions: Mapping[str, Callable]
) -> TensorType | tuple[TensorType, ...]:
    """The type of the node's output. A tuple if it has several, or none."""
    built = empty_graph()
    names: dict[str, TensorType] = {}  # of the placeholders
    with built.graph.as_default():
        arrays = {}
        for leaf, type in types.items():
            if isinstance(leaf, Field):
                arrays[leaf] = _placeholder(type, names)
            elif leaf in variables:
                built.give(leaf, _variable(type))
            else:
                built.give(leaf, _placeholder(type, names))
        result = Lowering(built, arrays.__getitem__, functions).result(node)
    if isinstance(result, tf.Operation):
        return ()
    made = result if isinstance(result, list) else [result]
    found = [_type(tensor) for tensor in made]
    sizes = sorted({dim for type in names.values() for dim in type.shape or () if isinstance(dim, Size)}, key=str)
    if sizes and any(dim is None for type in found for dim in type.shape or ()):
        found = _with_sizes(found, built.graph, names, sizes, [tensor.name for tensor in made])
    return tuple(found) if isinstance(result, list) else found[0]


def _placeholder(type: TensorType, names: dict[str, TensorType]) -> tf.Tensor:
    tensor = v1.placeholder(type.dtype.name, shape_of(type))
    names[tensor.op.name] = type
    return tensor


def _variable(type: TensorType) -> tf.Variable:
    return v1.Variable(v1.zeros(shape_of(type), type.dtype.name), use_resource=True, trainable=False)


def _type(tensor: tf.Tensor) -> TensorType:
    shape = None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
    return TensorType(ALL_DTYPES[tensor.dtype.base_dtype.name], shape)


def _with_sizes(
    found: list[TensorType], graph: tf.Graph, names: Mapping[str, TensorType], sizes: list[Size], outputs: list[str]
) -> list[TensorType]:
    """The inferred types, with named sizes if they can be determined."""
    definition = graph.as_graph_def()
    numbers = [_FIRST + _STEP * i for i in range(len(sizes))]
    shapes = []
    # The second time, the greater numbers come first, because a size may be the maximum of two.
    for standing in (dict(zip(sizes, numbers)), dict(zip(sizes, reversed(numbers)))):
        for operation in definition.node:
            dims = names[operation.name].shape if operation.name in names else None
            if dims is not None:
                shape = [standing[dim] if isinstance(dim, Size) else dim for dim in dims]
                operation.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())
        try:
            with tf.Graph().as_default():
                made = tf.graph_util.import_graph_def(definition, return_elements=outputs, name="")
        except ValueError:  # the op does not take these sizes
            return found
        of = {number: size for size, number in standing.items()}
        known = [_type(tensor).shape or () for tensor in made]
        shapes.append([[of.get(dim) if isinstance(dim, int) else None for dim in dims] for dims in known])
    return [
        type if type.shape is None else TensorType(type.dtype, tuple(map(_known, type.shape, *both)))
        for type, both in zip(found, zip(*shapes, strict=True), strict=True)
    ]


def _known(dim: Dim, first: Size | None, second: Size | None) -> Dim:
    return first if dim is None and first is not None and first == second else dim
