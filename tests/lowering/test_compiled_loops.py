"""Gradients that need more than copying to compile: of `while` with a known number of iterations, and of pooling."""

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.lowering.tf import op_determinism
from tfdsl.runtime.options import Options

PROGRAM = """\
seed 3
variable w = [1.2, 0.7]
variable n = 3, trainable=false
{nodes}
loss reduce_mean(square(p - 2.0))
optimize with gradient_descent(learning_rate=0.1)
session:
    train 5 steps:
        every 2 steps: print step
    print w
"""
KNOWN = {
    "a counter": "i = 0\np = w\nwhile i < 3:\n    i = i + 1\n    p = tanh(p * w)",
    "two that end it": (
        "i = 10\ns = 0.5\np = w\nwhile s < 9.0 and i > 2:\n    i = i - 1\n    s = s + 1.5\n    p = tanh(p * w)"
    ),
    "one that another changes": (
        "i = 1\nj = 0\np = w\nwhile j < 20:\n    i = i * 2\n    j = j + i\n    p = tanh(p * w + 0.01 * cast(i, float32))"
    ),
    "no iteration": "i = 5\np = w * w\nwhile i < 3:\n    i = i + 1\n    p = tanh(p * w)",
}
UNKNOWN = {
    "a variable": ("i = 0\np = w\nwhile i < n:\n    i = i + 1\n    p = tanh(p * w)", "needs the number of iterations"),
    "a trained variable": ("p = w\nwhile reduce_sum(p) < 9.0:\n    p = p * w * 2.0", "needs the number of iterations"),
    "a branch": (
        "i = 0\np = w\nwhile i < 3:\n    i = i + 1\n    if p[0] > 1.0:\n        p = p * w\n    else:\n        p = p + w",
        "the gradient of an 'if'",
    ),
    "a branch outside": ("if w[0] > 1.0:\n    p = w * w\nelse:\n    p = w * 3.0", "the gradient of an 'if'"),
}


def ran(nodes, engine):
    source = PROGRAM.format(nodes=nodes)
    return tfdsl.compile(source).run(options=Options(write=lambda line: None, engine=engine))


@pytest.mark.long
@pytest.mark.parametrize("kind", some(KNOWN, ["two that end it"]))
def test_a_known_number_of_iterations(kind):
    nodes = KNOWN[kind]
    step, xla = ran(nodes, "step"), ran(nodes, "xla")
    assert xla.engines == ["xla"] and xla.printed[:-1] == step.printed[:-1]
    np.testing.assert_allclose(xla.variables["w"], step.variables["w"], rtol=1e-5)
    assert not np.array_equal(step.variables["w"], np.float32([1.2, 0.7]))


@pytest.mark.parametrize("kind", some(UNKNOWN, ["a variable"]))
def test_an_unknown_number_of_iterations(kind):
    nodes, why = UNKNOWN[kind]
    with pytest.raises(tfdsl.TfgError) as caught:
        ran(nodes, "xla")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG715" and why in diagnostic.headline
    assert diagnostic.span.text.startswith(("optimize", "if"))
    assert ran(nodes, "loop").printed == ran(nodes, "step").printed


POOL = """\
placeholder x: float32[n, 16]
variable w = 1.5
h = max_pool(reshape(x, [-1, 4, 4, 1]) * w, ksize=[1, 3, 3, 1], strides=[1, 1, 1, 1], padding="SAME")
loss reduce_mean(square(h - 3.0))
optimize with gradient_descent(learning_rate=0.001)
session:
    train 3 steps:
        feed x = [range(16), range(16)]
    print w
"""


@pytest.mark.parametrize("deterministic", some([False, True], [True]))
def test_the_gradient_of_max_pool(deterministic):
    """XLA refuses it under op determinism because of GPUs; its code for the CPU is deterministic anyway."""

    def trained(engine):
        options = Options(write=lambda line: None, engine=engine, deterministic=deterministic)
        result = tfdsl.compile(POOL).run(options=options)
        assert result.engines == [engine]
        return result.variables["w"]

    first, second = trained("xla"), trained("xla")
    assert first.tobytes() == second.tobytes()
    np.testing.assert_allclose(first, trained("step"), rtol=1e-5)
    assert not op_determinism.is_enabled()
