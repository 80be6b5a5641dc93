"""Data given from Python: tables of pandas, polars and Arrow, and dicts of columns."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

import tfdsl
from tfdsl.cli.again import refuse
from tfdsl.data import DataError, schema_of
from tfdsl.data.load import load
from tfdsl.diagnostics import TfgError
from tfdsl.runs.reading import RunRecord

COLUMNS = {
    "age": [31.5, None, 40.0, 22.0], "city": ["Rome", "Oslo", None, "Rome"], "rooms": [3, 1, 2, 2],
    "new": [True, False, True, True], "price": [1.5, 2.0, 2.5, 3.0],
}  # fmt: skip


def spec(*transforms, target="price"):
    source = SimpleNamespace(name="csv", arguments={"path": "x.csv", "target": target})
    return SimpleNamespace(name="d", source=source, transforms=transforms, folder="")


def tables():
    yield pytest.param(lambda: pa.table(COLUMNS), id="arrow")
    yield pytest.param(lambda: SimpleNamespace(__arrow_c_stream__=pa.table(COLUMNS).__arrow_c_stream__), id="a stream")
    yield pytest.param(lambda: pytest.importorskip("pandas").DataFrame(COLUMNS, index=[5, 6, 7, 8]), id="pandas")
    yield pytest.param(lambda: pytest.importorskip("polars").DataFrame(COLUMNS), id="polars")
    yield pytest.param(lambda: pytest.importorskip("duckdb").sql("select * from 't.parquet'").arrow(), id="duckdb")


@pytest.mark.parametrize("make", tables())
def test_tables(make, here):
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.table(COLUMNS), "t.parquet")
    schema = schema_of(spec(), make())
    assert [(one.name, one.dtype.name, one.gaps, one.role) for one in schema.table] == [
        ("age", "float32", 1, "feature"), ("city", "string", 1, "feature"), ("rooms", "int64", 0, "feature"),
        ("new", "bool", 0, "feature"), ("price", "float32", 0, "target"),
    ]  # fmt: skip
    transforms = [
        SimpleNamespace(name="fill", arguments={"columns": ("age",), "with": "mean"}),
        SimpleNamespace(name="fill", arguments={"columns": ("city",), "with": "?"}),
        SimpleNamespace(name="one_hot", arguments={}),
    ]
    data = load(spec(*transforms), replacement=make())
    mean = np.float32((31.5 + 40 + 22) / 3)
    assert data.features.tolist() == [
        [31.5, 0, 0, 1, 3, 1], [mean, 0, 1, 0, 1, 0], [40, 1, 0, 0, 2, 1], [22, 0, 0, 1, 2, 1],
    ]  # fmt: skip
    assert data.target[:, 0].tolist() == COLUMNS["price"] and data.array("city_Rome").tolist() == [1, 0, 0, 1]


def once():
    """What can be read only once, such as the result of a query of DuckDB."""
    return pa.table({"a": [1.5, 2.5]}).to_reader()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(once, id="a reader of Arrow"),
        pytest.param(lambda: pytest.importorskip("pandas").Series([1.5, 2.5], name="a"), id="a series of pandas"),
        pytest.param(lambda: pytest.importorskip("polars").Series("a", [1.5, 2.5]), id="a series of polars"),
    ],
)
def test_a_column(make):
    program = tfdsl.compile('data d = csv("x.csv")\nsession: print d.a\n', data={"d": make()})
    assert program.run().printed == ["[1.5 2.5]"]


def test_a_column_of_float16_in_a_table():
    columns = {"a": np.array([1.5, -0.1], np.float16), "price": np.array([1.0, 2.0])}
    table = pytest.importorskip("pandas").DataFrame(columns)
    same = [load(spec(), replacement=one).array("a").tolist() for one in (table, columns, pa.table(columns))]
    assert same == [[1.5, float(np.float16(-0.1))]] * 3


@pytest.mark.parametrize("dtype", ["Enum", "Categorical"])
def test_categories_of_polars(dtype):
    pl = pytest.importorskip("polars")
    kind = pl.Enum(["Rome", "Oslo"]) if dtype == "Enum" else pl.Categorical
    given = pl.DataFrame({"city": ["Oslo", None, "Rome"], "price": [1.0, 2.0, 3.0]}).with_columns(
        pl.col("city").cast(kind)
    )
    data = load(spec(SimpleNamespace(name="fill", arguments={"columns": ("city",), "with": "?"})), replacement=given)
    assert data.array("city").tolist() == [b"Oslo", b"?", b"Rome"]


def test_a_table_that_arrow_does_not_take():
    given = pytest.importorskip("pandas").DataFrame({"a": [2**64, 1], "price": [1.0, 2.0]})
    with pytest.raises(DataError, match="too large") as caught:
        schema_of(spec(), given)
    assert caught.value.message.code == "TFG624"


WRONG_TABLES = {
    "named twice": (lambda pd: pd.DataFrame([[1, 2, 3.0]], columns=["a", "a", "price"]), "rename one of them"),
    "sparse": (
        lambda pd: pd.DataFrame({"a": pd.arrays.SparseArray([0, 1]), "price": [1, 2]}),
        "['a'].sparse.to_dense()",
    ),
    "complex": (lambda pd: pd.DataFrame({"a": [1j, 2], "price": [1, 2]}), "real numbers"),
    "mixed": (lambda pd: pd.DataFrame({"a": [1, "x"], "price": [1, 2]}), "each of one kind"),
    "parts": (
        lambda pd: pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")])),
        "join them",
    ),
}


@pytest.mark.parametrize(("make", "words"), WRONG_TABLES.values(), ids=list(WRONG_TABLES))
def test_tables_of_pandas_that_cannot_be_data(make, words):
    with pytest.raises(DataError) as caught:
        schema_of(spec(), make(pytest.importorskip("pandas")))
    assert caught.value.message.code == "TFG624" and words in caught.value.details["way"]


def test_the_helps_for_tables_of_pandas_work():
    pd = pytest.importorskip("pandas")
    table = WRONG_TABLES["sparse"][0](pd)
    table["a"] = table["a"].sparse.to_dense()
    assert [one.name for one in schema_of(spec(), table).table] == ["a", "price"]
    table = WRONG_TABLES["parts"][0](pd)
    table.columns = ["_".join(map(str, name)) for name in table.columns]
    assert [one.name for one in schema_of(spec(target=None), table).table] == ["a_x", "b_y"]


def test_a_dict_of_columns():
    pictures = np.arange(4 * 3 * 2).reshape(4, 3, 2).astype(np.uint8)
    given = {"picture": pictures, "label": ["cat", "dog", "cat", "cat"], "price": np.array([1, 2, 3, 4])}
    data = load(spec(), replacement=given)
    assert data.array("picture").dtype == np.int64 and (data.array("picture") == pictures).all()
    assert data.array("label").tolist() == [b"cat", b"dog", b"cat", b"cat"]
    assert data.target.tolist() == [[1], [2], [3], [4]]


def test_texts_in_lists_keep_their_last_character():
    """NumPy's own texts would lose a NUL there."""
    given = {"label": ["a\0", "a", "b\0c"], "price": [1, 2, 3]}
    assert load(spec(), replacement=given).array("label").tolist() == [b"a\0", b"a", b"b\0c"]
    assert set(schema_of(spec(), given).names) == {"label"}


