"""Data is fed: graphs and their files contain none, and results are the same as with constants."""

import glob
import os
import re

import numpy as np
import pytest
from conftest import some
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorflow.compat import v1

import tfdsl
from tfdsl.lowering import data as lowering_data
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

_random = np.random.RandomState(3)
FEATURES = _random.rand(300, 4).astype(np.float32)
TARGET = (FEATURES @ [[1.0], [2.0], [3.0], [4.0]]).astype(np.float32)
DATA = {"d": (FEATURES, TARGET)}
HEAD = "seed 1\ndata d = iris()\nX = constant(d.features)\ny = constant(d.target)\n"
MODEL = (
    HEAD
    + """
variable w: float32[4, 1] = zeros
XT = transpose(X)
error = X @ w - y
mse = reduce_mean(square(error))
step = assign(w, w - 0.1 * (2 / 300 * (XT @ error)))
"""
)


def compiled(text):
    return tfdsl.compile(text, data=DATA)


def run(text, engine="", **options):
    return compiled(text).run(options=Options(write=lambda line: None, engine=engine, **options))


def test_placeholders_stand_for_data_under_the_names_of_constants():
    program = compiled(HEAD + "a = d.features * 2.0\nb = abs(d.target[:3])\nvariable w = d.features[0]\n")
    found = {tensor.op.name: array for tensor, array in program.feeds.items()}
    assert list(found) == ["X", "y", "a/x", "b/x", "w/Initializer/initial_value"]
    assert found["X"] is found["a/x"], "held once"
    for tensor, array in program.feeds.items():
        assert tensor.op.type == "Placeholder"
        assert tensor.shape.as_list() == list(array.shape) and tensor.dtype.name == "float32"
    np.testing.assert_array_equal(found["b/x"], TARGET[:3])
    assert not any(node.ByteSize() > 500 for node in program.graph.as_graph_def().node)


def test_a_plain_tensorflow_session():
    program = compiled(MODEL)
    with v1.Session(graph=program.graph) as session:
        session.run([v.initializer for v in program.graph.get_collection("variables")])
        assert session.run(program["mse"], program.feeds) == pytest.approx(np.mean(TARGET**2), rel=1e-5)


def test_written_files_contain_no_data(here):
    large = {"d": (np.tile(FEATURES, (100, 1)), np.tile(TARGET, (100, 1)))}
    tfdsl.compile(MODEL + 'session:\n    log to "logs"\n    run step\n    save to "w.ckpt"\n', data=large).run()
    written = [*glob.glob("logs/events*"), "w.ckpt.meta"]
    assert len(written) == 2 and all(os.path.getsize(path) < FEATURES.nbytes * 20 for path in written)
    restored = run(MODEL + 'session:\n    restore from "w.ckpt"\n    print w[0, 0]')
    assert float(restored.printed[0]) != 0


@pytest.mark.parametrize("engine", some(["loop", "xla"], ["loop"]))
def test_engines_agree(engine):
    text = (
        MODEL
        + """
small = reduce_mean(d.features, axis=0) * 2.0
session:
    print mse, XT, small
    train 50 epochs:
        every 10 epochs: print epoch, mse, reduce_sum(small * transpose(w)), d.features[0]
        run step
    print w, mse
"""
    )
    step, other = run(text, "step"), run(text, engine)
    assert other.engines == [engine]
    if engine == "loop":
        assert step.printed == other.printed
    np.testing.assert_allclose(step.variables["w"], other.variables["w"], rtol=1e-5)
    wanted = np.zeros((4, 1))
    for _ in range(50):
        wanted -= 0.1 * 2 / 300 * (FEATURES.T @ (FEATURES @ wanted - TARGET))
    np.testing.assert_allclose(other.variables["w"], wanted, rtol=1e-4)


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_a_feed_overrides_the_data(engine):
    """What depends on the data then depends on the fed value, also in a training."""
    text = (
        MODEL
        + """
session:
    print reduce_sum(XT), reduce_sum(X), X[0]
    print reduce_sum(XT), reduce_sum(X), X[0] with X = zeros
    train 2 steps:
        print reduce_sum(XT), reduce_sum(X) with X = zeros
        run step
    print reduce_sum(XT)
"""
    )
    zeros = str([[0.0] * 4] * 300)
    result = run(
        text.replace("zeros\n        run", f"{zeros}\n        run").replace(
            "= zeros\n    train", f"= {zeros}\n    train"
        ),
        engine,
    )
    assert result.engines == [engine]
    whole = result.printed[-1]
    assert result.printed[0].split()[:2] == [whole, whole]
    assert result.printed[1:4] == ["0.0 0.0 [0. 0. 0. 0.]", "0.0 0.0", "0.0 0.0"]


