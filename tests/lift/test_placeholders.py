"""Old graphs do not have the shapes of their placeholders. Where all uses need a matrix, the placeholder is one."""

import numpy as np
import pytest
from conftest import some
from test_inline import saved

import tfdsl
from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.tf import tf, v1

MATRIX = np.ones([3, 2], np.float32)


def without_shape():
    return v1.placeholder(tf.float32, None, "x")


def product(x, other=MATRIX, **options):
    """What `tf.matmul` made of a placeholder whose shape was known then."""
    return tf.raw_ops.MatMul(a=x, b=tf.constant(other), **options)


def trained():
    """Layers with an optimizer, whose gradients also use the placeholder, and a leftover shape."""
    x = without_shape()
    w = v1.get_variable("w", [3, 2], initializer=v1.ones_initializer(), use_resource=False)
    tf.unstack(tf.shape(x), 2)
    loss = tf.reduce_sum(tf.nn.relu(tf.raw_ops.MatMul(a=x, b=w)), name="loss")
    v1.train.GradientDescentOptimizer(0.1).minimize(loss)


def shown(x):
    product(x)
    tf.zeros(tf.shape(x), name="zeros")


def in_a_branch():
    x = without_shape()

    @tf.function(input_signature=[tf.TensorSpec(None), tf.TensorSpec([], tf.bool)])
    def either(x, flag):
        return tf.cond(flag, lambda: tf.reduce_sum(product(x)), lambda: 0.0)

    tf.negative(either(x, v1.placeholder(tf.bool, [], "flag")), name="out")


USES = [
    (trained, "[?, 3]"),
    (lambda: product(without_shape()), "[?, 3]"),
    (lambda: product(without_shape(), transpose_b=True), "[?, 2]"),
    (lambda: product(without_shape(), transpose_a=True), "[3, ?]"),
    (lambda: product(without_shape(), transpose_a=True, transpose_b=True), "[2, ?]"),
    (lambda: tf.raw_ops.MatMul(a=MATRIX, b=without_shape()), "[2, ?]"),
    (lambda: tf.raw_ops.MatMul(a=MATRIX, b=without_shape(), transpose_b=True), "[?, 2]"),
    (lambda: tf.raw_ops.MatMul(a=MATRIX, b=without_shape(), transpose_a=True), "[3, ?]"),
    (lambda: product(x := without_shape()) + product(x, transpose_a=True), "[3, 3]"),
    # Other uses also take tensors that are no matrices, or these products always fail.
    (lambda: (product(x := without_shape()), tf.negative(x)), "[...]"),
    (lambda: (product(x := without_shape()), product(x, transpose_b=True)), "[...]"),
    (lambda: shown(without_shape()), "[...]"),
    (in_a_branch, "[...]"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "shape"), some(USES, [*USES[:2], *USES[-4:]]))
def test_shapes(build, shape):
    assert f"\nplaceholder x: float32{shape}\n" in lift_readable(saved(build)).source


def test_the_product_is_the_same_op():
    """TensorFlow fuses a MatMul with what follows, and no BatchMatMul: the bits then differ."""
    source = lift_readable(saved(trained)).source
    assert "loss = reduce_sum(relu(x @ w))\n" in source
    ops = [operation.type for operation in tfdsl.compile(source).graph.get_operations()]
    assert "MatMul" in ops and not any(op.startswith("BatchMatMul") for op in ops)
