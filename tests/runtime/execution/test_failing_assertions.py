"""A failing assertion is reported at its own line, wherever it is and in every engine."""

import pytest
from conftest import some

import tfdsl
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

ENGINES = ["step", "loop", "xla", "auto"]

# Each has a check of v, whose line is marked; w comes after it.
PLACES = {
    "graph": """\
chk = assert_less(v, 2.0, message="too big")  #
after chk:
    w = v * 1.0
""",
    "a name that TensorFlow uses": """\
Assert = v + 1.0
after assert_less(v, 2.0, message="too big"):  #
    w = v * Assert
""",
    "if": """\
if v > 1.0:
    after assert_less(v, 2.0, message="too big"):  #
        w = v * 1.0
else:
    w = v * 2.0
""",
    "else": """\
if v < 0.0:
    w = v * 2.0
else:
    after assert_less(v, 2.0, message="too big"):  #
        w = v * 1.0
""",
    "while": """\
i = constant(0)
w = v
while i < 3:
    i = i + 1
    after assert_less(v, 2.0, message="too big"):  #
        w = w * 1.0
""",
    "if in while": """\
i = constant(0)
w = v
while i < 3:
    i = i + 1
    if w > 1.0:
        after assert_less(v, 2.0, message="too big"):  #
            w = w * 1.0
    else:
        w = w + 0.0
""",
    "while in if": """\
j = constant(0)
if v > 1.0:
    w = v
    i = j
    while i < 3:
        i = i + 1
        after assert_less(v, 2.0, message="too big"):  #
            w = w * 1.0
else:
    w = v * 2.0
    i = j + 0
""",
    "def": """\
def checked(x):
    after assert_less(x, 2.0, message="too big"):  #
        y = x * 1.0
    return y
w = checked(checked(v - 2.0) + 2.0)
""",
}


def failure(text, engine):
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run(options=Options(write=lambda line: None, engine=engine))
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def marked(text):
    """The number of the marked line."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.endswith("#"))


@pytest.mark.parametrize("place", PLACES)
def test_an_assertion_outside_trainings(place):
    text = f"placeholder v: float32\n{PLACES[place]}session:\n    print w with v = 1\n    print w with v = 3\n"
    diagnostic = failure(text, "step")
    assert diagnostic.code == "TFG702" and diagnostic.headline.startswith("too big: x < y does not hold, where x is ")
    assert diagnostic.span.line == marked(text)
    assert diagnostic.notes[-1].span.text == "print w with v = 3"


@pytest.mark.parametrize("place", some(PLACES, ["graph", "def", "while in if"]))
def test_an_assertion_in_a_training(place):
    """The condition first fails at the third step."""
    text = (
        f"variable v = 0.0\n{PLACES[place]}session:\n    train 4 steps:\n        print w\n        run more\n"
    ).replace("session:", "more = assign_add(v, 1.0)\nsession:", 1)
    found = {}
    for engine in ENGINES[:2]:
        diagnostic = failure(text, engine)
        found[engine] = diagnostic.code, diagnostic.span.line, diagnostic.headline
    assert set(found.values()) == {("TFG702", marked(text), found["step"][2])}
    assert found["step"][2].startswith("too big: x < y does not hold, where x is ")


def test_an_assertion_of_a_gradient():
    """The ops that TensorFlow makes for a gradient belong to the gradient."""
    text = """\
placeholder x: float32[?]
variable w = 2.0
i = constant(0)
y = x * w
while i < 2:
    i = i + 1
    if reduce_sum(y) > 100.0:
        y = y * w
    else:
        y = y * 2.0 * x
g = gradients(y, [w])[0]
checked = assert_less(abs(g), 10.0, message="steep")
after checked:
    small = g * 1.0
session:
    print small with x = [1]
    print small with x = [3]
"""
    diagnostic = failure(text, "step")
    assert (diagnostic.code, diagnostic.span.line) == ("TFG702", 12)
    assert diagnostic.headline.startswith("steep: x < y does not hold, where x is ")


def test_an_assertion_that_is_run_directly():
    text = 'placeholder x: float32\nchk = assert_positive(x, message="none left")\nsession:\n    run chk with x = -1\n'
    diagnostic = failure(text, "step")
    assert (diagnostic.code, diagnostic.span.line) == ("TFG702", 2)


def test_an_assertion_in_an_embedded_session():
    program = tfdsl.compile("placeholder x: float32\nchk = assert_positive(x)\nafter chk:\n    y = x * 2.0\n")
    with program.session() as session:
        assert session.run("y", {"x": 1}) == 2
        with pytest.raises(tfdsl.TfgError) as caught:
            session.run("y", {"x": -1})
    assert caught.value.diagnostics[0].span.line == 2


@pytest.mark.parametrize(
    "check, said",
    [
        ('assert_less(x, 2.0, message="")', "x < y does not hold, where x is 3 and y is 2"),
        ('assert_equal(x, [1.0], message="odd [x]")', "odd [x]: x == y does not hold, where x is 3 and y is 1"),
        ("assert_negative(x)", "x < 0 does not hold, where x is 3"),
    ],
)
def test_the_message_of_a_failing_assertion(check, said):
    text = f"placeholder x: float32[n]\nc = {check}\nafter c:\n    y = x * 1.0\nsession: print y with x = [3]\n"
    assert failure(text, "step").headline == said
