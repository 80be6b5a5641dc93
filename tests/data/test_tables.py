"""Columns of text and numbers, missing cells, and the transforms that deal with them, against scikit-learn."""

import csv
import random
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import tfdsl
from tfdsl.data import DataError, schema_of
from tfdsl.data.load import load
from tfdsl.data.sources.csv import reader
from tfdsl.diagnostics import TfgError

ROWS = 200


def step(name, *columns, **arguments):
    return SimpleNamespace(name=name, arguments={**({"columns": columns} if columns else {}), **arguments})


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A file with numbers, text and gaps. Returns its folder and its cells by column."""
    drawn = random.Random(3)
    columns = {
        "id": [str(at) for at in range(ROWS)],
        "age": [drawn.choice(["", f"{drawn.uniform(1, 80):.1f}"]) for _ in range(ROWS)],
        "sex": [drawn.choice(["male", "female"]) for _ in range(ROWS)],
        "home city": [drawn.choice(["", "Rome", "Oslo", "Paris, Texas", "Ürgüp"]) for _ in range(ROWS)],
        "class": [str(drawn.choice([1, 2, 3])) for _ in range(ROWS)],
        "member": [drawn.choice(["true", "False"]) for _ in range(ROWS)],
        "fare": [f"{drawn.expovariate(0.05):.2f}" for _ in range(ROWS)],
        "survived": [str(drawn.choice([0, 1])) for _ in range(ROWS)],
    }
    folder = tmp_path_factory.mktemp("people")
    with open(folder / "people.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return folder, columns


@pytest.fixture(params=[False, True], ids=["held", "streamed"])
def made(request, people):
    def make(*transforms, **arguments):
        arguments = {"path": "people.csv", "target": "survived", "stream": request.param, **arguments}
        declared = SimpleNamespace(
            name="d", source=step("csv", **arguments), transforms=transforms, folder=str(people[0])
        )
        return load(declared), schema_of(declared)

    return make


def numbers(columns, name):
    return np.array([float(cell) if cell else np.nan for cell in columns[name]])


SPLIT = step("split", test=0.25, seed=7)


def parts(values):
    return train_test_split(values, test_size=0.25, random_state=7)


def test_dtypes_and_columns(made, people):
    data, schema = made()
    assert [(one.name, one.dtype.name, one.gaps > 0) for one in schema.table] == [
        ("id", "int64", False), ("age", "float32", True), ("sex", "string", False), ("home city", "string", True),
        ("class", "int64", False), ("member", "bool", False), ("fare", "float32", False), ("survived", "int64", False),
    ]  # fmt: skip
    assert schema.column("fare").ends == pytest.approx(
        (min(numbers(people[1], "fare")), max(numbers(people[1], "fare")))
    )
    assert data.array("sex")[:].tolist() == [cell.encode() for cell in people[1]["sex"]]
    assert data.array('["home city"]')[:].tolist() == [cell.encode() for cell in people[1]["home city"]]
    assert data.array("member")[:].tolist() == [cell == "true" for cell in people[1]["member"]]
    assert data.array("class").dtype == np.int64 and data.array("fare").dtype == np.float32
    with pytest.raises(DataError) as caught:
        data.array("age")
    assert caught.value.message.code == "TFG637"


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_fill_learns_from_the_training_rows(made, people, strategy):
    data, schema = made(step("fill", "age", **{"with": strategy}), SPLIT)
    ages = numbers(people[1], "age")[:, None]
    train, test = parts(ages)
    imputer = SimpleImputer(strategy=strategy).fit(train)
    for part, values in ((data.train, train), (data.test, test), (data, ages)):
        np.testing.assert_allclose(part.array("age"), imputer.transform(values)[:, 0], rtol=1e-6)
    assert schema.column("age").gaps == 0


def test_fill_with_a_value_and_text(made, people):
    data, _ = made(step("fill", "age", **{"with": -1}), step("fill", "home city", **{"with": "nowhere"}))
    assert (data.array("age") == np.nan_to_num(numbers(people[1], "age"), nan=-1).astype(np.float32)).all()
    assert data.array('["home city"]')[:].tolist() == [(cell or "nowhere").encode() for cell in people[1]["home city"]]
    most, _ = made(step("fill", **{"with": "most_frequent"}))
    cities = [cell for cell in people[1]["home city"] if cell]
    wanted = min(sorted(set(cities)), key=lambda one: -cities.count(one))
    assert {a for a, b in zip(most.array('["home city"]')[:], people[1]["home city"], strict=True) if not b} == {
        wanted.encode()
    }


def test_a_table_through_scikit_learn_by_hand(made, people):
    data, schema = made(
        step("drop", "member"), step("aside", "id"), step("fill", "age", **{"with": "median"}),
        step("fill", "home city", **{"with": "none"}), step("one_hot", "sex", "home city", "class"),
        step("standardize", "age", "fare"), SPLIT,
    )  # fmt: skip
    columns = people[1]
    numeric = np.stack([numbers(columns, "age"), numbers(columns, "fare")], axis=1)
    text = np.array([columns["sex"], [one or "none" for one in columns["home city"]], columns["class"]], object).T
    train, test = parts(np.arange(ROWS))
    imputer = SimpleImputer(strategy="median").fit(numeric[train])
    scaler = StandardScaler().fit(imputer.transform(numeric[train]))
    encoder = OneHotEncoder(sparse_output=False).fit(text[train])
    for part, rows in ((data.train, train), (data.test, test)):
        scaled, hot = scaler.transform(imputer.transform(numeric[rows])), encoder.transform(text[rows])
        wanted = np.column_stack([scaled[:, 0], hot, scaled[:, 1]])
        np.testing.assert_allclose(part.features, wanted, rtol=1e-5, atol=1e-6)
        assert part.array("id").tolist() == rows.tolist()
    assert schema.names == (
        "age", "sex_female", "sex_male", "home city_Oslo", "home city_Paris, Texas", "home city_Rome", "home city_none",
        "home city_Ürgüp", "class_1", "class_2", "class_3", "fare",
    )  # fmt: skip


def test_categories(made, people):
    data, schema = made(step("categories", "sex", "class"), SPLIT)
    assert data.array("sex")[:].tolist() == [["female", "male"].index(cell) for cell in people[1]["sex"]]
    assert data.array("class")[:].tolist() == [int(cell) - 1 for cell in people[1]["class"]]
    assert schema.column("class").ends == (0, 2) and schema.column("sex").dtype.name == "int64"


def test_categories_that_the_training_rows_lack(tmp_path):
    (tmp_path / "x.csv").write_text("c,y\na,1\nb,2\na,3\nz,4\n")
    source = step("csv", path="x.csv", target="y")
    for transform, wanted in ((step("categories", "c"), [[-1.0]]), (step("one_hot", "c"), [[0.0, 0.0]])):
        declared = SimpleNamespace(
            name="d",
            source=source,
            transforms=[transform, step("split", test=0.25, ordered=True)],
            folder=str(tmp_path),
        )
        assert load(declared).test.features.tolist() == wanted


def test_where(made, people):
    columns = people[1]
    condition = ("or", ("and", ("compare", ">", ("name", "fare", ()), ("value", 30)),
                 ("compare", "==", ("name", "sex", ()), ("value", "male"))),
                 ("compare", "in", ("column", "home city"), ("list", ("value", "Rome"), ("value", "Oslo"))))  # fmt: skip
    rows = [
        at
        for at in range(ROWS)
        if columns["home city"][at]
        and (
            (float(columns["fare"][at]) > 30 and columns["sex"][at] == "male")
            or columns["home city"][at] in ("Rome", "Oslo")
        )
    ]
    for transforms in ([step("where", condition=condition)], [step("where", condition=condition), SPLIT]):
        data, schema = made(*transforms)
        assert data.array("id")[:].tolist() == rows and schema.rows == len(rows)
    data, schema = made(SPLIT, step("where", condition=condition))
    train, test = parts(np.arange(ROWS))
    assert data.train.array("id").tolist() == [row for row in train if row in rows]
    assert data.test.array("id").tolist() == [row for row in test if row in rows]
    assert data.array("id")[:].tolist() == rows and dict(schema.parts) == {
        "train": data.train.rows,
        "test": data.test.rows,
    }


@pytest.mark.parametrize("validation", [None, 0.1])
def test_splits(made, validation):
    data, schema = made(step("split", test=0.2, seed=5, validation=validation))
    permutation = np.random.RandomState(5).permutation(ROWS)
    assert data.test.array("id").tolist() == permutation[:40].tolist()
    rest = permutation[40:].tolist()
    if validation:
        assert data.validation.array("id").tolist() == rest[:20]
        rest = rest[20:]
    assert data.train.array("id").tolist() == rest
    assert [name for name, _ in schema.parts] == ["train", *(["validation"] if validation else []), "test"]


def test_an_ordered_split(made):
    data, _ = made(step("split", test=0.2, validation=0.1, ordered=True))
    assert data.train.array("id").tolist() == list(range(140))
    assert data.validation.array("id").tolist() == list(range(140, 160))
    assert data.test.array("id").tolist() == list(range(160, 200))


@pytest.mark.parametrize("ordered", [False, True])
def test_folds(made, ordered):
    folds = KFold(7, shuffle=not ordered, random_state=None if ordered else 3)
    for fold, (train, test) in enumerate(folds.split(np.zeros(ROWS))):
        data, _ = made(step("split", folds=7, fold=fold, seed=3, ordered=ordered))
        assert data.train.array("id").tolist() == train.tolist() and data.test.array("id").tolist() == test.tolist()


def test_rows_of_one_group_stay_together(made):
    data, _ = made(step("fill", "home city", **{"with": "?"}), step("split", by="class", test=0.3))
    train, test = (set(part.array("class").tolist()) for part in (data.train, data.test))
    assert not train & test and train | test == {1, 2, 3}


def test_select_keeps_the_target_and_the_order(made):
    data, schema = made(step("select", "fare", "class"))
    assert schema.names == ("fare", "class") and data.target_name == "survived"


PROGRAM = """
data d = csv("people.csv", target=["survived", "fare"])
    | fill("age", with="mean") | drop("home city")
    | one_hot("sex")
