"""Graphs made by hand in TensorFlow 1, lifted to readable source, which then computes the same."""

import re

import numpy as np
import pytest
import tensorflow as tf
from graph_files import OTHERS
from test_inline import saved, verified

import tfdsl
from tfdsl.access import Access
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.read import graph_of, read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.limits import Limits
from tfdsl.source import Source

v1 = tf.compat.v1


def line():
    """A linear regression with fixed initial values."""
    x, y = v1.placeholder(tf.float32, [None, 2], "x"), v1.placeholder(tf.float32, [None, 1], "y")
    w = v1.Variable([[0.5], [-0.25]], name="w", use_resource=False)
    error = tf.matmul(x, w) - y
    loss = tf.reduce_mean(tf.square(error), name="mse")
    v1.train.GradientDescentOptimizer(0.1).minimize(loss)


LINE = """\
placeholder x: float32[?, 2]
placeholder y: float32[?, 1]
variable w = [[0.5], [-0.25]]
mse = reduce_mean(square(x @ w - y))
optimize mse with gradient_descent(learning_rate=0.1)
"""


def classifier():
    """Two layers in scopes, Adam with a counter of steps, and a Saver."""
    x, y = v1.placeholder(tf.float32, [None, 4], "x"), v1.placeholder(tf.int32, [None], "y")
    with v1.variable_scope("hidden"):
        kernel = v1.get_variable("kernel", [4, 8], initializer=v1.truncated_normal_initializer(stddev=0.1, seed=1))
        bias = v1.get_variable("bias", [8], initializer=v1.zeros_initializer())
        hidden = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, kernel), bias))
    with v1.variable_scope("head"):
        kernel = v1.get_variable("kernel", [8, 3], initializer=v1.truncated_normal_initializer(stddev=0.1, seed=2))
        logits = tf.matmul(hidden, kernel, name="logits")
    cost = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits), name="cost")
    step = v1.train.get_or_create_global_step()
    v1.train.AdamOptimizer(0.01).minimize(cost, global_step=step, name="train")
    v1.train.Saver()
    v1.global_variables_initializer()


CLASSIFIER = """\
placeholder x: float32[?, 4]
placeholder y: int32[?]
scope hidden:
    variable kernel: float32[4, 8] = truncated_normal(stddev=0.1, seed=1)
    variable bias: float32[8] = zeros
    Relu = relu(bias_add(x @ kernel, bias))
scope head:
    variable kernel: float32[8, 3] = truncated_normal(stddev=0.1, seed=2)
    logits = Relu @ kernel
cost = reduce_mean(sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
variable global_step: int64[] = 0
optimize cost with adam(learning_rate=0.01), global_step=global_step as train
"""


def clipped():
    """Gradients that are clipped before they are applied."""
    w = v1.Variable([3.0, -4.0], name="w")
    b = v1.Variable([1.0, 1.0], name="b")
    loss = tf.reduce_sum(tf.square(w * b), name="total")
    optimizer = v1.train.MomentumOptimizer(0.1, 0.9)
    pairs = optimizer.compute_gradients(loss, [w, b])
    optimizer.apply_gradients([(tf.clip_by_norm(gradient, 1.0), variable) for gradient, variable in pairs])


def softmax():
    """The softmax cross entropy of probabilities, whose result is shaped back."""
    x, y = v1.placeholder(tf.float32, [None, 2], "x"), v1.placeholder(tf.float32, [None, 3], "y")
    w = v1.Variable(np.arange(6, dtype=np.float32).reshape(2, 3) / 10, name="w")
    cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=tf.matmul(x, w)), name="cost")
    v1.train.RMSPropOptimizer(0.05).minimize(cost, var_list=[w])


SOFTMAX = """\
placeholder x: float32[?, 2]
placeholder y: float32[?, 3]
variable w = [[0.0, 0.1, 0.2], [0.3, 0.4, 0.5]]
cost = reduce_mean(softmax_cross_entropy_with_logits_v2(labels=y, logits=x @ w))
optimize cost with rmsprop(learning_rate=0.05)
"""


def words():
    """A table of which each step changes some rows."""
    x, y = v1.placeholder(tf.int32, [None], "x"), v1.placeholder(tf.float32, [None, 2], "y")
    table = v1.Variable(np.linspace(-1, 1, 10, dtype=np.float32).reshape(5, 2), name="table", use_resource=False)
    scale = v1.Variable([1.0, 2.0], name="scale", use_resource=False)
    error = tf.gather(table, x) * scale - y
    v1.train.AdamOptimizer(0.1).minimize(tf.reduce_mean(tf.square(error), name="cost"))


