"""Sources, transforms, schemas and batch orders, against scikit-learn and NumPy used by hand."""

import itertools
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.utils import shuffle

from tfdsl.data import SOURCES, TRANSFORMS, DataError, Schema, schema_of
from tfdsl.data import schema as limits
from tfdsl.data.batches import BatchOrder, indices, steps_per_epoch
from tfdsl.data.load import load
from tfdsl.data.schema import numbers
from tfdsl.data.sources.base import FileSource
from tfdsl.data.sources.california_housing import synthetic as california
from tfdsl.data.sources.california_housing.kept import kept_california
from tfdsl.ops.op import REQUIRED

CALIFORNIA_FILE = os.path.join(os.environ.get("SCIKIT_LEARN_DATA", ""), "cal_housing_py3.pkz")
needs_california = pytest.mark.skipif(
    not os.path.exists(CALIFORNIA_FILE), reason="real California housing data missing: SCIKIT_LEARN_DATA"
)

CSV = "a,b,price\n1,2.5,3\n4,-5e-1,6\n7,8,9\n10,11,12\n13,14.25,15\n"


def step(name, **arguments):
    return SimpleNamespace(name=name, arguments=arguments)


def spec(source, *transforms, folder=""):
    return SimpleNamespace(name="d", source=source, transforms=transforms, folder=str(folder))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", features=rng.normal(size=(12, 3)), target=np.arange(12))
    np.savez_compressed(tmp_path / "b.npz", X=rng.integers(0, 9, (12, 3)), y=rng.normal(size=(12, 1)))
    np.savez(tmp_path / "c.npz", X=np.asfortranarray(rng.normal(size=(12, 3))).astype(">f4"))
    return tmp_path


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """scikit-learn with an empty cache and no network."""
    home = tmp_path / "empty"
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))

    def refuse(*args, **kwargs):
        raise URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def failure(wanted, call):
    """The DataError with this code that a call raises. Its texts must be complete."""
    with pytest.raises(DataError) as caught:
        call()
    error = caught.value
    assert error.message.code == wanted, (error.message.code, str(error))
    assert "{" not in error.headline and isinstance(error.help, str)
    return error


def both_fail(wanted, declared, replacement=None):
    """The schema and the arrays are refused with the same error."""
    schema_error = failure(wanted, lambda: schema_of(declared, replacement))
    error = failure(wanted, lambda: load(declared, replacement=replacement))
    assert str(error) == str(schema_error) and error.stage == schema_error.stage
    return error


def agrees(declared, replacement=None):
    """Load data and compare it with its schema."""
    schema, data = schema_of(declared, replacement), load(declared, replacement=replacement)

    def check(schema, data):
        assert data.features.shape == (schema.rows, schema.columns) == (data.rows, data.columns)
        assert data.features.dtype.name == schema.features_type.dtype.name == "float32"
        assert data.features.flags.c_contiguous
        assert (data.names, data.target_name) == (schema.names, schema.targets[0].name if schema.targets else None)
        assert (data.target is None) == (schema.target_type is None)
        if data.target is not None:
            assert data.target.shape == (schema.rows, 1)
            assert data.target.dtype.name == schema.target_type.dtype.name

    check(schema, data)
    if schema.target_range is not None:
        ends = float(data.target.min()), float(data.target.max())
        assert ends == pytest.approx(schema.target_range), "those of all rows"
    assert [name for name, _ in schema.parts] == [part.name for part in data.parts]
    for part in data.parts:
        check(schema.part(part.name), part)
    return data


