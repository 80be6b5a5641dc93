import numpy as np
import tensorflow.compat.v1 as tf


def train(values, n_iterations=400, n_made=40, n_steps=20, resolution=0.1):
    def time_series(t):
        return t * tf.sin(t) / 3.0 + 2.0 * tf.sin(t * 5.0)

    tf.set_random_seed(42)
    t0 = tf.random_uniform([50, 1], 0.0, 30.0 - n_steps * resolution, seed=1)
    next_batch = time_series(t0 + resolution * tf.range(n_steps + 1, dtype=tf.float32))

    X = tf.placeholder(tf.float32, [None, n_steps])
    y = tf.placeholder(tf.float32, [None, n_steps])
    Wx = tf.get_variable("rnn/kernel", initializer=values["rnn/kernel"])
    Wh = tf.get_variable("rnn/recurrent_kernel", initializer=values["rnn/recurrent_kernel"])
    b = tf.get_variable("rnn/bias", initializer=values["rnn/bias"])
    V = tf.get_variable("dense/kernel", initializer=values["dense/kernel"])
    c = tf.get_variable("dense/bias", initializer=values["dense/bias"])

    h = tf.zeros([tf.shape(X)[0], 100])
    outputs = []
    for x in tf.split(X, n_steps, axis=1):
        h = tf.nn.relu(tf.matmul(x, Wx) + tf.matmul(h, Wh) + b)
        outputs.append(tf.matmul(h, V) + c)
    predicted = tf.concat(outputs, axis=1)
    loss = tf.reduce_mean(tf.square(predicted - y))
    optimizer = tf.train.AdamOptimizer(learning_rate=0.001)
    training_op = optimizer.minimize(loss)

    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        for iteration in range(n_iterations):
            if iteration % 100 == 0:
                batch = sess.run(next_batch)
                feed_dict = {X: batch[:, :-1], y: batch[:, 1:]}
                print(iteration, sess.run(loss, feed_dict=feed_dict))
            batch = sess.run(next_batch)
            feed_dict = {X: batch[:, :-1], y: batch[:, 1:]}
            sess.run(training_op, feed_dict=feed_dict)
        sequence = [0.0] * n_steps
        for _ in range(n_made):
            X_batch = np.array(sequence[-n_steps:]).reshape(1, n_steps)
            y_pred = sess.run(predicted, feed_dict={X: X_batch})
            sequence.append(y_pred[0, -1])
        print(np.array(sequence))
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"made[0]": sequence, **trained}
