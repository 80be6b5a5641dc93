"""Each execution reads and writes variables in program order, in every engine and every run."""

from itertools import product
from random import Random

import numpy as np
import pytest
import tensorflow as tf
from conftest import some
from programs import GAN, READ
from tensorflow.compat import v1

import tfdsl
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

ENGINES = ("step", "loop", "xla")

PRINT = """
variable k = 0
inc = assign_add(k, 1)
after inc:
    two = k * 2
session:
    for i in range(40):
        print k, two
"""


def ran(text, engine="step", **options):
    return tfdsl.compile(text).run(options=Options(write=lambda line: None, engine=engine, **options))


def by_hand():
    """The GAN in TensorFlow 1, ordered by control dependencies."""
    with tf.Graph().as_default(), v1.Session() as session:
        g, d = (v1.Variable(0.5, use_resource=True) for _ in "gd")
        optimizer = v1.train.GradientDescentOptimizer(0.1)
        first = tf.square(g * d - 1.0)
        (of_d,) = v1.gradients(first, [d.handle])
        with tf.control_dependencies([first]):
            d_op = optimizer.apply_gradients([(of_d, d)])
        with tf.control_dependencies([d_op]):
            second = tf.square(g * d - 2.0)
            (of_g,) = v1.gradients(second, [g.handle])
            g_op = optimizer.apply_gradients([(of_g, g)])
        session.run(v1.global_variables_initializer())
        for _ in range(5):
            session.run([d_op, g_op])
        return " ".join(map(str, session.run([g, d])))


@pytest.mark.parametrize("engine", ENGINES)
def test_two_optimizers_in_one_run(engine):
    assert [ran(GAN, engine).printed for _ in range(2)] == [[by_hand()]] * 2


@pytest.mark.parametrize("engine", some(ENGINES, ["step", "loop"]))
def test_a_read_after_a_write(engine):
    assert ran(READ, engine).printed == ["2 2 4", "4 4 8", "6 6 12"]


def test_a_variable_named_by_a_statement_is_read_last():
    for _ in range(5):
        assert ran(PRINT).printed == [f"{k} {2 * k}" for k in range(1, 41)]


def test_order_in_an_embedded_session():
    program = tfdsl.compile(PRINT)
    with program.session() as session:
        assert [session.run(["two", "k", "inc"]) for _ in range(20)] == [[2 * k, k, k] for k in range(1, 21)]


@pytest.mark.parametrize("engine", some(ENGINES, ["step", "loop"]))
def test_a_gradient_that_does_not_need_the_loss(engine):
    """The gradient of a product needs the other factor: nothing in the graph requires this read to come first."""
    text = """
variable a = 1.0
variable b = 2.0
loss a * b
optimize with gradient_descent(learning_rate=0.5)
session:
    train 12 steps with on_nan="ignore":
        print loss
    print a, b
""".replace("loss a * b", "product = a * b\nloss product").replace("print loss", "print product")
    a, b, lines = 1.0, 2.0, []
    for _ in range(12):
        lines.append(str(np.float32(a * b)))
        a, b = a - 0.5 * b, b - 0.5 * a
    assert ran(text, engine).printed == [*lines, " ".join(map(str, np.float32([a, b])))]


def test_the_graph_does_not_change():
    program = tfdsl.compile(GAN)
    program.built()
    before = program.graph.as_graph_def().node
    edges = {node.name: list(node.input) for node in before}
    program.run(options=Options(write=lambda line: None, engine="step"))
    after = {node.name: list(node.input) for node in program.graph.as_graph_def().node}
    assert {name: after[name] for name in edges} == edges
    assert any(name.startswith("order/") for name in after)


