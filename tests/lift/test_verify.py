"""The comparison of a lifted program with its graph, on random numbers."""

import json
import os
import subprocess
import sys

import forked
import numpy as np
from graph_files import dense, written

from tfdsl.access import Access
from tfdsl.cli import main, orders
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.exact import lift_exact
from tfdsl.lift.read import graph_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.sides import CAN_WAIT, REACHES_OUT, Side
from tfdsl.lift.verify import Verifier, are_same, unequal
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source


def compared(graph, change=lambda source: source, **options):
    """The report on a graph and the program of its exact form, which `change` can change."""
    saved = graph_of(graph.as_graph_def())
    lifted = lift_exact(saved)
    compiled = compile_source(Source("lifted.tfg", change(lifted.source)), CompileInputs(access=Access("lifted.tfg")))
    return Verifier(saved, lifted, compiled, shapes=options.pop("shapes", {}), seed=1, **options).verify()


def training():
    """A layer with dropout, and an optimizer."""
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        w = v1.get_variable("w", [3, 2], initializer=v1.random_normal_initializer(seed=1), use_resource=False)
        y = v1.nn.dropout(x @ w, rate=0.5, seed=3)
        loss = tf.reduce_mean(tf.square(y), name="loss")
        v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, name="train")
        v1.global_variables_initializer()
    return graph


def test_the_same_bits(here):
    report = compared(dense())
    assert report.is_same and report.compared >= 6 and report.unequal == [] and report.failed == {}
    assert report.updates == 1 and report.variables == 1  # the initializer
    assert report.left_out == {}


def test_training_with_random_numbers(here):
    report = compared(training())
    assert report.is_same and report.unequal == [] and report.left_out == {}
    assert report.updates == 2 and report.variables == 2  # a step and the initializer; w and its momentum


def test_another_op_is_found(here):
    report = compared(dense(), lambda source: source.replace("raw.Relu(features=", "raw.Softplus(features="))
    assert not report.is_same
    names = [one.name for one in report.unequal]
    assert names == ["Relu", "y", "loss"] and report.unequal[0].relative > 0.01
    assert report.unequal[0].reason == "the graph computes it with Relu, the program with Softplus"


def test_another_attribute_is_found(here):
    report = compared(training(), lambda source: source.replace("value=0.1)", "value=0.2)"))
    assert not report.is_same and {one.name for one in report.unequal} >= {"w after train"}
    report = compared(dense(), lambda source: source.replace("value=[0, 1]", "value=[1]"))
    assert [one.difference for one in report.unequal if one.name == "loss"] == [float("inf")]


def test_what_fails_in_the_program_alone(here):
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None], name="x")
        tf.reshape(x, [-1, 2], name="pairs")
    report = compared(graph, lambda source: source.replace("value=[-1, 2]", "value=[-1, 3]"))
    assert list(report.failed) == ["pairs"] and not report.is_same
    report = compared(graph, shapes={"x": [3]})
    assert report.failed == {} and list(report.left_out.values()) == [["pairs"]]


def test_what_reaches_out_is_never_run(here):
    graph = tf.Graph()
    with graph.as_default():
        w = v1.get_variable("w", [2], use_resource=False)
        saver = v1.train.Saver([w])
        queue = v1.FIFOQueue(2, tf.float32)
        with tf.control_dependencies([graph.get_operation_by_name("save/control_dependency")]):
            tf.identity(w, name="after")
        tf.add(queue.dequeue(), 1.0, name="next")
    side = Side(graph.as_graph_def(), lambda side, names: None, "graph")
    found = side.obstacles([], frozenset())
    assert REACHES_OUT in found["after"] and REACHES_OUT in found[saver.saver_def.restore_op_name]
    assert CAN_WAIT in found["next"] and found["w"] == frozenset()


def test_what_a_function_reaches(here):
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def read(path):
        return tf.io.read_file(path)

    with tf.Graph().as_default() as graph:
        tf.identity(read(tf.constant("a")), name="content")
    found = Side(graph.as_graph_def(), lambda side, names: None, "graph").obstacles([], frozenset())
    assert REACHES_OUT in found["content"]


def test_one_by_one_and_without_some(here):
    running = []
    options = {"one_by_one": True, "running": lambda side, names: running.append((side, *names))}
    report = compared(dense(), avoid=frozenset({"matmul"}), **options)
    assert report.is_same and list(report.left_out) == ["ends the process of TensorFlow"]
    assert set(report.left_out["ends the process of TensorFlow"]) == {"matmul", "Relu", "y", "loss"}
    assert ("graph", "layer/w/read") in running and ("program", "layer/w/read") in running
    assert not any({"matmul", "y"} & set(names) for _, *names in running)


