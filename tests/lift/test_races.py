"""Steps of TensorFlow 1 that change a variable while other ops of the step still read it."""

import numpy as np
import pytest
from test_conds import as_in_1
from test_inline import saved
from test_verify import compared

from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.races import Race, races, settle
from tfdsl.lift.read import graph_def_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.sides import Side
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source

X, A, B = np.array([[1.0, 2.0]]), np.array([[0.5], [-0.25]]), np.array([[3.0]])
UPDATE = "GradientDescent/update_b/ApplyGradientDescent"


def product(use_resource):
    x = v1.placeholder(tf.float32, [None, 2], "x")
    a = v1.get_variable("a", initializer=tf.constant(A, tf.float32), use_resource=use_resource)
    b = v1.get_variable("b", initializer=tf.constant(B, tf.float32), use_resource=use_resource)
    return tf.reduce_sum((x @ a) @ b), a, b


def ungated(use_resource=False):
    """`tf.gradients` does not wait until both gradients of a product are known."""
    loss, *variables = product(use_resource)
    gradients = tf.gradients(loss, variables)
    v1.train.GradientDescentOptimizer(0.1).apply_gradients(zip(gradients, variables))


def gated():
    loss, _, _ = product(use_resource=False)
    v1.train.GradientDescentOptimizer(0.1).minimize(loss)


def looped():
    """The variable is read in a loop."""
    x = v1.placeholder(tf.float32, [2], "x")
    b, c = (v1.get_variable(name, initializer=[3.0, 4.0], use_resource=False) for name in "bc")
    _, total = v1.while_loop(lambda i, _: i < 3, lambda i, state: (i + 1, state * b), [0, x])
    v1.train.GradientDescentOptimizer(0.1).apply_gradients([(tf.ones([2]), b), (total, c)])


def recurrent(trains_state):
    """A loop whose gradients read the weights. The last of them is the gradient of the first state."""

    def build():
        w, s = (v1.get_variable(name, initializer=value, use_resource=False) for name, value in
                (("w", [[0.5, 0.1], [0.2, 0.3]]), ("s", [[1.0, 2.0]])))  # fmt: skip
        _, last = v1.while_loop(lambda i, _: i < 3, lambda i, state: (i + 1, tf.tanh(state @ w)), [0, s])
        trained = [w, s] if trains_state else [w]
        gradients = tf.gradients(tf.reduce_sum(last), trained)
        v1.train.GradientDescentOptimizer(0.1).apply_gradients(zip(gradients, trained))

    return build


@pytest.mark.parametrize("trains_state", [False, True])
def test_a_loop_whose_last_gradient_nobody_needs_has_no_race(trains_state):
    found = {str(one).partition(" ")[0] for one in races(as_in_1(recurrent(trains_state)))}
    assert found == ({"GradientDescent/update_w/ApplyGradientDescent"} if trains_state else set())


def test_what_is_found():
    assert races(saved(ungated)) == [Race(UPDATE, "b", "gradients/matmul_1_grad/MatMul")]
    assert str(races(saved(ungated))[0]) == (
        f"{UPDATE} can change b before or after gradients/matmul_1_grad/MatMul reads it"
    )
    assert races(saved(gated)) == races(saved(lambda: ungated(use_resource=True))) == []


def test_the_gradient_is_computed_first():
    graph = saved(ungated)
    definition = graph_def_of(graph)
    settle(definition, races(graph))
    with tf.Graph().as_default() as made, v1.Session() as session:
        v1.import_graph_def(definition, name="")
        session.run(["a/Assign", "b/Assign"])
        session.run("GradientDescent", {"x:0": X})
        a, b = session.run(["a/read:0", "b/read:0"])
    assert made.get_operation_by_name(UPDATE).control_inputs
    np.testing.assert_allclose(a, A - 0.1 * X.T @ B.T, rtol=1e-6)
    np.testing.assert_allclose(b, B - 0.1 * (X @ A).T, rtol=1e-6)


@pytest.mark.parametrize("build", [ungated, gated, looped])
def test_the_same_bits(here, build):
    report = compared(imported(as_in_1(build)))
    assert report.is_same and report.unequal == [] and report.updates > 0
    assert bool(report.races) == (build is not gated)


def imported(graph):
    with tf.Graph().as_default() as made:
        v1.import_graph_def(graph_def_of(graph), name="")
    return made


def test_slots_are_not_negative(here, monkeypatch):
    """Adam takes the root of one of its slots, which would be no number."""

    def build():
        w = v1.get_variable("w", [40], initializer=v1.zeros_initializer())
        v1.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(tf.square(w - 1.0)))

    found, values = [], Side.values

    def noted(side, names):
        found.extend(made := values(side, names))
        return made

    monkeypatch.setattr(Side, "values", noted)
    assert compared(imported(saved(build))).is_same
    assert len(found) > 4 and all(np.isfinite(one).all() for one in found)


def test_a_step_that_stays_waits_for_what_reads_its_variables(here):
    """In the graph, both updates wait for both gradients of the product, through the ops that pass the gradients on."""

    def build():
        ids = v1.placeholder(tf.int32, [4], "ids")
        table = v1.get_variable("table", initializer=tf.ones([5, 3]), use_resource=False)
        w = v1.get_variable("w", initializer=tf.ones([3, 1]), use_resource=False)
        loss = tf.reduce_mean(tf.square(tf.gather(table, ids) @ w), name="loss")
        optimizer = v1.train.AdamOptimizer(0.1)
        pairs = [(tf.convert_to_tensor(one) * 0.5, of) for one, of in optimizer.compute_gradients(loss)]
        optimizer.apply_gradients(pairs)

    source = lift_readable(as_in_1(build)).source
    graph = compile_source(Source("lifted.tfg", source), CompileInputs()).built().graph
    update = graph.get_operation_by_name("Adam/update_w/ApplyAdam")
    assert [one.get_attr("grad_a") for one in update.control_inputs] == [True]
