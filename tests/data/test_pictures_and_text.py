"""Pictures, text, dates and NumPy's files, against Pillow, Python and NumPy."""

import re
import shutil
from contextlib import chdir
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import tfdsl
from tfdsl.data import DataError, schema_of
from tfdsl.data.load import load


def step(name, *columns, **arguments):
    return SimpleNamespace(name=name, arguments={**({"columns": columns} if columns else {}), **arguments})


def spec(folder, source, *transforms):
    return SimpleNamespace(name="d", source=source, transforms=transforms, folder=str(folder))


def failed(folder, source, *transforms):
    with pytest.raises(DataError) as caught:
        load(spec(folder, source, *transforms)).array("features")
    return caught.value


@pytest.fixture
def photos(tmp_path):
    """Pictures in two folders. Returns them by path."""
    random = np.random.default_rng(1)
    pictures = {}
    for name in ("cat/a.png", "cat/b.png", "dog/c.png", "dog/.hidden.png"):
        pixels = random.integers(0, 256, (5, 4, 3)).astype(np.uint8)
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        pictures[name] = pixels
    return tmp_path, pictures


def test_pictures_and_their_folders(photos):
    folder, pictures = photos
    data = load(spec(folder, step("images", path="photos/*/*.png")))
    kept = [pictures[name] for name in ("cat/a.png", "cat/b.png", "dog/c.png")]
    assert data.features.dtype == np.float32 and (data.features == kept).all()
    assert data.target.tolist() == [[0], [0], [1]] and data.target_name == "class"
    assert data.array("path").tolist() == [b"photos/cat/a.png", b"photos/cat/b.png", b"photos/dog/c.png"]


def test_folders_that_number_other_classes(photos, monkeypatch):
    """A warning, unless one has the numbers of the other."""
    folder, _ = photos
    monkeypatch.chdir(folder)
    (folder / "more").mkdir()
    for name in ("ant", "cat", "dog"):
        shutil.copytree(folder / "photos" / ("cat" if name == "ant" else name), folder / "more" / name)
    both = 'data a = images("more/*/*.png")\ndata b = images("photos/*/*.png")'
    (found,) = [one for one in tfdsl.check(both) if one.code.startswith("TFG6")]
    assert found.code == "TFG695" and found.headline == 'class 0 is "cat" in b, and "ant" in a'
    assert tfdsl.check(f"{both} | fitted(a)") == []
    assert tfdsl.check(both.replace("more", "photos")) == []
    shutil.rmtree(folder / "more" / "cat")
    shutil.rmtree(folder / "more" / "dog")
    shutil.copytree(folder / "photos" / "cat", folder / "more" / "bee")
    assert tfdsl.check(both) == []  # none of one is in the other


def test_pictures_are_scaled_as_by_pillow(photos):
    folder, pictures = photos
    data = load(spec(folder, step("images", path="photos/cat/*.png", size=(8, 6), channels=1)))
    assert data.features.shape == (2, 8, 6, 1) and data.target is None
    wanted = Image.fromarray(pictures["cat/a.png"]).convert("L").resize((6, 8), Image.Resampling.BILINEAR)
    assert (data.features[0, :, :, 0] == np.asarray(wanted)).all()


def test_a_program_trains_on_pictures(photos, monkeypatch):
    monkeypatch.chdir(photos[0])
    text = (
        'data d = images("photos/*/*.png", size=[4, 4])\nplaceholder X: float32[n, 4, 4, 3]\nplaceholder y: int64[n, 1]\n'
        "m = reduce_mean(X) + cast(reduce_sum(y), float32)\nvariable w = 0.0\noptimize square(w - m) with adam(learning_rate=0.1)\n"
        "session:\n    train 1 epoch on d in batches of 2 ordered as batch:\n        feed X = batch.features, y = batch.target\n"
        "    print d.rows, w\n"
    )
    assert tfdsl.compile(text).run().printed[0].startswith("3 0.2")


