"""Keras' InceptionV3 without weights, in graph mode and with an optimizer of TensorFlow 1, as a MetaGraph:
python inception.py FILE. It runs in a process of its own, where nothing is eager."""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf

v1 = tf.compat.v1


def main(path: str) -> None:
    v1.disable_eager_execution()
    with tf.Graph().as_default():
        images = v1.placeholder(tf.float32, [None, 299, 299, 3], name="images")
        labels = v1.placeholder(tf.int64, [None], name="labels")
        network = keras.applications.InceptionV3(weights=None, classifier_activation=None)
        logits = network(images, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
        v1.train.AdamOptimizer(0.001).minimize(loss, name="train")
        v1.train.Saver()
        v1.train.export_meta_graph(path)


main(*sys.argv[1:])
