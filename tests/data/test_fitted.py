"""`fitted`: rows transformed with what another data set has learned."""

import re

import numpy as np
import pytest

import tfdsl
from tfdsl.diagnostics import TfgError

TRAIN = "id,age,city,class,price\n1,30,Rome,a,5\n2,,Oslo,b,6\n3,50,Rome,c,7\n4,41,Paris,a,8\n"
PIPELINE = """
data old = csv("old.csv", target="price")
    | aside("id") | drop("class") | split(test=0.25, seed=1)
    | fill("age", with="mean") | one_hot("city") | standardize("age")
"""
SHOW = """
placeholder X: float32[n, {data}.columns]
session: print X with X = {data}.features
"""


def printed(text, here, **options):
    return tfdsl.compile(text, **options).run().printed


def features(text, data):
    return tfdsl.compile(text).dataset(data).features


@pytest.fixture
def files(here):
    (here / "old.csv").write_text(TRAIN)
    return here


NEW = 'data new = csv("new.csv") | fitted(old)\n'


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (TRAIN, [0, 1, 2, 3]),
        ("id,age,city,class,price\n4,41,Paris,a,8\n", [3]),
        ("price,class,city,age,id\n8,a,Paris,41,4\n5,a,Rome,30,1\n", [3, 0]),
        ("city,age\nOslo,\nRome,50\n", [1, 2]),
        ("city;age\nOslo;\nRome;50.0\n", [1, 2]),
    ],
)
def test_rows_are_matched_by_name(files, text, rows):
    (files / "new.csv").write_text(text)
    old = features(PIPELINE, "old")
    assert (features(PIPELINE + NEW, "new") == old[rows]).all()


def test_a_missing_target_and_key_are_no_fields(files):
    (files / "new.csv").write_text("city,age,id\nRome,1,77\n")
    data = tfdsl.compile(PIPELINE + NEW).dataset("new")
    assert data.target is None and data.array("id").tolist() == [77]


def test_a_model_predicts_the_same_for_the_same_rows(files):
    (files / "new.csv").write_text("age,city\n30,Rome\n50,Rome\n")
    text = (
        PIPELINE
        + NEW
        + """
placeholder X: float32[n, old.columns]
placeholder y: float32[n, 1]
variable w: float32[old.columns, 1] = zeros
p = X @ w
optimize reduce_mean(square(p - y)) with gradient_descent(learning_rate=0.1)
session:
    train 30 epochs on old.train as batch with engine="step":
        feed X = batch.features, y = batch.target
    print p with X = old.features
    print p with X = new.features
"""
    )
    program = tfdsl.compile(text)
    assert {one.code for one in program.diagnostics} == {"TFG660"}, "of old.test; the scaling is one"
    whole, some = program.run().printed
    rows = [line.strip(" []") for line in whole.splitlines()]
    assert [line.strip(" []") for line in some.splitlines()] == [rows[0], rows[2]]


def test_unseen_categories_are_counted(files):
    (files / "new.csv").write_text("age,city\n30,Bonn\n41,Kyiv\n1,Bonn\n")
    program = tfdsl.compile(PIPELINE + NEW)
    (warning,) = [one for one in program.diagnostics if "that old has" in one.headline]
    assert warning.headline == '"city" has categories that old has not learned, in 3 cells: "Bonn", "Kyiv"'
    assert (program.dataset("new").features[:, 1:] == 0).all()


def test_unseen_categories_of_every_column_are_counted(files):
    """Those of whole numbers too, and those that a transform has made."""
    (files / "old.csv").write_text("kind,zone,when,y\na,1,2024-01-01,1\nb,2,2024-02-01,2\n")
    (files / "new.csv").write_text("kind,zone,when\nc,1,2024-03-01\na,7,2024-01-01\nd,1e30,2024-03-01\n")
    program = tfdsl.compile(
        'data old = csv("old.csv", target="y") | date_parts("when", parts=["month"]) | categories("zone", "when_month")\n'
        '    | one_hot("kind")\n' + NEW
    )
    (warning,) = [one for one in program.diagnostics if one.code == "TFG660"]
    assert [warning.headline, *(note.text for note in warning.notes)] == [
        '"zone" has categories that old has not learned, in 2 cells: "7", "1e+30"',
        '"when_month" has categories that old has not learned, in 2 cells: "3"',
        '"kind" has categories that old has not learned, in 2 cells: "c", "d"',
    ]
    assert program.dataset("new").features.tolist() == [[0, 0, 0, -1], [1, 0, -1, 0], [0, 0, -1, -1]]


