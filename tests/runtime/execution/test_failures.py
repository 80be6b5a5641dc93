"""Failures inside TensorFlow are reported at the user's line: in a run, in a gradient, while building."""

import pytest
import tensorflow as tf
from conftest import some
from tensorflow.compat import v1

import tfdsl
from tfdsl.runtime.options import Options


def failure(text):
    """The only error of a program that compiles: while its graph is built, or in its run."""
    program = tfdsl.compile(text)
    with pytest.raises(tfdsl.TfgError) as caught:
        program.run(options=Options(write=lambda line: None))
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def at(diagnostic):
    """The line and the text of the place."""
    return diagnostic.span.line, diagnostic.span.text


def test_a_singular_matrix():
    diagnostic = failure("""\
x = constant([[1.0, 2.0], [2.0, 4.0]])
scope inverse:
    y = matrix_inverse(x)
z = y + 1.0
session:
    print x
    print z
""")
    assert (diagnostic.code, diagnostic.headline) == ("TFG702", "Input is not invertible.")
    assert at(diagnostic) == (3, "matrix_inverse(x)")
    assert [note.text for note in diagnostic.notes] == [
        "the op is inverse/y, of type MatrixInverse", "it was run by line {line}",
    ]  # fmt: skip
    assert diagnostic.notes[1].span.line == 7


def test_the_full_text_of_an_error():
    text = "x = constant([[1.0, 2.0], [2.0, 4.0]])\ny = matrix_inverse(x)\nsession:\n    print y\n"
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run()
    assert (
        str(caught.value)
        == """\
error[TFG702]: Input is not invertible.
 --> <text>:2:5
  |
2 | y = matrix_inverse(x)
  |     ^^^^^^^^^^^^^^^^^
  = the op is y, of type MatrixInverse
  = it was run by line 4
"""
    )


FAILING = {
    'check_numerics(p / 0.0, "p is bad")': "p is bad : Tensor had NaN values",
    'check_numerics(p / 0.0, "two\\nlines")': "two lines : Tensor had NaN values",
    "1 // cast(p[0], int32)": "Integer division by zero",
    "reshape(p, [2, 2])": "Input to reshape is a tensor with 3 values, but the requested shape has 4",
    "p + q": "Incompatible shapes: [3] vs. [2]",
    "gather(p, cast(q, int32) + 7)": "indices[0] = 8 is not in [0, 3)",
    "ensure_shape(p, [4])": "Shape of tensor",
    'string_to_number("abc")': "StringToNumberOp could not correctly convert string: abc",
}


@pytest.mark.parametrize("expression", FAILING)
def test_failing_ops(expression):
    """The reason in one line, without TensorFlow's places, and the place of the exact op."""
    diagnostic = failure(f"""\
placeholder p: float32[?]
placeholder q: float32[?]
y = stack([{expression}])
session:
    print y with p = [0, 0, 0], q = [1, 2]
""")
    assert diagnostic.code == "TFG702"
    assert diagnostic.headline.startswith(FAILING[expression])
    assert "\n" not in diagnostic.headline
    assert at(diagnostic) == (3, expression)


def test_a_cholesky_that_fails():
    """TensorFlow's kernel returns NaN instead of failing, so our check fails."""
    diagnostic = failure("""\
x = constant([[1.0, 2.0], [2.0, 1.0]])
factor = cholesky(x)
y = check_numerics(factor, "not positive definite")
session:
    print y
""")
    assert diagnostic.headline == "not positive definite : Tensor had NaN values"
    assert at(diagnostic)[0] == 3


def test_the_chain_of_calls():
    diagnostic = failure("""\
placeholder a: float32[?, ?]
def inner(m):
    return matrix_inverse(m) @ m
def outer(m):
    scaled = m * 2.0
    return inner(scaled) + 1.0
b = outer(a)
session:
    print b with a = [[1, 1], [1, 1]]
""")
    assert at(diagnostic) == (3, "matrix_inverse(m)")
    assert [(what, span.line) for what, span in diagnostic.chain] == [("in outer, called", 7), ("in inner, called", 6)]
    assert "outer/inner/MatrixInverse" in diagnostic.notes[0].text


