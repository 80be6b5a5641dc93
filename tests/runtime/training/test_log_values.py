"""`log NAME`: values of the session as a curve beside that of the training."""

import numpy as np
import pytest
from interrupted import stopping
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tfdsl
from tfdsl.runtime.options import Options

TEXT = """
variable w = 8.0
scope losses:
    cost = square(w)
    summary scalar cost as "MSE"
half = w / 2.0
summary scalar half
optimize cost with gradient_descent(learning_rate=0.25)
data d = npz("d.npz")
session:
    log to "logs"
    train 6 steps with engine="{engine}":
        checkpoint every 4 steps in "kept"
        every 2 steps: log
        after every 2 steps:
            test = evaluate cost, half on d
            one = cost
            log test, one
"""
DATA = {"d": (np.ones((2, 1), np.float32), np.zeros((2, 1), np.float32))}


def curves(folder):
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def compiled(engine="step"):
    return tfdsl.compile(TEXT.format(engine=engine), data=DATA)


@pytest.mark.parametrize("engine", ["step", "loop"])
@pytest.mark.parametrize("stop", [None, 2, 3])
def test_two_curves_have_one_tag(engine, stop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if stop is not None:
        assert compiled(engine).run(options=stopping(stop, engine=engine)).interrupted
    compiled(engine).run(options=Options(write=lambda line: None))
    halves = [8.0 / 2**step for step in range(7)]  # each step halves w
    before, after = [0, 2, 4], [1, 3, 5]
    assert curves(tmp_path / "logs") == {
        "losses/MSE": [(step, halves[step] ** 2) for step in before],
        "half": [(step, halves[step] / 2) for step in before],
    }
    beside = {
        "losses/MSE": [(step, halves[step + 1] ** 2) for step in after],
        "half": [(step, halves[step + 1] / 2) for step in after],
    }
    assert curves(tmp_path / "logs" / "test") == beside
    assert curves(tmp_path / "logs" / "one") == {"losses/MSE": beside["losses/MSE"]}


def test_a_tag_in_quotes_is_that_of_a_summary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = TEXT.format(engine="step").replace('as "MSE"', 'as "one"').replace("log test, one", 'log "one"')
    tfdsl.compile(text, data=DATA).run(options=Options(write=lambda line: None))
    assert set(curves(tmp_path / "logs")) == {"losses/one", "half"}
    assert not (tmp_path / "logs" / "one").exists()
