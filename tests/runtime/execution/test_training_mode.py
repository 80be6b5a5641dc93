"""The bool `training`: true in an execution that takes the step of an optimizer, in all engines, and only there."""

import numpy as np
import pytest
import tensorflow as tf
from client import same
from conftest import some

import tfdsl
from tfdsl.program.serialize import from_yaml, to_yaml
from tfdsl.runtime.options import Options

RANDOM = np.random.RandomState(3)
FEATURES = RANDOM.randn(12, 3).astype(np.float32) * [1.0, 2.0, 3.0] + [0.5, -1.0, 2.0]
TARGET = RANDOM.randn(12, 1).astype(np.float32)
DATA = {"rows": (FEATURES.astype(np.float32), TARGET)}
ENGINES = ["step", "loop", "xla"]

NORMAL = """
import nn
data rows = npz("rows.npz")
placeholder X: float32[n, 3]
placeholder y: float32[n, 1]
variable w: float32[3, 1] = ones
h = nn.batch_norm(X, momentum=0.5)
mse = reduce_mean(square(h @ w - y))
optimize mse with gradient_descent(learning_rate=0.1) as step_w
summary scalar mse as "MSE"
session:
    log to "logs"
    train 4 epochs on rows in batches of 6 ordered as batch:
        feed X = batch.features, y = batch.target
{body}
"""
TALK = """\
        print mse, h[0]
        every 2 steps: print mse with X = [[9, 9, 9], [0, 1, 2]], y = [[1], [2]]
        every 3 steps: log
        expect mse < 1000.0
        stop when mse > 1000.0
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(text, engine="step", towers=1):
    program = tfdsl.compile(text, data=DATA if "data rows" in text else None)
    program = program.on(towers=towers)
    return program.run(options=Options(write=lambda line: None, engine=engine))


def assert_same_bits(first, second):
    assert first.keys() == second.keys()
    assert all(same(value, second[name]) for name, value in first.items())


def keras(steps, momentum=0.5):
    """The same training by Keras: its layer, its gradients, plain gradient descent."""
    from keras import layers  # takes a second, and only this test needs it

    layer = layers.BatchNormalization(momentum=momentum, epsilon=0.001)
    layer.build((None, 3))
    w = tf.Variable(np.ones((3, 1), np.float32))
    for step in range(steps):
        rows = slice(0, 6) if step % 2 == 0 else slice(6, 12)
        x, y = DATA["rows"][0][rows], TARGET[rows]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(layer(x, training=True) @ w - y))
        for variable, gradient in zip(
            [w, layer.gamma, layer.beta], tape.gradient(loss, [w, layer.gamma, layer.beta]), strict=True
        ):
            variable.assign_sub(0.1 * gradient)
    return layer, w.numpy()


# --- engines ----------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", some(ENGINES, ["step"]))
def test_batch_norm_trains_as_in_keras_with_any_printing(engine):
    layer, w = keras(8)
    for body in ("", TALK):
        found = ran(NORMAL.format(body=body + "    print h with X = rows.features"), engine)
        assert set(found.engines) == {engine}
        for name, value in (
            ("w", w), ("batch_norm/gamma", layer.gamma), ("batch_norm/beta", layer.beta),
            ("batch_norm/moving_mean", layer.moving_mean), ("batch_norm/moving_variance", layer.moving_variance),
        ):  # fmt: skip
            np.testing.assert_allclose(found.variables[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
        wanted = layer(DATA["rows"][0], training=False)
        np.testing.assert_allclose(found.values["h"], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.loops
@pytest.mark.parametrize(("talking", "silent"), some(
    [("step", "step"), ("loop", "step"), ("xla", "xla")], [("step", "step"), ("loop", "step")]
))  # fmt: skip
def test_printing_does_not_change_the_bits(talking, silent):
    assert_same_bits(ran(NORMAL.format(body=TALK), talking).variables, ran(NORMAL.format(body=""), silent).variables)


BOTH = """
import nn
seed 5
data rows = npz("rows.npz")
{placeholder}
placeholder X: float32[n, 3]
placeholder y: float32[n, 1]
h = nn.dropout(nn.dense(nn.batch_norm(X{given}), 8), rate=0.4{given})
mse = reduce_mean(square(nn.dense(h, 1) - y))
optimize mse with adam(learning_rate=0.05)
session:
    train 3 epochs on rows in batches of 5 as batch:
        feed X = batch.features, y = batch.target{fed}
        every 2 steps: print mse{unfed}
    print mse with X = rows.features, y = rows.target
