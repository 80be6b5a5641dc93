"""Initial values of variables, compared with those that TensorFlow's initializers make by hand."""

import numpy as np
import pytest
from tensorflow.compat import v1

import tfdsl

SHAPE = [4, 3]
INITIALIZERS = {
    "truncated_normal(stddev=0.1, seed=1)": lambda: v1.truncated_normal(SHAPE, stddev=0.1, seed=1),
    "random_uniform(minval=-0.5, maxval=0.5, seed=2)": lambda: v1.random_uniform(SHAPE, -0.5, 0.5, seed=2),
    "he_normal(seed=3)": lambda: v1.initializers.he_normal(seed=3)(SHAPE),
    "variance_scaling(scale=2.0, mode=\"fan_out\", seed=4)": lambda: v1.variance_scaling_initializer(
        scale=2.0, mode="fan_out", seed=4
    )(SHAPE),
    "zeros": lambda: v1.zeros(SHAPE),
    "ones()": lambda: v1.ones(SHAPE),
    "0.25": lambda: v1.fill(SHAPE, 0.25),
    "slanted": lambda: v1.ones(SHAPE) * v1.constant([1.0, 2.0, 3.0]),
}  # fmt: skip
SLANTED = "def slanted(shape):\n    return ones(shape) * [1.0, 2.0, 3.0]\n"


def by_hand(make):
    with v1.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        return session.run(make())


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_initializers_fill_the_type_of_the_variable(initializer):
    program = tfdsl.compile(f"{SLANTED if initializer == 'slanted' else ''}variable w: float32[4, 3] = {initializer}\n")
    with program.session() as session:
        np.testing.assert_array_equal(session.run("w"), by_hand(INITIALIZERS[initializer]))


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_layers_take_them(initializer):
    text = f"""import nn
{SLANTED if initializer == "slanted" else ""}start = {initializer}
placeholder X: float32[n, 4]
y = nn.dense(X, 3, initializer=start, use_bias=false)
"""
    with tfdsl.compile(text).session() as session:
        found = session.run("y", {"X": np.eye(4, dtype=np.float32)})
    np.testing.assert_array_equal(found, by_hand(INITIALIZERS[initializer]))


def test_a_dtype_of_its_own_must_be_that_of_the_variable():
    with pytest.raises(tfdsl.TfgError, match="TFG427"):
        tfdsl.compile("variable w: float32[2] = zeros(dtype=int32)\n")


def test_values_stand_in_the_tags_of_summaries(here):
    program = tfdsl.compile("""
placeholder x: float32[2]
def layer(x, name):
    for i in range(2):
        x = x + 1.0
        summary scalar reduce_sum(x) as "{name}, {i:02d} {{}}"
    return x
layer(x, "first")
session:
    log to "logs"
    log with x = [1, 2]
""")
    assert list(program.run().history) == ["layer/first, 00 {}", "layer/first, 01 {}"]
