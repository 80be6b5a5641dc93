"""What messages of data say to write, and that it works when it is followed."""

import re
from pathlib import Path

import pytest

from tfdsl.driver import check
from tfdsl.inputs import CompileInputs
from tfdsl.source import Source

NPZ = Path(__file__).parents[1] / "cases/data/files/good.npz"
FILES = {
    "people.csv": "age,sex,city,y\n31,male,Rome,1\n22,female,Oslo,0\n45,male,Rome,1\n38,female,Paris,0\n",
    "new.csv": "age,sex,city\n31,male,Rome\n",
    "comma.csv": "a;y\n1,5;2\n3,25;1\n",
    "comment.csv": "# made by hand\na,y\n1,2\n",
    "notes.csv": "a,y\n1,2\n# a note\n3,4\n",
    "dates.csv": "day,y\n2024-01-01,2\n2024-02-01,3\n",
    "gaps.csv": "a,y\nNA,2\n3,2\n4,5\n5,6\n",
    "marks.csv": "a,y\nNA,2\n3,2\n4,5\n?,6\n6,6\n7,7\n",
    "days.csv": "day,y\n31.12.2024,2\n01.01.2025,3\n",
    "zeros.csv": "a,y\n007,2\n012,3\n",
    "codes.csv": "kind,flag,y\n0,1,2\n2,,3\n1,0,1\n0,1,2\n",
    "temps.csv": "t,v\n" + "".join(f"{at},{at % 3}\n" for at in range(9)),
    "huge.csv": "a,b\n1e400,1\n2,3\n",
    "classes.csv": "a,y\n1,cat\n2,dog\n3,\n",
    "thousands.csv": 'a,y\n"1,234",1\n"2,345",0\n',
    "spaced.csv": "a y\n1 2\n3 4\n",
    "towns.csv": "city,a,y\nRome,,1\n,1,2\nOslo,2,3\n",
    "ended.csv": "a,y\n1,2,\n3,4,\n",
    "named.csv": "a,y,unused\n1,2,\n3,4,\n",
    "empty_class.csv": "age,y,sex\n31,0,male\n32,1,\n",
    "late.csv": "t,v\n9,1\n10,2\n11,0\n12,\n13,\n",
    "early.csv": "t,v\n9,1\n10,2\n11,0\n",
    "empty.csv": "a,y\n1,2\n,3\n4,5\n",
}
TRAINING = """
placeholder X: float32[n, d.columns]
placeholder y: {y}
variable w: float32[d.columns, 1] = zeros
optimize reduce_mean(square(X @ w - cast(y, float32))) with gradient_descent(learning_rate=0.1)

session:
    train 2 epochs on d as batch:
        feed X = batch.features, y = batch.{field}
"""
PEOPLE = 'data d = csv("people.csv", target="y")'
FEATURES = "\nsum = reduce_sum(d.features)\n"


def training(data, y="float32[n, 1]", field="target"):
    return data + TRAINING.format(y=y, field=field)


@pytest.fixture
def said(here):
    for name, text in FILES.items():
        (here / name).write_text(text)

    def told(program):
        return check(Source(str(here / "p.tfg"), program + "\n"))[1]

    return told


