"""Schedules of learning rates: numbers that depend on the steps taken so far, as in `tf.compat.v1.train`."""

from ..diagnostics import OPTION, RANK, VALUES_BETWEEN
from ..types import Nested, TensorType, shape_text
from .batch import whole
from .op import Alike, OpCall
from .row import table
from .rules import clear_rank

OPS, row = table("schedules")


def scheduled(rate: str, step: str):
    """A number of the dtype of the learning rate."""

    def rule(call: OpCall) -> TensorType:
        for name in (rate, step):
            type = call[name]
            if isinstance(type, TensorType) and type.rank not in (0, None):
                call.fail(RANK, name, param=name, wanted=0, type=shape_text(type.shape))
        return TensorType(call.dtype("T"), ())

    return rule


_of_rate = scheduled("learning_rate", "global_step")


def _noisy(call: OpCall) -> TensorType:
    """TensorFlow's function makes noise of the shape of the step."""
    clear_rank(call, "global_step")
    return _of_rate(call)


def _piecewise(call: OpCall) -> TensorType:
    """One more value than boundaries."""
    boundaries: Nested = call["boundaries"]
    values = call["values"]
    numbers = boundaries if isinstance(boundaries, (list, tuple)) else ()
    if not numbers or not all(isinstance(one, (int, float)) for one in numbers):
        call.fail(OPTION, "boundaries", param="boundaries", value=boundaries, allowed="a list of numbers")
    in_order = [one for one in numbers if isinstance(one, (int, float))]
    if in_order != sorted(in_order):
        call.fail(OPTION, "boundaries", param="boundaries", value=boundaries, allowed="numbers that increase")
    count = len(numbers)
    if len(values) != count + 1:
        call.fail(VALUES_BETWEEN, "values", "boundaries", values=len(values), boundaries=count, wanted=count + 1)
    for type in values:
        if type.rank not in (0, None):
            call.fail(RANK, "values", param="values", wanted=0, type=shape_text(type.shape))
    return scheduled("x", "x")(call)


# fmt: off
_STEPS = "learning_rate: T, global_step: U, decay_steps: number"
_RANKS = {"learning_rate": 0, "global_step": 0}
_NUMBERS = {"T": "float", "U": "int32 int64 float32 float64", "decay_steps": 1, "no_gradient": "global_step",
            "ranks": _RANKS}
_COSINE = {**_NUMBERS, "T": "float32"}  # the dtype of TensorFlow's pi
for _name, _what in (
    ("exponential_decay", "learning_rate * decay_rate ** (global_step / decay_steps)"),
    ("natural_exp_decay", "learning_rate * exp(-decay_rate * global_step / decay_steps)"),
    ("inverse_time_decay", "learning_rate / (1 + decay_rate * global_step / decay_steps)"),
):
    row(_name, f"{_STEPS}, decay_rate: number, staircase: flag = false", _of_rate, f"train.{_name}",
        f"A learning rate: {_what}. With `staircase`, the quotient is a whole number.",
        f"{_name}(0.1, 25, 10, 0.96)", batch=whole, **_NUMBERS)
row("polynomial_decay",
    f"{_STEPS}, end_learning_rate: number = 0.0001, power: number = 1.0, cycle: flag = false", _of_rate,
    "train.polynomial_decay",
    "A learning rate that goes from `learning_rate` to `end_learning_rate` in `decay_steps` steps. With `cycle` it "
    "starts again each time, to take twice, three times ... as many steps.",
    "polynomial_decay(0.1, 25, 100, power=2.0)", batch=whole, **_NUMBERS)
row("cosine_decay", f"{_STEPS}, alpha: number = 0.0", _of_rate, "train.cosine_decay",
    "A learning rate that falls to `alpha` times its value in `decay_steps` steps, along half a cosine.",
    "cosine_decay(0.1, 25, 100)", batch=whole, **_COSINE)
row("cosine_decay_restarts",
    "learning_rate: T, global_step: U, first_decay_steps: number, t_mul: number = 2.0, m_mul: number = 1.0, "
    "alpha: number = 0.0", _of_rate, "train.cosine_decay_restarts",
    "Like cosine_decay, again and again: each time `t_mul` times as long, from `m_mul` times the rate.",
    "cosine_decay_restarts(0.1, 25, 10)", batch=whole, T="float32", U="int32 int64 float32 float64",
    first_decay_steps=1, no_gradient="global_step", ranks=_RANKS,
    lowered="special.cosine_decay_restarts")
row("linear_cosine_decay",
    f"{_STEPS}, num_periods: number = 0.5, alpha: number = 0.0, beta: number = 0.001", _of_rate,
    "train.linear_cosine_decay",
    "A learning rate that falls along a line times a cosine of `num_periods` periods.",
    "linear_cosine_decay(0.1, 25, 100)", batch=whole, **_COSINE)
row("noisy_linear_cosine_decay",
    f"{_STEPS}, initial_variance: number = 1.0, variance_decay: number = 0.55, num_periods: number = 0.5, "
    "alpha: number = 0.0, beta: number = 0.001, seed: integer = none", _noisy, "train.noisy_linear_cosine_decay",
    "Like linear_cosine_decay, with normal noise on the line, of the variance initial_variance / (1 + global_step) ** "
    "variance_decay. The same `seed`, and seed of the graph, give the same noise in every run.",
    "noisy_linear_cosine_decay(0.1, 25, 100)", batch=whole, **_COSINE, alike=Alike.DRAWN,
    lowered="special.noisy_linear_cosine_decay")
row("piecewise_constant_decay", "x: U, boundaries: static, values: [T]", _piecewise, "train.piecewise_constant_decay",
    "values[0] as long as x is not above boundaries[0], then values[1], and so on.",
    "piecewise_constant_decay(25, [10, 20], [0.1, 0.01, 0.001])", batch=whole,
    lowered="special.piecewise_constant_decay", T="float", U="int32 int64", no_gradient="*",
    ranks={"x": 0, "values": 0})
# fmt: on
