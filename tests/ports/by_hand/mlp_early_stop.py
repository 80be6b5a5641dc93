import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def layer(X, name, values, activation=None):
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", initializer=values[name + "/kernel"])
        bias = tf.get_variable("bias", initializer=values[name + "/bias"])
        z = tf.matmul(X, kernel) + bias
        return z if activation is None else activation(z)


def train(values, patience=3):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    n_valid = 180
    scaler = MinMaxScaler().fit(X_train[n_valid:])
    X_train = scaler.transform(X_train).astype(np.float32)
    X_test = scaler.transform(X_test).astype(np.float32)
    X_valid, X_train = X_train[:n_valid], X_train[n_valid:]
    y_valid, y_train = y_train[:n_valid], y_train[n_valid:]

    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64], name="X")
    y = tf.placeholder(tf.int64, [None], name="y")
    with tf.name_scope("dnn"):
        hidden1 = layer(X, "dnn/dense", values, tf.nn.relu)
        hidden2 = layer(hidden1, "dnn/dense_1", values, tf.nn.relu)
        logits = layer(hidden2, "dnn/dense_2", values)
    with tf.name_scope("loss"):
        xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        loss = tf.reduce_mean(xentropy)
        loss_summary = tf.summary.scalar("cost", loss)
    with tf.name_scope("eval"):
        correct = tf.nn.in_top_k(logits, y, 1)
        accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
        accuracy_summary = tf.summary.scalar("accuracy", accuracy)
    with tf.name_scope("train"):
        training_op = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    merged = tf.summary.merge([loss_summary, accuracy_summary])
    init = tf.global_variables_initializer()
    saver = tf.train.Saver()

    batch_size = 50
    best_loss = np.inf
    epochs_without_progress = 0
    step = 0
    writer = tf.summary.FileWriter("tf_logs/by_hand", tf.get_default_graph())
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(100):
            rows = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(rows), batch_size):
                batch = rows[start : start + batch_size]
                sess.run(training_op, feed_dict={X: X_train[batch], y: y_train[batch]})
                step += 1
            valid_feed = {X: X_valid, y: y_valid}
            loss_val, acc_val, summary = sess.run([loss, accuracy, merged], feed_dict=valid_feed)
            print("epoch", epoch, "loss", loss_val, "accuracy", acc_val)
            writer.add_summary(summary, step)
            if loss_val < best_loss:
                best_loss = loss_val
                epochs_without_progress = 0
                saver.save(sess, "checkpoints/by_hand.ckpt")
            else:
                epochs_without_progress += 1
                if epochs_without_progress >= patience:
                    print("early stopping")
                    break
        saver.restore(sess, "checkpoints/by_hand.ckpt")
        acc_val = sess.run(accuracy, feed_dict={X: X_test, y: y_test})
        print("test accuracy", acc_val)
        writer.close()
        return {**{v.op.name: sess.run(v) for v in tf.trainable_variables()}, "accuracy": acc_val}