@pytest.mark.parametrize("names", ["abc", "798"], ids=["texts", "numbers"])
@pytest.mark.parametrize(
    ("classes", "unseen", "lacks"),
    [
        ("ab", "", ""), ("??", "", "is missing in 2 rows"), ("a?", "", "is missing in 1 row"), ("", "", "no column"),
        ("ac", "1 cell", ""), ("c?", "1 cell", "is missing in 1 row"),
    ],
)  # fmt: skip
def test_rows_whose_classes_are_to_be_predicted(files, names, classes, unseen, lacks):
    """A missing class is no class that was not learned. A row of another class is."""
    cells = [one.translate(str.maketrans("abc?", f"{names} ")).strip() for one in classes]
    (files / "old.csv").write_text("size,class\n1,{}\n2,{}\n3,{}\n".format(*names[:2], names[0]))
    (files / "new.csv").write_text("size,class\n0,{}\n1,{}\n".format(*cells) if cells else "size\n0\n1\n")
    text = 'data old = csv("old.csv", target="class") | categories("class") | standardize\n' + NEW
    program = tfdsl.compile(text)
    said = [one.headline for one in program.diagnostics if one.code == "TFG660"]
    assert said == ([f'"class" has categories that old has not learned, in {unseen}: "{names[2]}"'] if unseen else [])
    assert program.dataset("new").features.shape == (2, 1)
    if lacks:
        with pytest.raises(TfgError) as caught:
            tfdsl.compile(f"{text}t = new.target\n")
        (error,) = [one for one in caught.value.diagnostics if one.severity == "error"]
        assert error.code == "TFG304" and lacks in error.help_line and "are there to predict it" in error.help_line
    else:
        assert program.dataset("new").target.tolist() == [[0], [-1 if unseen else 1]]


def test_the_rows_that_have_their_class(files):
    """As the message about a target with missing cells says."""
    (files / "old.csv").write_text("size,class\n1,a\n2,b\n3,a\n")
    (files / "new.csv").write_text("size,class\n1,b\n2,\n")
    text = (
        'data old = csv("old.csv", target="class") | categories("class") | standardize\n'
        'data new = csv("new.csv"{named}) | fitted(old)\nt = new.target\n'
    )
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(text.format(named=""))
    assert 'target="class", and after it | where(class == class)' in str(caught.value)
    program = tfdsl.compile(
        text.replace(" | fitted", " | where(class == class) | fitted").format(named=', target="class"')
    )
    assert program.dataset("new").target.tolist() == [[1]]


@pytest.mark.parametrize("repeated", ["one_hot", "categories", "polynomial(degree=2)"])
def test_a_transform_that_fitted_repeats_is_left_out(files, repeated):
    """It would change the columns that the other transforms are for."""
    columns = "age" if "polynomial" in repeated else "city"
    (files / "old.csv").write_text(f"{columns},y\n3,1\n4,2\n" if columns == "age" else "city,y\nRome,1\nOslo,2\n")
    (files / "new.csv").write_text(f"{columns}\n5\n" if columns == "age" else "city\nRome\n")
    text = f'data old = csv("old.csv", target="y") | {repeated}\ndata new = csv("new.csv") | {repeated} | fitted(old)\n'
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(text)
    (diagnostic,) = caught.value.diagnostics
    name = repeated.partition("(")[0]
    assert diagnostic.help_line == f"leave {name} out: fitted(old) does all that old does"
    assert tfdsl.compile(text.replace(f" | {repeated} | fitted", " | fitted")).dataset("new").features.shape[0] == 1


@pytest.mark.parametrize("cell", ["1.5", "1e30", "99999999999999999999"])
@pytest.mark.parametrize("stream", ["", ", stream=true"])
def test_a_column_of_whole_numbers_stays_one(files, cell, stream):
    (files / "old.csv").write_text("zone,y\n1,1\n2,2\n")
    (files / "new.csv").write_text(f"zone\n1\n{cell}\n")
    data = tfdsl.compile(
        f'data old = csv("old.csv", target="y")\ndata new = csv("new.csv"{stream}) | fitted(old)\n'
    ).dataset("new")
    with pytest.raises(TfgError, match=r'row 2 \(line 3\) of "zone" is .*, not a finite number that fits int64'):
        data.array("zone")
    assert data.features.tolist() == [[1], [np.float32(cell)]]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("age,town\n1,Rome\n", "TFG658", ('no column "city"', 'and "town" is new')),
        ("city\nRome\n", "TFG658", ('new.csv are not those that old has learned from: it has no column "age"',)),
        ("age,city\nold,Rome\n", "TFG659", ('"age" is string, not float32',)),
        ("age,city\n1,\n", "TFG637", ('row 1 (line 2) of column "city"', "one_hot of old")),
        ("age,city\n1\n", "TFG611", ("1 cell",)),
    ],
)
def test_what_differs_is_an_error(files, text, code, words):
    (files / "new.csv").write_text(text)
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(PIPELINE + NEW)
    (diagnostic,) = [one for one in caught.value.diagnostics if one.severity == "error"]
    assert diagnostic.code == code and all(word in diagnostic.headline for word in words)


def test_a_key_with_other_capitals_is_renamed(files):
    """It is not needed, but would be lost if it were left out."""
    (files / "old.csv").write_text("key,age,y\n1,3,1\n2,4,2\n")
    (files / "new.csv").write_text("Key,age\n7,5\n")
    with pytest.raises(TfgError) as caught:
        tfdsl.compile('data old = csv("old.csv", target="y") | aside("key")\ndata new = csv("new.csv") | fitted(old)\n')
    assert caught.value.diagnostics[0].help_line == 'rename "Key" to "key", as capitals count'