# --- the front end's half ---------------------------------------------------------------------
def test_schemas_need_no_numpy(folder):
    program = """
import sys
from types import SimpleNamespace as N
from tfdsl.data import SOURCES, TRANSFORMS, schema_of
def of(name, **arguments):
    steps = [N(name=n, arguments={}) for n in ("standardize", "minmax", "polynomial", "add_bias", "split")]
    source = N(name=name, arguments=arguments)
    return schema_of(N(name="d", source=source, transforms=steps, folder=sys.argv[1]))
print([of(n).columns for n in ("california_housing", "digits", "iris", "diabetes")])
print(of("moons", n_samples=10).rows, of("npz", path="a.npz").rows)
print([m for m in ("numpy", "sklearn", "tensorflow", "scipy", "pandas") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[45, 2145, 15, 66]", "10 12", "[]"]


@pytest.mark.parametrize(
    ("name", "row"), [*SOURCES.items(), *TRANSFORMS.items()], ids=lambda one: getattr(one, "name", "")
)
def test_rows_are_complete(name, row):
    assert row.name == name and re.fullmatch(r"[A-Z0-9].*\.", row.doc)
    if isinstance(row, FileSource):  # it can replace any other source
        assert [p.name for p in row.params if p.default is REQUIRED] == ["path"]
        assert row.suffixes and all(re.fullmatch(r"\.[a-z0-9]+", suffix) for suffix in row.suffixes)


SOURCE_STEPS = [
    step("california_housing", offline="synthetic"),
    step("digits"),
    step("iris"),
    step("diabetes"),
    step("moons", n_samples=101, noise=0.1, seed=3),
    step("csv", path="a.csv"),
    step("csv", path="a.csv", target="price"),
    step("csv", path="a.csv", target="b"),
    step("npz", path="a.npz"),
    step("npz", path="b.npz"),
    step("npz", path="c.npz"),
]
TRANSFORM_STEPS = [
    step("standardize"),
    step("minmax"),
    step("add_bias"),
    step("polynomial"),
    step("split", test=0.3),
    step("take", n=5),
    step("shuffle"),
]


@pytest.mark.parametrize("source", SOURCE_STEPS, ids=lambda s: f"{s.name}-{s.arguments.get('path', '')}")
def test_schema_describes_the_loaded_data(source, folder, no_network):
    assert {s.name for s in SOURCE_STEPS} | {"parquet"} <= set(SOURCES)
    assert {s.name for s in TRANSFORM_STEPS} <= set(TRANSFORMS)
    agrees(spec(source, folder=folder))
    large = source.name in ("california_housing", "digits")
    for transforms in itertools.permutations(TRANSFORM_STEPS, 1 if large else 2):
        declared = spec(source, *transforms, folder=folder)
        if (
            transforms[0].name != "split"
            or transforms[-1].name != "take"
            or schema_of(spec(source, folder=folder)).rows > 9
        ):
            agrees(declared)


# --- sources ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["digits", "iris", "diabetes", "wine", "breast_cancer"])
def test_toy_sets(name):
    bunch = getattr(datasets, f"load_{name}")()
    data = agrees(spec(step(name)))
    assert np.array_equal(data.features, bunch.data.astype(np.float32))
    assert np.array_equal(data.target[:, 0], bunch.target)
    assert data.names == tuple(bunch.feature_names)
    assert data.target.dtype == (np.float32 if name == "diabetes" else np.int64)
    assert data.origin == name and not data.synthetic


def test_moons():
    X, y = datasets.make_moons(100, noise=0.2, random_state=7)
    data = load(spec(step("moons", n_samples=100, noise=0.2, seed=7)))
    assert np.array_equal(data.features, X.astype(np.float32)) and np.array_equal(data.target[:, 0], y)
    exact = load(spec(step("moons", n_samples=100, seed=7)))
    assert np.allclose(exact.features, datasets.make_moons(100, random_state=7)[0])


def test_unseeded_moons_do_not_use_numpys_global_generator():
    np.random.seed(1)
    first = load(spec(step("moons", n_samples=50, noise=0.5))).features
    assert np.random.randint(1000) == np.random.RandomState(1).randint(1000)
    assert not np.array_equal(first, load(spec(step("moons", n_samples=50, noise=0.5))).features)


def test_csv(folder):
    rows = np.array([row.split(",") for row in CSV.split()[1:]], dtype=float)
    data = load(spec(step("csv", path="a.csv", target="price"), folder=folder))
    assert data.names == ("a", "b") and data.target_name == "price"
    assert np.array_equal(data.features, rows[:, :2].astype(np.float32))
    assert data.target.dtype == np.int64 and np.array_equal(data.target, rows[:, 2:])
    assert data.origin == str(folder / "a.csv")
    middle = load(spec(step("csv", path="a.csv", target="b"), folder=folder))
    assert middle.names == ("a", "price") and middle.target.dtype == np.float32
    assert load(spec(step("csv", path="a.csv"), folder=folder)).target is None


def test_csv_as_spreadsheets_write_it(tmp_path):
    (tmp_path / "x.csv").write_bytes('\ufeff"size, m2", y \r\n\r\n"1", 2\r\n3,"4"\r\n\r\n'.encode())
    data = agrees(spec(step("csv", path="x.csv", target="y"), folder=tmp_path))
    assert data.names == ("size, m2",)
    assert data.features.tolist() == [[1], [3]] and data.target.tolist() == [[2], [4]]


@pytest.mark.parametrize(
    "text, rows",
    [
        ("a,b\n1,2\n   \n3,4\n\t\n", [[1, 2], [3, 4]]),
        (" \n\na,b\n1,2\n3,4\n  ", [[1, 2], [3, 4]]),
        ("a,b\r\n1,2\r\n   \r\n3,4\r\n", [[1, 2], [3, 4]]),
        ("a\tb\n1\t2\n   \n3\t4\n", [[1, 2], [3, 4]]),
        ('a,b\n1,"2"\n"  "\n3,4\n', [[1, 2], [3, 4]]),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_lines_of_spaces_are_skipped(tmp_path, text, rows, stream):
    (tmp_path / "x.csv").write_bytes(text.encode())
    declared = spec(step("csv", path="x.csv", stream=stream), folder=tmp_path)
    assert schema_of(declared).columns == 2
    assert np.asarray(load(declared).features[:]).tolist() == rows


def test_lines_of_spaces_within_quotes_belong_to_the_cell(tmp_path):
    (tmp_path / "x.csv").write_text('a,b\n1,"x\n   \ny"\n   \n2,z\n')
    assert load(spec(step("csv", path="x.csv"), folder=tmp_path)).array("b").tolist() == [b"x\n   \ny", b"z"]
    (tmp_path / "x.csv").write_text('a,b\n1,"x\n   \ny"\n   \nz,4\n')
    error = failure("TFG642", lambda: load(spec(step("csv", path="x.csv"), folder=tmp_path)).features)
    assert str(error.place).endswith("x.csv:6:1")


def test_a_line_of_spaces_is_a_missing_cell_of_a_file_with_one_column(tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\n   \n3\n \n")
    column = schema_of(spec(step("csv", path="x.csv"), folder=tmp_path)).column("a")
    assert (column.gaps, schema_of(spec(step("csv", path="x.csv"), folder=tmp_path)).rows) == (2, 4)


def test_large_integer_targets(tmp_path):
    (tmp_path / "x.csv").write_text("x,y\n1,9007199254740993\n2,-1\n")
    data = agrees(spec(step("csv", path="x.csv", target="y"), folder=tmp_path))
    assert data.target.tolist() == [[9007199254740993], [-1]]
    # A number that int64 cannot hold is an error. It does not make the column float32, which would round other numbers.
    (tmp_path / "x.csv").write_text("x,y\n1,16777217\n1,9223372036854775808\n2,-1\n")
    error = both_fail("TFG635", spec(step("csv", path="x.csv", target="y"), folder=tmp_path))
    assert str(error.place).endswith("x.csv:3:3") and error.help.startswith("write it as 9.223372036854776e+18 ")
    (tmp_path / "x.csv").write_text("x,y\n1,16777217\n1,9.223372036854776e+18\n2,-1\n")
    assert agrees(spec(step("csv", path="x.csv", target="y"), folder=tmp_path)).target.dtype == np.float32


def test_npz(folder):
    stored = np.load(folder / "a.npz")
    data = load(spec(step("npz", path="a.npz"), folder=folder))
    assert np.array_equal(data.features, stored["features"].astype(np.float32))
    assert np.array_equal(data.target[:, 0], stored["target"]) and data.target.dtype == np.int64
    other = load(spec(step("npz", path="b.npz"), folder=folder))
    assert np.array_equal(other.features, np.load(folder / "b.npz")["X"]) and other.target_name == "y"
    big_endian = load(spec(step("npz", path="c.npz"), folder=folder))
    assert np.array_equal(big_endian.features, np.load(folder / "c.npz")["X"]) and big_endian.target is None


class Sequenced(np.ndarray):
    """An array as in NumPy 2.5: a sequence to `match`."""


Sequence.register(Sequenced)


def test_an_array_of_two_rows_is_not_a_pair():
    rows = np.array([[1, 2], [3, 4]]).view(Sequenced)
    data = agrees(spec(step("iris")), replacement=rows)
    assert data.features.tolist() == [[1, 2], [3, 4]] and data.target is None
    for pair in ((rows, rows[:, 0]), [rows, rows[:, 0]]):
        data = agrees(spec(step("iris")), replacement=pair)
        assert data.features.tolist() == [[1, 2], [3, 4]] and data.target.tolist() == [[1], [3]]


# --- California housing -----------------------------------------------------------------------
@needs_california
def test_real_california():
    bunch = datasets.fetch_california_housing()
    data = agrees(spec(step("california_housing", offline="synthetic"), step("standardize")))
    assert (data.origin, data.synthetic) == ("california_housing", False)
    assert data.names == tuple(bunch.feature_names) and [data.target_name] == bunch.target_names
    rows = np.ascontiguousarray(bunch.data)  # an array by columns is summed in another order
    assert np.array_equal(data.features, StandardScaler().fit_transform(rows).astype(np.float32))
    assert np.array_equal(data.target[:, 0], bunch.target.astype(np.float32))


def test_california_unreachable(no_network, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        error = failure("TFG625", lambda: load(spec(step("california_housing"))))
        data = load(spec(step("california_housing", offline="synthetic")))
    assert "Name or service not known" in error.headline and 'offline="synthetic"' in error.help
    assert error.stage == 0 and error.param == "offline"
    assert data.synthetic and data.origin == "synthetic stand-in for california_housing"
    assert capfd.readouterr() == ("", "")


def test_a_hanging_download_times_out(no_network, monkeypatch):
    monkeypatch.setattr("tfdsl.data.sources.california_housing.fetch.DOWNLOAD_SECONDS", 0.2)
    over = threading.Event()
    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **kwargs: over.wait())
    error = failure("TFG625", lambda: load(spec(step("california_housing"))))
    over.set()
    assert "no answer within" in error.headline


def test_california_cache_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    for content in (b"no pickle", b"", zlib.compress(b"x" * 3_000_000), zlib.compress(bytes(20640 * 9 * 8 + 300))):
        (tmp_path / "cal_housing_py3.pkz").write_bytes(content)
        assert "remove it" in failure("TFG625", lambda: load(spec(step("california_housing")))).headline


def test_a_planted_pickle_is_not_executed(tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    planted = pickle.dumps(Planted(str(tmp_path / "ran")))
    for content in (planted, zlib.compress(planted)):
        (tmp_path / "cal_housing_py3.pkz").write_bytes(content)
        failure("TFG625", lambda: load(spec(step("california_housing"))))
        assert load(spec(step("california_housing", offline="synthetic"))).synthetic
        assert not (tmp_path / "ran").exists()
    with pytest.raises(Exception):  # noqa: B017 - whatever it makes of it, scikit-learn runs it
        datasets.fetch_california_housing()
    assert (tmp_path / "ran").exists()


@dataclass
class Planted:
    path: str

    def __reduce__(self):
        return open, (self.path, "w")


@needs_california
def test_a_download_is_cached(tmp_path, monkeypatch):
    def fetched(data_home, **_):
        shutil.copy(CALIFORNIA_FILE, data_home)

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(datasets, "fetch_california_housing", fetched)
    first = load(spec(step("california_housing")))
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["cal_housing_py3.pkz"]
    monkeypatch.setattr(datasets, "fetch_california_housing", None)
    assert load(spec(step("california_housing"))).features.tobytes() == first.features.tobytes()


@needs_california
def test_a_cached_download_is_read_by_rows_or_by_columns(tmp_path, monkeypatch):
    import joblib

    kept = joblib.load(CALIFORNIA_FILE)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    for array in (np.ascontiguousarray(kept), np.asfortranarray(kept)):
        joblib.dump(array, tmp_path / "cal_housing_py3.pkz", compress=6)
        features, target = datasets.fetch_california_housing(return_X_y=True)
        ours = kept_california()
        assert ours[0].tobytes() == features.tobytes() and ours[1].tobytes() == target.tobytes()
    kept[0, 0] += 1
    joblib.dump(kept, tmp_path / "cal_housing_py3.pkz", compress=6)
    with pytest.raises(OSError):
        kept_california()


def mse_of_linear_regression(X, y):
    X = StandardScaler().fit_transform(X)
    return np.mean((LinearRegression().fit(X, y).predict(X) - y) ** 2)


def gradient_descent(X, y, epochs, rate=0.01):
    """The losses of the chapter's batch gradient descent."""
    X = np.column_stack([np.ones(len(X)), StandardScaler().fit_transform(X)])
    theta, losses = np.random.RandomState(42).uniform(-1, 1, 9), []
    for _ in range(epochs):
        error = X @ theta - y
        losses.append(np.mean(error**2))
        theta -= 2 * rate / len(X) * X.T @ error
    return losses


