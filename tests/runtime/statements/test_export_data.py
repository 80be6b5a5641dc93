"""`export p with X = data.features`: models that take the columns of a file, against what the program computes."""

import csv
import os
from contextlib import chdir

import numpy as np
import pytest
import tensorflow as tf

import tfdsl
from tfdsl.cli import main
from tfdsl.diagnostics import TfgError

# Numbers that float32 has, so that a model fed float32 has all bits of the program.
ROWS = """id,sex,age,fare,home city,note,flag,count,price
1,male,30,7.25,Rome,good food,true,3,5
2,female,,71.25,Oslo,"cold, Food!",false,1,6
3,,50,8.0625,Rome,no,true,3,7
4,female,41,53.125,Paris,good été été très,false,2,8
5,male,33.5,8.4375,Rome,¿no? good_x,true,1,2
6,male,1.5,8.5,Oslo,naïve—so 3/4,true,2,3
"""
FILLED = 'fill("age", with="median") | fill("sex", with="most_frequent")'


def columns(text=ROWS):
    """The rows as plain TensorFlow takes them."""
    rows = list(csv.DictReader(text.splitlines()))
    made = {}
    for name in rows[0]:
        cells = [row[name] for row in rows]
        if name in ("sex", "home city", "note"):
            made[name] = tf.constant(cells)
        else:
            words = {"": "nan", "true": "1", "false": "0"}
            made[name] = tf.constant([float(words.get(cell, cell)) for cell in cells])
    return made


def loaded(path):
    return tf.saved_model.load(path).signatures["serving_default"]


def served(path, given):
    return answers(loaded(path), given)


def answers(serve, given):
    wanted = serve.structured_input_signature[1]
    return {name: value.numpy() for name, value in serve(**{name: given[name] for name in wanted}).items()}


@pytest.fixture
def rows(here):
    (here / "rows.csv").write_text(ROWS)
    return here


