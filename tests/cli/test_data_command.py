"""`tfdsl data`: what it shows of files and of programs, and that the declaration that it writes works."""

import datetime
import json
import re
import shlex
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from PIL import Image

from tfdsl.cli import main
from tfdsl.driver import check
from tfdsl.source import Source

PEOPLE = "name;age;sex;city;born;income\n" + "".join(
    f"N{at};{'' if at == 3 else 20 + at};{'male' if at % 2 else 'female'};{('Rome', 'Oslo', '')[at % 3]};"
    f"2001-0{at % 9 + 1}-1{at % 10};{1000 * at}\n"
    for at in range(40)
)


@pytest.fixture
def files(here):
    (here / "people.csv").write_text(PEOPLE)
    (here / "comma.csv").write_text("a;b\n1,5;x\n2,5;y\n" + "3,0;x\n" * 20)
    (here / "marks.csv").write_text("a,b\n1,2\nNA,3\n" + "5,6\n" * 20)
    (here / "bare.csv").write_text("1,2,3\n4,5,6\n")
    (here / "long.csv").write_text("text,y\n" + "".join(f"word number {at} of many,{at}\n" for at in range(30)))
    (here / "words.txt").write_text("one two\nthree\nfour five six\n")
    parquet.write_table(pa.table({"a": [1.5, None, 2.5], "b": ["x", "y", None], "y": [1, 2, 3]}), "t.parquet")
    np.savez("a.npz", features=np.ones((4, 2), np.float32), target=np.arange(4))
    np.savez("two.npz", p=np.ones((4, 2, 3)), q=np.ones((4, 5)), y=np.arange(4))
    np.save("a.npy", np.arange(12.0).reshape(4, 3))
    for folder in ("cat", "dog"):
        (here / folder).mkdir()
        Image.new("RGB", (3, 2)).save(here / folder / "1.png")
    return here


FILES = [
    "people.csv",
    "comma.csv",
    "marks.csv",
    "long.csv",
    "words.txt",
    "t.parquet",
    "a.npz",
    "two.npz",
    "a.npy",
    "*/*.png",
]