def test_stand_in():
    X, y = california.synthetic()
    again, _ = california.synthetic()
    assert X.tobytes() == again.tobytes()
    numbers = json.loads(california.RECORD.read_text())
    columns = np.column_stack([X, y]).T
    for column, quantiles, decimals in zip(columns, numbers["quantiles"], california.DECIMALS, strict=True):
        assert np.array_equal(column, np.round(column, decimals))
        assert column.min() == round(quantiles[0], decimals)
        assert column.max() == round(quantiles[-1], decimals)
    assert 0.5 < mse_of_linear_regression(X, y) < 0.58
    losses = gradient_descent(X, y, 1000)
    assert losses[-1] < 0.58 and all(a > b for a, b in itertools.pairwise(losses))


@needs_california
def test_stand_in_resembles_the_real_data():
    bunch = datasets.fetch_california_housing()
    X, y = california.synthetic()
    numbers = california.measure(bunch.data, bunch.target)
    assert numbers == json.loads(california.RECORD.read_text())
    made = california.measure(X, y)
    difference = np.abs(np.subtract(made["rank_correlation"], numbers["rank_correlation"]))
    pair = (california.LATITUDE, california.LONGITUDE)
    assert difference[pair] < 0.07
    difference[pair] = difference[pair[::-1]] = 0
    assert difference.max() < 0.02
    real = np.column_stack([bunch.data, bunch.target])
    for column, a, b in zip(real.T, made["quantiles"], numbers["quantiles"], strict=True):
        assert np.allclose(a[5:-5], b[5:-5], atol=0.02 * column.std())
    assert abs(mse_of_linear_regression(X, y) - mse_of_linear_regression(bunch.data, bunch.target)) < 0.05
    real, synthetic = gradient_descent(bunch.data, bunch.target, 1000), gradient_descent(X, y, 1000)
    assert np.allclose(real[100::100], synthetic[100::100], atol=0.05)


