"""Sums of several tensors add in the order of their inputs, regardless of other work, other fetches, or copies."""

import sys
from collections import Counter
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from conftest import some

import tfdsl

sys.path.append(str(Path(__file__).parents[2]))  # make `benchmarks` importable

from benchmarks import sums
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

# Numbers whose sum has different bits for each order, with names that are not sorted.
ORDERS = """
placeholder e: float32[64]
placeholder b: float32[64]
placeholder a: float32[64]
placeholder d: float32[64]
placeholder c: float32[64]
def scrambled():
    return add_n([abs(x) * sign(x) for x in [e, b, a, d, c]])

fed = add_n([e, b, a, d, c])
made = scrambled()
"""
CONTROL = """
def choice(x):
    if x < 1e30:
        return scrambled()
    else:
        return e

chosen = choice(e[0])
looped = e
k = constant(0)
while k < 2:
    looped = scrambled()
    k = k + 1
"""
NAMES = ("fed", "made", "chosen", "looped")

# A cell that uses its bias ten times, each time through a reshape that shares its memory.
RECURRENT = """
seed 1
placeholder start: float32
xs = unstack(sin(start + linspace(0.0, 3.0, 10)))
variable kernel: float32[33, 32] = glorot_uniform([33, 32], seed=1)
variable bias: float32[32] = zeros
variable w: float32[32, 1] = glorot_uniform([32, 1], seed=2)
h = fill([1, 32], 0.1)
outputs = []
for x in xs:
    h = tanh(concat([reshape(x, [1, 1]), h], axis=1) @ kernel + bias)
    outputs = outputs + [h @ w]
mse = reduce_mean(square(concat(outputs, axis=0) - 0.3))
gradient = gradients(mse, [kernel, bias])
optimize mse with adam(learning_rate=0.02) as t
session:
    train 12 epochs:
        feed start = 1.0 * step
        run t
        every 3 epochs: print epoch, mse * 1e6, reduce_sum(kernel) * 1e4
"""


