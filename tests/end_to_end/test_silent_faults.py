"""Small programs that once ran but were wrong: the diagnostics and results of each."""

import pytest
from conftest import some
from programs import GAN, READ

import tfdsl
from tfdsl import Options

pytestmark = pytest.mark.loops

# Of the engines, `xla` checks the same in graphs of its own, and `auto` selects one of the others.
EVERY = [one.values[0] for one in some(("step", "loop", "xla", "auto"), ("step", "loop"))]


def checked(text):
    """(code, line) of what `check` reports, except unused names."""
    return [(one.code, one.span.line) for one in tfdsl.check(text.lstrip("\n")) if one.code != "TFG901"]


def came(text, engine=""):
    """The lines that a run prints, and the (code, line) of its error."""
    lines, error = [], None
    try:
        tfdsl.compile(text.lstrip("\n")).run(options=Options(write=lines.append, engine=engine, deterministic=True))
    except tfdsl.TfgError as failed:
        error = failed.diagnostics[0].code, failed.diagnostics[0].span.line
    return lines, error


def in_every_engine(text):
    found = [came(text, engine) for engine in EVERY]
    assert all(one == found[0] for one in found), dict(zip(EVERY, found))
    return found[0]


# --- reads and writes of one variable ---------------------------------------------------------


def test_two_optimizers_in_one_run():
    g = d = 0.5
    for _ in range(5):
        d -= 0.1 * 2 * (g * d - 1) * g
        g -= 0.1 * 2 * (g * d - 2) * d
    assert checked(GAN) == [("TFG915", 7)]
    ((line,), error) = in_every_engine(GAN)
    assert error is None
    assert [abs(float(word) - one) < 1e-5 for word, one in zip(line.split(), (g, d))] == [True, True]


def test_a_variable_beside_its_write():
    assert {code for code, _ in checked(READ)} == {"TFG915", "TFG916", "TFG961"}
    assert in_every_engine(READ) == (["2 2 4", "4 4 8", "6 6 12"], None)
    lines = [
        "variable k = 0",
        "inc = assign_add(k, 1)",
        "after inc:",
        "    two = k * 2",
        "session:",
        *["    print k, two"] * 100,
    ]
    assert checked("\n".join(lines) + "\n")[0][0] == "TFG916"
    assert came("\n".join(lines) + "\n") == ([f"{k} {2 * k}" for k in range(1, 101)], None)


def test_a_write_that_waits_for_a_step():
    """The way that `check` suggests counts each step once."""
    text = """
variable w = 10.0
variable steps = 0
optimize square(w) with gradient_descent(learning_rate=0.1) as step_op
after step_op:
    count = assign_add(steps, 1)
session:
    train 3 steps:
        run step_op
    print w, steps
"""
    (slip,) = tfdsl.check(text.lstrip("\n"))
    assert (slip.code, slip.help_line.partition(", ")[2]) == ("TFG962", "instead of run step_op, write: run count")
    mended = text.replace("        run step_op", "        run count")
    assert checked(mended) == [] and in_every_engine(mended) == ((["5.12 3"]), None)
    doubled = text.replace("        run step_op", "        run step_op\n        run count")
    assert checked(doubled) == [("TFG961", 9)]


# --- failures that XLA does not report --------------------------------------------------------


def test_an_index_out_of_range():
    text = """
variable t = [[1.0], [2.0], [3.0]]
placeholder i: int32[n]
loss reduce_sum(embedding_lookup(t, i))
optimize with gradient_descent(learning_rate=0.1)
session:
    train 2 steps:
        feed i = [0, 7]
"""
    assert in_every_engine(text) == ([], ("TFG702", 3))


def test_an_integer_division_by_zero():
    text = """
variable k = 0
variable a = 5
u = assign(k, a // (k - k))
session:
    train 2 steps:
        run u
"""
    assert in_every_engine(text) == ([], ("TFG702", 3))


def test_an_assertion_fails_at_the_second_step():
    text = """
variable k = 0.0
u = assign_add(k, 1.0)
chk = assert_less(k, 2.0)
after chk:
    v = k * 1.0
session:
    train 4 steps:
        run u
        print v
"""
    assert in_every_engine(text) == (["1.0"], ("TFG702", 3))


def test_a_scatter_out_of_range():
    text = """
variable k = 5
s = scatter_nd(reshape(k, [1, 1]), [1.0], [3])
u = assign_add(k, 1)
session:
    train 2 steps:
        print s
        run u
"""
    assert in_every_engine(text) == ([], ("TFG702", 2))


# --- shapes, labels, dropout ------------------------------------------------------------------


