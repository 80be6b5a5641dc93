"""Deeply nested programs: the compiler never hits Python's recursion limit, and excessive nesting is an error."""

import sys

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.diagnostics.render import render_text
from tfdsl.driver import check
from tfdsl.source import Source
from tfdsl.syntax.format import format_text
from tfdsl.syntax.outline import outline
from tfdsl.syntax.parse import parse

DEPTH = 2000
FUNCTIONS = "".join(
    ["placeholder x: float32[3]\n", "def f0(x):\n    return x * 2.0\n"]
    + [f"def f{i}(x):\n    return f{i - 1}(x) + 1.0\n" for i in range(1, DEPTH)]
    + [f"y = f{DEPTH - 1}(x)\n"]
)
NESTED = {
    "functions that call functions": FUNCTIONS,
    "calls in calls": f"placeholder x: float32[3]\ny = {'negative(' * DEPTH}x{')' * DEPTH}\n",
    "calls of a function in calls": "placeholder x: float32[3]\ndef f(x):\n    return x + 1.0\n"
    f"y = {'f(' * DEPTH}x{')' * DEPTH}\n",
    "brackets": f"placeholder x: float32[3]\ny = {'(1.0 + ' * DEPTH}x{')' * DEPTH}\n",
    "signs": f"placeholder x: float32[3]\ny = {'-' * DEPTH}x\n",
    "branches": f"placeholder x: float32[3]\ny = {'1.0 if false else ' * DEPTH}x\n",
}
RESULTS = dict(zip(NESTED, (lambda x: 2 * x + DEPTH - 1, lambda x: x, lambda x: x + DEPTH, lambda x: x + DEPTH,
                            lambda x: x, lambda x: x), strict=True))  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", some(NESTED, ["signs", "branches"]))
def test_deep_programs_run(name):
    limit = sys.getrecursionlimit()
    x = np.array([1.0, 2.0, 3.0], np.float32)
    program = tfdsl.compile(NESTED[name])
    assert program["y"].shape == (3,)
    if name == "functions that call functions":  # TensorFlow itself takes long for names with 2,000 scopes
        program = tfdsl.compile("\n".join(NESTED[name].split("\n")[:401]) + "\ny = f199(x) + 1800.0\n")
    with program.session() as session:
        assert session.run("y", feed={"x": x}).tolist() == RESULTS[name](x).tolist()
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize("name", some(NESTED, ["calls in calls"]))
def test_deep_programs_are_formatted_and_drawn(name):
    source = Source("deep", NESTED[name])
    once = format_text(source)
    assert format_text(Source("deep", once)) == once
    assert outline(parse(source)).count("\n") > DEPTH


def test_a_long_unrolled_loop():
    source = "variable a = 0.5\nz = constant(0.0)\nfor i in range(400):\n    z = z * 0.5 + a\ng, = gradients(z, [a])\n"
    with tfdsl.compile(source).session() as session:
        assert session.run(["z", "g"]) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x = " + "(" * 2501 + "1.0" + ")" * 2501, (1, 2505)),
        ("x = " + "-" * 10_001 + "1.0", (1, 10_004)),
        (FUNCTIONS.replace("x * 2.0", "x * 2.0 @ 1.0"), (3, 12)),
    ],
)
def test_too_deep_programs_and_deep_errors(text, place):
    program, (diagnostic, *_) = check(Source("deep", text + "\n"))
    assert program is None
    assert (diagnostic.span.line, diagnostic.span.column) == place
    assert diagnostic.code == "TFG116" or len(diagnostic.chain) == DEPTH
    assert len(render_text(diagnostic).splitlines()) < 20


def test_a_deep_error_shows_its_calls():
    text = FUNCTIONS.replace("return f1499(x) + 1.0", "return f1499(x, 3) + 1.0")
    (diagnostic,) = check(Source("deep", text))[1]
    assert (diagnostic.code, diagnostic.span.line) == ("TFG405", 2 + 2 * 1501 - 1)
    assert [span.line for _, span in diagnostic.chain] == [2 + 2 * DEPTH, *range(2 * DEPTH + 1, 2 * 1501 + 1, -2)]
