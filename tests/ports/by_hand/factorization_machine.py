import csv

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler


def train(values, n_epochs=200, batch_size=32):
    X_data, y_data = load_diabetes(return_X_y=True)
    order = np.random.RandomState(42).permutation(len(X_data))
    n_test = int(np.ceil(0.2 * len(X_data)))
    X_test, X_valid, X_train = np.split(X_data[order], [n_test, 2 * n_test])
    y_test, y_valid, y_train = np.split(y_data[order].reshape(-1, 1), [n_test, 2 * n_test])
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    X_valid = scaler.transform(X_valid)
    X_test = scaler.transform(X_test)
    n_columns = X_train.shape[1]

    X = tf.placeholder(tf.float32, [None, n_columns], name="X")
    y = tf.placeholder(tf.float32, [None, 1], name="y")
    bias = tf.get_variable("bias", initializer=values["bias"])
    linear = tf.get_variable("linear", initializer=values["linear"])
    factors = tf.get_variable("factors", initializer=values["factors"])
    squares_of_sums = tf.square(tf.matmul(X, factors))
    sums_of_squares = tf.matmul(tf.square(X), tf.square(factors))
    pairs = 0.5 * tf.reduce_sum(squares_of_sums - sums_of_squares, axis=1, keepdims=True)
    predicted = bias + tf.matmul(X, linear) + pairs
    mse = tf.reduce_mean(tf.square(predicted - y))
    penalty = 0.02 * (tf.nn.l2_loss(linear) + tf.nn.l2_loss(factors))
    optimizer = tf.train.AdamOptimizer(learning_rate=0.5)
    training_op = optimizer.minimize(mse + penalty)

    init = tf.global_variables_initializer()
    saver = tf.train.Saver()
    best_mse = np.inf
    epochs_without_progress = 0
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            order = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                sess.run(training_op, feed_dict={X: X_train[rows], y: y_train[rows]})
            mse_val = sess.run(mse, feed_dict={X: X_valid, y: y_valid})
            if mse_val < best_mse:
                best_mse = mse_val
                epochs_without_progress = 0
                saver.save(sess, "checkpoints_by_hand/factorization_machine.ckpt")
            else:
                epochs_without_progress += 1
                if epochs_without_progress == 20:
                    break
        saver.restore(sess, "checkpoints_by_hand/factorization_machine.ckpt")
        mse_val, predicted_val = sess.run([mse, predicted], feed_dict={X: X_test, y: y_test})
        print("rmse", np.sqrt(mse_val))
        with open("by_hand.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["predicted", "measured"])
            writer.writerows(zip(predicted_val[:, 0], y_test[:, 0]))
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"sqrt(mse)": np.sqrt(mse_val), **trained}