# --- transforms -------------------------------------------------------------------------------
def transformed(*steps):
    return load(spec(step("diabetes"), *steps))


X, Y = datasets.load_diabetes(return_X_y=True)


SCALERS = pytest.mark.parametrize(("name", "scaler"), [("standardize", StandardScaler()), ("minmax", MinMaxScaler())])


@SCALERS
def test_scalers(name, scaler):
    assert np.allclose(transformed(step(name)).features, scaler.fit_transform(X), atol=1e-6)
    data = transformed(step("split"), step(name))
    train, test = train_test_split(X, test_size=0.2, random_state=42)
    scaler.fit(train)
    for part, expected in ((data, X), (data.train, train), (data.test, test)):
        assert np.allclose(part.features, scaler.transform(expected), atol=1e-6)


@SCALERS
@pytest.mark.parametrize("at", range(5))
def test_scalers_learn_from_the_training_rows_wherever_split_is(name, scaler, at):
    """Split at each place among transforms of single rows, shuffled and cut before it."""
    rows = np.random.RandomState(3).permutation(len(X))[:200]
    train, test = train_test_split(X[rows], test_size=0.3, random_state=1)
    products = PolynomialFeatures(2, include_bias=False)
    first = type(scaler)().fit(train)
    second = type(scaler)().fit(products.fit_transform(first.transform(train)))
    steps = [step(name), step("polynomial"), step(name), step("add_bias")]
    steps.insert(at, step("split", test=0.3, seed=1))
    for early in range(at + 1):  # take and shuffle can be anywhere before split
        chosen = [*steps[:early], step("shuffle", seed=3), step("take", n=200), *steps[early:]]
        data = agrees(spec(step("diabetes"), *chosen))
        for part, expected in ((data, X[rows]), (data.train, train), (data.test, test)):
            expected = second.transform(products.transform(first.transform(expected)))
            assert np.allclose(part.features[:, 1:], expected, atol=1e-5)
            assert (part.features[:, 0] == 1).all()