"""


@pytest.mark.parametrize(("engine", "towers"), some([("step", 1), ("loop", 1), ("step", 2)], [("step", 2)]))
def test_training_equals_a_fed_placeholder(engine, towers):
    """The same bits as with a placeholder that the program feeds at each statement."""
    own = ran(BOTH.format(placeholder="", given="", fed="", unfed=""), engine, towers)
    text = BOTH.format(
        placeholder="placeholder t: bool = false", given=", training=t", fed=", t = true", unfed=" with t = false"
    )
    by_hand = ran(text, engine, towers)
    assert own.printed == by_hand.printed
    assert_same_bits(own.variables, by_hand.variables)


def test_dropout_under_xla_drops_only_in_steps():
    text = """
import nn
placeholder X: float32[n, 3]
variable seen: float32[200, 3] = zeros, trainable=false
variable w = 1.0
h = nn.dropout(X, rate=0.5)
keep = assign(seen, h)
after keep:
    cost = w * reduce_mean(h)
optimize cost with gradient_descent(learning_rate=0.0) as step_w
session:
    train 2 steps:
        feed X = [[1, 1, 1] for i in range(200)]
        run step_w
        print reduce_mean(h), reduce_sum(cast(seen == 0.0, float32))
"""
    for engine in ENGINES:
        lines = [line.split() for line in ran(text, engine).printed]
        assert all(mean == "1.0" and 200 < float(zeros) < 400 for mean, zeros in lines), (engine, lines)


# --- who sees what ----------------------------------------------------------------------------

SEES = """
import nn
placeholder X: float32[n, 50]
variable w = 1.0
h = nn.dropout(X, rate=0.5)
optimize w * reduce_mean(h) with gradient_descent(learning_rate=0.0) as step_w
after step_w:
    later = nn.dropout(X, rate=0.5)
down = assign_sub(w, 0.0 * reduce_mean(h))
session:
    run step_w with X = [[1.0 for i in range(50)]]
"""
ONES = np.ones((4, 50), np.float32)


def drops(value):
    return bool((value == 0).any())


def test_an_embedded_session():
    program = tfdsl.compile(SEES)
    with program.session() as session:
        assert not drops(session.run("h", {"X": ONES}))
        assert session.run("training") == np.False_
        assert drops(session.run("h", {"X": ONES, "training": True}))
        assert drops(session.run(["h", "step_w"], {"X": ONES})[0])
        assert drops(session.run("later", {"X": ONES}))
        assert not drops(session.run("later", {"X": ONES, "training": False}))
        assert not drops(session.run(["h", "down"], {"X": ONES})[0])
        # A TensorFlow session.
        h, step, x = program["h"], program["step_w"], program["X"]
        assert not drops(session.session.run([h, step], {x: ONES})[0])
        assert drops(session.session.run(h, {x: ONES, program["training"]: True}))


@pytest.mark.loops
def test_statements():
    text = (
        SEES.partition("session:")[0]
        + """
dropped = reduce_min(h) == 0.0
summary scalar cast(dropped, float32) as "dropped"
variable v = false, trainable=false
session:
    log to "logs"
    feeds
    print dropped, training with X = ones
    print dropped with X = ones, training = true
    expect not dropped with X = ones
    log with X = ones
    set v = dropped with X = ones
    print v
    print reduce_min(later) == 0.0 with X = ones
    print reduce_min(later) == 0.0 with X = ones, training = false
    train 2 steps:
        feed X = ones
        stop when dropped
        every 1 step: print dropped
        every 1 step: print reduce_min(later) == 0.0
        run step_w
        log
