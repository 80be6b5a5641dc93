"""Ops of the table that need more than a call of a TensorFlow function. Their rows name the functions of this file.

Each function takes the lowering and the node, and returns what the TensorFlow functions return.
"""

import math
from dataclasses import replace

import numpy as np

from ..ops.named import DCT
from ..program import Field, Node, Static
from .built import NodeLowering
from .data import FedArray
from .guards import definite, not_of_zeros, ranked, transformed
from .tf import Operand, resolve, tf, v1


def constant(lowering: NodeLowering, node: Node) -> Operand:
    value = lowering.argument(node.args["value"])
    if not isinstance(value, FedArray):
        return lowering.table_op(node)
    is_after = lowering.built.program.is_after(node)
    sizes = [dim for dim in node.outputs[0].shape or () if isinstance(dim, int)]  # all sizes of data are known
    return value.constant(sizes, node.name or "Const", is_after)


def eye(lowering: NodeLowering, node: Node) -> Operand:
    """Sizes from data become plain numbers, because TensorFlow takes no tensors from outside the graph."""
    sizes = {name: int(np.asarray(lowering.argument(arg))) for name, arg in node.args.items() if isinstance(arg, Field)}
    return lowering.table_op(replace(node, args={**node.args, **{n: Static(i) for n, i in sizes.items()}}))


def change(lowering: NodeLowering, node: Node) -> Operand:
    """assign_add or assign_sub, by the variable's method. TensorFlow's function drops the name."""
    variable, value = (lowering.argument(node.args[name]) for name in ("ref", "value"))
    return getattr(variable, node.op)(value, name=node.name)


def check_whole(lowering: NodeLowering, node: Node) -> Operand:
    """The input behind an assertion. Integers need none."""
    value = lowering.argument(node.args["input"])
    if node.outputs[0].dtype.kind != "float":
        return tf.identity(value, name=node.name) if node.name else tf.convert_to_tensor(value)
    with v1.name_scope(node.name or node.op) as scope:
        value = tf.convert_to_tensor(value, name="input")
        message = "a class number, or another whole number, has a fraction"
        is_whole = tf.reduce_all(tf.equal(tf.floor(value), value))
        # TensorFlow's function hides the op in a branch of an `if`, where its error has no place in the program.
        with tf.control_dependencies([tf.raw_ops.Assert(condition=is_whole, data=[message, value], summarize=5)]):
            return tf.identity(value, name=scope)


def initializer(lowering: NodeLowering, node: Node) -> tf.Tensor:
    """Make an initializer with its own arguments, and call it with the shape and dtype."""
    arguments = _arguments(lowering, node)
    shape, dtype = arguments.pop("shape"), arguments.pop("dtype", tf.float32)
    with v1.name_scope(node.name or node.default or node.op):
        result = resolve(node.table_row.tf)(**arguments)(shape, dtype=dtype)
    return tf.identity(result, name=node.name) if node.name else result


def einsum(lowering: NodeLowering, node: Node) -> Operand:
    inputs = lowering.argument(node.args["inputs"])
    return v1.einsum(node.text("equation"), *inputs, name=node.name)


def clip_by_global_norm(lowering: NodeLowering, node: Node) -> list:
    clipped, norm = v1.clip_by_global_norm(**_arguments(lowering, node), name=node.name)
    return [*clipped, tf.convert_to_tensor(norm)]


def meshgrid(lowering: NodeLowering, node: Node) -> list:
    indexing = node.text("indexing", "xy")
    return v1.meshgrid(*lowering.argument(node.args["args"]), indexing=indexing)


def rfft(lowering: NodeLowering, node: Node) -> Operand:
    arguments = _arguments(lowering, node)
    if arguments.get("fft_length") is not None:
        _require_input(node, arguments, takes_none=True)
    return _called(node, arguments)


def irfft(lowering: NodeLowering, node: Node) -> Operand:
    arguments = _arguments(lowering, node)
    _require_input(node, arguments, least=2)
    return _called(node, arguments)


def irfft_of_axes(lowering: NodeLowering, node: Node) -> Operand:
    arguments = _arguments(lowering, node)
    if arguments.get("fft_length") is None:
        _require_input(node, arguments, least=2)
    return _called(node, arguments)


def windowed(lowering: NodeLowering, node: Node) -> Operand:
    """TensorFlow's function takes another one, which makes the window. Ours takes its name."""
    arguments = _arguments(lowering, node)
    if "window_fn" in arguments:
        name = arguments["window_fn"]
        arguments["window_fn"] = None if name is None else getattr(v1.signal, name)
    forward = arguments.pop("forward_window_fn", None)
    if forward is not None:
        undone = v1.signal.inverse_stft_window_fn(arguments["frame_step"], getattr(v1.signal, forward))
        arguments["window_fn"] = undone
    return _called(node, arguments)


def dct(lowering: NodeLowering, node: Node) -> Operand:
    arguments = _arguments(lowering, node)
    if arguments.get("type", 2) == (3 if node.op == DCT.name else 2) and arguments.get("n") is None:
        _require_input(node, arguments)
    return _called(node, arguments)


def _arguments(lowering: NodeLowering, node: Node) -> dict[str, Operand]:
    row = node.table_row
    kinds = {param.name: param.kind for param in row.params}
    arguments = {name: lowering.argument(arg, kinds[name]) for name, arg in node.args.items()}
    return arguments | {name: ranked(arguments[name], rank) for name, rank in row.ranks.items() if name in arguments}