def test_data_in_an_after_waits():
    text = (
        HEAD
        + """
variable n = 0
more = assign_add(n, 1)
after more:
    a = constant(d.features)
    b = d.features * 1.0
session:
    print a[0]
    print n
    print b[0]
    print n
"""
    )
    assert [run(text).printed[at] for at in (1, 3)] == ["1", "2"]


def test_loops_and_branches_and_gradients():
    text = (
        HEAD
        + """
variable w: float32[4, 1] = ones
i = constant(0)
z = constant(0.0)
while i < 3:
    i = i + 1
    z = z + reduce_sum(d.features @ w) + reduce_sum(constant(d.target))
if z > 0:
    u = d.features[0] * 1.0
else:
    u = d.features[1] * 1.0
f = reduce_mean(square(d.features @ w))
a, = gradients(f, [w])
b, = gradients(f, [w], method="forward")
c, = gradients(f, [w], method="numeric")
session:
    expect a == b within 0.001
    expect a == c within 0.05
    print z
    expect u == d.features[0]
"""
    )
    result = run(text)
    assert float(result.printed[0]) == pytest.approx(3 * (FEATURES.sum() + TARGET.sum()), rel=1e-5)


def test_fetched_data_is_a_copy():
    program = compiled(MODEL + "first = d.features[0, 0]\nn = constant(first)\n")
    with program.session() as session:
        got, number = session.run(["X", "n"])
        got[:] = 0
        np.testing.assert_array_equal(session.run("X"), FEATURES)
        assert isinstance(number, np.float32) and number == FEATURES[0, 0]
        # `session` is a TensorFlow session that also feeds the data.
        assert session.session.run({"mse": program["mse"]})["mse"] > 0


def test_much_data_and_little_data_have_the_same_results(monkeypatch):
    """Tensors from much data are computed by ordinary executions, op by op."""
    text = MODEL + "theta = matrix_inverse(XT @ X) @ XT @ y\nu, i = unique(cast(10 * X[:, 0], int32))\n"
    values = []
    for most in (1 << 26, 100):
        monkeypatch.setattr(lowering_data, "_FOLDED", most)
        with compiled(text).session() as session:
            values.append(session.run(["theta", "mse", "u", "i", "XT"]))
    for one, other in zip(*values, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3)
    np.testing.assert_allclose(values[1][0], [[1.0], [2.0], [3.0], [4.0]], rtol=1e-3)


def test_a_failure_in_a_tensor_from_data_has_its_line():
    with pytest.raises(tfdsl.TfgError) as caught:
        run(HEAD + "Z = X * 0.0\nI = matrix_inverse(transpose(Z) @ Z)\nsession: print I[0, 0]\n")
    assert caught.value.diagnostics[0].span.line == 6


def test_ops_that_tensorflow_fuses():
    text = (
        HEAD
        + """
variable w: float32[4, 1] = ones
variable b: float32[4] = ones
a = relu(bias_add(transpose(X) @ X, b))
c = transpose(X) @ (X @ w)
e = transpose(y) * 2.0 - transpose(0.5 * y)
session:
    print a
    print c[0, 0], reduce_sum(e * w[0, 0])
"""
    )
    one, other = (run(text.replace("transpose(X)", name)) for name in ("transpose(X)", "identity(transpose(X))"))
    assert one.printed == other.printed


