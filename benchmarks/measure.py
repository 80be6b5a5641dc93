"""Measures the training loads: contenders side by side. Results are compared before any time is reported.

Every contender has its own process (`workers.py`). First each trains for a few steps, and its parameters are compared
with those of the chapter's loop. A contender that differs gets no time. Then the number of steps is chosen so that a
run takes long enough; the last such run is its warm-up. Then the repeats: one run of each contender in turn, so that
other load on the machine affects all of them. The medians are reported.
"""

import statistics
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.util import find_spec
from math import ceil

import numpy as np

from .problem import Outcome, Problem
from .result import LoadResult, Row, Wanted
from .workers import Failed, Worker

BY_HAND = "by hand"
TOLERANCE = 1e-2
NO_LOG = {BY_HAND + ", no log", "loop, no log"}
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
_ENVIRONMENTS = {"Keras fit": _QUIET}  # its Keras is Keras 3
_ENVIRONMENT = _QUIET | {
    "TF_USE_LEGACY_KERAS": "1",  # TensorFlow starts a second sooner
    "TFDSL_LOOP_ALWAYS": "1",  # also while a few steps are compared
}
_NEEDS = {
    "scikit-learn": "sklearn",
    "Keras fit": "keras",
    "PyTorch": "torch",
    "PyTorch compiled": "torch",
    "JAX": "jax",
    "JAX, drawing": "jax",
}


@dataclass(frozen=True)
class Settings:
    """`seconds` is the minimum duration of a run, `limit` its maximum number of steps, `check` the number of steps
    after which results are compared, and `say` is called with the progress."""

    repeats: int = 7
    seconds: float = 0.6
    limit: int = 300_000
    check: int = 200
    say: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Training:
    """A training load. `make` returns its model. The workers know it and `problem_arguments` by name."""

    name: str
    title: str
    model: type
    problem_arguments: tuple
    contenders: tuple[str, ...]
    wanted: tuple[Wanted, ...] = ()
    logs: bool = False
    check: int | None = None  # the number of steps after which results are compared, if not that of the settings

    def problem(self) -> Problem:
        """The problem, with the initial values that TensorFlow draws by hand."""
        from .contenders import ByHand

        model = self.model()
        problem = model.problem(*self.problem_arguments)
        problem.start = ByHand(model, problem).start()
        return problem

    def contender(self, name: str, problem: Problem):
        """The contender with a name, ready to `run`."""
        from . import contenders

        model, logs = self.model(), self.logs and name not in NO_LOG
        match name.removesuffix(", no log"):
            case "by hand":
                return contenders.ByHand(model, problem, logs)
            case "step" | "loop" | "xla" as engine:
                return contenders.Tfdsl(model, problem, engine, logs)
        kinds = {
            "NumPy": contenders.NumPy,
            "scikit-learn": contenders.ScikitLearn,
            "Keras fit": contenders.Keras,
            "PyTorch": contenders.PyTorch,
            "PyTorch compiled": contenders.PyTorchCompiled,
            "JAX": contenders.Jax,
            "JAX, drawing": contenders.JaxDrawing,
        }
        return kinds[name](model, problem)

    def measure(self, settings: Settings) -> LoadResult:
        check = settings.check if self.check is None else min(self.check, settings.check)
        return measure(self, replace(settings, check=check))


class ProblemMaker:
    """Makes a load's problem in a worker, because the driver imports no framework."""

    def __init__(self, load: Training):
        self.load = load

    def problem(self) -> Problem:
        return self.load.problem()


def make_contender(load: Training, name: str, problem: Problem):
    return load.contender(name, problem)


