"""The formulas of the op table against TensorFlow: their values and their derivatives at several points."""

from itertools import product

import numpy as np
import pytest
from conftest import part_of, some

import tfdsl
from tfdsl.analysis.calls.symbolic import functions
from tfdsl.ops import OPS
from tfdsl.ops.formula import Known, Made, Own
from tfdsl.ops.named import CONSTANT
from tfdsl.ops.op import REQUIRED
from tfdsl.record import replace

POINTS = (-2.4, -0.6, 0.3, 0.8, 1.7)
# Calls that need more than numbers.
CALLS = {"where": "where(x > 0.5, x * y, y)", "add_n": "add_n([x, y, x])", "polyval": "polyval([x, y, 2 * x], y)"}
NAMES = [op.name for op in OPS.values() if functions().of(op) is not None and op is not CONSTANT]


def call(op):
    """A call of an op with the numbers x and y. A condition chooses between two numbers."""
    if op.name in CALLS:
        return CALLS[op.name]
    tensors = [param for param in op.params if param.is_tensor and param.default is REQUIRED]
    made = f"{op.name}({', '.join(f'{param.name}={name}' for param, name in zip(tensors, 'xy', strict=False))})"
    return f"where({made}, x * y, x + y)" if isinstance(op.formula, Own) and op.formula.is_condition else made


def program(name):
    """Gradients of a call, and of its square, which contains its value. By formula and by TensorFlow."""
    made = call(OPS[name])
    lines = ["placeholder x: float64", "placeholder y: float64"]
    xs = [one for one in "xy" if one in made.partition("(")[2].replace("x=", "").replace("y=", "")]
    for number, value in enumerate((made, f"square({made})")):
        lines.append(f"g{number} = {value}")
        for method in ("symbolic", "reverse"):
            names = ", ".join(f"{method}_{one}{number}" for one in xs)
            lines.append(f'{names} = gradients(g{number}, [{", ".join(xs)}], method="{method}")')
    return tfdsl.compile("\n".join(lines) + "\n"), [f"{one}{number}" for one in xs for number in (0, 1)]


def faults(name):
    """The points where a formula is wrong, and how many points there are."""
    made, results = program(name)
    wrong, count = [], 0
    with made.session() as session, np.errstate(all="ignore"):
        for x, y in product(POINTS, POINTS[1:]):
            fetched = [[made[f"{method}_{one}"] for one in results] for method in ("symbolic", "reverse")]
            found, wanted = session.session.run(fetched, {made["x"]: x, made["y"]: y})
            if np.isfinite(wanted).all():
                count += 1
                if not np.allclose(found, wanted, 1e-9, 1e-12):
                    wrong.append((x, y, found, wanted))
    return wrong, count


@pytest.mark.parametrize("name", some(NAMES, part_of(NAMES, 2)))
def test_formulas_are_tensorflows(name):
    wrong, count = faults(name)
    assert not wrong and count > 1


def test_every_function_that_is_not_derived_is_in_a_derivative():
    """They are tried as parts of derivatives: the derivative of abs is sign."""
    assert {op.name for op in OPS.values() if op.formula is not None} - {CONSTANT.name, *NAMES} == {"sign"}


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("tan", Known("sin")),
        ("rsqrt", Made(lambda s, x: 1 / s.sqrt(x) + 1)),  # with the right derivative
        ("sigmoid", Own(lambda s, x: (s.sigmoid(x),))),
    ],
)
def test_wrong_formulas_are_found(name, formula, monkeypatch):
    monkeypatch.setitem(OPS, name, replace(OPS[name], formula=formula))
    functions.cache_clear()
    try:
        assert faults(name)[0]
    finally:
        functions.cache_clear()