def indices():
    """Indices, lists, dtypes and constants, large and small."""
    x = v1.placeholder(tf.float32, [None, 6], "x")
    table = tf.constant(np.arange(30, dtype=np.float32).reshape(6, 5))
    first = tf.concat([x[:, 1:3], x[:, -1:], tf.cast(x[:, 0:1] > 0.5, tf.float32)], axis=1)
    tf.reshape(first, [-1, 2], name="pairs")
    tf.matmul(x, table, name="product")
    tf.split(x, 3, axis=1, name="parts")
    tf.argmax(x, 1, name="best")
    tf.constant([1, 2], tf.int64) + tf.cast(tf.shape(x)[0], tf.int64)
    tf.identity(tf.reduce_sum(x, axis=[0, 1]) / 2.0, name="half")


def loops():
    """A loop in a loop, in the frames of TensorFlow 1."""
    x = v1.placeholder(tf.float32, [2], "x")
    v1.disable_control_flow_v2()
    try:

        def body(i, total):
            _, inner = v1.while_loop(lambda j, _: j < i, lambda j, value: (j + 1, value * 0.5 + x), [0, total])
            return i + 1, inner

        _, total = v1.while_loop(lambda i, total: tf.logical_and(i < 4, total[0] < 100.0), body, [0, x])
    finally:
        v1.enable_control_flow_v2()
    tf.multiply(total, 2.0, name="twice")


LOOPS = """\
placeholder x: float32[2]
i = 0
state = x
while i < 4 and state[0] < 100.0:
    i_1 = 0
    state_1 = state
    while i_1 < i:
        i_1, state_1 = i_1 + 1, state_1 * 0.5 + x
    i, state = i + 1, state_1
twice = state * 2.0
"""


def summaries():
    """Summaries and what merges them."""
    x = v1.placeholder(tf.float32, [None], "x")
    loss = tf.reduce_mean(x * x, name="loss")
    v1.summary.scalar("loss_1", loss)
    v1.summary.histogram("inputs", x)
    v1.summary.merge_all()


SUMMARIES = """\
placeholder x: float32[?]
loss = reduce_mean(x * x)
summary scalar loss as "loss_1"
summary histogram x as "inputs"
"""


def waiting():
    """A step that waits for the update of a moving average, as with batch normalization."""
    x = v1.placeholder(tf.float32, [None], "x")
    w = v1.Variable(2.0, name="w", use_resource=False)
    mean = v1.Variable(0.0, trainable=False, name="mean", use_resource=False)
    update = v1.assign(mean, 0.9 * mean + 0.1 * tf.reduce_mean(x), name="update")
    loss = tf.reduce_mean(tf.square(x * w - 1.0), name="loss")
    with tf.control_dependencies([update]):
        v1.train.GradientDescentOptimizer(0.1).minimize(loss, name="step")


def copied():
    """A group of assignments that are not initializers: one network takes the values of another."""
    a, b = v1.Variable([1.0, 2.0], name="a"), v1.Variable([3.0, 4.0], name="b")
    v1.global_variables_initializer()
    tf.group(v1.assign(b, a * 0.5 + b * 0.5), name="copy")


def measured():
    """Gradients that other nodes read too."""
    w = v1.Variable([3.0, -4.0], name="w")
    loss = tf.reduce_sum(tf.square(w), name="total")
    optimizer = v1.train.GradientDescentOptimizer(0.1)
    pairs = optimizer.compute_gradients(loss, [w])
    tf.sqrt(tf.reduce_sum(tf.square(pairs[0][0])), name="norm")
    optimizer.apply_gradients(pairs)


GRAPHS = {"line": line, "classifier": classifier, "clipped": clipped, "softmax": softmax, "words": words,
          "indices": indices, "loops": loops, "summaries": summaries, "waiting": waiting,
          "copied": copied, "measured": measured}  # fmt: skip
