"""Python functions as ops: `tfdsl.compile(text, ops={"smooth": smooth})`."""

import os
import re
from collections import namedtuple

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from tensorflow.compat import v1

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.driver import Compiled
from tfdsl.program.serialize import from_yaml, to_yaml
from tfdsl.runtime.options import Options


def scaled(x, k=2, *, offset=0.0):
    return x * k + offset


def printed(text, ops):
    return tfdsl.compile(text, ops=ops).run().printed


def codes(raised):
    return [d.code for d in raised.value.diagnostics]


# --- arguments and results ----------------------------------------------------------------------


def test_arguments_are_tensors_and_values():
    seen = []

    def note(x, number, flag, text, items, shape, dtype, nothing, mixed, *rest, **named):
        seen.append((number, flag, text, items, shape, dtype, nothing, rest, named))
        assert isinstance(x, tf.Tensor) and isinstance(mixed[0], tf.Tensor) and mixed[1] == 1
        return tf.identity(x)

    text = """\
placeholder x: float32[n, 3]
param k = 5
y = note(x, k, true, "a", [1, [2.5]], [x.shape[1], 4], float64, none, [x, 1], "more", 7, extra=[k])
"""
    tfdsl.compile(text, ops={"note": note}).graph  # noqa: B018
    assert seen == [(5, True, "a", [1, [2.5]], [3, 4], "float64", None, ("more", 7), {"extra": [5]})] * 2


def test_a_variable_is_itself_and_data_is_a_tensor(here):
    np.savez("points.npz", features=np.float32([[1, 2], [3, 4]]))
    text = """\
data points = npz("points.npz")
variable w = [1.0, 1.0]
moved = move(w, points.features)
session:
    run moved
    print w
"""

    def move(variable, rows):
        assert isinstance(variable, tf.Variable) and isinstance(rows, tf.Tensor)
        return variable.assign_add(tf.reduce_sum(rows, axis=0)).op

    assert printed(text, {"move": move}) == ["[5. 7.]"]


def test_types_are_those_of_the_results():
    ops = {
        "scaled": scaled,
        "flat": lambda x: tf.reshape(x, [-1]),
        "both": lambda x: (tf.shape(x), x),
        "counted": lambda x: [tf.size(x)],
        "pair": lambda x: namedtuple("Pair", "a b")(x, x[0]),
        "lookup": lambda x: tf.strings.as_string(x),
    }
    text = """\
placeholder x: float32[n, 3]
_a = scaled(x, 3, offset=1)
_b = flat(x)
_c = both(x)
_d = counted(x)
_e = pair(x)
_f = lookup(x)
_g = _c[1] @ transpose(x)
_h = _d[0] + 1
"""
    nodes = tfdsl.compile(text, ops=ops).program.graph().nodes.values()
    types = {node.op: [str(t) for t in node.outputs] for node in nodes}
    assert types["python.scaled"] == ["float32[n, 3]"]
    assert types["python.flat"] == ["float32[?]"]
    assert types["python.both"] == ["int32[2]", "float32[n, 3]"]
    assert types["python.counted"] == ["int32"]
    assert types["python.pair"] == ["float32[n, 3]", "float32[3]"]
    assert types["python.lookup"] == ["string[n, 3]"]
    assert types["matmul"] == ["float32[n, n]"]


def test_names_and_values_are_the_same_as_by_hand():
    text = """\
variable w = [[1.0, 2.0], [3.0, 4.0]]
y = scaled(w, k=3)
scope layer:
    z = scaled(scaled(y), offset=1.0)
a, b = halves(z)
session: print y, z, a, b
"""
    compiled = tfdsl.compile(text, ops={"scaled": scaled, "halves": lambda x: tf.split(x, 2)})
    with tf.Graph().as_default() as graph:
        w = v1.Variable([[1.0, 2.0], [3.0, 4.0]], name="w", use_resource=True)

        def by_hand(name, x, **options):
            with v1.name_scope(name) as scope:
                return tf.identity(scaled(x, **options), name=scope)

        y = by_hand("y", w, k=3)
        with v1.variable_scope("layer"):
            inner = by_hand("scaled", y)
            z = by_hand("z", inner, offset=1.0)
        with v1.name_scope("halves"):
            a, b = tf.split(z, 2)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            values = session.run([y, z, a, b])
    assert {op.name: op.type for op in compiled.graph.get_operations()} == {
        op.name: op.type for op in graph.get_operations() if op.name != "init"
    }
    with compiled.session() as session:
        for ours, theirs in zip(session.run(["y", "z", "a", "b"]), values):
            np.testing.assert_array_equal(ours, theirs)


