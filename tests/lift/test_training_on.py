"""A lifted program is a program like any other: it restores the old checkpoint, trains on, and exports."""

import os
import re
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from conftest import some
from graph_files import OTHERS, checkpoint, dense, saved_model
from trained_on import same_training

import tfdsl
from tfdsl.cli import main
from tfdsl.lift.folds.row_updates import step_names
from tfdsl.lift.options import LiftOptions
from tfdsl.lift.read import read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.restoring import stored_names
from tfdsl.lowering.tf import SavedModel, tf, v1


def regression(use_resource=False):
    """A loss with two variables, and the step that trains it."""
    x, y = v1.placeholder(tf.float32, [None, 2], "x"), v1.placeholder(tf.float32, [None, 1], "y")
    with v1.variable_scope("model", use_resource=use_resource):
        w = v1.get_variable("w", [2, 1], initializer=v1.constant_initializer(0.5))
        b = v1.get_variable("b", [], initializer=v1.zeros_initializer())
    return w, b, tf.reduce_mean(tf.square(x @ w + b - y), name="mse")


def adam(loss):
    v1.train.AdamOptimizer(0.1).minimize(loss, name="train")


def in_a_name_scope(loss):
    """The slots keep the names of their variables; the powers of Adam are in the scope."""
    with v1.name_scope("train"):
        v1.train.AdamOptimizer(0.1).minimize(loss, global_step=v1.train.get_or_create_global_step())


def in_a_variable_scope(loss):
    """All variables of the optimizer are in the scope."""
    with v1.variable_scope("train"):
        v1.train.AdamOptimizer(0.1).minimize(loss)


def two_steps(loss):
    """Two optimizers with slots, both in a name scope."""
    with v1.name_scope("fast"):
        v1.train.RMSPropOptimizer(0.1, momentum=0.5).minimize(loss, v1.train.get_or_create_global_step())
    with v1.name_scope("slow"):
        v1.train.MomentumOptimizer(0.01, 0.9).minimize(loss)


STEPS = {"adam": adam, "name": in_a_name_scope, "variable": in_a_variable_scope, "two": two_steps}


@pytest.mark.parametrize(("step", "use_resource"), some(
    product(STEPS, (False, True)), [("adam", False), ("name", True), ("variable", True), ("two", False)]
))  # fmt: skip
def test_the_same_bits_after_fifty_more_steps(here, step, use_resource):
    with tf.Graph().as_default() as graph:
        _, _, loss = regression(use_resource)
        STEPS[step](loss)
    checkpoint(graph, "model.ckpt")
    source = same_training("model.ckpt.meta", here)
    assert source.endswith(f'\nsession:\n    restore from "{here}/model.ckpt"\n'.replace(f"{here}/", ""))


def test_names_of_a_saver(here):
    """A Saver that uses different names and leaves out some variables."""
    with tf.Graph().as_default(), v1.Session() as session:
        w, _, loss = regression()
        v1.train.GradientDescentOptimizer(0.1).minimize(loss)
        v1.global_variables_initializer().run()
        w.load([[3.0], [4.0]])
        v1.train.Saver({"weights/first": w}).save(session, "old.ckpt")
    lifted = lift_readable(read_graph("old.ckpt.meta"))
    assert lifted.restores and "not restored from the checkpoint: model/b" in lifted.notes
    assert lifted.source.endswith('    init\n    restore model.w as "weights/first" from "old.ckpt"\n')
    tfdsl.compile(lifted.source + "    expect model.w == [[3.0], [4.0]]\n    expect model.b == 0.0\n").run()


