import numpy as np
import tensorflow.compat.v1 as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def average_gradients(tower_grads):
    average_grads = []
    for grad_and_vars in zip(*tower_grads):
        grads = [tf.expand_dims(grad, 0) for grad, _ in grad_and_vars]
        grad = tf.reduce_mean(tf.concat(grads, axis=0), axis=0)
        average_grads.append((grad, grad_and_vars[0][1]))
    return average_grads


def train(values, n_steps=100, batch_size=128, n_towers=2):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)

    def weights(name):
        kernel = tf.get_variable(name + "/kernel", initializer=values[name + "/kernel"])
        bias = tf.get_variable(name + "/bias", initializer=values[name + "/bias"])
        return kernel, bias

    def conv_net(x, reuse):
        with tf.variable_scope("conv_net", reuse=reuse):
            x = tf.reshape(x, [-1, 8, 8, 1])
            for name in ["conv2d", "conv2d_1"]:
                kernel, bias = weights(name)
                x = tf.nn.relu(tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME") + bias)
                x = tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
            x = tf.reshape(x, [-1, 2 * 2 * 32])
            kernel, bias = weights("dense")
            x = tf.nn.relu(tf.matmul(x, kernel) + bias)
            kernel, bias = weights("dense_1")
            return tf.matmul(x, kernel) + bias

    def cross_entropy(logits, y):
        xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        return tf.reduce_mean(xentropy)

    with tf.device("/cpu:0"):
        X = tf.placeholder(tf.float32, [None, 64])
        y = tf.placeholder(tf.int64, [None])
        optimizer = tf.train.AdamOptimizer(learning_rate=0.005)
        tower_grads = []
        half = batch_size // n_towers
        for i in range(n_towers):
            with tf.device("/cpu:0"):
                X_part, y_part = (X[i * half : (i + 1) * half], y[i * half : (i + 1) * half])
                tower_cost = cross_entropy(conv_net(X_part, reuse=i > 0), y_part)
                tower_grads.append(optimizer.compute_gradients(tower_cost))
        training_op = optimizer.apply_gradients(average_gradients(tower_grads))
        logits = conv_net(X, reuse=True)
        cost = cross_entropy(logits, y)
        correct = tf.equal(tf.argmax(logits, axis=1), y)
        accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))

    init = tf.global_variables_initializer()
    config = tf.ConfigProto(allow_soft_placement=True)
    with tf.Session(config=config) as sess:
        sess.run(init)
        for step in range(n_steps):
            rows = np.random.RandomState(step).randint(len(X_train), size=batch_size)
            feed_dict = {X: X_train[rows], y: y_train[rows]}
            if step % 20 == 0:
                cost_val, accuracy_val = sess.run([cost, accuracy], feed_dict=feed_dict)
                print("step", step, "cost", cost_val, "accuracy", accuracy_val)
            sess.run(training_op, feed_dict=feed_dict)
        total = 0.0
        for start in range(0, len(X_test), batch_size):
            X_batch, y_batch = (X_test[start : start + batch_size], y_test[start : start + batch_size])
            total += len(X_batch) * sess.run(accuracy, feed_dict={X: X_batch, y: y_batch})
        test = total / len(X_test)
        print("test accuracy", test)
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
    return {"test": test} | {name.removeprefix("conv_net/"): value for name, value in trained.items()}
