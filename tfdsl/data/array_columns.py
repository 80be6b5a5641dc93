"""Columns made of arrays by their names: .npz and .npy files, and what Python gives.

An array `features` or `X` with two axes gives a column for each of its columns; `target` or `y` is the target. Any
other array of as many rows is a column of its own. Beside features, it is set aside.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ..diagnostics import ARRAY_KIND, ARRAY_SHAPE
from ..types import BOOL, FLOAT32, INT64, STRING, DType
from .schema import Column, DataError, FilePlace, FindPlace, numbered, shown, sizes
from .sources.base import with_targets

if TYPE_CHECKING:
    import numpy as np

    from .stored import StoredRows
    from .tables import ColumnSource, Matrix

_PAIRS = (("features", "target"), ("X", "y"))
_DTYPES: Mapping[str, DType] = {"b": BOOL, "i": INT64, "u": INT64, "f": FLOAT32, "U": STRING, "O": STRING, "S": STRING}


class ArrayFacts(Protocol):
    """What is known of an array: `kind` is NumPy's letter."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def kind(self) -> str: ...


def columns_of_arrays(arrays: Sequence[ArrayFacts], targets: Sequence[str], path: str) -> tuple[Column, ...]:
    """The columns that arrays give. `targets` names the targets, if it is not `target` or `y`."""
    features, target = _pair(arrays)
    table: list[Column] = []
    for array in arrays:
        if array.name == features and len(array.shape) == 2:
            if _dtype(array) == STRING:
                raise DataError(ARRAY_KIND, place=FilePlace(path), array=array.name, dtype=shown("text"))
            table += (Column(name, FLOAT32) for name in numbered(array.shape[1]))
        elif array.name == target:
            rows = arrays[0].shape[0]
            if array.shape not in ((rows,), (rows, 1)):
                wanted = f"[{rows}] or [{rows}, 1], one number for each row of the features"
                raise DataError(ARRAY_SHAPE, array=array.name, shape=sizes(array.shape), wanted=wanted)
            dtype = _dtype(array)
            table.append(Column(array.name, INT64 if dtype == BOOL else dtype, role="target"))
        else:
            role = "aside" if features is not None and array.name != features else "feature"
            shape = () if array.shape[1:] == (1,) else array.shape[1:]
            table.append(Column(array.name, _dtype(array), shape, role))
    return with_targets(table, targets, FilePlace(path))


def _pair(arrays: Iterable[ArrayFacts]) -> tuple[str | None, str | None]:
    names = [array.name for array in arrays]
    for features, target in _PAIRS:
        if features in names:
            return features, target if target in names else None
    return None, None


def _dtype(array: ArrayFacts) -> DType:
    dtype = _DTYPES.get(array.kind)
    if dtype is None or (dtype == STRING and len(array.shape) > 1 and array.shape[1:] != (1,)):
        raise DataError(ARRAY_KIND, array=array.name, dtype=shown("text" if dtype == STRING else array.kind))
    return dtype


def source_of_arrays(
    arrays: Mapping[str, "np.ndarray | StoredRows"], columns: Iterable[Column], origin: str,
    find: FindPlace | None = None,
) -> "ColumnSource":  # fmt: skip
    """The columns of `columns_of_arrays`, from the arrays themselves."""
    import numpy as np

    from .stored import StoredRows
    from .tables import Floats, Held, Wholes, whole_or_float

    panels: list[tuple[tuple[str, ...], Matrix]] = []
    words: dict[str, Sequence[str]] = {}
    own = {column.name: column for column in columns}
    for name, array in arrays.items():
        if name not in own:  # a matrix of features
            panels.append((numbered(array.shape[1]), Floats(array)))
        elif own[name].dtype == STRING:
            cells = np.asarray(array).reshape(-1)
            found, codes = np.unique(cells if cells.dtype == object else cells.astype(str), return_inverse=True)
            words[name] = tuple(found.tolist())
            panels.append(((name,), codes.reshape(-1).astype(np.int32)))
        elif own[name].shape == ():
            panels.append(((name,), whole_or_float(name, array, own[name].dtype == BOOL)))
        else:
            rows = array if isinstance(array, StoredRows) else np.asarray(array)
            panels.append(((name,), Wholes(name, rows) if rows.dtype.kind == "u" else rows))
    rows = len(next(iter(arrays.values())))
    return Held(rows, tuple(panels), origin, words, find=find)
