"""What sessions do: printing, initialising, feeding, setting, expecting, saving."""

import numpy as np
import pytest
import tensorflow as tf

import tfdsl
from tfdsl.runtime.options import Options


def run(text, params=None, data=None, options=None):
    return tfdsl.compile(text, params, data).run(options=options)


def failure(text, params=None, data=None):
    """The only error of a run."""
    program = tfdsl.compile(text, params, data)
    with pytest.raises(tfdsl.TfgError) as caught:
        program.run()
    diagnostic, *more = caught.value.diagnostics
    assert {one.code for one in more} <= {diagnostic.code}, "the same fault, of other variables"
    return diagnostic


# --- sessions ---------------------------------------------------------------------------------


def test_each_session_has_its_own_variables():
    text = """
variable x = 1
more = assign_add(x, 10)
session first:
    run more
    run more
    print x
session second:
    print x
    run more
    print x
"""
    program = tfdsl.compile(text)
    assert program.run().printed == ["21", "1", "11"]
    assert program.run().printed == ["21", "1", "11"]
    assert program.run("second").printed == ["1", "11"]


def test_an_unknown_session():
    with pytest.raises(tfdsl.TfgError, match="TFG809"):
        tfdsl.compile("x = constant(1)\nsession a:\n    print x\n").run("b")


def test_a_program_without_sessions():
    with pytest.raises(tfdsl.TfgError, match="TFG810"):
        tfdsl.compile("x = constant(1)\n").run()


def test_init_by_hand():
    text = """
variable x = 2
variable y = x * 3
session:
    init y, x
    print x, y
session half:
    init x
    print x
    init y
    print y
session all:
    init
    print x, y
session without:
    print x, y
"""
    # y depends on x, which must come first in any order of the text.
    assert run(text).printed == ["2 6", "2", "6", "2 6", "2 6"]


def test_assigning_initialises():
    text = """
variable x = 2
start = assign(x, 5)
session:
    init x
    run start
    print x
"""
    assert run(text).printed == ["5"]


def test_each_step_of_a_scope_has_its_own_slots(here):
    """Two calls of a `def`, and two blocks of one scope, also if they train the same variable."""
    text = """
variable x = 1.0
variable y = 1.0
def train(v):
    optimize square(v) with momentum(0.9, learning_rate=0.1) as step
    return step
a = train(x)
b = train(x)
c = train(x) as named
d = train(x) as named reuse
scope block:
    optimize square(y) with adam as first
scope block:
    optimize square(y) with adam as second
session:
    run a
    print x
    run b
    print x
    run a
    print x
    run b
    print x
    run c, d, block.first, block.second
    save to "x.ckpt"
"""
    assert run(text).printed == ["0.8", "0.64", "0.332", "0.1216"]  # with one momentum: 0.8 and 0.46
    names = {name for name, _ in tf.train.list_variables(str(here / "x.ckpt"))}
    assert names >= {"train/x/Momentum", "train/x/Momentum_1", "named/x/Momentum", "named/x/Momentum_1"}
    assert names >= {"block/y/Adam", "block/y/Adam_1", "block/y/Adam_2", "block/y/Adam_3"}


def test_slots_are_initialised_with_the_session(here):
    """A program that initialises by hand need not name them; `init` of the step gives them their initial values."""
    text = """
variable x = 1.0
optimize square(x) with momentum(0.9, learning_rate=0.25) as step
session:
    init x
    train 2 epochs:
        run step
    save x as "value" to "x.ckpt"
    print x
session other:
    restore x as "value" from "x.ckpt"
    run step
    print x
    init x
    run step
    print x
    init x, step
    run step
    print x
"""
    # 1 - 0.5, then 0.5 - (0.9 * 0.5 + 0.25); a new session starts without momentum, an init of the variable keeps it.
    first, second, third, fourth = (float(line) for line in run(text).printed)
    assert first == pytest.approx(-0.2)
    assert second == pytest.approx(-0.2 * 0.5)
    assert third == pytest.approx(1 - 0.25 * (0.9 * 2 * -0.2 + 2 * 1))
    assert fourth == pytest.approx(1 - 0.25 * 2 * 1)


