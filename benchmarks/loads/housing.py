"""Linear regression on California housing: the chapter's gradient descent, once for each framework."""

from typing import ClassVar

import numpy as np

from ..problem import Problem


class Housing:
    """The model. `program` is its text in tfdsl, `by_hand` its graph in TensorFlow 1."""

    data = "housing"

    def problem(self, batch: int | None, momentum: float, is_ordered: bool = False) -> Problem:
        """The data, scaled and with a column of ones, as tfdsl's own `data` line makes it."""
        import tfdsl

        raw = tfdsl.compile('data housing = california_housing(offline="synthetic")\n').dataset("housing")
        line = "data housing = california_housing() | standardize | add_bias\n"
        housing = tfdsl.compile(line, data={"housing": (raw.features, raw.target)}).dataset("housing")
        features, target = (np.ascontiguousarray(a, np.float32) for a in (housing.features, housing.target))
        source = raw.features, raw.target
        rate = 0.001 if momentum else 0.01  # with momentum 0.9 steps are ten times as long, and 0.01 diverges
        return Problem(
            features, target, source, batch, rate, momentum, is_synthetic=raw.synthetic, is_ordered=is_ordered
        )

    def program(self, problem: Problem, steps: int, logs: bool = False) -> str:
        optimizer = f"momentum({problem.momentum}, " if problem.momentum else "gradient_descent("
        whole = problem.batch is None
        train = f"train {steps} steps"
        order = "ordered" if problem.is_ordered else "sampled"
        train += ":" if whole else f" on housing in batches of {problem.batch} {order} as batch:"
        return "\n".join(
            [
                "seed 42",
                "data housing = california_housing() | standardize | add_bias",
                "X = constant(housing.features)" if whole else "placeholder X: float32[batch, 9]",
                "y = constant(housing.target)" if whole else "placeholder y: float32[batch, 1]",
                "variable theta = random_uniform([9, 1], -1.0, 1.0, seed=42)",
                "predictions = X @ theta",
                "error = predictions - y",
                "mse = reduce_mean(square(error))",
                f"optimize mse with {optimizer}learning_rate={problem.rate}) as training_op",
                'summary scalar mse as "MSE"' if logs else "",
                "session:",
                '    log to "tf_logs/run-{now}"' if logs else "",
                f"    {train}",
                "" if whole else "        feed X = batch.features, y = batch.target",
                "        every 10 batches: log" if logs else "",
                "        run training_op",
                '    print "trained"',
                "",
            ]
        )

    def by_hand(self, tf, X, y):
        theta = tf.Variable(tf.random_uniform([9, 1], -1.0, 1.0, seed=42), name="theta")
        y_pred = tf.matmul(X, theta, name="predictions")
        error = y_pred - y
        return tf.reduce_mean(tf.square(error), name="mse")

    def numpy_gradients(self, parameters, X, y):
        (theta,) = parameters
        return [np.float32(2 / len(X)) * (X.T @ (X @ theta - y))]

    # An MLP without hidden layers is a linear model. Its bias is the theta of the column of ones, and its loss is half
    # the mean square, so the learning rate is twice as large.
    scikit_learn_first: ClassVar[dict] = {}  # arguments of its first `partial_fit`

    def scikit_learn(self, problem: Problem, X: np.ndarray):
        from sklearn.neural_network import MLPRegressor

        return MLPRegressor(hidden_layer_sizes=(), learning_rate_init=2 * problem.rate), np.ascontiguousarray(X[:, 1:])

    def to_scikit_learn(self, estimator, start: dict[str, np.ndarray]) -> None:
        estimator.coefs_, estimator.intercepts_ = [start["theta"][1:].copy()], [start["theta"][0].copy()]

    def from_scikit_learn(self, estimator) -> dict[str, np.ndarray]:
        return {"theta": np.concatenate([estimator.intercepts_[0][None], estimator.coefs_[0]])}

    def keras(self, keras):
        return keras.Sequential([keras.Input((9,)), keras.layers.Dense(1, use_bias=False)])

    def keras_loss(self, keras):
        return keras.losses.MeanSquaredError()

    def torch_target(self, torch, target: np.ndarray):
        return torch.from_numpy(target)

    def torch_loss(self, torch, parameters, X, y):
        return torch.nn.functional.mse_loss(X @ parameters[0], y)

    def jax_loss(self, jax, parameters, X, y):
        return jax.numpy.mean(jax.numpy.square(X @ parameters[0] - y))
