"""The engines `loop` and `xla` against `step`: the same bits, or the same values within rounding for XLA."""

import functools
import glob
import os
import pathlib
import re
import tempfile
from itertools import product

import numpy as np
import pytest
from conftest import some
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tfdsl
from tfdsl.data.batches import BatchOrder
from tfdsl.data.mersenne import SEEDS, first_draws, sampled
from tfdsl.lowering import train_loop
from tfdsl.lowering.cloning import GraphCloner
from tfdsl.lowering.draws import CompiledDraws
from tfdsl.lowering.tf import tf
from tfdsl.runtime.execution.streams import Streams
from tfdsl.runtime.options import Options
from tfdsl.runtime.training import graph_loop as engine_loop
from tfdsl.runtime.training import select as engines

pytestmark = pytest.mark.loops

MODELS = pathlib.Path(__file__).parents[3] / "models"
TRAINING = [path.stem for path in sorted(MODELS.glob("*.tfg")) if "train " in path.read_text()]


def ran(source, engine, folder, **options):
    """The result of a run in a separate folder, with the notes about engines."""
    folder.mkdir()
    before = os.getcwd()
    os.chdir(folder)
    notes = []
    try:
        with_engine = Options(write=lambda line: None, note=notes.append, engine=engine, **options)
        result = tfdsl.compile(source).run(options=with_engine)
    finally:
        os.chdir(before)
    return result, [note for note in notes if " trains " in note]


def checkpoints(folder):
    """Every variable of every checkpoint below a folder, by file and name."""
    found = {}
    for path in sorted(glob.glob(f"{folder}/**/*.index", recursive=True)):
        reader = tf.train.load_checkpoint(path.removesuffix(".index"))
        for name in reader.get_variable_to_shape_map():
            found[os.path.relpath(path, folder), name] = reader.get_tensor(name)
    return found


@functools.cache
def stepped(source):
    """The result of a run in the engine `step`, and its checkpoints, for comparison in several tests."""
    with tempfile.TemporaryDirectory() as folder:
        result, _ = ran(source, "step", pathlib.Path(folder, "step"))
        return result, checkpoints(folder + "/step")


def assert_same_bits(first, second):
    assert first.printed == second.printed
    assert first.history == second.history
    assert first.steps == second.steps
    assert first.expectations == second.expectations
    same_arrays(first.variables, second.variables)


