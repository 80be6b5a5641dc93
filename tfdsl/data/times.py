"""Columns of time: those whose texts are dates, and those of numbers whose names say it."""

import re
from collections.abc import Sequence
from functools import lru_cache

from ..diagnostics.spelling import counted
from .advice import date_form
from .transforms.date_parts import parsed_date

HOUR = 3600  # seconds
DAY = 24 * HOUR
_TIME = re.compile(r"(year|month|week|day|date|hour|minute|time|timestamp|datetime|step|t)", re.IGNORECASE)

_ROW_TIME = frozenset(
    "year month week day date hour minute time timestamp datetime ds when datum zeit zeitpunkt fecha jour".split()
)
_OF_ROW = frozenset(
    "utc gmt local of the observation observed obs measurement measured recording recorded record sample sampled "
    "reading index".split()
)
_LEAST_STAMP = 10_000_000  # dates such as 20240501, and seconds since 1970


def is_time_name(name: str) -> bool:
    """Whether a name is that of a time."""
    return bool(_TIME.fullmatch(name))


def says_row_time(name: str) -> bool:
    """Whether dates in a column of this name are sure to be the times of its rows, as those of `date` and `Date_UTC`,
    and not those of something that a row tells of, such as `date_of_birth`."""
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    return bool(words & _ROW_TIME) and words <= _ROW_TIME | _OF_ROW


def counts_time(name: str, least: float, largest: float) -> bool:
    """Whether numbers between two others, in a column of this name, are sure to be points in time, and no durations and
    no hours of a day, which begin again."""
    word = name.lower()
    if word == "year":
        return 1000 <= least <= largest < 10_000
    return word in ("date", "datetime", "time", "timestamp") and least >= _LEAST_STAMP


def seconds_of(words: Sequence[str]) -> list[float] | None:
    """The dates that texts are, in seconds. None if they are no dates."""
    return _seconds_of(tuple(words))


@lru_cache(maxsize=4)  # the same texts are asked for several times, and take seconds if they are a million
def _seconds_of(words: tuple[str, ...]) -> list[float] | None:
    if (form := date_form(words)) is None:
        return None
    dates = [parsed_date(word, form or None) for word in words]
    found = [
        one.toordinal() * float(DAY) + one.hour * HOUR + one.minute * 60 + one.second + one.microsecond / 1e6
        for one in dates
        if one
    ]
    return found if len(found) == len(dates) else None


def duration(seconds: float) -> str:
    """A time as text, in the largest unit of which it is a whole number: "3 days"."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (60, "minute")):
        if seconds % unit == 0:
            return counted(int(seconds // unit), name)
    return counted(round(seconds, 6), "second")
