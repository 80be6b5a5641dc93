"""`tfdsl predict`, against scikit-learn and NumPy by hand, and against the model's own values."""

import csv
import json
import os
import re
import shlex
from contextlib import chdir
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from conftest import some
from PIL import Image
from predicted import predict, written
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import tfdsl
from tfdsl.cli import main
from tfdsl.runtime import prediction

ROWS = """id,sex,age,fare,home city,note,flag,price
1,male,30,7.25,Rome,good food,true,5
2,female,,71.2833,Oslo,"cold, food",false,6
3,male,50,8.05,Rome,no,true,7
4,female,41,53.1,Paris,good,false,8
5,male,33.5,8.4583,Rome,,true,2
"""
MODEL = """
param rate = 0.1
data old = csv("old.csv", target="price"{options})
    | aside("id", "note") | fill("age", with="median") | one_hot("sex", "home city") | standardize("fare", "age")
placeholder X: float32[n, old.columns]
placeholder y: float32[n, 1]
variable w: float32[old.columns, 2] = random_normal([old.columns, 2], seed=1)
p = X @ w
best = argmax(p, axis=1)
centred = p - reduce_mean(p, axis=0)
mse = reduce_mean(square(p - y))
optimize mse with gradient_descent(learning_rate=rate)
session:
    train 5 steps on old as batch with engine="step":
        feed X = batch.features, y = batch.target
        {training}
    {after}
"""
SAVED = {"options": "", "training": "", "after": 'save to "m.ckpt"\n    print w\n    '}
EXPORTED = {**SAVED, "after": SAVED["after"] + 'export p, best with X = old.features to "served"'}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained model. Its training rows are there, since the program is checked with them."""
    folder = tmp_path_factory.mktemp("model")
    with chdir(folder):
        (folder / "old.csv").write_text(ROWS)
        (folder / "m.tfg").write_text(MODEL.format(**EXPORTED))
        result = tfdsl.compile("m.tfg").run()
        np.save("w.npy", result.variables["w"])
    return folder


@pytest.fixture
def model(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for path in folder.glob("out*"):
        path.unlink()
    return folder


def by_hand(rows):
    """What the model gives, with scikit-learn's transforms."""
    old = list(csv.DictReader(ROWS.splitlines()))
    ages = [float(row["age"]) for row in old if row["age"]]

    def numbers(some):
        return np.array([[float(row["age"] or np.median(ages)), float(row["fare"])] for row in some])

    def texts(some):
        return [[row["sex"], row["home city"]] for row in some]

    scaler, encoder = StandardScaler().fit(numbers(old)), OneHotEncoder(handle_unknown="ignore").fit(texts(old))
    hot, scaled = encoder.transform(texts(rows)).toarray(), scaler.transform(numbers(rows))
    flags = [row["flag"] == "true" for row in rows]
    features = np.column_stack([hot[:, :2], scaled, hot[:, 2:], flags]).astype(np.float32)
    return features @ np.load("w.npy")


HEADER = "id,sex,age,fare,home city,note,flag"
NEW = [
    (ROWS, "all rows"),
    (f"{HEADER}\n9,female,12,1.5,Rome,x,true\n", "one row"),
    ("flag,home city,fare,age,sex,id\nfalse,Oslo,3,,male,7\ntrue,Paris,4.5,60,female,6\n", "other columns"),
    (f"{HEADER}\n9,other,12,1.5,Bonn,x,true\n8,male,13,1.5,Rome,y,true\n", "unseen categories"),
    ("sex,age,fare,home city,flag\nmale,1,2,Rome,true\nmale,2,2,Rome,false\n", "no key"),
]


@pytest.mark.parametrize("text", [text for text, _ in NEW], ids=[name for _, name in NEW])
def test_values_are_those_by_hand(model, text, capsys):
    (model / "new.csv").write_text(text)
    assert predict() == 0
    rows, new = written("out.csv"), list(csv.DictReader(text.splitlines()))
    keys = [name for name in ("id", "note") if name in new[0]]
    assert list(rows[0]) == [*keys, "p_0", "p_1", "best"] or set(rows[0]) == {*keys, "p_0", "p_1", "best"}
    assert [[row[key] for key in keys] for row in rows] == [[row[key] for key in keys] for row in new]
    values = np.array([[row["p_0"], row["p_1"]] for row in rows], np.float32)
    np.testing.assert_allclose(values, by_hand(new), rtol=1e-5, atol=1e-6)
    assert [int(row["best"]) for row in rows] == values.argmax(axis=1).tolist()
    out, err = capsys.readouterr()
    assert not out and f"wrote {len(new)} row" in err and ("TFG660" in err) == ("Bonn" in text)


def test_blocks_change_no_value(model, monkeypatch):
    (model / "new.csv").write_text(ROWS)
    assert predict() == 0
    whole = written("out.csv")
    monkeypatch.setattr(prediction, "_BLOCK", 2)
    assert predict(out="out2.csv") == 0
    rows = written("out2.csv")
    for name in whole[0]:  # the last bits of a product of matrices depend on their sizes
        if name.startswith("p_"):
            assert [float(row[name]) for row in rows] == pytest.approx([float(row[name]) for row in whole], rel=1e-6)
        else:
            assert [row[name] for row in rows] == [row[name] for row in whole]