def test_a_checkpoint_of_tensorflow_2(here):
    module = tf.Module()
    module.rate = tf.Variable([2.0, 5.0], name="speed")
    module.twice = tf.function(lambda x: x * module.rate, input_signature=[tf.TensorSpec([2], tf.float32, "x")])
    tf.saved_model.save(module, "model", signatures={"twice": module.twice})
    lifted = lift_readable(read_graph("model"))
    assert '    restore speed as "rate/.ATTRIBUTES/VARIABLE_VALUE" from "model/variables/variables"\n' in lifted.source
    assert not any("initializer" in note for note in lifted.notes)
    tfdsl.compile(lifted.source + '    expect speed == [2.0, 5.0]\n    export to "again"\n').run()
    served = tf.saved_model.load("again").signatures["twice"]
    assert served(x=tf.constant([1.0, 3.0]))["output_0"].numpy().tolist() == [2.0, 15.0]


def test_what_the_checkpoint_lacks_begins_as_before(here):
    checkpoint(dense(), "model.ckpt")
    with tf.Graph().as_default():
        v1.get_variable("other", [2], use_resource=False)
        v1.train.export_meta_graph("other.meta")
    graph = read_graph("other.meta", checkpoint="model.ckpt")
    assert stored_names(graph) == {}
    lifted = lift_readable(graph)
    assert "session" not in lifted.source and lifted.notes[-1] == "not restored from the checkpoint: other"
    with tf.Graph().as_default(), v1.variable_scope("layer"):
        v1.get_variable("w", [4, 2], tf.float64)
        v1.train.export_meta_graph("wrong.meta")
    lifted = lift_readable(read_graph("wrong.meta", checkpoint="model.ckpt"))
    types = "float64[4, 2] in the graph, float32[3, 2] in the checkpoint"
    assert lifted.notes[-1] == f"not restored from the checkpoint: layer/w ({types})"
    (here / "model.ckpt.index").write_bytes(b"nothing")
    lifted = lift_readable(graph)
    assert "session" not in lifted.source and "the checkpoint model.ckpt cannot be read" in lifted.notes[-1]


def test_a_checkpoint_without_the_variables_of_metrics(here):
    """A Saver saves no local variables. All others are restored, including those of optimizers."""

    def build(saver, path):
        with tf.Graph().as_default(), v1.Session() as session:
            _, _, loss = regression()
            fast = v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
            slow = v1.train.AdamOptimizer(0.01).minimize(loss, name="slow")
            v1.train.GradientDescentOptimizer(0.01).minimize(loss)
            v1.metrics.mean(loss, name="average")
            v1.global_variables_initializer().run()
            session.run([fast, slow], {"x:0": [[1.0, 2.0]], "y:0": [[3.0]]})
            saver().save(session, path)

    build(v1.train.Saver, "model.ckpt")
    source = same_training("model.ckpt.meta", here)
    assert source.endswith('    init\n    restore model.w, model.b, slow, Momentum from "model.ckpt"\n')
    assert " as Momentum\n" in source and source.count(" as ") == 2
    lifted = lift_readable(read_graph("model.ckpt.meta"))
    assert lifted.notes[-1] == "not restored from the checkpoint: average/total, average/count"
    build(lambda: v1.train.Saver([one for one in v1.global_variables() if one.op.name != "beta1_power"]), "part.ckpt")
    lifted = lift_readable(read_graph("part.ckpt.meta"))
    assert 'restore model.w, model.b, Momentum from "part.ckpt"\n' in lifted.source
    assert "begins anew (beta2_power, model/b/Adam, model/b/Adam_1, model/w/Adam, model/w/Adam_1)" in lifted.notes[-1]


