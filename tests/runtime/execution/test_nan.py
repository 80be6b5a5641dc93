"""A training whose loss becomes NaN stops, in every engine at the same step and after the same lines and logs."""

import os
import shutil
import sys
from pathlib import Path

import forked
import pytest
from conftest import some

import tfdsl
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

ENGINES = ["step", "loop", "xla"]
# The loss is NaN at the step `bad`, with the logarithm of a negative number; `w` moves by the gradient.
PROGRAM = """
seed 3
param bad = 100
param steps = 200
placeholder t: float32 = 0.0
variable w: {dtype}[2] = [1.0, 2.0]
variable v = 1.0
variable turns = 0
more = assign_add(turns, 1)
good = cast(bad, float32) - t - 0.5
scope loss:
    cost = {loss}
{optimize}
{nodes}
summary scalar reduce_sum(w) as "w"
session:
    log to "logs"
    train steps steps{options}:
        feed t = step
{body}
    print "end", w, turns
"""
BODY = """\
        every 3 steps: print step, w
        every 7 steps: log
        run more, fit
"""
OPTIMIZE = "optimize loss.cost with gradient_descent(learning_rate=0.001) as fit"
LOSS = "reduce_sum(square(w)) + log(good / abs(good))"


def program(loss=LOSS, options="", body=BODY, dtype="float32", nodes="", optimize=OPTIMIZE):
    return PROGRAM.format(loss=loss, options=options, body=body, dtype=dtype, nodes=nodes, optimize=optimize)


