"""The contenders of the training loads: one class each. `Contender(model, problem).run(steps)` returns an `Outcome`.

The constructor makes everything that can be made once: graph, session, optimizer. `run` starts from the initial values
each time, trains for a number of steps, and returns the seconds without setup. Everything that depends on the number of
steps (indices of batches, a compiler) is done before the clock starts, so the first run with a number is the warm-up.

The loops by hand and tfdsl draw the batches while they train, so this is part of their time. NumPy, PyTorch and JAX get
the indices of all batches before the clock starts, scikit-learn and Keras even the rows. That favours them.

A model (`loads/*.py`) defines what is trained, once for each framework. All settings are the defaults of the framework
unless stated otherwise: no number of threads is set, no fast math.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

from .problem import Outcome, Problem

SEED = 42


class ByHand:
    """The chapter's loop: `fetch_batch`, and one `session.run` with a `feed_dict` per step. With `logs`, a FileWriter
    gets a summary every 10 batches."""

    def __init__(self, model, problem: Problem, logs: bool = False):
        import tensorflow.compat.v1 as tf

        self.tf, self.problem, self.logs = tf, problem, logs
        with tf.Graph().as_default() as graph:
            tf.set_random_seed(SEED)
            if problem.batch is None:
                self.X = tf.constant(problem.features, name="X")
                self.y = tf.constant(problem.target, name="y")
            else:
                self.X = tf.placeholder(tf.float32, [None, *problem.features.shape[1:]], name="X")
                self.y = tf.placeholder(problem.target.dtype, [None, *problem.target.shape[1:]], name="y")
            loss = model.by_hand(tf, self.X, self.y)
            if problem.momentum:
                optimizer = tf.train.MomentumOptimizer(learning_rate=problem.rate, momentum=problem.momentum)
            else:
                optimizer = tf.train.GradientDescentOptimizer(learning_rate=problem.rate)
            self.training_op = optimizer.minimize(loss)
            self.summary = tf.summary.scalar("MSE", loss)
            self.init = tf.global_variables_initializer()
            self.variables = {variable.op.name: variable for variable in tf.trainable_variables()}
        self.graph = graph
        self.session = tf.Session(graph=graph)

    def start(self) -> dict[str, np.ndarray]:
        """The initial values of the variables: the first random numbers of a session."""
        with self.tf.Session(graph=self.graph) as session:
            session.run(self.init)
            return session.run(self.variables)

    def fetch_batch(self, epoch: int, batch_index: int, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
        if self.problem.is_ordered:
            rows = slice(batch_index * batch_size, (batch_index + 1) * batch_size)
            return self.problem.features[rows], self.problem.target[rows]
        np.random.seed(epoch * self.problem.batches_per_epoch + batch_index)
        indices = np.random.randint(len(self.problem.features), size=batch_size)
        return self.problem.features[indices], self.problem.target[indices]

    def run(self, steps: int) -> Outcome:
        initial = {v.initializer.inputs[1]: self.problem.start[name] for name, v in self.variables.items()}
        self.session.run(self.init, initial)
        if self.logs:
            seconds, log = self._logging(steps)
        elif self.problem.batch is None:
            seconds, log = self._full(steps), {}
        else:
            seconds, log = self._batches(steps), {}
        return Outcome(seconds, steps, self.session.run(self.variables) | log)

    def _full(self, steps: int) -> float:
        session, training_op = self.session, self.training_op
        started = perf_counter()
        for _ in range(steps):
            session.run(training_op)
        return perf_counter() - started

    def _batches(self, steps: int) -> float:
        session, training_op, X, y = self.session, self.training_op, self.X, self.y
        n_batches, batch_size = self.problem.batches_per_epoch, self.problem.batch
        started = perf_counter()
        for step in range(steps):
            X_batch, y_batch = self.fetch_batch(step // n_batches, step % n_batches, batch_size)
            session.run(training_op, feed_dict={X: X_batch, y: y_batch})
        return perf_counter() - started

    def _logging(self, steps: int) -> tuple[float, dict[str, np.ndarray]]:
        session, training_op, summary, X, y = self.session, self.training_op, self.summary, self.X, self.y
        n_batches, batch_size = self.problem.batches_per_epoch, self.problem.batch
        with tempfile.TemporaryDirectory() as folder, self.graph.as_default():
            file_writer = self.tf.summary.FileWriter(folder, self.graph)
            started = perf_counter()
            for step in range(steps):
                batch_index = step % n_batches
                X_batch, y_batch = self.fetch_batch(step // n_batches, batch_index, batch_size)
                if batch_index % 10 == 0:
                    summary_str = session.run(summary, feed_dict={X: X_batch, y: y_batch})
                    file_writer.add_summary(summary_str, step)
                session.run(training_op, feed_dict={X: X_batch, y: y_batch})
            seconds = perf_counter() - started
            file_writer.close()
            return seconds, {"log": self._logged(folder)}

    def _logged(self, folder: str) -> np.ndarray:
        """The points in an event file: rows of step and value."""
        (path,) = Path(folder).iterdir()
        events = self.tf.train.summary_iterator(str(path))
        return np.array([(e.step, value.simple_value) for e in events for value in e.summary.value], np.float64)


class Tfdsl:
    """An engine of tfdsl, through its Python API.

    A run also opens a session, initialises it and, with `xla`, compiles. This is not part of the time: the clock starts
    at the first progress report of the training, which comes after one step with `step` and after the first execution
    of the graph with the other engines. It stops when the training is over and its logs have been passed to the writer.
    `setup` is the time from the start of the run to the first report.
    """

    def __init__(self, model, problem: Problem, engine: str, logs: bool = False):
        from tfdsl.runtime.options import Options, Progress

        self.model, self.problem, self.engine, self.logs = model, problem, engine, logs
        self.Options, self.Progress = Options, Progress
        self._programs: dict[int, object] = {}

    def run(self, steps: int) -> Outcome:
        program = self._program(steps)
        reports: list[tuple[float, int]] = []
        ends: list[float] = []

        class Report(self.Progress):
            def step(self, done: int) -> None:
                if not reports:
                    reports.append((perf_counter(), done))

        notes: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            options = self.Options(
                engine=self.engine, logdir=folder, note=notes.append, progress=lambda *_: Report(),
                write=lambda line: ends.append(perf_counter()),
            )  # fmt: skip
            started = perf_counter()
            result = program.run(options=options)
        if result.engines != [self.engine]:
            raise RuntimeError(f"trained with {result.engines}, not with {self.engine}: {notes}")
        first, done = reports[0]
        results = {name: result.variables[name] for name in self.problem.start}
        if self.logs:
            results["log"] = np.array(result.history["MSE"], np.float64)
        return Outcome(ends[-1] - first, steps - done, results, first - started)

    def _program(self, steps: int):
        """The program for a number of steps, with its graph built."""
        import tfdsl

        if steps not in self._programs:
            text = self.model.program(self.problem, steps, self.logs)
            program = tfdsl.compile(text, data={self.model.data: self.problem.source})
            _ = program.graph
            self._programs = {steps: program}
        return self._programs[steps]


class NumPy:
    """Gradients derived by hand."""

    def __init__(self, model, problem: Problem):
        self.model, self.problem = model, problem

    def run(self, steps: int) -> Outcome:
        problem, gradients = self.problem, self.model.numpy_gradients
        features, target = problem.features, problem.target
        rate, momentum = np.float32(problem.rate), np.float32(problem.momentum)
        parameters = [value.copy() for value in problem.start.values()]
        velocities = [np.zeros_like(value) for value in parameters]
        if problem.is_ordered:
            batches = [slice(start, start + problem.batch) for start in problem.starts(steps)]
        else:
            batches = range(steps) if problem.batch is None else problem.indices(steps)
        started = perf_counter()
        for rows in batches:
            X, y = (features, target) if problem.batch is None else (features[rows], target[rows])
            for parameter, velocity, gradient in zip(parameters, velocities, gradients(parameters, X, y)):
                if momentum:
                    velocity *= momentum
                    velocity += gradient
                    gradient = velocity
                parameter -= rate * gradient
        seconds = perf_counter() - started
        return Outcome(seconds, steps, dict(zip(problem.start, parameters)))


class ScikitLearn:
    """`MLPRegressor` or `MLPClassifier`. Its stochastic solver is the same algorithm: one pass over the rows of all
    batches, in order."""

    def __init__(self, model, problem: Problem):
        self.model, self.problem = model, problem

    def run(self, steps: int) -> Outcome:
        import warnings

        problem = self.problem
        whole = problem.batch is None
        X, y = (problem.features, problem.target) if whole else problem.gathered(steps)
        estimator, X = self.model.scikit_learn(problem, X)
        estimator.set_params(
            solver="sgd", momentum=problem.momentum, nesterovs_momentum=False, alpha=0.0, shuffle=False,
            warm_start=True, batch_size=problem.batch or len(X), max_iter=steps if whole else 1,
            n_iter_no_change=steps + 1,
        )  # fmt: skip
        y = y.reshape(-1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that it has not converged
            estimator.partial_fit(X[:1000], y[:1000], **self.model.scikit_learn_first)
            del estimator._optimizer  # `fit` makes a new one without velocities
            self.model.to_scikit_learn(estimator, problem.start)
            started = perf_counter()
            estimator.fit(X, y)
            seconds = perf_counter() - started
        return Outcome(seconds, steps, self.model.from_scikit_learn(estimator))


class Keras:
    """`fit` with one epoch of all batches in order. The clock runs from the start of the epoch to its end."""

    def __init__(self, model, problem: Problem):
        import keras

        self.keras, self.problem = keras, problem
        self.net = model.keras(keras)
        optimizer = keras.optimizers.SGD(learning_rate=problem.rate, momentum=problem.momentum)
        self.net.compile(optimizer=optimizer, loss=model.keras_loss(keras))
        self.steps = 0

    def run(self, steps: int) -> Outcome:
        import tensorflow as tf

        problem = self.problem
        if steps != self.steps:
            self.steps = steps
            if problem.batch is None:
                one = tf.data.Dataset.from_tensors((problem.features, problem.target))
                self.data = {"x": one.repeat(steps), "steps_per_epoch": steps}
            else:
                X, y = problem.gathered(steps)
                self.data = {"x": X, "y": y, "batch_size": problem.batch, "shuffle": False}
        _, seconds = self.fit(**self.data, epochs=1)
        return Outcome(seconds, steps, dict(zip(problem.start, self.net.get_weights())))

    def fit(self, **data):
        """Train from the initial values. Returns the history, and the seconds of the epochs."""
        times = []
        self.net.set_weights(list(self.problem.start.values()))
        for variable in self.net.optimizer.variables:
            if "momentum" in variable.path:
                variable.assign(np.zeros(variable.shape, np.float32))
        marks = self.keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda *_: times.append(perf_counter()), on_epoch_end=lambda *_: times.append(perf_counter())
        )
        history = self.net.fit(**data, verbose=0, callbacks=[marks])
        return history.history, times[-1] - times[0]


class PyTorch:
    """Eager: loss, `backward`, and `torch.optim.SGD`."""

    def __init__(self, model, problem: Problem):
        import torch

        self.torch, self.model, self.problem = torch, model, problem
        self.X, self.y = torch.from_numpy(problem.features), model.torch_target(torch, problem.target)

    def run(self, steps: int) -> Outcome:
        torch, problem, loss_of = self.torch, self.problem, self.model.torch_loss
        X, y = self.X, self.y
        parameters = [torch.nn.Parameter(value) for value in self.to_torch()]
        optimizer = torch.optim.SGD(parameters, lr=problem.rate, momentum=problem.momentum)
        batches = self.batches(steps)
        started = perf_counter()
        for rows in batches:
            loss = loss_of(torch, parameters, X, y) if rows is None else loss_of(torch, parameters, X[rows], y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seconds = perf_counter() - started
        return Outcome(seconds, steps, self.from_torch(parameters))

    def batches(self, steps: int) -> list:
        """The rows of each batch, or None for all rows."""
        if self.problem.batch is None:
            return [None] * steps
        if self.problem.is_ordered:
            return [slice(start, start + self.problem.batch) for start in self.problem.starts(steps).tolist()]
        return list(self.torch.from_numpy(self.problem.indices(steps).astype(np.int64)))

    def to_torch(self) -> list:
        """The initial parameters as separate tensors. Convolution kernels are transposed for PyTorch."""
        arrays = [v.transpose(3, 2, 0, 1) if v.ndim == 4 else v for v in self.problem.start.values()]
        return [self.torch.tensor(np.ascontiguousarray(array)) for array in arrays]

    def from_torch(self, parameters) -> dict[str, np.ndarray]:
        arrays = [parameter.detach().numpy() for parameter in parameters]
        return dict(zip(self.problem.start, [v.transpose(2, 3, 1, 0) if v.ndim == 4 else v for v in arrays]))


class PyTorchCompiled(PyTorch):
    """The whole step, from the batch's rows to the new parameters, in one function under `torch.compile`."""

    def __init__(self, model, problem: Problem):
        super().__init__(model, problem)
        torch, rate, momentum, X, y = self.torch, problem.rate, problem.momentum, self.X, self.y

        def loss(parameters, X, y):
            return model.torch_loss(torch, parameters, X, y)

        def step(parameters, velocities, rows):
            batch = (X, y) if rows is None else (X[rows], y[rows])
            gradients = torch.func.grad(loss)(parameters, *batch)
            for parameter, velocity, gradient in zip(parameters, velocities, gradients):
                if momentum:
                    gradient = velocity.mul_(momentum).add_(gradient)
                parameter.sub_(gradient, alpha=rate)

        self.step = torch.compile(step, fullgraph=True)
        self.compile_seconds: float | None = None

    def run(self, steps: int) -> Outcome:
        torch, step = self.torch, self.step
        batches = self.batches(steps)
        with torch.no_grad():
            if self.compile_seconds is None:
                parameters = self.to_torch()
                started = perf_counter()
                step(parameters, [torch.zeros_like(p) for p in parameters], batches[0])
                self.compile_seconds = perf_counter() - started
            parameters = self.to_torch()
            velocities = [torch.zeros_like(p) for p in parameters]
            started = perf_counter()
            for rows in batches:
                step(parameters, velocities, rows)
            seconds = perf_counter() - started
        return Outcome(seconds, steps, self.from_torch(parameters), self.compile_seconds)


