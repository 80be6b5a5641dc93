"""A resumed training ends with the same bits as an uninterrupted one: every optimizer, batch order, engine, and kind of
random op."""

import shutil
from itertools import product

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

PROGRAM = """
{seed}
data rows = moons(50, noise=0.2, seed=3) | add_bias
placeholder X: float32[batch, 3]
placeholder y: float32[batch, 1]
variable w: float32[3, 1] = {initial}
{nodes}
scope loss:
    mse = reduce_mean(square({model} - y))
optimize mse with {optimizer}
summary scalar mse as "MSE"
session:
    log to "logs"
    train 6 epochs on rows in batches of {size} {order} as batch:
        checkpoint every 9 steps in "kept"
        feed X = batch.features, y = batch.target
        every 5 steps: log
        every 4 steps: print step, mse{printed}
    print w{printed}
    {end}
    print w{printed}
"""
PLAIN = {
    "seed": "seed 7", "initial": "random_normal([3, 1])", "nodes": "", "model": "X @ w", "order": "", "size": 8, "printed": "",
    "optimizer": "gradient_descent(learning_rate=0.1)", "end": "print 1",
}  # fmt: skip


ENGINES = ("step", "loop", "xla")


def program(**parts):
    return PROGRAM.format(**{**PLAIN, **parts})


def run(compiled, engine, interrupted=lambda: False):
    notes = []
    options = Options(write=lambda line: None, note=notes.append, engine=engine, interrupted=interrupted)
    return compiled.run(options=options), notes


def after(calls):
    """Interrupts a run after it has asked a number of times."""
    left = iter(range(calls))
    return lambda: next(left, None) is None


def assert_goes_on(text, engine, tmp_path, monkeypatch, stops=(2,)):
    """A run that is stopped several times has the lines, logs and variables of an uninterrupted run."""
    compiled = tfdsl.compile(text)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "whole")
    whole, _ = run(compiled, engine)
    monkeypatch.chdir(tmp_path / "parts")
    printed = []
    for stop in stops:
        part, notes = run(compiled, engine, after(stop))
        assert part.interrupted
        printed += part.printed
    last, _ = run(compiled, engine)
    assert not last.interrupted and last.engines[-1] == whole.engines[0] == engine
    assert printed + last.printed == whole.printed
    assert last.history == whole.history
    assert_same_variables(last, whole)
    return notes


def assert_same_variables(first, second):
    assert first.variables.keys() == second.variables.keys()
    for name, value in first.variables.items():
        assert np.asarray(value).tobytes() == np.asarray(second.variables[name]).tobytes(), name


OPTIMIZERS = [
    "gradient_descent(learning_rate=0.1)", "momentum(0.9, learning_rate=0.1)", "adam(learning_rate=0.1)",
    "rmsprop(learning_rate=0.1)", "adagrad(learning_rate=0.1)", "adadelta(learning_rate=0.1)",
    "ftrl(learning_rate=0.1)",
]  # fmt: skip


@pytest.mark.parametrize(("optimizer", "engine"), some(product(OPTIMIZERS, ENGINES), [("adadelta(learning_rate=0.1)", "step")]))  # fmt: skip
def test_optimizers(optimizer, engine, tmp_path, monkeypatch):
    assert_goes_on(program(optimizer=optimizer), engine, tmp_path, monkeypatch, (2, 2))


@pytest.mark.parametrize(("order", "engine"), some(
    product(("shuffled seed 3", "ordered", "sampled seed 4"), ENGINES), [("sampled seed 4", "loop")]
))  # fmt: skip
def test_batch_orders(order, engine, tmp_path, monkeypatch):
    noise = "noise = random_normal([3, 1], stddev=0.01)"
    assert_goes_on(program(order=order, nodes=noise, model="X @ (w + noise)"), engine, tmp_path, monkeypatch)


GATHER = "variable table = random_normal([5, 3], seed=2)\nids = cast(floor(abs(X[:, 1]) * 3.0), int32) % 5"


@pytest.mark.parametrize(("optimizer", "engine"), some(
    product(OPTIMIZERS, ("step", "loop")), [("ftrl(learning_rate=0.1)", "step")]
))  # fmt: skip
def test_gathered_gradients(optimizer, engine, tmp_path, monkeypatch):
    text = program(optimizer=optimizer, nodes=GATHER, model="(X * gather(table, ids)) @ w", order="sampled seed 4")
    assert_goes_on(text, engine, tmp_path, monkeypatch)