def test_formats_and_columns(model, capsys):
    (model / "new.csv").write_text(ROWS)
    assert predict("-q") == 0
    values = np.array([[row["p_0"], row["p_1"]] for row in written("out.csv")], np.float32)
    assert predict("--json", out="out.parquet") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["rows"] == 5 and made["output"] == "out.parquet" and made["data"] == {"old": "new.csv"}
    table = parquet.read_table("out.parquet")
    assert table.column_names == ["id", "note", "p_0", "p_1", "best"] and table["id"].to_pylist() == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(np.column_stack([table["p_0"], table["p_1"]]), values)
    assert predict(out="out.npz") == 0
    with np.load("out.npz") as arrays:
        np.testing.assert_array_equal(arrays["p"], values)
    assert predict("--only", "p", out="out.npy") == 0
    np.testing.assert_array_equal(np.load("out.npy"), values)
    assert predict(out="out2.npy") == 1 and not (model / "out2.npy").exists()
    assert "--only best" in capsys.readouterr().err
    assert predict("--only", "p_1,id", out="out3.csv") == 0
    assert list(written("out3.csv")[0]) == ["p_1", "id"]
    assert predict("--values", "p", "--only", "p_0", out="out4.csv") == 0
    assert [list(row) for row in written("out4.csv")] == [["p_0"]] * 5
    assert predict("--only", "p_2", out="out5.csv") == 2 and not (model / "out5.csv").exists()
    assert "TFG889" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("sex,age,fare,home city,flag\nmale,1,2,Rome,true\nmale,x,2,Rome,true\n", "TFG659", "new.csv:3:6"),
        ("sex,age,fare,home city,flag\nmale,1,,Rome,true\n", "TFG637", 'row 1 (line 2) of column "fare"'),
        (
            "sex,age,fare,home city,flag\nmale,1,2,Rome,true\n,1,2,Rome,true\n",
            "TFG637",
            'row 2 (line 3) of column "sex"',
        ),
        (
            "sex,age,fare,flag\nmale,1,2,true\n",
            "TFG658",
            'new.csv are not those that old has learned from: it has no column "home city"',
        ),
        ("sex,Age,fare,home city,flag\nmale,1,2,Rome,true\n", "TFG658", 'rename "Age" to "age", as capitals count'),
        ("male,1,2,Rome,true\n" * 2, "TFG658", "its first line seems to be a row of data"),
        ("sex;age;fare;home city;flag\nmale;1,5;2;Rome;true\n", "TFG659", 'so write "1.5"'),
        ("sex,age,fare,home city,flag\nmale,1,2,Rome\n", "TFG611", "4 cells"),
        ("sex,age,fare,home city,flag\nmale,1,1e39,Rome,true\n" * 1, "", ""),
    ],
)
def test_a_bad_row_is_an_error_and_nothing_is_written(model, text, code, words, capsys):
    (model / "new.csv").write_text(text)
    assert predict() == (1 if code else 0)
    if code:
        assert not (model / "out.csv").exists() and not list(model.glob(".out*"))
        err = capsys.readouterr().err
        assert code in err and words in err


DATED = """
data old = csv("dated.csv", target="y") | date_parts("when", parts=["year", "hour"]) | {more}
placeholder X: float32[n, old.columns]
variable w = 2.0
p = w * X
session:
    save to "dated.ckpt"
    print p with X = old.features
"""


NO_DATES = [
    ("01.01.2022", "TFG656", '"01.01.2022", which is not a date'),
    ("foo", "TFG656", '"foo", which is not a date'),
    ("2022-13-01", "TFG656", "write dates as 2024-12-31 or 2024-12-31 23:59:59, as old has learned from"),
    ("2022-02-30", "TFG656", '"2022-02-30"'),
    ("2022-01-01T10:00:00Z", "TFG892", "a time with an offset from UTC"),
    ('""', "TFG637", 'row 2 (line 3) of column "when" has no value'),
]
MORE = ("standardize", 'categories("when_hour")', 'fill("when_year", with="median")')


@pytest.mark.parametrize(("cell", "code", "words", "more"), some(
    [(*one, more) for one in NO_DATES for more in MORE],
    [*((*one, MORE[0]) for one in NO_DATES), *((*NO_DATES[1], more) for more in MORE[1:])],
))  # fmt: skip
def test_a_cell_that_is_no_date_is_an_error_at_its_place(here, more, cell, code, words, capsys):
    (here / "dated.csv").write_text("when,y\n2022-01-01,1\n2023-02-01 10:00,2\n")
    (here / "new.csv").write_text(f"when\n2022-01-01\n{cell}\n")
    (here / "d.tfg").write_text(DATED.format(more=more))
    assert main(["run", "d.tfg"]) == 0
    capsys.readouterr()
    options = ["--from", "dated.ckpt", "--values", "p", "--data", "new.csv"]
    assert main(["predict", "d.tfg", *options, "-o", "out.csv"]) == 1
    err = capsys.readouterr().err
    assert code in err and words in err and "new.csv:3:1" in err and not list(here.glob("*out*"))
    for stream in ("", ", stream=true"):
        (here / "n.tfg").write_text(f'data new = csv("new.csv"{stream}) | fitted("dated.ckpt", "old")\n')
        assert main(["check", "n.tfg"]) == 1
        err = capsys.readouterr().out
        assert code in err and words in err and "new.csv:3:1" in err


def test_missing_dates_go_on_where_the_data_had_some(here):
    (here / "dated.csv").write_text("when,y\n2022-01-01,1\n,2\n2024-01-01,3\n")
    (here / "new.csv").write_text('when\n""\n2030-01-01\n')
    (here / "d.tfg").write_text(DATED.format(more='fill("when_year", "when_hour", with="median")'))
    assert main(["run", "d.tfg"]) == 0
    options = ["--from", "dated.ckpt", "--values", "p", "--data", "new.csv"]
    assert main(["predict", "d.tfg", *options, "-o", "out.csv"]) == 0
    assert [float(row["p_0"]) for row in written("out.csv")] == [4046, 4060]


def test_predictions_without_a_file_are_printed(here, capsys):
    (here / "dated.csv").write_text("when,y\n2022-01-01,1\n2024-01-01,3\n")
    (here / "new.csv").write_text("when\n2022-01-01\n2030-01-01\n")
    (here / "d.tfg").write_text(DATED.format(more='fill("when_year", "when_hour", with="median")'))
    assert main(["run", "d.tfg"]) == 0
    options = ["predict", "d.tfg", "--from", "dated.ckpt", "--values", "p", "--data", "new.csv"]
    capsys.readouterr()
    assert main([*options, "-o", "out.csv"]) == 0 and not capsys.readouterr().out
    files = sorted(here.iterdir())
    assert main(options) == 0
    shown = capsys.readouterr()
    assert shown.out == Path("out.csv").read_text() and "wrote" not in shown.err
    (here / "new.csv").write_text("when\n2022-01-01\nnever\n")
    assert main(options) == 1 and not capsys.readouterr().out
    assert sorted(here.iterdir()) == files
    assert main([*options, "--json"]) == 2 and "give its name with -o" in capsys.readouterr().err