def test_only_needed_data_is_fed():
    program = compiled(MODEL)
    with program.session() as session:
        held = session.session.held([program["error"]])
        assert sorted(tensor.name for tensor in held) == ["X:0", "y:0"]
        assert not session.session.held([program["w"]])


# --- integers that float32 cannot represent -------------------------------------------------------
SUM = """
data d = moons(10){transforms}
placeholder X: float32[n, d.columns]
placeholder y: {dtype}[n, 1]
variable w = 0.0
mse = reduce_mean(square(X * w - cast(y, float32)))
optimize mse with gradient_descent(learning_rate=0.001)
session:
    train 2 epochs on d in batches of 2 ordered as batch:
        feed X = batch.features, y = batch.target
    print mse with X = d.features[:2], y = d.target[:2]
"""
LARGE = 16777217  # 2 ** 24 + 1


def warned(text, data, engine):
    notes = []
    tfdsl.compile(text, data={"d": data}).run(
        options=Options(write=lambda line: None, note=notes.append, engine=engine)
    )
    return notes


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_an_integer_rounded_by_a_feed_is_a_warning(engine):
    target = np.array([1, 2, 3, LARGE])
    text = SUM.format(transforms="", dtype="float32")
    (note,) = warned(text, (np.ones((4, 1)), target), engine)  # once for all steps
    assert note.startswith("warning[TFG944]: 'y' is float32, which cannot represent 16777217: it becomes 16777216\n")
    assert ":10:34\n" in note
    assert warned(SUM.format(transforms="", dtype="int64"), (np.ones((4, 1)), target), engine) == []
    assert warned(text, (np.ones((4, 1)), target * 2.0**10), engine)[0].startswith("warning[TFG943]")
    assert warned(text, (np.ones((4, 1)), (target - 1) * 2**20), engine) == []


def test_feeds_from_python_issue_python_warnings():
    program = tfdsl.compile("placeholder x: float32[n]\nm = x * 1.0\nsession: print m with x = [1]\n")
    with program.session() as session:
        with pytest.warns(UserWarning, match="'x' is float32, which cannot represent 16777217") as caught:
            session.run("m", feed={"x": np.array([LARGE])})
        assert caught[0].filename == __file__
        assert session.run("m", feed={"x": np.array([LARGE - 1])}) == [LARGE - 1]


@pytest.mark.parametrize(
    ("columns", "rounded"),
    [
        ([[1, LARGE], [2, LARGE + 2]], ["x1"]),
        ([[1, 5], [-LARGE, LARGE + 2]], ["x0", "x1"]),
        ([[1.5, LARGE], [LARGE, LARGE - 1]], ["x1"]),  # a column with fractions is rounded anyway
        ([[LARGE, 2**30], [0.5, 2**40]], []),
        ([[1e20 + i, 1e30] for i in range(2)], []),
        ([[LARGE, 3.0]] * 20000 + [[0.5, LARGE]], ["x1"]),  # in blocks
        (np.array([[LARGE, 3]] * 2, np.float32), []),
    ],
)
def test_rounded_integers_in_data_are_a_warning(columns, rounded):
    data = np.array(columns), np.arange(len(columns)) * 1.0
    for transforms in ("", " | add_bias | shuffle", " | split(test=0.5)"):
        notes = warned(f"\ndata d = moons(10){transforms}\nsession: print d.features[0, 0]\n", data, "loop")
        assert len(notes) <= 1 and [name for note in notes for name in re.findall(r'column "(\w+)"', note)] == rounded
        assert all(note.startswith("warning[TFG943]: column ") and ":2:1\n" in note for note in notes)
    # Values computed in float64 are rounded anyway.
    notes = warned("data d = moons(10) | minmax\nsession: print d.features[0, 0]\n", data, "loop")
    assert not any("TFG943" in note for note in notes)