# What is written, the code, a part of the message, and the text that the message asks for in its place.
WAYS = [
    (f"{PEOPLE} | where(abs(age) > 30)", "TFG651", "cannot have abs(age)", ("abs(age) > 30", "age > 30 or age < -30")),
    (f"{PEOPLE} | where(age[0] > 30)", "TFG651", "cannot have age[0]", ("age[0]", "age")),
    (f'{PEOPLE} | where(sex.startswith("m"))', "TFG651", "sex.startswith", ('sex.startswith("m")', 'sex == "male"')),
    (f'{PEOPLE} | where(age > 30, sex == "male")', "TFG405", 'where(age > 30 and sex == "male")',
     ('age > 30, sex == "male"', 'age > 30 and sex == "male"')),
    (f'{PEOPLE} | where(age > 30, age < 40 or y > 0)', "TFG405", "age > 30 and (age < 40 or y > 0)",
     ("age > 30, age < 40 or y > 0", "age > 30 and (age < 40 or y > 0)")),
    (f"{PEOPLE} | where(sex == male)", "TFG668", 'in quotes: "male"', ("male", '"male"')),
    (f"{PEOPLE} | where(sec == 3)", "TFG614", "sex?", ("sec == 3", 'sex == "male"')),
    (f'{PEOPLE} | where(sex == "Male")', "TFG648", 'has "female", "male"', ("Male", "male")),
    (f"{PEOPLE} | where(age > 300)", "TFG648", "goes from 22 to 45", ("300", "30")),
    (f'{PEOPLE} | split(test=0.5, ordered=true) | where(age < 40 and sex == "female" and y < 1 and age > 30)', "TFG648",
     "of .train", (' | split(test=0.5, ordered=true)', "")),
    *(
        ('data d = csv("towns.csv", target="y") | ' + f"where({test})", code, words, (test, meant))
        for test, code, words, meant in (
            ("city is not none", "TFG101", "where(city == city)", "city == city"),
            ("a is not none and y > 0", "TFG101", "where(a == a)", "a == a and y > 0"),
            ("city != none", "TFG651", "where(city == city)", "city == city"),
            ("a != None", "TFG651", "where(a == a)", "a == a"),
            ("a != nan", "TFG651", "where(a == a)", "a == a"),
            ("city.notna()", "TFG651", "where(city == city)", "city == city"),
            ("not pd.isna(city)", "TFG651", "where(city == city)", "city == city"),
            ("not is_nan(a)", "TFG651", "where(a == a)", "a == a"),
            ("is_nan(a) == false", "TFG651", "where(a == a)", "a == a"),
            ("is_nan(a) != true", "TFG651", "where(a == a)", "a == a"),
            ("city.notna() == true", "TFG651", "where(city == city)", "city == city"),
        )
    ),
    *(
        ('data d = csv("towns.csv", target="y") | ' + f"where({test})", code, words, ("| ", f"{meant} #"))
        for test, code, words, meant in (
            ("a is none", "TFG101", '| fill("a", with=0) | where(a == 0)', '| fill("a", with=0) | where(a == 0)'),
            ("a.isna() or y > 1", "TFG651", "| where(a == 0)", '| fill("a", with=0) | where(a == 0 or y > 1)'),
            ("city == none", "TFG651", '| fill("city", with="none") | where(city == "none")',
             '| fill("city", with="none") | where(city == "none")'),
            ("a == nan", "TFG651", '| fill("a", with=0) | where(a == 0)', '| fill("a", with=0) | where(a == 0)'),
        )
    ),
    ('data d = csv("people.csv", target="sex") | split(test=0.5) | categories("sex") | where(sex >= 0)', "TFG647",
     'put where before', ('split(test=0.5) | categories("sex") | where(sex >= 0)', 'where(sex == "male") | split(test=0.5) | categories("sex")')),
    (f"{PEOPLE} | where(city > 3)", "TFG650", 'as in city == "Oslo"', ("city > 3", 'city == "Oslo"')),
    ('data d = csv("empty.csv", target="y") | where(a > 1)', "TFG649", "where(a == a and ...)", ("a > 1", "a == a and a > 1")),
    ('data d = csv("empty.csv", target="y") | where(a > 1)', "TFG649", 'write before it: | fill("a", with=0)',
     (" | where", ' | fill("a", with=0) | where')),
    ('data d = csv("towns.csv", target="y") | where(city != "Rome" or a == 1)', "TFG649",
     '| fill("city", with="none") | fill("a", with=0), or', (" | where", ' | fill("city", with="none") | fill("a", with=0) | where')),
    ('data d = csv("people.csv", target="sex") | drop("city") | one_hot', "TFG638", 'one_hot("sex")', ("one_hot", 'one_hot("sex")')),
    (f'{PEOPLE} | one_hot | fill(with=3)', "TFG638", "leave it out", (" | fill(with=3)", "")),
    (f'{PEOPLE} | fill("age", 3)', "TFG652", "write: with=3", ("3", "with=3")),
    (f'{PEOPLE} | drop(["age", "sex"])', "TFG652", 'drop("age", "sex")', ('["age", "sex"]', '"age", "sex"')),
    (f'{PEOPLE} | fill("age")', "TFG402", 'fill("a", "b", ..., with=...)', ('"age"', '"age", with=0')),
    (f"{PEOPLE} | drop", "TFG402", 'drop("a", "b", ...)', ("drop", 'drop("age", "sex")')),
    (f"{PEOPLE} | tokens", "TFG402", "size=..., vocabulary=10000", ("tokens", 'tokens("sex", "city", size=2)')),
    (f"{PEOPLE} | where", "TFG402", "where(age > 30", ("where", "where(age > 30)")),
    (f"{PEOPLE} || one_hot", "TFG101", "write: |", ("||", "|")),
    ('data d = csv("people.csv", target=y)', "TFG301", 'in quotes: "y"', ("target=y", 'target="y"')),
    ('data d = csv("people.csv", usecols=["age"])', "TFG403", '| select("age", "city")',
     ('csv("people.csv", usecols=["age"])', 'csv("people.csv") | select("age", "city")')),
    ('data d = csv("people.csv", columns=["age", "city"])', "TFG601", '| select("age", "city")',
     ('csv("people.csv", columns=["age", "city"])', 'csv("people.csv") | select("age", "city")')),
    (f"{PEOPLE} | one_hot | standardize\ndata e = csv('people.csv')\nx = e.features".replace("'", '"'), "TFG642",
     "write | fitted(d), which does", ('csv("people.csv")\nx', 'csv("people.csv") | fitted(d)\nx')),
    (f"{PEOPLE} | one_hot\nm = d.std('age')".replace("'", '"'), "TFG686", "std is learned by | standardize",
     ("one_hot", "one_hot | standardize")),
    (f"{PEOPLE} | one_hot | standardize\ndata e = {PEOPLE.partition('=')[2]} | fitted(d) | standardize", "TFG921",
     "leave standardize out: fitted(d) scales", ("fitted(d) | standardize", "fitted(d)")),
    (f'{PEOPLE} | drop("sex") | where(sex == "male")', "TFG668", "or put where before drop, which takes the column away",
     ('drop("sex") | where(sex == "male")', 'where(sex == "male") | drop("sex")')),
    (f'{PEOPLE} | select("sex") | standardize("age")', "TFG628", "put standardize before select, which takes",
     ('select("sex") | standardize("age")', 'standardize("age") | select("sex")')),
    ('data d = csv("people.csv", index_col="city")', "TFG403", "| aside(",
     ('csv("people.csv", index_col="city")', 'csv("people.csv") | aside("city")')),
    ('data d = csv("people.csv", nrows=2)', "TFG403", "| take(", (', nrows=2)', ") | take(2)")),
    ('data d = csv("people.csv", y="age")', "TFG403", "called target", ("y=", "target=")),
    (f"{PEOPLE} | split(train=0.5)", "TFG403", "split(test=0.2, validation=0.1)", ("train", "test")),
    (f"{PEOPLE} | split(test=0.5, shuffle=false)", "TFG403", "ordered=true", ("shuffle=false", "ordered=true")),
    (f'{PEOPLE} | split(test=0.5, stratify="sex")', "TFG403", 'by="id"', ("stratify", "by")),
    (f'{PEOPLE} | split(test=0.5, by="sxe")', "TFG601", 'did you mean "sex"?', ("sxe", "sex")),
    ('data d = csv("empty.csv", target="y") | fill(with="average")', "TFG601", 'here it is called "mean"', ("average", "mean")),
    ('data d = csv("empty.csv", target="y") | fill(with="mode")', "TFG601", '"most_frequent"', ("mode", "most_frequent")),
    ('data d = csv("empty.csv", target="y") | fill(with="zero")', "TFG601", "write: with=0", ('"zero"', "0")),
    ('data d = csv("empty.csv", target="y") | fill("median")', "TFG402", 'write: with="median"', ('"median"', 'with="median"')),
    (f"{PEOPLE} | split(test=50%)", "TFG101", "as a fraction: 0.5", ("50%", "0.5")),
    (f"{PEOPLE} | split(test=20 %, validation=0.2)", "TFG101", "as a fraction: 0.2", ("20 %", "0.2")),
    (f'{PEOPLE} | fill("city", how="x")', "TFG403", "called with", ("how", "with")),
    (f'{PEOPLE} | windows("age", size=1, by="sxe")', "TFG601", 'did you mean "sex"?', ("sxe", "sex")),
    (f"{PEOPLE}\nsum = d.trian.rows", "TFG304", "| split(test=0.2)",
     ('"y")\nsum = d.trian', '"y") | split(test=0.5)\nsum = d.train')),
    (f"{PEOPLE} | split(test=0.5, ordered=True)", "TFG301", "write: true", ("True", "true")),
    ("data d = csv(people.csv)", "TFG301", '"people.csv"', ("people.csv", '"people.csv"')),
    ('data d = csv("people.csv", target=["y", age])', "TFG301", '"age"', ("age]", '"age"]')),
    ('data d = csv("people.csv", columns={age: float32})', "TFG301", '"age"', ("age:", '"age":')),
    ('data d = csv("people.csv", columns={"age": int})', "TFG601", 'int64', ("int", "int64")),
    ('data d = csv("people.csv", missing=["NA", 3])', "TFG601", 'not ["NA", 3]', ("3", '"3"')),
    ('data d = csv("comment.csv")', "TFG611", 'comment="#"', ("csv\"", 'csv", comment="#"')),
    ('data d = csv("notes.csv")', "TFG611", 'comment="#"', ("csv\"", 'csv", comment="#"')),
    ('data o = csv("temps.csv", target="t") | standardize\ndata d = csv("temps.csv", target="t") | fitted(o) | where(v > 1)',
     "TFG647", "and before fitted: put where before", ("fitted(o) | where(v > 1)", "where(v > 1) | fitted(o)")),
    ('data d = csv("ended.csv")', "TFG611", 'ends with a separator', ('"ended.csv")', '"named.csv") | drop("unused")')),
    (f'data d = csv("comma.csv"){FEATURES}', "TFG642", 'decimal=","', ("csv\"", 'csv", decimal=","')),
    (f'data d = csv("thousands.csv"){FEATURES}', "TFG642", 'write decimal="," in the source', ("csv\"", 'csv", decimal=","')),
    (f'data d = csv("spaced.csv", target="y"){FEATURES}', "TFG634", 'separator=" "', ('y")', 'y", separator=" ")')),
    (f'data d = csv("temps.csv", target="t") | windows("t", "v", size=2) | standardize{FEATURES}', "TFG638",
     "put standardize before the transform that makes it",
     (' | windows("t", "v", size=2) | standardize', ' | standardize | windows("t", "v", size=2)')),
    (f'data d = csv("empty.csv", target="y", header=false){FEATURES}'.replace('"y"', '"x1"'), "TFG642", "the first line looks like names",
     ('target="x1", header=false', 'target="a"')),
    (f'data d = csv("huge.csv"){FEATURES}', "TFG642", '"1e400" is too large for a number', ('csv")', 'csv") | drop("a")')),
    (training('data d = csv("classes.csv", target="y") | categories("y")', "int64[n, 1]"), "TFG637", "where(y == y)",
     ('| categories', '| where(y == y) | categories')),
    (training('data d = csv("classes.csv", target="y")', "int64[n, 1]"), "TFG503", 'write | categories("y") for',
     ('target="y")', 'target="y") | where(y == y) | categories("y")')),
    (f'data d = csv("gaps.csv") | fill("a", with=0){FEATURES}', "TFG601", 'missing=["", "NA"]', ('csv"', 'csv", missing=["", "NA"]')),
    (f'data d = csv("comma.csv", separator=";") | fill("a", with="mean"){FEATURES}', "TFG601", 'write decimal=","', ('";"', '";", decimal=","')),
    (f'data d = csv("towns.csv") | fill("a", "city", with=0){FEATURES}', "TFG601", 'or a text such as with="unknown"',
     ('"a", "city", with=0', '"a", with=0) | fill("city", with="unknown") | drop("city"')),
    (f'{PEOPLE} | drop("sex"){FEATURES}', "TFG642", 'or | aside("city") to leave it out', ('"sex")', '"sex") | aside("city")')),
    ('data d = csv("people.csv", target="sex") | drop("city") | categories("sex")\n'
     'data new = csv("empty_class.csv", target="sex") | fitted(d)\nsum = reduce_sum(new.features)', "TFG637", "leave target= out",
     ('empty_class.csv", target="sex"', 'empty_class.csv"')),
    ('data d = csv("temps.csv", target="v") | aside("t") | windows("v", size=2)\n'
     'data new = csv("late.csv", target="v") | fitted(d)\nsum = reduce_sum(new.window)', "TFG637", "leave out this row and those after",
     ("late.csv", "early.csv")),
    ('data d = csv("temps.csv", target="v") | aside("t") | windows("v", size=2)\n'
     'data new = csv("late.csv") | fitted(d)\nsum = reduce_sum(new.window)', "TFG637", "the last window predicts the row that comes next",
     ("late.csv", "early.csv")),
    (f'data d = csv("gaps.csv"){FEATURES}', "TFG642", 'missing=["", "NA"]', ('csv")', 'csv", missing=["", "NA"]) | fill(with=0)')),
    (f'data d = csv("marks.csv"){FEATURES}', "TFG642", 'missing=["", "NA", "?"]', ('csv")', 'csv", missing=["", "NA", "?"]) | fill(with=0)')),
    ('data d = csv("gaps.csv") | standardize("a")', "TFG639", 'missing=["", "NA"]', ('csv")', 'csv", missing=["", "NA"]) | fill(with=0)')),
    ('data d = csv("gaps.csv") | where(a > 3 and a == a)', "TFG650", 'missing=["", "NA"]', ('csv"', 'csv", missing=["", "NA"]')),
    (training('data d = csv("gaps.csv", target="a")'), "TFG503", 'missing=["", "NA"]',
     ('csv", target="a")', 'csv", target="a", missing=["", "NA"]) | where(a == a)')),
    (f'data d = csv("dates.csv"){FEATURES}', "TFG642", 'date_parts("day")', ('csv")', 'csv") | date_parts("day")')),
    (f'data d = csv("dates.csv") | minmax("day"){FEATURES}', "TFG639", 'date_parts("day")', ('minmax', 'date_parts')),
    (f'data d = csv("days.csv"){FEATURES}', "TFG642", 'date_parts("day", format="%d.%m.%Y")',
     ('csv")', 'csv") | date_parts("day", format="%d.%m.%Y")')),
    (f'data d = csv("zeros.csv"){FEATURES}', "TFG642", 'columns={"a": float32}', ('csv"', 'csv", columns={"a": float32}')),
    (f'{PEOPLE} | one_hot | fill("age", with=1e39)', "TFG601", "a number that a column can have", ("1e39", "1e38")),
    (training(f'{PEOPLE} | one_hot | drop("y")'), "TFG304", 'leave it out of drop("y")', (' | drop("y")', "")),
    (training(f'{PEOPLE} | one_hot | aside("y", "age")'), "TFG304", "which aside takes away", ('"y", "age"', '"age"')),
    (training(f"{PEOPLE} | one_hot", field="features"), "TFG502", "y = batch.target", ("y = batch.features", "y = batch.target")),
    (training(f"{PEOPLE} | one_hot", field="age"), "TFG502", "y = batch.target", ("y = batch.age", "y = batch.target")),
    (training(f"{PEOPLE} | one_hot", "int64[n, 1]", "features"), "TFG503", "y = batch.target",
     ("y = batch.features", "y = batch.target")),
    ('data a = csv("people.csv", target="y") | one_hot\ndata d = csv("new.csv") | fitted(a)\nt = d.target', "TFG304",
     '"y", the target of a', ("t = d.target", "t = d.features")),
    (f'data d = csv("codes.csv", target="y") | one_hot{FEATURES}', "TFG638", 'one_hot("kind")',
     ("one_hot", 'one_hot("kind") | fill(with=0)')),
    *(
        (f'data d = csv("codes.csv", target="y"{dtype}) | {steps}{FEATURES}', code, words,
         (f"{dtype}) | {steps}", f', columns={{"flag": string}}) | fill("flag", with="most_frequent") | {last}("flag")'))
        for dtype, steps, code, words, last in (
            ("", 'one_hot("flag")', "TFG639", 'fill("flag", with="most_frequent")', "one_hot"),
            ("", 'categories("flag")', "TFG639", 'columns={"flag": string} in the source', "categories"),
            ("", 'fill("flag", with=0) | one_hot("flag")', "TFG639", 'columns={"flag": string} in the source', "one_hot"),
            ("", 'fill("flag", with="none") | one_hot("flag")', "TFG601", 'columns={"flag": string}', "one_hot"),
            (', columns={"flag": int64}', 'one_hot("flag")', "TFG664", 'with="most_frequent") | one_hot', "one_hot"),
            (', columns={"flag": string}', 'one_hot("flag")', "TFG637", 'with="most_frequent")', "one_hot"),
            (', columns={"flag": string}', 'fill("flag", with=0) | one_hot("flag")', "TFG601", '"most_frequent" or', "one_hot"),
        )
    ),
    (f'{PEOPLE} | one_hot | standardize("age")\ns = d.features.std("y")', "TFG304", 'write: reduce_std(cast(d["y"], float32))',
     ('d.features.std("y")', 'reduce_std(cast(d["y"], float32))')),
    (f'{PEOPLE} | one_hot | standardize("age")\ns = d.features.std("sex")', "TFG304", 'd has it of "age"',
     ('d.features.std("sex")', 'd.std("age")')),
    (f'{PEOPLE} | one_hot\ns = d.target.std()', "TFG304", "write: reduce_std(cast(d.target, float32))",
     ("d.target.std()", "reduce_std(cast(d.target, float32))")),
]  # fmt: skip


