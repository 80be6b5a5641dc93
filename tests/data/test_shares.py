"""Rows that other processes read from their own files have the bits of those in one process."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import tfdsl
from tfdsl.data import shares

HEADER = "day,age,city,number,flag,y\n"
ROWS = [
    f"2024-0{1 + at % 9}-1{at % 7},{'' if at % 5 == 2 else at * 1.37},{('Rome', 'Oslo', '', 'Paris')[at // 7 % 4]},"
    f"{'' if at == 30 else at},{'true' if at % 3 else 'false'},{at % 4}\n"
    for at in range(40)
]
FILLED = (
    '| date_parts("day") | fill("age", with="median") | fill("city", with="most_frequent") | fill("number", with=0)'
)


@pytest.fixture
def files(here):
    """The rows in one file, in three, and as Parquet."""
    Path("one.csv").write_text(HEADER + "".join(ROWS))
    for at, rows in enumerate((ROWS[:21], ROWS[21:28], ROWS[28:])):
        Path(f"p-{at}.csv").write_text(HEADER + "".join(rows))
        columns = list(zip(*(row.strip().split(",") for row in rows), strict=True))
        typed = {
            name: [None if cell == "" else made(cell) for cell in column]
            for name, made, column in zip(HEADER.strip().split(","), (str, float, str, int, bool, int), columns, strict=True)
        }  # fmt: skip
        schema = pa.schema([("day", pa.string()), ("age", pa.float32()), ("city", pa.string()), ("number", pa.int64()),
                            ("flag", pa.bool_()), ("y", pa.int64())])  # fmt: skip
        parquet.write_table(pa.table(typed, schema), f"p-{at}.parquet")
    return here


def opened(text):
    compiled = tfdsl.compile(text)
    return compiled.pipeline("d"), compiled.dataset("d")


def share_of(division, reader):
    """A share as it arrives at its reader."""
    share = division.shares[reader]
    return shares.Share(json.loads(json.dumps(share.description)), share.kept)


@pytest.mark.parametrize("source", ['csv("one.csv"', 'csv("p-*.csv"', 'parquet("p-*.parquet"'])
@pytest.mark.parametrize(
    ("transforms", "fields"),
    [
        ('| drop("day", "age", "city", "number")', ["features", "target"]),
        (f'{FILLED} | one_hot("city") | standardize | polynomial(degree=2)', ["features", "target"]),
        (f'{FILLED} | categories("city") | minmax("age") | add_bias | split(test=0.3, validation=0.1)', ["features", "y"]),
        (f'| where(age > 3) {FILLED} | where(number != 9) | shuffle(seed=1) | take(25) | split(test=0.4, seed=2)',
         ["city", "flag", "age", "number"]),
        ("| fitted(old) | shuffle(seed=2)", ["features", "target"]),
    ],
)  # fmt: skip
def test_all_readers_have_the_rows_of_one_process(files, source, transforms, fields):
    old = (
        f'data old = csv("one.csv", target="y") {FILLED} | one_hot("city") | standardize\n'
        if "old" in transforms
        else ""
    )
    pipeline, dataset = opened(f'{old}data d = {source}, target="y") {transforms}\n')
    readable = shares.readable(pipeline, dataset)
    assert readable is not None
    for part in (dataset, *dataset.parts):
        for readers in (1, 2, 4):
            division = shares.divided(readable, getattr(part, "name", ""), readers)
            assert sorted(division.order.tolist()) == list(range(part.rows))
            for reader in range(readers):
                own = division.of(reader)
                if len(own):
                    made = shares.read(share_of(division, reader), fields)
                    for array, field in zip(made, fields, strict=True):
                        wanted = part.array(field)[own]
                        assert (array.dtype, array.shape) == (wanted.dtype, wanted.shape), field
                        assert (array == wanted).all() if array.dtype == object else array.tobytes() == wanted.tobytes()
                    share = share_of(division, reader)
                    arrays = [part.array(field) for field in fields]
                    assert shares.digests(share, made) == shares.digests(share, arrays, own)


def test_files_are_dealt_out_and_one_file_is_cut(files):
    pipeline, dataset = opened(f'data d = csv("p-*.csv", target="y") {FILLED}\n')
    division = shares.divided(shares.readable(pipeline, dataset), "", 2)
    paths = [[Path(path).name for path in share.description["paths"]] for share in division.shares]
    assert paths == [["p-0.csv", "p-2.csv"], ["p-1.csv"]]
    assert [division.of(at).tolist() for at in (0, 1)] == [[*range(21), *range(28, 40)], list(range(21, 28))]
    pipeline, dataset = opened(f'data d = csv("one.csv", target="y") {FILLED}\n')
    division = shares.divided(shares.readable(pipeline, dataset), "", 2)
    assert [division.of(at).tolist() for at in (0, 1)] == [list(range(20)), list(range(20, 40))]


def test_row_numbers_stay_when_rows_are_released(here):
    Path("d.csv").write_text("a,y\n" + "".join(f"{at}.5,{at}.25\n" for at in range(20)))
    _, dataset = opened('data d = csv("d.csv", target="y") | where(a > 3) | shuffle(seed=1) | split(test=0.294)\n')
    before = [dataset.numbers(part).tolist() for part in ("", "train", "test")]
    assert dataset.release(numbered=True)
    assert [dataset.numbers(part).tolist() for part in ("", "train", "test")] == before
    assert dataset.train.features.ravel().tolist() == [number + 0.5 for number in before[1]]


@pytest.mark.parametrize(
    "text",
    [
        "moons(20)",
        'csv("one.csv", target="y", stream=true) | drop("day", "age", "city", "number")',
        'csv("one.csv", target="y") | drop("day", "age", "city", "number") | windows("flag", size=3)',
    ],
)
def test_some_data_stays_in_its_process(files, text):
    assert shares.readable(*opened(f"data d = {text}\n")) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot read {}/p-2.csv: no such file or directory"),
        (HEADER + "".join(ROWS[29:]), "has another number of rows in {}/p-0.csv or another of its 2 files"),
        (HEADER + "".join(ROWS[27:]), "has another number of rows in {}/p-0.csv or another of its 2 files"),
        (HEADER + "2024-01-01,1\n", "cannot read {}/p-2.csv: this row has 2 cells"),
        (HEADER + "2024-02-30,1,Rome,1,true,1\n" * 12, 'cannot read {}/p-0.csv: column "day" has "2024-02-30"'),
        (HEADER + ",1,Rome,1,true,1\n" * 12, 'cannot read {}/p-0.csv: column "day" has "", which is not a date'),
        (HEADER + ROWS[28] * 12, ""),  # only the digest can say this
    ],
)
def test_files_that_have_changed(files, content, reason):
    pipeline, dataset = opened(f'data d = csv("p-*.csv", target="y") {FILLED} | drop("city")\n')
    division = shares.divided(shares.readable(pipeline, dataset), "", 2)
    Path("p-2.csv").unlink() if content is None else Path("p-2.csv").write_text(content)
    if reason:
        with pytest.raises(shares.NotRead) as caught:
            shares.read(share_of(division, 0), ["features"])
        assert str(caught.value).startswith(reason.format(files))
    else:
        share = share_of(division, 0)
        first, second = shares.digests(share, shares.read(share, ["features"]))
        wanted = shares.digests(share, [dataset.features], division.of(0))
        assert first == wanted[0] and second != wanted[1]


def test_digests_are_of_the_bits_of_each_file():
    share = shares.Share({"kept": [2, 0, 1]}, np.zeros(1, np.uint8))
    array, texts = np.arange(6.0).reshape(3, 2), np.array([b"ab", b"c", b""], object)
    first, none, last = shares.digests(share, [array, texts])
    assert shares.digests(share, [array[::-1], texts[::-1]], np.array([2, 1, 0])) == [first, none, last]
    assert shares.digests(share, [array, np.array([b"ab", b"c", b"d"], object)])[:2] == [first, none]
    others = [array.astype(np.float32), array.reshape(3, 1, 2), -array, texts, np.array([b"a", b"bc", b""], object)]
    assert len({first, none, last, *(shares.digests(share, [one])[0] for one in [*others, array])}) == 9
