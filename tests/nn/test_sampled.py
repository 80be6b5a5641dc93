"""Losses of `nn` over drawn classes, beside TensorFlow's with the same draws."""

import numpy as np
import pytest
import tensorflow as tf
from beside_keras import random
from conftest import some
from interrupted import stopped_after

import tfdsl
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

v1 = tf.compat.v1

CLASSES, SAMPLES = 50, 20
HEAD = f"""
import nn
seed 3
placeholder X: float32[batch, 6]
placeholder labels: int64[batch, 1]
variable weights: float32[{CLASSES}, 6] = glorot_uniform
variable biases: float32[{CLASSES}] = random_normal(stddev=0.3)
"""
THEIRS = {"sampled_softmax": tf.nn.sampled_softmax_loss, "nce": tf.nn.nce_loss}


def expected(classes):
    """How often TensorFlow's sampler expects classes among the draws."""
    numbers = tf.cast(classes, tf.float32)
    return SAMPLES * (tf.math.log((numbers + 2) / (numbers + 1)) / np.log(CLASSES + 1.0))


@pytest.mark.parametrize("name", THEIRS)
def test_a_loss(name):
    compiled = tfdsl.compile(f"{HEAD}target = nn.{name}(labels, X, weights, biases, {SAMPLES})\n")
    graph = compiled.graph
    given = {"X:0": random(30, 6), "labels:0": np.arange(30)[:, None] % 25}
    classes = np.random.default_rng(1).permutation(CLASSES)[:SAMPLES]  # TensorFlow looks for a label among them once
    with graph.as_default(), v1.Session() as session:
        weights, biases = v1.trainable_variables()
        (drawn,) = [op.outputs[0] for op in graph.get_operations() if op.name.endswith("/drawn")]
        labels = graph.get_tensor_by_name("labels:0")
        losses = THEIRS[name](weights, biases, labels, graph.get_tensor_by_name("X:0"), SAMPLES, CLASSES,
                              sampled_values=(drawn, expected(labels), expected(drawn)))  # fmt: skip
        mine, theirs = compiled["target"], tf.reduce_mean(losses)
        tensors = [[one, *map(tf.convert_to_tensor, v1.gradients(one, [weights, biases]))] for one in (mine, theirs)]
        session.run(v1.global_variables_initializer())
        found, wanted = session.run(tensors, {**given, drawn: classes})
    assert np.isin(given["labels:0"], classes).any()  # so that draws that are the label matter
    for own, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-6)


def test_small_classes_are_drawn_as_often_as_expected():
    text = f"{HEAD}loss = nn.nce(labels, X, weights, biases, 200000)\n"
    graph = tfdsl.compile(text).graph
    with graph.as_default(), v1.Session() as session:
        (drawn,) = [op.outputs[0] for op in graph.get_operations() if op.name.endswith("/drawn")]
        found = np.bincount(session.run(drawn), minlength=CLASSES) / 200000
    numbers = np.arange(CLASSES)
    np.testing.assert_allclose(found, np.log((numbers + 2) / (numbers + 1)) / np.log(CLASSES + 1), rtol=0.1)


TRAINED = (
    HEAD
    + """
data d = npz("rows.npz")
error = nn.{name}(labels, X, weights, biases, 8)
optimize error with {optimizer}(learning_rate=0.05)
session:
    train 20 epochs on d in batches of 10 as batch:
        checkpoint every 20 steps in "kept"
        feed X = batch.features, labels = batch.target
        every 59 steps: print error
"""
)


RUNS = [("sampled_softmax", "adam"), ("nce", "gradient_descent")]


@pytest.mark.long
@pytest.mark.parametrize(("name", "optimizer"), some(RUNS, RUNS[1:]))
@pytest.mark.parametrize("other", some(["loop", "xla"], ["loop"]))
def test_engines_train_and_resume(other, name, optimizer, here):
    """XLA draws other numbers, and so learns something else."""
    np.savez("rows.npz", features=random(30, 6), target=np.arange(30)[:, None])
    program = tfdsl.compile(TRAINED.format(name=name, optimizer=optimizer))
    step_by_step, others = (Options(write=lambda line: None, engine=engine) for engine in ("step", other))
    step, whole = program.run(options=step_by_step), program.run(options=others)
    for key, value in step.variables.items():
        assert whole.variables[key].shape == value.shape
        if other == "loop":
            np.testing.assert_array_equal(value, whole.variables[key], err_msg=key)
    for result in (step, whole):
        assert result.values["error"] < 0.8 * float(result.printed[0])
    if other == "loop":
        stopped_after(program, 30, engine="loop")
        resumed = program.run(options=others)
        assert resumed.resumed
        for key, value in resumed.variables.items():
            np.testing.assert_array_equal(value, whole.variables[key], err_msg=key)
