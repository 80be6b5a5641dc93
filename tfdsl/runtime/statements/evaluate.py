"""`NAME = evaluate ...`: the values of tensors over all rows of a data set, for names of the session."""

from collections.abc import Callable, Iterator

import numpy as np

from ...lowering.tf import tf
from ...program import Combination, Evaluate, Feed, Fetch, Field, Ref, Value, frozen
from ..execution.execution import Execution
from ..execution.kept import Kept


def execute(run: Execution, statement: Evaluate) -> None:
    outer = run.context.batch
    try:
        fetched = _whole(run, statement) if statement.size is None else _combined(run, statement)
    finally:
        run.context.batch = outer
    values: dict[str, object] = {}
    columns: list[str] = []
    for name, item in zip(statement.names * len(statement.items), statement.items, strict=False):
        value = run.value(item.value, fetched, statement.origin)
        value = np.asarray(value, _numpy(item.dtype))
        value = value if value.shape else value[()]
        columns.append(item.column)
        if item.field:
            values[item.field] = value
        else:
            run.context.kept[name] = Kept({"": value}, (item.column,), statement.rows)
    if values:
        run.context.kept[statement.names[0]] = Kept(values, tuple(columns), statement.rows)
    if run.options.observer is not None:
        for name in statement.names:
            for field, value in run.context.kept[name].fields.items():
                run.options.observer.evaluated(f"{name}.{field}" if field else name, value, run.step)


def _numpy(dtype: str) -> np.dtype:
    return np.dtype(tf.as_dtype(dtype).as_numpy_dtype)


def _whole(run: Execution, statement: Evaluate) -> dict[Ref, object]:
    """The values of one execution with all rows."""
    run.context.batch = _fields(run, statement, slice(0, statement.rows))
    return run.fetch(statement.uses().values, statement.feeds, statement.origin)


def _combined(run: Execution, statement: Evaluate) -> dict[Ref, object]:
    """The combined values of the batches. Means and sums are added in float64, in the order of the rows; whole numbers
    stay whole."""
    combined = {ref: _COMBINERS[how]() for ref, how in statement.combined if how != "made"}
    for rows in _batches(statement):
        run.context.batch = _fields(run, statement, rows)
        fetched = run.fetch(map(Fetch, combined), statement.feeds, statement.origin)
        for ref, one in combined.items():
            one.add(fetched[ref], rows.stop - rows.start)
    values = {ref: one.value() for ref, one in combined.items()}
    made = [Fetch(ref) for ref, how in statement.combined if how == "made"]
    totals = [_total(statement, ref, values[ref]) for ref, how in statement.combined if how in ("mean", "sum")]
    return values | run.fetch(made, (*statement.feeds, *totals), statement.origin)


def _total(statement: Evaluate, ref: Ref, value: object) -> Feed:
    """A value for all rows, fed to the tensor that it is of."""
    return Feed(ref, "a total", Value(frozen(np.asarray(value).tolist())), statement.origin)


def _batches(statement: Evaluate) -> Iterator[slice]:
    assert statement.size is not None
    for start in range(0, statement.rows, statement.size):
        yield slice(start, min(start + statement.size, statement.rows))


def _fields(run: Execution, statement: Evaluate, rows: slice) -> Callable[[str], np.ndarray | int]:
    """The fields of a batch with some rows."""

    def field(name: str) -> np.ndarray | int:
        if name == "rows":
            return rows.stop - rows.start
        return run.context.arrays(Field(*statement.data, name))[rows]

    return field


class _Fixed:
    """A value that does not depend on the rows."""

    def __init__(self) -> None:
        self._value: object = None

    def add(self, value: object, rows: int) -> None:
        self._value = value

    def value(self) -> object:
        return self._value


class _Rows:
    """A row for each row."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []

    def add(self, value: object, rows: int) -> None:
        self._parts.append(np.asarray(value))

    def value(self) -> object:
        return np.concatenate(self._parts)


class _Sum:
    """A sum over the rows."""

    def __init__(self) -> None:
        self.total: np.ndarray | int = 0  # takes the dtype of what is added

    def add(self, value: object, rows: int) -> None:
        with np.errstate(all="ignore"):  # inf and -inf are nan, as in the graph
            self.total = self.total + _wide(value)

    def value(self) -> object:
        return self.total


class _Mean:
    """A mean over the rows."""

    def __init__(self) -> None:
        self._sum, self._rows = _Sum(), 0

    def add(self, value: object, rows: int) -> None:
        self._sum.add(_wide(value) * rows, rows)
        self._rows += rows

    def value(self) -> object:
        return self._sum.total / self._rows


def _wide(value: object) -> np.ndarray:
    """A value in float64, complex128, or for whole numbers int64 or uint64."""
    array = np.asarray(value)
    wide = {"i": np.int64, "u": np.uint64, "b": np.int64, "c": np.complex128}.get(array.dtype.kind, np.float64)
    return array.astype(wide)


_Combiner = _Fixed | _Rows | _Sum | _Mean
_COMBINERS: dict[Combination, type[_Combiner]] = {"fixed": _Fixed, "rows": _Rows, "sum": _Sum, "mean": _Mean}
