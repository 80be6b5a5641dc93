"""What a training tells about its progress: steps, epochs and the loss, in each engine."""

import io

import numpy as np
import pytest
from conftest import some
from rich.console import Console

import tfdsl
from tfdsl.cli.progress import Bar

PROGRAM = """
data m = moons(60, noise=0.1, seed=1)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = zeros([2, 1])
mse = reduce_mean(square(X @ w - y))
optimize mse with gradient_descent(learning_rate=0.1) as step_op
{more}

session:
    train 4 epochs on m in batches of 7 ordered as batch:
        feed X = batch.features, y = batch.target
        {body}
"""


class Noted(tfdsl.Progress):
    """Every call, as (steps done, epoch, loss)."""

    def __init__(self):
        self.calls = []

    def at(self, epoch, loss):
        self._now = epoch, loss

    def step(self, done):
        self.calls.append((done, *self._now))


def progress(engine, body="run step_op", more=""):
    noted = Noted()
    options = tfdsl.Options(engine=engine, progress=lambda total, done, unit: noted)
    program = tfdsl.compile(PROGRAM.format(body=body, more=more))
    program.run(options=options)
    return noted.calls


def losses():
    """The loss before each step, by hand."""
    from sklearn.datasets import make_moons

    X, y = make_moons(60, noise=0.1, random_state=1)
    X, y, w = X.astype("f"), y.astype("f").reshape(-1, 1), np.zeros((2, 1), "f")
    for _ in range(4):
        for at in range(0, 60, 7):
            rows = slice(at, at + 7)
            error = X[rows] @ w - y[rows]
            yield float(np.mean(error**2))
            w -= 0.1 * 2 / len(error) * X[rows].T @ error


@pytest.mark.parametrize("engine", some(["step", "loop", "xla"], ["step", "loop"]))
def test_epochs_and_the_loss(engine):
    calls = progress(engine)
    wanted, before = np.array(list(losses())), 0
    assert calls[-1][0] == len(wanted) == 36
    assert len(calls) == 36 if engine == "step" else len(calls) < 36
    for done, epoch, loss in calls:
        assert epoch == (done - 1) // 9
        assert loss == pytest.approx(wanted[before:done].mean(), rel=1e-4)
        before = done


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_of_two_losses_none_is_told(engine):
    second = "optimize abs(w[0, 0]) with gradient_descent(learning_rate=0.01) as other"
    assert {loss for _, _, loss in progress(engine, "run step_op\n        run other", second)} == {None}


@pytest.fixture
def bar(monkeypatch):
    """A bar whose clock is set by hand, and what it shows."""
    monkeypatch.setattr(
        "tfdsl.cli.progress.Console", lambda **options: Console(file=io.StringIO(), force_terminal=True)
    )

    def made(unit, times):
        monkeypatch.setattr("tfdsl.cli.progress.monotonic", iter(times).__next__)
        return Bar(12, 2, unit, False)

    return made


def shown(bar):
    (task,) = bar._progress.tasks
    return f"{task.description} {task.completed:g} steps{task.fields['loss']}"


def test_the_bar_shows_the_epoch_and_the_mean_loss_since_its_update(bar):
    bar = bar("epoch", [5.0, 5.01, 5.02, 5.2, 5.21])
    assert shown(bar) == "training 2 steps"
    said = []
    for done, epoch, loss in ((3, 0, 8.0), (5, 0, 1.0), (6, 1, 4.0), (7, 1, 2.0), (12, 2, 0.25)):
        bar.at(epoch, loss)
        bar.step(done)
        said.append(shown(bar))
    bar.close()
    assert said == [
        "epoch 0 3 steps, loss 8",
        "epoch 0 3 steps, loss 8",
        "epoch 0 3 steps, loss 8",
        "epoch 1 7 steps, loss 2",
        "epoch 2 12 steps, loss 0.25",
    ]


def test_a_bar_of_steps_has_no_epoch(bar):
    bar = bar("step", [5.0])
    bar.at(3, None)
    bar.step(12)
    bar.close()
    assert shown(bar) == "training 12 steps"
