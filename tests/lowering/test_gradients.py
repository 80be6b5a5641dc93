"""The four gradient methods: against one another, TensorFlow by hand, published numbers and SymPy's own derivatives."""

import json
import sys
from importlib.util import find_spec

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from conftest import some
from programs import MODELS, UNHURRIED

import tfdsl
from tfdsl.cli import main

# Workers import all tests, and SymPy takes half a second.
pytestmark = pytest.mark.skipif(find_spec("sympy") is None, reason="SymPy is not installed")
v1 = tf.compat.v1

METHODS = ("reverse", "forward", "numeric", "symbolic")
CHAPTER = """
variable a = 0.2
variable b = 0.3
z = constant(0.0)
for i in range(100):
    z = a * cos(z + i) + z * sin(b - i)
da, db = gradients(z, [a, b], method="{method}")
"""


def values(text, names, feed=None):
    with tfdsl.compile(text).session() as session:
        return session.run(names, feed)


# All four in one program: `models/autodiff_passes.tfg`.
@pytest.mark.long
@pytest.mark.parametrize("method", METHODS)
def test_the_chapters_function(method):
    found = values(CHAPTER.format(method=method), ["da", "db"])
    np.testing.assert_allclose(found, [-1.1388494, 0.19671395], atol=3e-4 if method == "numeric" else 3e-7)


def test_a_long_function_has_a_short_derivative():
    """The expanded formula would have 2**40 terms."""
    text = CHAPTER.format(method="symbolic").replace("range(100)", "range(40)")
    assert len(tfdsl.compile(text).program.graph().nodes) < 40 * 40


@pytest.mark.parametrize("method", METHODS[1:3])
def test_matrices_of_unknown_size(method):
    text = (
        "placeholder X: float32[n, 3]\nvariable w = [[1.0, 2.0], [0.5, -1.0], [0.1, 0.3]]\n"
        "h = tanh(X @ w)\ny = reduce_mean(square(h))\n"
        f'gw, gx = gradients(y, [w, X], method="{method}")\nrw, rx = gradients(y, [w, X])\n'
    )
    X = np.random.RandomState(0).rand(4, 3).astype(np.float32)
    gw, gx, rw, rx = values(text, ["gw", "gx", "rw", "rx"], {"X": X})
    tolerance = {"forward": 1e-6, "numeric": 2e-4}[method]
    np.testing.assert_allclose(gw, rw, atol=tolerance)
    np.testing.assert_allclose(gx, rx, atol=tolerance)
    assert gx.shape == (4, 3)


def test_reverse_mode_is_tensorflows():
    graph = tf.Graph()
    with graph.as_default():
        a = v1.Variable(2.0, use_resource=True, name="a")
        y = tf.square(a, name="y")
        v1.gradients(y, [a], name="g")
    compiled = tfdsl.compile("variable a = 2.0\ny = square(a)\ng = gradients(y, [a])\n")
    assert [op.name for op in compiled.graph.get_operations()] == [op.name for op in graph.get_operations()]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 5e-2), ("float32", 1e-3), ("float64", 1e-8)])
def test_the_step_of_the_differences_suits_the_dtype(dtype, tolerance):
    text = f'variable a: {dtype} = 1.5\ny = sin(a) * a\ng = gradients(y, [a], method="numeric")[0]\n'
    found = values(text, "g")
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.cos(1.5) * 1.5 + np.sin(1.5), rtol=tolerance)


@pytest.mark.parametrize("method", METHODS[:3])
def test_through_while_and_if(method):
    text = (
        "variable a = 0.7\ni = constant(0)\np = a\nwhile i < 3:\n    i = i + 1\n    p = sin(p) * a\n"
        "    if p > 0.3:\n        p = p * 2.0\n    else:\n        p = p * 3.0\n"
        f'g = gradients(p, [a], method="{method}")[0]\n'
    )

    def p(a):
        value = a
        for _ in range(3):
            value = np.sin(value) * a
            value *= 2 if value > 0.3 else 3
        return value

    wanted = (p(0.7 + 1e-6) - p(0.7 - 1e-6)) / 2e-6
    np.testing.assert_allclose(values(text, "g"), wanted, rtol=1e-3)