@pytest.mark.parametrize("use_resource", some((False, True), [False]))
def test_variables_in_parts(here, use_resource):
    """A checkpoint of TensorFlow 1 has such a variable and its slots as wholes."""
    with tf.Graph().as_default() as graph, v1.variable_scope("", use_resource=use_resource):
        split = {axis: v1.fixed_size_partitioner(3, axis) for axis in (0, 1)}
        table = v1.get_variable("m/table", [7, 3], partitioner=split[0])
        w = v1.get_variable("w", [3, 4], partitioner=split[1])
        v1.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_mean(tf.square(table.as_tensor() @ w.as_tensor())))
        values = v1.global_variables()
        with v1.Session() as session:
            v1.global_variables_initializer().run()
            session.run(graph.get_operation_by_name("Momentum"))
            v1.train.Saver().save(session, "model.ckpt")
            wanted = {one.op.name: value for one, value in zip(values, session.run(values), strict=True)}
    assert "w/part_2/Momentum" in wanted and len(wanted) == 12
    for names in ("outputs", "none"):
        lifted = lift_readable(read_graph("model.ckpt.meta"), options=LiftOptions(names, "model.ckpt"))
        assert not any("not restored" in note for note in lifted.notes)
        tfdsl.compile(lifted.source + '    save to "again.ckpt"\n').run()
        reader = v1.train.load_checkpoint("again.ckpt")
        for name, value in wanted.items():
            np.testing.assert_array_equal(reader.get_tensor(name), value)


def test_parts_that_do_not_make_the_whole(here):
    save = 'variable emb: float32[5, 2] = 1.0\nsession:\n    save to "model.ckpt"\n'
    tfdsl.compile(save).run()
    for shapes in ([(2, 2), (2, 2)], [(5, 2), (5, 2)], [(2, 2), (3, 1)], [(5,)]):
        declared = [f'variable p{at}: float32{list(one)} = zeros as "emb/part_{at}"' for at, one in enumerate(shapes)]
        source = "\n".join([*declared, "session:", '    restore from "model.ckpt"', ""])
        with pytest.raises(tfdsl.TfgError, match=r"the checkpoint model\.ckpt has no variables? 'emb/part_0'"):
            tfdsl.compile(source).run()


def test_variables_whose_shape_the_checkpoint_has(here):
    def build(use_resource):
        """The initial value of one has a known shape."""
        with v1.variable_scope(f"resource_{use_resource}", use_resource=use_resource):
            given = v1.placeholder_with_default(np.ones([3, 2], np.float32), [None, None])
            w = v1.get_variable("w", initializer=given, validate_shape=False)
            b = v1.get_variable("b", initializer=np.zeros(2, np.float32), validate_shape=False)
        return w.initializer, b.initializer, w.assign_add(tf.ones([3, 2])), b.assign_add([1.0, 2.0])

    with tf.Graph().as_default(), v1.Session() as session:
        for w, b, *steps in map(build, (False, True)):
            session.run([w, b])
            session.run(steps)
        v1.train.Saver().save(session, "model.ckpt")
    lifted = lift_readable(read_graph("model.ckpt.meta"))
    assert "raw." not in lifted.source and not any("not restored" in note for note in lifted.notes)
    checks = [
        f"    expect resource_{one}.w[2] == [2.0, 2.0] and resource_{one}.b == [1.0, 2.0]\n" for one in (False, True)
    ]
    tfdsl.compile(lifted.source + "".join(checks)).run()


def test_a_checkpoint_outside_the_folder(here, capsys):
    (here / "old").mkdir()
    (here / "new").mkdir()
    checkpoint(dense(), "old/model.ckpt")
    assert main(["lift", "old/model.ckpt.meta", "-o", "new/model.tfg"]) == 0
    assert "allow-path" not in capsys.readouterr().err
    os.chdir("new")
    assert main(["lift", "../old/model.ckpt.meta", "-o", "model.tfg", "--overwrite"]) == 0
    said = capsys.readouterr().err
    assert f"note: check and run the program with --allow-path {here}/old, where its checkpoint is\n" in said
    assert main(["check", "model.tfg"]) == 1
    assert main(["check", "model.tfg", "--allow-path", "../old"]) == 0