def test_numbers_that_become_infinite_are_a_warning():
    program = tfdsl.compile("placeholder x: float32[n]\nm = x * 1.0\nsession: print m with x = [1]\n")
    with program.session() as session:
        with pytest.warns(
            UserWarning, match=r"'x' is float32, which cannot represent 1e\+39: it becomes inf"
        ) as caught:
            assert session.run("m", feed={"x": np.array([1e39, 1.0])}).tolist() == [np.inf, 1.0]
        assert len(caught) == 1
        assert session.run("m", feed={"x": np.array([np.inf, 1.0])}).tolist() == [np.inf, 1.0]


@pytest.mark.parametrize(
    ("transform", "said"), [("standardize", ["x1 2.5", "x2 -3"]), ("minmax", ["x1 2.5", "x2 -3"]), ("add_bias", [])]
)
def test_a_constant_column_scaled_to_0_is_a_warning(transform, said):
    columns = np.array([[i, 2.5, -3.0, 0.0] for i in range(4)] + [[0, 9.0, -3.0, 0.0]]), np.zeros(5)
    text = "\ndata d = moons(10) | add_bias | {} | take(4) | split(test=0.5){}\nsession: print d.features[0]\n"
    notes = warned(text.format(transform, ""), columns, "loop")
    texts = [
        f"warning[TFG945]: {transform} makes column {c.split()[0]!r} of d 0: it is {c.split()[1]} in" for c in said
    ]
    assert [note[: len(t)].replace('"', "'") for note, t in zip(notes, texts, strict=True)] == texts
    assert warned(text.format("standardize", " | minmax"), columns, "loop")[2:] == []


def test_the_warning_names_the_row(here):
    lines = "\n".join(f"{i},{i}" for i in range(5))
    (here / "d.csv").write_text(f"a,id\n{lines}\n5,-1234567890123\n")
    notes = []
    for stream in ("false", "true"):
        text = SUM.format(transforms="", dtype="float32").replace(
            "moons(10)", f'csv("d.csv", target="a", stream={stream})'
        )
        text = text.replace("    print mse with X = d.features[:2], y = d.target[:2]\n", "")
        notes.append([])
        tfdsl.compile(text).run(options=Options(write=lambda line: None, note=notes[-1].append))
    assert (
        notes[0][0].splitlines()[0]
        == notes[1][0].splitlines()[0]
        == (
            'warning[TFG943]: column "id" of d has whole numbers that float32 cannot represent: row 6 is -1234567890123, which becomes '
            "-1234567954432"
        )
    )


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_summaries_of_data_alone(here, engine):
    """A text that is computed from data can end in zeros, as summaries do. NumPy's type for bytes would drop them."""
    text = (
        HEAD
        + """
mean = reduce_mean(X)
text = encode_base64(as_string(mean)) + decode_base64("AAA")
summary scalar mean as "mean"
summary histogram X as "all"
variable w = 1.0
optimize square(w) with gradient_descent(learning_rate=0.1) as step
session:
    log to "logs"
    log
    train 30 steps:
        every 10 steps: log
        run step
"""
    )
    program = compiled(text)
    result = program.run(options=Options(engine=engine))
    assert result.engines == [engine]
    events = EventAccumulator("logs", size_guidance={"histograms": 0, "scalars": 0}).Reload()
    assert [one.value for one in events.Scalars("mean")] == pytest.approx([FEATURES.mean()] * 4, rel=1e-6)
    for one in events.Histograms("all"):
        found = one.histogram_value
        assert (found.num, found.min, found.max) == (FEATURES.size, FEATURES.min(), FEATURES.max())
    with program.session() as session:
        assert session.run("text").endswith(b"\0\0")
