"""Names of other libraries: the error of each says what to write here."""

import re

import pytest

import tfdsl
from tfdsl.analysis.calls import elsewhere
from tfdsl.analysis.calls.builtins import BUILTINS
from tfdsl.data import SOURCES, TRANSFORMS
from tfdsl.ops import OPS, other_names
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
    'read_csv("a.csv")': 'csv("a.csv"', 'read_parquet("a.parquet")': "parquet(", "load_iris()": "write: iris",
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
    "Standard_Scaler": "| standardize", 'label_encode("paid")': '| categories("paid")',
    'OneHotEncoder(["age", "city"])': '| one_hot("age", "city")', 'dropcolumns("age")': '| drop("age")',
}  # fmt: skip
MEMBERS = {
    "X": "d.features", "data": "d.features", "values": "d.features", "y": "d.target", "labels": "d.target",
    "shape": "[d.rows, d.columns]", "feature_names": "tfdsl data", "X_train": "d.train.features",
    "shuffle": "a training takes batches", "standardize": "| standardize", "head": "tfdsl data",
    "inverse": 'd.std("paid")', "train_test_split": "| split", "target_names": 'd.categories("paid")',
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
    of_data = ("d.train", "d.categories", "d.std")  # a batch has no parts, and has learned nothing
    assert (words if words.startswith(of_data) else words.replace("d.", "b.")) in help


@pytest.mark.parametrize(
    ("split", "member", "words"),
    [
        ("", "d.val", "| split(test=0.2, validation=0.1)"),
        (" | split(test=0.25)", "d.validation", "| split(test=0.2, validation=0.1)"),
        (" | split(test=0.25, validation=0.25)", "d.val", "write: d.validation"),
    ],
)
def test_the_part_for_the_validation(here, split, member, words):
    in_session = (
        f"placeholder x: float32[n, 3]\nm = reduce_mean(x)\n"
        f"session:\n    a = evaluate m on {member} as b with x = b.features\n"
    )
    for rest in (f"a = {member}.features\n", in_session):
        assert any(words in help for help in helps(here, f"{DATA.rstrip()}{split}\n{rest}"))


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


GRAPH = "variable x = [[1.0, 2.0], [3.0, 4.0]]\n"
BLANKS = {
    "low, high": "0.0, 1.0",
    "other": "{x}",
    **{f"{sign} y": f"{sign} {{x}}" for sign in ("@", "+", "-", "*", "/", "**", "==", "!=", "<", "<=", ">", ">=")},
    "transpose({x}, [...])": "transpose({x}, [1, 0])",
    "[...]": "[-1]",
}


def followed(help, x):
    """What a help line says to write about a value, with something in its blanks."""
    (text,) = re.fullmatch(r"(?:write: |use |ops are written without a module: )(.*?)(?:;.*)?", help).groups()
    text = re.sub(rf"\b{x}\b", "{x}", text)
    for blank, value in BLANKS.items():
        text = text.replace(blank, value)
    text = text.replace("{x}", x)
    bools = ("reduce_any", "reduce_all")  # what these take
    return text.replace(f"({x})", f"({x} > 1.0)") if text.startswith(bools) else text


def help_of(program, code):
    (found,) = [one for one in tfdsl.check(program) if one.severity == "error"]
    assert found.code == code
    return found.help_line


@pytest.mark.parametrize("name", sorted({*other_names._VALUES, *other_names._CALLED, "relu", "squeeze"}))
def test_members_of_tensors_and_of_values(name):
    help = help_of(f"{GRAPH}y = x.{name}()\nsession: print y\n", "TFG304")
    program = f"{GRAPH}y = {followed(help, 'x')}\nsession: print y\n"
    assert not [one for one in tfdsl.check(program) if one.severity == "error"], help
    late = f"{GRAPH}session:\n    v = x * 2.0\n    print "
    program = late + followed(help_of(f"{late}v.{name}()\n", "TFG304"), "v") + "\n"
    assert not tfdsl.check(program), help


@pytest.mark.parametrize(
    "call",
    [
        "np.mean(x)",
        "np.exp(x)",
        "tf.nn.relu(x)",
        "np.linalg.inv(x)",
        "torch.std(x)",
        "np.zeros(3)",
        "np.random.rand(3)",
        "np.pi",
        "math.sqrt(x)",
        "tf.reduce_mean(x)",
        "np.newaxis",
    ],
)
def test_functions_of_modules(call):
    help = help_of(f"{GRAPH}y = {call}\nsession: print y\n", "TFG301")
    assert not [
        one for one in tfdsl.check(f"{GRAPH}y = {followed(help, 'x')}\nsession: print x\n") if one.severity == "error"
    ]


WITH_ARGUMENTS = {
    "x.dot(tf.square(x))": "x @ square(x)", "x.mean(axis=0)": "reduce_mean(x, axis=0)",
    "x.sum(dim=1, keepdim=True)": "reduce_sum(x, axis=1, keepdims=true)",
    "(x + 1).max(axis=(0, 1))": "reduce_max(x + 1, axis=[0, 1])", "x.reshape(-1, 1)": "reshape(x, [-1, 1])",
    "x.reshape((-1, 1))": "reshape(x, [-1, 1])", "x.view(-1)": "reshape(x, [-1])",
    "x.transpose(1, 0)": "transpose(x, [1, 0])", "x.astype(np.float64)": "cast(x, float64)",
    'x.astype("int")': "cast(x, int32)", "x.argmax(1)": "argmax(x, axis=1)", "x.size(0)": "shape(x)[0]",
    "x.clamp(min=0)": "maximum(x, 0)", "x.clip(0.0, 1.0)": "clip_by_value(x, 0.0, 1.0)",
    "x.pow(2)": "x ** 2", "x.softmax(dim=1)": "softmax(x, axis=1)", "x.flip(0)": "reverse(x, [0])",
    "x.masked_fill(x > 2, 0)": "where(x > 2, 0 * ones_like(x), x)", "x.assign(2 * x)": "assign(x, 2 * x)",
    "x.any(axis=1)": "reduce_any(cast(x, bool), axis=1)",
    "np.dot(x, x)": "matmul(x, x)", "np.concatenate((x, x), axis=1)": "concat([x, x], axis=1)",
    "np.vstack([x, x])": "concat([x, x], axis=0)", "np.random.randn(3, 4)": "random_normal([3, 4])",
    "np.random.normal(0.0, 1.0, (3, 4))": "random_normal([3, 4], 0.0, 1.0)",
    "np.random.uniform(0, 1, size=(3, 4))": "random_uniform([3, 4], 0, 1)", "np.zeros((2, 3))": "zeros([2, 3])",
    "np.array([1.0], dtype=np.float64)": "constant([1.0], dtype=float64)", "np.arange(3)": "range(3)",
    "tf.reduce_mean(tf.square(x), axis=None)": "reduce_mean(square(x), axis=none)",
    "mean(x, axis=0)": "reduce_mean(x, axis=0)",
}  # fmt: skip


@pytest.mark.parametrize("call", WITH_ARGUMENTS)
def test_a_call_keeps_its_arguments(call):
    program, way = f"{GRAPH}y = {{}}\nsession: print y\n", WITH_ARGUMENTS[call]
    help = next(one.help_line for one in tfdsl.check(program.format(call)) if one.severity == "error")
    assert help.partition(": ")[2] == way
    assert not [one for one in tfdsl.check(program.format(way)) if one.severity == "error"]


@pytest.mark.parametrize("name", sorted({*other_names._CALLED} - {*BUILTINS}))
def test_a_function_without_its_module_is_called_the_same(name):
    program = f"{GRAPH}y = {{}}{name}(x)\nsession: print y\n"
    (of_module,) = re.findall("ops are written without a module: (.*)", help_of(program.format("np."), "TFG301"))
    assert help_of(program.format(""), "TFG301") == f"write: {of_module}"


def test_names_of_modules_are_those_of_ops():
    assert {*other_names._CALLED.values(), *other_names._OTHERS.values()} - {"range"} <= {*OPS}
    assert help_of("x = np.float32(3)\nsession: print x\n", "TFG301") == "dtypes are written without a module: float32"
    assert help_of("x = np.frobnicate(3)\nsession: print x\n", "TFG301").endswith("as in zeros([2])")


@pytest.mark.parametrize("name", ["any", "all", "sorted", "reversed", "str", "sum", "float", "int", "bool"])
def test_functions_of_python(name):
    help = help_of(f"{GRAPH}y = {name}(x)\nsession: print y\n", "TFG445")
    if name == "sum":
        assert "reduce_sum(x)" in help
    else:
        assert not [
            one
            for one in tfdsl.check(f"{GRAPH}y = {followed(help, 'x')}\nsession: print y\n")
            if one.severity == "error"
        ]


@pytest.mark.parametrize(("digits", "factor"), [(2, "100.0"), (1, "10.0")])
def test_round_has_no_digits(digits, factor):
    help = help_of(f"{GRAPH}y = round(x, {digits})\nsession: print y\n", "TFG405")
    assert f"round(x * {factor}) / {factor}" in help and f'"{{x:.{digits}f}}"' in help
    assert not tfdsl.check(f"{GRAPH}y = {followed(help, 'x')}\nsession: print y\n")
    assert not tfdsl.check(f'{GRAPH}a = x[0, 0]\nsession: print "{{a:.{digits}f}}"\n')


HABITS = {
    "w.assign(3.0)": "write: set w = 3.0",
    "sess.run(w)": "write: run w",
    "sess.run([w, m])": "write: run w, m",
    "session.run(m, feed_dict={x: [1.0]})": "write: run m with x = [1.0]",
    "model.fit(a, b)": "write: train 10 epochs on DATA in batches of 50 as batch: feed X = batch.features, y = batch.target",
    "while m > 1: print m": "a session repeats statements with train, as in: train 100 steps: and in it: stop when x < 0.5",
    'save("a.ckpt")': 'write: save to "a.ckpt"',
    "a = eval m with x = [1.0]": "to compute something once, write: a = loss with X = ...; over the rows of data: evaluate",
    "train 2 steps:\n        if w > 1:\n            stop\n        else if w > 0:\n            run m": "write elif, and a condition",
    'print m, sep=","': "print has no options: it writes its values on one line, with spaces between them",
    'load "a.ckpt"': 'write: restore from "a.ckpt"', 'load_weights("a.ckpt")': 'write: restore from "a.ckpt"',
    'train 2 steps:\n        keep lowest w in "a.ckpt"': 'write: keep lowest w to "a.ckpt"',
    "train 2 steps:\n        stop after 3 steps": "write: stop after 3 steps without lower VALUE, or: without higher VALUE",
    "train 2 steps:\n        stop after 3 steps without improvement":
        "write: stop after 3 steps without lower VALUE, or: without higher VALUE",
    "train 2 steps:\n        if w > 1: stop": "write: stop when w > 1",
    "train 2 steps:\n        EarlyStopping(patience=5)":
        "write after an evaluate in the training, as in seen = evaluate cost on d.validation ...: "
        "stop after 5 epochs without lower seen",
    'save model to "a.ckpt"': 'without names it takes all variables: write: save to "a.ckpt"',
    'restore weights from "a.ckpt" if exists': 'without names it takes all variables: write: restore from "a.ckpt"',
    'save all to "a.ckpt"': "without names, save takes all variables",
    'save model "a.ckpt"': 'write: save to "a.ckpt"', 'save w "a.ckpt"': 'write: save w to "a.ckpt"',
    'restore weights in "a.ckpt" if exists': 'write: restore from "a.ckpt" if exists',
    "save to kept/a.ckpt": 'a path is in quotes: save to "kept/a.ckpt"',
    'export model with x to "m"':
        "name the values of the model, and the placeholders that are its inputs: export p with X to ...",
    "train 2 steps:\n        keep lowest val_loss to \"a.ckpt\"":
        "compute it before on other rows, as in val = evaluate loss on d.validation with ..., and write val",
    "feed x = [1.0]": "write at the end of each statement that needs it: with x = [1.0]",
    "print [5, 7][argmax(x, 0)] with x = [1.0]": "the index is known when the graph runs: write gather([5, 7], argmax(x, 0))",
    'print "{}".format(w)': 'names in braces are replaced by their values: print "step {step}"',
}  # fmt: skip


@pytest.mark.parametrize(("line", "help"), HABITS.items())
def test_lines_of_sessions(line, help):
    program = "placeholder x: float32[n]\nvariable w = 2.0\nm = reduce_mean(x) * w\nsession:\n"
    assert help in [one.help_line for one in tfdsl.check(f"{program}    {line}\n")]
    if help.startswith(("write: set", "write: run")):
        fed = "" if "with" in help or help == "write: run w" or "set" in help else " with x = [1.0]"
        assert not [one for one in tfdsl.check(f"{program}    {help[7:]}{fed}\n") if one.severity == "error"]


def test_a_word_for_all_variables_may_be_the_name_of_one():
    (error,) = tfdsl.check('variable model = 1.0\nsession:\n    save model "a.ckpt"\n')
    assert error.help_line == 'write: save model to "a.ckpt"'


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("d.features.columns", "d.columns"), ("d.test.target.rows", "d.test.rows"), ("d.features.age", "d.age"),
        ("d.features.target", "d.target"), ("d.features.train", "d.train.features"), ("d.features[:2].rows", ""),
        ("b.features.columns", "b.columns"), ("b.target.rows", "b.rows"),
    ],
)  # fmt: skip
def test_what_data_has_and_its_arrays_do_not(text, meant, here):
    (here / "a.csv").write_text(ROWS)
    program = f"""data d = csv("a.csv", target="paid", columns={{"city": string}}) | one_hot | split(test=0.5)
placeholder x: float32[n, d.columns]
variable w = 1.0
optimize reduce_mean(x) * w with adam()
session:
    train 1 epochs on d.train as b:
        feed x = b.features
        print {text}
"""
    error, *_ = [one for one in tfdsl.check(program) if one.severity == "error"]
    assert error.help_line == (f"write: {meant}" if meant else "it has dtype, shape")
    if meant:
        assert not [one for one in tfdsl.check(program.replace(text, meant)) if one.severity == "error"]


