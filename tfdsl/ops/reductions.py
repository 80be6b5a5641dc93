"""Reductions, cumulative sums, searches, and sums by segment."""

from ..diagnostics import AXIS_FIRST, MEAN_WHOLE, NEGATIVE, ONE_CLASS
from ..types import BOOL, FLOAT32, INT32, Dim, DType, TensorType
from .batch import MEAN, ROWS, SUM, BatchCall, Mixed, along, mean_loss, reduced, rows, total, whole
from .flops import Flops, per_element, per_result
from .formula import Made
from .op import Alike, OpCall
from .row import table
from .rules import (
    along_axis,
    axis_in,
    count,
    flat,
    least_rank,
    merge,
    number,
    reduction,
    same_size,
    scalar,
    wanted_rank,
    without,
)

OPS, row = table("reductions")


def best_index(call: OpCall) -> TensorType:
    """The index of the largest or smallest element along one axis, by default the first."""
    shape = call["input"].shape
    if shape and len(shape) > 1 and call["axis"] is None:
        call.warn(AXIS_FIRST, "input", type=call["input"], size=shape[0])
    if shape:
        axis = axis_in(call, call["axis"] or 0, len(shape), "input")
        if len(shape) > 1 and call["axis"] is not None and number(call, shape[axis]) == 1:
            call.warn(ONE_CLASS, "input", type=call["input"], result="each index is 0")
        shape = without(shape, [axis])
    return TensorType(call.dtype("U"), shape)


def mean(call: OpCall) -> TensorType:
    """Like other reductions. The mean of integers is an integer."""
    dtype = call["input_tensor"].dtype
    if dtype.kind in ("int", "uint"):
        axis, keepdims = call["axis"], ", keepdims=true" if call["keepdims"] else ""
        shown = "" if axis is None else f", axis={axis}"
        call.warn(MEAN_WHOLE, "input_tensor", axis=shown + keepdims)
    return reduction()(call)


def segment(call: OpCall) -> TensorType:
    """One slice per segment. Only the run knows how many there are."""
    data, _ = least_rank(call, "data", 1), wanted_rank(call, "segment_ids", 1)
    if data is None:
        return TensorType(call.dtype("T"), None)
    return TensorType(call.dtype("T"), (None, *data[1:]))


def unsorted_segment(call: OpCall) -> TensorType:
    """`num_segments` slices. The ids can have several axes, the first axes of the data."""
    return per_segment(call, "data", call.dtype("T"))


def per_segment(call: OpCall, param: str, dtype: DType) -> TensorType:
    data, ids, segments = call[param].shape, call["segment_ids"].shape, count(call, "num_segments")
    if data is None or ids is None:
        return TensorType(dtype, None)
    least_rank(call, param, len(ids))
    for left, right in zip(data, ids):
        same_size(call, left, right, param, "segment_ids")
    return TensorType(dtype, (segments, *data[len(ids) :]))


def sparse_segment(call: OpCall) -> TensorType:
    """Segments of selected rows of the data."""
    data = least_rank(call, "data", 1)
    picked, ids = (wanted_rank(call, name, 1)[0] for name in ("indices", "segment_ids"))
    same_size(call, picked, ids, "indices", "segment_ids")
    return TensorType(call.dtype("T"), None if data is None else (None, *data[1:]))


def bincount(call: OpCall) -> TensorType:
    """The count of each number, or the sum of its weights."""
    dtype = call["dtype"] if call["weights"] is None else call.dtype("T")
    for name in ("minlength", "maxlength"):
        if call[name] is not None:
            wanted_rank(call, name, 0)
    least, most = (0 if call[name] is None else call.known(name) for name in ("minlength", "maxlength"))
    if call.known("arr") is None or None in (least, most):
        return TensorType(dtype, (None,))
    size = max(least, 1 + max(flat(call.known("arr")), default=-1))
    return TensorType(dtype, (size if call["maxlength"] is None else min(size, most),))


def confusion_matrix(call: OpCall) -> TensorType:
    """One row per label and one column per prediction."""
    if call["num_classes"] is not None:
        classes = count(call, "num_classes")
    else:
        seen = [call.known(name) for name in ("labels", "predictions")]
        largest = None if None in seen else max(flat(seen), default=None)  # without labels there is no largest one
        classes = None if largest is None else largest + 1
    for param in ("labels", "predictions"):
        for value in flat(call.known(param)):
            if value < 0:
                call.fail(NEGATIVE, param, param=param, value=value, least=0)
    merge(call, wanted_rank(call, "labels", 1), wanted_rank(call, "predictions", 1), "labels", "predictions")
    return TensorType(call["dtype"], (classes, classes))