def test_all_dtypes_that_differ_are_printed_to_paste(files):
    (files / "old.csv").write_text('size,zip,key,y\n1,"a",1,1\n2,"22",2,2\n')
    (files / "new.csv").write_text("size,zip,key\n01,22,x\n02,33,y\n")
    old = 'data old = csv("old.csv", target="y") | aside("key") | one_hot("zip") | standardize("size")\n'
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(f'{old}data new = csv("new.csv") | fitted(old)\n')
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG659" and '"size" is string, not int64, and "zip" is int64, not string' in str(
        diagnostic.headline
    )
    assert diagnostic.notes[0].text.endswith("new.csv:2:1") and '"01"' in diagnostic.help_line
    (given,) = re.findall(r"columns=\{.*?\}", diagnostic.help_line)
    assert given == 'columns={"size": int64, "zip": string}'
    program = tfdsl.compile(f'{old}data new = csv("new.csv", {given}) | fitted(old)\n')
    np.testing.assert_allclose(program.dataset("new").features, [[-1, 1, 0], [1, 0, 0]])
    assert program.dataset("new").array("key").tolist() == [b"x", b"y"]


def test_a_gap_in_a_column_that_had_none(files):
    text = PIPELINE.replace('fill("age", with="mean") | ', 'drop("age") | ').replace(' | standardize("age")', "")
    text = text.replace('"class")', '"class")').replace('drop("class")', 'categories("class")')
    (files / "new.csv").write_text("age,city,class\n1,Rome,\n")
    with pytest.raises(TfgError, match="TFG637"):
        tfdsl.compile(text + NEW)


def test_fitted_needs_data(files):
    with pytest.raises(TfgError) as caught:
        tfdsl.compile('data new = csv("old.csv") | fitted(3)\n')
    assert [one.code for one in caught.value.diagnostics] == ["TFG657"]


def test_fitted_to_a_fitted_data_set(files):
    (files / "new.csv").write_text("age,city\n30,Rome\n")
    text = PIPELINE + NEW + 'data newer = csv("new.csv") | fitted(new)\n'
    program = tfdsl.compile(text)
    np.testing.assert_array_equal(program.dataset("newer").features, program.dataset("new").features)


def test_transforms_that_learn_nothing_too(files):
    text = (
        'data old = csv("old.csv", target="price", columns={"age": float32}) | fill("age", with=1)\n'
        '    | select("age") | polynomial(degree=2) | minmax | add_bias\n'
        'data new = csv("new.csv") | select("age") | fitted(old)\n'
    )
    (files / "new.csv").write_text("age\n50\n41\n")
    program = tfdsl.compile(text)
    assert (program.dataset("new").features == program.dataset("old").features[[2, 3]]).all()


EMBEDDED = """import nn
data old = csv("old.csv") | select("city") | categories("city")
data new = csv("new.csv") | fitted(old)
placeholder X: int64[n]
rows = nn.embedding({ids}, size={size}, units=2)
session:
    init
    print {shown} with X = {data}.city
"""


def test_a_category_without_a_row_in_an_embedding(files):
    (files / "new.csv").write_text("city\nRome\nLima\n")
    with pytest.raises(TfgError, match=r"indices\[1\] = -1 is not in \[0, 3\)") as caught:
        tfdsl.compile(EMBEDDED.format(ids="X", size=3, shown="rows", data="new")).run()
    (fault,) = caught.value.diagnostics
    assert "add 1 to the numbers, and give the table 4 rows" in fault.help_line
    mended = EMBEDDED.format(ids="X + 1", size=4, shown="shape(rows)", data="new")
    assert printed(mended, files) == ["[2 2]"]
    with pytest.raises(TfgError, match=r"= 2 is not in \[0, 2\)") as caught:
        tfdsl.compile(EMBEDDED.format(ids="X", size=2, shown="rows", data="old")).run()
    assert caught.value.diagnostics[0].help_line == "give the table 3 rows"


@pytest.mark.parametrize(
    ("label", "help"),
    [
        (-1, "if -1 is a class that the data has not learned, leave its rows out by the text of the file, before "
         'categories: | where(NAME != "CLASS") | categories("NAME")'),
        (-2, "classes count from 0"),
        (3, "give the logits 4 columns, one for each class; or if they count from 1, subtract 1 in the graph"),
        (4, "give the logits 5 columns, one for each class"),
    ],
)  # fmt: skip
def test_a_class_without_a_logit(label, help):
    text = "import nn\nplaceholder y: int64[n]\nloss = nn.sparse_softmax_cross_entropy(y, ones([2, 3]))\n"
    program = tfdsl.compile(f"{text}session: print loss with y = [0, {label}]\n")
    with pytest.raises(TfgError, match="Received a label value") as caught:
        program.run()
    assert caught.value.diagnostics[0].help_line == help
