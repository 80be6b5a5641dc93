"""Convolutions and pools."""

from math import prod

from ..diagnostics import CHANNELS, DILATED, LENGTH, NEGATIVE, NOT_MULTIPLE, WINDOW
from ..types import Dim, TensorType
from .batch import of_shape, rows
from .flops import FlopCall, Flops, kernel_products
from .op import OpCall
from .row import table
from .rules import listed, number, product, replaced, same_size, wanted_rank

OPS, row = table("neural networks")


def per_axis(call: OpCall, param: str, spatial: int, whole: bool = False) -> tuple[int, ...]:
    """Strides, dilations or a window: a single number, one number per spatial axis, or one per axis of the input.
    With `whole`, only the last form is allowed."""
    values = listed(1 if call[param] is None else call[param])
    if whole and call[param] is not None and len(values) != spatial + 2:
        call.fail(LENGTH, param, param=param, wanted=spatial + 2, count=len(values))
    for value in values:
        if value < 1:
            call.fail(NEGATIVE, param, param=param, value=value, least=1)
    if len(values) == 1:
        return (values[0],) * spatial
    if len(values) == spatial:
        return tuple(values)
    if len(values) != spatial + 2:
        call.fail(LENGTH, param, param=param, wanted=f"1, {spatial} or {spatial + 2}", count=len(values))
    return tuple(values[2:] if channels_first(call) else values[1:-1])


def channels_first(call: OpCall) -> bool:
    return bool(call["data_format"]) and call["data_format"].startswith("NC")


def slid(call: OpCall, param: str, axis: int, window: Dim, stride: int, dilation: int = 1) -> Dim:
    """The number of positions of a window on an axis of the input."""
    return _windows(call, call[param], axis, window, stride, dilation, param)