@pytest.mark.parametrize(("program", "code", "words", "mended"), WAYS, ids=lambda one: str(one)[:60])
def test_what_a_message_says_works(said, program, code, words, mended):
    (found, *_) = [one for one in said(program) if one.code == code]
    assert words in f"{found.headline} {found.help_line}"
    assert program.count(mended[0]) == 1
    after = said(program.replace(*mended))
    assert [one.code for one in after if one.severity == "error" or one.code == code] == []


def test_a_column_by_its_name_is_no_warning(said):
    data = f'{PEOPLE} | drop("sex") | tokens("city", size=2)'
    assert [one.code for one in said(training(data))] == ["TFG669"]
    used = (
        training(data.replace("| tokens", "| tokens"))
        .replace("        feed X", "        feed T = batch.city\n        feed X")
        .replace("variable w", "placeholder T: int64[n, 2]\nvariable w")
        .replace("X @ w -", "X @ w + cast(T[:, 1:], float32) -")
    )
    assert said(used) == []
    assert said(training(f'{data} | aside("city")')) == []


def test_the_columns_of_features_are_those_of_their_last_axis(said):
    data = f'{PEOPLE} | drop("sex", "age") | tokens("city", size=3)'
    assert said(training(data)) == []  # float32[n, d.columns] fits


