"""Ops that rearrange, join and cut tensors."""

from math import prod

from ..diagnostics import (
    AXES_ONCE,
    AXES_TWICE,
    BROADCAST_TO,
    EMPTY_LIST,
    NEGATIVE,
    NO_SLICES,
    NOT_MULTIPLE,
    NOT_ONE,
    OPTION,
    RANK,
    RESHAPE,
    SPLIT,
)
from ..types import Dim, Shape, TensorType, shape_text
from .batch import COLUMNS, ROWS, BatchCall, Mixed, along, rows, several, whole
from .flops import no_flops
from .op import OpCall
from .row import table
from .rules import (
    Whole,
    all_known,
    axis_in,
    clear_rank,
    given_shape,
    least_rank,
    like_list,
    listed,
    merge,
    merge_list,
    new_axis_in,
    number,
    option,
    product,
    replaced,
    same_size,
    wanted_rank,
    without,
)

OPS, row = table("arrays", flops=no_flops)


# --- Another shape ----------------------------------------------------------------------------


def reshape(call: OpCall) -> TensorType:
    """The given sizes, with at most one -1 for the remaining size."""
    given, shape = call["tensor"], call.shape("shape")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    open_axes = [i for i, dim in enumerate(shape) if (number(call, dim) or 0) < 0 or number(call, dim) is None]
    result = tuple(None if dim == -1 else dim for dim in shape)
    have = None if given.shape is None else _count(call, given.shape)
    wanted = product(call, without(shape, open_axes))
    fail = {"type": given, "count": have, "shape": shape_text(shape)}
    is_open = -1 in shape and wanted == 0  # no size fits
    if is_open or shape.count(-1) > 1 or any((number(call, dim) or 0) < -1 for dim in shape):
        call.fail(RESHAPE, "tensor", "shape", **{**fail, "count": "?" if have is None else have})
    if given.shape is None:
        return TensorType(call.dtype("T"), result)
    if have is None:
        part = product(call, [dim for dim in given.shape if number(call, dim) is not None])
        if not open_axes and part and wanted is not None and wanted % part:
            call.fail(RESHAPE, "tensor", "shape", **{**fail, "count": f"some multiple of {part}"})
        return TensorType(call.dtype("T"), _reshape_rest(call, given.shape, result, open_axes))
    if (not open_axes and have != wanted) or (open_axes and wanted and have % wanted):
        call.fail(RESHAPE, "tensor", "shape", **fail)
    if len(open_axes) == 1 and wanted:
        size = have // wanted
        same = call.sizes.same(result[open_axes[0]], size)
        result = replaced(result, open_axes[0], same)
    return TensorType(call.dtype("T"), result)


def _count(call: OpCall, shape: tuple[Dim, ...]) -> int | None:
    """The number of elements. A size of 0 leaves none, whatever the others are."""
    return 0 if any(number(call, dim) == 0 for dim in shape) else product(call, shape)