# All pipelines in one model, since each costs an import of a graph.
PIPELINES = [
    ('drop("sex", "home city", "note", "flag") | fill("age", with="mean")', "id count age fare"),
    (f'drop("note") | aside("id") | {FILLED} | one_hot("sex", "home city") | standardize("age", "fare")',
     "sex age fare home_city flag count"),
    (f'drop("note") | {FILLED} | categories("sex", "home city") | minmax | polynomial(degree=3) | add_bias', None),
    ('select("count", "fare") | one_hot("count") | split(test=0.5, seed=3)', "count fare"),
    ('select("fare") | shuffle | standardize', "fare"),
    ('select("sex", "age") | fill("sex", with="none") | fill("age", with=-1) | categories | standardize', "sex age"),
    ('where(flag) | select("count") | categories("count")', "count"),
    ('select("flag", "fare") | take(4)', "flag fare"),
]  # fmt: skip
TOKENS = 'data texts = csv("rows.csv") | tokens("note", size=5, vocabulary=6)\n'
TOKENS += 'data exact = csv("rows.csv") | tokens("note", size=2, lower=false) | categories("home city")\n'


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The program with all pipelines, and what its model gives for all rows."""
    folder = tmp_path_factory.mktemp("many")
    with chdir(folder):
        (folder / "rows.csv").write_text(ROWS)
        text = TOKENS
        for at, (stages, _) in enumerate(PIPELINES):
            target = ', target="price"' if "price" not in stages else ""
            text += f'data d{at} = csv("rows.csv"{target}) | {stages}\n'
            text += f'data a{at} = csv("rows.csv"{target}) | fitted(d{at})\n'
            text += f"placeholder X{at}: float32[n{at}, d{at}.columns]\np{at} = identity(X{at})\n"
        text += "placeholder words: int64[n, 5]\nplaceholder city: int64[n]\nplaceholder id: int32[n]\n"
        text += "placeholder few: int64[n, 2]\nq = identity(words)\nr = city * 2\ns = identity(id)\nt = identity(few)\n"
        names = ", ".join(f"p{at}" for at in range(len(PIPELINES)))
        given = ", ".join(f"X{at} = a{at}.features" for at in range(len(PIPELINES)))
        text += f'session:\n    export {names}, q, r, s, t with {given}, words = texts.note, city = exact["home city"]'
        text += ', id = exact.id, few = exact.note to "served"\n'
        program = tfdsl.compile(text)
        program.run()
        serve = loaded("served")
        yield program, answers(serve, columns()), serve


@pytest.mark.parametrize("at", range(len(PIPELINES)))
def test_the_graph_computes_the_bits_of_the_program(many, at):
    program, given, _ = many
    own = program.dataset(f"a{at}").features
    assert given[f"p{at}"].shape == own.shape and given[f"p{at}"].dtype == np.float32
    np.testing.assert_array_equal(given[f"p{at}"], own)


def test_columns_for_which_float32_is_too_coarse(here):
    """Among 1.6e9, float32 has only every 128th number. Such columns are float64."""
    large = [1600000000, 1600000100, 1600000200, 1600000350, 1600000400]
    (here / "rows.csv").write_text("t,a,b,kind,year\n" + "".join(f"1,{n},{-n}.5,{n},{2000 + n % 7}\n" for n in large))
    stages = 'aside("t") | fill("a", with=0) | standardize("a") | minmax("b") | one_hot("kind") | standardize("year")'
    program = tfdsl.compile(
        f'data d = csv("rows.csv", target="t") | {stages}\ndata e = csv("rows.csv") | fitted(d)\n'
        "placeholder X: float32[n, e.columns]\np = identity(X)\n"
        'session: export p with X = e.features to "served"\n'
    )
    program.run()
    serve = loaded("served")
    dtypes = {name: one.dtype for name, one in serve.structured_input_signature[1].items()}
    assert dtypes == {"a": tf.float64, "b": tf.float64, "kind": tf.float64, "year": tf.float32}
    cells = {"a": large, "b": [-n - 0.5 for n in large], "kind": large, "year": [2000 + n % 7 for n in large]}
    given = {name: tf.constant(cells[name], dtype) for name, dtype in dtypes.items()}
    np.testing.assert_array_equal(answers(serve, given)["p"], program.dataset("e").features)


def test_words_categories_and_columns(many):
    program, given, _ = many
    np.testing.assert_array_equal(given["q"], program.dataset("texts").array("note"))
    np.testing.assert_array_equal(given["t"], program.dataset("exact").array("note"))
    np.testing.assert_array_equal(given["r"], program.dataset("exact").array('["home city"]') * 2)
    assert given["s"].tolist() == [1, 2, 3, 4, 5, 6] and given["s"].dtype == np.int32


def test_a_row_alone_and_in_another_order(many):
    _, given, serve = many
    rows = columns()
    for chosen in ([3], [5, 0, 2]):
        some = answers(serve, {name: tf.gather(cells, chosen) for name, cells in rows.items()})
        for name, values in some.items():
            np.testing.assert_array_equal(values, given[name][chosen], err_msg=name)


def test_unseen_categories_and_missing_text(many):
    _, given, serve = many
    rows = columns()
    rows["home city"] = tf.constant(["Bonn", "Oslo", "Rome", "Paris", "Rome", "Oslo"])
    rows["note"] = tf.constant(["", *(text.decode() for text in rows["note"].numpy()[1:])])
    made = answers(serve, rows)
    assert made["r"][0] == -2 and (made["r"][1:] == given["r"][1:]).all()
    assert not made["q"][0].any() and (made["q"][1:] == given["q"][1:]).all()


def test_a_missing_cell_is_an_error_that_names_its_column(many):
    rows = columns()
    rows["home city"] = tf.constant(["", "Oslo", "Rome", "Paris", "Rome", "Oslo"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="home city: a cell is missing, and"):
        answers(many[2], rows)
    rows = columns()
    rows["fare"] = tf.constant([float("nan"), 1, 2, 3, 4, 5])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"fare.*: a cell is missing"):
        answers(many[2], rows)


def test_a_column_that_is_not_given_is_named(rows):
    stages = 'select("age", "sex") | fill("age", with=1) | fill("sex", with="none") | one_hot("sex")'
    tfdsl.compile(MODEL.format(stages=stages, more="")).run()
    given = {name: cells.numpy() for name, cells in columns().items()}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        model = tf.compat.v1.saved_model.load(session, ["serve"], "served").signature_def["serving_default"]
        places = {name: one.name for name, one in model.inputs.items()}
        assert set(places) == {"age", "sex"}
        output = model.outputs["p"].name
        assert len(session.run(output, {place: given[name] for name, place in places.items()})) == 6
        for name, place in places.items():
            others = {other: given[key] for key, other in places.items() if key != name}
            with pytest.raises(tf.errors.InvalidArgumentError, match=f"must feed a value .*{place.split(':')[0]}"):
                session.run(output, others)


def test_new_rows_without_a_column_cannot_be_exported(rows):
    (rows / "new.csv").write_text("sex\nmale\n")
    program = """
data d = csv("rows.csv") | select("age", "sex") | fill("age", with=1) | fill("sex", with="none") | one_hot("sex")
data new = csv("new.csv") | fitted(d)
placeholder X: float32[n, d.columns]
p = X * 2.0
session: export p with X = new.features to "served"
"""
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(program)
    (found,) = caught.value.diagnostics
    assert found.code == "TFG658" and 'it has no column "age"' in found.headline
    assert not (rows / "served").exists()


MODEL = """
data d = csv("rows.csv", target="price") | {stages}
placeholder X: float32[n, d.columns]
placeholder scale: float32 = 2.0
variable w: float32[d.columns, 1] = ones
p = X @ w * scale
session:
    export p with X = d.features{more} to "served"