def test_seeded_sessions_draw_the_same_and_unseeded_ones_do_not():
    text = "{}variable w = random_normal([4])\nsession a:\n    print w\nsession b:\n    print w\n"
    seeded = run(text.format("seed 1\n")).printed
    assert seeded[0] == seeded[1] == run(text.format("seed 1\n")).printed[0]
    free = run(text.format("")).printed
    assert free[0] != free[1]


# --- printing ---------------------------------------------------------------------------------


def test_print_formats_like_python():
    text = """
param name = "it"
a = constant([[1.5, 2.0]])
b = constant("text")
c = constant(true)
session:
    print "a is", a, name, 3, 2.50, [1, 2], none, true
    print b, c
    print a[0, 1] * 2, a.shape, len("abc")
    print [a[0, 0], a[0, 1]]
"""
    assert run(text).printed == [
        "a is [[1.5 2. ]] it 3 2.5 [1, 2] None True",
        "text True",
        "4.0 [1, 2] 3",
        "[1.5 2. ]",
    ]


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_strings_are_printed_as_text(engine):
    text = """
a = constant("text é")
v = constant(["a b", "c'd"])
m = constant([["x"], ["y"]])
blob = raw.DecodeBase64(input="CP8")
session:
    print a, v, m, v[0]
    print "{a} {v} {a:>8}"
    t = v
    print t, "{t}", t[1], ["p", a]
    print a == "text é"
    expect ["p", a] == ["p", "text é"]
    train 2 steps:
        run v
        print v, step
    print blob
"""
    assert run(text, options=Options(write=lambda line: None, engine=engine)).printed == [
        "text é ['a b' \"c'd\"] [['x']\n ['y']] a b",
        "text é ['a b' \"c'd\"]   text é",
        "['a b' \"c'd\"] ['a b' \"c'd\"] c'd ['p' 'text é']",
        "True",
        "['a b' \"c'd\"] 0",
        "['a b' \"c'd\"] 1",
        "\x08\\xff",
    ]


def test_printed_lines_go_to_the_writer_at_once():
    lines = []
    text = "x = constant(1)\nsession:\n    print x\n    expect x == 2\n"
    with pytest.raises(tfdsl.TfgError):
        run(text, options=Options(write=lines.append))
    assert lines == ["1"]


def test_values_has_the_last_value_of_each_text():
    result = run("variable x = 1\nsession:\n    print x\n    set x = 5\n    print x, x + 1\n")
    assert {name: value.item() for name, value in result.values.items()} == {"x": 5, "x + 1": 6}


def test_templates():
    text = """
param rate = 0.5
param n = 2
x = constant(7.0)
session:
    print "rate {rate}, {{n}} = {n}"
    train n epochs:
        print "epoch {epoch}, step {step}:", x
        run x
    print "at {now}"
"""
    result = run(text, params={"rate": 0.25})
    assert result.printed[:3] == ["rate 0.25, {n} = 2", "epoch 0, step 0: 7.0", "epoch 1, step 1: 7.0"]
    assert len(result.printed[3]) == len("at 20261123104500")
    assert result.printed[3].removeprefix("at ").isdigit()


def test_now_is_constant_in_a_session(monkeypatch):
    times = iter([0, 0, 3600])
    monkeypatch.setattr("time.strftime", lambda form, when=None: f"{next(times):014}")
    result = run('x = constant(1)\nsession:\n    print "{now}"\n    print x, "{now}"\n')
    assert result.printed == ["00000000000000", "1 00000000000000"]


def test_names_that_tensorflow_does_not_accept(here):
    """Names are as in Python; the ops get similar valid names."""
    text = """
_x = constant(2)
größe = _x + 1
variable _w = 1.0
scope _ö:
    shared ü = 2.0
    _inner = ü * _w
def _f(x):
    return x + 1
y = _f(_x)
session:
    set _w = 3.0
    print _x, größe, _w, _inner, y
    save _w to "names.ckpt"
session again:
    restore _w from "names.ckpt"
    print _w
"""
    program = tfdsl.compile(text)
    assert program.run().printed == ["2 3 3.0 6.0 3", "3.0"]
    assert [v.op.name for v in program.graph.get_collection("variables")] == ["._w", "._.f6./.fc."]


