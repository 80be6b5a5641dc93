"""Branches become `if` statements that compute the same, both from Switch and Merge ops and from functions."""

from itertools import product

import numpy as np
import pytest
from conftest import some
from test_inline import saved, verified

import tfdsl
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.sides import IN_BRANCH, IS_FIRST
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source


def as_in_1(build):
    """A graph with control flow as TensorFlow 1 made it: Switch and Merge."""
    v1.disable_control_flow_v2()
    try:
        return saved(build)
    finally:
        v1.enable_control_flow_v2()


def one():
    x, flag = v1.placeholder(tf.float32, [2], "x"), v1.placeholder(tf.bool, [], "flag")
    y = tf.cond(flag, lambda: x * 2.0 + 1.0, lambda: tf.exp(x), name="choice")
    tf.negative(y, name="result")


ONE = """\
placeholder x: float32[2]
placeholder flag: bool[]
if flag:
    choice = x * 2.0 + 1.0
else:
    choice = exp(x)
result = -choice
"""


def several():
    """Several results, a value that is used twice in a branch, and a constant."""
    x = v1.placeholder(tf.float32, [2], "x")

    def then():
        root = tf.sqrt(tf.abs(x))
        return root, root * root, tf.constant(3, tf.int64)

    one, two, three = tf.cond(tf.reduce_sum(x) > 0.0, then, lambda: (x, x - 1.0, tf.constant(4, tf.int64)))
    tf.add(one + two, tf.cast(three, tf.float32), name="result")


SEVERAL = """\
placeholder x: float32[2]
if reduce_sum(x) > 0.0:
    _Sqrt = sqrt(abs(x))
    cond, cond_1, cond_2 = _Sqrt, _Sqrt * _Sqrt, constant(3, dtype=int64)
else:
    cond, cond_1, cond_2 = x, x - 1.0, constant(4, dtype=int64)
result = cond + cond_1 + cast(cond_2, float32)
"""


def nested():
    """An `if` in an `if`."""
    x = v1.placeholder(tf.float32, [], "x")
    tf.cond(x > 0.0, lambda: tf.cond(x > 1.0, lambda: x * 2.0, lambda: x * 3.0), lambda: x - 1.0, name="outer")


def in_a_loop():
    """A loop with branches, and a branch with a loop."""
    x = v1.placeholder(tf.float32, [], "x")

    def body(i, total):
        return i + 1, tf.cond(total > 1.0, lambda: total * 0.5, lambda: total + x)

    _, total = tf.while_loop(lambda i, _: i < 5, body, [0, x])

    def steps():
        return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * x), [0, total])[1]

    tf.identity(tf.cond(total > 0.0, steps, lambda: total), name="result")


def on_one_flag():
    """Two branches in sequence on one condition."""
    x, flag = v1.placeholder(tf.float32, [2], "x"), v1.placeholder(tf.bool, [], "flag")
    first = tf.cond(flag, lambda: x * 2.0, lambda: x + 1.0)
    tf.negative(tf.cond(flag, lambda: first * 3.0, lambda: tf.exp(first)), name="result")


def writes():
    """Branches with effects."""
    flag = v1.placeholder(tf.bool, [], "flag")
    w = v1.get_variable("w", initializer=1.0, use_resource=True)
    done = tf.cond(flag, lambda: tf.group(v1.assign_add(w, 2.0)), lambda: tf.group(v1.assign(w, 7.0)), name="change")
    with tf.control_dependencies([done]):
        tf.no_op(name="step")


def layers():
    """A layer that computes differently in training, with gradients and an optimizer."""
    x, training = v1.placeholder(tf.float32, [None, 3], "x"), v1.placeholder(tf.bool, [], "training")
    w = v1.get_variable("w", [3, 2], initializer=v1.constant_initializer(0.5), use_resource=True)
    y = tf.matmul(x, w)
    y = tf.cond(training, lambda: y - tf.reduce_mean(y, axis=0), lambda: y - 1.0, name="norm")
    v1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(tf.square(y), name="loss"), name="train")


