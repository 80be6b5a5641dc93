"""The times of the rows of series: whether each comes after the one before it, by one and the same step.

Input: a table, and the column that tells its series apart. Output: what is wrong with its column of time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..diagnostics.spelling import counted
from .series import groups_in, number_text, series_in
from .tables import BLOCK, Table, absent
from .times import HOUR, counts_time, duration, is_sunday, is_time_name, says_row_time, seconds_of

_USUAL = 0.9  # of all steps are alike, if a longer one is a gap


@dataclass(frozen=True)
class StepBack:
    """A row whose time in `column` is `after`, and before the time of the row above it in its series, `before`."""

    column: str
    row: int
    before: str
    after: str


@dataclass(frozen=True)
class Gap:
    """A row that comes `step` after the one above it in its series, although nearly all come `usual` after it. There
    are `gaps` of them."""

    column: str
    row: int
    step: str
    usual: str
    gaps: int


@dataclass(frozen=True)
class SameTime:
    """A row that has the time of the row above it in its series, as most rows have."""

    column: str
    row: int
    time: str


def time_doubt(table: Table, by: str | None) -> StepBack | Gap | SameTime | None:
    """What is wrong with the order of rows in time. None if nothing is, or if no column of the source is sure to have
    the time of the rows. `by` is the column of groups. Numbers that come several times in a series say nothing: they
    may be those of something else."""
    words = table.source.words
    first = table.source.read(table.numbers(slice(0, min(table.rows, 1))))
    named = {name: seconds_of(words[name]) if name in words else None for name in first}
    times = [name for name, one in first.items() if one.ndim == 1 and (
        named[name] is not None if name in words else one.dtype.kind in "if" and is_time_name(name)
    )]  # fmt: skip
    if not times:
        return None
    ordered, ends = series_in(table, None if by is None else groups_in(table, by)[1])
    series = np.searchsorted(ends, np.arange(table.rows), side="right")
    inside = np.flatnonzero(np.diff(series) == 0)  # the row after each of these is of the same series
    back = None
    for name in times:
        blocks = (table.source.read(table.numbers(slice(at, at + BLOCK))) for at in range(0, table.rows, BLOCK))
        cells = np.concatenate([block[name] for block in blocks])[ordered]
        if absent(cells).any():
            continue
        seconds = named[name]
        values = cells if seconds is None else np.array(seconds)[cells]
        steps = np.diff(values)[inside]
        is_sure = says_row_time(name) if seconds is not None else counts_time(name, values.min(), values.max())
        written = words.get(name)
        if not (steps < 0).any():
            if not steps.any():
                continue
            is_only = len(times) == 1 and (seconds is not None or name.lower() == "year")  # and so no part of the time
            return _uneven(name, cells, values, inside, ordered, written) if is_sure and is_only else None
        repeats = seconds is None and len(np.unique(np.stack([series, values]), axis=1).T) < len(values)
        if is_sure and not repeats and back is None:
            at = inside[np.flatnonzero(steps < 0)[0]]
            before, after = (_written(cells[one].item(), written) for one in (at, at + 1))
            back = StepBack(name, int(ordered[at + 1]), before, after)
    return back


def _uneven(
    name: str, cells: np.ndarray, values: np.ndarray, inside: np.ndarray, rows: np.ndarray, words: Sequence[str] | None
) -> Gap | SameTime | None:
    """What is wrong with times that never go back: `values`, which the column has as `cells`, of the rows `rows`. The
    row after each of `inside` is of the same series."""
    steps = np.diff(values)[inside]
    if (steps == 0).sum() > len(steps) / 2:
        at = inside[np.flatnonzero(steps == 0)[0]] + 1
        return SameTime(name, int(rows[at]), _written(cells[at].item(), words))
    usual, count = Counter(steps.tolist()).most_common(1)[0]
    far = steps >= 2 * usual
    if words is not None and usual <= HOUR:  # clocks are put forward on a Sunday
        far &= ~((steps == usual + HOUR) & is_sunday(values[inside]))
    if count < _USUAL * len(steps) or not far.any():
        return None
    first = np.flatnonzero(far)[0]
    gap = float(steps[first])
    step, often = (counted(int(one), "year") if words is None else duration(one) for one in (gap, usual))
    return Gap(name, int(rows[inside[first] + 1]), step, often, int(far.sum()))


def _written(value: float, words: Sequence[str] | None) -> str:
    return number_text(value) if words is None else words[int(value)]
