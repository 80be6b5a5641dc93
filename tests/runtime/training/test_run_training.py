"""The body of `train`: what runs at which step, which values it sees, and what is logged."""

import time

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tfdsl
from tfdsl.runtime.options import Options
from tfdsl.runtime.training import loop as training

ROWS = np.arange(10, dtype=np.float32).reshape(5, 2), np.arange(5, dtype=np.float32).reshape(5, 1)


def run(text, params=None, options=None):
    return tfdsl.compile(text, params, {"rows": ROWS} if "data rows" in text else None).run(options=options)


def trained(loop, before="", params=None):
    """The lines that a training prints. `more` adds 1 to `count` at every step."""
    text = f"""
data rows = npz("rows.npz")
variable count = 0
more = assign_add(count, 1)
{before}
session:
"""
    return run(text + "".join(f"    {line}\n" for line in loop.strip().splitlines()), params).printed


# --- every ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loop", "every", "steps"),
    [
        ("train 7 epochs", "every 3 epochs", [0, 3, 6]),
        ("train 7 steps", "every 2 steps", [0, 2, 4, 6]),
        ("train 3 epochs on rows in batches of 2", "every 1 epoch", [0, 3, 6]),
        ("train 3 epochs on rows in batches of 2", "every 2 epochs", [0, 6]),
        ("train 3 epochs on rows in batches of 2", "every 2 batches", [0, 2, 3, 5, 6, 8]),
        ("train 3 epochs on rows in batches of 2", "every 4 steps", [0, 4, 8]),
        ("train 5 steps on rows in batches of 2", "every 1 epoch", [0, 3]),
        ("train 2 epochs on rows", "every 1 batch", [0, 1]),
        ("train 2 epochs on rows in batches of 100", "every 1 batch", [0, 1]),
    ],
)
def test_every_counts_from_zero(loop, every, steps):
    lines = trained(f"{loop}:\n    {every}: print step\n    run more")
    assert lines == [str(step) for step in steps]


def test_every_seconds(monkeypatch):
    clock = iter(np.arange(0, 100, 0.4))
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
    assert trained('train 6 steps with engine="step":\n    every 1 second: print step\n    run more') == ["0", "3"]


def test_epochs_and_steps():
    lines = trained("train 2 epochs on rows in batches of 2:\n    print epoch, step\n    run more")
    assert lines == ["0 0", "0 1", "0 2", "1 3", "1 4", "1 5"]


def test_the_body_runs_in_order():
    """A `run` is executed where it is written: statements before it see the values before the step."""
    lines = trained("train 2 epochs:\n    print count\n    run more\n    every 1 epoch: print count, count * 10")
    assert lines == ["0", "1 10", "1", "2 20"]


def test_counts_can_be_params():
    loop = "train n epochs:\n    every n - 1 epochs: print epoch\n    run more"
    assert trained(loop, "param n = 3") == ["0", "2"]
    assert trained(loop, "param n = 3", {"n": 5}) == ["0", "4"]


def test_epoch_and_step_are_values():
    loop = 'train 3 epochs:\n    print epoch * 2 + 0.5, step == 1, "last" if step > 1 else "early"\n    run more'
    assert trained(loop) == ["0.5 False early", "2.5 True early", "4.5 False last"]


# --- steps ------------------------------------------------------------------------------------

DESCENT = """
variable x = 1.0
variable w = 1.0
scope loss:
    value = square(x) + w * 0.5
optimize value with gradient_descent(learning_rate=0.25) wrt x as first
"""


def test_a_body_without_run_takes_the_step_at_its_end():
    """Epoch 0 shows the untrained loss, as in the chapter."""
    text = DESCENT + "session:\n    train 3 epochs:\n        print x\n    print x\n"
    assert run(text).printed == ["1.0", "0.5", "0.25", "0.125"]


def test_two_optimizers_take_their_steps_in_order():
    text = (
        DESCENT
        + """
optimize value with gradient_descent(learning_rate=1.0) wrt w as second
session both:
    train 2 epochs:
        print x, w
    print x, w
session one:
    train 2 epochs:
        run second
    print x, w
"""
    )
    assert run(text).printed == ["1.0 1.0", "0.5 0.5", "0.25 0.0", "1.0 0.0"]


def test_two_optimizers_of_one_variable():
    text = """
variable x = 4.0
optimize square(x) with gradient_descent(learning_rate=0.25)
optimize square(x) with gradient_descent(learning_rate=0.125)
session:
    train 1 epoch:
        print x
    print x
"""
    # x * 0.5, then * 0.75: the second optimizer sees the update of the first.
    assert run(text).printed == ["4.0", "1.5"]


def test_steps_in_an_every():
    """A `run` in an `every` does not replace the step of the body, which is taken too, with a warning."""
    text = DESCENT + "session:\n    train 4 epochs:\n        every 2 epochs: run first\n    print x\n"
    assert run(text).printed == [str(0.5**6)]
    assert [found.code for found in tfdsl.check(text)] == ["TFG926"]
    chosen = text.replace("    print x", "        run no_op()\n    print x")
    assert run(chosen).printed == ["0.25"]
    assert not tfdsl.check(chosen)


def test_stop_when():
    text = (
        DESCENT
        + """
session:
    train 100 epochs:
        stop when x < 0.2
        print epoch, x
    print x
    train 100 steps:
        run first
        stop when step == 2 or x < 0.0
    print x
"""
    )
    result = run(text)
    assert result.printed == ["0 1.0", "1 0.5", "2 0.25", "0.125", str(0.125 / 8)]


def test_stop_when_in_an_every():
    text = (
        DESCENT
        + """
session:
    train 100 epochs:
        every 10 epochs:
            stop when x < 0.2
            print epoch
"""
    )
    assert run(text).printed == ["0"]


