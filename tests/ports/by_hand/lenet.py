import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def error_rate(predictions, labels):
    return 100.0 - 100.0 * np.mean(np.argmax(predictions, axis=1) == labels)


def train(values, n_epochs=12, batch_size=64):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train).astype(np.float32).reshape([-1, 8, 8, 1])
    X_test = scaler.transform(X_test).astype(np.float32).reshape([-1, 8, 8, 1])

    tf.set_random_seed(42)
    data_node = tf.placeholder(tf.float32, [None, 8, 8, 1])
    labels_node = tf.placeholder(tf.int64, [None])
    conv1_weights = tf.Variable(values["lenet/conv2d/kernel"], name="lenet/conv2d/kernel")
    conv1_biases = tf.Variable(values["lenet/conv2d/bias"], name="lenet/conv2d/bias")
    conv2_weights = tf.Variable(values["lenet/conv2d_1/kernel"], name="lenet/conv2d_1/kernel")
    conv2_biases = tf.Variable(values["lenet/conv2d_1/bias"], name="lenet/conv2d_1/bias")
    fc1_weights = tf.Variable(values["lenet/dense/kernel"], name="lenet/dense/kernel")
    fc1_biases = tf.Variable(values["lenet/dense/bias"], name="lenet/dense/bias")
    fc2_weights = tf.Variable(values["lenet/dense_1/kernel"], name="lenet/dense_1/kernel")
    fc2_biases = tf.Variable(values["lenet/dense_1/bias"], name="lenet/dense_1/bias")

    def model(data, train=False):
        conv = tf.nn.conv2d(data, conv1_weights, strides=[1, 1, 1, 1], padding="SAME")
        relu = tf.nn.relu(tf.nn.bias_add(conv, conv1_biases))
        pool = tf.nn.max_pool(relu, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
        conv = tf.nn.conv2d(pool, conv2_weights, strides=[1, 1, 1, 1], padding="SAME")
        relu = tf.nn.relu(tf.nn.bias_add(conv, conv2_biases))
        pool = tf.nn.max_pool(relu, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
        reshape = tf.reshape(pool, [-1, 2 * 2 * 32])
        hidden = tf.nn.relu(tf.matmul(reshape, fc1_weights) + fc1_biases)
        if train:
            hidden = tf.nn.dropout(hidden, 0.5, seed=5)
        return tf.matmul(hidden, fc2_weights) + fc2_biases

    logits = model(data_node, True)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels_node, logits=logits))
    regularizers = tf.nn.l2_loss(fc1_weights) + tf.nn.l2_loss(fc1_biases)
    regularizers += tf.nn.l2_loss(fc2_weights) + tf.nn.l2_loss(fc2_biases)
    loss += 5e-4 * regularizers
    global_step = tf.Variable(0, trainable=False)
    learning_rate = tf.train.exponential_decay(0.02, global_step * batch_size, len(X_train), 0.95, staircase=True)
    optimizer = tf.train.MomentumOptimizer(learning_rate, 0.9).minimize(loss, global_step=global_step)
    eval_prediction = tf.nn.softmax(model(data_node))

    def eval_in_batches(data, sess):
        predictions = np.zeros([len(data), 10], dtype=np.float32)
        for begin in range(0, len(data), batch_size):
            end = min(begin + batch_size, len(data))
            predictions[begin:end] = sess.run(eval_prediction, feed_dict={data_node: data[begin:end]})
        return predictions

    with tf.Session() as sess:
        tf.global_variables_initializer().run()
        for epoch in range(n_epochs):
            rows = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for begin in range(0, len(rows), batch_size):
                batch = rows[begin : begin + batch_size]
                sess.run(optimizer, feed_dict={data_node: X_train[batch], labels_node: y_train[batch]})
            if epoch % 4 == 3:
                test_error = error_rate(eval_in_batches(X_test, sess), y_test)
                print("epoch", epoch, "test error", test_error, "rate", sess.run(learning_rate))
        return {**{v.op.name: sess.run(v) for v in tf.trainable_variables()}, "test": test_error}
