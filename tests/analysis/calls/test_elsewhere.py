"""Names of other libraries: the error of each says what to write here."""

import re

import pytest

import tfdsl
from tfdsl.analysis.calls import elsewhere
from tfdsl.data import SOURCES, TRANSFORMS
from tfdsl.ops import OPS
from tfdsl.ops.optimizers import OPTIMIZERS

ROWS = "age,city,paid\n31,Rome,1\n22,Oslo,0\n45,Rome,1\n38,Oslo,0\n"
DATA = 'data d = csv("a.csv", target="paid") | one_hot\n'


def helps(here, program):
    (here / "a.csv").write_text(ROWS)
    (here / "p.tfg").write_text(program)
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile("p.tfg")
    return [one.help_line for one in caught.value.diagnostics]


SOURCE_NAMES = {
    'read_csv("a.csv")': "csv(", 'read_parquet("a.parquet")': "parquet(", "load_iris()": "write: iris",
    "fetch_california_housing()": "write: california_housing", "make_moons(100)": "moons(",
    'image_dataset_from_directory("a")': "images(", 'load("a.npz")': "npz(", 'read_excel("a.xlsx")': "save it as",
    "iris_data()": "write: iris",
}  # fmt: skip
TRANSFORM_NAMES = {
    "StandardScaler()": "| standardize", "MinMaxScaler()": "| minmax", "dropna()": "| where(age == age)",
    'fillna(0)': "| fill(", "SimpleImputer": "| fill(", "get_dummies": "| one_hot", "OneHotEncoder()": "| one_hot",
    "LabelEncoder()": "| categories", "train_test_split(test_size=0.2)": "| split(test=0.2)",
    "PolynomialFeatures(2)": "| polynomial(degree=2)", "KFold(5)": "folds=5", "sort_values": "prepare the file",
    "TimeSeriesSplit": "ordered=true", 'astype("float32")': "columns={", "batch(32)": "in batches of 50",
    "Standard_Scaler": "| standardize",
}  # fmt: skip
MEMBERS = {
    "X": "d.features", "data": "d.features", "values": "d.features", "y": "d.target", "labels": "d.target",
    "shape": "[d.rows, d.columns]", "feature_names": "tfdsl data", "X_train": "d.train.features",
    "shuffle": "a training takes batches", "standardize": "| standardize", "head": "tfdsl data",
    "train_test_split": "| split", "target_names": 'd.categories("paid")',
}  # fmt: skip


@pytest.mark.parametrize(("name", "words"), SOURCE_NAMES.items())
def test_sources(here, name, words):
    (help,) = helps(here, f"data d = {name}\n")
    assert words in help


@pytest.mark.parametrize(("name", "words"), TRANSFORM_NAMES.items())
def test_transforms(here, name, words):
    (help,) = helps(here, f'data d = csv("a.csv", target="paid") | {name}\n')
    assert words in help


@pytest.mark.parametrize(("name", "words"), MEMBERS.items())
def test_members(here, name, words):
    (help,) = helps(here, f"{DATA}a = d.{name}\n")
    assert words in help
    batch = f"{DATA}placeholder X: float32[n, 3]\np = X * 1.0\nsession:\n    train 1 epoch on d as b:\n"
    (help, *_) = helps(here, f"{batch}        print p with X = b.{name}\n")
    of_data = ("d.train", "d.categories")  # a batch has no parts, and has learned nothing
    assert (words if words.startswith(of_data) else words.replace("d.", "b.")) in help


def test_data_without_a_target_says_how_to_have_one(here):
    (help,) = helps(here, 'data d = csv("a.csv")\nt = d.labels\n')
    assert 'target="paid"' in help


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ('csv("a.csv", sep=";")', "separator"), ('csv("a.csv", na_values="x")', "missing"),
        ('csv("a.csv") | split(test_size=0.5)', "test"), ('csv("a.csv") | split(random_state=1)', "seed"),
        ('csv("a.csv") | fill("age", strategy="mean")', "with"), ('csv("a.csv") | windows(lookback=2)', "size"),
    ],
)  # fmt: skip
def test_arguments(here, call, words):
    (help,) = helps(here, f"data d = {call}\n")
    assert help == f"here it is called {words}"


@pytest.mark.parametrize("call", ['csv("a.csv")', 'read_csv("a.csv")', "StandardScaler()", "standardize(1)"])
def test_data_is_no_expression(here, call):
    (help,) = helps(here, f"a = {call}\n")
    assert help.startswith("data is declared")


@pytest.mark.parametrize("name", ["pd.read_csv", "sklearn.datasets.load_iris", 'csv("a.csv") | preprocessing.scale'])
def test_no_module_stands_before_data(here, name):
    (help,) = helps(here, f"data d = {name}()\n")
    assert "no module before them" in help


def test_what_the_tables_say_exists():
    for help in [*elsewhere._STAGES.values(), *elsewhere._DATA.values()]:
        assert set(re.findall(r"\| (\w+)", help)) <= {*TRANSFORMS}, help
        source = re.match(r"write: (\w+)\b(?!\.)", help)
        assert source is None or source[1] in SOURCES, help
    known = {one.name for kind in (*SOURCES.values(), *TRANSFORMS.values()) for one in kind.params}
    known |= {one.name for op in OPS.values() for one in op.params}
    known |= {"learning_rate", *(name for one in OPTIMIZERS.values() for name in one.params)}
    assert {*elsewhere.ARGUMENTS.values(), *elsewhere.OPPOSITE.values()} <= known
    assert not {*elsewhere._STAGES} & {name.replace("_", "") for name in (*SOURCES, *TRANSFORMS)}