def _require_input(node: Node, arguments: dict[str, Operand], least: int = 1, takes_none: bool = False) -> None:
    """Check that a Fourier transform has input."""
    given, length = next(iter(arguments)), arguments.get("fft_length")
    arguments[given] = transformed(arguments[given], length, least, node.name or node.op, takes_none)


def _called(node: Node, arguments: dict[str, Operand]) -> Operand:
    function = resolve(node.table_row.tf)
    if node.table_row.named:
        return function(**arguments, name=node.name)
    result = function(**arguments)
    return tf.identity(result, name=node.name) if node.name and isinstance(result, tf.Tensor) else result


def logm(lowering: NodeLowering, node: Node) -> tf.Tensor:
    return tf.linalg.logm(not_of_zeros(lowering.argument(node.args["input"]), node.name or node.op), name=node.name)


def cholesky(lowering: NodeLowering, node: Node) -> tf.Tensor:
    value = definite(lowering.argument(node.args["input"]), node.name or "Cholesky")
    return tf.linalg.cholesky(value, name=node.name)


def of_tensors(lowering: NodeLowering, node: Node) -> Operand:
    """TensorFlow's function takes only tensors, no numbers or lists of them."""
    arguments = _arguments(lowering, node)
    for param in node.table_row.params:
        if param.kind == "tensor" and arguments.get(param.name) is not None:
            arguments[param.name] = tf.convert_to_tensor(arguments[param.name])
    return _called(node, arguments)


def batch_normalization(lowering: NodeLowering, node: Node) -> tf.Tensor:
    """TensorFlow's function requires the optional arguments."""
    left_out = {name: Static(None) for name in ("offset", "scale") if name not in node.args}
    return lowering.table_op(replace(node, args={**node.args, **left_out}))


def piecewise_constant_decay(lowering: NodeLowering, node: Node) -> tf.Tensor:
    """TensorFlow's function makes branches that XLA cannot compile."""
    given = _arguments(lowering, node)
    with v1.name_scope(node.name or "PiecewiseConstant") as scope:
        x = tf.convert_to_tensor(given["x"])
        bounds = tf.constant([math.floor(one) for one in given["boundaries"]], x.dtype)
        passed = tf.reduce_sum(tf.cast(x > bounds, tf.int32))
        return tf.gather(tf.stack(given["values"]), passed, name=scope)


def cosine_decay_restarts(lowering: NodeLowering, node: Node) -> tf.Tensor:
    """The formula of TensorFlow's function, which makes a branch for `t_mul`."""
    given: dict[str, Operand] = {param.name: param.default for param in node.table_row.params}
    given |= _arguments(lowering, node)
    longer = given["t_mul"]
    with v1.name_scope(node.name or "SGDRDecay") as scope:
        rate = tf.convert_to_tensor(given["learning_rate"])
        share = tf.cast(given["global_step"], rate.dtype) / tf.cast(given["first_decay_steps"], rate.dtype)
        if longer == 1:
            times = tf.floor(share)
            share -= times
        else:
            times = tf.floor(tf.math.log(1 - share * (1 - longer)) / math.log(longer))
            share = (share - (1 - longer**times) / (1 - longer)) / longer**times
        height = 0.5 * given["m_mul"] ** times * (1 + tf.cos(math.pi * share))
        return tf.multiply(rate, (1 - given["alpha"]) * height + given["alpha"], name=scope)


def noisy_linear_cosine_decay(lowering: NodeLowering, node: Node) -> tf.Tensor:
    """The formula of TensorFlow's function, whose noise takes no seed."""
    given: dict[str, Operand] = {param.name: param.default for param in node.table_row.params}
    given |= _arguments(lowering, node)
    with v1.name_scope(node.name or "NoisyLinearCosineDecay") as scope:
        rate = tf.convert_to_tensor(given["learning_rate"])
        length = tf.cast(given["decay_steps"], rate.dtype)
        step = tf.minimum(tf.cast(given["global_step"], rate.dtype), length)
        variance = given["initial_variance"] / (1 + step) ** given["variance_decay"]
        line = (length - step) / length + tf.random.normal([], stddev=tf.sqrt(variance), seed=given["seed"])
        height = 0.5 * (1 + tf.cos(math.pi * (2 * given["num_periods"] * (step / length))))
        return tf.multiply(rate, (given["alpha"] + line) * height + given["beta"], name=scope)


def resize(lowering: NodeLowering, node: Node) -> tf.Tensor:
    """TensorFlow's function returns images of the same size as they are, with their dtype. It may know less of sizes
    than the program."""
    return tf.cast(_called(node, _arguments(lowering, node)), node.outputs[0].dtype.name)


def first_output(lowering: NodeLowering, node: Node) -> tf.Tensor:
    """The values. The other outputs are sizes of windows, of which TensorFlow infers wrong shapes."""
    return _called(node, _arguments(lowering, node))[0]


def statistics(lowering: NodeLowering, node: Node) -> list:
    """Without the shift, which TensorFlow's function returns as it is."""
    return list(_called(node, _arguments(lowering, node))[:3])


def normalize_moments(lowering: NodeLowering, node: Node) -> Operand:
    """TensorFlow's function requires the shift."""
    return _called(node, {"shift": None, **_arguments(lowering, node)})
