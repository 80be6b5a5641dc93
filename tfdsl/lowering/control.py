"""Lowers control flow: nodes with regions become `tf.while_loop` and `tf.cond`.

A region becomes a TensorFlow function graph. Its ops are below the name of the loop or `if`, so every op of a program
has a unique name, whichever graph it is in.
"""

from ..program import Arg, Node, Region
from ..types import TensorType
from .built import NodeLowering
from .tf import tf, v1


def while_loop(lowering: NodeLowering, node: Node) -> list[tf.Tensor]:
    """A `while` node. Its arguments are the initial values of its variables, in order."""
    scope = _scope("while")
    test, body = node.regions
    initial = [_tensor(lowering, *pair) for pair in zip(node.args.values(), node.outputs, strict=True)]
    return tf.while_loop(
        lambda *values: _build(lowering, scope, test, values)[0],
        lambda *values: _build(lowering, scope, body, values, node.outputs),
        initial,
        shape_invariants=[tensor.shape for tensor in initial],
        **({"parallel_iterations": 1} if lowering.built.random.has_inside(node) else {}),
        name="while",
    )


def cond(lowering: NodeLowering, node: Node) -> list[tf.Tensor]:
    """A `cond` node. Its outputs are the results of the region that the condition selects."""
    scope = _scope("cond")
    then, otherwise = node.regions
    results = tf.cond(
        lowering.argument(node.args["pred"]),
        lambda: _build(lowering, f"{scope}/then", then),
        lambda: _build(lowering, f"{scope}/else", otherwise),
        name="cond",
    )
    tensors = results if isinstance(results, (list, tuple)) else [results]  # tf.cond unpacks a list of one
    return [_typed(tensor, type) for tensor, type in zip(tensors, node.outputs, strict=True)]


def _scope(name: str) -> str:
    """The scope of the next loop or `if` of this name in the default graph."""
    return v1.get_default_graph().unique_name(name, mark_as_used=False)


def _build(
    lowering: NodeLowering, scope: str, region: Region, values: tuple[tf.Tensor, ...] = (),
    types: tuple[TensorType, ...] = (),
) -> list[tf.Tensor]:  # fmt: skip
    """Build a region into the default graph, which is a function graph, and return its results."""
    for param, value in zip(region.params, values, strict=True):
        lowering.built.values[param.id] = (value,)
    with v1.name_scope(f"{scope}/"):
        lowering.items(region.items)
        known = types or (None,) * len(region.results)
        return [_tensor(lowering, *pair) for pair in zip(region.results, known, strict=True)]


def _tensor(lowering: NodeLowering, arg: Arg, type: TensorType | None) -> tf.Tensor:
    tensor = tf.convert_to_tensor(lowering.argument(arg))
    return tensor if type is None else _typed(tensor, type)


def _typed(tensor: tf.Tensor, type: TensorType) -> tf.Tensor:
    """A tensor with the shape that the analysis inferred."""
    if type.shape is not None:
        tensor.set_shape([dim if isinstance(dim, int) else None for dim in type.shape])
    return tensor
