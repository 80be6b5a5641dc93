"""Gradients of loops that are not part of an `optimize` are calls of `gradients`."""

import numpy as np
import pytest
from test_conds import as_in_1
from test_inline import verified

from tfdsl.access import Access
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source


def loss_of():
    """A loss below a loop, and what its gradients can be taken for."""
    x = v1.placeholder(tf.float32, [None, 3], "x")
    values = np.linspace(-1, 1, 9, dtype=np.float32).reshape(3, 3)
    first, w = (v1.get_variable(name, initializer=values, use_resource=name == "w") for name in ("first", "w"))
    body = lambda i, state: (i + 1, tf.tanh(state @ w))  # noqa: E731
    state = v1.while_loop(lambda i, _: i < 3, body, (0, tf.nn.relu(x @ first)))[1]
    return tf.reduce_mean(tf.square(state), name="loss"), x, first, w


def of_the_input():
    """Gradients of a placeholder show what a network looks at."""
    loss, x, _, _ = loss_of()
    tf.abs(tf.gradients(loss, [x])[0], name="saliency")


def of_all():
    loss, x, first, w = loss_of()
    for name, one in zip("abc", tf.gradients(loss, [x, first, w]), strict=True):
        tf.negative(one, name=name)


def beside_a_step():
    loss, x, _, _ = loss_of()
    v1.train.GradientDescentOptimizer(0.1).minimize(loss, name="step")
    tf.norm(tf.gradients(loss, x)[0], name="norm")


def by_hand():
    """Updates that are no step of an optimizer."""
    loss, _, first, w = loss_of()
    for one, gradient in zip((first, w), tf.gradients(loss, [first, w]), strict=True):
        one.assign_sub(0.1 * tf.sign(gradient), name=f"train_{one.op.name}")


def of_several():
    """One of the losses is computed from the other one."""
    loss, x, _, _ = loss_of()
    tf.negative(tf.gradients([loss, tf.square(loss, name="twice")], [x])[0], name="y")


def with_weights():
    """Gradients that begin with given values, `grad_ys`."""
    loss, x, _, _ = loss_of()
    y, scale = tf.exp(loss), v1.placeholder(tf.float32, [], "scale")
    tf.negative(tf.gradients(y, [x], grad_ys=[scale])[0], name="y")


def of_a_sum():
    """The gradient of a sum is that of its terms, and of what a constant is added to."""
    loss, _, first, w = loss_of()
    gradients = tf.gradients(tf.add(loss, 0.1 * tf.nn.l2_loss(w), name="total"), [first, w])
    v1.train.AdamOptimizer(0.1).apply_gradients(zip(gradients, [first, w]), name="step")


def restarted():
    """A state of the loop that does not depend on the one before, whose gradient has zeros outside the scope."""
    x = v1.placeholder(tf.float32, [3], "x")
    w = v1.get_variable("w", initializer=np.float32([0.5, -0.25, 1.0]), use_resource=False)
    _, a, b = v1.while_loop(lambda i, *_: i < 3, lambda i, a, b: (i + 1, tf.tanh(w * x), a * w), (0, x, x + 1.0))
    loss = tf.reduce_sum(tf.square(a + b), name="loss")
    v1.train.GradientDescentOptimizer(0.1).minimize(loss, name="step")


def through_branches():
    x, flag = v1.placeholder(tf.float32, [3], "x"), v1.placeholder(tf.bool, [], "flag")
    w = v1.get_variable("w", initializer=np.float32([0.5, -0.25, 1.0]), use_resource=False)
    y = tf.cond(flag, lambda: tf.cond(x[0] > 0.0, lambda: w * x, lambda: w + x), lambda: tf.tanh(w))
    for name, one in zip("ab", tf.gradients(tf.reduce_sum(tf.square(y), name="loss"), [x, w]), strict=True):
        tf.negative(one, name=name)


@pytest.mark.parametrize(("build", "lines"), [
    (of_several, [" = gradients([loss, twice], [x"]),
    (with_weights, [" * scale, [x"]),
    (of_a_sum, ["optimize total with adam(learning_rate=0.1) as step\n"]),
    (restarted, ["optimize loss with gradient_descent(learning_rate=0.1) as step\n"]),
    (through_branches, [" = gradients(loss, [w, x])"]),
    (of_the_input, ["MatMul, MatMul_1 = gradients(loss, [x, first])\nsaliency = abs(MatMul)\n"]),
    (of_all, [" = gradients(loss, [x, first, w])"]),
    (beside_a_step, ["optimize loss with gradient_descent(learning_rate=0.1) as step", " = gradients(loss, [x"]),
    (by_hand, [" = gradients(loss, [first, w])", "assign_sub("]),
])  # fmt: skip
def test_gradients(here, build, lines):
    source = verified(as_in_1(build))
    assert "raw." not in source and ("while i < 3:" in source or "if flag:" in source)
    for line in lines:
        assert line in source


def test_branches_that_stay_keep_their_gradients_apart(here):
    """If the zeros of a branch were always there, Merge would take them in the other branch, too."""

    def build():
        x, flag = v1.placeholder(tf.float32, [3], "x"), v1.placeholder(tf.bool, [], "flag")
        w = v1.get_variable("w", initializer=np.float32([0.5, -0.25, 1.0]), use_resource=False)
        inner = tf.tanh(w * x)
        y = tf.cond(flag, lambda: inner * 0.5 + x, lambda: w, name="chosen")
        (gradient,) = tf.gradients(tf.reduce_sum(tf.square(y), name="loss"), [w], stop_gradients=[inner])
        tf.negative(gradient, name="result")

    graph = as_in_1(build)
    lifted = lift_readable(graph)
    assert "raw.Merge(" in lifted.source and "gradients(" not in lifted.source
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs(access=Access("lifted.tfg")))
    report = Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()
    assert report.is_same and not report.unequal
