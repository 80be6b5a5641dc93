"""`after every`, `keep` and `stop after`, in all engines and through interruptions."""

from itertools import product

import numpy as np
import pytest
from conftest import some
from interrupted import stopping, variables

import tfdsl
from tfdsl.runtime.options import Options

ENGINES = ["step", "loop", "xla"]
VALUES = [5.0, 4.0, 4.0, 3.9, 4.5, 3.95, 3.0, 3.5, 2.0, 2.0, 2.5, 9.0]  # by epoch, of 3 batches
PROGRAM = """
param values = []
data rows = npz("rows.npz")
placeholder X: float32[n, 2]
variable w = [[1.0], [1.0]]
variable turns = 0
series = constant(values, dtype=float32)
loss reduce_mean(square(X @ w - 1.0))
optimize with gradient_descent(learning_rate=0.01) as one
after one:
    turn = assign_add(turns, 1)
value = series[minimum(turns // 3 - 1, 11)]
session:
    train {epochs} epochs on rows in batches of 3 ordered as batch with engine="{engine}":
        feed X = batch.features
        {checkpoint}
        run turn
        after every 1 epoch:
            test = value
            {body}
    {rest}
"""
ROWS = (np.arange(16, dtype=np.float32).reshape(8, 2) / 8, np.zeros((8, 1), np.float32))


def compiled(body, engine="step", rest='print "end", turns', epochs=12, checkpoint="", values=VALUES, every="1 epoch"):
    text = PROGRAM.format(body=body.replace("\n", "\n            "), engine=engine, rest=rest, epochs=epochs,
                          checkpoint=checkpoint)  # fmt: skip
    return tfdsl.compile(text.replace("1 epoch", every), params={"values": values}, data={"rows": ROWS})


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(program, **options):
    lines, notes = [], []
    result = program.run(options=Options(write=lines.append, note=notes.append, overwrite=True, **options))
    return lines, notes, result


@pytest.mark.parametrize("engine", some(ENGINES, ["step", "loop"]))
def test_a_block_runs_after_the_last_step_of_an_epoch(engine, here):
    lines, notes, result = run(compiled("print epoch, step, turns, test", engine, epochs=4))
    assert lines == ["0 2 3 5.0", "1 5 6 4.0", "2 8 9 4.0", "3 11 12 3.9", "end 12"]
    assert result.engines == [engine] and notes == []


WHEN = {
    "2 epochs": [5, 11], "3 epochs": [8], "4 steps": [3, 7, 11], "2 batches": [1, 4, 7, 10], "3 batches": [2, 5, 8, 11],
}  # fmt: skip


@pytest.mark.parametrize(
    ("every", "engine"),
    some(product(WHEN, ENGINES), [*product(WHEN, ["step"]), ("4 steps", "loop"), ("3 batches", "loop")]),
)
def test_when_a_block_runs(every, engine, here):
    lines, _, _ = run(compiled("print step, turns, test", engine, 'print "end"', 4, every=every))
    assert [line.split()[:2] for line in lines] == [*([f"{step}", f"{step + 1}"] for step in WHEN[every]), ["end"]]


def stopped_at(values, patience, by=0.0, highest=False):
    """By hand: the epochs at which a value was better, and the one that ends the training."""
    best, since, better = None, 0, []
    for epoch, value in enumerate(values):
        if best is None or (value > best + by if highest else value < best - by):
            best, since = value, epoch
            better.append(epoch)
        elif epoch - since >= patience:
            return better, epoch
    return better, len(values) - 1


BETTER = [(1, 0.0), (2, 0.0), (3, 0.5), (2, 1.5)]  # the epochs to wait, and by how much


