"""Ops that TensorFlow builds of several nodes are one call, if this call builds the same nodes."""

import numpy as np
import pytest
from conftest import some
from test_inline import saved, verified

from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.tf import tf, v1


def x(*shape):
    return v1.placeholder(tf.float32, shape or [None, 4], "x")


def dropout_of_a_rate():
    tf.multiply(tf.nn.dropout(tf.tanh(x()), rate=0.4), 2.0, name="out")


def dropout_that_keeps():
    keep = v1.placeholder(tf.float32, [], "keep")
    tf.multiply(v1.nn.dropout(tf.tanh(x(2, 4)), keep_prob=keep, seed=3), 2.0, name="out")


def normalized():
    given = x()
    mean, variance = tf.nn.moments(given, [0])
    gamma = v1.get_variable("gamma", [4], initializer=v1.constant_initializer(2.0), use_resource=True)
    beta = v1.get_variable("beta", [4], initializer=v1.zeros_initializer(), use_resource=False)
    made = tf.nn.batch_normalization(given, mean, variance, beta, gamma, 1e-3)
    v1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(made), name="loss"))


NORMALIZED = """\
placeholder x: float32[?, 4]
variable gamma = [2.0, 2.0, 2.0, 2.0]
variable beta: float32[4] = zeros
mean, variance = moments(x, axes=[0])
add_1 = batch_normalization(x, mean, variance, beta, gamma, variance_epsilon=0.001)
loss = reduce_sum(square(add_1))
optimize loss with gradient_descent(learning_rate=0.1)
"""


def moments_that_keep_axes():
    mean, variance = tf.nn.moments(x(2, 4, 4, 3), [1, 2], keepdims=True)
    made = tf.nn.batch_normalization(x(2, 4, 4, 3), mean, variance, None, None, 1e-5)
    tf.nn.relu(made, name="out")


def fused():
    made, mean, _ = v1.nn.fused_batch_norm(x(2, 4, 4, 3), [1.0, 2.0, 3.0], [0.0, 0.5, 0.0], epsilon=0.01)
    tf.nn.relu(made, name="out")
    tf.negative(mean, name="less")


def unit():
    tf.nn.l2_normalize(x(), 1, epsilon=1e-6, name="out")


def crossed():
    y = v1.placeholder(tf.float32, [None, 4], "y")
    tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x()), name="out")


def in_a_loop():
    step = lambda i, y: (i + 1, tf.nn.l2_normalize(y * 2.0 + 1.0, 1))  # noqa: E731
    shapes = [tf.TensorShape([]), tf.TensorShape([None, 4])]
    tf.identity(tf.while_loop(lambda i, _: i < 3, step, [0, x()], shape_invariants=shapes)[1], name="out")


LINES = {
    dropout_of_a_rate: "out = dropout(tanh(x), rate=0.4) * 2.0",
    dropout_that_keeps: "out = dropout(tanh(x), keep_prob=keep, seed=3) * 2.0",
    moments_that_keep_axes: "mean, variance = moments(x, axes=[1, 2], keepdims=true)",
    fused: "y, mean, _ = fused_batch_norm(x, [1.0, 2.0, 3.0], [0.0, 0.5, 0.0], epsilon=0.01)",
    unit: "out = l2_normalize(x, axis=1, epsilon=1e-06)",
    crossed: "out = reduce_mean(sigmoid_cross_entropy_with_logits(labels=y, logits=x))",
    in_a_loop: "    i, i_1, state = i + 1, i_1 + 1, l2_normalize(state * 2.0 + 1.0, axis=1)",
}


@pytest.mark.parametrize("build", LINES)
def test_calls(here, build):
    assert LINES[build] in verified(saved(build)).splitlines()


def test_normalized_in_training(here):
    assert verified(saved(normalized)) == NORMALIZED


