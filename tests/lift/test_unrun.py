"""Ops in branches and loops that no run of a graph reaches are left out, with a note."""

import numpy as np
import pytest
from test_conds import as_in_1
from test_inline import verified

from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.tf import tf, v1


def variables():
    values = np.float32([0.5, -0.25, 1.0])
    x = v1.placeholder(tf.float32, [3], "x")
    return x, *(v1.get_variable(name, initializer=values, use_resource=name == "w") for name in ("first", "w"))


def in_a_loop():
    x, first, _ = variables()

    def body(i, y):
        first.assign_add(y, name="unused")
        return i + 1, y * 0.5

    tf.negative(v1.while_loop(lambda i, _: i < 3, body, (0, x))[1], name="result")


def in_branches():
    x, first, w = variables()

    def then():
        first.assign_add(x, name="unused")
        with tf.control_dependencies([w.assign_add(x, name="used")]):
            return x * 2.0

    tf.negative(tf.cond(x[0] > 0.0, then, lambda: x), name="result")


def in_a_branch_of_a_loop():
    x, first, w = variables()

    def unused():
        w.assign(x, name="unused")
        return x

    def body(i, y):
        return i + 1, tf.cond(x[0] > 0.0, unused, lambda: y * first)

    loss = tf.reduce_sum(v1.while_loop(lambda i, _: i < 3, body, (0, x))[1], name="loss")
    v1.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=[first], name="step")


@pytest.mark.parametrize("build", [in_a_loop, in_branches, in_a_branch_of_a_loop])
def test_unrun_ops(here, build):
    graph = as_in_1(build)
    assert any("unused" in name for name in graph.nodes)
    source = verified(graph)
    assert "raw." not in source and source.count("assign") == (build is in_branches)
    (note,) = [one for one in lift_readable(graph).notes if "no run of the graph" in one]
    assert "unused" in note and "used," not in note.replace("unused,", "")


def test_no_gradient_flows_through_an_assignment(here):
    """The branch returns what it assigned, so the step does not train what the assigned value is computed from."""

    def build():
        x, first, w = variables()
        y = tf.cond(x[0] > 0.0, lambda: v1.assign(first, tf.tanh(first) * x), lambda: w * x)
        v1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(y), name="loss"), name="step")

    source = lift_readable(as_in_1(build)).source
    assert "raw." not in source and "assign(first, tanh(first) * x)" in source
    assert source.endswith("optimize loss with gradient_descent(learning_rate=0.1) wrt w as step\n")