@pytest.mark.parametrize(("engine", "patience", "by", "highest"), some(
    [(engine, *better, highest) for engine in ENGINES for better in BETTER for highest in (False, True)],
    [*(("step", *better, highest) for better in BETTER for highest in (False, True)), ("loop", *BETTER[2], True)],
))  # fmt: skip
def test_a_training_ends_without_a_better_value(patience, by, highest, engine, here):
    values = VALUES
    word = ("higher", "highest") if highest else ("lower", "lowest")
    body = f'keep {word[1]} test to "best.ckpt"\nstop after {patience} epochs without {word[0]} test by {by}'
    rest = 'print "end", turns\nrestore turns from "best.ckpt"\nprint turns'.replace("\n", "\n    ")
    lines, notes, result = run(compiled(body, engine, rest, values=values))
    _, last = stopped_at(values, patience, by, highest)
    better, _ = stopped_at(values[: last + 1], len(values), 0.0, highest)
    assert lines == [f"end {3 * (last + 1)}", str(3 * (better[-1] + 1))]
    assert result.engines == [engine] and notes == []


def test_nan_is_never_better(here):
    body = 'keep lowest log(test - 1.0) to "best.ckpt"\nstop after 3 epochs without lower log(test - 1.0)'
    rest = 'restore turns from "best.ckpt"\n    print turns'
    lines, _, result = run(
        compiled(body, rest=rest, values=[0.5, 0.5, 3.0, 0.5, 2.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    )
    assert lines == ["15"]
    assert result.steps == 24


def test_an_older_file_is_not_restored(here):
    body = 'keep lowest log(test - 10.0) to "best.ckpt"'
    run(compiled('keep lowest test to "best.ckpt"'))
    with pytest.raises(tfdsl.TfgError) as error:
        run(compiled(body, rest='restore turns from "best.ckpt"'))
    assert [one.code for one in error.value.diagnostics] == ["TFG567"]


TWICE = """
variable w = 4.0
placeholder bad: float32 = 0.0
cost = square(w) + log(1.0 - bad)
optimize square(w) with gradient_descent(learning_rate=0.1)
session:
    for b in [0.0, 2.0]:
        init
        train 4 steps with engine="step":
            feed bad = b
            {checkpoint}
            keep lowest cost to "best.ckpt"
        {between}
        restore from "best.ckpt"
        print b, w
"""


@pytest.mark.parametrize("stop", [None, 2])
def test_a_repeated_training_does_not_restore_what_another_kept(stop, here):
    """Also if the second one was stopped."""
    text = TWICE.format(checkpoint='checkpoint every 2 steps in "kept-{b}"', between="print b")
    if stop is not None:
        second = tfdsl.compile(text.replace("[0.0, 2.0]", "[2.0]"))
        run(tfdsl.compile(text.replace("[0.0, 2.0]", "[0.0]")))
        assert second.run(options=stopping(stop)).interrupted
        text = text.replace("[0.0, 2.0]", "[2.0]")
    with pytest.raises(tfdsl.TfgError) as error:
        run(tfdsl.compile(text))
    assert [one.code for one in error.value.diagnostics] == ["TFG567"]
    run(tfdsl.compile(TWICE.format(checkpoint="", between='save to "best.ckpt"')), fresh=True)


@pytest.mark.parametrize(("stop", "engine"), some(product((1, 4, 7), ENGINES), [(1, "step"), (4, "loop")]))
def test_an_interrupted_training_ends_alike(stop, engine, here, tmp_path):
    body = 'keep lowest test to "best.ckpt"\nstop after 2 epochs without lower test by 0.2\nprint epoch, test'
    rest = 'print "end", turns\nsave to "last.ckpt"'.replace("\n", "\n    ")
    values = [5.0, 4.0, 4.0, 3.9, 3.7, 3.95, 3.0, 3.5, 2.9, 2.9, 2.5, 9.0]
    whole, _, _ = run(compiled(body, engine, rest, values=values))
    wanted = variables("best.ckpt"), variables("last.ckpt")
    given = [body, engine, rest, 12, 'checkpoint every 4 steps in "kept"', values]
    lines = []
    first = compiled(*given).run(options=stopping(stop, engine=engine, write=lines.append, overwrite=True))
    assert first.interrupted
    rest_of_it, _, result = run(compiled(*given))
    assert [*lines, *rest_of_it] == whole
    assert result.resumed
    for one, other in zip(wanted, (variables("best.ckpt"), variables("last.ckpt")), strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_a_name_of_a_block_has_a_value_after_the_training(here):
    lines, _, _ = run(compiled('keep lowest test to "best.ckpt"', rest="print test", epochs=2))
    assert lines == ["4.0"]
