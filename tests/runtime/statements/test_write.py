"""`write`: the formats of files, what is replaced, and what is refused."""

import csv
import os
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import tfdsl
from tfdsl.runtime.options import Options

VALUES = """
x = constant([[1.5, -2.0], [0.1, 4e20], [3.0, 1e-9]])
n = constant([1, -2, 3])
flag = n > 0
text = constant(["a", "with, comma", "with \\"quotes\\""])
one = reshape(x[:, 0], [3, 1])
deep = reshape(x, [3, 2, 1])
"""


def run(body, values=VALUES, **options):
    text = values + "session:\n" + "".join(f"    {line}\n" for line in body.splitlines())
    return tfdsl.compile(text).run(options=Options(write=lambda line: None, **options))


def failure(body, **options):
    with pytest.raises(tfdsl.TfgError) as caught:
        run(body, **options)
    (found,) = caught.value.diagnostics
    return found.code, found.headline


def test_a_misspelt_suffix(here):
    for path in ("x.cvs", "x{now}.cvs"):  # known while compiling, and only in a run
        with pytest.raises(tfdsl.TfgError) as caught:
            run(f'write x to "{path}"')
        (found,) = caught.value.diagnostics
        assert found.code == "TFG564" and re.fullmatch(r"did you mean 'x\d*\.csv'\?", found.help_line)


# --- formats ----------------------------------------------------------------------------------


def test_csv(here):
    result = run('write x, n, flag, text, one as o to "out/values.csv"')
    assert result.saved == ["out/values.csv"]
    rows = list(csv.reader((here / "out/values.csv").open(newline="", encoding="utf-8")))
    assert rows[0] == ["x_0", "x_1", "n", "flag", "text", "o"]
    numbers = np.array([row[:3] for row in rows[1:]], np.float32)
    np.testing.assert_array_equal(numbers, np.array([[1.5, -2, 1], [0.1, 4e20, -2], [3, 1e-9, 3]], np.float32))
    assert [row[3:] for row in rows[1:]] == [
        ["true", "a", "1.5"], ["false", "with, comma", "0.1"], ["true", 'with "quotes"', "3"],
    ]  # fmt: skip


def test_csv_is_read_again_with_the_same_bits(here):
    values = "seed 1\nx = random_normal([200, 3]) * 10.0 ** random_uniform([200, 3], -20.0, 20.0)\n"
    kept = run('all = x\nwrite all to "x.csv"\nprint all', values).values["all"]
    again = tfdsl.compile('data d = csv("x.csv")\nsession:\n    print d.features\n').run()
    np.testing.assert_array_equal(again.values["d.features"], kept)


def test_missing_numbers_are_empty_cells(here):
    run('write m to "m.csv"', "m = constant([1.0, 2.0]) / constant([0.0, 1.0]) * 0.0\n")
    assert (here / "m.csv").read_text() == "m\n\n0\n"


def test_parquet(here):
    run('write x, n, text to "v.parquet"')
    table = pq.read_table(here / "v.parquet")
    assert table.schema.names == ["x_0", "x_1", "n", "text"]
    assert list(map(str, table.schema.types)) == ["float", "float", "int32", "string"]
    assert table["text"].to_pylist() == ["a", "with, comma", 'with "quotes"']
    np.testing.assert_array_equal(table["x_1"].to_numpy(), np.array([-2.0, 4e20, 1e-9], np.float32))


def test_npz_and_npy_have_all_axes(here):
    run('write deep, text, n as file to "v.npz"\nwrite deep to "v.npy"\nwrite n[0] to "one.npy"')
    with np.load(here / "v.npz") as arrays:
        assert set(arrays) == {"deep", "text", "file"} and arrays["deep"].shape == (3, 2, 1)
        assert arrays["text"].tolist() == ["a", "with, comma", 'with "quotes"'] and arrays["file"].dtype == np.int32
    assert np.load(here / "v.npy").shape == (3, 2, 1) and np.load(here / "one.npy").tolist() == [1]


