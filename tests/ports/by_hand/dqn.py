import csv
import math
import os

import numpy as np
import tensorflow.compat.v1 as tf

MOVES = os.path.join(os.path.dirname(__file__), "..", "..", "..", "models", "dqn", "moves.csv")
BATCH_SIZE = 128
DISCOUNT = 0.98


def read_moves():
    with open(MOVES, encoding="utf-8", newline="") as file:
        rows = np.array(list(csv.reader(file))[1:], np.float32)
    return rows[:, :4], rows[:, 4].astype(np.int64), rows[:, 5:9], rows[:, 9]


def train(values, n_steps=2000):
    def dense(x, name, activation=None):
        with tf.variable_scope(name):
            scope = tf.get_variable_scope().name
            kernel = tf.get_variable("kernel", initializer=values[f"{scope}/kernel"])
            bias = tf.get_variable("bias", initializer=values[f"{scope}/bias"])
            z = tf.matmul(x, kernel) + bias
            return z if activation is None else activation(z)

    def network(x, name):
        with tf.variable_scope(name):
            x = dense(x, "dense", activation=tf.nn.relu)
            x = dense(x, "dense_1", activation=tf.nn.relu)
            return dense(x, "dense_2")

    states, actions, next_states, falls = read_moves()
    state = tf.placeholder(tf.float32, [None, 4], name="state")
    action = tf.placeholder(tf.int64, [None], name="action")
    next_state = tf.placeholder(tf.float32, [None, 4], name="next_state")
    has_fallen = tf.placeholder(tf.float32, [None], name="has_fallen")

    returns = network(state, "online")
    later = network(next_state, "target")
    online = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="online")
    target = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="target")
    wanted = (1.0 - has_fallen) * (1.0 + DISCOUNT * tf.reduce_max(later, axis=1))
    found = tf.reduce_sum(returns * tf.one_hot(action, 2), axis=1)
    loss = tf.losses.huber_loss(tf.stop_gradient(wanted), found)
    train_op = tf.train.AdamOptimizer(learning_rate=0.001).minimize(loss, var_list=online)
    follow = tf.group(*[tf.assign(old, new) for old, new in zip(target, online)])
    best = tf.argmax(returns, axis=1)

    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        sess.run(follow)
        batches = math.ceil(len(states) / BATCH_SIZE)
        for step in range(n_steps):
            epoch, batch = divmod(step, batches)
            if batch == 0:
                order = np.random.default_rng([0, epoch]).permutation(len(states))
            rows = order[batch * BATCH_SIZE : (batch + 1) * BATCH_SIZE]
            feed_dict = {
                state: states[rows],
                action: actions[rows],
                next_state: next_states[rows],
                has_fallen: falls[rows],
            }
            if step % 50 == 0:
                sess.run(follow)
            if step % 500 == 0:
                print("step", step, "error", sess.run(loss, feed_dict=feed_dict))
            sess.run(train_op, feed_dict=feed_dict)
        pushes = sess.run(best, feed_dict={state: [[0, 0, -0.1, 0], [0, 0, 0.1, 0]]})
        print("pushes for angles to the left and to the right:", [["left", "right"][push] for push in pushes])
        variables = online + target
        return {one.op.name: value for one, value in zip(variables, sess.run(variables))}
