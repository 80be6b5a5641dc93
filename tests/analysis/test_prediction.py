"""What `tfdsl predict` feeds, found from the feeds of a program."""

import pytest

from tfdsl.analysis.prediction import prediction
from tfdsl.diagnostics import TfgError
from tfdsl.diagnostics.render import render_text
from tfdsl.driver import compile_source
from tfdsl.source import Source

PROGRAM = """\
data m = csv("m.csv", target="t"){drop}
placeholder X: float32[n{columns}]
variable w = 1.0
p = X * w

session:
    train 2 epochs on m in batches of 2 as batch:
        feed X = {first}
        run assign_w
    print p with X = {second}

assign_w = assign(w, 2.0)
"""


def compiled(folder, first, second, columns="", drop="", more=""):
    (folder / "m.csv").write_text("a,b,t\n1,2,3\n4,5,6\n")
    text = PROGRAM.format(first=first, second=second, columns=columns, drop=drop)
    return compile_source(Source(str(folder / "m.tfg"), text + more))


@pytest.mark.parametrize("first, second", [("batch.a", "m.a"), ("batch.features", "m.features")])
def test_equal_feeds_are_one(tmp_path, first, second):
    columns = ", 1" if "features" in first else ""
    found = compiled(tmp_path, first, second, columns, ' | drop("b")')
    (field,) = prediction(found.program, ["p"], found.pipeline, []).fed.values()
    assert field.data == "m"


def test_a_column_that_is_all_of_the_features_is_fed_like_them(tmp_path):
    import numpy as np

    np.savez(tmp_path / "m.npz", x=np.zeros((4, 2), "float32"), target=np.arange(4))
    text = PROGRAM.replace('csv("m.csv", target="t")', 'npz("m.npz", target="target")')
    text = text.format(first="batch.x", second="m.features", columns=", 2", drop="")
    found = compile_source(Source(str(tmp_path / "m.tfg"), text))
    assert len(prediction(found.program, ["p"], found.pipeline, []).fed) == 1


def test_the_help_for_two_columns_of_one_data_set_works(tmp_path):
    """No --data chooses between them, but an export does."""
    found = compiled(tmp_path, "batch.a", "m.b")
    for given in ([], ["m"]):
        with pytest.raises(TfgError) as refused:
            prediction(found.program, ["p"], found.pipeline, given)
        text = "".join(map(render_text, refused.value.diagnostics))
        assert "m.a or m.b" in text and "export p with X = m.a to PATH; and leave --values out" in text
    found = compiled(tmp_path, "batch.a", "m.b", more='\nsession two:\n    export p with X = m.a to "served"\n')
    assert [field.field for field in prediction(found.program, None, found.pipeline, []).fed.values()] == ["a"]
