"""Lifted programs are short: repeated scopes, loops over elements, initializers, and known values are folded."""

import os
import statistics
from pathlib import Path

import numpy as np
import pytest

from tfdsl.access import Access
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.read import graph_of, read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source


def layers():
    """Three layers of one kind, the last with more units."""
    x = v1.placeholder(tf.float32, [None, 4], "x")
    for name, units in (("dense", 4), ("dense_1", 4), ("dense_2", 7)):
        with v1.variable_scope(name):
            initializer = v1.glorot_uniform_initializer()
            kernel = v1.get_variable("kernel", [4, units], initializer=initializer, use_resource=False)
            bias = v1.get_variable("bias", [units], initializer=v1.zeros_initializer(), use_resource=False)
            z = tf.nn.bias_add(tf.matmul(x, kernel), bias)
            x = tf.maximum(0.1 * z, z)
    tf.reduce_sum(x, name="total")


LAYERS = """\
def dense(x, n):
    variable kernel: float32[4, n] = glorot_uniform
    variable bias: float32[n] = zeros
    BiasAdd = bias_add(x @ kernel, bias)
    return maximum(0.1 * BiasAdd, BiasAdd)

placeholder x: float32[?, 4]
dense_1 = dense(x, n=4) as dense
dense_1_1 = dense(dense_1, n=4) as dense_1
dense_2 = dense(dense_1_1, n=7) as dense_2
total = reduce_sum(dense_2)
"""


def towers():
    """Two scopes that contain scopes of the same names and are trained separately."""
    for tower in ("left", "right"):
        with v1.variable_scope(tower):
            x = v1.placeholder(tf.float32, [2, 3], "x")
            with v1.variable_scope("layer"):
                w = v1.get_variable("w", [3, 3], initializer=v1.ones_initializer(), use_resource=False)
                b = v1.get_variable("b", [3], initializer=v1.zeros_initializer(), use_resource=False)
                loss = tf.reduce_sum(tf.square(tf.matmul(x, w) + b))
            own = v1.get_collection("trainable_variables", scope=tower)
            v1.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=own, name="step")


TOWERS = """\
def layer(x):
    variable w: float32[3, 3] = 1.0
    variable b: float32[3] = zeros
    return reduce_sum(square(x @ w + b))

scope left:
    placeholder x: float32[2, 3]
    layer_1 = layer(x) as layer
    optimize layer_1 with gradient_descent(learning_rate=0.1) wrt left as step
scope right:
    placeholder x: float32[2, 3]
    layer_1 = layer(x) as layer
    optimize layer_1 with gradient_descent(learning_rate=0.1) wrt right as step
"""


def weights():
    """A frozen network with constants named after the layers that read them."""
    x = v1.placeholder(tf.float32, [None, 5], "x")
    for name in ("first", "second", "third"):
        with v1.name_scope(name):
            kernel = tf.constant(np.linspace(-1, 1, 25, dtype=np.float32).reshape(5, 5) + len(name), name="kernel")
            bias = tf.constant(np.linspace(0, 1, 5, dtype=np.float32) / 3 + len(name), name="bias")
            x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, kernel), bias))
    tf.reduce_sum(x, name="total")


def recurrent():
    """A loop of TensorFlow 1 that reads a tensor element by element through tensor arrays."""
    x = v1.placeholder(tf.float32, [4, 2, 3], "x")
    v1.disable_control_flow_v2()
    try:
        taken = tf.TensorArray(tf.float32, size=4).unstack(x)

        def body(i, state, made):
            state = tf.tanh(taken.read(i) + 0.5 * state)
            return i + 1, state, made.write(i, state)

        start = (0, tf.zeros([2, 3]), tf.TensorArray(tf.float32, size=4))
        _, last, made = v1.while_loop(lambda i, *_: i < 4, body, start)
        tf.reduce_sum(made.stack(), name="total")
        tf.reduce_sum(last, name="end")
    finally:
        v1.enable_control_flow_v2()


RECURRENT = """\
placeholder x: float32[4, 2, 3]
def step(state, x_1):
    return tanh(x_1 + 0.5 * state)
outputs = scan(step, x, constant(0.0, shape=[2, 3]))
total = reduce_sum(outputs, axis=[0, 1, 2]) as "total"
end = reduce_sum(outputs[-1], axis=[0, 1])
"""


def folded():
    """A function of TensorFlow 2 that goes through the elements of two tensors and collects its results in lists."""
    x, y = v1.placeholder(tf.float32, [None, 2], "x"), v1.placeholder(tf.float32, [None, 2], "y")
    sums = tf.scan(lambda state, row: tf.tanh(state + row[0] * row[1]), (x, y), tf.zeros([2]))
    tf.reduce_sum(sums, name="total")


FOLDED = """\
placeholder x: float32[?, 2]
placeholder y: float32[?, 2]
scan_strided_slice = shape(x)[0] as "scan/strided_slice"
TensorListFromTensor = y[:scan_strided_slice] as "scan/TensorArrayUnstack_1/TensorListFromTensor"
def step(state, elements):
    x_1, x_2 = elements
    return tanh(state + x_1 * x_2)
outputs = scan(step, [x, TensorListFromTensor], constant([0.0, 0.0]))
total = reduce_sum(outputs)
"""


def measured():
    """Two results of one kind. Each keeps the name of its node."""
    x, y = (v1.placeholder(tf.float32, [4], name) for name in "xy")
    for name, scale in (("old", 1.0), ("new", 2.0)):
        with v1.name_scope(name):
            tf.reduce_mean(tf.abs(tf.tanh(x * scale - y)), name="error")


