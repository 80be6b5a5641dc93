"""`tfdsl predict` for series: windows of new rows, their keys, and what follows them."""

from itertools import product

import pytest
from conftest import some
from predicted import predict, written

import tfdsl
from tfdsl.cli import main


def test_a_file_that_is_shorter_than_a_window(here, capsys):
    (here / "old.csv").write_text("a,y\n" + "".join(f"{at},{at}\n" for at in range(9)))
    text = (
        'data old = csv("old.csv", target="y") | standardize("a") | windows(size=4, horizon=2)\n'
        "placeholder X: float32[n, 4, 1]\nvariable w = 2.0\np = reduce_sum(X * w, axis=1)\n"
        'session:\n    print p with X = old.features\n    save to "m.ckpt"\n'
    )
    (here / "m.tfg").write_text(text)
    assert main(["run", "-q", "m.tfg"]) == 0
    (here / "new.csv").write_text("a\n1\n2\n3\n")
    assert predict("--values", "p") == 1 and not (here / "out.csv").exists()
    err = capsys.readouterr().err
    assert "TFG890" in err and "windows of old needs 4 rows" in err and "new.csv has 3" in err
    (here / "new.csv").write_text("a\n1\n2\n3\n4\n")
    assert predict("--values", "p") == 0 and len(written("out.csv")) == 1
    (here / "short.csv").write_text("a,y\n1,1\n2,2\n3,3\n4,4\n5,5\n")
    program = text.partition("session")[0].replace("old.csv", "short.csv").partition(" | ")[0] + ' | fitted("m.ckpt")\n'
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(program)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG890" and "6 rows" in diagnostic.headline and "has 5" in diagnostic.headline


def test_too_few_rows_of_every_series(here):
    """The rows of all of them may be many."""
    (here / "old.csv").write_text("shop,a,y\n" + "".join(f"{at % 2},{at},{at}\n" for at in range(20)))
    (here / "new.csv").write_text("shop,a,y\n" + "".join(f"{at % 4},{at},{at}\n" for at in range(14)))
    program = 'data old = csv("old.csv", target="y") | windows("a", size=6, by="shop")\n'
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(f'{program}data new = csv("new.csv", target="y") | fitted(old)\n')
    (diagnostic,) = [one for one in caught.value.diagnostics if one.severity == "error"]
    assert diagnostic.code == "TFG890" and "has 4 at most, of 14 rows" in diagnostic.headline


@pytest.mark.parametrize(("horizon", "columns"), some(
    product((1, 3), ("when,shop,y", "when,shop,y,z")), [(1, "when,shop,y"), (3, "when,shop,y,z")]
))  # fmt: skip
def test_windows_have_the_keys_of_the_rows_that_are_predicted(here, columns, horizon, capsys):
    """Those that training gives them, also where the file lacks the target; after the last row, how far ahead."""
    rows = [(f"d{at}", "AB"[at % 3 == 0], at * at % 7) for at in range(24)]
    lines = [",".join(map(str, row)) for row in rows]
    (here / "old.csv").write_text("when,shop,y,z\n" + "".join(f"{line},{at}\n" for at, line in enumerate(lines)))
    new = [f"{line},{at}" if "z" in columns else line for at, line in enumerate(lines)]
    (here / "new.csv").write_text("\n".join([columns, *new]))
    (here / "m.tfg").write_text(
        f'data old = csv("old.csv", target="z") | aside("when") | windows("y", size=2, horizon={horizon}, by="shop")\n'
        'data new = csv("new.csv") | fitted(old)\nplaceholder X: float32[n, 2, 1]\nvariable w = 1.0\n'
        "p = reduce_sum(X * w, axis=1)\nsession:\n    print p with X = old.features\n"
        '    print new.ahead, new.when\n    save to "m.ckpt"\n'
    )
    assert main(["run", "-q", "m.tfg"]) == 0
    assert predict("--values", "p") == 0
    found = written("out.csv")
    of_shop = {shop: [row for row in rows if row[1] == shop] for shop in "AB"}
    expected = {}
    for shop, own in of_shop.items():
        for at in range(len(own) - 1):
            there = min(at + 1 + horizon, len(own) - 1)
            key = own[there][0], shop, str(at + 1 + horizon - there)
            expected[key] = own[at][2] + own[at + 1][2]
    assert {(row["when"], row["shop"], row["ahead"]): float(row["p"]) for row in found} == expected
    capsys.readouterr()
    with open("new.csv", "a") as file:
        file.write("".join(f"\nd24,{shop},1" + ",1" * ("z" in columns) for shop in ("C", "")))
    assert predict("--values", "p", out="more.csv") == 0
    err = capsys.readouterr().err
    assert "warning[TFG689]: windows of old leaves out 2 groups, as a window needs 2 rows that follow each other" in err
    assert '"C" has 1 row, "" has 1 row' in err
    assert written("more.csv") == found
    assert sum(row["ahead"] != "0" for row in found) == 2 * horizon
    old = tfdsl.compile("m.tfg").dataset("old")
    known = [row for row in found if row["ahead"] == "0"]
    assert [row["when"].encode() for row in known] == old.array("when").tolist()
    new = tfdsl.compile("m.tfg").dataset("new")
    assert [row["when"].encode() for row in found] == new.array("when").tolist()
    assert [int(row["ahead"]) for row in found] == new.array("ahead").tolist()