"""
    )
    text = text.replace("    feeds\n", "").replace("ones\n", "[[1.0 for i in range(50)]]\n").replace(
        "X = ones,", "X = [[1.0 for i in range(50)]],")  # fmt: skip
    for engine in ("step", "loop"):
        found = ran(text, engine)
        lines = ["False False", "True", "False", "True", "False"]
        assert found.printed == [*lines, *["False", "True"] * 2]
        assert {value for _, value in found.history["dropped"]} == {0.0}


def test_an_exported_model_is_not_in_training_mode(folder):
    text = NORMAL.replace(
        "h = nn.batch_norm(X, momentum=0.5)", "h = nn.dropout(nn.batch_norm(X, momentum=0.5), rate=0.5)"
    )
    found = ran(text.format(body='    print h with X = rows.features\n    export h with X to "saved"'))
    model = tf.saved_model.load("saved")
    serve = model.signatures["serving_default"]
    assert list(serve.structured_input_signature[1]) == ["X"]
    for _ in range(3):  # and does not learn from its input
        given = serve(X=tf.constant(DATA["rows"][0]))["h"]
        np.testing.assert_allclose(given, found.values["h"], rtol=1e-5, atol=1e-6)
        serve(X=tf.constant(DATA["rows"][0] * 5.0))
    kept = {variable.name: variable.numpy() for variable in model.variables}
    np.testing.assert_array_equal(kept["batch_norm/moving_mean:0"], found.variables["batch_norm/moving_mean"])


def test_nan_does_not_reach_the_running_means():
    program = tfdsl.compile(NORMAL.format(body=""), data=DATA)
    with program.session() as session:
        session.run("h", {"X": np.zeros((0, 3), np.float32)})
        session.run("h", {"X": np.full((2, 3), np.inf, np.float32)})
        values = session.session.run([v for v in program.built().variables() if "moving" in v.op.name])
    np.testing.assert_array_equal(values, [[0, 0, 0], [1, 1, 1]])


# --- the node and the name --------------------------------------------------------------------


def test_the_node_is_outside_all_scopes():
    text = """
import nn
graph a:
    placeholder X: float32[n, 2]
    one = constant(1.0)
    scope outer:
        device "/cpu:0":
            container "c":
                after one:
                    i = constant(0)
                    h = X
                    while i < 2:
                        i = i + 1
                        h = nn.dropout(h, rate=0.5)
graph b:
    constant(1.0)
session on a:
    print outer.h, i with X = [[1, 2]]
session on b:
    print training
"""
    program = tfdsl.compile(text)
    assert from_yaml(to_yaml(program.program)) == program.program
    assert program.run().printed == ["[[1. 2.]] 2", "False"]
    for name, place in (("a", 1), ("b", -1)):
        graph = program.built(name).graph
        op = graph.get_operation_by_name("training")
        assert op.type == "PlaceholderWithDefault" and not op.control_inputs and not op.device
        assert [one.op.name for one in op.inputs] == ["training/input"]
        assert graph.get_operations()[place].name == "training"
    assert "training" not in [op.name for op in tfdsl.compile("x = constant(1.0)").graph.get_operations()]


@pytest.mark.parametrize(
    ("before", "drops_by_itself"),
    [
        ("", False),
        ("placeholder training: bool = true", True),
        ("training = constant(true)", True),
        ("param training = true", True),
        ("training = false", False),
        ("scope one:\n    training = constant(true)", True),
        ("scope training:\n    other = constant(true)", False),
    ],
)
@pytest.mark.parametrize("call", ["nn.dropout(X, rate=0.5)", "layers.block(X)", "own(X)"])
def test_layers_use_the_programs_own_training(folder, before, drops_by_itself, call):
    (folder / "layers.tfg").write_text("import nn\ndef block(X):\n    return nn.dropout(X, rate=0.5)\n")
    (folder / "program.tfg").write_text(f"""
