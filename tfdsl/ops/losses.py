"""Losses of neural networks, one for each element or row."""

from ..diagnostics import NEGATIVE, RANK, ROWS_FEW
from ..types import BOOL, TensorType
from .activations import doubt_one_class
from .batch import BatchCall, Mixed, Rule, each, rows, several, whole
from .flops import per_element, per_result, uncounted
from .op import OpCall
from .row import table
from .rules import axis_in, broadcast, least_rank, merge, same_size, wanted_rank, without

OPS, row = table("neural networks")


def in_top_k(call: OpCall) -> TensorType:
    """One answer per row."""
    (rows, _), (targets,) = wanted_rank(call, "predictions", 2), wanted_rank(call, "targets", 1)
    return TensorType(BOOL, (same_size(call, rows, targets, "predictions", "targets"),))


def sparse_cross_entropy(call: OpCall) -> TensorType:
    """One label and one loss per row of logits."""
    labels, logits = call["labels"].shape, least_rank(call, "logits", 1)
    if logits is None or labels is None:
        return TensorType(call.dtype("T"), labels if logits is None else logits[:-1])
    if len(labels) != len(logits) - 1:
        call.fail(RANK, "labels", "logits", param="labels", wanted=len(logits) - 1, type=call["labels"])
    doubt_one_class(call, logits)
    rows = tuple(same_size(call, a, b, "labels", "logits") for a, b in zip(labels, logits))
    return TensorType(call.dtype("T"), rows)


def cross_entropy(axis: str = "axis"):
    """One loss per row of logits."""

    def rule(call: OpCall) -> TensorType:
        shape = call["logits"].shape
        if (call[axis] or 0) < -1:  # TensorFlow counts no other axis from the end
            call.fail(NEGATIVE, axis, param=axis, value=call[axis], least=-1)
        if shape is None:
            return TensorType(call.dtype("T"), None)
        position = axis_in(call, -1 if call[axis] is None else call[axis], len(shape), "logits")
        shape = merge(call, call["labels"].shape, shape, "labels", "logits")
        doubt_one_class(call, shape, axis)
        return TensorType(call.dtype("T"), None if shape is None else without(shape, [position]))

    return rule


def sampled_loss(call: OpCall) -> TensorType:
    """One loss per row of inputs."""
    rows, width = wanted_rank(call, "inputs", 2)
    classes, known = wanted_rank(call, "weights", 2)
    same_size(call, known, width, "weights", "inputs")
    for param, size in (("weights", classes), ("biases", *wanted_rank(call, "biases", 1))):
        if isinstance(size, int) and size < call["num_classes"]:
            call.fail(ROWS_FEW, param, param=param, count=call["num_classes"], type=call[param])
    labelled, true = wanted_rank(call, "labels", 2)
    same_size(call, true, call["num_true"], "labels")
    return TensorType(call.dtype("T"), (same_size(call, labelled, rows, "labels", "inputs"),))


def paired(left: str, right: str, dtype: str = "T"):
    """Element by element without broadcasting, which TensorFlow checks for known shapes."""

    def rule(call: OpCall) -> TensorType:
        merge(call, call[left].shape, call[right].shape, left, right)
        return TensorType(call.dtype(dtype), broadcast(call, left, right))

    return rule


def weighted_cross_entropy(call: OpCall) -> TensorType:
    merge(call, call["labels"].shape, call["logits"].shape, "labels", "logits")
    return TensorType(call.dtype("T"), broadcast(call, "labels", "logits", "pos_weight"))


def log_poisson_loss(call: OpCall) -> TensorType:
    """Like `paired`. The full loss compares values, so complex numbers are refused."""
    if call["compute_full_loss"] and call.dtype("T").kind == "complex":
        call.option("compute_full_loss", False)
    return paired("log_input", "targets")(call)


def batch_cross_entropy(axis: str = "") -> Rule:
    """Row by row, if the axis of the classes is not the first. An argument names that axis, or it is the last."""

    def rule(call: BatchCall) -> str:
        given = call.option(axis) if axis else None
        if several(-1 if given is None else given)[0] % max(call.rank("logits"), 1) == 0:
            raise Mixed
        return rows("labels", "logits")(call)

    return rule