# --- feeding ----------------------------------------------------------------------------------

FED = """
param rate = 2.0
data rows = npz("rows.npz")
placeholder A: float32[n, 2]
placeholder b: int32[n]
placeholder keep: float32 = 0.5
B = A * keep
C = B + 1
s = reduce_sum(cast(b, float32)) + reduce_sum(A)
"""
ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32), np.array([[1.0], [2.0], [3.0]], np.float32)


def fed(statements):
    body = "".join(f"    {line}\n" for line in statements.splitlines())
    return run(FED + "session:\n" + body, data={"rows": ROWS}).printed


def test_feeds():
    assert fed("print B with A = [[1, 2]]") == ["[[0.5 1. ]]"]
    assert fed("print B with A = [[1, 2]], keep = 2") == ["[[2. 4.]]"]
    assert fed("print B with A = [[1, 2]], keep = rate * 2") == ["[[4. 8.]]"]
    assert fed("print B with A = rows.features[:2]") == ["[[0.5 1. ]\n [1.5 2. ]]"]
    assert fed("print s with A = rows.features, b = [1, 2, 3]") == ["27.0"]
    assert fed("print rows.target[1], rows.rows") == ["[2.] 3"]


def test_feeding_a_tensor_in_the_middle():
    """A fed tensor is not computed, so its inputs are not needed."""
    assert fed("print C with B = [[10, 20]]") == ["[[11. 21.]]"]
    assert fed("print C, B with A = [[1, 2]], B = [[10, 20]]") == ["[[11. 21.]] [[10. 20.]]"]


def test_with_overrides_feed_and_feed_applies_to_the_whole_body():
    text = """
train 1 epoch on rows in batches of 2 ordered as batch:
    print B
    print B with A = [[0, 1]], keep = 1
    every 1 step: print reduce_sum(B)
    feed A = batch.features
    run C
"""
    batches = ["[[0.5 1. ]\n [1.5 2. ]]", "[[0. 1.]]", "5.0", "[[2.5 3. ]]", "[[0. 1.]]", "5.5"]
    assert fed(text.strip()) == batches


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_a_statement_leaves_out_feeds_of_the_training_that_it_does_not_need(engine):
    """They have the rows of the batch, and its own feeds may have others."""
    text = """
data rows = npz("rows.npz")
placeholder A: float32[n, 2]
placeholder b: float32[n]
B = A * 0.5
s = reduce_sum(b) + reduce_sum(A)
session:
    train 1 epoch on rows in batches of 2 ordered as batch:
        feed A = batch.features, b = batch.target[:, 0]
        run s
        every 2 steps: print reduce_sum(B) with A = rows.features
"""
    assert run(text, data={"rows": ROWS}, options=Options(engine=engine, write=lambda line: None)).printed == ["10.5"]


@pytest.mark.parametrize(
    ("statement", "code", "said"),
    [
        ("print s with A = rows.features, b = batch.target[:, 0]", "TFG503", "b is int32"),
        ("print s with A = batch.features, b = [1, 2, 3]", "TFG504", "the size 'n' is 2 for A, but 3 for b"),
        ("print B with A = batch.target", "TFG502", "A is float32[n, 2], but is fed float32[?, 1]"),
        ("print B with A = batch.features, keep = batch.target", "TFG502", "keep is float32, but is fed"),
    ],
)
def test_invalid_feeds_are_refused_before_tensorflow_runs(statement, code, said):
    text = (
        FED
        + f"""
session:
    train 1 epoch on rows in batches of 2 ordered as batch:
        {statement}
        run C with B = [[1, 1]]
"""
    )
    with pytest.raises(tfdsl.TfgError) as caught:
        run(text, data={"rows": ROWS})
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    assert said in diagnostic.headline
    assert diagnostic.span.line == len(text.splitlines()) - 1
    assert diagnostic.span.text in statement


