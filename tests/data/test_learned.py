"""What data sets have learned: read in programs, saved beside models, and taken from there."""

import csv
import hashlib
import json
import math
import os
import pickle
import re
import shutil
from contextlib import chdir

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

import tfdsl
from tfdsl.access import Access
from tfdsl.data import DataError, saved
from tfdsl.data.sources.base import Where
from tfdsl.diagnostics import TfgError

TRAIN = "id,age,city,note,price\n1,30,Rome,good food,5\n2,,Oslo,cold food,6\n3,50,Rome,no,7\n4,41,Paris,good,8\n"
DATA = """
data old = csv("old.csv", target="price")
    | aside("id") | split(test=0.25, seed=1)
    | fill("age", with="mean") | one_hot("city") | tokens("note", size=3) | standardize("age")
"""
MODEL = """
placeholder X: float32[n, old.columns]
variable w: float32[old.columns, 1] = ones
p = X @ w
"""
SAVE = f'{DATA}{MODEL}\nsession:\n    print p with X = old.features\n    save to "m.ckpt"\n'


@pytest.fixture
def files(here):
    (here / "old.csv").write_text(TRAIN)
    return here


@pytest.fixture(scope="module")
def _model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    with chdir(folder):
        (folder / "old.csv").write_text(TRAIN)
        return folder, tfdsl.compile(SAVE).run().printed[0]


@pytest.fixture
def model(_model, files):
    """A saved model, and what it predicts."""
    folder, printed = _model
    for path in folder.glob("m.ckpt*"):
        shutil.copy(path, files)
    return printed


def codes(text, **options):
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(text, **options).run()
    return [one.code for one in caught.value.diagnostics if one.severity == "error"]


# --- read in programs ---------------------------------------------------------------------------


def test_what_is_learned_is_known_while_compiling(files):
    text = DATA + (
        'mean = constant(old.mean("age"))\nvocabulary = len(old.vocabulary("note"))\n'
        "variable v: float32[vocabulary + 2, 4] = zeros\n"
        'session: print old.mean("age"), old.std("age"), old.categories("city"), old.vocabulary("note"), v, mean\n'
    )
    program = tfdsl.compile(text)
    rows = list(csv.DictReader(TRAIN.splitlines()))
    train = [rows[at] for at in program.dataset("old").numbers("train")]
    ages = np.array([float(row["age"] or "nan") for row in train])
    scaler = StandardScaler().fit(np.where(np.isnan(ages), np.nanmean(ages), ages)[:, None])
    learned = program.learned()["old"]
    assert learned.readable("mean")["age"] == scaler.mean_[0] and learned.readable("std")["age"] == scaler.scale_[0]
    assert learned.readable("categories") == {"city": sorted({row["city"] for row in train})}
    (line,) = program.run().printed
    assert line.startswith(f"{scaler.mean_[0]} {scaler.scale_[0]} {sorted({row['city'] for row in train})}")
    assert program["vocabulary"] == len({word for row in train for word in row["note"].split()})
    assert program.graph.get_tensor_by_name("mean:0").dtype.name == "float32"


@pytest.mark.parametrize(
    ("stages", "expression", "value"),
    [
        ('fill("age", with="median")', 'd.median("age")', 41.0),
        ('fill("city", with="most_frequent") | drop("note")', 'd.most_frequent("city")', "Rome"),
        ('drop("note") | fill("age", with="mean") | minmax("age")', 'd.min("age") + d.range("age")', 50.0),
        ('categories("city")', 'd.categories("city")[1]', "Paris"),
        ('one_hot("id")', 'd.categories("id")', [1, 2, 3, 4]),
        ('standardize("price")', 'd.std("price")', math.sqrt(1.25)),
    ],
)
def test_words(files, stages, expression, value):
    program = tfdsl.compile(f'data d = csv("old.csv") | {stages}\nx = {expression}\nsession: print x\n')
    assert program["x"] == value


