"""Programs of `models/` as scripts of TensorFlow 1: `python chapter.py NAME HOUSING`, with the housing data as .npz."""

import sys

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
RATE = 0.01


def basics():
    x = tf.Variable(3, name="x")
    y = tf.Variable(4, name="y")
    f = x * x * y + y + 2
    with started() as sess:
        print(sess.run(f))


def lifecycle():
    w = tf.constant(3)
    x = w + 2
    y = x + 5
    z = x * 3
    with tf.Session() as sess:
        print(y.eval())
        print(z.eval())
    with tf.Session() as sess:
        print(*sess.run([y, z]))


def placeholders():
    A = tf.placeholder(tf.float32, shape=(None, 3))
    B = A + 5
    with tf.Session() as sess:
        print(sess.run(B, feed_dict={A: [[1, 2, 3]]}))
        print(sess.run(B, feed_dict={A: [[4, 5, 6], [7, 8, 9]]}))


def relu():
    tf.set_random_seed(7)
    X = tf.placeholder(tf.float32, shape=(None, 3), name="X")

    def relu(X):
        with tf.name_scope("relu"):
            weights = tf.Variable(tf.random_normal((int(X.get_shape()[1]), 1), seed=1), name="weights")
            bias = tf.Variable(0.0, name="bias")
            z = tf.add(tf.matmul(X, weights), bias, name="z")
            return tf.maximum(z, 0.0, name="relu")

    output = tf.add_n([relu(X) for i in range(5)], name="output")
    with started() as sess:
        print(sess.run(output, feed_dict={X: [[1, 2, 3], [4, 5, 6]]}))


def normal_equation():
    from sklearn.datasets import load_diabetes

    def solved(data, target):
        X = tf.constant(np.c_[data, np.ones((len(data), 1))][:, [-1, *range(data.shape[1])]], dtype=tf.float32)
        y = tf.constant(target.reshape(-1, 1), dtype=tf.float32)
        XT = tf.transpose(X)
        return tf.matmul(tf.matmul(tf.matrix_inverse(tf.matmul(XT, X)), XT), y)

    theta = solved(*housing())
    theta_diabetes = solved(*load_diabetes(return_X_y=True))
    with tf.Session() as sess:
        print(sess.run([theta, theta_diabetes])[0])


def gradient_descent_by_hand():
    X, theta, error, mse = regression()
    gradients = 2 / X.shape[0] * tf.matmul(tf.transpose(X), error)
    descended(theta, mse, tf.assign(theta, theta - RATE * gradients), 1000, 100)


def gradient_descent_autodiff():
    _, theta, _, mse = regression()
    descended(theta, mse, tf.assign(theta, theta - RATE * tf.gradients(mse, [theta])[0]), 1000, 100)


def gradient_descent_optimizer():
    _, theta, _, mse = regression()
    descended(theta, mse, tf.train.GradientDescentOptimizer(learning_rate=RATE).minimize(mse), 1000, 100)


def momentum():
    _, theta, _, mse = regression()
    descended(theta, mse, tf.train.MomentumOptimizer(learning_rate=RATE, momentum=0.9).minimize(mse), 200, 20)


def save_and_restore():
    _, _, _, mse = regression()
    training_op = tf.train.GradientDescentOptimizer(learning_rate=RATE).minimize(mse)
    saver = tf.train.Saver()
    with started() as sess:
        for epoch in range(500):
            if epoch % 100 == 0:
                print("Epoch", epoch, "MSE =", mse.eval())
                saver.save(sess, "checkpoints/my_model.ckpt")
            sess.run(training_op)
        saver.save(sess, "checkpoints/my_model_final.ckpt")
    with tf.Session() as sess:
        saver.restore(sess, "checkpoints/my_model_final.ckpt")
        print("restored MSE =", mse.eval())
    with tf.Session() as sess:
        saver.restore(sess, "checkpoints/my_model.ckpt")
        for epoch in range(100):
            if epoch % 50 == 0:
                print("Epoch", epoch, "MSE =", mse.eval())
            sess.run(training_op)


def name_scopes():
    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, shape=(None, 2), name="X")
    y = tf.placeholder(tf.float32, shape=(None, 1), name="y")
    theta = tf.Variable(tf.random_uniform([2, 1], -1.0, 1.0, seed=42), name="theta")
    y_pred = tf.matmul(X, theta, name="predictions")
    with tf.name_scope("loss"):
        error = y_pred - y
        mse = tf.reduce_mean(tf.square(error), name="mse")
    training_op = tf.train.GradientDescentOptimizer(learning_rate=RATE).minimize(mse)
    feed = {X: [[1, 2], [3, 4]], y: [[5], [11]]}
    with started() as sess:
        print("MSE =", mse.eval(feed_dict=feed))
        for _ in range(2000):
            sess.run(training_op, feed_dict=feed)
        print(theta.eval())


def started():
    """A session whose variables are initialised."""
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return session


def housing():
    arrays = np.load(sys.argv[2])
    return arrays["features"], arrays["target"]


def regression():
    from sklearn.preprocessing import StandardScaler

    data, target = housing()
    scaled = np.c_[np.ones((len(data), 1)), StandardScaler().fit_transform(data)]
    tf.set_random_seed(42)
    X = tf.constant(scaled, dtype=tf.float32, name="X")
    y = tf.constant(target.reshape(-1, 1), dtype=tf.float32, name="y")
    theta = tf.Variable(tf.random_uniform([X.shape[1], 1], -1.0, 1.0, seed=42), name="theta")
    error = tf.matmul(X, theta, name="predictions") - y
    return X, theta, error, tf.reduce_mean(tf.square(error), name="mse")


def descended(theta, mse, training_op, n_epochs, often):
    with started() as sess:
        for epoch in range(n_epochs):
            if epoch % often == 0:
                print("Epoch", epoch, "MSE =", mse.eval())
            sess.run(training_op)
        print("Best theta:")
        print(theta.eval())


if __name__ == "__main__":
    globals()[sys.argv[1]]()