def test_rows_against_a_column_of_rows():
    text = """
placeholder X: float32[n, 1]
placeholder y: float32[n]
variable w: float32[1, 1] = ones
mse = reduce_mean(square(X @ w - y))
session: print mse with X = [[1], [2], [3]], y = [1, 2, 3]
"""
    assert checked(text) == [("TFG927", 4)]
    losses = ("mean_squared_error", "mean_absolute_error", "huber")
    text = "import nn\nplaceholder y: float32[n]\nplaceholder p: float32[n, 1]\nsession: print "
    text += ", ".join(f"nn_{one}" for one in losses) + " with p = [[1], [2], [3]], y = [1, 2, 3]\n"
    text = text.replace("session:", "\n".join(f"nn_{one} = nn.{one}(y, p)" for one in losses) + "\nsession:")
    assert checked(text) == []
    assert came(text) == (["0.0 0.0 0.0"], None)


def test_argmax_of_the_batch():
    text = """
placeholder logits: float32[n, 3]
placeholder y: int64[n, 1]
acc = reduce_mean(cast(equal(argmax(logits), y), float32))
session: print acc with logits = [[9, 0, 0], [0, 9, 0]], y = [[0], [1]]
"""
    assert checked(text) == [("TFG928", 3)]


def test_labels_and_logits_by_position():
    text = """
placeholder y: float32[n, 3]
variable w = [[1.0, 2.0, 3.0]]
a = softmax_cross_entropy_with_logits(w, y)
c = sigmoid_cross_entropy_with_logits(w, y)
session: print a, c with y = [[0, 0, 1]]
"""
    assert checked(text) == [("TFG540", 3), ("TFG540", 4)]


def test_labels_with_a_fraction():
    text = """
import nn
placeholder logits: float32[n, 3]
placeholder y: float32[n, 1]
l = nn.sparse_softmax_cross_entropy(y, logits)
session:
    print l > 1.4 with logits = [[1, 2, 3]], y = [[1.0]]
    print l with logits = [[1, 2, 3]], y = [[1.7]]
"""
    assert came(text) == (["True"], ("TFG702", 4))


def test_the_rate_of_dropout():
    text = "x = ones([1000])\na = dropout(x, 0.3)\nsession: print reduce_sum(a)\n"
    text = text.replace("session: print reduce_sum(a)", "b = reduce_sum(a)\nsession: print b")
    assert checked(text) == [("TFG929", 2)]


# --- order, initial values, NaN ---------------------------------------------------------------


def test_an_initial_value_in_an_after():
    text = """
variable c = 0
inc = assign_add(c, 1)
after inc:
    shared w: float32[2, 1] = ones
    h = w * 2.0
session:
    print c
    print h
    print c
"""
    assert came(text) == (["0", "[[2.]\n [2.]]", "1"], None)
    text = """
import nn
placeholder x: float32[n, 2]
p = assert_positive(x)
after p:
    h = nn.dense(x, 1)
loss reduce_mean(h)
optimize with gradient_descent(learning_rate=0.1)
session:
    train 2 steps:
        feed x = [[1, 2]]
    print "done"
    print h with x = [[1, -2]]
"""
    assert came(text) == (["done"], ("TFG702", 3))


def test_an_alias_in_an_after():
    text = """
variable x = 0
inc = assign_add(x, 1)
after inc:
    y = x
    z = identity(x)
session:
    print y
    print z
"""
    assert checked(text) == [("TFG935", 4)]
    assert came(text) == (["0", "1"], None)


def test_nan_after_the_last_step(here):
    text = """
variable w = 0.0
mse = sqrt(square(w))
optimize mse with gradient_descent(learning_rate=0.1)
session:
    train 1 steps:
        print mse
    save to "nan.ckpt"
"""
    assert in_every_engine(text) == (["0.0"], ("TFG716", 2))
    assert list(here.iterdir()) == []


def test_init_after_restore(here):
    assert came('variable w = 1.0\nsession:\n    set w = 5.0\n    save w as "w" to "w.ckpt"\n') == ([], None)
    text = 'variable w = 1.0\nvariable z = 2.0\nsession:\n    restore w from "w.ckpt"\n    {}\n    print w, z\n'
    assert checked(text.format("init")) == [("TFG934", 5)]
    assert came(text.format("init z")) == (["5.0 2.0"], None)
    (diagnostic,) = tfdsl.check(text.format('print "here"'))
    restored = 'if the file has it, write on line 4: restore w, z from "w.ckpt"; else write before it: init z'
    assert (diagnostic.code, diagnostic.help_line) == ("TFG507", restored)