def test_gradients_flow_and_are_the_functions_own():
    @tf.custom_gradient
    def clipped(x):
        return 3.0 * x, lambda gradient: tf.clip_by_value(gradient, -0.5, 0.5)

    text = """\
variable w = [1.0, 2.0]
plain = reduce_sum(scaled(w, 3))
own = reduce_sum(clipped(w))
da = gradients(plain, w)
db = gradients(own, w)
loss own
optimize with gradient_descent(learning_rate=1.0) as step
session:
    print da, db
    run step
    print w
"""
    ops = {"scaled": scaled, "clipped": clipped}
    assert printed(text, ops) == ["[[3. 3.]] [[0.5 0.5]]", "[0.5 1.5]"]


def test_functions_are_values_and_can_be_shadowed():
    text = """\
placeholder x: float32[2]
def twice(x, f):
    return f(f(x))
y = twice(x, scaled)
session: print y with x = [1, 2]
"""
    assert printed(text, {"scaled": scaled}) == ["[4. 8.]"]
    own = "def scaled(x):\n    return x + 10\ny = scaled(constant(1))\nsession: print y\n"
    assert printed(own, {"scaled": scaled}) == ["11"]


def test_in_a_loop_in_a_branch_and_in_a_session():
    text = """\
placeholder x: float32
i = constant(0)
y = x
while i < 3:
    y = scaled(y)
    i = i + 1
if x > 0.0:
    z = scaled(x, 10)
else:
    z = scaled(x, 100)
session:
    print y, z, scaled(x, 5) with x = 1
    print z with x = -1
"""
    assert printed(text, {"scaled": scaled}) == ["8.0 10.0 5.0", "-100.0"]


def test_a_function_is_called_twice_for_each_call_and_never_alone():
    graphs = []

    def counting(x):
        graphs.append(tf.compat.v1.get_default_graph())
        return x + 1.0

    default = v1.get_default_graph()
    compiled = tfdsl.compile("placeholder x: float32[n]\ny = counting(x)\n", ops={"counting": counting})
    assert len(graphs) == 1
    assert compiled.graph is compiled.graph is graphs[1] and len(graphs) == 2
    assert graphs[0] is not graphs[1] and default not in graphs and v1.get_default_graph() is default
    # A function that is not used is not called.
    tfdsl.compile("y = constant(1)\n", ops={"counting": counting}).graph  # noqa: B018
    assert len(graphs) == 2


def test_random_ops_follow_the_seed():
    text = "seed 42\nr = noise([3])\nsession: print r\n"
    ops = {"noise": lambda shape: tf.random.normal(shape, seed=7)}
    first = printed(text, ops)
    assert first == printed(text, ops)
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(42)
        assert first == [str(session.run(tf.random.normal([3], seed=7)))]


# --- the program without its functions ----------------------------------------------------------


def test_the_program_loads_from_yaml_and_needs_the_functions():
    text = "placeholder x: float32[n]\ny = scaled(x, offset=1.5)\nsession: print y with x = [1, 2]\n"
    compiled = tfdsl.compile(text, ops={"scaled": scaled})
    again = from_yaml(to_yaml(compiled.program))
    assert again == compiled.program
    assert Compiled(again, ops={"scaled": scaled}).run().printed == ["[3.5 5.5]"]
    with pytest.raises(TfgError, match=re.escape('pass it with ops={"scaled": ...}')) as raised:
        Compiled(again).run()
    assert codes(raised) == ["TFG733"] and raised.value.diagnostics[0].span.line == 2


def test_check_accepts_functions():
    text = "placeholder x: float32[2, 3]\ny = scaled(x) @ x\n"
    assert [d.code for d in tfdsl.check(text, ops={"scaled": scaled})] == ["TFG201"]
    assert [d.code for d in tfdsl.check(text)] == ["TFG301"]


