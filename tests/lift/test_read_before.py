"""Variables that are read, changed, and read again in one execution: each op takes the value that it took in the
graph."""

import pytest
from test_conds import as_in_1
from test_inline import verified

from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.tf import tf, v1


def variable():
    return v1.get_variable("v", initializer=1.0, use_resource=True)


def read_twice():
    """The first value is taken after the variable has changed."""
    v = variable()
    first = v.read_value()
    with tf.control_dependencies([first]):
        added = v1.assign_add(v, 2.0)
    with tf.control_dependencies([added]):
        second = v.read_value() * 10.0
    tf.group(v1.assign(v, second - first), name="go")


def read_late():
    """An op that does not wait for the change takes the value from before."""
    v = variable()
    first = v.read_value()
    with tf.control_dependencies([first]):
        added = v1.assign_add(v, 2.0)
    tf.group(added, tf.multiply(first, 3.0, name="late"), name="go")


def read_in_a_branch():
    v, flag = variable(), v1.placeholder(tf.bool, [], "flag")

    def change():
        first = v.read_value()
        with tf.control_dependencies([first]):
            added = v1.assign_add(v, 2.0)
        with tf.control_dependencies([added]):
            return first * 2.0

    tf.identity(tf.cond(flag, change, lambda: tf.constant(0.0)), name="result")


@pytest.mark.parametrize("build", [read_twice, read_late, read_in_a_branch])
def test_a_value_that_was_read_before_a_change(here, build):
    assert "identity(v)" in verified(as_in_1(build))


def test_a_value_that_is_taken_before_the_change_is_only_the_variable(here):
    def build():
        v = variable()
        tf.group(v1.assign_add(v, v * 2.0), name="go")

    assert "assign_add(v, v * 2.0)" in verified(as_in_1(build))


def accumulated():
    """Gradients are added up, and a step in a branch applies them. The branch takes the handle of `w`, which stays an
    op, and with it its initializer."""
    x = v1.placeholder(tf.float32, [2, 2], "x")
    w = v1.get_variable("w", initializer=[[1.0], [2.0]], use_resource=True)
    total, count = (v1.get_variable(name, initializer=value, trainable=False, use_resource=True)
                    for name, value in (("total", [[0.0], [0.0]]), ("count", 0)))  # fmt: skip
    (gradient,) = tf.gradients(tf.reduce_mean(tf.square(x @ w), name="loss"), [w])
    with tf.control_dependencies([v1.assign_add(total, gradient)]):
        counted = v1.assign_add(count, 1)

    def step():
        done = v1.train.GradientDescentOptimizer(0.1).apply_gradients([(total.read_value() / 2.0, w)])
        with tf.control_dependencies([done]):
            return tf.group(v1.assign(total, tf.zeros_like(total)))

    tf.cond(tf.equal(counted % 2, 0), step, lambda: tf.no_op(), name="maybe")
    v1.global_variables_initializer()


def test_the_initializer_of_a_variable_that_stays_an_op(here):
    """It is not compared with that of the graph, which initializes all variables."""
    graph = as_in_1(accumulated)
    assert "raw.VarHandleOp" in verified(graph)
    note = "run init once: it does w/Assign; a session initializes the other variables by itself"
    assert note in lift_readable(graph).notes
