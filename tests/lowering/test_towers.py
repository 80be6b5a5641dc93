"""Steps in towers: the same bits as by hand in TensorFlow 1, and the same values as the whole batch within rounding."""

import numpy as np
import pytest
import tensorflow as tf
from client import same
from conftest import some
from tensorflow.compat import v1

import tfdsl
from tfdsl.data.batches import BatchOrder
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

_random = np.random.RandomState(5)
FEATURES = _random.rand(23, 3).astype(np.float32)
TARGET = (FEATURES @ [[1.0], [-2.0], [0.5]] + 0.1 * _random.randn(23, 1)).astype(np.float32)
DATA = {"rows": (FEATURES, TARGET)}
HEAD = """\
seed 11
data rows = npz("rows.npz")
placeholder X: float32[n, 3]
placeholder y: float32[n, 1]
variable w = random_normal([3, 1], seed=1)
variable b: float32[1] = zeros
"""
PROGRAM = HEAD + """
{nodes}
goal = {loss}
optimize goal with {optimizer} as step_op
session:
    train 3 epochs on rows in batches of {size} as batch:
        feed X = batch.features, y = batch.target
        run step_op
    print w, b
"""  # fmt: skip
MEAN = "reduce_mean(square(X @ w + b - y))"
SUM = "reduce_sum(square(X @ w + b - y))"
OPTIMIZERS = [
    "gradient_descent(learning_rate=0.02)", "momentum(0.9, learning_rate=0.02)", "adam(learning_rate=0.02)", "rmsprop(learning_rate=0.02)",
    "adagrad(learning_rate=0.1)", "adadelta(learning_rate=1.0)", "ftrl(learning_rate=0.1)",
    "proximal_adagrad(learning_rate=0.1)",
]  # fmt: skip


def compiled(loss=MEAN, optimizer=OPTIMIZERS[1], size=8, nodes="", towers=1):
    text = PROGRAM.format(loss=loss, optimizer=optimizer, size=size, nodes=nodes)
    program = tfdsl.compile(text, data=DATA)
    program = program.on(towers=towers)
    return program


def ran(program, engine="step", notes=None):
    options = Options(write=lambda line: None, note=(notes if notes is not None else []).append, engine=engine)
    return program.run(options=options)


def near(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], rtol=1e-4, atol=1e-6, err_msg=name)


PENALTY = MEAN + " + 0.01 * reduce_sum(square(w))"


@pytest.mark.parametrize(("loss", "optimizer"), some(
    [*((MEAN, one) for one in OPTIMIZERS), (SUM, OPTIMIZERS[0]), (PENALTY, OPTIMIZERS[2])],
    [(MEAN, OPTIMIZERS[1]), (SUM, OPTIMIZERS[0])],
))  # fmt: skip
def test_towers_agree_with_the_unsplit_program(optimizer, loss):
    near(ran(compiled(loss, optimizer)).variables, ran(compiled(loss, optimizer, towers=3)).variables)


# The last batch of 23 rows in 8s has 7; with 2 rows per batch and 5 towers, some have no rows.
SIZES = [(8, 2), (23, 4), (22, 3), (2, 5), (1, 2)]


@pytest.mark.parametrize(("size", "towers", "loss"), some(
    [(*one, loss) for one in SIZES for loss in (MEAN, SUM)],
    [(*SIZES[2], SUM)],
))  # fmt: skip
def test_sizes_of_batches(size, towers, loss):
    optimizer = "adam(learning_rate=0.02)"
    whole = ran(compiled(loss, optimizer, size))
    parts = {engine: ran(compiled(loss, optimizer, size, towers=towers), engine) for engine in ("step", "loop")}
    near(whole.variables, parts["loop"].variables)
    for name, value in parts["loop"].variables.items():
        assert same(value, parts["step"].variables[name]), name


EMBEDDING = """\
variable table = random_uniform([5, 2], seed=3)
number = cast(5.0 * X[:, 0], int32)
vector = embedding_lookup(table, number)
"""