GRAPHS = [one, several, nested, in_a_loop, on_one_flag, writes, layers]
SOURCES = {one: ONE, several: SEVERAL}


@pytest.mark.parametrize(("build", "made"), some(
    product(GRAPHS, (as_in_1, saved)), [*product(GRAPHS[::2], [as_in_1]), *product(GRAPHS[1::2], [saved])]
))  # fmt: skip
def test_branches(here, build, made):
    graph = made(build)
    assert any(node.op == "Switch" for node in graph.nodes.values()) == (made is as_in_1)
    source = verified(graph)
    assert "raw." not in source and "if " in source
    if build in SOURCES:
        assert source == SOURCES[build]


def choices():
    """Several conditions in sequence, with an assertion that one of them holds."""
    x = v1.placeholder(tf.float32, [], "x")
    small, large = (x < 0.0, lambda: x * 2.0), (x > 1.0, lambda: tf.exp(x))
    tf.case([small, large], default=lambda: x + 1.0, exclusive=True, name="choice")


CHOICES = """\
elif Greater:
    cond = exp(x)
else:
    cond = x + 1.0
"""


def asserted():
    """A node that reads a constant and waits for an assertion."""
    x = v1.placeholder(tf.float32, [None], "x")
    with tf.control_dependencies([v1.assert_less(tf.reduce_sum(x), 100.0)]):
        tf.multiply(x, 2.0, name="twice")


@pytest.mark.parametrize("made", [as_in_1, saved])
def test_choices(here, made):
    source = verified(made(choices))
    assert "".join(f"{line.removeprefix('    ' * 2)}\n" for line in source.splitlines()).endswith(CHOICES), source


@pytest.mark.parametrize("made", [as_in_1, saved])
def test_an_assertion_has_no_guard(here, made):
    source = verified(made(asserted))
    assert "if " not in source and source.count("raw.Assert(") == 1
    assert source.endswith("after Assert:\n    twice = x * 2.0\n")


def averaged():
    """A moving average that begins with the value of another variable, which may not be initialized yet."""
    x = v1.placeholder(tf.float32, [None], "x")
    w = v1.get_variable("w", initializer=2.0, use_resource=False)
    step = v1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(tf.square(w * x), name="loss"), name="step")
    with tf.control_dependencies([step]):
        tf.group(v1.train.ExponentialMovingAverage(0.5).apply([w]), name="train")


@pytest.mark.parametrize("made", [as_in_1, saved])
def test_a_variable_that_begins_as_another_one(here, made):
    source = verified(made(averaged))
    assert 'variable w_ExponentialMovingAverage: float32[] = w as "w/ExponentialMovingAverage"\n' in source
    assert "if " not in source and "raw." not in source


def counting():
    """A loop with an effect. Its result is the output of the graph."""
    w = v1.get_variable("w", initializer=1.0, use_resource=False)

    def body(i):
        with tf.control_dependencies([v1.assign_add(w, 1.0)]):
            return i + 1

    tf.while_loop(lambda i: i < 3, body, [0], name="loop")


COUNTING = """\
variable w = 1.0
i = 0
while i < 3:
    AssignAdd = assign_add(w, 1.0)
    after AssignAdd:
        loop_add = i + 1
    i = loop_add
"""


def test_a_loop_with_an_effect(here):
    assert verified(as_in_1(counting)) == COUNTING


def growing():
    """A loop whose variable has a different shape in each iteration."""
    x = v1.placeholder(tf.float32, [1, 3], "x")
    shapes = [tf.TensorShape([]), tf.TensorShape([None, 3])]
    step = lambda i, rows: (i + 1, tf.concat([rows, x], 0))  # noqa: E731
    _, rows = tf.while_loop(lambda i, _: i < 3, step, [0, x], shape_invariants=shapes)
    tf.negative(rows, name="rows")


