"""Queues, readers and iterators of TensorFlow 1: readable programs are fed instead."""

import re

import numpy as np
import pytest

import tfdsl
from tfdsl.access import Access
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.exact import lift_exact
from tfdsl.lift.pipelines import is_pipeline
from tfdsl.lift.read import graph_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import MetaGraphDef, tf, v1
from tfdsl.source import Source


def rows():
    """Rows of files, read by threads: queues of names and rows, an optimizer, summaries and a Saver."""
    files = v1.train.string_input_producer(["a.csv", "b.csv"], num_epochs=2)
    _, line = v1.TextLineReader().read(files)
    a, b = v1.decode_csv(line, [[0.0], [0.0]])
    v1.summary.scalar("before", a)
    x, y = v1.train.batch([tf.stack([a, a * 2]), b], batch_size=4)
    w = v1.get_variable("w", [2, 1], initializer=v1.zeros_initializer())
    loss = tf.reduce_mean(tf.square((x @ w)[:, 0] - y), name="loss")
    v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    v1.summary.scalar("loss_1", loss)
    v1.summary.merge_all()
    v1.train.Saver()
    v1.global_variables_initializer()
    v1.local_variables_initializer()


ROWS = """\
placeholder batch: float32[4, 2]
placeholder batch_1: float32[4]
variable w: float32[2, 1] = zeros
loss = reduce_mean(square((batch @ w)[:, 0] - batch_1))
optimize loss with gradient_descent(learning_rate=0.1)
summary scalar loss as "loss_1"
"""


def queue():
    """A queue that the script fills itself."""
    given = v1.placeholder(tf.float32, [2], "given")
    made = v1.FIFOQueue(10, [tf.float32], shapes=[[2]], name="made")
    made.enqueue([given], name="put")
    made.close(name="shut")
    made.size(name="size")
    tf.reduce_sum(made.dequeue(name="x") * [1.0, 3.0], name="out")


QUEUE = """\
placeholder x: float32[2]
out = reduce_sum(x * [1.0, 3.0])
"""


def shuffled():
    """Batches of a queue that shuffles, of which the last can be smaller."""
    x, y = v1.train.shuffle_batch([v1.random_uniform([5]), tf.constant(1)], 8, 100, 10, allow_smaller_final_batch=True)
    tf.add(tf.reduce_sum(x, 1), tf.cast(y, tf.float32), name="out")


SHUFFLED = """\
placeholder shuffle_batch: float32[?, 5]
placeholder shuffle_batch_1: int32[?]
out = reduce_sum(shuffle_batch, axis=1) + cast(shuffle_batch_1, float32)
"""


def line():
    """A line of a file, decoded by the graph itself."""
    _, text = v1.TextLineReader().read(v1.train.string_input_producer(["a.txt"]))
    tf.strings.to_number(text, name="number")


LINE = """\
placeholder ReaderReadV2_1: string[]
number = string_to_number(ReaderReadV2_1)
"""


def one_shot():
    data = v1.data.Dataset.from_tensor_slices((np.ones([6, 2], np.float32), np.arange(6)))
    data = data.map(lambda a, b: (a * 2.0, b)).batch(3)
    x, y = v1.data.make_one_shot_iterator(data).get_next()
    tf.add(tf.reduce_sum(x, 1), tf.cast(y, tf.float32), name="out")


ONE_SHOT = """\
placeholder IteratorGetNext: float32[?, 2]
placeholder IteratorGetNext_1: int64[?]
out = reduce_sum(IteratorGetNext, axis=1) + cast(IteratorGetNext_1, float32)
"""


def initializable():
    """An iterator over fed rows, initialized together with the variables."""
    data = v1.data.Dataset.from_tensor_slices(v1.placeholder(tf.float32, [None, 2], "data")).repeat().batch(3)
    iterator = v1.data.make_initializable_iterator(data)
    w = v1.get_variable("w", [2, 1], initializer=v1.zeros_initializer())
    tf.reduce_mean(iterator.get_next() @ w, name="mean")
    tf.group(iterator.initializer, v1.global_variables_initializer(), name="both")


INITIALIZABLE = """\
variable w: float32[2, 1] = zeros
placeholder IteratorGetNext: float32[?, 2]
mean = reduce_mean(IteratorGetNext @ w)
"""


def feedable():
    """An iterator that is chosen by feeding its handle."""
    handle = v1.placeholder(tf.string, [], "handle")
    chosen = v1.data.Iterator.from_string_handle(handle, tf.float32, tf.TensorShape([None, 2]))
    v1.data.make_initializable_iterator(v1.data.Dataset.from_tensor_slices(np.zeros([4, 2])).batch(2)).string_handle()
    tf.reduce_sum(chosen.get_next(), 1, name="out")


FEEDABLE = """\
placeholder IteratorGetNext: float32[?, 2]
out = reduce_sum(IteratorGetNext, axis=1)
"""


