import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def train(values, k=20):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train).astype(np.float32)
    X_test = scaler.transform(X_test).astype(np.float32)

    X = tf.placeholder(tf.float32, [None, 64], name="X")
    y = tf.placeholder(tf.int64, [None], name="y")
    counts = tf.placeholder(tf.float32, [k, 10], name="counts")

    centers = tf.get_variable("centers", initializer=values["centers"])
    distances = tf.reduce_sum(tf.square(tf.expand_dims(X, 1) - centers), axis=2)
    nearest = tf.argmin(distances, axis=1)
    spread = tf.reduce_mean(tf.reduce_min(distances, axis=1))
    members = tf.unsorted_segment_sum(tf.one_hot(y, 10), nearest, k)
    means = tf.unsorted_segment_mean(X, nearest, k)
    is_used = tf.reduce_sum(members, axis=1, keepdims=True) > 0.0
    move = tf.assign(centers, tf.where_v2(is_used, means, centers))
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.gather(tf.argmax(counts, axis=1), nearest), y), tf.float32))

    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        feed_dict = {X: X_train, y: y_train}
        for step in range(30):
            if step % 10 == 0:
                print("step", step, "average distance", sess.run(spread, feed_dict=feed_dict))
            sess.run(move, feed_dict=feed_dict)
        counts_val = np.zeros([k, 10])
        for start in range(0, len(X_train), 100):
            batch = slice(start, start + 100)
            counts_val += sess.run(members, feed_dict={X: X_train[batch], y: y_train[batch]})
        test = sess.run(accuracy, feed_dict={X: X_test, y: y_test, counts: counts_val})
        print("test accuracy", test)
        return {"centers": sess.run(centers), "test": test}