@pytest.mark.parametrize(
    ("given", "values", "name", "meant"),
    [("val", "m", "val_loss", "val"), ("seen", "m, k", "test_k", "seen.k"), ("a, b", "m, k", "val_loss", "a")],
)
def test_a_measure_of_other_rows_by_its_name_in_keras(given, values, name, meant, here):
    (here / "d.csv").write_text("x\n1\n2\n")
    program = f"""data d = csv("d.csv")
placeholder x: float32[n]
variable w = 2.0
m = reduce_mean(x) * w
k = m * m
session:
    {given} = evaluate {values} on d with x = d.features[:, 0]
    print {{}}
"""
    error, *_ = [one for one in tfdsl.check(program.format(name)) if one.severity == "error"]
    assert error.help_line == f"the evaluate of line 7 gives this value: write: {meant}"
    assert not [one for one in tfdsl.check(program.format(meant)) if one.severity == "error"]


def test_the_kinds_of_names_of_other_libraries_that_declare_or_train():
    for line, words in {
        "w = variable(zeros([3, 1]))": "write: variable w = zeros([3, 1])",
        "variable k: float32[3, 1] = random": "such as glorot_uniform",
        "h = fit(X, y, epochs=10)": "a session trains: train 10 epochs on DATA",
        "r = [1, 2, 3].sum()": "write: sum([1, 2, 3])",
        "data e = d | split(test=0.2)": "write: iris() | split(test=0.2)",
        'data e = iris() | fitted("d")': "fitted(d)",
        "data e = iris() | fitted(dd)": "d",
        "data e = iris() | fitted(other)": "data that is declared above it: d",
        "e = d | split(test=0.5)": "data e = iris() | split(test=0.2) | split(test=0.5)",
        "c = nn.sparse_softmax_cross_entropy(y, logits, class_weight=[1])": "w = gather([1.0, 2.0, 3.0], y[:, 0])",
        "c = nn.conv1d(S, 4, kernel_size=3)": "here it is called size",
        "f = nn.f1(y, logits)": "for class numbers use nn.accuracy(y, logits)",
        "optimize adam(cost)": "write: optimize cost with adam(learning_rate=0.001)",
        "session:\n    for b in d.train: print b": "train 10 epochs on d.train in batches of 32 as batch:",
    }.items():
        found = next(one for one in tfdsl.check(f"{MODEL}{line}\n") if one.severity == "error")
        assert words in found.help_line, line
        assert "<nn>" not in str(found.notes)


