"""Ops that pick, slice, sort and scatter by index."""

from ..diagnostics import (
    BOTH,
    DTYPES_DIFFER,
    LENGTH,
    NEGATIVE,
    NO_SUCH_INDEX,
    NOTHING_THERE,
    RANK,
    SLICE,
    TOO_MANY_INDICES,
)
from ..types import INT32, INT64, Dim, Nested, Shape, TensorType
from .batch import FIXED, BatchCall, Mixed, Rule, along, each, rows, stacked, whole
from .flops import no_flops, per_element, uncounted
from .formula import Own
from .op import OpCall
from .row import table
from .rules import (
    along_axis,
    axis_in,
    broadcast,
    clear_rank,
    count,
    least_rank,
    length,
    merge,
    number,
    option,
    product,
    same_size,
    wanted_rank,
)

OPS, row = table("arrays", flops=no_flops)


# --- Picking ----------------------------------------------------------------------------------


def gather(call: OpCall) -> TensorType:
    """The slices of one axis at the indices. The first `batch_dims` axes are matched."""
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
    if axis < batch:  # TensorFlow ignores `batch_dims` for axis 0, and refuses it for others
        call.fail(NEGATIVE, "axis", param="axis", value=axis, least=batch)
    shared = _together(call, batch)
    return TensorType(call.dtype("T"), (*shared, *params[batch:axis], *indices[batch:], *params[axis + 1 :]))


def _together(call: OpCall, batch: int) -> list[Dim]:
    """The first axes of `params` and `indices`, which must agree."""
    pairs = zip(call["params"].shape[:batch], call["indices"].shape[:batch])
    return [same_size(call, left, right, "params", "indices") for left, right in pairs]


def gather_nd(call: OpCall) -> TensorType:
    """The slices at the index tuples on the last axis."""
    if call["batch_dims"]:
        shapes = clear_rank(call, "params"), call["indices"].shape
        for param, shape in zip(("params", "indices"), shapes):
            if shape is not None and call["batch_dims"] >= len(shape):
                call.fail(RANK, param, param=param, wanted=f"{call['batch_dims'] + 1} or more", type=call[param])
    params, indices, batch = call["params"].shape, least_rank(call, "indices", 1), call["batch_dims"]
    depth = None if not indices else number(call, indices[-1])
    if params is None or indices is None or depth is None:
        return TensorType(call.dtype("T"), None)
    if batch + depth > len(params):
        details = {"count": depth, "type": call["params"], "rank": len(params) - batch}
        call.fail(TOO_MANY_INDICES, "params", "indices", **details)
    shared = _together(call, batch)
    return TensorType(call.dtype("T"), (*shared, *indices[batch:-1], *params[batch + depth :]))


def _only_places(call: OpCall) -> bool:
    missing = [call["x"] is None, call["y"] is None]
    if any(missing) and not all(missing):
        call.fail(BOTH, "condition", first="x", second="y")
    return all(missing)


def choose(call: OpCall) -> TensorType:
    """`x` where the condition is true, else `y`. Without them, the positions where it is true."""
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


def choose_broadcasting(call: OpCall) -> TensorType:
    """Like `choose`, with broadcasting of all three arguments."""
    if _only_places(call):
        return TensorType(INT64, (None, call["condition"].rank))
    return TensorType(call.dtype("T"), broadcast(call, "condition", "x", "y"))


def boolean_mask(call: OpCall) -> TensorType:
    """The axes covered by the mask become one axis of unknown size."""
    mask, shape = clear_rank(call, "mask"), call["tensor"].shape
    if not mask:
        call.fail(RANK, "mask", param="mask", wanted="1 or more", type=call["mask"])
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis = call["axis"] or 0
    given, axis = axis, axis_in(call, axis, len(shape), "tensor") if axis else 0
    if given < 0 and given + len(mask) == 0:  # TensorFlow counts the axes of the mask before the first
        call.option("axis", axis)
    covered = shape[axis : axis + len(mask)]
    if len(covered) < len(mask):
        call.fail(RANK, "tensor", param="tensor", wanted=f"{axis + len(mask)} or more", type=call["tensor"])
    for left, right in zip(covered, mask):
        same_size(call, left, right, "tensor", "mask")
    return TensorType(call.dtype("T"), (*shape[:axis], None, *shape[axis + len(mask) :]))


