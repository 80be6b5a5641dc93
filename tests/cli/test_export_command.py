"""The command `tfdsl export`: what it exports, its forms, and what is wrong.

`test_export_models.py` calls the models with other runtimes.
"""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import plain_tensorflow
import pytest
import tensorflow as tf

import tfdsl
from tfdsl.cli import main, onnx, onnx_child
from tfdsl.program.forms import form_of

PROGRAM = """data houses = csv("houses.csv", target="price") | fill("city", with="Oslo") | one_hot("city") | standardize("area")

placeholder X: float32[n, houses.columns]
placeholder y: float32[n, 1]
variable w: float32[houses.columns, 1] = zeros
price = (X @ w)[:, 0]
cost = reduce_mean(square(X @ w - y))
optimize cost with adam(learning_rate=9.0)

session:
    train 50 epochs on houses as batch:
        feed X = batch.features, y = batch.target
    save to "houses.ckpt"
"""
EXPORT = '    export price with X = houses.features to "served"\n'
ROWS = {"city": ["Rome", "Oslo", "Bonn"], "area": [100.0, 100.0, 50.0]}  # Bonn is not in the data
NEEDS_ONNX = pytest.mark.skipif(find_spec("tf2onnx") is None or find_spec("onnxruntime") is None, reason="needs [onnx]")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    text = "city,area,price\nRome,50,150\nOslo,80,320\nRome,120,360\nOslo,60,240\nRome,90,270\nOslo,110,440\n"
    (folder / "houses.csv").write_text(text)
    (folder / "houses.tfg").write_text(PROGRAM + EXPORT)
    (folder / "new.csv").write_text("city,area\nRome,100\nOslo,100\nBonn,50\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["run", "-q", "houses.tfg"]) == 0
        assert main(["predict", "-q", "houses.tfg", "--from", "houses.ckpt", "--data", "new.csv", "-o", "p.npz"]) == 0
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """A copy of the folder, without what was exported."""
    for path in trained.iterdir():
        if path.is_file() and not path.name.startswith("."):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exported(*words, capsys):
    capsys.readouterr()
    assert main(["export", "houses.tfg", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


COLUMNS = {"inputs": {"area": "float32[?]", "city": "string[?]"}, "outputs": {"price": "float32[?]"}}


def test_forms_by_names():
    assert [form_of(path) for path in ("model", "a/model.pb", "MODEL.ONNX", "onnx")] == [
        "savedmodel", "graphdef", "onnx", "savedmodel",
    ]  # fmt: skip


def test_tensorflow_computes_what_predict_writes(here, capsys):
    """The transforms are in the models, with what they have learned, and so are rows that they have not seen."""
    one = exported("--from", "houses.ckpt", "-o", "model", capsys=capsys)
    two = exported("--from", "houses.ckpt", "-o", "model.pb", capsys=capsys)
    assert one == {"output": "model", "format": "savedmodel", "signatures": {"serving_default": COLUMNS}}
    assert two["signatures"] == {"serving_default": COLUMNS} and two["format"] == "graphdef"
    models = {
        "saved": {"path": "model"},
        "frozen": {"path": "model.pb", "outputs": ["price"], "prepare": two["prepare"]},
    }
    inputs = {"city": np.array(ROWS["city"]), "area": np.array(ROWS["area"], np.float32)}
    wanted = np.load("p.npz")["price"]
    assert np.abs(wanted[:2]).min() > 10
    for found in plain_tensorflow.values(here, models, inputs).values():
        np.testing.assert_allclose(found["price"], wanted, rtol=1e-5)


@NEEDS_ONNX
def test_onnxruntime_computes_what_predict_writes(here, capsys):
    import onnxruntime

    made = exported("--from", "houses.ckpt", "-o", "model.onnx", capsys=capsys)
    assert made["signatures"] == {"serving_default": COLUMNS} and made["format"] == "onnx"
    session = onnxruntime.InferenceSession("model.onnx")
    inputs = {"city": np.array(ROWS["city"], object), "area": np.array(ROWS["area"], np.float32)}
    (found,) = session.run(["price"], inputs)
    np.testing.assert_allclose(found, np.load("p.npz")["price"], rtol=1e-5)
    missing, filled = (session.run(["price"], {**inputs, "city": np.array([one] * 3, object)}) for one in ("", "Oslo"))
    assert missing[0].tolist() == filled[0].tolist() != found.tolist()


def test_a_frozen_graph_has_no_variables_and_no_training(here, capsys):
    exported("--from", "houses.ckpt", "--values", "price,cost", "-o", "model.pb", capsys=capsys)
    definition = tf.compat.v1.GraphDef.FromString((here / "model.pb").read_bytes())
    nodes = {node.name: node.op for node in definition.node}
    assert not [name for name, op in nodes.items() if "Var" in op or "Assign" in op or "Adam" in op or "Adam" in name]
    assert [nodes[name] for name in ("X", "y")] == ["Placeholder"] * 2 and {"price", "cost"} < nodes.keys()


def test_a_loop_keeps_nothing_for_gradients(here, capsys):
    """A loop of which gradients are taken keeps the values of its iterations. That of the frozen graph does not."""
    (here / "loop.tfg").write_text("""
import nn

placeholder X: float32[n, 5, 2]
outputs, state = nn.lstm(X, 3)
last = outputs[:, -1] + state[0]
optimize reduce_mean(square(last)) with adam as step
after step: taken = last * 2.0
""")
    assert main(["export", "loop.tfg", "-o", "loop.pb", "-q", "--values", "last"]) == 0
    definition = tf.compat.v1.GraphDef.FromString((here / "loop.pb").read_bytes())
    functions = definition.library.function
    ops = {node.op for node in definition.node} | {node.op for one in functions for node in one.node_def}
    assert "While" in ops and not [op for op in ops if "PushBack" in op or "Apply" in op]


def test_what_changes_variables_in_training_only(here, capsys):
    """A frozen graph has constants of these variables, and gives the numbers of the program."""
    (here / "norm.tfg").write_text("""
import nn
placeholder X: float32[n, 2]
variable calls: int32 = 5, trainable=false
made = nn.batch_norm(nn.dropout(X, rate=0.3), momentum=0.5)
if training:
    c = assign_add(calls, 1) * 2
else:
    c = calls * 1
more = assign_add(calls, 1 if training else 0)
after more:
    counted = X * cast(c + 1, float32)
same = cast(assign(calls, more + 1 if training else calls), float32) * 1.0
optimize reduce_mean(square(made - 1.0)) with gradient_descent(learning_rate=0.1) as step

session:
    train 3 steps:
        feed X = [[1.0, 2.0], [4.0, 9.0]]
        run step, more
    save to "norm.ckpt"
""")
    names, X = ["made", "counted", "same"], np.float32([[1, 2], [4, 9]])
    program = tfdsl.compile("norm.tfg")
    with program.session(variables=program.run().variables) as session:
        wanted = session.run(names, {"X": X})
    assert wanted[2] > 5
    words = ("--from", "norm.ckpt", "--values", ",".join(names), "-q")
    assert main(["export", "norm.tfg", "-o", "norm.pb", *words]) == 0, capsys.readouterr().err
    definition = tf.compat.v1.GraphDef.FromString((here / "norm.pb").read_bytes())
    assert not [node.name for node in definition.node if "Assign" in node.op or "Var" in node.op]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(definition, name="")
        for own, other in zip(session.run([f"{name}:0" for name in names], {"X:0": X}), wanted, strict=True):
            np.testing.assert_array_equal(own, other)
    if find_spec("tf2onnx") and find_spec("onnxruntime"):
        import onnxruntime

        model, lacking = onnx_child.converted(definition, ["X"], names, {})
        assert not lacking
        for own, other in zip(onnxruntime.InferenceSession(model).run(names, {"X": X}), wanted, strict=True):
            np.testing.assert_allclose(own, other, rtol=1e-6)


def test_names_that_nodes_have_already(here, capsys):
    """Inputs and outputs have the names of the signature, even if the graph has other nodes of these names."""
    (here / "names.tfg").write_text("""
placeholder X: float32[n]
w = X * 2.0 as "out"
scope a:
    b = w + 1.0
signature "serving_default": a.b as "out", w as "a twice", X as "same" with X as "w"
""")
    assert main(["export", "names.tfg", "-o", "model.pb", "-q"]) == 0
    models = {"m": {"path": "model.pb", "outputs": ["out", "a_twice", "same"]}}
    found = plain_tensorflow.values(here, models, {"w": np.array([3.0], np.float32)})["m"]
    assert {name: value.tolist() for name, value in found.items()} == {"out": [7.0], "a_twice": [6.0], "same": [3.0]}


def test_a_model_that_trains_on_columns(here, capsys):
    """The step of the program, with the columns of the file as inputs. It goes on where the checkpoint is."""
    made = exported("--from", "houses.ckpt", "--values", "price", "--with", "X=houses.features", "--with",
                    "y=houses.target", "--train", "-o", "model", capsys=capsys)["signatures"]  # fmt: skip
    assert made == {
        "serving_default": COLUMNS,
        "train": {"inputs": {**COLUMNS["inputs"], "price": "float32[?]"}, "outputs": {"loss": "float32"}},
        "save": {"inputs": {"path": "string"}, "outputs": {"path": "string"}},
    }
    rows = tfdsl.compile("houses.tfg").dataset("houses")
    served = tf.saved_model.load("model").signatures
    area, price = [50.0, 80.0, 120.0], [150.0, 320.0, 360.0]
    columns = {"city": tf.constant(["Rome", "Oslo", "Rome"]), "area": tf.constant(area), "price": tf.constant(price)}
    losses = [float(served["train"](**columns)["loss"]) for _ in range(3)]
    text = PROGRAM.partition("session:")[0] + 'session:\n    restore from "houses.ckpt"\n    train 3 steps:\n'
    text += "        feed X = houses.features[:3], y = houses.target[:3]\n        print cost\n"
    wanted = [float(line) for line in tfdsl.compile(text).run().printed]
    np.testing.assert_allclose(losses, wanted, rtol=1e-4)
    assert rows.rows == 6 and losses[2] != losses[0]


def test_without_a_checkpoint(here, capsys):
    assert main(["export", "houses.tfg", "-o", "model", "--values", "price"]) == 0
    said = capsys.readouterr()
    assert "without --from, the 1 variable has the initial values of the program" in said.err
    assert said.out == "serving_default(X: float32[?, 3]) -> price: float32[?]\n"


def test_the_program_says_what_to_export(here, capsys):
    signed = PROGRAM.replace("\nsession", '\nsignature "a": price with X\nsignature "b": cost with X, y\nsession')
    (here / "houses.tfg").write_text(signed)
    assert set(exported("-o", "one", capsys=capsys)["signatures"]) == {"a", "b"}
    assert set(exported("-o", "two", "--signature", "b", capsys=capsys)["signatures"]) == {"b"}
    assert set(exported("-o", "b.pb", "--signature", "b", capsys=capsys)["signatures"]) == {"b"}


TWO = PROGRAM.replace(
    "\nsession",
    """
twice = price * 2.0
signature "serving_default": price with X
signature "both": cost as "loss", price with X, y

session""",
)


def test_the_export_of_columns_and_signatures(here, capsys):
    """Of several exports it is that of columns, as for `predict`; `--signature` chooses among all of them."""
    (here / "houses.tfg").write_text(TWO + '    export to "all"\n' + EXPORT)
    assert exported("-o", "model", capsys=capsys)["signatures"] == {"serving_default": COLUMNS}
    assert exported("-o", "m.pb", "--signature", "serving_default", capsys=capsys)["signatures"].popitem()[1] == COLUMNS
    both = exported("-o", "both", "--signature", "both", capsys=capsys)["signatures"]
    assert {*both} == {"both"} and {*both["both"]["outputs"]} == {"loss", "price"}
    assert "did you mean 'both'" in refused(capsys, "--signature", "bothh")


def test_every_way_to_choose_an_export_is_one(here, capsys):
    sessions = '    export to "all"\n' + EXPORT + EXPORT.replace("export price", "export price, w")
    sessions += '    export twice with price to "twice"\n'
    (here / "houses.tfg").write_text(TWO + sessions)
    said = refused(capsys)
    assert "TFG833" in said and "several things: price with X = houses.features; price, w with X = houses" in said
    ways = re.search("choose one: (.*)", said)[1].split("; ")
    assert ways == [
        "--values price", "--signature both", "--values price --with X=houses.features",
        "--values price,w --with X=houses.features", "--values twice --with price",
    ]  # fmt: skip
    inputs = [["X"], ["X", "y"], ["area", "city"], ["area", "city"], ["price"]]
    for way, wanted in zip(ways, inputs, strict=True):
        (one,) = exported("-o", "chosen", *way.split(), capsys=capsys)["signatures"].values()
        assert sorted(one["inputs"]) == wanted


def refused(capsys, *words, program="houses.tfg"):
    capsys.readouterr()
    assert main(["export", program, "-o", "model.pb", "-q", *words]) in (1, 2)
    return capsys.readouterr().err


def test_what_is_wrong(here, capsys):
    (here / "houses.tfg").write_text(PROGRAM)
    assert "TFG832" in (said := refused(capsys)) and "--values, from: X, y, w, price, cost" in said
    assert "TFG834" in (said := refused(capsys, "--values", "prise")) and "did you mean 'price'" in said
    (here / "graphs.tfg").write_text("variable a = 1.0\ngraph other:\n    variable b = 2.0\n")
    assert "TFG835" in refused(capsys, "--values", "a,other.b", program="graphs.tfg")
    assert "TFG836" in refused(capsys, "--values", "a", "--train", "--format", "savedmodel", program="graphs.tfg")
    (here / "apply.tfg").write_text("variable v = 1.0\ng = v * 2.0\napply g to v with adam as step\n")
    assert "TFG837" in refused(capsys, "--values", "v", "--train", "--format", "savedmodel", program="apply.tfg")
    (here / "signed.tfg").write_text('variable a = 1.0\nvariable b = 2.0\nsignature "a": a\nsignature "b": b\n')
    assert "TFG838" in (said := refused(capsys, program="signed.tfg")) and "--signature, from: a, b" in said
    assert "TFG838" in refused(capsys, "--signature", "c", program="signed.tfg")
    (here / "counts.tfg").write_text("variable n = 0\nmore = assign_add(n, 1) * 2\n")
    (here / "step.tfg").write_text("variable w = 1.0\noptimize w * w with adam as step\nafter step: v = w * 2.0\n")
    assert "TFG896]: 'v' changes the variable 'w'" in refused(capsys, "--values", "v", program="step.tfg")
    said = refused(capsys, "--values", "more", program="counts.tfg")
    assert "TFG896]: 'more' changes" in said and "counts.tfg:2:8" in said
    text = "variable n = 0\nplaceholder training: bool\nmore = assign_add(n, 1 if training else 0) * 2\n"
    (here / "counts.tfg").write_text(text)
    assert "TFG896" in refused(capsys, "--values", "more", program="counts.tfg")  # a caller can say that it trains
    assert "--train belongs to a SavedModel" in refused(capsys, "--values", "price", "--train")
    assert "--with belongs to --values" in refused(capsys, "--with", "X")
    assert "TFG704" in refused(capsys, "--values", "price", "--from", "none.ckpt")
    assert not list(here.glob("*.pb"))


def test_a_file_of_another_program_is_left_alone(here, capsys):
    (here / "model.pb").write_text("mine")
    assert "TFG760" in refused(capsys, "--values", "w")
    assert (here / "model.pb").read_text() == "mine"
    assert main(["export", "houses.tfg", "-o", "model.pb", "-q", "--values", "w", "--overwrite"]) == 0
    assert main(["export", "houses.tfg", "-o", "model.pb", "-q", "--values", "w"]) == 0


# --- what ONNX lacks ------------------------------------------------------------------------------


class Ended:
    """A child process that has ended."""

    def __init__(self, returncode, report=None):
        self.returncode, self.stderr = returncode, "its messages"
        self.stdout = "" if report is None else json.dumps({"onnx": report, "apart": []}) + "\n"


@pytest.fixture
def child(monkeypatch):
    """Stands for the process that converts a graph, with its answer."""
    monkeypatch.setattr(onnx, "find_spec", lambda name: name)

    def answers(*answer):
        monkeypatch.setattr(onnx, "carried_out", lambda *_: Ended(*answer))

    return answers


def test_errors_of_onnx_are_at_the_line_of_the_program(here, capsys, child):
    words = ("--values", "price", "--format", "onnx", "--overwrite")
    child(0, [{"name": "price", "op": "StridedSlice", "reason": ""}] * 2)
    said = refused(capsys, *words)
    assert said.count("TFG839") == 1 and "houses.tfg:6:" in said
    assert "ONNX has no op for StridedSlice, which TensorFlow executes for price" in said
    child(0, [{"name": "", "op": "", "reason": "too deep"}])
    assert "error[TFG862]: the graph cannot be converted to ONNX: too deep" in refused(capsys, *words)
    child(-9)
    assert "TFG863" in (said := refused(capsys, *words)) and "signal 9" in said
    child(1)
    assert "its messages" in (said := refused(capsys, *words)) and "exit code 1" in said
    assert not list(here.glob("*.pb"))


def test_it_says_what_onnx_needs(here, capsys, monkeypatch):
    monkeypatch.setattr(onnx, "find_spec", lambda name: None)
    assert "an export to ONNX needs it: pip install 'onnx>=1.19,<2' 'tf2onnx>=1.17,<2'" in refused(
        capsys, "--format", "onnx"
    )


@pytest.mark.long
@NEEDS_ONNX
def test_an_op_that_onnx_lacks(here, capsys):
    (here / "texts.tfg").write_text('placeholder t: string[n]\nlow = string_lower(t)\nlong = string_join([low, "!"])\n')
    said = refused(capsys, "--values", "long", "--format", "onnx", program="texts.tfg")
    assert "TFG839" in said and "StringJoin" in said and "texts.tfg:3:" in said


@pytest.mark.long
@NEEDS_ONNX
def test_comparisons_of_texts(here, capsys):
    """Those with a constant; of others the error is at their line."""
    import onnxruntime

    (here / "texts.tfg").write_text(
        'placeholder t: string[n]\nplaceholder u: string[n]\nplaceholder k: int32[n]\nis_x = equal(t, "x")\n'
        'is_other = not_equal("x", t)\nchosen = where(is_x, u, t)\nis_three = equal(k, 3)\nis_same = equal(t, u)\n'
    )
    names = ["is_x", "is_other", "chosen", "is_three"]
    assert main(["export", "-q", "texts.tfg", "--values", ",".join(names), "-o", "texts.onnx"]) == 0
    fed = {"t": np.array(["x", "y", ""], object), "u": np.array(["a", "b", "c"], object), "k": np.int32([3, 4, 3])}
    found = dict(zip(names, onnxruntime.InferenceSession("texts.onnx").run(names, fed), strict=True))
    assert {name: value.tolist() for name, value in found.items()} == {
        "is_x": [True, False, False], "is_other": [False, True, True], "chosen": ["a", "y", ""],
        "is_three": [True, False, True],
    }  # fmt: skip
    said = refused(capsys, "--values", "is_same", "--format", "onnx", program="texts.tfg")
    assert "TFG862" in said and "not with each other" in said and "texts.tfg:8:" in said


@pytest.mark.long
@NEEDS_ONNX
@pytest.mark.parametrize("layer", ["nn.lstm(X, 3, reverse=true)", "nn.bidirectional(nn.gru, X, 3, lengths=[2, 5])"])
def test_loops_that_go_backward(here, capsys, layer):
    """tf2onnx alone stacks the results of such loops in the order of their iterations."""
    import onnxruntime

    (here / "back.tfg").write_text(f"import nn\nseed 42\nplaceholder X: float32[2, 5, 4]\noutputs, _ = {layer}\n")
    assert main(["export", "back.tfg", "--values", "outputs", "-o", "back.onnx"]) == 0, capsys.readouterr().err
    X = np.random.default_rng(1).normal(size=[2, 5, 4]).astype(np.float32)
    with tfdsl.compile("back.tfg").session() as session:
        wanted = session.run("outputs", {"X": X})
    (found,) = onnxruntime.InferenceSession("back.onnx").run(["outputs"], {"X": X})
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


# --- TensorFlow Serving ---------------------------------------------------------------------------

SERVING = Path(__file__).parents[2] / "docs/howto/serving.md"


def test_requests_of_the_page_about_serving_fit_the_signature(here, capsys):
    """The folder of a version, the requests and their answer are as the page says."""
    made = exported("--from", "houses.ckpt", "-o", "models/houses/2", capsys=capsys)["signatures"]["serving_default"]
    assert {"saved_model.pb", "variables"} <= {path.name for path in (here / "models/houses/2").iterdir()}
    text = SERVING.read_text(encoding="utf-8")
    rows, columns = (json.loads(one) for one in re.findall(r"```json\n(.*?)```", text, re.S))
    assert set(columns["inputs"]) == set(made["inputs"]) and rows["signature_name"] == "serving_default"
    assert all(set(row) == set(made["inputs"]) for row in rows["instances"])
    assert {name: [row[name] for row in rows["instances"]] for name in made["inputs"]} == columns["inputs"]
    served = tf.saved_model.load("models/houses/2").signatures["serving_default"]
    found = served(**{name: tf.constant(values) for name, values in columns["inputs"].items()})
    assert list(found) == list(made["outputs"]) and found["price"].shape == (2,)
    for name, type in made["inputs"].items():
        assert f'request.inputs["{name}"].CopyFrom(tf.make_tensor_proto(' in text and type.endswith("[?]")
    assert 'answer.outputs["price"]' in text
