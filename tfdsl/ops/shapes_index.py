"""Shape rules of ops that pick, slice, sort, scatter and add up by index, and of assignments."""

from ..diagnostics import (
    AXES_TWICE,
    BOTH,
    DTYPES_DIFFER,
    LENGTH,
    NEGATIVE,
    NO_SUCH_INDEX,
    NOTHING_THERE,
    RANK,
    SHAPES_DIFFER,
    SLICE,
    TOO_MANY_INDICES,
)
from ..types import BOOL, INT32, INT64, STRING, Dim, DType, Shape, TensorType
from .op import Call
from .shapes import (
    along_axis,
    axis_in,
    broadcast,
    clear_rank,
    least_rank,
    length,
    merge,
    number,
    option,
    product,
    reduced_shape,
    replaced,
    same_size,
    wanted_rank,
)
from .shapes_array import count, flat

# --- Picking ----------------------------------------------------------------------------------


def gather(call: Call) -> TensorType:
    """The slices of one axis at the indices; the first `batch_dims` axes go together."""
    params, indices, batch = call["params"].shape, call["indices"].shape, call["batch_dims"]
    axis = batch if call["axis"] is None else call["axis"]
    least_rank(call, "indices", max(batch, 0))
    if params is None:
        return TensorType(call.dtype("T"), None)
    axis = axis_in(call, axis, len(params), "params")
    if indices is None:
        return TensorType(call.dtype("T"), None)
    if batch < 0:
        batch = axis_in(call, batch, len(indices), "indices")
    least_rank(call, "indices", batch)
    if axis < batch:  # TensorFlow overlooks `batch_dims` for axis 0, and refuses it for others
        call.fail(NEGATIVE, "axis", param="axis", value=axis, least=batch)
    shared = _together(call, batch)
    return TensorType(call.dtype("T"), (*shared, *params[batch:axis], *indices[batch:], *params[axis + 1 :]))


def _together(call: Call, batch: int) -> list[Dim]:
    """The first axes of `params` and `indices`, which are the same."""
    pairs = zip(call["params"].shape[:batch], call["indices"].shape[:batch])
    return [same_size(call, left, right, "params", "indices") for left, right in pairs]


def gather_rows(call: Call) -> TensorType:
    """The rows of a table at the indices."""
    params, indices = least_rank(call, "params", 1), call["ids"].shape
    if params is None or indices is None:
        return TensorType(call.dtype("T"), None)
    return TensorType(call.dtype("T"), (*indices, *params[1:]))


def gather_nd(call: Call) -> TensorType:
    """The slices at the tuples of indices that the last axis holds."""
    if call["batch_dims"]:
        shapes = clear_rank(call, "params"), call["indices"].shape
        for param, shape in zip(("params", "indices"), shapes):
            if shape is not None and call["batch_dims"] >= len(shape):
                call.fail(RANK, param, param=param, wanted=f"{call['batch_dims'] + 1} or more", type=call[param])
    params, indices, batch = call["params"].shape, least_rank(call, "indices", 1), call["batch_dims"]
    depth = None if not indices else number(call, indices[-1])
    if params is None or depth is None:
        return TensorType(call.dtype("T"), None)
    if batch + depth > len(params):
        details = {"count": depth, "type": call["params"], "rank": len(params) - batch}
        call.fail(TOO_MANY_INDICES, "params", "indices", **details)
    shared = _together(call, batch)
    return TensorType(call.dtype("T"), (*shared, *indices[batch:-1], *params[batch + depth :]))


def _only_places(call: Call) -> bool:
    missing = [call["x"] is None, call["y"] is None]
    if any(missing) and not all(missing):
        call.fail(BOTH, "condition", first="x", second="y")
    return all(missing)


