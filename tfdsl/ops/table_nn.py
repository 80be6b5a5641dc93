"""Rows of the op table: activations, convolutions, pools, normalisation and losses."""

from . import shapes
from . import shapes_index as index
from . import shapes_nn as nn
from .row import table
from .shapes import along_axis, elementwise, like

ROWS, row = table("neural networks")

# --- Activations ------------------------------------------------------------------------------
# name, what one element becomes, dtypes
_ACTIVATIONS = (
    ("relu", "itself, or 0 where it is negative", "real"),
    ("relu6", "itself, moved to the nearest value between 0 and 6", "real"),
    ("elu", "itself, or exp(x) - 1 where it is negative", "float"),
    ("selu", "a scaled elu, which keeps mean 0 and variance 1 through layers", "float"),
    ("softplus", "log(1 + exp(x)), a smooth relu", "float"),
    ("softsign", "x / (1 + abs(x)), between -1 and 1", "float"),
)
for _name, _what, _dtypes in _ACTIVATIONS:
    row(_name, "features: T", like("features"), f"nn.{_name}", f"Each element becomes {_what}.",
        f"{_name}([-1.0, 2.0])", T=_dtypes)
row("leaky_relu", "features: T, alpha: number = 0.2", like("features"), "nn.leaky_relu",
    "Each element becomes itself, or `alpha` times itself where it is negative.",
    "leaky_relu([-1.0, 2.0], alpha=0.1)",
    T="float")
row("gelu", "features: T, approximate: flag = false", like("features"), "compat.v2.nn.gelu",
    "Each element becomes itself times the chance that a standard normal is below it; `approximate` uses tanh.",
    "gelu([-1.0, 2.0])", T="float")
for _name in ("swish", "silu"):
    row(_name, "features: T, beta: number = 1.0", like("features"), f"nn.{_name}",
        "Each element becomes x * sigmoid(beta * x).", f"{_name}([-1.0, 2.0])", named=False, T="inexact")
row("crelu", "features: T, axis: integer = -1", nn.crelu, "nn.crelu",
    "relu(x) and relu(-x) one behind the other on an axis, which becomes twice as long.",
    "crelu([[-1.0, 2.0]])",
    T="float int8 int16 int32 int64")
for _name, _what in (
    ("softmax", "shares that add up to 1"), ("log_softmax", "the logarithms of shares that add up to 1"),
):
    row(_name, "logits: T, axis: integer = none", nn.softmax, f"nn.{_name}",
        f"The elements of an axis (the last unless given) as {_what}. The shape stays.",
        f"{_name}([[1.0, 2.0], [3.0, 4.0]])", applies="softmax", T="float")
row("dropout", "x: T, keep_prob: T? = none, noise_shape: shape? = none, seed: integer = none, rate: T? = "
    "none",
    nn.dropout, "nn.dropout",
    "A share of the elements, `rate` or 1 - `keep_prob`, becomes 0; the others grow so that the mean stays.",
    "dropout([1.0, 2.0, 3.0], rate=0.5, seed=1)", modes="keep_prob rate", T="float")

# --- Windows ----------------------------------------------------------------------------------
_IMAGE = "[[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]], [[7.0], [8.0], [9.0]]]]"
_SERIES = "[[[1.0], [2.0], [3.0], [4.0]]]"
_VOLUME = "[[[[[1.0], [2.0]], [[3.0], [4.0]]], [[[5.0], [6.0]], [[7.0], [8.0]]]]]"
_LAYOUT = "Inputs are [batch, height, width, channels], with NCHW [batch, channels, height, width]."
_PADDING = "`padding` is \"SAME\" (zeros around, size / stride rounded up) or \"VALID\" (whole windows only)."
_WINDOWS = {  # what they take as options, by the number of axes that they slide along
    axes: {"padding": ("SAME", "VALID"), "data_format": formats}
    for axes, formats in {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}.items()
}

row("conv2d", "input: T, filter: T, strides: integers, padding: text, data_format: text = \"NHWC\", "
    "dilations: integers = [1, 1, 1, 1]", nn.conv(2), "nn.conv2d",
    f"A convolution with filters [height, width, channels in, channels out]. {_LAYOUT} {_PADDING}",
    f"conv2d({_IMAGE}, [[[[1.0, 2.0]], [[3.0, 4.0]]]], strides=1, padding=\"VALID\")",
    T="float int32", ranks={"input": 4}, **_WINDOWS[2])
