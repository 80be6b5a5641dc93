"""Tensor arrays of TensorFlow 1 that are no `scan` become tensor lists, so that gradients flow through their loops."""

import numpy as np
import pytest
from conftest import some
from test_conds import as_in_1
from test_inline import verified

from tfdsl.lowering.tf import tf, v1


def weights(shape, name):
    return v1.get_variable(name, initializer=np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))


def train(value):
    v1.train.AdamOptimizer(0.1).minimize(tf.reduce_mean(tf.square(value), name="loss"))


def projected():
    """The shape of the results is not recorded, and they are no states."""
    x, w, p = v1.placeholder(tf.float32, [None, 2, 3], "x"), weights([3, 3], "w"), weights([3, 4], "p")
    count = tf.shape(x)[0]
    taken = tf.TensorArray(tf.float32, size=count).unstack(x)

    def body(i, state, made):
        state = tf.tanh(taken.read(i) + state @ w)
        return i + 1, state, made.write(i, state @ p)

    start = (0, tf.zeros([2, 3]), tf.TensorArray(tf.float32, size=count, infer_shape=False))
    train(v1.while_loop(lambda i, *_: i < count, body, start)[2].stack())


def growing():
    """The number of results is known at the end only, as with `raw_rnn`."""
    x, w = v1.placeholder(tf.float32, [2, 3], "x"), weights([3, 3], "w")

    def body(i, state, made):
        state = tf.tanh(x + state @ w)
        return i + 1, state, made.write(i, state)

    start = (0, tf.zeros([2, 3]), tf.TensorArray(tf.float32, size=0, dynamic_size=True))
    made = v1.while_loop(lambda i, state, _: (i < 4) & (tf.reduce_sum(state) < 100.0), body, start)[2]
    train(tf.concat([made.stack(), tf.cast(made.size(), tf.float32) * tf.ones([1, 2, 3])], 0))


def remembering():
    """The loop reads an element that it wrote before, backwards and by chance."""
    x, w = v1.placeholder(tf.float32, [5, 3], "x"), weights([3], "w")
    taken = tf.TensorArray(tf.float32, size=5, clear_after_read=False).unstack(x)

    def body(i, made):
        before = made.read(tf.maximum(i - 2, 0))
        return i + 1, made.write(i, tf.tanh(before * w + taken.read(5 - i) + taken.read(0)))

    made = tf.TensorArray(tf.float32, size=6, clear_after_read=False).write(0, w)
    train(v1.while_loop(lambda i, *_: i < 6, body, (1, made))[1].gather([5, 1, 3]))


def joined():
    """The results are joined along their first axis."""
    x, w = v1.placeholder(tf.float32, [3, 2, 3], "x"), weights([3, 3], "w")

    def body(i, state, made):
        state = tf.tanh(x[i] + state @ w)
        return i + 1, state, made.write(i, state)

    made = v1.while_loop(lambda i, *_: i < 3, body, (0, tf.zeros([2, 3]), tf.TensorArray(tf.float32, size=3)))[2]
    train(made.concat())


def split():
    """The elements have different sizes."""
    x, w = v1.placeholder(tf.float32, [5, 3], "x"), weights([3, 3], "w")
    taken = tf.TensorArray(tf.float32, size=2, infer_shape=False).split(x, [2, 3])
    body = lambda i, total: (i + 1, total + tf.reduce_sum(tf.tanh(taken.read(i) @ w)))  # noqa: E731
    train(v1.while_loop(lambda i, _: i < 2, body, (0, 0.0))[1])


@pytest.mark.parametrize(("build", "op"), some(
    [(projected, "SetItem"), (growing, "SetItem"), (remembering, "SetItem"), (joined, "ConcatV2"), (split, "Split")],
    [(growing, "SetItem"), (joined, "ConcatV2"), (split, "Split")],
))  # fmt: skip
def test_training(here, build, op):
    source = verified(as_in_1(build))
    assert "raw.TensorArray" not in source and f"raw.TensorList{op}(" in source
    assert source.endswith("\noptimize loss with adam(learning_rate=0.1)\n")


def test_what_has_no_counterpart_stays(here):
    """An array that is closed."""

    def build():
        taken = tf.TensorArray(tf.float32, size=5).unstack(v1.placeholder(tf.float32, [5, 2], "x"))
        y = tf.multiply(taken.read(1), 2.0, name="y")
        with tf.control_dependencies([y]):
            taken.close(name="closed")

    source = verified(as_in_1(build))
    assert "raw.TensorArrayReadV3(" in source and "TensorList" not in source