def test_an_execution_that_is_in_order_is_not_copied():
    text = """
placeholder x: float32[n, 3]
variable w: float32[3, 1] = ones
variable b = 0.0
mse = reduce_mean(square(x @ w + b))
optimize mse with adam(learning_rate=0.1) as step
session:
    train 3 steps with engine="step":
        feed x = [[1, 2, 3]]
        print mse
        run step
    print w, b, mse with x = [[1, 2, 3]]
"""
    program = tfdsl.compile(text)
    program.run()
    assert not [op.name for op in program.graph.get_operations() if op.name.startswith("order/")]


def test_a_failure_in_a_copy_is_reported_at_its_line():
    text = """
variable k = 0
inc = assign_add(k, 1)
placeholder at: int32
bad = gather([1, 2, 3], at + k)
session:
    print inc, bad with at = 7
"""
    with pytest.raises(tfdsl.TfgError) as error:
        ran(text)
    assert error.value.diagnostics[0].span.line == 5


# --- random numbers ---------------------------------------------------------------------------

RANDOM = """
seed 3
variable n = 1
up = assign_add(n, 1)
noise = random_uniform(reshape(n, [1]), seed=1)
after up:
    later = random_normal([2], seed=2)
session:
    print noise
    print up, noise
    print later, n
    train 4 steps:
        run up, later
        print noise, later, up, n
    print later
    print noise, n
"""


def test_random_ops_and_their_twins_draw_the_same_numbers():
    step, loop = ran(RANDOM, "step"), ran(RANDOM, "loop")
    assert step.printed == loop.printed
    assert step.variables["n"] == loop.variables["n"] == 12


def test_random_ops_of_an_embedded_session():
    text = RANDOM[: RANDOM.index("session:")]
    with tfdsl.compile(text).session() as session:
        drawn = np.concatenate([session.run(["noise", "up"])[0] for _ in range(3)])
        more = session.run("noise")
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(3)
        size = v1.placeholder(tf.int32, [])
        noise = v1.random_uniform(tf.reshape(size, [1]), seed=1)
        by_hand = [session.run(noise, {size: one}) for one in (2, 3, 4, 4)]
    np.testing.assert_array_equal(np.concatenate([drawn, more]), np.concatenate(by_hand))
    with tfdsl.compile(text).session() as session, pytest.raises(tfdsl.TfgError) as error:
        session.run("noise")
        session.run(["noise", "up"])
    assert error.value.diagnostics[0].message.code == "TFG717"


# --- towers, branches -------------------------------------------------------------------------

ROWS = ("gather(up, [0])", "gather_nd(up, [[0]])", "embedding_lookup(up, [0])")
TOWERS = """
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w: float32[2, 1] = ones
mse = reduce_mean(square(X @ w - y))
halve = assign(w, w * 0.5)
optimize mse with gradient_descent(learning_rate=0.125) as op
session:
    train 4 steps:
        feed X = [[1, 2], [2, 1], [1, 1], [2, 0]], y = [[1], [2], [3], [4]]
        run halve, op
"""


@pytest.mark.parametrize("engine", ("step", "loop"))
def test_a_read_in_a_tower_has_its_place_in_the_program(engine):
    """A tower rebuilds the ops of the loss at the line of the optimizer, where `w` is already halved."""
    program = tfdsl.compile(TOWERS)
    program = program.on(towers=2)
    result = program.run(options=Options(write=lambda line: None, engine=engine))
    w, x = np.ones((2, 1)), np.array([[1, 2], [2, 1], [1, 1], [2, 0]])
    for _ in range(4):
        w = w / 2 - 0.125 * 2 * x.T @ (x @ w - [[1], [2], [3], [4]]) / 4
    np.testing.assert_allclose(result.variables["w"], w, rtol=1e-5)


BRANCH = """
variable k = 0
placeholder p: bool
if p:
    inc = assign_add(k, 1)
    a = inc * 1
    b = constant(2)
else:
    inc = constant(0)
    a = constant(0)
    b = constant(1)
session:
    train 3 steps:
        run b with p = true
    print b with p = true
    print k
    print a with p = false
    print k
"""


