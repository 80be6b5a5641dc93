"""Convolutions, norms and constraints of `nn`, beside those of Keras with the same weights."""

import numpy as np
import pytest
import tensorflow as tf
from beside_keras import agree, first_weights, random

import tfdsl
from tfdsl.runtime.options import Options

HEAD = """
placeholder S: float32[batch, 9, 3]
placeholder P: float32[batch, 7, 8, 4]
placeholder V: float32[batch, 5, 6, 4, 2]
"""
FED = {"S": random(2, 9, 3), "P": random(2, 7, 8, 4, seed=2), "V": random(2, 5, 6, 4, 2, seed=3)}
PADDED, VALID = {"padding": "same"}, {"padding": "valid"}

CONVOLUTIONS = [
    ("Conv1D", PADDED, "conv1d(S, 5, activation=tanh"),
    ("Conv1D", {**VALID, "strides": 2, "use_bias": False}, 'conv1d(S, 5, padding="VALID", stride=2, use_bias=false'),
    ("Conv1D", {"padding": "causal", "dilation_rate": 2}, 'conv1d(S, 5, padding="CAUSAL", dilation=2'),
    ("Conv3D", PADDED, "conv3d(V, 5"),
    ("Conv3D", {**VALID, "strides": 2, "use_bias": False}, 'conv3d(V, 5, padding="VALID", stride=2, use_bias=false'),
    ("Conv2DTranspose", PADDED, "conv2d_transpose(P, 5"),
    ("Conv2DTranspose", {**PADDED, "strides": 2}, "conv2d_transpose(P, 5, stride=2"),
    ("Conv2DTranspose", {**VALID, "strides": 2, "use_bias": False},
     'conv2d_transpose(P, 5, padding="VALID", stride=2, use_bias=false'),
    ("Conv2DTranspose", {**VALID, "strides": 4}, 'conv2d_transpose(P, 5, padding="VALID", stride=4'),
    ("SeparableConv2D", PADDED, "separable_conv2d(P, 5"),
    ("SeparableConv2D", {**VALID, "strides": 2, "depth_multiplier": 3, "use_bias": False},
     'separable_conv2d(P, 5, padding="VALID", stride=2, multiplier=3, use_bias=false'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "call"), CONVOLUTIONS, ids=lambda one: one if isinstance(one, str) else "")
def test_convolutions(name, options, call):
    from keras import layers  # takes a second

    x = FED[call.partition("(")[2][0]]
    layer = getattr(layers, name)(5, 3, activation="tanh" if "activation" in call else None, **options)
    layer.build(x.shape)
    agree(f"{HEAD}target = reduce_sum(sin(nn.{call})))", FED, layer, lambda: tf.reduce_sum(tf.sin(layer(x))))


@pytest.mark.parametrize(
    "call", ["dense(S", "conv1d(S", "conv2d(P", "conv3d(V", "conv2d_transpose(P", "separable_conv2d(P"]
)
def test_biases_begin_with_what_their_initializer_makes(call):
    *_, bias = first_weights(f"{HEAD}y = nn.{call}, 5, bias_initializer=0.5)")
    *_, zeros = first_weights(f"{HEAD}y = nn.{call}, 5)")
    np.testing.assert_array_equal([bias, zeros], [[0.5] * 5, [0.0] * 5])


@pytest.mark.parametrize(("name", "groups"), [("P", 2), ("P", 4), ("S", 1), ("V", 2)])
def test_groups(name, groups):
    from keras import layers

    layer = layers.GroupNormalization(groups, epsilon=0.01)
    layer.build(FED[name].shape)
    call = f"nn.group_norm({name}, groups={groups}, epsilon=0.01)"
    agree(f"{HEAD}target = reduce_sum(sin({call}))", FED, layer, lambda: tf.reduce_sum(tf.sin(layer(FED[name]))))


@pytest.mark.parametrize("axis", [0, 1])
def test_limited_norms(axis):
    from keras import constraints

    weights = 2 * random(4, 3)
    text = f"import nn\nvariable w: float32[4, 3] = zeros\nlimit = nn.max_norm(w, limit=1.5, axis={axis})\n"
    with tfdsl.compile(text).session(variables={"w": weights}) as session:
        session.run("limit")
        found = session.run("w")
    wanted = np.asarray(constraints.MaxNorm(1.5, axis=axis)(weights))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert not np.allclose(found, weights)


def test_penalties():
    """As in Keras, whose penalty for squares has no half."""
    from keras import regularizers

    first, second = random(4, 3), random(5, seed=2)
    text = "import nn\nplaceholder a: float32[4, 3]\nplaceholder b: float32[5]\n"
    text += "x = nn.l1_penalty([a, b], scale=0.2)\ny = nn.l1_l2_penalty([a, b], l1=0.2, l2=0.6)\n"
    with tfdsl.compile(text).session() as session:
        found = session.run(["x", "y"], {"a": first, "b": second})
    for mine, theirs in zip(found, (regularizers.L1(0.2), regularizers.L1L2(0.2, 0.3)), strict=True):
        np.testing.assert_allclose(mine, float(theirs(first) + theirs(second)), rtol=1e-6)


TRAINED = """
import nn
seed 4
data d = digits() | minmax | take(120) | split(test=0.3, seed=1)
placeholder X: float32[batch, 64]
placeholder y: int64[batch, 1]

rows = reshape(X, [-1, 8, 8])
seen = nn.transformer_block(rows, 2, 16, lengths=fill([shape(X)[0]], 7), causal=true)
series = nn.conv1d(seen, 8, padding="CAUSAL", dilation=2, activation=relu)
large = nn.conv2d_transpose(reshape(series, [-1, 8, 8, 1]), 4, stride=2)
small = nn.group_norm(nn.separable_conv2d(large, 8, stride=2), groups=2)
logits = nn.dense(nn.flatten(nn.conv3d(reshape(small, [-1, 8, 8, 8, 1]), 2, stride=4)), 10)
error = nn.sparse_softmax_cross_entropy(y, logits)
optimize error + nn.l1_penalty(variables(transformer_block, "kernel"), scale=0.001) with gradient_descent(learning_rate=0.01)
session:
    train 2 epochs on d.train in batches of 28 as batch:
        feed X = batch.features, y = batch.target
    found = evaluate nn.confusion(y, logits) as counts, error on d.test in batches of 10 as b with X = b.features, y = b.target
    at_once = evaluate nn.confusion(y, logits) as counts, error on d.test with X = d.test.features, y = d.test.target
    expect found.counts == at_once.counts
    expect found.error == at_once.error within 0.00001
"""


# test_recurrent.py and test_everywhere.py train layers in the loop too.
@pytest.mark.long
@pytest.mark.parametrize("engine", ["loop", "xla"])
def test_engines_train_alike(engine):
    program = tfdsl.compile(TRAINED)
    step, other = (
        program.run(options=Options(write=lambda line: None, engine=one)).variables for one in ("step", engine)
    )
    for name, value in step.items():
        if engine == "loop":
            np.testing.assert_array_equal(value, other[name], err_msg=name)
        else:
            np.testing.assert_allclose(value, other[name], rtol=1e-3, atol=1e-4, err_msg=name)