def test_an_expectation_in_a_training_ends_the_run():
    text = DESCENT + "session:\n    train 10 epochs:\n        print epoch\n        expect x > 0.3\n"
    program = tfdsl.compile(text)
    lines = []
    with pytest.raises(tfdsl.TfgError, match=r"x is 0\.25"):
        program.run(options=Options(write=lines.append))
    assert lines == ["0", "1", "2"]


def test_statements_of_sessions_in_a_training(here):
    text = (
        DESCENT
        + """
session:
    train 3 epochs:
        every 1 epoch:
            save x to "x-{epoch}.ckpt"
        set w = w + 1
    print x, w
session after:
    restore x from "x-1.ckpt"
    print x
"""
    )
    assert run(text).printed == ["0.125 4.0", "0.5"]
    assert sorted(path.name for path in here.glob("x-*.index")) == [f"x-{i}.ckpt.index" for i in range(3)]


def test_an_if_of_a_session_fills_in_its_texts():
    text = """param who = "a"
session:
    k = 2
    if "{k}" == "2" and "{who}" != "b":
        print "yes"
    if "{k}" == "{{k}}":
        print "no"
"""
    assert run(text).printed == ["yes"]


def test_if_and_for_in_a_session():
    text = (
        DESCENT
        + """
param loud = true
session:
    for i in range(2):
        print i, x
    train 1 epoch:
        if loud:
            print "loud"
        else:
            print "quiet"
"""
    )
    assert run(text).printed == ["0 1.0", "1 1.0", "loud"]
    assert run(text, params={"loud": False}).printed == ["0 1.0", "1 1.0", "quiet"]


# --- event files ------------------------------------------------------------------------------

LOGGED = (
    DESCENT
    + """
summary scalar loss.value as "loss"
summary histogram [x, w] as "weights"
summary text "note" as "note"
session:
    log to "{folder}"
    log
    train 5 steps:
        every 2 steps: log loss, weights
    log loss
"""
)


def events(folder):
    accumulator = EventAccumulator(str(folder), {"scalars": 0, "histograms": 0})
    accumulator.Reload()
    return accumulator


def test_logging(here):
    result = run(LOGGED.replace("{folder}", "logs"))
    assert result.logdirs == ["logs"]
    read = events("logs")
    x = [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125]
    wanted = [(step, x[at] ** 2 + 0.5) for step, at in ((0, 0), (0, 0), (2, 2), (4, 4), (5, 5))]
    assert [(e.step, e.value) for e in read.Scalars("loss")] == wanted
    assert result.history == {"loss": wanted}
    histograms = read.Histograms("weights")
    assert [e.step for e in histograms] == [0, 0, 2, 4]
    assert [e.histogram_value.sum for e in histograms] == [1 + x[at] for at in (0, 0, 2, 4)]
    assert {node.name for node in _graph(read).node} >= {"x", "loss/value", "first"}
    assert "note" in read.Tags()["tensors"]


def _graph(accumulator):
    from tensorflow.compat import v1

    return v1.GraphDef.FromString(accumulator.Graph().SerializeToString())


def test_two_runs_in_one_second_do_not_overwrite_each_other(here, monkeypatch):
    """One folder, and the same time in every file name."""
    now = time.gmtime(1_800_000_000)
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    monkeypatch.setattr("time.gmtime", lambda seconds=None: now)
    text = LOGGED.replace("{folder}", "logs-{now}")
    first, second = run(text), run(text)
    assert first.logdirs == second.logdirs == ["logs-20270115080000"]
    files = sorted((here / first.logdirs[0]).glob("*.tfevents.*"))
    assert len(files) == 2
    assert all(len(events(file).Scalars("loss")) == 5 for file in files)


def test_a_log_folder_of_the_options_replaces_the_programs(here):
    result = run(LOGGED.replace("{folder}", "logs"), options=Options(logdir="elsewhere"))
    assert result.logdirs == ["elsewhere"]
    assert not (here / "logs").exists()
    assert len(events("elsewhere").Scalars("loss")) == 5


def test_a_failed_run_leaves_a_complete_event_file(here):
    text = LOGGED.replace("{folder}", "logs") + "    expect x == 7\n"
    with pytest.raises(tfdsl.TfgError):
        run(text)
    assert len(events("logs").Scalars("loss")) == 5


def test_logging_with_feeds(here):
    text = """
placeholder a: float32[n]
mean = reduce_mean(a)
summary scalar mean as "mean"
session:
    log to "logs"
    train 2 steps:
        feed a = [1, 2]
        log
        log with a = [5]
        run mean
"""
    assert run(text).history == {"mean": [(0, 1.5), (0, 5.0), (1, 1.5), (1, 5.0)]}


def test_a_log_folder_that_cannot_be_created(here):
    (here / "file").write_text("")
    with pytest.raises(tfdsl.TfgError) as caught:
        run(LOGGED.replace("{folder}", "file/logs"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG707"
    assert diagnostic.span.text == 'log to "file/logs"'


def test_two_sessions_with_one_log_folder_are_a_warning(here):
    """Only the run knows that they log to the same folder."""
    session = """
session {name}:
    log to "{name}-{{now}}"
    train 2 steps: log
"""
    text = 'variable x = 1.0\noptimize square(x) with adam\nsummary scalar x as "x"' + "".join(
        session.format(name=name) for name in ("first", "second")
    )
    for logdir, told in (("logs", 1), (None, 0)):
        notes = []
        run(text, options=Options(logdir=logdir, note=notes.append))
        found = [note for note in notes if "TFG725" in note]
        assert len(found) == told
        assert all("two sessions of this run log to logs" in note and ":9:5" in note for note in found)