import nn
import "layers.tfg" as layers
{before}
placeholder X: float32[n, 50]
def own(X, training=training):
    return layers.block(X)
h = {call}
""")
    with tfdsl.compile("program.tfg").session() as session:
        assert drops(session.run("h", {"X": ONES})) is drops_by_itself


def test_layers_use_a_parameter_named_training(folder):
    text = """
import nn
placeholder X: float32[n, 50]
def block(X, training):
    return nn.dropout(X, rate=0.5)
on = block(X, true)
off = block(X, false)
given = nn.dropout(X, rate=0.5, training=true)
"""
    with tfdsl.compile(text).session() as session:
        assert [drops(value) for value in session.run(["on", "off", "given"], {"X": ONES})] == [True, False, True]


# --- a run in an `every` ----------------------------------------------------------------------

STEPS = """
variable w = 1.0
variable count = 0, trainable=false
increase = assign_add(count, 1)
optimize square(w) with gradient_descent(learning_rate=0.1) as step_w
graph other:
    variable count = 0
    increase = assign_add(count, 1)
session:
    train 4 steps:
{body}
session on other:
    train 4 steps:
        every 2 steps: run increase
    print count
"""


@pytest.mark.parametrize("engine", some(ENGINES, ["step"]))
def test_only_a_run_in_the_body_itself_takes_the_step(engine):
    def learned(*body):
        found = ran(STEPS.format(body="\n".join(f"        {line}" for line in body)), engine)
        assert found.printed == ["2"]
        return [round(float(found.variables[name]), 4) for name in ("w", "count")]

    assert learned("every 2 steps: run increase") == [0.4096, 2.0]
    assert learned("every 2 steps:", "    every 4 steps: run increase") == [0.4096, 1.0]
    assert learned("every 2 steps: run step_w") == [0.2621, 0.0]
    assert learned("run increase", "every 2 steps: run step_w") == [0.64, 4.0]
    assert learned("for op in [increase]: run op") == [1.0, 4.0]


CHAINED = """
import nn
seed 2
placeholder X: float32[n]
variable w = 1.0
loss = reduce_sum(nn.dropout(nn.dropout(X * w, rate=0.5, seed=1), rate=0.2, seed=3))
optimize loss with gradient_descent(learning_rate=0.01) as step_w
"""
FED = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]


def chained_by_hand():
    """What two chained dropouts leave of w, and the loss before each step, in a session of TensorFlow."""
    program = tfdsl.compile(CHAINED)
    graph, losses = program.graph, []
    X, loss, training = (graph.get_tensor_by_name(f"{name}:0") for name in ("X", "loss", "training"))
    with graph.as_default(), tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        for _ in range(3):
            losses.append(session.run(loss, {X: FED}))
            session.run(graph.get_operation_by_name("step_w"), {X: FED, training: True})
        return losses, session.run(tf.compat.v1.global_variables())


@pytest.mark.parametrize("engine", ENGINES[:2])  # XLA draws other numbers
def test_chained_dropouts_draw_as_in_tensorflow(engine):
    losses, (w,) = chained_by_hand()
    text = (
        f"{CHAINED}session:\n    train 3 steps:\n        print loss with X = {FED}\n        run step_w with X = {FED}\n"
    )
    result = tfdsl.compile(text).run(options=Options(write=lambda line: None, engine=engine))
    assert result.printed == [str(loss) for loss in losses]
    same(result.variables["w"], w)


def test_chained_dropouts_draw_as_in_tensorflow_from_python():
    losses, (w,) = chained_by_hand()
    with tfdsl.compile(CHAINED).session() as session:
        for loss in losses:
            assert session.run("loss", feed={"X": FED}) == loss
            for _ in session.train(steps=1, feed={"X": FED}):
                pass
        same(session.run("w"), w)