# fmt: off
row("in_top_k", "predictions: float32, targets: U, k: integer", in_top_k, "nn.in_top_k",
    "For each row whether its target is among its `k` largest predictions: [n, classes] and [n] is bool [n].",
    "in_top_k([[0.1, 0.9], [0.8, 0.2]], [1, 1], 1)", batch=rows("predictions", "targets"),
    in_nn="nn.top_k_accuracy", U="int32 int64")
row("sparse_softmax_cross_entropy_with_logits", "*, labels: U, logits: T", sparse_cross_entropy,
    "nn.sparse_softmax_cross_entropy_with_logits",
    "The cross entropy of softmax(logits) for labels that are class numbers: [n] and [n, classes] is [n].",
    "sparse_softmax_cross_entropy_with_logits(labels=[1, 0], logits=[[1.0, 2.0], [3.0, 4.0]])",
    batch=batch_cross_entropy(), applies="softmax", numbers="labels",
    in_nn="nn.sparse_softmax_cross_entropy", T="float", U="int32 int64", flops=per_element("logits", 5))
for _name, _axis, _fixed in (
    ("softmax_cross_entropy_with_logits_v2", "axis: integer = none", ""),
    ("softmax_cross_entropy_with_logits", "dim: integer = -1", "labels"),
):
    row(_name, f"*, labels: T, logits: T, {_axis}", cross_entropy(_axis.partition(":")[0]), f"nn.{_name}",
        "The cross entropy of softmax(logits) for labels that are probabilities: [n, classes] twice is [n].",
        f"{_name}(labels=[[0.0, 1.0]], logits=[[1.0, 2.0]])",
        batch=batch_cross_entropy(_axis.partition(":")[0]), no_gradient=_fixed, applies="softmax",
        flops=per_element("logits", 7),
        T="float", for_whole="class numbers, [batch] or [batch, 1], go to nn.sparse_softmax_cross_entropy(y, logits)")
row("sigmoid_cross_entropy_with_logits", "*, labels: T, logits: T", paired("labels", "logits"),
    "nn.sigmoid_cross_entropy_with_logits",
    "Element by element the cross entropy of sigmoid(logits). Both have one shape.",
    "sigmoid_cross_entropy_with_logits(labels=[0.0, 1.0], logits=[-1.0, 2.0])",
    batch=each, applies="sigmoid", binary="labels", T="float", flops=per_result(7))
row("weighted_cross_entropy_with_logits", "*, labels: T, logits: T, pos_weight: T", weighted_cross_entropy,
    "nn.weighted_cross_entropy_with_logits",
    "Like sigmoid_cross_entropy_with_logits, with the positive labels weighted.",
    "weighted_cross_entropy_with_logits(labels=[0.0, 1.0], logits=[-1.0, 2.0], pos_weight=2.0)", batch=each,
    applies="sigmoid", binary="labels", T="float", flops=uncounted)
row("log_poisson_loss", "targets: T, log_input: T, compute_full_loss: flag = false",
    log_poisson_loss,
    "nn.log_poisson_loss", "Element by element the log-likelihood loss of counts, given the logarithm of "
    "their mean.",
    "log_poisson_loss([1.0, 2.0], [0.0, 0.5])", batch=each, T="inexact", flops=uncounted)
for _name, _what in (
    ("nce_loss", "Noise-contrastive estimation"), ("sampled_softmax_loss", "The cross entropy of softmax"),
):
    row(_name, "weights: T, biases: T, labels: int64, inputs: T, num_sampled: integer, num_classes: integer, "
        f"num_true: integer = 1, remove_accidental_hits: flag = {'false' if _name == 'nce_loss' else 'true'}",
        sampled_loss, f"nn.{_name}",
        f"{_what} with `num_sampled` classes drawn for the whole batch, for training with very many classes: "
        "`weights` is [classes, n], `biases` [classes], `labels` [batch, num_true], `inputs` [batch, n], and the "
        "result [batch].",
        f"{_name}([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0.0, 0.0, 0.0], [[0], [2]], [[1.0, 1.0], [2.0, 2.0]], "
        "num_sampled=1, num_classes=3)", batch=whole, T="float32", num_sampled=1, num_classes=1, num_true=1,
        classes=("weights", "biases"), gathers=("weights", "biases"))
# fmt: on