def top_k(call: OpCall) -> tuple[TensorType, TensorType]:
    """The last axis gets size `k`."""
    shape, k = least_rank(call, "input", 1), count(call, "k")
    if shape is not None:
        size = number(call, shape[-1])
        if isinstance(k, int) and size is not None and k > size:
            details = {"end": k, "axis": len(shape) - 1, "type": call["input"], "size": shape[-1]}
            call.fail(SLICE, "input", "k", **details)
        shape = (*shape[:-1], k)
    return TensorType(call.dtype("T"), shape), TensorType(call.dtype("U"), shape)


def searchsorted(call: OpCall) -> TensorType:
    """The position of each value in the sorted sequence. All axes except the last are matched."""
    option(call, "side", "left", "right")
    left, right = (least_rank(call, param, 1) for param in ("sorted_sequence", "values"))
    lines = [None if shape is None else product(call, shape[:-1]) for shape in (left, right)]
    same_size(call, lines[0], lines[1], "sorted_sequence", "values")
    return TensorType(call["out_type"], call["values"].shape)


def sort(call: OpCall) -> TensorType:
    """Sort along one axis."""
    option(call, "direction", "ASCENDING", "DESCENDING")
    return along_axis("values", 1)(call)


def argsort(call: OpCall) -> TensorType:
    """The indices that sort one axis."""
    return TensorType(INT32, sort(call).shape)


def invert_permutation(call: OpCall) -> TensorType:
    return TensorType(call.dtype("T"), wanted_rank(call, "x", 1))


def unique(outputs: int):
    """The distinct values, the index of each element among them, and their counts."""

    def rule(call: OpCall) -> tuple[TensorType, ...]:
        (size,) = wanted_rank(call, "x", 1)
        indices = TensorType(call.dtype("U"), (size,))
        counts = TensorType(call.dtype("U"), (None,))
        return (TensorType(call.dtype("T"), (None,)), indices, counts)[:outputs]

    return rule


def set_difference(call: OpCall) -> tuple[TensorType, TensorType]:
    """The values of `x` that are not in `y`, and their positions in `x`."""
    wanted_rank(call, "x", 1)
    wanted_rank(call, "y", 1)
    return TensorType(call.dtype("T"), (None,)), TensorType(INT32, (None,))


def slice_(call: OpCall) -> TensorType:
    """`size` elements from `begin` on each axis. A size of -1 takes the rest."""
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


def _slice_size(call: OpCall, axis: int, dim: Dim, begin: Dim, size: Dim) -> Dim:
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


def strided_slice(call: OpCall) -> TensorType:
    """Python slicing: one `begin:end:strides` per axis. Bits in the masks change the meaning of entries."""
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
    result: list[Dim] = []
    axis = 0
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


def _index(call: OpCall, axis: int, dim: Dim, index: int | None) -> None:
    """Check that a position exists on an axis."""
    size = number(call, dim)
    if size is not None and index is not None and not -size <= index < size:
        call.fail(NO_SUCH_INDEX, "input_", index=index, axis=axis, type=call["input_"], size=size)


def sliced_size(call: OpCall, dim: Dim, begin: int | None, end: int | None, step: int | None) -> Dim:
    """The size of `begin:end:step` on an axis. None means that a bound is left out."""
    if step == 1 and begin in (None, 0) and end is None:
        return dim
    if step == 0:
        call.fail(NEGATIVE, "strides", param="strides", value=0, least=1)
    size = number(call, dim)
    if size is not None and step is not None:
        return len(range(*slice(begin, end, step).indices(size)))
    if begin is not None and end is not None and step is not None:
        # If both bounds count from the same side, an empty slice is empty for every size.
        same_side = (begin < 0) == (end < 0)
        if same_side and (end - begin) * step <= 0:
            return 0
    return None


def _one_dtype(call: OpCall, first: str, second: str) -> None:
    """Check that two tensor arguments have one dtype. Plain numbers take the dtype of the other."""
    a, b = call[first], call[second]
    is_open = [not numbers_of(call, param) for param in (first, second)]
    if a.dtype != b.dtype and all(is_open):
        details = {"a": a.dtype, "b": b.dtype, "name": second, "dtype": a.dtype}
        call.fail(DTYPES_DIFFER, first, second, first=first, second=second, **details)