class Jax:
    """One `lax.scan` over the rows of all batches, under `jit`. `setup` is its compile time."""

    def __init__(self, model, problem: Problem):
        import jax

        self.jax, self.problem = jax, problem
        self.X, self.y = jax.numpy.asarray(problem.features), jax.numpy.asarray(problem.target)
        rate, momentum = problem.rate, problem.momentum

        def loss(parameters, X, y):
            return model.jax_loss(jax, parameters, X, y)

        def batch(X, y, rows):
            if problem.is_ordered:
                return [jax.lax.dynamic_slice_in_dim(part, rows, problem.batch) for part in (X, y)]
            return (X, y) if rows is None else (X[rows], y[rows])

        def train(state, X, y, batches, steps):
            def step(state, rows):
                parameters, velocities = state
                gradients = jax.grad(loss)(parameters, *batch(X, y, rows))
                if momentum:
                    velocities = gradients = [momentum * v + g for v, g in zip(velocities, gradients)]
                return ([p - rate * g for p, g in zip(parameters, gradients)], velocities), None

            return jax.lax.scan(step, state, batches, length=steps)[0]

        self.train = jax.jit(train, static_argnames="steps")
        self.ready: tuple[int, Callable, object, float] | None = None

    def run(self, steps: int) -> Outcome:
        jax, problem = self.jax, self.problem
        parameters = [jax.numpy.asarray(value) for value in problem.start.values()]
        state = parameters, [jax.numpy.zeros_like(value) for value in parameters] if problem.momentum else []
        if self.ready is None or self.ready[0] != steps:
            batches = None
            if problem.batch is not None:
                rows = problem.starts(steps) if problem.is_ordered else problem.indices(steps)
                batches = jax.numpy.asarray(rows)
            started = perf_counter()
            compiled = self.train.lower(state, self.X, self.y, batches, steps=steps).compile()
            self.ready = steps, compiled, batches, perf_counter() - started
        _, compiled, batches, compiling = self.ready
        jax.block_until_ready((state, batches))
        started = perf_counter()
        parameters, _ = jax.block_until_ready(compiled(state, self.X, self.y, batches))
        seconds = perf_counter() - started
        return Outcome(seconds, steps, dict(zip(problem.start, map(np.asarray, parameters))), compiling)


class JaxDrawing(Jax):
    """The same, including the time in which NumPy draws the batches, as the loop by hand and tfdsl do."""

    def run(self, steps: int) -> Outcome:
        outcome = super().run(steps)
        self.problem.forget()
        started = perf_counter()
        self.jax.block_until_ready(self.jax.numpy.asarray(self.problem.indices(steps)))
        drawing = perf_counter() - started
        return Outcome(outcome.seconds + drawing, steps, outcome.results, outcome.setup)
