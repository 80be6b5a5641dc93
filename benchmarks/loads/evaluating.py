"""A small network on scikit-learn's digits, with its test data evaluated after each epoch, as most trainings do.

Here a step is an epoch with its evaluation. Rows are in order, so that all contenders see the same ones. The losses of
the test data are compared too.
"""

import tempfile
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from .. import contenders
from ..measure import Settings, Training, measure
from ..problem import Outcome, Problem
from ..result import LoadResult
from .classifier import Classifier

EPOCHS = 20


@dataclass
class WithTest(Problem):
    """A problem with the features and target of test data."""

    test: tuple[np.ndarray, np.ndarray] = (np.zeros(0), np.zeros(0))


class EvaluatedDigits(Classifier):
    """The layers of `models/digits.tfg`, without dropout: its random numbers differ between frameworks."""

    data = "digits"
    rate = 0.05
    data_line = "data digits = digits() | minmax | split(test=0.2, seed=42)"
    body = """variable w1 = truncated_normal([64, 64], stddev=0.125, seed=1)
variable b1: float32[64] = zeros
hidden1 = relu(X @ w1 + b1)
variable w2 = truncated_normal([64, 32], stddev=0.125, seed=2)
variable b2: float32[32] = zeros
hidden2 = relu(hidden1 @ w2 + b2)
variable w3 = truncated_normal([32, 10], stddev=0.2, seed=3)
variable b3: float32[10] = zeros
logits = hidden2 @ w3 + b3"""

    def problem(self, batch: int, momentum: float) -> WithTest:
        import tfdsl

        data = tfdsl.compile(self.data_line + "\n").dataset(self.data)
        train, test = (
            (np.ascontiguousarray(part.features, np.float32), np.ascontiguousarray(part.target, np.int32).reshape(-1))
            for part in (data.train, data.test)
        )
        return WithTest(*train, self.source(), batch, self.rate, momentum, test=test)

    def program(self, problem: Problem, steps: int, logs: bool = False) -> str:
        return f"""seed 42
{self.data_line}
placeholder X: float32[batch, 64]
placeholder y: int32[batch, 1]
{self.body}
xentropy = sparse_softmax_cross_entropy_with_logits(labels=reshape(y, [-1]), logits=logits)
error = reduce_mean(xentropy)
accuracy = reduce_mean(cast(equal(argmax(logits, axis=1, output_type=int32), reshape(y, [-1])), float32))
optimize error with momentum({problem.momentum}, learning_rate={problem.rate})
session:
    train {steps} epochs on digits.train in batches of {problem.batch} ordered as batch:
        feed X = batch.features, y = batch.target
        after every 1 epoch:
            test = evaluate error, accuracy on digits.test in batches of 50 as b with X = b.features, y = b.target
            print test.error, test.accuracy
"""

    def by_hand_logits(self, tf, X):
        w1 = tf.Variable(tf.truncated_normal([64, 64], stddev=0.125, seed=1), name="w1")
        b1 = tf.Variable(tf.zeros([64]), name="b1")
        hidden1 = tf.nn.relu(tf.matmul(X, w1) + b1)
        w2 = tf.Variable(tf.truncated_normal([64, 32], stddev=0.125, seed=2), name="w2")
        b2 = tf.Variable(tf.zeros([32]), name="b2")
        hidden2 = tf.nn.relu(tf.matmul(hidden1, w2) + b2)
        w3 = tf.Variable(tf.truncated_normal([32, 10], stddev=0.2, seed=3), name="w3")
        b3 = tf.Variable(tf.zeros([10]), name="b3")
        self.logits = tf.matmul(hidden2, w3) + b3
        return self.logits

    def keras(self, keras):
        dense = keras.layers.Dense
        return keras.Sequential([keras.Input((64,)), dense(64, "relu"), dense(32, "relu"), dense(10)])


class ByHand(contenders.ByHand):
    """One `session.run` for each batch of the training and of the test data."""

    def __init__(self, model: EvaluatedDigits, problem: WithTest):
        super().__init__(model, problem)
        tf = self.tf
        with self.graph.as_default():
            right = tf.equal(tf.argmax(model.logits, 1, output_type=tf.int32), self.y)
            self.measures = [self.graph.get_tensor_by_name("loss:0"), tf.reduce_mean(tf.cast(right, tf.float32))]

    def run(self, steps: int) -> Outcome:
        problem, session = self.problem, self.session
        initial = {v.initializer.inputs[1]: problem.start[name] for name, v in self.variables.items()}
        session.run(self.init, initial)
        errors = []
        started = perf_counter()
        for _ in range(steps):
            for X, y in self.batches(problem.features, problem.target):
                session.run(self.training_op, feed_dict={self.X: X, self.y: y})
            totals = np.zeros(2)
            for X, y in self.batches(*problem.test):
                totals += len(y) * np.array(session.run(self.measures, feed_dict={self.X: X, self.y: y}))
            errors.append(totals[0] / len(problem.test[1]))
        seconds = perf_counter() - started
        return Outcome(seconds, steps, session.run(self.variables) | {"log": log(errors)})

    def batches(self, X: np.ndarray, y: np.ndarray):
        size = self.problem.batch
        return ((X[at : at + size], y[at : at + size]) for at in range(0, len(X), size))


class Tfdsl(contenders.Tfdsl):
    """The clock starts at the first progress report, as there."""

    def run(self, steps: int) -> Outcome:
        program = self._program(steps)
        reports: list[tuple[float, int]] = []

        class Report(self.Progress):
            def step(self, done: int) -> None:
                reports.append((perf_counter(), done))

        with tempfile.TemporaryDirectory() as folder:
            options = self.Options(
                engine=self.engine, logdir=folder, progress=lambda *_: Report(), write=lambda line: None
            )
            started = perf_counter()
            result = program.run(options=options)
        if result.engines != [self.engine]:
            raise RuntimeError(f"trained with {result.engines}, not with {self.engine}")
        (first, done), (last, total) = reports[0], reports[-1]
        errors = [float(line.split()[0]) for line in result.printed]
        results = {name: result.variables[name] for name in self.problem.start} | {"log": log(errors)}
        return Outcome(last - first, steps * (total - done) / total, results, first - started)


class Keras(contenders.Keras):
    """`fit` with `validation_data`. The clock runs from the start of the first epoch to the end of the last."""

    def __init__(self, model: EvaluatedDigits, problem: WithTest):
        super().__init__(model, problem)
        self.net.compile(optimizer=self.net.optimizer, loss=model.keras_loss(self.keras), metrics=["accuracy"])

    def run(self, steps: int) -> Outcome:
        problem = self.problem
        history, seconds = self.fit(
            x=problem.features, y=problem.target, batch_size=problem.batch, epochs=steps, shuffle=False,
            validation_data=problem.test,
        )  # fmt: skip
        results = dict(zip(problem.start, self.net.get_weights())) | {"log": log(history["val_loss"])}
        return Outcome(seconds, steps, results)


def log(errors: list[float]) -> np.ndarray:
    """The losses of the test data by epoch, as `measure.difference` compares them."""
    return np.array(list(enumerate(errors)), np.float64)


@dataclass(frozen=True)
class Evaluating(Training):
    """The load: each run trains for the same number of epochs."""

    def contender(self, name: str, problem: Problem):
        model = self.model()
        match name:
            case "by hand":
                return ByHand(model, problem)
            case "Keras fit":
                return Keras(model, problem)
            case _:
                return Tfdsl(model, problem, name)

    def measure(self, settings: Settings) -> LoadResult:
        return measure(self, replace(settings, check=EPOCHS, limit=EPOCHS))