def test_noise_is_the_same_in_all_passes():
    text = (
        "seed 1\nvariable a = 2.0\nnoise = random_normal([])\ny = a * noise\n"
        'n = gradients(y, [a], method="numeric")[0]\nf = gradients(y, [a], method="forward")[0]\n'
    )
    n, f, noise = values(text, ["n", "f", "noise"])
    np.testing.assert_allclose([n, f], [noise, noise], rtol=1e-3)


def test_an_inner_tensor_and_several_ys():
    text = "variable a = 2.0\nh = square(a)\ny = h * 3.0\nz = exp(h * 0.1)\n" + "".join(
        f'{m} = gradients([y, z], [h], method="{m}")[0]\n' for m in METHODS
    )
    found = values(text, list(METHODS))
    np.testing.assert_allclose(found, [3 + 0.1 * np.exp(0.4)] * 4, rtol=1e-3)


def test_a_symbolic_error_names_the_op_and_its_line():
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile('variable a = 2.0\nd = digamma(a)\ny = d * 2.0\ng = gradients(y, [a], method="symbolic")\n')
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("TFG463", 2)
    assert "digamma" in diagnostic.headline


def test_without_sympy_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(CHAPTER.format(method="symbolic"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG464" and "sympy" in diagnostic.help_line


FUNCTIONS = ("sin", "cos", "tanh", "sigmoid", "exp", "square", "softplus", "atan", "relu", "abs")


@st.composite
def expressions(draw, depth=2):
    """A scalar expression over a and b, without poles near their values."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(["a", "b", "(a * 0.5)", "(b + 1.25)", "(a * b)"]))
    inner = expressions(depth - 1)
    if draw(st.booleans()):
        return f"{draw(st.sampled_from(FUNCTIONS))}({draw(inner)})"
    sign = draw(st.sampled_from(["+", "-", "*", "max", "/"]))
    left, right = draw(inner), draw(inner)
    if sign == "max":
        return f"maximum({left}, {right} + 0.01)"
    return f"({left}) / (square({right}) + 1.0)" if sign == "/" else f"({left}) {sign} ({right})"


@hypothesis.settings(UNHURRIED, max_examples=5)
@hypothesis.given(expressions())
def test_random_expressions(expression):
    text = f"variable a: float64 = 0.7\nvariable b: float64 = -0.4\ny = {expression} + a * b\n"
    text += "".join(f'{m}_a, {m}_b = gradients(y, [a, b], method="{m}")\n' for m in METHODS)
    with tfdsl.compile(text).session() as session:
        reverse, forward, numeric, symbolic = (session.run([f"{m}_a", f"{m}_b"]) for m in METHODS)
        size = max(1.0, abs(session.run("y")), *map(abs, reverse))
    np.testing.assert_allclose(forward, reverse, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(symbolic, reverse, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(numeric, reverse, atol=1e-4 * size)


# --- gradcheck ------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "p.tfg"
        path.write_text(text)
        return str(path)

    return write


def checked(capsys, *arguments):
    code = main(["gradcheck", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_gradcheck_agrees(file, capsys):
    text = CHAPTER.format(method="reverse").replace("range(100)", "range(4)")
    code, found = checked(capsys, file(text))
    assert code == 0 and found["agrees"]
    (gradient,) = found["gradients"]
    assert (gradient["ys"], gradient["xs"]) == (["z"], ["a", "b"])
    assert {m: one["passes"] for m, one in gradient["methods"].items()} == {
        "reverse": 1, "forward": 2, "numeric": 4, "symbolic": 1,
    }  # fmt: skip

    def z(a, b):
        z = 0.0
        for i in range(4):
            z = a * np.cos(z + i) + z * np.sin(b - i)
        return z

    wanted = [(z(0.2 + 1e-6, 0.3) - z(0.2 - 1e-6, 0.3)) / 2e-6, (z(0.2, 0.3 + 1e-6) - z(0.2, 0.3 - 1e-6)) / 2e-6]
    np.testing.assert_allclose(gradient["methods"]["forward"]["values"], wanted, rtol=1e-5)


def test_gradcheck_says_why_a_method_is_missing(file, capsys):
    code, found = checked(capsys, file("variable w = [1.0, 2.0]\ny = reduce_sum(square(w))\noptimize y with adam\n"))
    assert code == 0
    assert "scalars" in found["gradients"][0]["methods"]["symbolic"]["reason"]


def test_gradcheck_names_the_first_node_that_disagrees(file, capsys):
    text = "variable a = 3.0\nb = exp(a * 0.1)\nc = abs(b - 1.349859)\ny = c * 2.0 + a\nz = square(y)\n"
    path = file(text)
    assert main(["gradcheck", path, "z"]) == 1
    out = capsys.readouterr().out
    assert f"disagree first through c at {path}:3:5" in out
    assert "numeric" in out and "passes" in out


def test_gradcheck_draws_random_numbers_once(file, capsys):
    head = "seed 1\nvariable w = [2.0, 3.0]\nx = random_normal([2])\n"
    turns = "i = 0\nt = x\nwhile i < 3:\n    i = i + 1\n    t = t + random_uniform([2])\n"
    code, found = checked(capsys, file(head + turns + "f = reduce_mean(square(w * x * t))\ng = gradients(f, w)\n"))
    assert code == 0
    values = {name: one["values"] for name, one in found["gradients"][0]["methods"].items() if "values" in one}
    assert {"reverse", "forward", "numeric"} <= set(values)
    np.testing.assert_allclose(values["forward"], values["reverse"], rtol=1e-4)
    np.testing.assert_allclose(values["numeric"], values["reverse"], rtol=1e-2)
    code, found = checked(capsys, file(head + "f = reduce_sum(dropout(w, rate=0.5) * x)\ng = gradients(f, w)\n"))
    assert code == 0
    assert "dropout of line 4 draws new numbers" in found["gradients"][0]["methods"]["numeric"]["reason"]
    code, found = checked(capsys, file(head + "f = reduce_sum(dropout(w, rate=0.0) * x)\ng = gradients(f, w)\n"))
    assert code == 0 and "values" in found["gradients"][0]["methods"]["numeric"]


def test_gradcheck_takes_feeds_from_the_command_line_the_program_and_random_numbers(file, capsys):
    head = "placeholder X: float32[n, 2]\nvariable w = [[1.0], [2.0]]\ny = reduce_mean(square(X @ w))\noptimize y with adam\n"
    session = "session:\n    print y with X = [[1, 2]]\n"
    wanted = 2 * 5 * np.array([[1.0], [2.0]])
    _, found = checked(capsys, file(head + session))
    np.testing.assert_allclose(found["gradients"][0]["methods"]["reverse"]["values"][0], wanted, rtol=1e-5)
    _, found = checked(capsys, file(head), "--feed", "X=[[1, 2]]")
    np.testing.assert_allclose(found["gradients"][0]["methods"]["reverse"]["values"][0], wanted, rtol=1e-5)
    assert main(["gradcheck", file(head)]) == 0
    assert "X is fed random numbers of shape [3, 2]" in capsys.readouterr().err


def test_gradcheck_of_missing_names(file, capsys):
    assert main(["gradcheck", file("variable a = 1.0\ny = a * 2.0\n"), "why"]) == 2
    assert "TFG301" in capsys.readouterr().err
    assert main(["gradcheck", file("variable a = 1.0\n")]) == 0
    assert "no gradient" in capsys.readouterr().err


@pytest.mark.parametrize("name", some(
    ["housing", "moons", "gradient_descent_optimizer", "autodiff_passes"], ["housing"]
))  # fmt: skip
def test_gradcheck_of_models(name, capsys):
    (path,) = (path for path in MODELS if path.stem == name)
    code, found = checked(capsys, str(path))
    assert code == 0 and found["gradients"]


# --- grad -----------------------------------------------------------------------------------------

SCALARS = """
variable a = 0.4
variable b = 0.3
z = constant(0.1)
for i in range(4):
    z = a * cos(z + i) + z * sin(b - i)
scope loss:
    c = sigmoid(a * b) / (1.0 + exp(-a)) - maximum(a, b)**3.0 + sqrt(z * z + 1.0) * log(2.0 + a)
    d = c * c / (z + 3.0)
"""


@pytest.mark.parametrize(("node", "name"), [("z", "a"), ("z", "b"), ("loss.c", "a"), ("loss.d", "a"), ("d", "loss.c")])
def test_the_text_of_a_derivative_is_valid_and_right(node, name, file, capsys):
    assert main(["grad", file(SCALARS), node, "wrt", name]) == 0
    text = capsys.readouterr().out
    result = text.strip().split("\n")[-1].partition(" = ")[0]
    found, wanted = values(f"{SCALARS}{text}wanted = gradients({node}, [{name}])[0]\n", [result, "wanted"])
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_grad_is_readable(file, capsys):
    main(["grad", file("variable x = 3.0\ny = x * x * 2.0 + sin(x)\n"), "y", "wrt", "x"])
    assert capsys.readouterr().out in ("d_y_d_x = cos(x) + 4.0 * x\n", "d_y_d_x = 4.0 * x + cos(x)\n")


def test_wrong_use_of_grad(file, capsys):
    path = file(SCALARS)
    assert main(["grad", path, "z", "to", "a"]) == 2
    assert main(["grad", path, "zz", "wrt", "a"]) == 2
    assert "TFG301" in capsys.readouterr().err


HELD = {
    "a write that the gradient does not flow through": ("y = assign_add(v, x) * x", 3.0, 3.0),
    "stop_gradient": ("y = x * stop_gradient(x) * v", 2.0, 1.0),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("line", "gradient", "after"), HELD.values(), ids=HELD)
def test_only_nodes_on_the_path_of_a_gradient_are_recomputed(method, line, gradient, after):
    text = f'variable v = 1.0\nplaceholder x: float32\n{line}\ng = gradients(y, [x], method="{method}")[0]\n'
    with tfdsl.compile(text).session() as session:
        np.testing.assert_allclose(session.run("g", {"x": 2.0}), gradient, rtol=2e-4)
        assert session.run("v") == after


def test_methods_print_nothing_on_standard_error(capfd):
    values('variable v = [1.0, 2.0]\ny = reduce_sum(v * v)\ng = gradients(y, [v], method="numeric")[0]\n', ["g"])
    assert "AutoGraph" not in capfd.readouterr().err


def test_a_missing_number_is_a_disagreement(here, capsys):
    (here / "g.tfg").write_text(
        "variable w = 0.0\nx = 1.0 / w\ny = x - x + w * w\noptimize y with gradient_descent(learning_rate=0.1)\n"
    )
    assert main(["gradcheck", "g.tfg"]) == 1
    assert "1 with a disagreement" in capsys.readouterr().err


def test_forward_mode_through_an_op_without_a_second_gradient():
    text = 'v = ones([1, 1, 1, 4])\ny = raw.LRN(input=v)\ng = gradients(y, [v], method="forward")[0]\n'
    with pytest.raises(tfdsl.TfgError) as caught:
        values(text, "g")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("TFG714", 3)
    assert diagnostic.headline == "forward mode needs the gradient of LRNGrad, which TensorFlow does not define"