def test_pictures_that_cannot_be_read(photos):
    folder, _ = photos
    path = folder / "photos" / "cat" / "b.png"
    whole = path.read_bytes()
    source = step("images", path="photos/*/*.png")
    for content in (whole[:60], whole[:-30], b"", b"no picture"):
        path.write_bytes(content)
        error = failed(folder, source)
        assert error.message.code == "TFG626" and "b.png" in str(error)
    Image.fromarray(np.zeros((3, 3, 3), np.uint8)).save(path)
    assert failed(folder, source).message.code == "TFG654"
    assert failed(folder, step("images", path="photos/*/*.jpg")).message.code == "TFG641"
    assert failed(folder, step("images", path="../*/x.png")).message.code == "TFG820"
    assert failed(folder, step("images", path="photos/*/*.png", channels=2)).message.code == "TFG601"


def pattern_in(error):
    """What an error says to write in place of a path."""
    return re.search(r'"([^"]+)"$', error.help)[1]


def test_a_folder_in_the_place_of_its_files(photos):
    folder, _ = photos
    (folder / "empty").mkdir()
    for path in ("photos", "photos/", "./photos/", "photos/cat"):
        found = load(spec(folder, step("images", path=path))).array("path").tolist()
        pattern = "photos/cat/*.png" if "cat" in path else "photos/*/*.png"
        wanted = load(spec(folder, step("images", path=pattern))).array("path").tolist()
        assert [one.removeprefix(b"./") for one in found] == wanted and len(wanted) == (2 if "cat" in path else 3)
    for path in ("photos/*", "photos/*/"):
        error = failed(folder, step("images", path=path))
        assert error.message.code == "TFG641" and error.param == "path"
        assert load(spec(folder, step("images", path=pattern_in(error)))).rows == 3, error.help
    Image.new("RGB", (4, 5)).save(folder / "photos" / "stray.jpg")
    error = failed(folder, step("images", path="photos"))
    assert error.message.code == "TFG676" and pattern_in(error) == "photos/*/*.png"  # there are more of these
    (folder / "photos" / "stray.jpg").rename(folder / "photos" / "cat" / "stray.jpg")
    assert load(spec(folder, step("images", path="photos"))).rows == 4
    (folder / "photos" / "cat" / "stray.jpg").unlink()
    (folder / "photos" / "notes.txt").write_text("a\n")
    assert pattern_in(failed(folder, step("text", path="photos"))) == "photos/*.txt"
    assert "no files whose names end in .csv or .tsv" in failed(folder, step("csv", path="photos")).help
    assert "no files whose names end in .png" in failed(folder, step("images", path="empty")).help
    for source in ("npy", "npz"):
        assert "name one of the files in it" in failed(folder, step(source, path="empty")).help
    (folder / "a[1]").mkdir()
    (folder / "photos" / "cat" / "a.png").rename(folder / "a[1]" / "a.PNG")
    assert load(spec(folder, step("images", path="a[1]"))).rows == 1


def test_text_and_tokens(tmp_path):
    lines = ["The cat sat.", "the dog, the cat", "", "A bird flew over the house today"]
    (tmp_path / "x.txt").write_text("\n".join(lines) + "\n")
    data = load(spec(tmp_path, step("text", path="x.txt")))
    assert data.array("text").tolist() == [line.encode() for line in lines]
    made = load(spec(tmp_path, step("text", path="x.txt"), step("tokens", size=4, vocabulary=3)))
    assert made.features.shape == (4, 4) and made.array("text").dtype == np.int64
    # The most frequent words: the (4 times), cat (2), and of those with 1 the first by its text, the comma.
    assert made.array("text").tolist() == [[2, 3, 1, 1], [2, 1, 4, 2], [0, 0, 0, 0], [1, 1, 1, 1]]
    schema = schema_of(spec(tmp_path, step("text", path="x.txt"), step("tokens", size=4, vocabulary=3)))
    assert schema.column("text").ends == (0, 4)


def test_tokens_learn_from_the_training_rows(tmp_path):
    (tmp_path / "x.txt").write_text("a b\nb c\nz z\n")
    split = step("split", test=0.3, ordered=True)
    data = load(spec(tmp_path, step("text", path="x.txt"), step("tokens", size=2), split))
    assert data.train.array("text").tolist() == [[3, 2], [2, 4]] and data.test.array("text").tolist() == [[1, 1]]


