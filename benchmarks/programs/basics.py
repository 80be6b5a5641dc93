"""What `models/basics.tfg` does, as a script of TensorFlow 1."""

import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

x = tf.Variable(3, name="x")
y = tf.Variable(4, name="y")
f = x * x * y + y + 2

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(f))
