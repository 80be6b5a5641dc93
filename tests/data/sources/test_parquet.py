"""Parquet files, against pyarrow itself."""

import datetime
import decimal
import io
from types import SimpleNamespace

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from programs import UNHURRIED

import tfdsl
from tfdsl.data import DataError, schema_of
from tfdsl.data.load import load
from tfdsl.driver import check
from tfdsl.source import Source

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


def spec(path, target=None, *transforms, stream=False):
    source = SimpleNamespace(name="parquet", arguments={"path": str(path), "target": target, "stream": stream})
    return SimpleNamespace(name="d", source=source, transforms=transforms, folder=str(path.parent))


@pytest.fixture
def write(tmp_path):
    def make(columns, name="x.parquet", **options):
        pq.write_table(pa.table(columns), tmp_path / name, **options)
        return tmp_path / name

    return make


KINDS = {
    "int32": pa.int32(), "int64": pa.int64(), "int8": pa.int8(), "uint16": pa.uint16(), "float": pa.float32(),
    "double": pa.float64(), "bool": pa.bool_(),
}  # fmt: skip


@hypothesis.settings(UNHURRIED, max_examples=40)
@hypothesis.given(
    st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=30), st.integers(1, 50),
    st.sampled_from(["snappy", "none", "zstd"]), st.sampled_from(["1.0", "2.6"]), st.integers(1, 20), st.booleans(),
)  # fmt: skip
def test_columns_and_their_dtypes(tmp_path_factory, kinds, rows, compression, version, group, stream):
    columns = {f"c {i} ü": pa.array([k % 2 for k in range(rows)]).cast(KINDS[kind]) for i, kind in enumerate(kinds)}
    path = tmp_path_factory.mktemp("p") / "x.parquet"
    pq.write_table(pa.table(columns), path, compression=compression, version=version, row_group_size=group)
    data = load(spec(path, stream=stream))
    dtypes = {"bool": "bool", "float": "float32", "double": "float32"}
    assert data.rows == rows
    assert [(one.name, one.dtype.name) for one in data.schema.table] == [
        (name, dtypes.get(kind, "int64")) for name, kind in zip(columns, kinds, strict=True)
    ]
    for name, column in columns.items():
        array = data.array(f'["{name}"]')
        assert array.tolist() == column.to_pylist()


def test_features_and_target(write):
    random = np.random.RandomState(0)
    columns = {"a": random.rand(20), "price": np.arange(20), "b": random.rand(20).astype(np.float32)}
    declared = spec(write(columns, row_group_size=7), "price")
    schema, data = schema_of(declared), load(declared)
    assert (schema.rows, schema.names, schema.target_type.dtype.name) == (20, ("a", "b"), "int64")
    np.testing.assert_array_equal(data.features, np.c_[columns["a"], columns["b"]].astype(np.float32))
    np.testing.assert_array_equal(data.target[:, 0], columns["price"])


def test_a_program_trains_on_it(write, tmp_path):
    write({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]})
    text = (
        'data d = parquet("x.parquet", target="y")\nplaceholder X: float32[n, d.columns]\nplaceholder y: float32[n, 1]\n'
        "variable w: float32[1, 1] = zeros\nmse = reduce_mean(square(X @ w - y))\n"
        "optimize mse with gradient_descent(learning_rate=0.1)\nsession:\n    train 30 epochs on d as batch:\n"
        "        feed X = batch.features, y = batch.target\n    print w\n    expect w == [[2]] within 0.001\n"
    )
    (tmp_path / "p.tfg").write_text(text)
    assert tfdsl.compile(tmp_path / "p.tfg").run().expectations == 1


def failed(declared):
    with pytest.raises(DataError) as caught:
        load(declared)
    return caught.value


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "column", [pa.array([1.0, None]), pa.array([1, None]), pa.array([1.0, float("nan")]), pa.array([True, None])]
)
def test_missing_cells_make_a_column_float32(write, column, stream):
    declared = spec(write({"a": [1, 2], "b": column}), stream=stream)
    schema = schema_of(declared)
    assert [(one.dtype.name, one.gaps) for one in schema.table] == [("int64", 0), ("float32", 1)]
    with pytest.raises(DataError) as caught:
        load(declared).array("features")
    assert caught.value.message.code == "TFG637" and 'row 2 of column "b"' in caught.value.headline


@pytest.mark.parametrize("stream", [False, True])
def test_text(write, stream):
    path = write(
        {"a": ["x", None, "y", "x"], "b": pa.array(["u", "v", "u", "v"]).dictionary_encode(), "c": [1, 2, 3, 4]}
    )
    data = load(spec(path, stream=stream))
    assert data.array("a")[0:9].tolist() == [b"x", b"", b"y", b"x"]
    assert data.array("b")[np.arange(4)].tolist() == [b"u", b"v", b"u", b"v"]
    assert [one.gaps for one in data.schema.table] == [1, 0, 0]


