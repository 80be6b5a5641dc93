"""Series in a file: whether its rows, or those of each group, follow each other in time.

Input: a pipeline. Output: the column of time, and that of the groups, if there are several series."""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from ..record import Record
from ..types import BOOL, INT64, STRING
from .pipeline import Pipeline
from .schema import Column
from .times import is_time_name, seconds_of

if TYPE_CHECKING:
    import numpy as np

_FULL = 0.5  # of all pairs of a group and a time have a row
_GROUPS = 8  # columns whose pairs may be groups


class Series(Record):
    """The rows of a file as series: the column of time, those of the groups, and whether all rows are in order."""

    time: str
    by: tuple[str, ...]
    is_ordered: bool


def is_named_time(column: Column) -> bool:
    """Whether a column has the name of a time."""
    return is_time_name(column.name)


def values_of(pipeline: Pipeline, column: Column) -> "np.ndarray":
    import numpy as np

    return np.concatenate([block[column.name] for _, block in pipeline.source.blocks()])


def is_in_order(pipeline: Pipeline) -> bool:
    """Whether the rows are in the order of a column of time."""
    return any(_is_ordered(times) for one in pipeline.schemas[0].table if (times := _times(pipeline, one)) is not None)


def backwards(pipeline: Pipeline) -> str | None:
    """The column of time in which no row comes after the one above it, from the newest to the oldest. None if there is
    none."""
    for column in pipeline.schemas[0].table:
        times = _times(pipeline, column)
        if times is not None and len(times) > 1 and bool((times[1:] <= times[:-1]).all() and times[0] > times[-1]):
            return column.name
    return None


def series_of(pipeline: Pipeline) -> Series | None:
    """The series that the rows are, if they are some: one with a row for each time, or one for each value of a column,
    or of two, in which every group has a row for most times."""
    import numpy as np

    table = pipeline.schemas[0].table
    for column in table:
        times = _times(pipeline, column)
        if times is None or len(np.unique(times)) < 2:
            continue
        steps, is_ordered = np.diff(times), _is_ordered(times)
        finer = any(is_named_time(one) for one in table if one is not column)
        if (steps > 0).all() or (is_ordered and finer):
            return Series(column.name, (), True)
        others = [one for one in table if one is not column and _can_group(one)]
        for by in (*((one,) for one in others), *combinations(others[:_GROUPS], 2)):
            if _separates(pipeline, by, times):
                return Series(column.name, tuple(one.name for one in by), is_ordered)
    return None


def _can_group(column: Column) -> bool:
    is_kind = column.role == "feature" and column.dtype in (STRING, INT64) and not column.shape
    return is_kind and not column.gaps and not is_named_time(column)


def _separates(pipeline: Pipeline, columns: Sequence[Column], times: "np.ndarray") -> bool:
    """Whether the rows of each value of a column, or of each pair of values, are a series."""
    import numpy as np

    groups = np.zeros(len(times), np.int64)
    for column in columns:
        values = np.unique(values_of(pipeline, column), return_inverse=True)[1].reshape(-1)
        groups = np.unique(groups * len(times) + values, return_inverse=True)[1].reshape(-1)
    count = int(groups.max()) + 1
    if not 2 <= count <= len(times) // 2 or len(times) < _FULL * count * len(np.unique(times)):
        return False
    order = np.argsort(groups, kind="stable")
    return bool((np.diff(times[order]) > 0)[np.diff(groups[order]) == 0].all())


def _times(pipeline: Pipeline, column: Column) -> "np.ndarray | None":
    """The times in a column, as numbers. None if it has none."""
    import numpy as np

    if column.shape or column.gaps or column.dtype == BOOL:
        return None
    words = pipeline.source.words.get(column.name)
    if words is None:
        return values_of(pipeline, column) if is_named_time(column) else None
    seconds = seconds_of(words)
    return None if seconds is None else np.array(seconds)[values_of(pipeline, column)]


def _is_ordered(times: "np.ndarray") -> bool:
    return bool((times[1:] >= times[:-1]).all() and times[0] < times[-1])