def test_sizes_in_the_last_batch():
    """Batches of 2, then one of 1: the second placeholder needs the first size."""
    text = (
        FED
        + """
session:
    train 1 epoch on rows in batches of 2 ordered as batch:
        print s with A = batch.features, b = [1, 2]
        run C with B = [[1, 1]]
"""
    )
    with pytest.raises(tfdsl.TfgError) as info:  # before anything runs
        tfdsl.compile(text, data={"rows": ROWS})
    diagnostic = info.value.diagnostics[-1]
    assert (diagnostic.code, diagnostic.span.line) == ("TFG504", text[: text.index("        print s")].count("\n") + 1)
    assert diagnostic.headline == "the size 'n' is 1 for A, but 2 for b"


# --- set --------------------------------------------------------------------------------------


def test_set():
    text = """
data rows = npz("rows.npz")
placeholder A: float32[2]
variable w: float32[2] = zeros
variable m: float32[3, 2] = zeros
twice = w * 2
session:
    set w = [1, 2]
    print w
    set w = twice
    print w
    set w = A + 1 with A = [1, 1]
    print w
    set m = rows.features
    print m
    train 2 epochs:
        set w = w + 1
        print w
        run twice
session other:
    print w
"""
    result = run(text, data={"rows": ROWS})
    printed = ["[1. 2.]", "[2. 4.]", "[2. 2.]", str(ROWS[0]), "[3. 3.]", "[4. 4.]", "[0. 0.]"]
    assert result.printed == printed


def test_repeated_set_adds_no_nodes():
    text = "variable x = 0\nsession:\n    train 50 steps:\n        set x = step\n        run x\n    print x\n"
    program = tfdsl.compile(text)
    assert program.run().printed == ["49"]
    assert len(program.graph.get_operations()) < 20


def test_a_session_without_init_can_set():
    assert run("variable x = 1\nvariable y = 2\nsession:\n    init y\n    set x = 3\n    print x\n").printed == ["3"]


# --- expect -----------------------------------------------------------------------------------

EXPECTING = """
x = constant([1.0, 2.0])
y = constant(3)
t = constant("text")
session:
    expect {}
"""
HOLD = [
    "y == 3", "y != 4", "2 < y <= 3", "x == [1.0, 2.0]", "x == [1, 2]", "x < 3", "x + 1 == [2, 3]",
    "x == [1.05, 2.05] within 0.1", "x != [1.05, 2.05] within 0.01", 't == "text"', 't != "other"',
    "y == 3 and not y == 4", "y == 4 or x == [1, 2]", "x == x", "reduce_sum(x) == y",
    "0.1 + 0.2 == 0.3 within 1e-9",
]  # fmt: skip
FAIL = {
    "y == 4": ["y is 3"],
    "4 < y": ["y is 3"],
    "x == [1, 3]": ["x is [1. 2.]"],
    "x < [2.0, 2.0]": ["x is [1. 2.]"],
    "x == 1.0": ["x is [1. 2.]"],
    "x == [1.05, 2.05] within 0.01": ["x is [1. 2.]"],
    "y == 3 and y == 4": ["y is 3"],
    "not y == 3": ["y is 3"],
    't == "other"': ['t is "text"'],
    "reduce_sum(x) > cast(y, float32)": ["reduce_sum(x) is 3.0", "cast(y, float32) is 3.0"],
    "x != x": ["x is [1. 2.]"],
}


@pytest.mark.parametrize("condition", HOLD)
def test_expectations_that_hold(condition):
    text = EXPECTING.format(condition.replace("== y", "== cast(y, float32)"))
    assert run(text).expectations == 1


@pytest.mark.parametrize("condition", FAIL)
def test_expectations_that_fail_show_the_values(condition):
    diagnostic = failure(EXPECTING.format(condition))
    assert diagnostic.code == "TFG703"
    assert diagnostic.headline == f"expected {condition}"
    assert list(dict.fromkeys(note.text for note in diagnostic.notes)) == FAIL[condition]
    assert diagnostic.span.line == 6


