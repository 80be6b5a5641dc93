"""Recurrent networks of TensorFlow 1, whose loops work on tensor arrays, and training through them."""

from itertools import product

import pytest
from conftest import some
from tensorflow.python.ops import rnn
from test_conds import as_in_1
from test_inline import verified

from tfdsl.lowering.tf import tf, v1


class Cell:
    """A cell as `dynamic_rnn` takes it: a plain one, which may scale its outputs, or one with two states."""

    def __init__(self, units, is_long, scale=None):
        self.output_size, self.is_long, self.scale = units, is_long, scale
        self.state_size = (units, units) if is_long else units

    def zero_state(self, batch, dtype):
        states = [tf.zeros(tf.stack([batch, self.output_size]), dtype) for _ in range(2)]
        return tuple(states) if self.is_long else states[0]

    def __call__(self, x, state, scope=None):
        n, count = self.output_size, 4 if self.is_long else 1
        with v1.variable_scope("cell"):
            initializer = v1.glorot_uniform_initializer(seed=1)
            kernel = v1.get_variable("kernel", [x.shape[-1] + n, count * n], initializer=initializer)
            bias = v1.get_variable("bias", [count * n], initializer=v1.zeros_initializer())
        before = state[1] if self.is_long else state
        z = tf.nn.bias_add(tf.matmul(tf.concat([x, before], 1), kernel), bias)
        if not self.is_long:
            h = tf.tanh(z)
            return (h * self.scale if self.scale else h), h
        i, j, f, o = tf.split(z, 4, 1)
        c = state[0] * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        return h, (c, h)


def network(shape, is_long, has_lengths, scale=None):
    def build():
        x = v1.placeholder(tf.float32, shape, "x")
        lengths = v1.placeholder(tf.int32, [None], "lengths") if has_lengths else None
        outputs, _ = rnn.dynamic_rnn(Cell(4, is_long, scale), x, sequence_length=lengths, dtype=tf.float32)
        v1.train.AdamOptimizer(0.1).minimize(tf.reduce_mean(tf.square(outputs), name="loss"))

    return build


SHAPES = [[2, 5, 3], [None, 5, 3], [None, None, 3]]


@pytest.mark.parametrize(("shape", "is_long"), some(
    product(SHAPES, (False, True)), [(SHAPES[0], False), (SHAPES[2], True)]
))  # fmt: skip
def test_training(here, shape, is_long):
    source = verified(as_in_1(network(shape, is_long, has_lengths=False)))
    assert " = scan(step, transpose_1, " in source and "raw." not in source and "while " not in source
    assert source.endswith("\noptimize loss with adam(learning_rate=0.1)\n")


@pytest.mark.long
def test_outputs_that_are_no_states(here):
    source = verified(as_in_1(network([2, 5, 3], is_long=False, has_lengths=False, scale=2.0)))
    assert "_, outputs = scan(step, transpose_1, [" in source and "raw." not in source


@pytest.mark.parametrize("shape", some(SHAPES[::2], [SHAPES[2]]))
def test_training_with_lengths(here, shape):
    """The loop ends with the longest example; the scan goes on with zeros."""
    source = verified(as_in_1(network(shape, is_long=False, has_lengths=True)))
    given = "constant([0, 1, 2, 3, 4])" if shape[1] else "TensorArrayStack_range"
    assert f"outputs = scan(step, [transpose_1, {given}], [" in source and "while " not in source
    assert "TensorArray" not in source.replace("TensorArrayStack_range", "")
    assert source.endswith("\noptimize loss with adam(learning_rate=0.1)\n")


def test_a_loop_that_ends_early_is_no_scan(here):
    """The results of examples that have ended are not 0, so those after the longest example differ."""

    def build():
        x, lengths = v1.placeholder(tf.float32, [5, 2], "x"), v1.placeholder(tf.int32, [2], "lengths")
        taken = tf.TensorArray(tf.float32, size=5).unstack(x)
        most = tf.minimum(5, tf.maximum(1, tf.reduce_max(lengths)))

        def body(i, state, made):
            following = tf.where(i >= lengths, state, tf.tanh(taken.read(i) + state))
            return i + 1, following, made.write(i, tf.where(i >= lengths, tf.ones([2]), following))

        start = (0, tf.zeros([2]), tf.TensorArray(tf.float32, size=5))
        _, _, made = v1.while_loop(lambda i, *_: tf.logical_and(i < most, i < 5), body, start)
        tf.reduce_sum(made.stack(), name="total")

    source = verified(as_in_1(build))
    assert "while " in source and "scan(" not in source


def test_lengths_in_the_first_versions(here):
    """`dynamic_rnn` of TensorFlow 1.0 goes through all elements, and asks an array for its size."""

    def build():
        x, lengths = v1.placeholder(tf.float32, [None, 2, 3], "x"), v1.placeholder(tf.int32, [2], "lengths")
        w = v1.get_variable("w", [3, 3], initializer=v1.ones_initializer())
        count, zeros = tf.shape(x)[0], tf.fill([2, 3], 0.0)
        taken = tf.TensorArray(tf.float32, size=count).unstack(x)

        def body(i, state, made):
            following = tf.tanh(taken.read(i) + tf.matmul(state, w))
            ended = i >= lengths
            made = made.write(i, v1.where(ended, zeros, following))
            return i + 1, v1.where(ended, state, following), made

        start = (0, tf.zeros([2, 3]), tf.TensorArray(tf.float32, size=count, infer_shape=False))
        _, _, made = v1.while_loop(lambda i, *_: i < count, body, start)
        size = v1.raw_ops.TensorArraySizeV3(handle=made.handle, flow_in=made.flow)
        outputs = v1.raw_ops.TensorArrayGatherV3(handle=made.handle, indices=tf.range(0, size), flow_in=made.flow,
                                                 dtype=tf.float32, element_shape=[2, 3])  # fmt: skip
        v1.train.AdamOptimizer(0.1).minimize(tf.reduce_mean(tf.square(outputs), name="loss"))

    source = verified(as_in_1(build))
    assert "    state, _ = states\n" in source and "_, outputs = scan(step, [x, " in source
    assert "TensorArrayS" not in source and "while " not in source
