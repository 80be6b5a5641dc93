"""Random numbers."""

from collections.abc import Callable

from ..diagnostics import BROADCAST_TO, NEEDED, NEGATIVE, OPTION, SLICE
from ..types import FLOAT32, INT32, INT64, Nested, TensorType, shape_text
from .batch import of_shape, whole
from .flops import no_flops
from .op import Alike, OpCall
from .row import table
from .rules import broadcast, broadcast_shapes, given_shape, length, like, number, same_size, wanted_rank

OPS, row = table("random", alike=Alike.DRAWN)


def uniform(call: OpCall) -> TensorType:
    """Integers need an explicit maximum, a single one."""
    if call.dtype("T").kind == "float":
        return drawn("minval", "maxval")(call)
    if call["maxval"] is None:
        call.fail(NEEDED, "shape", param="maxval", dtype=call.dtype("T"), value=10)
    for bound in ("minval", "maxval"):
        wanted_rank(call, bound, 0)
    return TensorType(call.dtype("T"), given_shape(call))


def drawn(*params: str):
    """A tensor of the given shape, scaled and shifted by the parameters, which broadcast to it."""

    def rule(call: OpCall) -> TensorType:
        shape = given_shape(call)
        for param in params:
            if call[param] is not None and call[param].shape != ():
                drawn = TensorType(call.dtype("T"), shape)
                shape = broadcast_shapes(call, shape, call[param].shape, "shape", param, a=drawn, b=call[param])
        return TensorType(call.dtype("T"), shape)

    return rule


def draws(group: str = "U"):
    """`num_samples` draws from each row of logits."""

    def rule(call: OpCall) -> TensorType:
        rows, _ = wanted_rank(call, "logits", 2)
        wanted_rank(call, "num_samples", 0)
        return TensorType(call[group], (rows, call.known("num_samples")))

    return rule


def sampled(*params: str, group: str = "T"):
    """A shape of draws for each element of the parameters, which broadcast with each other."""

    def rule(call: OpCall) -> TensorType:
        shape, each = call.shape("shape"), broadcast(call, *params)
        return TensorType(call.dtype(group), None if shape is None or each is None else shape + each)

    return rule


def filled(*params: str, group: str = "T"):
    """The requested shape, to which the parameters broadcast."""

    def rule(call: OpCall) -> TensorType:
        shape = given_shape(call)
        broadcast(call, *params)
        if shape is None or 0 in shape:
            return TensorType(call.dtype(group), shape)
        for param in params:
            own = None if call[param] is None else call[param].shape
            pairs = [(number(call, a), number(call, b)) for a, b in zip(reversed(own or ()), reversed(shape))]
            clash = any(None not in pair and pair[0] not in (1, pair[1]) for pair in pairs)
            if clash or len(own or ()) > len(shape):
                call.fail(BROADCAST_TO, "shape", param, type=call[param], shape=shape_text(shape))
        return TensorType(call.dtype(group), shape)

    return rule


def stateless(rule: Callable[[OpCall], TensorType]):
    """A rule of random numbers with a `seed` of two numbers."""

    def checked(call: OpCall) -> TensorType:
        same_size(call, wanted_rank(call, "seed", 1)[0], 2, "seed")
        return rule(call)

    return checked


def folded(call: OpCall) -> TensorType:
    """A seed of two numbers."""
    wanted_rank(call, "data", 0)
    return TensorType(call.dtype("V"), (same_size(call, wanted_rank(call, "seed", 1)[0], 2, "seed"),))


def split_seed(call: OpCall) -> TensorType:
    return TensorType(call.dtype("V"), (call["num"], 2))


def candidates(call: OpCall) -> tuple[TensorType, ...]:
    """The classes drawn; how often each true class, and each of those drawn, is to be expected."""
    rows, true = wanted_rank(call, "true_classes", 2)
    same_size(call, true, call["num_true"], "true_classes")
    most = call.arguments.get("range_max")
    if most is not None and call["unique"] and call["num_sampled"] > most:
        call.fail(NEGATIVE, "range_max", param="range_max", value=most, least=call["num_sampled"])
    return (
        TensorType(INT64, (call["num_sampled"],)),
        TensorType(FLOAT32, (rows, call["num_true"])),
        TensorType(FLOAT32, (call["num_sampled"],)),
    )