@pytest.mark.parametrize("stream", [False, True])
def test_columns_with_more_than_one_number_a_row(write, stream):
    values = np.arange(12.0).reshape(3, 2, 2)
    inner = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 2)
    column = pa.FixedSizeListArray.from_arrays(inner, 2)
    data = load(spec(write({"a": column, "y": [0, 1, 0]}), "y", stream=stream))
    np.testing.assert_array_equal(data.features, values.astype(np.float32))
    assert data.schema.features_type.shape == (3, 2, 2)


def test_several_files(write):
    write({"a": [1, 2], "b": ["x", "y"]}, "p1.parquet")
    path = write({"a": [3], "b": ["x"]}, "p2.parquet")
    data = load(spec(path.with_name("p*.parquet")))
    assert data.array("a").tolist() == [1, 2, 3] and data.array("b").tolist() == [b"x", b"y", b"x"]
    write({"a": [3.0], "b": ["x"]}, "p3.parquet")
    error = failed(spec(path.with_name("p*.parquet")))
    assert error.message.code == "TFG640" and '"a: double" in place of "a: int64"' in error.headline


@pytest.mark.parametrize("stream", [False, True])
def test_floats_of_any_width(write, stream):
    halves = pa.array(np.array([1.5, -0.1, 3.0], np.float16))
    lists = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(6, dtype=np.float16)), 2)
    data = load(spec(write({"a": halves, "l": lists, "y": [0, 1, 0]}), "y", stream=stream))
    np.testing.assert_array_equal(data.array("a"), np.array([1.5, np.float16(-0.1), 3.0], np.float32))
    assert data.array("l").tolist() == [[0, 1], [2, 3], [4, 5]]


NO_NUMBERS = {
    "decimals": [decimal.Decimal("1.5")] * 2, "durations": [datetime.timedelta(1)] * 2, "bytes": [b"a", b"b"], "dates": [datetime.date(2020, 1, 1)] * 2, "lists": [[1], [2]],
    "timestamps": [datetime.datetime(2020, 1, 1)] * 2, "times": [datetime.time(1)] * 2,
    "columns of its own": [{"x": 1}, {"x": 2}],
}  # fmt: skip


@pytest.mark.parametrize("what", NO_NUMBERS)
def test_columns_without_numbers_are_named(write, what):
    path = write({"a": [1, 2], "b": NO_NUMBERS[what]})
    with pytest.raises(DataError) as caught:
        schema_of(spec(path))
    assert caught.value.message.code == "TFG627"
    assert what in caught.value.headline and '"b"' in caught.value.headline
    assert '| drop("b")' in caught.value.help and (".dt.strftime(" in caught.value.help) == (what == "timestamps")
    assert (".dt.total_seconds()" in caught.value.help) == (what == "durations")


@pytest.mark.parametrize("what", NO_NUMBERS)
def test_columns_without_numbers_can_be_dropped(write, what):
    """The rest of the file is used, also of new rows. Another transform of such a column is an error."""
    path = write({"a": [1.0, 2.0], "b": NO_NUMBERS[what], "y": [3, 4]})
    text = 'data d = parquet("x.parquet", target="y"){} | standardize\n'
    text += 'data n = parquet("x.parquet") | fitted(d)\nx = n.features + d.features\n'

    def said(step):
        program, found = check(Source(str(path.with_name("p.tfg")), text.format(step)))
        return [one.code for one in found if one.severity == "error"], program is not None

    assert said(' | drop("b")') == ([], True)
    for step in (' | one_hot("b") | drop("b")', ' | aside("b")', ' | select("b", "a")', ""):
        codes, made = said(step)
        assert codes[0] == "TFG627" and not made, step


@hypothesis.settings(UNHURRIED, max_examples=200)
@hypothesis.given(st.data())
def test_damaged_files_are_only_errors(tmp_path_factory, data):
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": [1.0, 2.0], "b": [3, 4]}), stream)
    content = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("p") / "x.parquet"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        schema_of(spec(path))
    except DataError as error:
        assert error.message.code in ("TFG607", "TFG610", "TFG626", "TFG627", "TFG629", "TFG635")


def test_damaged_data_is_an_error(write):
    path = write({"a": np.arange(1000.0)}, compression="zstd")
    content = bytearray(path.read_bytes())
    content[30:200] = bytes(170)
    path.write_bytes(bytes(content))
    assert failed(spec(path)).message.code == "TFG626"


def test_it_can_replace_another_source(write):
    path = write({"x": [1.0, 2.0], "target": [0, 1]})
    declared = SimpleNamespace(
        name="d", source=SimpleNamespace(name="iris", arguments={}), transforms=(), folder=str(path.parent)
    )
    data = load(declared, replacement=str(path))
    assert data.names == ("x",) and data.target_name == "target"


def test_two_columns_with_one_name_are_an_error(tmp_path):
    pq.write_table(pa.table([pa.array([1.0]), pa.array([2.0])], names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(DataError) as caught:
        schema_of(spec(tmp_path / "x.parquet"))
    assert caught.value.message.code == "TFG610" and '"a"' in caught.value.headline
