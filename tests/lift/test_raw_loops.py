"""Loops of TensorFlow 1 that are no `while` stay as they were, node for node, and the rest of a program is readable."""

import pytest
from test_conds import as_in_1

from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source

STAYS = "# stays as it was: gradients has gradients of the loop that are no call of gradients\n"


def proved(graph):
    """The source of a graph, after a check that it computes the same bits."""
    lifted = lift_readable(graph)
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs())
    for seed in (1, 2):  # they choose the branch
        report = Verifier(graph, lifted, compiled, shapes={}, seed=seed).verify()
        assert report.is_same and report.unequal == [] and report.compared > 1
    return lifted.source


def inputs(use_resource):
    x = v1.placeholder(tf.float32, [3], "x")
    tf.nn.relu(x * 2.0, name="other")
    return x, v1.get_variable("w", initializer=[0.1, 0.2, 0.3], use_resource=use_resource)


def looped(body, *first):
    return v1.while_loop(lambda i, *_: i < 3, lambda i, s: (i + 1, body(i, s)), [0, *first])[1]


def of_an_inner_tensor(x, w):
    h = w * 2.0
    tf.multiply(tf.gradients(looped(lambda _, s: tf.tanh(s * h), x), [h])[0], 3.0, name="out")


def of_two_losses(x, w):
    total = looped(lambda _, s: tf.tanh(s * w), x)
    gradients = tf.gradients([tf.reduce_sum(total), tf.reduce_sum(w * w)], [w])
    v1.train.GradientDescentOptimizer(0.1).apply_gradients([(gradients[0], w)])


def nested(x, w):
    def outer(_, s):
        s = looped(lambda _, s: tf.tanh(s * w), s)
        return v1.cond(tf.reduce_sum(s) > 0.0, lambda: s * 2.0, lambda: s)

    of_two_losses(looped(outer, x), w)


def in_arrays(x, w):
    rows = tf.map_fn(lambda row: tf.tanh(row * w), x)
    gradients = tf.gradients([tf.reduce_sum(rows), tf.reduce_sum(w * w)], [w, x])
    tf.multiply(gradients[0], tf.reduce_sum(gradients[1]), name="out")


def of_rows(x, w):
    total = looped(lambda i, s: tf.tanh(s + tf.nn.embedding_lookup(w, i)), x)
    gradients = tf.gradients([tf.reduce_sum(total), tf.reduce_sum(w * w)], [w])
    tf.multiply(tf.convert_to_tensor(gradients[0]), 3.0, name="out")


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("build", [of_an_inner_tensor, of_two_losses, nested, in_arrays, of_rows])
def test_loops_whose_gradients_are_not_recognised(build, use_resource):
    source = proved(as_in_1(lambda: build(*inputs(use_resource))))
    assert source.count(STAYS) == 1 and "= raw.NextIteration(" in source and "\nother = relu(x * 2.0)" in source
    assert ("= raw.VarHandleOp(" in source) == (use_resource and build is of_rows)  # whose rows the loop reads


def test_the_gradient_of_a_variable_is_none_of_another_tensor():
    """The optimizer is given a number that two gradients make, one of them of the placeholder."""

    def build():
        x, w = inputs(use_resource=False)
        total = tf.reduce_sum(looped(lambda _, s: tf.tanh(s * w), x))
        one, other = tf.gradients(total, [w])[0], tf.gradients(total * 2.0, [x])[0]
        v1.train.GradientDescentOptimizer(0.1).apply_gradients([(one * one + other, w)])

    source = proved(as_in_1(build))
    assert "gradients(Sum, [w])" in source and ", [x])[0]\n" in source and "raw." not in source


@pytest.mark.parametrize("use_resource", [False, True])
def test_gradients_of_rows_that_a_loop_reads(use_resource):
    """They are made tensors, with a sum for each row of the table."""

    def build():
        x, w = inputs(use_resource)
        total = tf.reduce_sum(looped(lambda i, s: tf.tanh(s + tf.nn.embedding_lookup(w, i)), x))
        tf.multiply(tf.convert_to_tensor(tf.gradients(total, [w])[0]), 3.0, name="out")

    source = proved(as_in_1(build))
    assert "gradients(Sum, [w])[0]" in source and "raw." not in source and "after" not in source


def branches(handle, change=None):
    """Ops on a handle in a branch whose Merge also says which branch was taken, so it stays."""

    def build():
        x, w = inputs(use_resource=True)
        passed = v1.raw_ops.Switch(data=w.handle, pred=tf.reduce_sum(x) > 0.0)[1]
        with tf.control_dependencies([change(passed, x)] if change else []):
            value = handle(passed)
        merged = v1.raw_ops.Merge(inputs=[x, value * 2.0])
        tf.add(merged[0], tf.cast(merged[1], tf.float32), name="out")

    return build


def read(passed):
    return v1.raw_ops.ReadVariableOp(resource=passed, dtype=tf.float32)


@pytest.mark.parametrize(
    ("change", "declared"),
    [
        (None, "variable w = [0.1, 0.2, 0.3]\n"),
        (lambda handle, x: v1.raw_ops.AssignAddVariableOp(resource=handle, value=x), "w = raw.VarHandleOp("),
    ],
)
def test_a_handle_through_a_branch_that_stays(change, declared):
    source = proved(as_in_1(branches(read, change)))
    assert declared in source and "Switch = raw.Switch(data=w, pred=reduce_sum(x) > 0.0)\n" in source