WHILE = """
i = constant(0)
noise = zeros([3, 1])
while i < 3:
    i = i + 1
    noise = noise * 0.5 + random_normal([3, 1])
"""
IF = """
if mean_of > 0.0:
    noise = random_normal([3, 1])
else:
    noise = random_uniform([3, 1])
"""
NESTED = """
i = constant(0)
noise = zeros([3, 1])
while i < 3:
    i = i + 1
    j = constant(0)
    while j < 2:
        j = j + 1
        if noise[0, 0] > 0.2:
            noise = noise * 0.5 + random_normal([3, 1])
        else:
            noise = noise - random_uniform([3, 1])
"""
RANDOM = {
    "uniform": "noise = random_uniform([3, 1])",
    "normal": "noise = random_normal([3, 1], seed=5)",
    "truncated": "noise = truncated_normal([3, 1], stddev=0.1)",
    "integers": "noise = cast(random_uniform([3, 1], 0, 9, dtype=int32), float32)",
    "gamma": "noise = random_gamma([3], [2.0])",
    "poisson": "noise = random_poisson([2.0], [3])",
    "shuffle": "noise = random_shuffle([[1.0], [2.0], [3.0]])",
    "multinomial": "noise = cast(transpose(multinomial([[0.5, 0.1, 0.4]], 3)), float32)",
    "categorical": "noise = cast(transpose(categorical([[0.5, 0.1, 0.4]], 3)), float32)",
    "crop": "noise = random_crop([[1.0], [2.0], [3.0], [4.0], [5.0]], [3, 1])",
    "dropout": "noise = dropout(w, rate=0.4)",
    "initializer": "noise = glorot_normal([3, 1])",
    "while": WHILE,
    "if": IF.replace("mean_of", "reduce_sum(w)"),
    "nested": NESTED,
    "raw": "noise = raw.RandomStandardNormal(shape=[3, 1], dtype=float32, seed=3, seed2=4)",
    "of a shape that is fed": "noise = transpose(X[:3]) @ random_normal(shape(X))[:3] * 0.01",
}
# Programs with several of them.
STREAMS = {
    "many": ("normal", "poisson", "multinomial", "crop", "initializer", "raw", "shuffle"),
    "many others": ("uniform", "truncated", "gamma", "integers", "categorical", "dropout"),
    "many in XLA": ("uniform", "dropout", "if"),
}
for _name, _kinds in STREAMS.items():
    _texts = [RANDOM[kind].replace("noise", f"noise_{at}") for at, kind in enumerate(_kinds)]
    _sum = " + ".join(f"noise_{at} * 0.1" for at in range(len(_kinds)))
    RANDOM[_name] = "\n".join([*_texts, f"noise = {_sum}"])
NOT_IN_XLA = {
    "many",
    "many others",
    "gamma",
    "poisson",
    "shuffle",
    "multinomial",
    "categorical",
    "of a shape that is fed",
    "while",
    "nested",
}


def noisy(kind, **parts):
    text = program(nodes=RANDOM[kind], model="X @ (w + noise * 0.1)", **parts)
    return text.replace("print w", "print w, noise" + (" with X = rows.features[:8]" if "fed" in kind else ""))


@pytest.mark.parametrize(("kind", "engine"), some(product(RANDOM, ENGINES), [
    ("many", "step"), ("dropout", "loop"),
]))  # fmt: skip
def test_random_ops(kind, engine, tmp_path, monkeypatch):
    if engine == "xla" and kind in NOT_IN_XLA:
        pytest.skip(f"XLA has no {kind}")
    parts = {"size": 10} if engine == "xla" else {}  # batches of one size are compiled in half of the time
    if kind == "many in XLA":
        parts |= {"optimizer": "adam(learning_rate=0.1)", "order": "sampled seed 4", "size": 8}
    notes = assert_goes_on(noisy(kind, **parts), engine, tmp_path, monkeypatch)
    assert not [note for note in notes if "no checkpoint can hold" in note]


@pytest.mark.long
@pytest.mark.parametrize(("kind", "engine"), some(
    product(("uniform", "gamma", "dropout", "nested", "many others"), ("step", "loop")),
    [("uniform", "step")],
))  # fmt: skip
def test_random_ops_without_a_seed(kind, engine, tmp_path, monkeypatch):
    """All runs resumed from one checkpoint continue alike; another run starts differently."""
    text = noisy(kind, seed="", end="init w")
    compiled = tfdsl.compile(text)
    ends = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        assert run(tfdsl.compile(text), engine, after(3))[0].interrupted
        shutil.copytree("kept", "../copy", dirs_exist_ok=True)
        first, _ = run(compiled, engine)
        shutil.copytree("../copy", "kept")
        shutil.rmtree("../copy")
        second, _ = run(compiled, engine)
        assert first.printed == second.printed
        assert_same_variables(first, second)
        ends.append(first.printed)
    assert ends[0][-1] != ends[1][-1]


ENDS = ["init", "init w", 'restore from "nowhere" if exists']


@pytest.mark.parametrize("end", some(ENDS, ["init w"]))
def test_random_initial_values_after_resuming(end, tmp_path, monkeypatch):
    assert_goes_on(program(end=end), "loop", tmp_path, monkeypatch)
