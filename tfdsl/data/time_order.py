"""Series in a file: whether its rows, or those of each group, follow each other in time.

Input: a pipeline. Output: the column of time, and that of the groups, if there are several series."""

import re
from typing import TYPE_CHECKING

from ..record import Record
from ..types import BOOL, INT64, STRING
from .advice import date_form
from .pipeline import Pipeline
from .schema import Column
from .transforms.date_parts import parsed_date

if TYPE_CHECKING:
    import numpy as np

_TIME = re.compile(r"(year|month|week|day|date|hour|minute|time|timestamp|datetime|step|t)", re.IGNORECASE)
_FULL = 0.5  # of all pairs of a group and a time have a row


class Series(Record):
    """The rows of a file as series: the column of time, that of the groups, and whether all rows are in order."""

    time: str
    by: str | None
    is_ordered: bool


def is_named_time(column: Column) -> bool:
    """Whether a column has the name of a time."""
    return bool(_TIME.fullmatch(column.name))


def values_of(pipeline: Pipeline, column: Column) -> "np.ndarray":
    import numpy as np

    return np.concatenate([block[column.name] for _, block in pipeline.source.blocks()])


def is_in_order(pipeline: Pipeline) -> bool:
    """Whether the rows are in the order of a column of time."""
    return any(_is_ordered(times) for one in pipeline.schemas[0].table if (times := _times(pipeline, one)) is not None)


def series_of(pipeline: Pipeline) -> Series | None:
    """The series that the rows are, if they are some: one with a row for each time, or one for each value of a column
    in which every group has a row for most times."""
    import numpy as np

    table = pipeline.schemas[0].table
    for column in table:
        times = _times(pipeline, column)
        if times is None or len(np.unique(times)) < 2:
            continue
        steps, is_ordered = np.diff(times), _is_ordered(times)
        finer = any(is_named_time(one) for one in table if one is not column)
        if (steps > 0).all() or (is_ordered and finer):
            return Series(column.name, None, True)
        for other in table:
            if other is not column and _separates(pipeline, other, times):
                return Series(column.name, other.name, is_ordered)
    return None


def _separates(pipeline: Pipeline, column: Column, times: "np.ndarray") -> bool:
    """Whether the rows of each value of a column are a series."""
    import numpy as np

    if column.role != "feature" or column.dtype not in (STRING, INT64) or column.shape or column.gaps:
        return False
    if is_named_time(column):
        return False
    groups = np.unique(values_of(pipeline, column), return_inverse=True)[1].reshape(-1)
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
    if (form := date_form(words)) is None:
        return None
    dates = [parsed_date(word, form or None) for word in words]
    if any(date is None for date in dates):
        return None
    seconds = [
        date.toordinal() * 86_400.0 + date.hour * 3600 + date.minute * 60 + date.second for date in dates if date
    ]
    return np.array(seconds)[values_of(pipeline, column)]


def _is_ordered(times: "np.ndarray") -> bool:
    return bool((times[1:] >= times[:-1]).all() and times[0] < times[-1])
