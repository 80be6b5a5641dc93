"""Rows of the op table: tensors made, joined, cut, picked from and rearranged."""

from ..types import INT32
from . import shapes_array as array
from . import shapes_index as index
from .row import table
from .shapes import like, like_list, scalar

ROWS, row = table("arrays")

# --- New tensors ------------------------------------------------------------------------------
row("constant", "value: T, dtype: dtype T = none, shape: shape? = none", array.constant, "constant",
    "A node with a value known while compiling. With `shape`, one number fills it all.",
    "constant([[1.0, 2.0], [3.0, 4.0]])")
for _name in ("zeros", "ones"):
    row(_name, "shape: shape, dtype: dtype T = float32", array.shaped, _name, f"A tensor of {_name}.",
        f"{_name}([2, 3])", T="number bool string" if _name == "zeros" else "number bool")
    row(f"{_name}_like", "tensor: T, dtype: dtype U = none", array.filled_like("tensor"), f"{_name}_like",
        f"A tensor of {_name} with the shape, and unless given the dtype, of another.",
        f"{_name}_like([[1, 2], [3, 4]], dtype=float32)",
        by_shape=True, no_gradient="*", U="any" if _name == "zeros" else "number bool")
row("fill", "dims: shape, value: T", array.fill, "fill",
    "A tensor that holds one value everywhere.",
    "fill([2, 3], 7.0)")
row("eye", "num_rows: int32, num_columns: int32? = none, batch_shape: shape? = none, dtype: dtype T = "
    "float32",
    array.eye, "eye", "Ones on the diagonal of a matrix of zeros (of one in each place of `batch_shape`).",
    "eye(3, num_columns=2)", T="number bool")
row("linspace", "start: T, stop: T, num: int32, axis: integer = 0", array.linspace, "linspace",
    "`num` values at equal distances from `start` to `stop`, both included.", "linspace(0.0, 1.0, 5)",
    T="float")
row("one_hot", "indices: U, depth: int32, on_value: T? = none, off_value: T? = none, axis: integer = none, "
    "dtype: dtype T = none", array.one_hot, "one_hot",
    "A new axis (the last unless given) of size `depth`, with 1 at each index and 0 elsewhere.",
    "one_hot([0, 2], 3)", T="number", U="uint8 int8 int32 int64", axis=-1)
row("sequence_mask", "lengths: U, maxlen: U? = none, dtype: dtype T = bool", array.sequence_mask,
    "sequence_mask",
    "A new last axis of size `maxlen` (the largest length unless given), true on its first `lengths` places.",
    "sequence_mask([1, 3], maxlen=4)", U="int32 int64")
row("meshgrid", "args: [T], indexing: text = \"xy\"", array.meshgrid, "meshgrid",
    "The coordinates of all points of a grid, one tensor for each of the vectors that span it.",
    "meshgrid([[1.0, 2.0], [3.0, 4.0, 5.0]])", special=True, named=False, indexing=("xy", "ij"),
    T="number bool")
for _name in ("hann_window", "hamming_window"):
    row(_name, "window_length: int32, periodic: flag = true, dtype: dtype T = float32", array.window,
        f"signal.{_name}", f"The weights of a {_name[:-7].capitalize()} window, a vector.", f"{_name}(8)",
        T="float")

# --- What a tensor is like --------------------------------------------------------------------
row("shape", "input: T, out_type: dtype U = int32", array.shape_of, "shape",
    "The sizes of a tensor, an int vector.",
    "shape([[1.0, 2.0], [3.0, 4.0]])", U="int32 int64", by_shape=True, no_gradient="*")
row("size", "input: T, out_type: dtype U = int32", scalar("U"), "size",
    "How many elements a tensor has, a scalar.",
    "size([[1.0, 2.0], [3.0, 4.0]])", U="int32 int64", by_shape=True, no_gradient="*")
row("rank", "input: T", scalar(INT32), "rank", "How many axes a tensor has, a scalar.", "rank([[1.0, 2.0]])",
    by_shape=True, no_gradient="*")
