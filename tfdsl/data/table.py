"""The tables of sources and transforms, and what the front end works out from them.

Input: the arguments of a source or transform, known while compiling, and the folder of the program.
Output: the `Schema` of the data. A new source or transform is one row here, with the function that gives
its schema, and the function that `implementation` names, which makes the arrays; `load.py` imports that.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement, groupby
from typing import TYPE_CHECKING, Protocol

from ..access import Access, access_of
from ..diagnostics import (
    ARRAY_KIND,
    CSV_NAME_TWICE,
    CSV_NO_FEATURES,
    DATA_AFTER_SPLIT,
    DATA_FORMAT,
    DATA_REPLACEMENT,
    MASKED,
    PARQUET_NO_COLUMN,
)
from ..given import is_masked
from ..limits import Clock
from ..ops.op import Param, parse_signature
from ..record import Record
from ..types import FLOAT32, INT64, DType
from .schema import (
    MAX_NUMBERS,
    DataError,
    FilePlace,
    Schema,
    at_stage,
    check_features,
    check_size,
    check_target,
    is_integer,
    is_number,
    need,
    shown,
)

if TYPE_CHECKING:
    from .files import Where

Arguments = Mapping[str, object]

MAX_SEED = (1 << 32) - 1  # of numpy.random.RandomState
MAX_DEGREE = 100
MAX_NOISE = 1e30
NO_SEPARATORS = '"\n\r\0_+-.'  # besides letters and digits: what numbers, quotes and lines are made of

# The orders in which training goes through the rows; `batches.py` says exactly how.
ORDERS: dict[str, str] = {
    "shuffled": "a new permutation of the rows each epoch; the short last batch is kept",
    "ordered": "the rows as they are; the short last batch is kept",
    "sampled": "rows drawn with replacement, every batch of full size",
}


class Step(Protocol):
    """A source or transform of a declaration."""

    name: str
    arguments: Mapping[str, object]


class Spec(Protocol):
    """A `data` declaration; `folder` is the folder of its file, which paths are relative to."""

    name: str
    source: Step
    transforms: Sequence[Step]
    folder: str


class Row(Record):
    """One source or transform.

    `schema` takes (arguments, where) for a source, (arguments, schema before) for a transform.
    `implementation` is module and function below this folder. `target_name` is what a source that is
    not a file calls its target. `of_rows` tells whether a transform chooses rows, and leaves them as they are;
    `learns`, whether it makes features by numbers that it takes from the data.
    """

    name: str
    signature: str
    doc: str
    schema: Callable[..., Schema]
    implementation: str
    target_name: str | None = None
    of_rows: bool = False
    learns: bool = False

    @property
    def params(self) -> tuple[Param, ...]:
        return parse_signature(self.signature)

    def bound(self, arguments: Arguments) -> dict[str, object]:
        """The arguments with the defaults of those not given."""
        return {p.name: arguments.get(p.name, p.default) for p in self.params}


def number_dtype(name: str, kind: str) -> DType:
    """How an array of NumPy's kind (one of its letters) is kept: integers as int64, floats as float32."""
    if kind in ("b", "i", "u"):
        return INT64
    if kind == "f":
        return FLOAT32
    raise DataError(ARRAY_KIND, array=name, dtype=shown(kind))


def numbered(columns: int) -> tuple[str, ...]:
    """Names for columns that have none."""
    return tuple(f"x{i}" for i in range(columns))


def _need_seed(name: str, arguments: Arguments) -> None:
    seed = arguments["seed"]
    valid = is_integer(seed) and 0 <= seed <= MAX_SEED
    need(valid, name, arguments, "seed", f"an integer from 0 to {MAX_SEED}")


