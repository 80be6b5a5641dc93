"""Shape rules of neural networks: convolutions, pools, losses, and of images."""

from ..diagnostics import (
    BROADCAST_TO,
    CHANNELS,
    DILATED,
    KEEP_PROB,
    LENGTH,
    NEEDED,
    NEGATIVE,
    NOT_MULTIPLE,
    ONE_CLASS,
    ONE_OF,
    OPTION,
    RANK,
    ROWS_FEW,
    WINDOW,
)
from ..limits import MAX_AXES
from ..types import FLOAT32, Dim, Shape, TensorType, shape_text
from .op import Call
from .shapes import (
    along_axis,
    axis_in,
    broadcast,
    broadcast_shapes,
    clear_rank,
    least_rank,
    listed,
    merge,
    number,
    product,
    replaced,
    same_size,
    wanted_rank,
    without,
)
from .shapes_array import given_shape

# --- Windows ----------------------------------------------------------------------------------


def per_axis(call: Call, param: str, spatial: int, whole: bool = False) -> tuple[int, ...]:
    """Strides, dilations or a window: one number, one a spatial axis, or one for each axis of the input, which is the
    only way where so."""
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


def channels_first(call: Call) -> bool:
    return bool(call["data_format"]) and call["data_format"].startswith("NC")


def slid(call: Call, param: str, axis: int, window: Dim, stride: int, dilation: int = 1) -> Dim:
    """How often a window fits on an axis of the input."""
    return _windows(call, call[param], axis, window, stride, dilation, param)


def _windows(
    call: Call, type: TensorType, axis: int, window: Dim, stride: int, dilation: int = 1, param: str = "output_shape"
) -> Dim:
    """How often a window fits on an axis of a tensor; `param` is the argument that says its sizes."""
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
    """Batch size, positions of the spatial axes and channels of an input."""
    if first:
        return shape[0], range(2, len(shape)), shape[1]
    return shape[0], range(1, len(shape) - 1), shape[-1]


def conv(spatial: int, param: str = "input", kernel: str = "filter", strides: str = "strides", depthwise: bool = False):
    """A convolution over this many axes; a depthwise one keeps the input's channels apart."""
    is_strict = depthwise or spatial == 3  # about strides and, where it is for volumes, about dilations

    def rule(call: Call) -> TensorType:
        shape = wanted_rank(call, param, spatial + 2)
        *window, taken, made = wanted_rank(call, kernel, spatial + 2)
        first = channels_first(call)
        batch, axes, channels = _split(first, shape)
        steps = per_axis(call, strides, spatial, is_strict)
        spread = per_axis(call, "dilations", spatial, spatial == 3)
        have, takes = number(call, channels), number(call, taken)
        # A grouped convolution takes a part of the channels at a time.
        if None not in (have, takes) and (have != takes if depthwise else takes == 0 or have % takes):
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


def separable_conv(call: Call) -> TensorType:
    """A depthwise convolution, then one of single pixels."""
    depthwise = conv(2, "input", "depthwise_filter", depthwise=True)(call).shape
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
    """The shape asked for, which the gradient of a convolution cannot work out."""

    def rule(call: Call) -> TensorType:
        given = wanted_rank(call, param, spatial + 2)
        *window, made, taken = wanted_rank(call, kernel, spatial + 2)
        steps, first = per_axis(call, "strides", spatial), channels_first(call)
        batch, axes, channels = _split(first, given)
        same_size(call, channels, taken, param, kernel)
        shape = call.shape("output_shape")
        if shape is not None and len(shape) != spatial + 2:
            call.fail(LENGTH, "output_shape", param="output_shape", wanted=spatial + 2, count=len(shape))
        if shape is None or call.known("output_shape") is None:
            # For volumes, the kernel makes as many as the shape says, however many there are.
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

    def rule(call: Call) -> TensorType:
        shape = wanted_rank(call, param, spatial + 2)
        first = channels_first(call)
        batch, axes, channels = _split(first, shape)
        windows, steps = per_axis(call, "ksize", spatial), per_axis(call, "strides", spatial)
        sizes = [slid(call, param, *parts) for parts in zip(axes, windows, steps)]
        return TensorType(call.dtype("T"), _assembled(first, batch, sizes, channels))

    return rule


