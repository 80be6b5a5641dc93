"""The chapter's mini-batch gradient descent on California housing, as a separate script.

With an argument, the data is read from that .npz file (`features`, `target`).
"""

import sys

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import fetch_california_housing
from sklearn.preprocessing import StandardScaler

tf.disable_eager_execution()

if len(sys.argv) > 1:
    arrays = np.load(sys.argv[1])
    data, target = arrays["features"], arrays["target"]
else:
    data, target = fetch_california_housing(return_X_y=True)
m, n = data.shape
scaled_housing_data = StandardScaler().fit_transform(data)
scaled_housing_data_plus_bias = np.c_[np.ones((m, 1)), scaled_housing_data]

n_epochs = 10
learning_rate = 0.01
batch_size = 100
n_batches = int(np.ceil(m / batch_size))

tf.set_random_seed(42)
X = tf.placeholder(tf.float32, shape=(None, n + 1), name="X")
y = tf.placeholder(tf.float32, shape=(None, 1), name="y")
theta = tf.Variable(tf.random_uniform([n + 1, 1], -1.0, 1.0, seed=42), name="theta")
y_pred = tf.matmul(X, theta, name="predictions")
error = y_pred - y
mse = tf.reduce_mean(tf.square(error), name="mse")
optimizer = tf.train.GradientDescentOptimizer(learning_rate=learning_rate)
training_op = optimizer.minimize(mse)
init = tf.global_variables_initializer()


def fetch_batch(epoch, batch_index, batch_size):
    np.random.seed(epoch * n_batches + batch_index)
    indices = np.random.randint(m, size=batch_size)
    X_batch = scaled_housing_data_plus_bias[indices]
    y_batch = target.reshape(-1, 1)[indices]
    return X_batch, y_batch


with tf.Session() as sess:
    sess.run(init)
    for epoch in range(n_epochs):
        for batch_index in range(n_batches):
            X_batch, y_batch = fetch_batch(epoch, batch_index, batch_size)
            sess.run(training_op, feed_dict={X: X_batch, y: y_batch})
    best_theta = theta.eval()

print("Best theta:")
print(best_theta)
