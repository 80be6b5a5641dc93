"""What once was silently another value: names that come twice, digits, classes, pictures, orders."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

import tfdsl
from tfdsl.cli import main
from tfdsl.diagnostics import TfgError


def codes(call):
    with pytest.raises(TfgError) as caught:
        call()
    return {one.code for one in caught.value.diagnostics}


def printed(text, **given):
    program = tfdsl.compile(text, **given)
    return program.run().printed, [one.code for one in program.diagnostics]


def test_two_columns_of_one_name(here):
    np.savez("d.npz", features=[[0, 1], [2, 3]], target=[1, 2], x1=[10, 20])
    assert codes(lambda: tfdsl.compile('data d = npz("d.npz")\nsession: print d.features\n')) == {"TFG610"}
    given = {"d": {"X": np.ones((2, 2)), "x0": [1.0, 2.0]}}
    assert codes(lambda: tfdsl.compile("data d = moons(9)\nsession: print d.features\n", data=given)) == {"TFG610"}


def test_targets_are_in_the_order_of_their_names(here):
    (here / "d.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    text = 'data d = csv("d.csv", target=["c", "a"])\ndata e = csv("d.csv", target=["c", "a"]) | fitted(d)\n'
    assert printed(text + "session: print d.target, e.target\n")[0] == ["[[3 1]\n [6 4]] [[3 1]\n [6 4]]"]


def test_uint64_that_int64_cannot_hold(here):
    large = np.array([[1, 2], [3, 2**63 + 5]], np.uint64)
    np.savez("d.npz", v=large)
    table = pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(large.reshape(-1)), 2)})
    parquet.write_table(table, "d.parquet")
    for source, code in (('npz("d.npz")', "TFG624"), ('parquet("d.parquet")', "TFG627")):
        assert codes(lambda source=source: tfdsl.compile(f"data d = {source}\nsession: print d.v\n").run()), code


def test_conditions_compute_whole_numbers_exactly(here):
    (here / "d.csv").write_text("id,v\n1234567890123456782,1\n1234567890123456783,2\n9007199254740993,3\n")
    for condition, rows in (
        ("id % 10 != 2", [2, 3]), ("id - 1 == 9007199254740992", [3]), ("id // 10 == 123456789012345678", [1, 2]),
        ("id * 100 > 0", [1, 2, 3]), ("-id < 0", [1, 2, 3]),
    ):  # fmt: skip
        found, _ = printed(f'data d = csv("d.csv") | where({condition})\nsession: print d.v\n')
        assert json.loads(found[0].replace(" ", ",")) == rows, condition


def test_digits_that_missing_cells_cost(here):
    (here / "d.csv").write_text("id,v\n9007199254740993,1\n,2\n9007199254740992,3\n")
    parquet.write_table(pa.table({"id": [9007199254740993, None, 5], "v": [1, 2, 3]}), "d.parquet")
    for source in ('csv("d.csv")', 'parquet("d.parquet")'):
        assert "TFG677" in printed(f'data d = {source} | aside("id")\nsession: print d.v\n')[1]
    exact = 'data d = csv("d.csv", columns={"id": string}) | where(id == "9007199254740993")\nsession: print d.v\n'
    assert printed(exact)[0] == ["[1]"]


def test_folds_in_order(here):
    (here / "d.csv").write_text("v\n" + "\n".join(map(str, range(10))) + "\n")
    parts = "print d.train.v, d.validation.v, d.test.v"
    for fold, wanted in ((4, "[0 1 2 3 4 5] [6 7] [8 9]"), (2, "[0 1 6 7 8 9] [2 3] [4 5]"),
                         (0, "[2 3 4 5 6 7] [8 9] [0 1]")):  # fmt: skip
        split = f"split(folds=5, fold={fold}, ordered=true, validation=0.2)"
        assert printed(f'data d = csv("d.csv") | {split}\nsession: {parts}\n')[0] == [wanted]


def picture(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def test_classes_keep_their_numbers(here):
    for folder, names in (("old", "abc"), ("new", "bcz")):
        for name in names:
            picture(here / folder / name / "1.png", np.zeros((2, 2, 3), np.uint8))
    text = 'data d = images("old/*/*.png")\ndata e = images("new/*/*.png") | fitted(d)\nvariable w = 1.0\n'
    found, warned = printed(
        text + 'session:\n    print e.target[:, 0], d.categories("class")\n    save to "m"\n    print w\n'
    )
    assert found[0] == "[ 1  2 -1] ['a', 'b', 'c']" and "TFG660" in warned
    assert printed('data e = images("new/*/*.png") | fitted("m", "d")\nsession: print e.target[:, 0]\n')[0] == [
        "[ 1  2 -1]"
    ]
    alone = 'data d = images("{}/*/*.png")\nvariable w = 1.0\nsession:\n    {}\n    print w, d.target[:, 0]\n'
    printed(alone.format("old", 'save to "alone"'))
    assert json.loads((here / "alone.data.json").read_text())["data"]["d"]["columns"][2]["classes"] == ["a", "b", "c"]
    given = tfdsl.compile(alone.format("new", 'restore from "alone"')).run()
    assert given.printed == ["1.0 [0 1 2]"]


def test_pictures_of_other_numbers(here):
    array = (np.arange(16).reshape(4, 4) * 4096).astype(np.uint16)
    picture(here / "a.png", array)
    text = 'data d = images("a.png", channels=1)\nsession: print d.features[0, :, :, 0]\n'
    assert printed(text)[0] == [str((array >> 8).astype(np.float32))]
    picture(here / "a.tiff", np.ones((4, 4), np.float32))
    (here / "a.tiff").rename(here / "a.png")
    assert codes(lambda: tfdsl.compile(text).run()) == {"TFG626"}


def test_pictures_stand_as_the_camera_says(here):
    array = np.arange(24).reshape(4, 6).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(here / "a.png", array, exif=exif)
    text = 'data d = images("a.png", channels=1)\nsession: print d.features[0, :, :, 0]\n'
    assert printed(text)[0] == [str(np.rot90(array, -1).astype(np.float32))]


MODEL = """
data d = {source} | {stages}
placeholder X: float32[n, d.columns]
p = X * 2.0
session: export p with X = d.features to "served"
"""


@pytest.mark.parametrize("stages", ['one_hot("c")', 'categories("c")', 'fill("c", with="x") | one_hot("c")'])
def test_categories_that_a_model_cannot_tell_apart(here, stages):
    (here / "d.csv").write_text("c\n16777216\n16777217\n9007199254740993\n")
    if "fill" not in stages:
        assert codes(lambda: tfdsl.compile(MODEL.format(source='csv("d.csv")', stages=stages))) == {"TFG584"}
    parquet.write_table(pa.table({"c": ["", "a", "b"]}), "d.parquet")
    assert codes(lambda: tfdsl.compile(MODEL.format(source='parquet("d.parquet")', stages=stages))) == {"TFG584"}
    parquet.write_table(pa.table({"c": ["u", "a", "b"]}), "d.parquet")
    assert tfdsl.compile(MODEL.format(source='parquet("d.parquet")', stages=stages)).run()


def test_keys_are_read_as_in_training(here):
    (here / "old.csv").write_text("id,big,a\nx,1,1\ny,9007199254740993,2\n")
    (here / "new.csv").write_text("id,big,a\n12E4,9007199254740993,1\n1.50,,2\n+5,12345678901234567890,3\n")
    (here / "t.tfg").write_text(
        'data d = csv("old.csv") | aside("id", "big") | standardize\nplaceholder X: float32[n, 1]\nvariable w = 1.0\n'
        'p = X * w\nsession:\n    save to "m"\n    export p with X = d.features to "served"\n'
    )
    tfdsl.compile("t.tfg").run()
    assert main(["predict", "t.tfg", "--from", "m", "--data", "new.csv", "-o", "out.csv"]) == 0
    rows = [line.replace('"', "").split(",")[:2] for line in (here / "out.csv").read_text().splitlines()[1:]]
    assert rows == [["12E4", "9007199254740993"], ["1.50", ""], ["+5", "12345678901234567890"]]
    text = 'data d = csv("old.csv") | aside("id", "big")\ndata e = csv("new.csv") | fitted(d)\nsession: print e.a\n'
    assert "TFG678" in printed(text)[1]


@pytest.mark.parametrize("cell", ["2024W12", "20241231", "2024-W12-1", "2024-12-31T10", "٢٠٢٤-12-31"])
def test_dates_of_other_forms_are_refused(here, cell):
    (here / "d.csv").write_text(f"day,v\n2024-12-31,1\n{cell},2\n")
    text = 'data d = csv("d.csv", columns={"day": string}) | date_parts("day")\nsession: print d.features\n'
    assert codes(lambda: tfdsl.compile(text)) == {"TFG656"}


def test_names_of_time_zones_are_refused(here):
    (here / "d.csv").write_text("day,v\n2024-12-31 UTC,1\n")
    text = 'data d = csv("d.csv") | date_parts("day", format="{}")\nsession: print d.features\n'
    assert codes(lambda: tfdsl.compile(text.format("%Y-%m-%d %Z"))) == {"TFG601"}
    assert tfdsl.compile(text.format("%Y-%m-%d UTC"))


def test_lists_of_mixed_kinds_are_refused():
    given = {"d": {"a": [1, "x"], "b": [1.0, 2.0]}}
    assert codes(lambda: tfdsl.compile("data d = moons(9)\nsession: print d.b\n", data=given)) == {"TFG624"}


@pytest.mark.parametrize("stage", ["where(id == 9007199254740993)", 'split(test=0.5, by="id")'])
@pytest.mark.parametrize("stream", ["false", "true"])
def test_whole_numbers_beside_missing_cells_are_not_compared_in_silence(here, stage, stream):
    (here / "d.csv").write_text("id,v\n9007199254740993,1\n,2\n9007199254740992,3\n5,4\n")
    found = tfdsl.check(f'data d = csv("d.csv", stream={stream}) | {stage} | aside("id")')
    assert "TFG677" in [one.code for one in found]