def test_without_a_split_scalers_learn_from_the_rows_before_them():
    data = transformed(step("standardize"), step("take", n=50))
    assert np.allclose(data.features, StandardScaler().fit_transform(X)[:50], atol=1e-6)
    data = transformed(step("take", n=50), step("standardize"))
    assert np.allclose(data.features, StandardScaler().fit_transform(X[:50]), atol=1e-6)


@SCALERS
@pytest.mark.parametrize("split", [False, True])
def test_transforms_do_not_change_the_column_of_add_bias(name, scaler, split):
    rest = [step("split")] if split else []
    train = train_test_split(X, test_size=0.2, random_state=42)[0] if split else X
    data = agrees(spec(step("diabetes"), step("add_bias"), step(name), step("polynomial"), step(name), *rest))
    products = PolynomialFeatures(2, include_bias=False)
    first = type(scaler)().fit(train)
    second = type(scaler)().fit(products.fit_transform(first.transform(train)))
    expected = second.transform(products.transform(first.transform(X)))
    assert np.allclose(data.features, np.column_stack([np.ones(len(X)), expected]), atol=1e-5)
    names = products.get_feature_names_out(datasets.load_diabetes().feature_names)
    assert data.names == ("bias", *names)


@SCALERS
def test_constant_columns(name, scaler):
    constant = np.column_stack([np.full(1000, 0.1), np.full(1000, 1e9), np.zeros(1000), np.arange(1000)])
    data = load(spec(step("iris"), step(name)), replacement=constant)
    assert np.allclose(data.features, scaler.fit_transform(constant), atol=1e-6)


def test_add_bias():
    data = transformed(step("add_bias"))
    assert data.names[:2] == ("bias", "age")
    assert np.array_equal(data.features, np.column_stack([np.ones(len(X)), X]).astype(np.float32))


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_polynomial(degree):
    sklearns = PolynomialFeatures(degree, include_bias=False)
    data = transformed(step("polynomial", degree=degree))
    assert np.allclose(data.features, sklearns.fit_transform(X), atol=1e-6)
    assert data.names == tuple(sklearns.get_feature_names_out(datasets.load_diabetes().feature_names))


def test_transforms_work_in_double_precision():
    large = np.array([[1e8 + i] for i in range(100)])
    data = load(spec(step("iris"), step("standardize")), replacement=large)
    assert np.allclose(data.features, StandardScaler().fit_transform(large))


@pytest.mark.parametrize(("test", "seed"), [(0.2, 42), (0.5, 0), (1e-9, 1), (0.33, 7)])
def test_split(test, seed):
    data = transformed(step("split", test=test, seed=seed))
    parts = train_test_split(X, Y, test_size=test, random_state=seed)
    made = (data.train.features, data.test.features, data.train.target[:, 0], data.test.target[:, 0])
    for a, b in zip(made, parts, strict=True):
        assert np.array_equal(a, b.astype(np.float32))
    assert np.array_equal(data.features, X.astype(np.float32))
    assert data.train.features.flags.c_contiguous and data.train.train is None


def test_take_and_shuffle():
    assert np.array_equal(transformed(step("take", n=7)).features, X[:7].astype(np.float32))
    data = transformed(step("shuffle", seed=3))
    rows, targets = shuffle(X, Y, random_state=3)
    assert np.array_equal(data.features, rows.astype(np.float32))
    assert np.array_equal(data.target[:, 0], targets)


# --- values of arguments ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("steps", "code", "param", "stage"),
    [
        ([step("california_housing", offline="yes")], "TFG601", "offline", 0),
        ([step("moons", n_samples=0)], "TFG601", "n_samples", 0),
        ([step("moons", n_samples=10**5000)], "TFG601", "n_samples", 0),
        ([step("moons", n_samples=9, noise=-0.1)], "TFG601", "noise", 0),
        ([step("moons", n_samples=9, noise=float("nan"))], "TFG601", "noise", 0),
        ([step("moons", n_samples=9, seed=-1)], "TFG601", "seed", 0),
        ([step("iris"), step("split", test=0.0)], "TFG601", "test", 1),
        ([step("iris"), step("split", test=1)], "TFG601", "test", 1),
        ([step("iris"), step("split", test=0.999)], "TFG601", "test", 1),
        ([step("iris"), step("split", seed=1 << 32)], "TFG601", "seed", 1),
        ([step("iris"), step("minmax"), step("take", n=151)], "TFG601", "n", 2),
        ([step("iris"), step("take", n=0)], "TFG601", "n", 1),
        ([step("iris"), step("take", n=True)], "TFG601", "n", 1),
        ([step("iris"), step("polynomial", degree=0)], "TFG601", "degree", 1),
        ([step("iris"), step("shuffle", seed=-1)], "TFG601", "seed", 1),
        ([step("digits"), step("polynomial", degree=9)], "TFG621", None, 1),
        ([step("iris"), step("split"), step("split")], "TFG623", None, 2),
    ],
)
def test_bad_arguments(steps, code, param, stage):
    error = both_fail(code, spec(*steps))
    assert (error.param, error.stage) == (param, stage)