def test_a_column_with_the_name_of_a_word_is_a_column_and_the_call_still_works(here):
    (here / "x.csv").write_text("min,std\n1,2\n3,6\n")
    text = 'data d = csv("x.csv") | minmax("std")\nsession: print d.min, d.min("std"), d.std\n'
    assert tfdsl.compile(text).run().printed == ["[1 3] 2.0 [0. 1.]"]


# --- saved, and taken from a file ---------------------------------------------------------------


def test_a_file_is_beside_the_model_and_plain(model, files):
    made = json.loads((files / "m.ckpt.data.json").read_text())
    assert made["version"] == 1 and list(made["data"]) == ["old"]
    assert [step["name"] for step in made["data"]["old"]["steps"]] == [
        "aside", "fill", "one_hot", "tokens", "standardize",
    ]  # fmt: skip
    with open("m.ckpt.data.json", "rb") as file:
        assert saved.encoded(saved.decoded(file, "x")) == (files / "m.ckpt.data.json").read_bytes()


FROM = """
data new = csv("new.csv") | fitted("m.ckpt", "old")
placeholder X: float32[n, new.columns]
variable w: float32[new.columns, 1] = zeros
p = X @ w
session:
    restore from "m.ckpt"
    print p with X = new.features
    save to "again.ckpt"
"""


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (TRAIN, [0, 1, 2, 3]),
        ("id,age,city,note,price\n4,41,Paris,good,8\n", [3]),
        ("price,note,city,age,id\n8,good,Paris,41,4\n5,good food,Rome,30,1\n", [3, 0]),
        ("note,city,age\ncold food,Oslo,\nno,Rome,50\n", [1, 2]),
    ],
)
def test_rows_are_transformed_as_the_file_says(model, files, text, rows):
    (files / "new.csv").write_text(text)
    (files / "old.csv").unlink()
    whole = [line.strip(" []") for line in model.splitlines()]
    program = tfdsl.compile(FROM)
    assert [line.strip(" []") for line in program.run().printed[0].splitlines()] == [whole[row] for row in rows]
    again = [(files / f"{name}.ckpt.data.json").read_bytes() for name in ("m", "again")]
    assert again[0] == again[1], "what the file says is passed on"
    assert (pickle.loads(pickle.dumps(program)).dataset("new").features == program.dataset("new").features).all()


def test_the_name_may_be_left_out_for_one(model, files):
    (files / "new.csv").write_text(TRAIN)
    for name in ("old", "new"):
        text = f'data {name} = csv("new.csv") | fitted("m.ckpt")\nn = {name}.mean("age")\nsession: print n\n'
        assert tfdsl.compile(text)["n"] == tfdsl.compile(SAVE).learned()["old"].readable("mean")["age"]


def test_a_data_set_that_is_fitted_and_more(files):
    """What stands before `fitted` is kept in the file too."""
    (files / "new.csv").write_text("age,city,note,x\n30,Rome,no,1\n50,Oslo,no,1\n")
    first = tfdsl.compile(
        f'{DATA}data new = csv("new.csv") | drop("x") | fitted(old)\n{MODEL}session: save to "n.ckpt"\n'
    )
    first.run()
    assert list(json.loads((files / "n.ckpt.data.json").read_text())["data"]) == ["old", "new"]
    text = 'data more = csv("new.csv") | fitted("n.ckpt", "new")\nx = more.mean("age")\nsession: print x\n'
    program = tfdsl.compile(text)
    assert (program.dataset("more").features == first.dataset("new").features).all()
    assert program["x"] == first.learned()["new"].readable("mean")["age"]


def test_streamed_rows_learn_the_same_file(model, files):
    before = (files / "m.ckpt.data.json").read_bytes()
    program = tfdsl.compile(
        SAVE.replace('target="price"', 'target="price", stream=true').replace("print p", "# print p")
    )
    program.run()
    assert (files / "m.ckpt.data.json").read_bytes() == before


