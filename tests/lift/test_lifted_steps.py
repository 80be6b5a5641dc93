"""Steps of all optimizers are `optimize` statements with the same slots, arguments and values of variables."""

from itertools import product

import numpy as np
import pytest
from conftest import some
from graph_files import checkpoint
from test_inline import verified
from trained_on import same_training

from tfdsl.access import Access
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.options import LiftOptions
from tfdsl.lift.read import graph_of, read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.lowering.tf import tf, v1
from tfdsl.source import Source

train = v1.train


def line():
    """The loss and the variables of a regression."""
    x, y = v1.placeholder(tf.float32, [None, 2], "x"), v1.placeholder(tf.float32, [None, 1], "y")
    w = v1.get_variable("w", initializer=[[0.5], [-0.25]], use_resource=False)
    b = v1.get_variable("b", initializer=[0.5], use_resource=False)
    return tf.reduce_mean(tf.square(x @ w + b - y), name="loss"), [w, b]


def words(resource):
    """A loss that reads some rows of a table."""
    x, y = v1.placeholder(tf.int32, [None], "x"), v1.placeholder(tf.float32, [None, 2], "y")
    table = v1.get_variable("w", initializer=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], use_resource=resource)
    scale = v1.get_variable("b", initializer=[1.0, 2.0], use_resource=resource)
    return tf.reduce_mean(tf.square(tf.nn.embedding_lookup(table, x) * scale - y), name="loss"), [table, scale]


def meta(build):
    with tf.Graph().as_default():
        build()
        return graph_of(train.export_meta_graph())


def proved(build):
    """The last statement of the program, whose variables have the same names and, after a step, the same bits."""
    graph = meta(build)
    lifted = lift_readable(graph)
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs(access=Access("lifted.tfg")))
    report = Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()
    assert report.is_same and not report.unequal and not report.left_out and report.updates == 1
    variables = {node.name for node in graph.nodes.values() if node.op in ("VariableV2", "VarHandleOp")}
    assert report.variables == len(variables)
    assert {one.name.partition(":")[0] for one in compiled.built().state_variables()} == variables
    return lifted.source[lifted.source.rindex("optimize") :].rstrip().replace("\n    ", "").replace("\n", "")


STEPS = [
    (lambda: train.FtrlOptimizer(0.1, l2_regularization_strength=0.02),
     "ftrl(learning_rate=0.1, l2_regularization_strength=0.02)"),
    (lambda: train.FtrlOptimizer(0.1, l2_regularization_strength=0.02, beta=0.5),
     "ftrl(learning_rate=0.1, l2_regularization_strength=0.02, beta=0.5)"),
    (lambda: train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=0.02),
     "ftrl(learning_rate=0.1, l2_shrinkage_regularization_strength=0.02)"),
    (lambda: train.RMSPropOptimizer(0.1, momentum=0.9, centered=True),
     "rmsprop(learning_rate=0.1, momentum=0.9, centered=true)"),
    (lambda: train.AdadeltaOptimizer(0.1), "adadelta(learning_rate=0.1)"),
    (lambda: train.ProximalAdagradOptimizer(0.1, l1_regularization_strength=0.02),
     "proximal_adagrad(learning_rate=0.1, l1_regularization_strength=0.02)"),
    (lambda: train.AdamOptimizer(0.1, name="Mine"), 'adam(learning_rate=0.1, slots="Mine")'),
    (lambda: train.AdamOptimizer(0.1, name="Adam_1"), 'adam(learning_rate=0.1, slots="Adam_1")'),
    (lambda: train.MomentumOptimizer(0.1, 0.9, name="m/n"),
     'momentum(learning_rate=0.1, momentum=0.9, slots="m/n") as "m/n"'),
]  # fmt: skip


@pytest.mark.parametrize(("optimizer", "text"), STEPS)
def test_arguments(here, optimizer, text):
    assert proved(lambda: optimizer().minimize(line()[0])) == f"optimize loss with {text}"


BY_ROWS = [
    lambda: train.GradientDescentOptimizer(0.1),
    lambda: train.MomentumOptimizer(0.1, 0.9),
    lambda: train.AdamOptimizer(0.1),
    lambda: train.AdagradOptimizer(0.1),
    lambda: train.RMSPropOptimizer(0.1),
    lambda: train.FtrlOptimizer(0.1),
    lambda: train.AdadeltaOptimizer(0.1),
    lambda: train.ProximalAdagradOptimizer(0.1, l1_regularization_strength=0.02),
    lambda: train.ProximalGradientDescentOptimizer(0.1, l1_regularization_strength=0.02),
]


