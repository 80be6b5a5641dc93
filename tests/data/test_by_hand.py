"""Eight data sets by hand with scikit-learn and NumPy, and the same rows through a declaration: the same numbers."""

import csv
import random
from datetime import date, timedelta

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    LabelEncoder,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

import tfdsl

ROWS = 240


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """The folder of a file of homes, and its columns: numbers as float64 with nan, text as objects."""
    drawn = random.Random(11)
    folder = tmp_path_factory.mktemp("homes")
    table = {
        "id": list(range(ROWS)),
        "sold": [str(date(2020, 1, 1) + timedelta(days=3 * at)) for at in range(ROWS)],
        "city": [drawn.choice(["Rome", "Oslo", "Bath", ""]) for _ in range(ROWS)],
        "kind": [drawn.choice(["flat", "house", "loft"]) for _ in range(ROWS)],
        "rooms": [drawn.choice([1, 2, 3, 4, ""]) for _ in range(ROWS)],
        "area": [round(drawn.gauss(80, 20), 2) if drawn.random() < 0.9 else "" for _ in range(ROWS)],
        "heated": [drawn.choice(["true", "false"]) for _ in range(ROWS)],
        "price": [round(drawn.gauss(300, 50), 1) for _ in range(ROWS)],
    }
    with open(folder / "homes.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    columns = {}
    for name, cells in table.items():
        if name in ("sold", "city", "kind"):
            columns[name] = np.array([cell or None for cell in cells], object)
        elif name == "heated":
            columns[name] = np.array([cell == "true" for cell in cells], float)
        else:
            columns[name] = np.array([np.nan if cell == "" else cell for cell in cells], float)
    return folder, columns


def side_by_side(columns, *names):
    return np.column_stack([columns[name] for name in names])


def filled_scaled_and_coded(columns):
    """A pipeline of scikit-learn, as tutorials have it."""
    table = side_by_side(columns, "rooms", "area", "heated", "city", "kind")
    made = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [0, 1]),
        (StandardScaler(), [2]),
        (make_pipeline(SimpleImputer(strategy="most_frequent", missing_values=None), OneHotEncoder(sparse_output=False)), [3, 4]),
    )  # fmt: skip
    train, test = train_test_split(np.arange(ROWS), test_size=0.2, random_state=7)
    whole = made.fit(table[train]).transform(table).astype(float)
    # Here each column stays where it was: city, kind, rooms, area, heated, which is a bool and is not scaled.
    order = [3, 4, 5, 6, 7, 8, 0, 1]
    whole = np.column_stack([whole[:, order], columns["heated"]])
    return whole, columns["price"][:, None], train, test


def means_from_0_to_1(columns):
    table = side_by_side(columns, "rooms", "area")
    train, test = train_test_split(np.arange(ROWS), test_size=0.25, random_state=1)
    made = make_pipeline(SimpleImputer(strategy="mean"), MinMaxScaler()).fit(table[train])
    return made.transform(table), columns["price"][:, None], train, test


def a_target_of_text(columns):
    table = side_by_side(columns, "rooms", "heated")
    train, test = train_test_split(np.arange(ROWS), test_size=0.2, random_state=42)
    rooms = SimpleImputer(strategy="most_frequent").fit(table[train][:, :1]).transform(table[:, :1])
    whole = np.column_stack([rooms, columns["heated"], columns["price"]])
    return whole, LabelEncoder().fit(columns["kind"][train]).transform(columns["kind"])[:, None], train, test


def products(columns):
    table = side_by_side(columns, "rooms", "area")
    train, test = train_test_split(np.arange(ROWS), test_size=0.2, random_state=3)
    made = make_pipeline(SimpleImputer(strategy="median"), PolynomialFeatures(3, include_bias=False), StandardScaler())
    whole = made.fit(table[train]).transform(table)
    return np.column_stack([np.ones(ROWS), whole]), columns["price"][:, None], train, test