def test_other_columns_are_refused_and_named(model, capsys):
    (model / "new.csv").write_text("class,sex,age,fare,home city,flag,more\n1,male,1,2,Rome,true,a\n")
    assert predict() == 1 and not (model / "out.csv").exists()
    error = capsys.readouterr().err
    assert "TFG658" in error and '"class", "more" are new' in error


def test_a_value_that_needs_no_variables(here, capsys):
    (here / "old.csv").write_text("a,y\n1,2\n3,4\n")
    (here / "d.tfg").write_text(
        'data old = csv("old.csv", target="y") | standardize\n'
        "placeholder X: float32[n, 1]\nvariable w = 2.0\np = w * X\ndoubled = 2 * X\n"
        'session:\n    save to "d.ckpt"\n    print p with X = old.features\n'
    )
    assert main(["run", "d.tfg"]) == 0
    capsys.readouterr()
    assert (
        main(["predict", "d.tfg", "--from", "d.ckpt", "--values", "doubled", "--data", "old.csv", "-o", "out.csv"]) == 0
    )
    assert [float(row["doubled"]) for row in written("out.csv")] == [-2, 2]
    assert "TFG901" not in capsys.readouterr().err, "--values uses it"


LAYERS = ("nn.batch_norm(X)", "nn.batch_norm(X, training=on)", "nn.dropout(X, rate=0.5)")


@pytest.mark.parametrize("layer", some(LAYERS, LAYERS[1:]))
def test_layers_are_not_in_training(here, layer):
    (here / "rows.csv").write_text("a,b,y\n1,2,3\n3,4,1\n5,7,2\n")
    (here / "d.tfg").write_text(
        'import nn\ndata rows = csv("rows.csv", target="y")\nplaceholder X: float32[n, 2]\n'
        f"placeholder y: float32[n, 1]\nplaceholder on: bool = false\np = nn.dense({layer}, 1)\n"
        "optimize reduce_mean(square(p - y)) with adam()\nsession:\n"
        '    train 3 epochs on rows as b with engine="step":\n        feed on = true, X = b.features, y = b.target\n'
        '    save to "m.ckpt"\n    r = evaluate p on rows as b with X = b.features\n    print on, r\n'
    )
    program = tfdsl.compile("d.tfg")
    wanted = program.run().values["r"]
    assert main(["predict", "d.tfg", "--from", "m.ckpt", "--values", "p", "--data", "rows.csv", "-o", "out.npy"]) == 0
    np.testing.assert_allclose(np.load("out.npy").reshape(-1, 1), wanted, rtol=1e-6)


def test_names_above_rows_of_data_that_has_none(here, capsys):
    (here / "old.csv").write_text("1,2\n3,4\n5,6\n")
    (here / "new.csv").write_text("a,b\n3,4\n")
    (here / "d.tfg").write_text(
        'data old = csv("old.csv", target="x1", header=false) | standardize\n'
        'placeholder X: float32[n, 1]\nvariable w = 2.0\np = w * X\nsession:\n    save to "d.ckpt"\n    print p with X = old.features\n'
    )
    assert main(["run", "d.tfg"]) == 0
    options = ["--from", "d.ckpt", "--values", "p", "--data", "new.csv"]
    assert main(["predict", "d.tfg", *options, "-o", "out.csv"]) == 1
    assert "the first line of the file seems to be names" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "way"),
    [
        ("x0,x1\nb,v\n", "remove this line\n"),
        ("size,colour\nb,v\na,w\n", "remove this line; if it is a row, write it below another one\n"),
        ("b,v\nsize,colour\n", ""),
        ("size,v\nb,v\n", ""),
        ("c,\nb,v\n", ""),
        ("c,d\nd,c\n", ""),
        ("c,d\n", ""),
    ],
)
def test_names_above_rows_of_text(here, capsys, rows, way):
    """An error, not a prediction for the names. One row of unseen categories may be a row."""
    (here / "old.csv").write_text("a,v,1\nb,w,2\na,w,3\n")
    (here / "m.tfg").write_text(
        'data old = csv("old.csv", target="x2", header=false) | fill("x1", with="v") | one_hot\n'
        "placeholder X: float32[n, old.columns]\nvariable w = 2.0\np = reduce_sum(w * X, axis=1)\n"
        'session:\n    save to "m.ckpt"\n    print p with X = old.features\n'
    )
    assert main(["run", "m.tfg"]) == 0
    (here / "new.csv").write_text(rows)
    if way:
        err = refused(capsys, "--values", "p")
        assert "error[TFG692]" in err and "new.csv:1:1" in err and err.endswith(f"{way}\n")
    else:
        assert predict("--values", "p") == 0
    (here / "n.tfg").write_text('data new = csv("new.csv", header=["x0", "x1"]) | fitted("m.ckpt")\n')
    assert main(["check", "n.tfg"]) == bool(way)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1,2,k\n", 'it has no column "x3"\n  = help: columns without names go by their positions: keep the place of the '
         'target "x1", as an empty cell in each row\n'),
        ("1,2\n", "keep the place of the target"),
        ("1,,2,k\n", ""),
        ("1,5,2,k\n3,,4,l\n", ""),
        ("1,,2\n", "keep the place of the target"),
        ("1;;2;k;5\n", '"x4" is new'),
    ],
)  # fmt: skip
def test_columns_without_names_go_by_their_positions(here, capsys, rows, said):
    """Also where the columns after the target may lack: nothing is read in place of another one."""
    (here / "old.csv").write_text("1,5,2,k\n3,6,4,l\n5,7,7,m\n")
    (here / "m.tfg").write_text(
        'data old = csv("old.csv", target="x1", header=false) | aside("x3")\n'
        "placeholder X: float32[n, 2]\nvariable w = 2.0\np = reduce_sum(w * X, axis=1)\n"
        'session:\n    save to "m.ckpt"\n    print p with X = old.features\n'
    )
    assert main(["run", "m.tfg"]) == 0
    (here / "new.csv").write_text(rows)
    if said:
        err = refused(capsys, "--values", "p")
        assert "error[TFG658]" in err and said in err
    else:
        assert predict("--values", "p") == 0
        assert written("out.csv")[0] == {"x3": "k", "p": "6"}