SOURCES = {"line": LINE, "classifier": CLASSIFIER, "softmax": SOFTMAX, "loops": LOOPS, "summaries": SUMMARIES}
FEEDS = {
    "line": {"x": [[1.0, 2.0], [3.0, 4.0]], "y": [[1.0], [0.5]]},
    "classifier": {"x": [[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 2.0, 0.0]], "y": [0, 2]},
    "clipped": {},
    "softmax": {"x": [[1.0, 2.0], [3.0, 4.0]], "y": [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]},
    "words": {"x": [1, 3, 1], "y": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]},
    "indices": {"x": [[0.1, 0.9, 0.3, 0.4, 0.5, 0.6], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]},
    "loops": {"x": [0.5, 2.0]},
    "summaries": {"x": [1.0, 2.0, 3.0]},
    "waiting": {"x": [1.0, 2.0, 4.0]},
    "copied": {},
    "measured": {},
}

STEPS = {"line": ["GradientDescent"], "classifier": ["train"], "clipped": ["Momentum"], "softmax": ["RMSProp"],
         "words": ["Adam"], "indices": [], "loops": [], "summaries": [],
         "waiting": ["step"], "copied": ["copy"], "measured": ["GradientDescent"]}  # fmt: skip


def made(name):
    """The graph of a function."""
    graph = tf.Graph()
    with graph.as_default():
        GRAPHS[name]()
    return graph


def lifted_from(graph):
    with graph.as_default():
        meta = v1.train.export_meta_graph()
    return lift_readable(graph_of(meta), "arrays.npz")


def code(source):
    """Source without comments."""
    return "".join(f"{line}\n" for line in source.splitlines() if not line.startswith("#"))


@pytest.mark.parametrize("name", SOURCES)
def test_source(name):
    assert code(lifted_from(made(name)).source) == SOURCES[name]


def _read_summaries():
    """A merge that has a name, and one whose bytes an op reads: its summary stays an op."""
    loss = tf.reduce_mean(v1.placeholder(tf.float32, [None], "x"), name="loss")
    tf.identity(tf.identity(v1.summary.merge([v1.summary.scalar("mean", loss)])), name="all")
    written = v1.summary.merge([v1.summary.scalar("other", loss)])
    with tf.control_dependencies([written]):
        tf.strings.length(written, name="bytes")


def test_summaries_that_ops_read():
    source = verified(saved(_read_summaries))
    assert 'summary scalar loss as "mean"\n' in source and source.count("summary ") == 1
    assert 'raw.MergeSummary(inputs=[raw.ScalarSummary(tags="other", values=loss)])' in source


@pytest.mark.parametrize("name", GRAPHS)
def test_computes_the_same(name, tmp_path):
    """All tensors that the program names, and all variables after three steps, have the same bits."""
    graph = made(name)
    lifted = lifted_from(graph)
    assert "raw." not in lifted.source
    (tmp_path / "lifted.tfg").write_text(lifted.source, encoding="utf-8")
    if lifted.arrays:
        np.savez(tmp_path / "arrays.npz", **lifted.arrays)
    program = tfdsl.compile(tmp_path / "lifted.tfg")
    named = {end: text for end, text in lifted.correspondence.items() if _is_pure(graph, end)}
    with v1.Session(graph=graph) as session, program.session() as other:
        session.run([one.initializer for one in graph.get_collection("variables")])
        feed = {f"{key}:0": value for key, value in FEEDS[name].items()}
        for _ in range(4):
            for end, text in named.items():
                want = session.run(f"{end.node}:{end.output}", feed)
                np.testing.assert_array_equal(other.run(text, feed=FEEDS[name]), want, err_msg=text)
            for step in STEPS[name]:
                session.run(step, feed)
                other.session.run(step, feed)


def _is_pure(graph, end):
    """Whether an endpoint is a tensor that changes nothing."""
    operation = graph.get_operation_by_name(end.node)
    return bool(operation.outputs) and operation.type not in ("AssignAdd", "AssignAddVariableOp", "VarHandleOp")


def two_rates():
    """Two variables with different learning rates in one step."""
    w, b = v1.Variable(1.0, name="w", use_resource=False), v1.Variable(1.0, name="b", use_resource=False)
    slope, offset = tf.gradients(tf.square(w + b, name="loss"), [w, b])
    with v1.name_scope("step") as scope:
        first = tf.raw_ops.ApplyGradientDescent(var=w._ref(), alpha=0.1, delta=slope, name="update_w/Apply")
        second = tf.raw_ops.ApplyGradientDescent(var=b._ref(), alpha=0.2, delta=offset, name="update_b/Apply")
    tf.group(first.op, second.op, name=scope)