def numbers_of(call: OpCall, param: str) -> bool:
    """Whether an argument consists of plain numbers."""
    known: Nested = call.known(param)
    return known is not None and not (isinstance(known, list) and None in known)


def batch_take(table: str, indices: str, *others: str) -> Rule:
    """Rows of a fixed table, one per index. Other arguments must be 0 if they are given."""

    def rule(call: BatchCall) -> str:
        if call.kind(table) != FIXED or any(call.option(name, 0) != 0 for name in others):
            raise Mixed
        return rows(indices)(call)

    return rule


def batch_choose(call: BatchCall) -> str:
    """Like `batch_choose_broadcasting`, for a vector of conditions that chooses whole rows."""
    if call.kind("condition") == FIXED and call.rank("condition") > 0:
        raise Mixed
    return batch_choose_broadcasting(call)


def batch_choose_broadcasting(call: BatchCall) -> str:
    """A choice element by element. Without `x` and `y` the op is refused."""
    if not call.has("x"):
        raise Mixed
    return each(call)


# fmt: off
row("gather", "params: T, indices: U, axis: integer = none, batch_dims: integer = 0", gather, "gather",
    "The slices of an axis (the first unless given) at the indices: the axes of `indices` take its place.",
    "gather([[1, 2], [3, 4], [5, 6]], [2, 0])",
    batch=batch_take("params", "indices", "axis", "batch_dims"), U="int16 int32 int64", gathers=("params",),
    keeps_zero=True)
row("gather_nd", "params: T, indices: U, batch_dims: integer = 0", gather_nd, "gather_nd",
    "The element, or slice, at each tuple of indices; the last axis of `indices` has the tuples.",
    "gather_nd([[1, 2], [3, 4]], [[0, 0], [1, 1]])",
    batch=whole, U="int16 int32 int64", batch_dims=0, gathers=("params",))
row("where", "condition: bool, x: T? = none, y: T? = none", choose, "where",
    "`x` where the condition is true, `y` elsewhere; both have one shape, a vector condition picks rows. "
    "Without them, the int64 indices of the true elements.", "where([true, false], [1.0, 2.0], [3.0, 4.0])",
    batch=batch_choose, operator="if",
    formula=Own(lambda s, condition, x, y: (0, s.where(condition, 1, 0), s.where(condition, 0, 1))))
row("where_v2", "condition: bool, x: T? = none, y: T? = none", choose_broadcasting, "where_v2",
    "`x` where the condition is true, `y` elsewhere; all three broadcast. Without them, the int64 indices of "
    "the true elements.", "where_v2([[true], [false]], [1.0, 2.0], 0.0)", batch=batch_choose_broadcasting)
row("boolean_mask", "tensor: T, mask: bool, axis: integer = none", boolean_mask, "boolean_mask",
    "The slices where the mask is true, on one axis that replaces the axes of the mask.",
    "boolean_mask([[1, 2], [3, 4]], [true, false])", batch=whole)
row("slice", "input_: T, begin: shape, size: shape", slice_, "slice",
    "`size` elements from `begin` on each axis; a size of -1 takes the rest.",
    "slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1])", batch=whole)
row("strided_slice", "input_: T, begin: U, end: U, strides: U? = none, begin_mask: integer = 0, "
    "end_mask: integer = 0, ellipsis_mask: integer = 0, new_axis_mask: integer = 0, shrink_axis_mask: "
    "integer = 0",
    strided_slice, "strided_slice",
    "Python's slices begin:end:strides on each axis. The bits of the masks mark omitted parts: "
    "the begin, the end, the ellipsis, a new axis, one index instead of a slice.",
    "strided_slice([[1, 2, 3], [4, 5, 6]], [0, 2], [2, 0], [1, -1])", batch=whole, U="int16 int32 int64")
row("top_k", "input: T, k: int32 = 1, sorted: flag = true, index_type: dtype U = int32", top_k,
    "nn.top_k",
    "The `k` largest elements of the last axis, and their indices.", "top_k([[1.0, 5.0, 3.0]], k=2)",
    outputs="values indices", batch=stacked(2),
    T="real", U="int16 int32 int64", flops=uncounted)