def choose(call: Call) -> TensorType:
    """`x` where the condition holds, `y` elsewhere; without them, the places where it holds."""
    if _only_places(call):
        return TensorType(INT64, (None, call["condition"].rank))
    shape = merge(call, call["x"].shape, call["y"].shape, "x", "y")
    condition = call["condition"].shape
    if condition is not None and shape is not None:
        if len(condition) == 1 and shape:
            shape = (same_size(call, shape[0], condition[0], "x", "condition"), *shape[1:])
        elif condition:
            shape = merge(call, shape, condition, "x", "condition")
    return TensorType(call.dtype("T"), shape)


def choose_broadcasting(call: Call) -> TensorType:
    """As `choose`, with broadcasting of all three."""
    if _only_places(call):
        return TensorType(INT64, (None, call["condition"].rank))
    return TensorType(call.dtype("T"), broadcast(call, "condition", "x", "y"))


def boolean_mask(call: Call) -> TensorType:
    """The axes that the mask covers become one, of unknown size."""
    mask, shape = clear_rank(call, "mask"), call["tensor"].shape
    if not mask:
        call.fail(RANK, "mask", param="mask", wanted="1 or more", type=call["mask"])
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis = call["axis"] or 0
    given, axis = axis, axis_in(call, axis, len(shape), "tensor") if axis else 0
    if given < 0 and given + len(mask) == 0:  # TensorFlow looks for the mask's axes before the first
        call.option("axis", axis)
    covered = shape[axis : axis + len(mask)]
    if len(covered) < len(mask):
        call.fail(RANK, "tensor", param="tensor", wanted=f"{axis + len(mask)} or more", type=call["tensor"])
    for left, right in zip(covered, mask):
        same_size(call, left, right, "tensor", "mask")
    return TensorType(call.dtype("T"), (*shape[:axis], None, *shape[axis + len(mask) :]))


def top_k(call: Call) -> tuple[TensorType, TensorType]:
    """The last axis becomes `k` long."""
    shape, k = least_rank(call, "input", 1), count(call, "k")
    if shape is not None:
        size = number(call, shape[-1])
        if None not in (k, size) and k > size:
            details = {"end": k, "axis": len(shape) - 1, "type": call["input"], "size": shape[-1]}
            call.fail(SLICE, "input", "k", **details)
        shape = (*shape[:-1], k)
    return TensorType(call.dtype("T"), shape), TensorType(call.dtype("U"), shape)


def in_top_k(call: Call) -> TensorType:
    """One answer a row."""
    (rows, _), (targets,) = wanted_rank(call, "predictions", 2), wanted_rank(call, "targets", 1)
    return TensorType(BOOL, (same_size(call, rows, targets, "predictions", "targets"),))


def searchsorted(call: Call) -> TensorType:
    """For each value its place in the sorted sequence; all axes but the last go together."""
    option(call, "side", "left", "right")
    shapes = (least_rank(call, param, 1) for param in ("sorted_sequence", "values"))
    rows = [None if shape is None else product(call, shape[:-1]) for shape in shapes]
    same_size(call, *rows, "sorted_sequence", "values")
    return TensorType(call["out_type"], call["values"].shape)


def sort(call: Call) -> TensorType:
    """One axis in order."""
    option(call, "direction", "ASCENDING", "DESCENDING")
    return along_axis("values", 1)(call)


def argsort(call: Call) -> TensorType:
    """The indices that put one axis in order."""
    return TensorType(INT32, sort(call).shape)


def invert_permutation(call: Call) -> TensorType:
    return TensorType(call.dtype("T"), wanted_rank(call, "x", 1))


def roll(call: Call) -> TensorType:
    """One axis for each shift."""
    for param in ("shift", "axis"):
        if (call[param].rank or 0) > 1:
            call.fail(RANK, param, param=param, wanted="0 or 1", type=call[param])
    merge(call, call["shift"].shape, call["axis"].shape, "shift", "axis")
    return TensorType(call.dtype("T"), least_rank(call, "input", 1))