@pytest.mark.parametrize(
    "line",
    [
        "variable w = zeros([3, 1])", "variable k: float32[3, 1] = glorot_uniform", "r = sum([1, 2, 3])",
        "data e = iris() | fitted(d)", "c = nn.conv1d(S, 4, size=3)", "acc = nn.accuracy(y, logits)",
        "optimize cost with adam(learning_rate=0.001)",
        "w = gather([1.0, 2.0, 3.0], y[:, 0])\n"
        "c = reduce_mean(w * sparse_softmax_cross_entropy_with_logits(labels=y[:, 0], logits=logits))",
    ],
)  # fmt: skip
def test_what_is_said_of_them_works(line):
    assert not [one for one in tfdsl.check(f"{MODEL}{line}\n") if one.severity == "error"]


def test_a_column_whose_name_is_no_word_is_written_in_brackets(here):
    (here / "a.csv").write_text("Id-No,y\n1,2\n")
    found, *_ = tfdsl.check('data d = csv("a.csv")\na = d.Id-No\n')
    assert found.help_line == 'write: d["Id-No"]'
    assert not [one for one in tfdsl.check('data d = csv("a.csv")\na = d["Id-No"]\n') if one.severity == "error"]


LAYERS = {
    "nn.dense(16, activation=relu)(x)": "nn.dense(x, 16, activation=relu)", "nn.lstm(8)(x)": "nn.lstm(x, 8)",
    "nn.lstm(x, 8, return_sequences=true)": "outputs, state = nn.lstm(...)", "nn.gru(x, 8, mask=x)": "lengths=...",
    "nn.dense(x, 8, input_shape=[3])": "leave it out", 'nn.dense(x, 8, name="first")': "y = nn.dense(...) as first",
}  # fmt: skip


