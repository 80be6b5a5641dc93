"""A fold that is wrong somewhere is undone there, and nowhere else."""

import contextlib
import importlib
import io
import json
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from conftest import some
from graph_files import written

import tfdsl
from tfdsl.access import Access
from tfdsl.cli import lift as cli_lift
from tfdsl.cli import main
from tfdsl.driver import Compiled, compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift import readable
from tfdsl.lift.draft import CallPiece, Given, Produced, StepPiece
from tfdsl.lift.expression_text import ExpressionText
from tfdsl.lift.folds import shapes
from tfdsl.lift.folds.optimizers import fold_optimizers
from tfdsl.lift.graph import Endpoint
from tfdsl.lift.proof import Prover
from tfdsl.lift.read import graph_of
from tfdsl.lift.unfolded import ALL_FOLDED, Unfolded, UnfoldedPart, unfolded_json, unfolded_of
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.program import Node
from tfdsl.record import replace
from tfdsl.source import Source


def network():
    """Two layers and an optimizer."""
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        w = v1.get_variable("w", initializer=np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2))
        first = tf.nn.relu(x @ w, name="first")
        second = tf.nn.relu(tf.reshape(first, [tf.size(first)]) - 0.1, name="second")
        loss = tf.reduce_mean(tf.square(second), name="loss")
        v1.train.GradientDescentOptimizer(0.1).minimize(loss, name="train")
    return graph


RIGHT = """\
placeholder x: float32[?, 3]
variable w = [[-1.0, -0.6], [-0.2, 0.2], [0.6, 1.0]]
first = relu(x @ w)
second = relu(reshape(first, [size(first)]) - 0.1)
loss = reduce_mean(square(second))
optimize loss with gradient_descent(learning_rate=0.1) as train
"""


def fold_relus(draft):
    """A fold that takes some nodes by mistake."""
    for node in list(draft.nodes("Relu")):
        callee = WRONG.get(node.name, "relu")
        given = (("features", Produced(draft.end(node.inputs[0]))),)
        draft.claim(CallPiece(node.name, (Endpoint(node.name),), node.controls, callee=callee, arguments=given))


WRONG = {}


@pytest.fixture
def wrong(monkeypatch):
    """The calls that the fold makes, by node. The test fills them in."""
    monkeypatch.setattr(readable, "FOLDS", (fold_relus, *readable.FOLDS))
    WRONG.clear()
    return WRONG


def proved(graph):
    """The unfolded parts, the program with them, and its report."""
    saved = graph_of(graph.as_graph_def())

    def compare(original, lifted, source):
        compiled = compile_source(source, CompileInputs(access=Access("lifted.tfg")))
        return Verifier(original, lifted, compiled, shapes={}, seed=1).verify()

    unfolded = Prover(saved, "arrays.npz", compare).unfolded()
    made = readable.lift_readable(saved, "arrays.npz", unfolded)
    return unfolded, made, compare(saved, made, Source("lifted", made.source))


def code(made):
    """The source without its first line."""
    return made.source.partition("\n")[2]


def test_what_is_right_is_folded(here, wrong):
    unfolded, made, report = proved(network())
    assert unfolded == ALL_FOLDED and code(made) == RIGHT and report.is_same


@pytest.mark.parametrize(
    ("callee", "reason"),
    [
        ("softplus", "it differs by up to 0.641"),
        ("crelu", "it differs in shape or dtype"),
        ("no_such_op", "it does not compile: there is no name 'no_such_op'"),
        ("relu relu", "it does not compile: did not expect 'relu' here"),
    ],
)
def test_only_what_is_wrong_stays(here, wrong, callee, reason):
    wrong["first"] = callee
    unfolded, made, report = proved(network())
    (part,) = unfolded.parts
    assert (part.fold, part.nodes, part.form) == ("fold_relus", {"first"}, callee) and part.reason.startswith(reason)
    comment = f"# {part}\n"
    assert code(made) == RIGHT.replace("first = relu(", f"{comment}first = relu(") and report.is_same


def test_two_that_are_wrong(here, wrong):
    wrong.update(first="softplus", second="elu")
    unfolded, made, report = proved(network())
    assert [part.nodes for part in unfolded.parts] == [{"first"}, {"second"}] and report.is_same
    assert "".join(f"{line}\n" for line in code(made).splitlines() if line[0] != "#") == RIGHT


def test_a_wrong_number_computed_while_lifting(here, monkeypatch):
    monkeypatch.setitem(shapes._COMPUTE, "Sub", lambda node, values: values[0] - values[1] - 1)
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [2, 3], "x")
        tf.reduce_sum(x, axis=tf.rank(x) - 1, name="sums")
    _, made, report = proved(graph)
    assert report.is_same and code(made) == (
        "placeholder x: float32[2, 3]\n"
        "# stays as it was: as 0, sums differs in shape or dtype\n"
        "sub = subtract(2, 1)\n"
        "sums = raw.Sum(input=x, reduction_indices=sub)\n"
    )


def fold_steps(draft):
    """Optimizers with a wrong learning rate."""
    fold_optimizers(draft)
    for name, piece in draft.pieces.items():
        if isinstance(piece, StepPiece):
            draft.pieces[name] = replace(piece, arguments=(("learning_rate", Given(0.2, "float32")),))


def test_a_wrong_step(here, monkeypatch):
    """Only the gradients are written as they are in the graph."""
    folds = tuple(fold_steps if fold is fold_optimizers else fold for fold in readable.FOLDS)
    monkeypatch.setattr(readable, "FOLDS", folds)
    unfolded, made, report = proved(network())
    assert [part.fold for part in unfolded.parts] == ["fold_steps"] and report.is_same and report.updates > 0
    lines = [line.strip() for line in code(made).splitlines()]
    assert lines[:4] == RIGHT.splitlines()[:4] and "optimize loss" not in code(made)
    assert "raw.ResourceApplyGradientDescent(" in code(made)
    assert any(line.startswith("# stays as it was: as optimize with gradient_descent, it differs") for line in lines)


