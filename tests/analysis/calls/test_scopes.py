"""Scopes as namespaces, compared with graphs built by hand and with the paths that TensorFlow gives."""

import numpy as np
import pytest
from conftest import some
from programs import MODELS
from tensorflow.compat import v1

import tfdsl
from tfdsl.program import Ref

NESTED = """
import nn
placeholder X: float32[n, 4]
dense_2 = X * 2.0
def block(x):
    scope inner:
        x = nn.dense(x, 4)
    return nn.dense(x, 4) as last
def pair(x): return block(block(x))
a = nn.dense(X, 4)
b = nn.dense(a, 4)
c = nn.dense(b, 4)
ds = [block(c) for i in range(3)]
scope Block: e = block(ds[0])
scope block: f = pair(e) as block
scope block: g = pair(f)
for i in range(3): g = nn.dense(g, 4)
"""


# The graph of one model is large and has two variables.
PROGRAMS = [*(path for path in MODELS if path.stem != "autodiff_passes"), NESTED]


@pytest.mark.parametrize(
    "program",
    some(PROGRAMS, [one for one in PROGRAMS[::3] if getattr(one, "stem", "") != "transformer"]),
    ids=lambda one: getattr(one, "stem", "nested"),
)
def test_every_variable_is_reached_by_the_path_that_tensorflow_gives_it(program):
    compiled = tfdsl.compile(program)
    for graph in compiled.program.graphs:
        made = compiled.built(graph.name)
        for node in graph.variables():
            variable = made.value(Ref(node.id))
            if node.is_shared or node.name == "global_step" or not node.given_name.isascii():
                continue
            dotted = variable.op.name.replace("/", ".")
            assert compiled[f"{graph.name}.{dotted}" if graph.name else dotted] is variable


def test_two_calls_share_their_variables_as_by_hand():
    compiled = tfdsl.compile(
        """
import nn
placeholder X: float32[n, 4]
def critic(x):
    h = nn.dense(x, 5, activation=tanh, initializer=random_normal(stddev=0.5, seed=1))
    return nn.dense(h, 1, initializer=random_normal(stddev=0.5, seed=2))
real = critic(X) as critic
fake = critic(X * 2.0) as critic reuse
error = real - fake as "loss/error"
"""
    )
    X = np.arange(8, dtype=np.float32).reshape(2, 4) / 8
    with compiled.session() as session:
        first, second, error = session.run(["real", "fake", "error"], {"X": X})
        assert len(compiled.graph.get_collection("variables")) == 4
        again = session.run("real", {"X": 2 * X})
    np.testing.assert_array_equal(second, again)
    np.testing.assert_array_equal(error, first - second)
    assert compiled["error"].op.name == "loss/error"
    assert compiled["critic_1.dense.kernel"] is compiled["critic.dense.kernel"]
    assert compiled["fake"].op.name.startswith("critic_1/")


@pytest.mark.parametrize(
    ("value", "op"),
    [
        ("a + 1.0", "AddV2"), ("reduce_mean(a)", "Mean"), ("a[0]", "StridedSlice"), ("softmax(a)", "Softmax"),
        ("random_normal([3])", None), ("dropout(a, rate=0.5)", None), ("split(a, 2)", "Split"),
        ("assign_add(v, 1.0)", None), ("constant([1.0, 2.0])", "Const"), ("raw.Roll(input=a, shift=1, axis=0)", "Roll"),
        ("cast(a, int32)", "Cast"),
    ],
)  # fmt: skip
def test_a_node_has_the_name_that_it_is_given(value, op):
    compiled = tfdsl.compile(
        f"""
variable v = 1.0
scope around:
    a = constant([1.0, 2.0, 3.0, 4.0])
    error = a * 2.0
    named = {value} as "around/error_1"
    later = a * 3.0
"""
    )
    graph = compiled.graph
    made = graph.get_operation_by_name("around/error_1")
    assert op in (None, made.type)
    named = compiled["named"]
    first = named[0] if isinstance(named, list) else named
    assert first.op is made
    assert compiled["later"].op.name == "around/later"


