"""`tfdsl lift`: what it writes, where, and what is wrong use."""

import subprocess

import forked
import numpy as np
import pytest
from graph_files import dense, written

from tfdsl.cli import main
from tfdsl.lowering.tf import tf, v1

RELU = """\
# lifted from relu.pbtxt, 2 nodes, exactly

graph_version 0

x = raw.Placeholder(dtype=float32) as "x"
_a_y = raw.Relu(features=x) as "a/y"
"""


UNPROVED = "note: not proved yet: with --verify, lift compares the program with the graph\n"


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
    assert (said.out, said.err) == (RELU, UNPROVED)


def test_a_file(relu, capsys):
    assert main(["lift", "relu.pbtxt", "--exact", "-o", "relu.tfg"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"2 nodes of relu.pbtxt are in relu.tfg\n{UNPROVED}")
    assert (relu / "relu.tfg").read_text() == RELU and not (relu / "relu.npz").exists()
    assert main(["lift", "relu.pbtxt", "--exact", "-o", "relu.tfg"]) == 2
    assert capsys.readouterr().err == "tfdsl: relu.tfg exists already; --overwrite replaces it\n"
    assert main(["lift", "relu.pbtxt", "--exact", "-o", "relu.tfg", "--overwrite", "--outputs", "x"]) == 0
    assert (relu / "relu.tfg").read_text() == RELU.replace("2 nodes", "1 nodes").replace("x = ", "_x = ").rpartition(
        "_a_y"
    )[0]


def test_large_constants(large, here, capsys):
    assert main(["lift", "large.pb", "--exact", "-o", "out.tfg"]) == 0
    assert capsys.readouterr().err == f"2 nodes of large.pb are in out.tfg and out.npz\n{UNPROVED}"
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


def test_what_is_refused_before_the_work(relu, capsys):
    assert main(["lift", "relu.pbtxt", "-o", "none/relu.tfg"]) == 2
    assert capsys.readouterr().err == "tfdsl: none/relu.tfg cannot be written: there is no folder none\n"
    for words, code in (
        (["--shape", "z=2"], "TFG018"),
        (["--tags", "serve"], "TFG020"),
        (["--outputs", "z"], "TFG010"),
    ):
        assert main(["lift", "relu.pbtxt", "--verify", "-o", "relu.tfg", *words]) == 1
        assert f"error[{code}]" in capsys.readouterr().err and not (relu / "relu.tfg").exists()


@pytest.fixture(autouse=True)
def forks(monkeypatch):
    """`--verify` computes in another process, which need not import TensorFlow."""
    monkeypatch.setattr(subprocess, "Popen", forked.Popen)


@pytest.fixture
def waiting(here):
    """A graph with a shape that does not fit all sizes, a queue, and an op that reads a file."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None], "x")
        tf.reshape(x, [-1, 3], name="threes")
        tf.add(v1.FIFOQueue(2, tf.float32).dequeue(name="taken"), 1.0, name="more")
        tf.io.read_file(v1.placeholder(tf.string, [], "path"), name="text")
    return written(graph, here / "waiting.pb")


def test_what_is_not_compared(waiting, capfd):
    said = _verified(waiting, capfd, "--exact")
    assert "not compared: 2 results, such as taken: below an op that can wait for other threads\n" in said
    assert "not compared: 1 result, such as text: below an op that reaches outside the graph\n" in said
    assert "not compared: 1 result, such as threes: cannot be computed from these feeds: " in said
    assert said.endswith(
        "help: unknown sizes were chosen, as with --shape x=2; give the sizes that the graph was made for\n"
        "help: queues and readers are not run; without --exact, they become placeholders, which are fed\n"
    )
    said = _verified(waiting, capfd, "--shape", "x=6")
    assert "threes" not in said and "help" not in said and said.startswith("the same bits in 2 of 2 tensors\n"), said


def _verified(graph, capfd, *words):
    main(["lift", graph, "--verify", *words])
    return capfd.readouterr().out


def test_nothing_is_compared(here, capfd):
    with tf.Graph().as_default() as graph:
        tf.io.read_file(v1.placeholder(tf.string, [], "path"), name="text")
    said = _verified(written(graph, here / "file.pb"), capfd, "--exact")
    assert "nothing was compared, so nothing is proved\n" in said


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