row("identity", "input: T", like("input"), "identity", "The same tensor as another node.",
    "identity([1.0, 2.0])", arranges=True)
row("stop_gradient", "input: T", like("input"), "stop_gradient",
    "The same tensor, but gradients take it for a constant.", "stop_gradient([1.0, 2.0])", no_gradient="*",
    arranges=True)
row("cast", "x: T, dtype: dtype U", array.as_dtype("x"), "cast",
    "The elements in another dtype; the shape stays.",
    "cast([1.5, 2.5], int32)", T="number bool quantized", U="number bool quantized", arranges=True)
row("saturate_cast", "value: T, dtype: dtype U", array.as_dtype("value"), "saturate_cast",
    "The elements in another dtype, those that it cannot hold moved to its nearest value.",
    "saturate_cast([1.5, 300.0], uint8)", T="real", U="real")
row("bitcast", "input: T, type: dtype U", array.bitcast, "bitcast",
    "The same bits read as another dtype; of a smaller one there are more, on a new last axis.",
    "bitcast([1.0, 2.0], uint8)", T="number quantized", U="number quantized")
row("ensure_shape", "x: T, shape: static", array.ensure_shape, "ensure_shape",
    "The same tensor, with its sizes said (none: any); the run stops where they are not so.",
    "ensure_shape([[1.0, 2.0]], [none, 2])", arranges=True)

# --- Another shape ----------------------------------------------------------------------------
row("reshape", "tensor: T, shape: shape", array.reshape, "reshape",
    "The same elements in the same order in another shape; one size may be -1, for what is left over.",
    "reshape([[1, 2, 3], [4, 5, 6]], [3, -1])", arranges=True)
row("transpose", "a: T, perm: integers = none, conjugate: flag = false", array.transpose, "transpose",
    "The axes in the order of `perm`, or all the other way round.", "transpose([[1, 2, 3], [4, 5, 6]])", arranges=True)
row("expand_dims", "input: T, axis: integer", array.expand_dims, "expand_dims", "A new axis of size 1.",
    "expand_dims([1.0, 2.0], axis=0)", arranges=True)
row("squeeze", "input: T, axis: integers = none", array.squeeze, "squeeze",
    "Axes of size 1 removed: those that `axis` names, or all.", "squeeze([[[1.0], [2.0]]], axis=[0])", arranges=True)
row("broadcast_to", "input: T, shape: shape", array.broadcast_to, "broadcast_to",
    "The tensor stretched to a shape: new axes in front, and sizes of 1 repeated.",
    "broadcast_to([[1.0], [2.0]], [3, 2, 4])")
row("pad", "tensor: T, paddings: U, mode: text = \"CONSTANT\", constant_values: T = 0", array.pad, "pad",
    "More elements before and after, on each axis as many as its pair in `paddings` says.",
    "pad([[1, 2], [3, 4]], [[1, 0], [0, 2]])", U="int32 int64")
row("tile", "input: T, multiples: shape", array.tile, "tile", "The tensor repeated along each axis.",
    "tile([[1, 2]], [2, 3])")
row("repeat", "input: T, repeats: U, axis: integer = none", array.repeat, "repeat",
    "Each slice of an axis (each element, where no axis is given) as often as told.",
    "repeat([[1, 2], [3, 4]], [1, 2], axis=0)", U="int")
row("roll", "input: T, shift: U, axis: V", index.roll, "roll",
    "The elements moved along the axes; what leaves at one end enters at the other.",
    "roll([[1, 2, 3], [4, 5, 6]], 1, 1)", U="int32 int64", V="int32 int64")
row("reverse", "tensor: T, axis: U", index.reverse, "reverse", "The axes named, last element first.",
    "reverse([[1, 2], [3, 4]], [1])", T="real complex64 complex128 bool string", U="int32 int64")
