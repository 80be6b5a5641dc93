"""Cells and rows that other readers take otherwise: signs, digits of other scripts, line ends in quotes, missing lists,
bytes that are no text, and an address space without room."""

import resource
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from tfdsl.data import DataError, schema_of
from tfdsl.data.load import load
from tfdsl.data.memory import check_room
from tfdsl.data.sources.csv import reader


def declared(folder, source, **arguments):
    step = SimpleNamespace(name=source, arguments=arguments)
    return SimpleNamespace(name="d", source=step, transforms=(), folder=str(folder))


def dtypes(spec):
    return {column.name: column.dtype.name for column in schema_of(spec).table}


@pytest.mark.parametrize("stream", [False, True])
def test_whole_numbers_are_those_of_python(tmp_path, stream):
    (tmp_path / "x.csv").write_text("a,b,c,d\n+5,١٢,+1,+9223372036854775808\n-6, 7 ,2.5,1\n", encoding="utf-8")
    spec = declared(tmp_path, "csv", path="x.csv", stream=stream)
    assert dtypes(spec) == {"a": "int64", "b": "int64", "c": "float32", "d": "float32"}
    data = load(spec)
    assert data.array("a")[:].tolist() == [5, -6] and data.array("b")[:].tolist() == [int("١٢"), 7]
    known = (("a", "int64"), ("d", "int64"))
    with pytest.raises(DataError) as caught:
        schema_of(declared(tmp_path, "csv", path="x.csv", columns=known))
    assert caught.value.message.code == "TFG612" and caught.value.place.line == 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_column_without_cells_is_what_the_program_says(tmp_path, stream):
    (tmp_path / "x.csv").write_text("a,b\n,1\n,2\n")
    spec = declared(tmp_path, "csv", path="x.csv", columns=(("a", "string"),), stream=stream)
    assert dtypes(spec) == {"a": "string", "b": "int64"} and load(spec).array("a")[:].tolist() == [b"", b""]


def test_empty_lines_of_one_column(tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\n\n2\n\n\n")
    schema = schema_of(declared(tmp_path, "csv", path="x.csv"))
    assert (schema.rows, schema.table[0].gaps) == (3, 1)


@pytest.mark.parametrize("comment", [None, "#"])
def test_line_ends_in_quotes_where_a_block_ends(tmp_path, comment, monkeypatch):
    monkeypatch.setattr(reader, "_BLOCK", 1 << 12)
    for before in range(-3, 4):
        cell = "y" * ((1 << 12) - 8 + before) + "\r\nz"
        (tmp_path / "x.csv").write_text(f'a,b\n1,"{cell}"\n2,q\n', newline="")
        spec = declared(tmp_path, "csv", path="x.csv", comment=comment)
        assert load(spec).array("b").tolist() == [cell.encode(), b"q"]


@pytest.mark.parametrize("stream", [False, True])
def test_lists_that_are_missing(tmp_path, stream):
    whole, floats = pa.list_(pa.int64(), 2), pa.list_(pa.list_(pa.float32(), 2), 1)
    table = pa.table(
        {
            "a": pa.array([[1, 2], None, [3, None]], whole),
            "b": pa.array([[[1.5, 2]], [None], [[3, 4]]], floats),
            "c": pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.uint8(), 2)),
        }
    )
    parquet.write_table(table, tmp_path / "x.parquet")
    spec = declared(tmp_path, "parquet", path="x.parquet", stream=stream)
    assert dtypes(spec) == {"a": "float32", "b": "float32", "c": "int64"}
    assert [column.gaps for column in schema_of(spec).table] == [2, 1, 0]
    block = load(spec)._table.block(slice(0, 3))
    np.testing.assert_equal(block["a"], [[1, 2], [np.nan, np.nan], [3, np.nan]])
    np.testing.assert_equal(block["b"], [[[1.5, 2]], [[np.nan, np.nan]], [[3, 4]]])
    assert block["c"].tolist() == [[1, 2], [3, 4], [5, 6]]
    given = load(declared(tmp_path, "csv", path="x", target=None), replacement=table.slice(1))
    np.testing.assert_equal(given._table.block(slice(0, 2))["a"], [[np.nan, np.nan], [3, np.nan]])


def test_a_limited_address_space(monkeypatch):
    check_room()
    with open("/proc/self/statm", "rb") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (used + (1 << 25), used + (1 << 25)))
    with pytest.raises(MemoryError):
        check_room()


@pytest.mark.long
def test_a_check_in_a_limited_address_space_ends(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n" + "1,2\n" * 400_000)
    (tmp_path / "p.tfg").write_text('data d = csv("x.csv")\nx = reduce_sum(d.features)\n')
    for size in range(250_000, 1_000_000, 50_000):
        command = f"ulimit -v {size} && exec {sys.executable} -m tfdsl check p.tfg"
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
        assert (done.returncode == 0) != ("memory" in done.stderr), done.stderr