def test_a_column_of_whole_numbers_is_not_changed_where_nothing_lacks(said):
    assert said(f'{PEOPLE} | fill("age", with=9223372036854775808) | one_hot{FEATURES}') == []


def test_an_error_in_data_is_told_once(said):
    program = (
        f'{PEOPLE} | take(99)\ndata e = csv("new.csv") | fitted(d)\ndata f = csv("people.csv") | where(age > d.rows)'
    )
    assert [one.code for one in said(program)] == ["TFG601"]


def test_an_argument_with_a_name_is_blamed_by_it(said):
    """The columns before it take no parameters of the transform."""
    (found,) = said(f'{PEOPLE} | windows("age", "y", size=2, horizon=-1)')
    assert (found.code, found.span.text) == ("TFG601", "-1")
    (found,) = said(f'{PEOPLE} | fill("age", with="average")')
    assert (found.code, found.span.text) == ("TFG601", '"average"')


@pytest.mark.parametrize(
    ("stages", "code", "blamed", "words"),
    [
        ("one_hot | split(test=2)", "TFG601", "2", "write test=0.5 for about 2"),
        ("one_hot | split(test=9)", "TFG601", "9", "test=0.2"),
        ("one_hot | standardize | split(test=0.6, validation=0.6)", "TFG601", "0.6", "below 1"),
        ("one_hot | split(test=0.5) | standardize | split(seed=1)", "TFG623", "split(seed=1)", "leave it out"),
        ("one_hot | take(99)", "TFG601", "99", ""),
        ('one_hot("sex") | where(age > 99) | drop("city")', "TFG648", "age > 99", ""),
    ],
)
def test_an_error_after_a_transform_that_learns_is_at_its_own_stage(said, stages, code, blamed, words):
    (found,) = said(f"{PEOPLE} | {stages}")
    assert (found.code, found.span.text) == (code, blamed)
    assert words in found.help_line