def test_png_of_several_pictures(here):
    values = "p = cast(reshape(range(5 * 2 * 3), [5, 2, 3, 1]), float32) * 8.0\n"
    run('write p to "p.png"\nwrite p[:1] to "one.png"', values)
    with Image.open(here / "p.png") as picture:
        found = np.asarray(picture)
        assert picture.mode == "L" and found.shape == (2 * 2 + 2, 3 * 3 + 2 * 2)
    pictures = np.arange(30).reshape(5, 2, 3) * 8
    np.testing.assert_array_equal(found[:2, 5:8], pictures[1])
    np.testing.assert_array_equal(found[4:, :3], pictures[3])
    assert not found[4:, 10:].any()
    with Image.open(here / "one.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), pictures[0])


def test_values_of_an_evaluate_and_of_data_are_written(here):
    text = """
data d = moons(20, seed=1) | split(test=0.5)
placeholder X: float32[n, 2]
p = X[:, 0] + X[:, 1]
total = reduce_sum(X)
session:
    found = evaluate p, X as x on d.test in batches of 3 as b with X = b.features
    write found, d.test.target as label to "out.csv"
    write p to "fed.csv" with X = [[1.0, 2.0]]
"""
    tfdsl.compile(text).run()
    rows = list(csv.reader((here / "out.csv").open()))
    assert rows[0] == ["p", "x_0", "x_1", "label"] and len(rows) == 11
    assert all(abs(float(p) - float(a) - float(b)) < 1e-6 for p, a, b, _ in rows[1:])
    assert (here / "fed.csv").read_text() == "p\n3\n"


# --- what is replaced -------------------------------------------------------------------------


def test_only_files_that_write_made_are_replaced(here):
    write = 'write n to "n.csv"'
    run(write)
    run(write.replace("n to", "n * 2 as n to"))
    assert (here / "n.csv").read_text() == "n\n2\n-4\n6\n"
    (here / "n.csv").write_text("n\n9\n")  # changed by hand
    assert failure(write) == ("TFG760", "n.csv exists, and it is not a file that tfdsl wrote, or it was changed since")
    assert (here / "n.csv").read_text() == "n\n9\n"
    run(write, overwrite=True)
    run(write)
    (here / "other.csv").write_text("mine")
    assert failure('write n to "other.csv"')[0] == "TFG760"
    assert sorted(os.listdir(here)) == [".tfdsl-written", "n.csv", "other.csv"]


def test_a_list_of_somebody_else_is_no_permission(here):
    (here / ".tfdsl-written").write_text('{"files": {"n.csv": [[4, "0"]]}}')
    (here / "n.csv").write_text("mine")
    assert failure('write n to "n.csv"')[0] == "TFG760"


def test_a_link_is_not_followed(here, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "n.csv"
    outside.write_text("mine")
    (here / "n.csv").symlink_to(outside)
    assert failure('write n to "n.csv"', overwrite=True)[0] == "TFG820"
    assert outside.read_text() == "mine"
    (here / "m.csv").symlink_to(here / "k.csv")
    (here / "k.csv").write_text("mine")
    assert failure('write n to "m.csv"')[0] == "TFG760"
    run('write n to "m.csv"', overwrite=True)
    assert (here / "k.csv").read_text() == "mine" and not (here / "m.csv").is_symlink()


def test_what_a_killed_run_left_is_removed(here):
    (here / ".n.csv.0123456789abcdef").write_text("n\n1")
    (here / ".n.csv.backup").write_text("mine")
    run('write n to "n.csv"')
    assert sorted(os.listdir(here)) == [".n.csv.backup", ".tfdsl-written", "n.csv"]


def test_a_failed_write_leaves_the_old_file(here):
    run('write n to "n.csv"')
    assert failure('write complex(x, x) as c to "n.csv"')[0] == "TFG765"
    assert (here / "n.csv").read_text() == "n\n1\n-2\n3\n" and sorted(os.listdir(here)) == [".tfdsl-written", "n.csv"]


# --- what is refused --------------------------------------------------------------------------

REFUSED = {
    'write n, x[:2] as part to "v.csv"': ("TFG761", "part has 2 rows, but n has 3 rows"),
    'write n, x to "v.npy"': ("TFG762", "a file v.npy has one value, but there are 2"),
    'write deep to "v.csv"': ("TFG764", '"deep" [3, 2, 1] has more than one number in a column of a row'),
    'write complex(x, x) as c to "v.csv"': ("TFG765", '"c" has the dtype complex64, which the file cannot have'),
    'write x, n as x_0 to "v.csv"': ("TFG766", 'two columns of the file would be called "x_0"'),
    'write decode_base64(["_w"]) as b to "v.csv"': ("TFG767", '"b" has bytes in row 1 that are no text in UTF-8'),
    'write x to "v.png"': ("TFG768", '"x" [3, 2] is no picture'),
    'write reshape(x, [1, 2, 3, 1]) as p to "v.png"': (
        "TFG769", '"p" has the number -2 in picture 0, but pictures have numbers from 0 to 255'),
    'write sqrt(fill([1, 2, 2, 3], -0.5)) as p to "v.png"': (
        "TFG769", '"p" has the number nan in picture 0, but pictures have numbers from 0 to 255'),
    'write fill([1, 2, 2, 3], 0.5) as p to "v.png"': (
        "TFG769", '"p" has only numbers from 0 to 1, but pictures have numbers from 0 to 255'),
    'write n to "no/../../v.csv"': ("TFG820", None),
}  # fmt: skip


def test_lists_of_different_lengths(here):
    assert failure('m = [[1], [2, 3]]\nwrite m to "m.csv"')[0] == "TFG763"


@pytest.mark.parametrize("body", REFUSED)
def test_refused(here, body):
    code, headline = REFUSED[body]
    found = failure(body)
    assert found[0] == code and headline in (None, found[1]), found
    assert not (here / "v.csv").exists() and not (here / "v.png").exists()


def test_a_path_with_values_in_it(here):
    run('m = n[0]\nwrite n to "n-{m:02d}.csv"')
    assert (here / "n-01.csv").exists()
    assert failure('t = "x"\nwrite n to "n.{t}"') == ("TFG564", "no format for the file 'n.x'")


def test_the_help_for_nan_in_pictures_works(here):
    text = 'variable z: float32[1, 2, 2, 1] = zeros\np = z / z\nsession:\n    init\n    write {} as p to "v.png"\n'
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text.format("p")).run()
    way = caught.value.diagnostics[0].help_line.partition(": ")[2]
    assert "is_finite" in way
    tfdsl.compile(text.format(way)).run()
    assert (here / "v.png").exists()