def reverse(call: Call) -> TensorType:
    """`axis` is a vector of axes."""
    wanted_rank(call, "axis", 1)
    shape, axes = call["tensor"].shape, call.known("axis")
    if shape is not None and axes is not None:
        places = [axis_in(call, axis, len(shape), "tensor") for axis in axes]
        if len(set(places)) < len(places):
            call.fail(AXES_TWICE, "axis", param="axis", axes=axes)
    return call["tensor"]


def reverse_sequence(call: Call) -> TensorType:
    shape, (rows,) = call["input"].shape, wanted_rank(call, "seq_lengths", 1)
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis_in(call, call["seq_axis"], len(shape), "input")
    batch = axis_in(call, call["batch_axis"] or 0, len(shape), "input")
    both = same_size(call, shape[batch], rows, "input", "seq_lengths")
    return TensorType(call.dtype("T"), replaced(shape, batch, both))


def random_crop(call: Call) -> TensorType:
    """A piece of the size given, anywhere in the tensor."""
    size = call.shape("size")
    if size is None:
        rank = call["value"].rank
        return TensorType(call.dtype("T"), None if rank is None else (None,) * rank)
    shape = wanted_rank(call, "value", len(size))
    for axis, (dim, wanted) in enumerate(zip(shape, size)):
        have = number(call, dim)
        if (number(call, wanted) or 0) < 0:
            call.fail(NEGATIVE, "size", param="size", value=wanted, least=0)
        if have is not None and wanted is not None and wanted > have:
            call.fail(SLICE, "value", "size", end=wanted, axis=axis, type=call["value"], size=have)
    return TensorType(call.dtype("T"), tuple(size))


# --- Slicing ----------------------------------------------------------------------------------


def slice_(call: Call) -> TensorType:
    """`size` elements from `begin` on each axis; a size of -1 takes all that is left."""
    _one_dtype(call, "begin", "size")
    begins, sizes = call.shape("begin"), call.shape("size")
    known = begins if begins is not None else sizes
    shape = call["input_"].shape if known is None else wanted_rank(call, "input_", len(known))
    if shape is None:
        return TensorType(call.dtype("T"), None)
    begins = (None,) * len(shape) if begins is None else begins
    sizes = (None,) * len(shape) if sizes is None else length(call, "size", sizes, len(shape))
    parts = enumerate(zip(shape, begins, sizes))
    return TensorType(call.dtype("T"), tuple(_slice_size(call, axis, *part) for axis, part in parts))


def _slice_size(call: Call, axis: int, dim: Dim, begin: Dim, size: Dim) -> Dim:
    if size == -1 and begin == 0:
        return dim
    whole, begin = number(call, dim), number(call, begin)
    if size == -1:
        size = None if whole is None or begin is None else whole - begin
        wanted, end = size, begin
    else:
        wanted = number(call, size)
        end = None if wanted is None or begin is None else begin + wanted
    if (whole is not None and (end or 0) > whole) or (begin or 0) < 0 or (wanted or 0) < 0:
        end = "?" if end is None else end
        call.fail(SLICE, "input_", "begin", "size", end=end, axis=axis, type=call["input_"], size=dim)
    return size