@pytest.mark.parametrize(("column", "cell"), [("price", ""), ("kind", ""), ("kind", "NA")])
def test_the_target_may_lack_in_some_rows(here, capsys, column, cell):
    """Of text too. A value that needs it is an error."""
    (here / "old.csv").write_text("a,price,kind\n1,2,x\n2,3,y\n3,5,x\n")
    (here / "new.csv").write_text(f"a,{column}\n1,{cell}\n2,{'x' if column == 'kind' else 4}\n")
    (here / "m.tfg").write_text(
        f'data old = csv("old.csv", target="{column}", missing=["", "NA"]) | select("a") | {{}}\n'
        'data new = csv("new.csv", missing=["", "NA"]) | fitted(old)\nx = new.a\n'
        "placeholder X: float32[n, 1]\nplaceholder y: float32[n, 1]\nvariable w = 2.0\np = w * X\nmiss = p - y\n"
        'session:\n    save to "m.ckpt"\n    print x, miss with X = old.features, y = old.target\n'
        .format('categories("kind")' if column == "kind" else 'standardize("a")')
    )  # fmt: skip
    assert main(["run", "m.tfg"]) == 0
    assert predict("--values", "p") == 0 and len(written("out.csv")) == 2
    err = refused(capsys, "--values", "miss")
    assert "error[TFG894]" in err and f'lacks "{column}" in 1 row\n' in err


def test_a_file_that_is_read_as_one_column(here, capsys):
    (here / "old.csv").write_text("a;b;y\n1,5;2;3\n2,5;3;4\n")
    (here / "m.tfg").write_text(
        'data old = csv("old.csv", target="y", decimal=",") | standardize\n'
        "placeholder X: float32[n, 2]\nvariable w = 2.0\np = reduce_sum(w * X, axis=1)\n"
        'session:\n    save to "m.ckpt"\n    print p with X = old.features\n'
    )
    assert main(["run", "m.tfg"]) == 0
    text = (here / "m.tfg").read_text()
    (here / "new.csv").write_text("a,b\n1.5,2\n")
    err = refused(capsys, "--values", "p")
    assert "error[TFG658]" in err and 'was read as one column, because its cells are separated by ","' in err
    assert 'write ";" between the cells, as the program has decimal=","' in err
    (here / "m.tfg").write_text(text.replace('decimal=","', 'decimal=",", separator=";"'))
    assert 'write ";" between the cells, as the program says' in refused(capsys, "--values", "p")
    (here / "new.csv").write_text("a;b\n1,5;2\n")
    assert predict("--values", "p") == 0


ONE = "sex,age,fare,home city,flag\n"


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ("male,1,2,Rome,yes", "TFG659", 'help: write true or false in place of "yes"\n'),
        ("male,1,2,Rome,2", "TFG693", 'row 1 (line 2) of column "flag" is 2'),
        ("male,1,2,Rome,0.5", "TFG693", "help: write true or false, or 1 or 0\n"),
        ("male,1,2,Rome,", "TFG637", 'leave the row out; or write | fill("flag", with="median") where old is declared'),
        (
            "male,1,007,Rome,true",
            "TFG659",
            'help: write "7" in place of "007", as numbers with leading zeros are text\n',
        ),
        ('male,1,"7,5",Rome,true', "TFG659", 'help: numbers have a point before their fraction, so write "7.5"\n'),
        ("male,1,much,Rome,true", "TFG659", "write a number there, or nothing if it is missing\n"),
        ("male,1,2,Rome,1", "", ""),
        ("male,1,2,Rome,True", "", ""),
    ],
)
def test_a_cell_of_another_dtype_says_what_to_write_in_the_file(model, row, code, said, capsys):
    """The file is changed, as `predict` reads it in the way of the program. True may be 1."""
    (model / "new.csv").write_text(f"{ONE}{row}\n")
    if not code:
        assert predict() == 0
        return
    err = refused(capsys)
    assert f"error[{code}]" in err and said in err and "new.csv:2:" in err
    assert "in a program" not in err and "columns={" not in err
    (model / "n.tfg").write_text('data new = csv("new.csv") | fitted("m.ckpt")\nx = new.features\n')
    assert main(["check", "n.tfg"]) == 1
    assert code in capsys.readouterr().out


def test_a_cell_of_another_dtype_of_a_parquet_file(model, capsys):
    """Its file is named."""
    columns = {"sex": ["male"], "age": [1.0], "home city": ["Rome"], "flag": [True]}
    for cell, said in (("much", '"much"'), ("7", '"7" is text: make the column one of numbers')):
        parquet.write_table(pa.table({**columns, "fare": [cell]}), "new.parquet")
        err = refused(capsys, data="new.parquet")
        assert "error[TFG659]" in err and "= at new.parquet\n" in err and said in err


def test_rows_of_the_program_are_not_held_against_what_its_data_learns_now(model, capsys):
    """The model may have learned them, and it is used for other rows. `check` and `run` train, and tell."""
    declared = 'data more = csv("more.csv") | fitted(old)\nprint_more = more.rows\n'
    (model / "more.csv").write_text(f"{ONE}male,1,2,Bonn,true\n")
    (model / "more.tfg").write_text(MODEL.format(**EXPORTED).replace("session:", f"{declared}session:"))
    (model / "new.csv").write_text(f"{ONE}male,1,2,Rome,true\n")
    for command in (
        ["predict", "--data", "new.csv", "-o", "out.csv"],
        ["export", "--values", "best", "-o", "more_model"],
    ):
        assert main([command[0], "more.tfg", "--from", "m.ckpt", *command[1:]]) == 0
        assert "TFG660" not in capsys.readouterr().err
    main(["check", "more.tfg"])
    assert "TFG660" in capsys.readouterr().out


