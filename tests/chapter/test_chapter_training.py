"""The chapter's training programs: mini-batches, saving, and its numbers on the real data."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from by_hand import DATA, FEATURES, TARGET, graph, ops, ops_of, put, run, same, session, variable
from tensorflow.compat import v1

import tfdsl

# --- mini-batches -----------------------------------------------------------------------------

MINIBATCH = """
seed 42
data houses = california_housing()
placeholder X: float32[n, 3]
placeholder y: float32[n, 1]
variable theta = random_uniform([3, 1], -1.0, 1.0, seed=42)
predictions = X @ theta
error = predictions - y
mse = reduce_mean(square(error))
loss mse
optimize with gradient_descent as training_op

session:
    train 3 epochs on houses in batches of 6 {order} as batch:
        feed X = batch.features, y = batch.target
        print epoch, step, batch.target[:, 0], mse
    print theta
"""


def model():
    v1.set_random_seed(42)
    X = v1.placeholder(tf.float32, [None, 3], name="X")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    theta = variable(v1.random_uniform([3, 1], -1.0, 1.0, seed=42), "theta")
    error = tf.subtract(tf.matmul(X, theta, name="predictions"), y, name="error")
    mse = tf.reduce_mean(tf.square(error), name="mse")
    return X, y, theta, mse, v1.train.GradientDescentOptimizer(0.01).minimize(mse, name="training_op")


def sampled(seed):
    def fetch_batch(epoch, batch_index):
        np.random.seed(seed + epoch * 4 + batch_index)
        return np.random.randint(20, size=6)

    return fetch_batch


def shuffled(seed):
    def fetch_batch(epoch, batch_index):
        rows = np.random.default_rng([seed, epoch]).permutation(20)
        return rows[batch_index * 6 : batch_index * 6 + 6]

    return fetch_batch


def ordered(epoch, batch_index):
    return np.arange(20)[batch_index * 6 : batch_index * 6 + 6]


@pytest.mark.parametrize(
    ("order", "fetch_batch"),
    [
        ("sampled", sampled(0)),
        ("sampled seed 9", sampled(9)),
        ("shuffled seed 7", shuffled(7)),
        ("", shuffled(0)),
        ("ordered", ordered),
    ],
)
def test_mini_batches(order, fetch_batch):
    by_hand = graph(model)
    program = tfdsl.compile(MINIBATCH.format(order=order), data=DATA)
    assert ops_of(program) == ops(by_hand)
    X, y, theta, mse, training_op = by_hand.made
    lines = []
    with session(by_hand) as s:
        for epoch in range(3):
            for batch_index in range(4):
                rows = fetch_batch(epoch, batch_index)
                feed = {X: FEATURES[rows], y: TARGET[rows]}
                lines.append(f"{epoch} {epoch * 4 + batch_index} {TARGET[rows][:, 0]} {s.run(mse, feed)!s}")
                s.run(training_op, feed)
        wanted = s.run(theta)
    result = program.run()
    assert result.printed[:-1] == lines
    assert same(result.values["theta"], wanted)
    assert result.steps == 12


def test_shuffled_epochs_see_every_row_once_and_differ():
    text = MINIBATCH.format(order="").replace("step, batch.target[:, 0], mse", "batch.rows, batch.target[:, 0]")
    lines = run(text, data=DATA).printed[:-1]
    epochs = [[line.split(" ", 2)[2] for line in lines[i : i + 4]] for i in (0, 4, 8)]
    assert [line.split()[1] for line in lines] == ["6", "6", "6", "2"] * 3
    seen = [np.sort(np.array(re.findall(r"-?[\d.]+", "".join(e)), np.float32)) for e in epochs]
    assert all(np.array_equal(one, seen[0]) and len(one) == 20 for one in seen)
    assert len(set(map(tuple, epochs))) == 3


# --- saving -----------------------------------------------------------------------------------

SAVED = """
seed 42
data houses = california_housing()
X = constant(houses.features)
y = constant(houses.target)
variable theta = random_uniform([3, 1], -1.0, 1.0, seed=42)
mse = reduce_mean(square(X @ theta - y))
loss mse
optimize with gradient_descent

session:
    train 10 epochs:
        every 5 epochs: save to "my_model.ckpt"
    save to "my_model_final.ckpt"
    save theta as "weights" to "weights.ckpt"
    print theta

session again:
    restore from "my_model_final.ckpt"
    print theta

session midway:
    restore from "my_model.ckpt"
    train 5 epochs:
        stop when false
    print theta

session weights:
    restore theta as "weights" from "weights.ckpt"
    print theta
