"""Names of sessions: `NAME = EXPR`, `evaluate`, trainings over what it gave, and strings with values in them."""

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.cli import main
from tfdsl.runtime.options import Options
from tfdsl.runtime.run import refuse_kept

MODEL = """
seed 4
import nn
data points = moons(157, noise=0.2, seed=3) | split(test=0.4, seed=2)
placeholder X: float32[n, 2]
placeholder y: int64[n, 1]
hidden = nn.batch_norm(nn.dropout(nn.dense(X, 8, activation=relu), rate=0.4))
logits = nn.dense(hidden, 2)
cost = nn.sparse_softmax_cross_entropy(y, logits)
accuracy = nn.accuracy(y, logits)
optimize cost with adam(learning_rate=0.02)
"""
FED = "with X = b.features, y = b.target"


def printed(text, **options):
    return tfdsl.compile(text).run(options=Options(write=lambda line: None, **options)).printed


def failure(text):
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run(options=Options(write=lambda line: None))
    (found,) = caught.value.diagnostics
    return found


# --- values -----------------------------------------------------------------------------------


def test_a_value_is_kept_and_computed_with():
    text = """
variable w = [1.0, 4.0]
up = assign_add(w, [1.0, 1.0])
session:
    before = w
    run up
    a, b = unstack(w)
    total = a + b * before[1]
    text = "a is {a}"
    print before, w, total, sqrt(before), text, before.shape, [a, 1.0]
    before = total
    print before, a if before > 20.0 else b
"""
    assert printed(text) == ["[1. 4.] [2. 5.] 22.0 [1. 2.] a is 2.0 [2] [2. 1.]", "22.0 2.0"]


COUNTED = """
placeholder x: float32[]
variable w = 1.0
loss = square(w - x)
optimize loss with gradient_descent(learning_rate=0.1)
session:
    total, n, share, best, at = 0.0, 0, 0.0, 100.0, -1
    train 5 steps:
        feed x = 3.0
        total = total + loss
        n = n + step * 2
        share = step / (n + 1)
        if loss < best:
            best = loss
            at = step
    print total, n, at, share, n + 1, "{n:d} {share:.3f}"
"""


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_a_number_of_a_training_takes_what_counters_give(engine):
    (line,) = printed(COUNTED, engine=engine)
    w, total = np.float32(1), np.float32(0)
    for _ in range(5):
        total += (w - np.float32(3)) ** 2
        w -= np.float32(0.1) * 2 * (w - np.float32(3))
    assert line == f"{total!s} 20 4 {np.float32(4 / 21)!s} 21 20 {4 / 21:.3f}"


def test_rows_and_lists_are_carried_through_a_training():
    text = """
data points = moons(10)
placeholder X: float32[n, 2]
variable w = 1.0
up = assign_add(w, reduce_sum(X) * 0.0 + 1.0)
session:
    seen, total, last, big = 0, 0.0, [0.0, 0.0, 0.0], [7, 8]
    train 1 epoch on points in batches of 4 ordered as b:
        feed X = b.features
        run up
        seen = seen + b.rows
        total = total + w * b.rows
        last = [last[1], last[2], w]
        big = [big[1], big[0] + step]
    print seen, total, last, last[0] + 1.0, big
    first, _, third = last
    pair = [w, w + 1.0]
    print first, third, pair[1], "{global_step}"
"""
    # 4, 4 and 2 rows; w is 2, 3 and 4 after the steps.
    assert printed(text) == [f"10 {2 * 4 + 3 * 4 + 4 * 2}.0 [2. 3. 4.] 3.0 [9 9]", "2.0 4.0 5.0 0"]


def test_a_list_leaves_the_range_of_its_type():
    text = "variable w = 1.0\nsession:\n    n = [1, 2147483640]\n    train 9 steps:\n        n = [step, n[1] + step]\n        run w\n"
    found = failure(text)
    assert (found.code, found.span.line) == ("TFG773", 5) and "21474836" in str(found)


