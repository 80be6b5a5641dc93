"""`gradients` by method: reverse mode by TensorFlow, forward mode and finite differences by computing the ys again.

Reverse mode is one pass for all xs. Forward mode computes a directional derivative for each element of each x, and
finite differences compute the ys twice for each element: on both sides of it. Both rebuild the nodes between the xs and
the ys with other values for the xs. Nodes that do not depend on an x, such as noise, are not rebuilt, so they have the
same values in all passes. (Symbolic gradients are nodes of the program: `analysis/calls/symbolic.py`.)
"""

import re
from collections.abc import Callable

from ..analysis.gradient_paths import gradient_inputs, gradient_upstream
from ..diagnostics import NO_FORWARD, NO_GRADIENT
from ..program import Graph, Node, Ref
from .built import NodeLowering
from .failures import failure
from .tf import Operand, tf, v1


def gradients(lowering: NodeLowering, node: Node) -> list[tf.Tensor]:
    """One tensor for each x, with its type: the gradient of the sum of the ys."""
    ys, xs = (lowering.argument(node.args[name]) for name in ("ys", "xs"))
    match node.text("method", "reverse"):
        case "reverse":
            results = v1.gradients(ys, xs, name=node.name or "gradients")
            for x, gradient in zip(xs, results, strict=True):
                if gradient is None:
                    raise failure(NO_GRADIENT, node.origin, y=ys[0].op.name, x=x.op.name)
            return [tf.convert_to_tensor(gradient) for gradient in results]
        case "forward":
            return _by_elements(lowering, node, _directional)
        case "numeric":
            return _by_elements(lowering, node, _difference)
        case method:
            raise AssertionError(method)


# --- one pass for each element ----------------------------------------------------------------

Function = Callable[[tf.Tensor], list[tf.Tensor]]  # from an x to the ys


def _by_elements(
    lowering: NodeLowering, node: Node, derivative: Callable[[Node, Function, tf.Tensor, tf.Tensor], tf.Tensor]
):
    """Compute the gradients one element at a time. `derivative` takes the function, the point and the direction."""
    results = []
    with v1.name_scope(node.name or "gradients"):
        for ref, type in zip(node.refs("xs"), node.outputs, strict=True):
            function = _function(lowering, node, ref)
            x = tf.convert_to_tensor(lowering.built.value(ref))
            if type.shape == ():
                results.append(derivative(node, function, x, tf.ones_like(x)))
                continue
            size = tf.size(x)

            @tf.autograph.experimental.do_not_convert
            def one(index: tf.Tensor, x: tf.Tensor = x, size: int = size, function: Operand = function) -> tf.Tensor:
                direction = tf.reshape(tf.one_hot(index, size, dtype=x.dtype), tf.shape(x))
                return derivative(node, function, x, direction)

            flat = tf.map_fn(one, tf.range(size), fn_output_signature=x.dtype)
            result = tf.reshape(flat, tf.shape(x))
            result.set_shape(x.shape)
            results.append(result)
    return results


def _directional(node: Node, function: Function, x: tf.Tensor, direction: tf.Tensor) -> tf.Tensor:
    """Forward mode by two reverse modes: the gradient is linear in the weights of the ys, and its gradient with respect
    to these weights is the directional derivative."""
    x = tf.identity(x)
    ys = function(x)
    weights = [tf.zeros_like(y) for y in ys]
    try:
        (backward,) = v1.gradients(ys, [x], grad_ys=weights)
        forward = v1.gradients([backward], weights, grad_ys=[direction]) if backward is not None else [None]
    except LookupError as error:
        found = re.search(r"op type: (\w+)", str(error))
        raise failure(NO_FORWARD, node.origin, op=found[1] if found else "one of the ops") from error
    parts = [tf.reduce_sum(part) for part in forward if part is not None]
    return tf.add_n(parts) if parts else tf.zeros([], x.dtype)


def _difference(node: Node, function: Function, x: tf.Tensor, direction: tf.Tensor) -> tf.Tensor:
    """A central difference. The step is the cube root of the dtype's precision, where the rounding error and the
    truncation error are about equal."""
    epsilon = float(tf.experimental.numpy.finfo(x.dtype.as_numpy_dtype).eps)
    step = tf.maximum(tf.abs(x), tf.ones_like(x)) * tf.cast(epsilon ** (1 / 3), x.dtype) * direction
    after, before = x + step, x - step
    distance = tf.reduce_sum(after - before)  # the actual step after rounding
    parts = [tf.reduce_sum(a - b) for a, b in zip(function(after), function(before), strict=True)]
    return tf.add_n(parts) / distance


def _function(lowering: NodeLowering, node: Node, x: Ref) -> Function:
    """The ys as a function of one x. Each call rebuilds the nodes between them."""
    program = lowering.built.program
    ys = node.refs("ys")
    between = sorted(_between(program, ys, x))

    def function(value: tf.Tensor) -> list[tf.Tensor]:
        inner = lowering.with_values({x: value})
        for id in between:
            if id != x.node:
                inner.built.values[id] = inner.node(program.nodes[id])
        return [tf.convert_to_tensor(inner.built.value(y)) for y in ys]

    return function


def _between(program: Graph, ys: tuple[Ref, ...], x: Ref) -> set[int]:
    """The nodes on the paths of a gradient from the ys to an x, including both ends."""
    found = {node.id for node in gradient_upstream(program.nodes, ys)}
    flows = {x.node} & found
    for id in sorted(found):  # a node comes after its inputs
        if any(ref.node in flows for ref in gradient_inputs(program.nodes, program.nodes[id])):
            flows.add(id)
    return flows - {inner.id for id in flows for inner in program.nodes[id].inside()}
