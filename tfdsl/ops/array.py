"""New tensors, and properties of tensors."""

from ..diagnostics import BITS, NEGATIVE, NOT_COMPILE_TIME, OPTION, RESHAPE
from ..types import FLOAT32, INT32, Nested, TensorType, shape_text
from .batch import ROWS, SIZES, BatchCall, Mixed, each, linear, of_shape, rows, whole
from .flops import no_flops, per_result, uncounted
from .formula import Made
from .op import Alike, OpCall
from .row import table
from .rules import (
    as_dtype,
    broadcast,
    count,
    flat,
    given_shape,
    like,
    merge,
    new_axis_in,
    number,
    option,
    product,
    scalar,
    wanted_rank,
)

OPS, row = table("arrays", flops=no_flops)


# --- New tensors ------------------------------------------------------------------------------


def shaped(call: OpCall) -> TensorType:
    """A new tensor of the given shape. A single number is a shape too."""
    return TensorType(call.dtype("T"), given_shape(call, is_vector=False))


def fill(call: OpCall) -> TensorType:
    """A tensor filled with one value."""
    wanted_rank(call, "value", 0)
    return TensorType(call.dtype("T"), given_shape(call, "dims"))


def constant(call: OpCall) -> TensorType:
    """A compile-time value. A single number fills the whole shape."""
    value = call["value"]
    if call.known("value") is None:
        call.fail(NOT_COMPILE_TIME, "value", param="value", type=value)
    if call["shape"] is None:
        return TensorType(call.dtype("T"), value.shape)
    shape, known = given_shape(call), call.known("shape")
    if shape is None or known is None or None in known:
        call.fail(NOT_COMPILE_TIME, "shape", param="shape", type=call["shape"])
    have, wanted = product(call, value.shape), product(call, shape)
    if have != wanted and have != 1:
        call.fail(RESHAPE, "value", "shape", type=value, count=have, shape=shape_text(shape))
    return TensorType(call.dtype("T"), shape)