row("reverse_sequence", "input: T, seq_lengths: U, seq_axis: integer, batch_axis: integer = 0",
    index.reverse_sequence, "reverse_sequence",
    "Along `seq_axis` the first elements the other way round, as many as each place on `batch_axis` says.",
    "reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], 1)", U="int32 int64", seq_axis=0, batch_axis=0)
row("space_to_depth", "input: T, block_size: integer", array.space_to_depth, "space_to_depth",
    "Blocks of rows and columns of images [batch, height, width, channels] moved into the channels.",
    "space_to_depth([[[[1], [2]], [[3], [4]]]], 2)")
row("depth_to_space", "input: T, block_size: integer", array.depth_to_space, "depth_to_space",
    "Channels of images [batch, height, width, channels] moved into blocks of rows and columns.",
    "depth_to_space([[[[1, 2, 3, 4]]]], 2)")

# --- Joining and cutting ----------------------------------------------------------------------
row("concat", "values: [T], axis: integer", array.concat, "concat",
    "A list of tensors one behind the other on an axis; all their other sizes agree.",
    "concat([[[1, 2]], [[3, 4], [5, 6]]], axis=0)")
row("stack", "values: [T], axis: integer = 0", array.stack, "stack",
    "A list of tensors of one shape as one tensor, with a new axis as long as the list.",
    "stack([[1, 2], [3, 4], [5, 6]], axis=1)")
row("unstack", "value: T, num: integer = none, axis: integer = 0", array.unstack, "unstack",
    "The slices of a tensor along an axis, as many tensors as its size.", "unstack([[1, 2], [3, 4], [5, 6]])")
row("split", "value: T, num_or_size_splits: integers, axis: integer = 0", array.split, "split",
    "A tensor cut along an axis: into so many equal pieces, or into pieces of those sizes.",
    "split([[1, 2, 3], [4, 5, 6]], [1, 2], axis=1)")
row("dynamic_partition", "data: T, partitions: int32, num_partitions: integer", array.dynamic_partition,
    "dynamic_partition", "`num_partitions` tensors: each slice of `data` goes to the one that `partitions` "
    "says.",
    "dynamic_partition([[1, 2], [3, 4], [5, 6]], [0, 1, 0], 2)")
row("identity_n", "input: [T]", like_list("input"), "identity_n",
    "A list of tensors, unchanged, as one node.",
    "identity_n([[1.0, 2.0], [3.0]])")

# --- Picking ----------------------------------------------------------------------------------
row("gather", "params: T, indices: U, axis: integer = none, batch_dims: integer = 0", index.gather, "gather",
    "The slices of an axis (the first unless given) at the indices: the axes of `indices` take its place.",
    "gather([[1, 2], [3, 4], [5, 6]], [2, 0])", U="int16 int32 int64", gathers=("params",))
row("gather_nd", "params: T, indices: U, batch_dims: integer = 0", index.gather_nd, "gather_nd",
    "The element, or slice, at each tuple of indices; the last axis of `indices` holds the tuples.",
    "gather_nd([[1, 2], [3, 4]], [[0, 0], [1, 1]])", U="int16 int32 int64", batch_dims=0, gathers=("params",))
row("where", "condition: bool, x: T? = none, y: T? = none", index.choose, "where",
    "`x` where the condition is true, `y` elsewhere; both have one shape, a vector condition picks rows. "
    "Without them, the int64 indices of the true elements.", "where([true, false], [1.0, 2.0], [3.0, 4.0])")
row("where_v2", "condition: bool, x: T? = none, y: T? = none", index.choose_broadcasting, "where_v2",
    "`x` where the condition is true, `y` elsewhere; all three broadcast. Without them, the int64 indices of "
    "the true elements.", "where_v2([[true], [false]], [1.0, 2.0], 0.0)")
row("boolean_mask", "tensor: T, mask: bool, axis: integer = none", index.boolean_mask, "boolean_mask",
    "The slices where the mask is true, on one axis in the place of those that the mask covers.",
    "boolean_mask([[1, 2], [3, 4]], [true, false])")
