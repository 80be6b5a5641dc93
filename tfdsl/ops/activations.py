"""Activations of neural networks, and dropout."""

from ..diagnostics import KEEP_PROB, ONE_CLASS, ONE_OF, OPTION
from ..types import Shape, TensorType
from .batch import BatchCall, Mixed, along, each, rows
from .flops import FlopCall, per_result
from .formula import Made, Own
from .op import OpCall
from .row import table
from .rules import along_axis, axis_in, clear_rank, least_rank, like, number, product, replaced, same_size, wanted_rank

OPS, row = table("neural networks")


def softmax(call: OpCall) -> TensorType:
    """The shape stays. An axis other than the last needs a known rank."""
    if call["axis"] not in (None, -1):
        clear_rank(call, "logits")
    result = along_axis("logits", 1)(call)
    doubt_one_class(call, result.shape)
    return result


def doubt_one_class(call: OpCall, shape: Shape, axis: str = "axis") -> None:
    """Warn of probabilities of a single class."""
    if shape and number(call, shape[-1 if call.arguments.get(axis) is None else call[axis]]) == 1:
        call.warn(ONE_CLASS, "logits", type=call["logits"], result="each share is 1")


def crelu(call: OpCall) -> TensorType:
    """One axis becomes twice as long."""
    shape = call["features"].shape
    if shape is not None:
        axis = axis_in(call, call["axis"], len(shape), "features")
        shape = replaced(shape, axis, product(call, (shape[axis], 2)))
    return TensorType(call.dtype("T"), shape)


def dropout(call: OpCall) -> TensorType:
    """The type of the tensor. The call must give either the fraction to keep or the fraction to drop."""
    given = [name for name in ("keep_prob", "rate") if call[name] is not None]
    if len(given) != 1:
        call.fail(ONE_OF, *given, first="keep_prob", second="rate")
    wanted_rank(call, given[0], 0)
    if "keep_prob" in call.by_position:
        call.warn(KEEP_PROB, "keep_prob")
    value = call.known(given[0])
    if value is not None and not 0 <= (value if given[0] == "rate" else 1 - value) < 1:
        allowed = "from 0 up to (not including) 1" if given[0] == "rate" else "more than 0 and up to 1"
        call.fail(OPTION, given[0], param=given[0], value=value, allowed=allowed)
    kept = None if call["noise_shape"] is None else call.shape("noise_shape")
    # Elements along an axis are kept or dropped together if its size in `noise_shape` is 1 or missing, else one by
    # one.
    shape = call["x"].shape if kept is None else least_rank(call, "x", len(kept))
    for dim, size in zip(reversed(shape or ()), reversed(kept or ())):
        if number(call, size) not in (None, 1):
            same_size(call, dim, size, "x", "noise_shape")
    return call["x"]


def smooth_steps(call: FlopCall) -> int:
    """Those of x * 0.5 * erfc(-x * 0.7), or of x * 0.5 * (1 + tanh(0.8 * (x + 0.04 * x**3)))."""
    return call.made * (8 if call.option("approximate") else 5)


def batch_dropout(call: BatchCall) -> str:
    if call.has("noise_shape"):  # which rows may share
        raise Mixed
    return rows("x")(call)


# fmt: off
# name, what one element becomes, dtypes, the formula
_ACTIVATIONS = (
    ("relu", "itself, or 0 if it is negative", "real", Made(lambda s, x: s.where(s.greater(x, 0), x, 0))),
    ("relu6", "itself, moved to the nearest value between 0 and 6", "real", None),
    ("elu", "itself, or exp(x) - 1 if it is negative", "float", None),
    ("selu", "a scaled elu, which keeps mean 0 and variance 1 through layers", "float", None),
    ("softplus", "log(1 + exp(x)), a smooth relu", "float", Own(lambda s, x: (s.sigmoid(x),))),
    ("softsign", "x / (1 + abs(x)), between -1 and 1", "float", None),
)
for _name, _what, _dtypes, _formula in _ACTIVATIONS:
    row(_name, "features: T", like("features"), f"nn.{_name}", f"Each element becomes {_what}.",
        f"{_name}([-1.0, 2.0])", batch=each, cuts=_name.startswith("relu"), keeps_zero=_name != "softplus",
        formula=_formula, T=_dtypes)
row("leaky_relu", "features: T, alpha: number = 0.2", like("features"), "nn.leaky_relu",
    "Each element becomes itself, or `alpha` times itself if it is negative.",
    "leaky_relu([-1.0, 2.0], alpha=0.1)", batch=each, keeps_zero=True,
    T="float")
row("gelu", "features: T, approximate: flag = false", like("features"), "compat.v2.nn.gelu",
    "Each element becomes itself times the probability that a standard normal is below it; `approximate` uses tanh.",
    "gelu([-1.0, 2.0])", batch=each, keeps_zero=True, flops=smooth_steps, T="float")
for _name in ("swish", "silu"):
    row(_name, "features: T, beta: number = 1.0", like("features"), f"nn.{_name}",
        "Each element becomes x * sigmoid(beta * x).", f"{_name}([-1.0, 2.0])", batch=each, keeps_zero=True,
        named=False, flops=per_result(3), T="inexact")
row("crelu", "features: T, axis: integer = -1", crelu, "nn.crelu",
    "relu(x) and relu(-x) joined along an axis, which becomes twice as long.",
    "crelu([[-1.0, 2.0]])", batch=along("axis", "features"),
    T="float int8 int16 int32 int64")
for _name, _what in (
    ("softmax", "probabilities that add up to 1"), ("log_softmax", "the logarithms of probabilities that add up to 1"),
):
    row(_name, "logits: T, axis: integer = none", softmax, f"nn.{_name}",
        f"The elements of an axis (the last unless given) as {_what}. The shape stays.",
        f"{_name}([[1.0, 2.0], [3.0, 4.0]])", batch=along("axis", "logits"), applies="softmax",
        flops=per_result(5), T="float")
row("dropout", "x: T, keep_prob: T? = none, noise_shape: shape? = none, seed: integer = none, rate: T? = "
    "none",
    dropout, "nn.dropout",
    "A fraction of the elements, `rate` or 1 - `keep_prob`, becomes 0; the others are scaled up to keep the mean.",
    "dropout([1.0, 2.0, 3.0], rate=0.5, seed=1)", batch=batch_dropout, modes="keep_prob rate", T="float",
    keeps_zero=True, flops=per_result(2))
# fmt: on