def run(text, engine, folder, monkeypatch, **params):
    """The error of a run, or None, its result, and the places of points in the event files."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    lines = []
    compiled = tfdsl.compile(text, params)
    try:
        result = compiled.run(options=Options(write=lines.append, engine=engine))
    except tfdsl.TfgError as error:
        return error, lines, logged(folder), compiled
    assert set(result.engines) == {engine}
    return None, lines, logged(folder), compiled


def logged(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "logs"), {"scalars": 0})
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars("w")] if "w" in events.Tags()["scalars"] else []


def assert_stops(text, step, tmp_path, monkeypatch, engines=ENGINES, node="loss/cost", **params):
    """All engines stop at a step, after the same lines and logs, which are returned."""
    found = []
    for engine in engines:
        error, lines, log, compiled = run(text, engine, tmp_path / engine, monkeypatch, **params)
        (diagnostic,) = error.diagnostics
        assert diagnostic.code == "TFG716"
        assert f"the loss {node} is NaN (not a number) at step {step}," in diagnostic.headline
        assert diagnostic.span == compiled.built().node_of(node).origin.span
        (note,) = diagnostic.notes
        assert note.text == "the training is on line {line}" and note.span.text.startswith("train steps")
        found.append((lines, log))
    assert len({(len(lines), len(log)) for lines, log in found}) == 1
    assert len({str(one) for one, engine in zip(found, engines) if engine != "xla"}) == 1
    return found[0]


@pytest.mark.parametrize("bad", some([0, 1, 100, 198, 199], [0]))
def test_the_same_step_in_every_engine(bad, tmp_path, monkeypatch):
    lines, log = assert_stops(program(), bad, tmp_path, monkeypatch, bad=bad)
    assert [int(line.split()[0]) for line in lines] == list(range(0, bad + 1, 3))
    assert [step for step, _ in log] == list(range(0, bad + 1, 7))
    assert "nan" not in str(lines)


ALL_BUT_XLA = ("step", "loop")
IN_ENGINES = [ALL_BUT_XLA, pytest.param(ENGINES, marks=pytest.mark.long)]
PASSING = LOSS.replace("good / abs(good)", "abs(good + 0.5) - 0.5")  # is NaN only at that step
ANYWHERE = {
    "nothing trains on it": {"loss": PASSING},
    "float64": {"dtype": "float64", "loss": LOSS.replace("log(good / abs(good))", "cast(log(good), float64) * 0.0")},
    "float16": {"dtype": "float16", "loss": LOSS.replace("log(good / abs(good))", "cast(log(good), float16) * 0.0")},
    "run at some steps": {"body": BODY.replace("run more, fit", "every 5 steps: run fit\n        run more")},
    "run after others": {"nodes": "after fit:\n    last = assign_add(turns, 2)", "body": BODY.replace("fit", "last")},
    "every step printed": {"body": BODY + "        print step, w\n"},
    "fed by the run": {"body": BODY.replace("more, fit", "fit with t = step * 1")},
    "of momentum": {"optimize": OPTIMIZE.replace("gradient_descent(", "momentum(0.9, ")},
}


@pytest.mark.parametrize(("kind", "engines"), some(
    [(kind, engines) for kind in ANYWHERE for engines in (ALL_BUT_XLA, ("step", "xla"))],
    [("nothing trains on it", ALL_BUT_XLA), ("run at some steps", ALL_BUT_XLA)],
))  # fmt: skip
def test_a_loss_of_any_kind(kind, engines, tmp_path, monkeypatch):
    lines, _ = assert_stops(program(**ANYWHERE[kind]), 15, tmp_path, monkeypatch, engines, bad=15)
    assert lines[-1].split()[0] in ("12", "15")


@pytest.mark.parametrize("engines", IN_ENGINES)
def test_one_of_two_optimizers(engines, tmp_path, monkeypatch):
    second = "other = square(v) * 1.0 + log(good)\noptimize other with adam as second"
    text = program(loss="reduce_sum(square(w))", nodes=second, body=BODY.replace("more, fit", "more, fit, second"))
    assert_stops(text, 10, tmp_path, monkeypatch, engines, node="other", bad=10)


@pytest.mark.long
@pytest.mark.parametrize("engines", IN_ENGINES)
def test_a_large_learning_rate(engines, tmp_path, monkeypatch):
    text = program(loss="reduce_sum(square(w))", optimize=OPTIMIZE.replace("0.001", "3.0"))
    error, *_ = run(text, "step", tmp_path / "first", monkeypatch)
    step = error.diagnostics[0].details["step"]
    assert 20 < step < 120
    assert_stops(text, step, tmp_path, monkeypatch, engines)


def lines_of(text, engine, folder, monkeypatch, **params):
    error, lines, log, _ = run(text, engine, folder, monkeypatch, **params)
    assert error is None
    return lines, log


@pytest.mark.parametrize("engine", some(ENGINES, ["loop"]))
def test_on_nan_ignore_continues(engine, tmp_path, monkeypatch):
    lines, log = lines_of(program(options=' with on_nan="ignore"'), engine, tmp_path / "a", monkeypatch)
    assert lines[-1].startswith("end [") and lines[-1].endswith(" 200") and len(log) == 29


@pytest.mark.parametrize("engine", some(ENGINES, ["loop"]))
def test_infinite_losses_are_not_nan(engine, tmp_path, monkeypatch):
    """Even if their sum is NaN."""
    lines, _ = lines_of(program(loss="reduce_sum(square(w)) + log(t * 0.0) * (1.0 - 2.0 * floormod(t, 2.0))"), engine,
                          tmp_path / "a", monkeypatch, steps=40)  # fmt: skip
    assert lines[-1].endswith(" 40") and "nan" not in lines[-1]


def test_an_infinite_loss_is_reported_once():
    """At the same step in every engine. A training that ignores NaN gets no warning."""
    text = """
seed 1
placeholder t: float32 = 0.0
variable w = 1.0
cost = square(w) + 1.0 / cast(minimum(abs(t - 33.0), abs(t - 40.0)) > 0.5, float32)
optimize cost with gradient_descent(learning_rate=0.1)
session:
    train 60 steps{options}:
        feed t = step
    expect w < 0.1
