"""Lowers control flow: nodes with regions become `tf.while_loop`, `tf.cond`, `tf.map_fn`, `tf.foldl` and `tf.scan`.

A region becomes a TensorFlow function graph. Its ops are below the name of the loop or `if`, so every op of a program
has a unique name, whichever graph it is in.
"""

from collections.abc import Callable
from typing import Any

from ..program import Arg, HostValue, Node, Region
from ..types import TensorType
from .built import NodeLowering
from .guards import same_length
from .kept_random import is_random
from .tf import XLAControlFlowContext, resolve, shape_of, tf, v1


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
        parallel_iterations=1 if any(map(is_random, node.inside())) else 10,
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


def _as_it_is(function: Callable[..., list[tf.Tensor]]) -> Callable[..., list[tf.Tensor]]:
    """A function that TensorFlow does not rewrite by AutoGraph, which warns where it cannot."""
    return tf.autograph.experimental.do_not_convert(function)


def map_fn(lowering: NodeLowering, node: Node) -> list[tf.Tensor]:
    """A `map_fn` node. Its outputs are the results of its region for all elements, stacked."""
    scope, (body,), made = _scope(node.name or "map"), node.regions, [_element(type) for type in node.outputs]
    signature = [_spec(type) for type in made]
    return tf.map_fn(
        _as_it_is(lambda elements: _applied(lowering, scope, body, tuple(elements), made)),
        _elements(lowering, node),
        fn_output_signature=signature,
        parallel_iterations=_parallel(node),
        name=node.name,
    )


def scan(lowering: NodeLowering, node: Node) -> list[tf.Tensor]:
    """A `scan` node. Its outputs are the results of its region after each element, stacked."""
    types = [_element(type) for type in node.outputs]
    return _folded(lowering, node, tf.scan, types, reverse=node.static("reverse", False))


def fold(lowering: NodeLowering, node: Node) -> list[tf.Tensor]:
    """A `foldl` or `foldr` node. Its outputs are the results of its region after all elements."""
    return _folded(lowering, node, resolve(node.table_row.tf), list(node.outputs))


def _folded(
    lowering: NodeLowering, node: Node, function: Callable[..., list[tf.Tensor]], types: list[TensorType],
    **options: object,
) -> list[tf.Tensor]:  # fmt: skip
    scope, (body,) = _scope(node.name or node.op), node.regions
    if "initializer" in node.args:
        pairs = zip(node.items("initializer"), types, strict=True)
        options["initializer"] = [_tensor(lowering, *pair) for pair in pairs]
    return function(
        _as_it_is(lambda values, elements: _applied(lowering, scope, body, (*values, *elements), types)),
        _elements(lowering, node),
        parallel_iterations=_parallel(node),
        name=node.name,
        **options,
    )


def _applied(
    lowering: NodeLowering, scope: str, body: Region, values: tuple[tf.Tensor, ...], types: list[TensorType]
) -> list[tf.Tensor]:
    """The results of a function for some elements. The gradient of the loop around it computes shapes again, as XLA
    needs them. Otherwise it would keep those of all iterations in a list, where XLA does not know them."""
    results = _build(lowering, f"{scope}/while", body, values, tuple(types))
    v1.get_default_graph()._set_control_flow_context(XLAControlFlowContext())
    return results


def _elements(lowering: NodeLowering, node: Node) -> list[tf.Tensor]:
    """The tensors whose elements a function is applied to. There are as many of each."""
    tensors = [tf.convert_to_tensor(lowering.argument(arg)) for arg in node.items("elems")]
    return same_length(tensors, node.name or node.op)


def _element(type: TensorType) -> TensorType:
    """The type of an element along the first axis."""
    return TensorType(type.dtype, type.shape and type.shape[1:])


def _spec(type: TensorType) -> tf.TensorSpec:
    shape: Any = shape_of(type)  # None is a shape too, against the type stub
    return tf.TensorSpec(shape, type.dtype.name)


def _parallel(node: Node) -> HostValue:
    """How many iterations may overlap: none that draw random numbers or write, which happens in the order of the
    elements."""
    in_order = any(is_random(one) or one.is_write for one in node.inside())
    return 1 if in_order else node.static("parallel_iterations", 10)


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
        tensor.set_shape(shape_of(type))
    return tensor