def _windows(
    call: OpCall, type: TensorType, axis: int, window: Dim, stride: int, dilation: int = 1, param: str = "output_shape"
) -> Dim:
    """The number of positions of a window on an axis of a tensor. `param` is the argument with its sizes."""
    dim = type.shape[axis] if type.shape is not None else None
    size, window = number(call, dim), number(call, window)
    if call["padding"].upper() == "SAME":
        return dim if stride == 1 else None if size is None else -(-size // stride)
    if window is None:
        return None
    reach = (window - 1) * dilation + 1
    if reach == 1 and stride == 1:
        return dim
    if size is None:
        return None
    if size < reach:
        call.fail(WINDOW, param, window=reach, size=size, axis=axis, type=type)
    return (size - reach) // stride + 1


def _assembled(first: bool, batch: Dim, spatial: list[Dim], channels: Dim) -> tuple[Dim, ...]:
    return (batch, channels, *spatial) if first else (batch, *spatial, channels)


def _split(first: bool, shape: tuple[Dim, ...]) -> tuple[Dim, range, Dim]:
    """The batch size, the positions of the spatial axes and the channels of an input."""
    if first:
        return shape[0], range(2, len(shape)), shape[1]
    return shape[0], range(1, len(shape) - 1), shape[-1]


def conv(spatial: int, param: str = "input", kernel: str = "filter", strides: str = "strides", depthwise: bool = False):
    """A convolution over this many axes. A depthwise convolution keeps the input channels apart."""
    is_strict = depthwise or spatial == 3  # about strides, and for volumes about dilations

    def rule(call: OpCall) -> TensorType:
        shape = wanted_rank(call, param, spatial + 2)
        *window, taken, made = wanted_rank(call, kernel, spatial + 2)
        first = channels_first(call)
        batch, axes, channels = _split(first, shape)
        steps = per_axis(call, strides, spatial, is_strict)
        spread = per_axis(call, "dilations", spatial, spatial == 3)
        have, takes = number(call, channels), number(call, taken)
        # A grouped convolution processes a part of the channels at a time.
        clash = have is not None and takes is not None and (have != takes if depthwise else not takes or have % takes)
        if clash:
            call.fail(CHANNELS, param, kernel, a=param, left=have, b=kernel, right=takes)
        if not depthwise and have and takes and (number(call, made) or 0) % (have // takes):
            call.fail(NOT_MULTIPLE, kernel, factor=have // takes, axis=spatial + 1, type=call[kernel], size=made)
        is_open = depthwise and call["padding"].upper() == "SAME" and set(spread) != {1}
        if is_open and None in (number(call, dim) for dim in (*window, taken, made)):
            call.fail(DILATED, kernel, param=kernel, type=call[kernel])
        sizes = [slid(call, param, *parts) for parts in zip(axes, window, steps, spread)]
        result = product(call, (taken if have is None else have, made)) if depthwise else made
        return TensorType(call.dtype("T"), _assembled(first, batch, sizes, result))

    return rule


def separable_conv(call: OpCall) -> TensorType:
    """A depthwise convolution, then a convolution of single pixels."""
    depthwise = conv(2, "input", "depthwise_filter", depthwise=True)(call).shape or (None,) * 4
    height, width, taken, made = wanted_rank(call, "pointwise_filter", 4)
    same_size(call, height, 1, "pointwise_filter")
    same_size(call, width, 1, "pointwise_filter")
    first = channels_first(call)
    batch, axes, channels = _split(first, depthwise)
    if number(call, channels) is not None and number(call, taken) is not None:
        given = {"a": "the depthwise result", "b": "pointwise_filter"}
        call.same(channels, taken, CHANNELS, "pointwise_filter", **given)
    return TensorType(call.dtype("T"), _assembled(first, batch, [depthwise[i] for i in axes], made))


def conv_transpose(spatial: int, param: str = "value", kernel: str = "filter"):
    """The requested shape. It cannot be computed from the gradient of a convolution."""

    def rule(call: OpCall) -> TensorType:
        given = wanted_rank(call, param, spatial + 2)
        *window, made, taken = wanted_rank(call, kernel, spatial + 2)
        steps, first = per_axis(call, "strides", spatial), channels_first(call)
        batch, axes, channels = _split(first, given)
        same_size(call, channels, taken, param, kernel)
        shape = call.shape("output_shape")
        if shape is not None and len(shape) != spatial + 2:
            call.fail(LENGTH, "output_shape", param="output_shape", wanted=spatial + 2, count=len(shape))
        if shape is None or call.known("output_shape") is None:
            # For volumes, the kernel makes the batch size and channels that the shape gives, without a check.
            return TensorType(call.dtype("T"), (batch if spatial < 3 else None, *(None,) * (spatial + 1)))
        shape = (batch if shape[0] == -1 else shape[0], *shape[1:])
        for dim in shape:
            if (number(call, dim) or 0) < 0:
                call.fail(NEGATIVE, "output_shape", param="output_shape", value=dim, least=0)
        wanted = TensorType(call.dtype("T"), shape)
        for axis, size, step in zip(axes, window, steps):
            same_size(call, given[axis], _windows(call, wanted, axis, size, step), param, "output_shape")
        same_size(call, shape[0], batch, "output_shape", param)
        axis = 1 if first else spatial + 1
        return TensorType(call.dtype("T"), replaced(shape, axis, same_size(call, shape[axis], made, kernel)))

    return rule


def pool(spatial: int, param: str = "value"):
    """The largest or mean value of each window."""

    def rule(call: OpCall) -> TensorType:
        shape = wanted_rank(call, param, spatial + 2)
        first = channels_first(call)
        batch, axes, channels = _split(first, shape)
        windows, steps = per_axis(call, "ksize", spatial), per_axis(call, "strides", spatial)
        sizes = [slid(call, param, *parts) for parts in zip(axes, windows, steps)]
        return TensorType(call.dtype("T"), _assembled(first, batch, sizes, channels))

    return rule


def separable(call: FlopCall) -> int:
    """Those of both convolutions. The first makes an image of the same height and width."""
    *_, channels, multiplier = window = call.shape("depthwise_filter")
    places = call.made // max(call.shape("pointwise_filter")[-1], 1)
    return 2 * places * prod(window) + 2 * call.made * channels * multiplier


def spread(name: str, kernel: str) -> Flops:
    """A product and a sum for each element of the kernel at each place of an argument."""
    return lambda call: 2 * call.count(name) * prod(call.shape(kernel)[:-1])


def pooled(call: FlopCall) -> int:
    """One for each element of a window."""
    sizes = call.numbers("ksize")
    return call.made * (sizes[0] ** (len(call.result) - 2) if len(sizes) == 1 else prod(sizes))


# fmt: off
IMAGE = "[[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]], [[7.0], [8.0], [9.0]]]]"
_SERIES = "[[[1.0], [2.0], [3.0], [4.0]]]"
_VOLUME = "[[[[[1.0], [2.0]], [[3.0], [4.0]]], [[[5.0], [6.0]], [[7.0], [8.0]]]]]"
LAYOUT = "Inputs are [batch, height, width, channels], with NCHW [batch, channels, height, width]."
_PADDING = "`padding` is \"SAME\" (zeros around, size / stride rounded up) or \"VALID\" (whole windows only)."
WINDOWS = {  # their allowed options, by the number of axes that they slide along
    axes: {"padding": ("SAME", "VALID"), "data_format": formats}
    for axes, formats in {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}.items()
}

row("conv2d", "input: T, filter: T, strides: integers, padding: text, data_format: text = \"NHWC\", "
    "dilations: integers = [1, 1, 1, 1]", conv(2), "nn.conv2d",
    f"A convolution with filters [height, width, channels in, channels out]. {LAYOUT} {_PADDING}",
    f"conv2d({IMAGE}, [[[[1.0, 2.0]], [[3.0, 4.0]]]], strides=1, padding=\"VALID\")", product=True, batch=rows("input"),
    T="float int32", ranks={"input": 4}, windows=("input", "filter"), **WINDOWS[2], flops=kernel_products("filter"))
row("depthwise_conv2d", "input: T, filter: T, strides: integers, padding: text, data_format: text = "
    "\"NHWC\", dilations: integers = none", conv(2, depthwise=True), "nn.depthwise_conv2d",
    "A convolution of each channel by itself, with filters [height, width, channels in, multiplier]: the "
    f"result has channels * multiplier channels. {LAYOUT} {_PADDING}",
    f"depthwise_conv2d({IMAGE}, [[[[1.0, 2.0]], [[3.0, 4.0]]]], strides=[1, 2, 2, 1], padding=\"SAME\")",
    product=True, batch=rows("input"),
    T="float", ranks={"input": 4}, windows=("input", "filter"), **WINDOWS[2], flops=kernel_products("filter", 2))
row("separable_conv2d", "input: T, depthwise_filter: T, pointwise_filter: T, strides: integers, padding: "
    "text, data_format: text = \"NHWC\", dilations: integers = none",
    separable_conv, "nn.separable_conv2d",
    f"depthwise_conv2d, then a conv2d with filters [1, 1, channels in, channels out]. {LAYOUT} {_PADDING}",
    f"separable_conv2d({IMAGE}, [[[[1.0, 2.0]]]], [[[[1.0], [2.0]]]], strides=[1, 1, 1, 1], "
    "padding=\"SAME\")",
    batch=rows("input"), T="float", ranks={"input": 4, "pointwise_filter": (1, 1, None, None)},
    windows=("input", "depthwise_filter"), **WINDOWS[2], flops=separable)
row("conv1d", "value: T, filters: T, stride: integers, padding: text, data_format: text = \"NWC\", "
    "dilations: integers = none", conv(1, "value", "filters", "stride"), "nn.conv1d",
    "A convolution of series [batch, width, channels] with filters [width, channels in, channels out]. "
    f"{_PADDING}",
    f"conv1d({_SERIES}, [[[1.0]], [[2.0]]], stride=1, padding=\"VALID\")", batch=rows("value"), T="float int32",
    product=True, ranks={"value": 3}, windows=("value", "filters"), padding=("SAME", "VALID"),
    data_format=("NWC", "NCW", "NHWC", "NCHW"), flops=kernel_products("filters"))
row("conv3d", "input: T, filter: T, strides: integers, padding: text, data_format: text = \"NDHWC\", "
    "dilations: integers = [1, 1, 1, 1, 1]", conv(3), "nn.conv3d",
    "A convolution of volumes [batch, depth, height, width, channels] with filters [depth, height, width, "
    f"channels in, channels out]. {_PADDING}",
    f"conv3d({_VOLUME}, [[[[[1.0]]]]], strides=[1, 1, 1, 1, 1], padding=\"SAME\")", batch=rows("input"), T="float",
    product=True, ranks={"input": 5}, windows=("input", "filter"), **WINDOWS[3], flops=kernel_products("filter"))
row("conv2d_transpose", "value: T, filter: T, output_shape: shape, strides: integers, padding: text = "
    "\"SAME\", data_format: text = \"NHWC\"", conv_transpose(2), "nn.conv2d_transpose",
    "The gradient of conv2d, which makes images larger, with filters [height, width, channels out, channels "
    f"in]. The result has the requested shape. {LAYOUT}",
    f"conv2d_transpose({IMAGE}, [[[[1.0]]]], [1, 6, 6, 1], strides=2)",
    batch=of_shape("output_shape", "value"), T="float int32",
    ranks={"output_shape": (4,)}, sized="output_shape", **WINDOWS[2], flops=spread("value", "filter"))
row("conv1d_transpose", "input: T, filters: T, output_shape: shape, strides: integers, padding: text = "
    "\"SAME\", data_format: text = \"NWC\"", conv_transpose(1, "input", "filters"), "nn.conv1d_transpose",
    "The gradient of conv1d, which makes series longer, with filters [width, channels out, channels in]. The "
    "result has the shape asked for.",
    f"conv1d_transpose({_SERIES}, [[[1.0]]], [1, 8, 1], strides=2)",
    batch=of_shape("output_shape", "input"), T="float int32",
    ranks={"output_shape": (3,)}, sized="output_shape", **WINDOWS[1], flops=spread("input", "filters"))
row("conv3d_transpose", "value: T, filter: T, output_shape: shape, strides: integers, padding: text = "
    "\"SAME\", data_format: text = \"NDHWC\"", conv_transpose(3), "nn.conv3d_transpose",
    "The gradient of conv3d, which makes volumes larger, with filters [depth, height, width, channels out, "
    "channels in]. The result has the requested shape.",
    f"conv3d_transpose({_VOLUME}, [[[[[1.0]]]]], [1, 4, 4, 4, 1], strides=2)",
    batch=of_shape("output_shape", "value"), T="float",
    ranks={"output_shape": (5,)}, sized="output_shape", **WINDOWS[3], flops=spread("value", "filter"))
for _name, _what in (("max_pool", "largest value"), ("avg_pool", "mean")):
    _dtypes = "float" if _name == "avg_pool" else "float int32 int64 uint8 int16 int8 uint16"
    row(_name, "value: T, ksize: integers, strides: integers, padding: text, data_format: text = \"NHWC\"",
        pool(2),
        f"nn.{_name}", f"The {_what} of each window of `ksize`. {LAYOUT} {_PADDING}",
        f"{_name}({IMAGE}, ksize=2, strides=2, padding=\"SAME\")", batch=rows("value"), T=_dtypes, keeps_zero=True,
        windows=("value", "ksize"), flops=pooled, **WINDOWS[2])
    row(f"{_name}1d", "input: T, ksize: integers, strides: integers, padding: text, data_format: text = "
        "\"NWC\"",
        pool(1, "input"), f"nn.{_name}1d",
        f"The {_what} of each window of `ksize` of series [batch, width, channels]. {_PADDING}",
        f"{_name}1d({_SERIES}, ksize=2, strides=2, padding=\"VALID\")", batch=rows("input"), T=_dtypes,
        windows=("input", "ksize"), flops=pooled, **WINDOWS[1])
    row(f"{_name}3d", "input: T, ksize: integers, strides: integers, padding: text, data_format: text = "
        "\"NDHWC\"",
        pool(3, "input"), f"nn.{_name}3d",
        f"The {_what} of each window of `ksize` of volumes [batch, depth, height, width, channels]. "
        f"{_PADDING}",
        f"{_name}3d({_VOLUME}, ksize=2, strides=1, padding=\"SAME\")", batch=rows("input"),
        T="float" if _name == "avg_pool" else "float16 bfloat16 float32", ranks={"input": 5},
        windows=("input", "ksize"), flops=pooled, **WINDOWS[3])
# fmt: on
