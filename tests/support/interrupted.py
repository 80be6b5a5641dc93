"""A training with checkpoints, ways to stop it, and its results. Its engine is `step`, which starts fastest."""

import functools

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tfdsl
from tfdsl.runtime.options import Options, Progress

_random = np.random.RandomState(3)
FEATURES = _random.randn(23, 2).astype(np.float32)
TARGET = FEATURES @ np.float32([[1], [-2]])
DATA = {"rows": (FEATURES, TARGET)}
TEXT = """
seed 7
param rate = 0.05
param epochs = 4
data rows = npz("rows.npz")
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = random_normal([2, 1])
variable seen = 0
mse = reduce_mean(square(X @ w - y))
saw = assign_add(seen, 1)
optimize mse with {optimizer} as step_op
summary scalar mse as "MSE"

session before:
    print "before"

session:
    log to "logs"
    print "start"
    train epochs epochs on rows in batches of 5 {order} as batch with engine="step":
        feed X = batch.features, y = batch.target
        {first}
        checkpoint every 3 steps in "kept"
        every 2 steps: log
        run step_op
        run saw
        print epoch, step, batch.rows, w, seen
    print "end", seen
    save to "final.ckpt"
"""


@functools.cache
def _built(is_stopped, optimizer, order, first, params):
    """A program, built once for the runs that are stopped and once for the others."""
    return tfdsl.compile(TEXT.format(optimizer=optimizer, order=order, first=first), dict(params), DATA)


def program(optimizer="adam", order="shuffled", first="print step", params=None):
    return _built(False, optimizer, order, first, tuple((params or {}).items()))


def first_program(optimizer="adam", order="shuffled", first="print step"):
    """The program of the run that is stopped."""
    return _built(True, optimizer, order, first, ())


def variables(path="final.ckpt"):
    """Everything in a checkpoint, including slots."""
    from tensorflow import train

    reader = train.load_checkpoint(path)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


class After(Progress):
    """Does something after a number of steps."""

    def __init__(self, steps, what):
        self.asked, self._steps, self._what = 0, steps, what

    def step(self, done):
        self.asked = done + 1
        if done == self._steps:
            self._what()

    def of_a_training(self, total, done, unit):
        return self


def stopping(steps, what=lambda: None, **others):
    """Options of a run in which something happens after some steps, and which is then asked to stop."""
    after = After(steps, what)
    given = {"engine": "step", "write": lambda line: None, **others}
    return Options(interrupted=lambda: after.asked > steps, progress=after.of_a_training, **given)


def disturbed(steps, what, **others):
    """Options of a run in which something happens after some steps, and the list of its notes."""
    notes = []
    given = {"engine": "step", "write": lambda line: None, "note": notes.append, **others}
    return Options(progress=After(steps, what).of_a_training, **given), notes


def stopped_after(compiled, steps, **options):
    result = compiled.run(options=stopping(steps, **options))
    assert result.interrupted
    return result


def states(here):
    return sorted((here / "kept").iterdir())


def points(folder="logs", tag="MSE"):
    events = EventAccumulator(folder, {"scalars": 0})
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]