def test_large_integers_are_compared_exactly():
    text = "variable n: int64 = 9007199254740993\nvariable f: float64 = 9007199254740992.0\nsession:\n    expect {}\n"
    for condition in ("n != 9007199254740992.0", "n > f", "f < n"):
        assert run(text.format(condition)).expectations == 1
    assert failure(text.format("n == 9007199254740992.0")).code == "TFG703"


def test_nan_is_near_nothing():
    text = "x = constant(0.0)\nsession:\n    expect x / x == x / x within 1.0\n"
    assert failure(text).code == "TFG703"


def test_expecting_with_feeds():
    text = "placeholder a: float32\nb = a * 2\nsession:\n    expect b == 4 with a = 2\n    expect b == 4 with a = 3\n"
    assert [note.text for note in failure(text).notes] == ["b is 6.0"]


# --- saving and restoring ---------------------------------------------------------------------

SAVING = """
param start = 1.0
variable x = start
scope layer:
    variable w: float32[2] = ones
optimize reduce_sum(square(x * w)) with momentum(0.9) as step
"""


def test_save_and_restore_between_runs(here):
    save = SAVING + 'session:\n    run step\n    run step\n    print x, w\n    save to "a/b/model.ckpt"\n'
    restore = SAVING + 'session:\n    restore from "a/b/model.ckpt"\n    print x, w\n    run step\n    print x, w\n'
    first = run(save)
    assert first.saved == ["a/b/model.ckpt"]
    second = run(restore, params={"start": 9.0})
    assert second.printed[0] == first.printed[0]
    whole = SAVING + "session:\n    run step\n    run step\n    run step\n    print x, w\n"
    assert second.printed[1] == run(whole).printed[0], "the momentum was restored too"


def test_restore_if_exists(here):
    text = (
        SAVING
        + """
session:
    restore from "m.ckpt" if exists
    print x
    run step
    save to "m.ckpt"
"""
    )
    first, second = run(text).printed, run(text).printed
    assert first == ["1.0"]
    assert float(second[0]) < 1


def test_restore_some_and_initialise_the_others(here):
    text = (
        SAVING
        + """
session a:
    set x = 5.0
    save x as "value", w to "some.ckpt"
session b:
    restore x as "value" from "some.ckpt"
    init w
    print x, w
session c:
    init w
    restore x as "other" from "missing.ckpt" if exists
    print x, w
"""
    )
    assert run(text).printed == ["5.0 [1. 1.]", "1.0 [1. 1.]"]
    assert tf.train.list_variables("some.ckpt") == [("layer/w", [2]), ("value", [])]


@pytest.mark.parametrize(
    ("statement", "code", "said"),
    [
        ('restore from "none.ckpt"', "TFG704", "there is no checkpoint none.ckpt"),
        ('restore x as "vale" from "some.ckpt"', "TFG705", "has no variable 'vale'"),
        ('restore x as "layer/w" from "some.ckpt"', "TFG706", "x is float32, but 'layer/w' is float32[2]"),
        ('restore from "some.ckpt"', "TFG705", "has no variable"),
        ('restore x as "value" from "broken.ckpt"', "TFG709", "broken.ckpt cannot be read"),
    ],
)
def test_checkpoints_of_other_variables(here, statement, code, said):
    run(SAVING + 'session:\n    save x as "value", w to "some.ckpt"\n')
    (here / "broken.ckpt.index").write_bytes(b"broken")
    text = SAVING + f"session:\n    {statement}\n    init w\n    print x\n"
    diagnostic = failure(text)
    assert diagnostic.code == code
    assert said in diagnostic.headline
    assert diagnostic.span.text == statement
    if "vale" in statement:
        assert "value" in diagnostic.help_line


def test_saving_to_an_unwritable_folder(here):
    (here / "file").write_text("")
    diagnostic = failure(SAVING + 'session:\n    save to "file/model.ckpt"\n')
    assert diagnostic.code == "TFG707"
    assert diagnostic.span.text == 'save to "file/model.ckpt"'
