"""`tfdsl lift`: what it writes, where, and what is wrong use."""

import numpy as np
import pytest
from graph_files import dense, written

from tfdsl.cli import main
from tfdsl.lowering.tf import tf

RELU = """\
# lifted from relu.pbtxt, 2 nodes, exactly

graph_version 0

x = raw.Placeholder(dtype=float32) as "x"
_a_y = raw.Relu(features=x) as "a/y"
"""


@pytest.fixture
def relu(here):
    (here / "relu.pbtxt").write_text(
        'node { name: "a/y" op: "Relu" input: "x" attr { key: "T" value { type: DT_FLOAT } } }\n'
        'node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }\n'
    )
    return here


@pytest.fixture
def large(here):
    graph = tf.Graph()
    with graph.as_default():
        tf.constant(np.arange(24, dtype=np.float32).reshape(4, 6), name="a/large")
        tf.constant([1.5, float("inf")], name="small")
    return written(graph, here / "large.pb")


def test_source_on_standard_output(relu, capsys):
    assert main(["lift", "relu.pbtxt", "--exact"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == (RELU, "")


def test_a_file(relu, capsys):
    assert main(["lift", "relu.pbtxt", "--exact", "-o", "relu.tfg"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "2 nodes of relu.pbtxt are in relu.tfg\n")
    assert (relu / "relu.tfg").read_text() == RELU and not (relu / "relu.npz").exists()
    assert main(["lift", "relu.pbtxt", "--exact", "-o", "relu.tfg"]) == 2
    assert capsys.readouterr().err == "tfdsl: relu.tfg exists already; --overwrite replaces it\n"
    assert main(["lift", "relu.pbtxt", "--exact", "-o", "relu.tfg", "--overwrite", "--outputs", "x"]) == 0
    assert (relu / "relu.tfg").read_text() == RELU.replace("2 nodes", "1 nodes").replace("x = ", "_x = ").rpartition(
        "_a_y"
    )[0]


def test_large_constants(large, here, capsys):
    assert main(["lift", "large.pb", "--exact", "-o", "out.tfg"]) == 0
    assert capsys.readouterr().err == "2 nodes of large.pb are in out.tfg and out.npz\n"
    with np.load("out.npz") as arrays:
        assert arrays.files == ["a/large"] and arrays["a/large"].tobytes() == np.arange(24, dtype=np.float32).tobytes()
    assert '_a_large = stored("a/large", from="out.npz") as "a/large"' in (here / "out.tfg").read_text()
    before = (here / "out.npz").read_bytes()
    (here / "out.tfg").unlink()
    assert main(["lift", "large.pb", "--exact", "-o", "out.tfg"]) == 2
    assert capsys.readouterr().err == "tfdsl: out.npz exists already; --overwrite replaces it\n"
    assert main(["lift", "large.pb", "--exact", "-o", "out.tfg", "--overwrite"]) == 0
    assert (here / "out.npz").read_bytes() == before
    capsys.readouterr()
    assert main(["lift", "large.pb", "--exact"]) == 0
    source = capsys.readouterr().out
    assert "23.0" in source and "stored" not in source and "1e999" in source
    assert main(["lift", "large.pb", "--exact", "--constants", "beside"]) == 2


def test_notes_and_errors_go_to_standard_error(relu, capsys):
    (relu / "bad.pbtxt").write_text("nothing\n")
    assert main(["lift", "bad.pbtxt", "--exact"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("error[TFG002]: bad.pbtxt is not a graph")
    for words in (["none.pb"], ["relu.pbtxt", "--max-file-size", "10"]):
        assert main(["lift", *words, "--exact"]) == 1
        assert "TFG8" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--outputs", "a,,b"], ["--constants", "nowhere"], ["--max-file-size", "0"]])
def test_wrong_use(relu, words):
    with pytest.raises(SystemExit) as ended:
        main(["lift", "relu.pbtxt", "--exact", *words])
    assert ended.value.code == 2


def test_a_graph_with_variables(here, capsys):
    written(dense(), here / "dense.pb")
    assert main(["lift", "dense.pb", "--exact"]) == 0
    source = capsys.readouterr().out
    assert 'layer_w_read = raw.Identity(input=layer_w, _class=["loc:@layer/w"]) as "layer/w/read"\n' in source
    assert 'raw.MatMul(a=x, b=layer_w_read) as "matmul"\n' in source


def test_dump_lists_the_ops_of_a_graph(relu, capsys):
    assert main(["dump", "--stage", "graph", "relu.pbtxt"]) == 0
    assert capsys.readouterr().out == "a/y = Relu(x) -> float32[...]\nx = Placeholder() -> float32[...]\n"
    for words in (["--stage", "tree"], ["--stage", "graph", "--graph", "g"]):
        assert main(["dump", "relu.pbtxt", *words]) == 2
        assert "relu.pbtxt is a graph: print it with --stage graph" in capsys.readouterr().err


def test_a_graph_given_as_a_program(here, capsys):
    for name in ("a.meta", "a.pb", "a.pbtxt"):
        assert main(["summary", name]) == 2
        assert f"{name} is a graph, not a program: tfdsl lift {name}" in capsys.readouterr().err