# --- errors -------------------------------------------------------------------------------------


def broken(x, k):
    if k == 3:
        raise ValueError(f"k cannot be {k}")
    return tf.matmul(x, x)


def test_an_exception_of_a_function_is_an_error_at_the_line():
    text = "placeholder x: float32[2, 3]\ny = broken(x, 3)\ndef f(x):\n    return broken(x, 4)\nz = f(x)\n"
    with pytest.raises(TfgError) as raised:
        tfdsl.compile(text, ops={"broken": broken})
    first, second = raised.value.diagnostics
    assert (first.code, first.span.line, first.headline) == ("TFG730", 2, "broken raised ValueError: k cannot be 3")
    line = broken.__code__.co_firstlineno + 2
    notes = [note.text for note in first.notes]
    assert notes == [f"in test_user_ops.py, line {line}", "x: float32[2, 3] is from line {line}"]
    assert isinstance(raised.value.__cause__, ValueError) and str(raised.value.__cause__) == "k cannot be 3"
    assert second.code == "TFG730" and second.span.line == 4 and second.chain[0][0] == "in f, called"
    assert "Dimensions must be equal, but are 3 and 2" in second.headline


class Interrupted(KeyboardInterrupt):
    pass


def test_an_interrupt_is_not_an_error_of_the_program():
    def stop(x):
        raise Interrupted

    with pytest.raises(Interrupted):
        tfdsl.compile("y = stop(1)\n", ops={"stop": stop})


@pytest.mark.parametrize("result, said", [
    (None, "returned nothing, not a tensor"),
    (3, "returned int 3, not a tensor"),
    ("text", "returned str 'text', not a tensor"),
    ([], "returned an empty list, not a tensor"),
    ((1.5,), "returned a tuple with float 1.5, not a tensor"),
    (np.zeros(2), "returned an object of class ndarray, not a tensor"),
])  # fmt: skip
def test_results_that_are_not_tensors(result, said):
    with pytest.raises(TfgError, match=re.escape(said)) as raised:
        tfdsl.compile("y = odd(1)\n", ops={"odd": lambda x: result})
    assert codes(raised) == ["TFG731"]


def test_variables_belong_in_the_program():
    with pytest.raises(TfgError, match="creates the variable 'y/scale'") as raised:
        tfdsl.compile("y = odd(2.0)\n", ops={"odd": lambda x: x * v1.Variable(1.0, name="scale")})
    assert codes(raised) == ["TFG732"]


@pytest.mark.parametrize("call, code, said", [
    ("scaled()", "TFG402", "scaled needs its argument 'x'"),
    ("scaled(x, kk=3)", "TFG403", "did you mean 'k'?"),
    ("scaled(x, 1, 2)", "TFG405", "scaled takes 2 arguments by position, not 3"),
    ("scaled(x, x=x)", "TFG404", "scaled gets its argument 'x' twice"),
    ("scaled(x, k=relu)", "TFG406", "but it is the function relu"),
    ("scaled(nothing)", "TFG407", "an operation without output"),
    ("scale(x)", "TFG301", "did you mean 'scaled'?"),
    ("scaled(x.shape)", "TFG409", "is not known while compiling"),
])  # fmt: skip
def test_wrong_calls(call, code, said):
    text = f"placeholder x: float32[n]\nvariable w = 1.0\nnothing = no_op()\ny = {call}\n"
    with pytest.raises(TfgError, match=re.escape(said)) as raised:
        tfdsl.compile(text, ops={"scaled": scaled})
    assert codes(raised) == [code]


def test_the_signature_is_shown():
    with pytest.raises(TfgError, match=re.escape("it is scaled(x, k = 2, offset = 0.0)")):
        tfdsl.compile("y = scaled()\n", ops={"scaled": scaled})


def test_another_graphs_tensors_are_refused():
    text = "a = constant(1.0)\ngraph other:\n    b = scaled(a)\n"
    with pytest.raises(TfgError) as raised:
        tfdsl.compile(text, ops={"scaled": scaled})
    assert codes(raised) == ["TFG308"]