@pytest.mark.parametrize(("call", "words"), LAYERS.items())
def test_layers_as_in_keras(call, words):
    head = "import nn\nplaceholder x: float32[n, 5, 3]\n"
    error, *_ = tfdsl.check(f"{head}y = {call}\n")
    assert words in error.help_line
    if "nn.dense(x, 16" in words or "(x, 8)" in words:
        assert not [one for one in tfdsl.check(f"{head}y = {words}\n") if one.severity == "error"]


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


MODEL = """import nn
data d = iris() | split(test=0.2)
placeholder X: float32[n, 4]
placeholder P: float32[n, 8, 8, 3]
placeholder S: float32[n, 5, 4]
placeholder y: int64[n, 1]
logits = nn.dense(X, 3)
cost = nn.sparse_softmax_cross_entropy(y, logits)
"""
WITH_INPUTS = {
    "tf.keras.layers.Dense(10)(X)": "nn.dense(X, 10)",
    'keras.layers.Dense(10, activation="relu", input_shape=[4])(X)': "nn.dense(X, 10, activation=relu)",
    "tf.layers.dense(X, 10, activation=tf.nn.relu)": "nn.dense(X, 10, activation=relu)",
    "nn.Linear(4, 10)(X)": "nn.dense(X, 10)", "layers.Dropout(0.5)(X)": "nn.dropout(X, 0.5)",
    "nn.Dropout(p=0.5)(X)": "nn.dropout(X, rate=0.5)",
    'Conv2D(32, 3, padding="same")(P)': 'nn.conv2d(P, 32, 3, padding="SAME")',
    "nn.Conv2d(3, 32, 3)(P)": "nn.conv2d(P, 32, 3)", "Flatten()(P)": "nn.flatten(P)",
    "MaxPooling2D(2)(P)": "nn.max_pool(P, 2)",
    "LSTM(64, return_sequences=True)(S)": "outputs, state = nn.lstm(S, 64)",
}  # fmt: skip