def histogram(call: OpCall) -> TensorType:
    """One count per bin."""
    return TensorType(call["dtype"], (_bins(call),))


def histogram_bins(call: OpCall) -> TensorType:
    """The bin of each value."""
    _bins(call)
    return TensorType(INT32, call["values"].shape)


def _bins(call: OpCall) -> Dim:
    same_size(call, wanted_rank(call, "value_range", 1)[0], 2, "value_range")
    bins = count(call, "nbins")
    if bins == 0:
        call.fail(NEGATIVE, "nbins", param="nbins", value=bins, least=1)
    return bins


def batch_nonzero(call: BatchCall) -> str:
    """Counts of rows. Those of a mean or a sum are not made of the counts for parts."""
    if call.kind("input_tensor") != ROWS:
        raise Mixed
    return reduced("input_tensor", SUM)(call)


def batch_confusion(call: BatchCall) -> str:
    """Counts of rows, if their number of classes does not depend on these."""
    if call.option("num_classes") is None:
        raise Mixed
    rows("labels", "predictions")(call)
    return SUM


# fmt: off
_AXES = "Over all axes, or the axes in `axis`. They are removed unless `keepdims` keeps them with size 1."
# name, TensorFlow symbol, result, dtypes, whether complex numbers give real results
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
# The floating-point operations for each element, and for each element of the result.
_FLOPS = {
    "reduce_sum": (1, -1), "reduce_max": (1, -1), "reduce_min": (1, -1), "reduce_prod": (1, -1),
    "reduce_mean": (1,), "reduce_logsumexp": (4,), "reduce_variance": (4,), "reduce_std": (4, 1),
    "reduce_euclidean_norm": (2,),
}
_OVER_ROWS = {"reduce_sum": SUM, "reduce_mean": MEAN}  # their kind for a reduction over rows
for _name, _tf, _what, _dtypes, _real in _REDUCTIONS:
    row(_name, "input_tensor: T, axis: integers = none, keepdims: flag = false",
        mean if _name == "reduce_mean" else reduction(real=_real), _tf,
        f"The {_what}. {_AXES}", f"{_name}([[1.0, 2.0], [3.0, 4.0]], axis=1)",
        batch=reduced("input_tensor", _OVER_ROWS.get(_name, "")),
        formula=Made(lambda s, x: x) if _name in _OVER_ROWS else None,
        flops=per_element("input_tensor", *_FLOPS[_name]),
        alike=Alike.BY_TYPES, T=_dtypes)
for _name, _what in (("reduce_any", "at least one element is"), ("reduce_all", "all elements are")):
    row(_name, "input_tensor: bool, axis: integers = none, keepdims: flag = false", reduction(dtype=BOOL),
        _name,
        f"Whether {_what} true. {_AXES}", f"{_name}([[true, false], [true, true]], axis=0, keepdims=true)",
        batch=reduced("input_tensor"))
row("count_nonzero", "input_tensor: T, axis: integers = none, keepdims: flag = false, dtype: dtype U = int64",
    reduction(dtype="U"), "count_nonzero", f"How many elements are not 0. {_AXES}",
    "count_nonzero([[1, 0], [3, 4]], axis=0)", batch=batch_nonzero, U="number", flops=per_element("input_tensor"))
row("zero_fraction", "value: T", scalar(FLOAT32), "nn.zero_fraction",
    "The fraction of elements that are 0, a float32 scalar.", "zero_fraction([0.0, 1.0, 0.0, 2.0])",
    batch=mean_loss("value"), no_gradient="*",
    T="number", flops=per_element("value"))

for _name, _what, _dtypes in (
    ("argmax", "largest", "int16 uint16 int32 int64"), ("argmin", "smallest", "int32 int64"),
):
    row(_name, "input: T, axis: integer = none, output_type: dtype U = int64", best_index, _name,
        f"The index of the {_what} element along `axis` (0 unless given); the result lacks that axis.",
        f"{_name}([[1.0, 5.0], [4.0, 2.0]], axis=1)",
        batch=along("axis", "input", 0), no_gradient="*", flops=per_element("input", 1, -1), T="real bool", U=_dtypes)
for _name, _what, _dtypes in (("cumsum", "sum", "number"), ("cumprod", "product", "number")):
    row(_name, "x: T, axis: integer = 0, exclusive: flag = false, reverse: flag = false", along_axis("x"),
        _name,
        f"The running {_what} along `axis`; without the element itself if `exclusive`, from the end if "
        "`reverse`. The shape stays.", f"{_name}([1.0, 2.0, 3.0], exclusive=true)",
        batch=along("axis", "x", 0), flops=per_result(), T=_dtypes)