@pytest.mark.parametrize("name, function, code", [
    ("relu", scaled, "TFG831"),
    ("range", scaled, "TFG831"),
    ("adam", scaled, "TFG831"),
    ("float32", scaled, "TFG831"),
    ("raw", scaled, "TFG831"),
    ("two words", scaled, "TFG830"),
    (3, scaled, "TFG830"),
    ("three", 3, "TFG830"),
])  # fmt: skip
def test_objects_that_cannot_be_ops(name, function, code):
    for call in (tfdsl.compile, tfdsl.check):
        with pytest.raises(TfgError) as raised:
            call("y = constant(1)\n", ops={"fine": scaled, name: function})
        assert codes(raised) == [code]


# --- functions that keep state ------------------------------------------------------------------

CALLED = """\
placeholder flag: bool = true
a = tell(1.0, "a")
b = tell(1.0, "b")
c = tell(1.0, "c")
sum = c + a
n, z = 0, 0.0
while n < 3:
    z = z + tell(z, "while")
    n = n + 1
if flag:
    d = tell(2.0, "then") + 1.0
else:
    d = tell(3.0, "else")
e = tell(1.0, "e")
"""
IN_ORDER = {
    "a": ["a"], "b": ["b"], "c": ["c"], "z": ["while"] * 3, "d": ["then"], "sum": ["a", "c"], "e": ["e"],
}  # fmt: skip


class Teller:
    """An op that notes its calls while the graph runs, and returns how many there were."""

    def __init__(self, function=tf.numpy_function):
        self.calls: list[str] = []
        self._function = function

    def __call__(self, x, name):
        def called(value):
            self.calls.append(name)
            return np.float32(len(self.calls))

        made = self._function(called, [x], tf.float32)
        made.set_shape([])
        return made


@pytest.mark.parametrize("function", [tf.numpy_function, tf.py_function])
def test_functions_that_keep_state_are_called_once_and_in_order(function):
    tell = Teller(function)
    text = CALLED
    with tfdsl.compile(text, ops={"tell": tell}).session() as session:
        for names in (["a", "b", "c"], ["c", "b", "a"], ["c", "sum", "a"], ["e", "d", "z", "b"], ["sum", "sum"], ["b"],
                      ["z", "d", "sum", "e", "a", "c", "b"]):  # fmt: skip
            for flag in (True, False):
                tell.calls.clear()
                values = dict(zip(names, session.run(names, {"flag": flag}), strict=True))
                wanted = dict.fromkeys(one for name in names for one in ("ac" if name == "sum" else [name]))
                expected = [call for name in IN_ORDER if name in wanted for call in IN_ORDER[name]]
                expected = ["else" if not flag and call == "then" else call for call in expected]
                assert tell.calls == expected
                for name in names:
                    if name in ("a", "b", "c", "e"):
                        assert values[name] == 1 + expected.index(name)


TRAINED = """\
data d = moons(64, noise=0.1, seed=1)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w: float32[2, 1] = zeros
scale = tell(reduce_sum(X), "scale")
noise = random_normal([2, 1], stddev=0.001, seed=1)
mse = reduce_mean(square(X @ (w + noise) - y)) * (1.0 + 0.0 * scale)
optimize mse with gradient_descent(learning_rate=0.1)
session:
    train 2 epochs on d in batches of 16 as b:
        feed X = b.features, y = b.target
        every 3 steps: print mse
    expect mse < 1 with X = d.features, y = d.target
"""


@pytest.mark.parametrize("engine", ["step", "loop", "auto"])
@pytest.mark.parametrize("towers", [1, 2])
def test_a_training_calls_functions_once_in_each_execution(here, engine, towers):
    tell, notes = Teller(), []
    program = tfdsl.compile(TRAINED, ops={"tell": tell}).on(towers=towers)
    options = Options(write=lambda line: None, note=notes.append, engine=engine)
    assert program.run(options=options).engines == ["step"]
    assert len(tell.calls) == 8 + 3 + 1  # steps, prints, expect
    assert any("PyFunc has effects that cannot be undone" in note for note in notes) == (engine != "step")