row("unique", "x: T, out_idx: dtype U = int32", unique(2), "unique",
    "The different values of a vector, and for each element the index of its value.", "unique([1, 1, 2])",
    outputs="values indices", batch=whole,
    U="int32 int64", flops=uncounted)
row("unique_with_counts", "x: T, out_idx: dtype U = int32", unique(3), "unique_with_counts",
    "The different values of a vector, for each element the index of its value, and how often each value "
    "occurs.",
    "unique_with_counts([1, 1, 2])", outputs="values indices counts", batch=whole, U="int32 int64", flops=uncounted)
row("setdiff1d", "x: T, y: T", set_difference, "setdiff1d",
    "The values of the vector `x` that are not in `y`, and their indices in `x`.",
    "setdiff1d([1, 2, 3], [2])", outputs="values indices", batch=whole, flops=uncounted)
row("searchsorted", "sorted_sequence: T, values: T, side: text = \"left\", out_type: dtype U = int32",
    searchsorted, "searchsorted",
    "For each value the index where it belongs in the sorted last axis.",
    "searchsorted([1.0, 3.0, 5.0], [2.0, 4.0])", batch=whole, U="int32 int64", flops=uncounted)
row("sort", "values: T, axis: integer = -1, direction: text = \"ASCENDING\"", sort, "sort",
    "The elements of an axis in order.", "sort([3.0, 1.0, 2.0])", batch=along("axis", "values"), T="real",
    flops=uncounted)
row("argsort", "values: T, axis: integer = -1, direction: text = \"ASCENDING\", stable: flag = false",
    argsort, "argsort", "The int32 indices that put an axis in order.", "argsort([3.0, 1.0, 2.0])", batch=along("axis",
    "values"), T="real", flops=uncounted)
row("invert_permutation", "x: T", invert_permutation, "invert_permutation",
    "The position of each number from 0 in a permutation.", "invert_permutation([2, 0, 1])",
    batch=whole,
    T="int32 int64")
# fmt: on


# --- Scattering -------------------------------------------------------------------------------


def check_updates(call: OpCall, target: Shape, indices: Shape, updates: str, depth: int | None) -> None:
    """Check that `updates` has one slice of the target per index (per tuple of `depth` indices)."""
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


def scattered(call: OpCall, target: Shape, param: str) -> TensorType:
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
    check_updates(call, target, None if indices is None else indices[:-1], "updates", depth)
    return TensorType(call.dtype("T"), target)


def scatter_nd(call: OpCall) -> TensorType:
    """Zeros of a shape, plus the updates at the indices."""
    _one_dtype(call, "indices", "shape")
    return scattered(call, call.shape("shape"), "shape")


def tensor_scatter(call: OpCall) -> TensorType:
    """A copy of a tensor with changes at the indices."""
    least_rank(call, "tensor", 1)
    return scattered(call, call["tensor"].shape, "tensor")


# fmt: off
row("scatter_nd", "indices: U, updates: T, shape: shape", scatter_nd, "scatter_nd",
    "Zeros of a shape, with each update added at its tuple of indices.",
    "scatter_nd([[0], [2]], [5.0, 6.0], [4])", batch=whole, pairs=("indices", "updates"), U="int32 int64",
    flops=per_element("updates"))
for _name, _what, _indices in (
    ("update", "replaced by", "int16 uint16 int32 int64"), ("add", "increased by", "int32 int64"),
    ("sub", "decreased by", "int32 int64"), ("max", "raised to at least", "int32 int64"),
    ("min", "lowered to at most", "int32 int64"),
):
    row(f"tensor_scatter_nd_{_name}", "tensor: T, indices: U, updates: T", tensor_scatter,
        f"tensor_scatter_nd_{_name}",
        f"A copy of a tensor, where the slice at each tuple of indices is {_what} its update.",
        f"tensor_scatter_nd_{_name}([1.0, 2.0, 3.0], [[0], [2]], [5.0, 6.0])",
        batch=whole, pairs=("indices", "updates"),
        flops=no_flops if _name == "update" else per_element("updates"), U=_indices)
# fmt: on