"""


def test_save_and_restore(here):
    def build():
        v1.set_random_seed(42)
        X, y = tf.constant(FEATURES, name="X"), tf.constant(TARGET, name="y")
        theta = variable(v1.random_uniform([3, 1], -1.0, 1.0, seed=42), "theta")
        mse = tf.reduce_mean(tf.square(tf.matmul(X, theta) - y), name="mse")
        return theta, v1.train.GradientDescentOptimizer(0.01).minimize(mse)

    by_hand = graph(build)
    program = tfdsl.compile(SAVED, data=DATA)
    assert ops_of(program) == ops(by_hand)
    theta, step = by_hand.made
    with session(by_hand) as s:
        for _ in range(10):
            s.run(step)
        wanted = s.run(theta)
    result = program.run()
    assert result.printed == [str(wanted)] * 4
    assert same(result.values["theta"], wanted)
    assert sorted(path.name for path in here.glob("*.index")) == [
        "my_model.ckpt.index", "my_model_final.ckpt.index", "weights.ckpt.index",
    ]  # fmt: skip
    assert tf.train.list_variables("weights.ckpt") == [("weights", [3, 1])]


def test_savers_by_hand_are_compatible(here):
    program = tfdsl.compile(SAVED, data=DATA)
    wanted = program.run().values["theta"]

    def build():
        theta = variable(np.zeros((3, 1), np.float32), "theta")
        return theta, v1.train.Saver(), v1.train.Saver({"weights": theta})

    with (by_hand := graph(build)).as_default(), session(by_hand) as s:
        theta, saver, weights = by_hand.made
        saver.restore(s, "./my_model_final.ckpt")
        assert same(s.run(theta), wanted)
        put(s, theta, [[1], [2], [3]])
        saver.save(s, "./my_model_final.ckpt")
        put(s, theta, [[4], [5], [6]])
        weights.save(s, "./weights.ckpt")
    assert program.run("again").values["theta"].tolist() == [[1], [2], [3]]
    assert program.run("weights").values["theta"].tolist() == [[4], [5], [6]]


# --- the chapter's numbers --------------------------------------------------------------------

HOUSING = """
seed 42
data housing = california_housing() | standardize | add_bias
{inputs}
variable theta = random_uniform([9, 1], -1.0, 1.0, seed=42)
predictions = X @ theta
error = predictions - y
mse = reduce_mean(square(error))
{step}
"""
CONSTANTS = "X = constant(housing.features)\ny = constant(housing.target)"
FULL_BATCH = """
session:
    train 1000 epochs:
        every 100 epochs: print "Epoch", epoch, "MSE =", mse
        run training_op
    print theta
"""
# The first one is the loss of the initial values, with all digits.
LOSSES = [
    "9.161542", "0.7145", "0.5667", "0.5556", "0.5488", "0.5436", "0.5396", "0.5365", "0.5341", "0.5321",
]  # fmt: skip
THETA = [
    2.0685523, 0.8874027, 0.14401656, -0.34770882, 0.36178368, 0.00393811, -0.04269556, -0.6614529, -0.6375279,
]  # fmt: skip


@pytest.mark.parametrize(
    "step",
    [
        "gradient = 2 / housing.rows * (transpose(X) @ error)\ntraining_op = assign(theta, theta - 0.01 * gradient)",
        "training_op = assign(theta, theta - 0.01 * gradients(mse, [theta])[0])",
        "loss mse\noptimize with gradient_descent(learning_rate=0.01) as training_op",
    ],
    ids=["manual", "autodiff", "optimizer"],
)
def test_the_chapters_numbers(california, step):
    result = run(HOUSING.format(inputs=CONSTANTS, step=step) + FULL_BATCH)
    assert [line.rsplit(" ", 1)[0] for line in result.printed[:10]] == [
        f"Epoch {epoch} MSE =" for epoch in range(0, 1000, 100)
    ]
    losses = [line.rsplit(" ", 1)[1] for line in result.printed[:10]]
    assert [f"{float(loss):.{len(wanted) - 2}f}" for loss, wanted in zip(losses, LOSSES, strict=True)] == LOSSES
    np.testing.assert_allclose(result.values["theta"][:, 0], THETA, rtol=0, atol=1e-5)
    assert not any(used.synthetic for used in result.data.values())


def test_the_normal_equation_on_the_real_data(california):
    text = """
data housing = california_housing() | add_bias
X = constant(housing.features)
y = constant(housing.target)
XT = transpose(X)
theta = matrix_inverse(XT @ X) @ XT @ y
session:
    print theta
"""
    X = np.c_[np.ones(len(california.data)), california.data]
    exact = np.linalg.lstsq(X, california.target, rcond=None)[0]
    # Single precision and an inverse: a few digits, as in the chapter.
    np.testing.assert_allclose(run(text).values["theta"][:, 0], exact, rtol=0.05)


def test_mini_batches_on_the_real_data(california):
    """The chapter's loop by hand, with the chapter's fetch_batch, for an epoch of batches of 100."""
    inputs = "placeholder X: float32[batch, 9]\nplaceholder y: float32[batch, 1]"
    step = "loss mse\noptimize with gradient_descent(learning_rate=0.01) as training_op"
    text = (
        HOUSING.format(inputs=inputs, step=step)
        + """
session:
    train 1 epoch on housing in batches of 100 sampled as batch:
        feed X = batch.features, y = batch.target
        run training_op
    print theta
"""
    )
    data, target = california.data, california.target.reshape(-1, 1)
    scaled = (data - data.mean(axis=0)) / data.std(axis=0)
    X, y = np.c_[np.ones(len(data)), scaled].astype(np.float32), target.astype(np.float32)
    with graph(lambda: v1.set_random_seed(42)).as_default() as g:
        start = variable(v1.random_uniform([9, 1], -1.0, 1.0, seed=42), "theta")
        with session(g) as s:
            theta = s.run(start)
    for batch_index in range(207):
        np.random.seed(batch_index)
        rows = np.random.randint(len(X), size=100)
        theta -= 0.01 * 2 / 100 * X[rows].T @ (X[rows] @ theta - y[rows])
    result = run(text)
    assert result.steps == 207
    np.testing.assert_allclose(result.values["theta"], theta, rtol=0, atol=1e-5)


def test_the_published_theta_of_ten_epochs_of_mini_batches(california):
    """The unchanged model on the real data: the numbers that the chapter's notebook prints."""
    path = Path(__file__).resolve().parent.parent.parent / "models" / "mini_batches.tfg"
    published = [2.0703337, 0.8637145, 0.12255151, -0.31211874, 0.38510373, 0.00434168, -0.01232954, -0.83376896,
                 -0.8030471]  # fmt: skip
    result = tfdsl.compile(path).run()
    assert not any(used.synthetic for used in result.data.values())
    np.testing.assert_allclose(result.values["theta"][:, 0], published, rtol=0, atol=1e-6)
