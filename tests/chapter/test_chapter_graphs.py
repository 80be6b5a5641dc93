"""The chapter's graphs: the language builds the ops, under the names, that the same calls by hand build."""

import numpy as np
import pytest
import tensorflow as tf
from by_hand import DATA, FEATURES, TARGET, graph, ops, put, run, same, session, variable
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
    assert ops(program.graph) == ops(graph(build))
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


def test_a_line_is_one_execution_and_two_lines_are_two():
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
    assert ops(program.graph) == ops(graph(build))
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
    assert ops(program.graph) == ops(graph(lambda: variable(1, "x1")))
    assert ops(program.built("other").graph) == ops(
        graph(lambda: tf.multiply(variable(2, "x2"), 2, name="double"))
    )
    assert program.run().printed == ["1", "2 4"]


def test_building_leaves_the_callers_default_graph_alone():
    with tf.Graph().as_default() as mine:
        tfdsl.compile(BASICS).run()
        assert v1.get_default_graph() is mine
        assert not mine.get_operations()
    assert tf.executing_eagerly()


# --- linear regression ------------------------------------------------------------------------


def test_normal_equation():
    def build():
        X, y = tf.constant(FEATURES, name="X"), tf.constant(TARGET, name="y")
        XT = tf.transpose(X, name="XT")
        return tf.matmul(tf.matmul(v1.matrix_inverse(tf.matmul(XT, X)), XT), y, name="theta")

    by_hand = graph(build)
    program = tfdsl.compile("""
data houses = california_housing()
X = constant(houses.features)
y = constant(houses.target)
XT = transpose(X)
theta = matrix_inverse(XT @ X) @ XT @ y
session:
    print theta
""", data=DATA)  # fmt: skip
    assert ops(program.graph) == ops(by_hand)
    with session(by_hand) as s:
        assert same(program.run().values["theta"], s.run(by_hand.made))
    np.testing.assert_allclose(
        program.run().values["theta"], np.linalg.lstsq(FEATURES, TARGET, rcond=None)[0], rtol=1e-4
    )


def regression(scope=None):
    """Data, model and loss of the chapter, by hand."""
    v1.set_random_seed(42)
    X, y = tf.constant(FEATURES, name="X"), tf.constant(TARGET, name="y")
    theta = variable(v1.random_uniform([3, 1], -1.0, 1.0, seed=42), "theta")
    predictions = tf.matmul(X, theta, name="predictions")
    with v1.variable_scope("loss"):
        error = tf.subtract(predictions, y, name="error")
        mse = tf.reduce_mean(tf.square(error), name="mse")
    return X, theta, error, mse


REGRESSION = """
seed 42
data houses = california_housing()
X = constant(houses.features)
y = constant(houses.target)
variable theta = random_uniform([3, 1], -1.0, 1.0, seed=42)
predictions = X @ theta
scope loss:
    error = predictions - y
    mse = reduce_mean(square(error))
"""
TRAINING = """
session:
    train 5 epochs:
        every 1 epoch: print epoch, mse
        run training_op
    print theta
"""


def manual():
    X, theta, error, mse = regression()
    gradient = tf.multiply(np.float32(2 / 20), tf.matmul(tf.transpose(X), error), name="gradient")
    return theta, mse, v1.assign(theta, theta - 0.01 * gradient, name="training_op")


def autodiff():
    X, theta, error, mse = regression()
    return theta, mse, v1.assign(theta, theta - 0.01 * v1.gradients(mse, [theta])[0], name="training_op")


def optimizer(make):
    def build():
        X, theta, error, mse = regression()
        return theta, mse, make().minimize(mse, name="training_op")

    return build


def trained(by_hand, steps):
    """The losses before each step and the variables after the last, by hand."""
    theta, mse, step = by_hand.made
    with session(by_hand) as s:
        losses = []
        for _ in range(steps):
            losses.append(s.run(mse))
            s.run(step)
        return losses, s.run({v.op.name: v for v in by_hand.get_collection("variables")})


@pytest.mark.parametrize(
    ("text", "build"),
    [
        pytest.param(
            "gradient = 2 / houses.rows * (transpose(X) @ error)\n"
            "training_op = assign(theta, theta - 0.01 * gradient)\n",
            manual,
            id="manual",
        ),
        pytest.param(
            "training_op = assign(theta, theta - 0.01 * gradients(mse, [theta])[0])\n", autodiff, id="autodiff"
        ),
        pytest.param(
            "loss mse\noptimize with gradient_descent as training_op\n",
            optimizer(lambda: v1.train.GradientDescentOptimizer(0.01)),
            id="optimizer",
        ),
    ],
)
def test_gradient_descent(text, build):
    by_hand = graph(build)
    program = tfdsl.compile(REGRESSION + text + TRAINING, data=DATA)
    assert ops(program.graph) == ops(by_hand)
    losses, variables = trained(by_hand, 5)
    result = program.run()
    assert result.printed[:5] == [f"{epoch} {loss!s}" for epoch, loss in enumerate(losses)]
    assert same(result.values["theta"], variables["theta"])


def proximal(name):
    return lambda: getattr(v1.train, name)(
        0.05, l1_regularization_strength=0.01, l2_regularization_strength=0.02
    )