def measure(load: Training, settings: Settings) -> LoadResult:
    """All contenders of a load, side by side."""
    with Worker(ProblemMaker, (load,), _ENVIRONMENT) as maker:
        problem = maker.call("problem")
    rows = {name: Row(name, "" if name == BY_HAND else BY_HAND) for name in load.contenders}
    with ExitStack() as stack:
        ready: dict[str, Worker] = {}
        expected: Mapping[str, np.ndarray] | None = None
        for name, row in rows.items():
            if find_spec(_NEEDS.get(name, "numpy")) is None:
                row.status = "not installed"
                continue
            settings.say(f"{load.name}: {name}: starts")
            try:
                environment = _ENVIRONMENTS.get(name, _ENVIRONMENT)
                worker = stack.enter_context(Worker(make_contender, (load, name, problem), environment))
                outcome = worker.call("run", settings.check)
                expected = outcome.results if expected is None else expected
                row.difference = difference(expected, outcome.results, problem.start, name in NO_LOG)
                if row.difference <= TOLERANCE:
                    row.steps = long_enough(worker, settings)
                    ready[name] = worker
                else:
                    row.status = "differs"
            except Failed as error:
                if name == BY_HAND:
                    raise
                row.status = f"failed: {error}"
                settings.say(error.details)
        setups: dict[str, list[float]] = {name: [] for name in ready}
        for repeat in range(settings.repeats):
            settings.say(f"{load.name}: repeat {repeat + 1} of {settings.repeats}")
            for name, worker in ready.items():
                try:
                    outcome = worker.call("run", rows[name].steps)
                except Failed as error:  # the same run succeeded before
                    rows[name].status = f"failed: {error}"
                    continue
                rows[name].repeats.append(outcome.seconds / outcome.steps)
                setups[name] += [] if outcome.setup is None else [outcome.setup]
    for name in ready:
        row = rows[name]
        if row.status == "ok":
            row.seconds = statistics.median(row.repeats)
            row.setup = statistics.median(setups[name]) if setups[name] else None
    result = LoadResult(load.name, load.title, "step", list(rows.values()), list(load.wanted))
    result.notes = notes(load, result, problem, settings)
    return result


def difference(
    expected: Mapping[str, np.ndarray], results: Mapping[str, np.ndarray], start: Mapping[str, np.ndarray],
    no_log: bool = False,
) -> float:  # fmt: skip
    """The distance of results from the expected ones, relative to how far training has moved them. 0 means equal.

    It is the maximum over all parameters. For a log, whose rows are step and value, the distance is relative to the
    largest value, and different steps are infinitely far apart. So are missing values, other shapes and non-finite
    numbers, and expected values that training has not moved.
    """
    worst = 0.0
    for name, right in expected.items():
        if no_log and name == "log":
            continue
        value = results.get(name)
        if value is None or np.shape(value) != right.shape or not np.isfinite(value).all():
            return float("inf")
        value, right = np.asarray(value, np.float64), np.asarray(right, np.float64)
        if name == "log":
            if not np.array_equal(value[:, 0], right[:, 0]):
                return float("inf")
            moved = np.abs(right[:, 1]).max()
        else:
            moved = np.abs(right - start[name]).max()
        if not moved > 0:
            return float("inf")
        worst = max(worst, float(np.abs(value - right).max() / moved))
    return worst


def long_enough(worker: Worker, settings: Settings) -> int:
    """The number of steps that takes a contender about as long as the settings say. It has run with it once."""
    steps = min(settings.limit, max(2 * settings.check, 300))
    while True:
        outcome: Outcome = worker.call("run", steps)
        if outcome.seconds >= 0.7 * settings.seconds or steps >= settings.limit:
            return steps
        wanted = ceil(1.2 * outcome.steps * settings.seconds / max(outcome.seconds, 1e-6))
        steps = min(settings.limit, max(wanted, steps + 1), 50 * steps)


def notes(load: Training, result: LoadResult, problem: Problem, settings: Settings) -> list[str]:
    """Notes: the data, the comparison, compile times and when they pay, the cost of logging."""
    rows, batch = len(problem.features), problem.batch or "all rows"
    found = [f"{rows} rows, batch {batch}; results compared after {settings.check} steps"]
    if problem.is_synthetic:
        found.append("the data are tfdsl's synthetic stand-in for California housing, which was not available")
    loop, xla = result.row("loop"), result.row("xla")
    if xla and loop and xla.setup and loop.setup and xla.seconds and loop.seconds:
        compiling = xla.setup - loop.setup
        text = f"XLA takes {compiling:.2f} s to compile"
        gain = loop.seconds - xla.seconds
        text += f"; xla pays from {max(0, ceil(compiling / gain)):,} steps" if gain > 0 else "; xla does not pay here"
        found.append(text + " (beside loop)")
    for name in ("JAX", "PyTorch compiled"):
        row = result.row(name)
        if row and row.setup and row.seconds:
            found.append(f"{name} takes {row.setup:.2f} s to compile")
    bare = result.row("loop, no log")
    if bare and bare.seconds and loop and loop.seconds:
        found.append(f"logging costs loop {100 * (loop.seconds / bare.seconds - 1):.1f} % of the bare loop")
    return found
