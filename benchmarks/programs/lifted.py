"""A network of TensorFlow 1 that is kept in files, and a script that trains it further from them.

python benchmarks/programs/lifted.py make FOLDER      # writes model.meta and a checkpoint
python benchmarks/programs/lifted.py train FOLDER     # what the lifted program does
"""

import sys

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits

tf.disable_eager_execution()


def make(saved: str) -> None:
    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64], name="X")
    y = tf.placeholder(tf.int32, [None], name="y")
    hidden, width = X, 64
    for at, units in enumerate((100, 50, 10), 1):
        with tf.variable_scope(f"layer{at}"):
            w = tf.get_variable("w", initializer=tf.truncated_normal([width, units], stddev=0.1, seed=at))
            b = tf.get_variable("b", initializer=tf.zeros([units]))
            z = tf.matmul(hidden, w) + b
            hidden, width = (tf.nn.relu(z) if units > 10 else z), units
    errors = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=hidden)
    loss = tf.reduce_mean(errors, name="loss")
    tf.train.AdamOptimizer(0.001).minimize(loss, name="step")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        tf.train.Saver().save(sess, saved)


def train(saved: str) -> None:
    features, target = load_digits(return_X_y=True)
    features = features.astype(np.float32)
    saver = tf.train.import_meta_graph(saved + ".meta")
    with tf.Session() as sess:
        saver.restore(sess, saved)
        for _ in range(10):
            for start in range(0, len(features), 50):
                rows = slice(start, start + 50)
                sess.run("step", {"X:0": features[rows], "y:0": target[rows]})
        print("loss", sess.run("loss:0", {"X:0": features, "y:0": target}))


if __name__ == "__main__":
    {"make": make, "train": train}[sys.argv[1]](sys.argv[2] + "/model")
