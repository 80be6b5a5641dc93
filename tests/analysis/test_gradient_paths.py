"""What gradients read below a tensor that is fed, as TensorFlow asks for it."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1

import tfdsl
from tfdsl.ops import OPS

# The shapes of the two factors, and a call.
CALLS = {
    "multiply": ((2, 3), (2, 3), "a * b"),
    "multiply_no_nan": ((2, 3), (2, 3), "multiply_no_nan(a, b)"),
    "matmul": ((2, 3), (3, 4), "a @ b"),
    "matvec": ((2, 3), (3,), "matvec(a, b)"),
    "tensordot": ((2, 3), (3, 4), "tensordot(a, b, axes=1)"),
    "conv1d": ((2, 5, 3), (2, 3, 4), 'conv1d(a, b, stride=1, padding="VALID")'),
    "conv2d": ((2, 5, 5, 3), (2, 2, 3, 4), 'conv2d(a, b, strides=1, padding="VALID")'),
    "depthwise_conv2d": ((2, 5, 5, 3), (2, 2, 3, 1), 'depthwise_conv2d(a, b, strides=[1, 1, 1, 1], padding="SAME")'),
    "conv3d": ((2, 4, 4, 4, 3), (2, 2, 2, 3, 1), 'conv3d(a, b, strides=[1, 1, 1, 1, 1], padding="SAME")'),
}


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.product])
@pytest.mark.parametrize("x", ["a", "b"])
def test_a_gradient_to_one_factor_reads_the_other(name, x):
    shapes, call = dict(zip("ab", CALLS[name])), CALLS[name][2]
    other = "b" if x == "a" else "a"
    text = "".join(f"placeholder {one}: float32{list(shape)}\n" for one, shape in shapes.items()) + f"y = {call}\n"
    program = tfdsl.compile(text)
    with program.graph.as_default(), v1.Session() as session:
        y, factor = program["y"], program[x]
        (slope,) = tf.gradients(tf.reduce_sum(tf.square(y)), [factor])
        feeds = {"y": np.ones(y.shape), x: np.ones(shapes[x])}
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"feed a value for placeholder tensor '{other}'"):
            session.run(slope, {y: feeds["y"], factor: feeds[x]})
    given = ", ".join(f"{name} = {value.tolist()}" for name, value in feeds.items())
    text += f"g = gradients(reduce_sum(square(y)), [{x}])\nsession:\n    print g with {given}\n"
    (found,) = [one for one in tfdsl.check(text) if one.severity == "error"]
    assert found.code == "TFG501" and f"{other} " in str(found)
