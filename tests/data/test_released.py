"""Rows that have become arrays are let go of: the arrays have all that was in them, or the file is read again."""

from pathlib import Path

import numpy as np
import pytest

import tfdsl
from tfdsl.cli import main
from tfdsl.data.load import loaded
from tfdsl.data.schema import DataError

ROWS = "a,b,y\n1.5,2.25,0.125\n3.5,-4,7.5\n0.1,0.2,0.3\n1e3,5.5,6\n"


@pytest.fixture
def pipeline(here):
    Path("d.csv").write_text(ROWS)
    return lambda transforms="": tfdsl.compile(f'data d = csv("d.csv", target="y"){transforms}\n').pipeline("d")


@pytest.mark.parametrize(
    "transforms",
    ["", " | standardize", " | split(test=0.5, seed=1)", " | add_bias | split(test=0.25) | minmax"],
)
def test_every_field_stays(pipeline, transforms):
    kept, released = loaded(pipeline(transforms)), loaded(pipeline(transforms))
    assert released.release()
    fields = ["features", "target", *(column.name for column in kept.schema.table)]
    for part, same in zip((kept, *kept.parts), (released, *released.parts), strict=True):
        for field in fields:
            one, other = part.array(field), same.array(field)
            assert one.dtype == other.dtype and one.tobytes() == other.tobytes() and one.shape == other.shape, field
    assert (released.origin, released.synthetic, released.rows) == (kept.origin, kept.synthetic, kept.rows)
    for name, _ in kept.schema.parts:
        assert released.numbers(name).tolist() == kept.numbers(name).tolist()


@pytest.mark.parametrize("rows", ["a,b,y\n1,2.5,1.5\n3,4.5,2.5\n", "a,b,y\n1.5,x,1.5\n3.5,y,2.5\n"])
def test_rows_that_the_arrays_do_not_have_are_kept(pipeline, rows):
    """Whole numbers are float32 in features, and text is in none."""
    Path("d.csv").write_text(rows)
    dataset = loaded(pipeline(' | aside("b")' if "x" in rows else ""))
    assert not dataset.release()
    assert dataset.array("b").tolist() == [b"x", b"y"] if "x" in rows else dataset.array("a").dtype == np.int64


def test_rows_are_read_again(pipeline):
    one = pipeline(" | standardize")
    features = loaded(one).features
    one.release()
    assert loaded(one).features.tobytes() == features.tobytes()
    one.release()
    Path("d.csv").write_text(ROWS + "1,2,3\n")
    with pytest.raises(DataError, match="changed since it was read"):
        loaded(one)


TRAINING = """
data d = csv("d.csv", target="y")
placeholder X: float32[n, 2]
variable w = 1.0
more = assign_add(w, reduce_sum(X))
session:
    print "first"
    train 1 epoch on d in batches of 2 ordered as batch:
        feed X = batch.features
        run more
    print w, d.a
"""


def test_a_run_of_the_command_line_prints_the_same(here, capsys):
    Path("d.csv").write_text(ROWS)
    Path("p.tfg").write_text(TRAINING)
    assert main(["run", "-q", "p.tfg"]) == 0
    assert capsys.readouterr().out.splitlines() == tfdsl.compile("p.tfg").run().printed


def test_errors_of_data_come_where_it_is_used(here, capsys):
    Path("d.csv").write_text(ROWS.replace("3.5,", "3e39,"))
    Path("p.tfg").write_text(
        TRAINING.replace("\nplaceholder", " | where(y < 100)\nplaceholder", 1)
    )  # the check knows no ends
    assert main(["run", "-q", "p.tfg"]) == 1
    out, err = capsys.readouterr()
    assert out == "first\n" and "TFG6" in err and "p.tfg:2:" in err
