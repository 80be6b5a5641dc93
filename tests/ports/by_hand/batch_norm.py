from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.model_selection import train_test_split

DATA = Path(__file__).parent.parent / "data" / "parabola.csv"


def batch_norm(x, name, values, on_train):
    with tf.variable_scope(name):
        gamma = tf.get_variable("gamma", initializer=values[name + "/gamma"])
        beta = tf.get_variable("beta", initializer=values[name + "/beta"])
        moving_mean = tf.get_variable("moving_mean", initializer=values[name + "/moving_mean"], trainable=False)
        moving_var = tf.get_variable("moving_variance", initializer=values[name + "/moving_variance"], trainable=False)
    batch_mean, batch_var = tf.nn.moments(x, axes=[0])

    def mean_var_with_update():
        update_mean = tf.assign_sub(moving_mean, 0.6 * (moving_mean - batch_mean))
        update_var = tf.assign_sub(moving_var, 0.6 * (moving_var - batch_var))
        with tf.control_dependencies([update_mean, update_var]):
            return tf.identity(batch_mean), tf.identity(batch_var)

    mean, var = tf.cond(on_train, mean_var_with_update, lambda: (tf.identity(moving_mean), tf.identity(moving_var)))
    return tf.nn.batch_normalization(x, mean, var, beta, gamma, 0.001)


def layer(x, name, values):
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", initializer=values[name + "/kernel"])
        bias = tf.get_variable("bias", initializer=values[name + "/bias"])
        return tf.matmul(x, kernel) + bias


def net(x, name, values, on_train, norm, n_layers):
    def numbered(kind, i):
        return name + "/" + kind + ("_" + str(i) if i else "")

    if norm:
        x = batch_norm(x, numbered("batch_norm", 0), values, on_train)
    for i in range(n_layers):
        x = layer(x, numbered("dense", i), values)
        if norm:
            x = batch_norm(x, numbered("batch_norm", i + 1), values, on_train)
        tf.summary.histogram("layer" + str(i) + " norm " + str(norm), x)
        x = tf.tanh(x)
    return layer(x, numbered("dense", n_layers), values)


def train(values, n_layers=8, n_epochs=40):
    data = np.genfromtxt(DATA, delimiter=",", skip_header=1, dtype=np.float32)
    train_data, test_data = train_test_split(data, test_size=0.1, random_state=1)

    tf.set_random_seed(1)
    X = tf.placeholder(tf.float32, [None, 1])
    y = tf.placeholder(tf.float32, [None, 1])
    on_train = tf.placeholder(tf.bool)
    plain = tf.reduce_mean(tf.square(y - net(X, "net", values, on_train, False, n_layers)))
    normed = tf.reduce_mean(tf.square(y - net(X, "net_1", values, on_train, True, n_layers)))
    plain_step = tf.train.AdamOptimizer(0.03).minimize(plain)
    normed_step = tf.train.AdamOptimizer(0.03).minimize(normed)
    merged = tf.summary.merge_all()

    batch_size = 64
    step = 0
    test_feed = {X: test_data[:, :1], y: test_data[:, 1:], on_train: False}
    writer = tf.summary.FileWriter("tf_logs/by_hand", tf.get_default_graph())
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for epoch in range(n_epochs):
            rows = np.random.default_rng([0, epoch]).permutation(len(train_data))
            if epoch % 10 == 0:
                writer.add_summary(sess.run(merged, feed_dict=test_feed), step)
            for start in range(0, len(rows), batch_size):
                batch = train_data[rows[start : start + batch_size]]
                sess.run([plain_step, normed_step], feed_dict={X: batch[:, :1], y: batch[:, 1:], on_train: True})
                step += 1
        plain_val, normed_val = sess.run([plain, normed], feed_dict=test_feed)
        print(plain_val, normed_val)
        writer.close()
        weights = {v.op.name: sess.run(v) for v in tf.trainable_variables()}
        return {**weights, "plain": plain_val, "normed": normed_val}