def filled_like(param: str):
    """The shape and dtype of an argument. `dtype` overrides the dtype."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(call["dtype"] or call[param].dtype, call[param].shape)

    return rule


def eye(call: OpCall) -> TensorType:
    rows = count(call, "num_rows")
    columns = rows if call["num_columns"] is None else count(call, "num_columns")
    batch = () if call["batch_shape"] is None else given_shape(call, "batch_shape")
    return TensorType(call.dtype("T"), None if batch is None else (*batch, rows, columns))


def linspace(call: OpCall) -> TensorType:
    """`num` values between `start` and `stop`, along a new axis."""
    num = count(call, "num")
    if num == 0:
        call.fail(NEGATIVE, "num", param="num", value=num, least=1)
    shape = broadcast(call, "start", "stop")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis = new_axis_in(call, call["axis"], len(shape), "start")
    return TensorType(call.dtype("T"), (*shape[:axis], num, *shape[axis:]))


def sobol_sample(call: OpCall) -> TensorType:
    """A point for each of `num_results`, with `dim` coordinates."""
    dim, results = count(call, "dim"), count(call, "num_results")
    count(call, "skip")
    if dim == 0:
        call.fail(NEGATIVE, "dim", param="dim", value=dim, least=1)
    return TensorType(call.dtype("T"), (results, dim))


def one_hot(call: OpCall) -> TensorType:
    """A new axis of size `depth`, the last unless `axis` is given."""
    depth, shape = count(call, "depth"), call["indices"].shape
    for param in ("on_value", "off_value"):
        if call[param] is not None:
            wanted_rank(call, param, 0)
    if shape is not None:
        axis = new_axis_in(call, -1 if call["axis"] is None else call["axis"], len(shape), "indices")
        shape = (*shape[:axis], depth, *shape[axis:])
    return TensorType(call.groups.get("T", FLOAT32), shape)


def sequence_mask(call: OpCall) -> TensorType:
    """A new last axis of size `maxlen`, or of the largest length."""
    shape, lengths = call["lengths"].shape, call.known("lengths")
    if call["maxlen"] is not None:
        longest = count(call, "maxlen")
    else:
        longest = None if lengths is None else max(flat(lengths), default=0)
    return TensorType(call["dtype"], None if shape is None else (*shape, longest))


def meshgrid(call: OpCall) -> tuple[TensorType, ...]:
    """One tensor per vector, all of the same shape."""
    sizes = [None if t.shape is None else product(call, t.shape) for t in call["args"]]
    sizes = [t.shape[0] if t.rank == 1 else size for t, size in zip(call["args"], sizes)]
    if option(call, "indexing", "xy", "ij") == "xy" and len(sizes) > 1:
        sizes[:2] = sizes[1::-1]
    return tuple(TensorType(call.dtype("T"), tuple(sizes)) for _ in sizes)


def batch_sequence_mask(call: BatchCall) -> str:
    if not call.has("maxlen"):  # the largest length decides
        raise Mixed
    return rows("lengths")(call)


def batch_one_hot(call: BatchCall) -> str:
    if call.option("axis", -1) == 0:
        raise Mixed
    return rows("indices")(call)


# fmt: off
row("constant", "value: T, dtype: dtype T = none, shape: shape? = none", constant, "constant",
    "A node with a value known while compiling. With `shape`, one number fills it all.",
    "constant([[1.0, 2.0], [3.0, 4.0]])", batch=whole, lowered="special.constant", alike=Alike.BY_TYPES,
    T="all", formula=Made(lambda s, x: x))
for _name in ("zeros", "ones"):
    row(_name, "shape: shape, dtype: dtype T = float32", shaped, _name, f"A tensor of {_name}.",
        f"{_name}([2, 3])", batch=of_shape("shape"), T="number bool string" if _name == "zeros" else "number bool")
    row(f"{_name}_like", "tensor: T, dtype: dtype U = none", filled_like("tensor"), f"{_name}_like",
        f"A tensor of {_name} with the shape and the dtype (unless `dtype` is given) of another.",
        f"{_name}_like([[1, 2], [3, 4]], dtype=float32)", batch=each,
        by_shape=True, no_gradient="*", U="any" if _name == "zeros" else "number bool")
row("fill", "dims: shape, value: T", fill, "fill",
    "A tensor filled with one value.",
    "fill([2, 3], 7.0)", batch=of_shape("dims"))
row("eye", "num_rows: int32, num_columns: int32? = none, batch_shape: shape? = none, dtype: dtype T = "
    "float32",
    eye, "eye", "Ones on the diagonal of a matrix of zeros (of one in each place of `batch_shape`).",
    "eye(3, num_columns=2)", batch=whole, lowered="special.eye", T="number bool")
row("linspace", "start: T, stop: T, num: int32, axis: integer = 0", linspace, "linspace",
    "`num` values at equal distances from `start` to `stop`, both included.", "linspace(0.0, 1.0, 5)", batch=whole,
    T="float", flops=uncounted)
row("sobol_sample", "dim: int32, num_results: int32, skip: int32 = 0, dtype: dtype T = float32", sobol_sample,
    "math.sobol_sample", "Points that fill a cube of `dim` axes evenly, numbers between 0 and 1: [num_results, dim] of "
    "the Sobol sequence, after the first `skip`.", "sobol_sample(2, 4)", batch=whole, T="float32 float64",
    flops=uncounted)
row("one_hot", "indices: U, depth: int32, on_value: T? = none, off_value: T? = none, axis: integer = none, "
    "dtype: dtype T = none", one_hot, "one_hot",
    "A new axis (the last unless given) of size `depth`, with 1 at each index and 0 elsewhere.",
    "one_hot([0, 2], 3)", batch=batch_one_hot, T="number", U="uint8 int8 int32 int64", axis=-1)
row("sequence_mask", "lengths: U, maxlen: V? = none, dtype: dtype T = bool", sequence_mask,
    "sequence_mask",
    "A new last axis of size `maxlen` (the largest length unless given), true on its first `lengths` places.",
    "sequence_mask([1, 3], maxlen=4)", batch=batch_sequence_mask, U="int32 int64", V="int32 int64")
row("meshgrid", "args: [T], indexing: text = \"xy\"", meshgrid, "meshgrid",
    "The coordinates of all points of a grid, one tensor for each of the vectors that span it.",
    "meshgrid([[1.0, 2.0], [3.0, 4.0, 5.0]])",
    batch=whole, lowered="special.meshgrid", named=False, indexing=("xy", "ij"),
    T="number bool")
# fmt: on


# --- What a tensor is like --------------------------------------------------------------------


def shape_of(call: OpCall) -> TensorType:
    return TensorType(call.dtype("U"), (call["input"].rank,))


def bitcast(call: OpCall) -> TensorType:
    """The same bits. If the dtypes differ in size, a last axis is added or removed."""
    given, dtype, shape = call["input"].dtype, call["type"], call["input"].shape
    if shape is not None and given.bits > dtype.bits:
        shape = (*shape, given.bits // dtype.bits)
    elif shape is not None and given.bits < dtype.bits:
        wanted = dtype.bits // given.bits
        if not shape or number(call, shape[-1]) not in (None, wanted):
            call.fail(BITS, "input", type=call["input"], dtype=dtype, wanted=wanted)
        shape = shape[:-1]
    return TensorType(dtype, shape)


def ensure_shape(call: OpCall) -> TensorType:
    """The tensor, with the sizes in `shape` known from here on. A size of none says nothing."""
    given: Nested = call["shape"]
    dims = [dim for dim in given if type(dim) is int or dim is None] if isinstance(given, (list, tuple)) else []
    if not isinstance(given, (list, tuple)) or len(dims) < len(given):
        allowed = "a list of sizes, none for one not known"
        call.fail(OPTION, "shape", param="shape", value="this", allowed=allowed)
    return TensorType(call.dtype("T"), merge(call, call["x"].shape, tuple(dims), "x", "shape"))


def batch_shape(call: BatchCall) -> str:
    if call.kind("input") != ROWS:
        raise Mixed
    return SIZES


def batch_cast(call: BatchCall) -> str:
    """Linear, except for casts to integers, which cut off fractions."""
    if call.kind("x") != ROWS and call.output.dtype.kind != "float":
        raise Mixed
    return linear("x")(call)


# fmt: off
row("shape", "input: T, out_type: dtype U = int32", shape_of, "shape",
    "The sizes of a tensor, an int vector.",
    "shape([[1.0, 2.0], [3.0, 4.0]])", batch=batch_shape, U="int32 int64", by_shape=True, no_gradient="*")
row("size", "input: T, out_type: dtype U = int32", scalar("U"), "size",
    "How many elements a tensor has, a scalar.",
    "size([[1.0, 2.0], [3.0, 4.0]])", batch=whole, U="int32 int64", by_shape=True, no_gradient="*")
row("rank", "input: T", scalar(INT32), "rank", "How many axes a tensor has, a scalar.", "rank([[1.0, 2.0]])",
    batch=whole,
    by_shape=True, no_gradient="*")
row("identity", "input: T", like("input"), "identity", "The same tensor as another node.",
    "identity([1.0, 2.0])", batch=linear("input"), T="all", arranges=True,
    formula=Made(lambda s, x: x))
row("stop_gradient", "input: T", like("input"), "stop_gradient",
    "The same tensor, but gradients treat it as a constant.", "stop_gradient([1.0, 2.0])",
    batch=linear("input"), no_gradient="*",
    arranges=True)
row("cast", "x: T, dtype: dtype U", as_dtype("x"), "cast",
    "The elements in another dtype; the shape stays.",
    "cast([1.5, 2.5], int32)", batch=batch_cast, T="number bool quantized", U="number bool quantized", arranges=True)
row("saturate_cast", "value: T, dtype: dtype U", as_dtype("value"), "saturate_cast",
    "The elements in another dtype, with values out of range moved to the nearest value.",
    "saturate_cast([1.5, 300.0], uint8)", batch=each, T="real", U="real", flops=per_result(2))
row("bitcast", "input: T, type: dtype U", bitcast, "bitcast",
    "The same bits read as another dtype; a smaller dtype adds a last axis.",
    "bitcast([1.0, 2.0], uint8)", batch=whole, T="number quantized", U="number quantized")
row("ensure_shape", "x: T, shape: static", ensure_shape, "ensure_shape",
    "The same tensor with known sizes (none: any); the run stops if they differ.",
    "ensure_shape([[1.0, 2.0]], [none, 2])", batch=whole, arranges=True)
# fmt: on
