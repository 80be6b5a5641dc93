"""`tfdsl lift --as-variables`: a frozen graph can be trained on."""

import numpy as np
import pytest
from graph_files import written

import tfdsl
from tfdsl.access import Access
from tfdsl.cli import main
from tfdsl.diagnostics import TfgError
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.options import LiftOptions
from tfdsl.lift.read import graph_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source


def network():
    """Two layers, of which the first is normalized, and a scale."""
    x = v1.placeholder(tf.float32, [None, 3], "x")
    with v1.variable_scope("hidden", use_resource=False):
        kernel = v1.get_variable("kernel", [3, 2], initializer=v1.random_normal_initializer(seed=1))
        mean = v1.get_variable("moving_mean", [2], initializer=v1.zeros_initializer(), trainable=False)
        variance = v1.get_variable("moving_variance", [2], initializer=v1.ones_initializer(), trainable=False)
        pictures = tf.reshape(x @ kernel, [-1, 1, 1, 2])
        normalized, _, _ = v1.nn.fused_batch_norm(pictures, [1.0, 2.0], [0.5, 0.0], mean, variance, is_training=False)
        hidden = tf.nn.relu(tf.reshape(normalized, [-1, 2]) * 0.5)
    bias = v1.get_variable("bias", [], initializer=v1.ones_initializer(), use_resource=False)
    tf.add(tf.reduce_sum(hidden, 1), bias, name="y")


def frozen(build=network, *outputs):
    """The graph, with constants in place of its variables."""
    with tf.Graph().as_default() as graph, v1.Session() as session:
        build()
        session.run(v1.global_variables_initializer())
        return v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), outputs or ["y"])


def lifted(graph, *patterns):
    return lift_readable(graph, options=LiftOptions(as_variables=patterns))


def code(source):
    return [text.strip() for text in source.splitlines() if "variable " in text and text[0] != "#"]


def of_original(graph_def, rows):
    graph = tf.Graph()
    with graph.as_default():
        v1.import_graph_def(graph_def, name="")
    with v1.Session(graph=graph) as session:
        return session.run("y:0", {"x:0": rows})


def test_the_weights_are_variables(here):
    graph_def = frozen()
    graph = graph_of(graph_def)
    made = lifted(graph)
    assert code(made.source) == [
        "variable kernel = [[-0.8113182, 1.4845988], [0.06532937, -2.4427042], [0.0992484, 0.5912243]]",
        "variable moving_mean: float32[2] = zeros, trainable=false",
        "variable moving_variance = [1.0, 1.0], trainable=false",
        "variable bias = 1.0",
    ]
    assert made.notes[0].startswith("4 constants are variables: ")
    assert made.notes[1] == "averages, which are not trained: hidden/moving_mean, hidden/moving_variance"
    compiled = compile_source(Source("lifted.tfg", made.source), CompileInputs(access=Access("lifted.tfg")))
    report = Verifier(graph, made, compiled, shapes={}, seed=1).verify()
    assert report.is_same and report.unequal == [] and report.left_out == {} and report.compared > 6


def test_it_trains_on(here):
    graph_def = frozen()
    rows = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0], [0.0, 1.0, -1.0]], np.float32)
    source = lifted(graph_of(graph_def)).source + (
        "placeholder wanted: float32[?]\nloss = reduce_mean(square(y - wanted))\noptimize loss with adam(learning_rate=0.1) as step\n"
    )
    with tfdsl.compile(source).session() as session:
        before = session.run("y", feed={"x": rows})
        np.testing.assert_array_equal(before, of_original(graph_def, rows))
        given = {"x": rows, "wanted": before + 1.0}
        for _ in range(50):
            session.run("step", feed=given)
        after = session.run(["y", "hidden.kernel", "bias", "hidden.moving_variance"], feed={"x": rows})
    assert np.abs(after[0] - given["wanted"]).max() < 0.5
    assert after[2] > 1.0 and after[3].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["bias"], ["bias"]),
        (["hidden/k*"], ["kernel"]),
        (["*"], ["bias", "kernel", "moving_mean", "moving_variance"]),
        (["hidden/mul/y", "bias"], ["bias", "mul_y"]),  # a number that was never a variable, by its name
    ],
)
def test_names(patterns, names):
    variables = code(lifted(graph_of(frozen()), *patterns).source)
    assert sorted(text.split()[1].rstrip(":") for text in variables) == sorted(names)


def test_a_graph_without_reads():
    """Tools that make graphs smaller remove the identities of former variables. Then constants with an axis count."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        tf.reduce_sum(tf.matmul(x, [[1.5], [2.5]]) * 3.0, axis=[1], name="y")
    source = lifted(graph_of(graph.as_graph_def())).source
    assert code(source) == ['variable b = [[1.5], [2.5]] as "MatMul/b"']


def numbers():
    x = v1.placeholder(tf.float32, [None], "x")
    tf.add(x * 2.0, tf.cast(tf.size(x, name="length"), tf.float32), name="y")


@pytest.mark.parametrize(
    ("build", "patterns", "code", "help"),
    [
        (network, ["hidden/kernal"], "TFG017", "did you mean 'hidden/kernel'?"),
        (network, ["*weights*"], "TFG017", ""),
        (network, ["x"], "TFG017", ""),
        (numbers, [], "TFG016", "lift it without --as-variables; or name a constant, as in --as-variables scale"),
    ],
)
def test_what_is_refused(build, patterns, code, help):
    with pytest.raises(TfgError) as caught:
        lifted(graph_of(frozen(build)), *patterns)
    (one,) = caught.value.diagnostics
    assert (one.code, one.help or one.message.help) == (code, help)


def test_command(here, capsys):
    with tf.Graph().as_default() as graph:
        v1.import_graph_def(frozen(), name="")
    written(graph, here / "frozen.pb")
    assert main(["lift", "frozen.pb", "--as-variables"]) == 0
    assert "scope hidden:" in capsys.readouterr().out
    assert main(["lift", "frozen.pb", "--as-variables", "bias,hidden/kernel"]) == 0
    assert capsys.readouterr().out.count("variable ") == 2
    assert main(["lift", "frozen.pb", "--as-variables", "--exact"]) == 2
    assert "--as-variables belongs to the readable form" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["lift", "--as-variables", "frozen.pb"])
    assert "'frozen.pb' would be a name here: put GRAPH before --as-variables" in capsys.readouterr().err