@pytest.mark.parametrize("engine", some(ENGINES, ["step", "loop"]))
def test_a_branch_with_a_write_is_executed_as_one_op(engine):
    assert ran(BRANCH, engine).printed == ["2", "4", "0", "4"]


def test_drawing_in_advance_changes_nothing():
    """The shape of `r` comes after a change of `n`: drawing it in a separate execution would make the change twice."""
    text = """
variable n = 3
up = assign_add(n, 1)
after up:
    r = random_uniform(reshape(n, [1]), seed=1)
session:
    print shape(r)
    train 3 steps:
        run r
    print shape(r), n
"""
    for engine in ("step", "loop"):
        assert ran(text, engine).printed == ["[4]", "[8] 8"]


@pytest.mark.parametrize(("rows", "engine"), some(
    product(ROWS, ENGINES), [*product(ROWS, ENGINES[:1]), (ROWS[0], "loop")]
))  # fmt: skip
def test_reads_of_rows_after_a_write(rows, engine):
    """TensorFlow reads some rows of a variable by another op, which does not wait for the write."""
    text = f"""
variable v = [1.0, 2.0]
up = assign_add(v, [10.0, 0.0])
rows = {rows}
session:
    train 2 steps:
        run no_op()
        print rows
    print rows
"""
    assert ran(text, engine).printed == ["[11.]", "[21.]", "[31.]"]


# --- generated programs -----------------------------------------------------------------------

_F = np.float32


