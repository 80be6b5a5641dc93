"""The times of the rows of series: whether each comes after the one before it, by one and the same step.

Input: a table, and the column that tells its series apart. Output: what is wrong with its column of time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..diagnostics.spelling import counted
from .series import groups_in, number_text, series_in
from .tables import BLOCK, Table, absent
from .times import DAY, HOUR, counts_time, duration, is_time_name, says_row_time, seconds_of

_USUAL = 0.9  # of all steps are alike, if a longer one is a gap
_REGULAR = 4  # gaps that may be regular
_NIGHT = 23 * HOUR, 4 * HOUR  # from one time to the other, clocks are put forward and back,
_SELDOM = 120 * DAY  # and not more often
_YEAR = 365.25 * DAY
_PART_OF_TIME = re.compile(
    r"^(\d|q[1-4]$|w(eek)?\d|(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?$|"
    r"(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(t(ember)?)?|oct(ober)?|nov(ember)?|"
    r"dec(ember)?)$|[ap]\.?m\.?$|(early|late|day|mid(day|night)|first|second|third|fourth|opening|closing)\b)|"
    r"\b(night|morning|noon|afternoon|evening|breakfast|lunch|dinner|supper|sunrise|sunset|dawn|dusk|matin|midi|soir|"
    r"nuit|morgens?|mittags?|abends?|nachts?|fr(ue|ü)h|sp(ae|ä)t|ma(ñ|n)ana|tarde|noche)\b", re.IGNORECASE,
)  # fmt: skip


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
    """A row that has the time of the row above it in its series, as most rows have. The text in the column `by` tells
    the rows of one time apart."""

    column: str
    row: int
    time: str
    by: str


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
        if seconds is not None:
            steps = _by_the_sun(np.round(steps, 3), values[inside])
        is_sure = says_row_time(name) if seconds is not None else counts_time(name, values.min(), values.max())
        written = words.get(name)
        if not (steps < 0).any():
            if not steps.any():
                continue
            is_only = len(times) == 1 and (seconds is not None or name.lower() == "year")  # and so no part of the time
            if not is_sure or not is_only:
                return None
            return _same(table, name, cells, values, series, ordered, by) or _gap(
                name, steps, values[inside], ordered[inside + 1], written
            )
        repeats = seconds is None and len(np.unique(np.stack([series, values]), axis=1).T) < len(values)
        if is_sure and not repeats and back is None:
            at = inside[np.flatnonzero(steps < 0)[0]]
            before, after = (_written(cells[one].item(), written) for one in (at, at + 1))
            back = StepBack(name, int(ordered[at + 1]), before, after)
    return back


def _by_the_sun(steps: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Steps between local times, as they are without summer time: clocks are put forward or back by an hour at night,
    a few times a year at most."""
    usual = _usual(steps)[0]
    clock = before % DAY
    is_night = (clock >= _NIGHT[0]) | (clock < _NIGHT[1])
    is_put = ((steps == usual + HOUR) | (steps == usual - HOUR)) & is_night & (0 < usual <= HOUR)
    seldom = is_put.sum() <= 1 + np.ptp(before) // _SELDOM if len(before) else False
    return np.where(is_put & seldom, usual, steps)


def _usual(steps: np.ndarray) -> tuple[float, int]:
    """The most frequent step, and how often it comes."""
    found, counts = np.unique(steps, return_counts=True)
    return (float(found[counts.argmax()]), int(counts.max())) if len(found) else (0.0, 0)


def _same(
    table: Table, name: str, cells: np.ndarray, values: np.ndarray, series: np.ndarray, rows: np.ndarray, by: str | None
) -> SameTime | None:
    """The first row with the time of the one before it, if most rows are so and a column tells series apart: one of
    text that is no part of a time, as `17:00`, `Q1` and `Monday` are, and that differs between the rows of each time.
    `values` are the times of the rows `rows` of the `series`, which the column has as `cells`."""
    same = np.flatnonzero((np.diff(values) == 0) & (np.diff(series) == 0))
    if len(same) <= (len(values) - 1) / 2:
        return None
    moments = np.unique(values, return_inverse=True)[1] * (int(series[-1]) + 1) + series
    for other, words in table.source.words.items():
        if other in (name, by) or any(map(_PART_OF_TIME.search, words)):
            continue
        blocks = (table.source.read(table.numbers(slice(at, at + BLOCK))) for at in range(0, table.rows, BLOCK))
        found = np.concatenate([block[other] for block in blocks])[rows]
        count = int(found.max()) + 1
        is_apart = found.min() >= 0 and len(np.unique(moments * count + found)) == len(values)
        if 2 <= count <= len(values) // 2 and is_apart:
            at = int(same[0]) + 1
            return SameTime(name, int(rows[at]), _written(cells[at].item(), table.source.words.get(name)), other)
    return None


def _gap(name: str, steps: np.ndarray, before: np.ndarray, rows: np.ndarray, words: Sequence[str] | None) -> Gap | None:
    """The first gap: a step that is longer than nearly all others, which are alike. Gaps after about the same number
    of rows each, such as the nights of a market, are no missing rows. The steps lead from the times `before` to the
    rows `rows`."""
    usual, count = _usual(steps)
    far = np.flatnonzero(steps >= 2 * usual)
    if usual <= 0 or count < _USUAL * len(steps) or not len(far):
        return None
    if len(far) >= _REGULAR and _usual(np.diff(far))[1] > (len(far) - 1) / 2:
        return None
    if words is not None and len(far) >= 2 and np.ptp(steps[far]) <= usual and _return(before[far], usual):
        return None
    gap = float(steps[far[0]])
    step, often = (counted(int(one), "year") if words is None else duration(one) for one in (gap, usual))
    return Gap(name, int(rows[far[0]]), step, often, len(far))


def _return(times: np.ndarray, usual: float) -> bool:
    """Whether some times, in seconds, come again: at the same time of a day, after a year, or after equal intervals."""
    between = np.diff(times)
    yearly = np.abs(between - _YEAR) <= max(3 * DAY, usual)
    return (
        bool((between % DAY == 0).all() and between.max() <= 3 * DAY)
        or bool(yearly.all())
        or (len(times) > 2 and bool(np.ptp(between) <= usual))
    )


def _written(value: float, words: Sequence[str] | None) -> str:
    return number_text(value) if words is None else words[int(value)]