def test_a_number_leaves_the_range_of_its_type():
    text = "variable w = 1.0\nsession:\n    n = 2147483640\n    train 9 steps:\n        n = 2 + (step + n * 1)\n        run w\n"
    found = failure(text)
    assert (found.code, found.span.line) == ("TFG773", 5)


def test_plain_values_stay_what_they_are():
    text = 'session:\n    n = 3\n    name = "a"\n    many = [1, 2]\n    print n, name, many, n + 1, many[1]\n'
    assert printed(text) == ["3 a [1, 2] 4 2"]


def test_a_value_needs_one_execution():
    """Both come from the same draw."""
    text = "x = random_normal([2])\ny = x * 2.0\nsession:\n    a, b = [x, y]\n    expect b == a * 2.0\n    print a\n"
    printed(text)


@pytest.mark.parametrize("engine", some(["step", "loop", "xla"], ["step", "loop"]))
def test_a_value_goes_from_step_to_step(engine):
    text = """
variable w = 4.0
optimize square(w) with gradient_descent(learning_rate=0.25)
placeholder rate: float32 = 1.0
scaled = w * rate
session:
    least, count, factor = 100.0, 0, 3.0
    train 9 steps:
        every 3 steps:
            least = minimum(least, w)
            count = count + 1
            print "{count}: {least:.2f}"
        every 4 steps: print scaled with rate = factor
    print least, count
"""
    assert printed(text, engine=engine) == ["1: 4.00", "12.0", "2: 0.50", "0.75", "3: 0.06", "0.046875", "0.0625 3"]


@pytest.mark.loops
def test_a_value_bound_at_every_step_trains_step_by_step():
    notes = []
    text = """
variable w = 4.0
optimize square(w) with gradient_descent(learning_rate=0.25)
session:
    train 3 steps:
        now_w = w
        print now_w
"""
    result = tfdsl.compile(text).run(options=Options(write=lambda line: None, note=notes.append))
    assert result.printed == ["4.0", "2.0", "1.0"] and result.engines == ["step"]
    assert notes == ["line 5 trains step by step: line 6 runs outside the graph"]


