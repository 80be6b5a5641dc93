"""Compares a call of one op through the whole compiler with TensorFlow's own function.

Both are built into separate graphs and run with the same feeds, without Grappler, which may turn a call that cannot run
into one that can.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.lowering.failures import plain_reason
from tfdsl.ops import OPS
from tfdsl.types import Size, TensorType

from .calls import Call

v1 = tf.compat.v1
FINE = ("same", "refused", "fails", "narrower")
FAULTS = ("wrong", "bug", "late", "late, unknown sizes", "wrongly refused", "lenient", "abort", "hang")

# What TensorFlow runs and the language refuses on purpose: rows, the code of the refusal, and the reason.
_ONE = "The norm to clip to is one number; a tensor would clip each element differently."
_PAIRS = "Labels and logits are paired row by row; TensorFlow broadcasts sizes of 1."
_RANK = "These are for matrices; TensorFlow's Python code also multiplies batches of them, but cannot add all biases."
_SCHEDULES = [name for name, op in OPS.items() if op.group == "schedules"]
NARROWER: dict[tuple[str, str], str] = {
    ("*", "TFG502"): "A named size is one size; if an op requires two to be equal, they are unified.",
    ("histogram_fixed_width_bins", "TFG208"): "A range has two ends; TensorFlow ignores other numbers.",
    ("clip_by_global_norm", "TFG206"): _ONE, ("clip_by_norm", "TFG210"): _ONE,
    ("clip_by_average_norm", "TFG210"): _ONE,
    ("sample_distorted_bounding_box", "TFG214"): "TensorFlow takes a seed of 0 for none: other numbers each time.",
    **{(f"softmax_cross_entropy_with_logits{v}", "TFG210"): _PAIRS for v in ("", "_v2")},
    **{(op, "TFG206"): "One axis is for the batch; TensorFlow takes several." for op in ("conv1d", "conv2d", "conv3d")},
    **{(loss, "TFG204"): "Labels and predictions are floats; TensorFlow casts any dtype."
       for loss in ("mean_squared_error", "absolute_difference", "huber_loss", "log_loss", "hinge_loss",
                    "cosine_distance", "mean_pairwise_squared_error")},
    **{(loss, "TFG204"): "TensorFlow computes these losses with float32, whatever the dtype is."
       for loss in ("compute_weighted_loss", "sigmoid_cross_entropy", "softmax_cross_entropy",
                    "sparse_softmax_cross_entropy")},
    **{(f"conv{axes}d_transpose", code): "Filters fit the result; TensorFlow ignores them if it is empty."
       for axes in (1, 2, 3) for code in ("TFG206", "TFG208")},
    **{(f"scatter_nd_{how}", "TFG221"): "Indices fit the variable; TensorFlow ignores them without updates."
       for how in ("update", "add", "sub")},
    **{(f"conv{axes}d_transpose", "TFG222"): "Strides are above 0; TensorFlow ignores them for an empty tensor."
       for axes in (1, 2, 3)},
    **{(f"{what}_pool1d", "TFG214"): "There are two layouts; TensorFlow treats any other word as the second one."
       for what in ("max", "avg")},
    **{(f"scatter_{how}", "TFG211"): "The kernel does not check the sizes of slices; we do if the rank is known."
       for how in ("update", "add", "sub", "mul", "div", "max", "min")},
    ("histogram_fixed_width_bins", "TFG206"): "A range has two ends; TensorFlow ignores other numbers.",
    **{(op, "TFG236"): "An empty tensor has no spectrum; with an fft_length TensorFlow pads it."
       for op in ("irfft", "irfft2d", "irfft3d", "dct", "idct")},
    **{(op, "TFG222"): "A length is at least 1, and a step too; TensorFlow makes something empty, or ends the process."
       for op in ("rfft2d", "rfft3d", "irfft2d", "irfft3d", "frame", "stft", "inverse_stft", "overlap_and_add",
                  "linear_to_mel_weight_matrix")},
    ("sparse_softmax_cross_entropy", "TFG206"): "Labels lack one axis of the logits; TensorFlow also drops others.",
    ("extract_patches", "TFG223"): "A patch fits into the image; TensorFlow also makes none of it.",
    **{(op, "TFG222"): "A filter has a size; TensorFlow takes the mean of nothing."
       for op in ("ssim", "ssim_multiscale")},
    ("non_max_suppression_padded", "TFG208"): "Each box has a score; TensorFlow stretches those of one row.",
    **{(op, code): "A window fits into the image, and moves on; TensorFlow also makes none of it."
       for op in ("dilation2d", "erosion2d") for code in ("TFG222", "TFG223")},
    **{("collapse_repeated", code): "Each row has its own length, a whole number; TensorFlow stretches it."
       for code in ("TFG204", "TFG206")},
    ("sufficient_statistics", "TFG204"): "Sums of squares are of floats; TensorFlow adds small whole numbers up.",
    **{(f"fractional_{what}_pool", "TFG214"): "What is deterministic has two seeds; TensorFlow takes 0 for one."
       for what in ("max", "avg")},
    ("frame", "TFG206"): "One number fills; TensorFlow ignores others that it does not need.",
    ("softmax_cross_entropy_with_logits", "TFG504"): _PAIRS,
    ("assert_none_equal", "TFG204"): "The registry of TensorFlow lists no strings.",
    ("clip_by_value", "TFG210"): "The shape does not change; TensorFlow broadcasts it with a bound of unknown shape.",
    ("dropout", "TFG206"): "The shape does not change; TensorFlow broadcasts it with the noise.",
    **{(schedule, code): "A learning rate is one number, and decays in 1 or more steps; TensorFlow also takes tensors."
       for schedule in _SCHEDULES
       for code in ("TFG206", "TFG222")},
    **{(schedule, "TFG204"): "Learning rates and steps are real numbers; TensorFlow casts any dtype."
       for schedule in _SCHEDULES},
    ("searchsorted", "TFG208"): "Each row of values has a sorted row; TensorFlow ignores them if there are no values.",
    **{("eigh_tridiagonal", code): "A matrix has two sides; TensorFlow returns its argument if that is small."
       for code in ("TFG204", "TFG206", "TFG222")},
    **{(op, "TFG208"): "There is an order for each row; TensorFlow's Python code stretches one of size 1."
       for op in ("lu_solve", "lu_matrix_inverse")},
    ("tridiagonal_matmul", "TFG208"): "There are three diagonals; TensorFlow ignores others.",
    ("fixed_unigram_candidate_sampler", "TFG222"): "There are 0 or more reserved ids; TensorFlow takes others off.",
    ("check_whole", "TFG204"): "The argument is real; there is no such check by hand.",
    ("random_crop", "TFG222"): "A size is at least 0; with -1 TensorFlow draws from positions that do not exist.",
    ("gather", "TFG222"): "The axis comes after the batch axes; TensorFlow ignores them for axis 0.",
    **{(of, "TFG204"): "A size is an integer; TensorFlow accepts any dtype if it knows the shape."
       for of in ("shape", "size")},
    ("unstack", "TFG483"): "Slices have names; an axis of size 0 has no slices.",
    ("matrix_solve_ls", "TFG206"): "Both sides have the same rank; TensorFlow's Python code broadcasts some.",
    ("dropout", "TFG214"): "A rate is below 1; TensorFlow checks a Python number, but not a constant.",
    **{(op, "TFG204"): "TensorFlow's Python code casts its arguments; here the program casts them."
       for op in ("leaky_relu", "divide_no_nan", "linspace", "zero_fraction", "sequence_mask", "dct", "bincount",
                  "count_nonzero", "confusion_matrix", "saturate_cast", "assign_add", "assign_sub")},
    ("confusion_matrix", "TFG206"): "Labels and predictions are vectors; TensorFlow removes last axes of size 1.",
    **{(f"unsorted_segment_{what}", "TFG204"): "The mean of integers is not an integer."
       for what in ("mean", "sqrt_n")},
    **{(op, "TFG239"): "Each class has a row; TensorFlow reads only those that it draws, and fails only sometimes."
       for op in ("nce_loss", "sampled_softmax_loss")},
    ("imag", "TFG204"): "Numbers have imaginary parts; TensorFlow returns empty strings for strings.",
    **{(op, "TFG206"): _RANK for op in ("xw_plus_b", "relu_layer")},
    ("constant", "TFG207"): "One number fills a shape; TensorFlow repeats the last of too few, which hides mistakes.",
}  # fmt: skip

_PLAIN = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
_PLAIN.graph_options.rewrite_options.disable_meta_optimizer = True
_PLAIN.graph_options.optimizer_options.opt_level = -1


@dataclass
class Verdict:
    """`kind` is one of `FINE` or `FAULTS`. `why` has details, in words that calls of one kind share."""

    kind: str
    why: str = ""


class Outcome:
    """The outcome of one side: values with their static shapes, or where it stopped and why."""

    def __init__(self, stage: str = "ran", why: str = "", values: tuple = (), types: tuple = ()):
        self.stage, self.why, self.values, self.types = stage, why, values, types


_LEFTOVERS = ("cholesky",)  # for a matrix without a decomposition, they return NaN and uninitialized memory


def flat(value: object) -> Iterator:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from flat(item)
    elif value is not None:
        yield value


def by_hand(call: Call) -> Outcome:
    with tf.Graph().as_default() as graph:
        try:
            made = list(flat(call.by_hand()))
        except Exception as error:
            return Outcome("build", _reason(error))
        outcome = _run(graph, made, call)
        outcome.types = tuple(None if isinstance(one, tf.Operation) else one.shape for one in made)
        return outcome


def by_us(call: Call) -> Outcome:
    try:
        program = tfdsl.compile(call.text)
    except TfgError as error:
        first = next(d for d in error.diagnostics if d.severity == "error")
        return Outcome("bug" if first.code == "TFG899" else "check", f"{first.code} {_headline(first)}")
    except Exception as error:
        return Outcome("bug", _reason(error))
    (one,) = program.program.graphs
    node = next(reversed(one.nodes.values()))
    try:
        built = program.built()
    except TfgError as error:
        first = error.diagnostics[0]
        return Outcome("bug" if first.code == "TFG899" else "build", f"{first.code} {_headline(first)}")
    except Exception as error:
        return Outcome("bug", _reason(error))
    outcome = _run(built.graph, list(built.values[node.id]), call)
    outcome.types = node.outputs
    return outcome


def _run(graph: tf.Graph, made: list, call: Call) -> Outcome:
    with v1.Session(graph=graph, config=_PLAIN) as session:
        try:
            session.run([variable.initializer for variable in graph.get_collection("variables")])
            feeds = {graph.get_tensor_by_name(f"{name}:0"): value for name, value in call.feeds().items()}
            values = session.run(made, feeds)
        except Exception as error:
            return Outcome("run", _reason(error))
    return Outcome(values=tuple(values))


def judge(call: Call, hand: Outcome | None, ours: Outcome) -> Verdict:
    """`hand` is None if TensorFlow ended the process or did not return."""
    if ours.stage == "bug":
        return Verdict("bug", ours.why)
    works = hand is not None and hand.stage == "ran"
    if ours.stage == "check":
        code = ours.why[:6]
        if works and ((call.op.name, code) in NARROWER or ("*", code) in NARROWER):
            return Verdict("narrower", ours.why)
        return Verdict("wrongly refused" if works else "refused", ours.why)
    if ours.stage == "build":
        return Verdict("late" if call.is_known else "late, unknown sizes", ours.why)
    if ours.stage == "run":
        if works and call.op.name in _LEFTOVERS and "positive definite" in ours.why:
            return Verdict("narrower", ours.why)
        if works and "not compatible with expected shape" in ours.why and call.op.ranks:
            return Verdict("narrower", ours.why)  # only the run knows the rank; see the others above
        if works and "the window is larger" in ours.why and call.op.windows:
            return Verdict("narrower", ours.why)  # with other sizes the kernel returns memory that nothing has written
        if works and "fewer than" in ours.why and call.op.classes:
            return Verdict("narrower", ours.why)  # by hand it depends on the random numbers
        return Verdict("wrong" if works else "fails", ours.why)
    if not works:
        return Verdict("lenient", "" if hand is None else f"{hand.stage}: {hand.why}")
    difference = _difference(call, hand, ours)
    return Verdict("wrong", difference) if difference else Verdict("same")


def _difference(call: Call, hand: Outcome, ours: Outcome) -> str:
    values, wanted = ours.values, hand.values
    if len(values) != len(wanted):
        return f"{len(values)} outputs instead of {len(wanted)}"
    sizes: dict[str, int] = {}
    for one in call.given if call.says_feeds else ():
        if one.form == "placeholder":
            sizes.update({d: n for d, n in zip(one.shape or (), one.value.shape, strict=False) if isinstance(d, str)})
    types = (*ours.types, *[None] * len(values))
    shapes = hand.types or (tf.TensorShape(None),) * len(values)
    for value, want, type, shape in zip(values, wanted, types, shapes, strict=False):
        if want is None:
            if value is not None:
                return "a value instead of an operation"
            continue
        value, want = np.asarray(value), np.asarray(want)
        if value.dtype != want.dtype or (call.is_repeatable and value.shape != want.shape):
            return f"{value.dtype} {value.shape} instead of {want.dtype} {want.shape}"
        is_as_inferred = shape.is_compatible_with(want.shape)  # some kernels return other shapes than TensorFlow infers
        if type is None or (is_as_inferred and not _true(type, value, sizes)):
            return f"declared as {type}, but is {value.dtype} {value.shape}"
        if call.op.name in _LEFTOVERS and np.isnan(want).any():
            continue
        if call.is_repeatable and not _same(value, want):
            return "other values"
    return ""


def _true(type: TensorType, value: np.ndarray, sizes: dict[str, int]) -> bool:
    if type.shape is None:
        return True
    said = [sizes.get(d.name) if isinstance(d, Size) else d for d in type.shape]
    return len(said) == value.ndim and all(s is None or s == n for s, n in zip(said, value.shape, strict=True))


def _same(value: np.ndarray, wanted: np.ndarray) -> bool:
    if value.dtype == object or value.dtype.kind in "biuSU":
        return bool(np.all(value == wanted))
    wide = np.complex128 if value.dtype.kind == "c" else np.float64
    return np.allclose(value.astype(wide), wanted.astype(wide), 1e-5, 1e-6, equal_nan=True)


def _headline(diagnostic) -> str:
    is_tensorflow_s = diagnostic.code == "TFG701"
    return str(diagnostic.details["reason"])[:150] if is_tensorflow_s else diagnostic.message.headline


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {plain_reason(error)[:150]}"
