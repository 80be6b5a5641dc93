"""What `tfdsl tune` does with `search.tfg`, as a script of Optuna and TensorFlow 1: a grid of rates and sizes."""

import numpy as np
import optuna
import tensorflow.compat.v1 as tf
from sklearn.datasets import make_moons
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

tf.disable_eager_execution()
optuna.logging.set_verbosity(optuna.logging.ERROR)

RATES, SIZES = [0.01, 0.1, 1.0], [50, 100]
EPOCHS = 1000

features, target = make_moons(1000, noise=0.1, random_state=42)
new_features, new_target = make_moons(200, noise=0.1, random_state=43)
powers = PolynomialFeatures(degree=3, include_bias=False).fit(features)
scaler = StandardScaler().fit(powers.transform(features))


def prepared(rows):
    scaled = scaler.transform(powers.transform(rows))
    return np.hstack([np.ones((len(rows), 1)), scaled]).astype(np.float32)


known, new = prepared(features), prepared(new_features)
target, new_target = (one.reshape(-1, 1).astype(np.float32) for one in (target, new_target))


def objective(trial):
    rate, size = trial.suggest_categorical("rate", RATES), trial.suggest_categorical("size", SIZES)
    with tf.Graph().as_default():
        tf.set_random_seed(42)
        X = tf.placeholder(tf.float32, [None, known.shape[1]])
        y = tf.placeholder(tf.float32, [None, 1])
        theta = tf.Variable(tf.zeros([known.shape[1], 1]))
        cost = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=X @ theta))
        training_op = tf.train.GradientDescentOptimizer(learning_rate=rate).minimize(cost)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for _ in range(EPOCHS):
                for start in range(0, len(known), size):
                    rows = slice(start, start + size)
                    sess.run(training_op, {X: known[rows], y: target[rows]})
            return float(sess.run(cost, {X: new, y: new_target}))


study = optuna.create_study(sampler=optuna.samplers.GridSampler({"rate": RATES, "size": SIZES}, seed=0))
study.optimize(objective, n_trials=len(RATES) * len(SIZES))
trials = [
    (value, rate * len(SIZES) + size, RATES[rate], SIZES[size])
    for value, rate, size in (
        (trial.value, RATES.index(trial.params["rate"]), SIZES.index(trial.params["size"])) for trial in study.trials
    )
]
for value, number, rate, size in sorted(trials):
    print(f"{number} {value:.6g} {rate} {size}")
