"""The cell magic `%%tfg`, in an IPython shell and, if available, in a Jupyter kernel."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("IPython")

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import tfdsl
from tfdsl.draw.curves import curves
from tfdsl.notebook import ProgressLine


@pytest.fixture(autouse=True)
def no_other_environment(monkeypatch):
    """IPython would add the packages of an activated environment."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)


class Shell:
    """A shell. It takes the text of a cell and returns the output."""

    def __init__(self, folder, capsys):
        config = Config({"HistoryManager": {"hist_file": ":memory:"}})
        self.ipython = InteractiveShell(config=config, ipython_dir=str(folder), colors="nocolor")
        self.capsys = capsys
        assert self("%load_ext tfdsl") == ""

    def __call__(self, text: str) -> str:
        """The output of a cell, including its errors."""
        self.capsys.readouterr()
        self.result = self.ipython.run_cell(text, store_history=True)
        shown = self.capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return shown.out + shown.err

    def tfg(self, text: str, options: str = "") -> str:
        return self(f"%%tfg {options}\n{text}")

    def value(self, text: str) -> object:
        """The value of a cell's last expression."""
        self.tfg(text)
        assert self.result.error_in_exec is None
        return self.result.result

    def __getitem__(self, name: str) -> object:
        return self.ipython.user_ns[name]

    def __setitem__(self, name: str, value: object) -> None:
        self.ipython.user_ns[name] = value


def shell_in(folder, capsys, monkeypatch):
    for name in ("__main__", "builtins"):  # a shell puts its own module there
        monkeypatch.setitem(sys.modules, name, sys.modules[name])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    return Shell(folder / "ipython", capsys)


@pytest.fixture
def shell(here, capsys, monkeypatch):
    return shell_in(here, capsys, monkeypatch)


# --- one cell -------------------------------------------------------------------------------------

TRAINING = """\
placeholder x: float32[n, 2]
variable w = [[0.0], [0.0]]
scope loss:
    mse = reduce_mean(square(x @ w - [[1.0], [2.0]]))
optimize mse with gradient_descent(learning_rate=0.5)
session:
    train 3 steps:
        feed x = [[1, 0], [0, 1]]
        print step, mse
"""


def test_printed_lines_are_the_output(shell):
    expected = "".join(line + "\n" for line in tfdsl.compile(TRAINING).run().printed)
    assert expected.startswith("0 2.5\n1 ")
    assert shell.tfg(TRAINING, "model") == expected
    assert shell.result.result is None


def test_a_cell_that_runs_again_adds_nothing(shell):
    once = shell.tfg(TRAINING, "first")
    assert shell.tfg(TRAINING, "second") == once
    first, second = ([op.name for op in shell[name].program.graph.get_operations()] for name in ("first", "second"))
    built = [op.name for op in tfdsl.compile(TRAINING).graph.get_operations()]
    assert first == second and first[: len(built)] == built


def test_help(shell):
    for asked in ("%%tfg?", "%tfg?"):
        shown = " ".join(shell(asked).split())  # lines are as wide as the terminal
        assert "--show {graph,curves}" in shown and "a Python variable for the cell" in shown
        assert "NAME=SOURCE" in shown and "a Python variable with a table" in shown
    assert shell("%tfg").startswith("%%tfg: the program goes into the lines below %%tfg")


LOGGED = """\
variable w = 0.0
loss = square(w - 1.0)
optimize loss with gradient_descent(learning_rate=0.25)
summary scalar loss as "the <loss>"
session:
    log to "logs"
    train 3 steps with engine="step":
        log
"""


