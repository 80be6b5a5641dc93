"""The chapter's graphs: the language builds the same ops with the same names as the calls by hand."""

import numpy as np
import tensorflow as tf
from by_hand import graph, ops, ops_of, put, run, same, session, variable
from tensorflow.compat import v1

import tfdsl

# --- nodes, sessions, graphs ------------------------------------------------------------------

BASICS = """
variable x = 3
variable y = 4
f = x*x*y + y + 2

session:
    print f
"""


def test_basics():
    def build():
        x, y = variable(3, "x"), variable(4, "y")
        tf.add(x * x * y + y, 2, name="f")

    program = tfdsl.compile(BASICS)
    assert ops_of(program) == ops(graph(build))
    result = program.run()
    assert result.printed == ["42"]
    assert same(result.values["f"], np.int32(42))


LIFECYCLE = """
w = constant(3)
x = w + 2
y = x + 5
z = x * 3
variable counter = 0
counted = assign_add(counter, 1)
both = [y, z]
after counted:
    y2 = identity(y)
    z2 = identity(z)

session:
    print y
    print z
    print y, z

session twice:
    print y2
    print z2
    print counter

session once:
    print y2, z2
    print counter
"""


def test_each_line_is_one_execution():
    assert run(LIFECYCLE).printed == ["10", "15", "10 15", "10", "15", "2", "10 15", "1"]


def test_lifecycle_nodes():
    def build():
        w = tf.constant(3, name="w")
        x = tf.add(w, 2, name="x")
        tf.add(x, 5, name="y")
        tf.multiply(x, 3, name="z")
        counter = variable(0, "counter")
        with tf.control_dependencies([counter.assign_add(1, name="counted")]):
            tf.identity(x.graph.get_tensor_by_name("y:0"), name="y2")
            tf.identity(x.graph.get_tensor_by_name("z:0"), name="z2")

    program = tfdsl.compile(LIFECYCLE)
    assert ops_of(program) == ops(graph(build))
    assert [op.name for op in program.graph.get_operation_by_name("z2").control_inputs] == ["counted"]


def test_graphs_share_nothing():
    program = tfdsl.compile("""
variable x1 = 1
graph other:
    variable x2 = 2
    double = x2 * 2
session:
    print x1
session second on other:
    print x2, double
""")
    assert program["x1"].graph is program.graph
    assert program["other.x2"].graph is program.built("other").graph
    assert ops_of(program) == ops(graph(lambda: variable(1, "x1")))
    assert ops_of(program, "other") == ops(graph(lambda: tf.multiply(variable(2, "x2"), 2, name="double")))
    assert program.run().printed == ["1", "2 4"]


def test_building_does_not_change_the_callers_default_graph():
    with tf.Graph().as_default() as mine:
        tfdsl.compile(BASICS).run()
        assert v1.get_default_graph() is mine
        assert not mine.get_operations()
    assert tf.executing_eagerly()


# --- placeholders -----------------------------------------------------------------------------


def test_a_placeholder_fed_twice():
    program = tfdsl.compile("""
placeholder A: float32[?, 3]
B = A + 5
session:
    print B with A = [[1, 2, 3]]
    print B with A = [[4, 5, 6], [7, 8, 9]]
""")
    by_hand = graph(lambda: tf.add(v1.placeholder(tf.float32, [None, 3], name="A"), 5, name="B"))
    assert ops_of(program) == ops(by_hand)
    assert program["A"].shape.as_list() == [None, 3]
    assert program.run().printed == ["[[6. 7. 8.]]", "[[ 9. 10. 11.]\n [12. 13. 14.]]"]


# --- scopes and sharing -----------------------------------------------------------------------


def test_name_scopes():
    program = tfdsl.compile("""
variable a0 = 0.0
scope param:
    variable a = 1.0
scope param:
    variable b = 2.0
    shared c = 3.0
total = add_n([a, b, c])
""")

    def build():
        variable(0.0, "a0")
        with v1.variable_scope("param"):
            a = variable(1.0, "a")
        with v1.variable_scope("param"):
            b = variable(2.0, "b")
            start = v1.constant_initializer(3.0)
            c = v1.get_variable("c", (), initializer=start, use_resource=True)
        tf.add_n([a, b, c], name="total")

    assert ops_of(program) == ops(graph(build))
    variables = [v.op.name for v in program.graph.get_collection("variables")]
    assert variables == ["a0", "param/a", "param_1/b", "param/c"]


