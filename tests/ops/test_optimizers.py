"""Arguments of optimizers that TensorFlow lacks, compared with steps by hand and with Keras."""

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.cli import main
from tfdsl.runtime.options import Options

PROGRAM = """
variable w = [3.0, -4.0]
variable b = 2.0
optimize reduce_sum(square(w)) + square(b - 1) with momentum(0.9, {own}learning_rate=0.1) as step
session:
    train 5 steps:
        every 1 step: print w, b
"""


def program(own):
    return tfdsl.compile(PROGRAM.format(own=own))


def clipped(gradients, how, limit):
    """Gradients as Keras clips them: each by its norm, each element, or all together."""
    if how == "clipvalue":
        return [np.clip(one, -limit, limit) for one in gradients]
    norms = [np.linalg.norm(one) for one in gradients]
    if how == "global_clipnorm":
        norms = [np.linalg.norm(norms)] * len(norms)
    return [one * min(1.0, limit / norm) for one, norm in zip(gradients, norms, strict=True)]


def by_hand(how, limit, weight_decay):
    w, b, m = np.array([3.0, -4.0]), np.array(2.0), [np.zeros(2), np.array(0.0)]
    for _ in range(5):
        gradients = [2 * w, 2 * (b - 1)]
        if how is not None:
            gradients = clipped(gradients, how, limit)
        m = [0.9 * old + gradient for old, gradient in zip(m, gradients, strict=True)]
        w, b = (x - 0.1 * weight_decay * x - 0.1 * move for x, move in zip((w, b), m, strict=True))
    return w, b


TEXTS = [
    ("clipnorm=1.5, ", "clipnorm", 1.5, 0.0),
    ("clipvalue=1.5, ", "clipvalue", 1.5, 0.0),
    ("global_clipnorm=1.5, ", "global_clipnorm", 1.5, 0.0),
    ("weight_decay=0.25, ", None, None, 0.25),
    ("weight_decay=0.25, global_clipnorm=1.5, ", "global_clipnorm", 1.5, 0.25),
]


@pytest.mark.parametrize(("text", "how", "limit", "weight_decay", "engine"), some(
    [(*one, engine) for one in TEXTS for engine in ("step", "loop", "xla")],
    [*((*one, "step") for one in TEXTS), (*TEXTS[-1], "loop")],
))  # fmt: skip
def test_a_step_has_the_arguments_of_keras(text, how, limit, weight_decay, engine):
    result = program(text).run(options=Options(write=lambda line: None, engine=engine))
    w, b = by_hand(how, limit, weight_decay)
    np.testing.assert_allclose(result.variables["w"], w, rtol=1e-6)
    np.testing.assert_allclose(result.variables["b"], b, rtol=1e-6)


def nodes(compiled):
    return [node.name for node in compiled.built().graph.as_graph_def().node]


@pytest.mark.long
@pytest.mark.parametrize("argument", ["clipnorm=1.5", "clipvalue=1.5", "global_clipnorm=1.5", "weight_decay=0.25"])
def test_they_do_what_those_of_keras_do(argument):
    """Compared with Keras itself, in a process of its own: this one may have told TensorFlow to leave Keras out."""
    name, value = argument.split("=")
    code = f"""
import keras, numpy as np
w, b = keras.Variable(np.array([3.0, -4.0])), keras.Variable(np.array(2.0))
optimizer = keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, {name}={value})
for _ in range(5):
    optimizer.apply([2 * w.value, 2 * (b.value - 1)], [w, b])
print(*np.array(w), float(b))
"""
    environment = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = program(f"{argument}, ").run(options=Options(write=lambda line: None))
    found = [*result.variables["w"], result.variables["b"]]
    np.testing.assert_allclose(found, list(map(float, done.stdout.split())), rtol=1e-5)


SLICES = """
variable w: float32[4, 2] = 1.0
table = {table}
optimize reduce_sum(gather(table, [0, 0, 0, 1]) * [3.0, -4.0]) with gradient_descent({own}learning_rate=0.1)
session:
    train 1 step: print w
"""


OF_ROWS = ("clipnorm=5.0", "clipvalue=5.0", "global_clipnorm=5.0", "weight_decay=0.5")


@pytest.mark.parametrize(("engine", "argument"), some(
    product(("step", "loop"), OF_ROWS), [*product(["step"], OF_ROWS), ("loop", "clipnorm=5.0")]
))  # fmt: skip
def test_rows_of_a_table_are_taken_together(argument, engine):
    """The gradient of `gather` has a slice for each index, also for one that stands there twice."""
    slices, dense = (
        tfdsl.compile(SLICES.format(table=table, own=f"{argument}, ")).run(
            options=Options(write=lambda line: None, engine=engine)
        )
        for table in ("w", "w + 0.0")
    )
    np.testing.assert_allclose(slices.variables["w"], dense.variables["w"], rtol=1e-6)
    assert not np.allclose(dense.variables["w"], [[0.1, 2.2], [0.7, 1.4], [1, 1], [1, 1]])  # as without the argument