@pytest.mark.parametrize("made", [as_in_1, saved])
def test_a_loop_whose_shapes_change(here, made):
    graph = made(growing)
    lifted = lift_readable(graph)
    assert "raw.PlaceholderWithDefault(input=x, shape=[none, 3])\n" in lifted.source
    program = tfdsl.compile(lifted.source)
    with program.session() as session:
        assert session.run("rows", feed={"x": [[1, 2, 3]]}).tolist() == [[-1, -2, -3]] * 4


def alike():
    """An output of the graph that has the name which the program would give to another node."""
    x = v1.placeholder(tf.float32, [2, 3], "x")
    with tf.name_scope("part"):
        first = tf.transpose(x)
        tf.transpose(tf.reduce_sum(tf.exp(first) * tf.sqrt(first) + first, axis=0) + first[0, 0])
        tf.negative(first), tf.abs(first)


def test_names_of_ends_are_not_given_to_other_nodes(here):
    source = verified(saved(alike))
    assert "transpose_2 = transpose(x" in source and "transpose_1 = transpose(add_1" in source


def recurrent():
    """A loop that collects values for its gradients."""
    x = v1.placeholder(tf.float32, [2], "x")
    w = v1.get_variable("w", initializer=[0.5, -0.25], use_resource=True)
    _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.tanh(y * w)), [0, x])
    y = tf.cond(tf.reduce_sum(y) > 0.0, lambda: y * w, lambda: tf.exp(y) * w)
    v1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(y), name="loss"), name="train")


@pytest.mark.parametrize("made", [as_in_1, saved])
def test_gradients_of_loops_and_branches(here, made):
    source = verified(made(recurrent))
    assert "raw." not in source and "tanh(state * w)" in source
    assert source.endswith("optimize loss with gradient_descent(learning_rate=0.1) as train\n")


def numbered():
    """A choice by a number; other numbers choose the last branch."""
    x, i = v1.placeholder(tf.float32, [2], "x"), v1.placeholder(tf.int32, [], "i")
    y = tf.switch_case(i, [lambda: x + 1.0, lambda: x * 2.0, lambda: tf.exp(x)], name="choice")
    tf.negative(y, name="result")


NUMBERED = """\
placeholder x: float32[2]
placeholder i: int32[]
if i == 0:
    indexed_case = x + 1.0
elif i == 1:
    indexed_case = x * 2.0
else:
    indexed_case = exp(x)
result = -indexed_case
"""


def test_a_choice_by_number(here):
    assert verified(saved(numbered)) == NUMBERED
    with tfdsl.compile(NUMBERED).session() as session:
        found = [session.run("result", feed={"x": [0, 1], "i": i})[0].item() for i in (0, 1, 2, 7, -1)]
    assert found == [-1.0, 0.0, -1.0, -1.0, -1.0]


def test_a_choice_in_training(here):
    def build():
        x, i = v1.placeholder(tf.float32, [2], "x"), v1.placeholder(tf.int32, [], "i")
        w = v1.get_variable("w", initializer=[0.5, 2.0], use_resource=True)
        y = tf.switch_case(i, [lambda: x * w, lambda: tf.exp(w), lambda: tf.square(w - x)])
        v1.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(y, name="loss"), name="train")

    source = verified(saved(build))
    assert "elif i == 1:\n" in source and "raw." not in source
    assert source.endswith("optimize loss with gradient_descent(learning_rate=0.1) as train\n")


def test_a_choice_of_effects(here):
    def build():
        w, i = v1.get_variable("w", initializer=1.0, use_resource=True), v1.placeholder(tf.int32, [], "i")
        tf.identity(
            tf.switch_case(i, [lambda: w.assign_add(2.0).read_value(), lambda: w.assign(7.0).read_value()]), name="now"
        )

    source = verified(saved(build))
    assert "raw." not in source
    with tfdsl.compile(source).session() as session:
        found = [session.run("now", feed={"i": i}).item() for i in (0, 0, 1, 0)]
    assert found == [3.0, 5.0, 7.0, 9.0]