def numbers(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (draw.normal(size=shape) * 10.0 ** draw.integers(-3, 4, shape)).astype(np.float32)


def added(values) -> np.ndarray:
    """The sum in the given order, by NumPy: up to nine one after the other, the rest by eight."""
    values = list(values)
    first = (len(values) - 2) % 8 + 2
    total = reduce(np.add, values[:first])
    for at in range(first, len(values), 8):
        total = total + reduce(np.add, values[at : at + 8])
    return total


def test_the_numbers_distinguish_orders():
    values = numbers(1, (5, 64))
    assert not np.array_equal(added(values), added(sorted(values, key=lambda row: row[0])))


def test_a_session_adds_in_the_order_of_the_inputs():
    values = dict(zip("ebadc", numbers(1, (5, 64)), strict=True))
    with tfdsl.compile(ORDERS + CONTROL).session() as session:
        for fetched in ([name] for name in NAMES), [NAMES]:
            for names in fetched:
                for name, result in zip(names, session.run(names, feed=values), strict=True):
                    assert np.array_equal(result, added(values.values())), name


@pytest.mark.parametrize("engine", ["step", "loop", "xla"])
def test_every_engine_adds_in_the_order_of_the_inputs(engine):
    values = dict(zip("ebadc", numbers(2, (5, 64)), strict=True))
    graph, names = (ORDERS, NAMES[:2]) if engine == "xla" else (ORDERS + CONTROL, NAMES)
    kept = "".join(f"variable kept_{name} = zeros([64])\n" for name in names)
    moved = "".join(f"move_{name} = assign(kept_{name}, {name})\n" for name in names)
    feeds = ", ".join(f"{name} = {value.tolist()}" for name, value in values.items())
    runs = ", ".join(f"move_{name}" for name in names)
    text = f"{kept}{graph}{moved}session:\n    train 3 epochs:\n        feed {feeds}\n        run {runs}\n"
    result = tfdsl.compile(text).run(options=Options(engine=engine))
    assert result.engines == [engine]
    for name in names:
        assert np.array_equal(result.variables[f"kept_{name}"], added(values.values())), name


def test_a_sum_does_not_depend_on_other_fetches():
    text = """
variable w = random_uniform([1000], -1.0, 1.0, seed=3)
z = tanh(w) * 1000.1
p = identity(z)
s = add_n([p, sin(w), cos(w) * 97.3])
"""
    with tfdsl.compile(text).session() as session:
        assert np.array_equal(session.run("s"), session.run(["s", "p"])[0])


def test_additions_are_not_merged():
    """TensorFlow would merge them into one sum if the shapes are known, as for variables."""
    text = "".join(f"variable {name} = zeros([64])\n" for name in "abcde")
    values = dict(zip("abcde", numbers(4, (5, 64)), strict=True))
    program = tfdsl.compile(text + "s = a + (b + (c + (d + e)))\nt = add_n([a, add_n([e, d, b]), c])\n")
    a, b, c, d, e = values.values()
    with program.session(variables=values) as session:
        assert np.array_equal(session.run("s"), a + (b + (c + (d + e))))
        assert np.array_equal(session.run("t"), a + (e + d + b) + c)


def test_a_copy_adds_like_the_original():
    """Ops have other names in the loop, which sort differently."""
    text = """
placeholder start: float32
variable w = random_uniform([50], -1.0, 1.0, seed=3)
h = w + start
t = add_n([sin(h * 3.0), sin(h * 5.0), sin(h * 7.0)])
s = add_n([sin(h) * 17.3, sin(h * 3.7) * 0.777, cos(h) * -19.3, identity(h)])
up = assign(w, sin(s * 0.37) + 0.1 * t)
session:
    train 50 epochs:
        feed start = 0.1 * step
        run up
"""
    program = tfdsl.compile(text)
    step, loop = (program.run(options=Options(engine=engine)).variables["w"] for engine in ("step", "loop"))
    assert step.tobytes() == loop.tobytes()


def test_executions_in_the_loop_are_not_merged():
    """TensorFlow makes one multiplication of `sin(x) * 0.7 * 1.3` unless the inner product has another use. A copy of
    it for another statement is not another use."""
    text = """
placeholder x: float32[20]
variable w = zeros([20])
variable w2 = zeros([20])
a = sin(x) * 0.7
up = assign(w, a * 1.3)
up2 = assign(w2, a * 1.7)
session:
    train 6 epochs:
        feed x = [FED]
        run up
        run up2
"""
    program = tfdsl.compile(text.replace("FED", ", ".join(f"{0.1 * k:.1f}" for k in range(20))))
    step, loop = (program.run(options=Options(engine=engine)).variables for engine in ("step", "loop"))
    assert {name: v.tobytes() for name, v in step.items()} == {name: v.tobytes() for name, v in loop.items()}


def test_a_gradient_has_one_value():
    """TensorFlow's kernel begins with the first input whose memory it can reuse, which depends on timing."""
    seen = Counter()
    program = tfdsl.compile(RECURRENT)
    with program.session() as session:
        names = [op.name for op in program.graph.get_operations() if op.type == "AddN" and len(op.inputs) == 10]
        assert "gradients/AddN_11" in names
        fetched = [program.graph.get_tensor_by_name(f"{name}:0") for name in names]
        run = session.session.make_callable(fetched, [program["start"]])
        for _ in range(50):
            seen[b"".join(value.tobytes() for value in run(np.float32(0.5)))] += 1
        assert list(seen.values()) == [50]
        # It is the sum of its inputs, in order.
        sums = [program.graph.get_operation_by_name(name) for name in names]
        found = session.session.run([[*op.inputs, *op.outputs] for op in sums], {program["start"]: 0.5})
        for name, (*parts, total) in zip(names, found, strict=True):
            assert np.array_equal(total, added(parts)), name


@pytest.mark.long
@pytest.mark.parametrize("times", some([1, 3], [1]))
def test_a_training_has_one_output(times):
    program = tfdsl.compile(RECURRENT)
    options = [Options(engine=engine, deterministic=True) for engine in ("step", "loop") for _ in range(times)]
    assert len({"\n".join(program.run(options=one).printed) for one in options}) == 1


def test_towers_are_added_in_their_order():
    text = """
placeholder x: float32[batch, 3]
variable w = ones([3, 1])
loss reduce_mean(square(tanh(x @ w) * 17.3))
optimize with gradient_descent(learning_rate=0.1) as t
"""
    program = tfdsl.compile(text)
    program = program.on(towers=12)  # tower_10 comes before tower_2 by name
    fed = {program["x"]: numbers(3, (36, 3))}
    with program.session() as session:
        sums = [op for op in program.graph.get_operations() if op.type == "AddN" and len(op.inputs) == 12]
        assert sums
        found = session.session.run([[*op.inputs, *op.outputs] for op in sums], fed)
        for op, (*parts, total) in zip(sums, found, strict=True):
            assert np.array_equal(total, added(parts)), op.name


GRADIENTS = """
variable w: float32[3] = [0.3, 0.4, 0.5]
x = w
while reduce_sum(x) < 10.0:
    x = x + sin(w) * cos(w) * tanh(w) + square(w * x)

def choice(y):
    if reduce_sum(y) > 0.0:
        return y * w + sin(w) * cos(w) * tanh(w)
    else:
        return y

dw = gradients(choice(w * x), w)
g = identity(dw)
"""


def sums_of(definition):
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return [node for node in nodes if node.op == "AddN" and node.attr["N"].i > 2]


def test_sums_in_functions_add_in_order():
    """The gradients of `while` and `if`: their sums are in TensorFlow functions."""
    program = tfdsl.compile(GRADIENTS)
    sums = sums_of(program.graph.as_graph_def())
    assert len(sums) > len(sums_of(tf.compat.v1.GraphDef(node=program.graph.as_graph_def().node)))
    assert all("_scoped_allocator" in node.attr for node in sums)
    with program.session() as session:
        assert len({session.run("g").tobytes() for _ in range(100)}) == 1
        executed = tf.compat.v1.RunMetadata()
        options = tf.compat.v1.RunOptions(output_partition_graphs=True)
        session.session.run(program["g"], options=options, run_metadata=executed)
        (partition,) = executed.partition_graphs
        assert all("_scoped_allocator" in node.attr for node in sums_of(partition))


def test_other_graphs_of_the_process_are_unchanged():
    assert tfdsl.compile(GRADIENTS).graph is not None
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [3])
        tf.function(lambda x: tf.add_n([x, tf.sin(x), tf.cos(x)]))(x)
        tf.add_n([x, tf.sin(x), tf.cos(x)])
    sums = sums_of(graph.as_graph_def())
    assert len(sums) == 2
    assert not any(set(node.attr) - {"N", "T"} for node in sums)