"""
    for engine in ENGINES:
        notes = []
        tfdsl.compile(text.format(options="")).run(options=Options(write=print, engine=engine, note=notes.append))
        told = [note for note in notes if "TFG543" in note]
        assert len(told) == 1 and "the loss cost is infinite at step 33" in told[0] and ":5:" in told[0], notes
        notes.clear()
        ignoring = text.format(options=' with on_nan="ignore"')
        tfdsl.compile(ignoring).run(options=Options(write=print, engine=engine, note=notes.append))
        assert not [note for note in notes if "TFG543" in note]


@pytest.mark.parametrize("engine", some(ENGINES, ["loop"]))
def test_other_tensors_are_not_watched(engine, tmp_path, monkeypatch):
    text = program(nodes="look = log(good)", body=BODY.replace("more, fit", "more"))
    text = text.replace("        run more", "        print look\n        run more")
    lines, _ = lines_of(text, engine, tmp_path / "a", monkeypatch)
    assert lines[-2:] == ["nan", "end [1. 2.] 200"]


@pytest.mark.parametrize("engine", some(ENGINES, ["loop"]))
def test_the_first_event_ends_the_training(engine, tmp_path, monkeypatch):
    text = program(body="        stop when step == 100\n" + BODY)
    lines, _ = lines_of(text, engine, tmp_path / "stop", monkeypatch)
    assert lines[-1].endswith(" 100")
    text = program(body="        expect turns < 90\n" + BODY)
    error, lines, *_ = run(text, engine, tmp_path / "expect", monkeypatch)
    assert error.diagnostics[0].code == "TFG703" and lines[-1].split()[0] == "87"
    text = program(body="        stop when step == 101\n        expect turns < 102\n" + BODY)
    error, *_ = run(text, engine, tmp_path / "later", monkeypatch)
    assert error.diagnostics[0].code == "TFG716"


@pytest.mark.parametrize("engine", some(ENGINES, ["loop"]))
def test_the_last_checkpoint_is_named(engine, tmp_path, monkeypatch):
    text = program(body='        checkpoint every 30 steps in "kept"\n' + BODY)
    for _ in range(2):
        error, *_ = run(text, engine, tmp_path / "kept", monkeypatch)
        notes = [note.text for note in error.diagnostics[0].notes]
        assert notes[1:] == ["the last good checkpoint is of step 90, in kept"]
        (tmp_path / "kept").rename(tmp_path / "moved")
        (tmp_path / "moved").rename(tmp_path / "kept")
        shutil.rmtree(tmp_path / "kept" / "logs")


def test_the_command_line(tmp_path):
    (tmp_path / "p.tfg").write_text(program(), encoding="utf-8")
    root = str(Path(__file__).resolve().parents[3])
    command = [sys.executable, "-m", "tfdsl", "run", "p.tfg"]
    done = forked.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "error[TFG716]: the loss loss/cost is NaN (not a number) at step 100" in done.stderr
    assert "p.tfg:12:12" in done.stderr and "the training is on line 18" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("99 [")


@pytest.mark.parametrize("engine", some(ENGINES, ["step", "loop"]))
def test_variables_that_are_nan_are_not_saved(engine, tmp_path, monkeypatch):
    """The gradient becomes NaN before the loss does: the checkpoint of the next step would be useless."""
    monkeypatch.chdir(tmp_path)
    program = tfdsl.compile("""
variable w = -2.0
optimize sqrt(square(w - 3.0)) with gradient_descent(learning_rate=1.0) as fit
session:
    train 9 steps:
        checkpoint every 3 steps in "kept"
        run fit
