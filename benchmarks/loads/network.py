"""A network of 784-300-100-10, as for MNIST. To avoid a download, its pictures are scikit-learn's digits, with each
pixel three wide and three high, and a border: 28 x 28."""

from typing import ClassVar

import numpy as np

from ..problem import Problem
from .classifier import Classifier


class Network(Classifier):
    data = "pictures"
    rate = 0.01
    data_line = 'data pictures = npz("pictures.npz")'
    body = """variable w1 = truncated_normal([784, 300], stddev=0.0714, seed=1)
variable b1: float32[300] = zeros
hidden1 = relu(X @ w1 + b1)
variable w2 = truncated_normal([300, 100], stddev=0.1155, seed=2)
variable b2: float32[100] = zeros
hidden2 = relu(hidden1 @ w2 + b2)
variable w3 = truncated_normal([100, 10], stddev=0.2, seed=3)
variable b3: float32[10] = zeros
logits = hidden2 @ w3 + b3"""

    def source(self) -> tuple[np.ndarray, np.ndarray]:
        features, target = super().source()
        pictures = np.kron(features.reshape(-1, 8, 8) / 16, np.ones((1, 3, 3)))
        return np.pad(pictures, [(0, 0), (2, 2), (2, 2)]).reshape(-1, 784).astype(np.float32), target

    def by_hand_logits(self, tf, X):
        w1 = tf.Variable(tf.truncated_normal([784, 300], stddev=0.0714, seed=1), name="w1")
        b1 = tf.Variable(tf.zeros([300]), name="b1")
        hidden1 = tf.nn.relu(tf.matmul(X, w1) + b1)
        w2 = tf.Variable(tf.truncated_normal([300, 100], stddev=0.1155, seed=2), name="w2")
        b2 = tf.Variable(tf.zeros([100]), name="b2")
        hidden2 = tf.nn.relu(tf.matmul(hidden1, w2) + b2)
        w3 = tf.Variable(tf.truncated_normal([100, 10], stddev=0.2, seed=3), name="w3")
        b3 = tf.Variable(tf.zeros([10]), name="b3")
        return tf.matmul(hidden2, w3) + b3

    def numpy_gradients(self, parameters, X, y):
        inputs = [X]
        for at in range(0, 6, 2):
            z = inputs[-1] @ parameters[at] + parameters[at + 1]
            inputs.append(z if at == 4 else np.maximum(z, 0))
        error = self.numpy_error(inputs.pop(), y)
        gradients = []
        for at in (4, 2, 0):
            gradients = [inputs[-1].T @ error, error.sum(axis=0), *gradients]
            if at:
                error = (error @ parameters[at].T) * (inputs.pop() > 0)
        return gradients

    scikit_learn_first: ClassVar[dict] = {"classes": np.arange(10)}

    def scikit_learn(self, problem: Problem, X: np.ndarray):
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier(hidden_layer_sizes=(300, 100), learning_rate_init=problem.rate), X

    def to_scikit_learn(self, estimator, start: dict[str, np.ndarray]) -> None:
        values = [value.copy() for value in start.values()]
        estimator.coefs_, estimator.intercepts_ = values[::2], values[1::2]

    def from_scikit_learn(self, estimator) -> dict[str, np.ndarray]:
        pairs = enumerate(zip(estimator.coefs_, estimator.intercepts_), start=1)
        return {f"{letter}{at}": value for at, pair in pairs for letter, value in zip("wb", pair)}

    def keras(self, keras):
        dense = keras.layers.Dense
        return keras.Sequential([keras.Input((784,)), dense(300, "relu"), dense(100, "relu"), dense(10)])

    def torch_logits(self, torch, parameters, X):
        w1, b1, w2, b2, w3, b3 = parameters
        return torch.addmm(b3, torch.relu(torch.addmm(b2, torch.relu(torch.addmm(b1, X, w1)), w2)), w3)

    def jax_logits(self, jax, parameters, X):
        w1, b1, w2, b2, w3, b3 = parameters
        return jax.nn.relu(jax.nn.relu(X @ w1 + b1) @ w2 + b2) @ w3 + b3
