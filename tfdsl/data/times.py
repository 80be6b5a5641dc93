"""Columns of time: those whose texts are dates, and those of numbers whose names say it."""

import re
from collections.abc import Sequence
from functools import lru_cache

from .advice import date_form
from .transforms.date_parts import parsed_date

_TIME = re.compile(r"(year|month|week|day|date|hour|minute|time|timestamp|datetime|step|t)", re.IGNORECASE)


def is_time_name(name: str) -> bool:
    """Whether a name is that of a time."""
    return bool(_TIME.fullmatch(name))


def seconds_of(words: Sequence[str]) -> list[float] | None:
    """The dates that texts are, in seconds. None if they are no dates."""
    return _seconds_of(tuple(words))


@lru_cache(maxsize=4)  # the same texts are asked for several times, and take seconds if they are a million
def _seconds_of(words: tuple[str, ...]) -> list[float] | None:
    if (form := date_form(words)) is None:
        return None
    dates = [parsed_date(word, form or None) for word in words]
    found = [one.toordinal() * 86_400.0 + one.hour * 3600 + one.minute * 60 + one.second for one in dates if one]
    return found if len(found) == len(dates) else None