@pytest.mark.long
def test_generated_programs_have_one_value():
    figures, wrong = sums.campaign(sums.options(["--programs", "1", "--executions", "20", "--trained", "1"]))
    assert wrong == []
    assert figures["programs"] == 1 and figures["executions"] == 20 and figures["trainings"] == 1
    assert figures["sums"] > 5


@pytest.mark.long
def test_the_benchmark_can_disable_the_order():
    """With `--plain` it shows the behaviour of TensorFlow alone."""
    program = tfdsl.compile(sums.Writer(sums.Random("1 0")).program())
    definition = sums.plain(program.graph).as_graph_def()
    assert len(sums_of(definition)) == sum(sums.sums_of(program.graph)) > 10
    assert not any("_scoped_allocator" in node.attr for node in sums_of(definition))


def test_a_constant_in_a_sum_is_added_in_one_order():
    """TensorFlow adds a constant to one of two summands first. Which one used to depend on the names of the ops."""
    text = """
variable v1 = 0.69
variable v2 = 0.34
loss = reduce_sum(square(v2 + 0.27)) + reduce_sum(square(v1 + 0.32)) + 0.1 * tanh(-0.19)
optimize loss with gradient_descent(learning_rate=0.05) wrt v2, v1 as step_op
change = assign_sub(v1, 0.7)
session:
    train 40 steps:
        print loss, v1
        run change, step_op
"""
    step, loop = (
        tfdsl.compile(text).run(options=Options(write=lambda line: None, engine=engine)).printed
        for engine in ("step", "loop")
    )
    assert step == loop
