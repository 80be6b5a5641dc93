"""Steps of tables whose gradients something else reads, too: summaries of norms, histograms of gradients."""

from itertools import product

import numpy as np
import pytest
from conftest import some
from graph_files import checkpoint
from test_conds import as_in_1
from test_inline import verified
from trained_on import same_training

from tfdsl.lowering.tf import tf, v1

OPTIMIZERS = {
    "adam": lambda: v1.train.AdamOptimizer(0.1),
    "gradient_descent": lambda: v1.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: v1.train.MomentumOptimizer(0.1, 0.9),
}
CLIPS = {
    "none": lambda found: (found, v1.global_norm(found)),
    "global_clipnorm": lambda found: tf.clip_by_global_norm(found, 0.1),
    "clipnorm": lambda found: ([tf.clip_by_norm(one, 0.1) for one in found], v1.global_norm(found)),
    "clipvalue": lambda found: ([tf.clip_by_value(one, -0.1, 0.1) for one in found], v1.global_norm(found)),
}


def words(x, use_loop):
    """What a model makes of words: their mean, or the last state of a loop."""
    rows = tf.nn.embedding_lookup(v1.get_variable("table", initializer=spread(8, 3)), x)
    if not use_loop:
        return tf.reduce_mean(rows, 1)
    kernel = v1.get_variable("cell/kernel", initializer=spread(6, 3))
    given = tf.TensorArray(tf.float32, size=4).unstack(tf.transpose(rows, [1, 0, 2]))
    step = lambda i, state: (i + 1, tf.tanh(tf.concat([given.read(i), state], 1) @ kernel))  # noqa: E731
    return v1.while_loop(lambda i, _: i < 4, step, (0, tf.zeros([tf.shape(x)[0], 3])))[1]


def spread(*shape):
    return np.linspace(-0.7, 0.5, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def language_model(optimizer, clip, use_loop=False, use_resource=False, read=("norm", "before", "after")):
    """A step along gradients that are read as `read` says."""

    def build():
        x, y = v1.placeholder(tf.int32, [None, 4], "x"), v1.placeholder(tf.int32, [None], "y")
        with v1.variable_scope("", use_resource=use_resource):
            state = words(x, use_loop)
            logits = state @ v1.get_variable("out", initializer=spread(3, 8))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        made = OPTIMIZERS[optimizer]()
        found, variables = zip(*made.compute_gradients(tf.reduce_mean(losses, name="loss")))
        clipped, norm = CLIPS[clip](found)
        if "norm" in read:
            v1.summary.scalar("norm", norm)
        for gradients in [found] * ("before" in read) + [clipped] * ("after" in read):
            for one, variable in zip(gradients, variables):
                v1.summary.histogram(variable.op.name, one)
        made.apply_gradients(zip(clipped, variables), v1.train.get_or_create_global_step(), "train")

    return build


@pytest.mark.parametrize(("optimizer", "clip", "use_loop", "use_resource"), some(
    product(OPTIMIZERS, CLIPS, (False, True), (False, True)),
    [("adam", "global_clipnorm", True, False), ("gradient_descent", "clipnorm", False, True),
     ("momentum", "none", False, False)]
))  # fmt: skip
def test_gradients_that_are_read(here, optimizer, clip, use_loop, use_resource):
    source = verified(as_in_1(language_model(optimizer, clip, use_loop, use_resource)))
    assert "raw." not in source and "scatter" not in source and " = gradients(\n    loss, [table, " in source
    arguments = "" if clip == "none" else f", {clip}=0.1, sum_slices=false"
    step = source[source.index("\noptimize loss with ") :].replace("\n    ", "").replace("\n", "")
    assert arguments in step and " as train" in step


@pytest.mark.parametrize(("read", "xs"), [
    (("norm",), "[embedding_lookup_1, out]"),  # the slices, as they are
    (("before",), "[table, out]"),  # the sums of slices, as the readers get them
    (("after",), "[embedding_lookup_1, out]"),
])  # fmt: skip
def test_only_what_is_read_is_computed(here, read, xs):
    source = verified(as_in_1(language_model("adam", "global_clipnorm", read=read)))
    assert f" = gradients(loss, {xs})\n" in source and "global_clipnorm=0.1" in source and "raw." not in source


def test_a_table_that_is_read_twice(here):
    """The slices of both lookups, one after the other."""

    def build():
        x = v1.placeholder(tf.int32, [None], "x")
        table = v1.get_variable("table", initializer=spread(5, 2))
        first, second = tf.gather(table, x, name="first"), tf.gather(table, x + 1, name="second")
        made = v1.train.AdamOptimizer(0.1)
        ((slices, _),) = made.compute_gradients(tf.reduce_sum(tf.square(first) * second, name="loss"))
        v1.summary.scalar("norm", v1.global_norm([slices]))
        made.apply_gradients([(slices, table)])

    source = verified(as_in_1(build))
    assert " = gradients(loss, [first, second])\n" in source and "concat([" in source
    assert source.endswith("\noptimize loss with adam(learning_rate=0.1)\n")


def test_slices_that_are_changed_otherwise_stay(here):
    def build():
        table = v1.get_variable("table", initializer=spread(5, 2))
        rows = tf.gather(table, v1.placeholder(tf.int32, [None], "x"))
        made = v1.train.AdamOptimizer(0.1)
        ((slices, _),) = made.compute_gradients(tf.reduce_sum(tf.square(rows), name="loss"))
        v1.summary.histogram("slices", slices)
        made.apply_gradients([(tf.IndexedSlices(slices.values * 2.0, slices.indices, slices.dense_shape), table)])

    source = verified(as_in_1(build))
    assert "optimize " not in source and "# stays as it was: " in source


@pytest.mark.parametrize("use_loop", some((False, True), [True]))
def test_the_same_bits_after_fifty_more_steps(here, use_loop):
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            language_model("adam", "global_clipnorm", use_loop)()
    finally:
        v1.enable_control_flow_v2()
    checkpoint(graph, "model.ckpt")
    source = same_training("model.ckpt.meta", here)
    assert "optimize loss with adam(" in source and "raw." not in source