def test_the_graph_and_the_curves_are_pictures(shell, monkeypatch):
    shown = []
    monkeypatch.setattr(shell.ipython.display_pub, "publish", lambda data, **rest: shown.append(data))
    assert shell.tfg(LOGGED, "model --show graph --show curves -q") == ""
    graph, drawn = (ElementTree.fromstring(data["image/svg+xml"]) for data in shown)
    svg = "{http://www.w3.org/2000/svg}"
    assert {"w", "loss", "session", "log"} <= {element.text for element in graph.iter(f"{svg}text")}
    assert {"the <loss>", "1", "0.0625", "0", "2"} == {element.text for element in drawn.iter(f"{svg}text")}
    (curve,) = (path for path in drawn.iter(f"{svg}path") if path.get("class") == "curve")
    heights = [float(point.split(",")[1]) for point in curve.get("d")[1:].split(" L")]
    assert len(heights) == 3 and heights == sorted(heights), "the loss falls"
    assert shell["model"].curves.svg == shown[1]["image/svg+xml"]
    assert repr(shell["model"].curves).endswith("curves of the <loss>>")


def test_curves_have_gaps_where_a_value_is_not_finite():
    text = curves({"a": [(0, 1.0), (1, float("nan")), (2, 2.0), (3, 3.0)], "b": [(0, float("inf"))], "c": []})
    assert text.count('class="dot"') == 1 and text.count('class="curve"') == 1 and "nan" not in text


def test_progress_changes_in_place(shell, monkeypatch):
    calls = []

    def publish(data, **rest):
        calls.append((data["text/plain"], rest["update"], rest["transient"]["display_id"]))

    line = ProgressLine(publish, 2000, "epoch", pause=0.0)
    line.at(1, None)
    line.step(1000)
    line.at(2, 0.5)
    line.step(2000)
    line.close()
    assert [text for text, *_ in calls] == [
        "epoch 1, step 1,000 of 2,000",
        "epoch 2, step 2,000 of 2,000, loss 0.5",
        "",
    ]
    assert [update for _, update, _ in calls] == [False, True, True] and len({id for *_, id in calls}) == 1
    short = ProgressLine(publish, 2, "step")
    short.step(2)
    short.close()
    assert len(calls) == 3, "a short training shows none"
    monkeypatch.setattr(shell.ipython.display_pub, "publish", publish)
    shell.ipython.kernel = None  # what shells of kernels have
    monkeypatch.setattr(ProgressLine.__init__, "__defaults__", (0.0,))
    shell.tfg(LOGGED, "-q")
    assert [text.partition(",")[0] for text, *_ in calls[3:]] == ["step 1 of 3", "step 2 of 3", "step 3 of 3", ""]


EVALUATED = """\
data d = moons(20, seed=1)
placeholder X: float32[n, 2]
scope accuracy:
    half = X / 2
accuracy = reduce_mean(accuracy.half)
session:
    test = evaluate accuracy, shape(X)[1] as columns on d as b with X = b.features
"""


def test_what_a_session_evaluated_has_a_value_elsewhere(shell):
    shell.tfg(EVALUATED, "model")
    assert "'accuracy' of In[2] has no value without a feed of X, but test.accuracy has one" in shell.tfg(
        "accuracy + 1"
    )
    mean = shell.value("test.accuracy")
    model = shell["model"]
    assert model["test.accuracy"] == mean == model["test"]["accuracy"] and "test.accuracy" in model
    assert "test.rows" not in model and "accuracy" not in model
    for name, words in (("z", "the names with values are test"), ("test.accurcy", ""), ("acuracy", "'accuracy'?")):
        with pytest.raises(KeyError) as caught:
            model[name]
        assert words in str(caught.value)


class Other:
    """No value for a cell."""


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda pandas: pandas.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), "type DataFrame. A cell reads a table only if"),
        (lambda pandas: pandas.DataFrame({"a": [1, 2], "b": [True, False]}), '%%tfg --data table=df1, and in the cell data table'),
        (lambda pandas: {"a": [1, 2]}, "type dict. A cell reads a table only if"),
        (lambda pandas: np.array(["a", 1], object), "type ndarray. A cell reads numbers, texts"),
        (lambda pandas: Other(), "type Other. A cell reads numbers, texts"),
        (lambda pandas: {1, 2}, "type set. A cell reads numbers, texts"),
    ],
)  # fmt: skip
def test_python_variables_that_no_cell_reads(shell, make, words):
    shell["df1"] = make(pytest.importorskip("pandas"))
    said = shell.tfg("session:\n    print df1\n")
    assert (
        "there is no name 'df1'" in said
        and "'df1' is a Python variable of " in said
        and words in said
        and "did you" not in said
    )