def test_signatures(here):
    """A model exported from the lifted program serves the same values as the old one."""
    folder = saved_model(dense(), "old")
    lifted = lift_readable(read_graph(folder))
    assert 'signature "serving_default": y as "scores" with x as "rows"\n' in lifted.source
    tfdsl.compile(lifted.source + '    export to "new"\n').run()
    rows = tf.constant([[1.0, -2.0, 3.0]])
    values = [tf.saved_model.load(one).signatures["serving_default"](rows=rows) for one in (folder, "new")]
    np.testing.assert_array_equal(*(one["scores"] for one in values))


def test_signatures_of_inner_tensors(here):
    """Signatures keep a tensor that only passes another on, known sizes, and parts of a value."""
    with tf.Graph().as_default(), v1.Session() as session:
        examples = v1.placeholder(tf.string, [None], "examples")
        parsed = v1.io.parse_example(examples, {"a": tf.io.FixedLenFeature([2], tf.float32)})
        x = tf.identity(parsed["a"], name="x")
        first, second = tf.split(x * 2.0, 2, axis=1)
        size = tf.shape(tf.zeros([3, 4]), name="size")
        builder = v1.saved_model.Builder("old")
        info = v1.saved_model.build_tensor_info

        def sign(inputs, outputs):
            infos = [{name: info(one) for name, one in some.items()} for some in (inputs, outputs)]
            return v1.saved_model.build_signature_def(*infos, "tensorflow/serving/predict")

        builder.add_meta_graph_and_variables(session, ["serve"], {
            "parts": sign({"x": x}, {"first": first, "second": second}), "size": sign({}, {"size": size}),
            "parsed": sign({"examples": examples}, {"second": second, "class": x}),
        })  # fmt: skip
        builder.save()
    lifted = lift_readable(read_graph("old"))
    assert lifted.source.count("signature ") == 3
    tfdsl.compile(lifted.source + '\nsession: export to "new"\n').run()
    row, example = tf.constant([[1.0, 2.0]]), tf.train.Example()
    example.features.feature["a"].float_list.value.extend([5.0, 6.0])
    for folder in ("old", "new"):
        served = tf.saved_model.load(folder).signatures
        found = served["parts"](x=row)
        assert (found["first"].numpy().tolist(), found["second"].numpy().tolist()) == ([[2.0]], [[4.0]])
        found = served["parsed"](examples=tf.constant([example.SerializeToString()]))
        assert (found["second"].numpy().tolist(), found["class"].numpy().tolist()) == ([[12.0]], [[5.0, 6.0]])
        assert served["size"]()["size"].numpy().tolist() == [3, 4]


KEPT = """\
variable w = [3.0, 4.0] as "2nd/w"
placeholder x: float32[2]
{body}
session:
    restore {restored}from "model.ckpt"
"""


def test_keep_names(here, capsys):
    with tf.Graph().as_default() as graph:
        w = v1.get_variable("2nd/w", [2], initializer=v1.constant_initializer([3.0, 4.0]), use_resource=False)
        tf.nn.relu(w * v1.placeholder(tf.float32, [2], "x"), name="up/2x")
    checkpoint(graph, "model.ckpt")

    def source(*words):
        assert main(["lift", "model.ckpt.meta", *words]) == 0
        return "".join(f"{line}\n" for line in capsys.readouterr().out.splitlines() if line and line[0] != "#")

    usual = KEPT.format(body='up_2x = relu(w * x) as "up/2x"', restored="")
    assert source() == source("--keep-names", "outputs") == usual
    everything = KEPT.format(body='mul = w * x\nup_2x = relu(mul) as "up/2x"', restored="")
    assert source("--keep-names", "all") == everything
    nothing = KEPT.format(body="up_2x = relu(w * x)", restored='w as "2nd/w" ').replace(' as "2nd/w"\n', "\n")
    assert source("--keep-names", "none") == nothing
    for text in (usual, everything, nothing):
        tfdsl.compile(text + "    expect w == [3.0, 4.0]\n").run()
    assert main(["lift", "model.ckpt.meta", "--keep-names", "none", "--exact"]) == 2


# --- graphs made by others ----------------------------------------------------------------------

