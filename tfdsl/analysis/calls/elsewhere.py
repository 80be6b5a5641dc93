"""What names of other libraries are in the language: functions, arguments, sources and transforms of data, and members.

Each table has the help line for a name that is not known. They are only looked at after all names of a program.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

UNSCALED = (
    "scaled values get the units of the file by what the data has learned, as in p * {data}.std({target}) + "
    "{data}.mean({target}); after minmax: p * {data}.range({target}) + {data}.min({target})"
)

# Functions. `{x}` is the argument of the call.
FUNCTIONS: Mapping[str, str] = {
    "type": "{x}.dtype", "filter": "boolean_mask({x}, condition)", "set": "unique({x})",
    "input": "param n = 10, which --set n=20 changes; or a placeholder", "format": '"{{{x}:.2f}}", in a session',
    "open": 'data d = csv("file.csv"), or another source of data',
    "sgd": "gradient_descent(learning_rate=0.01)", "SGD": "gradient_descent(learning_rate=0.01)",
    "Variable": "variable w = 0.0", "log10": "log({x}) / log(10.0)", "log2": "log({x}) / log(2.0)",
}  # fmt: skip

# Arguments, by what they are called here.
ARGUMENTS: Mapping[str, str] = {
    "lr": "learning_rate", "dim": "axis", "keep_dims": "keepdims", "keepdim": "keepdims", "reduction_indices": "axis",
    "sep": "separator", "delimiter": "separator", "na_values": "missing", "null_values": "missing", "names": "header",
    "column_names": "header", "has_header": "header", "dtype": "columns", "dtypes": "columns", "schema": "columns",
    "label": "target", "label_name": "target", "filename": "path", "file": "path", "random_state": "seed",
    "test_size": "test", "validation_size": "validation", "val": "validation", "n_splits": "folds", "groups": "by",
    "group": "by", "strategy": "with", "value": "with", "image_size": "size", "target_size": "size", "window": "size",
    "window_size": "size", "length": "size", "sequence_length": "size", "lookback": "size", "max_length": "size",
    "max_tokens": "vocabulary", "vocabulary_size": "vocabulary", "step": "stride", "shift": "stride",
    "valid": "validation", "k": "folds", "how": "with", "y": "target", "target_column": "target", "count": "n",
    "kernel_size": "size",
}  # fmt: skip
OPPOSITE: Mapping[str, str] = {"keep_prob": "rate"}  # 1 minus that argument


def _each(*rows: tuple[str, str]) -> dict[str, str]:
    """A table by names, whose capitals and underscores do not count, from rows of several names."""
    return {_folded(name): help for names, help in rows for name in names.split()}


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


_PREPARE = "no transform does this: prepare the file before, for example with pandas"

# Arguments of sources and transforms that another part of a declaration has in their place.
_STAGE_ARGUMENTS = {
    "csv": _each(
        ("usecols include_columns", 'columns are chosen after it: | select("age", "city")'),
        ("index_col index", 'a column is set aside after it: | aside("id")'),
        ("nrows n_rows max_rows", "rows are taken after it: | take(100)"),
        ("skiprows skip_rows skip", 'lines that begin with a text are left out: comment="#"; remove other ones'),
        ("encoding", "a CSV file is text in UTF-8: convert the file"),
        ("parse_dates", 'dates become numbers after it: | date_parts("day")'),
    ),
    "split": _each(
        ("train train_size", "all other rows are for the training: split(test=0.2, validation=0.1)"),
        ("shuffle", "rows are drawn at random, unless ordered=true keeps their order"),
        ("stratify", 'rows are drawn at random; by="id" keeps the rows of one id in one part'),
    ),
}  # fmt: skip


def stage_argument(stage: str, name: str) -> str:
    """A help line for an argument of a source or a transform. "" for other names."""
    return _STAGE_ARGUMENTS.get(stage, {}).get(_folded(name), "")


# Sources and transforms of data.
_STAGES = _each(
    ("read_csv read_table read_tsv read_fwf loadtxt genfromtxt csv_reader CsvDataset make_csv_dataset from_csv",
     'write: csv("file.csv", target="y")'),
    ("read_parquet ParquetFile from_parquet", 'write: parquet("file.parquet", target="y")'),
    ("excel xlsx json jsonl sql feather pickle "
     "read_excel read_json read_sql read_feather read_pickle read_hdf read_xml read_html read_orc read_stata DataFrame",
     "save it as a file that can be read: csv(...) or parquet(...); from Python, tables are given as data"),
    ("load load_npz savez", 'write: npz("file.npz", target="y"), or npy("file.npy")'),
    ("load_npy memmap fromfile", 'write: npy("file.npy")'),
    ("image_dataset_from_directory ImageFolder flow_from_directory ImageDataGenerator imread load_images",
     'write: images("photos/*/*.png", size=[32, 32])'),
    ("TextLineDataset text_file read_text text_dataset_from_directory read_lines", 'write: text("lines.txt")'),
    *((f"load_{name} fetch_{name} {name}_data", f"write: {name}")
      for name in ("iris", "wine", "digits", "diabetes", "breast_cancer", "linnerud", "california_housing")),
    ("make_moons make_classification make_blobs make_circles make_regression make_friedman1",
     "write: moons(400, noise=0.1), the source that makes its rows"),
    ("mnist fashion_mnist load_mnist fetch_openml cifar10 load_data load_dataset",
     'write: digits, which has small pictures of digits; others are read from a file: npz("mnist.npz")'),
    ("boston load_boston boston_housing", "write: california_housing"),
    ("StandardScaler scale standard_scaler zscore z_score Normalization whiten", "write: | standardize"),
    ("normalize Normalizer RobustScaler MaxAbsScaler PowerTransformer QuantileTransformer",
     "write: | standardize for mean 0 and deviation 1, or | minmax for the range from 0 to 1"),
    ("MinMaxScaler minmax_scale min_max_scaler Rescaling", "write: | minmax"),
    ("get_dummies OneHotEncoder to_categorical dummies one_hot_encode CategoryEncoding to_dummies",
     'write: | one_hot("city"), or | one_hot for all columns of text'),
    ("ordinal LabelEncoder OrdinalEncoder LabelBinarizer factorize StringLookup IntegerLookup label_encode "
     "astype_category",
     'write: | categories("city"), or | categories for all columns of text'),
    ("dropna drop_na drop_nulls na_omit",
     "write: | where(age == age), which leaves out the rows in which age is missing; or | fill(with=\"median\")"),
    ("fillna fill_na fill_null SimpleImputer KNNImputer Imputer impute interpolate ffill bfill replace_na",
     'write: | fill(with="median"), or with a value: | fill("age", with=0)'),
    ("train_test_split random_split ShuffleSplit StratifiedShuffleSplit validation_split train_val_split",
     "write: | split(test=0.2)"),
    ("GroupShuffleSplit GroupKFold", 'write: | split(test=0.2, by="group")'),
    ("KFold StratifiedKFold cross_val_score cross_validate cross_validation", "write: | split(folds=5, fold=0)"),
    ("TimeSeriesSplit", "write: | split(test=0.2, ordered=true)"),
    ("PolynomialFeatures poly polynomial_features", "write: | polynomial(degree=2)"),
    ("add_dummy_feature add_constant add_intercept intercept bias", "write: | add_bias"),
    ("sample permutation permute", "write: | shuffle, and | take(100) for the first rows"),
    ("head limit tail first iloc slice skip", "write: | take(100)"),
    ("query filter mask loc rows_where", 'write: | where(age > 30 and city == "Rome")'),
    ("drop_columns delete remove without", 'write: | drop("id")'),
    ("usecols keep_columns pick with_columns columns ColumnTransformer", 'write: | select("age", "city")'),
    ("set_index index ignore keep_id", 'write: | aside("id")'),
    ("rolling timeseries_dataset_from_array sliding_window_view TimeseriesGenerator window lag lags",
     "write: | windows(size=5)"),
    ("TextVectorization Tokenizer CountVectorizer TfidfVectorizer tokenize vectorize",
     'write: | tokens("text", size=20)'),
    ("to_datetime parse_dates strptime dt", 'write: | date_parts("day")'),
    ("astype cast dtype", 'the source says the dtypes: csv("file.csv", columns={"age": float32})'),
    ("batch DataLoader", "batches are a part of the training: train 10 epochs on d in batches of 50 as batch"),
    ("repeat num_epochs", "a training says how often: train 10 epochs on d as batch"),
    ("cache prefetch", "leave it out: data is read once"),
    ("rename sort_values sort_index sort groupby merge join concat append drop_duplicates apply map pivot melt set "
     "reset_index bucketize discretize KBinsDiscretizer balance oversample "
     "explode log log1p clip round PCA SelectKBest SMOTE", _PREPARE),
    ("fit_transform fit transform pipeline Pipeline make_pipeline",
     "transforms follow the source, each after a |, and learn from the training rows"),
)  # fmt: skip


def stage(name: str, given: Sequence[str] = ()) -> str:
    """A help line for a source or a transform. "" for other names. `given` are its arguments that are texts, which
    replace the example's."""
    help = _STAGES.get(_folded(name), "")
    texts = ", ".join(f'"{one}"' for one in given)
    return _FIRST_TEXT.sub(lambda _: f"({texts}", help, count=1) if given else help


