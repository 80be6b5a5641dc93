import numpy as np
import tensorflow.compat.v1 as tf
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def train(values, n_epochs=10, batch_size=50):
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)

    def dense(inputs, name, activation=None):
        with tf.variable_scope(name):
            kernel = tf.get_variable("kernel", initializer=values[name + "/kernel"])
            bias = tf.get_variable("bias", initializer=values[name + "/bias"])
            outputs = tf.matmul(inputs, kernel) + bias
            return activation(outputs) if activation is not None else outputs

    X = tf.placeholder(tf.float32, [None, 64])
    y = tf.placeholder(tf.int64, [None])
    hidden = dense(X, "dense", activation=tf.nn.relu)
    logits = dense(hidden, "dense_1")
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    loss = tf.reduce_mean(xentropy)
    training_op = tf.train.AdamOptimizer(learning_rate=0.01).minimize(loss)
    correct = tf.equal(tf.argmax(logits, axis=1), y)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))

    slope = tf.gradients(logits[:, 3], X)[0]
    chance = tf.nn.softmax(logits)[0, 3]

    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            order = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                sess.run(training_op, feed_dict={X: X_train[rows], y: y_train[rows]})
        total = 0.0
        for start in range(0, len(X_test), batch_size):
            X_batch, y_batch = (X_test[start : start + batch_size], y_test[start : start + batch_size])
            total += len(X_batch) * sess.run(accuracy, feed_dict={X: X_batch, y: y_batch})
        test = total / len(X_test)
        print("accuracy", test)

        picture = np.full([1, 64], 0.5)
        for i in range(20):
            slope_val, seen = sess.run([slope, chance], feed_dict={X: picture})
            picture = picture + 0.05 * slope_val / (np.mean(np.abs(slope_val)) + 1e-7)
            picture = np.clip(picture, 0.0, 1.0)
            if i % 5 == 0:
                print("step", i, "chance of a three", seen)
        chance_val = sess.run(chance, feed_dict={X: picture})
        print(chance_val)
        Image.fromarray(np.uint8(255 * picture.reshape(8, 8))).save("by_hand.png")
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"test": test, "chance": chance_val, **trained}
