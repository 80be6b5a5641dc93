"""Layers of `nn` beside those of Keras: with the same weights and inputs, the same values and gradients."""

import numpy as np
import tensorflow as tf

import tfdsl

v1 = tf.compat.v1


def random(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype("f")


def varied(weights):
    """Other weights of the same shapes. Those that begin with 0 or 1 would hide a mistake."""
    return [0.5 * random(*one.shape, seed=7 + at) for at, one in enumerate(weights)]


def ours(text, feed, weights=()):
    """The value of `target` and its gradients with respect to all variables, which have these weights in the order in
    which the program makes them."""
    compiled = tfdsl.compile(f"import nn\n{text}\n")
    with compiled.graph.as_default(), v1.Session() as session:
        variables = v1.trainable_variables()
        gradients = v1.gradients(compiled["target"], variables)
        session.run(v1.global_variables_initializer())
        for variable, value in zip(variables, weights, strict=True):
            variable.load(value, session)
        return session.run([compiled["target"], *gradients], {f"{name}:0": value for name, value in feed.items()})


def first_weights(text):
    """The values with which the variables of a program begin."""
    with tfdsl.compile(f"import nn\n{text}\n").graph.as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        return session.run(v1.trainable_variables())


def theirs(layer, target):
    """The value of a function and its gradients with respect to the variables of a layer, which get other weights."""
    layer.set_weights(varied(layer.get_weights()))
    with tf.GradientTape() as tape:
        value = target()
    return [np.asarray(one) for one in (value, *tape.gradient(value, [one.value for one in layer.trainable_variables]))]


def agree(text, feed, layer, target, tolerance=1e-5):
    """Whether a program computes the target that a layer of Keras gives, and its gradients."""
    wanted = theirs(layer, target)
    found = ours(text, feed, layer.get_weights())
    for mine, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance * max(1.0, np.abs(other).max()))
