"""`map_fn`, `foldl`, `foldr` and `scan`: against TensorFlow by hand, and against NumPy."""

from itertools import product

import numpy as np
import pytest
import tensorflow as tf

import tfdsl
from tfdsl.ops import OPS
from tfdsl.runtime.options import Options

v1 = tf.compat.v1

PROGRAM = """
placeholder X: float32[rows, 3]
placeholder Y: float32[rows]
variable w = 1.5

def cell(value, element):
    total, count = value
    x, y = element
    return [tanh(total * w + x * y), count + 1]

def step(value, x):
    return value * 0.5 + sin(x) * w

def each(x):
    return x * w, reduce_sum(x)

doubled, sums = map_fn(each, X)
values, counts = scan(cell, [X, Y], [zeros([3]), 0])
backwards = scan(step, X, reverse=true)
last, count = foldl(cell, [X, Y], [zeros([3]), 0])
first = foldr(step, X)
total = reduce_sum(doubled) + reduce_sum(values * values) + reduce_sum(backwards * last) + reduce_sum(first)
dw, dX = gradients(total, [w, X])
"""
NAMES = ["doubled", "sums", "values", "counts", "backwards", "last", "count", "first", "dw", "dX"]


def by_hand():
    """The same graph, with the functions of TensorFlow."""
    X, Y = v1.placeholder("float32", [None, 3], "X"), v1.placeholder("float32", [None], "Y")
    w = v1.Variable(1.5, name="w", use_resource=True)

    def cell(value, element):
        (total, count), (x, y) = value, element
        return [tf.tanh(total * w + x * y), count + 1]

    def step(value, x):
        return value * 0.5 + tf.sin(x) * w

    doubled, sums = tf.map_fn(lambda x: (x * w, tf.reduce_sum(x)), X, fn_output_signature=(tf.float32, tf.float32))
    values, counts = tf.scan(cell, [X, Y], [tf.zeros([3]), 0])
    backwards = tf.scan(step, X, reverse=True)
    last, count = tf.foldl(cell, [X, Y], [tf.zeros([3]), 0])
    first = tf.foldr(step, X)
    total = tf.reduce_sum(doubled) + tf.reduce_sum(values * values) + tf.reduce_sum(backwards * last)
    return [
        doubled,
        sums,
        values,
        counts,
        backwards,
        last,
        count,
        first,
        *v1.gradients(total + tf.reduce_sum(first), [w, X]),
    ]


def test_they_equal_those_of_tensorflow():
    given = np.random.default_rng(3).normal(size=(5, 3)), np.arange(5)
    with tf.Graph().as_default(), v1.Session() as session:
        made = by_hand()
        session.run(v1.global_variables_initializer())
        wanted = session.run(made, {"X:0": given[0], "Y:0": given[1]})
    with tfdsl.compile(PROGRAM).session() as session:
        found = session.run(NAMES, {"X": given[0], "Y": given[1]})
    for name, mine, theirs in zip(NAMES, found, wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-6, err_msg=name)


def test_types_are_known_before_tensorflow():
    (graph,) = tfdsl.compile(PROGRAM).program.graphs
    shown = {name: str(graph.type(graph.names[name].value)) for name in NAMES[:-2]}
    assert shown == {
        "doubled": "float32[rows, 3]", "sums": "float32[rows]", "values": "float32[rows, 3]", "counts": "int32[rows]",
        "backwards": "float32[rows, 3]", "last": "float32[3]", "count": "int32", "first": "float32[3]",
    }  # fmt: skip


def test_ops_of_the_function_are_in_its_scope():
    graph = tfdsl.compile("def twice(x):\n    return x * 2.0\ny = map_fn(twice, constant([1.0, 2.0]))\n").graph
    (body,) = [f for f in graph.as_graph_def().library.function if "body" in f.signature.name]
    assert "twice/mul" in {node.name.split("/while/")[-1] for node in body.node_def}
    assert any(op.name.startswith("y/") for op in graph.get_operations())