# --- sources ----------------------------------------------------------------------------------
CALIFORNIA = Schema(
    20640,
    ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"),
    FLOAT32,
    "MedHouseVal",
)
DIGITS = Schema(1797, tuple(f"pixel_{i}_{j}" for i in range(8) for j in range(8)), INT64, "target")
IRIS = Schema(
    150,
    ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
    INT64,
    "target",
)
DIABETES = Schema(442, ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"), FLOAT32, "target")


def _fixed(schema: Schema) -> Callable[[Arguments, "Where"], Schema]:
    return lambda arguments, where: schema


def _california(arguments: Arguments, where: "Where") -> Schema:
    valid = arguments["offline"] in (None, "synthetic")
    need(valid, "california_housing", arguments, "offline", '"synthetic" or left out')
    return CALIFORNIA


def _moons(arguments: Arguments, where: "Where") -> Schema:
    rows, noise = arguments["n_samples"], arguments["noise"]
    most = MAX_NUMBERS // 2
    valid = is_integer(rows) and 1 <= rows <= most
    need(valid, "moons", arguments, "n_samples", f"an integer from 1 to {most}")
    valid = is_number(noise) and 0 <= noise <= MAX_NOISE
    need(valid, "moons", arguments, "noise", f"a number from 0 to {MAX_NOISE}")
    if arguments["seed"] is not None:
        _need_seed("moons", arguments)
    return Schema(rows, numbered(2), INT64, "target", named=False)


def _need_file(name: str, arguments: Arguments) -> None:
    target, stream = arguments["target"], arguments["stream"]
    need(isinstance(arguments["path"], str), name, arguments, "path", "a string")
    need(target is None or isinstance(target, str), name, arguments, "target", "a string, the name of a column")
    need(isinstance(stream, bool), name, arguments, "stream", "true or false")


def _csv(arguments: Arguments, where: "Where") -> Schema:
    from .files import CsvRows  # here, because zipfile and the like cost every `check` some milliseconds

    target, stream, separator = arguments["target"], arguments["stream"], arguments["separator"]
    _need_file("csv", arguments)
    valid = (
        isinstance(separator, str) and len(separator) == 1 and not (separator.isalnum() or separator in NO_SEPARATORS)
    )
    need(valid, "csv", arguments, "separator", 'one character between cells, such as ";" or "\\t"')
    table = CsvRows(arguments["path"], where, separator)
    column = None if target is None else table.column(target)
    names = table.header if column is None else table.header[:column] + table.header[column + 1 :]
    if not names:
        place = FilePlace(table.path, 1)
        raise DataError(CSV_NO_FEATURES, place=place, param="target", column=shown(target))
    rows, integers = table.counted(column)
    check_size(shown(table.path), 1 if stream else rows, len(table.header))
    dtype = None if column is None else INT64 if integers else FLOAT32
    return Schema(rows, names, dtype, target, streamed=stream)


def _npz(arguments: Arguments, where: "Where") -> Schema:
    from .files import npz_arrays, open_file

    need(isinstance(arguments["path"], str), "npz", arguments, "path", "a string")
    with open_file(arguments["path"], where) as file:
        features, target = npz_arrays(file)
    rows, columns = features.shape
    dtype, name = (None, None) if target is None else (number_dtype(target.name, target.kind), target.name)
    return Schema(rows, numbered(columns), dtype, name, named=False)


def _parquet(arguments: Arguments, where: "Where") -> Schema:
    from .files import listed, open_file
    from .parquet import read_footer

    target, stream = arguments["target"], arguments["stream"]
    _need_file("parquet", arguments)
    with open_file(arguments["path"], where) as file:
        found, path = read_footer(file), file.name
    names = tuple(column.name for column in found.columns)
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise DataError(CSV_NAME_TWICE, place=FilePlace(path), column=shown(twice))
    if target is not None and target not in names:
        raise DataError(
            PARQUET_NO_COLUMN, place=FilePlace(path), param="target", column=shown(target), columns=listed(names)
        )
    features = tuple(name for name in names if name != target)
    if target is not None and not features:
        raise DataError(CSV_NO_FEATURES, place=FilePlace(path), param="target", column=shown(target))
    check_features(shown(path), (1 if stream and found.rows else found.rows, len(features)))
    dtype = None if target is None else number_dtype(target, found.columns[names.index(target)].kind)
    return Schema(found.rows, features, dtype, target, streamed=stream)


SOURCES: dict[str, Row] = {
    row.name: row
    for row in (
        Row(
            "california_housing",
            "offline: text = none",
            "Median house values in 20640 districts of California in 1990, with eight features.",
            _california,
            "sources.california_housing",
            "MedHouseVal",
        ),
        Row(
            "digits",
            "",
            "1797 handwritten digits of 8 x 8 pixels; the target is the digit.",
            _fixed(DIGITS),
            "sources.digits",
            "target",
        ),
        Row(
            "iris",
            "",
            "150 irises of three species, four lengths each; the target is the species.",
            _fixed(IRIS),
            "sources.iris",
            "target",
        ),
        Row(
            "diabetes",
            "",
            "442 patients with ten features; the target is the disease's progress in a year.",
            _fixed(DIABETES),
            "sources.diabetes",
            "target",
        ),
        Row(
            "moons",
            "n_samples: integer, noise: number = 0.0, seed: integer = none",
            "Points of two half circles that reach into each other; the target says which.",
            _moons,
            "sources.moons",
            "target",
        ),
        Row(
            "csv",
            'path: text, target: text = none, stream: flag = false, separator: text = ","',
            "A file of comma-separated numbers; its first line names the columns, `target` is one of them. `separator` "
            "is what stands between cells. With `stream` the rows are kept on disk and read batch by batch, for files "
            "larger than memory.",
            _csv,
            "sources.csv",
        ),
        Row("npz", "path: text", "A file of NumPy arrays named features and target, or X and y.", _npz, "sources.npz"),
        Row(
            "parquet",
            "path: text, target: text = none, stream: flag = false",
            "A Parquet file of numbers; `target` names one of its columns. It needs pyarrow. With `stream` the rows "
            "are kept on disk and read batch by batch, for files larger than memory.",
            _parquet,
            "sources.parquet",
        ),
    )
}


# --- transforms -------------------------------------------------------------------------------
def _same(arguments: Arguments, before: Schema) -> Schema:
    return before


def _add_bias(arguments: Arguments, before: Schema) -> Schema:
    return replace(before, names=("bias", *before.names), biases=before.biases + 1)


def _polynomial(arguments: Arguments, before: Schema) -> Schema:
    degree = arguments["degree"]
    valid = is_integer(degree) and 1 <= degree <= MAX_DEGREE
    need(valid, "polynomial", arguments, "degree", f"an integer from 1 to {MAX_DEGREE}")
    biases, factors_of = before.names[: before.biases], before.names[before.biases :]
    columns = len(biases) + math.comb(len(factors_of) + degree, degree) - 1
    check_size("polynomial", 1 if before.streamed else before.rows, columns)
    names = tuple(
        " ".join(_power(name, len(list(group))) for name, group in groupby(factors))
        for power in range(1, degree + 1)
        for factors in combinations_with_replacement(factors_of, power)
    )
    return replace(before, names=biases + names)


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _before_split(name: str, before: Schema) -> None:
    if before.test_rows is not None:
        raise DataError(DATA_AFTER_SPLIT, name=name)


def _split(arguments: Arguments, before: Schema) -> Schema:
    _before_split("split", before)
    test = arguments["test"]
    need(is_number(test) and 0 < test < 1, "split", arguments, "test", "a number above 0 and below 1")
    _need_seed("split", arguments)
    rows = math.ceil(test * before.rows)
    wanted = f"small enough to leave some of the {before.rows} rows"
    need(rows < before.rows, "split", arguments, "test", wanted)
    return replace(before, test_rows=rows)


def _take(arguments: Arguments, before: Schema) -> Schema:
    _before_split("take", before)
    n = arguments["n"]
    valid = is_integer(n) and 1 <= n <= before.rows
    need(valid, "take", arguments, "n", f"an integer from 1 to {before.rows}, the number of rows")
    return replace(before, rows=n)


def _shuffle(arguments: Arguments, before: Schema) -> Schema:
    _before_split("shuffle", before)
    _need_seed("shuffle", arguments)
    return before


TRANSFORMS: dict[str, Row] = {
    row.name: row
    for row in (
        Row(
            "standardize",
            "",
            "Each feature with mean 0 and standard deviation 1 over the training rows. The column of `add_bias` stays.",
            _same,
            "transforms.standardize",
            learns=True,
        ),
        Row(
            "minmax",
            "",
            "Each feature from 0 to 1 over the training rows. The column of `add_bias` stays.",
            _same,
            "transforms.minmax",
            learns=True,
        ),
        Row("add_bias", "", "A first column of ones.", _add_bias, "transforms.add_bias"),
        Row(
            "polynomial",
            "degree: integer = 2",
            "All products of the features up to a degree, without the constant one. The column of `add_bias` stays.",
            _polynomial,
            "transforms.polynomial",
        ),
        Row(
            "split",
            "test: number = 0.2, seed: integer = 42",
            "Divides the rows at random into `.train` and `.test`; `.features` keeps them all. What other transforms "
            "learn, they learn from `.train`, wherever `split` stands.",
            _split,
            "transforms.split",
            of_rows=True,
        ),
        Row("take", "n: integer", "The first n rows.", _take, "transforms.take", of_rows=True),
        Row(
            "shuffle",
            "seed: integer = 42",
            "The rows in random order.",
            _shuffle,
            "transforms.shuffle",
            of_rows=True,
        ),
    )
}


# --- a whole declaration ----------------------------------------------------------------------
FORMATS = {".csv": "csv", ".npz": "npz", ".parquet": "parquet"}


def schema_of(
    spec: Spec, replacement: object = None, access: Access | None = None, clock: Clock | None = None
) -> Schema:
    """The schema of declared data. `replacement` stands in for the source: a path or Python data.

    `access` opens what the program names; without it, only the folder of the declaration and the working folder do.
    Reading is over when the clock is.
    """
    return schemas_of(spec, replacement, access, clock)[-1]


def schemas_of(spec: Spec, replacement: object, access: Access | None, clock: Clock | None = None) -> list[Schema]:
    """The schemas of the source, and of what each transform makes of the one before."""
    with at_stage(0):
        if replacement is None or is_path(replacement):
            row, arguments, where = source_of(spec, replacement, access)
            schemas = [row.schema(arguments, replace(where, clock=clock))]
        else:
            schemas = [_python_schema(spec.name, replacement)]
    for stage, step in enumerate(spec.transforms, 1):
        row = TRANSFORMS[step.name]
        with at_stage(stage):
            schemas.append(row.schema(row.bound(step.arguments), schemas[-1]))
    return schemas


def scaled_by(spec: Spec) -> tuple[object, ...] | None:
    """What decides by which numbers data is scaled, equal where they are the same ones; None where it is not scaled."""
    steps = [(step.name, dict(step.arguments)) for step in spec.transforms]
    learning = [at for at, (name, _) in enumerate(steps) if TRANSFORMS[name].learns]
    if not learning:
        return None
    if all(name != "split" for name, _ in steps):
        steps = steps[: learning[-1] + 1]
    return spec.folder, spec.source.name, dict(spec.source.arguments), steps


def is_path(replacement: object) -> bool:
    return isinstance(replacement, (str, os.PathLike))


def source_of(spec: Spec, replacement: object, access: Access | None = None) -> "tuple[Row, dict[str, object], Where]":
    """The row and arguments of the source, or of the file that replaces it, and where its paths are.

    A replacing path comes from the command line: it is relative to the working folder.
    """
    from .files import Where

    row = SOURCES[spec.source.name]
    arguments = row.bound(spec.source.arguments)
    where = Where(spec.folder, access or Access(os.path.join(spec.folder, "")))
    if replacement is not None:
        path, where = os.fspath(replacement), Where("", access_of(replacement))
        suffix = os.path.splitext(path)[1].lower()
        if suffix not in FORMATS:
            raise DataError(DATA_FORMAT, path=shown(path))
        file = SOURCES[FORMATS[suffix]]
        params = {param.name for param in file.params}
        given = {name: value for name, value in arguments.items() if name in params} | {"path": path}
        if "target" in params and "target" not in given:
            columns = _csv_columns if file.name == "csv" else _parquet_columns
            given["target"] = _target(columns(path, where), row)
        row, arguments = file, file.bound(given)
    return row, arguments, where


def _csv_columns(path: str, where: "Where") -> tuple[str, ...]:
    from .files import CsvRows

    return CsvRows(path, where).header


def _parquet_columns(path: str, where: "Where") -> tuple[str, ...]:
    from .files import open_file
    from .parquet import read_footer

    with open_file(path, where) as file:
        return tuple(column.name for column in read_footer(file).columns)


def _target(header: tuple[str, ...], replaced: Row) -> str:
    """The target's column in a file that replaces a source without a `target` argument."""
    return next((name for name in (replaced.target_name, "target") if name in header), header[-1])


def python_arrays(data_name: str, data: object) -> tuple[object, object]:
    """Features and target (None where there is none) of data given from Python."""
    if isinstance(data, (tuple, list)) and len(data) == 2:  # no sequence pattern: that takes an array of two rows, too
        return tuple(data)
    match data:
        case {"features": features, "target": target, **others} if not others:
            return features, target
        case {"features": features, **others} if not others:
            return features, None
    if len(getattr(data, "shape", ())) == 2:
        return data, None
    raise DataError(DATA_REPLACEMENT, data=data_name, found=type(data).__name__)


def _python_schema(data_name: str, data: object) -> Schema:
    features, target = python_arrays(data_name, data)
    for name, array in (("features", features), ("target", target)):
        if is_masked(array):
            raise DataError(MASKED, name=f"the array of the {name}")
    if not hasattr(features, "shape") or (target is not None and not hasattr(target, "dtype")):
        raise DataError(DATA_REPLACEMENT, data=data_name, found=type(data).__name__)
    check_features("features", features.shape, is_there=True)
    rows, columns = features.shape
    names = tuple(map(str, getattr(features, "columns", numbered(columns))))
    named = hasattr(features, "columns") and not all(name.isdigit() for name in names)
    if target is None:
        return Schema(rows, names, named=named)
    check_target("target", target.shape, rows)
    kind = getattr(target.dtype, "kind", str(target.dtype))
    return Schema(rows, names, number_dtype("target", kind), "target", named=named)
