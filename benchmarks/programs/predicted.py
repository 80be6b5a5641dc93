"""What `tfdsl predict` does with `predicted.tfg`, as a script of pandas and TensorFlow 1.

The arguments are the file that the model was trained on, the saved model, the file with new rows, and the file to
write.
"""

import sys

import numpy as np
import pandas as pd
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

trained, saved, new, out = sys.argv[1:]
known = pd.read_csv(trained, dtype=np.float32).drop(columns="y")
mean, deviation = known.mean(), known.std(ddof=0)
features = ((pd.read_csv(new, dtype=np.float32)[known.columns] - mean) / deviation).to_numpy(np.float32)

X = tf.placeholder(tf.float32, [None, features.shape[1]])
w = tf.Variable(tf.zeros([features.shape[1], 1]), name="w")
b = tf.Variable(tf.zeros([1]), name="b")
score = X @ w + b

with tf.Session() as sess:
    tf.train.Saver().restore(sess, saved)
    scores = sess.run(score, {X: features})
pd.DataFrame({"score": scores[:, 0]}).to_csv(out, index=False)