def test_unseen_categories_are_one_warning(model, capsys):
    (model / "new.csv").write_text(f"{ONE}other,1,2,Bonn,true\nmale,1,2,Bonn,true\n")
    assert predict() == 0
    err = capsys.readouterr().err
    assert err.count("TFG660") == 1
    assert '"sex" has categories that old has not learned, in 1 cell: "other"\n' in err
    assert '  = "home city" has categories that old has not learned, in 2 cells: "Bonn"\n' in err


def test_texts_that_are_cut_are_counted(here, capsys):
    (here / "old.csv").write_text("words,y\na b,1\nb,0\n")
    (here / "new.csv").write_text("words\na b b\na\na b b\nb a a a\n")
    (here / "m.tfg").write_text(
        'data old = csv("old.csv", target="y") | tokens("words", size=2)\n'
        'data new = csv("new.csv") | fitted(old)\nx = new.words\n'
        "placeholder X: float32[n, 2]\nvariable w = 2.0\np = w * X\n"
        'session:\n    save to "m.ckpt"\n    print p, x with X = old.features\n'
    )
    assert main(["run", "m.tfg"]) == 0
    assert "warning[TFG694]: tokens of old cuts 3 texts after 2 words" in capsys.readouterr().err
    assert predict("--values", "p") == 0
    assert "warning[TFG694]: tokens of old cuts 3 texts after 2 words" in capsys.readouterr().err


def test_the_checkpoints_of_a_training_that_has_ended(here, capsys):
    settings = {"options": "", "training": 'checkpoint every 1 step in "kept"', "after": "print w"}
    (here / "old.csv").write_text(ROWS)
    (here / "m.tfg").write_text(MODEL.format(**settings))
    assert main(["run", "-q", "m.tfg"]) == 0
    capsys.readouterr()
    assert main(["predict", "m.tfg", "--from", "kept", "--values", "p", "--data", "old.csv", "-o", "out.csv"]) == 1
    err = capsys.readouterr().err
    assert (
        "TFG704" in err and "until the training ends, which removes them: a session keeps the model with save to" in err
    )


def test_keys_are_of_any_dtype(model):
    """What no feature needs is written as the new file has it."""
    (model / "new.csv").write_text(
        "id,sex,age,fare,home city,note,flag\nx7,male,1,2,Rome,5,true\nx8,male,2,2,Rome,6,false\n"
    )
    assert predict() == 0
    assert [(row["id"], row["note"]) for row in written("out.csv")] == [("x7", "5"), ("x8", "6")]
    (model / "new.csv").write_text("id,sex,age,fare,home city,note,flag\n,male,1,2,Rome,,true\n,male,2,2,Rome,,true\n")
    assert predict() == 0
    assert [(row["id"], row["note"]) for row in written("out.csv")] == [("", "")] * 2


def test_text_is_text_where_all_cells_are_numbers(model, capsys):
    (model / "new.csv").write_text("sex,age,fare,home city,flag\n1,1,2,007,true\n2,,2,8,false\n")
    assert predict() == 0
    assert '"1", "2"' in capsys.readouterr().err


def test_the_file_beside_the_model_decides_and_not_the_training_rows(model):
    (model / "new.csv").write_text(ROWS)
    assert predict() == 0
    before = (model / "out.csv").read_bytes()
    (model / "old.csv").write_text(ROWS.replace("50", "80").replace("53.1", "99"))
    try:
        assert predict(out="out2.csv") == 0
    finally:
        (model / "old.csv").write_text(ROWS)
    assert (model / "out2.csv").read_bytes() == before


def test_a_model_without_the_file_takes_what_the_program_learns(here, capsys):
    (here / "old.csv").write_text(ROWS)
    (here / "new.csv").write_text(ROWS)
    (here / "m.tfg").write_text(MODEL.format(**EXPORTED))
    assert main(["run", "-q", "m.tfg"]) == 0
    assert predict() == 0
    os.remove("m.ckpt.data.json")
    os.remove("m.ckpt.manifest")
    capsys.readouterr()
    assert predict(out="out2.csv") == 0
    assert "TFG887" in capsys.readouterr().err
    assert (here / "out2.csv").read_bytes() == (here / "out.csv").read_bytes()


def test_checkpoints_of_a_training_and_values_that_trainings_feed(here, capsys):
    (here / "old.csv").write_text(ROWS)
    (here / "new.csv").write_text(ROWS)
    settings = {
        "options": ", stream=true", "after": "print mse with X = X0, y = y0".replace("print", "# print"),
        "training": 'checkpoint every 1 step in "kept"\n        stop when step >= 3',
    }  # fmt: skip
    text = MODEL.format(**settings).replace("on old as", "on old in batches of 2 as")
    (here / "m.tfg").write_text(text)
    count = iter(range(100))
    options = tfdsl.Options(write=lambda line: None, interrupted=lambda: next(count) == 3)
    program = tfdsl.compile("m.tfg")
    assert program.run(options=options).interrupted
    command = ["predict", "m.tfg", "--from", "kept", "--data", "old=new.csv", "-o", "out.csv", "--values"]
    assert main([*command, "p,best"]) == 0
    rows = written("out.csv")
    assert [row["id"] for row in rows] == list("12345") and {"p_0", "p_1", "best"} < set(rows[0])
    assert sorted(os.listdir("kept")), "reading keeps the checkpoints"
    for name, code in (("centred", "TFG886"), ("mse", "TFG886"), ("q", "TFG883"), ("rate", "TFG884"), ("w", "TFG884")):
        capsys.readouterr()
        assert main([*command, name]) == (2 if code == "TFG883" else 1)
        assert code in capsys.readouterr().err, name
    assert main(command[:-1]) == 1
    assert "TFG880" in capsys.readouterr().err
    assert main(["predict", "m.tfg", "--from", "none", "--data", "new.csv", "-o", "out.csv", "--values", "p"]) == 1
    assert "none" in capsys.readouterr().err


