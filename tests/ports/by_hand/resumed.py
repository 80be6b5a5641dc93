import os

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

CHECKPOINTS = "checkpoints_by_hand"


def train(values, n_epochs=10, batch_size=128):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)

    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64])
    y = tf.placeholder(tf.int64, [None])
    rate_input = tf.placeholder_with_default(0.0, [])
    rate_hidden = tf.placeholder_with_default(0.0, [])
    w_h = tf.get_variable("dense/kernel", initializer=values["dense/kernel"])
    b_h = tf.get_variable("dense/bias", initializer=values["dense/bias"])
    w_o = tf.get_variable("dense_1/kernel", initializer=values["dense_1/kernel"])
    b_o = tf.get_variable("dense_1/bias", initializer=values["dense_1/bias"])
    dropped = tf.nn.dropout(X, rate=rate_input, seed=1)
    hidden = tf.nn.relu(tf.matmul(dropped, w_h) + b_h)
    logits = tf.matmul(tf.nn.dropout(hidden, rate=rate_hidden, seed=2), w_o) + b_o
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    training_op = tf.train.RMSPropOptimizer(0.001).minimize(tf.reduce_mean(xentropy))
    correct = tf.equal(tf.argmax(logits, axis=1), y)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    epochs_done = tf.get_variable("epochs_done", initializer=0, trainable=False)
    count_epoch = tf.assign_add(epochs_done, 1)

    def evaluate(sess):
        total = 0.0
        for start in range(0, len(X_test), batch_size):
            X_batch, y_batch = (X_test[start : start + batch_size], y_test[start : start + batch_size])
            total += len(X_batch) * sess.run(accuracy, feed_dict={X: X_batch, y: y_batch})
        return total / len(X_test)

    init = tf.global_variables_initializer()
    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(init)
        checkpoint = tf.train.get_checkpoint_state(CHECKPOINTS)
        if checkpoint and checkpoint.model_checkpoint_path:
            saver.restore(sess, checkpoint.model_checkpoint_path)
        first_epoch = sess.run(epochs_done)
        for epoch in range(first_epoch, n_epochs):
            order = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                feed_dict = {X: X_train[rows], y: y_train[rows], rate_input: 0.2, rate_hidden: 0.5}
                sess.run(training_op, feed_dict=feed_dict)
            if (epoch + 1) % 2 == 0:
                print(epoch, evaluate(sess))
            sess.run(count_epoch)
            saver.save(sess, os.path.join(CHECKPOINTS, "resume.ckpt"), global_step=epochs_done)
        test = evaluate(sess)
        print("accuracy", test)
        saver.save(sess, "by_hand.ckpt")
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"test": test, **trained}
