"""Predictions in the terms of the file: names of classes, units of the target, and what the model had learned."""

import re
from pathlib import Path

import numpy as np
import pytest
from predicted import written

import tfdsl
from tfdsl.cli import main

LABELLED = """
data pets = csv("pets.csv", target="kind") | standardize("size") | categories("kind")
placeholder X: float32[n, pets.columns]
variable w: float32[pets.columns, 2] = [[1.0, -1.0]]
kind = gather(pets.categories("kind"), argmax(X @ w, axis=1))
size = X[:, 0] * pets.std("size") + pets.mean("size")
session:
    save to "pets.ckpt"
    export kind, size with X = pets.features to "served"
"""


def test_what_the_program_reads_of_its_data_is_what_the_model_had_learned(here, capsys):
    """In the graph, too: names of classes, and the numbers that scale what is predicted."""
    Path("pets.tfg").write_text(LABELLED)
    Path("pets.csv").write_text("size,kind\n30,cat\n50,dog\n40,cat\n")
    Path("new.csv").write_text("size\n30\n50\n")
    assert main(["run", "-q", "pets.tfg"]) == 0
    Path("pets.csv").write_text("size,kind\n300,ape\n500,bee\n410,ape\n")  # other animals
    assert main(["predict", "-q", "pets.tfg", "--from", "pets.ckpt", "--data", "new.csv", "-o", "out.csv"]) == 0
    rows = written("out.csv")
    assert [row["kind"] for row in rows] == ["dog", "cat"]
    assert [float(row["size"]) for row in rows] == pytest.approx([30, 50], rel=1e-6)
    assert main(["export", "pets.tfg", "--from", "pets.ckpt", "-o", "again"]) == 0
    served = tfdsl.lowering.tf.tf.saved_model.load("again").signatures["serving_default"]
    made = served(size=np.array([30.0, 50.0], np.float32))
    assert made["kind"].numpy().tolist() == [b"dog", b"cat"]
    assert made["size"].numpy() == pytest.approx([30, 50], rel=1e-6)
    capsys.readouterr()
    # What the model has not learned is an error, which says what it has.
    Path("pets.tfg").write_text(Path("pets.tfg").read_text().replace('pets.std("size")', 'pets.min("size")'))
    assert main(["predict", "pets.tfg", "--from", "pets.ckpt", "--data", "new.csv", "-o", "2.csv"]) == 1
    assert "TFG686" in capsys.readouterr().err


def test_a_prediction_that_depends_on_the_data_of_the_program_is_told(here, capsys):
    text = LABELLED.replace("session:", "session:\n    print size with X = pets.features")
    text = text.replace("kind = gather", "largest = X[:, 0] * cast(reduce_max(pets.features), float32)\nkind = gather")
    text = text.replace("export kind, size", "export kind, size, largest")
    Path("pets.tfg").write_text(text)
    Path("pets.csv").write_text("size,kind\n30,cat\n50,dog\n40,cat\n")
    Path("new.csv").write_text("size\n30\n50\n")
    assert main(["run", "-q", "pets.tfg"]) == 0
    capsys.readouterr()
    command = ["predict", "-q", "pets.tfg", "--from", "pets.ckpt", "--data", "new.csv", "--overwrite", "-o", "out.csv"]
    assert main([*command, "--values", "kind,size"]) == 0
    assert "TFG869" not in capsys.readouterr().err
    assert main(command) == 0
    assert 'largest is computed from pets.features, the data that "pets.csv" has now' in capsys.readouterr().err
    assert main(["export", "pets.tfg", "--from", "pets.ckpt", "-o", "again"]) == 0
    assert "TFG869" in capsys.readouterr().err


UNITS = """import nn
data d = csv("d.csv", target="y") | TRANSFORMS
placeholder X: float32[n, d.columns]
placeholder y: TYPE
out = nn.dense(X, SIZE)
optimize LOSS with adam(learning_rate=0.01)
LINE
session:
    train 2 epochs on d as batch:
        feed X = batch.features, y = batch.target
    save to "d.ckpt"
"""
SCALED = {"TYPE": "float32[n, 1]", "SIZE": "1", "LOSS": "reduce_mean(square(out - y))"}
NUMBERED = {"TYPE": "int64[n, 1]", "SIZE": "3", "LOSS": "nn.sparse_softmax_cross_entropy(y, out)"}


@pytest.mark.parametrize(
    ("parts", "transforms", "line", "told"),
    [
        (SCALED, 'standardize("a", "y")', "p = out", 'p * d.std("y") + d.mean("y")'),
        (SCALED, 'minmax("y")', "p = squeeze(out, [1])", 'p * d.range("y") + d.min("y")'),
        (
            SCALED | {"LOSS": "nn.mean_squared_error(y, out)"},
            'standardize("a", "y")',
            "p = out",
            'p * d.std("y") + d.mean("y")',
        ),
        (SCALED, 'standardize("a")', "p = out", ""),
        (SCALED, 'standardize("y")', 'p = out * d.std("y") + d.mean("y")', ""),
        (NUMBERED, 'categories("y")', "p = argmax(out, axis=1)", 'gather(d.categories("y"), p)'),
        (NUMBERED, 'categories("y")', "p = cast(argmax(out, 1), float32)", 'gather(d.categories("y"), p)'),
        (NUMBERED, 'categories("y")', "p = argmax(softmax(out), axis=1)", 'gather(d.categories("y"), p)'),
        (NUMBERED, 'categories("y")', "scores, p = top_k(log_softmax(out), k=2)", 'gather(d.categories("y"), p)'),
        (NUMBERED, 'categories("y")', "p, places = top_k(out, k=2)", ""),
        (NUMBERED, 'categories("y")', 'p = gather(d.categories("y"), argmax(out, axis=1))', ""),
        (NUMBERED, 'drop("b")', "p = argmax(out, axis=1)", ""),
        (NUMBERED, 'categories("y")', "p = reduce_max(softmax(out), axis=1)", ""),
    ],
)
def test_the_units_of_a_prediction_are_told(here, capsys, parts, transforms, line, told):
    text = UNITS
    for name, part in {**parts, "TRANSFORMS": transforms, "LINE": line}.items():
        text = text.replace(name, part)
    Path("d.tfg").write_text(text)
    least = 0 if "drop" in transforms else 1
    Path("d.csv").write_text("a,b,y\n" + "".join(f"{at * 1.5},{at % 4},{at % 3 + least}\n" for at in range(12)))
    assert main(["run", "-q", "d.tfg"]) == 0
    capsys.readouterr()
    command = ["predict", "-q", "d.tfg", "--from", "d.ckpt", "--data", "d.csv", "--values", "p", "-o", "out.csv"]
    assert main(command) == 0
    shown = capsys.readouterr().err
    assert (told in shown) if told else not re.search("TFG919|TFG920", shown)