row("cumulative_logsumexp", "x: T, axis: integer = 0, exclusive: flag = false, reverse: flag = false",
    along_axis("x"), "math.cumulative_logsumexp",
    "The running logarithm of the sum of the exponentials along `axis`. The shape stays.",
    "cumulative_logsumexp([1.0, 2.0, 3.0])", batch=along("axis", "x", 0), T="float")

row("bincount", "arr: int32, weights: T? = none, minlength: int32? = none, maxlength: int32? = none, "
    "dtype: dtype U = int32", bincount, "math.bincount",
    "How often each number from 0 on occurs (or the sum of its weights), a vector with one element more than the "
    "largest number.", "bincount([1, 1, 3], minlength=5)", batch=whole, named=False, T="int32 int64 float32 float64",
    U="int32 int64 float32 float64")
row("confusion_matrix", "labels: T, predictions: T, num_classes: T? = none, dtype: dtype U = int32",
    confusion_matrix, "confusion_matrix",
    "How often each label (row) was predicted as each class (column).",
    "confusion_matrix([0, 1, 2], [0, 2, 2], num_classes=3)", batch=batch_confusion, T="int32 int64", U="number")
row("histogram_fixed_width", "values: T, value_range: T, nbins: int32 = 100, dtype: dtype U = int32",
    histogram, "histogram_fixed_width",
    "How many values fall into each of `nbins` equal bins between the two ends of `value_range`.",
    "histogram_fixed_width([1.0, 2.5, 4.0], [0.0, 5.0], nbins=5)", batch=total("values"),
    T="int32 int64 float32 float64",
    U="int32 int64")
row("histogram_fixed_width_bins", "values: T, value_range: T, nbins: int32 = 100",
    histogram_bins, "histogram_fixed_width_bins",
    "The int32 bin of each value, among `nbins` equal bins between the two ends of `value_range`.",
    "histogram_fixed_width_bins([1.0, 2.5, 4.0], [0.0, 5.0], nbins=5)", batch=whole, T="float")



def batch_segment_sum(call: BatchCall) -> str:
    """Each row is added to the slice of its id."""
    if call.kind("data") == ROWS:
        rows("data", "segment_ids")(call)
        return SUM
    call.only("data")
    return call.kind("data")


def _slices(name: str, data: str) -> Flops:
    """Of slices put together: one for each element, and a division of each mean."""
    return per_element(data, 1, 1 if name in ("mean", "sqrt_n") else 0)


# name, result for the slices, dtypes
_SEGMENTS = (("sum", "sum", "number"), ("prod", "product", "number"), ("max", "largest element", "real"),
             ("min", "smallest element", "real"))
for _name, _what, _dtypes in (*_SEGMENTS, ("mean", "mean", "number")):
    row(f"segment_{_name}", "data: T, segment_ids: U", segment, f"segment_{_name}",
        f"The {_what} of the slices of `data` that have one id. The ids are sorted, one for each slice; the "
        "result has one slice for each id.",
        f"segment_{_name}([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0, 0, 1])", batch=whole, flops=_slices(_name, "data"),
        T=_dtypes, U="int32 int64")
_UNSORTED = (*_SEGMENTS, ("mean", "mean", "float"),
             ("sqrt_n", "sum, divided by the square root of their number,", "float"))
for _name, _what, _dtypes in _UNSORTED:
    row(f"unsorted_segment_{_name}", "data: T, segment_ids: U, num_segments: V", unsorted_segment,
        f"unsorted_segment_{_name}",
        f"The {_what} of the slices of `data` that have one id, in any order. The result has `num_segments` "
        "slices.",
        f"unsorted_segment_{_name}([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [1, 0, 1], 2)",
        batch=batch_segment_sum if _name == "sum" else whole, flops=_slices(_name, "data"),
        T=_dtypes, U="int16 int32 int64" if _name in ("sum", "mean", "sqrt_n") else "int32 int64",
        V="int32 int64")
for _name, _what in (
    ("sum", "sum"), ("mean", "mean"), ("sqrt_n", "sum, divided by the root of their number,"),
):
    row(f"sparse_segment_{_name}", "data: T, indices: U, segment_ids: V", sparse_segment,
        f"sparse_segment_{_name}",
        f"The {_what} of those slices of `data` that `indices` picks and that have one id.",
        f"sparse_segment_{_name}([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0, 2], [0, 0])", batch=whole,
        T="real" if _name == "sum" else "float", U="int32 int64", V="int32 int64")
# fmt: on
