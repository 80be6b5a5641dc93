import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def train(values, n_epochs=15):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train).astype(np.float32)
    X_test = scaler.transform(X_test).astype(np.float32)

    X_train = X_train.reshape([-1, 8, 8])
    X_test = X_test.reshape([-1, 8, 8])

    n_steps, n_inputs, n_neurons = 8, 8, 50
    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, n_steps, n_inputs], name="X")
    y = tf.placeholder(tf.int64, [None], name="y")
    with tf.variable_scope("rnn"):
        Wx = tf.get_variable("kernel", initializer=values["rnn/kernel"])
        Wh = tf.get_variable("recurrent_kernel", initializer=values["rnn/recurrent_kernel"])
        b = tf.get_variable("bias", initializer=values["rnn/bias"])
        state = tf.zeros([tf.shape(X)[0], n_neurons])
        for x in tf.unstack(X, axis=1):
            state = tf.tanh(tf.matmul(x, Wx) + tf.matmul(state, Wh) + b)
    with tf.variable_scope("dense"):
        kernel = tf.get_variable("kernel", initializer=values["dense/kernel"])
        bias = tf.get_variable("bias", initializer=values["dense/bias"])
        logits = tf.matmul(state, kernel) + bias
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    loss = tf.reduce_mean(xentropy)
    training_op = tf.train.AdamOptimizer(learning_rate=0.005).minimize(loss)
    correct = tf.nn.in_top_k(logits, y, 1)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
    init = tf.global_variables_initializer()

    batch_size = 150
    test_feed = {X: X_test, y: y_test}
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            rows = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(rows), batch_size):
                batch = rows[start : start + batch_size]
                feed = {X: X_train[batch], y: y_train[batch]}
                sess.run(training_op, feed_dict=feed)
            if epoch % 5 == 4:
                print(epoch, "last batch", sess.run(accuracy, feed_dict=feed))
                print(epoch, "test", sess.run(accuracy, feed_dict=test_feed))
        loss_val, acc_val = sess.run([loss, accuracy], feed_dict=test_feed)
        print(loss_val, acc_val)
        weights = {v.op.name: sess.run(v) for v in tf.trainable_variables()}
        return {**weights, "cost": loss_val, "accuracy": acc_val}
