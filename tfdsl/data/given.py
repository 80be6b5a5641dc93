"""Data given from Python in place of a source: arrays, or a table of pandas, polars or Arrow."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..diagnostics import ARRAY_SHAPE, COLUMN_TWICE, DATA_REPLACEMENT, MASKED
from ..given import is_masked
from ..record import replace
from ..types import INT64
from .array_columns import columns_of_arrays, source_of_arrays
from .memory import check_room
from .schema import (
    DataError,
    FilePlace,
    FindPlace,
    Schema,
    check_features,
    check_size,
    check_target,
    composed,
    number_dtype,
    numbered,
    numbers,
    shown,
    sizes,
)
from .sources.base import OpenedData, digits_lost, with_targets

if TYPE_CHECKING:
    from .tables import ColumnSource

_Foreign: TypeAlias = Any  # an array or table of any library: what it is, its attributes say
_ORIGIN = "data given from Python"
_FORMS = (
    "give a path, a pair (features, target), one array with two axes, a dict of columns, or a table of pandas, polars "
    "or Arrow"
)
_KINDS = "make its columns real numbers, bools, texts or dates before, each of one kind"


def opened(data_name: str, data: object, targets: Sequence[str], usual: Sequence[str]) -> OpenedData:
    """Data given from Python. `targets` are those that the declaration names, `usual` the names of columns that are the
    target of a table otherwise."""
    if is_table(data):
        return _table(data_name, data, targets, usual)
    pair = _pair(data)
    if pair is not None:
        return _pair_opened(data_name, data, *pair)
    if isinstance(data, Mapping) and data and all(isinstance(name, str) for name in data):
        return _columns(data_name, data, targets, usual)
    raise refused(data_name, type(data).__name__)


def refused(data_name: str, found: str, way: str = _FORMS) -> DataError:
    return DataError(DATA_REPLACEMENT, data=data_name, found=found, way=way)


def is_table(data: object) -> bool:
    """Whether data is a table of pandas, polars, Arrow, or a library that gives its tables as Arrow."""
    return hasattr(data, "__arrow_c_stream__") or (_is_pandas(data) and hasattr(data, "to_frame"))


def _is_pandas(data: object) -> bool:
    return type(data).__module__.partition(".")[0] == "pandas"


def _table(data_name: str, data: _Foreign, targets: Sequence[str], usual: Sequence[str]) -> OpenedData:
    check_room()
    import pyarrow as pa

    from .arrow import Blocks

    if hasattr(data, "to_frame") and not hasattr(data, "columns"):  # a series is a table of one column
        data = data.to_frame()
    _check_names(data_name, data)
    try:
        table = pa.Table.from_pandas(data, preserve_index=False) if _is_pandas(data) else pa.table(data)
    except MemoryError:
        raise
    except Exception as error:  # each library has errors of its own for what it cannot convert
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise refused(data_name, f"a table that Arrow does not take: {reason}", _KINDS) from None
    blocks = Blocks(table.schema, _ORIGIN, table.to_batches, stream=False, find=_indices(data))
    if blocks.rows == 0:
        raise DataError(
            ARRAY_SHAPE, array="the table", shape=sizes((0, len(blocks.names))), wanted="a table of at least one row"
        )
    check_size("the table", blocks.rows, len(blocks.names), is_there=True)
    chosen = targets or [name for name in usual if name in blocks.names][:1]
    columns = with_targets(blocks.columns(), chosen, FilePlace(_ORIGIN))
    doubts = digits_lost(blocks.rounded, _ORIGIN, {})
    return OpenedData(Schema(blocks.rows, columns), lambda: blocks.source(_ORIGIN), texts=blocks.texts, doubts=doubts)


def _check_names(data_name: str, data: _Foreign) -> None:
    """Refuse columns of pandas whose names do not tell them apart as texts, and those that Arrow cannot read."""
    if not _is_pandas(data):
        return
    names = list(data.columns)
    if any(isinstance(name, tuple) for name in names):
        way = 'join them: table.columns = ["_".join(map(str, name)) for name in table.columns]'
        raise refused(data_name, "a table whose columns have names of several parts", way)
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise refused(data_name, f"a table with two columns named {shown(str(twice))}", "rename one of them")
    sparse = next((name for name in names if type(data[name].dtype).__name__ == "SparseDtype"), None)
    if sparse is not None:
        way = f"write it out: table[{sparse!r}] = table[{sparse!r}].sparse.to_dense()"
        raise refused(data_name, f"a table with a sparse column {shown(str(sparse))}", way)


class _Given:
    """An array with its name."""

    def __init__(self, name: str, array: _Foreign):
        self.name, self.shape, self.kind = name, tuple(array.shape), array.dtype.kind


def _columns(data_name: str, data: Mapping[str, object], targets: Sequence[str], usual: Sequence[str]) -> OpenedData:
    """A dict of columns."""
    import numpy as np

    arrays: dict[str, np.ndarray] = {}
    for given, value in data.items():
        name = composed(given)
        if name in arrays:
            raise DataError(COLUMN_TWICE, place=FilePlace(_ORIGIN), column=shown(name))
        if is_masked(value):
            raise DataError(MASKED, name=f"the column {name}")
        try:
            arrays[name] = np.asarray(value)
        except ValueError:  # lists of different lengths
            arrays[name] = np.asarray(0)
        of_text = arrays[name].dtype.kind in "US" and isinstance(value, (list, tuple))
        cells = value if of_text and isinstance(value, (list, tuple)) else arrays[name].flat
        if (arrays[name].dtype == object or of_text) and not all(isinstance(one, str) for one in cells):
            what = f"a column {name} that mixes text, numbers or None"
            way = "make it numbers or texts; a table of pandas or Arrow may have None in a column of texts"
            if all(one is None or (isinstance(one, (int, float)) and not isinstance(one, bool)) for one in cells):
                what, way = f"a column {name} of numbers with None", 'write float("nan") for a missing number'
            raise refused(data_name, what, way)
        if of_text:  # NumPy's own texts lose a NUL at their end
            arrays[name] = np.array(value, object)
        if arrays[name].ndim == 0:
            raise refused(
                data_name, f"a column {name} that is no array", "give an array or list with a value for each row"
            )
    facts = [_Given(name, array) for name, array in arrays.items()]
    for one in facts:
        if not one.shape or one.shape[0] != (facts[0].shape or (0,))[0] or 0 in one.shape:
            wanted = f"[{(facts[0].shape or ('rows',))[0]}, ...], as many rows as {facts[0].name} has"
            raise DataError(ARRAY_SHAPE, array=one.name, shape=sizes(one.shape), wanted=wanted)
    chosen = targets or [name for name in usual if name in arrays][:1]
    table = tuple(
        replace(one, gaps=_gaps(arrays[one.name])[0]) if one.name in arrays and one.shape == () else one
        for one in columns_of_arrays(facts, chosen, _ORIGIN)
    )
    return OpenedData(
        Schema(facts[0].shape[0], table), lambda: source_of_arrays(arrays, table, _ORIGIN, _indices(arrays))
    )


def _pair_opened(data_name: str, data: object, features: _Foreign, target: _Foreign) -> OpenedData:
    """Features, and a target if there is one."""
    for name, array in (("features", features), ("target", target)):
        if is_masked(array):
            raise DataError(MASKED, name=f"the array of the {name}")
    if not hasattr(features, "shape") or (target is not None and not hasattr(target, "dtype")):
        raise refused(data_name, type(data).__name__)
    if _is_pandas(features) and any(getattr(one, "kind", "O") not in "biuf" for one in getattr(features, "dtypes", ())):
        what = "a pair whose features are not all numbers"
        raise refused(data_name, what, "give one table, with the target among its columns")
    check_features("features", features.shape, is_there=True)
    rows, columns = features.shape
    names = tuple(composed(str(one)) for one in getattr(features, "columns", numbered(columns)))
    named = hasattr(features, "columns") and not all(name.isdigit() for name in names)
    if target is None:
        table = numbers(names)
    else:
        check_target("target", target.shape, rows)
        dtype = number_dtype("target", getattr(target.dtype, "kind", str(target.dtype)))
        ends = (int(target.min()), int(target.max())) if dtype == INT64 and hasattr(target, "min") else None
        table = numbers(names, "target", dtype, ends)

    gaps = [*_gaps(features), *(_gaps(target) if target is not None else ())]
    table = tuple(replace(one, gaps=count) for one, count in zip(table, gaps, strict=True))

    def source() -> "ColumnSource":
        from .tables import held

        return held(names, features, target, _ORIGIN, "target", find=_indices(features))

    return OpenedData(Schema(rows, table, named=named), source)


def _indices(data: _Foreign) -> FindPlace:
    """How rows are called where the data is from: by the labels of a table of pandas, or by numbers from 0."""
    labels = data.index if _is_pandas(data) else None
    return lambda row, column: FilePlace(_ORIGIN, index=str(row if labels is None else labels[row]))


def _gaps(array: _Foreign) -> list[int]:
    """The numbers of missing cells in the columns of an array of [rows] or [rows, columns]."""
    import numpy as np

    from .tables import BLOCK

    if _is_pandas(array):
        return [int(one) for one in np.atleast_1d(array.isna().sum())]
    columns = array.shape[1] if len(array.shape) == 2 else 1
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        return [0] * columns
    counts = np.zeros(columns, np.int64)
    for start in range(0, len(array), BLOCK):
        counts += np.isnan(array[start : start + BLOCK].reshape(-1, columns)).sum(axis=0)
    return [int(one) for one in counts]


def _pair(data: object) -> tuple[_Foreign, _Foreign] | None:
    """Features and target (None if there is none) of data that is no table."""
    if isinstance(data, (tuple, list)) and len(data) == 2:  # a sequence pattern would match an array of two rows too
        return tuple(data)
    match data:
        case {"features": features, "target": target, **others} if not others:
            return features, target
        case {"features": features, **others} if not others:
            return features, None
    return (data, None) if len(getattr(data, "shape", ())) == 2 else None
