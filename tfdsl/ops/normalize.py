"""Biases, normalisation and embeddings for neural networks."""

from ..diagnostics import OPTION
from ..types import TensorType
from .batch import along, each, rows, total, whole
from .flops import FlopCall, no_flops, per_element, per_result
from .index import batch_take
from .op import OpCall
from .row import table
from .rules import (
    along_axis,
    axis_in,
    broadcast,
    elementwise,
    least_rank,
    listed,
    number,
    reduced_shape,
    replaced,
    same_size,
    scalar,
    wanted_rank,
    without,
)
from .windows import IMAGE, LAYOUT, WINDOWS, channels_first

OPS, row = table("neural networks")


def bias_add(call: OpCall) -> TensorType:
    """Add one number per channel everywhere."""
    shape, (channels,) = least_rank(call, "value", 3 if channels_first(call) else 2), wanted_rank(call, "bias", 1)
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis = 1 if channels_first(call) else len(shape) - 1
    both = same_size(call, shape[axis], channels, "value", "bias")
    return TensorType(call.dtype("T"), replaced(shape, axis, both))


def moments(call: OpCall) -> tuple[TensorType, TensorType]:
    """The mean and variance over `axes`. Without axes, TensorFlow removes all axes of size 1."""
    shape = reduced_shape(call, "x", call["axes"], call["keepdims"])
    if shape is not None and not listed(call["axes"]) and not call["keepdims"]:
        sizes = [number(call, dim) for dim in shape]
        shape = None if None in sizes else tuple(dim for dim, size in zip(shape, sizes) if size != 1)
    return TensorType(call.dtype("T"), shape), TensorType(call.dtype("T"), shape)


def weighted_moments(call: OpCall) -> tuple[TensorType, TensorType]:
    """Like `moments`, with a weight for each element."""
    shape, axes = broadcast(call, "x", "frequency_weights"), listed(call["axes"])
    if shape is not None:
        gone = {axis_in(call, axis, len(shape), "x") for axis in axes}
        kept = tuple(1 if at in gone else dim for at, dim in enumerate(shape))
        shape = kept if call["keepdims"] else without(shape, gone)
        if not axes and not call["keepdims"]:  # TensorFlow removes all axes of size 1
            sizes = [number(call, dim) for dim in kept]
            shape = None if None in sizes else tuple(dim for dim, size in zip(kept, sizes) if size != 1)
    return TensorType(call.dtype("T"), shape), TensorType(call.dtype("T"), shape)


def statistics(call: OpCall) -> tuple[TensorType, ...]:
    """A count, and two sums over the axes."""
    if isinstance(call["axes"], int):
        call.option("axes", "a list")
    shape = call["x"].shape if call["shift"] is None else broadcast(call, "x", "shift")
    if shape is not None:
        gone = {axis_in(call, axis, len(shape), "x") for axis in listed(call["axes"])}
        kept = tuple(1 if at in gone else dim for at, dim in enumerate(shape))
        shape = kept if call["keepdims"] else without(shape, gone)
    sums = TensorType(call.dtype("T"), shape)
    return TensorType(call.dtype("T"), ()), sums, sums


def normalized_moments(call: OpCall) -> tuple[TensorType, TensorType]:
    """A mean and a variance from such sums."""
    mean = broadcast(call, "mean_ss", "counts", "shift")
    return TensorType(call.dtype("T"), mean), TensorType(
        call.dtype("T"), broadcast(call, "variance_ss", "mean_ss", "counts")
    )


def fused_batch_norm(call: OpCall) -> tuple[TensorType, TensorType, TensorType]:
    """The normalised tensor, then the mean and variance of each channel. A training computes these, otherwise they are
    given."""
    given = [name for name in ("mean", "variance") if call[name] is not None]
    if call["is_training"] and given:
        call.fail(OPTION, given[0], param=given[0], value="a tensor", allowed="none, unless it has is_training=false")
    if not call["is_training"] and len(given) < 2:
        call.fail(OPTION, "is_training", param="is_training", value="false", allowed="true, without mean and variance")
    rank = len(call["data_format"])
    shape = wanted_rank(call, "x", rank)
    axis = 1 if channels_first(call) else rank - 1
    channels = shape[axis]
    for param in ("scale", "offset", *given):
        channels = same_size(call, channels, wanted_rank(call, param, 1)[0], "x", param)
    each = TensorType(call.dtype("T"), (channels,))
    return TensorType(call.dtype("T"), replaced(shape, axis, channels)), each, each