def test_tables_that_cells_read(shell):
    """Those that docs/notebooks.md names."""
    pandas = pytest.importorskip("pandas")
    for value, wanted in (
        (pandas.DataFrame({"a": [1.0, 2.0], "b": [3, 4]}), [[1, 3], [2, 4]]),
        (pandas.DataFrame({"a": [1, None]}, dtype="Int64"), [[1], [np.nan]]),
        (pandas.DataFrame({"a": ["x", "y"]}), [["x"], ["y"]]), (pandas.Series([1.5, 2.5]), [1.5, 2.5]),
        (pandas.Series([True, False]), [True, False]), (pa.table({"a": [1.5], "b": [2]}), [[1.5, 2]]),
    ):  # fmt: skip
        shell["df1"] = value
        found = np.asarray(shell.value("df1"))
        assert found.tolist() == wanted or np.array_equal(found, wanted, equal_nan=True)


def test_a_name_for_the_cell(shell):
    shell.tfg(TRAINING, "model")
    model = shell["model"]
    assert model.result.steps == 3 and model.program["w"].shape == (2, 1)
    np.testing.assert_array_equal(model["w"], model.result.variables["w"])
    assert model["w"].max() > 0.5, "as trained, not as it began"
    assert "loss.mse" not in model and "w" in model and "nothing" not in model
    with pytest.raises(KeyError, match=r"without a feed of x.*, so evaluate or print it there"):
        model["loss.mse"]
    with pytest.raises(AttributeError, match=r"write \['w'\] for the value"):
        _ = model.w
    assert repr(model) == "<Cell In[2]: 7 nodes, 1 session>"
    html = model._repr_mimebundle_()["text/html"]
    assert "<td><code>loss.mse</code></td><td><code>float32</code></td>" in html


def test_a_cell_without_sessions_shows_its_names(shell):
    shown = shell.tfg("placeholder x: float32[n, 3]\nscope a:\n    y = x * 2.0\nk = 3\ndata d = moons(10)\n")
    table = [line.split() for line in shown.splitlines()]
    assert "warning" not in shown, "names are for the cells that come"
    assert ["x", "float32[n,", "3]", "placeholder"] in table
    assert ["a.y", "float32[n,", "3]", "multiply"] in table
    assert ["k", "3", "value"] in table
    assert ["d", "10", "rows,", "2", "columns", "data"] in table
    assert shell.tfg("k = 3", "--quiet") == ""


def test_a_last_expression_shows_its_value(shell):
    value = shell.value("a = constant([1.0, 2.0])\na * 2")
    np.testing.assert_array_equal(value, np.array([2, 4], np.float32))
    assert value.dtype == np.float32
    assert shell.value("1 + 2") == 3 and shell.value('"text"') == "text"
    # An expression without a value is only declared.
    assert shell.value("placeholder p: float32\np * 2.0").program.program.sessions == ()
    assert shell.tfg("a = constant(1)\na\nsession:\n    print 5").startswith("5\n")


