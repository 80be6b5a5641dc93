"""`signature`: what exported models compute under a name, served by plain TensorFlow."""

import json
import sys

import forked
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import tfdsl

TEXT = """
placeholder X: float32[n, 2]
placeholder Z: float32[n, 2]
placeholder inputs: string[n]
variable w: float32[2, 1] = ones
scope head:
    p = X @ w
q = p + reduce_sum(Z)
scores = string_to_number(inputs)

signature "serving_default": p, q as "scores" with X as "images", Z
signature "a name of words": head.p as "out/put" with X
signature "classify": inputs as "classes", scores with inputs
signature "regress": scores as "outputs" with inputs

session:
    set w = [[2.0], [3.0]]
    export to "model"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tfdsl.compile(TEXT).run()
    return folder / "model"


def test_plain_tensorflow_serves_all_signatures(folder):
    served = tf.saved_model.load(str(folder)).signatures
    assert set(served) == {"serving_default", "a name of words", "classify", "regress"}
    row = tf.constant([[1.0, 2.0]])
    found = served["serving_default"](images=row, Z=row)
    assert {name: value.numpy().tolist() for name, value in found.items()} == {"p": [[8.0]], "scores": [[11.0]]}
    assert served["a name of words"](X=row)["out/put"].numpy().tolist() == [[8.0]]
    found = served["classify"](inputs=tf.constant(["1.5"]))
    assert {name: value.numpy().tolist() for name, value in found.items()} == {"classes": [b"1.5"], "scores": [1.5]}


def test_methods_follow_from_the_names(folder):
    model = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    methods = {name: one.method_name.rpartition("/")[2] for name, one in model.meta_graphs[0].signature_def.items()}
    assert methods == {
        "serving_default": "predict", "a name of words": "predict", "classify": "classify", "regress": "regress",
    }  # fmt: skip


# --- signatures that take steps -------------------------------------------------------------------

NETWORK = """
import nn

param rate = 0.1
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
hidden = nn.batch_norm(nn.dense(X, 3, activation=tanh, initializer=glorot_uniform(seed=1)))
p = nn.dense(hidden, 1, initializer=glorot_uniform(seed=2))
cost = reduce_mean(square(p - y))
optimize cost with adam(learning_rate=rate) as step

signature "serving_default": p with X
signature "train": step, cost as "loss" with X, y
"""
X, Y = [[1.0, 2.0], [3.0, 5.0], [0.0, -1.0]], [[1.0], [0.0], [2.0]]
# What a caller does that has TensorFlow and no tfdsl.
CALLER = """
import json, os, sys
for name in [name for name in sys.modules if name.partition(".")[0] == "tfdsl"]:
    del sys.modules[name]
sys.modules["tfdsl"] = None
import tensorflow as tf

served = tf.saved_model.load("model").signatures
rows = {"X": tf.constant(json.loads(sys.argv[1])), "y": tf.constant(json.loads(sys.argv[2]))}
found = {"losses": [float(served["train"](**rows)["loss"]) for _ in range(5)]}
found["p"] = served["serving_default"](X=rows["X"])["p"].numpy().tolist()
found["saved"] = served["save"](path=tf.constant(os.path.abspath("trained.ckpt")))["path"].numpy().decode()
print(json.dumps(found))
"""


def test_a_model_trains_without_tfdsl(tmp_path, monkeypatch):
    """Its steps are those of a session, with the layers in training mode. What it saves, a program restores."""
    monkeypatch.chdir(tmp_path)
    tfdsl.compile(NETWORK + 'session:\n    export to "model"\n').run()
    command = [sys.executable, "-c", CALLER, json.dumps(X), json.dumps(Y)]
    found = json.loads(forked.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)

    program = tfdsl.compile(NETWORK)
    with program.session() as session:
        losses = [session.run(["step", "cost"], {"X": X, "y": Y})[1] for _ in range(5)]
        predicted = session.run("p", {"X": X})
        moving = session.variables["batch_norm/moving_mean"]
    np.testing.assert_allclose(found["losses"], losses, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["p"], predicted, rtol=1e-5, atol=1e-6)
    assert losses[4] < losses[0] and np.abs(moving).max() > 0.01

    assert found["saved"] == str(tmp_path / "trained.ckpt")
    again = NETWORK + f'session:\n    restore from "trained.ckpt"\n    print p with X = {X}\n'
    np.testing.assert_allclose(tfdsl.compile(again).run().values["p"], predicted, rtol=1e-5, atol=1e-6)


def test_steps_of_several_optimizers_and_of_a_session(tmp_path, monkeypatch):
    """Two steps in one call, in an exported model and in an execution."""
    monkeypatch.chdir(tmp_path)
    text = """
    variable a = 3.0
    variable b = 2.0
    cost = square(a * b)
    optimize cost with gradient_descent(learning_rate=0.01) wrt a as first
    optimize cost with momentum(0.9, learning_rate=0.02) wrt b as second
    signature "both": first, cost, second
    signature "first": first, cost
    signature "values": a, b
    """
    text = "\n".join(line.strip() for line in text.splitlines())
    tfdsl.compile(text + 'session:\n    export to "model"\n').run()
    served = tf.saved_model.load("model").signatures
    assert set(served) == {"both", "first", "values", "save"}
    with tfdsl.compile(text).session() as session:
        for call, names in (("both", ["cost", "first", "second"]), ("first", ["cost", "first"]), ("both", ["cost"])):
            assert float(served[call]()["cost"]) == session.run(names)[0]
        session.run(["first", "second"])
        values = {name: float(value) for name, value in served["values"]().items()}
        assert values == pytest.approx({name: session.run(name) for name in ("a", "b")}, rel=1e-6)


def test_a_signature_of_the_program_can_be_called_save(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (
        "variable a = 3.0\ncost = square(a)\noptimize cost with adam as step\n"
        'signature "save": step, cost\nsession:\n    export to "model"\n'
    )
    tfdsl.compile(text).run()
    served = tf.saved_model.load("model").signatures
    assert set(served) == {"save"} and float(served["save"]()["cost"]) == 9.0
    assert float(served["save"]()["cost"]) < 9.0


def test_an_order_that_only_the_lines_decide_is_warned_of():
    """One call that reads a variable and takes a step that changes it. Two signatures are two executions."""
    text = (
        "variable a = 3.0\nb = a * 2.0\ncost = square(a)\noptimize cost with adam as step\n"
        'signature "train": step, {}\nsignature "value": b\nsession:\n    export to "model"\n'
    )
    assert [one.code for one in tfdsl.compile(text.format("cost")).diagnostics] == []
    assert [one.code for one in tfdsl.compile(text.format("cost, b")).diagnostics] == ["TFG917"]