def test_one_name_in_two_scopes():
    program = tfdsl.compile("""
scope param:
    variable a = 1.0
scope other:
    variable a = 2.0
    scope param:
        variable b = 3.0
c = param.a + other.a
session:
    print c, b, other.param.b
""")
    variables = [v.op.name for v in program.graph.get_collection("variables")]
    assert variables == ["param/a", "other/a", "other/param/b"]
    assert program.run().printed == ["3.0 3.0 3.0"]


def test_repeated_names_are_made_unique():
    """The chapter's name_scope("param") is opened twice, each time with a variable `a`: param/a and param_1/a."""
    program = tfdsl.compile("""
def param():
    variable a = 1.0
    return a
total = add_n([param(), param()])
""")
    assert [v.op.name for v in program.graph.get_collection("variables")] == ["param/a", "param_1/a"]


RELU = """
param n_features = 3
placeholder X: float32[?, n_features]

def relu(X):
    shared threshold = 0.0
    variable weights = random_normal([X.shape[1], 1])
    variable bias = 0.0
    z = X @ weights + bias
    return maximum(z, threshold)

output = add_n([relu(X) for i in range(5)])
"""


def relu_by_hand(shared):
    def relu(X):
        with v1.variable_scope("relu", reuse=v1.AUTO_REUSE):
            threshold = 0.0
            if shared:
                start = v1.constant_initializer(0.0)
                threshold = v1.get_variable("threshold", (), initializer=start, use_resource=True)
            weights = variable(v1.random_normal([3, 1]), "weights")
            z = tf.add(tf.matmul(X, weights), variable(0.0, "bias"), name="z")
            return tf.maximum(z, threshold)

    X = v1.placeholder(tf.float32, [None, 3], name="X")
    tf.add_n([relu(X) for i in range(5)], name="output")


CALLS = ("relu", "relu_1", "relu_2", "relu_3", "relu_4")


def test_relu_function():
    text = RELU.replace("    shared threshold = 0.0\n", "").replace("threshold", "0.0")
    program = tfdsl.compile(text)
    assert ops_of(program) == ops(graph(lambda: relu_by_hand(shared=False)))
    maxima = [name for name, type in ops_of(program) if type == "Maximum"]
    assert maxima == [f"{call}/Maximum" for call in CALLS]
    assert program["output"].op.name == "output"


def test_shared_threshold():
    program = tfdsl.compile(RELU)
    assert ops_of(program) == ops(graph(lambda: relu_by_hand(shared=True)))
    variables = [v.op.name for v in program.graph.get_collection("variables")]
    wanted = ["relu/threshold", *(f"{call}/{name}" for call in CALLS for name in ("weights", "bias"))]
    assert sorted(variables) == sorted(wanted)


def test_relu_computes_a_relu():
    """Every call has its own weights, and all share one threshold."""
    program = tfdsl.compile(RELU)
    with program.session() as s:
        threshold, *others = program.graph.get_collection("variables")
        weights = [s.session.run(v) for v in others if v.op.name.endswith("weights")]
        X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
        for level in (0.0, 1.5):
            put(s.session, threshold, level)
            wanted = sum(np.maximum(X @ w, np.float32(level)) for w in weights)
            np.testing.assert_allclose(s.run("output", {"X": X}), wanted, rtol=1e-5)
    assert len({w.tobytes() for w in weights}) == 5


def test_a_shared_variable_created_outside_is_reused():
    """The chapter's first way: the variable is created once in the scope, and then shared."""
    program = tfdsl.compile("""
seed 1
placeholder X: float32[?, 3]
scope relu:
    shared threshold = 0.5
def relu(X):
    shared threshold
    return maximum(X, threshold)
a = relu(X)
b = relu(X)
scope relu reuse:
    shared threshold = 0.5
    doubled = threshold * 2.0
session:
    print a, b with X = [[0, 1, 2]]
    print doubled
""")
    assert [v.op.name for v in program.graph.get_collection("variables")] == ["relu/threshold"]
    assert program.run().printed == ["[[0.5 1.  2. ]] [[0.5 1.  2. ]]", "1.0"]


# --- gradients of code ------------------------------------------------------------------------