def test_dates(tmp_path):
    dates = ["2024-02-29", "1999-12-31", "2025-01-05"]
    (tmp_path / "x.csv").write_text("day,y\n" + "".join(f"{date},1\n" for date in dates))
    source = step("csv", path="x.csv", target="y")
    parts = ("year", "month", "day", "weekday", "dayofyear", "hour")
    data = load(spec(tmp_path, source, step("date_parts", "day", parts=parts)))
    known = [datetime.fromisoformat(date) for date in dates]
    wanted = [[d.year, d.month, d.day, d.weekday(), d.timetuple().tm_yday, 0] for d in known]
    assert data.features.tolist() == wanted and data.array("day_month").dtype == np.int64
    condition = ("compare", ">", ("name", "day_year", ()), ("value", 2000))
    divided = load(spec(tmp_path, source, step("date_parts", "day"), step("split", test=0.3, ordered=True)))
    assert divided.test.array("day_year").tolist() == [2025]
    chosen = load(spec(tmp_path, source, step("date_parts", "day"), step("where", condition=condition)))
    assert chosen.array("day_year").tolist() == [2024, 2025]


def test_dates_in_other_forms(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n2024-03,31.12.2020\n1950-11,\n")
    made = load(spec(tmp_path, step("csv", path="x.csv"), step("date_parts", "a", parts=("year", "month"))))
    assert made.array("a_month").tolist() == [3, 11]
    filled = [step("date_parts", "b", format="%d.%m.%Y", parts=("day",)), step("fill", "b_day", **{"with": 1})]
    assert load(spec(tmp_path, step("csv", path="x.csv"), *filled)).array("b_day").tolist() == [31, 1]
    error = failed(tmp_path, step("csv", path="x.csv"), step("date_parts", "b"))
    assert error.message.code == "TFG656" and (error.place.line, error.place.column) == (2, 9)


def test_arrays_of_any_rank_and_text(tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "pictures": random.integers(0, 9, (6, 2, 3)).astype(np.uint8), "names": np.array(["a", "b", "a", "c", "é", "a"]),
        "price": random.normal(size=6), "flag": np.arange(6) > 2,
    }  # fmt: skip
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", **arrays)
        data = load(spec(tmp_path, step("npz", path="x.npz", target="price")))
        assert (data.array("pictures") == arrays["pictures"]).all() and data.array("flag").dtype == bool
        assert data.array("names").tolist() == [name.encode() for name in arrays["names"]]
        np.testing.assert_array_equal(data.target[:, 0], arrays["price"].astype(np.float32))
    np.savez(tmp_path / "x.npz", X=random.normal(size=(6, 2)), y=np.arange(6), key=np.arange(6))
    data = load(spec(tmp_path, step("npz", path="x.npz")))
    assert data.names == ("x0", "x1") and data.target_name == "y" and data.array("key").tolist() == list(range(6))
    np.savez(tmp_path / "x.npz", x_train=np.ones(3), y_train=np.ones(3), x_test=np.ones(4))
    error = failed(tmp_path, step("npz", path="x.npz"))
    assert error.message.code == "TFG868"
    with chdir(tmp_path):
        _, *calls = error.help.partition("in Python: ")[2].split("; ")
        a = np.load("x.npz")
        for call in calls:  # as the help line says
            exec(call, {"numpy": np, "a": a})
    assert load(spec(tmp_path, step("npz", path="x_train.npz", target="y_train"))).array("x_train").tolist() == [1] * 3
    assert load(spec(tmp_path, step("npz", path="x_test.npz"))).array("x_test").tolist() == [1] * 4


def test_npy(tmp_path):
    matrix, deep = np.arange(6.0).reshape(3, 2), np.arange(24.0).reshape(3, 2, 4)
    np.save(tmp_path / "a.npy", matrix)
    np.save(tmp_path / "b.npy", deep)
    assert (load(spec(tmp_path, step("npy", path="a.npy"))).features == matrix).all()
    data = load(spec(tmp_path, step("npy", path="b.npy"), step("shuffle", seed=1)))
    assert (data.features == deep[np.random.RandomState(1).permutation(3)]).all()
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-1])
    assert failed(tmp_path, step("npy", path="a.npy")).message.code == "TFG618"
