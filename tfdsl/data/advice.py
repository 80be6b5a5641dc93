"""Ways out of text where numbers are needed: what the texts of a column look like, and what to write for it."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import islice

from ..types import FLOAT32, STRING
from .schema import shown
from .stage import Arguments, written, written_whole
from .transforms.date_parts import PARTS, parsed_date

_LOOKED_AT = 1000  # texts
MARKS = 3  # texts among numbers that may mean a missing value
_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m/%d/%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_OFFSETS = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S.%f%z")
_FORMS = ("", *_OFFSETS, *(f"{day}{time}" for day in _DAYS for time in _TIMES))
_USUAL, _FINER = ("year", "month", "day", "weekday"), ("hour", "minute")
_COMMA = re.compile(r"\s*[+-]?\d+(\.\d{3})*,\d+\s*")
_WITH_COMMA = re.compile(r"\s*[+-]?\d+(,\d+)?\s*")
_ZEROS = re.compile(r"\s*[+-]?0\d")
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?\s*")
_SPACED = re.compile(r"\s*[+-]?[1-9]\d{0,2}([ \u00a0\u202f'\u2019]\d{3})+([.,]\d+)?\s*")
_SIGNED = re.compile(r"\s*([$€£¥]\s*[+-]?\d[\d.,]*|[+-]?\d[\d.,]*\s*[%$€£¥])\s*")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


def ways_out(column: str, texts: Sequence[str], source: Arguments, otherwise: str = "") -> str:
    """What to write for a column of text where numbers are needed. `source` has the arguments of its source, and
    `otherwise` is for texts that are no numbers at all."""
    name, some = shown(column), list(islice(texts, _LOOKED_AT))
    if (form := date_form(some)) is not None:
        return f"its cells are dates: write | {parts_of_dates(name, form)}"
    if some and all(_NUMBER.fullmatch(text) for text in some):
        if (huge := next((text for text in some if not is_finite(text)), None)) is not None:
            return f"{shown(huge)} is too large for a number: correct the cell"
        if "columns" in source and any(map(_ZEROS.match, some)):
            numbers = columns_with({column: FLOAT32.name}, source)
            return f"numbers with leading zeros are text: {numbers} in the source makes numbers of them"
        return f"its numbers are text: make them numbers where the data is made, or write | categories({name})"
    if way := as_numbers(texts, source):
        return way
    if "missing" in source and (marks := marks_in(texts)):
        return f"{_if_missing(marks, source)} in the source"
    return otherwise or f"write | one_hot({name}) or | categories({name}) for categories"


def as_numbers(texts: Sequence[str], source: Arguments) -> str:
    """What to write for texts that are numbers, apart from a few marks, but not as the source reads them. "" if they
    are none."""
    marks = marks_in(texts)
    some = list(islice((text for text in texts if text not in marks), _LOOKED_AT))
    if not are_written_otherwise(some, source):
        return ""
    if "decimal" not in source:
        return "its numbers are text: make them numbers where the data is made"
    also = f"; {_if_missing(marks, source)}" if marks else ""
    if have_signs(some):
        return f"its numbers have signs such as $ or %: write them without in the file{also}"
    if have_thousands(some):
        ways = ["if these are between thousands, write them without in the file"]
        ways += [] if source["decimal"] == "," else ['if they are before fractions, write decimal="," in the source']
        return f"its numbers have commas: {'; '.join(ways)}{also}"
    if source["decimal"] == "." and have_commas(some):
        return f'its numbers have a comma before their fraction: write decimal="," in the source{also}'
    return f"its numbers have spaces or signs in them: write them with digits and the decimal sign only{also}"


def odd_cell(column: str, cell: str, source: Arguments) -> str:
    """What to write for a column of text because of a cell that is no number."""
    if "missing" not in source:
        return "make it a number or a missing value where the data is made"
    numbers, text = (columns_with({column: one.name}, source) for one in (FLOAT32, STRING))
    return f"{_if_missing([cell], source)}; {numbers} makes such a cell an error, and {text} says that text is meant"


def _if_missing(marks: Sequence[str], source: Arguments) -> str:
    means = "means a missing value" if len(marks) == 1 else "mean missing values"
    return f"if {', '.join(map(shown, marks))} {means}, write {missing_with(marks, source)}"


def as_text(column: str, has_gaps: bool, source: Arguments) -> str:
    """How to have text in place of the numbers of a column, which may mean categories."""
    name = shown(column)
    if "columns" not in source:
        return f"if they are no numbers but categories or dates, write {name} as text where the file is made"
    filled = f', and fill missing cells: | fill({name}, with="most_frequent"), or with a text' if has_gaps else ""
    return f"{columns_with({column: STRING.name}, source)} in the source makes text of its cells{filled}"


def other_kind(column: str, what: str) -> str:
    """What to do about a column that is neither numbers nor text."""
    name = shown(column)
    made = {
        "timestamps": ("text", f'df[{name}].dt.strftime("%Y-%m-%d %H:%M:%S")'),
        "dates": ("text", f"df[{name}].astype(str)"),
        "durations": ("seconds", f"df[{name}].dt.total_seconds()"),
    }.get(what)
    ways = f"write it as {made[0]}, with pandas: df[{name}] = {made[1]}" if made else "make numbers or text of it"
    return f"leave it out with | drop({name}); or {ways}"


def is_declared_text(column: str, source: Arguments) -> bool:
    """Whether the source declares a column as text, with `columns`."""
    given = source.get("columns")
    return isinstance(given, tuple) and (column, STRING.name) in given


def columns_with(dtypes: Mapping[str, str], source: Arguments) -> str:
    """The argument `columns` with the dtypes of some more columns."""
    given = source.get("columns")
    known = [one for one in given if isinstance(one, tuple)] if isinstance(given, tuple) else []
    pairs = ", ".join(f"{written_whole(name)}: {dtype}" for name, dtype in {**dict(known), **dtypes}.items())
    return f"columns={{{pairs}}}"


def missing_with(marks: Sequence[str], source: Arguments) -> str:
    """The argument `missing` with some more texts."""
    given = source.get("missing")
    known = ("",) if given is None else (given,) if isinstance(given, str) else given
    assert isinstance(known, tuple)
    return f"missing={written_whole([*known, *marks])}"


def date_form(texts: Sequence[str]) -> str | None:
    """The form of dates, "" for the usual one. None if the texts are no dates."""
    some = texts[:_LOOKED_AT]
    for form in _FORMS if some else ():
        if all(parsed_date(text, form or None) is not None for text in some):
            return form
    return None


def other_order(texts: Sequence[str]) -> tuple[str, str] | None:
    """The form of dates in which the month and the day change places, if the texts are dates in it too, and one that
    means another day then."""
    form = date_form(texts) or ""
    other = form.translate(str.maketrans("dm", "md"))
    some = texts[:_LOOKED_AT] if form != other else ()
    dates = [(parsed_date(text, form), parsed_date(text, other)) for text in some]
    if any(date is None for _, date in dates):
        return None
    return next(((f'format="{other}"', text) for text, (a, b) in zip(some, dates, strict=True) if a != b), None)


def have_signs(texts: Sequence[str]) -> bool:
    """Whether texts are numbers with a sign of money or of percent."""
    some = texts[:_LOOKED_AT]
    return bool(some) and all(map(_SIGNED.fullmatch, some))


def parts_of_dates(columns: str, form: str, parts: Sequence[str] = _USUAL) -> str:
    """The transform of columns of dates in a form, "" for the usual one, to some parts."""
    named = "" if tuple(parts) == _USUAL else f", parts={written_whole(tuple(parts))}"
    return f"date_parts({columns}{named}, format={written(form)})" if form else f"date_parts({columns}{named})"


def parts_that_differ(texts: Sequence[str], form: str) -> tuple[str, ...]:
    """The parts of dates that are not the same in all of them."""
    dates = [date for text in texts if (date := parsed_date(text, form or None)) is not None]
    parts = (*_USUAL, *_FINER)
    differing = [part for part in parts if len({PARTS[part](date) for date in dates}) > 1]
    if "day" not in differing:  # as in 2024-12
        differing = [part for part in differing if part != "weekday"]
    return tuple(differing)


def is_finite(cell: str) -> bool:
    """Whether a cell is a number."""
    try:
        return "_" not in cell and math.isfinite(float(cell))
    except ValueError:
        return False


def have_commas(texts: Sequence[str]) -> bool:
    """Whether texts are numbers with a comma before their fraction."""
    some = texts[:_LOOKED_AT]
    is_there = any(map(_COMMA.fullmatch, some))
    return is_there and all(_COMMA.fullmatch(text) or _NUMBER.fullmatch(text) for text in some)


def have_thousands(texts: Sequence[str]) -> bool:
    """Whether texts are numbers with commas that may be between thousands."""
    some = [text for text in texts[:_LOOKED_AT] if not _NUMBER.fullmatch(text)]
    return bool(some) and all(map(_THOUSANDS.fullmatch, some))


def is_written_number(text: str) -> bool:
    """Whether a text is a number in any way in which people write them: with a comma, with signs between thousands, of
    money or of percent."""
    return any(form.fullmatch(text) for form in (_NUMBER, _COMMA, _THOUSANDS, _SPACED, _SIGNED))


def are_written_otherwise(texts: Sequence[str], source: Arguments) -> bool:
    """Whether texts are numbers, some of which a source does not read as numbers: those with commas, or with signs."""
    plain = _WITH_COMMA if source.get("decimal") == "," else _NUMBER
    some = texts[:_LOOKED_AT]
    return not all(map(plain.fullmatch, some)) and all(map(is_written_number, some))


def have_leading_zeros(texts: Sequence[str]) -> bool:
    """Whether a text is a number with a leading zero, as codes have."""
    return any(map(_ZEROS.match, texts))


def marks_in(texts: Sequence[str], most: int = MARKS) -> list[str]:
    """The few texts among more numbers, which may mean missing values."""
    others = list(islice((text for text in texts if not is_written_number(text)), most + 1))
    return others if len(others) <= most and len(texts) > 2 * len(others) else []