MEASURED = """\
placeholder x: float32[4]
placeholder y: float32[4]
old_error = reduce_mean(abs(tanh(x * 1.0 - y))) as "old/error"
new_error = reduce_mean(abs(tanh(x * 2.0 - y))) as "new/error"
"""


def single():
    """Lists of one tensor."""
    x = v1.placeholder(tf.float32, [2, 3], "x")
    (same,) = tf.split(x, 1)
    (sums,) = tf.unstack(tf.reduce_sum(x, 0, keepdims=True))
    tf.add(same * 2.0, sums, name="y")


SINGLE = """\
placeholder x: float32[2, 3]
y = x * 2.0 + raw.Unpack(value=reduce_sum(x, axis=0, keepdims=true), num=1)[0]
"""


def known():
    """An assertion of TensorFlow 1 that always holds, sizes that are known, parts of shapes that nothing takes, and an
    output that only passes a value on."""
    x = v1.placeholder(tf.float32, [None, 4], "x")
    v1.disable_control_flow_v2()
    try:
        checked = v1.Assert(tf.equal(tf.constant(4), 4), ["not 4"])
        with tf.control_dependencies([v1.cond(tf.constant(True), tf.no_op, lambda: checked)]):
            y = tf.identity(x * tf.cast(tf.constant([4]) // 2, tf.float32)[0])
    finally:
        v1.enable_control_flow_v2()
    tf.unstack(tf.shape(x))
    tf.identity(tf.reshape(y, tf.stack([tf.shape(x)[0], 2, 2])), name="out")


def initializers():
    """Initial values that are written with the names of their initializers."""
    for name, initializer in (
        ("a", v1.glorot_uniform_initializer()),
        ("b", v1.glorot_normal_initializer()),
        ("c", v1.initializers.he_normal()),
        ("d", v1.random_uniform_initializer(-0.3, 0.3)),
    ):
        v1.get_variable(name, [3, 3, 2, 8], initializer=initializer, use_resource=False)


INITIALIZERS = """\
variable a: float32[3, 3, 2, 8] = glorot_uniform as "a"
variable b: float32[3, 3, 2, 8] = glorot_normal as "b"
variable c: float32[3, 3, 2, 8] = he_normal as "c"
variable d: float32[3, 3, 2, 8] = random_uniform(minval=-0.3, maxval=0.3)
"""


def code(source):
    return "".join(f"{line}\n" for line in source.splitlines() if not line.startswith("#"))


def lifted(build):
    """The graph of a function and its program."""
    with tf.Graph().as_default() as graph:
        build()
        saved = graph_of(graph.as_graph_def())
    return saved, lift_readable(saved, "arrays.npz")


def proved(saved, made, folder):
    """The report of the comparison of a program with its graph."""
    np.savez(folder / "arrays.npz", **made.arrays)
    place = str(folder / "lifted.tfg")
    compiled = compile_source(Source(place, made.source), CompileInputs(access=Access(place)))
    return compiled, Verifier(saved, made, compiled, shapes={}, seed=1).verify()


@pytest.mark.parametrize(
    ("build", "source"),
    [
        (layers, LAYERS),
        (towers, TOWERS),
        (recurrent, RECURRENT),
        (folded, FOLDED),
        (measured, MEASURED),
        (single, SINGLE),
        (initializers, INITIALIZERS),
    ],
    ids=lambda one: getattr(one, "__name__", "source"),
)
def test_source(build, source):
    _, made = lifted(build)
    assert code(made.source) == source


@pytest.mark.parametrize(
    "build", [layers, towers, weights, recurrent, folded, single, known], ids=lambda build: build.__name__
)
def test_same_bits(build, here):
    saved, made = lifted(build)
    _, report = proved(saved, made, here)
    assert report.unequal == [] and report.failed == {} and report.compared + report.updates > 0


def test_variables_of_functions_have_their_names(here):
    saved, made = lifted(layers)
    compiled, _ = proved(saved, made, here)
    names = {one.name.partition(":")[0] for one in compiled.built().state_variables()}
    assert names == {node.name for node in saved.nodes.values() if node.op == "VariableV2"}


def test_constants_are_named_by_the_function():
    _, made = lifted(weights)
    assert 'stored("{name}/kernel", from="arrays.npz")' in made.source and 'name="second"' in made.source
    assert set(made.arrays) == {
        f"{name}/{part}" for name in ("first", "second", "third") for part in ("kernel", "bias")
    }


def test_what_is_known_goes():
    _, made = lifted(known)
    text = code(made.source)
    assert "Assert" not in text and "Switch" not in text and "unstack" not in text and "stack(" not in text
    assert text.splitlines()[-1].startswith("out = reshape(x * ") and text.endswith(", [shape(x)[0], 2, 2])\n")


GRAPHS = sorted(Path(os.environ.get("TFDSL_GRAPHS", "nowhere")).glob("g*.*"))


@pytest.mark.long
@pytest.mark.skipif(not GRAPHS, reason="TFDSL_GRAPHS names no folder with graphs")
def test_lines_for_each_node(capsys):
    """The median number of lines per node, over the graphs of a folder: TFDSL_GRAPHS=folder pytest --long."""
    ratios = {}
    for path in GRAPHS:
        graph = read_graph(str(path))
        lines = [line for line in code(lift_readable(graph, "arrays.npz").source).splitlines() if line.strip()]
        nodes = len(graph.nodes) + sum(len(one.node_def) for one in graph.library.function)
        ratios[path.name] = len(lines) / nodes
        with capsys.disabled():
            print(f"{len(lines):5} lines, {nodes:5} nodes, {ratios[path.name]:.3f}  {path.name}")
    assert statistics.median(ratios.values()) <= 0.15
