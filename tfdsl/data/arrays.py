"""The arrays of a data set while it is being made, and when it is done.

Input: arrays from a source. Output: `Table`, which the transforms work on in float64, and `Dataset`,
which is what programs see: float32 features, and a target of float32 or int64.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..diagnostics import ARRAY_KIND, DATA_VALUE
from .schema import DataError, Schema, shown


@dataclass(frozen=True, slots=True)
class Table:
    """Data being made: float64 features, an int64 or float64 target of one column, and the split's rows."""

    features: np.ndarray
    target: np.ndarray | None
    origin: str
    synthetic: bool = False
    train: np.ndarray | None = None
    test: np.ndarray | None = None

    @property
    def training_features(self) -> np.ndarray:
        """What a transform learns from: all rows before a split, the training rows after it."""
        return self.features if self.train is None else self.features[self.train]

    def with_features(self, features: np.ndarray) -> "Table":
        return replace(self, features=features)

    def with_rows(self, chosen: np.ndarray | slice) -> "Table":
        target = None if self.target is None else self.target[chosen]
        return replace(self, features=self.features[chosen], target=target)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Data as programs see it. `train` and `test` are there after a split. `origin` says where it is from."""

    features: np.ndarray
    target: np.ndarray | None
    names: tuple[str, ...]
    target_name: str | None
    origin: str
    synthetic: bool = False
    train: "Dataset | None" = None
    test: "Dataset | None" = None

    @property
    def rows(self) -> int:
        return self.features.shape[0]

    @property
    def columns(self) -> int:
        return self.features.shape[1]


def table(features: object, target: object, origin: str, synthetic: bool = False) -> Table:
    """A source's arrays, of any real dtype, as a table."""
    wide = _converted("features", features, lambda array: np.float64)
    if target is not None:
        target = _converted("target", target, _target_dtype).reshape(-1, 1)
    return Table(wide, target, origin, synthetic)


def _target_dtype(array: np.ndarray) -> type:
    return np.int64 if array.dtype.kind in "biu" else np.float64


def _converted(name: str, data: object, dtype: Callable[[np.ndarray], type]) -> np.ndarray:
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise DataError(ARRAY_KIND, array=name, dtype=shown(str(array.dtype)))
    wanted = dtype(array)
    if array.dtype.kind == "u" and wanted is np.int64:
        _refuse(array > np.iinfo(np.int64).max, array.reshape(len(array), -1), (name,), "int64")
    return array.astype(wanted)


def dataset(made: Table, schema: Schema) -> Dataset:
    """The finished data, with every number checked."""
    features = _narrow(made.features, schema.names)
    target = made.target
    if target is not None and target.dtype.kind == "f":
        target = _narrow(target, (schema.target_name,))
    whole = Dataset(features, target, schema.names, schema.target_name, made.origin, made.synthetic)
    if made.train is None:
        return whole
    return replace(whole, train=_part(whole, made.train), test=_part(whole, made.test))


def _part(whole: Dataset, rows: np.ndarray) -> Dataset:
    target = None if whole.target is None else whole.target[rows]
    return replace(whole, features=whole.features[rows], target=target)


def _narrow(wide: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = np.ascontiguousarray(wide, np.float32)
    _refuse(~np.isfinite(narrow), wide, names, "float32")
    return narrow


def _refuse(bad: np.ndarray, array: np.ndarray, names: tuple[str, ...], dtype: str) -> None:
    if bad.any():
        row, column = np.argwhere(bad.reshape(array.shape))[0]
        value = array[row, column]
        raise DataError(DATA_VALUE, row=row, column=shown(names[column]), value=value, dtype=dtype)
