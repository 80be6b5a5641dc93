"""Gradients of loops that are not part of an `optimize` are calls of `gradients`."""

import numpy as np
import pytest
from test_conds import as_in_1
from test_inline import verified

from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.tf import tf, v1


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


@pytest.mark.parametrize(("build", "lines"), [
    (of_the_input, ["MatMul, MatMul_1 = gradients(loss, [x, first])\nsaliency = abs(MatMul)\n"]),
    (of_all, [" = gradients(loss, [x, first, w])"]),
    (beside_a_step, ["optimize loss with gradient_descent(learning_rate=0.1) as step", " = gradients(loss, [x"]),
    (by_hand, [" = gradients(loss, [first, w])", "assign_sub("]),
])  # fmt: skip
def test_gradients(here, build, lines):
    source = verified(as_in_1(build))
    assert "raw." not in source and "while i < 3:" in source
    for line in lines:
        assert line in source


def test_gradients_of_several_tensors_are_no_gradients_of_one(here):
    def build():
        loss, x, _, _ = loss_of()
        tf.negative(tf.gradients([loss, loss * 2.0], [x])[0], name="y")

    lifted = lift_readable(as_in_1(build))
    assert lifted.is_exact and "gradients(" not in lifted.source