def test_options(shell):
    text = "param rate = 1.0\ndata d = moons(10)\nsession:\n    print rate, d.features\n"
    shell["points"] = np.array([[1, 2], [3, 4]])
    assert shell.tfg(text, "--set rate=2 --data d=points") == "2.0 [[1. 2.]\n [3. 4.]]\n"
    Path("d.csv").write_text("a,b,target\n7,8,1\n", encoding="utf-8")
    assert shell.tfg(text, "--data d=d.csv") == "1.0 [[7. 8.]]\n"
    shell["r"] = 0.5
    assert shell.tfg(text, "--set rate={r} --data d=d.csv") == "0.5 [[7. 8.]]\n", "IPython puts Python's values in"
    frames = {"a": [1.5, 2.5], "b": ["x", "y"], "target": [0, 1]}
    shell["columns"], shell["table"] = frames, pa.table(frames)
    shell["batch"] = pa.record_batch(frames)
    text = text.replace("moons(10)", 'csv("no.csv", target="target") | one_hot("b")')
    for name in ("columns", "table", "batch"):
        assert shell.tfg(text, f"--data d={name}") == "1.0 [[1.5 1.  0. ]\n [2.5 0.  1. ]]\n"
    for library in ("pandas", "polars"):
        module = sys.modules.get(library) or (importlib.util.find_spec(library) and importlib.import_module(library))
        if module:
            shell["frame"] = module.DataFrame(frames)
            assert shell.tfg(text, "--data d=frame") == "1.0 [[1.5 1.  0. ]\n [2.5 0.  1. ]]\n"
    shell["nothing"] = object()
    assert "TFG624" in shell.tfg(
        text, "--data d=nothing"
    ) and "no Python variable 'nothin', and no file; did you mean 'nothing'?" in shell.tfg(text, "--data d=nothin")
    shell["empty"] = None
    found = shell.tfg(text, "--data d=empty")
    assert "TFG624" in found and "cannot replace the data d with the Python variable empty, which is None" in found
    assert "write --data d=columns\n" in shell.tfg(text, "--data columns")
    assert "write --data table=columns, and in the cell: data table = csv(" in shell.tfg("k = 1", "--data columns")
    for source in ("columns", "columns(1)"):
        shown = shell.tfg(f"data d = {source}\nsession:\n    print d.features\n")
        assert "TFG301" in shown and "%%tfg --data d=columns gives it to the declaration" in shown
    unused = "a = constant(1)\nb = constant(2)\nsession:\n    print b\n"
    assert "warning[TFG901]: 'a' is never used" in shell.tfg(unused)
    assert shell.tfg(unused, "-q") == "2\n"


def test_a_checkpoint_is_resumed_or_removed(shell):
    text = (
        "variable w = 0.0\nstep_ = assign_add(w, 1.0)\nsession:\n    train 4 steps:\n"
        '        checkpoint every 2 steps in "kept"\n        run step_\n        print step\n{}'
    )
    stop = "        every 1 steps: expect w < 3\n"
    assert "error[TFG703]" in shell.tfg(text.format(stop))
    assert "resuming from step 2" in shell.tfg(text.format(stop))
    assert shell.tfg(text.format(""), "--fresh").startswith("0\n1\n2\n3\n")


# --- values of other cells ------------------------------------------------------------------------


def test_values_after_the_sessions(shell):
    shell.tfg(
        "param rate = 0.5\nsizes = [2, [3, 4]]\nvariable w = [1.0, 2.0]\nvariable i: int64 = 7\nw2 = w * 2.0\n"
        'scope loss:\n    total = reduce_sum(w)\nnames = constant(["a", "b"])\nstep = assign_add(w, [1.0, 1.0])\n'
        "session:\n    run step\nsession:\n    run step\n    run step\n",
        "--set rate=2 -q",
    )
    np.testing.assert_array_equal(shell.value("w"), [3.0, 4.0], "of the last session")
    np.testing.assert_array_equal(shell.value("w2"), [6.0, 8.0])
    assert shell.value("total + rate + sizes[1][0] + i") == 7 + 2 + 3 + 7
    assert shell.value("names").tolist() == [b"a", b"b"]
    assert shell.value("w.shape[0]") == 2
    assert shell.tfg("b = w + 1\nsession:\n    print w, b") == "[3. 4.] [4. 5.]\n"
    shell.tfg("b = w + 1", "other -q")
    other = shell["other"].program
    assert [op.type for op in other.graph.get_operations()] == ["Placeholder", "Const", "AddV2"]
    assert [tensor.op.name for tensor in other.feeds] == ["b/x"]


