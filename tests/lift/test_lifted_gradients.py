"""Gradients and orders that `optimize` cannot express do not become `optimize`. Each graph and its program also run."""

import numpy as np
import pytest
import tensorflow as tf
from test_inline import saved, verified

from tfdsl.driver import compile_source
from tfdsl.lift.read import graph_of, read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.source import Source

v1 = tf.compat.v1


def variables():
    x = v1.placeholder(tf.float32, [None, 2], "x")
    a = v1.get_variable("a", initializer=[[1.0], [2.0]], use_resource=False)
    b = v1.get_variable("b", initializer=[[3.0], [4.0]], use_resource=False)
    return x, a, b


def two_losses():
    x, a, _ = variables()
    losses = [tf.reduce_mean(x @ a), tf.reduce_mean(tf.square(x @ a))]
    apply(zip(tf.gradients(losses, [a]), [a]))


def stopped():
    x, a, _ = variables()
    inner = tf.square(a, name="inner")
    loss = tf.reduce_mean(x @ (inner * a))
    apply(zip(tf.gradients(loss, [a], stop_gradients=[inner]), [a]))


def reversed_gradient():
    x, a, _ = variables()
    if "Turned" not in SEEN:
        tf.RegisterGradient("Turned")(lambda op, grad: -grad)
    SEEN.add("Turned")
    with v1.get_default_graph().gradient_override_map({"Identity": "Turned"}):
        turned = tf.identity(a, name="turned")
    minimize(tf.reduce_mean(x @ turned))


SEEN: set[str] = set()


def own_gradient():
    x, a, _ = variables()
    scaled = tf.custom_gradient(lambda value: (value * 2.0, lambda grad: grad * 5.0))(tf.convert_to_tensor(a))
    minimize(tf.reduce_mean(x @ scaled))


def swapped():
    x, a, b = variables()
    first, second = tf.gradients(tf.reduce_mean(tf.square(x @ a) * tf.square(x @ b)), [a, b])
    apply([(first, b), (second, a)])


def others():
    """The gradients of one network update another one, as in asynchronous actor-critic methods."""
    x, a, b = variables()
    apply(zip(tf.gradients(tf.reduce_mean(tf.square(x @ a)), [a]), [b]))


def second_of_two():
    x, a, _ = variables()
    _, loss = tf.unstack(tf.reduce_mean(tf.stack([x @ a, tf.square(x @ a)]), axis=[1, 2]))
    minimize(loss)


def twice():
    x, a, _ = variables()
    loss = tf.reduce_mean(tf.square(x @ a))
    optimizer = v1.train.AdamOptimizer(0.1)
    optimizer.minimize(loss, var_list=[a], name="train")
    optimizer.minimize(loss * 2.0, var_list=[a], name="more")


def by_rows():
    """The gradients of rows are multiplied, for which a program has no words."""
    table = v1.get_variable("table", initializer=np.ones([4, 2], np.float32), use_resource=False)
    w = v1.get_variable(
        "w", initializer=[[1.0], [2.0]], use_resource=True
    )  # the gradient of table reads it beside its write
    loss = tf.reduce_mean(tf.square(tf.nn.embedding_lookup(table, v1.placeholder(tf.int32, [None], "x")) @ w))
    rows, whole = tf.gradients(loss, [table, w])
    halved = tf.IndexedSlices(rows.values * 0.5, rows.indices, rows.dense_shape)
    v1.train.GradientDescentOptimizer(0.1).apply_gradients([(halved, table), (whole, w)], name="train")


def as_a_value():
    """The gradient of a loss is also a result, so its op has two results."""
    x, y = v1.placeholder(tf.float32, [None, 2], "x"), v1.placeholder(tf.int32, [None], "y")
    for name, loss in (("sparse", tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x * 3.0)),
                       ("dense", tf.nn.softmax_cross_entropy_with_logits(labels=x, logits=x * 3.0))):  # fmt: skip
        tf.multiply(tf.gradients(loss, [x])[0], 2.0, name=name)


def test_gradients_that_are_results(here):
    source = verified(saved(as_a_value))
    assert "raw.SparseSoftmaxCrossEntropyWithLogits(" in source and "raw.SoftmaxCrossEntropyWithLogits(" in source


def apply(pairs):
    v1.train.GradientDescentOptimizer(0.1).apply_gradients(list(pairs), name="train")


def minimize(loss):
    v1.train.GradientDescentOptimizer(0.1).minimize(loss, name="train")


