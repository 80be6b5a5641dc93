"""Shape rules of ops that make, join, cut and rearrange tensors."""

from ..diagnostics import (
    AXES_ONCE,
    BITS,
    BROADCAST_TO,
    EMPTY_LIST,
    NEGATIVE,
    NO_SLICES,
    NOT_COMPILE_TIME,
    NOT_MULTIPLE,
    NOT_ONE,
    OPTION,
    RANK,
    RESHAPE,
    SPLIT,
)
from ..types import FLOAT32, INT32, Dim, Shape, TensorType, shape_text
from .op import Call
from .shapes import (
    axis_in,
    broadcast,
    clear_rank,
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

MAX_OUTPUTS = 100_000

# --- New tensors ------------------------------------------------------------------------------


def given_shape(call: Call, param: str = "shape", is_vector: bool = True) -> Shape:
    """The shape that an argument gives, where no size may be negative."""
    shape = call.shape(param, is_vector)
    for dim in shape or ():
        if (number(call, dim) or 0) < 0:
            call.fail(NEGATIVE, param, param=param, value=dim, least=0)
    return shape


def shaped(call: Call) -> TensorType:
    """A new tensor of the shape given; one number is a shape."""
    return TensorType(call.dtype("T"), given_shape(call, is_vector=False))


def fill(call: Call) -> TensorType:
    """One value everywhere."""
    wanted_rank(call, "value", 0)
    return TensorType(call.dtype("T"), given_shape(call, "dims"))


def static_shaped(rank: int = 0):
    """A new tensor whose shape must be known while compiling, with at least this rank."""

    def rule(call: Call) -> TensorType:
        shape = call.shape("shape")
        if call.known("shape") is None or None in (number(call, dim) for dim in shape):
            call.fail(NOT_COMPILE_TIME, "shape", param="shape", type=shape_text(shape))
        given_shape(call)
        result = TensorType(call["dtype"], shape)
        if len(shape) < rank:
            call.fail(RANK, "shape", param="a shape", wanted=f"{rank} or more", type=shape_text(shape))
        return result

    return rule


def constant(call: Call) -> TensorType:
    """A value known while compiling; one number fills a whole shape."""
    value = call["value"]
    if call.known("value") is None:
        call.fail(NOT_COMPILE_TIME, "value", param="value", type=value)
    if call["shape"] is None:
        return TensorType(call.dtype("T"), value.shape)
    shape = given_shape(call)
    if shape is None or None in shape:
        call.fail(NOT_COMPILE_TIME, "shape", param="shape", type=call["shape"])
    have, wanted = product(call, value.shape), product(call, shape)
    if have != wanted and have != 1:
        call.fail(RESHAPE, "value", "shape", type=value, count=have, shape=shape_text(shape))
    return TensorType(call.dtype("T"), shape)


def filled_like(param: str):
    """The shape of an argument; its dtype too, unless `dtype` is given."""

    def rule(call: Call) -> TensorType:
        return TensorType(call["dtype"] or call[param].dtype, call[param].shape)

    return rule


def eye(call: Call) -> TensorType:
    rows = count(call, "num_rows")
    columns = rows if call["num_columns"] is None else count(call, "num_columns")
    batch = () if call["batch_shape"] is None else given_shape(call, "batch_shape")
    return TensorType(call.dtype("T"), None if batch is None else (*batch, rows, columns))


def count(call: Call, param: str) -> Dim:
    """A size that an argument gives: None where it is not known while compiling."""
    wanted_rank(call, param, 0)
    value = call.known(param)
    if isinstance(value, int) and value < 0:
        call.fail(NEGATIVE, param, param=param, value=value, least=0)
    return value


def linspace(call: Call) -> TensorType:
    """`num` values between `start` and `stop`, along a new axis."""
    num = count(call, "num")
    if num == 0:
        call.fail(NEGATIVE, "num", param="num", value=num, least=1)
    shape = broadcast(call, "start", "stop")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis = new_axis_in(call, call["axis"], len(shape), "start")
    return TensorType(call.dtype("T"), (*shape[:axis], num, *shape[axis:]))


def one_hot(call: Call) -> TensorType:
    """A new axis of size `depth`, the last unless `axis` is given."""
    depth, shape = count(call, "depth"), call["indices"].shape
    for param in ("on_value", "off_value"):
        if call[param] is not None:
            wanted_rank(call, param, 0)
    if shape is not None:
        axis = new_axis_in(call, -1 if call["axis"] is None else call["axis"], len(shape), "indices")
        shape = (*shape[:axis], depth, *shape[axis:])
    return TensorType(call.groups.get("T", FLOAT32), shape)


def sequence_mask(call: Call) -> TensorType:
    """A new last axis of size `maxlen`, or of the largest length."""
    shape, lengths = call["lengths"].shape, call.known("lengths")
    if call["maxlen"] is not None:
        longest = count(call, "maxlen")
    else:
        longest = None if lengths is None else max(flat(lengths), default=0)
    return TensorType(call["dtype"], None if shape is None else (*shape, longest))


def flat(values: object) -> list:
    """The numbers in nested lists."""
    return [one for value in values for one in flat(value)] if isinstance(values, (list, tuple)) else [values]


def window(call: Call) -> TensorType:
    return TensorType(call.dtype("T"), (count(call, "window_length"),))


def meshgrid(call: Call) -> tuple[TensorType, ...]:
    """One tensor for each vector given, all of one shape."""
    sizes = [None if t.shape is None else product(call, t.shape) for t in call["args"]]
    sizes = [t.shape[0] if t.rank == 1 else size for t, size in zip(call["args"], sizes)]
    if option(call, "indexing", "xy", "ij") == "xy" and len(sizes) > 1:
        sizes[:2] = sizes[1::-1]
    return tuple(TensorType(call.dtype("T"), tuple(sizes)) for _ in sizes)


# --- What a tensor is like --------------------------------------------------------------------


def shape_of(call: Call) -> TensorType:
    return TensorType(call.dtype("U"), (call["input"].rank,))


def as_dtype(param: str, dtype: str = "dtype"):
    """The shape of one argument, with the dtype that another names."""

    def rule(call: Call) -> TensorType:
        return TensorType(call[dtype], call[param].shape)

    return rule


def bitcast(call: Call) -> TensorType:
    """The same bits; where dtypes differ in size, a last axis appears or goes."""
    given, dtype, shape = call["input"].dtype, call["type"], call["input"].shape
    if shape is not None and given.bits > dtype.bits:
        shape = (*shape, given.bits // dtype.bits)
    elif shape is not None and given.bits < dtype.bits:
        wanted = dtype.bits // given.bits
        if not shape or number(call, shape[-1]) not in (None, wanted):
            call.fail(BITS, "input", type=call["input"], dtype=dtype, wanted=wanted)
        shape = shape[:-1]
    return TensorType(dtype, shape)


def ensure_shape(call: Call) -> TensorType:
    """The tensor, with what `shape` says about its sizes known from here on; none says nothing."""
    dims = call["shape"]
    if not isinstance(dims, (list, tuple)) or any(type(dim) is not int and dim is not None for dim in dims):
        allowed = "a list of sizes, none for one not known"
        call.fail(OPTION, "shape", param="shape", value="this", allowed=allowed)
    said = TensorType(call.dtype("T"), tuple(dims))
    return TensorType(call.dtype("T"), merge(call, call["x"].shape, said.shape, "x", "shape"))


# --- Another shape ----------------------------------------------------------------------------


def reshape(call: Call) -> TensorType:
    """The sizes given, with one -1 for what is left over."""
    given, shape = call["tensor"], call.shape("shape")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    open_axes = [i for i, dim in enumerate(shape) if number(call, dim) is None or number(call, dim) < 0]
    result = tuple(None if dim == -1 else dim for dim in shape)
    have = None if given.shape is None else product(call, given.shape)
    wanted = product(call, without(shape, open_axes))
    fail = {"type": given, "count": have, "shape": shape_text(shape)}
    is_open = -1 in shape and wanted == 0  # no number of slices is left over that makes as many
    if is_open or shape.count(-1) > 1 or any((number(call, dim) or 0) < -1 for dim in shape):
        call.fail(RESHAPE, "tensor", "shape", **{**fail, "count": "?" if have is None else have})
    if given.shape is None:
        return TensorType(call.dtype("T"), result)
    if have is None:
        part = product(call, [dim for dim in given.shape if number(call, dim) is not None])
        if not open_axes and part and wanted % part:
            call.fail(RESHAPE, "tensor", "shape", **{**fail, "count": f"some multiple of {part}"})
        return TensorType(call.dtype("T"), _reshape_rest(call, given.shape, result, open_axes))
    if (not open_axes and have != wanted) or (open_axes and wanted and have % wanted):
        call.fail(RESHAPE, "tensor", "shape", **fail)
    if len(open_axes) == 1 and wanted:
        size = have // wanted
        same = call.sizes.same(result[open_axes[0]], size)
        result = replaced(result, open_axes[0], same)
    return TensorType(call.dtype("T"), result)


def _reshape_rest(call: Call, given: tuple[Dim, ...], result: tuple[Dim, ...], open_axes: list[int]) -> Shape:
    """The result where one size of each side is not known: they are one if the known ones make as much."""
    unknown = [i for i, dim in enumerate(given) if number(call, dim) is None]
    if len(unknown) != 1 or len(open_axes) != 1 or result[open_axes[0]] is not None:
        return result
    if product(call, without(given, unknown)) != product(call, without(result, open_axes)):
        return result
    return replaced(result, open_axes[0], given[unknown[0]])


def transpose(call: Call) -> TensorType:
    """The axes in the order of `perm`, or all the other way round."""
    shape, perm = call["a"].shape, call["perm"]
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


def expand_dims(call: Call) -> TensorType:
    shape = call["input"].shape
    if shape is not None:
        axis = new_axis_in(call, call["axis"], len(shape), "input")
        shape = (*shape[:axis], 1, *shape[axis:])
    return TensorType(call.dtype("T"), shape)


def squeeze(call: Call) -> TensorType:
    """Axes of size 1 gone: those named, or all of them, which needs all sizes."""
    shape, axes = call["input"].shape, call["axis"]
    if shape is None:
        return TensorType(call.dtype("T"), None)
    if axes is None or axes == []:
        if None in (call.sizes.resolve(dim) for dim in shape):
            return TensorType(call.dtype("T"), None)
        return TensorType(call.dtype("T"), tuple(dim for dim in shape if number(call, dim) != 1))
    gone = [axis_in(call, axis, len(shape), "input") for axis in listed(axes)]
    for axis in gone:
        if number(call, shape[axis]) not in (None, 1):
            call.fail(NOT_ONE, "input", axis=axis, type=call["input"], size=shape[axis], param="axis")
    return TensorType(call.dtype("T"), without(shape, gone))


def broadcast_to(call: Call) -> TensorType:
    """The shape asked for; the tensor's sizes must be its last ones, or 1."""
    given, shape = call["input"].shape, given_shape(call)
    if shape is not None and given is not None:
        pairs = [(number(call, a), number(call, b)) for a, b in zip(reversed(given), reversed(shape))]
        clash = any(a not in (None, 1) and b is not None and a != b for a, b in pairs)
        if clash or len(given) > len(shape):
            call.fail(BROADCAST_TO, "input", "shape", type=call["input"], shape=shape_text(shape))
        # A size that is not asked for by number is at least the tensor's own, where that cannot stretch.
        own = (None,) * (len(shape) - len(given)) + given
        shape = tuple(a if b is None and number(call, a) not in (None, 1) else b for a, b in zip(own, shape))
    return TensorType(call.dtype("T"), shape)


def pad(call: Call) -> TensorType:
    """Each size grows by what is added before and after it."""
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


def grown(call: Call, dim: Dim, before: int | None, after: int | None) -> Dim:
    """A size with what is added before and after it."""
    if before == after == 0:
        return dim
    return None if None in (before, after, number(call, dim)) else number(call, dim) + before + after


def tile(call: Call) -> TensorType:
    """Each size multiplied."""
    times = given_shape(call, "multiples")
    if times is None:
        return TensorType(call.dtype("T"), None if not call["input"].shape else (None,) * call["input"].rank)
    shape = wanted_rank(call, "input", len(times))
    return TensorType(call.dtype("T"), tuple(multiplied(call, dim, n) for dim, n in zip(shape, times)))


def multiplied(call: Call, dim: Dim, times: Dim) -> Dim:
    """The product of two sizes, which is one of them where the other is 1."""
    if number(call, dim) == 1 or number(call, times) == 1:
        return times if number(call, dim) == 1 else dim
    return product(call, (dim, times))


def repeat(call: Call) -> TensorType:
    """Each slice of an axis as often as told; of all elements in a row where no axis is given."""
    shape, times = call["input"].shape, call.known("repeats")
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
    if isinstance(times, list) and len(times) == 1:
        times = times[0]
    if counts and number(call, counts[0]) not in (None, 1):
        same_size(call, shape[axis], counts[0], "input", "repeats")
    for one in listed(times) if times is not None else ():
        if one < 0:
            call.fail(NEGATIVE, "repeats", param="repeats", value=one, least=0)
    total = sum(times) if isinstance(times, list) else multiplied(call, shape[axis], times)
    return TensorType(call.dtype("T"), replaced(shape, axis, total))


# --- Joining and cutting ----------------------------------------------------------------------


def concat(call: Call) -> TensorType:
    """The sizes of one axis added up; all others must agree."""
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
    numbers = [number(call, part) for part in parts]
    total = parts[0] if len(parts) == 1 else None if None in numbers else sum(numbers)
    return TensorType(call.dtype("T"), replaced(result, position, total))


def stack(call: Call) -> TensorType:
    """A new axis, as long as the list."""
    shape = merge_list(call, "values")
    if shape is not None:
        axis = new_axis_in(call, call["axis"], len(shape), "values")
        shape = (*shape[:axis], len(call["values"]), *shape[axis:])
    return TensorType(call.dtype("T"), shape)


def unstack(call: Call) -> tuple[TensorType, ...]:
    """One tensor for each position on an axis, which has to be known."""
    shape, num = call["value"].shape, call["num"]
    if num is None:
        shape = clear_rank(call, "value")
    if shape is not None:
        axis = axis_in(call, call["axis"], len(shape), "value")
        size = number(call, shape[axis])
        if num is None and size is None:
            call.fail(SPLIT, "value", axis=axis, type=call["value"], parts="its slices", size="unknown")
        if num is None and size == 0:
            call.fail(NO_SLICES, "value", axis=axis, type=call["value"])
        if num is not None:
            same_size(call, shape[axis], num, "value")
        num, shape = size if num is None else num, without(shape, [axis])
    return (TensorType(call.dtype("T"), shape),) * number_of_outputs(call, "num", num, 0)


def number_of_outputs(call: Call, param: str, wanted: int, least: int) -> int:
    """The number of an op's outputs, which must be within reason."""
    if wanted < least:
        call.fail(NEGATIVE, param, param=param, value=wanted, least=least)
    if wanted > MAX_OUTPUTS:
        call.fail(OPTION, param, param=param, value=wanted, allowed=f"at most {MAX_OUTPUTS}")
    return wanted


def split(call: Call) -> tuple[TensorType, ...]:
    """Equal pieces for a number, pieces of those sizes for a list."""
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


def dynamic_partition(call: Call) -> tuple[TensorType, ...]:
    """The slices of `data`, sorted into as many tensors as told."""
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


def unique(outputs: int):
    """The different values, where each element's value stands among them, and how often it occurs."""

    def rule(call: Call) -> tuple[TensorType, ...]:
        (size,) = wanted_rank(call, "x", 1)
        indices = TensorType(call.dtype("U"), (size,))
        counts = TensorType(call.dtype("U"), (None,))
        return (TensorType(call.dtype("T"), (None,)), indices, counts)[:outputs]

    return rule


def set_difference(call: Call) -> tuple[TensorType, TensorType]:
    """The values of `x` that are not in `y`, and where they stand in `x`."""
    wanted_rank(call, "x", 1)
    wanted_rank(call, "y", 1)
    return TensorType(call.dtype("T"), (None,)), TensorType(INT32, (None,))


# --- Blocks of pixels -------------------------------------------------------------------------


def _block(call: Call) -> int:
    if call["block_size"] < 2:
        call.fail(NEGATIVE, "block_size", param="block_size", value=call["block_size"], least=2)
    return call["block_size"]


def space_to_depth(call: Call) -> TensorType:
    """Blocks of rows and columns into channels."""
    batch, height, width, depth = wanted_rank(call, "input", 4)
    block = _block(call)
    for axis, size in ((1, height), (2, width)):
        if (number(call, size) or 0) % block:
            call.fail(NOT_MULTIPLE, "input", factor=block, axis=axis, type=call["input"], size=size)
    height, width = (None if number(call, n) is None else number(call, n) // block for n in (height, width))
    return TensorType(call.dtype("T"), (batch, height, width, product(call, (depth, block * block))))


def depth_to_space(call: Call) -> TensorType:
    """Channels into blocks of rows and columns."""
    batch, height, width, depth = wanted_rank(call, "input", 4)
    block = _block(call)
    if (number(call, depth) or 0) % (block * block):
        call.fail(NOT_MULTIPLE, "input", factor=block * block, axis=3, type=call["input"], size=depth)
    depth = None if number(call, depth) is None else number(call, depth) // (block * block)
    sizes = (product(call, (n, block)) for n in (height, width))
    return TensorType(call.dtype("T"), (batch, *sizes, depth))