def waited():
    """The size of a queue decides a value, and a step waits for the queue."""
    made = v1.FIFOQueue(10, [tf.float32], shapes=[[]], name="made")
    count = v1.get_variable("count", [], initializer=v1.zeros_initializer())
    with tf.control_dependencies([made.enqueue([1.0])]):
        v1.assign_add(count, 2.0)
    tf.cast(made.size(name="size"), tf.float32, name="full")


WAITED = """\
variable count = 0.0
AssignAddVariableOp = assign_add(count, 2.0) as "AssignAddVariableOp"
placeholder size_1: int32[] as "size"
full = cast(size_1, float32)
"""

GRAPHS = {
    "rows": (rows, ROWS), "queue": (queue, QUEUE), "shuffled": (shuffled, SHUFFLED), "line": (line, LINE),
    "one_shot": (one_shot, ONE_SHOT), "initializable": (initializable, INITIALIZABLE),
    "feedable": (feedable, FEEDABLE), "waited": (waited, WAITED),
}  # fmt: skip


def saved(build):
    with tf.Graph().as_default():
        build()
        return graph_of(v1.train.export_meta_graph())


def code(source):
    return "".join(f"{text}\n" for text in source.splitlines() if text and text[0] != "#")


def report_on(graph, lifted):
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs(access=Access("lifted.tfg")))
    return Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()


@pytest.mark.parametrize("name", GRAPHS)
def test_a_program_is_fed_instead(name, here):
    build, source = GRAPHS[name]
    graph = saved(build)
    lifted = lift_readable(graph)
    assert code(lifted.source) == source
    report = report_on(graph, lifted)
    assert report.unequal == [] and report.failed == {} and report.is_same
    assert report.left_out == {}


def normal(name, *shape):
    return v1.get_variable(name, shape, initializer=v1.random_normal_initializer(seed=1))


def word_vectors():
    """Pairs of words from queues, with noise-contrastive estimation."""
    pair = [v1.train.string_input_producer([one]).dequeue() for one in "12"]
    word, near = (tf.strings.to_number(one, tf.int64) for one in v1.train.batch(pair, 4))
    rows = tf.nn.embedding_lookup(normal("table", 12, 2), word)
    losses = tf.nn.nce_loss(normal("weights", 12, 2), normal("biases", 12), near[:, None], rows, 3, 12)
    v1.train.AdagradOptimizer(0.5).minimize(tf.reduce_mean(losses, name="loss"))


WORD_VECTORS = [
    "placeholder batch: string[4]",
    "placeholder batch_1: string[4]",
    "embedding_lookup_1 = gather(table, string_to_number(batch, int64))",
    "optimize loss with adagrad(learning_rate=0.5)",
]


def language_model():
    """An LSTM by hand over words from records, with a sampled softmax."""
    _, record = v1.TFRecordReader().read(v1.train.string_input_producer(["a.tfrecord"]))
    parsed = v1.io.parse_single_example(record, {"words": tf.io.FixedLenFeature([3], tf.int64)})
    words = v1.train.shuffle_batch([parsed["words"]], 3, 100, 10)
    table, kernel, bias = normal("table", 12, 2), normal("kernel", 4, 8), normal("bias", 8)
    h, c = tf.zeros([3, 2]), tf.zeros([3, 2])
    for at in range(2):
        row = tf.nn.embedding_lookup(table, words[:, at])
        i, j, f, o = tf.split(tf.nn.bias_add(tf.matmul(tf.concat([row, h], 1), kernel), bias), 4, 1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
    losses = tf.nn.sampled_softmax_loss(normal("weights", 12, 2), normal("biases", 12), words[:, 2:], h, 3, 12, seed=5)
    v1.train.AdamOptimizer(0.1).minimize(tf.reduce_mean(losses, name="loss"))


LANGUAGE_MODEL = ["placeholder shuffle_batch: int64[3, 3]", "optimize loss with adam(learning_rate=0.1)"]


@pytest.mark.parametrize(
    ("build", "lines"),
    [(word_vectors, WORD_VECTORS), pytest.param(language_model, LANGUAGE_MODEL, marks=pytest.mark.long)],
)
def test_words_train_sampled_losses(build, lines, here):
    graph = saved(build)
    lifted = lift_readable(graph)
    assert set(lines) <= set(lifted.source.splitlines())
    report = report_on(graph, lifted)
    assert report.is_same and report.unequal == [] and report.left_out == {} and report.variables > 3


def test_notes_say_what_to_feed():
    notes = lift_readable(saved(rows)).notes
    assert "left out: 2 queue runners; a session of a program does not fill queues" in notes
    assert "in place of the queue batch/fifo_queue, feed the placeholders batch, batch_1" in notes
    assert "left out: the input pipeline, 45 nodes such as input_producer, TextLineReaderV2, batch/fifo_queue" in notes
    notes = lift_readable(saved(initializable)).notes
    assert "in place of the iterator IteratorV2, feed the placeholder IteratorGetNext" in notes


def test_a_program_trains_on_fed_rows(here):
    feed = "batch = [[1, 2]] * 4, batch_1 = [3] * 4"
    session = f"session:\n    train 3 steps:\n        feed {feed}\n    print loss with {feed}\n"
    printed = tfdsl.compile(lift_readable(saved(rows)).source + session).run().printed
    assert printed == ["0.0"]


def test_a_step_beside_signatures_is_a_result():
    """A program of a SavedModel ends in its signatures, so nothing else is its last statement."""
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None], "x")
        y = tf.add(x, 1.0, name="y")
        with tf.control_dependencies(
            [v1.assign_add(v1.get_variable("n", [], initializer=v1.zeros_initializer()), 1.0)]
        ):
            tf.no_op("counted")
        meta = v1.train.export_meta_graph()
        meta.signature_def["serving_default"].CopyFrom(v1.saved_model.predict_signature_def({"x": x}, {"y": y}))
    source = lift_readable(graph_of(meta)).source
    assert 'counted = no_op() as "counted"' in source and not tfdsl.compile(source).diagnostics