_FIRST_TEXT = re.compile(r'\("[^"]*"')

# Members of data and batches. `{d}` is the data or batch, `{data}` the data, `{target}` the name of its target.
_DATA = _each(
    ("X data values inputs input images x frame feature to_numpy numpy array samples", "write: {d}.features"),
    ("y labels label targets classes output outputs", "write: {d}.target"),
    ("shape", "write: [{d}.rows, {d}.columns]"),
    ("size len length count n num_examples n_samples num_rows nrows cardinality", "write: {d}.rows"),
    ("n_features num_columns ncols n_columns num_features", "write: {d}.columns"),
    ("X_train train_X train_features train_images train_data", "write: {d}.train.features"),
    ("y_train train_y train_labels train_target", "write: {d}.train.target"),
    ("X_test test_X test_features test_images test_data", "write: {d}.test.features"),
    ("y_test test_y test_labels test_target", "write: {d}.test.target"),
    ("feature_names names keys column_names header dtypes info describe head columns_list",
     "tfdsl data FILE shows the columns, their types and the first rows"),
    ("target_names class_names unique",
     "write: {d}.categories({target}), for a column of which | categories has learned"),
    ("iloc loc take first slice", "write: {d}.features[:5]"),
    ("next_batch batch shuffle repeat", "a training takes batches: train 10 epochs on {d} in batches of 50 as batch"),
    ("inverse inverse_transform unscale rescale denormalize destandardize unstandardize", UNSCALED),
    ("std_ scale_ var_ mean_ categories_", "what transforms have learned is written as in {d}.mean(\"age\")"),
)  # fmt: skip

