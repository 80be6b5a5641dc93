import numpy as np
import tensorflow.compat.v1 as tf
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler


def train(values, n_epochs=60, batch_size=64):
    digits = load_digits()
    X_train, X_test = train_test_split(digits.data, test_size=0.2, random_state=42)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)

    def dense(inputs, name, activation=None):
        with tf.variable_scope(name):
            kernel = tf.get_variable("kernel", initializer=values[name + "/kernel"])
            bias = tf.get_variable("bias", initializer=values[name + "/bias"])
            outputs = tf.matmul(inputs, kernel) + bias
            return activation(outputs) if activation is not None else outputs

    tf.set_random_seed(42)
    X = tf.placeholder(tf.float32, [None, 64])
    hidden = dense(X, "dense", activation=tf.nn.tanh)
    mean = dense(hidden, "dense_1")
    log_variance = dense(hidden, "dense_2")
    noise = tf.random_normal(tf.shape(mean), seed=11)
    code = mean + tf.exp(log_variance / 2.0) * noise
    hidden_decoder = dense(code, "dense_3", activation=tf.nn.tanh)
    logits = dense(hidden_decoder, "dense_4")
    outputs = tf.nn.sigmoid(logits)

    xentropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=X, logits=logits)
    rebuild_loss = tf.reduce_sum(xentropy, axis=1)
    divergence = tf.square(mean) + tf.exp(log_variance) - log_variance - 1.0
    latent_loss = 0.5 * tf.reduce_sum(divergence, axis=1)
    cost = tf.reduce_mean(rebuild_loss + latent_loss)
    optimizer = tf.train.RMSPropOptimizer(learning_rate=0.002)
    training_op = optimizer.minimize(cost)

    def evaluate(sess):
        total = 0.0
        for start in range(0, len(X_test), batch_size):
            X_batch = X_test[start : start + batch_size]
            total += len(X_batch) * sess.run(cost, feed_dict={X: X_batch})
        return total / len(X_test)

    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            if epoch % 10 == 0:
                print("epoch", epoch, "cost", evaluate(sess))
            order = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                sess.run(training_op, feed_dict={X: X_train[rows]})
        test = evaluate(sess)
        print("cost", test)

        axis = np.linspace(-3.0, 3.0, 13)
        codes = [[x, y] for y in axis for x in axis]
        drawn = sess.run(outputs, feed_dict={code: codes})
        rows = drawn.reshape(13, 13, 8, 8)
        picture = np.vstack([np.hstack(list(row)) for row in rows])
        Image.fromarray(np.uint8(255 * picture)).save("vae_by_hand.png")
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"test": test, **trained}
