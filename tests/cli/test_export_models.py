"""Models that `tfdsl export` writes, each called by a runtime that has no tfdsl: those of every program in `models/`.

TensorFlow loads the SavedModel and the frozen graph, onnxruntime the ONNX model. All give the values that a session of
the program gives with the same variables, to a relative tolerance of 1e-4 and an absolute one of 1e-5.
"""

import json
import os
from importlib.util import find_spec

import numpy as np
import plain_tensorflow
import pytest
from conftest import some
from programs import MODELS, WITH_DATA

import tfdsl
from tfdsl.analysis.exporting import of_values
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
# Programs that tf2onnx gets wrong, and what is reported.
ROWS = 4  # of inputs; that of gcn are the nodes of a graph

PATHS = [path for path in (*MODELS, *WITH_DATA) if not path.stem.startswith("cluster_")]  # these need a cluster


def test_every_program_is_exported():
    assert set(EXPORTS) == {path.stem for path in PATHS}


CHEAP = [path for path in PATHS if path.stem == "moons"]


@pytest.mark.parametrize("path", some(PATHS, CHEAP), ids=lambda path: path.stem)
def test_tensorflow_computes_what_the_program_computes(path, here, monkeypatch, capsys):
    values, inputs, expected = expected_of(path, here, monkeypatch)
    exported(path, values, "model", inputs, expected, capsys)
    exported(path, values, "model.pb", inputs, expected, capsys)
    models = {"saved": {"path": "model"}, "frozen": {"path": "model.pb", "outputs": list(expected)}}
    for form, found in plain_tensorflow.values(here, models, inputs).items():
        check(form, found, expected)


@pytest.mark.skipif(find_spec("tf2onnx") is None or find_spec("onnxruntime") is None, reason="needs [onnx]")
@pytest.mark.long
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_onnxruntime_computes_what_the_program_computes(path, here, monkeypatch, capsys):
    import onnxruntime

    values, inputs, expected = expected_of(path, here, monkeypatch)
    exported(path, values, "model.onnx", inputs, expected, capsys)
    session = onnxruntime.InferenceSession("model.onnx")
    check("onnx", dict(zip(expected, session.run(list(expected), inputs), strict=True)), expected)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder without a network."""

    def unreachable():
        raise OSError("no network in tests")

    monkeypatch.setattr(fetch, "fetched", unreachable)
    return tmp_path


def exported(path, values, output, inputs, expected, capsys):
    """Export some values of a program."""
    trained = ["--from", "model.ckpt"] if os.path.exists("model.ckpt.index") else []
    code = main(["export", str(path), *trained, *values, "-o", output, "--json", "-q"])
    said = capsys.readouterr()
    assert code == 0, said.err
    sides = json.loads(said.out)["signatures"]["serving_default"]
    assert set(sides["inputs"]) == set(inputs) and set(sides["outputs"]) == set(expected)


def expected_of(path, folder, monkeypatch):
    """Values of a program with random inputs, and a checkpoint with the variables of which they are."""
    names, *given = EXPORTS[path.stem]
    monkeypatch.chdir(path.parent)
    program = tfdsl.compile(path.name)
    graph = program.program.graph("")
    taken = dict(of_values(program.program, names.split(",")).export.inputs)
    taken |= {name: graph.names[name].value for name in given}
    rng = np.random.default_rng(1)
    sizes = {"n": 600} if path.stem == "gcn" else {}
    inputs = {name: random(rng, path, graph.tensor_type(ref), sizes) for name, ref in taken.items()}
    with program.session() as session:
        monkeypatch.chdir(folder)
        found = session.run(names.split(","), inputs)
        if session.variables:
            session.save("model.ckpt")
    expected = {name.rpartition(".")[2]: np.asarray(value) for name, value in zip(names.split(","), found, strict=True)}
    return ["--values", names, *(word for name in given for word in ("--with", name))], inputs, expected


def random(rng, path, type, sizes):
    """An array of a type. `sizes` has the numbers that its named sizes mean."""
    shape = [dim if isinstance(dim, int) else sizes.setdefault(str(dim), ROWS) for dim in type.shape]
    shape = [10 if path.stem == "transformer" and dim is None else dim for dim in shape]
    if type.dtype.name.startswith("float"):
        return rng.normal(size=shape).astype(type.dtype.name)
    if type.dtype.name == "bool":
        return rng.random(shape) < 0.5
    return rng.integers(0, 2, shape).astype(type.dtype.name)


def check(form, found, expected):
    for name, wanted in expected.items():
        what = f"{form}: {name}"
        assert found[name].shape == wanted.shape, what
        if wanted.dtype.kind in "OSU":
            assert [str(one) for one in found[name].ravel()] == [one.decode() for one in wanted.ravel()], what
        else:
            assert found[name].dtype == wanted.dtype, what
            np.testing.assert_allclose(found[name], wanted, rtol=1e-4, atol=1e-5, err_msg=what)