def test_what_feeds_is_not_guessed(here, capsys):
    (here / "a.csv").write_text("x,y\n1,2\n2,3\n")
    text = (
        'data a = csv("a.csv", target="y") | standardize\ndata b = csv("a.csv", target="y") | minmax\n'
        "placeholder X: float32[n, 1]\nplaceholder k: float32\nvariable w = 2.0\np = X * w\nq = p * k\n"
        'session:\n    print p with X = a.features\n    print q with X = b.features, k = 3.0\n    save to "m.ckpt"\n'
    )
    (here / "m.tfg").write_text(text)
    assert main(["run", "-q", "m.tfg"]) == 0
    command = ["predict", "m.tfg", "--from", "m.ckpt", "-o", "out.csv", "-q", "--values"]
    capsys.readouterr()
    assert main([*command, "p", "--data", "a.csv"]) == 1
    err = capsys.readouterr().err
    assert "TFG885" in err and "a.features or b.features" in err and "--data a=PATH or --data b=PATH" in err
    assert main([*command, "p", "--data", "b=a.csv"]) == 0
    assert [float(row["p"]) for row in written("out.csv")] == [0.0, 2.0]
    assert main([*command, "q", "--data", "b=a.csv", "--overwrite"]) == 1
    assert "line 10 feeds" in capsys.readouterr().err
    (here / "m.tfg").write_text(
        text + '    export p with X = a.features to "one"\n    export q with X = a.features, k to "two"\n'
    )
    assert main([*command[:-1], "--data", "a.csv"]) == 1
    assert "TFG881" in capsys.readouterr().err
    (here / "m.tfg").write_text(text + '    export q with X = a.features, k to "two"\n')
    assert main([*command[:-1], "--data", "a.csv"]) == 1
    assert "TFG882" in capsys.readouterr().err


def test_two_data_sets_of_one_file_and_of_two(here, capsys):
    (here / "old.csv").write_text("a,b,y\n1,x z,3\n2,y,4\n4,z,5\n")
    text = (
        'data n = csv("old.csv", target="y") | select("a") | standardize\n'
        'data t = csv("old.csv", target="y") | tokens("b", size=2)\n'
        "placeholder X: float32[rows, 1]\nplaceholder words: int64[rows, 2]\nvariable w = 2.0\n"
        'p = X * w + cast(words, float32)\nsession:\n    save to "m.ckpt"\n'
        '    export p with X = n.features, words = t.b to "served"\n'
    )
    (here / "m.tfg").write_text(text)
    assert main(["run", "-q", "m.tfg"]) == 0
    assert predict(data="old.csv") == 0
    rows = np.array([[row["p_0"], row["p_1"]] for row in written("out.csv")], np.float32)
    program = tfdsl.compile("m.tfg")
    own = program.dataset("n").features * 2 + program.dataset("t").array("b")
    np.testing.assert_allclose(rows, own, rtol=1e-6)
    (here / "short.csv").write_text("a,b\n1,x\n")
    capsys.readouterr()
    assert predict("--data", "t=short.csv", "--overwrite", data="n=old.csv") == 1
    assert "TFG888" in capsys.readouterr().err


def refused(capsys, *options, data="new.csv"):
    """The messages of `tfdsl predict` for a model in `m.ckpt`."""
    capsys.readouterr()
    code = predict("-q", *options, data=data)
    err = capsys.readouterr().err
    assert code == (2 if "TFG883" in err else 1)
    return err


def test_helps_name_what_can_be_predicted(model, capsys):
    (model / "new.csv").write_text(ROWS)
    for name, code in (("mse", "TFG886"), ("centred", "TFG886"), ("q", "TFG883"), ("w", "TFG884")):
        err = refused(capsys, "--values", name)
        assert code in err and re.search(r"help: .*: p, best\n", err), err
    text = MODEL.format(**SAVED)
    try:
        (model / "m.tfg").write_text(text)
        err = refused(capsys)
        assert "TFG880" in err and "--values, from: p, best;" in err and "export p with X = old.features" in err
        (model / "m.tfg").write_text(
            MODEL.format(**EXPORTED)
            .replace("best =", "placeholder k: float32\nq = p * k\nbest =")
            .replace("p, best with X = old.features", "q with X = old.features, k")
        )
        err = refused(capsys)
        assert "TFG882" in err and "placeholder k: float32 = ...;" in err
    finally:
        (model / "m.tfg").write_text(MODEL.format(**EXPORTED))


def test_values_that_need_a_column_that_lacks(here, capsys):
    """An error that names it, and what can be predicted without it."""
    (here / "old.csv").write_text(ROWS)
    text = MODEL.format(**SAVED).replace("mse =", "miss = square(p - y)\nnoted = y + p * 0.0\nmse =")
    (here / "m.tfg").write_text(text)
    assert main(["run", "-q", "m.tfg"]) == 0
    (here / "new.csv").write_text("sex,age,fare,home city,flag\nmale,1,2,Rome,true\n")
    err = refused(capsys, "--values", "p,miss")
    assert 'error[TFG894]: miss needs old.target, and "new.csv" has no column "price"' in err
    assert 'add it to "new.csv"; or name values that do not need it with --values, from: best\n' in err
    assert not (here / "out.csv").exists()
    assert "from: p, best; or write in a session: export p with X = old.features to PATH\n" in refused(capsys)
    (here / "new.csv").write_text(ROWS)
    assert predict("--values", "p,miss") == 0
    p, miss = (np.array([[float(row[f"{name}_{at}"]) for at in (0, 1)] for row in written("out.csv")])
               for name in ("p", "miss"))  # fmt: skip
    np.testing.assert_allclose(miss, np.square(p - [[5], [6], [7], [8], [2]]), rtol=1e-5)
    windows = (
        'data old = csv("old.csv", target="price") | windows("fare", size=2) | select("window")\n'
        "placeholder X: float32[n, 2, 1]\nplaceholder y: float32[n, 1]\nvariable w = 2.0\n"
        "p = reduce_sum(X * w, axis=1)\nmiss = p - y\nsession:\n"
        '    print miss with X = old.features, y = old.target\n    save to "m.ckpt"\n'
    )
    (here / "m.tfg").write_text(windows)
    assert main(["run", "-q", "m.tfg"]) == 0
    err = refused(capsys, "--values", "miss")
    assert '"new.csv" has no target for rows that come after the last one' in err and "--values, from: p\n" in err
    err = refused(capsys)
    assert "TFG880" in err and err.endswith("with --values, from: p\n\n"), "a graph cannot make windows"


