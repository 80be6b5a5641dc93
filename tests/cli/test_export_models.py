"""Models that `tfdsl export` writes, each called by a runtime that has no tfdsl: those of every program in `models/`.

TensorFlow loads the SavedModel and the frozen graph, onnxruntime the ONNX model. All give the values that a session of
the program gives with the same variables, to a relative tolerance of 1e-4 and an absolute one of 1e-5.
"""

import json
import os

import numpy as np
import plain_tensorflow
import pytest
from conftest import some
from programs import MODELS, WITH_DATA

import tfdsl
from tfdsl.cli import main
from tfdsl.data.sources.california_housing import fetch

# The values of each program, and what else is given to `tfdsl export`.
EXPORTS = {
    "autodiff_passes": ["y"],
    "basics": ["f"],
    "bidirectional_lstm": ["logits"],
    "bikes": ["predicted,rides"],
    "digits": ["logits,hidden1"],
    "dqn": ["returns,best"],
    "ferries": ["p,logits"],
    "gan": ["of_real"],
    "gcn": ["logits"],
    "gradient_descent_autodiff": ["theta,mse"],
    "gradient_descent_by_hand": ["theta,mse"],
    "gradient_descent_optimizer": ["theta,mse"],
    "graphs": ["x1"],
    "housing": ["predictions,loss.mse"],
    "language_model": ["logits,guess", "words"],
    "lenet": ["logits"],
    "lifecycle": ["w,counter"],
    "logistic_regression": ["test.accuracy,test.guesses"],
    "messages": ["logits,kind"],
    "mini_batches": ["mse,predictions"],
    "momentum": ["theta,mse"],
    "moons": ["logits,accuracy"],
    "name_scopes": ["predictions,loss.mse"],
    "normal_equation": ["theta"],
    "one_or_two_executions": ["counter"],
    "own_copy": ["x"],
    "placeholders": ["B"],
    "relu": ["output"],
    "relu_repeated": ["output"],
    "restore_renamed": ["theta,other"],
    "save_and_restore": ["theta,mse"],
    "set_variable": ["x"],
    "shapes": ["logits,kind"],
    "shared_by_reuse": ["output"],
    "shared_in_first_call": ["output"],
    "shared_outside": ["output"],
    "tensorboard": ["mse"],
    "transfer": ["new,old"],
    "transformer": ["logits", "X"],
    "vae": ["mean,log_variance"],
    "variable_scopes": ["z2"],
    "word2vec": ["directions,nearest"],
}
# What ONNX, or onnxruntime, lacks.
LACKING: dict[str, str] = {}
ROWS = 4  # of inputs; that of gcn are the nodes of a graph

PATHS = [path for path in (*MODELS, *WITH_DATA) if not path.stem.startswith("cluster_")]  # these need a cluster


def test_every_program_is_exported():
    assert set(EXPORTS) == {path.stem for path in PATHS}


CHEAP = [path for path in PATHS if path.stem in ("moons", "lenet")]


@pytest.mark.parametrize("path", some(PATHS, CHEAP), ids=lambda path: path.stem)
def test_a_model_computes_what_its_program_computes(path, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fetch, "fetched", lambda *_: (_ for _ in ()).throw(OSError("no network in tests")))
    values, inputs, expected = expected_of(path, tmp_path, monkeypatch)
    models = {}
    words = (
        ["export", str(path), "--from", "model.ckpt"] if os.path.exists("model.ckpt.index") else ["export", str(path)]
    )
    for form, output in (("savedmodel", "model"), ("graphdef", "model.pb"), ("onnx", "model.onnx")):
        code = main([*words, *values, "-o", output, "--json", "-q"])
        said = capsys.readouterr()
        if form == "onnx" and path.stem in LACKING:
            assert code == 1 and LACKING[path.stem] in said.err
            continue
        assert code == 0, said.err
        made = json.loads(said.out)
        sides = made["signatures"]["serving_default"]
        assert set(sides["inputs"]) == set(inputs) and set(sides["outputs"]) == set(expected)
        models[form] = {"path": output} | ({"outputs": list(expected)} if form == "graphdef" else {})
    onnx = models.pop("onnx", None)
    found = plain_tensorflow.values(tmp_path, models, inputs)
    if onnx is not None:
        found["onnx"] = with_onnxruntime(onnx["path"], inputs)
    for form, one in found.items():
        for name, value in expected.items():
            check(f"{form}: {name}", one[name], value)


def expected_of(path, folder, monkeypatch):
    """Values of a program with random inputs, and a checkpoint with the variables of which they are."""
    names, *given = EXPORTS[path.stem]
    monkeypatch.chdir(path.parent)
    program = tfdsl.compile(path.name)
    graph = program.program.graph("")
    from tfdsl.analysis.exporting import of_values

    taken = dict(of_values(program.program, names.split(",")).export.inputs)
    taken |= {name: graph.names[name].value for name in given}
    rng = np.random.default_rng(1)
    sizes = {"n": 600} if path.stem == "gcn" else {}
    inputs = {name: random(rng, program, path, graph.tensor_type(ref), sizes) for name, ref in taken.items()}
    with program.session() as session:
        monkeypatch.chdir(folder)
        found = session.run(names.split(","), inputs)
        if session.variables:
            session.save("model.ckpt")
    expected = {name.rpartition(".")[2]: np.asarray(value) for name, value in zip(names.split(","), found, strict=True)}
    return ["--values", names, *(word for name in given for word in ("--with", name))], inputs, expected


def random(rng, program, path, type, sizes):
    shape = [dim if isinstance(dim, int) else sizes.setdefault(dim, ROWS) for dim in type.shape]
    shape = [10 if path.stem == "transformer" and dim is None else dim for dim in shape]
    if type.dtype.name.startswith("float"):
        return rng.normal(size=shape).astype(type.dtype.name)
    if type.dtype.name == "bool":
        return rng.random(shape) < 0.5
    return rng.integers(0, 2, shape).astype(type.dtype.name)


def with_onnxruntime(path, inputs):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path)
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def check(what, found, wanted):
    assert found.shape == wanted.shape, what
    if wanted.dtype.kind in "OSU":
        assert [str(one) for one in found.ravel()] == [one.decode() for one in wanted.ravel()], what
    else:
        assert found.dtype == wanted.dtype, what
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5, err_msg=what)
