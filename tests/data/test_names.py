"""Names of columns whose accents are characters of their own, as some systems write them (Unicode's form NFD)."""

from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import tfdsl
from tfdsl.diagnostics import TfgError

NFC, NFD = "größe", normalize("NFD", "größe")
COLUMNS = {NFD: [1.5, 2.5, 4.5, 8.5], "art": ["ö", "a", "ö", "a"], "y": [0, 1, 0, 1]}
PROGRAM = f"""
data d = SOURCE | where(column("{NFD}") < 5 and {NFC} > 1) | split(test=0.5, by="{NFD}") | standardize("{NFD}")

session: print d.{NFC}, d["{NFD}"], d["{NFC}"], d.mean("{NFD}") == d.mean("{NFC}")
"""


def written(folder, kind):
    match kind:
        case "csv":
            rows = zip(*COLUMNS.values(), strict=True)
            lines = [",".join(COLUMNS), *(",".join(map(str, row)) for row in rows)]
            (folder / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        case "parquet":
            parquet.write_table(pa.table(COLUMNS), folder / "d.parquet")
        case "npz":
            np.savez(folder / "d.npz", **{name: np.array(column) for name, column in COLUMNS.items()})


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_a_column_is_found_in_both_forms(kind, here):
    written(here, kind)
    source = f'{kind}("d.{kind}", target="y")'
    line = tfdsl.compile(PROGRAM.replace("SOURCE", source)).run().printed[0]
    first, second, third, same = line.replace("] ", "]|").split("|")
    assert first == second == third and same == "True"


@pytest.mark.parametrize("make", [dict, pa.table])
def test_data_from_python(make):
    program = f'data d = csv("none.csv", target="y")\nsession: print d.{NFC}'
    assert tfdsl.compile(program, data={"d": make(COLUMNS)}).run().printed == ["[1.5 2.5 4.5 8.5]"]


def test_names_that_a_program_gives(here):
    written(here, "csv")
    (here / "bare.csv").write_text("1,2\n3,4\n")
    program = f"""
data d = csv("d.csv", target="{NFD}", columns={{"{NFD}": float32}})
data e = csv("bare.csv", header=["{NFD}", "b"])

session: print d.target[:, 0], e.{NFC}
"""
    assert tfdsl.compile(program).run().printed == ["[1.5 2.5 4.5 8.5] [1 3]"]


def test_two_columns_that_differ_in_their_form_only(here):
    columns = {NFD: [1, 2], NFC: [3, 4]}
    (here / "d.csv").write_text(f"{NFD},{NFC}\n1,3\n2,4\n", encoding="utf-8")
    parquet.write_table(pa.table(columns), here / "d.parquet")
    np.savez(here / "d.npz", **{name: np.array(column) for name, column in columns.items()})
    for kind in ("csv", "parquet", "npz"):
        with pytest.raises(TfgError) as caught:
            tfdsl.compile(f'data d = {kind}("d.{kind}")')
        assert [one.code for one in caught.value.diagnostics] == ["TFG610"]
    for given in (columns, pa.table(columns)):
        with pytest.raises(TfgError) as caught:
            tfdsl.compile('data d = csv("none.csv")', data={"d": given})
        assert [one.code for one in caught.value.diagnostics] == ["TFG610"]


def test_files_that_differ_in_their_form_only(here):
    for at, name in enumerate((NFC, NFD)):
        (here / f"part{at}.csv").write_text(f"{name},b\n{at},2\n", encoding="utf-8")
        parquet.write_table(pa.table({name: [at], "b": [2]}), here / f"part{at}.parquet")
    for kind in ("csv", "parquet"):
        program = f'data d = {kind}("part*.{kind}")\nsession: print d.{NFC}'
        assert tfdsl.compile(program).run().printed == ["[0 1]"]


def test_new_rows_in_the_other_form(here):
    written(here, "csv")
    (here / "new.csv").write_text(f"{NFC},art\n2.5,ö\n", encoding="utf-8")
    program = f"""
data d = csv("d.csv", target="y") | standardize("{NFC}") | one_hot("art")
data n = csv("new.csv") | fitted(d)

session: print n.features[0, 0] == d.features[1, 0], n.columns == d.columns
"""
    assert tfdsl.compile(program).run().printed == ["True True"]


def test_cells_are_compared_as_they_are(here):
    (here / "d.csv").write_text(f"a,b\n{NFC},1\n{NFD},2\n", encoding="utf-8")
    assert tfdsl.compile('data d = csv("d.csv") | one_hot("a")\nsession: print d.columns').run().printed == ["3"]


def test_a_name_of_the_program_in_the_other_form():
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(f"{NFD} = constant(1.0)")
    (found,) = [one for one in caught.value.diagnostics if one.code == "TFG102"]
    assert found.help_line.endswith(f"write {NFC}")