def same_arrays(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert np.asarray(value).tobytes() == np.asarray(second[name]).tobytes(), name


# The other models train the same as one of these, or as a body below. XLA compiles one of those.
LOOPED_MODELS = ["moons"]


@pytest.mark.parametrize(("name", "engine"), some(
    product(TRAINING, ("loop", "xla")), [*product(LOOPED_MODELS, ["loop"])]
))  # fmt: skip
def test_every_model(name, engine, tmp_path):
    """The same bits, or close values if XLA rounds."""
    step, kept = stepped(MODELS / f"{name}.tfg")
    other, notes = ran(MODELS / f"{name}.tfg", engine, tmp_path / engine)
    assert set(other.engines) == {engine} and not notes
    if engine == "loop":
        assert_same_bits(step, other)
        same_arrays(kept, checkpoints(tmp_path / engine))
        return
    assert other.steps == step.steps
    assert [len(values) for values in other.history.values()] == [len(values) for values in step.history.values()]
    assert len(other.printed) == len(step.printed)
    if name == "digits":  # its dropout draws other numbers in XLA, so only the learned result is similar
        assert float(other.printed[-1].split()[-1]) > 0.95
        return
    for variable, value in step.variables.items():
        np.testing.assert_allclose(other.variables[variable], value, rtol=2e-3, atol=2e-3, err_msg=variable)


# --- trainings that are repeated --------------------------------------------------------------

REPEATED = """
seed 7
data rows = moons(90, noise=0.2, seed=3) | add_bias | split(test=0.4)
placeholder X: float32[batch, 3]
placeholder y: float32[batch, 1]
placeholder rate: float32 = 0.1
variable w: float32[3, 1] = zeros
mse = reduce_mean(square(X @ w - y))
optimize mse with momentum(0.9, learning_rate=rate)

session:
    for r in RATES:
        init
        train 4 epochs on rows.train in batches of 10 as batch:
            feed X = batch.features, y = batch.target, rate = r
            every 3 batches: print "{r} {mse:.3f}"
            after every 1 epoch:
                test = evaluate mse on rows.test in batches of 8 as b with X = b.features, y = b.target
                print epoch, test
                if test < 0.2:
                    print "low"
        print w
"""


@pytest.mark.parametrize("engine", some(["loop", "xla"], ["loop"]))
def test_repeated_trainings_share_a_loop(engine):
    """A loop is built once for all of them, and XLA compiles it once."""

    def made(rates, engine):
        compiled = tfdsl.compile(REPEATED.replace("RATES", str(rates)))
        result = compiled.run(options=Options(write=lambda line: None, engine=engine))
        assert result.engines == [engine] * len(rates)
        return result, len(compiled.graph.get_operations())

    rates = [0.01, 0.1, 0.2]
    many, ops = made(rates, engine)
    one, ops_of_one = made(rates[:1], engine)
    step, ops_of_steps = made(rates, "step")
    assert ops == ops_of_one > ops_of_steps
    assert many.printed[: len(one.printed)] == one.printed
    if engine == "loop":
        assert_same_bits(many, step)


# --- one program, many bodies -----------------------------------------------------------------

PROGRAM = """
seed 7
data rows = moons(90, noise=0.2, seed=3) | add_bias
placeholder X: float32[batch, 3]
placeholder y: float32[batch, 1]
placeholder rate: float32 = 0.1
variable w: float32[3, 1] = zeros
variable count = 0
more = assign_add(count, 1)
{nodes}
scope loss:
    mse = reduce_mean(square(X @ w - y))
{optimize}
summary scalar mse as "MSE"
summary histogram w as "weights"
summary scalar count as "count"
session:
    log to "logs"
    train {train} as batch:
        feed X = batch.features, y = batch.target
{body}
    print w, count
"""
OPTIMIZE = "optimize mse with momentum(0.9, learning_rate=rate)"


def program(body, train="4 epochs on rows in batches of 20", nodes="", optimize=OPTIMIZE):
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return PROGRAM.format(nodes=nodes, optimize=optimize, train=train, body=lines)


BODIES = {
    "nothing": "",
    "every step prints": "print epoch, step, mse, batch.rows",
    "blocks": "every 2 batches: print epoch, step, mse\nevery 1 epoch: log\nevery 3 steps: log MSE",
    "whole data": "every 1 epoch: print mse with X = rows.features, y = rows.target",
    "blocks in blocks": "every 2 epochs:\n    print epoch\n    every 2 batches:\n        print step, mse\n        log MSE",
    "values of any shape": "every 2 batches: print X[:2], X @ w - y",
    "runs in blocks": "every 3 steps: run more\nrun training\nevery 2 steps: print count, w",
    "several runs": "run more, training\nprint count\nrun more\nlog count",
    "a print before the step": "print w\nrun training\nprint w",
    "stop": "stop when mse < 0.2",
    "stop in a block": "every 4 steps:\n    print step, mse\n    stop when mse < 0.2 and epoch > 0\n    log",
    "stop at an end": "run training\nrun more\nstop when count == 13\nrun more",
    "expect": "expect mse < 10\nevery 1 epoch: expect mse < 3 with X = rows.features, y = rows.target",
    "feeds that move": "feed rate = 0.1 / (epoch + 1)\nprint rate, step",
    "feeds of one statement": "print mse with X = batch.features[:3], y = batch.target[:3]",
    "saves": 'every 2 epochs: save to "at-{epoch}"\nevery 3 steps: print mse',
    "sets": "every 2 epochs: set w = [[1.0], [2.0], [3.0]]\nevery 3 steps: print mse",
    "checkpoints": 'checkpoint every 1 epoch in "kept"\nevery 3 steps: print mse',
    "seconds": "every 1000 seconds: print step\nevery 5 steps: print mse",
    "text": 'every 4 steps: print "at", "{epoch}", step',
}
AT_ONCE = {
    "many at once": ("blocks in blocks", "whole data", "expect", "feeds of one statement", "seconds", "text"),
    "statements outside": ("saves", "sets", "runs in blocks"),
}
BODIES |= {name: "\n".join(BODIES[one] for one in several) for name, several in AT_ONCE.items()}


# Most events of the other bodies are alike.
IRREGULAR = ("nothing", "blocks", "blocks in blocks", "runs in blocks", "statements outside")
NOT_COMPILED = ("values of any shape", "xla")  # XLA needs the shapes of gathered values
APART = ("values of any shape", "stop in a block")
IN_ENGINES = [one for one in some(
    product(BODIES, ("loop", "xla")), [*product((*APART, *AT_ONCE), ["loop"]), ("blocks in blocks", "xla")]
) if one.values != NOT_COMPILED]  # fmt: skip


@pytest.mark.parametrize(("name", "engine"), IN_ENGINES)
def test_every_body(name, engine, tmp_path):
    source = program(BODIES[name], optimize=f"{OPTIMIZE} as training")
    step, kept = stepped(source)
    other, notes = ran(source, engine, tmp_path / engine)
    assert other.engines == [engine] and not notes
    if engine == "loop":
        assert_same_bits(step, other)
        same_arrays(kept, checkpoints(tmp_path / engine))
        return
    assert (other.steps, len(other.printed)) == (step.steps, len(step.printed))
    assert [[at for at, _ in points] for points in other.history.values()] == [
        [at for at, _ in points] for points in step.history.values()
    ]
    for name, value in step.variables.items():
        np.testing.assert_allclose(other.variables[name], value, rtol=1e-3, atol=1e-4)


ORDERS = ("shuffled", "shuffled seed 9", "ordered", "sampled seed 4")


@pytest.mark.long
@pytest.mark.parametrize("name", some(BODIES, ["blocks in blocks"]))
def test_unrolled_steps(name, monkeypatch, tmp_path):
    """An iteration of a loop takes several steps if the training is long."""
    built = []

    def build(graph, spec):
        built.append(spec)
        return train_loop.build(graph, spec)

    monkeypatch.setattr(engine_loop, "build", build)
    for function in (train_loop.iteration_steps, train_loop.regular_events):
        monkeypatch.setattr(engine_loop, function.__name__, lambda *given, long=function: long(*given[:-1], 10**9))
    source = program(BODIES[name], optimize=f"{OPTIMIZE} as training")
    step, kept = stepped(source)
    loop, _ = ran(source, "loop", tmp_path / "loop")
    assert loop.engines == ["loop"] and built and all(spec.together > 1 for spec in built)
    assert all((spec.regular is None) is (name in IRREGULAR) for spec in built)
    assert_same_bits(step, loop)
    same_arrays(kept, checkpoints(tmp_path / "loop"))


@pytest.mark.parametrize(("order", "size"), some(
    product(ORDERS, (1, 7, 30, 90, 200)),
    [(ORDERS[3], 7)],
))  # fmt: skip
def test_orders_and_sizes(order, size, tmp_path):
    source = program("every 3 steps: print mse, batch.rows", f"3 epochs on rows in batches of {size} {order}")
    step, _ = ran(source, "step", tmp_path / "step")
    loop, _ = ran(source, "loop", tmp_path / "loop")
    assert loop.engines == ["loop"]
    assert_same_bits(step, loop)


@pytest.mark.parametrize(("block", "engine"), some(
    product((1, 3, 8), ("loop", "xla")), [(3, "loop")]
))  # fmt: skip
def test_blocks_of_steps(block, engine, monkeypatch, tmp_path):
    """The boundary between blocks of steps makes no difference."""
    monkeypatch.setattr(engine_loop, "_BLOCK", block)
    source = program("every 3 steps: print mse\nfeed rate = 0.1 / (step + 1)\nlog")
    step, _ = stepped(source)
    other, _ = ran(source, engine, tmp_path / engine)
    if engine == "loop":
        assert_same_bits(step, other)
    np.testing.assert_allclose(other.variables["w"], step.variables["w"], rtol=1e-4, atol=1e-5)


def in_both(source, engine, folder):
    """The results in `step` and in another engine. In `loop` they are the same to the bit."""
    step, _ = ran(source, "step", folder / "step")
    other, notes = ran(source, engine, folder / "other")
    assert other.engines == [engine] and not notes
    if engine == "loop":
        assert_same_bits(step, other)
    return step, other


NOISE = {
    "uniform": "noise = random_uniform([3, 1], seed=5)",
    "normal": "noise = random_normal([3, 1])",
    "truncated": "noise = truncated_normal([3, 1])",
    "whole numbers": "noise = cast(random_uniform([3, 1], 0, 10, dtype=int32), float32)",
    "as many as rows": "noise = reduce_mean(random_normal([3, shape(X)[0]]), axis=1, keepdims=true)",
    "dropout": "noise = dropout(ones([3, 1]), rate=0.5)",
}
# Alone, and together in one program.
PLAIN = ("uniform", "normal", "truncated", "whole numbers")
NOISE["several"] = "\n".join(NOISE[name].replace("noise", f"noise_{at}") for at, name in enumerate(PLAIN)) + \
    "\nnoise = noise_0 + noise_1 + noise_2 + noise_3"  # fmt: skip


@pytest.mark.parametrize(("noise", "engine"), some(
    product(NOISE, ("loop", "xla")), [("several", "loop")]
))  # fmt: skip
def test_random_ops(noise, engine, tmp_path):
    """Draws before, in, beside and after the loop come from one stream."""
    noise = NOISE[noise]
    source = (
        program(
            "every 3 steps: print noise\nevery 2 epochs: set count = 5\nrun training",
            nodes=noise,
            optimize="mixed = reduce_mean(square(X @ (w + noise) - y))\n"
            "optimize mixed with gradient_descent(learning_rate=rate) as training",
        ).replace("session:\n", "session:\n    print noise with X = rows.features\n")
        + "    print noise with X = rows.features\n"
    )
    step, other = in_both(source, engine, tmp_path)
    if engine == "xla":
        assert other.printed[0] == step.printed[0]
        assert len(other.printed) == len(step.printed)


WATCHED = "watched = reduce_mean(square(X @ w - y)) + 0.1 * reduce_sum(tanh(noise))\n" + \
    "optimize watched with gradient_descent(learning_rate=rate) as training"  # fmt: skip


@pytest.mark.parametrize(("engine", "on_nan"), some(
    product(("loop", "xla"), ("stop", "ignore")), [("loop", "stop")]
))  # fmt: skip
def test_random_ops_that_only_the_watched_loss_needs(engine, on_nan, tmp_path):
    """The step does not need them, but the loss is watched."""
    source = (
        program(
            "run training",
            nodes=NOISE["normal"],
            optimize=WATCHED,
        ).replace(" as batch:", f' as batch with on_nan="{on_nan}":')
        + "    print noise, w\n"
    )
    step, other = in_both(source, engine, tmp_path)
    np.testing.assert_allclose(other.variables["w"], step.variables["w"], rtol=1e-4, atol=1e-5)


def test_random_ops_without_a_seed(tmp_path):
    source = program("print noise", nodes="noise = random_uniform([])").replace("seed 7\n", "")
    first, _ = ran(source, "loop", tmp_path / "one")
    second, _ = ran(source, "loop", tmp_path / "two")
    assert len(set(first.printed)) == len(first.printed)
    assert first.printed != second.printed


# --- falling back to another engine -----------------------------------------------------------

BACK = {
    "sets at every step": ("set count = 3", "", " runs outside the graph"),
    "saves at every step": ('every 1 step: save to "s"', "", " runs outside the graph"),
    "random ops without a twin": ("print noise", "noise = random_shuffle([1, 2, 3])", "RandomShuffle cannot be saved"),
}


@pytest.mark.parametrize("kind", some(BACK, ["random ops without a twin"]))
def test_falls_back_with_a_reason(kind, tmp_path):
    body, nodes, why = BACK[kind]
    source = program(body, nodes=nodes)
    step, _ = ran(source, "step", tmp_path / "step")
    loop, notes = ran(source, "loop", tmp_path / "loop")
    assert loop.engines == ["step"]
    assert len(notes) == 1 and why in notes[0] and "line 19 trains step by step" in notes[0]
    assert_same_bits(step, loop)
    with pytest.raises(tfdsl.TfgError) as error:
        ran(source, "xla", tmp_path / "xla")
    assert error.value.diagnostics[0].code == "TFG715"
    auto, notes = ran(source, "auto", tmp_path / "auto")
    assert auto.engines == ["step"] and len(notes) == 1 and why in notes[0]


UNCOMPILED = {
    "a shape that changes": ("print X @ w", "", 0, "is not the same at all steps"),
    "a shape of values": (
        "every 2 steps: print large",
        "large = boolean_mask(w, w > 0.5)",
        10,
        "is known only when the step runs",
    ),
    "strings": ("every 2 steps: print name", 'name = string_join(["a", "b"])', 10, "XLA does not support strings"),
    "an op": (
        "every 1 epoch: print root",
        "root = raw.MatrixSquareRoot(input=[[4.0, 0.0], [0.0, 9.0]] + w[0, 0])",
        10,
        "XLA does not support MatrixSquareRoot",
    ),
}


# `lowering/test_compiled.py` has more ops.
@pytest.mark.parametrize("kind", some(UNCOMPILED, ["a shape that changes"]))
def test_programs_that_xla_cannot_compile(kind, tmp_path, monkeypatch):
    body, nodes, line, why = UNCOMPILED[kind]
    monkeypatch.setattr(engines, "_WORTH", 0)
    source = program(body, nodes=nodes, optimize=f"{OPTIMIZE} as training")
    with pytest.raises(tfdsl.TfgError) as error:
        ran(source, "xla", tmp_path / "xla")
    diagnostic = error.value.diagnostics[0]
    assert diagnostic.code == "TFG715"
    assert why in diagnostic.headline
    assert not line or diagnostic.span.line == line
    auto, notes = ran(source, "auto", tmp_path / "auto")
    assert auto.engines == ["loop"] and why in notes[0]


FED = """
placeholder X: float32[n, 2]
variable w = 1.0
h = X * w
optimize reduce_sum(square(h)) with gradient_descent(learning_rate=0.01) as fit
data points = moons(7, noise=0.1, seed=1)
placeholder Y: float32[m, 2]
double = Y * 2.0
session:
    train {what}:
        {body}
        run fit with X = [[1, 2]]
"""
FEEDS = {
    "at every step": ("3 steps", "print h, h[0] with X = [[step, 1], [2, 3], [4, 5]]"),
    "at some steps": ("4 steps", "every 2 steps: print h with X = [[1, 2]]"),
    "beside short batches": (
        "2 epochs on points in batches of 3 ordered as b",
        "print h, reduce_sum(double) with X = [[1, 2]], Y = b.features",
    ),
}


@pytest.mark.parametrize("kind", some(FEEDS, ["beside short batches"]))
def test_shapes_known_only_from_feeds(kind):
    what, body = FEEDS[kind]
    program = tfdsl.compile(FED.format(what=what, body=body))
    step, xla = (program.run(options=Options(engine=engine)) for engine in ("step", "xla"))
    assert xla.engines == ["xla"] and len(step.printed) > 1

    def numbers(lines):
        return [float(one) for one in re.findall(r"[\d.e+-]+", " ".join(lines).replace("[", " "))]

    np.testing.assert_allclose(numbers(xla.printed), numbers(step.printed), rtol=1e-5)


ORDERED = """seed 1
data points = moons(7, noise=0.1, seed=1)
placeholder X: float32[m, 2]
placeholder Y: int64[m, 1]
variable w = [[0.5], [0.25]]
optimize reduce_mean(square(X @ w - cast(Y, float32))) with gradient_descent(learning_rate=0.1) as fit
session:
    train 10 steps on points in batches of 3 ordered as b:
        feed X = b.features, Y = b.target
        print X[0], Y[0]
"""


@pytest.mark.parametrize("block", some([2, 4, 8192], [4]))
def test_batches_in_order_that_xla_compiles(block, monkeypatch, tmp_path):
    """The batches are slices of the data at every step of every block, or copies of them if an epoch is longer than a
    block."""
    monkeypatch.setattr(engine_loop, "_BLOCK", block)
    step, _ = stepped(ORDERED)
    xla, _ = ran(ORDERED, "xla", tmp_path / "xla")
    assert xla.engines == ["xla"] and xla.printed == step.printed
    np.testing.assert_allclose(xla.variables["w"], step.variables["w"], rtol=1e-5)


# --- failures ---------------------------------------------------------------------------------


def test_a_feed_that_fails_only_where_it_is_not_needed(tmp_path):
    """Its block is not due at the steps at which it divides by zero."""
    source = program("every 10 steps: print step, mse with rate = 0.1 / (1 - step % 10)")
    step, _ = stepped(source)
    loop, notes = ran(source, "loop", tmp_path / "loop")
    assert_same_bits(step, loop)
    assert len(notes) == 1 and "trains step by step from step 1 on: a fed value cannot" in notes[0]


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_a_failure_in_the_loop_loses_nothing(engine, tmp_path):
    source = program(
        "run more\nevery 2 steps: print step\nrun checked",
        nodes='checked = check_numerics(1.0 / cast(7 - count, float32), "bad")',
    )
    lines = []
    with pytest.raises(tfdsl.TfgError) as error:
        folder = tmp_path / engine
        folder.mkdir()
        options = Options(write=lines.append, engine=engine, logdir=str(folder))
        tfdsl.compile(source).run(options=options)
    assert lines == ["0", "2", "4", "6"]
    diagnostic = error.value.diagnostics[0]
    assert (diagnostic.code, diagnostic.span.line) == ("TFG702", 10)


@pytest.mark.parametrize("engine", ["step", "loop", "xla"])
def test_a_failing_expectation_in_the_loop(engine, tmp_path):
    source = program("run more\nlog count\nexpect count < 7\nprint step")
    lines = []
    with pytest.raises(tfdsl.TfgError) as error:
        tfdsl.compile(source).run(options=Options(write=lines.append, engine=engine, logdir=str(tmp_path)))
    assert error.value.diagnostics[0].code == "TFG703"
    assert lines == [str(step) for step in range(6)]
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [event.step for event in events.Scalars("count")] == list(range(7))


def test_wall_times_of_gathered_values(tmp_path):
    source = program("every 2 steps: log MSE", "100 epochs on rows in batches of 20")
    ran(source, "loop", tmp_path / "loop")
    events = EventAccumulator(str(tmp_path / "loop" / "logs"), {"scalars": 0})
    events.Reload()
    scalars = events.Scalars("MSE")
    assert [event.step for event in scalars] == list(range(0, 500, 2))
    times = [event.wall_time for event in scalars]
    assert times == sorted(times) and len(set(times)) > 225


@pytest.mark.parametrize("engine", some(["loop", "xla"], ["loop"]))
def test_an_interruption_between_executions(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = program(
        'checkpoint every 1 epoch in "kept"\nevery 5 steps: print step, mse', "16 epochs on rows in batches of 20"
    )
    compiled, asked = tfdsl.compile(source), iter(range(1000))
    whole = compiled.run(options=Options(write=lambda line: None, engine=engine))
    first = compiled.run(options=Options(write=lambda line: None, engine=engine, interrupted=lambda: next(asked) > 5))
    assert first.interrupted and 0 < first.steps < whole.steps
    second = compiled.run(options=Options(write=lambda line: None, engine=engine))
    assert second.resumed
    assert first.printed + second.printed == whole.printed
    same_arrays(whole.variables, second.variables)


def test_the_program_and_the_command_line_select_the_engine(tmp_path):
    source = program("").replace(" as batch:", ' as batch with engine="step":')
    assert ran(source, "", tmp_path / "one")[0].engines == ["step"]
    assert ran(source, "loop", tmp_path / "two")[0].engines == ["loop"]
    assert ran(program(""), "", tmp_path / "three")[0].engines == ["loop"]


def test_a_short_training_has_no_loop(tmp_path, monkeypatch):
    monkeypatch.delenv(engines.ALWAYS)
    short, long = program(""), program("", "2000 epochs on rows in batches of 20")
    assert ran(short, "loop", tmp_path / "short")[0].engines == ["step"]
    assert ran(long, "loop", tmp_path / "long")[0].engines == ["loop"]


@pytest.mark.long
def test_short_trainings_that_are_alike_get_a_loop_in_the_end(monkeypatch):
    monkeypatch.delenv(engines.ALWAYS)
    compiled = tfdsl.compile(REPEATED.replace("RATES", "[0.01, 0.02, 0.05, 0.1, 0.2]"))
    # Each takes 24 steps, and building the loop pays after 36.
    monkeypatch.setattr(engine_loop, "_OUTSIDE", 0.005)
    monkeypatch.setattr(engine_loop, "_PER_FEED", 0.0)
    monkeypatch.setattr(engine_loop, "_BUILDING", 0.18)
    monkeypatch.setattr(engine_loop, "_BUILDING_PER_OP", 0.0)
    mixed = compiled.run(options=Options(write=lambda line: None))
    assert set(mixed.engines) == {"step", "loop"} and mixed.engines == sorted(mixed.engines, reverse=True)
    stepped = compiled.run(options=Options(write=lambda line: None, engine="step"))
    assert_same_bits(mixed, stepped)


@pytest.mark.parametrize("stop", ["stop when mse < 0.0", "stop after 2000 steps without lower mse", ""])
def test_a_training_that_may_stop_early_counts_with_a_part_of_its_steps(tmp_path, monkeypatch, stop):
    monkeypatch.delenv(engines.ALWAYS)
    for module in (engines, engine_loop):
        monkeypatch.setattr(module, "saves", lambda steps, feeds, ops, streams=0: steps > 40)
    source = program(stop, "40 epochs on rows in batches of 45")
    assert ran(source, "loop", tmp_path / "run")[0].engines == ["step" if stop else "loop"]


RANDOM = """
placeholder x: float32[n]
variable w = 1.0
noise = random_normal([3], seed=1)
optimize reduce_mean(square(w * x - 2.0 + dropout(noise, rate=0.5, seed=2))) with gradient_descent(learning_rate=0.1)
session:
    train {steps} steps:
        feed x = [1.0, 2.0, 3.0]
    print w
"""


@pytest.mark.parametrize("is_short", [True, False])
def test_only_trainings_that_may_be_in_a_loop_draw_from_streams(tmp_path, monkeypatch, is_short):
    """If the loop does not pay after all, the random ops of the steps are looked up once."""
    monkeypatch.delenv(engines.ALWAYS)
    monkeypatch.setattr(engines.GraphLoopEngine, "pays", lambda self: False)
    monkeypatch.setattr(engines, "saves", lambda steps, feeds, ops, streams=0: not is_short)
    looked = []
    find, add = GraphCloner.reached, Streams.add
    monkeypatch.setattr(GraphCloner, "reached", lambda self, *given: (looked.append(given), find(self, *given))[1])
    added = []
    monkeypatch.setattr(Streams, "add", lambda self, name: (added.append(name), add(self, name))[1])
    counts = []
    for steps in (8, 24):
        looked.clear()
        result, _ = ran(RANDOM.format(steps=steps), "loop", tmp_path / f"{steps}")
        counts.append(len(looked))
        assert result.engines == ["step"]
    assert bool(added) != is_short and counts[0] == counts[1]
    assert_same_bits(result, ran(RANDOM.format(steps=24), "step", tmp_path / "step")[0])


def test_auto_compiles_long_trainings(tmp_path, monkeypatch):
    long = program("", "2000 epochs on rows in batches of 90")
    assert ran(program(""), "auto", tmp_path / "short")[0].engines == ["loop"]
    for limit in ("_WORTH", "_MANY_STEPS"):
        with monkeypatch.context() as patched:
            patched.setattr(engines, limit, getattr(engines, limit) // 100)
            assert ran(long, "auto", tmp_path / limit)[0].engines == ["xla"]


def test_auto_does_not_compile_convolutions(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "_WORTH", 0)
    source = """
placeholder x: float32[n, 8, 8, 1]
variable kernel = random_normal([3, 3, 1, 2], seed=1)
loss reduce_mean(square(conv2d(x, kernel, strides=1, padding="SAME") - 1.0))
optimize with gradient_descent(learning_rate=0.01)
session:
    train 5 steps:
        feed x = IMAGE
""".replace("IMAGE", str([[[[float(i + j)] for i in range(8)] for j in range(8)]]))
    result, notes = ran(source, "auto", tmp_path / "auto")
    assert (result.engines, notes) == (["loop"], [])


# --- batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["sampled", "shuffled", "ordered"])
@pytest.mark.parametrize(
    ("rows", "size"), [(20640, 100), (1000, 50), (7, 3), (1 << 15, 100), (20640, 140), (1, 1), (2, 2)]
)
def test_a_block_of_batches(order, rows, size):
    alone, together = BatchOrder(order, 3, rows, size), BatchOrder(order, 3, rows, size)
    block = together.block(5, 700)
    for step in range(5, 700):
        batch = alone.indices(step)
        assert len(batch) == alone.size_at(step)
        assert (block[step - 5][: len(batch)] == batch).all()
        assert (block[step - 5][len(batch) :] == -1).all()


def test_compiled_draws_equal_numpys():
    draws = CompiledDraws()
    seeds = np.arange(2**32 - SEEDS - 8, 2**32, dtype=np.uint32)
    try:
        made, expected = list(draws(seeds, 227)), list(first_draws(seeds, 227))
        batches = [sampled(part, 20640, 20, draws) for part in (seeds, seeds[:1000])]
    finally:
        draws.close()
    assert [part[:, : other.shape[1]].tolist() for part, other in zip(made, expected, strict=True)] == [
        part.tolist() for part in expected
    ]
    assert (batches[0] == sampled(seeds, 20640, 20)).all()
    assert (batches[1] == batches[0][:1000]).all()


def test_sampled_is_numpy():
    block = BatchOrder("sampled", 2**32 - 5, 20640, 100).block(0, 10)
    for step, batch in enumerate(block):
        seed = (2**32 - 5 + step) % 2**32
        assert (np.random.RandomState(seed).randint(20640, size=100) == batch).all()


@pytest.mark.parametrize(("rows", "engine"), [(5, "loop"), (10, "step"), (7, "step"), (4, "step"), (3, "loop")])
def test_how_often_a_statement_is_due_is_seen_in_whole_epochs(rows, engine):
    """Every second batch of an epoch of five is two of five steps, whichever number of steps one looks at."""
    program = f"""
data d = moons({rows}, seed=1)
placeholder X: float32[n, 2]
variable w = 0.0
optimize reduce_mean(square(X * w - 1.0)) with gradient_descent(learning_rate=0.1)
session:
    train 2 epochs on d in batches of 1 as batch:
        feed X = batch.features
        after every 2 batches: print step
"""
    result = tfdsl.compile(program).run(options=Options(write=lambda line: None, engine="loop"))
    assert result.engines == [engine]


def test_xla_computes_with_a_number_that_fills_a_tensor():
    """The gradient of a mean is one number, once for each row. From memory, XLA would read it again at each step."""
    program = tfdsl.compile(
        "data moons = moons(5000)\n"
        "variable w = 1.0\n"
        "optimize reduce_mean(square(w - constant(moons.features))) with gradient_descent(learning_rate=0.1) as go\n"
        "session:\n"
        "    train 2 steps:\n"
        "        run go\n"
    )

    def large(engine):
        before = set(program.graph.get_operations())
        program.run(options=Options(engine=engine))
        calls = [op for op in program.graph.get_operations() if op not in before and "PartitionedCall" in op.type]
        return {tensor.op.type for op in calls for tensor in op.inputs if (tensor.shape.num_elements() or 0) >= 5000}

    assert large("loop") == {"Placeholder", "RealDiv"}
    assert large("xla") == {"Placeholder"}