def test_the_next_save_replaces_or_removes_the_file(model, files):
    before = (files / "m.ckpt.data.json").read_bytes()
    tfdsl.compile(SAVE.replace('with="mean"', 'with="median"')).run()
    assert (files / "m.ckpt.data.json").read_bytes() != before
    tfdsl.compile('variable w = 1.0\nsession: save to "m.ckpt"\n').run()
    assert not (files / "m.ckpt.data.json").exists() and (files / "m.ckpt.index").exists()
    assert tfdsl.compile('variable w = 1.0\nsession:\n    restore from "m.ckpt"\n    print w\n').run().printed == [
        "1.0"
    ]


def test_an_interrupted_save_gives_its_own_file(model, files):
    """A save that is complete, but not moved yet, counts as a whole: variables and data."""
    folder = files / ".m.ckpt.whole-0123456789abcdef"
    tfdsl.compile(SAVE.replace('with="mean"', 'with="median"').replace('"m.ckpt"', '"later/m.ckpt"')).run()
    (files / "later").rename(folder)
    (files / "new.csv").write_text(TRAIN)
    text = 'data d = csv("new.csv") | fitted("m.ckpt", "old")\nx = d.median("age")\nsession: print x\n'
    assert tfdsl.compile(text)["x"] > 0 and folder.exists(), "a check moves nothing"
    assert tfdsl.compile(FROM).run().printed and not folder.exists()
    assert tfdsl.compile(text)["x"] > 0


def test_a_restored_model_that_has_learned_otherwise_is_a_warning(model, files):
    notes = []
    options = tfdsl.Options(write=lambda line: None, note=notes.append)
    restore = SAVE.replace('    save to "m.ckpt"\n', "").replace("session:", 'session:\n    restore from "m.ckpt"')
    tfdsl.compile(restore).run(options=options)
    assert not notes
    (files / "old.csv").write_text(TRAIN.replace("50", "56").replace("Paris", "Bonn"))
    tfdsl.compile(restore).run(options=options)
    (note,) = notes
    assert (
        "TFG688" in note
        and 'mean of "age" is' in note
        and re.search(r"and \d+ others? differs? *", note)
        and "m.ckpt.data.json" in note
    )
    notes.clear()
    tfdsl.compile(re.sub(r"\bold\b(?!\.csv)", "other", restore)).run(options=options)
    (note,) = notes
    assert "other values than other of this program" in note and 'fitted("m.ckpt", "old")' in note
    os.remove("m.ckpt.data.json")
    os.remove("m.ckpt.manifest")
    notes.clear()
    tfdsl.compile(restore).run(options=options)
    assert not notes, "an old checkpoint has no such file"


def test_a_file_of_another_program_is_not_taken_for_ours(model, files):
    """Variables that TensorFlow itself saved in place of ours have learned nothing."""
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        w = tf.compat.v1.get_variable("w", initializer=tf.fill([6, 1], 2.0))
        session.run(w.initializer)
        tf.compat.v1.train.Saver().save(session, str(files / "m.ckpt"), write_meta_graph=False, write_state=False)
    (files / "old.csv").write_text(TRAIN.replace("50", "56"))
    notes = []
    text = DATA + 'variable w: float32[6, 1] = ones\nsession:\n    restore from "m.ckpt"\n    print w[0, 0]\n'
    result = tfdsl.compile(text).run(options=tfdsl.Options(write=lambda line: None, note=notes.append))
    assert result.printed == ["2.0"] and not notes


TRAINING = (
    DATA
    + MODEL.replace("ones", "zeros")
    + """
placeholder y: float32[n, 1]
optimize reduce_mean(square(p - y)) with adam(learning_rate=0.1)
session:
    train 6 steps on old.train as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 1 step in "kept"
        expect {} > 0
    print w
"""
)


def test_checkpoints_have_the_file_and_resume_exactly(files):
    whole = tfdsl.compile(TRAINING.format("1")).run().printed
    count = iter(range(100))
    options = tfdsl.Options(write=lambda line: None, interrupted=lambda: next(count) == 4)
    assert tfdsl.compile(TRAINING.format("1")).run(options=options).interrupted
    kept = sorted((files / "kept").glob("0*/variables.data.json"))
    assert len(kept) == len(sorted((files / "kept").glob("0*"))) > 0
    with kept[-1].open("rb") as file:
        assert "old" in saved.decoded(file, "x")
    assert tfdsl.compile(TRAINING.format("1")).run().printed == whole
    assert not (files / "kept").exists()


