"""The comparison of a program with its graph, where the graph has tables, sparse or ragged tensors, Python functions,
and results that depend on writes."""

import numpy as np
import pytest
from conftest import some
from test_verify import compared

from tfdsl.cli import main
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.fed_groups import grouped
from tfdsl.lift.options import LiftOptions
from tfdsl.lift.read import graph_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.sides import CAN_WAIT, NEEDS_PYTHON, REACHES_OUT
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source

pytestmark = pytest.mark.usefixtures("here")


def made(build):
    with tf.Graph().as_default() as graph:
        build()
    return graph


# --- results after writes -----------------------------------------------------------------------


def counter():
    n = v1.get_variable("n", [], tf.int32, v1.zeros_initializer())
    with tf.control_dependencies([n.assign_add(1)]):
        tf.multiply(n.read_value(), 2, name="twice")


def test_a_result_after_a_write_is_compared():
    report = compared(made(counter))
    assert report.is_same and report.left_out == {}
    report = compared(made(counter), lambda source: source.replace("raw.Mul(", "raw.AddV2("))
    assert not report.is_same and "twice" in [one.name for one in report.unequal]


def test_a_result_that_only_another_result_needs_is_compared():
    def build():
        n = v1.get_variable("n", [2], tf.float32, v1.zeros_initializer())
        with tf.control_dependencies([n.assign_add([1.0, 2.0])]):
            inner = tf.exp(n.read_value(), name="inner")
        tf.multiply(inner, 0.0, name="outer")

    report = compared(made(build), lambda source: source.replace("raw.Exp(", "raw.Square("))
    assert [one.name for one in report.unequal] == ["inner"]


def test_a_variable_counts_once(capsys):
    with made(counter).as_default():
        v1.global_variables_initializer()
        v1.train.export_meta_graph("counter.meta")
    assert main(["lift", "counter.meta", "--verify", "--exact"]) == 0
    said = capsys.readouterr().out
    assert "the same bits in 1 of 1 variable, after each of 3 updates\n" in said


def test_a_variable_alone_proves_nothing():
    """Both sides are given the same value for it."""
    graph = tf.Graph()
    with graph.as_default():
        v1.placeholder(tf.float32, [], name="x")
        v1.raw_ops.VarHandleOp(dtype=tf.float32, shape=[], shared_name="w", name="w")
    report = compared(graph)
    assert (report.compared, report.variables, report.is_same) == (0, 0, False)


# --- tables -------------------------------------------------------------------------------------


def lookup(initializer, default=-1):
    def build():
        x = v1.placeholder(tf.string, [None], name="x")
        table = tf.lookup.StaticHashTable(initializer(), default)
        tf.identity(table.lookup(x), name="ids")
        v1.tables_initializer()

    return made(build)


def constants():
    return tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([5, 7], tf.int64))


def test_what_tables_find():
    report = compared(lookup(constants))
    assert report.is_same and report.left_out == {} and report.made_up == []
    report = compared(lookup(constants), lambda source: source.replace("value=-1)", "value=-2)"))
    assert not report.is_same and "ids" in [one.name for one in report.unequal]


def test_the_content_of_tables():
    report = compared(lookup(constants), lambda source: source.replace("value=[5, 7]", "value=[5, 8]"))
    assert not report.is_same and any(one.name.startswith("hash_table after ") for one in report.unequal)


def test_a_table_from_a_file(here):
    """The file is not read and need not exist. Lookups in the table are still compared."""

    def words():
        return tf.lookup.TextFileInitializer("words.txt", tf.string, 0, tf.int64, 1)

    (here / "words.txt").write_text("a\nb\n", encoding="utf-8")
    graph = lookup(words)
    (here / "words.txt").unlink()
    report = compared(graph)
    assert report.is_same and report.made_up == ["hash_table"]
    assert list(report.left_out) == [REACHES_OUT]
    report = compared(graph, lambda source: source.replace("value=-1)", "value=-2)"))
    assert not report.is_same


@pytest.mark.parametrize("dense", [True, False])
def test_a_table_that_changes(dense):
    def build():
        x = v1.placeholder(tf.int64, [2], name="x")
        table = (tf.lookup.experimental.DenseHashTable(tf.int64, tf.float32, -1.0, 8, 9) if dense
                 else tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, -1.0))  # fmt: skip
        with tf.control_dependencies([table.insert(x, tf.cast(x, tf.float32) * 2.0)]):
            tf.identity(table.lookup(x + 1), name="found")

    report = compared(made(build))
    assert report.is_same and report.variables == 1
    report = compared(made(build), lambda source: source.replace("value=2.0)", "value=3.0)"))
    assert not report.is_same and any(" after " in one.name for one in report.unequal)


