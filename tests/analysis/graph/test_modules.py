"""`import`: a program with imported files against the same program in one file; and the library `nn`."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import some

import tfdsl
from tfdsl.limits import Limits

LAYERS = """
param rate = 0.5
data points = csv("points.csv", target="y")
def dense(X, n):
    variable kernel: float32[X_columns, n] = ones
    return X @ kernel * rate
X_columns = points.columns
session:
    print "not run"
"""
PROGRAM = """
placeholder X: float32[?, 2]
y = {prefix}dense({prefix}dense(X, {prefix}X_columns), 1)
session:
    print y with X = [[1, 2]]
    print {prefix}points.features
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A program in one folder, its imports in another, and a third as the working folder."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "lib" / "layers.tfg").write_text(LAYERS)
    (tmp_path / "lib" / "points.csv").write_text("a,b,y\n1,2,3\n4,5,6\n")
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


def program(folder, text):
    path = folder / "program.tfg"
    path.write_text(text)
    return path


def test_an_import_equals_the_text_of_the_file(folder):
    apart = tfdsl.compile(program(folder, 'import "lib/layers.tfg"\n' + PROGRAM.format(prefix="layers.")))
    whole = (LAYERS + PROGRAM.format(prefix="")).replace('"points.csv"', '"lib/points.csv"')
    together = tfdsl.compile(program(folder, whole.replace('session:\n    print "not run"\n', "")))
    assert apart.run().printed == together.run().printed == ["[[1.5]]", "[[1. 2.]\n [4. 5.]]"]
    ops = [[(op.name, op.type) for op in one.graph.get_operations()] for one in (apart, together)]
    assert ops[0] == ops[1]
    assert {"dense/kernel", "dense_1/kernel"} <= {name for name, _ in ops[0]}


def test_params_of_an_imported_file_have_its_name_as_prefix(folder):
    path = program(folder, 'import "lib/layers.tfg" as l\n' + PROGRAM.format(prefix="l."))
    assert tfdsl.compile(path, params={"layers.rate": 1.0}).run().printed[0] == "[[6.]]"
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(path, params={"rate": 1.0})
    assert [d.code for d in caught.value.diagnostics] == ["TFG803"]


def test_a_file_imported_twice_is_analysed_once(folder):
    (folder / "lib" / "counter.tfg").write_text("variable c = 0\n")
    (folder / "lib" / "user.tfg").write_text('from "counter.tfg" import c\nup = assign_add(c, 1)\n')
    text = 'import "lib/counter.tfg"\nimport "lib/user.tfg"\nfrom "lib/../lib/counter.tfg" import c\n'
    path = program(folder, text + "session:\n    run user.up\n    print c, counter.c\n")
    compiled = tfdsl.compile(path)
    assert compiled.run().printed == ["1 1"]
    assert [v.name for v in compiled.graph.get_collection("variables")] == ["c:0"]


def test_an_error_shows_its_imports_and_calls(folder):
    (folder / "lib" / "inner.tfg").write_text("def f(x):\n    return x @ x\n")
    (folder / "lib" / "outer.tfg").write_text('import "inner.tfg"\ndef g(x):\n    return inner.f(x)\nbad = nothing\n')
    path = program(folder, 'import "lib/outer.tfg"\nplaceholder X: float32[2, 3]\ny = outer.g(X)\n')
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(path)
    places = {
        d.code: [(d.span.source.path.rpartition("/")[2], d.span.line)]
        + [(words, span.source.path.rpartition("/")[2], span.line) for words, span in d.chain]
        for d in caught.value.diagnostics
    }
    assert places == {
        "TFG301": [("outer.tfg", 4), ("imported", "program.tfg", 1)],
        "TFG201": [("inner.tfg", 2), ("in g, called", "program.tfg", 3), ("in f, called", "outer.tfg", 3)],
    }


def test_a_cycle_is_shown_completely(folder):
    for one, other in ("ab", "bc", "ca"):
        (folder / "lib" / f"{one}.tfg").write_text(f'import "{other}.tfg"\n')
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(program(folder, 'import "lib/a.tfg"\n'))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG311"
    names = [part.rpartition("/")[2] for part in diagnostic.headline.split(": ")[1].split(" -> ")]
    assert names == ["a.tfg", "b.tfg", "c.tfg", "a.tfg"]