def test_a_damaged_file_makes_a_checkpoint_unusable(files):
    count = iter(range(100))
    options = tfdsl.Options(write=lambda line: None, interrupted=lambda: next(count) == 4)
    tfdsl.compile(TRAINING.format("1")).run(options=options)
    for path in (files / "kept").glob("0*/variables.data.json"):
        path.write_text(path.read_text().replace("Rome", "Roma"))
    assert codes(TRAINING.format("1")) == ["TFG707"] or "TFG7" in codes(TRAINING.format("1"))[0]


# --- files that are wrong -----------------------------------------------------------------------


def changed(path, change):
    """A file with other data and the checksum that fits."""
    made = json.loads(path.read_text())
    change(made["data"]["old"])
    text = json.dumps(made["data"], sort_keys=True, separators=(",", ":"))
    path.write_text(json.dumps({**made, "checksum": hashlib.sha256(text.encode()).hexdigest()}))


def step(name):
    return ["aside", "fill", "one_hot", "tokens", "standardize"].index(name)


def at(name, *keys):
    """A change of what a step has learned."""

    def change(to):
        def apply(data):
            where = data["steps"][step(name)]
            for key in keys[:-1]:
                where = where[key]
            where[keys[-1]] = to

        return apply

    return change


LEARNED = {
    "a mean that is text": at("standardize", "learned", "shift")(["much"]),
    "two means": at("standardize", "learned", "shift")([1.0, 2.0]),
    "a huge mean": at("standardize", "learned", "shift")([10**400]),
    "a deviation of 0": at("standardize", "learned", "scale")([0.0]),
    "a flag that is a number": at("standardize", "learned", "constant")([0]),
    "another column": at("standardize", "learned", "columns")(["id"]),
    "an unknown column": at("standardize", "arguments", "columns")(["agee"]),
    "no number": at("fill", "learned", "values")({"age": None}),
    "no column": at("fill", "learned", "values")({}),
    "one column more": at("fill", "learned", "values")({"age": 1.0, "city": 2.0}),
    "another argument": at("fill", "arguments")({"columns": ["age"]}),
    "a wrong argument": at("fill", "arguments", "with")([[["mean"]]]),
    "categories twice": at("one_hot", "learned", "categories", "city")(["Oslo", "Oslo"]),
    "categories that are numbers": at("one_hot", "learned", "categories", "city")([1, 2]),
    "no categories": at("one_hot", "learned", "categories", "city")([]),
    "words twice": at("tokens", "learned", "words", "note")(["no", "no"]),
    "a negative count": at("tokens", "learned", "cut", "note")(-1),
    "columns that are a text": at("standardize", "arguments", "columns")("x"),
    "columns that are a flag": at("one_hot", "arguments", "columns")(True),
    "columns that are a number": at("fill", "arguments", "columns")(-1),
    "columns that are a fraction": at("tokens", "arguments", "columns")(1.5),
    "columns that are nothing": at("aside", "arguments", "columns")(None),
    "columns that name none": at("aside", "arguments", "columns")([]),
    "a column that is half a character": at("standardize", "arguments", "columns")(["\ud800"]),
    "a category that is half a character": at("one_hot", "learned", "categories", "city")(["\ud800"]),
    "a name that is half a character": at("one_hot", "learned", "categories")({"\ud800": ["a"]}),
    "no vocabulary": at("tokens", "arguments", "vocabulary")(None),
    "a vocabulary that is a text": at("tokens", "arguments", "vocabulary")("x"),
    "a vocabulary that is a list": at("tokens", "arguments", "vocabulary")([]),
    "a flag that is a text": at("tokens", "arguments", "lower")("no"),
    "a huge size": at("tokens", "arguments", "size")(1 << 40),
    "an unknown transform": at("tokens", "name")("exec"),
    "a transform of rows": at("tokens", "name")("take"),
    "a transform of other data": at("tokens", "name")("fitted"),
    "an unknown dtype": lambda data: data["columns"][0].update(dtype="object"),
    "an unknown role": lambda data: data["columns"][0].update(role="admin"),
    "a negative size": lambda data: data["columns"][0].update(shape=[-1]),
    "two columns of one name": lambda data: data["columns"].append(data["columns"][0]),
    "no columns": lambda data: data.update(columns=[]),
    "no steps": lambda data: data.pop("steps"),
    "a field more": lambda data: data.update(code="print()"),
    "a list for the data": lambda data: data.update(columns=3),
}


