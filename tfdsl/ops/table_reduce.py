"""Rows of the op table: reductions, running sums, searches, and sums by segment."""

from ..types import BOOL
from . import shapes
from . import shapes_index as index
from .row import table
from .shapes import along_axis, reduction

ROWS, row = table("reductions")

_AXES = "Over all axes, or those that `axis` names, which go unless `keepdims` leaves them with size 1."
# name, TensorFlow symbol, what is computed, dtypes, whether complex numbers give real ones
_REDUCTIONS = (
    ("reduce_sum", "reduce_sum", "sum", "number", False),
    ("reduce_mean", "reduce_mean", "mean", "number", False),
    ("reduce_max", "reduce_max", "largest element", "real", False),
    ("reduce_min", "reduce_min", "smallest element", "real", False),
    ("reduce_prod", "reduce_prod", "product", "number", False),
    ("reduce_logsumexp", "reduce_logsumexp", "logarithm of the sum of the exponentials", "float", False),
    ("reduce_variance", "math.reduce_variance", "variance", "inexact", True),
    ("reduce_std", "math.reduce_std", "standard deviation", "inexact", True),
    ("reduce_euclidean_norm", "math.reduce_euclidean_norm", "square root of the sum of the squares", "number",
        False),
)
for _name, _tf, _what, _dtypes, _real in _REDUCTIONS:
    row(_name, "input_tensor: T, axis: integers = none, keepdims: flag = false", reduction(real=_real), _tf,
        f"The {_what}. {_AXES}", f"{_name}([[1.0, 2.0], [3.0, 4.0]], axis=1)", T=_dtypes)
for _name, _what in (("reduce_any", "at least one element is"), ("reduce_all", "all elements are")):
    row(_name, "input_tensor: bool, axis: integers = none, keepdims: flag = false", reduction(dtype=BOOL),
        _name,
        f"Whether {_what} true. {_AXES}", f"{_name}([[true, false], [true, true]], axis=0, keepdims=true)")
row("count_nonzero", "input_tensor: T, axis: integers = none, keepdims: flag = false, dtype: dtype U = int64",
    reduction(dtype="U"), "count_nonzero", f"How many elements are not 0. {_AXES}",
    "count_nonzero([[1, 0], [3, 4]], axis=0)", U="number")
row("zero_fraction", "value: T", shapes.scalar(shapes.FLOAT32), "nn.zero_fraction",
    "The share of elements that are 0, a float32 scalar.", "zero_fraction([0.0, 1.0, 0.0, 2.0])", no_gradient="*",
    T="number")

for _name, _what, _dtypes in (
    ("argmax", "largest", "int16 uint16 int32 int64"), ("argmin", "smallest", "int32 int64"),
):
    row(_name, "input: T, axis: integer = none, output_type: dtype U = int64", shapes.best_index, _name,
        f"The index of the {_what} element along `axis` (0 unless given); the result lacks that axis.",
        f"{_name}([[1.0, 5.0], [4.0, 2.0]], axis=1)", no_gradient="*", T="real bool", U=_dtypes)
for _name, _what, _dtypes in (("cumsum", "sum", "number"), ("cumprod", "product", "number")):
    row(_name, "x: T, axis: integer = 0, exclusive: flag = false, reverse: flag = false", along_axis("x"),
        _name,
        f"The running {_what} along `axis`; without the element itself where `exclusive`, from the end where "
        "`reverse`. The shape stays.", f"{_name}([1.0, 2.0, 3.0], exclusive=true)", T=_dtypes)
row("cumulative_logsumexp", "x: T, axis: integer = 0, exclusive: flag = false, reverse: flag = false",
    along_axis("x"), "math.cumulative_logsumexp",
    "The running logarithm of the sum of the exponentials along `axis`. The shape stays.",
    "cumulative_logsumexp([1.0, 2.0, 3.0])", T="float")

row("bincount", "arr: int32, weights: T? = none, minlength: int32? = none, maxlength: int32? = none, "
    "dtype: dtype U = int32", index.bincount, "math.bincount",
    "How often each number from 0 on occurs (or the sum of its weights), a vector as long as the largest "
    "number and one.", "bincount([1, 1, 3], minlength=5)", named=False, T="int32 int64 float32 float64",
    U="int32 int64 float32 float64")
row("confusion_matrix", "labels: T, predictions: T, num_classes: T? = none, dtype: dtype U = int32",
    index.confusion_matrix, "confusion_matrix",
    "How often each label (row) was predicted as each class (column).",
    "confusion_matrix([0, 1, 2], [0, 2, 2], num_classes=3)", T="int32 int64", U="number")
row("histogram_fixed_width", "values: T, value_range: T, nbins: int32 = 100, dtype: dtype U = int32",
    index.histogram, "histogram_fixed_width",
    "How many values fall into each of `nbins` equal bins between the two ends of `value_range`.",
    "histogram_fixed_width([1.0, 2.5, 4.0], [0.0, 5.0], nbins=5)", T="int32 int64 float32 float64",
    U="int32 int64")
row("histogram_fixed_width_bins", "values: T, value_range: T, nbins: int32 = 100",
    index.histogram_bins, "histogram_fixed_width_bins",
    "The int32 bin of each value, among `nbins` equal bins between the two ends of `value_range`.",
    "histogram_fixed_width_bins([1.0, 2.5, 4.0], [0.0, 5.0], nbins=5)", T="float")

# name, what is computed of the slices, dtypes
_SEGMENTS = (("sum", "sum", "number"), ("prod", "product", "number"), ("max", "largest element", "real"),
             ("min", "smallest element", "real"))
for _name, _what, _dtypes in (*_SEGMENTS, ("mean", "mean", "number")):
    row(f"segment_{_name}", "data: T, segment_ids: U", index.segment, f"segment_{_name}",
        f"The {_what} of the slices of `data` that have one id. The ids are sorted, one for each slice; the "
        "result has one slice for each id.",
        f"segment_{_name}([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0, 0, 1])",
        T=_dtypes, U="int32 int64")
_UNSORTED = (*_SEGMENTS, ("mean", "mean", "float"),
             ("sqrt_n", "sum, divided by the square root of their number,", "float"))
for _name, _what, _dtypes in _UNSORTED:
    row(f"unsorted_segment_{_name}", "data: T, segment_ids: U, num_segments: V", index.unsorted_segment,
        f"unsorted_segment_{_name}",
        f"The {_what} of the slices of `data` that have one id, in any order. The result has `num_segments` "
        "slices.",
        f"unsorted_segment_{_name}([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [1, 0, 1], 2)",
        T=_dtypes, U="int16 int32 int64" if _name in ("sum", "mean", "sqrt_n") else "int32 int64",
        V="int32 int64")
for _name, _what in (
    ("sum", "sum"), ("mean", "mean"), ("sqrt_n", "sum, divided by the root of their number,"),
):
    row(f"sparse_segment_{_name}", "data: T, indices: U, segment_ids: V", index.sparse_segment,
        f"sparse_segment_{_name}",
        f"The {_what} of those slices of `data` that `indices` picks and that have one id.",
        f"sparse_segment_{_name}([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0, 2], [0, 0])",
        T="real" if _name == "sum" else "float", U="int32 int64", V="int32 int64")
