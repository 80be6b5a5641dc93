"""Reading of graphs that TensorFlow wrote."""

import os
import re
import shutil
import zipfile

import numpy as np
import pytest
from google.protobuf import text_format
from graph_files import checkpoint, dense, loop, saved_model, written

from tfdsl.diagnostics import TfgError
from tfdsl.lift.functions import graph_functions
from tfdsl.lift.graph import Endpoint
from tfdsl.lift.nodes import OpDefs
from tfdsl.lift.read import read_graph
from tfdsl.lowering.tf import GraphDef, tf, v1

X = 'node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }\n'
ROW = X.replace("DT_FLOAT } }", 'DT_FLOAT } } attr { key: "shape" value { shape { dim { size: 3 } } } }')


def relu(name, *inputs, op="Relu", dtype="DT_FLOAT"):
    given = " ".join(f'input: "{one}"' for one in inputs)
    return f'node {{ name: "{name}" op: "{op}" {given} attr {{ key: "T" value {{ type: {dtype} }} }} }}\n'


def refused(path, **options):
    with pytest.raises(TfgError) as caught:
        read_graph(str(path), **options)
    (one,) = caught.value.diagnostics
    assert one.span is None
    return one.code, one.headline, one.help_line


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("name", ["graph.pb", "graph.pbtxt", "graph"])
def test_a_graph_def_is_known_by_its_content(here, name, as_text):
    graph = read_graph(written(dense(), name, as_text))
    assert graph.kind == "GraphDef" and graph.checkpoint == "" and graph.notes == ()
    assert list(map(str, graph.nodes["matmul"].inputs)) == ["x", "layer/w/read"]
    assert list(map(str, graph.nodes["y"].types)) == ["float32[?, 2]"]
    assert graph.users["Relu"] == ["y"]
    assert graph.nodes["matmul"].attrs["transpose_a"].b is False


def test_a_meta_graph_has_collections_and_its_checkpoint(here):
    checkpoint(dense(), "model.ckpt")
    graph = read_graph("model.ckpt.meta")
    assert graph.kind == "MetaGraph" and graph.checkpoint == "model.ckpt"
    assert graph.collections["trainable_variables"] == ("layer/w",) and graph.collections["losses"] == ("loss",)
    assert "_output_shapes" not in graph.nodes["y"].attrs
    shutil.move("model.ckpt.meta", "other.meta")
    assert read_graph("other.meta").checkpoint == ""
    for given in ("model.ckpt", "model.ckpt.index", "model.ckpt.data-00000-of-00001", "."):
        assert read_graph("other.meta", checkpoint=given).checkpoint.endswith("model.ckpt")


def test_a_text_meta_graph(here):
    with dense().as_default():
        v1.train.export_meta_graph("model.meta", as_text=True)
    graph = read_graph("model.meta")
    assert graph.kind == "MetaGraph" and "layer/w" in graph.collections["variables"]


def test_a_saved_model_by_its_file_and_its_folder(here):
    folder = saved_model(dense(), "model")
    for path in (folder, "model/saved_model.pb"):
        graph = read_graph(path)
        assert graph.kind == "SavedModel" and graph.checkpoint == "model/variables/variables"
        served = graph.signatures["serving_default"]
        assert served.inputs == {"rows": Endpoint("x")} and served.outputs == {"scores": Endpoint("y")}
    assert refused(folder, tags=["train"])[:2] == ("TFG011", "model/saved_model.pb has no graph with the tags train")


def test_functions_of_a_second_version_saved_model(here):
    module = tf.Module()
    module.scale = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def double(x):
        return module.scale * x

    module.double = double
    tf.saved_model.save(module, "two", signatures=double)
    graph = read_graph("two")
    assert {one.op for one in graph.nodes.values()} >= {"StatefulPartitionedCall", "VarHandleOp"}
    assert len(graph.library.function) >= 2 and set(graph.signatures) == {"serving_default"}


def test_only_what_the_outputs_need(here):
    path = written(dense(), "graph.pb")
    graph = read_graph(path, outputs=["Relu:0"])
    assert "Relu" in graph.nodes and "y" not in graph.nodes and "layer/w/Assign" not in graph.nodes
    code, said, help = refused(path, outputs=["Rely"])
    assert (code, said, help) == ("TFG010", "the graph in graph.pb has no tensor 'Rely'", "did you mean 'Relu'?")