@pytest.mark.parametrize("change", LEARNED.values(), ids=LEARNED.keys())
def test_each_value_of_a_file_is_checked(model, files, change):
    changed(files / "m.ckpt.data.json", change)
    (files / "new.csv").write_text(TRAIN)
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(FROM)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG680" and "data.old" in diagnostic.headline, diagnostic.headline
    assert diagnostic.notes[0].text == "at m.ckpt.data.json"


@pytest.mark.parametrize(
    ("name", "value"), [("format", True), ("format", -1), ("format", [1]), ("columns", None), ("columns", 0),
                        ("columns", []), ("parts", 3), ("parts", ["age"])],
)  # fmt: skip
def test_arguments_are_of_the_kinds_of_their_signatures(here, name, value):
    (here / "old.csv").write_text("day,y\n2024-01-02,1\n2024-01-03,2\n")
    text = 'data old = csv("old.csv", target="y") | date_parts("day")\nvariable w = 1.0\n'
    tfdsl.compile(text + 'session: save to "m.ckpt"\n').run()
    changed(here / "m.ckpt.data.json", lambda data: data["steps"][0]["arguments"].update({name: value}))
    with pytest.raises(TfgError) as caught:
        tfdsl.compile('data new = csv("old.csv") | fitted("m.ckpt")\n')
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG680" and "data.old.steps[0]" in diagnostic.headline, diagnostic.headline


def test_a_form_of_dates_with_a_part_twice_fits_no_date(here):
    (here / "d.csv").write_text("day,y\n1 1,1\n")
    assert codes('data d = csv("d.csv") | date_parts("day", format="%d %d")\n') == ["TFG656"]


@pytest.mark.parametrize("change", [at("standardize", "learned", "shift")([1e308]),
                                    at("fill", "learned", "values")({"age": 1e308})])  # fmt: skip
def test_numbers_out_of_range_are_errors_of_the_program(model, files, change):
    changed(files / "m.ckpt.data.json", change)
    (files / "new.csv").write_text(TRAIN)
    with pytest.raises(TfgError) as caught:
        print(tfdsl.compile(FROM).dataset("new").features)
    assert caught.value.diagnostics[0].code == "TFG622"


def test_nested_too_deeply(model, files):
    def change(data):
        inner = json.loads(json.dumps(data))
        for _ in range(30):
            step = {"name": "fitted", "arguments": {"data": "x", "name": None}, "learned": {"fitted": inner}}
            inner = {**data, "steps": [step]}
        data.update(inner)

    changed(files / "m.ckpt.data.json", change)
    (files / "new.csv").write_text(TRAIN)
    assert codes(FROM) == ["TFG680"]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "TFG680", "JSON"),
        (b"\xff\xfe\x00", "TFG680", "JSON"),
        (b"[1, 2]", "TFG680", "an object, not a list of 2"),
        (b'{"version": 1, "version": 2}', "TFG680", "twice"),
        (b'{"version": NaN}', "TFG680", "NaN"),
        (b'{"version": true}', "TFG680", "with a version"),
        (b'{"version": 2, "later": {}}', "TFG682", "version 2"),
        (b'{"version": 1, "data": {}}', "TFG680", '"checksum"'),
        (b'{"version": 1, "checksum": "", "data": {}}', "TFG683", "has changed"),
        (b"[" * 200_000, "TFG680", "JSON"),
        (b'{"version": ' + b"9" * 10_000 + b"}", "TFG680", "JSON"),
        (b" " * (17 << 20), "TFG680", "16 MiB"),
    ],
    ids=lambda one: str(one[:20]),
)
def test_content_that_is_no_such_file(files, content, code, words):
    (files / "m.ckpt.data.json").write_bytes(content)
    (files / "new.csv").write_text(TRAIN)
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(FROM)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code and words in diagnostic.headline


