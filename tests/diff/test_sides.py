"""Both sides of a comparison: programs, graphs and checkpoints."""

import json
import re
import shutil

import numpy as np
import pytest
from graph_files import OTHERS, dense, loop, written

from tfdsl.cli import main
from tfdsl.diff.kinds import kind_of
from tfdsl.diff.values import array_difference
from tfdsl.lift import readable
from tfdsl.lift.draft import CallPiece
from tfdsl.lowering.tf import tf, v1
from tfdsl.record import replace

PROGRAM = """\
placeholder X: float32[?, 2]
placeholder y: float32[?, 1]
variable w: float32[2, 1] = 0.5
variable b = 0.0
big = constant([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0, 20.0])
prediction = X @ w + b
mse = reduce_mean(square(prediction - y)) + reduce_sum(big)
optimize mse with adam(learning_rate=0.1) as step
"""


def trained(path, name="w", rate=0.1, size=21, steps=1):
    """Write the graph of PROGRAM and a checkpoint with plain TensorFlow."""
    graph = tf.Graph()
    with graph.as_default():
        X = v1.placeholder(tf.float32, [None, 2], name="X")
        y = v1.placeholder(tf.float32, [None, 1], name="y")
        w = v1.get_variable(name, [2, 1], initializer=v1.constant_initializer(0.5), use_resource=False)
        b = v1.get_variable("b", [], initializer=v1.zeros_initializer(), use_resource=False)
        big = tf.constant(np.arange(size, dtype=np.float32), name="big")
        prediction = tf.add(tf.matmul(X, w), b, name="prediction")
        mse = tf.add(tf.reduce_mean(tf.square(prediction - y)), tf.reduce_sum(big), name="mse")
        step = v1.train.AdamOptimizer(rate).minimize(mse, name="step")
        saver = v1.train.Saver()
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for _ in range(steps):
                session.run(step, {X: [[1, 2]], y: [[1]]})
            saver.save(session, str(path))
    written(graph, f"{path}.pb")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sides")
    trained(folder / "one")
    trained(folder / "two", name="weights", rate=0.01, size=22)
    trained(folder / "three", steps=2)
    (folder / "one.tfg").write_text(PROGRAM)
    return folder


@pytest.fixture
def compared(files, monkeypatch, capsys):
    """The exit code of a comparison, its lines, and its notes."""
    monkeypatch.chdir(files)

    def compare(*words):
        code = main(["diff", *words])
        said = capsys.readouterr()
        return code, [line[2:] for line in said.out.splitlines() if line.startswith("  ")], said.err

    return compare


GRAPHS = ["> w -> weights", "~ big  shape [21] -> [22]", "~ step  learning_rate 0.1 -> 0.01"]


def test_kinds(files):
    names = ("one.tfg", "one.pb", "one.meta", "one", "one.index", "one.data-00000-of-00001", "", "none.tfg")
    kinds = [kind_of(str(files / name)) for name in names]
    assert kinds == ["program", "graph", "graph", *["checkpoint"] * 4, "program"]


def test_kinds_by_content(files, here):
    for name in ("one.tfg", "one.pb", "one.index"):
        shutil.copy(files / name, here / name.replace(".", "_"))
    written(dense(), here / "dense", as_text=True)
    assert [kind_of(name) for name in ("one_tfg", "one_pb", "one_index", "dense")] == [
        "program", "graph", "checkpoint", "graph",
    ]  # fmt: skip


@pytest.mark.parametrize("pair", [("one.pb", "two.pb"), ("one.tfg", "two.pb")])
def test_graphs(compared, pair):
    code, lines, said = compared(*pair)
    assert (code, lines) == (1, GRAPHS)
    notes = [
        "note: sessions, params and data sets are not compared: two.pb is a graph",
        "note: which variables are trained is not compared: two.pb does not say it",
    ]
    assert said.splitlines() == (notes if "one.tfg" in pair else [])


@pytest.mark.parametrize(
    "pair", [("one.pb", "one.meta"), ("one.tfg", "one.meta"), ("one.pb", "one.tfg"), ("one.pb", "one.pb")]
)
def test_the_same_graph(compared, pair):
    code, lines, _ = compared(*pair)
    assert (code, lines) == (0, [])


def test_graphs_with_values(compared):
    code, lines, _ = compared("one.meta", "three.meta")
    assert code == 1 and len(lines) == 2
    assert re.fullmatch(r"~ w  2 of 2 values differ, by up to 0\.\d+ at \[\d, 0\]: 0\.4 -> 0\.3\d+", lines[0])
    assert re.fullmatch(r"~ b  the value differs, by 0\.\d+: -0\.[01]\d* -> -0\.1\d+", lines[1])


def test_node_for_node(compared):
    code, _, _ = compared("one.pb", "one.meta", "--exact")
    assert code == 0
    assert main(["diff", "one.pb", "two.pb", "--exact", "--all"]) == 1
    assert compared("one.pb", "two.pb", "--exact", "--quiet") == (1, [], "")


