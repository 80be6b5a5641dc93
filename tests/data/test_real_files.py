"""Real CSV files of other projects: each is described in at most three lines, and a model is trained on it.

The environment variable TFDSL_CSV_FILES names a folder with files of jbrownlee/Datasets and mwaskom/seaborn-data.
"""

import json
import os
import re
from pathlib import Path

import pytest

import tfdsl
from tfdsl.cli import main
from tfdsl.driver import check
from tfdsl.source import Source

FOLDER = os.environ.get("TFDSL_CSV_FILES", "")

# By file: the data, and how many classes the target has, 0 for a number.
PROGRAMS = {
    "jbrownlee_abalone": (
        'csv("jbrownlee_abalone.csv", header=false, target="x8") | split(test=0.2, seed=1)\n'
        "    | one_hot | standardize",
        0,
    ),
    "jbrownlee_auto-insurance": (
        'csv("jbrownlee_auto-insurance.csv", header=false, target="x1") | split(test=0.2, seed=1) | standardize',
        0,
    ),
    "jbrownlee_banknote_authentication": (
        'csv("jbrownlee_banknote_authentication.csv", header=false, target="x4") | split(test=0.2, seed=1) | standardize',
        2,
    ),
    "jbrownlee_breast-cancer": (
        'csv("jbrownlee_breast-cancer.csv", header=false, target="x9") | split(test=0.2, seed=1)\n'
        '    | categories("x9") | one_hot',
        2,
    ),
    "jbrownlee_daily-min-temperatures": (
        'csv("jbrownlee_daily-min-temperatures.csv", target="Temp") | date_parts("Date") | split(test=0.2, ordered=true)\n'
        "    | standardize",
        0,
    ),
    "jbrownlee_ecoli": (
        'csv("jbrownlee_ecoli.csv", header=false, target="x7") | split(test=0.2, seed=1)\n'
        '    | categories("x7") | standardize',
        8,
    ),
    "jbrownlee_glass": (
        'csv("jbrownlee_glass.csv", header=false, target="x9") | split(test=0.2, seed=1)\n'
        '    | categories("x9") | standardize',
        6,
    ),
    "jbrownlee_horse-colic": (
        'csv("jbrownlee_horse-colic.csv", header=false, target="x23", missing=["?"]) | drop("x2", "x24", "x25", "x26", "x27")\n'
        "    | where(x0 > 0) | split(test=0.2, seed=1)\n"
        '    | categories("x23") | fill(with="median") | standardize',
        2,
    ),
    "jbrownlee_ionosphere": (
        'csv("jbrownlee_ionosphere.csv", header=false, target="x34") | split(test=0.2, seed=1)\n'
        '    | categories("x34") | standardize',
        2,
    ),
    "jbrownlee_longley": (
        'csv("jbrownlee_longley.csv", header=false, target="x6") | split(test=0.2, seed=1) | standardize',
        0,
    ),
    "jbrownlee_monthly-car-sales": (
        'csv("jbrownlee_monthly-car-sales.csv", target="Sales") | date_parts("Month", parts=["year", "month"])\n'
        "    | split(test=0.2, ordered=true) | standardize",
        0,
    ),
    "jbrownlee_monthly-robberies": (
        'csv("jbrownlee_monthly-robberies.csv", target="Robberies") | date_parts("Month", parts=["year", "month"])\n'
        "    | split(test=0.2, ordered=true) | standardize",
        0,
    ),
    "jbrownlee_monthly-sunspots": (
        'csv("jbrownlee_monthly-sunspots.csv", target="Sunspots") | date_parts("Month", parts=["year", "month"])\n'
        "    | split(test=0.2, ordered=true) | standardize",
        0,
    ),
    "jbrownlee_monthly_champagne_sales": (
        'csv("jbrownlee_monthly_champagne_sales.csv", target="Sales") | date_parts("Month", parts=["year", "month"])\n'
        "    | split(test=0.2, ordered=true) | standardize",
        0,
    ),
    "jbrownlee_oil-spill": (
        'csv("jbrownlee_oil-spill.csv", header=false, target="x49") | split(test=0.2, seed=1) | standardize',
        2,
    ),
    "jbrownlee_pima-indians-diabetes": (
        'csv("jbrownlee_pima-indians-diabetes.csv", header=false, target="x8") | split(test=0.2, seed=1) | standardize',
        2,
    ),
    "jbrownlee_shampoo": (
        'csv("jbrownlee_shampoo.csv", target="Sales") | split(test=0.2, seed=1) | one_hot',
        0,
    ),
    "jbrownlee_wheat-seeds": (
        'csv("jbrownlee_wheat-seeds.csv", header=false, target="x7") | split(test=0.2, seed=1)\n'
        '    | categories("x7") | standardize',
        3,
    ),
    "jbrownlee_winequality-red": (
        'csv("jbrownlee_winequality-red.csv", header=false, target="x11") | split(test=0.2, seed=1) | standardize',
        0,
    ),
    "jbrownlee_yearly-water-usage": (
        'csv("jbrownlee_yearly-water-usage.csv", target="Water") | split(test=0.2, ordered=true) | standardize',
        0,
    ),
    "mwaskom_anscombe": (
        'csv("mwaskom_anscombe.csv", target="y") | split(test=0.2, seed=1) | one_hot | standardize("x")',
        0,
    ),
    "mwaskom_car_crashes": (
        'csv("mwaskom_car_crashes.csv", target="ins_losses") | aside("abbrev") | split(test=0.2, seed=1) | standardize',
        0,
    ),
    "mwaskom_dowjones": (
        'csv("mwaskom_dowjones.csv", target="Price") | date_parts("Date", parts=["year", "month"])\n'
        "    | split(test=0.2, seed=1) | standardize",
        0,
    ),
    "mwaskom_flights": (
        'csv("mwaskom_flights.csv", target="passengers") | split(test=0.2, seed=1) | one_hot | standardize("year")',
        0,
    ),
    "mwaskom_geyser": (
        'csv("mwaskom_geyser.csv", target="kind") | split(test=0.2, seed=1) | categories("kind") | standardize',
        2,
    ),
    "mwaskom_healthexp": (
        'csv("mwaskom_healthexp.csv", target="Life_Expectancy") | split(test=0.2, seed=1) | one_hot\n'
        '    | standardize("Year", "Spending_USD")',
        0,
    ),
    "mwaskom_mpg": (
        'csv("mwaskom_mpg.csv", target="mpg") | drop("name") | split(test=0.2, seed=1)\n'
        '    | fill("horsepower", with="median") | one_hot("origin") | standardize',
        0,
    ),
    "mwaskom_planets": (
        'csv("mwaskom_planets.csv", target="year") | split(test=0.2, seed=1)\n'
        '    | fill(with="median") | one_hot | standardize("number", "orbital_period", "mass", "distance")',
        0,
    ),
    "mwaskom_raw_dowjones": (
        'csv("mwaskom_raw_dowjones.csv", target="M1109BUSM293NNBR", missing=["", "."]) | date_parts("DATE", parts=["year", "month"])\n'
        "    | split(test=0.2, seed=1) | standardize",
        0,
    ),
    "mwaskom_raw_geyser": (
        'csv("mwaskom_raw_geyser.csv", target="eruptions") | split(test=0.2, seed=1) | standardize',
        0,
    ),
    "mwaskom_raw_healthexp": (
        'csv("mwaskom_raw_healthexp.csv", target="Life_Expectancy") | split(test=0.2, seed=1)\n'
        '    | fill("Spending_USD", with="median") | one_hot | standardize("Year", "Spending_USD")',
        0,
    ),
    "mwaskom_raw_planets": (
        'csv("mwaskom_raw_planets.csv", comment="#", target="pl_disc") | aside("rowid") | split(test=0.2, seed=1)\n'
        '    | fill(with="median") | one_hot',
        0,
    ),
    "mwaskom_raw_taxi_zones": (
        'csv("mwaskom_raw_taxi_zones.csv", target="borough") | drop("zone") | split(test=0.2, seed=1)\n'
        '    | categories("borough") | standardize',
        8,
    ),
    "mwaskom_seaice": (
        'csv("mwaskom_seaice.csv", target="Extent") | date_parts("Date", parts=["year", "dayofyear"])\n'
        "    | split(test=0.2, seed=1) | standardize",
        0,
    ),
    "mwaskom_titanic": (
        'csv("mwaskom_titanic.csv", target="survived") | drop("alive", "class", "who", "adult_male", "deck", "embark_town")\n'
        '    | split(test=0.2, seed=1) | fill("age", with="median") | fill("embarked", with="most_frequent")\n'
        '    | one_hot | standardize("age", "fare", "pclass", "sibsp", "parch")',
        2,
    ),
}

