import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def train(values, n_epochs=6, batch_size=150):
    digits = load_digits()
    X_train, X_test = train_test_split(digits.data, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)

    X = tf.placeholder(tf.float32, [None, 64], name="X")
    names = ["first", "second", "third", "fourth"]
    weights = [tf.Variable(values[name + "/kernel"], name=name + "/kernel") for name in names]
    biases = [tf.Variable(values[name + "/bias"], name=name + "/bias") for name in names]
    hidden1 = tf.nn.elu(tf.matmul(X, weights[0]) + biases[0])
    hidden2 = tf.nn.elu(tf.matmul(hidden1, weights[1]) + biases[1])
    hidden3 = tf.nn.elu(tf.matmul(hidden2, weights[2]) + biases[2])
    outputs = tf.matmul(hidden3, weights[3]) + biases[3]
    mse = tf.reduce_mean(tf.square(outputs - X))

    with tf.name_scope("phase1"):
        phase1_outputs = tf.matmul(hidden1, weights[3]) + biases[3]
        phase1_mse = tf.reduce_mean(tf.square(phase1_outputs - X))
        phase1_reg = 0.0001 * (tf.nn.l2_loss(weights[0]) + tf.nn.l2_loss(weights[3]))
        phase1_op = tf.train.AdamOptimizer(learning_rate=0.01).minimize(phase1_mse + phase1_reg)
    with tf.name_scope("phase2"):
        phase2_mse = tf.reduce_mean(tf.square(hidden3 - hidden1))
        phase2_reg = 0.0001 * (tf.nn.l2_loss(weights[1]) + tf.nn.l2_loss(weights[2]))
        train_vars = [weights[1], biases[1], weights[2], biases[2]]
        phase2_op = tf.train.AdamOptimizer(learning_rate=0.01).minimize(phase2_mse + phase2_reg, var_list=train_vars)

    init = tf.global_variables_initializer()
    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            order = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(order), batch_size):
                X_batch = X_train[order[start : start + batch_size]]
                sess.run(phase1_op, feed_dict={X: X_batch})
            if (epoch + 1) % 2 == 0:
                print("outer", epoch, sess.run(phase1_mse, feed_dict={X: X_batch}))
        parts = []
        for start in range(0, len(X_train), batch_size):
            X_batch = X_train[start : start + batch_size]
            parts.append(sess.run(hidden1, feed_dict={X: X_batch}))
        codes = np.concatenate(parts)
        for epoch in range(n_epochs):
            order = np.random.default_rng([0, epoch]).permutation(len(codes))
            for start in range(0, len(order), batch_size):
                codes_batch = codes[order[start : start + batch_size]]
                sess.run(phase2_op, feed_dict={hidden1: codes_batch})
            if (epoch + 1) % 2 == 0:
                print("inner", epoch, sess.run(phase2_mse, feed_dict={hidden1: codes_batch}))
        total = 0.0
        for start in range(0, len(X_test), batch_size):
            X_batch = X_test[start : start + batch_size]
            total += len(X_batch) * sess.run(mse, feed_dict={X: X_batch})
        test = total / len(X_test)
        print("test MSE", test)
        saver.save(sess, "checkpoints_by_hand/stacked_autoencoder.ckpt")
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"test": test, **trained}