@pytest.mark.parametrize(("optimizer", "resource"), some(
    product(BY_ROWS, (True, False)), [(BY_ROWS[0], True), (BY_ROWS[1], False), (BY_ROWS[2], True), (BY_ROWS[5], False)]
))  # fmt: skip
def test_rows_of_a_table(here, optimizer, resource):
    assert proved(lambda: optimizer().minimize(words(resource)[0])).startswith("optimize loss with ")


def clipped(clip):
    def build():
        loss, variables = line()
        gradients = clip(tf.gradients(loss, variables))
        train.AdamOptimizer(0.1).apply_gradients(zip(gradients, variables))

    return build


@pytest.mark.parametrize(
    ("clip", "text"),
    [
        (lambda found: [tf.clip_by_norm(one, 0.5) for one in found], "clipnorm=0.5"),
        (lambda found: tf.clip_by_global_norm(found, 0.5)[0], "global_clipnorm=0.5"),
    ],
)
def test_clipped_gradients(here, clip, text):
    assert proved(clipped(clip)) == f"optimize loss with adam(learning_rate=0.1, {text}) as Adam"


CLIPS = {
    "clipnorm": lambda found: [tf.clip_by_norm(one, 0.5) for one in found],
    "clipvalue": lambda found: [tf.clip_by_value(one, -0.5, 0.5) for one in found],
    "global_clipnorm": lambda found: tf.clip_by_global_norm(found, 0.5)[0],
}


@pytest.mark.parametrize(("argument", "optimizer", "resource"), some(
    product(CLIPS, BY_ROWS[:4], (True, False)),
    [("global_clipnorm", BY_ROWS[2], False), ("clipnorm", BY_ROWS[1], True), ("clipvalue", BY_ROWS[0], False)]
))  # fmt: skip
def test_clipped_rows(here, argument, optimizer, resource):
    """TensorFlow 1 clips the slices of a row that is taken twice one by one."""

    def build():
        loss, variables = words(resource)
        optimizer().apply_gradients(zip(CLIPS[argument](tf.gradients(loss, variables)), variables))

    assert f"{argument}=0.5, sum_slices=false)" in proved(build)


def test_slices_that_would_be_summed_are_found(here):
    """A comparison takes a row twice, so the sum of its slices differs from the slices."""

    def build():
        loss, variables = words(resource=False)
        train.AdamOptimizer(0.1).apply_gradients(
            zip(tf.clip_by_global_norm(tf.gradients(loss, variables), 0.5)[0], variables)
        )

    graph = meta(build)
    lifted = lift_readable(graph)
    source = lifted.source.replace(", sum_slices=false", "").replace("    sum_slices=false", "")
    assert "sum_slices" in lifted.source and "sum_slices" not in source
    compiled = compile_source(Source("lifted.tfg", source), CompileInputs(access=Access("lifted.tfg")))
    assert not Verifier(graph, lifted, compiled, shapes={}, seed=1).verify().is_same


@pytest.mark.parametrize("argument", some(CLIPS, ["clipvalue"]))
def test_clipped_rows_of_a_program(here, argument):
    """A program adds the slices of a row up before it clips them."""
    program = f"""
variable table = [[1.0, 2.0], [3.0, 4.0]]
variable scale = [1.0, 2.0]
placeholder x: int32[?]
optimize reduce_sum(square(gather(table, x)) * scale) with adam({argument}=0.5)
"""
    source = verified(graph_of(compile_source(Source("p.tfg", program)).graph.as_graph_def()))
    assert f"{argument}=0.5)" in source.replace("\n", "").replace("    ", "")


def norms_that_are_logged(found):
    gradients, norm = tf.clip_by_global_norm(found, 0.5)
    v1.summary.scalar("norm", norm)
    return gradients


def one_norm_for_each(found):
    return [tf.clip_by_norm(one, 0.5 + at) for at, one in enumerate(found)]


def one_of_two(found):
    return [tf.clip_by_norm(found[0], 0.5), found[1]]


@pytest.mark.parametrize("clip", [norms_that_are_logged, one_norm_for_each, one_of_two])
def test_other_changes_of_gradients_are_written_out(here, clip):
    source = verified(meta(clipped(clip)))
    assert "apply [" in source and "clipnorm" not in source