@pytest.mark.parametrize("after", ['select("window")', 'drop("when")', "aside"])
def test_transforms_after_windows_of_new_rows(here, after):
    """`select` keeps the columns that it names, and no `ahead`."""
    (here / "old.csv").write_text("when,y\n" + "".join(f"{at},{at}\n" for at in range(8)))
    end = 'aside("when")' if after == "aside" else after
    (here / "m.tfg").write_text(
        f'data old = csv("old.csv", target="y") | windows("y", size=2) | {end}\n'
        'data new = csv("old.csv") | fitted(old)\n'
    )
    program = tfdsl.compile("m.tfg")
    names = [one.name for one in program.dataset("new").schema.table]
    assert (
        names
        == {"select": ["window"], "drop(": ["window", "ahead"], "aside": ["when", "window", "ahead"]}[
            after[:6].rstrip('"')
        ]
    )
    assert program.dataset("new").features.shape == (7, 2, 1)


def test_a_series_and_the_rows_that_are_fitted_to_it_are_one_data_set(here, capsys):
    """However many rows both have, and with each of their names. No model has windows, so none is to be exported."""
    (here / "old.csv").write_text("t,y\n" + "".join(f"{at},{at * at}\n" for at in range(9)))
    (here / "new.csv").write_text("t,y\n" + "".join(f"{at},{at * 2}\n" for at in range(9, 14)))
    text = """
data old = csv("old.csv", target="y") | aside("t") | standardize("y") | windows("y", size=2)
data new = csv("new.csv") | fitted(old)
placeholder X: float32[n, 2, 1]
variable w = 2.0
p = reduce_sum(X, axis=[1, 2]) * w
session:
    print p with X = old.features
    print p with X = new.features
    save to "m.ckpt"
"""
    (here / "m.tfg").write_text(text)
    assert main(["run", "-q", "m.tfg"]) == 0
    command = ["predict", "m.tfg", "--from", "m.ckpt", "-o", "out.csv", "-q", "--values", "p", "--overwrite", "--data"]
    found = []
    for data in ("new.csv", "old=new.csv", "new=new.csv"):
        assert main([*command, data]) == 0, capsys.readouterr().err
        found.append(written("out.csv"))
    assert found[0] == found[1] == found[2] and [row["t"] for row in found[0]] == ["11", "12", "13", "13"]
    capsys.readouterr()
    assert main([*command, "other=new.csv"]) == 2
    assert "these are fed: old\n" in capsys.readouterr().err
    (here / "m.tfg").write_text(text.replace("    save", '    export p with X to "served"\n    save'))
    assert main([*command[:-4], "--overwrite", "--data", "new.csv"]) == 0 and written("out.csv") == found[0]
    capsys.readouterr()
    two = text.replace("float32[n, 2, 1]", "float32[n]").replace("reduce_sum(X, axis=[1, 2])", "X")
    two = two.replace('aside("t")', 'aside("t", "u")').replace("old.features", "old.t").replace("new.features", "old.u")
    (here / "old.csv").write_text("t,u,y\n" + "".join(f"{at}.5,{at}.5,{at * at}\n" for at in range(9)))
    (here / "m.tfg").write_text(two)
    assert main([*command, "new.csv"]) == 1
    err = capsys.readouterr().err
    assert "TFG885" in err and "old.t or old.u" in err and "feeds X = old.t only\n" in err and "export" not in err