def test_values_of_sessions(shell):
    text = "data d = moons(20, seed=1)\nplaceholder X: float32[n, 2]\na = reduce_mean(X)\nb = reduce_max(X)\nsession:\n"
    shell.tfg(f"{text}    one = evaluate a on d as q with X = q.features\n"
              "    both = evaluate a, b on d as q with X = q.features\n    three = 3", "cell")  # fmt: skip
    cell = shell["cell"]
    assert cell["three"] == 3 and cell["both"] == {"a": cell["one"], "b": cell["both"]["b"]}
    assert shell.tfg('session:\n    print both.a == one, three + 1, "{both.b:.1f} {one:.1f}"') == (
        f"True 4 {cell['both']['b']:.1f} {cell['one']:.1f}\n"
    )
    assert repr(cell.program.dataset("d")).startswith("<Dataset moons: 20 rows; ")


def test_values_are_checked_like_other_inputs(shell):
    shell.tfg("variable w = [[1.0], [2.0]]", "-q")
    shell["k"] = np.ones((3, 4))
    shown = shell.tfg("p = k @ w")
    assert "error[TFG201]: matmul cannot multiply float32[3, 4] by float32[2, 1]: 4 is not 2" in shown
    shown = shell.tfg("placeholder x: int32[2, 1]\nsession:\n    print x with x = w")
    assert "x is int32[2, 1], but is fed float32[2, 1]" in shown
    shown = shell.tfg("placeholder x: float32[n, 2]\nsession:\n    print x with x = w")
    assert "x is float32[n, 2], but is fed float32[2, 1]" in shown


def test_a_name_bound_in_a_cell_is_its_own(shell):
    shell.tfg("a = constant(1)\nb = constant(2)", "-q")
    assert shell.value("a = constant(10)\na + b") == 12
    shown = shell.tfg("c = a + 1\na = constant(5)")
    assert "there is no name 'a'" in shown and "'a' is bound later, on line 3" in shown


def test_the_newest_binding_counts(shell):
    shell.tfg("x = constant(1)", "-q")
    assert shell.value("x") == 1
    shell["x"] = 2
    assert shell.value("x") == 2
    shell.tfg("x = constant(3)", "-q")
    assert shell.value("x") == 3
    shell["x"] = print  # which is not data
    assert shell.value("x") == 3
    shell["y"] = 5
    assert shell.value("y") == 5
    shell.tfg("y = constant(6)", "-q")
    assert shell.value("y") == 6


def test_visible_python_values(shell):
    class Table:
        def __array__(self, dtype=None, copy=None):
            return np.array([[1.0, 2.0]])

    seen = {
        "i": (3, "the number 3"), "f": (0.5, None), "s": ("text", None), "flag": (True, None),
        "numbers": ([1, [2, 3]], None), "pair": ((1, 2.0), None), "r": (range(3), None), "raw": (b"b", None),
        "scalar": (np.float64(0.25), 0.25), "zero": (np.array(4), 4),
        "wide": (np.ones((2, 3)), "float32[2, 3]"), "whole": (np.arange(3), "int64[3]"),
        "arrays": ([np.ones(2), np.zeros(2)], "float32[2, 2]"), "table": (Table(), "float32[1, 2]"),
        "texts": (np.array(["a", "bc"]), "string[2]"), "flags": (np.array([True]), "bool[1]"),
    }  # fmt: skip
    for name, (value, type) in seen.items():
        shell[name] = value
        if isinstance(type, str) and "[" in type:
            assert type in shell.tfg(f"session:\n    run {name}"), "the message says what it is"
            np.testing.assert_array_equal(np.asarray(shell.value(name)).astype(str), np.asarray(value).astype(str))
    assert shell.value("i + f + scalar + zero + numbers[1][0] + pair[1] + len(r)") == 3 + 0.5 + 0.25 + 4 + 2 + 2 + 3
    assert shell.value("s") == "text" and shell.value("raw") == "b" and shell.value("1 if flag else 2") == 1
    unseen = {
        "module": np, "function": len, "nothing": None, "kind": np.ndarray, "_hidden": 1,
        "objects": np.array([object()]), "dates": np.array(["2020-01-01"], "M8[D]"),
    }  # fmt: skip
    for name, value in unseen.items():
        shell[name] = value
    for name in (*unseen, "In", "Out", "_", "_ih"):
        assert f"there is no name '{name}'" in shell.tfg(f"q = {name}")