def strided_slice(call: Call) -> TensorType:
    """Python's slicing: one `begin:end:strides` an axis; a bit of a mask changes what its entry means."""
    shape, (entries,) = call["input_"].shape, wanted_rank(call, "begin", 1)
    for param in ("end", "strides"):
        if call[param] is not None:
            entries = same_size(call, entries, wanted_rank(call, param, 1)[0], "begin", param)
    entries = number(call, entries)
    if (call["ellipsis_mask"] & 0xFFFFFFFF).bit_count() > 1:
        call.fail(LENGTH, "ellipsis_mask", param="ellipsis_mask", wanted="0 or 1", count=2)
    strides = call.known("strides")
    if call["strides"] is None and isinstance(entries, int):
        strides = [1] * entries
    if strides is None or shape is None:
        return TensorType(call.dtype("T"), None)
    begins, ends = (call.known(name) or [None] * len(strides) for name in ("begin", "end"))
    length(call, "begin", begins, len(strides))
    length(call, "end", ends, len(strides))
    masks = {name: call[f"{name}_mask"] for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    flags = [{name for name, mask in masks.items() if mask >> i & 1} for i in range(len(begins))]
    taking = sum(not flag & {"ellipsis", "new_axis"} for flag in flags)
    if taking > len(shape):
        call.fail(TOO_MANY_INDICES, "input_", count=taking, type=call["input_"], rank=len(shape))
    if not any("ellipsis" in flag for flag in flags):
        flags.append({"ellipsis"})
    result, axis = [], 0
    for i, flag in enumerate(flags):
        if "ellipsis" in flag:
            rest = len(shape) - taking
            result += shape[axis : axis + rest]
            axis += rest
        elif "new_axis" in flag:
            result.append(1)
        elif "shrink_axis" in flag:
            if (strides[i] or 1) < 1:
                call.fail(NEGATIVE, "strides", param="strides", value=strides[i], least=1)
            _index(call, axis, shape[axis], begins[i])
            axis += 1
        else:
            begin = None if "begin" in flag else begins[i]
            end = None if "end" in flag else ends[i]
            known = ("begin" in flag or begin is not None) and ("end" in flag or end is not None)
            result.append(sliced_size(call, shape[axis], begin, end, strides[i]) if known else None)
            axis += 1
    return TensorType(call.dtype("T"), tuple(result))


def _index(call: Call, axis: int, dim: Dim, index: int | None) -> None:
    """One position on an axis, which must exist."""
    size = number(call, dim)
    if size is not None and index is not None and not -size <= index < size:
        call.fail(NO_SUCH_INDEX, "input_", index=index, axis=axis, type=call["input_"], size=size)


def sliced_size(call: Call, dim: Dim, begin: int | None, end: int | None, step: int | None) -> Dim:
    """The size of `begin:end:step` on an axis; None stands for the end that Python leaves out."""
    if step == 1 and begin in (None, 0) and end is None:
        return dim
    if step == 0:
        call.fail(NEGATIVE, "strides", param="strides", value=0, least=1)
    size = number(call, dim)
    if size is not None and step is not None:
        return len(range(*slice(begin, end, step).indices(size)))
    if begin is not None and end is not None and step is not None:
        # Where both ends count from the same side, an empty slice is empty whatever the size.
        same_side = (begin < 0) == (end < 0)
        if same_side and (end - begin) * step <= 0:
            return 0
    return None


# --- Scattering and segments ------------------------------------------------------------------


def _updates(call: Call, target: Shape, indices: Shape, updates: str, depth: int | None) -> None:
    """`updates` must be one slice of the target for each index (each tuple of `depth` indices)."""
    given = call[updates].shape
    if target is None and indices is not None and given is not None:
        if len(given) < len(indices):
            call.fail(RANK, updates, param=updates, wanted=f"{len(indices)} or more", type=call[updates])
        for left, right in zip(given, indices):
            same_size(call, left, right, updates)
    if target is None or indices is None or given is None or depth is None:
        return
    wanted = (*indices, *target[depth:])
    if len(given) != len(wanted):
        call.fail(RANK, updates, param=updates, wanted=len(wanted), type=call[updates])
    for left, right in zip(given, wanted):
        same_size(call, left, right, updates)


def _scattered(call: Call, target: Shape, param: str) -> TensorType:
    indices, updates = least_rank(call, "indices", 1), least_rank(call, "updates", 1)
    depth = None if indices is None else number(call, indices[-1])
    if target is not None and depth is not None and depth > len(target):
        details = {"count": depth, "rank": len(target), "type": TensorType(call.dtype("T"), target)}
        call.fail(TOO_MANY_INDICES, param, "indices", **details)
    given = [shape for shape in (indices, updates) if shape is not None]
    if product(call, target or ()) == 0 and any(product(call, shape) for shape in given):
        call.fail(NOTHING_THERE, param, type=TensorType(call.dtype("T"), target))
    if depth is None and indices is not None and updates is not None and len(updates) < len(indices) - 1:
        call.fail(RANK, "updates", param="updates", wanted=f"{len(indices) - 1} or more", type=call["updates"])
    _updates(call, target, None if indices is None else indices[:-1], "updates", depth)
    return TensorType(call.dtype("T"), target)


def _one_dtype(call: Call, first: str, second: str) -> None:
    """Two arguments that are tensors have one dtype; what is written as numbers takes that of the other."""
    a, b = call[first], call[second]
    is_open = [not numbers_of(call, param) for param in (first, second)]
    if a.dtype != b.dtype and all(is_open):
        details = {"a": a.dtype, "b": b.dtype, "name": second, "dtype": a.dtype}
        call.fail(DTYPES_DIFFER, first, second, first=first, second=second, **details)


def numbers_of(call: Call, param: str) -> bool:
    """Whether an argument is written as numbers alone."""
    return call.known(param) is not None and None not in flat(call.known(param))


def scatter_nd(call: Call) -> TensorType:
    """Zeros of a shape, with the updates added at the indices."""
    _one_dtype(call, "indices", "shape")
    return _scattered(call, call.shape("shape"), "shape")


def tensor_scatter(call: Call) -> TensorType:
    """A copy of a tensor, changed at the indices."""
    least_rank(call, "tensor", 1)
    return _scattered(call, call["tensor"].shape, "tensor")


def assign(call: Call) -> TensorType:
    """The variable after it; the value has its shape."""
    merge(call, call["ref"].shape, call["value"].shape, "ref", "value")
    return call["ref"]


def scatter_variable(call: Call) -> TensorType:
    """The variable after a change of the slices at the indices; one scalar may be the update of all."""
    inner, indices = call["ref"].shape[1:], call["indices"].shape
    updates = clear_rank(call, "updates") if inner else call["updates"].shape
    if updates and indices is None and inner:
        if len(updates) < len(inner):
            call.fail(RANK, "updates", param="updates", wanted=f"{len(inner)} or more", type=call["updates"])
        for left, right in zip(updates[-len(inner) :], inner):
            same_size(call, left, right, "updates")
    elif updates != ():
        _updates(call, call["ref"].shape, indices, "updates", 1)
    return call["ref"]


def scatter_nd_variable(call: Call) -> TensorType:
    """The variable after a change at the tuples of indices that the last axis holds."""
    _scattered(call, call["ref"].shape, "ref")
    return call["ref"]


def segment(call: Call) -> TensorType:
    """One slice a segment: how many there are, only the run can tell."""
    data, _ = least_rank(call, "data", 1), wanted_rank(call, "segment_ids", 1)
    if data is None:
        return TensorType(call.dtype("T"), None)
    return TensorType(call.dtype("T"), (None, *data[1:]))


def unsorted_segment(call: Call) -> TensorType:
    """`num_segments` slices; the ids may have several axes, the first ones of the data."""
    return _per_segment(call, "data", call.dtype("T"))


def _per_segment(call: Call, param: str, dtype: DType) -> TensorType:
    data, ids, segments = call[param].shape, call["segment_ids"].shape, count(call, "num_segments")
    if data is None or ids is None:
        return TensorType(dtype, None)
    least_rank(call, param, len(ids))
    for left, right in zip(data, ids):
        same_size(call, left, right, param, "segment_ids")
    return TensorType(dtype, (segments, *data[len(ids) :]))


def sparse_segment(call: Call) -> TensorType:
    """Segments of some rows of the data."""
    data = least_rank(call, "data", 1)
    picked, ids = (wanted_rank(call, name, 1)[0] for name in ("indices", "segment_ids"))
    same_size(call, picked, ids, "indices", "segment_ids")
    return TensorType(call.dtype("T"), None if data is None else (None, *data[1:]))


def bincount(call: Call) -> TensorType:
    """How often each number occurs, or the sum of its weights."""
    dtype = call["dtype"] if call["weights"] is None else call.dtype("T")
    for name in ("minlength", "maxlength"):
        if call[name] is not None:
            wanted_rank(call, name, 0)
    least, most = (0 if call[name] is None else call.known(name) for name in ("minlength", "maxlength"))
    if call.known("arr") is None or None in (least, most):
        return TensorType(dtype, (None,))
    size = max(least, 1 + max(flat(call.known("arr")), default=-1))
    return TensorType(dtype, (size if call["maxlength"] is None else min(size, most),))


def confusion_matrix(call: Call) -> TensorType:
    """One row a label and one column a prediction."""
    if call["num_classes"] is not None:
        classes = count(call, "num_classes")
    else:
        seen = [call.known(name) for name in ("labels", "predictions")]
        classes = None if None in seen else 1 + max(flat(seen))
    for param in ("labels", "predictions"):
        for value in flat(call.known(param) or ()):
            if value < 0:
                call.fail(NEGATIVE, param, param=param, value=value, least=0)
    merge(call, wanted_rank(call, "labels", 1), wanted_rank(call, "predictions", 1), "labels", "predictions")
    return TensorType(call["dtype"], (classes, classes))


def histogram(call: Call) -> TensorType:
    """One count a bin."""
    return TensorType(call["dtype"], (_bins(call),))


def histogram_bins(call: Call) -> TensorType:
    """The bin of each value."""
    _bins(call)
    return TensorType(INT32, call["values"].shape)


def _bins(call: Call) -> Dim:
    same_size(call, wanted_rank(call, "value_range", 1)[0], 2, "value_range")
    bins = count(call, "nbins")
    if bins == 0:
        call.fail(NEGATIVE, "nbins", param="nbins", value=bins, least=1)
    return bins


# --- Strings ----------------------------------------------------------------------------------


def string_join(call: Call) -> TensorType:
    """Element by element; scalars join with every element."""
    shape: Shape = ()
    for tensor in call["inputs"]:
        if tensor.shape is None or tensor.shape == ():
            continue
        if shape and len(shape) != len(tensor.shape):
            a = TensorType(STRING, shape)
            call.fail(SHAPES_DIFFER, "inputs", first="the first", second="the others", a=a, b=tensor)
        shape = tuple(same_size(call, a, b, "inputs") for a, b in zip(shape, tensor.shape)) or tensor.shape
    if not shape and any(tensor.shape is None for tensor in call["inputs"]):
        shape = None
    return TensorType(STRING, shape)


def reduce_join(call: Call) -> TensorType:
    return TensorType(STRING, reduced_shape(call, "inputs", call["axis"], call["keepdims"]))


def substr(call: Call) -> TensorType:
    """One position and length for all strings, or one each."""
    place, lengths = call["pos"].shape, call["len"].shape
    if place is None:
        return TensorType(STRING, None)
    # TensorFlow takes a size that is not known for one that differs.
    lengths = (None,) * len(place) if lengths is None else lengths
    if [number(call, dim) for dim in place] != [number(call, dim) for dim in lengths]:
        call.fail(SHAPES_DIFFER, "pos", "len", first="pos", second="len", a=call["pos"], b=call["len"])
    return TensorType(STRING, broadcast(call, "input", "pos"))


def decode_raw(call: Call) -> TensorType:
    """A new last axis for the numbers that a string holds."""
    shape = call["input_bytes"].shape
    return TensorType(call["out_type"], None if shape is None else (*shape, None))


def unsorted_segment_join(call: Call) -> TensorType:
    return _per_segment(call, "inputs", STRING)
