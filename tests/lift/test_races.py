"""Executions of graphs of TensorFlow 1 in which ops read and change a variable in any order."""

import numpy as np
import pytest
from test_conds import as_in_1
from test_inline import saved
from test_verify import compared

from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.races import Race, Races, settle
from tfdsl.lift.read import graph_def_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.sides import OPEN_ORDER, Side
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.order import Orders
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


def races(graph, root="GradientDescent"):
    definition = graph_def_of(graph)
    return Races(graph, Orders(definition, ()).accessed).of([root])


@pytest.mark.parametrize("trains_state", [False, True])
def test_a_loop_whose_last_gradient_nobody_needs_has_no_race(trains_state):
    found = {str(one).partition(" ")[0] for one in races(as_in_1(recurrent(trains_state)))}
    assert found == ({"GradientDescent/update_w/ApplyGradientDescent"} if trains_state else set())


def test_what_is_found():
    gradient = "gradients/matmul_1_grad/MatMul"
    assert races(saved(ungated)) == [Race(UPDATE, "b", gradient, edge=(gradient, UPDATE))]
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


# --- groups of steps and other changes ----------------------------------------------------------


def three(use_resource):
    """A placeholder, two variables, and a step of the first one."""
    x = v1.placeholder(tf.float32, [3], "x")
    w, h = (v1.get_variable(name, initializer=value, use_resource=use_resource) for name, value in
            (("w", [1.0, 2.0, 3.0]), ("h", [3.0, 2.0, 1.0])))  # fmt: skip
    return x, w, h, v1.train.RMSPropOptimizer(0.1).minimize(tf.reduce_sum((x * w) ** 2.0), name="step")


def averaged(x, w, h, step):
    return step, v1.train.ExponentialMovingAverage(0.9).apply([w])


def clipped(x, w, h, step):
    return step, v1.assign(w, tf.clip_by_value(w, -0.5, 0.5))


def counted(x, w, h, step):
    """The rate of a step that reads what another op counts."""
    s = v1.get_variable("s", initializer=0.0, use_resource=w.op.type == "VarHandleOp")
    count = v1.assign_add(s, 1.0)
    return v1.train.GradientDescentOptimizer(0.1 / (s + 1.0)).minimize(tf.reduce_sum(h**2.0)), count


def swapped(x, w, h, step):
    return v1.assign(w, h), v1.assign(h, w)


def twice(x, w, h, step):
    return step, v1.train.GradientDescentOptimizer(0.2).minimize(tf.reduce_sum((x * w - h) ** 2.0))


def in_parts(x, w, h, step):
    """Two readings of a variable that a program takes at different times, and the graph at one."""
    row = tf.reshape(w, [3, 1])
    loss = tf.reduce_sum((tf.reshape(x, [1, 3]) @ row) ** 2.0)
    again = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    return again, v1.assign(h, tf.concat([w[:1], tf.squeeze(row)[1:]], 0))


def read_in_a_loop(x, w, h, step):
    _, total = v1.while_loop(lambda i, _: i < 3, lambda i, s: (i + 1, s * w), [0, x])
    return v1.assign(h, total), step


def changed_in_a_loop(x, w, h, step):
    def body(i):
        with tf.control_dependencies([v1.assign_add(w, x)]):
            return i + 1

    return v1.while_loop(lambda i: i < 3, body, [0]), v1.assign(h, w * 2.0)


def read_in_a_branch(x, w, h, step):
    return v1.assign(h, v1.cond(tf.reduce_sum(x) > 0, lambda: w * 2.0, lambda: x)), step


def changed_in_branches(x, w, h, step):
    changed = v1.cond(tf.reduce_sum(x) > 0, lambda: tf.group(v1.assign_add(w, x)), lambda: tf.group(v1.assign(w, x)))
    return changed, v1.assign(w, w * 3.0)


GROUPS = [averaged, clipped, counted, swapped, twice, in_parts, read_in_a_loop, changed_in_a_loop, read_in_a_branch,
          changed_in_branches]  # fmt: skip


def group(make, use_resource):
    return as_in_1(lambda: tf.group(*make(*three(use_resource)), name="both"))


def verified(graph, change=lambda source: source):
    lifted = lift_readable(graph)
    compiled = compile_source(Source("lifted.tfg", change(lifted.source)), CompileInputs())
    return Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("make", GROUPS)
def test_the_order_of_the_program_is_one_of_those_of_the_graph(make, use_resource):
    report = verified(group(make, use_resource))
    assert report.is_same and report.unequal == [] and report.races and not report.left_out


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize(
    ("make", "old", "new"),
    [(averaged, "0.9)", "0.8)"), (clipped, "0.5)", "0.25)"), (in_parts, "squeeze(", "-squeeze(")],
)
def test_another_program_differs_in_each_order(make, old, new, use_resource):
    report = verified(group(make, use_resource), lambda source: source.replace(old, new))
    assert any(" after both" in one.name for one in report.unequal) and not report.is_same


@pytest.mark.parametrize(("is_ordered", "parallel"), [(False, 1), (True, 10), (True, 1)])
def test_a_loop_that_changes_what_it_reads(is_ordered, parallel):
    """What an iteration reads can be changed in the same iteration, or in the next one if this does not wait."""

    def build():
        x, w, h, _ = three(use_resource=False)

        def body(i, total):
            before = total + w if not is_ordered else total
            with tf.control_dependencies([v1.assign_add(w, x)]):
                return i + 1, total + w if is_ordered else before

        _, total = v1.while_loop(lambda i, _: i < 3, body, [0, x], parallel_iterations=parallel)
        v1.assign(h, total, name="both")

    report = verified(as_in_1(build))
    is_open = not is_ordered or parallel > 1
    assert report.is_same and bool(report.races) == is_open
    assert set(report.left_out.get(OPEN_ORDER, ())) == ({"both", "while/Exit_1"} if is_open else set())


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
        x = v1.placeholder(tf.float32, [4, 5], "x")
        table = v1.get_variable("table", initializer=tf.ones([5, 3]), use_resource=False)
        w = v1.get_variable("w", initializer=tf.ones([3, 1]), use_resource=False)
        loss = tf.reduce_mean(tf.square((x @ table) @ w), name="loss")
        v1.train.AdamOptimizer(0.1).minimize(loss, grad_loss=tf.constant(3.0))  # which is no `optimize`

    source = lift_readable(as_in_1(build)).source
    graph = compile_source(Source("lifted.tfg", source), CompileInputs()).built().graph
    update = graph.get_operation_by_name("Adam/update_w/ApplyAdam")
    assert [one.get_attr("grad_a") for one in update.control_inputs] == [True]
