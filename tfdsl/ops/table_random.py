"""Rows of the op table: random numbers."""

from . import shapes_index as index
from . import shapes_nn as nn
from .row import table
from .shapes import like

ROWS, row = table("random")

_SEED = "The same `seed`, and seed of the graph, give the same numbers in every run."
_SPREAD = "minval: T = 0, maxval: T? = none, dtype: dtype T = float32"
_NORMAL = "mean: T = 0.0, stddev: T = 1.0, dtype: dtype T = float32"

row("random_uniform", f"shape: shape, {_SPREAD}, seed: integer = none", nn.uniform, "random_uniform",
    f"Numbers from `minval` up to, but not, `maxval` (1 unless given; integers need it). {_SEED}",
    "random_uniform([2, 3], -1.0, 1.0, seed=42)", T="float int32 int64")
row("random_normal", f"shape: shape, {_NORMAL}, seed: integer = none", nn.drawn("mean", "stddev"), "random_normal",
    f"Numbers of a normal distribution. {_SEED}", "random_normal([2, 3], stddev=0.1, seed=42)", T="float")
row("truncated_normal", f"shape: shape, {_NORMAL}, seed: integer = none", nn.drawn("mean", "stddev"),
    "truncated_normal",
    f"Numbers of a normal distribution, those further than two `stddev` from the mean drawn again. {_SEED}",
    "truncated_normal([2, 3], stddev=0.1, seed=42)", T="float")
row("random_gamma", "shape: shape, alpha: T, beta: T? = none, dtype: dtype T = float32, seed: integer = none",
    nn.sampled("alpha", "beta"), "random_gamma",
    f"Numbers of gamma distributions, a `shape` of them for each `alpha`. {_SEED}",
    "random_gamma([2], [1.0, 3.0], seed=42)", draws_alone=True,
    T="float16 float32 float64")
row("random_poisson", "lam: T, shape: shape, dtype: dtype U = float32, seed: integer = none",
    nn.sampled("lam", group="U"), "random_poisson",
    f"Counts of Poisson distributions, a `shape` of them for each mean `lam`. {_SEED}",
    "random_poisson([1.0, 3.0], [2], seed=42)", T="float16 float32 float64 int32 int64",
    U="float16 float32 float64 int32 int64", no_gradient="*", draws_alone=True)
row("random_shuffle", "value: T, seed: integer = none", like("value"), "random_shuffle",
    f"The slices of the first axis in another order. {_SEED}", "random_shuffle([[1, 2], [3, 4]], seed=42)",
    draws_alone=True)
row("random_crop", "value: T, size: shape, seed: integer = none", index.random_crop, "random_crop",
    f"A piece of the tensor, of a size and anywhere in it. {_SEED}",
    "random_crop([[1, 2, 3], [4, 5, 6]], [2, 2], seed=42)")
row("multinomial", "logits: T, num_samples: int32, seed: integer = none, output_dtype: dtype U = int64",
    nn.draws("output_dtype"), "multinomial",
    f"Class numbers drawn by the logarithms of their shares: [n, classes] gives [n, num_samples]. {_SEED}",
    "multinomial([[0.0, 1.0]], 5, seed=42)", T="real", U="int32 int64", draws_alone=True)
row("categorical", "logits: T, num_samples: int32, dtype: dtype U = int64, seed: integer = none",
    nn.draws("dtype"),
    "random.categorical",
    f"Class numbers drawn by the logarithms of their shares: [n, classes] gives [n, num_samples]. {_SEED}",
    "categorical([[0.0, 1.0]], 5, seed=42)", T="real", U="int32 int64", draws_alone=True)

_STATELESS = "They depend on nothing but the two numbers of `seed`."
row("stateless_uniform", f"shape: shape, seed: V, {_SPREAD}", nn.stateless(nn.uniform),
    "random.stateless_uniform",
    f"Numbers from `minval` up to, but not, `maxval` (1 unless given; integers need it). {_STATELESS}",
    "stateless_uniform([2, 3], [1, 2], minval=-1.0, maxval=1.0)", T="float int32 int64", V="int32 int64")
row("stateless_normal", f"shape: shape, seed: V, {_NORMAL}", nn.stateless(nn.drawn("mean", "stddev")),
    "random.stateless_normal",
    f"Numbers of a normal distribution. {_STATELESS}", "stateless_normal([2, 3], [1, 2])", T="float",
    V="int32 int64")
row("stateless_truncated_normal", f"shape: shape, seed: V, {_NORMAL}", nn.stateless(nn.drawn("mean", "stddev")),
    "random.stateless_truncated_normal",
    f"Numbers of a normal distribution within two `stddev` of the mean. {_STATELESS}",
    "stateless_truncated_normal([2, 3], [1, 2])", T="float", V="int32 int64")
row("stateless_categorical", "logits: T, num_samples: int32, seed: V, dtype: dtype U = int64",
    nn.stateless(nn.draws("dtype")), "random.stateless_categorical",
    "Class numbers drawn by the logarithms of their shares: [n, classes] gives [n, num_samples]. "
    f"{_STATELESS}",
    "stateless_categorical([[0.0, 1.0]], 5, [1, 2])", T="real", U="int32 int64", V="int32 int64")
row("stateless_gamma", "shape: shape, seed: V, alpha: T, beta: T? = none, dtype: dtype T = float32",
    nn.stateless(nn.filled("alpha", "beta")), "random.stateless_gamma",
    f"Numbers of gamma distributions; `shape` is that of the result, to which `alpha` broadcasts. {_STATELESS}",
    "stateless_gamma([3, 2], [1, 2], [1.0, 3.0])", T="float16 float32 float64", V="int32 int64")
row("stateless_poisson", "shape: shape, seed: V, lam: T, dtype: dtype U = int32",
    nn.stateless(nn.filled("lam", group="U")), "random.stateless_poisson",
    f"Counts of Poisson distributions; `shape` is that of the result, to which the means broadcast. {_STATELESS}",
    "stateless_poisson([3, 2], [1, 2], [1.0, 3.0])", T="float16 float32 float64 int32 int64",
    U="float16 float32 float64 int32 int64", V="int32 int64")
row("stateless_binomial", "shape: shape, seed: V, counts: T, probs: T, output_dtype: dtype U = int32",
    nn.stateless(nn.filled("counts", "probs", group="U")), "random.stateless_binomial",
    "How many of `counts` attempts succeed with the chances `probs`; `shape` is that of the result, to which both "
    f"broadcast. {_STATELESS}",
    "stateless_binomial([3, 2], [1, 2], 10.0, [0.2, 0.5])", T="float16 float32 float64",
    U="float16 float32 float64 int32 int64", V="int32 int64")