@pytest.mark.parametrize("path", FILES)
def test_the_declaration_works(files, capsys, path):
    assert main(["data", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    name = found["line"].split()[1]
    program, said = check(Source(str(files / "p.tfg"), f"{found['line']}\nx = {name}.features\n"))
    assert program is not None, said
    assert {one.code for one in said} <= {"TFG901", "TFG669", "TFG660"}, said
    assert main(["data", path]) == 0
    assert capsys.readouterr().out.endswith(found["line"] + "\n")


HALVES = "".join(f"{at / 100 + 0.001:.3f},{'ab'[at % 2]},{at % 3}\n" for at in range(40))
PROPOSED = {
    "numbers": ("1,2,3\n4,5,6\n", ["header=false", 'target="x2"']),
    "fractions": (HALVES, ["header=false", "one_hot"]),
    "words": ("red,big,yes\n" + "blue,small,no\nred,big,yes\n" * 10, ["header=false", 'categories("x2")']),
    "named": ("colour,size\n" + "blue,1\nred,2\n" * 10, ["one_hot"]),
    "dates": ("date,temp,load\n" + "".join(f"2024-{1 + at // 28:02d}-{1 + at % 28:02d},{at % 7},{at % 5}\n" for at in range(60)),
              ['date_parts("date", parts=["month", "day", "weekday"])', "ordered=true", 'windows("temp", "load", size=6)']),
    "mixed_dates": ("date,load\n" + "".join(f"2024-01-{1 + at * 7 % 28:02d},{at % 5}\n" for at in range(28)),
                    ['date_parts("date", parts=["day"])', "split(test=0.2)"]),
    "months": ("date,load\n" + "".join(f"{1960 + at // 12}-{1 + at % 12:02d},{at % 5}\n" for at in range(60)),
               ['date_parts("date", parts=["year", "month"])', "ordered=true"]),
    "clock": ("v,at,load\n" + "".join(f"{at % 7},{1 + at % 3}/{1 + at % 28}/24 {1 + at % 12}:{at:02d} PM,{at % 5}\n" for at in range(60)),
              ['"day", "weekday", "hour", "minute"], format="%m/%d/%y %I:%M %p")']),
    "offsets": ("v,at,load\n" + "".join(f"{at % 7},2024-01-{1 + at * 5 % 28:02d}T10:00:00{('Z', '+02:00')[at % 2]},{at % 5}\n" for at in range(28)),
                ['format="%Y-%m-%dT%H:%M:%S%z")']),
    "thousands": ('x,v,y\n' + "".join(f'"{1 + at % 4},234",{at % 7},{at % 2}\n' for at in range(30)), ['drop("x")', '# "x" has numbers as text, such as "1,234", so it is dropped: ']),
    "spaces_between": ('x,v,y\n' + "".join(f'{1 + at % 4} 000,{at % 7},{at % 2}\n"2,500",{at % 7},{at % 2}\n' for at in range(30)),
                       ['drop("x")', '# "x" has numbers as text, such as "1 000", so it is dropped: ']),
    "commas_and_marks": ('town;x;y\n' + "".join(f'{"ABC"[at % 3]};{"n/a" if at % 15 == 3 else f"1,{at % 7}"};{at % 2}\n' for at in range(30)),
                         ['decimal=","', 'missing=["", "n/a"]', 'fill("x", with="median")', 'one_hot("town")']),
    "typos": ('x,v,y\n' + "".join(f'{"3O" if at == 7 else at % 4},{at % 7},{at % 2}\n' for at in range(30)),
              ['missing=["", "3O"]', 'fill("x", with="median")']),
    "money": ('x,v,y\n' + "".join(f'"${1 + at % 4},010.50",{at % 7},{at % 2}\n' for at in range(30)),
              ['drop("x")', '# "x" has numbers as text, such as "$1,010.50", so it is dropped: ']),
    "percent": ("x,v,y\n" + "".join(f"{at % 4}%,{at % 7},{at % 2}\n" for at in range(30)), ['# "x" has numbers as text, such as "0%"']),
    "money_last": ("v,x,y\n" + "".join(f"{at % 7},{at % 3},${at % 4}\n" for at in range(30)), ['target="x"', 'drop("y")']),
    "dates_last": ("v,x,when\n" + "".join(f"{at % 7},{at % 3},2024-01-{1 + at * 7 % 28:02d}\n" for at in range(30)), ['target="x"']),
    "decimals": ('x,v,y\n' + "".join(f'"{at},5",{at % 7},{at % 2}\n' for at in range(30)), ['decimal=","']),
    "codes": ('x,v,y\n' + "".join(f"{-999 if at % 9 == 0 else at}.5,{-999 if at % 7 == 0 else at % 5},{at % 2}\n" for at in range(30)),
              ['# "v" has -999, and is not negative otherwise: if it means a missing value, write missing=["", "-999"]']),
    "target_again": ("alive,v,survived\n" + "".join(f"{('no', 'yes')[at % 3 // 2]},{at % 7},{at % 3 // 2}\n" for at in range(30)),
                     ['aside("alive")', '# "alive" has one value for each of the target']),
    "twins": ("sex,v,who,y\n" + "".join(f"{'fm'[at % 2]},{at % 7},{('woman', 'man')[at % 2]},{at % 5}\n" for at in range(30)),
              ['aside("who")', '# "who" has one value for each of "sex"', 'one_hot("sex")']),
    "rows": ("v,rowid,y\n" + "".join(f"{at % 7},{at * 3},{at % 2}\n" for at in range(30)), ['aside("rowid")']),
    "numbered": ("v,member,y\n" + "".join(f"{at % 7},{1000 + at * 7 % 30},{at % 2}\n" for at in range(30)),
                 ['aside("member")']),
    "counted": ("v,n,y\n" + "".join(f"{at % 7},{at + 1},{at % 2}\n" for at in range(30)), ['aside("n")']),
    "spaced": ("a b y\n" + "".join(f"{at % 7} {at % 5}.5 {at % 3}\n" for at in range(30)), ['separator=" "', 'target="y"']),
    "spaces": ("v, city, y\n" + "".join(f"{at % 7}, {('Rome', 'Oslo')[at % 2]}, {at % 3}\n" for at in range(30)), ['one_hot("city")']),
    "hours": ("hour,level\n" + "".join(f"{at},{at % 5}\n" for at in range(60)), ["ordered=true"]),
    "keys": ("id,name,age,y\n" + "".join(f"{at + 1},n{at},{at % 9},{at % 2}\n" for at in range(30)), ['aside("id", "name")']),
    "named_keys": ("v,user_id,orderID,paid,y\n" + "".join(f"{at % 9},{at * 7 % 31},{at * 3},{at * 2},{at % 2}\n" for at in range(31)),
                   ['aside("user_id", "orderID")']),
    "only_a_key": ("id,y\n" + "".join(f"{at},{at % 2}\n" for at in range(30)), ["standardize"]),
    "large": ("x,v,y,z\n" + "".join(f"{at % 3 + 1}e300,{at % 7},{at % 2},{at % 3}e60\n" for at in range(30)),
              ['drop("x", "z")', 'target="y"', '# "x" has numbers too large for float32, so it is dropped\n']),
    "gaps_in_keys": ("code,v,y\n" + "".join(f"{'' if at == 3 else f'c{at}'},{at % 5},{at % 2}\n" for at in range(30)),
                     ['aside("code")']),
}  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), PROPOSED.values(), ids=list(PROPOSED))
def test_what_is_proposed(here, capsys, text, parts):
    (here / "a.csv").write_text(text)
    assert main(["data", "a.csv"]) == 0
    shown = capsys.readouterr().out
    line = shown[shown.index("To begin with") :].partition(":\n\n")[2].strip()
    for part in parts:
        assert part in line
    written = "\n".join(one for one in line.splitlines() if not one.startswith("#"))
    for part in ("header=", "aside(", "ordered=true"):
        assert (part in written) == any(part in one for one in parts)
    assert ("--header true" in shown) == ("header=" in line)
    program, said = check(Source(str(here / "p.tfg"), f"{line}\nx = a.features\n"))
    assert program is not None and [one.code for one in said] in ([], ["TFG901"])


