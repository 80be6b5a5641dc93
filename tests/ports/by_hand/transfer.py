import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def layer(X, name, values, activation=None):
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", initializer=values[name + "/kernel"])
        bias = tf.get_variable("bias", initializer=values[name + "/bias"])
        z = tf.matmul(X, kernel) + bias
        return z if activation is None else activation(z)


def shuffled_batches(arrays, epoch, batch_size):
    rows = np.random.default_rng([0, epoch]).permutation(len(arrays[0]))
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        yield [array[batch] for array in arrays]


def objective(y, logits):
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    correct = tf.nn.in_top_k(logits, y, 1)
    return tf.reduce_mean(xentropy), tf.reduce_mean(tf.cast(correct, tf.float32))


def train(values, n_epochs=20):
    digits = load_digits()
    is_low = digits.target < 5
    X_low, X_low_test, y_low, y_low_test = train_test_split(
        digits.data[is_low], digits.target[is_low], test_size=0.2, random_state=1
    )
    X_high, X_high_test, y_high, y_high_test = train_test_split(
        digits.data[~is_low], digits.target[~is_low] - 5, test_size=0.2, random_state=1
    )

    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64], name="X")
    y = tf.placeholder(tf.int64, [None], name="y")
    hidden1 = layer(X / 16.0, "lower/dense", values, tf.nn.relu)
    hidden2 = layer(hidden1, "lower/dense_1", values, tf.nn.relu)
    old_loss, old_accuracy = objective(y, layer(hidden2, "old_head", values))
    new_loss, new_accuracy = objective(y, layer(hidden2, "new_head", values))
    optimizer = tf.train.AdamOptimizer(learning_rate=0.01)
    learn_old = optimizer.minimize(old_loss)
    new_optimizer = tf.train.AdamOptimizer(learning_rate=0.01)
    new_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="new_head")
    learn_new = new_optimizer.minimize(new_loss, var_list=new_vars)
    lower_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="lower")
    saver = tf.train.Saver(lower_vars)
    init = tf.global_variables_initializer()

    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            for X_batch, y_batch in shuffled_batches([X_low, y_low], epoch, 20):
                sess.run(learn_old, feed_dict={X: X_batch, y: y_batch})
        old_val = sess.run(old_accuracy, feed_dict={X: X_low_test, y: y_low_test})
        print("0 to 4:", old_val)
        saver.save(sess, "checkpoints/by_hand.ckpt")

    with tf.Session() as sess:
        sess.run(init)
        saver.restore(sess, "checkpoints/by_hand.ckpt")
        test_feed = {X: X_high_test, y: y_high_test}
        print("5 to 9, before:", sess.run(new_accuracy, feed_dict=test_feed))
        cached = sess.run(hidden2, feed_dict={X: X_high})
        for epoch in range(2 * n_epochs):
            for hidden_batch, y_batch in shuffled_batches([cached, y_high], epoch, 20):
                sess.run(learn_new, feed_dict={hidden2: hidden_batch, y: y_batch})
        new_val = sess.run(new_accuracy, feed_dict=test_feed)
        print("5 to 9, after:", new_val)
        weights = {v.op.name: sess.run(v) for v in lower_vars + new_vars}
        return {**weights, "old_accuracy": old_val, "new_accuracy": new_val}