def test_initializers_of_what_the_outputs_need(here):
    graph = dense()
    with graph.as_default():
        w = graph.get_tensor_by_name("layer/w:0")
        v1.assign(w, v1.placeholder(tf.float32, [3, 2], "given"), name="set")
    read = read_graph(written(graph, "graph.pb"), outputs=["Relu"], with_initializers=True)
    assert "layer/w/Assign" in read.nodes and "set" not in read.nodes and "y" not in read.nodes


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("w", "did you mean 'layer/w'?"),
        ("y:1", "'y' has 1 output"),
        ("read", "did you mean 'layer/w/read'?"),
        ("init:0", "name the operation: init"),
        ("zzzzzz", ""),
    ],
)
def test_outputs_that_are_not_there(here, name, help):
    graph = dense()
    with graph.as_default():
        v1.global_variables_initializer()
    code, _, said = refused(written(graph, "graph.pb"), outputs=[name])
    assert (code, said) == ("TFG010", help)


def test_tags_of_a_graph_without_tags(here):
    code, said, _ = refused(written(dense(), "graph.pb"), tags=["serve"])
    assert (code, said) == ("TFG020", "--tags chooses a graph of a SavedModel, but graph.pb is a GraphDef")


def test_folders_and_prefixes(here):
    os.mkdir("one")
    prefix = checkpoint(dense(), here / "one" / "model")
    assert read_graph("one").path == os.path.join("one", "model.meta")
    assert read_graph(prefix).checkpoint == prefix
    shutil.copy("one/model.meta", "one/other.meta")
    code, said, help = refused("one")
    assert (code, said) == ("TFG003", "one is a folder with 2 graphs, not a graph")
    assert help == f"name one of them, such as {os.path.join('one', 'other.meta')}"
    saved_model(dense(), here / "model")
    for path in ("model/variables", "model/variables/variables"):
        assert refused(path)[2] == "did you mean model, the SavedModel of this checkpoint?"


def test_notes_about_what_a_model_loads(here):
    graph = dense()
    with graph.as_default():
        v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, tf.constant("words.txt", name="words"))
        v1.add_to_collection("saved_model_main_op", tf.no_op("setup"))
        v1.train.export_meta_graph("model.meta")
    assert list(read_graph("model.meta").notes) == [
        "the model finds its assets, in the folder 'assets' of the SavedModel, by words",
        "TensorFlow runs setup when it loads the model; a session of a program can run it too",
    ]


def test_loops_keep_their_back_edges(here):
    graph = loop()
    read = read_graph(written(graph, "loop.pb"))
    order = list(read.nodes)
    assert order.index("loop/Merge") < order.index("loop/NextIteration") and len(order) == len(graph.get_operations())
    assert str(read.nodes["loop/Merge"].inputs[1]) == "loop/NextIteration"


def test_a_long_chain(here):
    (here / "chain.pbtxt").write_text(X + "".join(relu(f"n{i}", f"n{i - 1}" if i else "x") for i in range(3000)))
    assert list(read_graph("chain.pbtxt").nodes)[-1] == "n2999"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "TFG001", "g.pbtxt is empty"),
        (" \n\n", "TFG001", "g.pbtxt is empty"),
        ("versions { producer: 27 }\n", "TFG004", "the graph in g.pbtxt has no nodes"),
        (X + X, "TFG005", "g.pbtxt has more than one node called 'x'"),
        (relu("y", "x"), "TFG006", "the node 'y' takes 'x', which is not in the graph"),
        (X + relu("y", "x:1"), "TFG006", "the node 'y' takes 'x:1', which is not in the graph"),
        (X + relu("y", "^x", "x"), "TFG006", "the node 'y' takes 'x', after a control input"),
        (relu("y", "z") + relu("z", "y"), "TFG007", "the nodes y, z need each other, and they are not a loop of TensorFlow"),
        (X + relu("y", "x", "x"), "TFG008", "the node 'y' is not a valid Relu: it has 2 inputs, not 1"),
        (X + relu("y", "x", dtype="DT_INT32"), "TFG008", "the node 'y' is not a valid Relu: its input 'x' is float32, not int32"),
        (X + relu("y", "x", dtype="DT_INVALID"), "TFG008", "the node 'y' is not a valid Relu: its attribute 'T' is not a type"),
        (X.replace("dtype", "kind"), "TFG008", "the node 'x' is not a valid Placeholder: it has no attribute 'kind'"),
        (X.replace("type: DT_FLOAT", "i: 3"), "TFG008", "the node 'x' is not a valid Placeholder: its attribute 'dtype' is not a type"),
        (X.replace('"x"', '"a b"'), "TFG008", "the node 'a b' is not a valid Placeholder: TensorFlow does not allow the name 'a b'"),
        (X + relu("y", "x", op="Foo"), "TFG009", "g.pbtxt uses ops that TensorFlow does not have: Foo"),
        (X + X.replace('"x"', '"z"').replace("attr", 'device: "/what" attr'), "TFG008", "'/what' is not a device"),
        (X.replace("type: DT_FLOAT", "type: DT_FLOAT_REF"), "TFG008", "its attribute 'dtype' is not a type"),
        (X.replace("} }\n", '} attr { key: "shape" value { shape { dim { size: -2 } } } } }\n'), "TFG008", "its attribute 'shape' is not a shape"),
        (ROW + relu("y", "x", "x", op="MatMul"), "TFG014", "TensorFlow refuses the graph in g.pbtxt: Shape must be rank 2 but is rank 1"),
        (X + "node { nam }", "TFG002", "line 2"),
        ("hello\n", "TFG002", "it is another kind of text"),
        ('model_checkpoint_path: "m"\n', "TFG003", "g.pbtxt is the list of a folder's checkpoints, not a graph"),
    ],
)  # fmt: skip
def test_broken_graphs(here, text, code, said):
    (here / "g.pbtxt").write_text(text)
    found, headline, _ = refused("g.pbtxt")
    assert found == code and said in headline


