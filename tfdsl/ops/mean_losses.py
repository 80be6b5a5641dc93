"""The losses of `tf.compat.v1.losses`: weighted, and reduced to one number."""

from ..diagnostics import BROADCAST_TO, RANK
from ..types import FLOAT32, DType, Shape, TensorType, shape_text
from .activations import doubt_one_class
from .batch import FIXED, MEAN, ROWS, SUM, BatchCall, Mixed, Rule, rows, whole
from .op import OpCall
from .row import table
from .rules import axis_in, broadcast, least_rank, merge, number, replaced, same_size

OPS, row = table("neural networks")

_BY_WEIGHTS = "weighted_sum_by_nonzero_weights"
_REDUCTIONS = ("none", "weighted_sum", "weighted_sum_over_batch_size", "weighted_mean", _BY_WEIGHTS)


def reduced_loss(call: OpCall, shape: Shape, dtype: DType) -> TensorType:
    """What becomes of losses of this shape. The weights are one number, or stretch to the losses."""
    check_weights(call, shape)
    own = None if call["weights"] is None else call["weights"].shape
    if own and shape is not None:
        sizes = [(number(call, a), a, b) for a, b in zip(own, shape)]
        shape = tuple(a if size not in (None, 1) and number(call, b) is None else b for size, a, b in sizes)
    return TensorType(dtype, shape if call["reduction"] == "none" else ())


def check_weights(call: OpCall, shape: Shape) -> None:
    own = None if call["weights"] is None else call["weights"].shape
    if not own or shape is None:
        return
    if len(own) != len(shape):
        call.fail(RANK, "weights", param="weights", wanted=f"0 or {len(shape)}", type=call["weights"])
    for left, right in zip(own, shape):
        pair = number(call, left), number(call, right)
        if None not in pair and pair[0] not in (1, pair[1]):
            call.fail(BROADCAST_TO, "weights", type=call["weights"], shape=shape_text(shape))


def weighted(call: OpCall) -> TensorType:
    return reduced_loss(call, call["losses"].shape, call.dtype("T"))


def paired_loss(left: str, right: str, dtype: DType | None = FLOAT32):
    """From two tensors of one shape."""

    def rule(call: OpCall) -> TensorType:
        merge(call, call[left].shape, call[right].shape, left, right)
        return reduced_loss(call, broadcast(call, left, right), call.dtype("T") if dtype is None else dtype)

    return rule


def cosine_distance(call: OpCall) -> TensorType:
    """One loss along an axis, which keeps size 1."""
    shape = merge(call, call["labels"].shape, call["predictions"].shape, "labels", "predictions")
    if shape is not None:
        shape = replaced(shape, axis_in(call, call["axis"], len(shape), "labels"), 1)
    return reduced_loss(call, shape, FLOAT32)


def pairwise(call: OpCall) -> TensorType:
    check_weights(call, merge(call, call["labels"].shape, call["predictions"].shape, "labels", "predictions"))
    return TensorType(FLOAT32, ())


def softmax_loss(call: OpCall) -> TensorType:
    """One loss per row of logits."""
    shape = merge(call, call["onehot_labels"].shape, call["logits"].shape, "onehot_labels", "logits")
    least_rank(call, "logits", 1)
    least_rank(call, "onehot_labels", 1)
    doubt_one_class(call, shape)
    return reduced_loss(call, None if shape is None else shape[:-1], call.dtype("T"))


def sparse_softmax_loss(call: OpCall) -> TensorType:
    """One label and one loss per row of logits. Labels can have a last axis of size 1."""
    labels, logits = call["labels"].shape, least_rank(call, "logits", 1)
    if logits is None:
        labels = least_rank(call, "labels", 1)
        is_open = labels is None or number(call, labels[-1]) in (None, 1)  # that axis may go
        return reduced_loss(call, None if is_open else labels, call.dtype("T"))
    if labels is None:
        return reduced_loss(call, logits[:-1], call.dtype("T"))
    if len(labels) not in (len(logits), len(logits) - 1):
        call.fail(RANK, "labels", "logits", param="labels", wanted=len(logits) - 1, type=call["labels"])
    if len(labels) == len(logits):
        same_size(call, labels[-1], 1, "labels")
        labels = labels[:-1]
    doubt_one_class(call, logits)
    shape = tuple(same_size(call, a, b, "labels", "logits") for a, b in zip(labels, logits))
    return reduced_loss(call, shape, call.dtype("T"))


def batch_loss(*names: str) -> Rule:
    """The mean or sum of losses, or one for each row. A mean over the weights that are not 0 is one of all rows only if
    these have one weight."""

    def rule(call: BatchCall) -> str:
        is_weighted = call.kind("weights") != FIXED
        if not is_weighted and call.has("weights") and call.rank("weights"):
            raise Mixed
        rows(*names, *(["weights"] if is_weighted else []))(call)
        how = call.option("reduction", _BY_WEIGHTS)
        if is_weighted and how in ("weighted_mean", _BY_WEIGHTS):
            raise Mixed
        return ROWS if how == "none" else SUM if how == "weighted_sum" else MEAN

    return rule