@pytest.mark.parametrize(
    ("schedule", "line"),
    [
        (lambda n: v1.train.exponential_decay(0.1, n, 100, 0.96, staircase=True),
         "exponential_decay(0.1, n, decay_steps=100, decay_rate=0.96, staircase=true)"),
        (lambda n: v1.train.natural_exp_decay(0.1, n, 50.0, 0.5),
         "natural_exp_decay(0.1, n, decay_steps=50.0, decay_rate=0.5)"),
        (lambda n: v1.train.inverse_time_decay(0.1, n, 100, 0.5),
         "inverse_time_decay(0.1, n, decay_steps=100, decay_rate=0.5)"),
        (lambda n: v1.train.polynomial_decay(0.1, n, 100, 0.01, power=2.0),
         "polynomial_decay(0.1, n, decay_steps=100, end_learning_rate=0.01, power=2.0)"),
        (lambda n: v1.train.polynomial_decay(0.1, n, 100, cycle=True),
         "polynomial_decay(0.1, n, decay_steps=100, cycle=true)"),
        (lambda n: v1.train.cosine_decay(0.1, n, 100), "cosine_decay(0.1, n, decay_steps=100)"),
        (lambda n: v1.train.linear_cosine_decay(0.1, n, 100), "linear_cosine_decay(0.1, n, decay_steps=100)"),
    ],
)  # fmt: skip
def test_schedules(here, schedule, line):
    def build():
        tf.negative(schedule(v1.placeholder(tf.int64, [], "n")), name="out")

    assert line in verified(saved(build))


@pytest.mark.parametrize("t_mul", some([1.0, 2.0], [2.0]))
def test_a_branch_on_a_number(here, t_mul):
    """Restarts of a cosine have a branch for `t_mul`, of which one side never runs."""

    def build():
        tf.negative(v1.train.cosine_decay_restarts(0.1, v1.placeholder(tf.int64, [], "n"), 100, t_mul), name="out")

    source = verified(saved(build))
    assert "if " not in source and "equal(" not in source and ("log(" in source) == (t_mul != 1)


def test_a_choice_by_a_number(here):
    """Losses count the weights that are not 0."""

    def build():
        v1.losses.mean_squared_error(
            v1.placeholder(tf.float32, [4], "y"), tf.tanh(v1.placeholder(tf.float32, [4], "x"))
        )

    source = verified(saved(build))
    assert "where(" not in source and "equal(" not in source


def test_a_subnormal_number_is_not_compared(here):
    """TensorFlow takes it for 0 on some threads."""

    def build():
        tf.identity(tf.equal(tf.constant(1e-40), 0.0) & v1.placeholder(tf.bool, [], "b"), name="out")

    assert "equal(" in verified(saved(build))


def multiplied():
    """A dropout as before TensorFlow 2.10: dropped negative numbers become -0."""
    y = tf.tanh(x())
    tf.identity(y * (1 / 0.6) * tf.cast(v1.random_uniform(tf.shape(y)) >= 0.4, tf.float32), name="out")


def rounded():
    """A dropout of TensorFlow 1: a product with rounded random numbers."""
    y = tf.tanh(x())
    tf.identity(y / 0.6 * tf.floor(0.6 + v1.random_uniform(tf.shape(y))), name="out")


def used_inside():
    """Moments, of which more is used than the results."""
    mean, variance = tf.nn.moments(x(), [0])
    tf.add(mean, variance, name="out")
    tf.negative(v1.get_default_graph().get_tensor_by_name("moments/SquaredDifference:0"), name="squares")


def other_numbers():
    """Like a dropout, but it drops more than it scales for."""
    y = tf.tanh(x())
    tf.where(v1.random_uniform(tf.shape(y)) >= 0.4, y * 2.0, 0.0, name="out")


@pytest.mark.parametrize("build", [multiplied, rounded, used_inside, other_numbers])
def test_other_nodes_are_not_folded(here, build):
    source = verified(saved(build))
    assert "dropout(" not in source and "moments(" not in source


def test_random_numbers_are_drawn_in_a_loop():
    def build():
        v1.disable_control_flow_v2()
        step = lambda i, y: (i + 1, y + v1.random_uniform([], 1.0, 2.0, seed=1))  # noqa: E731
        tf.identity(v1.while_loop(lambda i, _: i < 3, step, [0, 0.0])[1], name="out")
        v1.enable_control_flow_v2()

    source = lift_readable(saved(build)).source
    assert "    i, state = i + 1, state + random_uniform([], 1.0, 2.0, seed=1)\n" in source


def test_inference_with_fused_normalization(here):
    def build():
        given = [np.array(one, np.float32) for one in ([1.0, 2.0], [0.5, 0.0], [0.1, 0.2], [1.0, 2.0])]
        scale, offset, mean, variance = given
        made, _, _ = v1.nn.fused_batch_norm(x(2, 4, 4, 2), scale, offset, mean, variance, is_training=False)
        tf.nn.relu(made, name="out")

    source = verified(saved(build))
    given = "x, [1.0, 2.0], [0.5, 0.0], mean=[0.1, 0.2], variance=[1.0, 2.0], is_training=false"
    assert f"y, _, _ = fused_batch_norm(\n    {given}\n)" in source