NUMBER = """
placeholder y: float32[n, 1]
p = nn.dense(X, 1)
result = reduce_mean(square(p - y))
optimize result / (1.0 + reduce_mean(square(y))) with adam(learning_rate=0.05)
"""
CLASS = """
placeholder y: int64[n, 1]
p = nn.dense(X, {classes})
result = nn.accuracy(y, p)
optimize nn.sparse_softmax_cross_entropy(y, p) with adam(learning_rate=0.05)
"""
SESSION = """
session:
    train 5 epochs on d.train in batches of 50 as batch:
        feed X = batch.features, y = batch.target
    print result with X = d.test.features, y = d.test.target
"""


def program(data, classes):
    model = CLASS.format(classes=classes) if classes else NUMBER
    return f"import nn\ndata d = {data}\nplaceholder X: float32[n, d.columns]{model}{SESSION}"


@pytest.mark.skipif(not FOLDER, reason="TFDSL_CSV_FILES names no folder")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_real_file(name, monkeypatch):
    monkeypatch.chdir(FOLDER)
    data, classes = PROGRAMS[name]
    assert len(data.splitlines()) <= 3 and Path(f"{name}.csv").exists()
    program_of = tfdsl.compile(program(data, classes))
    assert {one.code for one in program_of.diagnostics} <= {"TFG649", "TFG671"}
    (printed,) = program_of.run(options=tfdsl.Options(write=lambda line: None, engine="step")).printed
    assert float(printed) >= 0


@pytest.mark.parametrize("name", sorted(path.name for path in Path(FOLDER).glob("*.csv")) if FOLDER else [])
def test_what_is_proposed_for_a_file_is_a_program(name, capsys, monkeypatch):
    monkeypatch.chdir(FOLDER)
    options = ["--comment", "#"] if "raw_planets" in name else []
    assert main(["data", name, "--json", *options]) == 0
    line = json.loads(capsys.readouterr().out)["line"]
    data = re.search(r"^data (\w+)", line, re.MULTILINE)[1]
    program, said = check(Source("p.tfg", f"{line}\nx = {data}.features\n"))
    # A rare category may occur only in .test, which is a warning.
    assert program is not None and {one.code for one in said} <= {"TFG901", "TFG660"}
