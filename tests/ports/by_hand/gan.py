import numpy as np
import tensorflow.compat.v1 as tf
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.preprocessing import MinMaxScaler


def train(values, n_epochs=60, batch_size=64):
    digits = load_digits()
    X_train = MinMaxScaler().fit_transform(digits.data)

    def dense(inputs, name, activation=None):
        scope = tf.get_variable_scope().name + "/" + name
        with tf.variable_scope(name):
            kernel = tf.get_variable("kernel", initializer=values[scope + "/kernel"])
            bias = tf.get_variable("bias", initializer=values[scope + "/bias"])
            outputs = tf.matmul(inputs, kernel) + bias
            return activation(outputs) if activation is not None else outputs

    def generator(z):
        with tf.variable_scope("painter"):
            hidden = dense(z, "dense", activation=tf.nn.relu)
            return dense(hidden, "dense_1", activation=tf.nn.sigmoid)

    def discriminator(x, reuse=False):
        with tf.variable_scope("critic", reuse=reuse):
            hidden = dense(x, "dense", activation=tf.nn.relu)
            return dense(hidden, "dense_1")

    tf.set_random_seed(42)
    real = tf.placeholder(tf.float32, [None, 64], name="real")
    noise = tf.random_uniform([tf.shape(real)[0], 20], -1.0, 1.0, seed=5)
    fake = generator(noise)
    of_real = discriminator(real)
    of_fake = discriminator(fake, reuse=True)
    cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits
    gen_loss = tf.reduce_mean(cross_entropy(labels=tf.ones_like(of_fake), logits=of_fake))
    real_loss = tf.reduce_mean(cross_entropy(labels=tf.ones_like(of_real), logits=of_real))
    fake_loss = tf.reduce_mean(cross_entropy(labels=tf.zeros_like(of_fake), logits=of_fake))
    disc_loss = real_loss + fake_loss

    gen_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="painter")
    disc_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="critic")
    gen_optimizer = tf.train.AdamOptimizer(learning_rate=0.001, beta1=0.5)
    disc_optimizer = tf.train.AdamOptimizer(learning_rate=0.001, beta1=0.5)
    gen_op = gen_optimizer.minimize(gen_loss, var_list=gen_vars)
    with tf.control_dependencies([gen_op]):
        disc_op = disc_optimizer.minimize(disc_loss, var_list=disc_vars)
    means = tf.reduce_mean(fake, axis=0), tf.reduce_mean(real, axis=0)
    distance = tf.reduce_mean(tf.abs(means[0] - means[1]))

    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        for epoch in range(n_epochs):
            order = np.random.default_rng([0, epoch]).permutation(len(X_train))
            for start in range(0, len(order), batch_size):
                feed_dict = {real: X_train[order[start : start + batch_size]]}
                if epoch % 10 == 0 and start == 0:
                    losses = sess.run([gen_loss, disc_loss], feed_dict=feed_dict)
                    print("epoch", epoch, "painter", losses[0], "critic", losses[1])
                sess.run([gen_op, disc_op], feed_dict=feed_dict)
        distance_val = sess.run(distance, feed_dict={real: X_train})
        print("distance of the mean pictures", distance_val)
        drawn = sess.run(fake, feed_dict={real: X_train[:36]})
        picture = np.vstack([np.hstack(list(row)) for row in drawn.reshape(6, 6, 8, 8)])
        Image.fromarray(np.uint8(255 * picture)).save("gan_by_hand.png")
        trained = {variable.op.name: sess.run(variable) for variable in tf.trainable_variables()}
        return {"distance": distance_val, **trained}