NOTED = {
    "missing": ("kind,v,y\n" + "".join(f"{('a', 'N/A', 'b', 'nan')[at % 4]},{at % 7},{at % 2}\n" for at in range(30)),
                '# "kind" has "N/A", "nan": if they mean a missing value, write missing=["", "N/A", "nan"]\n'),
    "dates": ("on,v,y\n" + "".join(f"0{1 + at % 9}/0{1 + at % 5}/2024,{at % 7},{at % 2}\n" for at in range(30)),
              '# "on" has dates such as "06/01/2024", which may begin with the day or the month: date_parts with '
              'format="%m/%d/%Y" reads them in the other order\n'),
    "clear_dates": ("on,v,y\n" + "".join(f"{13 + at % 9}/0{1 + at % 5}/2024,{at % 7},{at % 2}\n" for at in range(30)), ""),
    "same_dates": ("on,v,y\n" + "".join(f"0{1 + at % 9}/0{1 + at % 9}/2024,{at % 7},{at % 2}\n" for at in range(30)), ""),
    "capitals": ("x,v,y\n" + "".join(f"{at % 9},{at % 7},{('yes', 'no', 'No')[at % 3]}\n" for at in range(30)),
                 '# "y" has "no", "No", which are different categories: write those alike that mean the same\n'),
    "newest": ("date,shop,load\n" + "".join(f"2024-02-{28 - at // 2},{'AB'[at % 2]},{at % 5}\n" for at in range(38)),
               '# "date" goes from the newest to the oldest: sort the rows first'),
    "sentences": ("v,review,y\n" + "".join(f"{at % 7},it is the {at}th that I saw,{at % 2}\n" for at in range(30)),
                  '# "review" has texts of many words, so it is dropped: to learn from its words, write '
                  'tokens("review", size=7) in place of the drop\n'),
    "plain": ("x,v,y\n" + "".join(f"{'ab'[at % 2]},{at % 7},{at % 3}\n" for at in range(30)), ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "comment"), NOTED.values(), ids=list(NOTED))