def test_what_is_only_wrong_when_nested(here, monkeypatch):
    """The precedence of an operator is forgotten."""
    monkeypatch.setattr(ExpressionText, "within", lambda self, level: self.text)
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [2], "x")
        tf.multiply(x + 1.0, 2.0, name="twice")
    unfolded, made, report = proved(graph)
    assert unfolded == Unfolded(is_apart=True) and report.is_same
    assert code(made).splitlines()[1:] == ["placeholder x: float32[2]", "add_1 = x + 1.0", "twice = add_1 * 2.0"]


def test_what_nothing_mends(here, monkeypatch):
    """If a value differs without a fold to blame, the program has a statement for each node."""
    monkeypatch.setattr(readable, "FOLDS", (*readable.FOLDS, turn_raw))
    unfolded, made, report = proved(network())
    assert unfolded == Unfolded(exact="first differs by up to 0.641") and report.is_same
    assert made.source.splitlines()[0].endswith("exactly")


def test_an_error_of_tensorflow(here, monkeypatch):
    """If TensorFlow raises any error while it builds the program, the program has a statement for each node."""
    saved, built = graph_of(network().as_graph_def()), []

    def compare(original, lifted, source):
        built.append(source)
        raise AssertionError("no gradient")

    unfolded = Prover(saved, "arrays.npz", compare).unfolded()
    assert unfolded.exact == "the readable form does not compile: AssertionError no gradient" and len(built) == 2


def test_a_step_without_gradients(here, monkeypatch):
    """An error that names no statement, from a step of an optimizer: only this step stays as it was."""
    built = Compiled.built

    def fails(compiled, graph=""):
        if any(isinstance(item, Node) and item.op == "optimize" for item in compiled.program.graph().items):
            raise AssertionError("no gradient\nand more")
        return built(compiled, graph)

    monkeypatch.setattr(Compiled, "built", fails)
    unfolded, made, report = proved(network())
    (part,) = unfolded.parts
    assert (part.fold, part.form) == ("fold_optimizers", "optimize with gradient_descent") and report.is_same
    assert part.reason == "it cannot be built: AssertionError no gradient" and not unfolded.exact
    assert f"# {part}\n" in made.source and "optimize " not in code(made).replace(f"# {part}", "")


def fold_fails(draft):
    draft.graph.nodes["nothing"]


def test_a_fold_that_fails(here, monkeypatch):
    monkeypatch.setattr(readable, "FOLDS", (*readable.FOLDS, fold_fails))
    unfolded, made, report = proved(network())
    assert unfolded == ALL_FOLDED and made.is_exact and report.is_same
    reason = "the readable form cannot be written: KeyError 'nothing'"
    assert made.notes[-1] == f"written node for node, because {reason}"


@pytest.mark.parametrize(("output", "callee"), some(
    product(("network.tfg", "-"), ("softplus(", "no_such_op")), [("network.tfg", "no_such_op"), ("-", "softplus(")]
))  # fmt: skip
def test_without_a_proof_the_program_compiles(here, capsys, wrong, callee, output):
    wrong["first"] = callee
    assert main(["lift", written(network(), here / "network.pb"), "-o", output]) == 0
    source = capsys.readouterr().out if output == "-" else Path(output).read_text(encoding="utf-8")
    assert f"# stays as it was: as {callee}, it does not compile: " in source
    assert "\nfirst = relu(x @ w)\n" in source
    tfdsl.compile(source).built()


def turn_raw(draft):
    piece = draft.pieces["first"]
    given = (("features", piece.arguments[0][1]),)
    draft.pieces["first"] = replace(piece, callee="raw.Softplus", arguments=given)


def test_constants_beside_a_program_that_compiles(here, capsys):
    """Another file of constants with the same name does not matter."""
    with tf.Graph().as_default() as graph:
        tf.matmul(v1.placeholder(tf.float32, [2, 5], "x"), np.linspace(-1, 1, 50, dtype=np.float32).reshape(5, 10))
    np.savez("program.npz", other=[1.0])
    assert main(["lift", written(graph, here / "graph.pb"), "-o", "program.tfg", "--overwrite"]) == 0
    assert "node for node" not in capsys.readouterr().err and "MatMul = x @ stored(" in Path("program.tfg").read_text()


def test_json():
    part = UnfoldedPart("fold_relus", frozenset({"b", "a"}), "relu", "it differs")
    unfolded = Unfolded((part,), is_apart=True, exact="it fails")
    assert unfolded_of(json.loads(json.dumps(unfolded_json(unfolded)))) == unfolded


def in_process(module, order, folder):
    """Carry out a request in this process."""
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as out:
        importlib.import_module(f"tfdsl.cli.{module}")._verify(**order)
    return subprocess.CompletedProcess([], 0, out.getvalue(), "")


def test_the_command(here, monkeypatch, capsys, wrong):
    """The command writes the program that computes the same."""
    monkeypatch.setattr(cli_lift, "carried_out", in_process)
    wrong["first"] = "softplus"
    path = written(network(), here / "network.pb")
    assert main(["lift", path, "--verify", "-o", "network.tfg"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("first stays as it was: as softplus, it differs by up to ")
    assert lines[1].startswith("the same bits in ")
    text = Path("network.tfg").read_text(encoding="utf-8")
    assert f"# {lines[0].removeprefix('first ')}\nfirst = relu(" in text and "softplus(" not in text
    assert main(["lift", path, "--verify", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["same"] and [part["nodes"] for part in report["unfolded"]["parts"]] == [["first"]]
