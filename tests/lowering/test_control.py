"""`while`, `if` on a tensor, `device` and `container`: against Python, and against TensorFlow by hand."""

import re

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from programs import UNHURRIED

import tfdsl

v1 = tf.compat.v1

POWER = """
placeholder x: float32
variable w = 2.0
i = constant(0)
p = constant(1.0)
while i < 10:
    i = i + 1
    q = p * w
    if q > 100.0:
        p = q / x
    else:
        p = q * x
dw, dx = gradients(p, [w, x])
"""


def power(w, x):
    p = 1.0
    for _ in range(10):
        p = p * w
        p = p / x if p > 100 else p * x
    return p


def test_gradients_flow_through_while_and_if():
    with tfdsl.compile(POWER).session() as session:
        i, p, dw, dx = session.run(["i", "p", "dw", "dx"], {"x": 1.5})
    e = 1e-6
    assert i == 10
    np.testing.assert_allclose(p, power(2, 1.5), rtol=1e-5)
    np.testing.assert_allclose(dw, (power(2 + e, 1.5) - power(2 - e, 1.5)) / (2 * e), rtol=1e-4)
    np.testing.assert_allclose(dx, (power(2, 1.5 + e) - power(2, 1.5 - e)) / (2 * e), rtol=1e-4)


def test_a_loop_equals_the_one_by_hand():
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder("float32", [], name="x")
        w = v1.Variable(2.0, use_resource=True, name="w")

        def body(i, p):
            q = p * w
            return i + 1, tf.cond(q > 100.0, lambda: q / x, lambda: q * x)

        _, p = tf.while_loop(lambda i, p: i < 10, body, [tf.constant(0, name="i"), tf.constant(1.0, name="p")])
        wanted = [p, *v1.gradients(p, [w, x])]
        with v1.Session() as session:
            session.run(w.initializer)
            wanted = session.run(wanted, {x: 1.5})
    compiled = tfdsl.compile(POWER)
    with compiled.session() as session:
        np.testing.assert_array_equal(session.run(["p", "dw", "dx"], {"x": 1.5}), wanted)
    mine, theirs = ([op.type for op in g.get_operations() if op.type in ("While", "If", "StatelessIf")]
                    for g in (compiled.graph, graph))  # fmt: skip
    assert mine == theirs


def value(text, name="y", **feed):
    with tfdsl.compile(text).session() as session:
        return session.run(name, feed)


def test_if_binds_names_in_both_branches_and_elif_selects():
    text = """
    placeholder x: float32
    if x > 2:
        y = x * 10.0
        kind = "large"
    elif x > 1:
        y = x
        kind = "middle"
    else:
        y = -x
        kind = "small"
    """
    text = "\n".join(line[4:] for line in text.split("\n"))
    compiled = tfdsl.compile(text)
    with compiled.session() as session:
        seen = [session.run(["y", "kind"], {"x": x}) for x in (3, 1.5, -1)]
    assert seen == [[30.0, b"large"], [1.5, b"middle"], [1.0, b"small"]]


def test_functions_return_from_branches():
    text = (
        "placeholder x: float32\n"
        "def split_sign(v):\n"
        "    if v > 0:\n        return v, true\n    else:\n        return -v, false\n"
        "size, positive = split_sign(x)\ny = [size, cast(positive, float32)]\nz = stack(y)\n"
    )
    np.testing.assert_array_equal(value(text, "z", x=-3), [3, 0])
    np.testing.assert_array_equal(value(text, "z", x=4), [4, 1])


def test_only_the_selected_branch_runs():
    text = (
        "placeholder x: float32\nvariable count = 0\n"
        "if x > 0:\n    seen = assign_add(count, 1)\nelse:\n    seen = assign_add(count, 100)\n"
    )
    with tfdsl.compile(text).session() as session:
        assert [session.run("seen", {"x": x}) for x in (1, 1, -1, 1)] == [1, 2, 102, 103]


def test_new_names_of_a_loop_exist_only_inside():
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile("i = constant(0)\nwhile i < 3:\n    i = i + 1\n    inside = i * 2\ny = inside\n")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG301" and "inside its 'while'" in diagnostic.notes[0].text


def test_unknown_sizes_are_carried():
    text = "placeholder X: float32[n, 2]\ni = 0\ny = X\nwhile i < 3:\n    i = i + 1\n    y = y @ eye(2) * 2.0\n"
    compiled = tfdsl.compile(text)
    assert compiled["y"].shape.as_list() == [None, 2]
    with compiled.session() as session:
        np.testing.assert_array_equal(session.run("y", {"X": [[1, 2]]}), [[8, 16]])