""")
    notes = []
    with pytest.raises(tfdsl.TfgError) as caught:
        program.run(options=Options(note=notes.append, engine=engine))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.details["step"] == 6
    assert diagnostic.notes[-1].text == "the last good checkpoint is of step 3, in kept"
    assert "no checkpoint of step 6 was saved: w has become NaN" in notes
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["00000001-step-3"]


# The gradient of sqrt at 0 is infinite times 0: the loss of the only step is 0, and then `w` is NaN.
LAST = """
variable w = 0.0
variable other = 1.0
loss sqrt(square(w))
optimize with momentum(0.9, learning_rate=0.1) as fit
session:
"""


def last(body, engine="loop"):
    """The error of a session that takes such a step, and the files that it leaves in the working folder."""
    error = None
    try:
        tfdsl.compile(LAST + "".join(f"    {line}\n" for line in body.splitlines())).run(options=Options(engine=engine))
    except tfdsl.TfgError as raised:
        (error,) = raised.diagnostics
    return error, sorted(os.listdir())


@pytest.mark.parametrize("engine", some(ENGINES, ["step", "loop"]))
def test_the_last_step(engine, here):
    error, left = last('train 1 step: print w\nsave to "w.ckpt"', engine)
    assert error.code == "TFG716" and error.span.line == 4 and not left
    assert error.headline == "the variable w is NaN (not a number) after the last step, 0, so the training fails"


SPOILT = {
    "by a step without a training": 'run fit\nsave to "w.ckpt"',
    "before it is exported": 'run fit\nexport w to "model"',
    "saved by its name": 'run fit\nsave w as "x" to "w.ckpt"',
    "set to another value before": 'set w = 0.0\nrun fit\nsave to "w.ckpt"',
    "ignored only before": 'train 1 step with on_nan="ignore": run fit\nset w = 0.0\ntrain 1 step: run fit',
}
MEANT = {
    "ignored": 'train 1 step with on_nan="ignore": print w\nsave to "w.ckpt"',
    "another variable": 'run fit\nsave other to "w.ckpt"',
    "set to it": 'run fit\nset w = log(-1.0)\nsave w to "w.ckpt"',
    "initialised again": 'run fit\ninit w\nsave w to "w.ckpt"',
}


@pytest.mark.parametrize("kind", SPOILT)
def test_nan_variables_are_not_saved(kind, here):
    error, left = last(SPOILT[kind])
    assert error.code == "TFG716" and error.span.line == 4 and not left
    assert error.notes[-1].span.line > 6


@pytest.mark.parametrize("kind", MEANT)
def test_intended_nan_is_saved(kind, here):
    error, left = last(MEANT[kind])
    assert error is None and "w.ckpt.index" in left


COMPUTED = {
    "set": ('set w = log(-1.0)\nsave w to "w.ckpt"', [8]),
    "assigned": ('run worse\nsave to "w.ckpt"', [6]),
    "assigned by what is printed": ('print worse\nsave to "w.ckpt"', [6]),
    "after a training": (
        'train 1 step with on_nan="ignore": print w\ninit w\nset w = log(-1.0)\nsave to "w.ckpt"',
        [10],
    ),
    "set to it as such": ('set w = float("nan")\nsave to "w.ckpt"', None),
    "set to a number then": ('run worse\nset w = 1.0\nsave to "w.ckpt"', None),
    "never stored": ("run worse\nprint w", None),
    "ignored": ('run worse\ntrain 1 step with on_nan="ignore": print w\nsave to "w.ckpt"', None),
    "restored": ('run worse\nsave w to "v.ckpt"\nrestore w from "v.ckpt"\nsave to "w.ckpt"', [6]),
}


@pytest.mark.parametrize("kind", COMPUTED)
def test_a_computed_nan_is_reported_where_it_is_stored(kind, here):
    body, lines = COMPUTED[kind]
    text = LAST.replace("session:", "worse = assign(w, log(-1.0))\nsession:")
    told = []
    tfdsl.compile(text + "".join(f"    {line}\n" for line in body.splitlines())).run(options=Options(note=told.append))
    warned = [one for one in told if "TFG988" in one]
    assert len(warned) == (lines is not None)
    for line in lines or ():
        assert f"= line {line} writes it" in warned[0]


def test_variables_that_start_as_nan_are_saved(here):
    """Only what a training has made NaN is lost; here NaN marks missing values."""
    text = """
variable table = [1.0, log(-1.0)]
variable w = 1.0
loss square(w) + reduce_sum(where(is_nan(table), [0.0, 0.0], square(stop_gradient(table))))
optimize with gradient_descent(learning_rate=0.1) wrt w
session:
    train 3 steps: print w
    save to "w.ckpt"
    print table
"""
    printed = tfdsl.compile(text).run().printed
    assert printed[-1] == "[ 1. nan]" and os.path.exists("w.ckpt.index")


# A statement other than `run` takes the step, because it fetches a tensor that comes after it.
TAKING = """
variable w = 1.0
placeholder t: float32 = 0.0
cost = square(w) + 0.0 * log(2.5 - t)
optimize cost with gradient_descent(learning_rate=0.1) as fit
after fit:
    later = w * 1.0
summary scalar later as "later"
session:
    log to "logs"
    train 6 steps:
        feed t = step
        run no_op()
        print step
        {statement}
