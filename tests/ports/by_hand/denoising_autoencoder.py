import numpy as np
import tensorflow.compat.v1 as tf
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def train(values, n_epochs=20, batch_size=128):
    digits = load_digits()
    X_train, X_test = train_test_split(digits.data, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)

    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64], name="X")
    kernel = tf.get_variable("kernel", initializer=values["kernel"])
    hidden_bias = tf.get_variable("hidden_bias", initializer=values["hidden_bias"])
    output_bias = tf.get_variable("output_bias", initializer=values["output_bias"])
    mask = tf.cast(tf.random_uniform(tf.shape(X), seed=2) > 0.3, tf.float32)
    corrupted = X * mask
    hidden = tf.nn.sigmoid(tf.matmul(corrupted, kernel) + hidden_bias)
    output = tf.nn.sigmoid(tf.matmul(hidden, tf.transpose(kernel)) + output_bias)
    cost = tf.reduce_sum(tf.square(X - output))
    optimizer = tf.train.GradientDescentOptimizer(learning_rate=0.02)
    training_op = optimizer.minimize(cost)

    pictures = tf.reshape(tf.concat([corrupted, output], axis=0), [-1, 8, 8, 1])
    tf.summary.scalar("cost", cost)
    tf.summary.image("pictures", pictures)
    summaries = tf.summary.merge_all()

    init = tf.global_variables_initializer()
    writer = tf.summary.FileWriter("logs/by_hand", tf.get_default_graph())
    n_batches = int(np.ceil(len(X_train) / batch_size))
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            if epoch % 5 == 0:
                summary_val = sess.run(summaries, feed_dict={X: X_test})
                writer.add_summary(summary_val, epoch * n_batches)
            order = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                sess.run(training_op, feed_dict={X: X_train[rows]})
        test = 0.0
        for start in range(0, len(X_test), batch_size):
            test += sess.run(cost, feed_dict={X: X_test[start : start + batch_size]})
        print("cost", test)
        pictures_val = sess.run(pictures, feed_dict={X: X_test[:18]})
        rows = [np.hstack(list(row)) for row in pictures_val.reshape(6, 6, 8, 8)]
        Image.fromarray(np.uint8(255 * np.vstack(rows))).save("restored_by_hand.png")
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
    writer.close()
    return {"test": test, **trained}
