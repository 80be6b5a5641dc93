"""What records have in common: values by key, to list, filter and sort them by.

A key is `status`, `seconds`, `param.rate`, `value.test.cost` and so on. Values are numbers or text.
"""

import math
import re
import time
from collections.abc import Callable, Iterable, Mapping

from ..diagnostics import RUN_KEY, Diagnostic, TfgError
from ..diagnostics.spelling import alternatives, did_you_mean
from ..narrowing import is_object
from ..record import Record
from .reading import Json, RunRecord

Cell = str | int | float | bool | None
Row = dict[str, Cell]

_CONDITION = re.compile(r"\s*([\w.\[\]\-/]+?)\s*(!=|<=|>=|==?|<|>)\s*(.*?)\s*\Z")
_SIGNS: Mapping[str, Callable[[float], bool]] = {
    "=": lambda sign: sign == 0, "!=": lambda sign: sign != 0, "<": lambda sign: sign < 0, "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0, ">=": lambda sign: sign >= 0,
}  # fmt: skip


class Condition(Record):
    """A condition of `--where`: `param.rate>0.1`."""

    key: str
    sign: str
    value: str

    def holds(self, row: Row) -> bool:
        """Whether it holds. A record without the key does not fulfil it, except with `!=`."""
        own = row.get(self.key)
        if own is None:
            return self.sign == "!="
        return _SIGNS[self.sign](_compared(own, self.value))


def condition(text: str) -> Condition | None:
    """A condition as it is written, with = or == for equality. None if it is no condition."""
    found = _CONDITION.match(text)
    return None if found is None else Condition(found[1], "=" if found[2] == "==" else found[2], found[3])


def _compared(own: Cell, text: str) -> float:
    """-1, 0 or 1, as a value is less than a text, equal or greater. NaN for a number that is not comparable."""
    if isinstance(own, (int, float)) and not isinstance(own, bool):
        try:
            other = float(text)
        except ValueError:
            return math.nan
        if math.isnan(own) and math.isnan(other):
            return 0
        return math.nan if math.isnan(own - other) and own != other else (own > other) - (own < other)
    mine = str(own).lower() if isinstance(own, bool) else str(own)
    return (mine > text) - (mine < text)


def row(record: RunRecord) -> Row:
    """The values of a record by key."""
    begin, end = record.begin, record.end or {}
    found: Row = {
        "id": record.id, "status": record.status, "folder": record.path, "program": begin.get("program"),
        "started": when(begin["started"]) if begin else None, "seconds": end.get("seconds"),
        "exit_code": end.get("exit_code"), "session": begin.get("session"),
    }  # fmt: skip
    if not begin:
        return found
    found |= {
        f"param.{name}": _cell(one.get("value"), is_number=one.get("type") == "float")
        for name, one in begin["params"].items()
    }
    found |= {f"value.{name}": value for name, value in evaluated(end).items()}
    found |= {f"version.{name}": _cell(value) for name, value in begin["versions"].items()}
    found |= {f"about.{name}": _cell(value) for name, value in begin["about"].items()}
    engines: list[str] = end.get("engines") or []
    git: Json = end.get("git") or {}
    found |= {
        "engine": ", ".join(dict.fromkeys(engines)) or None, "steps": end.get("steps"),
        "host": begin["host"].get("name"),
        "synthetic": end.get("synthetic"), "commit": git.get("commit"), "dirty": git.get("dirty"),
        "peak_memory": end.get("peak_memory"),
    }  # fmt: skip
    return found


def evaluated(end: Json) -> dict[str, Cell]:
    """The numbers of each `evaluate` of a run, by name: `test.cost` if it has several."""
    found: dict[str, Cell] = {}
    values: Json = end.get("evaluated") or {}
    texts = frozenset(end.get("texts", ()))
    for name, value in values.items():
        fields = value if is_object(value) else {"": value}
        named = {f"{name}.{key}".rstrip("."): one for key, one in fields.items() if _is_number(one)}
        found |= {key: _cell(one, is_number=True) for key, one in named.items() if key not in texts}
    return found


def _is_number(value: object) -> bool:
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or value in ("nan", "inf", "-inf")


def _cell(value: object, is_number: bool = False) -> Cell:
    """A value of JSON, which writes NaN and infinity as text."""
    if is_number and value in ("nan", "inf", "-inf"):
        return float(str(value))
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def when(started: float) -> str:
    """The time of a start as this machine writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started))


def chosen(
    found: Iterable[RunRecord], conditions: Iterable[Condition], sort: str | None, reverse: bool
) -> list[tuple[RunRecord, Row]]:
    """The records that fulfil conditions, in the order of a key, or of their starts. Those without the key come last.
    Raises `TfgError` for a key that no record has."""
    rows = [(one, row(one)) for one in found]
    known = dict.fromkeys(key for _, one in rows for key in one)
    conditions = list(conditions)
    for key in [one.key for one in conditions] + ([] if sort is None else [sort]):
        if rows and key not in known:
            longer = [one for one in known if one.endswith(f".{key}")]  # rate stands for param.rate
            help = f"did you mean {alternatives(map(repr, longer))}?" if longer else did_you_mean(key, known)
            raise TfgError([Diagnostic(RUN_KEY, None, {"key": key, "known": ", ".join(known)}, help=help)])
    rows = [one for one in rows if all(condition.holds(one[1]) for condition in conditions)]
    if sort is not None:
        having = [one for one in rows if one[1].get(sort) is not None]
        having.sort(key=lambda one: _order(one[1][sort]), reverse=reverse)
        return having + [one for one in rows if one[1].get(sort) is None]
    return rows[::-1] if reverse else rows


def _order(value: Cell) -> tuple[bool, float, str]:
    is_text = isinstance(value, str)
    number = math.inf if is_text or value is None or value != value else float(value)
    return is_text, number, value if isinstance(value, str) else ""