# --- sparse and ragged tensors ------------------------------------------------------------------


@pytest.mark.parametrize("shape", some([[None, 4], None], [None]))
def test_sparse_placeholders(shape):
    def build():
        x = v1.sparse_placeholder(tf.float32, shape, name="x")
        w = v1.get_variable("w", [4, 2], use_resource=False)
        tf.identity(tf.sparse.sparse_dense_matmul(x, w), name="y")
        tf.identity(tf.sparse.reduce_sum(x, 1), name="sums")

    report = compared(made(build))
    assert report.is_same and report.left_out == {} and report.guessed == {}
    report = compared(made(build), shapes={"x/values": [3]})
    assert report.is_same and report.left_out == {}


def test_ragged_placeholders():
    def build():
        x = v1.ragged.placeholder(tf.float32, 2, [3], name="x")
        tf.identity(tf.reduce_sum(x, axis=1).to_tensor(), name="sums")

    report = compared(made(build))
    assert report.is_same and report.left_out == {}


def test_the_parts_of_a_ragged_tensor():
    def build():
        v1.ragged.placeholder(tf.float32, 2, [3], name="x")

    placeholders = {one.name: one.outputs[0] for one in made(build).get_operations()}
    found = grouped(placeholders, {})
    assert [found[f"x/row_splits_{at}"].tolist() for at in range(2)] == [[0, 1, 3], [0, 1, 3, 4]]
    assert found["x/flat_values"] == [4, 3]


# --- what cannot run ----------------------------------------------------------------------------


def test_a_python_function():
    """Only what depends on it is not compared."""

    def build():
        x = v1.placeholder(tf.float32, [2], name="x")
        tf.identity(v1.py_func(np.square, [x], tf.float32), name="below")
        tf.exp(x, name="beside")

    report = compared(made(build))
    assert report.is_same and report.compared == 1 and list(report.left_out) == [NEEDS_PYTHON]
    assert "below" in report.left_out[NEEDS_PYTHON]


def test_a_queue_of_the_exact_form():
    def build():
        queue = v1.FIFOQueue(2, tf.float32, [[2]], name="queue")
        queue.enqueue(v1.placeholder(tf.float32, [2], name="x"), name="put")
        tf.exp(queue.dequeue(), name="below")

    report = compared(made(build))
    assert not report.is_same and list(report.left_out) == [CAN_WAIT]


def test_pictures():
    def build():
        coded = v1.placeholder(tf.string, [], name="coded")
        tf.cast(tf.image.decode_jpeg(coded, channels=3), tf.float32, name="pixels")

    report = compared(made(build))
    assert report.is_same and report.left_out == {}


# --- the names in a checkpoint ------------------------------------------------------------------


def on_names(graph_def, edit=lambda source: source, keep_names="outputs"):
    """The report on the readable form of a graph, whose source `edit` can change."""
    graph = graph_of(graph_def)
    lifted = lift_readable(graph, options=LiftOptions(keep_names=keep_names))
    source = Source("lifted.tfg", edit(lifted.source))
    return Verifier(graph, lifted, compile_source(source, CompileInputs()), shapes={}, seed=1).verify()


def line(saved=None):
    """A line that Adam fits. `saved` are the names in a checkpoint."""
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [2], name="x")
        w = v1.get_variable("part/w", [], initializer=v1.zeros_initializer(), use_resource=False)
        loss = tf.reduce_mean(tf.square(x * w - 1.0), name="loss")
        v1.train.AdamOptimizer(0.1).minimize(loss, name="train")
        v1.train.Saver(None if saved is None else {saved: w})
        return v1.train.export_meta_graph()


def test_variables_and_slots_keep_their_names():
    report = on_names(line())
    assert report.is_same and (report.restored, report.renamed, report.misnamed) == (5, {}, [])
    report = on_names(line(), lambda source: source.replace("adam(", 'adam(slots="Other", '))
    assert not report.is_same and report.misnamed == ["part/w/Other", "part/w/Other_1"]


def test_other_names_in_the_checkpoint():
    report = on_names(line("weight"))
    assert report.is_same and (report.restored, report.renamed) == (4, {"part/w": "weight"})


def test_names_that_need_not_stay():
    report = on_names(line(), lambda source: source.replace("part/w", "v"), keep_names="none")
    assert report.misnamed == []