def test_python_values_do_not_change_a_program(shell):
    for name in ("max", "relu", "zeros", "float32", "n", "adam"):
        shell[name] = 100
    shown = shell.tfg("placeholder x: float32[n, 2]\nvariable w: float32[2] = zeros\ny = relu(x) + max(1, 2)\n")
    assert "float32[n, 2]" in shown and "error" not in shown


def test_arrays_have_their_values_at_the_run_of_the_cell(shell):
    shell["x"] = np.array([1.0, 2.0], np.float32)
    shell.tfg("y = x * 2.0", "model -q")
    shell["x"][:] = 100
    np.testing.assert_array_equal(shell["model"]["y"], [2.0, 4.0])


def test_functions_and_data_of_other_cells(shell):
    shell.tfg("data d = moons(20)\nparam rate = 3.0\ndef relu(x):\n    return maximum(x, 0.0) * rate\n", "-q")
    assert shell.value("relu(constant(2.0))") == 6.0, "not the op of this name"
    assert shell.value("rate = 10.0\nrelu(constant(2.0))") == 20.0, "a function sees the names of where it is called"
    first = shell.value("constant(d.features)")
    assert first.shape == (20, 2)
    np.testing.assert_array_equal(first, shell.value("constant(d.features)"), "data without a seed is drawn once")
    steps = "up = constant(1)\nsession:\n    train 2 epochs on d in batches of 10:\n        run up\n        print step"
    assert shell.tfg(steps, "-q") == "0\n1\n2\n3\n"
    shell.tfg("def broken(x):\n    return matmul(x, x)\n", "-q")
    shown = shell.tfg("a = broken(constant([[1.0, 2.0]]))")
    assert " --> In[8]:3:12" in shown and "in broken, called at In[9]:2:5" in shown


def test_imports_of_other_cells(shell):
    Path("layers.tfg").write_text("param rate = 3.0\ndef triple(x):\n    return x * rate\n", encoding="utf-8")
    shell.tfg('from "layers.tfg" import triple\nimport "layers.tfg" as layers', "-q")
    assert shell.value("triple(constant(2.0))") == shell.value("layers.triple(constant(2.0))") == 6.0
    assert shell.value("def triple(x):\n    return x\ntriple(constant(2.0))") == 2.0
    shell.tfg("def nine(x):\n    return layers.triple(triple(x))", "-q")
    assert shell.value("nine(constant(1.0))") == 9.0, "what a function of another cell uses is there too"
    assert shell.tfg("a = constant(1)", "alone -q") == ""
    assert shell["alone"].program.program.params == (), "only what is used is taken"


def test_data_given_to_another_cell(shell):
    shell["mine"] = (np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, 0, 1]))
    shell.tfg("data d = moons(10)", "-q --data d=mine")
    assert shell.value("d.rows") == 3
    np.testing.assert_array_equal(shell.value("d.target"), [[1], [0], [1]])


def test_rows_are_fitted_to_data_that_another_cell_was_given(shell):
    Path("d.csv").write_text("a,p\n1,0\n3,1\n", encoding="utf-8")
    Path("new.csv").write_text("a\n100\n400\n", encoding="utf-8")
    shell["mine"] = {"a": np.array([100.0, 400.0]), "p": np.array([0, 1])}
    declared = 'data d = csv("d.csv", target="p") | standardize\n'
    steps = "up = constant(1)\nsession:\n    train 1 epoch on d:\n        run up\n        print step"
    assert shell.tfg(declared + steps, "-q --data d=mine") == "0\n"
    shell.tfg('data fresh = csv("new.csv") | fitted(d)', "-q")
    assert shell.value('d.mean("a")') == 250
    np.testing.assert_allclose(shell.value("fresh.features"), [[-1], [1]])
    assert shell.value('fresh.mean("a")') == 250, "and in a cell after that"


def test_sizes_of_other_cells(shell):
    shell.tfg("param n_features = 2", "-q")
    assert "float32[?, 2]" in shell.tfg("placeholder x: float32[?, n_features]")