UNLIKE = [two_losses, stopped, reversed_gradient, own_gradient, swapped, others, second_of_two, twice, by_rows]


def graph(build):
    with tf.Graph().as_default() as made:
        build()
        return made, lift_readable(graph_of(v1.train.export_meta_graph()))


def stepped(made, fed):
    """The variables after a step."""
    with v1.Session(graph=made) as session:
        variables = [one.name for one in made.get_operations() if one.type in ("VariableV2", "VarHandleOp")]
        session.run([f"{name}/Assign" for name in variables])
        session.run("train", {"x:0": fed})
        return {name: session.run(reading(made, name)) for name in variables if "/" not in name and "_" not in name}


def reading(made, name):
    """The value of a variable."""
    variable = made.get_operation_by_name(name)
    with made.as_default():
        is_reference = variable.type == "VariableV2"
        return (
            f"{name}/read:0"
            if is_reference
            else v1.raw_ops.ReadVariableOp(resource=variable.outputs[0], dtype=tf.float32)
        )


@pytest.mark.parametrize("build", UNLIKE)
def test_other_gradients_are_no_optimize(build):
    made, lifted = graph(build)
    assert "optimize" not in lifted.source and not any("written node for node" in note for note in lifted.notes)
    assert "# stays as it was: " in lifted.source
    fed = [0, 2] if build is by_rows else [[1.0, 2.0], [3.0, -1.0]]
    program = compile_source(Source("lifted.tfg", lifted.source)).built().graph
    expected, found = stepped(made, fed), stepped(program, fed)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)


def test_a_read_stays_before_the_write_that_waits_for_it():
    def order():
        v = v1.get_variable("v", initializer=[1.0, 1.0], use_resource=True)
        y = tf.multiply(v.read_value(), 2.0, name="y")
        with tf.control_dependencies([y]):
            written = tf.raw_ops.AssignAddVariableOp(resource=v.handle, value=[1.0, 1.0])
        with tf.control_dependencies([written]):
            tf.add(y, v.read_value() * 3.0, name="s")

    made, lifted = graph(order)
    program = compile_source(Source("lifted.tfg", lifted.source)).built().graph
    for one in (made, program):
        with v1.Session(graph=one) as session:
            session.run("v/Assign")
            np.testing.assert_array_equal(session.run("s:0"), [8.0, 8.0])


def test_values_that_only_leftovers_look_at_are_results():
    def leftovers():
        x = v1.placeholder(tf.float32, [None, 3], "x")
        tf.shape(tf.nn.softmax(x, name="probs"))
        tf.size(tf.identity(tf.nn.relu(x, name="r"), name="i"))

    assert graph(leftovers)[1].source.splitlines()[1:] == [
        "placeholder x: float32[?, 3]", 'probs = softmax(x) as "probs"', "r = relu(x)",
    ]  # fmt: skip


def test_windows_of_pictures_with_channels_first():
    def windows():
        x = v1.placeholder(tf.float32, [1, 3, 8, 8], "x")
        v1.nn.max_pool(x, [1, 1, 2, 1], [1, 1, 2, 1], "SAME", data_format="NCHW", name="m")

    assert "ksize=[1, 1, 2, 1], strides=[1, 1, 2, 1]" in graph(windows)[1].source


def test_shapes_with_new_axes_and_large_fills():
    def shapes():
        x = v1.placeholder(tf.float32, [2, 3], "x")
        tf.identity(tf.shape(x)[tf.newaxis, :] * 2, name="a")
        tf.identity(tf.shape(x)[..., 0] * 2, name="b")
        tf.identity(tf.fill([10**7, 10**7], 3)[0, 0] * 2, name="c")

    source = graph(shapes)[1].source
    assert (
        "a = identity([[4, 6]])" in source and "b = identity(4)" in source and "fill([10000000, 10000000], 3)" in source
    )


def test_an_update_is_no_initial_value(tmp_path):
    with tf.Graph().as_default() as made:
        v = v1.Variable([1.0, 2.0], name="v", use_resource=False)
        v1.assign(v, v * 2.0 + 1.0, name="o")
    (tmp_path / "graph.pb").write_bytes(made.as_graph_def().SerializeToString())
    lifted = lift_readable(read_graph(str(tmp_path / "graph.pb"), ["o"]))
    assert "variable v: float32[2] = 0" in lifted.source and "v * 2.0 + 1.0" in lifted.source
