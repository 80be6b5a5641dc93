"""What `many.tfg` does, as a script of TensorFlow 1."""

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

tf.disable_eager_execution()

features, target = load_digits(return_X_y=True)
low, high = features.min(axis=0), features.max(axis=0)
features = ((features - low) / np.where(high > low, high - low, 1)).astype(np.float32)

tf.set_random_seed(42)
X = tf.placeholder(tf.float32, [None, 64])
y = tf.placeholder(tf.int32, [None])
w1 = tf.Variable(tf.truncated_normal([64, 32], stddev=0.125, seed=1))
b1 = tf.Variable(tf.zeros([32]))
w2 = tf.Variable(tf.truncated_normal([32, 10], stddev=0.2, seed=2))
b2 = tf.Variable(tf.zeros([10]))
logits = tf.nn.relu(X @ w1 + b1) @ w2 + b2
error = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
training_op = tf.train.GradientDescentOptimizer(learning_rate=0.1).minimize(error)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(8):
        for start in range(0, len(features), 50):
            rows = slice(start, start + 50)
            sess.run(training_op, {X: features[rows], y: target[rows]})
        print(sess.run(error, {X: features, y: target}))