def averaged():
    loss, variables = line()
    step = train.get_or_create_global_step()
    done = train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    with tf.control_dependencies([done]):
        tf.group(train.ExponentialMovingAverage(0.99, step).apply(variables), name="train")


AVERAGED = """\
    after GradientDescent:
        AssignMovingAvg_sub_1 = w_ExponentialMovingAverage - w
        ReadVariableOp = identity(global_step)
    num_updates = cast(ReadVariableOp, float32)
    Minimum = minimum(0.99, (1.0 + num_updates) / (10.0 + num_updates))
    AssignMovingAvg_mul = AssignMovingAvg_sub_1 * (1.0 - Minimum)
    AssignMovingAvg = assign_sub(w_ExponentialMovingAverage, AssignMovingAvg_mul)
    after GradientDescent:
        AssignMovingAvg_1_sub_1 = b_ExponentialMovingAverage - b
    AssignMovingAvg_1_mul = AssignMovingAvg_1_sub_1 * (1.0 - Minimum)
    AssignMovingAvg_1 = assign_sub(b_ExponentialMovingAverage, AssignMovingAvg_1_mul)
after AssignMovingAvg, AssignMovingAvg_1:
    ExponentialMovingAverage_1 = no_op()
after ExponentialMovingAverage_1:
    train = no_op()
"""


def test_a_moving_average_waits_once(here):
    source = verified(meta(averaged))
    assert source.endswith(AVERAGED) and " as GradientDescent\n" in source


def summaries():
    x, text = v1.placeholder(tf.float32, [4, 2, 2, 3], "x"), v1.placeholder(tf.string, [], "text")
    v1.summary.image("pictures", x)
    v1.summary.histogram("spread", x)
    v1.summary.text("words", text)
    v1.summary.audio("sound", tf.reshape(x, [1, 48, 1]), 16000.0)
    v1.summary.image("first", x, max_outputs=1)
    v1.summary.merge([v1.summary.merge_all()])


def test_summaries(here):
    lifted = lift_readable(meta(summaries))
    compiled = compile_source(Source("lifted.tfg", lifted.source))
    kinds = [one.op.type for one in compiled.built().graph.get_collection("summaries")]
    assert sorted(kinds) == ["HistogramSummary", "ImageSummary", "TensorSummaryV2"]
    assert "sound = raw.AudioSummaryV2(" in lifted.source and "first = raw.ImageSummary(" in lifted.source
    assert any("`log` leaves out sound, first" in note for note in lifted.notes), lifted.notes
    assert any("logs none of them gets a warning for each, TFG902" in note for note in lifted.notes), lifted.notes


def test_slots_restore_from_a_checkpoint(here):
    with tf.Graph().as_default():
        loss, _ = line()
        step = train.AdamOptimizer(0.1, name="Mine").minimize(loss)
        saver = train.Saver()
        given = {"x:0": np.array([[1.0, 2.0]], np.float32), "y:0": np.array([[1.0]], np.float32)}
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            session.run(step, given)
            saver.save(session, "old/model.ckpt")
            session.run(step, given)
            expected = session.run(["w:0", "w/Mine:0", "w/Mine_1:0"])
    source = lift_readable(read_graph("old/model.ckpt.meta"), options=LiftOptions(checkpoint="old/model.ckpt")).source
    assert source.endswith('session:\n    restore from "old/model.ckpt"\n')
    (here / "p.tfg").write_text(f"{source}    train 1 step:\n        feed x = [[1, 2]], y = [[1]]\n")
    found = compile_source(Source("p.tfg", (here / "p.tfg").read_text()), CompileInputs(access=Access("p.tfg")))
    variables = found.run().variables
    for name, value in zip(("w", "w/Mine", "w/Mine_1"), expected, strict=True):
        np.testing.assert_array_equal(variables[name], value)


def table(step, use_resource, more=False):
    """A table that a step changes by rows, perhaps with a variable that it changes as a whole, in a scope."""

    def build():
        x, y = v1.placeholder(tf.int32, [None], "x"), v1.placeholder(tf.float32, [None, 3], "y")
        start = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
        rows = tf.nn.embedding_lookup(v1.get_variable("table", initializer=start, use_resource=use_resource), x)
        if more:
            rows *= v1.get_variable("scale", initializer=np.ones(3, np.float32), use_resource=use_resource)
        with v1.name_scope("train"):
            step().minimize(tf.reduce_mean(tf.square(rows - y), name="loss"))

    return build