def test_differences():
    one = np.array([1.0, 2.0], np.float32)
    found = unequal("x", one, one + np.float32(1e-6), "why")
    assert 0 < found.difference < 2e-6 and found.relative == found.difference / 2 and found.is_rounding
    assert not unequal("x", one, one + np.float32(1e-6), "").is_rounding
    assert not unequal("x", one, one + 1, "why").is_rounding
    assert not unequal("x", one, np.array([1.0, np.nan], np.float32), "why").is_rounding
    assert not unequal("x", one, one.astype(np.float64), "why").is_rounding


# --- the command --------------------------------------------------------------------------------


def lift(*words):
    command = [sys.executable, "-m", "tfdsl", "lift", *words, "--exact", "--verify"]
    return forked.run(command, forks=True, capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"})


def test_the_command(here):
    path = written(dense(), here / "dense.pb")
    done = lift(path, "-o", "dense.tfg")
    assert (done.returncode, done.stdout) == (
        0, "the same bits in 7 of 7 tensors\nthe same bits in 1 of 1 variable, after 1 update\n"
    )  # fmt: skip
    assert done.stderr == f"10 nodes of {path} are in dense.tfg\n" and sorted(os.listdir(here)) == [
        "dense.pb",
        "dense.tfg",
    ]
    done = lift(path, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["same"] is True and (report["compared"], report["updates"]) == (7, 1)


class Processes:
    """Stands in for the processes that compare: each ends as one of `ends` says."""

    def __init__(self, *ends):
        self.ends, self.asked = list(ends), []

    def run(self, command, input, **options):
        order = json.loads(input)
        self.asked.append((order["one_by_one"], order["avoid"]))
        code, last = self.ends.pop(0)
        return subprocess.CompletedProcess(command, code, json.dumps(last) + "\n", "")


SAME = {
    "report": {
        "same": True,
        "compared": 1,
        "updates": 0,
        "variables": 0,
        "unequal": [],
        "failed": {},
        "left_out": {},
        "guessed": {},
        "made_up": [],
        "restored": 0,
        "renamed": {},
        "misnamed": [],
        "races": [],
    },
    "unfolded": {"parts": [], "apart": False, "exact": ""},
}


def test_a_graph_that_ends_the_process(here, monkeypatch, capsys):
    path = written(dense(), here / "dense.pb")
    dies = {"running": "graph", "names": ["matmul", "Relu"]}, {"running": "program", "names": ["matmul"]}
    processes = Processes((-6, dies[0]), (-6, dies[1]), (0, SAME))
    monkeypatch.setattr(orders.subprocess, "run", processes.run)
    assert main(["lift", path, "--exact", "--verify"]) == 0
    assert processes.asked == [(False, []), (True, []), (True, ["matmul"])]
    assert capsys.readouterr().out == "the same bits in 1 of 1 tensor\n"
    processes.ends = [(-11, {"running": "graph", "names": []})]
    assert main(["lift", path, "--exact", "--verify"]) == 1
    assert "error[TFG013]: TensorFlow ends the process that compares" in capsys.readouterr().err


def test_what_is_no_number_has_the_bits_of_the_graph(here):
    """NaN has a sign, too. Where bits cannot be written, all NaNs count as the same."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [2], "x")
        tf.multiply(x, tf.constant([float("nan"), -float("nan")]), name="y")
    saved = graph_of(graph.as_graph_def())
    lifted = lift_readable(saved)
    assert (
        "[(1e999 - 1e999), -(1e999 - 1e999)]" in lifted.source or "[-(1e999 - 1e999), (1e999 - 1e999)]" in lifted.source
    )
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs(access=Access("lifted.tfg")))
    consts = [tf.make_ndarray(one.get_attr("value")) for one in compiled.graph.get_operations() if one.type == "Const"]
    assert [one.tobytes() for one in consts] == [np.float32([float("nan"), -float("nan")]).tobytes()]
    assert Verifier(saved, lifted, compiled, shapes={}, seed=1).verify().is_same


def test_values_that_are_no_numbers_are_the_same():
    nan, other = np.float32([1.0, float("nan")]), np.float32([1.0, -float("nan")])
    assert are_same(nan, other) and not are_same(np.float32([0.0, float("nan")]), np.float32([-0.0, float("nan")]))
    assert not are_same(np.float32([1.0]), np.float32([float("nan")])) and not are_same(np.int32([1]), np.int32([2]))


def test_undefined_outputs_are_not_compared(here):
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [2, 2], "x")
        tf.identity(tf.linalg.eigvalsh(x + tf.transpose(x)), name="values")
    report = compared(graph)
    assert report.is_same and report.compared == 5
