"""Networks for sequences: each row of a picture of a digit is a step of eight numbers."""

import math
from typing import ClassVar

from .classifier import Classifier

STEPS, FEATURES, UNITS, CLASSES = 8, 8, 32, 10


class Sequences(Classifier):
    """Scikit-learn's digits as sequences. The names and shapes of the variables are those of `shapes`, in this order,
    and their initial values come from normal distributions of 1 / sqrt(rows) with the seeds 1, 2, ..."""

    data = "digits"
    rate = 0.05
    data_line = "data digits = digits() | minmax"
    shapes: ClassVar[dict[str, tuple[int, ...]]]
    layers: str  # of the program: from `rows`, the pictures, to `logits`

    @property
    def body(self) -> str:
        lines = [f"rows = reshape(X, [-1, {STEPS}, {FEATURES}])"]
        for seed, (name, shape) in enumerate(self.shapes.items(), 1):
            lines.append(f"variable {name} = truncated_normal({list(shape)}, stddev={deviation(shape)}, seed={seed})")
        return "\n".join(lines) + "\n" + self.layers

    def by_hand_logits(self, tf, X):
        variables = [
            tf.Variable(tf.truncated_normal(shape, stddev=deviation(shape), seed=seed), name=name)
            for seed, (name, shape) in enumerate(self.shapes.items(), 1)
        ]
        return self.by_hand_layers(tf, tf.reshape(X, [-1, STEPS, FEATURES]), *variables)


def deviation(shape: tuple[int, ...]) -> float:
    return round(1 / math.sqrt(shape[0]), 4)


class Lstm(Sequences):
    """An LSTM of 32 units over the rows from top to bottom."""

    shapes: ClassVar = {
        "kernel": (FEATURES + UNITS, 4 * UNITS), "bias": (4 * UNITS,), "w": (UNITS, CLASSES), "b": (CLASSES,),
    }  # fmt: skip
    layers = f"""h = zeros([shape(rows)[0], {UNITS}])
c = zeros([shape(rows)[0], {UNITS}])
for at in range({STEPS}):
    i, j, f, o = split(concat([rows[:, at], h], axis=1) @ kernel + bias, 4, axis=1)
    c = c * sigmoid(f + 1.0) + sigmoid(i) * tanh(j)
    h = tanh(c) * sigmoid(o)
logits = h @ w + b"""

    def by_hand_layers(self, tf, rows, kernel, bias, w, b):
        h = c = tf.zeros([tf.shape(rows)[0], UNITS])
        for at in range(STEPS):
            gates = tf.matmul(tf.concat([rows[:, at], h], axis=1), kernel) + bias
            i, j, f, o = tf.split(gates, 4, axis=1)
            c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
            h = tf.tanh(c) * tf.sigmoid(o)
        return tf.matmul(h, w) + b

    def torch_logits(self, torch, parameters, X):
        kernel, bias, w, b = parameters
        rows = X.reshape(-1, STEPS, FEATURES)
        h = c = X.new_zeros([len(X), UNITS])
        for at in range(STEPS):
            i, j, f, o = torch.addmm(bias, torch.cat([rows[:, at], h], 1), kernel).chunk(4, 1)
            c = c * torch.sigmoid(f + 1.0) + torch.sigmoid(i) * torch.tanh(j)
            h = torch.tanh(c) * torch.sigmoid(o)
        return torch.addmm(b, h, w)

    def jax_logits(self, jax, parameters, X):
        kernel, bias, w, b = parameters

        def step(state, row):
            h, c = state
            gates = jax.numpy.concatenate([row, h], axis=1) @ kernel + bias
            i, j, f, o = jax.numpy.split(gates, 4, axis=1)
            c = c * jax.nn.sigmoid(f + 1.0) + jax.nn.sigmoid(i) * jax.numpy.tanh(j)
            return (jax.numpy.tanh(c) * jax.nn.sigmoid(o), c), None

        zeros = jax.numpy.zeros((X.shape[0], UNITS), X.dtype)
        rows = X.reshape(-1, STEPS, FEATURES).swapaxes(0, 1)
        (h, _), _ = jax.lax.scan(step, (zeros, zeros), rows)
        return h @ w + b


class Transformer(Sequences):
    """One block of a transformer: attention over the rows and two dense layers, each with a residual, and the mean."""

    shapes: ClassVar = {
        "embedding": (FEATURES, UNITS), "query": (UNITS, UNITS), "key": (UNITS, UNITS), "value": (UNITS, UNITS),
        "up": (UNITS, 2 * UNITS), "down": (2 * UNITS, UNITS), "w": (UNITS, CLASSES), "b": (CLASSES,),
    }  # fmt: skip
    layers = f"""x = einsum("btf,fu->btu", [rows, embedding])
q = einsum("btu,uv->btv", [x, query])
k = einsum("btu,uv->btv", [x, key])
v = einsum("btu,uv->btv", [x, value])
shares = softmax(einsum("btu,bsu->bts", [q, k]) * {round(1 / math.sqrt(UNITS), 6)})
attended = x + einsum("bts,bsu->btu", [shares, v])
out = attended + einsum("btv,vu->btu", [relu(einsum("btu,uv->btv", [attended, up])), down])
logits = reduce_mean(out, axis=1) @ w + b"""

    def by_hand_layers(self, tf, rows, *parameters):
        return self._logits(tf.einsum, tf.nn.softmax, tf.nn.relu, lambda x: tf.reduce_mean(x, 1), rows, *parameters)

    def torch_logits(self, torch, parameters, X):
        softmax, rows = (lambda x: torch.softmax(x, -1)), X.reshape(-1, STEPS, FEATURES)
        return self._logits(torch.einsum, softmax, torch.relu, lambda x: x.mean(1), rows, *parameters)

    def jax_logits(self, jax, parameters, X):
        rows, einsum = X.reshape(-1, STEPS, FEATURES), jax.numpy.einsum
        return self._logits(einsum, jax.nn.softmax, jax.nn.relu, lambda x: x.mean(1), rows, *parameters)

    @staticmethod
    def _logits(einsum, softmax, relu, mean, rows, embedding, query, key, value, up, down, w, b):
        x = einsum("btf,fu->btu", rows, embedding)
        q, k, v = (einsum("btu,uv->btv", x, one) for one in (query, key, value))
        shares = softmax(einsum("btu,bsu->bts", q, k) * round(1 / math.sqrt(UNITS), 6))
        attended = x + einsum("bts,bsu->btu", shares, v)
        out = attended + einsum("btv,vu->btu", relu(einsum("btu,uv->btv", attended, up)), down)
        return einsum("bu,uc->bc", mean(out), w) + b