@pytest.mark.parametrize(("use_resource", "more"), some(
    product((False, True), (False, True)), [(True, False)]
))  # fmt: skip
@pytest.mark.parametrize(
    ("step", "text"),
    [
        (lambda: train.AdamOptimizer(0.1, beta1=0.5), "adam(learning_rate=0.1, beta1=0.5)"),
        (lambda: train.GradientDescentOptimizer(0.1), "gradient_descent(learning_rate=0.1)"),
    ],
    ids=["adam", "gradient_descent"],
)
def test_rows_alone(here, step, text, use_resource, more):
    with tf.Graph().as_default() as graph:
        table(step, use_resource, more)()
    checkpoint(graph, "model.ckpt")
    source = same_training("model.ckpt.meta", here)
    assert f" with {text}" in source and "raw." not in source and "scatter" not in source


def test_rows_with_other_gradients(here):
    """Rows whose gradients are changed stay as they were."""

    def build():
        table = v1.get_variable("table", initializer=np.ones([4, 2], np.float32), use_resource=True)
        loss = tf.reduce_mean(tf.square(tf.gather(table, v1.placeholder(tf.int32, [None], "x"))))
        optimizer = train.AdamOptimizer(0.1)
        ((rows, _),) = optimizer.compute_gradients(loss)
        optimizer.apply_gradients([(tf.IndexedSlices(rows.values * 2.0, rows.indices, rows.dense_shape), table)])

    with tf.Graph().as_default():
        build()
        source = lift_readable(graph_of(v1.train.export_meta_graph())).source
    assert ("optimize " not in source and "raw.ResourceScatterAdd(" in source) or "scatter_add(" in source


def test_variables_below_the_name_of_a_variable(here):
    """As those of a moving average without bias, and the slots of a step that stays as it was. TensorFlow renames a
    scope whose name a node has."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [3], "x")
        average = v1.get_variable("v", [3], initializer=v1.ones_initializer(), trainable=False, use_resource=False)
        biased = v1.get_variable(
            "v/biased", [3], initializer=v1.zeros_initializer(), trainable=False, use_resource=False
        )
        count = v1.get_variable("v/count", [], initializer=v1.zeros_initializer(), trainable=False, use_resource=False)
        updated, counted = v1.assign_add(biased, x), v1.assign_add(count, 1.0)
        tf.identity(v1.assign(average, updated / counted), "u")
    checkpoint(graph, "model.ckpt")
    read = read_graph("model.ckpt.meta")
    source = lift_readable(read, options=LiftOptions(checkpoint=read.checkpoint)).source
    assert "    variable biased: float32[3] = zeros" in source and ' as "v/biased"' in source
    program = compile_source(Source("r.tfg", source), CompileInputs(access=Access("r.tfg")))
    assert set(program.run().variables) == {"v", "v/biased", "v/count"}


@pytest.mark.parametrize("value", ["Const", "grad_ys_0"])
def test_gradients_that_begin_with_a_fill(value):
    """Before TensorFlow 1.8, the op that fills the first gradient had another name."""

    with tf.Graph().as_default() as graph:
        loss, _ = line()
        train.GradientDescentOptimizer(0.1).minimize(loss)
    names = {"gradients/grad_ys_0": "gradients/Fill", "gradients/grad_ys_0/Const": f"gradients/{value}"}
    definition = graph.as_graph_def()
    for node in definition.node:
        node.name = names.get(node.name, node.name)
        node.input[:] = [names.get(one, one) for one in node.input]
    source = lift_readable(graph_of(definition)).source
    assert source.endswith("optimize loss with gradient_descent(learning_rate=0.1)\n")


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_slices_that_are_summed_before_the_step(here, factor, resource):
    """The step changes the whole table then."""

    def build():
        loss, variables = words(resource)
        rows, slope = tf.gradients(loss, variables)
        whole = tf.convert_to_tensor(rows)
        changed = whole if factor == 1.0 else whole * factor
        train.AdamOptimizer(0.1).apply_gradients(zip([changed, slope], variables))

    graph = meta(build)
    lifted = lift_readable(graph)
    assert "] to [w, b] with adam(learning_rate=0.1)\n" in lifted.source and "raw." not in lifted.source
    compiled = compile_source(Source("lifted.tfg", lifted.source), CompileInputs())
    report = Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()
    assert report.is_same and report.unequal == [] and report.updates == 1