class Program:
    """A generated program: its text, and its results by the rule, computed in Python."""

    def __init__(self, seed, kinds=9):
        self.random, self.kinds_of_nodes = Random(seed), kinds
        self.lines: list[str] = []
        self.variables = {f"v{i}": _F(i + 1) for i in range(self.random.randint(2, 3))}
        self.kinds: dict[str, str] = {}  # by name: value, write (a variable's) or op
        self.feedable: list[str] = []
        self.needs: dict[str, list[str]] = {}
        self.does: list[tuple[str, object]] = []  # in the order of the lines
        for name, value in self.variables.items():
            self.lines.append(f"variable {name} = {value}")
        for number in range(self.random.randint(6, 12)):
            self.node(number)

    def one(self, *kinds):
        return self.random.choice([name for name, kind in self.kinds.items() if kind in kinds] or list(self.variables))

    def variable(self):
        return self.random.choice(list(self.variables))

    def add(self, name, kind, text, needs, does):
        after = [self.one("write", "op", "value") for _ in range(self.random.random() < 0.3)]
        after = [one for one in after if one not in self.variables]
        lines = text.split("\n")
        if after:
            lines = [f"after {after[0]}:", *(f"    {line}" for line in lines)]
        self.lines += lines
        self.kinds[name] = kind
        self.needs[name] = [one for one in (*needs, *after) if one not in self.variables]
        self.does.append((name, does))

    def node(self, number):
        match self.random.randrange(self.kinds_of_nodes):
            case 0 | 1:
                self.read(f"n{number}")
            case 2 | 3:
                self.write(f"w{number}")
            case 4:
                self.optimizer(f"n{number}", f"o{number}")
            case 5:
                self.branch(number)
            case 6:
                self.turns(number)
            case 7:
                self.reading_branch(f"n{number}", f"m{number}")
            case 8:
                self.reading_turns(number)

    def read(self, name):
        a, b = self.variable(), self.one("value", "write")
        op = self.random.choice("+-")
        self.add(name, "value", f"{name} = {a} {op} {b}", [b], lambda state: state.of(a) + state.of(b) * _F(op + "1"))
        self.feedable.append(name)

    def write(self, name):
        target, value = self.variable(), self.one("value", "write")
        op = self.random.choice(["assign", "assign_add", "assign_sub"])

        def does(state):
            new, old = state.of(value), state.variables[target]
            state.variables[target] = {"assign": new, "assign_add": old + new, "assign_sub": old - new}[op]
            state.behind[name] = target
            return state.variables[target]

        self.add(name, "write", f"{name} = {op}({target}, {value})", [value], does)

    def optimizer(self, loss, name):
        a, b = self.variable(), self.variable()
        wrt = list(dict.fromkeys(self.random.sample([a, b], self.random.randint(1, 2))))

        def product(state):
            state.read[loss] = state.of(a), state.of(b)
            return state.of(a) * state.of(b)

        self.add(loss, "value", f"{loss} = {a} * {b}", [], product)

        def does(state):
            x, y = state.read[loss]
            slopes = {a: y, b: x} if a != b else {a: x + y}
            for one in wrt:
                state.variables[one] -= _F(0.25) * slopes[one]

        text = f"optimize {loss} with gradient_descent(learning_rate=0.25) wrt {', '.join(wrt)} as {name}"
        self.add(name, "op", text, [loss], does)

    def branch(self, number):
        pred, a, b = self.variable(), self.variable(), self.variable()
        text = "\n".join((
            f"if {pred} > 2.0:",
            f"    u{number} = assign_add({a}, 1.0)", f"    n{number} = {b} + 0.5",
            "else:",
            f"    u{number} = {b} + 1.0", f"    w{number} = assign_sub({b}, 2.0)",
            f"    n{number} = {a} + w{number}",
        ))  # fmt: skip

        def does(state):
            values = state.variables
            if state.of(pred) > 2:
                values[a] += _F(1)
                return values[a], values[b] + _F(0.5)
            u = values[b] + _F(1)
            values[b] -= _F(2)
            return u, values[a] + values[b]

        # The `else` branch binds one more name of its own.
        text = text.replace(f"    n{number} = {b} + 0.5", f"    w{number} = {b} + 0.5\n    n{number} = w{number} + 0.0")
        self.add(f"n{number}", "value", text, [], lambda state: does(state)[1])

    def turns(self, number):
        a, b = self.variable(), self.variable()
        text = "\n".join((
            f"i{number} = constant(0)", f"n{number} = constant(0.0)",
            f"while i{number} < 3:",
            f"    i{number} = i{number} + 1",
            f"    r{number} = {a} + 1.0",
            f"    u{number} = assign_add({b}, 2.0)",
            f"    q{number} = {a} - 3.0",
            f"    n{number} = n{number} + r{number} + q{number} + u{number}",
        ))  # fmt: skip

        def does(state):
            values, total = state.variables, _F(0)
            for _ in range(3):
                r = values[a] + _F(1)
                values[b] += _F(2)
                total = total + r + (values[a] - _F(3)) + values[b]
            return total

        self.add(f"n{number}", "value", text, [], does)

    def reading_branch(self, first, second):
        """An `if` that only reads. One of its inputs may depend on the op that must come before, and the op that must
        come after may use only a result that does not depend on the read."""
        pred, a, b, x = self.variable(), self.variable(), self.variable(), self.one("value", "write")
        text = "\n".join((
            f"if {pred} > 2.0:", f"    {first} = {a} * 2.0 + {x}", f"    {second} = {x} + 1.0",
            "else:", f"    {first} = {x} - 1.0", f"    {second} = {a} + {b}",
        ))  # fmt: skip

        def does(state):
            a_, b_, x_ = state.of(a), state.of(b), state.of(x)
            both = (a_ * _F(2) + x_, x_ + _F(1)) if state.of(pred) > 2 else (x_ - _F(1), a_ + b_)
            state.values[second] = both[1]
            return both[0]

        self.add(first, "value", text, [x], does)
        self.kinds[second], self.needs[second] = "value", [first]

    def reading_turns(self, number):
        """A `while` that only reads, and whose second result does not depend on the read."""
        a, x = self.variable(), self.one("value", "write")
        text = "\n".join((
            f"i{number} = constant(0)", f"n{number} = {x} + 0.0",
            f"while i{number} < 2:",
            f"    i{number} = i{number} + 1",
            f"    n{number} = n{number} + {a} * 10.0",
            f"m{number} = cast(i{number}, float32)",
        ))  # fmt: skip

        def does(state):
            state.values[f"m{number}"] = _F(2)
            return state.of(x) + state.of(a) * _F(10) + state.of(a) * _F(10)

        self.add(f"n{number}", "value", text, [x], does)
        self.kinds[f"m{number}"], self.needs[f"m{number}"] = "value", [f"n{number}"]

    # --- execution by the rule ----------------------------------------------------------------

    def execute(self, names, variables, **fed):
        """The values of one execution, and its effect on the variables."""
        state = State(variables)
        state.values |= fed
        reached, todo = set(), list(names)
        while todo:
            name = todo.pop()
            if name not in reached and name not in self.variables and name not in fed:
                reached.add(name)
                todo += self.needs[name]
        for name, does in self.does:
            if name in reached:
                state.values[name] = does(state)
        return [str(state.variables[name] if name in self.variables else state.values[name]) for name in names]

    def some(self, *kinds):
        known = [name for name, kind in self.kinds.items() if kind in kinds]
        return self.random.sample(known, min(len(known), self.random.randint(1, 3)))

    def session(self, feeds=True):
        """The text of a session, and the lines that it prints."""
        variables, lines, printed = dict(self.variables), ["session:"], []

        def shown():
            names = [*self.some("value", "write"), *self.variables]
            self.random.shuffle(names)
            return names[: self.random.randint(1, len(names))]

        for _ in range(2):
            names = shown()
            lines.append(f"    print {', '.join(names)}")
            printed.append(" ".join(self.execute(names, variables)))
        body = [("run", self.some("write", "op")), ("print", shown()), ("run", self.some("write", "op"))]
        body = [(word, names) for word, names in body if names]
        lines.append('    train 4 steps with on_nan="ignore":')
        lines += [f"        {word} {', '.join(names)}" for word, names in body]
        if all(word != "run" for word, _ in body):
            lines.append("        run spare")
        for _ in range(4):
            for word, names in body:
                values = self.execute(names, variables)
                if word == "print":
                    printed.append(" ".join(values))
        lines.append(f"    print {', '.join(self.variables)}")
        printed.append(" ".join(map(str, variables.values())))
        for name in [name for name in self.some("value") if feeds and name in self.feedable]:
            names = shown()
            lines.append(f"    print {', '.join(names)} with {name} = 1.0")
            printed.append(" ".join(self.execute(names, variables, **{name: _F(1)})))
        return "\n".join([*self.lines, "variable other = 0", "spare = assign_add(other, 1)", *lines]), printed