def rows_and_folds(columns):
    kept = np.flatnonzero((columns["area"] > 60) & ((columns["city"] == "Rome") | (columns["city"] == "Oslo")))
    splits = list(KFold(4, shuffle=True, random_state=9).split(kept))
    train, test = splits[2]
    table = side_by_side(columns, "area", "heated")[kept]
    scaler = StandardScaler().fit(table[train][:, :1])
    return np.column_stack([scaler.transform(table[:, :1]), table[:, 1]]), columns["price"][kept][:, None], train, test


def dates_in_order(columns):
    days = [date.fromisoformat(day) for day in columns["sold"]]
    table = np.array([[day.year, day.month, day.weekday()] for day in days], float)
    train, test = np.arange(180), np.arange(180, ROWS)
    return StandardScaler().fit(table[train]).transform(table), columns["price"][:, None], train, test


def groups_and_ordinals(columns):
    cities = [*dict.fromkeys(filter(None, columns["city"])), "none"]  # in the order in which they appear
    of_city = np.array([cities.index(city or "none") for city in columns["city"]])
    chosen = np.random.RandomState(5).permutation(len(cities))
    test = np.flatnonzero(np.isin(of_city, chosen[:1]))
    train = np.flatnonzero(np.isin(of_city, chosen[1:]))
    kinds = OrdinalEncoder().fit(columns["kind"][train][:, None]).transform(columns["kind"][:, None])
    return np.column_stack([kinds, columns["heated"]]), columns["price"][:, None], train, test


def series(columns):
    prices = columns["price"]
    scaler = StandardScaler().fit(prices[:192, None])
    windows = np.lib.stride_tricks.sliding_window_view(scaler.transform(prices[:, None])[:, 0], 5)[:, :, None]
    targets = scaler.transform(prices[:, None])
    rows = np.concatenate([np.arange(192 - 6), np.arange(192, ROWS - 6)])  # no window spans both parts
    train, test = np.arange(192 - 6), np.arange(192 - 6, len(rows))
    return windows[rows], targets[rows + 6], train, test


SOURCE = 'csv("homes.csv", target="price")'
PAIRS = [
    (filled_scaled_and_coded, f'{SOURCE} | drop("id", "sold") | split(test=0.2, seed=7) | fill("rooms", "area", with="median") '
     '| fill("city", with="most_frequent") | one_hot("city", "kind") | standardize("rooms", "area")'),
    (means_from_0_to_1, f'{SOURCE} | select("rooms", "area") | fill(with="mean") | minmax | split(test=0.25, seed=1)'),
    (a_target_of_text, 'csv("homes.csv", target="kind") | drop("id", "sold", "city", "area") | fill(with="most_frequent") '
     '| categories("kind") | split(test=0.2)'),
    (products, f'{SOURCE} | select("rooms", "area") | fill(with="median") | polynomial(degree=3) | standardize | add_bias '
     '| split(test=0.2, seed=3)'),
    (rows_and_folds, f'{SOURCE} | where(area > 60 and city in ["Rome", "Oslo"]) | select("area", "heated") '
     '| standardize("area") | split(folds=4, fold=2, seed=9)'),
    (dates_in_order, f'{SOURCE} | select("sold") | date_parts("sold", parts=["year", "month", "weekday"]) | standardize '
     '| split(test=0.25, ordered=true)'),
    (groups_and_ordinals, f'{SOURCE} | fill("city", with="none") | split(test=0.25, by="city", seed=5) | categories("kind") '
     '| select("kind", "heated")'),
    (series, f'{SOURCE} | select("price") | standardize("price") | windows("price", size=5, horizon=2) '
     '| split(test=0.2, ordered=true)'),
]  # fmt: skip


@pytest.mark.parametrize(("by_hand", "declaration"), PAIRS, ids=lambda one: getattr(one, "__name__", ""))
def test_the_same_numbers(homes, monkeypatch, by_hand, declaration):
    folder, columns = homes
    monkeypatch.chdir(folder)
    features, target, train, test = by_hand(columns)
    data = tfdsl.compile(f"data d = {declaration}\n").dataset("d")
    for part, rows in ((data.train, train), (data.test, test)):
        np.testing.assert_allclose(part.features, features[rows], rtol=2e-6, atol=2e-6)
        np.testing.assert_allclose(part.target, target[rows], rtol=2e-6, atol=2e-6)