def test_slices_of_a_row_can_be_clipped_one_by_one():
    """As TensorFlow 1 does: the two slices of the first row have the norm 1 each, together 2."""
    program = """
variable w = [1.0, 1.0]
optimize reduce_sum(gather(w, [0, 0])) with gradient_descent(learning_rate=0.1, clipnorm=1.0{own})

session:
    train 1 step: print w
"""
    for own, expected in (("", 0.9), (", sum_slices=false", 1 - 0.2 / np.sqrt(2))):
        result = tfdsl.compile(program.format(own=own)).run(options=Options(write=lambda line: None))
        np.testing.assert_allclose(result.variables["w"], [expected, 1.0], rtol=1e-6)


@pytest.mark.parametrize(("engine", "argument"), some(
    product(("step", "loop", "xla"), ("clipnorm", "clipvalue", "global_clipnorm")),
    [*product(["step"], ("clipnorm", "clipvalue", "global_clipnorm")), ("xla", "clipvalue")],
))  # fmt: skip
def test_nan_stays_nan(argument, engine):
    """So it stops the training. TensorFlow's clip_by_value makes a number of it, of either sign."""
    text = f"""
variable w: float32[2] = 1.0
cost = reduce_sum(pow(w - 1.0, 0.5) * 0.0 + square(w))
optimize cost with gradient_descent(learning_rate=0.1, {argument}=1.0)
session:
    train 4 steps: print w
"""
    with pytest.raises(tfdsl.TfgError, match="TFG716"):
        tfdsl.compile(text).run(options=Options(write=lambda line: None, engine=engine))


def test_a_global_norm_over_dtypes():
    text = """
variable a: float32[2] = 1.0
variable b: float64[2] = 1.0
cost = reduce_sum(a) * 3.0 + cast(reduce_sum(b) * 4.0, float32)
optimize cost with gradient_descent(global_clipnorm=1.0, learning_rate=1.0)
session:
    train 1 step: print a, b
"""
    found = tfdsl.compile(text).run(options=Options(write=lambda line: None)).variables
    np.testing.assert_allclose(found["a"], 1 - 3 / np.sqrt(50), rtol=1e-6)
    np.testing.assert_allclose(found["b"], 1 - 4 / np.sqrt(50), rtol=1e-6)


def test_they_are_in_towers_too():
    """The gradients of all towers are clipped together."""
    text = """
placeholder x: float32[n, 2]
variable w = [1.0, 2.0]
optimize reduce_mean(square(x * w)) with gradient_descent(global_clipnorm=0.5, learning_rate=0.1) as step
session:
    train 2 steps: run step with x = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
"""
    compiled = tfdsl.compile(text)
    one, two = (each.run(options=Options(write=lambda line: None)) for each in (compiled, compiled.on(towers=2)))
    np.testing.assert_allclose(one.variables["w"], two.variables["w"], rtol=1e-6)


def test_without_them_the_graph_is_that_of_tensorflow():
    plain, clipped = nodes(program("")), nodes(program("global_clipnorm=1.5, "))
    assert not any("clip" in name for name in plain)
    assert {"w/Momentum", "b/Momentum"} <= set(plain) & set(clipped)


def test_the_row_defines_the_signature(capsys, tmp_path):
    assert main(["ops", "momentum"]) == 0
    shown = "momentum(momentum, use_nesterov = false, learning_rate = 0.01, clipnorm = none, clipvalue = none, "
    assert shown in capsys.readouterr().out
    (tmp_path / "p.tfg").write_text("variable w = 1.0\noptimize square(w) with momentum(0.9, clipnrm=2)\n")
    assert main(["check", str(tmp_path / "p.tfg")]) == 1
    assert "clipnorm" in capsys.readouterr().out


def test_the_slots_have_a_name():
    text = PROGRAM.format(own='slots="Mine", ').replace(" as step", "")
    compiled = tfdsl.compile(text)
    assert {"w/Mine", "b/Mine"} < {one.name.partition(":")[0] for one in compiled.graph.get_collection("variables")}
    assert compiled.graph.get_operation_by_name("Mine").type == "NoOp"
    usual, named = (tfdsl.compile(one).run().variables for one in (PROGRAM.format(own=""), text))
    np.testing.assert_array_equal(usual["w/Momentum"], named["w/Mine"])
    np.testing.assert_array_equal(usual["w"], named["w"])


@pytest.mark.parametrize("slots", ["2.0", '""', '"/x"', '"x/"', '"a b"', "true"])
def test_wrong_names_of_slots(slots):
    with pytest.raises(tfdsl.TfgError, match=r"momentum needs a name in quotes, such as \"Adam\""):
        program(f"slots={slots}, ")