@pytest.mark.parametrize(
    ("steps", "count", "engine"), [(7, 3, "loop"), (70, 3, "loop"), (7, 2, "step"), (70, 2, "step")]
)
def test_a_value_bound_at_every_third_step_trains_in_the_graph(steps, count, engine):
    text = f"""
variable w = 4.0
optimize square(w) with gradient_descent(learning_rate=0.25)
session:
    n = 0
    train {steps} steps:
        every {count} steps: n = n + 1
    print n
"""
    result = tfdsl.compile(text).run(options=Options(write=lambda line: None))
    assert result.printed == [str(-(-steps // count))] and result.engines == [engine]


def test_values_are_fed_and_set():
    text = """
placeholder p: float32[n]
variable w = 0.0
double = p * 2.0
session:
    a = constant([1.0, 2.0])
    c = double with p = a
    set w = reduce_sum(c)
    print c, w
"""
    assert printed(text) == ["[2. 4.] 6.0"]


def test_the_result_has_the_values_of_names():
    text = """
data points = moons(10)
placeholder X: float32[n, 2]
mean, both = reduce_mean(X), reduce_sum(X)
variable w = 1.0
optimize square(w) with gradient_descent(learning_rate=0.25)
session:
    n = 0
    train 3 steps: n = n + 1
    late = 2.0 * constant([1.0, 2.0])
    found = evaluate mean, both on points in batches of 5 as b with X = b.features
    total = evaluate mean on points as b with X = b.features
session second: m = 7
"""
    program = tfdsl.compile(text)
    values = program.run().session_values
    assert values.keys() == {"n", "late", "found", "total", "m"} and values["n"] == 3
    assert values["late"].tolist() == [2.0, 4.0] and values["found"].keys() == {"mean", "both"}
    assert values["total"] == pytest.approx(values["found"]["mean"])
    assert program.run(options=Options(keep_variables=False)).session_values == {}


def test_names_belong_to_their_session():
    text = "session one:\n    a = constant(1)\n    print a\nsession two:\n    print a\n"
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text)
    assert [(one.code, one.span.line) for one in caught.value.diagnostics] == [("TFG301", 5)]


# --- strings ----------------------------------------------------------------------------------


def test_strings_have_values_in_formats():
    text = """
param rate = 0.125
variable w = 2.5
n = constant(7)
session:
    print "{w:.2f} {n:03d} {rate:.1%} {{w}} {w} {rate}"
    train 2 steps: print "{step:>3}{epoch}"
"""
    assert printed(text.replace("train 2 steps:", "for step in [0, 1]:").replace("{epoch}", "")) != []
    assert printed('s = constant("caf\u00e9")\nsession:\n    print "{s} {s:>5}"\n') == ["caf\u00e9  caf\u00e9"]
    text = text.replace("session:", "optimize square(w) with gradient_descent(learning_rate=0.0)\nsession:")
    assert printed(text) == ["2.50 007 12.5% {w} 2.5 0.125", "  00", "  11"]


# --- evaluate ---------------------------------------------------------------------------------

COMBINED = {
    "a mean": "cost",
    "an accuracy": "accuracy",
    "a mean with a penalty": "cost + 0.1 * add_n([l2_loss(v) for v in [w, w]])",
    "a sum": "reduce_sum(square(X))",
    "a sum of whole numbers": "reduce_sum(y)",
    "a sum and a mean": "reduce_sum(X) / 100.0 - cost * 2.0",
    "a sum with a fixed value": "reduce_sum(X) + 1.0",
    "a negated sum": "1.5 - (-reduce_sum(X[:, 0]))",
    "by columns": "reduce_mean(X, axis=0)",
    "rows": "softmax(logits)",
    "classes": "argmax(logits, axis=1)",
    "columns of rows": "X[:, 1] * 2.0",
    "fixed": "w * 3.0",
    "normalised rows": "nn.layer_norm(X)",
}


@pytest.fixture(scope="module")
def compared():
    """Each expression in batches of 11 and 64 rows, and at once."""
    names = [f"v{at}" for at in range(len(COMBINED))]
    values = "".join(f"{name} = {expr}\n" for name, expr in zip(names, COMBINED.values(), strict=True))
    listed = ", ".join(names)
    text = f"{MODEL}variable w = 0.7\n{values}session:\n    train 40 steps on points.train in batches of 20 as batch:\n"
    text += "        feed X = batch.features, y = batch.target\n"
    for name, how in (("once", ""), ("few", "in batches of 11 "), ("many", "in batches of 64 ")):
        text += f"    {name} = evaluate {listed} on points.test {how}as b {FED}\n"
    for one in names:
        text += "".join(f"    print {how}.{one}\n" for how in ("once", "few", "many"))
    values = tfdsl.compile(text).run(options=Options(write=lambda line: None)).values
    return {key: [values[f"{how}.{one}"] for how in ("once", "few", "many")]
            for key, one in zip(COMBINED, names, strict=True)}  # fmt: skip


@pytest.mark.parametrize("what", COMBINED)
def test_batches_give_what_all_rows_give(compared, what):
    once, few, many = compared[what]
    for one in (few, many):
        assert one.dtype == once.dtype and one.shape == once.shape
        np.testing.assert_allclose(one, once, rtol=2e-6, atol=1e-6)


def test_sums_are_made_in_float64():
    """In float32, 2**24 + 1 is 2**24."""
    data = {"features": np.array([[2.0**24]] + [[1.0]] * 64, np.float32)}
    text = """
data d = csv("d.csv")
placeholder X: float32[n, 1]
session:
    total = evaluate reduce_sum(X) on d in batches of 1 as b with X = b.features
    print "{total:.0f}"
"""
    assert tfdsl.compile(text, data={"d": data}).run().printed == ["16777280"]


def test_an_evaluation_counts_no_step_and_does_not_train():
    text = f"""{MODEL}
session:
    before = hidden with X = points.test.features
    a, c = evaluate accuracy, cost on points.test in batches of 10 as b {FED}
    expect hidden == before with X = points.test.features
    print a, c
"""
    result = tfdsl.compile(text).run(options=Options(write=lambda line: None))
    assert result.steps == 0 and len(result.printed) == 1


@pytest.mark.parametrize("engine", some(["step", "loop", "xla"], ["step"]))
def test_evaluations_within_a_training(engine):
    """They see the variables of their step, and do not change what is trained."""

    def text(inner):
        return f"""{MODEL.replace("rate=0.4", "rate=0.0")}
session:
    train 6 epochs on points.train in batches of 30 as batch:
        feed X = batch.features, y = batch.target
{inner}
    print reduce_sum(logits) with X = points.test.features
"""

    inner = f"""\
        every 2 epochs:
            test = evaluate accuracy, cost on points.test in batches of 25 as b {FED}
            print "{{epoch}} {{test.accuracy:.3f}} {{test.cost:.4f}}"
"""
    plain = "        every 2 epochs:\n            print cost, accuracy with X = points.test.features, y = points.test.target\n"
    lines, by_hand = printed(text(inner), engine=engine), printed(text(plain), engine=engine)
    # XLA compiles each program on its own, and rounds by what is in it.
    trained, by_itself = float(lines[-1]), float(by_hand[-1])
    assert trained == pytest.approx(by_itself, rel=1e-5) if engine == "xla" else trained == by_itself
    assert len(lines) == 4
    for at, line in enumerate(lines[:-1]):
        cost, accuracy = map(float, by_hand[at].split())
        epoch, a, c = line.split()
        assert int(epoch) == 2 * at and abs(float(a) - accuracy) < 6e-4 and abs(float(c) - cost) < 6e-5


def test_streamed_data_is_evaluated_in_batches(here):
    rows = "\n".join(f"{at},{at * 0.5}" for at in range(1000))
    (here / "d.csv").write_text(f"a,b\n{rows}\n")
    text = """
data d = csv("d.csv", target="b", stream=true)
placeholder X: float32[n, 1]
placeholder y: float32[n, 1]
both = X - y
session:
    total, rows = evaluate reduce_mean(both), both on d in batches of 64 as b with X = b.features, y = b.target
    print total, rows[999]
"""
    assert printed(text) == ["249.75 [499.5]"]


# --- training on what was evaluated -----------------------------------------------------------

HEAD = """
placeholder h: float32[n, 8]
variable v: float32[8, 2] = zeros
loss reduce_mean(sparse_softmax_cross_entropy_with_logits(labels=y[:, 0], logits=h @ v))
optimize with gradient_descent(learning_rate=0.1) wrt v as head
"""


@pytest.mark.parametrize("engine", some(["step", "loop", "xla"], ["step", "loop"]))
def test_what_was_evaluated_is_trained_on(engine):
    """The same as a training that computes it at every step."""
    model = MODEL.replace("optimize cost with adam(learning_rate=0.02)\n", "") + HEAD
    rows = "points.train in batches of 16"
    cached = f"""
session:
    cached = evaluate hidden, y on {rows} as b {FED}
    train 5 epochs on cached in batches of 10 ordered as batch:
        feed h = batch.hidden, y = batch.y
    print v
"""
    by_hand = """
session:
    all = hidden with X = points.train.features
    for epoch in range(5):
        for at in range(10):
            run head with h = all[10 * at:10 * at + 10], y = points.train.target[10 * at:10 * at + 10]
    print v
"""
    (found,), (wanted,) = printed(model + cached, engine=engine), printed(model + by_hand)
    numbers = [np.array(one.replace("[", "").replace("]", "").split(), float) for one in (found, wanted)]
    np.testing.assert_allclose(*numbers, rtol=1e-4, atol=1e-6)


def test_a_single_value_is_trained_on_by_its_name():
    text = """
data d = moons(50)
placeholder X: float32[n, 2]
placeholder z: float32[n, 2]
twice = X * 2.0
variable w: float32[2] = zeros
optimize reduce_mean(square(z - w)) with gradient_descent(learning_rate=0.5)
session:
    cached = evaluate twice on d in batches of 7 as b with X = b.features
    train 60 steps on cached as batch:
        feed z = batch.twice
    expect w == reduce_mean(cached, axis=0) within 1e-6
    print cached.shape
"""
    assert printed(text) == ["[50, 2]"]


@pytest.mark.loops
def test_the_command_runs_batches_of_data_and_of_values_in_each_other(here, capsys):
    text = """
data d = moons(20, seed=1)
placeholder X: float32[n, 2]
variable w: float32[2, 1] = zeros
z = X @ w
m = reduce_mean(square(z - 1.0))
optimize m with adam(learning_rate=0.1)
session:
    early = evaluate z, X on d as b with X = b.features
    train 2 epochs on early in batches of 5 as batch with engine="step":
        feed X = batch.X
        every 1 epoch:
            t = evaluate m on d in batches of 6 as b with X = b.features
            print epoch, t
    train 2 epochs on d in batches of 5 as batch with engine="step":
        feed X = batch.features
        every 1 epoch:
            t = evaluate m on early in batches of 6 as b with X = b.X
            print epoch, t
"""
    (here / "p.tfg").write_text(text)
    assert main(["run", "-q", "p.tfg"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (here / "p.tfg").write_text(text.replace('with engine="step"', 'with engine="loop"'))
    assert main(["run", "-q", "p.tfg"]) == 0
    assert capsys.readouterr().out.splitlines() == lines and len(lines) == 4 and lines[0] == "0 1.0"


def test_several_processes_do_not_share_values():
    text = """
data d = moons(50)
placeholder X: float32[n, 2]
variable w: float32[2] = zeros
optimize reduce_mean(square(X - w)) with gradient_descent(learning_rate=0.5)
session:
    kept = evaluate X on d as b with X = b.features
    other = reduce_mean(kept)
    train 2 steps on %s as batch: feed X = %s
    print w, other
"""
    for data, fed in (("kept", "batch.X"), ("d", "[[other, other]]")):
        with pytest.raises(tfdsl.TfgError) as caught:
            refuse_kept(tfdsl.compile(text % (data, fed)).program)
        assert [(one.code, one.span.line) for one in caught.value.diagnostics] == [("TFG772", 9)]
    refuse_kept(tfdsl.compile(text % ("d", "batch.features")).program)


def test_a_format_that_does_not_fit_its_value():
    found = failure('x = constant(2)\nsession:\n    a = [x, x]\n    print "{a:.2f}"\n')
    assert (found.code, found.span.line) == ("TFG562", 4)


@pytest.mark.parametrize("name", ["now", "epoch", "step"])
def test_a_value_of_the_program_is_not_hidden_in_strings(name):
    """The names that strings know mean the program's values where it has some, as they do in expressions."""
    start = "variable w = 3.0\noptimize square(w) with gradient_descent(learning_rate=0.1) as down\n"
    train = f'    train 1 step:\n        run down\n        print "{{{name}}}", {name}\n'
    for text in (f"param {name} = 7\n{start}session:\n{train}", f"{start}session:\n    {name} = 7\n{train}"):
        assert printed(text) == ["7 7"]


def test_the_step_of_an_optimizer_hides_no_counter():
    text = "variable w = 3.0\noptimize square(w) with gradient_descent(learning_rate=0.1) as step\nsession:\n"
    assert printed(text + '    train 2 steps:\n        run step\n        print "{step}"\n') == ["0", "1"]


@pytest.mark.parametrize("body", ["n = n + 200_000_000", "n = 2 * n", "n = -n\n    n = n - 200_000_000"])
def test_whole_numbers_do_not_wrap_around(body):
    """They would in the graph, in silence."""
    start = "variable w = 3.0\nsession:\n    print w\n    n = 2_000_000_000\n"
    assert failure(f"{start}    {body}\n").code == "TFG773"
    assert printed(f"{start}    n = n + 147_483_647\n    m = -n\n    print n, m, n - 1\n")[1:] == [
        "2147483647 -2147483647 2147483646"
    ]