class State:
    """The variables during an execution, the values of its nodes, and what the losses have read."""

    def __init__(self, variables):
        self.variables, self.values, self.read, self.behind = variables, {}, {}, {}

    def of(self, name):
        """The current value of a variable. The value of a write is its variable, read where it is used."""
        name = self.behind.get(name, name)
        return self.variables[name] if name in self.variables else self.values[name]


def assert_by_the_rule(seed, engines):
    with np.errstate(all="ignore"):
        text, printed = Program(seed).session()
    for engine in engines:
        result = ran(text, engine)
        if engine == "xla":
            for line, wanted in zip(result.printed, printed, strict=True):
                np.testing.assert_allclose(*(np.array(one.split(), float) for one in (line, wanted)), rtol=1e-5)
        else:
            assert result.printed == printed, f"{engine}, seed {seed}:\n{text}"


@pytest.mark.parametrize("start", some(range(60), [0]))
def test_generated_programs_follow_the_rule(start):
    assert_by_the_rule(start, ("step", "loop"))


def test_generated_programs_in_xla():
    for seed in range(100, 101):
        assert_by_the_rule(seed, ("xla",))


def test_a_warning_when_an_execution_is_reordered():
    """For plain reads and writes, the analysis finds in the program what the lowering finds in the graph."""
    seen = set()
    for seed in (200, 201, 226):  # most of these programs are reordered
        text, _ = Program(seed, kinds=4).session(feeds=False)
        program = tfdsl.compile(text)
        program.run(options=Options(write=lambda line: None, engine="step"))
        is_copied = any(op.name.startswith("order/") for op in program.graph.get_operations())
        warned = {one.code for one in program.diagnostics} & {"TFG915", "TFG916"}
        assert bool(warned) == is_copied, f"seed {seed}:\n{text}"
        seen.add(is_copied)
    assert seen == {True, False}