# Sizes for placeholders that have unknown sizes in the graph.
SIZES = {
    "g47": {"policy/Placeholder": [4, 6], "policy/Placeholder_1": [4, 3], "policy/Placeholder_2": [4, 1],
            "value/Placeholder": [4, 6], "value/Placeholder_1": [4]},
    "g51": {"Placeholder": [4, 784], "Placeholder_1": [4, 10]},
}  # fmt: skip

UPDATE = re.compile(r"(Resource)?(Sparse)?Apply")  # the ops of optimizers
STEP = re.compile(r"^ *(?:optimize|apply) ", re.MULTILINE)


def options_of(path):
    """The options for a graph, whose checkpoint is in a folder with its number."""
    folder = path.with_name(f"{path.name.partition('_')[0]}_variables")
    return {"checkpoint": str(folder)} if folder.exists() else {}


@pytest.mark.long
@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_graphs_made_by_others_train_on(path, here):
    """The same bits after further steps, which all are steps of the language: TFDSL_GRAPHS=folder pytest --long."""
    given = {}
    if options_of(path):
        given = {"checkpoint": shutil.copytree(options_of(path)["checkpoint"], here / "variables").name}
    graph = read_graph(str(path))
    updates = [name for name, node in graph.nodes.items() if UPDATE.match(node.op)]
    steps = step_names(graph)
    assert graph.above(*steps).issuperset(updates)
    if steps:
        source = same_training(path, here, SIZES.get(path.name[:3], ()), **given)
        assert len(STEP.findall(source)) == len(steps) and "# stays as it was" not in source


@pytest.mark.long
@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_graphs_made_by_others_are_programs(path, here, capsys):
    """All commands work on the program, and its signatures are served with the same numbers."""
    shutil.copy(path, here / "saved_model.pb")
    if options_of(path):
        shutil.copytree(options_of(path)["checkpoint"], here / "variables")
    given = ["--checkpoint", "variables"] if options_of(path) else []
    assert main(["lift", "saved_model.pb", *given, "-o", "lifted.tfg"]) == 0
    for words in (["fmt", "--check"], ["check"], ["summary"]):
        assert main([*words, "lifted.tfg"]) == 0, words
    for name in ("graph.svg", "graph.html", "graph.dot", "graph.pbtxt"):
        assert main(["graph", "lifted.tfg", "-o", name]) == 0
    graph = read_graph("saved_model.pb", **({"checkpoint": "variables"} if given else {}))
    if not graph.signatures:
        return
    source = (here / "lifted.tfg").read_text()
    ending = "" if source.rstrip().endswith('"variables/variables"') else "\nsession:\n"
    (here / "lifted.tfg").write_text(f'{source}{ending}    export to "exported"\n')
    assert main(["run", "lifted.tfg"]) == 0
    if given:
        assert served("exported") == served(".")


def served(folder, is_optimized=True):
    """The results of the signatures of a SavedModel in a session of TensorFlow 1."""
    config = v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = not is_optimized
    with v1.Session(graph=tf.Graph(), config=config) as session:
        model = SavedModel.FromString(Path(folder, "saved_model.pb").read_bytes())
        found = v1.saved_model.load(session, model.meta_graphs[0].meta_info_def.tags, folder).signature_def
        return {
            name: {
                key: session.run(output.name, {one.name: value_for(one) for one in signature.inputs.values()}).tolist()
                for key, output in signature.outputs.items()
            }
            for name, signature in found.items()
            if not name.startswith("__")
        }


def value_for(info):
    """A value with the type of an input: numbers, or an example for a parser."""
    if info.dtype == tf.string.as_datatype_enum:
        example = tf.train.Example()
        for name in ("x", "x2"):
            example.features.feature[name].float_list.value.append(2.5)
        return [example.SerializeToString()]
    return np.full([max(one.size, 1) for one in info.tensor_shape.dim], 1.5)
