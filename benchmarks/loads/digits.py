"""A small convolutional network on scikit-learn's digits: one convolution of 16 filters, pooling, one dense layer."""

import numpy as np

from .classifier import Classifier


class Digits(Classifier):
    data = "digits"
    rate = 0.02
    data_line = "data digits = digits() | minmax"
    body = """images = reshape(X, [-1, 8, 8, 1])
variable kernel = truncated_normal([3, 3, 1, 16], stddev=0.3, seed=1)
variable bias: float32[16] = zeros
hidden = relu(conv2d(images, kernel, strides=[1, 1, 1, 1], padding="SAME") + bias)
pooled = max_pool(hidden, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
variable w = truncated_normal([256, 10], stddev=0.1, seed=2)
variable b: float32[10] = zeros
logits = reshape(pooled, [-1, 256]) @ w + b"""

    def by_hand_logits(self, tf, X):
        images = tf.reshape(X, [-1, 8, 8, 1])
        kernel = tf.Variable(tf.truncated_normal([3, 3, 1, 16], stddev=0.3, seed=1), name="kernel")
        bias = tf.Variable(tf.zeros([16]), name="bias")
        hidden = tf.nn.relu(tf.nn.conv2d(images, kernel, strides=[1, 1, 1, 1], padding="SAME") + bias)
        pooled = tf.nn.max_pool(hidden, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
        w = tf.Variable(tf.truncated_normal([256, 10], stddev=0.1, seed=2), name="w")
        b = tf.Variable(tf.zeros([10]), name="b")
        return tf.matmul(tf.reshape(pooled, [-1, 256]), w) + b

    def numpy_gradients(self, parameters, X, y):
        kernel, bias, w, b = parameters
        n = len(X)
        padded = np.pad(X.reshape(n, 8, 8), [(0, 0), (1, 1), (1, 1)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2)).reshape(n * 64, 9)
        z = windows @ kernel.reshape(9, 16) + bias
        # The elements of each window of 2 x 2, side by side: [n, 4, 4, 16, 4].
        places = np.maximum(z, 0).reshape(n, 4, 2, 4, 2, 16).transpose(0, 1, 3, 5, 2, 4).reshape(n, 4, 4, 16, 4)
        largest = places.argmax(axis=-1)[..., None]
        flat = np.take_along_axis(places, largest, axis=-1).reshape(n, 256)
        error = self.numpy_error(flat @ w + b, y)
        by_place = np.zeros_like(places)
        np.put_along_axis(by_place, largest, (error @ w.T).reshape(n, 4, 4, 16, 1), axis=-1)
        by_z = by_place.reshape(n, 4, 4, 16, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(n * 64, 16) * (z > 0)
        return [(windows.T @ by_z).reshape(3, 3, 1, 16), by_z.sum(axis=0), flat.T @ error, error.sum(axis=0)]

    def keras(self, keras):
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((64,)),
                layers.Reshape((8, 8, 1)),
                layers.Conv2D(16, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(10),
            ]
        )

    def torch_logits(self, torch, parameters, X):
        kernel, bias, w, b = parameters
        hidden = torch.relu(torch.nn.functional.conv2d(X.reshape(-1, 1, 8, 8), kernel, bias, padding=1))
        pooled = torch.nn.functional.max_pool2d(hidden, 2)
        return torch.addmm(b, pooled.permute(0, 2, 3, 1).reshape(-1, 256), w)

    def jax_logits(self, jax, parameters, X):
        kernel, bias, w, b = parameters
        layout = ("NHWC", "HWIO", "NHWC")
        hidden = jax.lax.conv_general_dilated(
            X.reshape(-1, 8, 8, 1), kernel, (1, 1), "SAME", dimension_numbers=layout
        )  # fmt: skip
        window = (1, 2, 2, 1)
        pooled = jax.lax.reduce_window(
            jax.nn.relu(hidden + bias), -jax.numpy.inf, jax.lax.max, window, window, "VALID"
        )  # fmt: skip
        return pooled.reshape(-1, 256) @ w + b