row("depthwise_conv2d", "input: T, filter: T, strides: integers, padding: text, data_format: text = "
    "\"NHWC\", dilations: integers = none", nn.conv(2, depthwise=True), "nn.depthwise_conv2d",
    "A convolution of each channel by itself, with filters [height, width, channels in, multiplier]: the "
    f"result has channels * multiplier channels. {_LAYOUT} {_PADDING}",
    f"depthwise_conv2d({_IMAGE}, [[[[1.0, 2.0]], [[3.0, 4.0]]]], strides=[1, 2, 2, 1], padding=\"SAME\")",
    T="float", ranks={"input": 4}, **_WINDOWS[2])
row("separable_conv2d", "input: T, depthwise_filter: T, pointwise_filter: T, strides: integers, padding: "
    "text, data_format: text = \"NHWC\", dilations: integers = none",
    nn.separable_conv, "nn.separable_conv2d",
    f"depthwise_conv2d, then a conv2d with filters [1, 1, channels in, channels out]. {_LAYOUT} {_PADDING}",
    f"separable_conv2d({_IMAGE}, [[[[1.0, 2.0]]]], [[[[1.0], [2.0]]]], strides=[1, 1, 1, 1], "
    "padding=\"SAME\")", T="float", ranks={"input": 4, "pointwise_filter": (1, 1, None, None)}, **_WINDOWS[2])
row("conv1d", "value: T, filters: T, stride: integers, padding: text, data_format: text = \"NWC\", "
    "dilations: integers = none", nn.conv(1, "value", "filters", "stride"), "nn.conv1d",
    "A convolution of series [batch, width, channels] with filters [width, channels in, channels out]. "
    f"{_PADDING}",
    f"conv1d({_SERIES}, [[[1.0]], [[2.0]]], stride=1, padding=\"VALID\")", T="float int32",
    ranks={"value": 3}, padding=("SAME", "VALID"),
    data_format=("NWC", "NCW", "NHWC", "NCHW"))
row("conv3d", "input: T, filter: T, strides: integers, padding: text, data_format: text = \"NDHWC\", "
    "dilations: integers = [1, 1, 1, 1, 1]", nn.conv(3), "nn.conv3d",
    "A convolution of volumes [batch, depth, height, width, channels] with filters [depth, height, width, "
    f"channels in, channels out]. {_PADDING}",
    f"conv3d({_VOLUME}, [[[[[1.0]]]]], strides=[1, 1, 1, 1, 1], padding=\"SAME\")", T="float",
    ranks={"input": 5}, **_WINDOWS[3])
row("conv2d_transpose", "value: T, filter: T, output_shape: shape, strides: integers, padding: text = "
    "\"SAME\", data_format: text = \"NHWC\"", nn.conv_transpose(2), "nn.conv2d_transpose",
    "The gradient of conv2d, which makes images larger, with filters [height, width, channels out, channels "
    f"in]. The result has the shape asked for. {_LAYOUT}",
    f"conv2d_transpose({_IMAGE}, [[[[1.0]]]], [1, 6, 6, 1], strides=2)", T="float int32",
    ranks={"output_shape": (4,)}, sized="output_shape", **_WINDOWS[2])
row("conv1d_transpose", "input: T, filters: T, output_shape: shape, strides: integers, padding: text = "
    "\"SAME\", data_format: text = \"NWC\"", nn.conv_transpose(1, "input", "filters"), "nn.conv1d_transpose",
    "The gradient of conv1d, which makes series longer, with filters [width, channels out, channels in]. The "
    "result has the shape asked for.",
    f"conv1d_transpose({_SERIES}, [[[1.0]]], [1, 8, 1], strides=2)", T="float int32",
    ranks={"output_shape": (3,)}, sized="output_shape", **_WINDOWS[1])
row("conv3d_transpose", "value: T, filter: T, output_shape: shape, strides: integers, padding: text = "
    "\"SAME\", data_format: text = \"NDHWC\"", nn.conv_transpose(3), "nn.conv3d_transpose",
    "The gradient of conv3d, which makes volumes larger, with filters [depth, height, width, channels out, "
    "channels in]. The result has the shape asked for.",
    f"conv3d_transpose({_VOLUME}, [[[[[1.0]]]]], [1, 4, 4, 4, 1], strides=2)", T="float",
    ranks={"output_shape": (5,)}, sized="output_shape", **_WINDOWS[3])
