import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph
from sklearn.preprocessing import MinMaxScaler


def train(values, n_epochs=200):
    digits = load_digits()
    features = MinMaxScaler().fit_transform(digits.data)[:600]
    labels = digits.target[:600]
    neighbours = kneighbors_graph(features, 6, include_self=True).toarray()
    edges = np.maximum(neighbours, neighbours.T)
    degrees = edges.sum(axis=1, keepdims=True)
    support = edges / np.sqrt(degrees * degrees.T)

    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64])
    y = tf.placeholder(tf.int64, [None])
    adjacency = tf.placeholder(tf.float32, [None, None])
    known = tf.placeholder(tf.int32, [None])
    rate = tf.placeholder_with_default(0.0, [])

    def graph_convolution(inputs, name, seed):
        with tf.variable_scope(name):
            kernel = tf.get_variable("dense/kernel", initializer=values[name + "/dense/kernel"])
            dropped = tf.nn.dropout(inputs, rate=rate, seed=seed)
            return tf.matmul(adjacency, tf.matmul(dropped, kernel)), kernel

    hidden, first_kernel = graph_convolution(X, "first", 1)
    logits, _ = graph_convolution(tf.nn.relu(hidden), "convolution", 2)
    known_labels = tf.gather(y, known)
    known_logits = tf.gather(logits, known)
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=known_labels, logits=known_logits)
    cost = tf.reduce_mean(xentropy) + 0.0005 * tf.nn.l2_loss(first_kernel)
    correct = tf.equal(tf.argmax(known_logits, axis=1), known_labels)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    optimizer = tf.train.AdamOptimizer(learning_rate=0.01)
    training_op = optimizer.minimize(cost)

    def construct_feed_dict(nodes):
        return {X: features, y: labels, adjacency: support, known: nodes}

    train_feed = construct_feed_dict(np.arange(60))
    valid_feed = construct_feed_dict(np.arange(60, 160))
    test_feed = construct_feed_dict(np.arange(160, 600))
    best_cost = np.inf
    epochs_without_progress = 0
    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            if epoch % 20 == 0:
                cost_val, accuracy_val = sess.run([cost, accuracy], feed_dict=train_feed)
                print("epoch", epoch, "cost", cost_val, "accuracy", accuracy_val)
            sess.run(training_op, feed_dict={**train_feed, rate: 0.5})
            valid = sess.run(cost, feed_dict=valid_feed)
            if valid < best_cost:
                best_cost = valid
                epochs_without_progress = 0
            else:
                epochs_without_progress += 1
                if epochs_without_progress == 10:
                    break
        test = sess.run(accuracy, feed_dict=test_feed)
        print("test accuracy", test)
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"accuracy": test, **trained}
