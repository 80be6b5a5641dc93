"""Windows that take the largest sum or an arbitrary size, and labels of sequences without an alignment."""

from ..diagnostics import NEGATIVE, NOT_MULTIPLE, OPTION, WINDOW
from ..types import FLOAT32, INT32, INT64, Dim, Nested, TensorType
from .batch import BatchCall, Mixed, rows, whole
from .op import Alike, OpCall
from .row import table
from .rules import length, listed, number, same_size, wanted_rank
from .windows import IMAGE, pool

OPS, row = table("neural networks")


def dilation(image: str, kernel: str):
    """The positions of a window [height, width, channels]."""

    def rule(call: OpCall) -> TensorType:
        batch, *spatial, channels = wanted_rank(call, image, 4)
        *window, own = wanted_rank(call, kernel, 3)
        given = [length(call, name, listed(call[name]), 4) for name in ("strides", "rates")]
        for name, (first, *inner, last) in zip(("strides", "rates"), given):
            if (first, last) != (1, 1):
                call.fail(OPTION, name, param=name, value="this", allowed="[1, height, width, 1]")
            for value in inner:
                if value < 1:
                    call.fail(NEGATIVE, name, param=name, value=value, least=1)
        made: list[Dim] = []
        for at, (dim, wide) in enumerate(zip(spatial, window)):
            size, known, step, rate = number(call, dim), number(call, wide), given[0][at + 1], given[1][at + 1]
            if call["padding"] == "SAME":
                made.append(None if size is None or known is None else -(-size // step))
                continue
            reach = None if known is None else (known - 1) * rate + 1
            if size is None or reach is None:
                made.append(None)
                continue
            if size < reach:
                call.fail(WINDOW, image, window=reach, size=size, axis=at + 1, type=call[image])
            made.append((size - reach) // step + 1)
        return TensorType(call.dtype("T"), (batch, *made, same_size(call, channels, own, image, kernel)))

    return rule


def argmax_pool(call: OpCall) -> tuple[TensorType, TensorType]:
    """The largest value of each window, and its number."""
    for name in ("ksize", "strides"):
        length(call, name, listed(call[name]), 4)
    pooled = pool(2, "input")(call)
    if pooled.shape is not None and number(call, pooled.shape[-1]) == 0:
        call.fail(NEGATIVE, "input", param="the last axis", value=0, least=1)
    return pooled, TensorType(call.dtype("U"), pooled.shape)


def batch_argmax(call: BatchCall) -> str:
    if call.option("include_batch_in_index", False):  # the numbers depend on the rows before
        raise Mixed
    return rows("input")(call)


def fractional(call: OpCall) -> TensorType:
    """Height and width divided by numbers that need not be whole."""
    batch, *spatial, channels = wanted_rank(call, "value", 4)
    ratios: Nested = call["pooling_ratio"]
    numbers = [one for one in ratios if isinstance(one, (int, float))] if isinstance(ratios, (list, tuple)) else []
    if len(numbers) != 4 or (numbers[0], numbers[3]) != (1, 1) or min(numbers) < 1:
        call.fail(OPTION, "pooling_ratio", param="pooling_ratio", value="this", allowed="[1.0, height, width, 1.0]")
    if bool(call["deterministic"]) != bool(call["seed"] or call["seed2"]):
        call.fail(OPTION, "deterministic", param="deterministic", value="this", allowed="true with seeds, else false")
    made: list[Dim] = []
    for dim, ratio in zip(spatial, numbers[1:3]):
        size = number(call, dim)
        made.append(None if size is None else int(size / ratio))
    return TensorType(call.dtype("T"), (batch, *made, channels))


def space_to_batch(call: OpCall) -> TensorType:
    """Each block of pixels becomes a part of the batch."""
    batch, *spatial, channels = wanted_rank(call, "input", 4)
    block, known = call["block_size"], call.known("paddings")
    if len(wanted_rank(call, "paddings", 2)) != 2 or call["paddings"].shape not in (None, (2, 2)):
        sizes = wanted_rank(call, "paddings", 2)
        same_size(call, sizes[0], 2, "paddings")
        same_size(call, sizes[1], 2, "paddings")
    made: list[Dim] = []
    for axis, (dim, pads) in enumerate(zip(spatial, known or (None, None)), 1):
        size = number(call, dim)
        for pad in pads or ():
            if pad < 0:
                call.fail(NEGATIVE, "paddings", param="paddings", value=pad, least=0)
        if size is None or pads is None:
            made.append(None)
            continue
        padded = size + sum(pads)
        if padded % block:
            call.fail(NOT_MULTIPLE, "input", "paddings", factor=block, axis=axis, type=call["input"], size=padded)
        made.append(padded // block)
    count = number(call, batch)
    return TensorType(call.dtype("T"), (None if count is None else count * block**2, *made, channels))


def collapsed(call: OpCall) -> tuple[TensorType, TensorType]:
    """Shorter rows, and their lengths."""
    batch, _ = wanted_rank(call, "labels", 2)
    (lengths,) = wanted_rank(call, "seq_length", 1)
    batch = same_size(call, batch, lengths, "labels", "seq_length")
    size = None if call.known("labels") is None or call.known("seq_length") is None else longest(call)
    return TensorType(call.dtype("T"), (batch, size)), TensorType(call.dtype("U"), (batch,))


def longest(call: OpCall) -> int:
    """The most labels of a row that do not repeat the one before."""
    rows = [row[:size] for row, size in zip(call.known("labels"), call.known("seq_length"))]
    return max((sum(at == 0 or row[at - 1] != label for at, label in enumerate(row)) for row in rows), default=0)


def unique_labels(call: OpCall) -> tuple[TensorType, TensorType]:
    """The different labels of each row, and for each label its number among them."""
    batch, size = wanted_rank(call, "labels", 2)
    return TensorType(INT64, (batch, None)), TensorType(INT32, (batch, size))


def ctc_loss(call: OpCall) -> TensorType:
    """A loss for each row of the batch."""
    (batch, _), (labels,), (frames,) = (
        wanted_rank(call, name, rank) for name, rank in (("labels", 2), ("label_length", 1), ("logit_length", 1))
    )
    logits = wanted_rank(call, "logits", 3)
    own = logits[1 if call["logits_time_major"] else 0]
    for name, size in (("logits", own), ("label_length", labels), ("logit_length", frames)):
        batch = same_size(call, batch, size, "labels", name)
    return TensorType(FLOAT32, (batch,))


# fmt: off
_WHERE = "strides: integers, rates: integers, padding: text"
_MORPH = "`strides` and `rates` are [1, height, width, 1]; with rates above 1 pixels in between are left out."
row("dilation2d", f"input: T, filter: T, {_WHERE}", dilation("input", "filter"), "nn.dilation2d",
    f"The largest of the sums of the pixels in a window and a filter [height, width, channels]. {_MORPH}",
    f"dilation2d({IMAGE}, [[[1.0]], [[2.0]]], [1, 1, 1, 1], [1, 1, 1, 1], \"VALID\")", batch=rows("input"),
    padding=("SAME", "VALID"), T="real")
row("erosion2d", f"value: T, kernel: T, {_WHERE}", dilation("value", "kernel"), "nn.erosion2d",
    f"The smallest of the differences of the pixels in a window and a filter [height, width, channels]. {_MORPH}",
    f"erosion2d({IMAGE}, [[[1.0]], [[2.0]]], [1, 1, 1, 1], [1, 1, 1, 1], \"VALID\")", batch=rows("value"),
    padding=("SAME", "VALID"), T="float int8 int16 int32 int64")
row("max_pool_with_argmax", "input: T, ksize: integers, strides: integers, padding: text, "
    "data_format: text = \"NHWC\", "
    "output_dtype: dtype U = int64, include_batch_in_index: flag = false", argmax_pool, "nn.max_pool_with_argmax",
    "The largest value of each window of `ksize`, and its number among the values of its image (or of all images with "
    "`include_batch_in_index`).",
    f"max_pool_with_argmax({IMAGE}, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding=\"VALID\")",
    outputs="output argmax", batch=batch_argmax,
    data_format=("NHWC",), padding=("SAME", "VALID"), T="real", U="int32 int64")
for _name, _what in (("fractional_max_pool", "largest value"), ("fractional_avg_pool", "mean")):
    row(_name, "value: T, pooling_ratio: static, pseudo_random: flag = false, overlapping: flag = false, "
        "deterministic: flag = false, seed: integer = 0, seed2: integer = 0", fractional, f"nn.{_name}",
        f"The {_what} of each window, of sizes drawn so that height and width are divided by the `pooling_ratio` [1.0, "
        "height, width, 1.0]. With `deterministic` and two seeds the windows are always the same.",
        f"{_name}({IMAGE}, [1.0, 1.5, 1.5, 1.0], deterministic=true, seed=1, seed2=2)", batch=whole,
        alike=Alike.DRAWN, draws_alone=True, lowered="special.first_output", T="float32 float64 int32 int64")
row("space_to_batch", "input: T, paddings: U, block_size: integer", space_to_batch, "space_to_batch",
    "The pixels of each block of `block_size` in rows of the batch of their own, after zeros are added: `paddings` is "
    "[[top, bottom], [left, right]].", "space_to_batch([[[[1], [2]], [[3], [4]]]], [[0, 0], [0, 0]], 2)", batch=whole,
    block_size=1, U="int32 int64")
row("collapse_repeated", "labels: T, seq_length: U", collapsed, "nn.collapse_repeated",
    "The first `seq_length` labels of each row, without those that repeat the one before; then how many they are.",
    "collapse_repeated([[1, 1, 2], [2, 2, 2]], [3, 2])",
    outputs="collapsed lengths", batch=whole, T="int32 int64", U="int32 int64")
row("ctc_unique_labels", "labels: int32", unique_labels, "nn.ctc_unique_labels",
    "The different labels of each row, and for each label its number among these.",
    "ctc_unique_labels([[1, 1, 2], [2, 2, 2]])", outputs="values indices", batch=whole)
row("ctc_loss_v2", "labels: int32, logits: float32, label_length: int32, logit_length: int32, "
    "logits_time_major: flag = true, blank_index: integer = none", ctc_loss, "nn.ctc_loss_v2",
    "The loss of connectionist temporal classification for each row: labels [batch, most] of which the first "
    "`label_length` count, logits [time, batch, classes] of which the first `logit_length` do, [batch, time, classes] "
    "unless `logits_time_major`. The class `blank_index`, 0 unless given, stands for no label.",
    "ctc_loss_v2([[1, 2], [1, 0]], [[[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]], [[0.2, 0.1, 0.5], [0.1, 0.1, 0.1]], "
    "[[0.2, 0.1, 0.5], [0.1, 0.1, 0.1]]], [2, 1], [3, 3])", batch=whole)
# fmt: on