@pytest.mark.parametrize(
    ("data", "code"), [('csv("no.csv", target="y")', "TFG603"), ('csv("people.csv", target="y")', "TFG642")]
)
def test_what_follows_from_data_that_failed_is_no_error(said, data, code):
    program = f"""
import nn
data d = {data} | split(test=0.5)
h = nn.dense(d.train.features, 1)
g = nn.dense(d.test.features, 1)
session:
    init
    print h, g, d.train.features
    save to "m"
    restore from "m"
"""
    assert [one.code for one in said(program)] == [code]


def test_rows_that_are_fitted_to_windows_name_their_target(said):
    program = 'data a = csv("people.csv", target="y") | select("age") | windows(size=2)\n'
    program += 'data b = csv("people.csv"{}) | select("age", "y") | fitted(a)\nx = b.target\n'
    (found,) = said(program.format(""))
    assert found.code == "TFG304" and 'target="y"' in found.help_line
    assert said(program.format(', target="y"')) == []


def test_a_split_after_windows_goes_before_them(said):
    """As the help line says."""
    data, windows = 'data d = csv("temps.csv", target="v") | aside("t")', '| windows("v", size=2)'
    (wrong,) = [one for one in said(f"{data} {windows} | split(test=0.4){FEATURES}") if one.severity == "error"]
    assert wrong.code == "TFG675" and "put split before windows, as | split(..., ordered=true)" in wrong.help_line
    assert not [
        one for one in said(f"{data} | split(test=0.4, ordered=true) {windows}{FEATURES}") if one.severity == "error"
    ]