def test_an_op_of_a_gradient():
    """It is shown at the op whose gradient it computes, with the line that takes the gradient."""
    diagnostic = failure("""\
placeholder p: float32[?]
variable w = [1.0, 2.0]
product = w * p
g = gradients(product, [w])[0]
session:
    print g with p = [1, 2, 3]
""")
    assert at(diagnostic) == (3, "w * p")
    (taken,) = [note for note in diagnostic.notes if "gradient" in note.text and note.span is not None]
    assert taken.span.text == "gradients(product, [w])"
    assert "gradients/product_grad" in diagnostic.notes[0].text


def test_a_check_of_a_gradient():
    diagnostic = failure("""\
placeholder p: float32[2, 2]
z = reduce_sum(sqrt(p))
g = check_numerics(gradients(z, [p])[0], "the gradient")
session:
    print g with p = [[0, 1], [1, 1]]
""")
    assert diagnostic.headline == "the gradient : Tensor had Inf values"
    assert at(diagnostic)[0] == 3


def test_an_op_of_an_optimizer():
    diagnostic = failure("""\
placeholder p: float32[?]
variable w = [1.0, 2.0]
product = w * p
optimize reduce_sum(product) with adam as step
session:
    run step with product = [1, 2], p = [1, 2, 3]
""")
    assert at(diagnostic) == (3, "w * p")
    (taken,) = [note for note in diagnostic.notes if "gradient taken" in note.text]
    assert taken.span.text == "optimize reduce_sum(product) with adam as step"


def test_in_an_initial_value():
    diagnostic = failure("""\
variable fine = 1.0
variable w = matrix_inverse([[1.0, 2.0], [2.0, 4.0]])
session:
    print w
""")
    assert at(diagnostic) == (2, "matrix_inverse([[1.0, 2.0], [2.0, 4.0]])")
    assert diagnostic.notes[-1].span.line == 3


def test_by_an_init():
    diagnostic = failure("variable w = matrix_inverse([[0.0]])\nsession:\n    init w\n    print w\n")
    assert at(diagnostic) == (1, "matrix_inverse([[0.0]])")
    assert diagnostic.notes[-1].span.text == "init w"


def test_in_a_training():
    diagnostic = failure("""\
variable x = 3.0
y = check_numerics(1.0 / x, "y")
down = assign_sub(x, 1.0)
session:
    train 9 epochs:
        every 1 epoch: print y
        run down
""")
    assert diagnostic.headline == "y : Tensor had Inf values"
    assert at(diagnostic)[0] == 2
    assert diagnostic.notes[-1].span.text == "print y"


def test_in_a_node_that_a_session_makes():
    diagnostic = failure("x = constant([[0.0]])\nsession:\n    print matrix_inverse(x) * 2.0\n")
    assert at(diagnostic) == (3, "matrix_inverse(x)")


def test_in_an_assertion():
    diagnostic = failure("""\
x = constant([1, 2])
after assert_positive(x - 1):
    y = x * 2
session:
    print y
""")
    assert diagnostic.code == "TFG702"
    assert at(diagnostic)[0] == 2


def test_arithmetic_of_a_session():
    diagnostic = failure("variable x = 1\nsession:\n    train 2 epochs:\n        print 1 // epoch\n        run x\n")
    assert diagnostic.code == "TFG702"
    assert "zero" in diagnostic.headline
    assert at(diagnostic)[0] == 4


# --- errors of TensorFlow while building ------------------------------------------------------


def test_no_gradient():
    diagnostic = failure("x = constant([1.5, 2.0])\ny = raw.Floor(x=x)\ng = gradients(y, [x])\nsession:\n    print g\n")
    assert diagnostic.code == "TFG708"
    assert diagnostic.headline == "TensorFlow finds no gradient of y with respect to x"
    assert at(diagnostic)[0] == 3


def test_an_op_without_a_gradient():
    diagnostic = failure(
        "variable x = 1.5\ny = raw.TruncateMod(x=x, y=1.0)\noptimize y with adam\nsession:\n    init\n"
    )
    assert diagnostic.code == "TFG739"
    assert diagnostic.headline == "TensorFlow has no gradient for TruncateMod"
    assert at(diagnostic)[0] == 2


