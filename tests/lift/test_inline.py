"""Calls of functions are replaced with the nodes of the functions."""

import numpy as np
import pytest
from google.protobuf import text_format

from tfdsl.access import Access
from tfdsl.diagnostics import TfgError
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.inline import inlined
from tfdsl.lift.read import graph_def_of, graph_of, read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source


def verified(saved):
    """The source of a graph, after a check that it computes the same bits."""
    lifted = lift_readable(saved)
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs(access=Access("lifted.tfg")))
    report = Verifier(saved, lifted, compiled, shapes={}, seed=1).verify()
    assert report.is_same and report.unequal == [] and report.left_out == {}
    return lifted.source.partition("\n")[2]


def saved(build):
    with tf.Graph().as_default() as graph:
        build()
    return graph_of(graph.as_graph_def())


@tf.function(autograph=False)
def dense(x, w):
    return tf.nn.relu(x @ w)


@tf.function(autograph=False)
def twice(x):
    return x * 2.0, x + 1.0


@tf.function(autograph=False)
def nested(x):
    double, more = twice(x)
    return double - more


def one_call():
    x = v1.placeholder(tf.float32, [None, 2], "x")
    tf.reduce_sum(dense(x, tf.constant([[1.0, 2.0], [3.0, 4.0]])), name="total")


ONE_CALL = """\
placeholder x: float32[?, 2]
Relu = relu(x @ [[1.0, 2.0], [3.0, 4.0]])
total = reduce_sum(Relu)
"""


def several_calls():
    """Nested calls, a function that is called twice, and a result that nothing uses."""
    x = v1.placeholder(tf.float32, [2], "x")
    first = nested(x)
    double, _ = twice(first)
    tf.negative(double, name="result")


SEVERAL_CALLS = """\
placeholder x: float32[2]
sub = x * 2.0 - (x + 1.0)
mul = sub * 2.0
twice_1_add = sub + 1.0
result = -mul
"""


def writing():
    """A function with an effect that waits for other nodes and that other nodes wait for."""
    w = v1.get_variable("w", initializer=1.0)
    ready = v1.assign(v1.get_variable("ready", initializer=0.0), 1.0, name="set")

    @tf.function(autograph=False)
    def add(x):
        w.assign_add(x, read_value=False)
        return x * 3.0

    with tf.control_dependencies([ready]):
        more = add(tf.constant(2.0))
    with tf.control_dependencies([more]):
        tf.add(w, more, name="after")


def loop():
    x = v1.placeholder(tf.float32, [2], "x")
    _, total = tf.while_loop(lambda i, _: i < 5, lambda i, total: (i + 1, total * 0.5 + x), [0, x], name="steps")
    tf.identity(total, name="total")


LOOP = """\
placeholder x: float32[2]
i = 0
i_1 = 0
state = x
while i_1 < 5:
    i, i_1, state = i + 1, i_1 + 1, state * 0.5 + x
total = identity(state)
"""

SOURCES = {one_call: ONE_CALL, several_calls: SEVERAL_CALLS, loop: LOOP}


@pytest.mark.parametrize("build", SOURCES)
def test_source(here, build):
    assert verified(saved(build)) == SOURCES[build]


def chosen():
    x, flag = v1.placeholder(tf.float32, [2], "x"), v1.placeholder(tf.bool, [], "flag")
    y = tf.cond(flag, lambda: x * 2.0, lambda: tf.cond(x[0] > 0.0, lambda: x - 1.0, lambda: tf.exp(x)))
    tf.add(y, 1.0, name="y")


def chosen_writes():
    """Branches with effects, in a function."""
    w = v1.get_variable("w", initializer=1.0)

    @tf.function(autograph=False)
    def change(flag, x):
        tf.cond(flag, lambda: w.assign(x, read_value=False), lambda: w.assign_add(2.0, read_value=False))
        return w * 2.0

    y = change(v1.placeholder(tf.bool, [], "flag"), v1.placeholder(tf.float32, [], "x"))
    tf.identity(y, name="y")


@pytest.mark.parametrize("build", [one_call, several_calls, writing, loop, chosen, chosen_writes])
def test_the_graph_without_calls_computes_the_same(build):
    """TensorFlow can run the graph, and no call is left in it."""
    original = saved(build)
    flat = inlined(original)
    names = {"x": np.array([0.5, 2.0], np.float32), "flag": np.array(True)}
    if build is chosen_writes:
        names["x"] = np.array(3.0, np.float32)
    if build is one_call:
        names["x"] = np.array([[0.5, 2.0]], np.float32)
    outputs = [name for name in ("total", "result", "after", "y") if name in original.nodes]
    values = []
    for one in (original, flat.graph):
        with tf.Graph().as_default() as graph, v1.Session() as session:
            v1.import_graph_def(graph_def_of(one), name="")
            variables = [node.name for node in graph.get_operations() if node.type == "AssignVariableOp"]
            session.run([name for name in variables if name.endswith("/Assign")])
            feeds = {f"{name}:0": value for name, value in names.items() if name in original.nodes}
            values.append([session.run(f"{name}:0", feeds).tolist() for name in outputs])
    assert outputs and values[0] == values[1]
    assert not any(node.op.endswith(("Call", "If", "While")) for node in flat.graph.nodes.values())


class Model(tf.Module):
    """A layer that is called twice, and a variable that only the checkpoint has."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="w")
        self.steps = tf.Variable(0, name="steps")

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def layer(self, x):
        return tf.nn.relu(x @ self.w)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def __call__(self, x):
        return {"y": self.layer(self.layer(x))}


MODEL = """\
variable w: float32[2, 2] = 0
placeholder serving_default_x: float32[?, 2]
Relu = relu(relu(serving_default_x @ w) @ w)
"""


def test_a_model_of_tensorflow_2(here):
    model = Model()
    tf.saved_model.save(model, "model", signatures=model.__call__)
    source = verified(read_graph("model"))
    code = "".join(f"{line}\n" for line in source.splitlines() if not line.startswith("#"))
    assert code.partition("signature")[0] == MODEL
    assert "# left out: steps, which the graph only saves and restores\n" in source


RECURSIVE = """
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }
node {
  name: "y" op: "PartitionedCall" input: "x"
  attr { key: "Tin" value { list { type: DT_FLOAT } } } attr { key: "Tout" value { list { type: DT_FLOAT } } }
  attr { key: "f" value { func { name: "f" } } }
}
library {
  function {
    signature { name: "f" input_arg { name: "x" type: DT_FLOAT } output_arg { name: "z" type: DT_FLOAT } }
    node_def {
      name: "again" op: "PartitionedCall" input: "x"
      attr { key: "Tin" value { list { type: DT_FLOAT } } } attr { key: "Tout" value { list { type: DT_FLOAT } } }
      attr { key: "f" value { func { name: "f" } } }
    }
    ret { key: "z" value: "again:output:0" }
  }
}
"""


def test_a_function_that_calls_itself_is_refused():
    """TensorFlow would end the process."""
    with pytest.raises(TfgError, match="the function 'f' of the graph is damaged: it calls itself"):
        graph_of(text_format.Parse(RECURSIVE, v1.GraphDef()))


def test_a_call_of_a_function_that_the_graph_does_not_have_stays():
    text = RECURSIVE.replace('func { name: "f" }', 'func { name: "g" }')
    graph = graph_of(text_format.Parse(text, v1.GraphDef()))
    assert inlined(graph).graph is graph and "raw.PartitionedCall(" in lift_readable(graph).source