def weighed_candidates(call: OpCall) -> tuple[TensorType, ...]:
    """Like `candidates`, with a weight for each class."""
    weights: Nested = call["unigrams"]
    if not isinstance(weights, (list, tuple)) or not all(isinstance(one, (int, float)) for one in weights):
        call.fail(OPTION, "unigrams", param="unigrams", value="this", allowed="a list of numbers")
    length(call, "unigrams", weights, call["range_max"] - call["num_reserved_ids"])
    return candidates(call)


def accidental_hits(call: OpCall) -> tuple[TensorType, ...]:
    """Vectors whose size only the run knows."""
    _, true = wanted_rank(call, "true_classes", 2)
    same_size(call, true, call["num_true"], "true_classes")
    wanted_rank(call, "sampled_candidates", 1)
    return tuple(TensorType(dtype, (None,)) for dtype in (INT32, INT64, FLOAT32))


def random_crop(call: OpCall) -> TensorType:
    """A random part of the tensor, with the given size."""
    size = call.shape("size")
    if size is None:
        rank = call["value"].rank
        return TensorType(call.dtype("T"), None if rank is None else (None,) * rank)
    shape = wanted_rank(call, "value", len(size))
    for axis, (dim, wanted) in enumerate(zip(shape, size)):
        have = number(call, dim)
        if (number(call, wanted) or 0) < 0:
            call.fail(NEGATIVE, "size", param="size", value=wanted, least=0)
        if have is not None and isinstance(wanted, int) and wanted > have:
            call.fail(SLICE, "value", "size", end=wanted, axis=axis, type=call["value"], size=have)
    return TensorType(call.dtype("T"), tuple(size))


# fmt: off
_SEED = "The same `seed`, and seed of the graph, give the same numbers in every run."
_SPREAD = "minval: T = 0, maxval: T? = none, dtype: dtype T = float32"
_NORMAL = "mean: T = 0.0, stddev: T = 1.0, dtype: dtype T = float32"

row("random_uniform", f"shape: shape, {_SPREAD}, seed: integer = none", uniform, "random_uniform",
    f"Numbers from `minval` up to (not including) `maxval` (1 unless given; integers need it). {_SEED}",
    "random_uniform([2, 3], -1.0, 1.0, seed=42)",
    batch=of_shape("shape"), picture="random", T="float int32 int64")
row("random_normal", f"shape: shape, {_NORMAL}, seed: integer = none", drawn("mean", "stddev"), "random_normal",
    f"Numbers of a normal distribution. {_SEED}", "random_normal([2, 3], stddev=0.1, seed=42)",
    batch=of_shape("shape"), picture="random", T="float")
row("truncated_normal", f"shape: shape, {_NORMAL}, seed: integer = none", drawn("mean", "stddev"),
    "truncated_normal",
    f"Numbers of a normal distribution, redrawn if further than two `stddev` from the mean. {_SEED}",
    "truncated_normal([2, 3], stddev=0.1, seed=42)",
    batch=of_shape("shape"), picture="random", T="float")
row("random_gamma", "shape: shape, alpha: T, beta: T? = none, dtype: dtype T = float32, seed: integer = none",
    sampled("alpha", "beta"), "random_gamma",
    f"Numbers of gamma distributions, a `shape` of them for each `alpha`. {_SEED}",
    "random_gamma([2], [1.0, 3.0], seed=42)",
    batch=whole, picture="random", draws_alone=True,
    T="float16 float32 float64")
row("random_poisson", "lam: T, shape: shape, dtype: dtype U = float32, seed: integer = none",
    sampled("lam", group="U"), "random_poisson",
    f"Counts of Poisson distributions, a `shape` of them for each mean `lam`. {_SEED}",
    "random_poisson([1.0, 3.0], [2], seed=42)",
    batch=whole, picture="random", T="float16 float32 float64 int32 int64",
    U="float16 float32 float64 int32 int64", no_gradient="*", draws_alone=True)