def batch_cosine(call: BatchCall) -> str:
    if call.axis("axis", 0) % call.rank("labels") == 0:
        raise Mixed
    return batch_loss("labels", "predictions")(call)


# fmt: off
_WEIGHTS = f"weights: W? = none, reduction: text = \"{_BY_WEIGHTS}\""
_LOSS = ("times `weights` (one for all, or for each), and the mean over those whose weight is not 0; `reduction` can "
         "also be \"none\", \"weighted_sum\", \"weighted_mean\" or \"weighted_sum_over_batch_size\". It joins the "
         "graph's collection of losses.")
_SINGLE = "float16 bfloat16 float32"  # these losses keep their dtype, but TensorFlow computes with float32
_FACTS = {"named": False, "W": "float", "reduction": _REDUCTIONS}
row("compute_weighted_loss", f"losses: T, {_WEIGHTS}", weighted, "losses.compute_weighted_loss",
    f"Losses {_LOSS}", "compute_weighted_loss([1.0, 2.0, 3.0], [1.0, 0.0, 2.0])", batch=batch_loss("losses"), T=_SINGLE,
    **_FACTS)
for _name, _what, _more in (
    ("mean_squared_error", "The squared errors", ""), ("absolute_difference", "The absolute errors", ""),
    ("huber_loss", "The squared errors that are below `delta`, and the absolute ones above", "delta: number = 1.0, "),
    ("log_loss", "The log losses of predictions between 0 and 1", "epsilon: number = 1e-07, "),
):
    row(_name, f"labels: T, predictions: T, {_more}{_WEIGHTS}", paired_loss("labels", "predictions"), f"losses.{_name}",
        f"{_what} {_LOSS}", f"{_name}([1.0, 0.0], [0.8, 0.3])",
        batch=batch_loss("labels", "predictions"), T="float", **_FACTS)
row("hinge_loss", f"labels: T, logits: T, {_WEIGHTS}", paired_loss("labels", "logits"), "losses.hinge_loss",
    f"The hinge losses of labels that are 0 or 1 {_LOSS}", "hinge_loss([1.0, 0.0], [0.8, -0.3])",
    batch=batch_loss("labels", "logits"), T="float", **_FACTS)
row("cosine_distance", f"labels: T, predictions: T, axis: integer, {_WEIGHTS}", cosine_distance,
    "losses.cosine_distance", "1 minus the products of labels and predictions summed over an axis, both of length 1 "
    f"along it, {_LOSS}", "cosine_distance([[1.0, 0.0]], [[0.6, 0.8]], axis=1)", batch=batch_cosine, T="float",
    **_FACTS)
row("mean_pairwise_squared_error", "labels: T, predictions: T, weights: W? = none", pairwise,
    "losses.mean_pairwise_squared_error", "The squared differences between the errors of each two elements of a row, "
    "their mean for each row, times `weights`, summed over the rows. It joins the graph's collection of losses.",
    "mean_pairwise_squared_error([[1.0, 0.0, 2.0]], [[0.8, 0.3, 1.0]])", batch=whole, T="float", named=False,
    W="float")
row("sigmoid_cross_entropy", f"multi_class_labels: T, logits: T, label_smoothing: number = 0.0, {_WEIGHTS}",
    paired_loss("multi_class_labels", "logits", None), "losses.sigmoid_cross_entropy",
    "The cross entropies of sigmoid(logits), for labels that are moved towards 0.5 by the fraction `label_smoothing`, "
    f"{_LOSS}", "sigmoid_cross_entropy([0.0, 1.0], [-1.0, 2.0])", batch=batch_loss("multi_class_labels", "logits"),
    applies="sigmoid", binary="multi_class_labels", T=_SINGLE, label_smoothing=0.0, **_FACTS)
row("softmax_cross_entropy", f"onehot_labels: T, logits: T, label_smoothing: number = 0.0, {_WEIGHTS}", softmax_loss,
    "losses.softmax_cross_entropy",
    "The cross entropies of softmax(logits), for labels that are probabilities, moved towards 1 / classes by the "
    f"fraction `label_smoothing`, {_LOSS}", "softmax_cross_entropy([[0.0, 1.0]], [[1.0, 2.0]])",
    batch=batch_loss("onehot_labels", "logits"), no_gradient="onehot_labels", applies="softmax", T=_SINGLE,
    label_smoothing=0.0, **_FACTS)
row("sparse_softmax_cross_entropy", f"labels: U, logits: T, {_WEIGHTS}", sparse_softmax_loss,
    "losses.sparse_softmax_cross_entropy", "The cross entropies of softmax(logits), for labels that are class numbers, "
    f"{_LOSS}", "sparse_softmax_cross_entropy([1, 0], [[1.0, 2.0], [3.0, 4.0]])", batch=batch_loss("labels", "logits"),
    applies="softmax", numbers="labels", in_nn="nn.sparse_softmax_cross_entropy", T=_SINGLE, U="int32 int64", **_FACTS)
# fmt: on
