"""Programs in `models/` that show a part of the chapter, against the same programs by hand in TensorFlow 1.

The two build the same ops with the same names, compute the same values to the last bit, and print the same lines. The
programs by hand are written like those of the chapter. They return the lines that they print.
"""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from beside_by_hand import BY_HAND as PORTS
from by_hand import graph, ops, ops_of, session, variable
from tensorflow.compat import v1

import tfdsl
from tfdsl.data.batches import BatchOrder
from tfdsl.data.sources.california_housing import fetch

MODELS = Path(__file__).resolve().parent.parent.parent / "models"
PAIRS = {}
# Models whose graph has more than the chapter's, for their `expect` statements.
EXPECTING = ("autodiff_passes", "name_scopes", "normal_equation")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder to write to, and the stand-in for the California housing data."""

    def unreachable():
        raise OSError("no network in tests")

    monkeypatch.setattr(fetch, "fetched", unreachable)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def model(name, **params):
    """A program by hand for a model. It builds a graph, and then yields the lines that its sessions print."""

    def decorate(function):
        PAIRS[name] = function, params
        return function

    return decorate


class Chapter:
    """What a program by hand needs: data, and sessions on the graph under construction."""

    def __init__(self, compiled, name=""):
        self.compiled, self.name = compiled, name
        self.graph = tf.Graph()

    def data(self, name):
        return self.compiled.dataset(name)

    def built(self):
        """The ops that exist when the first session opens. Savers and `set` add ops later."""
        self.ops = ops(self.graph)

    def session(self):
        if not hasattr(self, "ops"):
            self.built()
        return session(self.graph)


def line(*values):
    return " ".join(map(str, values))


# --- nodes, graphs, placeholders --------------------------------------------------------------


@model("basics")
def basics(chapter):
    x, y = variable(3, "x"), variable(4, "y")
    f = tf.add(x * x * y + y, 2, name="f")
    with chapter.session() as sess:
        yield line(sess.run(f))


@model("lifecycle")
def lifecycle(chapter):
    counter = variable(0, "counter")
    w = tf.constant(3, name="w")
    with tf.control_dependencies([counter.assign_add(1, name="counted")]):
        x = tf.add(w, 2, name="x")
    y = tf.add(x, 5, name="y")
    z = tf.multiply(x, 3, name="z")
    with chapter.session() as sess:
        yield line(sess.run(y))
        yield line(sess.run(z))
    with chapter.session() as sess:
        yield line(*sess.run([y, z]))


@model("placeholders")
def placeholders(chapter):
    A = v1.placeholder(tf.float32, [None, 3], name="A")
    B = tf.add(A, 5, name="B")
    with chapter.session() as sess:
        yield line(sess.run(B, {A: [[1, 2, 3]]}))
        yield line(sess.run(B, {A: [[4, 5, 6], [7, 8, 9]]}))


# --- linear regression ------------------------------------------------------------------------


def solve(dataset, scope):
    with v1.variable_scope(scope):
        X, y = tf.constant(dataset.features, name="X"), tf.constant(dataset.target, name="y")
        XT = tf.transpose(X, name="XT")
        return tf.matmul(tf.matmul(v1.matrix_inverse(tf.matmul(XT, X)), XT), y)


@model("normal_equation")
def normal_equation(chapter):
    theta = solve(chapter.data("housing"), "solve")
    solve(chapter.data("diabetes"), "solve")
    with chapter.session() as sess:
        yield line(sess.run(theta))


def regression(chapter):
    v1.set_random_seed(42)
    housing = chapter.data("housing")
    X, y = tf.constant(housing.features, name="X"), tf.constant(housing.target, name="y")
    theta = variable(v1.random_uniform([9, 1], -1.0, 1.0, seed=42), "theta")
    error = tf.subtract(tf.matmul(X, theta, name="predictions"), y, name="error")
    mse = tf.reduce_mean(tf.square(error), name="mse")
    return X, theta, error, mse


def descend(chapter, theta, mse, training_op, n_epochs, every):
    with chapter.session() as sess:
        for epoch in range(n_epochs):
            if epoch % every == 0:
                yield line("Epoch", epoch, "MSE =", sess.run(mse))
            sess.run(training_op)
        yield "Best theta:"
        yield line(sess.run(theta))


@model("gradient_descent_by_hand", n_epochs=300)
def gradient_descent_by_hand(chapter):
    X, theta, error, mse = regression(chapter)
    m = len(chapter.data("housing").features)
    gradient = tf.multiply(np.float32(2 / m), tf.matmul(tf.transpose(X), error), name="gradient")
    training_op = v1.assign(theta, theta - 0.01 * gradient, name="training_op")
    yield from descend(chapter, theta, mse, training_op, 300, 100)


@model("gradient_descent_autodiff", n_epochs=300)
def gradient_descent_autodiff(chapter):
    _, theta, _, mse = regression(chapter)
    gradient = v1.gradients(mse, [theta])[0]
    training_op = v1.assign(theta, theta - 0.01 * gradient, name="training_op")
    yield from descend(chapter, theta, mse, training_op, 300, 100)


@model("gradient_descent_optimizer", n_epochs=300)
def gradient_descent_optimizer(chapter):
    _, theta, _, mse = regression(chapter)
    training_op = v1.train.GradientDescentOptimizer(learning_rate=0.01).minimize(mse, name="training_op")
    yield from descend(chapter, theta, mse, training_op, 300, 100)


@model("momentum", n_epochs=60)
def momentum(chapter):
    _, theta, _, mse = regression(chapter)
    training_op = v1.train.MomentumOptimizer(learning_rate=0.01, momentum=0.9).minimize(mse, name="training_op")
    yield from descend(chapter, theta, mse, training_op, 60, 20)


@model("mini_batches", n_epochs=2)
def mini_batches(chapter):
    v1.set_random_seed(42)
    housing = chapter.data("housing")
    X = v1.placeholder(tf.float32, [None, 9], name="X")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    theta = variable(v1.random_uniform([9, 1], -1.0, 1.0, seed=42), "theta")
    error = tf.subtract(tf.matmul(X, theta, name="predictions"), y, name="error")
    mse = tf.reduce_mean(tf.square(error), name="mse")
    training_op = v1.train.GradientDescentOptimizer(learning_rate=0.01).minimize(mse, name="training_op")
    m, batch_size = len(housing.features), 100
    n_batches = int(np.ceil(m / batch_size))

    def fetch_batch(epoch, batch_index):
        np.random.seed(epoch * n_batches + batch_index)
        indices = np.random.randint(m, size=batch_size)
        return housing.features[indices], housing.target[indices]

    with chapter.session() as sess:
        for epoch in range(2):
            for batch_index in range(n_batches):
                X_batch, y_batch = fetch_batch(epoch, batch_index)
                sess.run(training_op, {X: X_batch, y: y_batch})
        yield "Best theta:"
        yield line(sess.run(theta))


# --- saving and logging -----------------------------------------------------------------------


@model("save_and_restore")
def save_and_restore(chapter):
    v1.set_random_seed(42)
    housing = chapter.data("housing")
    X, y = tf.constant(housing.features, name="X"), tf.constant(housing.target, name="y")
    theta = variable(v1.random_uniform([9, 1], -1.0, 1.0, seed=42), "theta")
    mse = tf.reduce_mean(tf.square(tf.matmul(X, theta) - y), name="mse")
    training_op = v1.train.GradientDescentOptimizer(learning_rate=0.01).minimize(mse)
    chapter.built()
    saver = v1.train.Saver()
    with chapter.session() as sess:
        for epoch in range(500):
            if epoch % 100 == 0:
                yield line("Epoch", epoch, "MSE =", sess.run(mse))
                saver.save(sess, "by_hand/my_model.ckpt")
            sess.run(training_op)
        saver.save(sess, "by_hand/my_model_final.ckpt")
    with v1.Session(graph=chapter.graph) as sess:
        saver.restore(sess, "by_hand/my_model_final.ckpt")
        yield line("restored MSE =", sess.run(mse))
    with v1.Session(graph=chapter.graph) as sess:
        saver.restore(sess, "by_hand/my_model.ckpt")
        for epoch in range(100):
            if epoch % 50 == 0:
                yield line("Epoch", epoch, "MSE =", sess.run(mse))
            sess.run(training_op)


@model("restore_renamed")
def restore_renamed(chapter):
    theta, other = variable([[1.0], [2.0]], "theta"), variable([[0.0], [0.0]], "other")
    trained = v1.assign(theta, theta * 10.0, name="trained")
    chapter.built()
    saver, into_another = v1.train.Saver({"weights": theta}), v1.train.Saver({"weights": other})
    with chapter.session() as sess:
        sess.run(trained)
        saver.save(sess, "by_hand/weights.ckpt")
    with chapter.session() as sess:
        saver.restore(sess, "by_hand/weights.ckpt")
        yield line(sess.run(theta))
    with chapter.session() as sess:
        into_another.restore(sess, "by_hand/weights.ckpt")
        yield line(sess.run(other))


@model("tensorboard")
def tensorboard(chapter):
    v1.set_random_seed(42)
    housing = chapter.data("housing")
    X = v1.placeholder(tf.float32, [None, 9], name="X")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    theta = variable(v1.random_uniform([9, 1], -1.0, 1.0, seed=42), "theta")
    mse = tf.reduce_mean(tf.square(tf.matmul(X, theta) - y), name="mse")
    training_op = v1.train.GradientDescentOptimizer(learning_rate=0.01).minimize(mse)
    mse_summary = v1.summary.scalar("MSE", mse)
    v1.summary.histogram("weights", theta)
    m, batch_size = len(housing.features), 100
    n_batches = int(np.ceil(m / batch_size))
    with chapter.session() as sess, v1.summary.FileWriter("by_hand", chapter.graph) as file_writer:
        for step in range(5 * n_batches):
            np.random.seed(step)
            indices = np.random.randint(m, size=batch_size)
            fed = {X: housing.features[indices], y: housing.target[indices]}
            if step % n_batches % 10 == 0:
                file_writer.add_summary(sess.run(mse_summary, fed), step)
            sess.run(training_op, fed)
        yield line("MSE =", sess.run(mse, {X: housing.features, y: housing.target}))


def scalars(folder):
    """The (step, value) pairs of the event files in a folder, by tag."""
    found = {}
    for path in sorted(Path(folder).rglob("events.*")):
        for event in v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


@pytest.mark.long
def test_the_same_scalars_are_logged(here):
    compiled = compiled_model("tensorboard")
    printed = compiled.run().printed
    with (chapter := Chapter(compiled)).graph.as_default():
        assert printed == list(tensorboard(chapter))
    # TensorFlow's own function uses the op's name as the tag, which is MSE_1 because there is a node mse.
    assert scalars("by_hand") == {"MSE_1": scalars("tf_logs")["MSE"]}
    assert len(scalars("tf_logs")["MSE"]) == 5 * 21


# --- scopes and sharing -----------------------------------------------------------------------


@model("name_scopes")
def name_scopes(chapter):
    v1.set_random_seed(42)
    X = v1.placeholder(tf.float32, [None, 2], name="X")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    theta = variable(v1.random_uniform([2, 1], -1.0, 1.0, seed=42), "theta")
    predictions = tf.matmul(X, theta, name="predictions")
    with tf.name_scope("loss"):
        error = tf.subtract(predictions, y, name="error")
        mse = tf.reduce_mean(tf.square(error), name="mse")
    training_op = v1.train.GradientDescentOptimizer(learning_rate=0.01).minimize(mse, name="training_op")
    made = [variable(1.0, "a"), variable(2.0, "b")]
    for _ in range(2):
        with v1.name_scope("param"):
            made.append(variable(3.0, "a"))
    assert [v.op.name for v in made] == ["a", "b", "param/a", "param_1/a"]
    assert (error.op.name, mse.op.name) == ("loss/error", "loss/mse")
    fed = {X: [[1, 2], [3, 4]], y: [[5], [11]]}
    with chapter.session() as sess:
        yield line("MSE =", sess.run(mse, fed))
        for _ in range(2000):
            sess.run(training_op, fed)
        yield line(sess.run(theta))


@model("variable_scopes")
def variable_scopes(chapter):
    with v1.variable_scope("my_scope"):
        x = v1.get_variable("x", shape=(), initializer=v1.constant_initializer(0.0), use_resource=True)
        y, z = variable(1.0, "y"), variable(2.0, "z")
    with v1.variable_scope("my_scope", reuse=True):
        assert v1.get_variable("x", use_resource=True) is x
        y2, z2 = variable(11.0, "y2"), variable(12.0, "z2")
    made = [x, y, z, y2, z2]
    assert [v.op.name for v in made] == ["my_scope/x", "my_scope/y", "my_scope/z", "my_scope_1/y2", "my_scope_1/z2"]
    up = x.assign_add(5.0, name="up")
    with chapter.session() as sess:
        sess.run(up)
        yield line(*sess.run(made))


def weighted(X, threshold):
    weights = variable(v1.random_normal([3, 1], seed=1), "weights")
    bias = variable(0.0, "bias")
    z = tf.add(tf.matmul(X, weights), bias, name="z")
    return tf.maximum(z, threshold)


def threshold(value=None):
    initializer = None if value is None else v1.constant_initializer(value)
    return v1.get_variable("threshold", shape=(), initializer=initializer, use_resource=True)


def summed(chapter, relus):
    output = tf.add_n(relus, name="output")
    with chapter.session() as sess:
        yield line(sess.run(output, {"X:0": [[1, 2, 3], [4, 5, 6]]}))


@model("relu_repeated")
def relu_repeated(chapter):
    v1.set_random_seed(7)
    X = v1.placeholder(tf.float32, [None, 3], name="X")
    w1 = variable(v1.random_normal([3, 1], seed=1), "w1")
    w2 = variable(v1.random_normal([3, 1], seed=2), "w2")
    b1, b2 = variable(0.0, "b1"), variable(0.0, "b2")
    z1 = tf.add(tf.matmul(X, w1), b1, name="z1")
    tf.add(tf.matmul(X, w2), b2, name="z2")
    relu1 = tf.maximum(z1, 0.0, name="relu1")
    relu2 = tf.maximum(z1, 0.0, name="relu2")  # the slip
    output = tf.add(relu1, relu2, name="output")
    with chapter.session() as sess:
        yield line(sess.run(output, {X: [[1, 2, 3], [4, 5, 6]]}))


@model("relu")
def relu(chapter):
    v1.set_random_seed(7)
    X = v1.placeholder(tf.float32, [None, 3], name="X")
    relus = []
    for _ in range(5):
        with v1.variable_scope("relu"):
            relus.append(weighted(X, 0.0))
    names = [v.op.name for v in chapter.graph.get_collection("variables")]
    assert names[:4] == ["relu/weights", "relu/bias", "relu_1/weights", "relu_1/bias"]
    assert names[-1] == "relu_4/bias"
    yield from summed(chapter, relus)


@model("shared_outside")
def shared_outside(chapter):
    v1.set_random_seed(7)
    X = v1.placeholder(tf.float32, [None, 3], name="X")
    with v1.variable_scope("relu"):
        threshold(0.5)
    relus = []
    for _ in range(5):
        with v1.variable_scope("relu", reuse=True):
            relus.append(weighted(X, threshold()))
    yield from summed(chapter, relus)


@model("shared_in_first_call")
def shared_in_first_call(chapter):
    v1.set_random_seed(7)
    X = v1.placeholder(tf.float32, [None, 3], name="X")
    relus = []
    for index in range(5):
        with v1.variable_scope("relu", reuse=index > 0):
            relus.append(weighted(X, threshold(0.0)))
    yield from summed(chapter, relus)


@model("shared_by_reuse")
def shared_by_reuse(chapter):
    v1.set_random_seed(7)
    X = v1.placeholder(tf.float32, [None, 3], name="X")
    relus = []
    for index in range(5):
        with v1.variable_scope("relu", reuse=index > 0), v1.variable_scope("unit"):
            relus.append(weighted(X, threshold(0.0)))
    yield from summed(chapter, relus)


# --- exercises --------------------------------------------------------------------------------


@model("one_or_two_executions")
def one_or_two_executions(chapter):
    v1.set_random_seed(1)
    counter = variable(0, "counter")
    noise = v1.random_normal([], name="noise")
    counted = counter.assign_add(1, name="counted")
    a, b = tf.add(noise, 1.0, name="a"), tf.add(noise, 1.0, name="b")
    with chapter.session() as sess:
        one, other = sess.run([a, b])
        assert one == other and sess.run(a) != sess.run(b)
        seen = sess.run([counted, counter])
        assert seen[0] == 1 and seen[1] in (0, 1)  # the order of the read is undefined
        yield line(seen[0])
    with chapter.session() as sess:
        sess.run(counted)
        sess.run(counted)
        yield line(sess.run(counter))


@model("own_copy")
def own_copy(chapter):
    x = variable(0, "x")
    up = x.assign_add(1, name="up")
    mine = chapter.session()
    yours = chapter.session()
    for _ in range(3):
        mine.run(up)
    yield line("mine:", mine.run(x))
    yield line("yours:", yours.run(x))


@model("set_variable")
def set_variable(chapter):
    x = variable(v1.random_uniform([], 0.0, 1.0, seed=42), "x")
    x_new = v1.placeholder(tf.float32, [], name="x_new")
    x_assign = v1.assign(x, x_new, name="x_assign")
    with chapter.session() as sess:
        yield line(sess.run(x))
        sess.run(x_assign, {x_new: 5.0})
        yield line(sess.run(x))
    with chapter.session() as sess:
        x.load(5.0, sess)
        yield line(sess.run(x))


@model("autodiff_passes")
def autodiff_passes(chapter, turns=100):
    """Reverse mode. The other methods are not in TensorFlow, and the model expects them to agree with it."""
    a, b = variable(0.2, "a"), variable(0.3, "b")
    y = tf.constant(0.0, name="y")
    for i in range(turns):
        y = tf.add(a * tf.cos(y + i), y * tf.sin(b - i), name="y")
    reverse = v1.gradients(y, [a, b], name="reverse")
    with chapter.session() as sess:
        yield line(*sess.run(reverse))


@model("logistic_regression", n_epochs=21)
def logistic_regression(chapter):
    v1.set_random_seed(42)
    moons = chapter.data("moons")
    columns = moons.features.shape[1]
    X = v1.placeholder(tf.float32, [None, columns], name="X")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    with v1.variable_scope("logistic_regression"):
        with v1.variable_scope("model"):
            theta = variable(v1.random_uniform([columns, 1], -1.0, 1.0, seed=42), "theta")
            logits = tf.matmul(X, theta, name="logits")
            probability = tf.sigmoid(logits, name="probability")
        with v1.variable_scope("train"):
            entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits)
            log_loss = tf.reduce_mean(entropy, name="log_loss")
            training_op = v1.train.GradientDescentOptimizer(learning_rate=1.0).minimize(log_loss)
            v1.summary.scalar("log_loss", log_loss)
    with v1.variable_scope("test"):
        guesses = tf.greater(probability, 0.5, name="guesses")
        truth = tf.greater(y, 0.5, name="truth")
        hits = tf.cast(tf.equal(guesses, truth), tf.float32, name="hits")
        accuracy = tf.reduce_mean(hits, name="accuracy")
        precision = tf.reduce_mean(tf.boolean_mask(hits, guesses), name="precision")
        recall = tf.reduce_mean(tf.boolean_mask(hits, truth), name="recall")
    test = {X: moons.test.features, y: moons.test.target}
    order = BatchOrder("shuffled", 0, len(moons.train.features), 50)
    with chapter.session() as sess:
        for step in range(21 * order.steps_per_epoch):
            if step % order.steps_per_epoch == 0 and step // order.steps_per_epoch % 20 == 0:
                yield line("Epoch", step // order.steps_per_epoch, "loss", sess.run(log_loss, test))
            rows = order.indices(step)
            sess.run(training_op, {X: moons.train.features[rows], y: moons.train.target[rows]})
        found = sess.run([accuracy, precision, recall], test)
        yield line(*(part for pair in zip(["accuracy", "precision", "recall"], found, strict=True) for part in pair))


SHOWN_ELSEWHERE = ("autodiff_passes", "tensorboard")  # in tests below and above
# Other models have their ops and statements too.
ALIKE = ("logistic_regression", "name_scopes", "gradient_descent_by_hand", "gradient_descent_optimizer")

# --- the comparison ---------------------------------------------------------------------------


def compiled_model(name, params=None):
    return tfdsl.compile(MODELS / f"{name}.tfg", params=params or {})


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.long] if name in SHOWN_ELSEWHERE + ALIKE else []) for name in sorted(PAIRS)
])  # fmt: skip
def test_model_equals_the_program_by_hand(name):
    function, params = PAIRS[name]
    compare(name, compiled_model(name, params), function)


def test_gradient_methods_of_a_shorter_loop():
    """`autodiff_passes` with five iterations, and without printing all numbers."""
    text = (MODELS / "autodiff_passes.tfg").read_text(encoding="utf-8")
    text = text.replace("range(100)", "range(5)")
    text = "".join(line for line in text.splitlines(keepends=True) if "expect reverse ==" not in line)
    compare("autodiff_passes", tfdsl.compile(text), lambda chapter: autodiff_passes(chapter, 5))


def compare(name, compiled, function):
    written = ops_of(compiled)
    printed = compiled.run().printed
    chapter = Chapter(compiled)
    with chapter.graph.as_default():
        lines = list(function(chapter))
    # The model's graph also has the ops of its expectations.
    assert not set(chapter.ops) - set(written), sorted(set(chapter.ops) - set(written))
    assert not set(written) - set(chapter.ops) or name in EXPECTING
    assert len(printed) == len(lines)
    for ours, theirs in zip(printed, lines, strict=True):
        assert theirs is None or ours == theirs


def test_several_graphs():
    compiled = compiled_model("graphs")

    assert ops_of(compiled, "other") == ops(graph(lambda: tf.multiply(variable(2, "x2"), 2, name="double")))
    by_hand = graph(lambda: variable(1, "x1").assign_add(10, name="count"))
    assert ops_of(compiled) == ops(by_hand)
    printed = []
    for times in (2, 0):
        with session(by_hand) as sess:
            for _ in range(times):
                sess.run("count")
            printed.append(str(sess.run("x1/Read/ReadVariableOp:0")))
    assert compiled.run().printed == [*printed, "2 4"]


def test_the_mistake_is_reported_at_its_line():
    (warning,) = tfdsl.check(MODELS / "relu_repeated.tfg")
    assert (warning.code, warning.span.line) == ("TFG901", 18)
    assert "'z2'" in warning.headline


def test_scikit_learn_agrees_with_the_normal_equation():
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import LinearRegression

    X, y = load_diabetes(return_X_y=True)
    reference = LinearRegression().fit(X, y)
    with compiled_model("normal_equation").session() as s:
        theta = s.run("theta_diabetes")
    np.testing.assert_allclose(theta[:, 0], [reference.intercept_, *reference.coef_], atol=0.5)


def test_every_model_of_the_chapter_has_a_program_by_hand():
    apart = {"graphs", "housing", "moons", "digits", *PORTS}  # above; in test_chapter_training.py; not of the chapter
    models = {path.stem for path in MODELS.glob("*.tfg") if not path.stem.startswith("cluster_")}
    assert models - apart == set(PAIRS)  # those for clusters: test_cluster_shared.py