def test_a_random_value_is_drawn_once(shell):
    shell.tfg("r = random_uniform([3])", "-q")
    np.testing.assert_array_equal(shell.value("r"), shell.value("r"))


def test_names_in_scopes_have_dots_or_slashes(shell):
    shell.tfg("placeholder x: float32\nscope a:\n    y = x * 2.0\n    variable w = 3.0\n    u = w * 2.0\nsession:\n"
              "    print a.w\n",
              "cell -q")  # fmt: skip
    cell = shell["cell"]
    for name in ("a.w", "a/w"):
        assert name in cell and name in cell.program
        assert cell[name] == cell.result.variables[name] == 3
    assert cell["a/u"] == 6 and cell.program["a/w"] is cell.program["a.w"]
    with pytest.raises(KeyError, match=r"there is no variable 'a.v'; did you mean 'a.w'\?"):
        cell.result.variables["a.v"]
    assert """whose values Python can read: ["a.w"], ["a.u"]""" in shell.tfg("z = a.y"), (
        "without those that need a feed"
    )


def test_names_without_a_value(shell):
    shell.tfg("placeholder x: float32\nscope loss:\n    y = x * 2.0\nvariable w = 1.0\nloss square(w)\n"
              "optimize with momentum(0.9) as step\nsession:\n    run step\n", "-q")  # fmt: skip
    assert "'y' of In[2] has no value without a feed of x" in shell.tfg("z = y + 1")
    assert "'step' of In[2] is an operation without output" in shell.tfg("session:\n    run step")
    assert "'loss' is a scope of an earlier cell, without values that other cells can use: 'loss.y' of" in shell.tfg(
        "z = loss.y"
    )
    assert "'x' of In[2] is a placeholder, which only that cell can feed: declare one here" in shell.tfg("z = x + 1")
    assert "did you mean 'w'?" in shell.tfg("z = ww")


def test_names_inside_functions_are_not_offered(shell):
    """Only the variables that they make."""
    shell.tfg(
        "import nn\nplaceholder X: float32[2, 3]\nh = nn.dense(X, 4)\n"
        "def twice(v):\n    twofold = v * 2.0\n    return twofold\nt = twice(1.0)\nsession: print t\n",
        "model -q",
    )
    found = shell.tfg("k = dense.n_inputs")
    assert 'whose values Python can read: ["dense.kernel"], ["dense.bias"]\n' in found
    with pytest.raises(KeyError, match=r"the names with values are t, dense.kernel, dense.bias"):
        shell["model"]["qqq"]


# --- what goes wrong ------------------------------------------------------------------------------


def test_errors_are_diagnostics(shell):
    shown = shell.tfg("a = constant(1)\n\nb = a + foo\nc = bar\n")
    excerpt = " --> In[2]:4:9\n  |\n4 | b = a + foo\n  |         ^^^\n"
    assert shown.startswith(f"error[TFG301]: there is no name 'foo'\n{excerpt}")
    assert "there is no name 'bar'" in shown
    assert shell.result.error_in_exec is not None, "so that what runs all cells stops here"
    assert "did not expect" in shell.tfg("a = = 1")
    shown = shell.tfg("a = matrix_inverse([[1.0, 1.0], [1.0, 1.0]])\nsession:\n    print 1\n    print a\n")
    assert shown.startswith("1\nerror[TFG702]: Input is not invertible.\n --> In[4]:2:5\n")
    assert "error[TFG803]: there is no param 'rate'" in shell.tfg("param rat = 1", "--set rate=2")


def test_a_cell_that_fails_binds_nothing(shell):
    shell.tfg("a = constant(1)", "-q")
    shell.tfg("a = constant(2)\nb = constant(3)\nsession:\n    expect a == 3\n", "model")
    assert "model" not in shell.ipython.user_ns
    assert shell.value("a") == 1
    assert "there is no name 'b'" in shell.tfg("q = b")


