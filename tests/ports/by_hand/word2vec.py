"""Skip-gram by hand in TensorFlow 1: the counterpart of models/word2vec/word2vec.tfg."""

import csv
import math
import os
import re
from collections import Counter

import numpy as np
import tensorflow.compat.v1 as tf

N_EPOCHS = 15
REACH = 2  # how many words before and after a word count as its context
SIZE = 16
SAMPLES = 8
BATCH_SIZE = 50
TEXT = os.path.join(os.path.dirname(__file__), "..", "..", "..", "models", "word2vec", "logbook.txt")
SHOWN = ["captain", "fog", "oslo", "sunday", "timber"]


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        lines = [re.findall(r"\w+|[^\w\s]", line.lower()) for line in file]
    counts = Counter(word for line in lines for word in line)
    vocabulary = sorted(counts, key=lambda word: (-counts[word], word))
    numbers = {word: number for number, word in enumerate(vocabulary)}
    return vocabulary, [[numbers[word] for word in line] for line in lines]


def skip_grams(lines):
    words, contexts = [], []
    for line in lines:
        for center, word in enumerate(line):
            for place in range(max(center - REACH, 0), min(center + REACH + 1, len(line))):
                if place != center:
                    words.append(word)
                    contexts.append(line[place])
    return np.array(words), np.array(contexts)[:, np.newaxis]


def train(values, n_epochs=N_EPOCHS):
    vocabulary, lines = read_lines(TEXT)
    n_words = len(vocabulary)
    tf.set_random_seed(42)
    words = tf.placeholder(tf.int64, [None], name="words")
    contexts = tf.placeholder(tf.int64, [None, 1], name="contexts")
    with tf.variable_scope("embedding"):
        table = tf.get_variable("table", initializer=values["embedding/table"])
    weights = tf.get_variable("weights", initializer=values["weights"])
    biases = tf.get_variable("biases", initializer=values["biases"])
    vectors = tf.nn.embedding_lookup(table, words)
    losses = tf.nn.nce_loss(weights, biases, contexts, vectors, SAMPLES, n_words)
    loss = tf.reduce_mean(losses)
    optimizer = tf.train.AdamOptimizer(learning_rate=0.03)
    train_op = optimizer.minimize(loss)
    directions = tf.nn.l2_normalize(table, axis=1)
    similarity = tf.matmul(directions, directions, transpose_b=True)
    _, nearest = tf.nn.top_k(similarity, k=4)
    init = tf.global_variables_initializer()

    with tf.Session() as sess:
        sess.run(init)
        n_batches = math.ceil(len(lines) / BATCH_SIZE)
        for epoch in range(n_epochs):
            order = np.random.default_rng([0, epoch]).permutation(len(lines))
            if epoch % 5 == 0:
                found = sess.run(nearest)
                print("epoch", epoch)
                for word in SHOWN:
                    near = [vocabulary[other] for other in found[vocabulary.index(word), 1:]]
                    print("   ", word, "is near", near)
            for batch in range(n_batches):
                rows = order[batch * BATCH_SIZE : (batch + 1) * BATCH_SIZE]
                word_batch, context_batch = skip_grams([lines[row] for row in rows])
                sess.run(train_op, feed_dict={words: word_batch, contexts: context_batch})
        found = sess.run(nearest)
        with open("nearest_words.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["word", "near_0", "near_1", "near_2"])
            for word, near in zip(vocabulary, found):
                writer.writerow([word] + [vocabulary[other] for other in near[1:]])
        return sess.run({"embedding/table": table, "weights": weights, "biases": biases})
