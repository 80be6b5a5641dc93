"""`resource=false`: variables as TensorFlow 1 made them, compared with the same program by hand."""

import numpy as np
import pytest
import tensorflow as tf

import tfdsl
from tfdsl.diagnostics import TfgError

v1 = tf.compat.v1

TEXT = """
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
scope layer:
    variable w: float32[2, 1] = [[0.5], [-0.25]], resource=false
    shared b = 0.5, resource=false
variable count = 0, trainable=false, resource=false
error = X @ w + b - y
mse = reduce_mean(square(error))
optimize mse with OPTIMIZER as step
up = assign_add(count, 1)
again = assign(w, w * 2.0)

session:
    train 20 steps:
        feed X = [[1, 2], [3, 4]], y = [[1], [2]]
        run step
    run up
    run again
    save to "w.ckpt"
    set w = [[0.0], [0.0]]
    restore from "w.ckpt"
"""
OPTIMIZERS = {
    "adam(learning_rate=0.1)": lambda: v1.train.AdamOptimizer(0.1),
    "momentum(0.9, learning_rate=0.1)": lambda: v1.train.MomentumOptimizer(0.1, 0.9),
    "rmsprop(learning_rate=0.1)": lambda: v1.train.RMSPropOptimizer(0.1),
}


def by_hand(optimizer):
    """The ops of the graph, and the values of its variables after the training."""
    with tf.Graph().as_default() as graph:
        X, y = (v1.placeholder(tf.float32, [None, n], name=name) for name, n in (("X", 2), ("y", 1)))
        with v1.variable_scope("layer"):
            w = v1.Variable([[0.5], [-0.25]], name="w", use_resource=False)
            b = v1.get_variable("b", (), initializer=v1.constant_initializer(0.5), use_resource=False)
        count = v1.Variable(0, trainable=False, name="count", use_resource=False)
        error = tf.subtract(tf.matmul(X, w) + b, y, name="error")
        step = optimizer().minimize(tf.reduce_mean(tf.square(error), name="mse"), name="step")
        up, again = v1.assign_add(count, 1, name="up"), v1.assign(w, w * 2.0, name="again")
        ops = {(one.name, one.type) for one in graph.get_operations()}
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for _ in range(20):
                session.run(step, {X: [[1, 2], [3, 4]], y: [[1], [2]]})
            session.run(up)
            session.run(again)
            return ops, {one.op.name: session.run(one) for one in v1.global_variables()}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_graph_and_bits_are_those_of_tensorflow(optimizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ops, values = by_hand(OPTIMIZERS[optimizer])
    program = tfdsl.compile(TEXT.replace("OPTIMIZER", optimizer))
    assert {(one.name, one.type) for one in program.graph.get_operations()} == ops
    result = program.run(options=tfdsl.Options(keep_variables=True))
    assert result.variables.keys() == values.keys() and result.engines == ["step"]
    assert all(np.array_equal(result.variables[name], values[name]) for name in values)


def test_the_engines_of_the_graph_say_why_they_do_not_run_it():
    text = """
variable w = 1.0, resource=false
optimize square(w) with gradient_descent(learning_rate=0.1)
session:
    train 3 steps:
        print w
"""
    notes = []
    tfdsl.compile(text).run(options=tfdsl.Options(note=notes.append))
    assert notes == ["line 5 trains step by step: w is a reference variable (resource=false)"]
    with pytest.raises(TfgError, match="w is a reference variable"):
        tfdsl.compile(text).run(options=tfdsl.Options(engine="xla"))


def test_ops_read_and_write_it():
    text = """
variable w = [1.0, 2.0, 3.0], resource=false
i = constant(0)
x = constant(0.0)
while i < 3:
    i = i + 1
    x = x + reduce_sum(w)
u = scatter_update(w, [0, 1], [5.0, 6.0])
r = raw.AssignSub(ref=w, value=[1.0, 1.0, 1.0])
after r:
    s = r * 2.0
forward = gradients(reduce_sum(w * w), [w], method="forward")
session:
    print x, gather(w, [0, 2]), w[1], is_variable_initialized(w), forward
    print u
    print s
    init w
    print w
"""
    assert tfdsl.compile(text).run().printed == [
        "18.0 [1. 3.] 2.0 True [[2. 4. 6.]]", "[5. 6. 3.]", "[8. 10. 4.]".replace("[8.", "[ 8.").replace(" 4.", "  4."),
        "[1. 2. 3.]",
    ]  # fmt: skip


def test_an_exported_model_has_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tfdsl.compile("""
placeholder X: float32[n, 2]
variable w: float32[2, 1] = ones, resource=false
p = X @ w
session:
    run assign(w, w * 3.0)
    export p with X to "model"
""").run()
    served = tf.saved_model.load("model").signatures["serving_default"]
    assert served(X=tf.constant([[1.0, 2.0]]))["p"].numpy().tolist() == [[9.0]]


def test_a_lifted_source_may_leave_the_order_open():
    text = "variable w = 1.0, resource=false\nup = assign_add(w, 1.0)\ny = w * 2.0\nsession: print up, y\n"
    assert [one.code for one in tfdsl.check(text)] == ["TFG585"]
    assert tfdsl.check("# lifted from old.meta, 7 nodes\n" + text) == []