row("random_shuffle", "value: T, seed: integer = none", like("value"), "random_shuffle",
    f"The slices of the first axis in random order. {_SEED}", "random_shuffle([[1, 2], [3, 4]], seed=42)",
    batch=whole, picture="random",
    draws_alone=True, flops=no_flops)
row("random_crop", "value: T, size: shape, seed: integer = none", random_crop, "random_crop",
    f"A random part of the tensor, of the given size. {_SEED}",
    "random_crop([[1, 2, 3], [4, 5, 6]], [2, 2], seed=42)", batch=whole, picture="random", flops=no_flops)
row("multinomial", "logits: T, num_samples: int32, seed: integer = none, output_dtype: dtype U = int64",
    draws("output_dtype"), "multinomial",
    f"Class numbers drawn by the logarithms of their probabilities: [n, classes] gives [n, num_samples]. {_SEED}",
    "multinomial([[0.0, 1.0]], 5, seed=42)", batch=whole, T="real", U="int32 int64", draws_alone=True)
row("categorical", "logits: T, num_samples: int32, dtype: dtype U = int64, seed: integer = none",
    draws("dtype"),
    "random.categorical",
    f"Class numbers drawn by the logarithms of their probabilities: [n, classes] gives [n, num_samples]. {_SEED}",
    "categorical([[0.0, 1.0]], 5, seed=42)", batch=whole, T="real", U="int32 int64", draws_alone=True)

_STATELESS = "They depend only on the two numbers of `seed`."
row("stateless_uniform", f"shape: shape, seed: V, {_SPREAD}", stateless(uniform),
    "random.stateless_uniform",
    f"Numbers from `minval` up to (not including) `maxval` (1 unless given; integers need it). {_STATELESS}",
    "stateless_uniform([2, 3], [1, 2], minval=-1.0, maxval=1.0)", batch=whole, T="float int32 int64", V="int32 int64")
row("stateless_normal", f"shape: shape, seed: V, {_NORMAL}", stateless(drawn("mean", "stddev")),
    "random.stateless_normal",
    f"Numbers of a normal distribution. {_STATELESS}", "stateless_normal([2, 3], [1, 2])", batch=whole, T="float",
    V="int32 int64")
row("stateless_truncated_normal", f"shape: shape, seed: V, {_NORMAL}", stateless(drawn("mean", "stddev")),
    "random.stateless_truncated_normal",
    f"Numbers of a normal distribution within two `stddev` of the mean. {_STATELESS}",
    "stateless_truncated_normal([2, 3], [1, 2])", batch=whole, T="float", V="int32 int64")
row("stateless_categorical", "logits: T, num_samples: int32, seed: V, dtype: dtype U = int64",
    stateless(draws("dtype")), "random.stateless_categorical",
    "Class numbers drawn by the logarithms of their probabilities: [n, classes] gives [n, num_samples]. "
    f"{_STATELESS}",
    "stateless_categorical([[0.0, 1.0]], 5, [1, 2])", batch=whole, T="real", U="int32 int64", V="int32 int64")
row("stateless_gamma", "shape: shape, seed: V, alpha: T, beta: T? = none, dtype: dtype T = float32",
    stateless(filled("alpha", "beta")), "random.stateless_gamma",
    f"Numbers of gamma distributions; `shape` is that of the result, to which `alpha` broadcasts. {_STATELESS}",
    "stateless_gamma([3, 2], [1, 2], [1.0, 3.0])", batch=whole, T="float16 float32 float64", V="int32 int64")
row("stateless_poisson", "shape: shape, seed: V, lam: T, dtype: dtype U = int32",
    stateless(filled("lam", group="U")), "random.stateless_poisson",
    f"Counts of Poisson distributions; `shape` is that of the result, to which the means broadcast. {_STATELESS}",
    "stateless_poisson([3, 2], [1, 2], [1.0, 3.0])", batch=whole, T="float16 float32 float64 int32 int64",
    U="float16 float32 float64 int32 int64", V="int32 int64")
