"""The exact form of a graph builds the same graph again, node for node."""

import numpy as np
import pytest
from graph_files import OTHERS, checkpoint, dense, loop

from tfdsl.access import Access
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.compare import differences
from tfdsl.lift.exact import lift_exact
from tfdsl.lift.read import graph_of, read_graph
from tfdsl.limits import Limits
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source
from tfdsl.syntax.format import format_text


def built_again(graph, folder):
    """The graph that the exact form of a graph builds."""
    lifted = lift_exact(graph, "arrays.npz")
    if lifted.arrays:
        np.savez(folder / "arrays.npz", **lifted.arrays)
    path = str(folder / "lifted.tfg")
    source = Source(path, lifted.source)
    assert format_text(source) == lifted.source
    limits = Limits(file=10**8, constant=10**7, seconds=600.0)
    compiled = compile_source(source, CompileInputs(access=Access(path), limits=limits))
    assert compiled.diagnostics == []
    return graph_of(compiled.graph.as_graph_def())


def constants():
    """Constants of all kinds."""
    graph = tf.Graph()
    with graph.as_default():
        for dtype in (tf.float16, tf.bfloat16, tf.float32, tf.float64):
            tf.constant([0.1, -0.0, 1e-7, np.inf, -np.inf], dtype)
        for dtype in (tf.int8, tf.uint8, tf.int64, tf.uint64):
            tf.constant([[0, 1], [1, 1]], dtype)
        tf.constant([True, False])
        tf.constant(2**63 - 1, tf.int64)
        tf.constant([1 + 2j, -0.5j], tf.complex64)
        tf.constant([b'a\n"b\\', b"\xff\x00", "\u20ac \0".encode(), b"{x}"])
        tf.constant(np.zeros([0, 3], np.float32))
        tf.constant(np.zeros([2, 0], np.int32))
        tf.constant(np.arange(60, dtype=np.float64).reshape(3, 4, 5), name="a/large")
        tf.constant(7.5, shape=[30, 2], name="repeated")
    return graph


def names():
    """Names that source cannot have, and names that differ little."""
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [2], name="x")
        for name in ("X", "x_1", "a/b", "a_b", "1/x", "relu", "a-b.c", "session", "add", "raw", "a/b/c", "stored"):
            x = tf.identity(x, name=name)
    return graph


def outputs():
    """Ops with several outputs, lists of them, and none."""
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [4, 6], name="x")
        parts = tf.split(x, 3, axis=1)
        values, places = tf.nn.top_k(parts[2], 1)
        tf.stack([*parts[:2], tf.tile(values, [1, 2])])
        tf.gather(tf.range(10), places)
        tf.no_op(name="nothing")
        v1.raw_ops.IdentityN(input=[x, places])
        v1.io.parse_example(
            v1.placeholder(tf.string, [None]),
            {"a": v1.FixedLenFeature([2], tf.float32), "b": v1.VarLenFeature(tf.int64)},
        )
    return graph


def placed():
    """Devices, and nodes that wait for others."""
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [2], name="x")
        with tf.device("/job:ps/replica:0/task:1/device:CPU:0"):
            y = x + 1.0
            with tf.control_dependencies([tf.debugging.assert_positive(x), y]):
                tf.identity(y)
                with tf.device("/device:GPU:0"):
                    z = y * 2.0
        with tf.control_dependencies([z.op]):
            tf.group(z, name="all")
    return graph


def training():
    """Reference variables with an optimizer, a saver and summaries."""
    graph = dense()
    with graph.as_default():
        loss = graph.get_tensor_by_name("loss:0")
        v1.train.AdamOptimizer(0.1).minimize(loss, v1.train.get_or_create_global_step())
        v1.summary.scalar("loss", loss)
        v1.summary.merge_all()
        v1.train.Saver()
        v1.global_variables_initializer()
    return graph


def resources():
    """Variables by their handles, and a table."""
    graph = tf.Graph()
    with graph.as_default():
        w = v1.get_variable("w", [3, 2], use_resource=True)
        tf.gather(w, [0, 2])
        w.assign_add(tf.ones([3, 2]))
        table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), -1)
        table.lookup(tf.constant(["a"]))
    return graph


def functions():
    """Functions that call each other, with variables, control flow and attributes."""
    module = tf.Module()
    with tf.Graph().as_default() as graph:
        v1.enable_control_flow_v2()
        module.w = v1.get_variable("w", [2], use_resource=True)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def scaled(x):
            return tf.cond(tf.reduce_sum(x) > 0.0, lambda: x * module.w, lambda: -x)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def outer(x):
            y = scaled(x) + 1.0
            module.w.assign_add([1.0, 1.0])
            return y, tf.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, z * 2.0), [0, y])[1]

        outer(v1.placeholder(tf.float32, [2], name="x"))
    return graph


GRAPHS = [dense, loop, constants, names, outputs, placed, training, resources, functions]


@pytest.mark.parametrize("make", GRAPHS, ids=lambda make: make.__name__)
def test_the_same_graph(make, here):
    graph = graph_of(make().as_graph_def())
    assert list(map(str, differences(graph, built_again(graph, here)))) == []


@pytest.mark.parametrize("version", [0, 20])
def test_the_version_of_the_ops(version, here):
    """Before version 24 a placeholder without a shape could have any."""
    definition = tf.Graph().as_graph_def()
    node = definition.node.add(name="x", op="Placeholder")
    node.attr["dtype"].type = 1
    node.attr["shape"].shape.SetInParent()
    definition.versions.producer = version
    graph = graph_of(definition)
    again = built_again(graph, here)
    assert differences(graph, again) == [] and again.producer == version and again.nodes["x"].types[0].shape is None


def test_a_meta_graph(here):
    checkpoint(training(), here / "model")
    graph = read_graph(str(here / "model.meta"))
    assert differences(graph, built_again(graph, here)) == []


@pytest.mark.long
@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_graphs_made_by_others(path, here):
    """The graphs of a folder: TFDSL_GRAPHS=folder pytest --long."""
    graph = read_graph(str(path))
    assert list(map(str, differences(graph, built_again(graph, here)))) == []
