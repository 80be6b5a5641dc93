"""`export` and `run --trace`: files for other programs."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tfdsl
from tfdsl.cli import main
from tfdsl.runtime.files import model
from tfdsl.runtime.options import Options

PROGRAM = """
data moons = moons(100, noise=0.1, seed=42)
placeholder X: float32[batch, 2]
placeholder y: float32[batch, 1]
placeholder scale: float32 = 1.0
variable w = random_normal([2, 1], seed=1)
whole = constant(moons.features)
scope out:
    logits = X @ w * scale
    probability = sigmoid(logits)
loss reduce_mean(sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
optimize with adam(learning_rate=0.1)
session:
    train 3 epochs on moons in batches of 50 as batch with engine="step":
        feed X = batch.features, y = batch.target
    print w
    print probability with X = [[1, 2], [3, 4]]
    export probability, out.logits with X to "saved/moons"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.tfg").write_text(PROGRAM)
    return tmp_path


def test_plain_tensorflow_loads_and_serves_it(folder):
    result = tfdsl.compile("model.tfg").run()
    assert result.saved == ["saved/moons"]
    serve = tf.saved_model.load("saved/moons").signatures["serving_default"]
    given = serve(X=tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    assert set(given) == {"probability", "logits"}
    np.testing.assert_allclose(given["probability"], result.values["probability"], rtol=1e-6)
    np.testing.assert_allclose(given["logits"], np.array([[1, 2], [3, 4]]) @ result.variables["w"], rtol=1e-5)
    assert serve.structured_input_signature[1]["X"].shape.as_list() == [None, 2]


def test_a_session_of_tensorflow_1_loads_it(folder):
    result = tfdsl.compile("model.tfg").run()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.saved_model.load(session, ["serve"], "saved/moons")
        probability = session.run("out/probability:0", {"X:0": [[1, 2], [3, 4]]})
        np.testing.assert_array_equal(probability, result.values["probability"])


def test_a_model_has_only_needed_ops(folder):
    tfdsl.compile("model.tfg").run()
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.compat.v1.saved_model.load(session, ["serve"], "saved/moons")
        names = {op.name for op in graph.get_operations()}
        variables = [v.op.name for v in graph.get_collection("variables")]
    assert variables == ["w"]
    assert "out/probability" in names and not names & {"y", "Adam", "whole", "beta1_power"}


def test_a_second_export_replaces_the_first(folder):
    tfdsl.compile("model.tfg").run()
    tfdsl.compile(PROGRAM.replace("3 epochs", "9 epochs")).run()
    assert os.listdir("saved") == ["moons"]
    serve = tf.saved_model.load("saved/moons").signatures["serving_default"]
    result = tfdsl.compile(PROGRAM.replace("3 epochs", "9 epochs")).run()
    given = serve(X=tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_allclose(given["probability"], result.values["probability"], rtol=1e-6)


def test_a_folder_with_something_else_in_it_is_left_alone(folder):
    (folder / "saved" / "moons").mkdir(parents=True)
    (folder / "saved" / "moons" / "notes.txt").write_text("mine")
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile("model.tfg").run()
    assert [(d.code, d.span.line) for d in caught.value.diagnostics] == [("TFG712", 18)]
    assert os.listdir("saved/moons") == ["notes.txt"] and os.listdir("saved") == ["moons"]


def test_reasons_why_a_model_is_not_replaced(folder):
    def reason():
        with pytest.raises(tfdsl.TfgError) as caught:
            tfdsl.compile("model.tfg").run()
        return caught.value.diagnostics[0].headline.removeprefix("saved/moons exists, and ")

    tfdsl.compile("model.tfg").run()
    os.link("saved/moons/saved_model.pb", "saved/backup")
    assert reason().startswith("saved/moons/saved_model.pb is a file with a second name (a hard link)")
    os.remove("saved/backup")
    Path("saved/moons/saved_model.pb").write_bytes(b"")
    assert reason() == "it has changed since tfdsl exported it"
    os.remove("saved/moons/assets.extra/tfdsl.json")
    assert reason() == "it is not a model exported by tfdsl"


def refused(path="saved/moons"):
    before = everything(path)
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile("model.tfg").run()
    assert [d.code for d in caught.value.diagnostics] == ["TFG712"]
    assert everything(path) == before and os.listdir("saved") == ["moons"]


def everything(path):
    return {name: name.read_bytes() for name in sorted(Path(path).rglob("*")) if name.is_file()}


def test_changed_and_other_models_are_left_alone(folder):
    tfdsl.compile("model.tfg").run()
    moons = folder / "saved/moons"
    (moons / "assets.extra/mine.txt").write_text("mine")
    refused()
    (moons / "assets.extra/mine.txt").unlink()
    (moons / "variables/link").symlink_to("/etc/passwd")
    refused()
    (moons / "variables/link").unlink()
    tfdsl.compile("model.tfg").run()  # an unchanged model is replaced
    with (moons / "saved_model.pb").open("ab") as file:
        file.write(b"x")
    refused()
    shutil.rmtree(moons)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32)
        tf.compat.v1.saved_model.simple_save(session, str(moons), {"x": x}, {"y": x + 1.0})
    refused()


def test_a_link_at_the_path_is_left_alone(folder):
    (folder / "saved").mkdir()
    (folder / "elsewhere").mkdir()
    (folder / "saved/moons").symlink_to(folder / "elsewhere")
    refused()
    assert not os.listdir("elsewhere") and (folder / "saved/moons").is_symlink()


def test_an_empty_folder_is_filled(folder):
    (folder / "saved/moons").mkdir(parents=True)
    tfdsl.compile("model.tfg").run()
    assert (folder / "saved/moons/saved_model.pb").exists()


def test_a_function_without_variables_is_exported(folder):
    text = 'placeholder x: float32\ny = x * 2.0\nsession:\n    export y with x to "double"\n'
    tfdsl.compile(text).run()
    serve = tf.saved_model.load("double").signatures["serving_default"]
    assert float(serve(x=tf.constant(4.0))["y"]) == 8.0


def test_a_model_without_inputs_is_exported(folder):
    tfdsl.compile('variable w = [1.0, 2.0]\nsession:\n    export w to "m"\n').run()
    serve = tf.saved_model.load("m").signatures["serving_default"]
    np.testing.assert_array_equal(serve()["w"], [1, 2])


def test_a_nan_is_exported_with_a_warning(folder):
    told = []
    text = 'variable w = 0.0\nsession:\n    set w = log(w - 1.0)\n    export w to "m"\n'
    tfdsl.compile(text).run(options=Options(note=told.append))
    assert len(told) == 1 and "TFG988" in told[0] and ":4:" in told[0]
    assert np.isnan(tf.saved_model.load("m").signatures["serving_default"]()["w"])


def test_control_flow_is_exported(folder):
    text = (
        "placeholder x: float32\nvariable w = 2.0\ni = 0\ny = x\nwhile i < 3:\n    i = i + 1\n    y = y * w\n"
        'session:\n    set w = 3.0\n    export y with x to "loop"\n'
    )
    tfdsl.compile(text).run()
    serve = tf.saved_model.load("loop").signatures["serving_default"]
    assert float(serve(x=tf.constant(2.0))["y"]) == 54.0


# --- trace ----------------------------------------------------------------------------------------


def events(path):
    with open(path) as file:
        return [event for event in json.load(file)["traceEvents"] if event["ph"] == "X"]


def test_a_trace_has_the_nodes_of_one_step_with_their_lines(folder, capfd):
    assert main(["run", "-q", "model.tfg", "--trace", "step.json"]) == 0
    found = {event["name"]: event for event in events("step.json")}
    assert {"out/logits", "Adam/update_w/ResourceApplyAdam"} <= set(found)
    assert found["out/logits"]["args"]["line"] == "model.tfg:9:14"
    assert found["out/logits"]["args"]["op"] == "Mul"
    assert all(event["dur"] > 0 and event["ts"] > 0 for event in found.values())


def test_without_training_the_first_execution_is_traced(folder):
    (folder / "small.tfg").write_text("variable x = 1.0\ny = sqrt(x + 3.0)\nsession:\n    print y\n")
    assert main(["run", "-q", "small.tfg", "--trace", "small.json"]) == 0
    assert "y" in {event["name"] for event in events("small.json")}


def test_a_trace_that_cannot_be_written_is_an_error(folder, capfd):
    assert main(["run", "-q", "model.tfg", "--trace", "missing/step.json"]) == 1
    assert "TFG707" in capfd.readouterr().err


WITH_DATA = """
data points = moons(50, noise=0.1, seed=42)
placeholder x: float32[2]
variable start = points.features[0]
nearest = reduce_min(norm(constant(points.features) - x + 0.0 * start, axis=1))
session:
    export nearest with x to "nearest"
    print nearest with x = [0.5, 0.5]
"""


def test_a_model_has_its_data(folder):
    result = tfdsl.compile(WITH_DATA).run()
    serve = tf.saved_model.load("nearest").signatures["serving_default"]
    np.testing.assert_array_equal(serve(x=tf.constant([0.5, 0.5]))["nearest"], result.values["nearest"])


def test_more_data_than_a_model_can_hold_is_an_error(folder, monkeypatch):
    monkeypatch.setattr(model, "_MOST_DATA", 100)
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(WITH_DATA).run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG734" and diagnostic.span.line == 7
    assert not os.path.exists("nearest")