def chosen():
    """A branch that decides from which queue to take."""
    first, second = (v1.FIFOQueue(3, [tf.float32], shapes=[[]]) for _ in range(2))
    v1.disable_control_flow_v2()
    try:
        made = v1.cond(v1.placeholder(tf.bool, [], "training"), first.dequeue, second.dequeue)
    finally:
        v1.enable_control_flow_v2()
    tf.add(made, 1.0, name="more")


def test_a_queue_in_a_branch():
    """A placeholder is there in both branches, so it cannot replace an element that is taken in one of them."""
    lifted = lift_readable(saved(chosen))
    assert lifted.is_exact and lifted.notes[-1] == (
        "written node for node, because cond/fifo_queue_1_Dequeue takes its elements in a branch or a loop"
    )


def monitored():
    """A network as a monitored session of TensorFlow 1 trains it, which asks for variables without values."""
    x = v1.train.batch([v1.train.string_input_producer(["1"], num_epochs=1).dequeue()], 2)
    w = v1.get_variable("w", [], initializer=v1.ones_initializer(), use_resource=False)
    tf.multiply(tf.strings.to_number(x), w, name="y")
    v1.report_uninitialized_variables(name="report")
    v1.is_variable_initialized(w)
    tf.group(v1.global_variables_initializer(), v1.local_variables_initializer(), name="init_all")


def test_a_graph_of_a_monitored_session(here):
    graph = saved(monitored)
    lifted = lift_readable(graph)
    assert code(lifted.source) == ("placeholder batch: string[2]\nvariable w = 1.0\ny = string_to_number(batch) * w\n")
    assert "left out: report/boolean_mask/GatherV2, which lists variables without values" in lifted.notes
    assert report_on(graph, lifted).is_same


def test_queues_that_are_references():
    """The queues of the first versions of TensorFlow."""
    with tf.Graph().as_default():
        queue()
        meta = v1.train.export_meta_graph()
    old = MetaGraphDef.FromString(meta.SerializeToString())
    for node in old.graph_def.node:
        if is_pipeline(node.op):
            node.op = node.op.removesuffix("V2")
    old.meta_info_def.ClearField("stripped_op_list")
    graph = graph_of(old)
    assert graph.nodes["made"].op == "FIFOQueue"
    lifted = lift_readable(graph)
    assert code(lifted.source) == QUEUE and report_on(graph, lifted).is_same


def test_a_signature_reads_a_queue():
    with tf.Graph().as_default():
        made = v1.FIFOQueue(10, [tf.float32], shapes=[[2]], name="made")
        taken = made.dequeue(name="x")
        out = tf.add(taken, 1.0, name="out")
        meta = v1.train.export_meta_graph()
        signature = v1.saved_model.predict_signature_def({"rows": taken}, {"sums": out})
        meta.signature_def["serving_default"].CopyFrom(signature)
    source = code(lift_readable(graph_of(meta)).source)
    assert source.endswith('signature "serving_default": out as "sums" with x as "rows"\n')


def called():
    """A Python function, whose outputs are a list of one."""
    x = v1.placeholder(tf.float32, [3], "x")
    tf.identity(v1.py_func(lambda value: value * 2, [x], tf.float32, name="twice") + 1.0, name="out")


def test_a_list_of_one_output(here):
    for build, call in ((queue, "x"), (called, "twice")):
        graph = saved(build)
        exact = lift_exact(graph)
        assert report_on(graph, exact).failed == {} and f"x={call}[0]" in exact.source
    assert re.fullmatch(r".*\nout = raw.PyFunc\(input=\[x\], .*\)\[0\] \+ 1.0\n", code(lift_readable(graph).source))