def test_a_file_that_was_tampered_with(model, files):
    path = files / "m.ckpt.data.json"
    path.write_text(path.read_text().replace('"Rome"', '"Roma"'))
    (files / "new.csv").write_text(TRAIN)
    assert codes(FROM) == ["TFG683"]
    restore = SAVE.replace('    save to "m.ckpt"\n', "").replace("session:", 'session:\n    restore from "m.ckpt"')
    assert codes(restore) == ["TFG707"] or codes(restore)[0].startswith("TFG7")


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ('"m.ckpt", "odl"', "TFG684", 'no data set "odl": it has "old"'),
        ('"no.ckpt"', "TFG681", '"no.ckpt.data.json"'),
        ('"../m.ckpt"', "TFG820", "outside"),
        ('old, "old"', "TFG657", "not the data old"),
        ('"m.ckpt", 3', "TFG657", "not the number 3"),
        ("", "TFG402", ""),
    ],
)
def test_what_is_asked_for_wrongly(model, files, given, code, words):
    (files / "new.csv").write_text(TRAIN)
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(f'{DATA}data new = csv("new.csv") | fitted({given})\n')
    errors = [one for one in caught.value.diagnostics if one.severity == "error"]
    assert [one.code for one in errors] == [code] and words in errors[0].headline, errors[0].headline


@pytest.mark.parametrize("suffix", [".index", ".meta", ".data.json", ".data-00000-of-00001"])
def test_a_file_of_the_model_in_its_place(model, files, suffix):
    (files / "new.csv").write_text(TRAIN)
    text = f'data new = csv("new.csv") | fitted("m.ckpt{suffix}", "old")\n'
    with pytest.raises(TfgError, match="TFG681") as caught:
        tfdsl.compile(text)
    assert caught.value.diagnostics[0].help_line.endswith('suffixes of its files: "m.ckpt"')
    tfdsl.compile(text.replace(suffix, ""))


def test_several_data_sets_need_a_name(files):
    tfdsl.compile(f'{DATA}data two = csv("old.csv") | drop("note")\n{MODEL}session: save to "m.ckpt"\n').run()
    (files / "new.csv").write_text(TRAIN)
    with pytest.raises(TfgError) as caught:
        tfdsl.compile('data new = csv("new.csv") | fitted("m.ckpt")\n')
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG685" and diagnostic.help_line.endswith('fitted("m.ckpt", "old")')


def test_numbers_that_are_not_finite_are_not_saved(here):
    (here / "x.csv").write_text("a\n1e308\n1e308\n-1e308\n1e308\n")
    text = 'data d = csv("x.csv") | standardize("a")\nvariable w = 1.0\nsession: save to "m.ckpt"\n'
    assert codes(text) == ["TFG691"] and not (here / "m.ckpt.index").exists()


def test_too_much_to_save(files, monkeypatch):
    monkeypatch.setattr(saved, "_MOST", 100)
    assert codes(SAVE) == ["TFG690"] and not (files / "m.ckpt.index").exists()


def test_reading_stays_in_its_folders(files, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "m.ckpt.data.json").write_text("{}")
    (files / "m.ckpt.data.json").symlink_to(other / "m.ckpt.data.json")
    with pytest.raises(DataError) as caught:
        saved.read("m.ckpt", Where("", Access(str(files / "p.tfg"))))
    assert caught.value.message.code.startswith("TFG8")


def test_bits(model, files):
    """Numbers of the file are those that were learned, to the last bit."""
    made = json.loads((files / "m.ckpt.data.json").read_text())["data"]["old"]["steps"][-1]["learned"]
    own = tfdsl.compile(SAVE).learned()["old"].steps[-1].learned
    assert np.array(made["shift"]).tobytes() == np.array(own["shift"]).tobytes()