def test_several_ops_have_no_name_together():
    with pytest.raises(tfdsl.TfgError) as error:
        tfdsl.compile('a = constant([1.0, 2.0])\nmean, variance = moments(a, axes=[0]) as "m"\n').graph.as_graph_def()
    assert [one.code for one in error.value.diagnostics] == ["TFG320"]


def test_a_name_that_tensorflow_would_give_is_left_to_the_node_that_has_it():
    graph = tfdsl.compile('a = constant(1.0)\nb = square(a + 2.0)\nc = a * 3.0 as "add"\n').graph
    assert {name: graph.get_operation_by_name(name).type for name in ("add", "add_1")} == {
        "add": "Mul",
        "add_1": "AddV2",
    }


def test_a_declared_node_has_its_whole_name():
    compiled = tfdsl.compile(
        """
scope around:
    placeholder X: float32[2] as "in/X"
    placeholder keep: float32 = 1.0 as "in/keep"
    variable w = zeros([2]) as "net/w"
    shared s = 2.0 as "net/s"
y = X * w * s * keep
"""
    )
    with v1.Session(graph=compiled.graph) as session:
        session.run(v1.global_variables_initializer())
    names = {variable.op.name for variable in compiled.graph.get_collection("variables")}
    assert names == {"net/w", "net/s"}
    assert compiled["X"].op.name == "in/X"
    assert compiled["keep"].op.name == "in/keep"


@pytest.mark.parametrize("made", ["optimize w ** 2.0 with adam()", "apply gradients(w ** 2.0, [w]) to w with adam()"])
@pytest.mark.parametrize("bound", ["", " as step"])
def test_a_step_has_its_whole_name(made, bound):
    """All variables are called as in a scope of names of TensorFlow 1."""
    session = f"session:\n    {'run step' if bound else 'train 1 step:'}{'' if bound else ' print w'}\n    print w\n"
    compiled = tfdsl.compile(f'variable w = 3.0\n{made}{bound} as "train/fit"\n{session}')
    with v1.Graph().as_default() as graph:
        w = v1.get_variable("w", initializer=3.0)
        with v1.name_scope("train"):
            v1.train.AdamOptimizer(0.01).minimize(w**2.0, name="fit")
    names = [{one.op.name for one in some.get_collection("variables")} for some in (compiled.graph, graph)]
    assert names[0] == names[1] == {"w", "w/Adam", "w/Adam_1", "train/beta1_power", "train/beta2_power"}
    step = compiled.graph.get_operation_by_name("train/fit")
    assert not bound or compiled["step"] is step
    assert compiled.run().printed[-1] == "2.99"


def test_a_name_is_bound_again_by_an_expression_that_uses_it():
    compiled = tfdsl.compile(
        """
x = constant(1.0)
scope one: x = x + 1.0
scope two:
    x = x * 10.0
    scope deep: x = x + 3.0
x = -x
def twice(x):
    x = x * 2.0
    return x
y = twice(x) as doubled
a, b = 1, 2
a, b = b, a
z = constant([a, b])
"""
    )
    wanted = {"x": -23, "one.x": 2, "two.x": 23, "two.deep.x": 23, "deep.x": 23, "doubled.x": -46, "y": -46}
    with compiled.session() as session:
        assert {name: session.run(name) for name in wanted if name != "deep.x"} == {
            name: value for name, value in wanted.items() if name != "deep.x"
        }
        assert session.run("z").tolist() == [2, 1]


def test_a_loop_carries_a_name_of_a_closed_scope():
    compiled = tfdsl.compile(
        """
scope start: x = constant(1.0)
i = constant(0)
while i < 3:
    scope body:
        x = x * 2.0
    i = i + 1
y = x
"""
    )
    with compiled.session() as session:
        assert session.run("y") == 8.0