placeholder X: float32[n, d.columns]
placeholder both: float32[n, 2]
placeholder sex: float32[n]
placeholder member: bool[n]
placeholder id: int64[n]
session:
    train 1 epoch on d in batches of 80 ordered as batch:
        run total with X = batch.features, both = batch.target, sex = batch.sex_male, member = batch.member, id = batch["id"]
        print batch.rows, total with X = batch.features, both = batch.target, sex = batch.sex_male, member = batch.member, id = batch.id
"""


@pytest.mark.parametrize("stream", ["false", "true"])
@pytest.mark.parametrize("engine", ["step", "loop"])
def test_a_batch_has_columns_of_all_dtypes(people, monkeypatch, stream, engine):
    monkeypatch.chdir(people[0])
    text = PROGRAM.replace("session:", (
        "variable w = 0.0\n"
        "total = reduce_sum(X) + reduce_sum(both) + reduce_sum(sex) + cast(reduce_sum(id), float32)"
        " + reduce_sum(cast(member, float32)) + w\nsession:"
    )).replace('"fare"])', f'"fare"], stream={stream})')  # fmt: skip
    printed = tfdsl.compile(text).run(options=tfdsl.Options(write=lambda line: None, engine=engine)).printed
    columns = people[1]
    ages = numbers(columns, "age")
    sums = np.nan_to_num(ages, nan=np.nanmean(ages)) + 1 + (np.array(columns["sex"]) == "male")  # one_hot adds up to 1
    sums += 2 * (np.array(columns["member"]) == "true") + 2 * numbers(columns, "id") + numbers(columns, "class")
    sums += numbers(columns, "survived") + numbers(columns, "fare")
    for line, start in zip(printed, range(0, ROWS, 80), strict=True):
        rows, total = line.split()
        assert int(rows) == len(sums[start : start + 80])
        assert float(total) == pytest.approx(sums[start : start + 80].sum(), rel=1e-5)


def test_text_is_fed_to_placeholders(people, monkeypatch):
    monkeypatch.chdir(people[0])
    text = (
        'data d = csv("people.csv", target="sex") | take(3)\nplaceholder s: string[n]\nplaceholder t: string[n, 1]\n'
        'session:\n    print s, t with s = d["home city"], t = d.target\n'
    )
    (printed,) = tfdsl.compile(text).run().printed
    for name in ("sex", "home city"):
        assert all(cell in printed for cell in people[1][name][:3])


def test_text_among_features_is_an_error(people, monkeypatch):
    monkeypatch.chdir(people[0])
    with pytest.raises(TfgError, match="TFG642"):
        tfdsl.compile('data d = csv("people.csv", target="survived")\nx = d.features\n')


def test_several_files_and_files_with_the_signs_of_patterns(tmp_path):
    for name, text in (
        ("a1.csv", "x,y\n1,2\n"),
        ("a2.csv", "x,y\n3.5,4\n"),
        ("a[1].csv", "x,y\n9,9\n"),
        (".a3.csv", "z\n"),
    ):
        (tmp_path / name).write_text(text)
    for path, wanted in (("a?.csv", [1, 3.5]), ("a[12].csv", [1, 3.5]), ("a[1].csv", [9])):
        declared = SimpleNamespace(
            name="d", source=step("csv", path=path, target="y"), transforms=(), folder=str(tmp_path)
        )
        assert load(declared).array("x").tolist() == wanted


@pytest.mark.parametrize("stream", [False, True])
def test_comments_and_decimal_commas(tmp_path, stream):
    lines = ["# made by hand", "a;b", "1,5;x", "# in between", "2,25;y", '"-3,0";#z']
    (tmp_path / "x.csv").write_text("\n".join(lines) + "\n")
    source = step("csv", path="x.csv", comment="#", decimal=",", stream=stream)
    declared = SimpleNamespace(name="d", source=source, transforms=(), folder=str(tmp_path))
    data = load(declared)
    assert data.array("a").tolist() == [1.5, 2.25, -3.0] and data.array("b")[:].tolist() == [b"x", b"y", b"#z"]
    (tmp_path / "x.csv").write_text("\n".join([*lines, "oops;w", "1,0;v"]) + "\n")
    with pytest.raises(DataError) as caught:
        load(declared).array("features")
    assert caught.value.place.line == 7 and caught.value.place.column == 1


def test_conditions_of_programs(people, monkeypatch):
    monkeypatch.chdir(people[0])
    columns = people[1]

    def rows(condition):
        text = f'data d = csv("people.csv", target="survived") | where({condition})\n'
        return tfdsl.compile(text).dataset("d").array("id").tolist()

    cities, fares = columns["home city"], numbers(columns, "fare")
    assert rows('column("home city") == "Rome"') == [at for at in range(ROWS) if cities[at] == "Rome"]
    assert rows('not (column("home city") in ["Rome", "Oslo"])') == [
        at for at in range(ROWS) if cities[at] not in ("Rome", "Oslo", "")
    ]
    assert rows("10 < fare * 2 - 1 <= 30 and member") == [
        at for at in range(ROWS) if 10 < fares[at] * 2 - 1 <= 30 and columns["member"][at] == "true"
    ]
    assert rows("(id + 1) ** -1 < 0.01") == list(range(100, ROWS))
    assert rows("id != 7 and id // 10 == 0") == [0, 1, 2, 3, 4, 5, 6, 8, 9]


def test_text_among_numbers_names_the_way_out(people, monkeypatch):
    monkeypatch.chdir(people[0])
    text = (
        'data d = csv("people.csv", target="sex") | select("fare")\nplaceholder y: int64[n, 1]\nz = y * 2\n'
        "session: print z with y = d.target\n"
    )
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.help.endswith('| categories("sex") for categories')
    mended = text.replace('| select("fare")', '| select("fare") | categories("sex")').replace("print z", "print z[:3]")
    assert tfdsl.compile(mended).run().printed


def read(tmp_path, text, *transforms, **arguments):
    (tmp_path / "x.csv").write_bytes(text.encode())
    results = []
    for stream in (False, True):
        source = step("csv", path="x.csv", stream=stream, **arguments)
        data = load(SimpleNamespace(name="d", source=source, transforms=transforms, folder=str(tmp_path)))
        columns = data.schema.table
        results.append({one.name: np.asarray(data.array(one.field)[0 : data.rows]).tolist() for one in columns})
    assert results[0] == results[1]
    return results[0]


@pytest.mark.parametrize("lead", ["\n", "\r\n\r\n", "# made by hand\n\n"])
def test_empty_lines_before_the_header(tmp_path, lead):
    assert read(tmp_path, f"{lead}a,b\n1,2\n3,4\n", comment="#") == {"a": [1, 3], "b": [2, 4]}
    assert read(tmp_path, f"{lead}1,2\n3,4\n", comment="#", header=False) == {"x0": [1, 3], "x1": [2, 4]}


def test_numbers_are_those_of_python(tmp_path):
    assert read(tmp_path, "a,b\n0x1F,1\n0x2,2\n") == {"a": [b"0x1F", b"0x2"], "b": [1, 2]}
    assert read(tmp_path, "a,b\n0,-0\n0.5,1\n1e2,0\n") == {"a": [0, 0.5, 100], "b": [0, 1, 0]}


def test_comments_with_other_ends_of_lines(tmp_path):
    assert read(tmp_path, "#c\ra,b\r1,2\r#d,e\r3,4\r", comment="#") == {"a": [1, 3], "b": [2, 4]}


def test_decimal_commas_in_one_column(tmp_path):
    assert read(tmp_path, "x\n1,5\n2,5\n", decimal=",") == {"x": [1.5, 2.5]}


def test_one_line_of_another_width_is_an_error(tmp_path):
    with pytest.raises(DataError) as caught:
        read(tmp_path, "a;b\n1;2\n3;4;5\n6;7\n")
    assert caught.value.message.code == "TFG611" and caught.value.place.line == 3


def test_text_after_blocks_without_any(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_BLOCK", 20)
    rows = ["", "", "", "", "", "x", "", "y"]
    made = read(tmp_path, "a,b\n" + "".join(f"{cell},{at}\n" for at, cell in enumerate(rows)))
    assert made["a"] == [cell.encode() for cell in rows]


def test_what_fill_is_given_counts_for_rows(tmp_path):
    fill = step("fill", "age", **{"with": 0})
    condition = ("compare", "==", ("name", "age", ()), ("value", 0))
    assert read(tmp_path, "id,age\n1,\n2,5\n3,0\n", fill, step("where", condition=condition))["id"] == [1, 3]


def test_large_numbers_in_conditions(tmp_path):
    text = "id,b\n" + "".join(f"{at},1\n" for at in (1, 2, 9007199254740993))
    condition = ("compare", ">", ("*", ("name", "id", ()), ("value", 10**19)), ("value", 0))
    assert len(read(tmp_path, text, step("where", condition=condition))["id"]) == 3
    condition = ("compare", "==", ("name", "id", ()), ("value", 9007199254740993))
    assert read(tmp_path, text, step("where", condition=condition))["id"] == [9007199254740993]


@pytest.mark.parametrize("value", ["1e39", "-1e300"])
def test_the_check_refuses_numbers_beyond_float32(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.csv").write_text(f"a,b\n1,2\n{value},3\n")
    (found,) = tfdsl.check('data d = csv("d.csv")\nsession: print d.features\n')
    assert (found.code, found.span.line) == ("TFG622", 2) and "line 3" in str(found)
    assert tfdsl.check('data d = csv("d.csv") | where(a < 10 and a > -10)\nsession: print d.features\n') == []
