"""The chapter's linear regression: the normal equation, gradients by hand and by TensorFlow, every optimizer."""

import numpy as np
import pytest
import tensorflow as tf
from by_hand import DATA, FEATURES, TARGET, graph, ops, ops_of, same, session, variable
from tensorflow.compat import v1

import tfdsl


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
    assert ops_of(program) == ops(by_hand)
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
    _, theta, _, mse = regression()
    return theta, mse, v1.assign(theta, theta - 0.01 * v1.gradients(mse, [theta])[0], name="training_op")


def optimizer(make):
    def build():
        _, theta, _, mse = regression()
        return theta, mse, make().minimize(mse, name="training_op")

    return build


def trained(by_hand, steps):
    """The losses before each step and the variables after the last one, by hand."""
    _, mse, step = by_hand.made
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
    assert ops_of(program) == ops(by_hand)
    losses, variables = trained(by_hand, 5)
    result = program.run()
    assert result.printed[:5] == [f"{epoch} {loss!s}" for epoch, loss in enumerate(losses)]
    assert same(result.values["theta"], variables["theta"])


def proximal(name):
    return lambda: getattr(v1.train, name)(0.05, l1_regularization_strength=0.01, l2_regularization_strength=0.02)


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
    "ftrl(l1_regularization_strength=0.01)": lambda: v1.train.FtrlOptimizer(0.01, l1_regularization_strength=0.01),
    "proximal_gradient_descent(0.01, 0.02, learning_rate=0.05)": proximal("ProximalGradientDescentOptimizer"),
    "proximal_adagrad(0.1, 0.01, 0.02, learning_rate=0.05)": proximal("ProximalAdagradOptimizer"),
}


@pytest.mark.parametrize("written", OPTIMIZERS)
def test_optimizers_and_their_slots(written):
    """Three steps: the same ops, and the same bits in the weights and in every slot."""
    by_hand = graph(optimizer(OPTIMIZERS[written]))
    text = REGRESSION + f"loss mse\noptimize with {written} as training_op\n"
    program = tfdsl.compile(text, data=DATA)
    assert ops_of(program) == ops(by_hand)
    _, variables = trained(by_hand, 3)
    with program.session() as s:
        for _ in range(3):
            s.run("training_op")
        ours = {v.op.name: s.session.run(v) for v in program.graph.get_collection("variables")}
    assert ours.keys() == variables.keys()
    assert all(same(ours[name], variables[name]) for name in variables)
    if written.startswith("momentum"):
        assert "theta/Momentum" in ours


def test_an_optimizer_without_a_name_is_named_by_tensorflow():
    by_hand = graph(lambda: v1.train.AdamOptimizer(0.01).minimize(regression()[-1]))
    assert ops_of(tfdsl.compile(REGRESSION + "optimize mse with adam\n", data=DATA)) == ops(by_hand)