def test_a_file_that_no_source_reads_says_what_it_is(said, here):
    for begin, what in (
        (b"\x1f\x8b\x08", "packed by gzip"),
        (b"PK\x03\x04" + bytes(40), "Excel"),
        (b"\x89HDF\r\n", "HDF5"),
    ):
        (here / "people.csv").write_bytes(begin + bytes(99))
        (found,) = said(PEOPLE)
        assert found.code == "TFG626" and what in found.headline


def test_a_file_that_is_no_table_by_its_name_says_what_it_is(said, here):
    for name, text, what, way in (
        ("saved_model.pb", bytes(range(256)), "a graph of TensorFlow", "tfdsl lift FILE"),
        ("old.py", b"import numpy\nx = f(1, 2)\n", "a program in Python", "name another file"),
    ):
        (here / name).write_bytes(text)
        (found,) = said(f'data d = csv("{name}")')
        assert found.code == "TFG626" and what in found.headline and way in found.help_line


def test_a_file_that_replaces_a_source_needs_the_name_of_its_format(said, here):
    (here / "arrays.csv").write_bytes(NPZ.read_bytes())
    (found,) = check(Source("p.tfg", PEOPLE + "\n"), CompileInputs(data={"d": "arrays.csv"}))[1]
    assert found.code == "TFG626" and "ends in .npz" in found.help_line


