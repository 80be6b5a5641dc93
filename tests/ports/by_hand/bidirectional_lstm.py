import csv
import os
import re
from collections import Counter

import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.model_selection import train_test_split
from tensorflow.python.keras.layers.legacy_rnn.rnn_cell_impl import LSTMCell

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "models", "bidirectional_lstm")
SIZE = 28
UNITS = 16
BATCH_SIZE = 32
PATIENCE = 4


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def split_words(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())


def numbers_of(rows, vocabulary):
    numbers = {word: number for number, word in enumerate(vocabulary, 2)}
    X = np.zeros([len(rows), SIZE], np.int64)
    for row, example in enumerate(rows):
        found = [numbers.get(word, 1) for word in split_words(example["text"])[:SIZE]]
        X[row, : len(found)] = found
    return X


def lstm_cell(values, scope):
    """TensorFlow's cell has one kernel for inputs and state, and the gates in another order."""
    kernels = [values[f"bidirectional/{scope}/kernel"], values[f"bidirectional/{scope}/recurrent_kernel"]]
    i, f, change, o = np.split(np.concatenate(kernels), 4, axis=1)
    kernel = np.concatenate([i, change, f, o], axis=1)
    return LSTMCell(UNITS, initializer=tf.constant_initializer(kernel))


def train(values, n_epochs=30):
    rows_train, rows_test = train_test_split(read("reviews.csv"), test_size=0.2, random_state=42)
    new = read("new.csv")
    counts = Counter(word for row in rows_train for word in split_words(row["text"]))
    vocabulary = sorted(counts, key=lambda word: (-counts[word], word))
    verdicts = sorted({row["verdict"] for row in rows_train})
    X_train, X_test, X_new = [numbers_of(rows, vocabulary) for rows in (rows_train, rows_test, new)]
    y_train, y_test = [np.array([verdicts.index(row["verdict"]) for row in rows]) for rows in (rows_train, rows_test)]

    tf.set_random_seed(42)
    X = tf.placeholder(tf.int64, [None, SIZE], name="X")
    y = tf.placeholder(tf.int64, [None], name="y")
    rate = tf.placeholder_with_default(0.0, [], name="rate")

    lengths = tf.reduce_sum(tf.cast(X > 0, tf.int32), axis=1)
    table = tf.get_variable("table", initializer=values["embedding/table"])
    embedded = tf.nn.embedding_lookup(table, X)
    _, states = tf.nn.bidirectional_dynamic_rnn(
        lstm_cell(values, "forward"), lstm_cell(values, "backward"), embedded, sequence_length=lengths, dtype=tf.float32
    )
    last = tf.concat([state.h for state in states], axis=1)
    dropped = tf.nn.dropout(last, rate=rate, seed=1)
    kernel = tf.get_variable("kernel", initializer=values["dense/kernel"])
    bias = tf.get_variable("bias", initializer=values["dense/bias"])
    logits = tf.matmul(dropped, kernel) + bias
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    optimizer = tf.train.AdamOptimizer(learning_rate=0.01)
    gradients, variables = zip(*optimizer.compute_gradients(loss))
    clipped, _ = tf.clip_by_global_norm(gradients, 1.0)
    train_op = optimizer.apply_gradients(zip(clipped, variables))
    predicted = tf.argmax(logits, axis=1)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(predicted, y), tf.float32))

    init = tf.global_variables_initializer()
    saver = tf.train.Saver()
    best, best_epoch = 0.0, 0
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            order = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(order), BATCH_SIZE):
                batch = order[start : start + BATCH_SIZE]
                sess.run(train_op, feed_dict={X: X_train[batch], y: y_train[batch], rate: 0.3})
            test = sess.run(accuracy, feed_dict={X: X_test, y: y_test})
            print("epoch", epoch, "accuracy", test)
            if test > best:
                best, best_epoch = test, epoch
                saver.save(sess, "checkpoints/by_hand.ckpt")
            elif epoch - best_epoch >= PATIENCE:
                break
        saver.restore(sess, "checkpoints/by_hand.ckpt")
        found = sess.run(predicted, feed_dict={X: X_new})
        with open("verdicts.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "verdict"])
            writer.writerows([row["id"], verdicts[number]] for row, number in zip(new, found))
        results = {"embedding/table": table, "dense/kernel": kernel, "dense/bias": bias}
        return sess.run(results)