def test_a_long_chain_of_imports_is_refused(folder):
    for number in range(Limits().imports + 2):
        (folder / "lib" / f"m{number}.tfg").write_text(f'import "m{number + 1}.tfg"\n')
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(program(folder, 'import "lib/m0.tfg"\n'))
    assert [d.code for d in caught.value.diagnostics] == ["TFG314"]


# --- nn -------------------------------------------------------------------------------------------


def run(text, feed):
    """The value of `y` of a program, and the program's variables by their names."""
    compiled = tfdsl.compile("import nn\nseed 3\n" + text)
    with compiled.session() as session:
        variables = {v.op.name: session.session.run(v) for v in compiled.graph.get_collection("variables")}
        return session.run("y", feed), variables


RANDOM = np.random.RandomState(0)
IMAGES = RANDOM.rand(2, 6, 6, 3).astype(np.float32)
ROWS = RANDOM.rand(5, 4).astype(np.float32)
IMAGE, ROW = "placeholder X: float32[?, 6, 6, 3]\n", "placeholder X: float32[?, 4]\n"


def test_dense():
    y, v = run(ROW + "y = nn.dense(X, 3, activation=tanh)", {"X": ROWS})
    np.testing.assert_allclose(y, np.tanh(ROWS @ v["dense/kernel"] + v["dense/bias"]), rtol=1e-5)
    y, v = run("placeholder X: float32[?, 5, 4]\ny = nn.dense(X, 3, use_bias=false)", {"X": [ROWS]})
    np.testing.assert_allclose(y[0], ROWS @ v["dense/kernel"], rtol=1e-5)
    assert list(v) == ["dense/kernel"]