def test_an_optimizer_without_a_gradient():
    diagnostic = failure("variable x = 1.5\noptimize raw.Floor(x=x) with adam\nsession:\n    init\n")
    assert diagnostic.code == "TFG701"
    assert diagnostic.headline.startswith("TensorFlow cannot build this: No gradients provided for any variable")
    assert at(diagnostic)[0] == 2


def test_building_fails_in_a_function():
    diagnostic = failure("""\
def flat(v):
    return gradients(raw.Floor(x=v), [v])[0]
x = constant([1.5])
scope s:
    after x:
        y = flat(x)
session:
    print y
""")
    assert diagnostic.code == "TFG708"
    assert at(diagnostic) == (2, "gradients(raw.Floor(x=v), [v])")
    assert [(what, span.line) for what, span in diagnostic.chain] == [("in flat, called", 6)]


def test_a_failure_does_not_change_tensorflow():
    """Its default graph, and the scopes of the graph that could not be built."""
    with tf.Graph().as_default() as mine:
        test_building_fails_in_a_function()
        test_a_singular_matrix()
        assert v1.get_default_graph() is mine
        assert tf.constant(1).name == "Const:0"
    assert tf.executing_eagerly()


# --- the embedded session ---------------------------------------------------------------------


def test_an_embedded_session_reports_the_same():
    program = tfdsl.compile("placeholder m: float32[2, 2]\nscope deep:\n    y = matrix_inverse(m)\n")
    with program.session() as s:
        with pytest.raises(tfdsl.TfgError) as caught:
            s.run("deep.y", {"m": [[1, 1], [1, 1]]})
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.headline == "Input is not invertible."
        assert at(diagnostic) == (3, "matrix_inverse(m)")
        assert s.run("y", {"m": [[1, 0], [0, 1]]}).tolist() == [[1, 0], [0, 1]], "the session is still usable"


GRADIENT_FAILS = """
variable w = [1.0, 2.0, 3.0]
placeholder t: int32 = 0
{part}
cost = reduce_sum(square(w)) + reduce_sum(part)
optimize cost with gradient_descent(learning_rate=0.1)
session:
    train 5 steps with on_nan="ignore":
        feed t = step
        every 1 step: print step
"""


@pytest.mark.parametrize("part", ["part = w[t]", "part = slice(w, [t], [1])"])
@pytest.mark.parametrize("engine", ["step", "loop"])
def test_a_failure_in_a_gradient_is_reported_at_the_differentiated_op(part, engine):
    """Nobody fetches the loss, so the gradient's ops are executed and fail, but not the op itself."""
    printed = []
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(GRADIENT_FAILS.format(part=part)).run(options=Options(write=printed.append, engine=engine))
    (error,) = caught.value.diagnostics
    assert (error.code, error.span.line, printed) == ("TFG702", 4, ["0", "1", "2", "3"])
    if "_grad/" in error.notes[0].text:
        taken = next(note for note in error.notes if note.text == "it computes the gradient taken on line {line}")
        assert taken.span.line == 6


def test_optimizers_of_a_body_without_run_take_steps_in_turn():
    """The loss of the second one is computed after the first step; in one `run` it is computed before."""
    text = """
variable w = 1.0
variable u = 1.0
first = square(w - 2.0 * u)
second = square(w + u)
optimize first with gradient_descent(learning_rate=0.1) wrt w as one
optimize second with gradient_descent(learning_rate=0.1) wrt u as two
session:
    train 1 step:
        {body}
    print w, u
"""

    def learnt(body):
        return tfdsl.compile(text.format(body=body)).run(options=Options(write=lambda line: None)).printed[-1]

    assert learnt("every 2 steps: print 0") == learnt("run one\n        run two")
    assert learnt("every 2 steps: print 0") != learnt("run one, two")


