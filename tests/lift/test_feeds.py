"""What `tfdsl lift --verify` feeds: the sizes that the user gives, and strings that ops can read."""

import pytest
from test_pipelines import code, report_on, saved

from tfdsl.diagnostics import TfgError
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.fed_shapes import check_shapes
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source


def pairs():
    """A placeholder whose number of rows must be even, and a queue."""
    x = v1.placeholder(tf.float32, [None, 3], "tower/x")
    tf.reshape(x, [-1, 2, 3], name="pairs")
    taken, other = v1.FIFOQueue(5, [tf.float32, tf.float32], name="made").dequeue(name="taken")
    tf.matmul(taken, other, name="product")


def verified(build, **shapes):
    graph = saved(build)
    lifted = lift_readable(graph)
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs())
    return Verifier(graph, lifted, compiled, shapes=shapes, seed=1).verify()


def test_given_sizes():
    report = verified(pairs, **{"tower/x": [3, 3], "taken": [2, 5], "taken_1": [5, 1]})
    assert list(report.left_out.values()) == [["pairs"]] and report.compared == 1 and report.guessed == {}
    report = verified(pairs, taken=[4, 2], taken_1=[2, 2])
    assert report.guessed == {"tower/x": [2, 3]} and report.compared == 2


@pytest.mark.parametrize(
    ("name", "sizes", "code", "said", "help"),
    [
        ("tower/y", [2, 3], "TFG018", "--shape names 'tower/y', but the graph in graph has no such placeholder", "did you mean 'tower/x'?"),
        ("images", [2], "TFG018", "--shape names 'images', but the graph in graph has no such placeholder", "its placeholders are tower/x, taken, taken:1"),
        ("tower/x", [2], "TFG019", "--shape gives 'tower/x' the sizes 2, but its shape is [?, 3]", "give sizes that fit, such as --shape tower/x=2,3"),
        ("tower/x", [2, 4], "TFG019", "--shape gives 'tower/x' the sizes 2,4, but its shape is [?, 3]", "give sizes that fit, such as --shape tower/x=2,3"),
    ],
)  # fmt: skip
def test_refused_sizes(name, sizes, code, said, help):
    graph = saved(pairs)
    with pytest.raises(TfgError) as caught:
        check_shapes({"taken_1": [7, 7], name: sizes}, graph, lift_readable(graph))
    (one,) = caught.value.diagnostics
    assert (one.code, one.headline, one.help) == (code, said, help)


def examples():
    """Serialized examples with dense and sparse features."""
    given = v1.placeholder(tf.string, [None], "given")
    made = v1.parse_example(
        given,
        {
            "x": v1.FixedLenFeature([2], tf.float32), "n": v1.FixedLenFeature([], tf.int64),
            "word": v1.FixedLenFeature([], tf.string), "some": v1.VarLenFeature(tf.int64),
        },
    )  # fmt: skip
    tf.add(tf.reduce_sum(made["x"], 1), tf.cast(made["n"], tf.float32), name="sum")
    tf.strings.length(made["word"], name="length")
    tf.reduce_sum(made["some"].values, name="total")


def old_examples():
    """The op that parses examples in graphs of TensorFlow 1."""
    given = v1.placeholder(tf.string, [None], "given")
    made = tf.raw_ops.ParseExample(
        serialized=given, names=tf.constant([], tf.string), sparse_keys=["some"], dense_keys=["x"],
        dense_defaults=[tf.constant([], tf.float32)], sparse_types=[tf.float32], dense_shapes=[[3]],
    )  # fmt: skip
    tf.reduce_sum(made.dense_values[0], 1, name="sum")
    tf.reduce_sum(made.sparse_values[0], name="total")


def one_example():
    given = v1.placeholder(tf.string, [], "given")
    tf.multiply(v1.parse_single_example(given, {"x": v1.FixedLenFeature([2], tf.float32)})["x"], 2.0, name="twice")


def row():
    given = v1.placeholder(tf.string, [None], "given")
    a, b = v1.decode_csv(given, [[0.0], [0]])
    tf.add(a, tf.cast(b, tf.float32), name="sum")


@pytest.mark.parametrize("build", [examples, old_examples, one_example, row])
def test_strings_that_ops_can_read(build):
    graph = saved(build)
    lifted = lift_readable(graph)
    report = report_on(graph, lifted)
    assert report.is_same and report.left_out == {} and report.compared > 0, code(lifted.source)
