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