def test_a_constant_that_is_larger_than_its_file(here):
    (here / "bomb.pbtxt").write_text(
        'node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value" value { tensor '
        "{ dtype: DT_FLOAT tensor_shape { dim { size: 99999999 } dim { size: 99999999 } } float_val: 1 } } } }\n"
    )
    code, headline, _ = refused("bomb.pbtxt")
    assert code == "TFG008" and "its attribute 'value' is not a tensor" in headline


def test_other_files(here):
    checkpoint(dense(), "model.ckpt")
    np.savez("weights.npz", w=np.zeros(2))
    with zipfile.ZipFile("model.keras", "w") as file:
        file.writestr("config.json", "{}")
        file.writestr("model.weights.h5", "")
    (here / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (here / "model.onnx").write_bytes(b"\x08\x07\x12\x07pytorch\x3a\x02\x0a\x00\x42\x02\x10\x0d" + b"\x42\x02\x10\x0e")
    (here / "model.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(50))
    (here / "program.tfg").write_text("placeholder x: float32\n")
    (here / "folder").mkdir()
    for path, what in [
        ("model.ckpt.index", "the index of a checkpoint"),
        ("model.ckpt.data-00000-of-00001", "the values of a checkpoint"),
        ("checkpoint", "the list of a folder's checkpoints"),
        ("weights.npz", "a zip archive"),
        ("model.keras", "a Keras model"),
        ("model.h5", "a Keras model or its weights in HDF5"),
        ("model.onnx", "a model in ONNX"),
        ("model.tflite", "a model of TensorFlow Lite"),
        ("program.tfg", "a program"),
        ("folder", "a folder"),
    ]:
        code, headline, help = refused(path)
        assert (code, headline) == ("TFG003", f"{path} is {what}, not a graph") and help
    assert refused("none.ckpt")[0] == "TFG808"
    assert refused("model.ckpt.meta", checkpoint="none")[:2] == ("TFG012", "there is no checkpoint none")


def test_a_truncated_and_a_large_file(here):
    path = written(dense(), "graph.pb")
    data = (here / path).read_bytes()
    (here / "cut.pb").write_bytes(data[: len(data) // 2 + 1])
    code, headline, _ = refused("cut.pb")
    assert code == "TFG002" and re.search("it ends early", headline)
    assert refused(path, max_file=100)[:2] == ("TFG841", "graph.pb has more than 100 bytes")


FUNCTION = """library { function {
  signature { name: "f" input_arg { name: "x" type: DT_FLOAT } output_arg { name: "y" type: DT_FLOAT } }
  ret { key: "y" value: "r:activations:0" }
  node_def { name: "r" op: "Relu" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
} }
"""


def test_functions():
    found = text_format.Parse(X + FUNCTION, GraphDef())
    function = graph_functions(found.library, OpDefs(found.library))["f"]
    assert function.inputs == {"x": ("float32", {})} and function.outputs == {"y": Endpoint("r")}
    assert function.nodes["r"].inputs == (Endpoint("x"),)
    for change in (
        FUNCTION.replace('input: "x"', 'input: "z"'),
        FUNCTION.replace('input: "x"', 'input: "r:activations:0"'),
        FUNCTION.replace('input: "x"', 'input: "x" input: "^q"'),
        FUNCTION.replace("r:activations:0", "r:nothing:0"),
        FUNCTION.replace("r:activations:0", "r"),
        FUNCTION.replace('attr { key: "T" value { type: DT_FLOAT } }', ""),
    ):
        damaged = text_format.Parse(X + change, GraphDef()).library
        with pytest.raises(TfgError) as caught:
            graph_functions(damaged, OpDefs(damaged))
        assert [one.code for one in caught.value.diagnostics] == ["TFG015"]