row("stateless_binomial", "shape: shape, seed: V, counts: T, probs: T, output_dtype: dtype U = int32",
    stateless(filled("counts", "probs", group="U")), "random.stateless_binomial",
    "How many of `counts` attempts succeed with probability `probs`; `shape` is that of the result, to which both "
    f"broadcast. {_STATELESS}",
    "stateless_binomial([3, 2], [1, 2], 10.0, [0.2, 0.5])", batch=whole, T="float16 float32 float64",
    U="float16 float32 float64 int32 int64", V="int32 int64")
row("stateless_parameterized_truncated_normal",
    "shape: shape, seed: V, means: T, stddevs: T, minvals: T, maxvals: T",
    stateless(filled("means", "stddevs", "minvals", "maxvals")), "random.stateless_parameterized_truncated_normal",
    "Numbers of normal distributions within the bounds of each; `shape` is that of the result, to which the others "
    f"broadcast. {_STATELESS}",
    "stateless_parameterized_truncated_normal([3, 2], [1, 2], [0.0, 1.0], 1.0, -2.0, 2.0)", batch=whole,
    T="float16 float32 float64", V="int32 int64")
row("fold_in", "seed: V, data: V", folded, "random.fold_in",
    "A new `seed` of two numbers from another and a number, such as that of a step.", "fold_in([1, 2], 25)",
    batch=whole, named=False, alike=Alike.BY_VALUES, V="int32 int64")
row("split_seed", "seed: V, num: integer = 2", stateless(split_seed), "random.split",
    "New seeds of two numbers from one: [num, 2].", "split_seed([1, 2], 3)", batch=whole, named=False,
    alike=Alike.BY_VALUES, V="int32 int64", num=0)

# name, how likely a class is, parameters, the rule, arguments of the example
_SAMPLERS = (
    ("all_candidate_sampler", "all of them", "", candidates, ""),
    ("uniform_candidate_sampler", "each as likely", ", range_max: integer", candidates, ", 5"),
    ("log_uniform_candidate_sampler", "the first ones the most likely", ", range_max: integer", candidates, ", 5"),
    ("learned_unigram_candidate_sampler", "as often as they have been true so far", ", range_max: integer", candidates,
     ", 5"),
    ("fixed_unigram_candidate_sampler", "by their weights `unigrams`, to the power of `distortion`",
     ", range_max: integer, distortion: number = 1.0, num_reserved_ids: integer = 0, unigrams: static",
     weighed_candidates, ", 3, unigrams=[1.0, 2.0, 3.0]"),
)
for _name, _what, _params, _rule, _arguments in _SAMPLERS:
    row(_name, f"true_classes: int64, num_true: integer, num_sampled: integer, unique: flag{_params}, "
        "seed: integer = none", _rule, f"random.{_name}",
        f"`num_sampled` class numbers drawn for training with very many classes, {_what}; then how often each true "
        f"class of [batch, num_true], and each of those drawn, is to be expected. {_SEED}",
        f"{_name}([[0], [2]], 1, 3, true{_arguments}, seed=1)", outputs="sampled true_expected sampled_expected",
        batch=whole, num_true=1, num_sampled=1,
        picture="random", draws_alone=True, **({"range_max": 1} if _params else {}),
        **({"num_reserved_ids": 0} if "reserved" in _params else {}))
row("compute_accidental_hits", "true_classes: int64, sampled_candidates: int64, num_true: integer", accidental_hits,
    "nn.compute_accidental_hits",
    "Which of the classes drawn are true: the rows of `true_classes`, the positions in `sampled_candidates`, and the "
    "weights that remove them when they are added to logits, three vectors of one size.",
    "compute_accidental_hits([[0], [2]], [2, 1], 1)",
    outputs="rows positions weights", batch=whole, alike=Alike.NEVER, num_true=1)
# fmt: on