LOOP = """
variable a = 0.2
variable b = 0.3
z = constant(0.0)
for i in range(20):
    z = a * cos(z + i) + z * sin(b - i)
da, db = gradients(z, [a, b])

session:
    print da, db
"""


def test_gradients_of_a_loop():
    def build():
        a, b = variable(0.2, "a"), variable(0.3, "b")
        z = tf.constant(0.0, name="z")
        for i in range(20):
            z = tf.add(a * tf.cos(z + i), z * tf.sin(b - i), name="z")
        return v1.gradients(z, [a, b])

    by_hand = graph(build)
    program = tfdsl.compile(LOOP)
    assert ops_of(program) == ops(by_hand)
    with session(by_hand) as s:
        da, db = s.run(by_hand.made)
    values = program.run().values
    assert same(values["da"], da)
    assert same(values["db"], db)

    # Independent of TensorFlow's rules: central differences in double precision.
    def z(a, b):
        z = 0.0
        for i in range(20):
            z = a * np.cos(z + i) + z * np.sin(b - i)
        return z

    h = 1e-6
    np.testing.assert_allclose(da, (z(0.2 + h, 0.3) - z(0.2 - h, 0.3)) / (2 * h), rtol=1e-4)
    np.testing.assert_allclose(db, (z(0.2, 0.3 + h) - z(0.2, 0.3 - h)) / (2 * h), rtol=1e-4)


# --- summaries --------------------------------------------------------------------------------

SUMMARIES = """
placeholder a: float32[2]
placeholder pixels: float32[2, 4, 4, 1]
scope layer:
    mean = reduce_mean(a)
    summary scalar mean as "mean of a"
summary scalar mean as "MSE"
summary histogram a as "weights"
summary image pixels as "digits"
summary text constant("a note") as "note"
summary scalar mean as "layer"
"""


def test_summaries():
    def build():
        a = v1.placeholder(tf.float32, [2], name="a")
        pixels = v1.placeholder(tf.float32, [2, 4, 4, 1], name="pixels")
        with v1.variable_scope("layer"):
            mean = tf.reduce_mean(a, name="mean")
            made = [v1.summary.scalar("mean_of_a", mean)]
        made += [v1.summary.scalar("MSE", mean), v1.summary.histogram("weights", a)]
        made += [v1.summary.image("digits", pixels), v1.summary.text("note", tf.constant("a note"))]
        return [*made, v1.summary.scalar("layer", mean)], {a: [1, 2], pixels: np.ones([2, 4, 4, 1])}

    by_hand = graph(build)
    program = tfdsl.compile(SUMMARIES)
    assert ops_of(program) == ops(by_hand)
    summaries, feeds = by_hand.made
    with session(by_hand) as s:
        wanted = [v1.Summary.FromString(one) for one in s.run(summaries, feeds)]
    with v1.Session(graph=program.graph) as s:
        feeds = {tensor.name: value for tensor, value in feeds.items()}
        written = s.run(program.graph.get_collection(v1.GraphKeys.SUMMARIES), feeds)
    ours = [v1.Summary.FromString(one) for one in written]
    # By hand, a tag yields to a node with its name, and may have only letters.
    assert [value.tag for one in wanted for value in one.value] == [
        "layer/mean_of_a", "MSE", "weights", "digits/image/0", "digits/image/1", "note", "layer_1",
    ]  # fmt: skip
    assert [value.tag for one in ours for value in one.value] == [
        "layer/mean of a", "MSE", "weights", "digits/image/0", "digits/image/1", "note", "layer",
    ]  # fmt: skip
    for one in (*wanted, *ours):
        for value in one.value:
            value.ClearField("tag")
    assert ours == wanted


def test_summaries_in_a_function_have_unique_tags():
    program = tfdsl.compile("""
def layer(a):
    summary scalar a as "value"
    return a + 1.0
b = layer(layer(constant(1.0)))
summary scalar b as "value"
summary scalar b * 2.0 as "value"
session:
    log to "logs"
    log
""")
    written = []
    with v1.Session(graph=program.graph) as s:
        for one in s.run(program.graph.get_collection(v1.GraphKeys.SUMMARIES)):
            written += [(value.tag, value.simple_value) for value in v1.Summary.FromString(one).value]
    assert written == [("layer/value", 1.0), ("layer_1/value", 2.0), ("value", 3.0), ("value_1", 6.0)]