def test_only_our_error_reports_numbers_that_do_not_fit(here, capfd):
    """NumPy's warning is not shown in addition to the error."""
    (here / "d.csv").write_text("a,b,y\n1e300,2,3\n-1e300,4,5\n1e308,3,4\n")
    for transforms in ("standardize", "polynomial(degree=9) | standardize", "minmax"):
        text = f'data d = csv("d.csv", target="y") | {transforms}\nplaceholder X: float32[n, d.columns]\n'
        try:
            tfdsl.compile(text + "session: print X with X = d.features\n").run(options=Options(write=lambda line: None))
        except tfdsl.TfgError as error:
            assert error.diagnostics[0].code == "TFG622"
    assert "Warning" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("what", "holds"),
    [("complex(3.0, 4.0) == 3.0 within 0.1", False), ("complex(3.0, 0.05) == 3.0 within 0.1", True),
     ("v == 9007199254740992 within 0", False), ("v == 9007199254740990 within 3", True),
     ("1.0 / z == 1.0 / z within 0.1", True), ("1.0 / z == 5.0 within 0.1", False), ("0.0 / z == 0.0 / z within 1", False)],
)  # fmt: skip
def test_expect_within(what, holds, capfd):
    """A complex number counts as a whole, an integer with all digits, and infinity equals itself."""
    text = f"v = constant(9007199254740993, int64)\nvariable z = 0.0\nsession: expect {what}\n"
    if holds:
        tfdsl.compile(text).run()
    else:
        assert failure(text).code == "TFG703"
    assert "Warning" not in capfd.readouterr().err


TRAINED = """\
variable w = 4.0
placeholder rate: float32
optimize square(w) with gradient_descent(learning_rate=rate)
session:
    train 40 steps:
        every 5 steps: print step
        feed rate = {rate}
        {statement}
    print w
"""


def ended(engine, rate="0.01", statement="run square(w)"):
    """What a training prints, with the error that ends it."""
    printed = []
    program = tfdsl.compile(TRAINED.format(rate=rate, statement=statement))
    with pytest.raises(tfdsl.TfgError) as caught:
        program.run(options=Options(write=printed.append, engine=engine))
    (diagnostic,) = caught.value.diagnostics
    return printed, diagnostic.code, diagnostic.headline, diagnostic.span.text, diagnostic.help


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_failing_arithmetic_of_a_session_is_an_error_at_its_place(engine):
    from_one = "step is 0 at the first step; write (step + 1) to count from 1"
    printed, code, headline, place, help = ended(engine, "0.1 / step")
    assert (printed, code, help) == (["0"], "TFG702", from_one)
    assert "division by zero" in headline and place == "feed rate = 0.1 / step"[5:]
    assert ended(engine, "step ** -0.5")[3:] == ("rate = step ** -0.5", from_one)
    later = ["0", "5", "10"]
    assert ended(engine, "0.1 / (step - 12)")[0] == later
    assert ended(engine, "0.001 * (12 - step) ** 0.5 + 0.001")[:3] == (
        ["0", "5", "10"], "TFG702", "a negative number raised to a fraction is no real number"
    )  # fmt: skip
    assert ended(engine, "0.0 * 10.0 ** (step + 296)")[:3] == (
        later, "TFG702", "the result is too large for a float"
    )  # fmt: skip
    assert ended(engine, statement="stop when 1 / (step - 12) > 3.0")[:2] == (later, "TFG702")
    assert ended(engine, statement="expect 1 / (step - 12) < 3.0")[:2] == (later, "TFG702")
    assert ended(engine, statement="every 4 steps: set w = 1.0 / (step - 12)")[:2] == (later, "TFG702")
    assert ended(engine, statement="every 4 steps: print 10 ** (400 * step)")[1:3] == (
        "TFG702", "the whole number is too long to be shown"
    )  # fmt: skip
    headline = ended(engine, statement="set w = 10 ** (30 + step)")[2]
    assert headline.endswith("is fed a whole number of more than 64 bits")


def test_failing_arithmetic_of_a_compiled_training_is_an_error_at_its_place():
    assert ended("xla", "0.1 / (step - 12)") == ended("step", "0.1 / (step - 12)")


@pytest.mark.parametrize("engine", some(["step", "loop", "xla"], ["step", "loop"]))
def test_a_fed_value_that_the_training_never_needs_does_not_fail(engine):
    printed = []
    text = TRAINED.format(rate="0.1 / (step - 12)", statement="stop when step > 8")
    tfdsl.compile(text).run(options=Options(write=printed.append, engine=engine))
    assert printed[:2] == ["0", "5"] and len(printed) == 3