def bias_add(call: Call) -> TensorType:
    """One number a channel, added everywhere."""
    shape, (channels,) = least_rank(call, "value", 3 if channels_first(call) else 2), wanted_rank(call, "bias", 1)
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis = 1 if channels_first(call) else len(shape) - 1
    both = same_size(call, shape[axis], channels, "value", "bias")
    return TensorType(call.dtype("T"), replaced(shape, axis, both))


def softmax(call: Call) -> TensorType:
    """The shape stays; an axis other than the last can only be found in a known rank."""
    if call["axis"] not in (None, -1):
        clear_rank(call, "logits")
    result = along_axis("logits", 1)(call)
    doubt_one_class(call, result.shape)
    return result


def doubt_one_class(call: Call, shape: Shape, axis: str = "axis") -> None:
    """Doubt shares of one class alone."""
    if shape and number(call, shape[-1 if call.arguments.get(axis) is None else call[axis]]) == 1:
        call.warn(ONE_CLASS, "logits", type=call["logits"], result="each share is 1")


def crelu(call: Call) -> TensorType:
    """Twice as long on one axis."""
    shape = call["features"].shape
    if shape is not None:
        axis = axis_in(call, call["axis"], len(shape), "features")
        shape = replaced(shape, axis, product(call, (shape[axis], 2)))
    return TensorType(call.dtype("T"), shape)


def dropout(call: Call) -> TensorType:
    """The tensor's own shape; the share to keep or to drop must be given, one of them."""
    given = [name for name in ("keep_prob", "rate") if call[name] is not None]
    if len(given) != 1:
        call.fail(ONE_OF, *given, first="keep_prob", second="rate")
    wanted_rank(call, given[0], 0)
    if "keep_prob" in call.by_position:
        call.warn(KEEP_PROB, "keep_prob")
    value = call.known(given[0])
    if value is not None and not 0 <= (value if given[0] == "rate" else 1 - value) < 1:
        allowed = "0 up to, but not, 1" if given[0] == "rate" else "more than 0 and up to 1"
        call.fail(OPTION, given[0], param=given[0], value=value, allowed=allowed)
    kept = None if call["noise_shape"] is None else call.shape("noise_shape")
    # What is kept or dropped together: all of an axis for size 1 or without one, else each by itself.
    shape = call["x"].shape if kept is None else least_rank(call, "x", len(kept))
    for dim, size in zip(reversed(shape or ()), reversed(kept or ())):
        if number(call, size) not in (None, 1):
            same_size(call, dim, size, "x", "noise_shape")
    return call["x"]


# --- Losses -----------------------------------------------------------------------------------


def sparse_cross_entropy(call: Call) -> TensorType:
    """One label and one loss for each row of logits."""
    labels, logits = call["labels"].shape, least_rank(call, "logits", 1)
    if logits is None or labels is None:
        return TensorType(call.dtype("T"), labels if logits is None else logits[:-1])
    if len(labels) != len(logits) - 1:
        call.fail(RANK, "labels", "logits", param="labels", wanted=len(logits) - 1, type=call["labels"])
    doubt_one_class(call, logits)
    rows = tuple(same_size(call, a, b, "labels", "logits") for a, b in zip(labels, logits))
    return TensorType(call.dtype("T"), rows)


def cross_entropy(axis: str = "axis"):
    """One loss for each row of logits."""

    def rule(call: Call) -> TensorType:
        shape = call["logits"].shape
        if (call[axis] or 0) < -1:  # TensorFlow counts no other axis from the end
            call.fail(NEGATIVE, axis, param=axis, value=call[axis], least=-1)
        if shape is None:
            return TensorType(call.dtype("T"), None)
        position = axis_in(call, -1 if call[axis] is None else call[axis], len(shape), "logits")
        shape = merge(call, call["labels"].shape, shape, "labels", "logits")
        doubt_one_class(call, shape, axis)
        return TensorType(call.dtype("T"), without(shape, [position]))

    return rule


