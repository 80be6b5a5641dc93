import numpy as np
import tensorflow.compat.v1 as tf


def train(values):
    x = np.linspace(-1.0, 1.0, 200, dtype=np.float32)
    y = values["y"]

    a = tf.Variable(values["a"], dtype=tf.float32)
    b = tf.Variable(values["b"], dtype=tf.float32)
    pred = tf.sin(b * tf.cos(a * x))
    mse = tf.reduce_mean(tf.square(y - pred))
    train_op = tf.train.GradientDescentOptimizer(learning_rate=0.1).minimize(mse)
    tf.summary.scalar("a", a)
    tf.summary.scalar("b", b)
    tf.summary.scalar("mse", mse)
    merged = tf.summary.merge_all()

    a_list, b_list, mse_list = [], [], []
    writer = tf.summary.FileWriter("tf_logs/by_hand", tf.get_default_graph())
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for step in range(400):
            a_, b_, mse_, summary = sess.run([a, b, mse, merged])
            a_list.append(a_)
            b_list.append(b_)
            mse_list.append(mse_)
            writer.add_summary(summary, step)
            sess.run(train_op)
        a_, b_, mse_ = sess.run([a, b, mse])
        print("a =", a_, "b =", b_, "mse =", mse_)
    writer.close()
    return {"log a": a_list, "log b": b_list, "log mse": mse_list, "a": a_, "b": b_, "mse": mse_}
