"""What `large_csv.tfg` does, as a script of pandas and TensorFlow 1. The argument is the file."""

import sys

import numpy as np
import pandas as pd
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

frame = pd.read_csv(sys.argv[1], dtype=np.float32)
target = frame.pop("y").to_numpy().reshape(-1, 1)
features = frame.to_numpy()
del frame
features -= features.mean(axis=0, dtype=np.float64).astype(np.float32)
features /= features.std(axis=0, dtype=np.float64).astype(np.float32)

batch_size = 500
X = tf.placeholder(tf.float32, [None, features.shape[1]])
y = tf.placeholder(tf.float32, [None, 1])
w = tf.Variable(tf.zeros([features.shape[1], 1]))
b = tf.Variable(tf.zeros([1]))
mse = tf.reduce_mean(tf.square(X @ w + b - y))
training_op = tf.train.GradientDescentOptimizer(learning_rate=0.1).minimize(mse)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for start in range(0, len(features), batch_size):
        rows = slice(start, start + batch_size)
        sess.run(training_op, {X: features[rows], y: target[rows]})
    print("mse", sess.run(mse, {X: features, y: target}))
