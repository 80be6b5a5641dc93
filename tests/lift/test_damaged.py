"""Damaged graphs give an error or lift correctly, and nothing else."""

import shutil

import pytest
from damage import damaged, damaged_file
from graph_files import checkpoint, dense, loop, saved_model

from tfdsl.access import Access
from tfdsl.cli import main
from tfdsl.diagnostics import TfgError
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.compare import differences
from tfdsl.lift.exact import lift_exact
from tfdsl.lift.read import graph_of, read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.tf import GraphDef, MetaGraphDef, SavedModel, tf
from tfdsl.source import Source


class Model(tf.Module):
    """A model of TensorFlow 2, whose functions have a branch and a loop."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable([[0.5], [-0.5]])

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "x")])
    def __call__(self, x):
        y = tf.scan(lambda state, row: state + row, x @ self.w, tf.zeros([1]))
        return tf.cond(tf.reduce_sum(y) > 0.0, lambda: y * 2.0, lambda: y - 1.0)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Graphs of each format, as bytes."""
    folder = tmp_path_factory.mktemp("files")
    checkpoint(dense(), folder / "model")
    saved_model(dense(), folder / "served")
    model = Model()
    tf.saved_model.save(model, folder / "two", signatures=model.__call__)
    return {
        "binary": (dense().as_graph_def().SerializeToString(), GraphDef),
        "loop": (loop().as_graph_def().SerializeToString(), GraphDef),
        "text": (str(dense().as_graph_def()).encode(), None),
        "text of a loop": (str(loop().as_graph_def()).encode(), None),
        "MetaGraph": ((folder / "model.meta").read_bytes(), MetaGraphDef),
        "SavedModel": ((folder / "served/saved_model.pb").read_bytes(), SavedModel),
        "SavedModel of TensorFlow 2": ((folder / "two/saved_model.pb").read_bytes(), SavedModel),
    }


FORMATS = ["binary", "loop", "text", "text of a loop", "MetaGraph", "SavedModel", "SavedModel of TensorFlow 2"]


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 206), marks=[pytest.mark.long])], ids=str)
@pytest.mark.parametrize("name", FORMATS)
def test_an_error_or_the_same_graph(files, here, name, seeds):
    for seed in seeds:
        how, data = damaged(*files[name], seed)
        (here / "damaged.pb").write_bytes(data)
        try:
            graph = read_graph("damaged.pb")
            assert differences(graph, built(lift_exact(graph))) == [], (seed, how)
            built(lift_readable(graph))
        except TfgError as error:
            assert all(one.code != "TFG899" for one in error.diagnostics), (seed, how)


def built(lifted):
    source = Source("damaged.tfg", lifted.source)
    return graph_of(compile_source(source, CompileInputs(access=Access(source.path))).graph.as_graph_def())


def test_the_errors(files, here):
    """The kinds of errors that damages cause."""
    codes = set()
    for seed in range(40):
        (here / "damaged.pb").write_bytes(damaged(*files[FORMATS[seed % 5]], seed)[1])
        try:
            read_graph("damaged.pb")
            codes.add("the same")
        except TfgError as error:
            codes |= {one.code for one in error.diagnostics}
    assert {"the same", "TFG002", "TFG006", "TFG008"} <= codes


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 200), marks=[pytest.mark.long])], ids=str)
def test_damaged_checkpoints(here, capsys, seeds):
    """A program is lifted all the same. Comparing the checkpoint is an error, unless the damage is in bytes that nothing
    uses."""
    checkpoint(dense(), "model")
    shutil.copy("model.meta", "damaged.meta")
    parts = ("index", "data-00000-of-00001")
    for seed in seeds:
        for at, part in enumerate(parts):
            data = (here / f"model.{part}").read_bytes()
            (here / f"damaged.{part}").write_bytes(damaged_file(data, seed) if at == seed % 2 else data)
        lifted = lift_readable(read_graph("damaged.meta"))
        assert lifted.restores or any("cannot be read" in note for note in lifted.notes), seed
        code = main(["diff", "model", "damaged"])
        said = capsys.readouterr()
        assert (code, said.err) == (0, "") or (code == 2 and "error[TFG808]: damaged cannot be read" in said.err), seed
