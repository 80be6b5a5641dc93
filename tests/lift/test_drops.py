"""`tfdsl lift --drop`: a graph for training becomes one for serving."""

import numpy as np
import pytest

import tfdsl
from tfdsl.cli import main
from tfdsl.lift.options import DROPS, LiftOptions
from tfdsl.lift.read import graph_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.tf import tf, v1


def network():
    """A layer with dropout, an assertion, a summary and an optimizer."""
    x, y = v1.placeholder(tf.float32, [None, 3], "x"), v1.placeholder(tf.float32, [None, 2], "y")
    keep = v1.placeholder(tf.float32, [], "keep")
    w = v1.get_variable("w", [3, 2], initializer=v1.constant_initializer(0.5), use_resource=False)
    with tf.control_dependencies([v1.Assert(keep > 0.0, [keep], name="positive")]):
        hidden = tf.identity(tf.nn.relu(x @ w))
    with v1.name_scope("dropout"):
        mask = tf.floor(keep + v1.random_uniform(tf.shape(hidden), seed=3))
        dropped = tf.multiply(hidden / keep, mask)
    result = tf.nn.softmax(dropped, name="result")
    tf.argmax(result, 1, name="best")
    loss = tf.reduce_mean(tf.square(result - y), name="loss")
    v1.summary.scalar("loss_1", loss)
    v1.train.AdamOptimizer(0.1).minimize(loss, global_step=v1.train.get_or_create_global_step())


def lifted(build, *drop):
    with tf.Graph().as_default() as graph:
        build()
        meta = v1.train.export_meta_graph()
    source = lift_readable(graph_of(meta), options=LiftOptions(drop=frozenset(drop))).source
    return graph, "".join(f"{line}\n" for line in source.splitlines() if line and line[0] != "#")


SERVED = """\
placeholder x: float32[?, 3]
variable w: float32[3, 2] = 0.5
result = softmax(relu(x @ w))
best = argmax(result, axis=1) as "best"
placeholder y: float32[?, 2]
loss = reduce_mean(square(result - y))
"""


def test_everything(here):
    graph, source = lifted(network, *DROPS)
    assert source == SERVED
    rows = np.array([[1.0, 2.0, -3.0]], np.float32)
    with v1.Session(graph=graph) as session, tfdsl.compile(source).session() as other:
        session.run("w/Assign")
        given = {"x:0": rows, "keep:0": 1.0}
        np.testing.assert_array_equal(other.run("result", feed={"x": rows}), session.run("result:0", given))


@pytest.mark.parametrize(
    ("part", "gone"),
    [("assert", "Assert"), ("summaries", "summary "), ("training", "optimize "), ("dropout", "random_uniform")],
)
def test_each_part(part, gone):
    whole, source = lifted(network)[1], lifted(network, part)[1]
    assert gone in whole and gone not in source
    others = {"Assert", "summary ", "optimize ", "random_uniform"} - {gone}
    assert all(other in source for other in others)
    tfdsl.compile(source)


def switched():
    """A dropout that a placeholder switches on, as in the layers of TensorFlow 1."""
    x, training = v1.placeholder(tf.float32, [None, 3], "x"), v1.placeholder(tf.bool, [], "training")
    v1.disable_control_flow_v2()
    try:
        made = v1.cond(training, lambda: tf.nn.dropout(x, rate=0.4), lambda: tf.identity(x))
    finally:
        v1.enable_control_flow_v2()
    tf.multiply(made, 2.0, name="twice")


def test_a_dropout_that_is_switched_on():
    assert lifted(switched, "dropout")[1] == "placeholder x: float32[?, 3]\ntwice = x * 2.0\n"


def test_wrong_use(here, capsys):
    with pytest.raises(SystemExit):
        main(["lift", "graph.pb", "--drop", "dropouts"])
    assert "'dropouts' is not one of dropout, training, assert, summaries" in capsys.readouterr().err
    assert main(["lift", "graph.pb", "--drop", "training", "--exact"]) == 2


def measured():
    """A moving average that the step waits for, a measure that only a summary reads, and a shape that nothing reads."""
    x = v1.placeholder(tf.float32, [None, 2], "x")
    mean = v1.get_variable("mean", initializer=[0.0, 1.0], trainable=False, use_resource=True)
    w = v1.get_variable("w", initializer=[[1.0], [2.0]], use_resource=True)
    result = tf.matmul(x - mean, w, name="result")
    tf.shape(result, name="unread")
    loss = tf.reduce_mean(tf.square(result), name="loss")
    v1.summary.scalar("largest_1", tf.reduce_max(result, name="largest"))
    v1.summary.histogram("results", tf.abs(result))
    update = v1.assign_sub(mean, (mean - tf.reduce_mean(x, axis=0)) * 0.25, name="update")
    with tf.control_dependencies([update]):
        v1.train.GradientDescentOptimizer(0.1).minimize(loss)


MEASURED = """\
placeholder x: float32[?, 2]
variable mean = [0.0, 1.0], trainable=false
variable w = [[1.0], [2.0]]
result = (x - mean) @ w
loss = reduce_mean(square(result)) as "loss"
largest = reduce_max(result)
"""


def test_updates_and_measures(here):
    """The update belongs to the training, and the measure is a result."""
    graph, source = lifted(measured, *DROPS)
    assert source == MEASURED
    notes = lift_readable(graph_of(graph.as_graph_def()), options=LiftOptions(drop=frozenset(["training"]))).notes
    assert "left out: AssignSubVariableOp, which changes variables in a step of training" in notes
    assert "\nlargest = reduce_max(result)" in lifted(measured, "summaries")[1]


def test_the_identity_of_a_condition_that_nothing_reads(here):
    def build():
        x, flag = v1.placeholder(tf.float32, [], "x"), v1.placeholder(tf.bool, [], "flag")
        v1.disable_control_flow_v2()
        try:
            momentum = v1.cond(flag, lambda: tf.constant(0.5), lambda: tf.constant(1.0), name="momentum")
        finally:
            v1.enable_control_flow_v2()
        tf.multiply(momentum, x, name="result")

    assert "pred_id" not in lifted(build)[1]