@pytest.mark.parametrize("call", WITH_INPUTS)
def test_a_layer_keeps_its_arguments_and_its_input(call):
    found = next(one for one in tfdsl.check(f"{MODEL}x = {call}\n") if one.severity == "error")
    way = found.help_line.removeprefix("write: ").removeprefix("import nn, and ")
    assert way == WITH_INPUTS[call]
    line = way if way.startswith("outputs") else f"x = {way}"
    assert not [one for one in tfdsl.check(f"{MODEL}{line}\n") if one.severity == "error"]


STEP = "a training takes the step of its optimize by itself: leave the line out"
OF_MODELS = {
    "train_op = adam(learning_rate=0.1).minimize(cost)": "write: optimize cost with adam(learning_rate=0.1)",
    'with tf.name_scope("part"): z = cost': "write: scope part:",
    "with tf.Session() as sess:": "write: session:", "summary cost": "write: summary scalar cost",
    'tf.summary.scalar("loss", cost)': 'write: summary scalar cost as "loss"',
    'model.compile(loss="mse")': "a model has a loss and an optimizer: write: optimize cost with adam()",
}  # fmt: skip
IN_SESSIONS = {
    "optimizer.zero_grad()": STEP, "loss.backward()": STEP, "opt.step()": STEP,
    'torch.save(model.state_dict(), "m.ckpt")': 'write: save to "m.ckpt"',
    'saver.restore(sess, "m.ckpt")': 'write: restore from "m.ckpt"', "value = run cost": "write: value = cost",
    "a, _ = sess.run([cost, logits], feed_dict={X: d.features, y: d.target})":
        "write: a, _ = cost, logits with X = d.features, y = d.target",
    "seen = evaluate(cost, d.test)": "write: seen = evaluate cost on d.test",
    "evaluate cost on d.test": "give the result a name: result = evaluate cost on d.test",
    'log cost to "logs"': 'write above the training: log to "logs"; and here: log cost',
    "train 1 epoch on d as b: print len(b)": "write: b.rows",
}  # fmt: skip


@pytest.mark.parametrize("line", [*OF_MODELS, *IN_SESSIONS])
def test_lines_of_other_libraries(line):
    begin = MODEL if line in OF_MODELS else f"{MODEL}session:\n    "
    help = next(one.help_line for one in tfdsl.check(f"{begin}{line}\n") if one.severity == "error")
    assert help == {**OF_MODELS, **IN_SESSIONS}[line]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("variable w = 1.0\noptimize square(w) with SGD(0.1, momentum=0.9)\n", "write: momentum(0.9, learning_rate=0.1)"),
        ("variable w = 1.0\noptimize square(w) with SGD(0.1)\n", "write: gradient_descent(learning_rate=0.1)"),
        ("import nn\nplaceholder X: float32[n, 2]\ny = nn.dense(X, 1, 1)\n", "an activation is a function, as in activation=relu"),
    ],
)  # fmt: skip
def test_calls_as_in_other_libraries(here, lines, words):
    assert words in helps(here, lines)