# --- CSV --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "code", "line", "column", "said"),
    [
        ("a,y\n1,2\n3,\n", "TFG637", 3, 3, 'row 2 (line 3) of column "y" has no value'),
        ("a,y\n1,2\n3,", "TFG637", 3, 3, 'row 2 (line 3) of column "y"'),
        ("a,y\n1,2\n,4\n", "TFG637", 3, 1, 'row 2 (line 3) of column "a"'),
        ("a,y\nx,2\n3,oops\n", "TFG642", 2, 1, '"x" is not a number'),
        ("a,y\n-inf,1\n", "TFG642", 2, 1, '"-inf"'),
        ("a,y\nnan,1\n", "TFG642", 2, 1, '"nan"'),
        ("a,y\n1e999,1\n", "TFG642", 2, 1, '"1e999"'),
        ("a,y\n1_000,1\n", "TFG642", 2, 1, '"1_000"'),
        ("a,y\n007,1\n", "TFG642", 2, 1, '"007"'),
        ("a,y\n-00.5,1\n", "TFG642", 2, 1, '"-00.5"'),
        ('a,y\n1,2\n\n\n"1,5","3"\n', "TFG642", 5, 1, '"1,5"'),
        ('a,y\n1,2\n"4\n",3\nx,5\n', "TFG642", 5, 1, '"x"'),
        ("a,y\n" + "z" * 100 + ",1\n", "TFG642", 2, 1, '"' + "z" * 37 + '..."'),
        ("a,y\n\x1b[31m,1\n", "TFG642", 2, 1, r'"\x1b[31m"'),
        ("a;b\n1\n", "TFG613", 1, None, "1, whose name is not shown here"),
        ("a,y\n1,2\n1,2,3\n", "TFG611", 3, 1, "3 cells"),
        ("a,y\n1,2\n1\n", "TFG611", 3, 1, "1 cell"),
        ("a,y\n1,2\n   \n1\n", "TFG611", 4, 1, "1 cell"),
        ('a,y\n1,2\n""\n', "TFG611", 3, 1, "1 cell"),
        ('a,y\n1,"2\n', "TFG606", 2, None, "unexpected end"),
        ("1,2\n3,4\n", "TFG608", 1, 1, "numbers"),
        ("a,,y\n1,2,3\n", "TFG609", 1, 3, "column 2"),
        ("a,y,a\n1,2,3\n", "TFG610", 1, 5, '"a"'),
        ("a,Z\n1,2\n", "TFG613", 1, None, '"a", "Z"'),
        ("a,Y\n1,2\n", "TFG614", 1, None, '"y"'),
        ("a,yy\n1,2\n", "TFG614", 1, None, '"y"'),
        ("y\n1\n", "TFG615", 1, None, '"y"'),
        ("a,y\n", "TFG607", None, None, "no rows"),
        ("", "TFG607", None, None, "no rows"),
        ("\n\n", "TFG607", None, None, "no rows"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_csv_faults(text, code, line, column, said, stream, tmp_path):
    (tmp_path / "x.csv").write_text(text, newline="")
    declared = spec(step("csv", path="x.csv", target="y", stream=stream), folder=tmp_path)

    def used():
        data = load(declared)
        return data.features, data.target

    error = failure(code, used)
    assert (error.place.path, error.place.line, error.place.column) == (str(tmp_path / "x.csv"), line, column)
    assert said in error.headline
    assert str(error).startswith(str(error.place))
    if code not in ("TFG637", "TFG642"):
        both_fail(code, declared)
    if code == "TFG614":
        assert error.help == f'did you mean "{text[2:].partition(chr(10))[0]}"?'


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":"])
@pytest.mark.parametrize("stream", [False, True])
def test_separators(separator, stream, tmp_path):
    """The usual separators are found, others must be given. A wrong one is an error."""
    rows = [["a", "b c", "y"], ["1", "2.5", "3"], ['"4"', "5", "6"], ["7", "8e-1", '"9"']]
    (tmp_path / "x.csv").write_text("\n".join(separator.join(row) for row in rows) + "\n")
    known = [None] if separator != ":" else []
    for given in (separator, *known):
        source = step("csv", path="x.csv", target="y", stream=stream, separator=given)
        data = load(spec(source, folder=tmp_path))
        assert data.features.tolist() == [[1, 2.5], [4, 5], [7, np.float32(0.8)]] and data.target[:, 0].tolist() == [
            3,
            6,
            9,
        ]
    if known:
        wrong = "," if separator != "," else ";"
        error = both_fail("TFG634", spec(step("csv", path="x.csv", separator=wrong, stream=stream), folder=tmp_path))
        assert f'not by "{wrong}"' in error.headline


@pytest.mark.parametrize("separator", ["", ";;", "a", "7", ".", "-", "\n", '"', 3])
def test_invalid_separators(separator, tmp_path):
    (tmp_path / "x.csv").write_text("a,y\n1,2\n")
    error = both_fail("TFG601", spec(step("csv", path="x.csv", separator=separator), folder=tmp_path))
    assert error.param == "separator"