@pytest.mark.parametrize("optimizer", some(OPTIMIZERS[1:5], OPTIMIZERS[1:2]))
def test_gathered_gradients(optimizer):
    loss = f"{MEAN} + reduce_mean(square(vector - 0.5))"
    near(
        ran(compiled(loss, optimizer, nodes=EMBEDDING)).variables,
        ran(compiled(loss, optimizer, nodes=EMBEDDING, towers=3)).variables,
    )


def test_each_tower_draws_different_masks():
    program = compiled("reduce_mean(square(dropped))", nodes="dropped = dropout(X @ w + b, rate=0.5, seed=4)", towers=2)
    graph = program.graph
    masks = [graph.get_tensor_by_name(f"tower_{k}/dropped/random_uniform/RandomUniform:0") for k in (0, 1)]
    with program.session() as s:
        first, second = s.session.run(masks, {program["X"]: np.tile(FEATURES[:1], (64, 1))})
    assert first.shape == second.shape == (32, 1) and not (first == second).any()


@pytest.mark.long
def test_the_same_masks_in_every_run():
    def run():
        return ran(compiled("reduce_mean(square(dropped))", nodes="dropped = dropout(X @ w + b, rate=0.5)", towers=2))

    first, second = run().variables, run().variables
    assert all(same(value, second[name]) for name, value in first.items())


def test_random_numbers_outside_the_towers_do_not_change():
    nodes = "noise = random_normal([3, 1])\nafterwards = random_uniform([2])"
    body = "reduce_mean(square(X @ (w + noise) - y))"

    def first(towers):
        program = compiled(body, nodes=nodes, towers=towers)
        with program.session() as s:
            return s.run("noise"), s.run("afterwards")

    assert all(map(same, first(1), first(3)))


# --- by hand ------------------------------------------------------------------------------------

BY_HAND = {
    "gradient_descent(learning_rate=0.02)": lambda: v1.train.GradientDescentOptimizer(0.02),
    "momentum(0.9, learning_rate=0.02)": lambda: v1.train.MomentumOptimizer(0.02, 0.9),
    "adam(learning_rate=0.02)": lambda: v1.train.AdamOptimizer(0.02),
    "rmsprop(learning_rate=0.02)": lambda: v1.train.RMSPropOptimizer(0.02),
    "adagrad(learning_rate=0.1)": lambda: v1.train.AdagradOptimizer(0.1),
}


