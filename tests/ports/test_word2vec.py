"""Skip-gram, beside the same program by hand."""

import numpy as np
import pytest
import tensorflow as tf
from beside_by_hand import agree
from tensorflow.python.ops import candidate_sampling_ops


@pytest.fixture(autouse=True)
def same_draws(monkeypatch):
    """TensorFlow's function draws classes with an op of its own. Here it gets those that the program draws."""

    def sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None):
        spread = np.log(np.float32(range_max + 1))
        draws = tf.cast(tf.exp(tf.random.uniform([num_sampled], seed=1) * spread), tf.int64) - 1
        drawn = tf.minimum(draws, range_max - 1)
        expected = [
            num_sampled * tf.math.log1p(1 / (tf.cast(one, tf.float32) + 1)) / spread for one in (true_classes, drawn)
        ]
        return drawn, *expected

    monkeypatch.setattr(candidate_sampling_ops, "log_uniform_candidate_sampler", sampler)


@pytest.mark.long
@pytest.mark.parametrize("engine", ["step", "loop"])
def test_the_same_results(here, engine):
    agree("word2vec", engine=engine, n_epochs=1)


@pytest.mark.long
def test_the_default_size(here):
    agree("word2vec", atol=1e-3)