@pytest.mark.long
@pytest.mark.parametrize("start", range(1000, 1300, 20))
def test_more_generated_programs(start):
    for seed in range(start, start + 20):
        assert_by_the_rule(seed, ENGINES if seed % 4 == 0 else ENGINES[:2])


COPIED = {
    "read after the write": ("up = assign_add(w, [1.0, 1.0])\nr = random_shuffle(w)", "print r, up", True),
    "read before it": ("r = random_shuffle(w)\nup = assign_add(w, [1.0, 1.0])", "print r, up", False),
    "behind the write": ("a = w * 2.0\nup = assign_add(w, [1.0, 1.0])\nr = random_shuffle(up)", "print a, r", True),
    "before the write": ("r = random_shuffle([1.0, 2.0])\na = w * 2.0\nup = assign_add(w, r)", "print a, up", False),
    "after it": ("up = assign_add(w, [1.0, 1.0])\nafter up:\n    r = random_gamma([2], w)", "print up, r", False),
    "with a twin": ("up = assign_add(w, [1.0, 1.0])\nr = random_normal([2]) * w", "print up, r", False),
    "kept": ("up = assign_add(w, [1.0, 1.0])\nr = categorical([w], 3)",
             'train 1 step:\n        checkpoint every 1 step in "ck"\n        run up, r', False),
    "in a training": ("up = assign_add(w, [1.0, 1.0])\nr = categorical([w], 3)", "train 1 step: run up, r", True),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "statement", "is_copied"), COPIED.values(), ids=COPIED)
def test_check_reports_random_ops_that_a_run_cannot_copy(nodes, statement, is_copied, here, monkeypatch):
    text = f"seed 3\nvariable w = [1.0, 2.0]\n{nodes}\nsession:\n    {statement}\n"
    assert ("TFG717" in {one.code for one in tfdsl.check(text)}) is is_copied
    monkeypatch.setattr("tfdsl.analysis.warnings.order._Execution._drawn_twice", lambda self, level: iter(()))
    program = tfdsl.compile(text)
    if is_copied:
        with pytest.raises(tfdsl.TfgError) as error:
            program.run()
        assert error.value.diagnostics[0].code == "TFG717"
    else:
        program.run()


CHAINED = """
placeholder X: float32[n]
variable v = 1.0
up = assign_add(v, 1.0)
a = {inner}
b = reduce_sum(dropout(a * v, rate=0.2, seed=3))
session:
    print b with X = [1, 2, 3, 4, 5, 6, 7, 8]
    print up, b with X = [1, 2, 3, 4, 5, 6, 7, 8]
    print b with X = [1, 2, 3, 4, 5, 6, 7, 8]
"""


def test_an_op_that_draws_before_a_copied_one_draws_once():
    """Drawing for the copy needs the shape of what the other op computes."""
    with tf.Graph().as_default(), v1.Session() as session:
        X = v1.placeholder(tf.float32, [None])
        v = v1.get_variable("v", initializer=1.0)
        b = tf.reduce_sum(tf.nn.dropout(tf.nn.dropout(X, rate=0.5, seed=1) * v, rate=0.2, seed=3))
        feeds = {X: [1, 2, 3, 4, 5, 6, 7, 8]}
        session.run(v1.global_variables_initializer())
        first = session.run(b, feeds)
        session.run(v.assign_add(1.0))
        second, third = session.run(b, feeds), session.run(b, feeds)
    run = tfdsl.compile(CHAINED.format(inner="dropout(X, rate=0.5, seed=1)")).run()
    assert run.printed == [str(first), f"2.0 {second!s}", str(third)]