for _name, _what in (("max_pool", "largest value"), ("avg_pool", "mean")):
    _dtypes = "float" if _name == "avg_pool" else "float int32 int64 uint8 int16 int8 uint16"
    row(_name, "value: T, ksize: integers, strides: integers, padding: text, data_format: text = \"NHWC\"",
        nn.pool(2),
        f"nn.{_name}", f"The {_what} of each window of `ksize`. {_LAYOUT} {_PADDING}",
        f"{_name}({_IMAGE}, ksize=2, strides=2, padding=\"SAME\")", T=_dtypes, **_WINDOWS[2])
    row(f"{_name}1d", "input: T, ksize: integers, strides: integers, padding: text, data_format: text = "
        "\"NWC\"",
        nn.pool(1, "input"), f"nn.{_name}1d",
        f"The {_what} of each window of `ksize` of series [batch, width, channels]. {_PADDING}",
        f"{_name}1d({_SERIES}, ksize=2, strides=2, padding=\"VALID\")", T=_dtypes, **_WINDOWS[1])
    row(f"{_name}3d", "input: T, ksize: integers, strides: integers, padding: text, data_format: text = "
        "\"NDHWC\"",
        nn.pool(3, "input"), f"nn.{_name}3d",
        f"The {_what} of each window of `ksize` of volumes [batch, depth, height, width, channels]. "
        f"{_PADDING}",
        f"{_name}3d({_VOLUME}, ksize=2, strides=1, padding=\"SAME\")",
        T="float" if _name == "avg_pool" else "float16 bfloat16 float32", ranks={"input": 5}, **_WINDOWS[3])

# --- Biases and normalisation -----------------------------------------------------------------
row("bias_add", "value: T, bias: T, data_format: text = none", nn.bias_add, "nn.bias_add",
    "One number for each channel, the last axis (the second with NCHW), added everywhere.",
    "bias_add([[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0])", T="number",
    data_format=("N...C", "NC...", "NHWC", "NCHW", "NWC", "NCW", "NDHWC", "NCDHW"))
row("l2_loss", "t: T", shapes.scalar(), "nn.l2_loss", "Half the sum of the squares, a scalar.",
    "l2_loss([3.0, 4.0])",
    T="float")
row("l2_normalize", "x: T, axis: integers = none, epsilon: number = 1e-12", along_axis("x"),
    "nn.l2_normalize",
    "The elements divided by their L2 norm, over the axes given or all. The shape stays.",
    "l2_normalize([3.0, 4.0])",
    T="inexact")
row("moments", "x: T, axes: integers, keepdims: flag = false", shapes.moments, "nn.moments",
    "Mean and variance over the axes given.", "moments([[1.0, 2.0], [3.0, 4.0]], axes=[0])",
    T="inexact int32 int64")
row("batch_normalization", "x: T, mean: T, variance: T, offset: T?, scale: T?, variance_epsilon: number",
    elementwise("x", "mean", "variance", "offset", "scale"), "nn.batch_normalization",
    "(x - mean) / sqrt(variance + variance_epsilon) * scale + offset, where all broadcast; `scale` and "
    "`offset` may be none.",
    "batch_normalization([[1.0, 2.0], [3.0, 4.0]], [2.0, 3.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0], "
    "0.001)", special=True,
    T="inexact")
row("fused_batch_norm", "x: T, scale: T, offset: T, epsilon: number = 0.001, data_format: text = \"NHWC\"",
    nn.fused_batch_norm, "nn.fused_batch_norm",
    "Each channel with mean 0 and variance 1 over the batch, scaled and shifted; then its mean and its "
    f"variance. {_LAYOUT} NDHWC and NCDHW have an axis more.", f"fused_batch_norm({_IMAGE}, [1.0], [0.0])",
    T="float32", data_format=(*_WINDOWS[2]["data_format"], *_WINDOWS[3]["data_format"]))
row("lrn", "input: T, depth_radius: integer = 5, bias: number = 1.0, alpha: number = 1.0, beta: number = 0.5",
    nn.fixed_rank("input", 4), "nn.local_response_normalization",
    "Each element divided by the power `beta` of bias + alpha * (the sum of the squares of its neighbours in "
    "other channels, `depth_radius` on each side).", f"lrn({_IMAGE})", T="float16 bfloat16 float32")
row("embedding_lookup", "params: T, ids: U", index.gather_rows, "nn.embedding_lookup",
    "The rows of a table at the ids: the axes of `ids`, then those of a row.",
    "embedding_lookup([[1.0, 2.0], [3.0, 4.0]], [1, 0, 1])", U="int16 int32 int64", gathers=("params",))