def test_a_failure_in_a_loop_is_reported_at_its_line():
    text = (
        "placeholder x: float32\ni = constant(0)\np = x\n"
        'while i < 3:\n    i = i + 1\n    p = check_numerics(log(p - 2.0), "log")\n'
        "c = constant(1.0)\nsession:\n    print p with x = 2.5\n"
    )
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG702" and diagnostic.span.line == 6


@st.composite
def bodies(draw):
    """The body of a loop over i and p, as text of the language and as a Python function."""
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        a, b = draw(st.sampled_from(["p", "q", "1.5"])), draw(st.sampled_from(["p", "q", "0.25"]))
        step = f"{draw(st.sampled_from('pq'))} = {a} {draw(st.sampled_from('+-*'))} {b}"
        if draw(st.booleans()):
            limit = draw(st.integers(-2, 2))
            name = step[0]
            lines += [f"if p > {limit}.0:", f"    {step}", "else:", f"    {name} = {name} * 0.5"]
        else:
            lines.append(step)
    return lines, draw(st.integers(0, 6)), draw(st.floats(-2, 2, width=16))


@hypothesis.settings(UNHURRIED, max_examples=25)
@hypothesis.given(bodies())
def test_loops_compute_the_same_as_python(case):
    lines, turns, start = case
    inner = "".join(f"    {line}\n" for line in lines)
    graph = f"placeholder x: float32\ni = 0\np = x\nq = constant(0.5)\nwhile i < {turns}:\n    i = i + 1\n{inner}"
    names = {"p": np.float32(start), "q": np.float32(0.5)}
    # In float32, like the graph.
    python = re.sub(r"(?<![\w.])(\d+\.\d+)", r"np.float32(\1)", "\n".join(lines))
    with np.errstate(all="ignore"):
        for _ in range(turns):
            exec(python, {"np": np}, names)
            # TensorFlow takes subnormal numbers for zeros.
            hypothesis.assume(not any(0 < abs(names[name]) < np.finfo(np.float32).tiny for name in "pq"))
    with tfdsl.compile(graph).session() as session:
        found = session.run(["p", "q", "i"], {"x": start})
    np.testing.assert_allclose(found[:2], [names["p"], names["q"]], rtol=1e-5)
    assert found[2] == turns


# --- placement --------------------------------------------------------------------------------

PLACED = 'device "/job:ps/task:1":\n    variable w = 1.0\ndevice "/cpu:0":\n    y = w + 1.0\nsession:\n    print y\n'


def test_devices_are_the_same_as_by_hand():
    graph = tf.Graph()
    with graph.as_default():
        with tf.device("/job:ps/task:1"):
            w = v1.Variable(1.0, use_resource=True, name="w")
        with tf.device("/cpu:0"):
            tf.add(w, 1.0, name="y")
    mine = {op.name: op.device for op in tfdsl.compile(PLACED).graph.get_operations()}
    theirs = {op.name: op.device for op in graph.get_operations()}
    assert {name: mine[name] for name in ("w", "y")} == {name: theirs[name] for name in ("w", "y")}


def test_a_missing_device_is_reported_with_the_available_ones():
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(PLACED).run()
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("TFG713", 2)
    assert "device:CPU:0" in diagnostic.help_line


def test_soft_placement_uses_available_devices():
    compiled = tfdsl.compile(PLACED.replace("/cpu:0", "/gpu:3"))
    compiled = compiled.on(soft_placement=True)
    assert compiled.run().printed == ["2.0"]


def test_containers_are_the_same_as_by_hand():
    compiled = tfdsl.compile('container "experiment":\n    variable a = 1.0\nvariable b = 1.0\nc = a + b\n')
    ops = {op.name: op for op in compiled.graph.get_operations()}
    assert [ops[name].get_attr("container") for name in "ab"] == [b"experiment", b""]


WITHOUT_2 = """\
placeholder x: float32[?, 3]
placeholder image: float32[?, ?, ?, 2]
i, total = 0, 0.0
while i < 3:
    i, total = i + 1, total + reduce_sum(x)
if total > 1.0:
    y = x
else:
    y = x * 2.0
def add_up(sum, a):
    return sum + a
sums = scan(add_up, x, initializer=zeros([3]))
halves = rfft(y)
windows = max_pool(image, ksize=2, strides=1, padding="VALID")
"""


def test_a_process_may_have_turned_the_behavior_of_tensorflow_2_off():
    """After `tf.disable_v2_behavior()`, the graph is the same."""
    usual = tfdsl.compile(WITHOUT_2).graph.as_graph_def()
    v1.disable_v2_tensorshape()
    v1.disable_control_flow_v2()
    try:
        made = tfdsl.compile(WITHOUT_2).graph.as_graph_def()
    finally:
        v1.enable_v2_tensorshape()
        v1.enable_control_flow_v2()
    assert [(one.name, one.op) for one in made.node] == [(one.name, one.op) for one in usual.node]
    assert "StatelessWhile" in {one.op for one in made.node}