"""


def signature(path="served"):
    return set(tf.saved_model.load(path).signatures["serving_default"].structured_input_signature[1])


def test_only_needed_columns_are_inputs(rows):
    stages = f'aside("id") | drop("note", "home city") | {FILLED} | one_hot("sex")'
    program = tfdsl.compile(MODEL.format(stages=stages, more=", scale"))
    program.run()
    assert signature() == {"sex", "age", "fare", "flag", "count", "scale"}
    given = served("served", {**columns(), "scale": tf.constant(2.0)})
    own = program.dataset("d").features.sum(axis=1, keepdims=True) * 2
    np.testing.assert_allclose(given["p"], own, rtol=1e-6)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.compat.v1.saved_model.load(session, ["serve"], "served")
        kinds = {op.type for op in graph.get_operations()}
        assert not kinds & {"PyFunc", "EagerPyFunc"} and graph.get_tensor_by_name("X:0").op.type == "Identity"
    program.run()
    assert os.listdir(".").count("served") == 1, "an unchanged model is replaced"


def test_streamed_data_and_data_of_a_file(rows):
    stages = f'select("age", "sex") | {FILLED} | one_hot("sex") | standardize'
    text = MODEL.format(stages=stages, more="").replace('target="price"', 'target="price", stream=true')
    program = tfdsl.compile(text.replace("session:", 'session:\n    save to "m.ckpt"'))
    program.run()
    first = served("served", columns())
    later = 'data new = csv("rows.csv") | fitted("m.ckpt", "d")\n' + text.partition("\n")[2].partition("\n")[2]
    later = later.replace("d.columns", "new.columns").replace("d.features", "new.features")
    tfdsl.compile(later.replace('"served"', '"later"')).run()
    np.testing.assert_array_equal(served("later", columns())["p"], first["p"])


def test_names_of_the_program_that_are_those_of_the_added_nodes(rows):
    text = MODEL.format(stages='select("fare")', more="").replace(
        "p = X", "scope data: one = constant(1.0)\np = data.one * X"
    )
    tfdsl.compile(text).run()
    np.testing.assert_array_equal(served("served", columns())["p"][:, 0], columns()["fare"].numpy() * 2)


@pytest.mark.parametrize(
    ("stages", "change", "code"),
    [
        ('select("note") | date_parts("note")', None, "TFG656"),
        ('select("fare", "home city") | date_parts("home city")', None, "TFG656"),
        ('select("fare")', ("X = d.features", "X = 3"), "TFG580"),
        ('select("fare")', ("X = d.features", "X = d"), "TFG580"),
        ('select("fare")', ("X = d.features", "X = d.rows"), "TFG580"),
        ('select("fare")', ("X = d.features", "X = d.feature"), "TFG304"),
        ('select("fare")', ("X = d.features", 'X = d["fair"]'), "TFG304"),
        ('select("fare")', ("X = d.features", "X = d.fare"), "TFG502"),
        ('select("fare", "sex")', ("X = d.features", "X = d.sex"), "TFG503"),
        ('select("fare", "sex")', None, "TFG642"),
        ('select("age")', None, "TFG637"),
        ('select("fare")', ("X = d.features", "X = d.features, X"), "TFG529"),
        ('select("fare")', ("X = d.features", "X = d.features, fare"), "TFG582"),
    ],
)
def test_what_cannot_be_made(rows, stages, change, code):
    text = MODEL.format(stages=stages, more="").replace("p = X", "placeholder fare: float32 = 1.0\np = fare * X")
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(text.replace(*change) if change else text)
    assert code in [one.code for one in caught.value.diagnostics]


def test_dates_and_pictures_are_refused_with_their_names(rows):
    (rows / "rows.csv").write_text("day,size,price\n2024-01-31,1,2\n2023-05-01,2,3\n")
    text = MODEL.format(stages='date_parts("day") | standardize', more="")
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(text)
    (diagnostic,) = [one for one in caught.value.diagnostics if one.severity == "error"]
    assert diagnostic.code == "TFG581" and "cannot contain date_parts" in diagnostic.headline
    assert diagnostic.span.text == "d.features"
    with pytest.raises(TfgError, match="cannot contain date_parts"):
        tfdsl.compile(text.replace("placeholder X", 'data e = csv("rows.csv") | fitted(d)\nplaceholder X').replace(
            "X = d.features", "X = e.features"))  # fmt: skip
    from PIL import Image

    Image.new("RGB", (2, 2)).save("a.png")
    pictures = 'data d = images("*.png")\nplaceholder X: float32[n, 2, 2, 3]\np = X * 2\nvariable w = 1.0\n'
    with pytest.raises(TfgError, match="cannot contain images"):
        tfdsl.compile(pictures + 'session: export p with X = d.features to "served"\n')


def test_arrays_of_more_axes_are_inputs_of_their_own(here):
    np.savez("x.npz", image=np.arange(12.0).reshape(2, 3, 2), target=[0, 1])
    text = 'data d = npz("x.npz", target="target")\nplaceholder X: float32[n, 3, 2]\np = X * 2\n'
    tfdsl.compile(text + 'session: export p with X = d.features to "served"\n').run()
    given = served("served", {"image": tf.reshape(tf.range(12.0), [2, 3, 2])})
    np.testing.assert_array_equal(given["p"], np.arange(12.0).reshape(2, 3, 2) * 2)


def test_plain_tensorflow_predict_and_fitted_give_the_same(rows, capsys):
    """All rows, one, and others in another order, with columns in another order, and categories that are new."""
    stages = f'drop("note") | aside("id") | {FILLED} | one_hot("sex", "home city") | standardize("age", "fare")'
    text = MODEL.format(stages=stages, more="").replace("p = X @ w * scale", "p = X * scale")
    text = text.replace("session:", 'session:\n    save to "m.ckpt"')
    tfdsl.compile(text).run()
    (rows / "m.tfg").write_text(text)
    lines = list(csv.reader(ROWS.replace("1,male,30,7.25,Rome", "1,other,30,7.25,Bonn").splitlines()))
    serve = tf.saved_model.load("served").signatures["serving_default"]
    wanted = serve.structured_input_signature[1]
    for order in (range(1, 7), [1], [4], [6, 2, 1, 3]):
        with open("new.csv", "w", newline="") as file:
            csv.writer(file).writerows(line[::-1] for line in [lines[0], *(lines[at] for at in order)])
        given = columns((rows / "new.csv").read_text())
        made = serve(**{name: given[name] for name in sorted(wanted, reverse=True)})["p"].numpy()
        fitted = tfdsl.compile(text.replace("placeholder X", 'data new = csv("new.csv") | fitted(d)\nplaceholder X', 1))
        np.testing.assert_array_equal(made, fitted.dataset("new").features * np.float32(2))
        predict = ["predict", "m.tfg", "--from", "m.ckpt", "--data", "new.csv", "-o", "p.npy", "--only", "p", "-q"]
        assert main([*predict, "--overwrite"]) == 0
        np.testing.assert_array_equal(made, np.load("p.npy"))
    for name in wanted:
        named = name.replace(" ", "_")  # by TensorFlow
        with pytest.raises(TypeError, match=f"missing a required argument: '{named}'"):
            serve(**{other: given[other] for other in wanted if other != name})
        dtype = tf.string if wanted[name].dtype == tf.float32 else tf.float32
        with pytest.raises(tf.errors.InvalidArgumentError, match="was expected to be a"):
            serve(**{other: given[other] for other in wanted} | {name: tf.zeros([4], dtype)})
    with open("new.csv", "w", newline="") as file:
        at = lines[0].index("home city")
        csv.writer(file).writerows(line[:at] + line[at + 1 :] for line in lines)
    assert main([*predict, "--overwrite"]) == 1 and 'it has no column "home city"' in capsys.readouterr().err


# Names of columns, and those of the inputs that are made of them.
ODD = {
    "class": "class_", "None": "None_", "lambda": "lambda_", "self": "self_", "m²": "m__", "CO₂": "CO__", "a b": "a_b_",
    "a_b": "a_b", "a-b": "a_b__", "1a": "1a", "½": "__", "naïve": "naïve", "async": "async_", "async_": "async__",
}  # fmt: skip


def test_columns_of_any_names_can_be_given_to_the_model(here):
    rows = [[at, 2 * at + 1] for at in range(len(ODD))]
    lines = [",".join(str(row[at]) for row in rows) for at in range(2)]
    (here / "odd.csv").write_text("\n".join([",".join(ODD), *lines]) + "\n")
    (here / "t.tfg").write_text(
        f'data d = csv("odd.csv")\nplaceholder X: float32[n, {len(ODD)}]\nplaceholder scale: float32\n'
        'p = X * scale\nsession: export p with X = d.features, scale to "odd"\n'
    )
    program = tfdsl.compile("t.tfg")
    program.run()
    serve = tf.saved_model.load("odd").signatures["serving_default"]
    given = {ODD[name]: tf.constant(row, tf.float32) for name, row in zip(ODD, rows, strict=True)}
    found = serve(**given, scale=tf.constant(2.0))["p"].numpy()
    np.testing.assert_array_equal(found, 2 * np.transpose(rows))
    (renamed,) = [one.details["pairs"] for one in program.diagnostics if one.code == "TFG583"]
    assert renamed == ", ".join(f'the column "{name}" as {new}' for name, new in ODD.items() if new != name)