def test_tensors_of_different_lengths_are_an_error():
    text = "placeholder X: float32[?]\nplaceholder Y: float32[?]\ny = map_fn(add_n, [X, Y])\n"
    with tfdsl.compile(text).session() as session:
        np.testing.assert_array_equal(session.run("y", {"X": [1, 2], "Y": [3, 4]}), [4, 6])
        with pytest.raises(tfdsl.TfgError, match="different numbers of elements"):
            session.run("y", {"X": [1, 2], "Y": [3, 4, 5]})


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.regions])
def test_the_example_of_the_row(name):
    with tfdsl.compile(f"y = {OPS[name].example}\n").session() as session:
        found = session.run("y")
    wanted = {"map_fn": [5, 7], "foldl": 6, "foldr": 0, "scan": [1, 3, 6]}
    np.testing.assert_array_equal(found, wanted[name])


def test_random_numbers_come_in_the_order_of_the_elements():
    text = "seed 1\ndef noisy(x):\n    return x + random_uniform([])\ny = map_fn(noisy, zeros([50]))\n"
    with tfdsl.compile(text).session() as one, tfdsl.compile(text).session() as other:
        first, second = one.run("y"), one.run("y")
        np.testing.assert_array_equal(first, other.run("y"))
    assert len({*first, *second}) > 95


def test_variables_are_written_in_the_order_of_the_elements():
    text = (
        "variable last = 0.0\nplaceholder X: float32[n]\n"
        "def kept(x):\n    before = identity(last)\n    after before:\n        up = assign(last, x)\n"
        "    after up:\n        return before * 1.0\n"
        "y = map_fn(kept, X)\n"
    )
    with tfdsl.compile(text).session() as session:
        np.testing.assert_array_equal(session.run("y", {"X": np.arange(1, 60)}), np.arange(59))
        assert session.run("last") == 59


@pytest.mark.parametrize("method", ["forward", "numeric"])
def test_other_methods_of_gradients(method):
    text = (
        "variable w = 1.5\ndef step(total, x):\n    return tanh(total * w + x)\n"
        "y = foldl(step, constant([0.1, 0.2, 0.3]), 0.0)\n"
        f'a = gradients(y, [w])[0]\nb = gradients(y, [w], method="{method}")[0]\n'
    )
    with tfdsl.compile(text).session() as session:
        np.testing.assert_allclose(*session.run(["a", "b"]), rtol=1e-4)


TRAINED = """
seed 3
data series = data_given
placeholder X: float32[batch, 6, 2]
placeholder y: float32[batch, 1]
variable kernel: float32[2, 8] = glorot_uniform
variable recurrent: float32[8, 8] = orthogonal
variable rate = 0.3

def cell(h, x):
    return h + rate * (tanh(x @ kernel + h @ recurrent) - h)

def scaled(x):
    return x * rate

states = scan(cell, map_fn(scaled, transpose(X, [1, 0, 2])), zeros_like(X[:, 0, :1]) * zeros([8]))
predictions = reduce_sum(states[-1], axis=1, keepdims=true)
error = reduce_mean(square(predictions - y))
optimize error with adam(learning_rate=0.01)
session:
    train 2 epochs on series in batches of 8 as batch:
        feed X = batch.features, y = batch.target
        every 1 epoch: print error
    at_once = evaluate error, predictions on series with X = series.features, y = series.target
    found = evaluate error, predictions on series in batches of 7 as b with X = b.features, y = b.target
    print at_once.error, found.error, kernel, recurrent, rate
    expect found.error == at_once.error within 0.00001
    expect found.predictions == at_once.predictions within 0.00001
"""


@pytest.fixture
def series():
    rng = np.random.default_rng(5)
    return {"features": rng.normal(size=(30, 6, 2)).astype("f"), "target": rng.normal(size=(30, 1)).astype("f")}


@pytest.fixture
def trained(series, here):
    np.savez("series.npz", **series)
    return TRAINED.replace("data_given", 'npz("series.npz")')


def ran(program, engine, towers=1):
    options = Options(write=lambda line: None, engine=engine)
    return program.on(towers=towers).run(options=options).variables


def near(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], rtol=1e-4, atol=1e-6, err_msg=name)


# In the loop, test_recurrent.py trains with the same ops, also with lengths.
@pytest.mark.long
@pytest.mark.parametrize(("engine", "towers"), product(("loop", "xla"), (1, 2)))
def test_engines_and_towers_train_alike(engine, towers, trained):
    program = tfdsl.compile(trained)
    step, other = ran(program, "step"), ran(program, engine, towers)
    if (engine, towers) != ("loop", 1):
        near(step, other)
    else:
        for name, value in step.items():
            np.testing.assert_array_equal(value, other[name], err_msg=name)