def _reshape_rest(call: OpCall, given: tuple[Dim, ...], result: tuple[Dim, ...], open_axes: list[int]) -> Shape:
    """The result, with its open size if that follows. Named sizes on both sides cancel out. The open size is what is
    then left of `given`: a size that is not a number, if the numbers have equal products, or else a number."""
    unknown = [dim for dim in given if number(call, dim) is None]
    inferred = [i for i in open_axes if result[i] is None]
    for dim in (call.sizes.resolve(result[i]) for i in open_axes if result[i] is not None):
        same = [one for one in unknown if call.sizes.resolve(one) == dim]
        if not same:
            return result
        unknown.remove(same[0])
    if len(inferred) != 1:
        return result
    have = product(call, (dim for dim in given if number(call, dim) is not None))
    wanted = product(call, without(result, open_axes))
    if len(unknown) == 1 and have == wanted:
        return replaced(result, inferred[0], unknown[0])
    if not unknown and have is not None and wanted and have % wanted == 0:
        return replaced(result, inferred[0], have // wanted)
    return result


def transpose(call: OpCall) -> TensorType:
    """The axes in the order of `perm`, or in reverse order."""
    shape = call["a"].shape
    perm: Whole | None = call["perm"]
    if perm is None:
        return TensorType(call.dtype("T"), None if shape is None else shape[::-1])
    if not isinstance(perm, (list, tuple)):
        call.fail(RANK, "perm", param="perm", wanted=1, type=perm)
    if shape is None:
        return TensorType(call.dtype("T"), (None,) * len(perm))
    rank = len(shape)
    axes = [axis + rank if axis < 0 else axis for axis in perm]
    if sorted(axes) != list(range(rank)):
        call.fail(AXES_ONCE, "a", "perm", rank=rank, type=call["a"], param="perm", axes=perm)
    return TensorType(call.dtype("T"), tuple(shape[axis] for axis in axes))


def expand_dims(call: OpCall) -> TensorType:
    shape = call["input"].shape
    if shape is not None:
        axis = new_axis_in(call, call["axis"], len(shape), "input")
        shape = (*shape[:axis], 1, *shape[axis:])
    return TensorType(call.dtype("T"), shape)


def squeeze(call: OpCall) -> TensorType:
    """Remove axes of size 1: the given ones, or all of them, which needs all sizes: a named size can be 1."""
    shape, axes = call["input"].shape, call["axis"]
    if shape is None:
        return TensorType(call.dtype("T"), None)
    if axes is None or axes == []:
        if not all(isinstance(call.sizes.resolve(dim), int) for dim in shape):
            return TensorType(call.dtype("T"), None)
        return TensorType(call.dtype("T"), tuple(dim for dim in shape if number(call, dim) != 1))
    gone = [axis_in(call, axis, len(shape), "input") for axis in listed(axes)]
    for axis in gone:
        if number(call, shape[axis]) not in (None, 1):
            call.fail(NOT_ONE, "input", axis=axis, type=call["input"], size=shape[axis], param="axis")
    return TensorType(call.dtype("T"), without(shape, gone))


def broadcast_to(call: OpCall) -> TensorType:
    """The requested shape. It must end with the sizes of the tensor, except for sizes of 1."""
    given, shape = call["input"].shape, given_shape(call)
    if shape is not None and given is not None:
        pairs = [(number(call, a), number(call, b)) for a, b in zip(reversed(given), reversed(shape))]
        clash = any(a not in (None, 1) and b is not None and a != b for a, b in pairs)
        if clash or len(given) > len(shape):
            call.fail(BROADCAST_TO, "input", "shape", type=call["input"], shape=shape_text(shape))
        # A size that is not a known number is at least the tensor's size, if that cannot stretch.
        own = (None,) * (len(shape) - len(given)) + given
        shape = tuple(a if b is None and number(call, a) not in (None, 1) else b for a, b in zip(own, shape))
    return TensorType(call.dtype("T"), shape)


def pad(call: OpCall) -> TensorType:
    """Each size grows by its padding before and after."""
    option(call, "mode", *(m for mode in ("CONSTANT", "REFLECT", "SYMMETRIC") for m in (mode, mode.lower())))
    pairs, given = call.known("paddings"), wanted_rank(call, "paddings", 2)
    same_size(call, given[1], 2, "paddings")
    rank = number(call, given[0])
    shape = call["tensor"].shape if rank is None else wanted_rank(call, "tensor", rank)
    if shape is None:
        return TensorType(call.dtype("T"), None)
    pairs = pairs or [[None, None]] * len(shape)
    least = min((number for pair in pairs for number in pair if number is not None), default=0)
    if least < 0:
        call.fail(NEGATIVE, "paddings", param="paddings", value=least, least=0)
    return TensorType(call.dtype("T"), tuple(grown(call, dim, *pair) for dim, pair in zip(shape, pairs)))


def grown(call: OpCall, dim: Dim, before: int | None, after: int | None) -> Dim:
    """A size plus the padding before and after."""
    if before == after == 0:
        return dim
    parts = all_known((number(call, dim), before, after))
    return None if parts is None else sum(parts)


def tile(call: OpCall) -> TensorType:
    """Each size multiplied."""
    times = given_shape(call, "multiples")
    if times is None:
        return TensorType(call.dtype("T"), None if not call["input"].shape else (None,) * call["input"].rank)
    shape = wanted_rank(call, "input", len(times))
    return TensorType(call.dtype("T"), tuple(multiplied(call, dim, n) for dim, n in zip(shape, times)))


def multiplied(call: OpCall, dim: Dim, times: Dim) -> Dim:
    """The product of two sizes, which is known if one of them is 1."""
    if number(call, dim) == 1 or number(call, times) == 1:
        return times if number(call, dim) == 1 else dim
    return product(call, (dim, times))


def repeat(call: OpCall) -> TensorType:
    """Repeat each slice of an axis. Without an axis, flatten the tensor and repeat each element."""
    shape = call["input"].shape
    times: Whole | None = call.known("repeats")
    counts = call["repeats"].shape
    if len(counts or ()) > 1:
        call.fail(RANK, "repeats", param="repeats", wanted="0 or 1", type=call["repeats"])
    if shape is None and call["axis"] is None:
        return TensorType(call.dtype("T"), (None,))
    if shape is None and call["repeats"].rank in (None, 0):
        return TensorType(call.dtype("T"), None)
    shape = clear_rank(call, "input")
    if call["axis"] is None:
        shape, axis = (product(call, shape),), 0
    else:
        axis = axis_in(call, call["axis"], len(shape), "input")
    if isinstance(times, (list, tuple)) and len(times) == 1:
        times = times[0]
    if counts and number(call, counts[0]) not in (None, 1):
        same_size(call, shape[axis], counts[0], "input", "repeats")
    for one in listed(times) if times is not None else ():
        if one < 0:
            call.fail(NEGATIVE, "repeats", param="repeats", value=one, least=0)
    total = sum(times) if isinstance(times, (list, tuple)) else multiplied(call, shape[axis], times)
    return TensorType(call.dtype("T"), replaced(shape, axis, total))


def roll(call: OpCall) -> TensorType:
    """The type of the tensor. Each shift needs one axis."""
    for param in ("shift", "axis"):
        if (call[param].rank or 0) > 1:
            call.fail(RANK, param, param=param, wanted="0 or 1", type=call[param])
    merge(call, call["shift"].shape, call["axis"].shape, "shift", "axis")
    return TensorType(call.dtype("T"), least_rank(call, "input", 1))


def reverse(call: OpCall) -> TensorType:
    """The type of the tensor. `axis` is a vector of axes."""
    wanted_rank(call, "axis", 1)
    shape, axes = call["tensor"].shape, call.known("axis")
    if shape is not None and axes is not None:
        places = [axis_in(call, axis, len(shape), "tensor") for axis in axes]
        if len(set(places)) < len(places):
            call.fail(AXES_TWICE, "axis", param="axis", axes=axes)
    return call["tensor"]


def reverse_sequence(call: OpCall) -> TensorType:
    shape, (rows,) = call["input"].shape, wanted_rank(call, "seq_lengths", 1)
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis_in(call, call["seq_axis"], len(shape), "input")
    batch = axis_in(call, call["batch_axis"] or 0, len(shape), "input")
    both = same_size(call, shape[batch], rows, "input", "seq_lengths")
    return TensorType(call.dtype("T"), replaced(shape, batch, both))


def _block(call: OpCall) -> int:
    if call["block_size"] < 2:
        call.fail(NEGATIVE, "block_size", param="block_size", value=call["block_size"], least=2)
    return call["block_size"]


def _divided(size: int | None, by: int) -> int | None:
    return None if size is None else size // by


def space_to_depth(call: OpCall) -> TensorType:
    """Move blocks of rows and columns into channels."""
    batch, height, width, depth = wanted_rank(call, "input", 4)
    block = _block(call)
    for axis, size in ((1, height), (2, width)):
        if (number(call, size) or 0) % block:
            call.fail(NOT_MULTIPLE, "input", factor=block, axis=axis, type=call["input"], size=size)
    height, width = (_divided(number(call, size), block) for size in (height, width))
    return TensorType(call.dtype("T"), (batch, height, width, product(call, (depth, block * block))))


def depth_to_space(call: OpCall) -> TensorType:
    """Move channels into blocks of rows and columns."""
    batch, height, width, depth = wanted_rank(call, "input", 4)
    block = _block(call)
    if (number(call, depth) or 0) % (block * block):
        call.fail(NOT_MULTIPLE, "input", factor=block * block, axis=3, type=call["input"], size=depth)
    depth = _divided(number(call, depth), block * block)
    sizes = (product(call, (n, block)) for n in (height, width))
    return TensorType(call.dtype("T"), (batch, *sizes, depth))


def batch_reshape(call: BatchCall) -> str:
    """Rows stay rows: only the elements within each row are rearranged."""
    call.only("tensor", "shape")  # the number of rows may be one of the sizes
    before, after = call.arguments["tensor"].shape, call.output.shape
    if call.kind("tensor") != ROWS or not before or not after or _elements(before[1:]) != _elements(after[1:]):
        raise Mixed
    return ROWS


def _elements(sizes: tuple[Dim, ...]) -> int:
    numbers = [size for size in sizes if isinstance(size, int)]
    if len(numbers) < len(sizes):
        raise Mixed
    return prod(numbers)


def batch_transpose(call: BatchCall) -> str:
    rank, perm = call.rank("a"), call.option("perm")
    axes = [axis % rank for axis in several(perm)] if perm else [*reversed(range(rank))]
    batch = 1 if call.is_all("a", COLUMNS) else 0 if call.kind("a") == ROWS else None
    if batch not in axes[:2]:
        raise Mixed
    return ROWS if axes[0] == batch else COLUMNS


def batch_pad(call: BatchCall) -> str:
    call.only("tensor")
    pairs = call.option("paddings")
    if call.kind("tensor") != ROWS or not isinstance(pairs, tuple) or pairs[:1] != ((0, 0),):
        raise Mixed
    return ROWS


def batch_reverse_sequence(call: BatchCall) -> str:
    if call.axis("batch_axis", 0) != 0:
        raise Mixed
    return rows("input", "seq_lengths")(call)


def batch_expand_dims(call: BatchCall) -> str:
    call.only("input")
    if call.kind("input") != ROWS or call.axis("axis", 0) % (call.rank("input") + 1) == 0:
        raise Mixed
    return ROWS


def batch_squeeze(call: BatchCall) -> str:
    call.only("input")
    if call.kind("input") != ROWS or call.option("axis") is None or 0 in call.axes("axis", "input"):
        raise Mixed
    return ROWS


# fmt: off
row("reshape", "tensor: T, shape: shape", reshape, "reshape",
    "The same elements in the same order in another shape; one size can be -1, for the remaining size.",
    "reshape([[1, 2, 3], [4, 5, 6]], [3, -1])", batch=batch_reshape, arranges=True)
row("transpose", "a: T, perm: integers = none, conjugate: flag = false", transpose, "transpose",
    "The axes in the order of `perm`, or in reverse order.", "transpose([[1, 2, 3], [4, 5, 6]])",
    batch=batch_transpose, arranges=True)
row("expand_dims", "input: T, axis: integer", expand_dims, "expand_dims", "A new axis of size 1.",
    "expand_dims([1.0, 2.0], axis=0)", batch=batch_expand_dims, arranges=True)
row("squeeze", "input: T, axis: integers = none", squeeze, "squeeze",
    "Axes of size 1 removed: those that `axis` names, or all.", "squeeze([[[1.0], [2.0]]], axis=[0])",
    batch=batch_squeeze, arranges=True)
row("broadcast_to", "input: T, shape: shape", broadcast_to, "broadcast_to",
    "The tensor stretched to a shape: new axes in front, and sizes of 1 repeated.",
    "broadcast_to([[1.0], [2.0]], [3, 2, 4])", batch=whole)
row("pad", "tensor: T, paddings: U, mode: text = \"CONSTANT\", constant_values: T = 0", pad, "pad",
    "More elements before and after, as many as the pair of each axis in `paddings`.",
    "pad([[1, 2], [3, 4]], [[1, 0], [0, 2]])", batch=batch_pad, U="int32 int64")
row("tile", "input: T, multiples: shape", tile, "tile", "The tensor repeated along each axis.",
    "tile([[1, 2]], [2, 3])", batch=whole)
row("repeat", "input: T, repeats: U, axis: integer = none", repeat, "repeat",
    "Each slice of an axis (each element if no axis is given) repeated.",
    "repeat([[1, 2], [3, 4]], [1, 2], axis=0)", batch=whole, U="int")
row("roll", "input: T, shift: U, axis: V", roll, "roll",
    "The elements moved along the axes; elements that leave at one end enter at the other.",
    "roll([[1, 2, 3], [4, 5, 6]], 1, 1)", batch=whole, U="int32 int64", V="int32 int64")
row("reverse", "tensor: T, axis: U", reverse, "reverse", "The elements of the given axes in reverse order.",
    "reverse([[1, 2], [3, 4]], [1])", batch=whole, T="real complex64 complex128 bool string", U="int32 int64")
row("reverse_sequence", "input: T, seq_lengths: U, seq_axis: integer, batch_axis: integer = 0",
    reverse_sequence, "reverse_sequence",
    "The first elements along `seq_axis` reversed; `seq_lengths` has their number for each position on `batch_axis`.",
    "reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], 1)", batch=batch_reverse_sequence,
    U="int32 int64", seq_axis=0, batch_axis=0)
row("space_to_depth", "input: T, block_size: integer", space_to_depth, "space_to_depth",
    "Blocks of rows and columns of images [batch, height, width, channels] moved into the channels.",
    "space_to_depth([[[[1], [2]], [[3], [4]]]], 2)", batch=whole)
row("depth_to_space", "input: T, block_size: integer", depth_to_space, "depth_to_space",
    "Channels of images [batch, height, width, channels] moved into blocks of rows and columns.",
    "depth_to_space([[[[1, 2, 3, 4]]]], 2)", batch=whole)
# fmt: on


# --- Joining and cutting ----------------------------------------------------------------------

MAX_OUTPUTS = 100_000


def concat(call: OpCall) -> TensorType:
    """The sum of the sizes on one axis. All other sizes must agree."""
    tensors, axis = call["values"], call["axis"]
    if not tensors:
        call.fail(EMPTY_LIST, "values", param="values")
    known = [tensor for tensor in tensors if tensor.shape is not None]
    if not known:
        return TensorType(call.dtype("T"), None)
    rank = known[0].rank
    position = axis_in(call, axis, rank, "values")
    result = (None,) * rank
    for tensor in known:
        if tensor.rank != rank:
            call.fail(RANK, "values", param="every tensor", wanted=rank, type=tensor)
        result = tuple(
            None if i == position else same_size(call, left, right, "values")
            for i, (left, right) in enumerate(zip(result, tensor.shape))
        )
    parts = [None if tensor.shape is None else tensor.shape[position] for tensor in tensors]
    numbers = all_known(number(call, part) for part in parts)
    total = parts[0] if len(parts) == 1 else None if numbers is None else sum(numbers)
    return TensorType(call.dtype("T"), replaced(result, position, total))


def stack(call: OpCall) -> TensorType:
    """A new axis, as long as the list."""
    shape = merge_list(call, "values")
    if shape is not None:
        axis = new_axis_in(call, call["axis"], len(shape), "values")
        shape = (*shape[:axis], len(call["values"]), *shape[axis:])
    return TensorType(call.dtype("T"), shape)


def unstack(call: OpCall) -> tuple[TensorType, ...]:
    """One tensor per position on an axis, whose size must be known."""
    shape = clear_rank(call, "value") if call["num"] is None else call["value"].shape
    num = call["num"]
    if shape is not None:
        axis = axis_in(call, call["axis"], len(shape), "value")
        if num is None:
            num = _slices(call, axis, shape[axis])
        else:
            same_size(call, shape[axis], num, "value")
        shape = without(shape, [axis])
    return (TensorType(call.dtype("T"), shape),) * number_of_outputs(call, "num", num, 0)


def _slices(call: OpCall, axis: int, size: Dim) -> int:
    """The number of slices on an axis."""
    known = number(call, size)
    if known is None:
        call.fail(SPLIT, "value", axis=axis, type=call["value"], parts="its slices", size="unknown")
    if known == 0:
        call.fail(NO_SLICES, "value", axis=axis, type=call["value"])
    return known


def number_of_outputs(call: OpCall, param: str, wanted: int, least: int) -> int:
    """The number of outputs of an op, checked against a limit."""
    if wanted < least:
        call.fail(NEGATIVE, param, param=param, value=wanted, least=least)
    if wanted > MAX_OUTPUTS:
        call.fail(OPTION, param, param=param, value=wanted, allowed=f"at most {MAX_OUTPUTS}")
    return wanted


def split(call: OpCall) -> tuple[TensorType, ...]:
    """Equal pieces for a number, pieces of the given sizes for a list."""
    shape, pieces = call["value"].shape, call["num_or_size_splits"]
    if isinstance(pieces, int):
        pieces = number_of_outputs(call, "num_or_size_splits", pieces, 1)
        sizes = [None] * pieces
    else:
        if min(pieces, default=0) < -1:
            name = "num_or_size_splits"
            call.fail(NEGATIVE, name, param=name, value=min(pieces), least=-1)
        sizes = [None if size == -1 else size for size in pieces]
    if shape is None:
        return (TensorType(call.dtype("T"), None),) * len(sizes)
    axis = axis_in(call, call["axis"], len(shape), "value")
    whole = number(call, shape[axis])
    details = {"axis": axis, "type": call["value"], "size": whole}
    if isinstance(pieces, int):
        if whole is not None:
            if whole % pieces:
                call.fail(SPLIT, "value", parts=f"{pieces} equal pieces", **details)
            sizes = [whole // pieces] * pieces
    elif whole is not None:
        rest = whole - sum(size for size in sizes if size is not None)
        if rest < 0 or (rest and None not in sizes):
            call.fail(SPLIT, "value", parts=f"pieces of {shape_text(tuple(pieces))}", **details)
        sizes = [rest if size is None else size for size in sizes]
    return tuple(TensorType(call.dtype("T"), replaced(shape, axis, size)) for size in sizes)


def dynamic_partition(call: OpCall) -> tuple[TensorType, ...]:
    """The slices of `data`, sorted into `num_partitions` tensors."""
    data, partitions = call["data"].shape, call["partitions"].shape
    rest = None
    if data is not None and partitions is not None:
        for left, right in zip(data, partitions):
            same_size(call, left, right, "data", "partitions")
        if len(data) < len(partitions):
            call.fail(RANK, "data", param="data", wanted=f"{len(partitions)} or more", type=call["data"])
        rest = (None, *data[len(partitions) :])
    parts = number_of_outputs(call, "num_partitions", call["num_partitions"], 1)
    return (TensorType(call.dtype("T"), rest),) * parts


def batch_join(call: BatchCall) -> str:
    """Join rows along an axis other than the first."""
    values, shape = call.arguments["values"], call.output.shape
    if not values.is_list or shape is None or call.axis("axis", 0) % len(shape) == 0:
        raise Mixed
    if any(not one.is_all(ROWS) or one.is_packed for one in values.operands):
        raise Mixed
    return ROWS


# fmt: off
row("concat", "values: [T], axis: integer", concat, "concat",
    "A list of tensors joined along an axis; all other sizes agree.",
    "concat([[[1, 2]], [[3, 4], [5, 6]]], axis=0)", batch=batch_join)
row("stack", "values: [T], axis: integer = 0", stack, "stack",
    "A list of tensors of one shape as one tensor, with a new axis as long as the list.",
    "stack([[1, 2], [3, 4], [5, 6]], axis=1)", batch=batch_join)
row("unstack", "value: T, num: integer = none, axis: integer = 0", unstack, "unstack",
    "The slices of a tensor along an axis, as many tensors as its size.", "unstack([[1, 2], [3, 4], [5, 6]])",
    batch=along("axis", "value", 0))
row("split", "value: T, num_or_size_splits: integers, axis: integer = 0", split, "split",
    "A tensor cut along an axis: into a number of equal pieces, or into pieces of given sizes.",
    "split([[1, 2, 3], [4, 5, 6]], [1, 2], axis=1)", batch=along("axis", "value", 0))
row("dynamic_partition", "data: T, partitions: int32, num_partitions: integer", dynamic_partition,
    "dynamic_partition", "`num_partitions` tensors: `partitions` has the index for each "
    "slice of `data`.",
    "dynamic_partition([[1, 2], [3, 4], [5, 6]], [0, 1, 0], 2)", batch=whole)
row("identity_n", "input: [T]", like_list("input"), "identity_n",
    "A list of tensors, unchanged, as one node.",
    "identity_n([[1.0, 2.0], [3.0]])", batch=whole)
# fmt: on