@pytest.mark.parametrize(("text", "line"), [("y\n1\n\n2\n", 3), ("\ny\n\n\n1\n\n", 3), ('y\n"1\n"\n\n2', 4)])
def test_an_empty_line_between_rows_of_one_column_is_a_missing_cell(text, line, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    error = failure("TFG637", lambda: load(spec(step("csv", path="x.csv"), folder=tmp_path)).features)
    assert (error.place.line, error.place.column) == (line, 1)


def test_one_column_may_end_in_empty_lines(tmp_path):
    (tmp_path / "x.csv").write_text("\n\na\n1\n2\n\n\n")
    assert agrees(spec(step("csv", path="x.csv"), folder=tmp_path)).features.tolist() == [[1], [2]]


def test_csv_not_utf8(tmp_path):
    (tmp_path / "x.csv").write_bytes("a,y\n1,2\n3,é\n".encode("latin-1"))
    assert both_fail("TFG605", spec(step("csv", path="x.csv"), folder=tmp_path)).place.line == 3


def test_files_that_are_not_regular(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path, code in (("missing.csv", "TFG603"), (".", "TFG676"), ("x" * 400, "TFG603"),
                       ("pipe.csv", "TFG821"), ("nul\0.csv", "TFG822"), ("x" * 5000, "TFG822")):  # fmt: skip
        for source in ("csv", "npz"):
            error = both_fail(code, spec(step(source, path=path), folder=tmp_path))
            assert error.param == "path"
            assert str(tmp_path)[:30] in error.help or code != "TFG603"


def test_npz_faults(tmp_path):
    def code(wanted, **arrays):
        np.savez(tmp_path / "x.npz", **arrays)
        return both_fail(wanted, spec(step("npz", path="x.npz"), folder=tmp_path))

    code("TFG617")
    code("TFG619", X=np.array([[object()]], dtype=object))
    code("TFG619", X=np.array([["a"]]))
    code("TFG619", X=np.ones((2, 2), complex))
    code("TFG620", X=np.ones(()))
    code("TFG620", X=np.ones((0, 3)))
    code("TFG868", X=np.ones((2, 2)), y=np.ones(3))
    code("TFG620", X=np.ones((2, 2)), y=np.ones((2, 2)))
    (tmp_path / "x.npz").write_bytes(b"PK no zip")
    both_fail("TFG616", spec(step("npz", path="x.npz"), folder=tmp_path))


def test_npz_with_false_headers(tmp_path):
    declared = spec(step("npz", path="x.npz"), folder=tmp_path)

    def write(descr, shape, data=b"\0" * 32):
        header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.writestr("X.npy", body)

    write("<f8", "(2, 2)")
    agrees(declared)
    for shape in ("(2, 3)", "(200000, 200000)", "(2, -2)", "[2, 2]", "2", "(" * 200, "'a'"):
        write("<f8", shape)
        both_fail("TFG618", declared)
    write("<f8", "(2, 2)")
    damaged = bytearray((tmp_path / "x.npz").read_bytes())
    damaged[damaged.find(b"\0" * 32) + 9] ^= 1
    (tmp_path / "x.npz").write_bytes(damaged)
    failure("TFG616", lambda: load(declared))  # the checksum is verified when the numbers are read


def test_a_large_npz_is_not_unpacked(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", X=np.zeros((1000, 1000)))
    declared = spec(step("npz", path="x.npz"), folder=tmp_path)
    agrees(declared)
    monkeypatch.setattr(limits, "MAX_NUMBERS", 10**5)
    both_fail("TFG621", declared)


@pytest.mark.parametrize("value", [np.inf, 1e39])
def test_numbers_that_float32_cannot_hold(value):
    data = np.ones((5, 2))
    data[3, 1] = value
    error = failure("TFG622", lambda: load(spec(step("iris")), replacement=data))
    assert error.details["row"] == "4 (index 3)" and error.details["column"] == '"x1"'
    failure("TFG622", lambda: load(spec(step("iris")), replacement=(np.ones((5, 2)), data[:, 1])))


def test_transforms_that_overflow():
    data = np.full((3, 1), 1e20)
    declared = spec(step("iris"), step("polynomial"))
    assert failure("TFG622", lambda: load(declared, replacement=data)).stage == 1


# --- replacements -----------------------------------------------------------------------------
def test_replaced_by_python_data():
    features, target = np.arange(12).reshape(6, 2), np.arange(6) % 3
    declared = spec(step("digits"), step("add_bias"), step("split", test=0.5))
    for given in ((features, target), [features, target[:, None]], {"features": features, "target": target}):
        data = agrees(declared, given)
        assert data.features.tolist() == [[1, *row] for row in features]
        assert data.target[:, 0].tolist() == target.tolist() and data.target.dtype == np.int64
        assert data.origin == "data given from Python"
    assert agrees(declared, features).target is None
    assert agrees(declared, {"features": features}).target is None
    assert agrees(declared, (features, target > 1)).target.dtype == np.int64
    assert agrees(declared, (features, target / 2)).target.dtype == np.float32


@pytest.mark.parametrize("given", [7, {}, {"X": 1}, [[1, 2], [3, 4]], np.ones(3), (np.ones((2, 2)), [1, 2])])
def test_replaced_by_other_objects(given):
    both_fail("TFG624", spec(step("iris")), given)


def test_replaced_by_invalid_arrays():
    declared = spec(step("iris"))
    both_fail("TFG620", declared, (np.ones((3, 2)), np.ones(4)))
    both_fail("TFG619", declared, (np.ones((3, 2)), np.array(["a", "b", "c"])))
    failure("TFG619", lambda: load(declared, replacement=np.array([["a"]])))
    failure("TFG622", lambda: load(declared, replacement=(np.ones((1, 1)), np.array([2**64 - 1], np.uint64))))


def test_replaced_by_a_file(folder, monkeypatch):
    monkeypatch.chdir(folder)
    elsewhere = "/nowhere"
    assert agrees(spec(step("iris"), folder=elsewhere), "a.npz").rows == 12
    assert agrees(spec(step("iris"), folder=elsewhere), folder / "a.csv").target_name == "price"  # the last one
    assert agrees(spec(step("csv", path="x", target="b"), folder=elsewhere), "a.csv").target_name == "b"
    assert agrees(spec(step("csv", path="x"), folder=elsewhere), "a.csv").target_name is None
    both_fail("TFG613", spec(step("csv", path="x", target="zzz"), folder=elsewhere), "a.csv")
    (folder / "t.csv").write_text("target,MedHouseVal,z\n1,2,3\n")
    assert agrees(spec(step("iris")), "t.csv").target_name == "target"
    assert agrees(spec(step("california_housing")), "t.csv").target_name == "MedHouseVal"
    both_fail("TFG604", spec(step("iris")), "a.doc")


# --- batch orders -----------------------------------------------------------------------------
ROWS, SIZE = 23, 5


def test_steps_per_epoch():
    assert [steps_per_epoch(rows, 5) for rows in (1, 5, 6, 23, 25)] == [1, 1, 2, 5, 5]


def test_ordered():
    made = [indices("ordered", 0, ROWS, SIZE, k).tolist() for k in range(6)]
    assert list(itertools.chain(*made[:5])) == list(range(ROWS)) and len(made[4]) == 3 and made[5] == made[0]


def test_shuffled():
    order = BatchOrder("shuffled", 7, ROWS, SIZE)
    for epoch in range(3):
        made = np.concatenate([order.indices(epoch * 5 + k) for k in range(5)])
        assert np.array_equal(made, np.random.default_rng([7, epoch]).permutation(ROWS))


def test_sampled_batches_are_those_of_the_chapter():
    data, n_batches = np.arange(ROWS * 2).reshape(ROWS, 2), steps_per_epoch(ROWS, SIZE)

    def fetch_batch(epoch, batch_index, batch_size):
        np.random.seed(epoch * n_batches + batch_index)
        return data[np.random.randint(ROWS, size=batch_size)]

    order = BatchOrder("sampled", 0, ROWS, SIZE)
    for epoch, batch in itertools.product(range(3), range(n_batches)):
        assert np.array_equal(data[order.indices(epoch * n_batches + batch)], fetch_batch(epoch, batch, SIZE))
    expected = np.random.RandomState(7 + 3).randint(ROWS, size=SIZE)
    assert np.array_equal(indices("sampled", 7, ROWS, SIZE, 3), expected)
    assert len(indices("sampled", (1 << 32) - 1, ROWS, SIZE, 5)) == SIZE


@pytest.mark.parametrize("order", ["ordered", "shuffled", "sampled"])
def test_a_batch_depends_only_on_its_step(order):
    kept = BatchOrder(order, 3, ROWS, SIZE)
    for k in (9, 0, 14, 3, 4, 9):
        assert np.array_equal(kept.indices(k), indices(order, 3, ROWS, SIZE, k))


def test_schema_parts():
    schema = Schema(10, numbers(("a",)), (("train", 7), ("test", 3)))
    assert (schema.part("train").rows, schema.part("test").rows) == (7, 3)
    assert schema.part("train").part("train") is None and schema.part("validation") is None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("missing", [None, ["", " NA"]])
def test_spaces_around_cells_do_not_count(stream, missing, tmp_path):
    text = "a, city ,flag,y\n 1, Rome, true,1\n2 ,Oslo , false,2\n , ,true\t,3\n"
    (tmp_path / "x.csv").write_text(text.replace(" , ,", " NA,NA ,") if missing else text)
    given = {"stream": stream} | ({"missing": missing} if missing else {})
    data = load(spec(step("csv", path="x.csv", target="y", **given), folder=tmp_path))
    table = {one.name: (one.dtype.name, one.gaps) for one in data.schema.table}
    assert table == {"a": ("float32", 1), "city": ("string", 1), "flag": ("bool", 0), "y": ("int64", 0)}
    assert data.array("city").tolist() == [b"Rome", b"Oslo", b""] and data.array("flag").tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("text", "given", "rows"),
    [
        ('x,y\n"1,5",2\n"2,25","3,5"\n', {"decimal": ","}, [[1.5, 2], [2.25, 3.5]]),
        ('x;y\n"1,5";2\n2,25;3,5\n', {"decimal": ","}, [[1.5, 2], [2.25, 3.5]]),
        ("x;y\n1,5;2\n2,25;3,5\n", {"decimal": ","}, [[1.5, 2], [2.25, 3.5]]),
        ('x,y\n"1,5",2\n', {"decimal": ",", "separator": ","}, [[1.5, 2]]),
        ("1,5\n2,5\n", {"decimal": ",", "header": False}, [[1.5], [2.5]]),
    ],
)
def test_a_comma_before_fractions_and_between_cells(text, given, rows, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    assert load(spec(step("csv", path="x.csv", **given), folder=tmp_path)).features.tolist() == rows


def test_a_file_without_the_named_target_may_have_another_separator(tmp_path):
    (tmp_path / "x.csv").write_text("x y\n1 2\n3 4\n")
    error = failure("TFG634", lambda: load(spec(step("csv", path="x.csv", target="y"), folder=tmp_path)))
    assert error.help == 'add separator=" " to the arguments of csv'