def rows_that_grow():
    """A variable whose shape changes in a branch, as the centers of k-means do while they are chosen."""
    rows = v1.placeholder(tf.float32, [None, 2], "rows")
    centers = v1.get_variable(
        "centers", initializer=np.ones([1, 2], np.float32), validate_shape=False, use_resource=False
    )
    missing = tf.subtract(3, tf.shape(centers)[0], name="missing")

    def add():
        more = tf.concat([centers, rows[:missing]], 0)
        return tf.shape(v1.assign(centers, more, validate_shape=False))[0]

    v1.cond(missing > 0, add, lambda: missing, name="count")
    tf.reduce_sum(rows, name="total")


def test_a_branch_that_changes_a_variable_of_ops_stays():
    graph = as_in_1(rows_that_grow)
    lifted = lift_readable(graph)
    assert "# stays as it was: the shape of centers changes\n" in lifted.source and "if " not in lifted.source
    assert "raw.RefSwitch(data=centers" in lifted.source and "\ntotal = reduce_sum(rows)\n" in lifted.source
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs())
    report = Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()
    assert report.is_same and report.updates == 2 and report.unequal == [] and {*report.left_out} <= {IN_BRANCH}


def test_what_a_branch_waits_for_has_a_name():
    """It is computed before the branch, and not where it is used."""

    def build():
        w = v1.get_variable("w", initializer=[1.0, 2.0], use_resource=False)
        x = v1.placeholder(tf.float32, [2], "x")
        before = tf.reduce_sum(w)

        def change():
            with tf.control_dependencies([before]):
                return v1.assign_add(w, x) * 1.0

        chosen = v1.cond(tf.reduce_sum(x) > 0.0, change, lambda: x, name="choice")
        tf.multiply(before, chosen, name="result")

    source = verified(as_in_1(build))
    assert source.index("Sum = reduce_sum(w)\n") < source.index("    after Sum:\n") < source.index("result = Sum * ")


def on_a_constant():
    """A `tf.case` over a constant, as `tf.image.rot90` makes it."""
    x = v1.placeholder(tf.float32, [2, 3, 1], "x")
    tf.identity(tf.image.rot90(x), "y")


def nested_on_constants():
    """A branch on a constant in another one, whose constants wait for the branch, and one on an input around both."""
    x, flag, two = v1.placeholder(tf.float32, [3], "x"), v1.placeholder(tf.bool, [], "flag"), tf.constant(2)

    def inner():
        return tf.cond(tf.equal(two, 3), lambda: x, lambda: x * 2.0)

    y = tf.cond(flag, lambda: tf.cond(tf.equal(two, 2), inner, lambda: x - 1.0), lambda: -x, name="choice")
    tf.identity(y + 1.0, "y")


@pytest.mark.parametrize(
    ("build", "made"),
    [
        (on_a_constant, "y = transpose(reverse(x, [1]), perm=[1, 0, 2])\n"),
        (nested_on_constants, "if flag:\n    choice = x * 2.0\nelse:\n    choice = -x\ny = choice + 1.0\n"),
    ],
)
def test_conditions_on_constants(here, build, made):
    """Only the branch that runs is left."""
    assert verified(as_in_1(build)).endswith(made)


def test_the_initial_value_of_a_moving_average(here):
    """TensorFlow takes the random initial value of the variable in a branch, which the program does not have."""

    def build():
        w = v1.get_variable("w", [2], initializer=v1.random_normal_initializer(seed=1), use_resource=True)
        first = v1.cond(v1.is_variable_initialized(w), w.read_value, lambda: w.initial_value)
        v1.Variable(first, name="average", use_resource=True)

    graph = as_in_1(build)
    lifted = lift_readable(graph)
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs())
    report = Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()
    assert report.is_same and report.left_out.keys() == {IS_FIRST}