row("slice", "input_: T, begin: shape, size: shape", index.slice_, "slice",
    "`size` elements from `begin` on each axis; a size of -1 takes all that is left.",
    "slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1])")
row("strided_slice", "input_: T, begin: U, end: U, strides: U? = none, begin_mask: integer = 0, "
    "end_mask: integer = 0, ellipsis_mask: integer = 0, new_axis_mask: integer = 0, shrink_axis_mask: "
    "integer = 0",
    index.strided_slice, "strided_slice",
    "Python's slices begin:end:strides on each axis. The bits of the masks stand for what Python leaves out: "
    "the begin, the end, the ellipsis, a new axis, one index in place of a slice.",
    "strided_slice([[1, 2, 3], [4, 5, 6]], [0, 2], [2, 0], [1, -1])", U="int16 int32 int64")
row("top_k", "input: T, k: int32 = 1, sorted: flag = true, index_type: dtype U = int32", index.top_k,
    "nn.top_k",
    "The `k` largest elements of the last axis, and their indices.", "top_k([[1.0, 5.0, 3.0]], k=2)",
    T="real", U="int16 int32 int64")
row("unique", "x: T, out_idx: dtype U = int32", array.unique(2), "unique",
    "The different values of a vector, and for each element the index of its value.", "unique([1, 1, 2])",
    U="int32 int64")
row("unique_with_counts", "x: T, out_idx: dtype U = int32", array.unique(3), "unique_with_counts",
    "The different values of a vector, for each element the index of its value, and how often each value "
    "occurs.",
    "unique_with_counts([1, 1, 2])", U="int32 int64")
row("setdiff1d", "x: T, y: T", array.set_difference, "setdiff1d",
    "The values of the vector `x` that are not in `y`, and their indices in `x`.",
    "setdiff1d([1, 2, 3], [2])")
row("searchsorted", "sorted_sequence: T, values: T, side: text = \"left\", out_type: dtype U = int32",
    index.searchsorted, "searchsorted",
    "For each value the index where it belongs in the sorted last axis.",
    "searchsorted([1.0, 3.0, 5.0], [2.0, 4.0])", U="int32 int64")
row("sort", "values: T, axis: integer = -1, direction: text = \"ASCENDING\"", index.sort, "sort",
    "The elements of an axis in order.", "sort([3.0, 1.0, 2.0])", T="real")
row("argsort", "values: T, axis: integer = -1, direction: text = \"ASCENDING\", stable: flag = false",
    index.argsort, "argsort", "The int32 indices that put an axis in order.", "argsort([3.0, 1.0, 2.0])",
    T="real")
row("invert_permutation", "x: T", index.invert_permutation, "invert_permutation",
    "For each number from 0 its place in a vector that holds all of them.", "invert_permutation([2, 0, 1])",
    T="int32 int64")

# --- Scattering -------------------------------------------------------------------------------
row("scatter_nd", "indices: U, updates: T, shape: shape", index.scatter_nd, "scatter_nd",
    "Zeros of a shape, with each update added at its tuple of indices.",
    "scatter_nd([[0], [2]], [5.0, 6.0], [4])", pairs=("indices", "updates"), U="int32 int64")
for _name, _what, _indices in (
    ("update", "replaced by", "int16 uint16 int32 int64"), ("add", "increased by", "int32 int64"),
    ("sub", "decreased by", "int32 int64"), ("max", "raised to at least", "int32 int64"),
    ("min", "lowered to at most", "int32 int64"),
):
    row(f"tensor_scatter_nd_{_name}", "tensor: T, indices: U, updates: T", index.tensor_scatter,
        f"tensor_scatter_nd_{_name}",
        f"A copy of a tensor, where the slice at each tuple of indices is {_what} its update.",
        f"tensor_scatter_nd_{_name}([1.0, 2.0, 3.0], [[0], [2]], [5.0, 6.0])", pairs=("indices", "updates"),
        U=_indices)