def sampled_loss(call: Call) -> TensorType:
    """One loss for each row of inputs."""
    rows, width = wanted_rank(call, "inputs", 2)
    classes, known = wanted_rank(call, "weights", 2)
    same_size(call, known, width, "weights", "inputs")
    for param, size in (("weights", classes), ("biases", *wanted_rank(call, "biases", 1))):
        if isinstance(size, int) and size < call["num_classes"]:
            call.fail(ROWS_FEW, param, param=param, count=call["num_classes"], type=call[param])
    labelled, true = wanted_rank(call, "labels", 2)
    same_size(call, true, call["num_true"], "labels")
    return TensorType(call.dtype("T"), (same_size(call, labelled, rows, "labels", "inputs"),))


def paired(left: str, right: str, dtype: str = "T"):
    """Element by element, without broadcasting: of that TensorFlow sees to what is known beforehand."""

    def rule(call: Call) -> TensorType:
        merge(call, call[left].shape, call[right].shape, left, right)
        return TensorType(call.dtype(dtype), broadcast(call, left, right))

    return rule


def weighted_cross_entropy(call: Call) -> TensorType:
    merge(call, call["labels"].shape, call["logits"].shape, "labels", "logits")
    return TensorType(call.dtype("T"), broadcast(call, "labels", "logits", "pos_weight"))


def log_poisson_loss(call: Call) -> TensorType:
    """As `paired`; the full loss compares, which complex numbers do not."""
    if call["compute_full_loss"] and call.dtype("T").kind == "complex":
        call.option("compute_full_loss", False)
    return paired("log_input", "targets")(call)


def paired_loss(left: str, right: str):
    """One number from two tensors of one shape."""

    def rule(call: Call) -> TensorType:
        merge(call, call[left].shape, call[right].shape, left, right)
        return TensorType(FLOAT32, ())

    return rule


def fixed_rank(param: str, rank: int):
    """The type of one argument, which must have this rank."""

    def rule(call: Call) -> TensorType:
        return TensorType(call.dtype("T"), wanted_rank(call, param, rank))

    return rule


def fused_batch_norm(call: Call) -> tuple[TensorType, TensorType, TensorType]:
    """The normalised tensor, then the mean and variance of each channel."""
    rank = len(call["data_format"])
    shape = wanted_rank(call, "x", rank)
    axis = 1 if channels_first(call) else rank - 1
    channels = shape[axis]
    for param in ("scale", "offset"):
        channels = same_size(call, channels, wanted_rank(call, param, 1)[0], "x", param)
    each = TensorType(call.dtype("T"), (channels,))
    return TensorType(call.dtype("T"), replaced(shape, axis, channels)), each, each


# --- Random numbers ---------------------------------------------------------------------------


def uniform(call: Call) -> TensorType:
    """Integers have no largest value of their own, and one for all is needed."""
    if call.dtype("T").kind == "float":
        return drawn("minval", "maxval")(call)
    if call["maxval"] is None:
        call.fail(NEEDED, "shape", param="maxval", dtype=call.dtype("T"))
    for bound in ("minval", "maxval"):
        wanted_rank(call, bound, 0)
    return TensorType(call.dtype("T"), given_shape(call))


def drawn(*params: str):
    """A tensor of the shape given, scaled and moved by the parameters, with which it broadcasts."""

    def rule(call: Call) -> TensorType:
        shape = given_shape(call)
        for param in params:
            if call[param] is not None and call[param].shape != ():
                drawn = TensorType(call.dtype("T"), shape)
                shape = broadcast_shapes(call, shape, call[param].shape, "shape", param, a=drawn, b=call[param])
        return TensorType(call.dtype("T"), shape)

    return rule