def test_nodes_by_name(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    assert main(["diff", "one.pb", "two.pb", "--exact"]) == 1
    said = capsys.readouterr().out
    assert "w: the node: there -> missing\n" in said and "big: the attribute 'value': " in said
    assert main(["diff", "one.pb", "two.pb", "--exact", "--json"]) == 1
    made = json.loads(capsys.readouterr().out)
    assert (
        made["alike"] is False
        and {"node": "w", "what": "the node", "before": "there", "after": "missing"} in made["nodes"]
    )


def test_a_graph_without_a_readable_form(here, capsys):
    written(loop(), here / "loop.pb")
    assert main(["diff", "loop.pb", "loop.pb"]) == 0
    text = tf.io.gfile.GFile("loop.pb", "rb").read()
    (here / "other.pb").write_bytes(text.replace(b"loop/Add", b"loop/Bdd").replace(b"loop/add", b"loop/bdd"))
    assert main(["diff", "loop.pb", "other.pb"]) in (0, 1)


def test_a_readable_form_that_does_not_compile(here, capsys, monkeypatch):
    def spoil(draft):
        for name, piece in draft.pieces.items():
            if isinstance(piece, CallPiece):
                draft.pieces[name] = replace(piece, callee="no_such_op")

    monkeypatch.setattr(readable, "FOLDS", (*readable.FOLDS, spoil))
    for name, made in (("one.pb", dense()), ("two.pb", loop())):
        written(made, here / name)
    assert main(["diff", "one.pb", "one.pb"]) == 0 and main(["diff", "one.pb", "two.pb"]) == 1


def test_checkpoints(compared):
    assert compared("one", "one.index") == (0, [], "")
    code, lines, _ = compared("one", "three")
    assert code == 1 and all(line.startswith("~ ") and " by " in line for line in lines)
    assert [line.split()[1] for line in lines] == [
        "b",
        "b/Adam",
        "b/Adam_1",
        "beta1_power",
        "beta2_power",
        "w",
        "w/Adam",
        "w/Adam_1",
    ]
    code, lines, _ = compared("one", "two")
    names = [line.partition("  ")[0] for line in lines]
    assert code == 1 and names[0] == "> w -> weights" and "~ w -> weights" in names[1:]
    code, lines, _ = compared("three", "two")
    assert code == 1 and "~ weights/Adam" in [line.partition("  ")[0] for line in lines]


def test_values_of_checkpoints(here, capsys):
    def write(path, **values):
        with tf.Graph().as_default(), v1.Session() as session:
            made = [v1.Variable(value, name=name) for name, value in values.items()]
            session.run(v1.global_variables_initializer())
            v1.train.Saver(made).save(session, path, write_meta_graph=False, write_state=False)

    old = np.zeros([3, 4], np.float32)
    new = old.copy()
    new[2, 1], new[0, 3] = -0.25, 0.125
    write("old/a", same=1.0, moved=[1.0, 2.0], w=old, gone=[5], s=["a", "b"], t=1, shape=[1.0])
    write("new/a", same=1.0, here=[1.0, 2.0], w=new, s=["a", "c"], t=np.int64(1), shape=[1.0, 2.0], more=2.5)
    assert main(["diff", "old", "new"]) == 1
    assert [line[2:] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")] == [
        "- gone           int32[1]",
        "> moved -> here",
        "+ more           float32",
        "~ s              1 of 2 values differs at [1]: b'b' -> b'c'",
        "~ shape          shape [1] -> [2]",
        "~ t              dtype int32 -> int64",
        "~ w              2 of 12 values differ, by up to 0.25 at [2, 1]: 0.0 -> -0.25",
    ]  # fmt: skip
    assert main(["diff", "old/a", "new/a.index", "--json"]) == 1
    made = json.loads(capsys.readouterr().out)
    (w,) = [one for one in made["differences"] if one["before"] == "w"]
    assert {key: w["facts"][0][key] for key in ("name", "differing", "of", "largest", "at")} == {
        "name": "values", "differing": 2, "of": 12, "largest": 0.25, "at": [2, 1],
    }  # fmt: skip


def test_what_was_learned_from_data(here, capsys):
    for name, first in (("old", 1.0), ("new", 3.0)):
        (here / f"{name}.csv").write_text(f"a,y\n{first},1\n2,0\n4,1\n")
        (here / f"{name}.tfg").write_text(
            f'data d = csv("{name}.csv", target="y") | standardize("a")\n'
            f'variable w = 1.0\n_x = d.features * w\nsession: save to "{name}.ckpt"\n'
        )
        assert main(["run", f"{name}.tfg"]) == 0
    capsys.readouterr()
    assert main(["diff", "old.ckpt", "new.ckpt"]) == 1
    said = capsys.readouterr().out
    assert "data\n  ~ d" in said and "variables" not in said


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.5], (1, 2, 0.5, (1,))),
        ([np.nan, 1.0], [np.nan, 1.0], None),
        ([0.0], [-0.0], (1, 1, 0.0, (0,))),
        ([np.inf, 1.0], [1.0, 1.0], (1, 2, np.inf, (0,))),
        ([1, 2**62], [1, 2**62 + 2**40], (1, 2, float(2**40), (1,))),
        ([True, False], [True, True], (1, 2, 1.0, (1,))),
        ([[1j, 2]], [[1j, 2 + 3j]], (1, 2, 3.0, (0, 1))),
        ([b"a"], [b"b"], (1, 1, None, (0,))),
        (np.zeros([0]), np.zeros([0]), None),
        ([1.0], [1.0, 2.0], None),
    ],
)
def test_differences_of_arrays(left, right, expected):
    arrays = [
        np.array(one, object) if isinstance(one, list) and one[0] in (b"a", b"b") else np.array(one)
        for one in (left, right)
    ]
    found = array_difference(*arrays)
    assert (None if found is None else (found.differing, found.of, found.largest, found.at)) == expected


@pytest.mark.long
@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_graphs_of_a_folder(path, here, capsys):
    """Each graph is like itself and like its program. Run with TFDSL_GRAPHS=folder pytest --long."""
    assert main(["lift", str(path), "-o", "lifted.tfg"]) == 0
    for other in (str(path), "lifted.tfg"):
        assert main(["diff", str(path), other]) == 0, capsys.readouterr().out