_VALIDATION = ("val", "valid", "validation", "dev", "eval")
_VALIDATION_SPLIT = (
    "rows for the validation come with a split: write: | split(test=0.2, validation=0.1), and .validation"
)


def data_member(
    name: str, owner: str, data: str, target: str, transforms: Iterable[str], split: Collection[str]
) -> str:
    """A help line for a member of data, which has these parts, or of a batch. `owner` is its text, `data` the name of
    the data. "" for other names."""
    if _folded(name) in _VALIDATION:
        return f"write: {owner}.validation" if "validation" in split else _VALIDATION_SPLIT
    if help := _DATA.get(_folded(name)):
        return help.format(d=owner, data=data, target=target)
    if name in transforms:
        return f"a transform stands where the data is declared: | {name}"
    return stage(name)


# Arguments of layers that are written otherwise.
_LAYER_ARGUMENTS = _each(
    ("return_sequences return_state batch_first",
     "a layer over series gives its outputs at all steps and its last state: outputs, state = {function}(...)"),
    ("mask mask_zero masking", "lengths=... of a layer over series says how many steps each row has"),
    ("input_shape input_dim in_features batch_input_shape", "leave it out: a layer takes the shape from its input"),
    ("pos_weight", "reduce_mean(weighted_cross_entropy_with_logits(labels=y, logits=logits, pos_weight=3.0)) is a loss "
     "with it, for labels of 0 and 1"),
    ("class_weight class_weights sample_weight sample_weights weights",
     "weigh the rows in the loss: w = gather([1.0, 2.0, 3.0], y[:, 0]) has a weight for each class, and "
     "reduce_mean(w * sparse_softmax_cross_entropy_with_logits(labels=y[:, 0], logits=logits)) is their mean"),
    ("name", "a name is written behind the call: y = {function}(...) as first"),
)  # fmt: skip


def penalty(layer: str, variable: str) -> str:
    """What to write for the regularizer of a layer."""
    if variable == "activity":
        return "add what depends on its value to the loss: loss cost + 0.01 * reduce_mean(square(x))"
    return f'add the penalty to the loss: loss cost + nn.l2_penalty(variables({layer}, "{variable}"))'


def other_name(function: str, name: str, value: object, text: str, names: list[str]) -> str:
    """A help line for an argument, written as `text`, that has a different name here."""
    if ARGUMENTS.get(name) in names:
        return f"here it is called {ARGUMENTS[name]}"
    if help := stage_argument(function, name):
        return help
    if name.endswith("_regularizer"):
        return penalty(function.rpartition(".")[2], name.removesuffix("_regularizer"))
    if help := _LAYER_ARGUMENTS.get(_folded(name), "") if function.startswith("nn.") else "":
        return help.format(function=function)
    if name == "trainable":
        return f"to keep its variables as they are, write: stop_gradient({function}(...))"
    if OPPOSITE.get(name) not in names:
        return ""
    if isinstance(value, (int, float)) and text.replace(".", "").isdecimal():
        return f"write {OPPOSITE[name]}={round(1 - value, 6):g} (= 1 - {text})"
    return f"write {OPPOSITE[name]}=1 - {text}"