def test_conv2d_and_pools():
    y, v = run(IMAGE + "y = nn.conv2d(X, 5, size=3, stride=2, activation=relu)", {"X": IMAGES})
    wanted = tf.nn.relu(tf.nn.conv2d(IMAGES, v["conv2d/kernel"], 2, "SAME") + v["conv2d/bias"])
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-6)
    windows = IMAGES.reshape(2, 3, 2, 3, 2, 3)
    np.testing.assert_array_equal(run(IMAGE + "y = nn.max_pool(X)", {"X": IMAGES})[0], windows.max((2, 4)))
    np.testing.assert_allclose(run(IMAGE + "y = nn.avg_pool(X)", {"X": IMAGES})[0], windows.mean((2, 4)), rtol=1e-5)
    global_, _ = run(IMAGE + "y = nn.global_avg_pool(X)", {"X": IMAGES})
    np.testing.assert_allclose(global_, IMAGES.mean((1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(run(IMAGE + "y = nn.flatten(X)", {"X": IMAGES})[0], IMAGES.reshape(2, -1))


def test_layer_norm_and_embedding():
    y, _ = run(ROW + "y = nn.layer_norm(X)", {"X": ROWS})
    centred = ROWS - ROWS.mean(1, keepdims=True)
    np.testing.assert_allclose(y, centred / np.sqrt(ROWS.var(1, keepdims=True) + 0.001), rtol=1e-4, atol=1e-5)
    y, v = run("placeholder ids: int32[?]\ny = nn.embedding(ids, 10, 4)", {"ids": [3, 3, 9]})
    np.testing.assert_array_equal(y, v["embedding/table"][[3, 3, 9]])


def test_batch_norm_learns_the_mean_and_then_uses_it():
    text = ROW + "placeholder training: bool = false\ny = nn.batch_norm(X, training, momentum=0.5)"
    compiled = tfdsl.compile("import nn\n" + text)
    mean, variance = np.zeros(4), np.ones(4)
    with compiled.session() as session:
        for _ in range(3):
            y = session.run("y", {"X": ROWS, "training": True})
            np.testing.assert_allclose(y, (ROWS - ROWS.mean(0)) / np.sqrt(ROWS.var(0) + 0.001), rtol=1e-3, atol=1e-5)
            mean, variance = (mean + ROWS.mean(0)) / 2, (variance + ROWS.var(0)) / 2
        after = session.run("y", {"X": ROWS[:1]})
        np.testing.assert_allclose(after, (ROWS[:1] - mean) / np.sqrt(variance + 0.001), rtol=1e-4)
        again = session.run("y", {"X": ROWS[:1]})
        np.testing.assert_array_equal(after, again)


def test_dropout_only_in_training():
    text = "placeholder X: float32[?]\nplaceholder training: bool = false\ny = nn.dropout(X, 0.25, training)"
    compiled = tfdsl.compile("import nn\n" + text)
    ones = np.ones(4000, np.float32)
    with compiled.session() as session:
        np.testing.assert_array_equal(session.run("y", {"X": ones}), ones)
        y = session.run("y", {"X": ones, "training": True})
    assert set(np.unique(y.round(4))) == {0.0, np.float32(1.3333)}
    assert abs((y == 0).mean() - 0.25) < 0.05


def test_losses_and_metrics():
    labels, logits = np.array([[0], [2], [1]]), RANDOM.randn(3, 3).astype(np.float32)
    head = "placeholder l: float32[?, 1]\nplaceholder z: float32[?, 3]\n"

    def value(expression):
        return run(f"{head}y = nn.{expression}", {"l": labels, "z": logits})[0]

    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    entropy = -np.log(shares[range(3), labels[:, 0]]).mean()
    np.testing.assert_allclose(value("sparse_softmax_cross_entropy(l, z)"), entropy, rtol=1e-5)
    one_hot = "one_hot(cast(l[:, 0], int32), 3)"
    np.testing.assert_allclose(value(f"softmax_cross_entropy({one_hot}, z)"), entropy, rtol=1e-5)
    np.testing.assert_allclose(value("accuracy(l, z)"), (logits.argmax(1) == labels[:, 0]).mean(), rtol=1e-6)
    second = np.argsort(-logits, 1)[:, :2]
    wanted = np.mean([label in row for label, row in zip(labels[:, 0], second, strict=True)])
    np.testing.assert_allclose(value("top_k_accuracy(l, z, 2)"), wanted, rtol=1e-6)
    error = logits[:, :1] - labels
    np.testing.assert_allclose(value("mean_squared_error(l, z[:, :1])"), (error**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(value("mean_absolute_error(l, z[:, :1])"), np.abs(error).mean(), rtol=1e-5)
    huber = np.where(np.abs(error) <= 1, error**2 / 2, np.abs(error) - 0.5).mean()
    np.testing.assert_allclose(value("huber(l, z[:, :1])"), huber, rtol=1e-5)
    binary = (labels > 0.5).astype(float)
    z = logits[:, :1]
    cross = (np.log1p(np.exp(z)) - binary * z).mean()
    np.testing.assert_allclose(value("sigmoid_cross_entropy(minimum(l, 1.0), z[:, :1])"), cross, rtol=1e-5)
    agree = ((z > 0) == (binary > 0.5)).mean()
    np.testing.assert_allclose(value("binary_accuracy(minimum(l, 1.0), z[:, :1])"), agree, rtol=1e-6)
    np.testing.assert_allclose(value("l2_penalty([z, z], 0.1)"), 0.1 * (logits**2).sum(), rtol=1e-5)


def _losses_of(head, feed):
    names = ("mean_squared_error", "mean_absolute_error", "huber", "sigmoid_cross_entropy", "binary_accuracy")
    body = "".join(f"{name} = nn.{name}(l, p)\n" for name in names)
    compiled = tfdsl.compile("import nn\n" + head + body)
    assert {d.code for d in compiled.diagnostics} <= {"TFG901"}  # nothing uses them
    with compiled.session() as session:
        return dict(zip(names, session.run(list(names), feed), strict=True))


@pytest.mark.parametrize("last", ["1", "?"])
def test_losses_take_one_column_as_rows(last):
    """For both shapes and mixed ones, each loss is that of Keras for two columns."""
    labels, predictions = np.float32([[0], [1], [1], [0]]), np.float32([[-0.5], [2.5], [0.25], [3.0]])
    from keras import losses, metrics  # takes a second, and only this test needs it

    keras = {
        "mean_squared_error": losses.MeanSquaredError(),
        "mean_absolute_error": losses.MeanAbsoluteError(),
        "huber": losses.Huber(),
        "sigmoid_cross_entropy": losses.BinaryCrossentropy(from_logits=True),
        "binary_accuracy": lambda *both: tf.reduce_mean(metrics.binary_accuracy(*both, threshold=0.0)),
    }
    wanted = {name: float(loss(labels, predictions)) for name, loss in keras.items()}
    shapes = {"l": (f"n, {last}", labels), "p": (f"n, {last}", predictions)}
    for flat in ("", "l", "p", "lp"):
        sizes = {name: "n" if name in flat else size for name, (size, _) in shapes.items()}
        head = "".join(f"placeholder {name}: float32[{size}]\n" for name, size in sizes.items())
        feed = {name: value[:, 0] if name in flat else value for name, (_, value) in shapes.items()}
        assert _losses_of(head, feed) == pytest.approx(wanted, rel=1e-5), flat


def test_losses_of_scalars_and_several_columns():
    head = "placeholder p: float32[n, 1]\nl = [1.0, 2.0]\n"
    found = _losses_of(head, {"p": [[1.0], [4.0]]})
    assert found["mean_squared_error"] == 2.0 and found["mean_absolute_error"] == 1.0
    head = "placeholder p: float32[n, 3]\nplaceholder l: float32[n, 3]\n"
    assert _losses_of(head, {"p": np.ones((2, 3)), "l": np.zeros((2, 3))})["mean_squared_error"] == 1.0
    text = "import nn\nplaceholder l: float32[n, k]\nplaceholder p: float32[n]\ny = nn.mean_squared_error(l, p)"
    compiled = tfdsl.compile(text)
    with compiled.session() as session:
        assert session.run("y", {"l": [[1.0], [2.0]], "p": [1.0, 4.0]}) == 2.0
        with pytest.raises(tfdsl.TfgError) as caught:  # nine elements are not three rows
            session.run("y", {"l": np.ones((3, 3)), "p": [1.0, 4.0, 2.0]})
    assert [d.code for d in caught.value.diagnostics] == ["TFG702"]


CLASSES = {"sparse_softmax_cross_entropy": "", "accuracy": "", "top_k_accuracy": ", k=2"}


@pytest.mark.parametrize("engine", some(["step", "loop"], ["step"]))
def test_labels_with_a_fraction_are_an_error(engine):
    for name, more in CLASSES.items():
        text = f"""import nn
placeholder z: float32[n, 3]
placeholder l: float32[n]
variable sum = 0.0
value = nn.{name}(l, z{more})
session:
    train 2 steps with engine="{engine}":
        feed z = [[1, 2, 3], [3, 1, 2]], l = [0, LABEL]
        run assign_add(sum, value)
    print sum
"""
        compiled = tfdsl.compile(text.replace("LABEL", "2.0"))
        assert float(compiled.run().printed[0]) >= 0
        for label in ("1.7", "-0.5", "1e-4") if name == "accuracy" else ("1.7",):
            with pytest.raises(tfdsl.TfgError) as caught:
                tfdsl.compile(text.replace("LABEL", label)).run()
            (diagnostic,) = caught.value.diagnostics
            assert diagnostic.code == "TFG702"
            assert "class number" in diagnostic.headline and f"0 {float(label):g}" in diagnostic.headline
            assert diagnostic.span.line == 5 and diagnostic.notes[-1].span.source.is_library


def test_integer_labels_have_no_check():
    for dtype in ("int32", "int64"):
        graph = tfdsl.compile(f"import nn\nplaceholder l: {dtype}[n]\nplaceholder z: float32[n, 3]\n"
                              "y = nn.accuracy(l, z)").graph  # fmt: skip
        assert not [op.name for op in graph.get_operations() if "check" in op.name]