def test_helps_name_what_the_program_names(here, capsys):
    """Neither what is inside of calls nor `_`; what is exported comes first, by its name in the program."""
    (here / "old.csv").write_text(ROWS)
    text = """import nn
data old = csv("old.csv", target="price") | select("fare") | standardize
placeholder X: float32[n, old.columns]
h, _ = X * 2.0, X * 3.0
price = nn.dense(h, 1)
def twice(x):
    big = x * 2.0
    return big + 1.0
q = twice(price)
session:
    init
    print q with X = old.features
    save to "m.ckpt"
    export price with X to "served"
"""
    (here / "m.tfg").write_text(text)
    assert main(["run", "-q", "m.tfg"]) == 0
    assert predict(data="old.csv") == 0 and list(written("out.csv")[0]) == ["price"], "X is fed from one data set"
    assert "name one of: price, h, q\n" in refused(capsys, "--values", "none_of_them", data="old.csv")
    (here / "m.tfg").write_text(text.replace("print q with X = old.features", "print q with X = [[1.0]]"))
    err = refused(capsys, data="old.csv")
    assert "TFG885" in err and "export price with X = DATA.features to PATH\n" in err
    (here / "m.tfg").write_text(
        text.replace("export price with X to", 'export price with X = old.features to "a"\n    '
                     "export twice.big with X = old.features to") )  # fmt: skip
    err = refused(capsys, data="old.csv")
    assert "TFG881" in err and "price; twice.big" in err and "say which: --values price\n" in err


def test_helps_for_a_model_that_does_not_fit(model, capsys):
    """They speak of the command, not of `restore`, and the place is the option."""
    (model / "new.csv").write_text(ROWS)

    def of(program, checkpoint="m.ckpt"):
        (model / "other.tfg").write_text(program)
        capsys.readouterr()
        command = ["predict", "other.tfg", "--from", checkpoint, "--data", "new.csv", "-o", "out.csv"]
        assert main([*command, "-q"]) == 1
        err = capsys.readouterr().err
        assert "\n --> --from\n  |\n  | " in err and "restore" not in err.partition("help")[2]
        return err

    text = MODEL.format(**EXPORTED)
    assert 'did you mean "m.ckpt"?' in of(text, "n.ckpt")
    assert 'did you mean "m.ckpt"?' in of(text, "m")
    assert "help: train the model first: tfdsl run" in of(text, "nothing")
    assert "use the program that the model was trained with" in of(
        text.replace("p = X @ w", "variable b = 1.0\np = X @ w + b")
    )
    (model / "rows.csv").write_text(ROWS.replace("Oslo", "Bonn").replace("Paris", "Rome"))
    err = of(text.replace("old.csv", "rows.csv"))
    assert "TFG706" in err
    assert (
        '= in m.ckpt.data.json, categories of "home city" are "Oslo", "Paris", "Rome", and "Bonn", "Rome" for old'
        in err
    )


def test_the_data_of_the_program_must_be_there_but_only_its_columns_count(model, capsys):
    (model / "new.csv").write_text(ROWS)
    assert predict("-q") == 0
    whole = written("out.csv")
    os.rename("old.csv", "away.csv")
    try:
        err = refused(capsys, "--overwrite")
        assert "TFG603" in err and "predict checks the whole program, so the file of its own data must be there" in err
        some = ROWS.splitlines(keepends=True)
        (model / "old.csv").write_text("".join(some[:1] + [line.replace("0", "7") for line in some[1:]]))
        assert predict("-q") == 0 and written("out.csv") == whole
    finally:
        os.replace("away.csv", "old.csv")


def test_a_folder_of_files(model, capsys):
    (model / "rows").mkdir(exist_ok=True)
    (model / "rows" / "1.csv").write_text(ROWS)
    err = refused(capsys, data="rows/")
    assert "TFG676" in err and 'name its files by a pattern: "rows/*.csv"' in err
    assert predict("-q", data="rows/*.csv") == 0 and len(written("out.csv")) == 5


def test_pictures_by_their_folder(here):
    """A folder of pictures, one picture, and a pattern give the same values. Other files in the folder are not read."""
    for at, name in enumerate(("known/dark/1.png", "known/light/2.png", "new/3.png", "new/4.JPG")):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 2), 60 * at).save(name)
    (here / "new" / "notes.csv").write_text("file,note\n3.png,blurred\n")
    (here / "m.tfg").write_text(
        'data d = images("known", channels=1)\nplaceholder X: float32[n, 2, 3, 1]\nvariable w = 0.5\n'
        "p = reduce_max(X * w, axis=[1, 2, 3])\n"
        'session:\n    print p with X = d.image\n    save to "m.ckpt"\n'
    )
    assert main(["run", "-q", "m.tfg"]) == 0
    for data, rows in {
        "new": [["new/3.png", "60"], ["new/4.JPG", "90"]],
        "d=new/": [["new/3.png", "60"], ["new/4.JPG", "90"]],
        "new/3.png": [["new/3.png", "60"]],
        "new/*.png": [["new/3.png", "60"]],
        "known": [["known/dark/1.png", "0"], ["known/light/2.png", "30"]],
    }.items():
        assert predict("-q", "--values", "p", "--overwrite", data=data) == 0
        assert [[row["path"], row["p"]] for row in written("out.csv")] == rows