def test_a_python_function_before_a_copied_random_op_is_called_once():
    calls = []

    def seen(x):
        calls.append(x)
        return x

    def function(x):
        return tf.numpy_function(seen, [x], tf.float32)

    tfdsl.compile(CHAINED.format(inner="reshape(seen(X), shape(X))"), ops={"seen": function}).run()
    assert len(calls) == 3


DRAWN = {
    "in a function for each element": "def noisy(x): return x + random_normal([2], seed=5)\nz = map_fn(noisy, {})",
    "in a loop": "i = 0\nz = {}\nwhile i < 2:\n    i = i + 1\n    z = z + random_normal([3, 2], seed=5)",
    "without a twin": "z = random_shuffle({}, seed=5)",
}


@pytest.mark.parametrize("text", DRAWN.values(), ids=DRAWN)
def test_the_bool_training_does_not_copy_what_depends_on_it(text):
    """A random op without a twin could not be copied."""
    program = "import nn\nseed 3\nplaceholder X: float32[3, 2]\nvariable w = ones([2, 1])\n{}\n"
    program += "optimize reduce_sum(z @ w) with gradient_descent(learning_rate=0.1)\nsession:\n"
    program += "    train 3 steps:\n        feed X = [[1, 2], [3, 4], [5, 6]]\n    print w"
    dropping, plain = (tfdsl.compile(program.format(text.format(x))) for x in ("nn.dropout(X, rate=0.0, seed=1)", "X"))
    assert dropping.run().printed == plain.run().printed


# --- unneeded writes --------------------------------------------------------------------------

UNNEEDED = {
    "in a branch": "if u > 2.0:\n    _w = assign_add(v, 1.0)\n    y = u * 2.0\nelse:\n    y = u * 3.0",
    "beside one that is needed": """\
if u > 2.0:
    _w = assign_add(v, 1.0)
    z = assign_add(u, 1.0)
    y = z * 2.0
else:
    z = u * 1.0
    y = u * 3.0""",
    "in a loop": "i = 0\ny = u * 1.0\nwhile i < 2:\n    i = i + 1\n    _w = assign_add(v, 1.0)\n    y = y + u",
    "in a branch that nothing needs": """\
if u > 2.0:
    if u > 1.0:
        _w = assign_add(v, 1.0)
        _z = _w * 2.0
    else:
        _z = u * 4.0
    y = u * 1.0
else:
    y = u * 3.0""",
    "in a branch in a branch": """\
if u > 2.0:
    if u > 1.0:
        _w = assign_add(v, 1.0)
        _z = u * 2.0
    else:
        _z = u * 4.0
    y = _z * 1.0
else:
    y = u * 3.0""",
}


@pytest.mark.parametrize("name", some(UNNEEDED, ["in a branch", "in a loop"]))
def test_an_unneeded_write_in_a_branch_never_runs(name):
    """As the warning says. TensorFlow skips it only if it inlines an `if` or a `while`."""
    text = f"variable v = 1.0\nvariable u = 5.0\n{UNNEEDED[name]}\nsession:\n    print y\n    train 3 steps:\n        print y\n"
    text += "        run no_op()\n    print v\n"
    assert [one.code for one in tfdsl.check(text)].count("TFG937") == 1
    printed = ran(text).printed
    assert printed[-1] == "1.0"
    assert ran(text, "loop").printed == printed
    try:
        assert ran(text, "xla").printed == printed
    except tfdsl.TfgError as error:  # an `if` in an `if`
        assert error.diagnostics[0].code == "TFG715"