def test_statistics_of_batches_move_in_steps_only():
    body = """
import nn
seed 1
placeholder X: float32[n, 2]
h = nn.batch_norm(X, momentum=0.5)
variable w: float32[2, 1] = ones
mse = reduce_mean(square(h @ w - 1.0))
optimize mse with gradient_descent(learning_rate=0.1)
session:
    train 3 steps:
        feed X = [[1, 2], [3, 4], [5, 9]]
        PRINT
    print h with X = [[1, 2]]
"""
    quiet = came(body.replace("        PRINT\n", ""), "step")[0]
    for engine in ("step", "loop"):
        loud = came(body.replace("PRINT", "print mse"), engine)[0]
        assert len(loud) == 4 and loud[-1:] == quiet


# --- data -------------------------------------------------------------------------------------


def test_misleading_data(here):
    (here / "tr.csv").write_text("a,b,y\n1,10,1\n2,20,2\n3,30,3\n")
    (here / "te.csv").write_text("b,a,y\n100,4,4\n200,5,5\n")
    (here / "semi.csv").write_text("x;y\n1;2\n3;4\n")
    (here / "cat.csv").write_text("x,y,c\n1,2,red\n3,4,blue\n")
    (here / "nan.csv").write_text("x,y\n1,2\nNaN,3\n")
    two = """
data train = csv("tr.csv", target="y") | standardize
data test = csv("te.csv", target="y") | standardize
placeholder X: float32[n, 2]
m = X * 1.0
session:
    print m with X = train.features
    print m with X = test.features
"""
    assert checked(two) == [("TFG636", 7)]
    one = 'data d = csv("{}", target="y")\nplaceholder X: float32[n, d.columns]\na = X * 1.0\nsession:\n    print a with X = d.features\n'
    assert checked(one.replace('"y"', '"y", separator=","').format("semi.csv")) == [("TFG634", 1)]
    assert checked(one.format("cat.csv")) == [("TFG642", 5)]
    assert checked(one.format("nan.csv")) == [("TFG642", 5)]
    assert came(one.format("semi.csv")) == (["[[1.]\n [3.]]"], None)


def test_the_column_of_the_bias_is_not_scaled():
    for scaling in ("standardize", "minmax"):
        text = f"data d = moons(6, noise=0.1, seed=1) | add_bias | {scaling}\nplaceholder X: float32[n, 3]\n"
        text += "m = reduce_mean(X, axis=0)[0]\nsession: print m with X = d.features\n"
        assert came(text) == (["1.0"], None)


# --- types ------------------------------------------------------------------------------------


def test_types_agree_with_tensorflow():
    assert checked("x = constant([1, 2])\nsession: print zeros_like(x) + 1.5\n") == [("TFG444", 2)]
    text = "placeholder p: int32[2]\na = ones_like(p)\nb = p + a\nsession: print b with p = [1, 2]\n"
    assert came(text) == (["[2 3]"], None)
    text = "a = cast([1, 0], bool)\nb = zeros([2], dtype=bool)\ne = logical_or(a, b)\nsession: print e\n"
    assert came(text) == (["[ True False]"], None)
    text = "variable w = [3.0, 4.0]\ngs, norm = clip_by_global_norm([w * 2.0], 5.0)\nsession: print gs[0], norm\n"
    assert came(text) == (["[3. 4.] 10.0"], None)


def test_programs_that_tensorflow_runs_are_not_refused():
    text = """
placeholder x: float32[n]
c = constant(0)
v = x
while c < 2:
    c = c + 1
    v = boolean_mask(v, v > 0.5)
session: print v with x = [0.1, 1.0, 2.0]
"""
    assert came(text) == (["[1. 2.]"], None)
    text = """
placeholder c: bool
placeholder a: float32[2]
if c:
    y = a
else:
    y = a
session: print y with c = true, a = [1, 2]
"""
    assert came(text) == (["[1. 2.]"], None)
    assert came("out = grayscale_to_rgb([[[0.5]]])\nsession: print out\n") == (["[[[0.5 0.5 0.5]]]"], None)


def test_programs_that_crash_tensorflow_are_refused():
    assert checked("p = zeros([3, 1, 1], dtype=complex64)\nout = irfft(p)\nsession: print out\n") == [("TFG236", 2)]
    text = "placeholder x: float32[1, 4, 4, 3]\nplaceholder f: float32[1, 1, 2, 3]\n"
    text += "y = conv2d_transpose(x, f, output_shape=[3, 4], strides=[1, 1])\n"
    assert checked(text)[0] == ("TFG213", 3)