def fixed_rank(param: str, rank: int):
    """The type of one argument, which must have this rank."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(call.dtype("T"), wanted_rank(call, param, rank))

    return rule


def gather_rows(call: OpCall) -> TensorType:
    """The rows of a table at the indices."""
    params, indices = least_rank(call, "params", 1), call["ids"].shape
    if params is None or indices is None:
        return TensorType(call.dtype("T"), None)
    return TensorType(call.dtype("T"), (*indices, *params[1:]))


def normalized(call: FlopCall) -> int:
    """A product and a sum for each element, and what is made of the variances before: rsqrt(variance + epsilon), which
    is scaled, and the mean that is taken off."""
    parts = 3 + (1 if call.has("scale") else 0) + 2
    return 2 * call.made + parts * call.count("variance")


def normalized_with_moments(call: FlopCall) -> int:
    """The moments, and then as `normalized` with a mean and a variance for each channel."""
    return 6 * call.count("x") + 6 * call.count("scale")


def squares_halved(call: FlopCall) -> int:
    """Each element is squared and halved, and the results are added up."""
    return 3 * call.count("t") - 1


# fmt: off
row("bias_add", "value: T, bias: T, data_format: text = none", bias_add, "nn.bias_add",
    "One number for each channel, the last axis (the second with NCHW), added everywhere.",
    "bias_add([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0])", batch=rows("value"), T="number",
    data_format=("N...C", "NC...", "NHWC", "NCHW", "NWC", "NCW", "NDHWC", "NCDHW"), flops=per_result())
row("l2_loss", "t: T", scalar(), "nn.l2_loss", "Half the sum of the squares, a scalar.",
    "l2_loss([3.0, 4.0])", batch=total("t"),
    T="float", flops=squares_halved)
row("l2_normalize", "x: T, axis: integers = none, epsilon: number = 1e-12", along_axis("x"),
    "nn.l2_normalize",
    "The elements divided by their L2 norm, over the axes given or all. The shape stays.",
    "l2_normalize([3.0, 4.0])", batch=along("axis", "x", 0),
    T="inexact")
row("moments", "x: T, axes: integers, keepdims: flag = false", moments, "nn.moments",
    "Mean and variance over the axes given.", "moments([[1.0, 2.0], [3.0, 4.0]], axes=[0])",
    outputs="mean variance", batch=along("axes", "x"),
    T="inexact int32 int64", flops=per_element("x", 4))
row("weighted_moments", "x: T, axes: integers, frequency_weights: T, keepdims: flag = false", weighted_moments,
    "nn.weighted_moments",
    "Mean and variance over the axes given, of elements that count as often as their weights say.",
    "weighted_moments([[1.0, 2.0], [3.0, 4.0]], [0], [[1.0], [3.0]])", outputs="mean variance", batch=whole, T="float")
row("sufficient_statistics", "x: T, axes: integers, shift: T? = none, keepdims: flag = false", statistics,
    "nn.sufficient_statistics",
    "How many elements there are along the axes given, their sum and the sum of their squares, all after "
    "`shift` is taken off.", "sufficient_statistics([[1.0, 2.0], [3.0, 4.0]], [0])",
    outputs="counts mean_ss variance_ss", batch=whole,
    lowered="special.statistics", T="inexact")
row("normalize_moments", "counts: T, mean_ss: T, variance_ss: T, shift: T? = none", normalized_moments,
    "nn.normalize_moments",
    "Mean and variance from what sufficient_statistics returns.",
    "normalize_moments(2.0, [4.0, 6.0], [10.0, 20.0])",
    outputs="mean variance", batch=whole, lowered="special.normalize_moments", T="inexact")
row("batch_normalization", "x: T, mean: T, variance: T, offset: T?, scale: T?, variance_epsilon: number",
    elementwise("x", "mean", "variance", "offset", "scale"), "nn.batch_normalization",
    "(x - mean) / sqrt(variance + variance_epsilon) * scale + offset, where all broadcast; `scale` and "
    "`offset` can be none.",
    "batch_normalization([[1.0, 2.0], [3.0, 4.0]], [2.0, 3.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0], "
    "0.001)", batch=each, lowered="special.batch_normalization",
    T="inexact", flops=normalized)
row("fused_batch_norm", "x: T, scale: T, offset: T, epsilon: number = 0.001, data_format: text = \"NHWC\", "
    "mean: T? = none, variance: T? = none, is_training: flag = true",
    fused_batch_norm, "nn.fused_batch_norm",
    "Each channel with mean 0 and variance 1 over the batch, scaled and shifted; then its mean and its "
    "variance. With `is_training=false`, the mean and the variance are those that are given. "
    f"{LAYOUT} NDHWC and NCDHW have one more axis.", f"fused_batch_norm({IMAGE}, [1.0], [0.0])",
    outputs="y mean variance", batch=whole,  # the statistics are no rows, also where they are given
    T="float32", data_format=(*WINDOWS[2]["data_format"], *WINDOWS[3]["data_format"]),
    flops=normalized_with_moments)
row("lrn", "input: T, depth_radius: integer = 5, bias: number = 1.0, alpha: number = 1.0, beta: number = 0.5",
    fixed_rank("input", 4), "nn.local_response_normalization",
    "Each element divided by the power `beta` of bias + alpha * (the sum of the squares of its neighbours in "
    "other channels, `depth_radius` on each side).", f"lrn({IMAGE})",
    batch=rows("input"), T="float16 bfloat16 float32", depth_radius=0)
row("embedding_lookup", "params: T, ids: U", gather_rows, "nn.embedding_lookup",
    "The rows of a table at the ids: the axes of `ids`, then those of a row.",
    "embedding_lookup([[1.0, 2.0], [3.0, 4.0]], [1, 0, 1])",
    batch=batch_take("params", "ids"), U="int16 int32 int64", gathers=("params",), flops=no_flops)
# fmt: on