OPTIMIZERS = {
    "gradient_descent(learning_rate=0.05)": lambda: v1.train.GradientDescentOptimizer(0.05),
    "momentum(0.9)": lambda: v1.train.MomentumOptimizer(0.01, 0.9),
    "momentum(0.8, use_nesterov=true, learning_rate=0.05)": lambda: v1.train.MomentumOptimizer(
        0.05, 0.8, use_nesterov=True
    ),
    "adam": lambda: v1.train.AdamOptimizer(0.01),
    "adam(beta1=0.8, beta2=0.99, epsilon=1e-4, learning_rate=0.05)": lambda: v1.train.AdamOptimizer(
        0.05, 0.8, 0.99, 1e-4
    ),
    "rmsprop": lambda: v1.train.RMSPropOptimizer(0.01),
    "rmsprop(0.8, 0.1, 1e-6, true, learning_rate=0.05)": lambda: v1.train.RMSPropOptimizer(
        0.05, 0.8, 0.1, 1e-6, centered=True
    ),
    "adagrad": lambda: v1.train.AdagradOptimizer(0.01),
    "adadelta(0.9, learning_rate=0.05)": lambda: v1.train.AdadeltaOptimizer(0.05, 0.9),
    "ftrl": lambda: v1.train.FtrlOptimizer(0.01),
    "ftrl(l1_regularization_strength=0.01)": lambda: v1.train.FtrlOptimizer(
        0.01, l1_regularization_strength=0.01
    ),
    "proximal_gradient_descent(0.01, 0.02, learning_rate=0.05)": proximal("ProximalGradientDescentOptimizer"),
    "proximal_adagrad(0.1, 0.01, 0.02, learning_rate=0.05)": proximal("ProximalAdagradOptimizer"),
}


@pytest.mark.parametrize("written", OPTIMIZERS)
def test_optimizers_and_their_slots(written):
    """Three steps: the same ops, and the same bits in the weights and in every slot."""
    by_hand = graph(optimizer(OPTIMIZERS[written]))
    text = REGRESSION + f"loss mse\noptimize with {written} as training_op\n"
    program = tfdsl.compile(text, data=DATA)
    assert ops(program.graph) == ops(by_hand)
    losses, variables = trained(by_hand, 3)
    with program.session() as s:
        for _ in range(3):
            s.run("training_op")
        ours = {v.op.name: s.session.run(v) for v in program.graph.get_collection("variables")}
    assert ours.keys() == variables.keys()
    assert all(same(ours[name], variables[name]) for name in variables)
    if written.startswith("momentum"):
        assert "theta/Momentum" in ours


def test_an_optimizer_without_a_name_is_tensorflows():
    by_hand = graph(lambda: v1.train.AdamOptimizer(0.01).minimize(regression()[-1]))
    assert ops(tfdsl.compile(REGRESSION + "optimize mse with adam\n", data=DATA).graph) == ops(by_hand)


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
    assert ops(program.graph) == ops(by_hand)
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

    assert ops(program.graph) == ops(graph(build))
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
    """The chapter's name_scope("param") opened twice, each with a variable `a`: param/a and param_1/a."""
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
    assert ops(program.graph) == ops(graph(lambda: relu_by_hand(shared=False)))
    maxima = [name for name, type in ops(program.graph) if type == "Maximum"]
    assert maxima == [f"{call}/Maximum" for call in CALLS]
    assert program["output"].op.name == "output"


def test_shared_threshold():
    program = tfdsl.compile(RELU)
    assert ops(program.graph) == ops(graph(lambda: relu_by_hand(shared=True)))
    variables = [v.op.name for v in program.graph.get_collection("variables")]
    wanted = ["relu/threshold", *(f"{call}/{name}" for call in CALLS for name in ("weights", "bias"))]
    assert sorted(variables) == sorted(wanted)


def test_relu_computes_a_relu():
    """Every call has weights of its own, and the threshold of one is the threshold of all."""
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


def test_a_shared_variable_made_outside_and_reused():
    """The chapter's first way: created once in the scope, then only shared."""
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
for i in range(100):
    z = a * cos(z + i) + z * sin(b - i)
da, db = gradients(z, [a, b])

session:
    print da, db
"""


def test_gradients_of_a_loop():
    def build():
        a, b = variable(0.2, "a"), variable(0.3, "b")
        z = tf.constant(0.0, name="z")
        for i in range(100):
            z = tf.add(a * tf.cos(z + i), z * tf.sin(b - i), name="z")
        return v1.gradients(z, [a, b])

    by_hand = graph(build)
    program = tfdsl.compile(LOOP)
    assert ops(program.graph) == ops(by_hand)
    with session(by_hand) as s:
        da, db = s.run(by_hand.made)
    values = program.run().values
    assert same(values["da"], da)
    assert same(values["db"], db)


def test_gradients_of_a_loop_by_differences():
    """Independent of TensorFlow's rules: central differences in double precision."""

    def z(a, b):
        z = 0.0
        for i in range(100):
            z = a * np.cos(z + i) + z * np.sin(b - i)
        return z

    h = 1e-6
    values = run(LOOP).values
    np.testing.assert_allclose(values["da"], (z(0.2 + h, 0.3) - z(0.2 - h, 0.3)) / (2 * h), rtol=1e-4)
    np.testing.assert_allclose(values["db"], (z(0.2, 0.3 + h) - z(0.2, 0.3 - h)) / (2 * h), rtol=1e-4)


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
    assert ops(program.graph) == ops(by_hand)
    summaries, feeds = by_hand.made
    with session(by_hand) as s:
        wanted = [v1.Summary.FromString(one) for one in s.run(summaries, feeds)]
    with v1.Session(graph=program.graph) as s:
        feeds = {tensor.name: value for tensor, value in feeds.items()}
        written = s.run(program.graph.get_collection(v1.GraphKeys.SUMMARIES), feeds)
    ours = [v1.Summary.FromString(one) for one in written]
    # By hand a tag gives way to any node of its name, and takes only letters.
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


def test_summaries_in_a_function_have_tags_of_their_own():
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
