import csv

import numpy as np
import tensorflow.compat.v1 as tf

BATCH_SIZE, TIME_STEPS, CELL_SIZE = 50, 20, 10


def get_batch(start):
    steps = np.arange(start, start + BATCH_SIZE * TIME_STEPS, dtype=np.float32)
    times = steps.reshape(BATCH_SIZE, TIME_STEPS, 1) / np.float32(10 * 3.14159265)
    return times, np.sin(times), np.cos(times)


def train(values, n_steps=200):
    xs = tf.placeholder(tf.float32, [None, TIME_STEPS, 1])
    ys = tf.placeholder(tf.float32, [None, TIME_STEPS, 1])
    cell_init_state = tf.placeholder(tf.float32, [2, None, CELL_SIZE])

    with tf.variable_scope("dense"):
        kernel = tf.get_variable("kernel", initializer=values["dense/kernel"])
        bias = tf.get_variable("bias", initializer=values["dense/bias"])
        l_in_x = tf.reshape(xs, [-1, 1])
        l_in_y = tf.reshape(tf.matmul(l_in_x, kernel) + bias, [-1, TIME_STEPS, CELL_SIZE])

    with tf.variable_scope("lstm"):
        kernel = tf.get_variable("kernel", initializer=values["lstm/kernel"])
        recurrent = tf.get_variable("recurrent_kernel", initializer=values["lstm/recurrent_kernel"])
        bias = tf.get_variable("bias", initializer=values["lstm/bias"])
        h, c = cell_init_state[0], cell_init_state[1]
        cell_outputs = []
        for x in tf.unstack(l_in_y, axis=1):
            gates = tf.matmul(x, kernel) + tf.matmul(h, recurrent) + bias
            i, f, j, o = tf.split(gates, 4, axis=1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(j)
            h = tf.sigmoid(o) * tf.tanh(c)
            cell_outputs.append(h)
        cell_final_state = tf.stack([h, c])

    with tf.variable_scope("dense_1"):
        kernel = tf.get_variable("kernel", initializer=values["dense_1/kernel"])
        bias = tf.get_variable("bias", initializer=values["dense_1/bias"])
        l_out_x = tf.reshape(tf.stack(cell_outputs, axis=1), [-1, CELL_SIZE])
        pred = tf.reshape(tf.matmul(l_out_x, kernel) + bias, [-1, TIME_STEPS, 1])

    cost = tf.reduce_mean(tf.square(ys - pred))
    train_op = tf.train.AdamOptimizer(0.006).minimize(cost)

    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        state = np.zeros([2, BATCH_SIZE, CELL_SIZE])
        for step in range(n_steps):
            _, seq, res = get_batch(TIME_STEPS * step)
            feed_dict = {xs: seq, ys: res, cell_init_state: state}
            if step % 20 == 0:
                print(step, sess.run(cost, feed_dict=feed_dict))
            _, state = sess.run([train_op, cell_final_state], feed_dict=feed_dict)
        times, seq, res = get_batch(TIME_STEPS * n_steps)
        feed_dict = {xs: seq, ys: res, cell_init_state: state}
        cost_val, pred_val = sess.run([cost, pred], feed_dict=feed_dict)
        print(cost_val)
        with open("by_hand.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time", "predicted"])
            writer.writerows(zip(times[0, :, 0], pred_val[0, :, 0]))
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"mse": cost_val, "state": state, **trained}
