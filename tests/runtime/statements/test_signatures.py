"""`signature`: what exported models compute under a name, served by plain TensorFlow."""

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