def draws(group: str = "U"):
    """As many draws from each row of logits as told."""

    def rule(call: Call) -> TensorType:
        rows, _ = wanted_rank(call, "logits", 2)
        wanted_rank(call, "num_samples", 0)
        return TensorType(call[group], (rows, call.known("num_samples")))

    return rule


def sampled(*params: str, group: str = "T"):
    """A shape of draws for each element of the parameters, which broadcast."""

    def rule(call: Call) -> TensorType:
        shape, each = call.shape("shape"), broadcast(call, *params)
        return TensorType(call.dtype(group), None if shape is None or each is None else shape + each)

    return rule


def filled(*params: str, group: str = "T"):
    """The shape asked for, to which the parameters broadcast."""

    def rule(call: Call) -> TensorType:
        shape = given_shape(call)
        broadcast(call, *params)
        for param in params if shape is not None and 0 not in shape else ():
            own = None if call[param] is None else call[param].shape
            pairs = [(number(call, a), number(call, b)) for a, b in zip(reversed(own or ()), reversed(shape))]
            clash = any(None not in pair and pair[0] not in (1, pair[1]) for pair in pairs)
            if clash or len(own or ()) > len(shape):
                call.fail(BROADCAST_TO, "shape", param, type=call[param], shape=shape_text(shape))
        return TensorType(call.dtype(group), shape)

    return rule


def stateless(rule):
    """A rule of random numbers, with a `seed` of two numbers."""

    def checked(call: Call) -> TensorType:
        same_size(call, wanted_rank(call, "seed", 1)[0], 2, "seed")
        return rule(call)

    return checked


# --- Images -----------------------------------------------------------------------------------


def pair_of_sizes(call: Call, param: str) -> tuple[Dim, ...]:
    """A height and a width."""
    size = call.shape(param)
    size = (None, None) if size is None else size
    if len(size) != 2:
        call.fail(LENGTH, param, param=param, wanted=2, count=len(size))
    for dim in size:
        if isinstance(dim, int) and dim < 0:
            call.fail(NEGATIVE, param, param=param, value=dim, least=0)
    return size


def resized(group: str = "T"):
    """The same images with another height and width."""

    def rule(call: Call) -> TensorType:
        shape = wanted_rank(call, "images", 4)
        size = pair_of_sizes(call, "size")
        return TensorType(FLOAT32 if group == "float32" else call.dtype(group), (shape[0], *size, shape[3]))

    return rule


def image(param: str, channels: int | None = None, made: int | None = None, most: int | None = None, least: int = 1):
    """An image or a batch of them, of which the last axis may have to be of a size, and may change. With `most` axes
    an image must have pixels; `least` is how many axes there are where channels are asked for."""

    def rule(call: Call) -> TensorType:
        shape = least_rank(call, param, 3 if channels is None else least)
        if channels is None and most is not None and len(shape or ()) > most:
            call.fail(RANK, param, param=param, wanted=f"3 or {most}", type=call[param])
        if channels is None and most is not None and 0 in (number(call, dim) for dim in (shape or ())[-3:]):
            call.fail(NEGATIVE, param, param="the size of an image", value=0, least=1)
        if shape is not None and channels is not None:
            last = same_size(call, shape[-1], channels, param)
            shape = (*shape[:-1], last if made is None else made)
        return TensorType(call.dtype("T"), shape)

    return rule


def standardized(call: Call) -> TensorType:
    """As float32, whatever is given."""
    return TensorType(FLOAT32, image("image", most=MAX_AXES)(call).shape)


def crop_and_resize(call: Call) -> TensorType:
    """One crop for each box."""
    shape, (boxes, four) = wanted_rank(call, "image", 4), wanted_rank(call, "boxes", 2)
    same_size(call, four, 4, "boxes")
    boxes = same_size(call, boxes, wanted_rank(call, "box_ind", 1)[0], "boxes", "box_ind")
    size = pair_of_sizes(call, "crop_size")
    return TensorType(FLOAT32, (boxes, *size, shape[3]))
