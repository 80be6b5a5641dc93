import csv
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf

DATA = Path(__file__).parents[3] / "models" / "language_model" / "words.csv"


def train(values, n_epochs=6, n_steps=20, n_streams=10, n_units=48):
    with open(DATA, newline="") as file:
        text = [row["word"] for row in csv.DictReader(file)]
    n_test = int(np.ceil(0.1 * len(text)))
    vocabulary = sorted(set(text[:-n_test]))
    word_to_id = {word: number for number, word in enumerate(vocabulary)}
    data = np.array([word_to_id[word] for word in text])

    train_data = data[:-n_test].reshape(n_streams, -1)
    test_data = data[-n_test:].reshape(n_streams, -1)
    n_batches = (train_data.shape[1] - 1) // n_steps

    words = tf.placeholder(tf.int64, [n_streams, None])
    state = tf.placeholder(tf.float32, [2, 2, n_streams, n_units])

    def variable(name):
        return tf.get_variable(name, initializer=values[name])

    def lstm(inputs, first_state, suffix=""):
        kernel = variable("lstm/kernel" + suffix)
        recurrent = variable("lstm/recurrent_kernel" + suffix)
        bias = variable("lstm/bias" + suffix)

        def step(previous, x):
            h, c = previous
            gates = tf.matmul(x, kernel) + tf.matmul(h, recurrent) + bias
            i, f, j, o = tf.split(gates, 4, axis=1)
            new_c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
            new_h = tf.sigmoid(o) * tf.tanh(new_c)
            return new_h, new_c

        all_h, all_c = tf.scan(step, inputs, initializer=(first_state[0], first_state[1]))
        return all_h, tf.stack([all_h[-1], all_c[-1]])

    embedding = variable("embedding/table")
    softmax_w = variable("dense/kernel")
    softmax_b = variable("dense/bias")
    inputs = tf.transpose(tf.nn.embedding_lookup(embedding, words[:, :-1]), [1, 0, 2])
    hidden, state1 = lstm(inputs, state[0])
    hidden, state2 = lstm(hidden, state[1], "_1")
    final_state = tf.stack([state1, state2])
    outputs = tf.reshape(tf.transpose(hidden, [1, 0, 2]), [-1, n_units])
    logits = tf.matmul(outputs, softmax_w) + softmax_b
    targets = tf.reshape(words[:, 1:], [-1])
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    cost = tf.reduce_mean(xentropy)
    guess = tf.argmax(logits, axis=1)

    lr = tf.get_variable("lr", initializer=0.01, trainable=False)
    new_lr = tf.placeholder(tf.float32, [])
    lr_update = tf.assign(lr, new_lr)
    tvars = tf.trainable_variables()
    grads, _ = tf.clip_by_global_norm(tf.gradients(n_steps * cost, tvars), 5.0)
    optimizer = tf.train.AdamOptimizer(lr)
    train_op = optimizer.apply_gradients(zip(grads, tvars))

    init = tf.global_variables_initializer()
    zero_state = np.zeros([2, 2, n_streams, n_units])
    test_feed = {words: test_data, state: zero_state}
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            perplexity = np.exp(sess.run(cost, feed_dict=test_feed))
            print("perplexity of the test words", perplexity)
            lr_decay = 0.5 ** max(epoch - 3, 0)
            sess.run(lr_update, feed_dict={new_lr: 0.01 * lr_decay})
            state_val = zero_state
            for batch in range(n_batches):
                window = train_data[:, batch * n_steps : (batch + 1) * n_steps + 1]
                feed_dict = {words: window, state: state_val}
                state_val, _ = sess.run([final_state, train_op], feed_dict=feed_dict)
        cost_val, guess_val = sess.run([cost, guess], feed_dict=test_feed)
        print("perplexity of the test words", np.exp(cost_val))
        with open("guesses.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["word", "guess"])
            for right, guessed in zip(test_data[:, 1:].ravel(), guess_val):
                writer.writerow([vocabulary[right], vocabulary[guessed]])
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"exp(cost)": np.exp(cost_val), **trained}