def test_what_may_be_wrong_is_a_comment(here, capsys, text, comment):
    (here / "a.csv").write_text(text)
    assert main(["data", "a.csv"]) == 0
    shown = capsys.readouterr().out
    assert comment in shown and ("\n# " in shown) == bool(comment)


DAYS = [str(datetime.date(2024, 1, 1) + datetime.timedelta(at)) for at in range(60)]
SERIES = {
    "one": (["date,level", *(f"{day},{at % 7}" for at, day in enumerate(DAYS))], 'windows("level", size=6)', 42 + 6),
    "hours": (["at,level", *(f"2024-01-{1 + at // 24:02d} {at % 24:02d}:00,{at % 7}" for at in range(60))],
              'windows("level", size=6)', 42 + 6),
    "beside": (["date,shop,temp,level", *(f"{day},{shop},{at % 9},{at % 7}" for at, day in enumerate(DAYS) for shop in "AB")],
               'windows("temp", "level", size=6, by="shop")', 2 * (42 + 6)),
    "numbered": (["year,store,level", *(f"{1900 + at},{store},{at % 7}" for at in range(60) for store in (7, 9))],
                 'windows("level", size=6, by="store")', 2 * (42 + 6)),
    "one_by_one": (["date,shop,level", *(f"{day},{shop},{at % 7}" for shop in "ABCDE" for at, day in enumerate(DAYS))],
                   'split(test=0.2, by="shop")\n#     | standardize("level")\n#     | windows("level", size=10, by="shop")', 5 * 50),
    "gaps": (["date,temp,level", *(f"{day},{'' if at == 4 else at % 9},{at % 7}" for at, day in enumerate(DAYS))],
             '| split(test=0.2, ordered=true)\n#     | fill("temp", with="median")\n#     | standardize("temp", "level")\n'
             '#     | windows("temp", "level", size=6)', 42 + 6),
    "months": (["year,month,level", *(f"{1990 + at // 12},{1 + at % 12},{at % 7}" for at in range(60))],
               'windows("level", size=6)', 42 + 6),
    "events": (["date,kind,level", *(f"{day},{'abc'[(at * at + more) % 3]},{at % 7}" for at, day in enumerate(DAYS)
                                     for more in (0, 0, 1))], "", 0),
    "classes": (["date,kind", *(f"{day},{'abc'[at % 3]}" for at, day in enumerate(DAYS))], "", 0),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "part", "rows"), SERIES.values(), ids=list(SERIES))