WINDOWS = """data d = csv("temps.csv", target="v") | {stages}
placeholder X: {type}
variable total = 0.0
added = assign_add(total, reduce_sum(X))

session:
    train 1 epochs on d.train in batches of 2 as batch:
        feed X = batch.{field}
        run added
"""


@pytest.mark.parametrize(
    ("stages", "type", "field", "meant"),
    [
        ('split(test=0.5, ordered=true) | windows("t", size=2)', "float32[n, 2]", "window", "float32[n, 2, 1]"),
        (
            'split(test=0.5, ordered=true) | windows("t", size=2)',
            "float32[n, d.columns]",
            "features",
            "float32[n, 2, 1]",
        ),
        (
            'split(test=0.5, ordered=true) | windows("t", "v", size=2)',
            "float32[n, d.columns]",
            "window",
            "float32[n, 2, 2]",
        ),
        ('split(test=0.5, ordered=true) | windows("t", "v", size=2)', "float32", "window", "float32[?, 2, 2]"),
        ('split(test=0.5, ordered=true) | windows("t", "v", size=2)', "float32[4]", "window", "float32[?, 2, 2]"),
        ("split", "float32[n, 3, 1]", "features", "float32[n, 1]"),
        ("split", "float32[7]", "features", "float32[?, 1]"),
    ],
)
def test_the_type_that_a_message_declares_takes_the_data(said, stages, type, field, meant):
    (found,) = [one for one in said(WINDOWS.format(stages=stages, type=type, field=field)) if one.severity == "error"]
    assert found.code == "TFG502" and re.split("[,;] or ", found.help_line)[0] == f"declare X: {meant}"
    assert said(WINDOWS.format(stages=stages, type=meant, field=field)) == []


def test_the_indices_of_a_message_take_the_data(said):
    program = WINDOWS.format(
        stages='split(test=0.5, ordered=true) | windows("t", size=2)', type="float32[n, 2]", field="window"
    )
    (found,) = said(program)
    feed = found.help_line.partition("or feed ")[2]
    assert feed == "batch.window[:, :, 0]" and said(program.replace("batch.window", feed)) == []


@pytest.mark.parametrize("by", ["", ', by="place"'])
def test_the_split_of_windows_keeps_their_order(said, here, by):
    (here / "temps.csv").write_text("place,t,v\n" + "".join(f"{at % 4},{at},{at}\n" for at in range(40)))
    program = WINDOWS.format(stages=f'windows("t", size=2{by})', type="float32[n, 2, 1]", field="window")
    (found,) = [one for one in said(program) if one.severity == "error"]
    split = found.help_line.split("|")[1].strip()
    assert found.code == "TFG304" and split == ("split(test=0.2, " + (by[2:] or "ordered=true") + ")")
    assert not [one for one in said(program.replace("| windows", f"| {split} | windows")) if one.severity == "error"]
