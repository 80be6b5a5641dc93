"""Variables made in an `after`: their initial values do not wait, like those of TensorFlow's `get_variable`."""

import pytest
import tensorflow as tf

import tfdsl

v1 = tf.compat.v1


def printed(text):
    return tfdsl.compile(text).run().printed


MADE = {
    "shared": "shared w: float32[2, 1] = ones",
    "variable": "variable w: float32[2, 1] = ones",
    "a call": "variable w = ones([2, 1])",
    "a random one": "variable w: float32[2, 1] = random_uniform([2, 1], 1.0, 1.0, seed=1)",
    "numbers": "variable w = [[1.0], [1.0]]",
    "arithmetic": "variable w = ones([2, 1]) * 2.0 - 1.0",
    "of another variable": "variable w = fill([2, 1], base * 1.0)",
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
@pytest.mark.parametrize("scope", ["", "scope inside:"])
def test_an_initial_value_does_not_run_the_blocks_ops(made, scope):
    lines = f"    {scope}\n        {made}\n        h = w * 2.0\n" if scope else f"    {made}\n    h = w * 2.0\n"
    text = f"variable base = 1.0\nvariable c = 0\ninc = assign_add(c, 1)\nafter inc:\n{lines}"
    session = "session:\n    print c\n    print w\n    print c\n    print h\n    print c\n"
    assert printed(text + session) == ["0", "[[1.]\n [1.]]", "0", "[[2.]\n [2.]]", "1"]


def test_a_layer_after_a_check():
    """The initial values do not need the inputs of the check, but the output of the layer still waits for it."""
    text = """\
import nn
placeholder x: float32[n, 2]
after assert_positive(x):
    h = nn.dense(x, 1, initializer=ones)
loss reduce_mean(h)
optimize with gradient_descent(learning_rate=0.0)
session:
    train 2 steps:
        feed x = [[1, 2]]
    print h with x = [[1, 2]]
    expect h == [[0]] with x = [[1, -2]]
"""
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run()
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("TFG702", 3)
    assert printed(text[: text.index("    expect")]) == ["[[3.]]"]


def test_nested_blocks():
    text = """\
variable c = 0
one = assign_add(c, 1)
two = assign_add(c, 10)
after one:
    variable a = 1.0
    after two:
        variable b = a * 3.0
        y = a + b
    z = b * 2.0
session:
    print a, b, c
    print z
    print c
    print y
    print c
"""
    assert printed(text) == ["1.0 3.0 0", "6.0", "1", "4.0", "12"]


def test_an_earlier_node_still_waits():
    """What the program itself makes in an `after` waits for it, even if it is an initial value."""
    text = """\
variable c = 0
after assign_add(c, 1):
    start = ones([2])
    variable w = start
session:
    init c
    init w
    print c
"""
    assert printed(text) == ["1"]


def controls(graph):
    return {op.name: sorted(one.name for one in op.control_inputs) for op in graph.get_operations()}


def test_the_graph_by_hand():
    """The same ops with the same names and the same control inputs."""
    text = """\
variable c = 0
inc = assign_add(c, 1)
after inc:
    shared w: float32[2, 1] = [[0.5], [0.5]]
    variable v = [1.0, 2.0]
    loss reduce_sum(w) + reduce_sum(v)
    optimize with adam(learning_rate=0.1)
"""
    graph = tf.Graph()
    with graph.as_default():
        c = v1.Variable(0, use_resource=True, name="c")
        inc = c.assign_add(1, name="inc")
        with tf.control_dependencies([inc]):
            w = v1.get_variable("w", [2, 1], initializer=v1.constant_initializer([[0.5], [0.5]]), use_resource=True)
            v = v1.Variable([1.0, 2.0], use_resource=True, name="v")
            loss = v1.reduce_sum(w) + v1.reduce_sum(v)
            v1.train.AdamOptimizer(learning_rate=0.1).minimize(loss)
    assert controls(tfdsl.compile(text).graph) == controls(graph)
