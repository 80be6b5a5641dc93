import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def model(X, w_h, w_h2, w_o, keep_input, keep_hidden):
    X = tf.nn.dropout(X, keep_input, seed=11)
    h = tf.nn.relu(tf.matmul(X, w_h))
    h = tf.nn.dropout(h, keep_hidden, seed=12)
    h2 = tf.nn.relu(tf.matmul(h, w_h2))
    h2 = tf.nn.dropout(h2, keep_hidden, seed=12)
    return tf.matmul(h2, w_o)


def train(values, n_epochs=20):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train).astype(np.float32)
    X_test = scaler.transform(X_test).astype(np.float32)

    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64], name="X")
    y = tf.placeholder(tf.int64, [None], name="y")
    keep_input = tf.placeholder(tf.float32, name="keep_input")
    keep_hidden = tf.placeholder(tf.float32, name="keep_hidden")

    w_h = tf.Variable(values["dense/kernel"], name="dense/kernel")
    w_h2 = tf.Variable(values["dense_1/kernel"], name="dense_1/kernel")
    w_o = tf.Variable(values["dense_2/kernel"], name="dense_2/kernel")
    py_x = model(X, w_h, w_h2, w_o, keep_input, keep_hidden)
    cost = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=py_x))
    train_op = tf.train.RMSPropOptimizer(0.001, 0.9).minimize(cost)
    predict_op = tf.argmax(py_x, axis=1)

    with tf.Session() as sess:
        tf.global_variables_initializer().run()
        test_feed = {X: X_test, keep_input: 1.0, keep_hidden: 1.0}
        for epoch in range(n_epochs):
            for start in range(0, len(X_train), 128):
                end = start + 128
                feed = {X: X_train[start:end], y: y_train[start:end], keep_input: 0.8, keep_hidden: 0.5}
                sess.run(train_op, feed_dict=feed)
            if epoch % 5 == 4:
                print(epoch, np.mean(y_test == sess.run(predict_op, feed_dict=test_feed)))
        accuracy = np.mean(y_test == sess.run(predict_op, feed_dict=test_feed))
        print(accuracy)
        return {**{v.op.name: sess.run(v) for v in tf.trainable_variables()}, "accuracy": accuracy}