def test_windows_are_proposed_for_series(here, capsys, lines, part, rows):
    """The comment has the transforms, which work: the target is among the columns, and series are apart."""
    (here / "a.csv").write_text("\n".join(lines) + "\n")
    assert main(["data", "a.csv", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)["line"]
    assert ("windows" in line) == bool(part) and part in line
    if part:
        steps = [one.removeprefix("#") for one in line.splitlines() if one.startswith("#     |")]
        source = next(one for one in line.splitlines() if one.startswith("data "))
        text = "\n".join([source, *steps, "x = a.features", "rows = a.rows"])
        program, said = check(Source(str(here / "p.tfg"), text + "\n"))
        assert program is not None and {one.code for one in said} <= {"TFG901"}, said
        assert program.graphs[0].names["rows"].value.value == rows


def test_a_header_that_the_user_names_stays(here, capsys):
    (here / "a.csv").write_text(HALVES)
    assert main(["data", "a.csv", "--header", "true"]) == 0
    assert "header=true" in capsys.readouterr().out
    (here / "a.csv").write_text("1,2,3\n4,5,6\n")
    assert main(["data", "a.csv", "--header", "true"]) == 1


def test_what_a_file_has(files, capsys):
    assert main(["data", "people.csv", "--target", "income", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    columns = {one["name"]: one for one in found["columns"]}
    assert found["rows"] == 40 and found["decided"]["separator"] == '";", found in the file'
    assert columns["age"]["dtype"] == "float32" and columns["age"]["gaps"] == 1
    assert (columns["age"]["least"], columns["age"]["most"]) == (20, 59)
    assert columns["city"]["categories"] == 2 and columns["city"]["frequent"] == [["Rome", 14], ["Oslo", 13]]
    assert columns["income"]["role"] == "target" and found["target"] == "int64[40, 1]"
    assert found["first"][1] == ["N1", "21", "male", "Oslo", "2001-02-11", "1000"]
    assert (
        found["features"] is None and found["fault"]["code"] == "TFG642" and "people.csv:2:1" in found["fault"]["place"]
    )
    for step in (
        'aside("name")',
        'date_parts("born", parts=["month", "day", "weekday"])',
        'fill("age", with="median")',
        'one_hot("sex", "city")',
    ):
        assert step in found["line"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("t.parquet", ["a       float32  1 (33%)  from 1.5 to 2.5", "b       string   1 (33%)  2 texts: x (1), y (1)"]),
        ("a.npz", ["x0      float32", "target  int64, the target           from 0 to 3", ".features: float32[4, 2]"]),
        ("a.npy", ["x2      float32           from 2 to 11", ".features: float32[4, 3]"]),
        ("words.txt", ["text    string           3 texts", "four five six"]),
        ("*/*.png", ["float32[2, 3, 3]", ".features: float32[2, 2, 3, 3]", ".target: int64[2, 1]", "cat/1.png"]),
        (
            "comma.csv",
            [
                'decimal=","',
                "  decimal: a comma\n",
                "a       float32           from 1.5 to 3",
                "--decimal . takes them",
            ],
        ),
        (
            "marks.csv",
            ['missing=["", "NA"]', '  missing: empty cells or "NA"\n', "a       float32  1 (5%)   from 1 to 5"],
        ),
    ],
)
def test_files_of_any_source(files, capsys, path, words):
    assert main(["data", path]) == 0
    out = capsys.readouterr().out
    for one in words:
        assert one in out


def test_the_data_sets_of_a_program(files, capsys):
    (files / "p.tfg").write_text(
        'data a = csv("people.csv", target="income") | drop("name", "born", "city") | fill("age", with="mean")\n'
        '    | one_hot("sex") | split(test=0.25)\ndata b = csv("people.csv") | fitted(a)\ndata c = iris()\n'
    )
    assert main(["data", "p.tfg"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"\| one_hot\(\"sex\"\) +40 +4 +float32\[40, 3\] +sex: categories \(2\) female, male\n", out)
    assert ".train: 30 rows\n.test: 10 rows\n" in out and "| fitted(a)" in out and "what a has learned" in out
    assert main(["data", "p.tfg", "--json", "--data", "a=t.parquet"]) == 1
    assert "TFG" in capsys.readouterr().err
    assert main(["data", "p.tfg", "--json"]) == 0
    a, b, c = json.loads(capsys.readouterr().out)["data"]
    assert a["parts"] == {"train": 30, "test": 10} and a["features"] == b["features"] == "float32[40, 3]"
    assert c["features"] == "float32[150, 4]" and c["decided"] == {}


def test_wide_and_long_tables_are_cut(files, capsys):
    (files / "wide.csv").write_text(
        ",".join(f"column{at}" for at in range(200)) + "\n" + (",".join(["123"] * 199 + ["x" * 500]) + "\n") * 9
    )
    assert main(["data", "wide.csv"]) == 0
    out = capsys.readouterr().out.partition("To begin with")[0]
    assert max(map(len, out.splitlines())) <= 160 and "... and 140 more columns" in out and "... and 4 more rows" in out
    (files / "odd.csv").write_text("a\x1b[2Jb,c\n\x1b[31mx,1\n")
    assert main(["data", "odd.csv"]) == 0
    assert "\x1b" not in capsys.readouterr().out.partition("To begin with")[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bare.csv", "--header", "true"], 1, "write --header false, which names the columns x0, x1 and so on\n"),
        (["notes.csv"], 1, 'are left out with --comment "#"'),
        (["people.csv", "--separator", "|"], 1, 'add --separator ";"\n'),
        (["nothing.csv"], 1, "nothing.csv"),
        (
            ["words.csv", "--target", "x1", "--header", "true"],
            2,
            "if the first line is a row, write --header false, which",
        ),
        (["people.csv", "--target", "incom"], 2, 'did you mean "income"'),
        (["people.csv", "--separator", "ab"], 2, "TFG601"),
        (["t.parquet", "--separator", ","], 2, "--separator is not for parquet files"),
        (["p.tfg", "--target", "y"], 2, "--target is for files of data"),
        (["words.doc"], 2, "does not end in .tfg"),
        (["."], 1, 'name its files by a pattern: "./*.csv"'),
        (["tables"], 1, 'name its files by a pattern: "tables/*.csv"'),
        (["mixed"], 1, 'name its files by a pattern: "mixed/*/*.png"'),
        (["nothing"], 1, "it has no files whose names end in .csv"),
    ],
)
def test_what_is_wrong(files, capsys, words, code, said):
    (files / "p.tfg").write_text("data c = iris()\n")
    (files / "notes.csv").write_text("# notes, of May\na,b,c\n1,2,3\n")
    (files / "words.csv").write_text("red,big\nblue,small\nred,big\n")
    for folder in ("tables", "mixed", "nothing"):
        (files / folder).mkdir()
    (files / "tables" / "a.csv").write_text(PEOPLE)
    (files / "mixed" / "labels.csv").write_text("file,label\n1.png,cat\n")
    for folder in ("cat", "dog"):
        shutil.copytree(files / folder, files / "mixed" / folder)
    assert main(["data", *words]) == code
    captured = capsys.readouterr()
    assert said in captured.err and not captured.out and "Traceback" not in captured.err


def test_a_folder_of_pictures(here, capsys):
    for folder in ("cat", "dog"):
        (here / "photos" / folder).mkdir(parents=True)
        Image.new("RGB", (3, 2)).save(here / "photos" / folder / "1.png")
    assert main(["data", "photos"]) == 0
    assert 'images("photos")' in capsys.readouterr().out


def test_options_are_arguments_of_the_source(files, capsys):
    assert main(["data", "bare.csv", "--header", "false", "--target", "x2"]) == 0
    assert 'csv("bare.csv", target="x2", header=false)' in capsys.readouterr().out
    assert main(["data", "marks.csv", "--missing", "NA", "--missing", "", "--target", "b"]) == 0
    assert 'missing=["NA", ""]' in capsys.readouterr().out


def test_the_target_of_a_file_without_names(here, capsys):
    """The column that is proposed can be named, and does not decide what the first line is."""
    (here / "a.csv").write_text("red,big\n" + "blue,small\nred,big\n" * 10)
    assert main(["data", "a.csv"]) == 0
    line = capsys.readouterr().out.partition(":\n\n")[2]
    assert 'target="x1"' in line and "header=false" in line
    assert main(["data", "a.csv", "--target", "x0"]) == 0
    assert 'csv("a.csv", target="x0", header=false)' in capsys.readouterr().out


def test_pictures_of_different_sizes(here, capsys):
    """The help line names the option, and it works."""
    for name, size in (("a.png", (5, 4)), ("b.png", (3, 4))):
        Image.new("RGB", size).save(here / name)
    assert main(["data", "*.png"]) == 1
    assert "help: write --size 4 5 to scale all pictures\n" in capsys.readouterr().err
    assert main(["data", "*.png", "--size", "4", "5"]) == 0
    assert 'images("*.png", size=[4, 5])' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("shapes", "steps"),
    [
        ({"x": (5,), "y": ()}, ["split(test=0.2)"]), ({"series": (12, 5), "label": ()}, ["split(test=0.2)"]),
        ({"signal": (30,), "lengths": (), "target": ()}, ["split(test=0.2)", 'aside("lengths")']),
        ({"image": (8, 8, 1), "mask": (8, 8), "text": (), "target": ()}, ["split(test=0.2)", 'aside("mask", "text")']),
        ({"a": (2,), "b": (), "c": (), "target": ()}, ["split(test=0.2)", "standardize", 'aside("a")']),
        ({"series": (12, 5)}, ["split(test=0.2)"]),
    ],
)  # fmt: skip
def test_arrays_with_more_axes(here, capsys, shapes, steps):
    """The features are the array with the most numbers in a row, unless there are as many columns of one number."""
    rng = np.random.default_rng(1)
    columns = {
        name: rng.choice(["p", "q"], 40) if name == "text" else rng.integers(0, 9, (40, *shape))
        for name, shape in shapes.items()
    }
    np.savez("a.npz", **columns)
    assert main(["data", "a.npz"]) == 0
    line = capsys.readouterr().out.partition(":\n\ndata ")[2]
    assert [step.removeprefix("    | ") for step in line.splitlines()[1:]] == steps
    (here / "p.tfg").write_text(f"data {line}")
    assert main(["data", "p.tfg"]) == 0
    size = max(shapes.values()) if "b" not in shapes else (2,)
    assert f".features: float32[40, {', '.join(map(str, size))}]" in capsys.readouterr().out


def help_of(capsys, *words):
    assert main(["data", *words]) == 0
    return re.search(r"  help: (.*)\n", capsys.readouterr().out)[1]


def test_helps_name_options_of_the_command(files, capsys):
    """The option that a help line names makes it go away, or lets another one follow."""
    (files / "odd.csv").write_text("a,b\n" + '"N""A",3\n?,2\n' + "".join(f"{at},6\n" for at in range(20)))
    (files / "names.csv").write_text("a,sex\n1,male\n2,female\n3,male\n")
    for words in (
        ["marks.csv", "--missing", ""],
        ["comma.csv", "--decimal", "."],
        ["odd.csv", "--missing", 'N"A'],
        ["names.csv", "--header", "false"],
    ):
        said = help_of(capsys, *words)
        assert "=" not in said and "in the source" not in said, said
        option = re.search(r"write (--[^;]*)", said)
        if option is None:
            assert said.endswith("leave --header false out")
        assert main(["data", *words, *shlex.split(option[1])] if option else ["data", words[0]]) == 0
        assert said not in capsys.readouterr().out
    assert 'write missing=["", "NA"] in the source' in help_of(capsys, program_with(files, 'csv("marks.csv")'))


def program_with(files, source):
    (files / "p.tfg").write_text(f"data d = {source}\n")
    return "p.tfg"


def test_rows_are_not_taken_for_names(files, capsys):
    (files / "rows.csv").write_text("M,1,2\nF,3,4\nM,5,6\n")
    (files / "words.csv").write_text("red,big\nblue,big\nred,small\n")
    for words in (["rows.csv"], ["rows.csv", "--header", "false"], ["words.csv", "--header", "false"]):
        assert help_of(capsys, *words).startswith('write | one_hot("x0")'), words


def test_a_pattern_that_the_shell_expanded(files, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["data", "people.csv", "bare.csv"])
    assert caught.value.code == 2
    assert "'bare.csv' is one argument too many; put a pattern of files in quotes" in capsys.readouterr().err


def test_dates_of_a_parquet_file_are_no_text(here, capsys):
    day = datetime.datetime(2020, 1, 1)
    parquet.write_table(pa.table({"t": [day, day], "a": [1, 2], "y": [0, 1]}), "d.parquet")
    assert main(["data", "d.parquet"]) == 0
    shown = capsys.readouterr().out
    assert 'not yet: column "t" contains timestamps' in shown and "one_hot" not in shown
    assert '| drop("t")' in shown
    (here / "m.tfg").write_text('data d = parquet("d.parquet") | aside("t")\n')
    assert main(["check", "m.tfg"]) == 1
    assert "TFG627" in capsys.readouterr().out


def test_series_of_two_columns(here, capsys):
    days = [f"{store},{item},2020-01-{day:02d},{day}" for store in "AB" for item in "xyz" for day in range(1, 29)]
    (here / "d.csv").write_text("\n".join(["store,item,day,sales", *days]) + "\n")
    assert main(["data", "d.csv", "--target", "sales"]) == 0
    assert '# the rows of each "store" and "item" are in the order of time: windows' in capsys.readouterr().out
    (here / "d.csv").write_text("\n".join(["store,item,day,sales", *days[:28], *days[84:112]]) + "\n")
    assert main(["data", "d.csv", "--target", "sales"]) == 0
    assert '# the rows of each "store" are in the order of time' in capsys.readouterr().out