# --- Losses -----------------------------------------------------------------------------------
row("in_top_k", "predictions: float32, targets: U, k: integer", index.in_top_k, "nn.in_top_k",
    "For each row whether its target is among its `k` largest predictions: [n, classes] and [n] is bool [n].",
    "in_top_k([[0.1, 0.9], [0.8, 0.2]], [1, 1], 1)", in_nn="nn.top_k_accuracy", U="int32 int64")
row("sparse_softmax_cross_entropy_with_logits", "*, labels: U, logits: T", nn.sparse_cross_entropy,
    "nn.sparse_softmax_cross_entropy_with_logits",
    "The cross entropy of softmax(logits) for labels that are class numbers: [n] and [n, classes] is [n].",
    "sparse_softmax_cross_entropy_with_logits(labels=[1, 0], logits=[[1.0, 2.0], [3.0, 4.0]])", applies="softmax",
    in_nn="nn.sparse_softmax_cross_entropy", T="float", U="int32 int64")
for _name, _axis, _fixed in (
    ("softmax_cross_entropy_with_logits_v2", "axis: integer = none", ""),
    ("softmax_cross_entropy_with_logits", "dim: integer = -1", "labels"),
):
    row(_name, f"*, labels: T, logits: T, {_axis}", nn.cross_entropy(_axis.partition(":")[0]), f"nn.{_name}",
        "The cross entropy of softmax(logits) for labels that are shares: [n, classes] twice is [n].",
        f"{_name}(labels=[[0.0, 1.0]], logits=[[1.0, 2.0]])", no_gradient=_fixed, applies="softmax", T="float")
row("sigmoid_cross_entropy_with_logits", "*, labels: T, logits: T", nn.paired("labels", "logits"),
    "nn.sigmoid_cross_entropy_with_logits",
    "Element by element the cross entropy of sigmoid(logits). Both have one shape.",
    "sigmoid_cross_entropy_with_logits(labels=[0.0, 1.0], logits=[-1.0, 2.0])", applies="sigmoid", T="float")
row("weighted_cross_entropy_with_logits", "*, labels: T, logits: T, pos_weight: T", nn.weighted_cross_entropy,
    "nn.weighted_cross_entropy_with_logits",
    "As sigmoid_cross_entropy_with_logits, with the positive labels weighted.",
    "weighted_cross_entropy_with_logits(labels=[0.0, 1.0], logits=[-1.0, 2.0], pos_weight=2.0)",
    applies="sigmoid", T="float")
row("log_poisson_loss", "targets: T, log_input: T, compute_full_loss: flag = false",
    nn.log_poisson_loss,
    "nn.log_poisson_loss", "Element by element the log-likelihood loss of counts, given the logarithm of "
    "their mean.",
    "log_poisson_loss([1.0, 2.0], [0.0, 0.5])", T="inexact")
for _name, _what in (
    ("nce_loss", "Noise-contrastive estimation"), ("sampled_softmax_loss", "The cross entropy of softmax"),
):
    row(_name, "weights: T, biases: T, labels: int64, inputs: T, num_sampled: integer, num_classes: integer, "
        f"num_true: integer = 1, remove_accidental_hits: flag = {'false' if _name == 'nce_loss' else 'true'}",
        nn.sampled_loss, f"nn.{_name}",
        f"{_what} with `num_sampled` classes drawn for the whole batch, for training with very many classes: "
        "`weights` is [classes, n], `biases` [classes], `labels` [batch, num_true], `inputs` [batch, n], and the "
        "result [batch].",
        f"{_name}([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0.0, 0.0, 0.0], [[0], [2]], [[1.0, 1.0], [2.0, 2.0]], "
        "num_sampled=1, num_classes=3)", T="float32", num_sampled=1, num_classes=1, num_true=1,
        classes=("weights", "biases"), gathers=("weights", "biases"))
_LOSS = "the mean over all elements, a float32 scalar. It also joins the graph's collection of losses."
for _name, _what in (
    ("mean_squared_error", "The squared error"), ("absolute_difference", "The absolute error"),
    ("huber_loss", "The squared error where it is small, the absolute one where it is large"),
    ("log_loss", "The log loss of predictions between 0 and 1"),
):
    row(_name, "labels: T, predictions: T", nn.paired_loss("labels", "predictions"), f"losses.{_name}",
        f"{_what}: {_LOSS}", f"{_name}([1.0, 0.0], [0.8, 0.3])", named=False, T="float")
row("hinge_loss", "labels: T, logits: T", nn.paired_loss("labels", "logits"), "losses.hinge_loss",
    f"The hinge loss of labels that are 0 or 1: {_LOSS}", "hinge_loss([1.0, 0.0], [0.8, -0.3])", named=False,
    T="float")