def weighted():
    """A gradient that does not begin with 1."""
    w = v1.Variable(1.0, name="w", use_resource=False)
    optimizer = v1.train.GradientDescentOptimizer(0.1)
    optimizer.apply_gradients(optimizer.compute_gradients(tf.square(w, name="loss"), grad_loss=tf.constant(3.0)))


def fed_in_a_branch():
    """A queue whose elements are taken only in one branch."""
    v1.disable_control_flow_v2()
    try:
        queue = v1.FIFOQueue(2, [tf.float32], [[2]])
        flag = v1.placeholder(tf.bool, [], "flag")
        tf.negative(v1.cond(flag, queue.dequeue, lambda: tf.zeros([2])), name="result")
    finally:
        v1.enable_control_flow_v2()


def readable_of(build):
    with tf.Graph().as_default() as graph:
        build()
    return lift_readable(graph_of(graph.as_graph_def()))


def test_what_has_no_readable_form_is_written_exactly():
    lifted = readable_of(fed_in_a_branch)
    assert lifted.source.startswith("# lifted from graph") and "exactly" in lifted.source.splitlines()[0]
    assert "written node for node, because" in lifted.notes[-1]
    assert lifted.source.splitlines()[1] == f"# {lifted.notes[-1]}"


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (two_rates, "step updates variables with different arguments"),
        (weighted, "the loss of GradientDescent is not found"),
    ],
)
def test_a_step_that_is_no_optimize_stays_as_it_was(build, reason):
    """Its ops take references, so its variables are reference variables. All else is readable."""
    source = readable_of(build).source
    assert f"# stays as it was: {reason}\n" in source and "variable w = 1.0, resource=false\n" in source
    assert re.search(r"loss = square\(.*\)", source) and "raw.ApplyGradientDescent(" in source


def test_the_seed_of_the_graph_is_a_statement():
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(5)
        tf.random.normal([2], seed=7, name="drawn")
    source = code(lift_readable(graph_of(graph.as_graph_def())).source)
    assert source == "seed 5\ndrawn = random_normal([2], seed=7)\n"


def test_devices_are_left_out_with_a_note():
    with tf.Graph().as_default() as graph, tf.device("/device:CPU:1"):
        tf.nn.relu(v1.placeholder(tf.float32, [2], "x"), name="y")
    lifted = lift_readable(graph_of(graph.as_graph_def()))
    assert any("devices" in note for note in lifted.notes)


@pytest.mark.long
@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_graphs_made_by_others(path, here):
    """The graphs of a folder compute the same bits: TFDSL_GRAPHS=folder pytest --long."""
    graph = read_graph(str(path))
    lifted = lift_readable(graph, "arrays.npz")
    np.savez(here / "arrays.npz", **lifted.arrays)
    limits = Limits(file=10**8, constant=10**7, seconds=600.0)
    place = str(here / "lifted.tfg")
    compiled = compile_source(Source(place, lifted.source), CompileInputs(access=Access(place), limits=limits))
    report = Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()
    assert report.unequal == [] and report.failed == {} and report.compared > 0


def test_numbers_of_attributes_are_as_short_as_those_of_tensors(here):
    """An attribute is a float32, too."""

    def build():
        x = v1.placeholder(tf.float32, [2], "x")
        tf.nn.leaky_relu(x, 0.1, name="y")
        tf.raw_ops.FakeQuantWithMinMaxArgs(inputs=x, min=-0.3, max=0.7, name="z")

    source = readable_of(build).source
    assert "alpha=0.1)" in source and "max=0.7, min=-0.3)" in source


def looked_up():
    """Two tables, one of which a Saver would save."""
    words, one = v1.placeholder(tf.string, [None], "words"), v1.lookup.KeyValueTensorInitializer
    known = v1.lookup.StaticHashTable(one(["a", "b"], tf.constant([1, 2], tf.int64)), -1)
    learned = v1.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.5)
    tf.identity(learned.lookup(known.lookup(words)), name="result")


@pytest.mark.parametrize(
    ("more", "run"), [(v1.tables_initializer, "run init_all_tables"), (tf.no_op, "run LookupTableImportV2")]
)
def test_lookup_tables(here, more, run):
    """A comment says how they get their content, and the export for a Saver is left out."""

    def build():
        looked_up()
        more()

    source = readable_of(build).source
    (line,) = (
        line for line in source.splitlines() if "lookup tables are empty until a session fills them: run" in line
    )
    assert line.startswith("# ") and line.endswith(run) and "LookupTableExport" not in source