def test_a_dict_is_copied_when_it_is_compiled():
    given = {"x": np.ones(3, np.float32), "price": np.zeros(3)}
    program = tfdsl.compile('data d = csv("x.csv", target="price")\nsession: print d.x\n', data={"d": given})
    given["x"][:] = 7
    assert program.run().printed == ["[1. 1. 1.]"]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"x": np.ones(3), "price": np.ones(2)}, "TFG620", "as many rows as x has"),
        ({"x": np.ones(3)}, "TFG613", '"price"'),
        ({"x": np.array([1j, 2j]), "price": np.ones(2)}, "TFG619", "x contains"),
        ({"x": [[1], [2, 3]], "price": np.ones(2)}, "TFG624", "column x that is no array"),
        (pa.table({"a": [1, 2]}), "TFG613", '"price"'),
        (pa.table({"price": pa.array([1, 2], pa.duration("s")), "a": [1, 2]}), "TFG627", "durations"),
        (pa.table({"price": [1.0], "a": [1]}).slice(1), "TFG620", "the table"),
    ],
)
def test_what_is_wrong(given, code, words):
    with pytest.raises(DataError) as caught:
        schema_of(spec(), given)
    assert caught.value.message.code == code and words in str(caught.value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_in_arrays_is_a_missing_cell(dtype):
    array, target = np.array([[1, np.nan], [3, 4], [np.nan, 8]], dtype), np.array([1, np.nan, 3], dtype)
    fill = SimpleNamespace(name="fill", arguments={"with": "mean"})
    for given in ((array, target), {"x0": array[:, 0], "x1": array[:, 1], "target": target}):
        schema = schema_of(spec(target=None), given)
        assert {one.name: one.gaps for one in schema.table} == {"x0": 1, "x1": 1, "target": 1}
        filled = load(spec(fill, target=None), replacement=given)
        assert filled.features.tolist() == [[1, 6], [3, 4], [2, 8]]
        with pytest.raises(DataError) as caught:
            load(spec(target=None), replacement=given).array("features")
        assert caught.value.message.code == "TFG637" and "fill" in caught.value.help
        with pytest.raises(DataError) as caught:
            filled.array("target")
        assert (
            caught.value.message.code == "TFG637" and 'where(column("target") == column("target"))' in caught.value.help
        )


def test_a_pair_of_tables_of_pandas():
    pandas = pytest.importorskip("pandas")
    features = pandas.DataFrame({"a": [1.0, None, 3.0], "b": [1, 2, 3]})
    schema = schema_of(spec(target=None), (features, pandas.Series([1.0, 2.0, None])))
    assert [(one.name, one.gaps) for one in schema.table] == [("a", 1), ("b", 0), ("target", 1)]
    with pytest.raises(DataError, match="features are not all numbers"):
        schema_of(spec(target=None), (features.assign(city="Rome"), pandas.Series([1, 2, 3])))


@pytest.mark.parametrize(
    ("make", "row"),
    [
        (lambda c: pytest.importorskip("pandas").DataFrame(c, index=["k", "l", "m"]), "3 (index m)"),
        (lambda c: pytest.importorskip("pandas").DataFrame(c), "3 (index 2)"),
        (lambda c: pytest.importorskip("polars").DataFrame(c), "3 (index 2)"),
        (pa.table, "3 (index 2)"),
        (lambda c: {name: np.array(cells) for name, cells in c.items()}, "3 (index 2)"),
        (lambda c: (np.array(c["a"])[:, None], np.array(c["b"])), "3 (index 2)"),
    ],
    ids=["labels", "pandas", "polars", "arrow", "dict", "pair"],
)
@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_row_is_named_as_where_it_is_from(make, row, bad):
    with pytest.raises(DataError) as caught:
        load(spec(target=None), replacement=make({"a": [1.0, 2.0, bad], "b": [1.0, 2.0, 3.0]})).array("features")
    assert f"row {row} of " in caught.value.headline


FRAMES = {
    "pandas": lambda c: pytest.importorskip("pandas").DataFrame(c),
    "polars": lambda c: pytest.importorskip("polars").DataFrame(c),
    "arrow": pa.table,
    "dict": lambda c: {name: np.array(cells) for name, cells in c.items()},
    "pair": lambda c: (np.array(c["a"])[:, None], np.array(c["b"])),
    "array": lambda c: np.column_stack([c["a"], c["b"]]),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_run_on_given_data_is_recorded(kind, here):
    """A frame and an array have no truth value, which must not matter to the record."""
    program = tfdsl.compile(
        'data d = csv("x.csv")\nm = reduce_mean(d.features)\nsession:\n    log to "logs"\n    print m\n',
        data={"d": FRAMES[kind]({"a": [1.0, 2.0], "b": [3.0, 4.0]})},
    )
    result = program.run(options=tfdsl.Options(write=lambda line: None))
    (record,) = map(RunRecord, result.records)
    about = record.end["data"]["d"]
    assert (about["given"], about["rows"], record.status) == ("Python", 2, "done") and about["sha256"]
    with pytest.raises(TfgError, match="Python gave it the data 'd'"):
        refuse(record)


def test_missing_numbers_in_a_list_are_nan():
    """As the message says."""
    with pytest.raises(DataError) as caught:
        schema_of(spec(target=None), {"a": [50.0, None, 80.0]})
    assert 'write float("nan")' in caught.value.help
    (column,) = schema_of(spec(target=None), {"a": [50.0, float("nan"), 80.0]}).table
    assert column.gaps == 1
