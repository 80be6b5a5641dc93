import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def layer(X, name, values, activation=None):
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", initializer=values[name + "/kernel"])
        bias = tf.get_variable("bias", initializer=values[name + "/bias"])
        z = tf.matmul(X, kernel) + bias
        return z if activation is None else activation(z)


def train(values, n_epochs=20):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train).astype(np.float32)
    X_test = scaler.transform(X_test).astype(np.float32)

    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64], name="X")
    y = tf.placeholder(tf.int64, [None], name="y")
    rate = tf.placeholder(tf.float32, name="rate")
    hidden = layer(X, "dense", values, tf.nn.relu)
    logits = layer(hidden, "dense_1", values)
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    loss = tf.reduce_mean(xentropy)
    correct = tf.nn.in_top_k(logits, y, 1)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    training_op = tf.train.MomentumOptimizer(rate, momentum=0.9).minimize(loss)
    init = tf.global_variables_initializer()

    batch_size = 50
    step = 0
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            rows = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(rows), batch_size):
                batch = rows[start : start + batch_size]
                current_rate = 0.1 * 0.1 ** (step / 500)
                sess.run(training_op, feed_dict={X: X_train[batch], y: y_train[batch], rate: current_rate})
                step += 1
            if epoch % 5 == 4:
                acc_val = sess.run(accuracy, feed_dict={X: X_test, y: y_test})
                print(epoch, "rate", current_rate, "accuracy", acc_val)
        acc_val = sess.run(accuracy, feed_dict={X: X_test, y: y_test})
        print(acc_val)
        return {**{v.op.name: sess.run(v) for v in tf.trainable_variables()}, "accuracy": acc_val}