def test_a_file_of_pictures(here, capsys):
    np.save("shown.npy", np.arange(32.0).reshape(2, 2, 2, 4) * 8)
    (here / "m.tfg").write_text(
        'data d = npy("shown.npy")\nplaceholder X: float32[n, 2, 2, 4]\nvariable w = 1.0\np = X * w\n'
        'session:\n    print reduce_sum(p) with X = d.features\n    save to "m.ckpt"\n'
    )
    assert main(["run", "-q", "m.tfg"]) == 0
    assert predict("--values", "p", data="shown.npy", out="out.png") == 0, capsys.readouterr().err
    assert (here / "out.png").read_bytes().startswith(b"\x89PNG")


def test_other_files_are_left_alone(model, capsys):
    (model / "new.csv").write_text(ROWS)
    (model / "out.csv").write_text("mine")
    assert predict() == 1 and (model / "out.csv").read_text() == "mine"
    assert "out.csv exists" in capsys.readouterr().err
    assert predict("--overwrite") == 0 and len(written("out.csv")) == 5
    assert predict() == 0, "tfdsl wrote it"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "new.csv", "-o", "out.txt"], "'out.txt' does not end in .csv, .npy, .npz, .parquet or .png\n"),
        (["--data", "new.csv", "-o", "out.parqet"], "or .png; did you mean 'out.parquet'?\n"),
        (["-o", "out.csv"], "--data PATH"),
        (["--data", "new.csv", "-o", "out.csv", "--only", "a,,b"], "commas"),
        (["--data", "new.csv", "--data", "other.csv", "-o", "out.csv"], "twice"),
        (["--data", "new.csv", "--json"], "-o"),
    ],
)
def test_wrong_use(model, options, words, capsys):
    try:
        code = main(["predict", "m.tfg", "--from", "m.ckpt", *options])
    except SystemExit as ended:
        code = ended.code
    assert code == 2 and words in capsys.readouterr().err


def test_the_help_lists_the_suffixes_of_outputs(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "--output OUT the file to write, whose name ends in .csv, .npy, .npz, .parquet or .png" in shown


def test_params_and_unknown_data(model, capsys):
    (model / "new.csv").write_text(ROWS)
    assert predict("--set", "rate=0.5") == 0
    assert predict(data="odl=new.csv") == 2
    assert "TFG805" in capsys.readouterr().err
    assert predict(data="no.csv", out="out2.csv") == 1
    assert "no.csv" in capsys.readouterr().err


def test_the_example_of_the_docs(here):
    page = (Path(__file__).parents[2] / "docs/commands.md").read_text().partition("## predict")[2].partition("\n## ")[0]
    for name, text in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", page, flags=re.DOTALL):
        (here / name).write_text(text)
    commands, *_ = re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL)
    for line in commands.splitlines():
        assert main(shlex.split(line)[1:]) == 0
    (shown,) = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    for row, other in zip(written("out.csv"), csv.DictReader(shown.splitlines()), strict=True):
        assert row["id"] == other["id"] and float(row["price"]) == pytest.approx(float(other["price"]), rel=1e-4)


TWO = """
data a = csv("a.csv", target="y") | aside("id", "note") | standardize("x")
data b = csv("a.csv", target="y") | aside("id") | drop("note") | minmax("x")
placeholder X: float32[n, 1]
placeholder Z: float32[n, 1]
variable w = 1.0
s = X * w + Z
note = s + 1.0
session:
    init
    save to "m.ckpt"
    export s with X = a.features, Z = b.features to "served"
"""


def test_keys_are_not_lost(here, capsys):
    (here / "a.csv").write_text("id,x,y,note\n1,2,3,u\n1,3,4,\n2,4,5,w\n")
    (here / "b.csv").write_text("id,x\n1,2\n7,3\n9,4\n")
    (here / "m.tfg").write_text(TWO)
    tfdsl.compile("m.tfg").run()
    assert predict("-q", data="a.csv") == 0
    assert [(row["id"], row["note"]) for row in written("out.csv")] == [("1", "u"), ("1", ""), ("2", "w")]
    err = refused(capsys, "--data", "b=b.csv", data="a=a.csv")
    assert "TFG893" in err and '"id" is "1" in row 2 of a, and "7" in that of b' in err
    (here / "b.csv").write_text("x\n2\n3\n4\n")
    assert predict("-q", "--data", "b=b.csv", data="a=a.csv") == 0
    (here / "m.tfg").write_text(TWO.replace("export s", "export note"))
    err = refused(capsys, "--overwrite", data="a.csv")
    assert "TFG891" in err and '"note" is a value and a column that is set aside' in err
    (here / "c.csv").write_text("id,x\n1,2\n1,3\n2,4\n")
    assert predict("-q", data="c.csv") == 0 and list(written("out.csv")[0]) == ["id", "note"]


def test_helps_can_be_followed_without_training_again(model, capsys):
    lines = ROWS.splitlines(keepends=True)
    (model / "new.csv").write_text(lines[0] + lines[1].replace("7.25", ""))
    assert "help: give it a value in the file, or leave the row out; or write" in refused(capsys)
    (model / "new.csv").write_text("1,1,30,7.25,2,3,4,5\n1,2,30,7.25,2,3,4,5\n")
    (names,) = re.findall("above it, such as (.*)", refused(capsys))
    assert names == "sex,age,fare,home city,flag"


def test_rounded_numbers_are_one_note(here, capsys):
    """Of all columns of a file."""
    (here / "old.csv").write_text("a,b,c,y\n1,2,3,0\n2,3,4,1\n")
    (here / "new.csv").write_text("a,b,c\n1,16777217,1\n16777219,1,16777221\n")
    (here / "m.tfg").write_text(
        'data old = csv("old.csv", target="y")\nplaceholder X: float32[n, 3]\nvariable w = 2.0\np = w * X\n'
        'session:\n    init\n    save to "m.ckpt"\n    export p with X = old.features to "served"\n'
    )
    assert main(["run", "-q", "m.tfg"]) == 0
    capsys.readouterr()
    assert predict("-q") == 0
    (note,) = capsys.readouterr().err.splitlines()
    assert note == ('tfdsl: row 2 of "a" in old is 16777219, and 16777220 as float32; "b", "c" have such numbers too')
