"""What the classification models have in common: their data and their loss."""

import numpy as np

from ..problem import Problem


class Classifier:
    """A model whose target has class numbers, int32 [rows]."""

    data: str
    rate: float
    data_line: str  # of the program
    body: str  # of the program: from the placeholder X to `logits`

    def source(self) -> tuple[np.ndarray, np.ndarray]:
        """The features and target that the data line starts from."""
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)

    def problem(self, batch: int, momentum: float) -> Problem:
        import tfdsl

        source = self.source()
        data = tfdsl.compile(self.data_line + "\n", data={self.data: source}).dataset(self.data)
        features = np.ascontiguousarray(data.features, np.float32)
        target = np.ascontiguousarray(data.target, np.int32).reshape(-1)
        return Problem(features, target, source, batch, self.rate, momentum)

    def program(self, problem: Problem, steps: int, logs: bool = False) -> str:
        return f"""seed 42
{self.data_line}
placeholder X: float32[batch, {problem.features.shape[1]}]
placeholder y: int32[batch, 1]
{self.body}
xentropy = sparse_softmax_cross_entropy_with_logits(labels=reshape(y, [-1]), logits=logits)
loss = reduce_mean(xentropy)
optimize loss with momentum({problem.momentum}, learning_rate={problem.rate}) as training_op
session:
    train {steps} steps on {self.data} in batches of {problem.batch} sampled as batch:
        feed X = batch.features, y = batch.target
        run training_op
    print "trained"
"""

    def by_hand(self, tf, X, y):
        xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=self.by_hand_logits(tf, X))
        return tf.reduce_mean(xentropy, name="loss")

    @staticmethod
    def numpy_error(logits: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The gradient of the loss with respect to the logits."""
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares[np.arange(len(y)), y] -= 1
        return shares / np.float32(len(y))

    def keras_loss(self, keras):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def torch_target(self, torch, target: np.ndarray):
        return torch.from_numpy(target.astype(np.int64))

    def torch_loss(self, torch, parameters, X, y):
        return torch.nn.functional.cross_entropy(self.torch_logits(torch, parameters, X), y)

    def jax_loss(self, jax, parameters, X, y):
        shares = jax.nn.log_softmax(self.jax_logits(jax, parameters, X))
        return -jax.numpy.mean(jax.numpy.take_along_axis(shares, y[:, None], axis=1))