def by_hand(optimizer, towers, is_mean, has_table, penalty):
    """The variables after the training by hand: split, compute a gradient per tower, weigh, add, apply."""
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(11)
        X, y = v1.placeholder(tf.float32, [None, 3]), v1.placeholder(tf.float32, [None, 1])
        w = v1.Variable(v1.random_normal([3, 1], seed=1), use_resource=True)
        b = v1.Variable(tf.zeros([1]), use_resource=True)
        variables = [w, b]
        if has_table:
            table = v1.Variable(v1.random_uniform([5, 2], seed=3), use_resource=True)
            variables.append(table)
        n = tf.shape(X)[0]
        sizes = [n // towers + tf.cast(k < n % towers, tf.int32) for k in range(towers)]
        of_towers = []
        for size, x_part, y_part in zip(
            sizes, tf.split(X, sizes, num=towers), tf.split(y, sizes, num=towers), strict=True
        ):
            errors = tf.square(tf.matmul(x_part, w) + b - y_part)
            loss = tf.reduce_mean(errors) if is_mean else tf.reduce_sum(errors)
            if has_table:
                vectors = tf.nn.embedding_lookup(table, tf.cast(5.0 * x_part[:, 0], tf.int32))
                loss = loss + tf.reduce_mean(tf.square(vectors - 0.5))
            if penalty:
                loss = loss + 0.01 * tf.reduce_sum(tf.square(w))
            share = tf.cast(tf.cast(size, tf.float64) / tf.cast(n, tf.float64), tf.float32)
            weight = share if is_mean else tf.constant(1.0)
            of_towers.append([weighed(g, weight) for g in tf.gradients(loss, variables)])
        together = [added(gradients) for gradients in zip(*of_towers, strict=True)]
        step = BY_HAND[optimizer]().apply_gradients(list(zip(together, variables, strict=True)))
        order = BatchOrder("shuffled", 0, len(FEATURES), 8)
        with v1.Session(graph=graph) as session:
            session.run(v1.global_variables_initializer())
            for number in range(3 * order.steps_per_epoch):
                rows = order.indices(number)
                session.run(step, {X: FEATURES[rows], y: TARGET[rows]})
            return session.run(variables)


def weighed(gradient, weight):
    # Not `*`: TensorFlow's graph optimizer combines it with factors of the loss.
    if isinstance(gradient, tf.IndexedSlices):
        values = tf.math.multiply_no_nan(gradient.values, weight)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return tf.math.multiply_no_nan(gradient, weight)


def added(gradients):
    if isinstance(gradients[0], tf.IndexedSlices):
        return tf.IndexedSlices(
            tf.concat([g.values for g in gradients], 0), tf.concat([g.indices for g in gradients], 0),
            gradients[0].dense_shape,
        )  # fmt: skip
    return tf.add_n(list(gradients))


KINDS = {
    "a mean": (MEAN, "", (True, False, False)),
    "a sum": (SUM, "", (False, False, False)),
    "a penalty": (PENALTY, "", (True, False, True)),
    "a table": (f"{MEAN} + reduce_mean(square(vector - 0.5))", EMBEDDING, (True, True, False)),
}


@pytest.mark.parametrize(
    ("of", "optimizer", "towers"),
    some(
        [*(("a table", one, 3) for one in BY_HAND), *((kind, "adam(learning_rate=0.02)", 2) for kind in KINDS)],
        [
            ("a table", OPTIMIZERS[1], 3),
            ("a mean", "adam(learning_rate=0.02)", 2),
        ],
    ),
)
def test_towers_have_the_same_bits_as_by_hand(of, optimizer, towers):
    loss, nodes, kind = KINDS[of]
    ours = ran(compiled(loss, optimizer, nodes=nodes, towers=towers)).variables
    theirs = by_hand(optimizer, towers, *kind)
    for name, value in zip(("w", "b", "table"), theirs, strict=False):
        assert same(ours[name], value), name


# --- notes --------------------------------------------------------------------------------------


def test_an_optimizer_that_is_not_split_is_noted():
    notes = []
    loss = "sqrt(reduce_mean(square(X @ w + b - y)))"
    parts = ran(compiled(loss, towers=2), notes=notes).variables
    reason = "the result of 'goal' for a batch cannot be combined from its parts"
    assert notes == [f"line 10 is not split in towers: {reason} (line 9)"]
    whole = ran(compiled(loss), notes=notes).variables
    assert len(notes) == 1
    assert all(same(value, whole[name]) for name, value in parts.items())


@pytest.mark.long
def test_notes_only_for_executed_optimizers():
    text = PROGRAM.format(
        loss=MEAN, optimizer="adam()", size=8, nodes="optimize reduce_max(X @ w) with adam() as other"
    )
    for session, wanted in (
        ("run step_op", []),
        ("run step_op, other", ["line 8"]),
        ("run step_op\n        run other", ["line 8"]),
    ):
        program = tfdsl.compile(text.replace("run step_op", session), data=DATA)
        program, notes = program.on(towers=2), []
        ran(program, notes=notes)
        assert [note.split(" is not split")[0] for note in notes] == wanted


def test_the_reason_in_a_function_is_reported_at_its_call():
    nodes = "def root(x):\n    return sqrt(reduce_mean(square(x)))\n"
    notes = []
    ran(compiled("root(X @ w + b - y)", nodes=nodes, towers=2), notes=notes)
    (note,) = notes
    assert note.startswith("line 12 is not split in towers: ") and note.endswith("(line 11)")