"""
STATEMENTS = {
    "print": "print later", "at some steps": "every 3 steps: print later", "stop": "stop when later > 9.0",
    "expect": "expect later < 9.0 or later != later", "log": "log later", "set": "set w = later",
}  # fmt: skip


@pytest.mark.parametrize(("statement", "engine"), some(
    [(name, engine) for name in STATEMENTS for engine in ENGINES if name != "set" or engine == "step"],
    [*((name, "step") for name in STATEMENTS), ("print", "loop"), ("stop", "loop")],
))  # fmt: skip
def test_any_statement_can_take_the_step(statement, engine, here):
    program, lines = tfdsl.compile(TAKING.format(statement=STATEMENTS[statement])), []
    with pytest.raises(tfdsl.TfgError) as caught:
        program.run(options=Options(write=lines.append, engine=engine))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG716" and diagnostic.span.line == 4
    assert diagnostic.headline.startswith("the loss cost is NaN (not a number) at step 3,")
    assert [line for line in lines if "." not in line] == ["0", "1", "2", "3"] and "nan" not in lines


def test_a_loss_named_loss_is_named_once(here):
    text = "variable w = -1.0\nloss = log(w)\noptimize loss with adam as step\nsession:\n    train 2 steps: run step\n"
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.headline.startswith("the loss is NaN (not a number) ")


def test_a_print_takes_the_last_step(here):
    text = (
        TAKING.format(statement="print later")
        .partition("session:")[0]
        .replace("0.0 * log(2.5 - t)", "w * log(t - 0.5)")
    )
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text + 'session:\n    print later\n    save to "w.ckpt"\n').run()
    assert caught.value.diagnostics[0].code == "TFG716" and not os.path.exists("w.ckpt.index")


IN_NO_LOSS = {
    "beside the optimizer": "optimize square(w) with gradient_descent(learning_rate=0.1) as fit",
    "by hand": "fit = assign(w, w * 0.9)",
}


@pytest.mark.parametrize("kind", IN_NO_LOSS)
def test_variables_outside_the_loss(kind, here):
    """They are reported at their own line, with the lines that write them."""
    text = f"""
variable w = 1.0
variable mean = 0.0, trainable=false
variable steps = 0.0, trainable=false
{IN_NO_LOSS[kind]}
keep = assign(mean, mean + log(w - 0.95))
count = assign_add(steps, 1.0)
session:
    train 3 steps{{options}}: run fit, keep, count
    save to "w.ckpt"
"""
    for engine in ENGINES if kind == "by hand" else ("step",):
        with pytest.raises(tfdsl.TfgError) as caught:
            tfdsl.compile(text.format(options="")).run(options=Options(engine=engine))
        (error,) = caught.value.diagnostics
        assert error.code == "TFG716" and error.span.line == 3
        assert error.headline == "the variable mean is NaN (not a number) after the last step, 2, so the training fails"
        assert [note.span.line for note in error.notes] == [6, 9] and "assigned" in error.help_line
        assert not os.path.exists("w.ckpt.index")
    tfdsl.compile(text.format(options=' with on_nan="ignore"')).run()
    assert os.path.exists("w.ckpt.index")


def test_setting_one_variable_does_not_excuse_others(here):
    """In a training too, in which `set` comes before the end."""
    error, left = last("train 1 step:\n    run fit\n    set other = 2.0")
    assert error.code == "TFG716" and error.headline.startswith("the variable w ")
    error, left = last('run fit\nrestore other from "w.ckpt" if exists\nsave w to "v.ckpt"')
    assert error is None and "v.ckpt.index" in left


# For invalid matrices, XLA may return a number where kernels return NaN, or NaN at other places.
MATRICES = {
    "nothing definite": "cholesky([[3.0 - t]])",
    "not definite": "cholesky([[1.0, t * 0.5], [t * 0.5, 2.0]])",
    "no numbers": "svd([[log(3.0 - t), 0.0], [1.0, 1.0]])[1]",
}


@pytest.mark.parametrize("kind", some(MATRICES, ["nothing definite"]))
def test_invalid_matrices_are_found_at_the_same_step(kind, here):
    text = f"""
variable w = 1.0
placeholder t: float32 = 0.0
factor = {MATRICES[kind]}
cost = square(w) + factor[0, 0] * 0.001
optimize cost with gradient_descent(learning_rate=0.1)
session:
    train 6 steps:
        feed t = step
        print step
"""
    for engine in ENGINES:
        lines = []
        with pytest.raises(tfdsl.TfgError) as caught:
            tfdsl.compile(text).run(options=Options(write=lines.append, engine=engine))
        (error,) = caught.value.diagnostics
        assert (error.code, error.details["step"], lines) == ("TFG716", 3, ["0", "1", "2", "3"])
