from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.model_selection import train_test_split

DATA = Path(__file__).parent.parent / "data" / "sequences.csv"


def dynamic_lstm(X, n_hidden, lengths, values):
    with tf.variable_scope("lstm"):
        Wx = tf.get_variable("kernel", initializer=values["lstm/kernel"])
        Wh = tf.get_variable("recurrent_kernel", initializer=values["lstm/recurrent_kernel"])
        bias = tf.get_variable("bias", initializer=values["lstm/bias"])
    X = tf.transpose(X, [1, 0, 2])
    n_rows = tf.shape(X)[1]

    def body(t, h, c):
        i, f, j, o = tf.split(tf.matmul(X[t], Wx) + tf.matmul(h, Wh) + bias, 4, axis=1)
        new_c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
        new_h = tf.sigmoid(o) * tf.tanh(new_c)
        alive = tf.tile(tf.expand_dims(t < lengths, 1), [1, n_hidden])
        return t + 1, tf.where(alive, new_h, h), tf.where(alive, new_c, c)

    longest = tf.reduce_max(lengths)
    start = tf.zeros([n_rows, n_hidden])
    _, h, _ = tf.while_loop(lambda t, h, c: t < longest, body, [tf.constant(0), start, start])
    return h


def train(values, n_epochs=20):
    data = np.genfromtxt(DATA, delimiter=",", skip_header=1, dtype=np.float32)
    train_data, test_data = train_test_split(data, test_size=0.3, random_state=1)

    n_hidden = 24
    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 20], name="X")
    y = tf.placeholder(tf.int64, [None], name="y")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    state = dynamic_lstm(tf.expand_dims(X, 2), n_hidden, lengths, values)
    with tf.variable_scope("dense"):
        kernel = tf.get_variable("kernel", initializer=values["dense/kernel"])
        bias = tf.get_variable("bias", initializer=values["dense/bias"])
    logits = tf.matmul(state, kernel) + bias
    cost = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    optimizer = tf.train.AdamOptimizer(learning_rate=0.01).minimize(cost)
    correct_pred = tf.equal(tf.argmax(logits, 1), y)
    accuracy = tf.reduce_mean(tf.cast(correct_pred, tf.float32))
    init = tf.global_variables_initializer()

    def feed(rows):
        return {y: rows[:, 0], lengths: rows[:, 1], X: rows[:, 2:]}

    batch_size = 128
    step = 0
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            rows = np.random.default_rng([0, epoch]).permutation(len(train_data))
            for start in range(0, len(rows), batch_size):
                batch = feed(train_data[rows[start : start + batch_size]])
                if epoch % 5 == 0 and start == 0:
                    loss, acc = sess.run([cost, accuracy], feed_dict=batch)
                    print("step", step, "loss", loss, "accuracy", acc)
                sess.run(optimizer, feed_dict=batch)
                step += 1
        loss, acc = sess.run([cost, accuracy], feed_dict=feed(test_data))
        print(loss, acc)
        return {**{v.op.name: sess.run(v) for v in tf.trainable_variables()}, "cost": loss, "accuracy": acc}