def test_a_failure_in_the_value_of_an_earlier_cell(shell):
    shell.tfg("a = matrix_inverse([[1.0, 1.0], [1.0, 1.0]])", "-q")
    assert shell.tfg("b = a * 2").startswith("error[TFG702]: Input is not invertible.\n --> In[2]:2:5\n")


@pytest.mark.parametrize("options", ["--sett a=1", "a b", "a.b", "if", "--set a", '"', "--max-unroll many"])
def test_wrong_options(shell, options):
    shown = shell.tfg("a = constant(1)", options)
    assert shown.startswith("%%tfg: ") and "usage: %%tfg" in shown


def test_a_bug_is_reported_as_a_bug(shell, monkeypatch):
    import tfdsl.notebook

    def broken(*arguments):
        raise IndexError("list index out of range")

    monkeypatch.setattr(tfdsl.notebook, "check", broken)
    shown = shell.tfg("a = constant(1)")
    assert shown.startswith("error[TFG899]: this is a bug in tfdsl, not in your program: IndexError at ")


def test_colours(shell, monkeypatch):
    shell.ipython.kernel = None  # what shells of kernels have
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in shell.tfg("a = b")
    shell.ipython.colors = "linux"
    assert "\x1b[1;31merror[TFG301]\x1b[0m" in shell.tfg("a = b")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in shell.tfg("a = b")


class Interrupting:
    """A standard output whose user presses Ctrl-C at the first line, to test that lines appear at once."""

    def write(self, text: str) -> int:
        if text.startswith("at 0"):
            os.kill(os.getpid(), signal.SIGINT)
        return len(text)

    def flush(self) -> None:
        pass


def test_an_interrupt_stops_after_its_step(shell, monkeypatch):
    handler = signal.getsignal(signal.SIGINT)
    text = (
        "variable w = 0.0\nup = assign_add(w, 1.0)\n"
        'session:\n    train 1_000_000_000 steps with engine="step":\n        run up\n        every 1000 steps: print "at", step\n'
    )
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Interrupting())
        shell.ipython.run_cell(f"%%tfg\n{text}")
    assert signal.getsignal(signal.SIGINT) is handler
    assert shell.value("w") == 1.0, "the results up to then are visible"


# --- in a separate process ------------------------------------------------------------------------


def test_the_extension_is_cheap():
    script = (
        "import sys, tfdsl\nassert callable(tfdsl.load_ipython_extension)\n"
        "assert not {'IPython', 'numpy', 'tfdsl.notebook', 'argparse'} & set(sys.modules)\n"
        "import tfdsl.notebook\nassert not {'numpy', 'tensorflow', 'IPython'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


CELLS = [
    "%load_ext tfdsl",
    "%%tfg model\n" + TRAINING,
    "%%tfg\nw * 10.0",
    "%%tfg\na = w + 1.0\nk = 3",
    "model['w'].shape, k if 'k' in globals() else 'no k'",
    "%%tfg\na = w @ w",
]


def test_a_notebook_in_a_kernel(here):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    with client.setup_kernel():
        for at in (0, 1, 1, 2, 3, 4):
            client.execute_cell(notebook.cells[at], at)
        with pytest.raises(nbclient.exceptions.CellExecutionError, match="TFG201"):
            client.execute_cell(notebook.cells[5], 5)
    outputs = [cell.outputs for cell in notebook.cells]
    printed = "".join(line + "\n" for line in tfdsl.compile(TRAINING).run().printed)
    assert {output.name for output in outputs[1]} == {"stdout"}, "TensorFlow's start says nothing"
    assert "".join(output.text for output in outputs[1]) == printed
    assert outputs[2][0].data["text/plain"].startswith("array([[")
    assert "<td><code>a</code></td><td><code>float32[2, 1]</code></td>" in outputs[3][0].data["text/html"]
    assert outputs[4][0].data["text/plain"] == "((2, 1), 'no k')"
    (failed,) = outputs[5]
    assert failed.output_type == "error"
    assert "\x1b[1;31merror[TFG201]\x1b[0m" in failed.traceback[0] and "In[7]:2:5" in failed.traceback[0]
