"""One kind of diagnostic."""

from collections.abc import Mapping
from typing import Any

from ..record import Record
from .spelling import counted


class Message(Record):
    """One kind of diagnostic. `headline` and `help` are templates for `filled`."""

    code: str
    headline: str
    help: str = ""
    severity: str = "error"


CATALOGUE: dict[str, Message] = {}


def message(code: str, headline: str, help: str = "", severity: str = "error") -> Message:
    """A message of the catalogue with a unique code."""
    made = Message(code, headline, help, severity)
    taken = CATALOGUE.setdefault(code, made)
    if taken != made:
        raise ValueError(f"two messages have the code {code}: {taken.headline!r} and {headline!r}")
    return made


class _Detail:
    """A value in a template, whose format may be a word."""

    __slots__ = ("_value",)

    def __init__(self, value: Any):  # a detail: the text of its message says what can be done with it
        self._value = value

    def __format__(self, spec: str) -> str:
        one, _, many = spec.partition("/")
        return counted(self._value, one, many) if len(one) > 1 and one[0].isalpha() else format(self._value, spec)

    def __getitem__(self, index: int) -> object:
        return self._value[index]

    def __repr__(self) -> str:
        return repr(self._value)


def filled(template: str, details: Mapping[str, object]) -> str:
    """A template with its details, as by `str.format`; `{cells:cell}` is `1 cell` or `2 cells`, and
    `{count:index/indices}` has its own word for several."""
    return template.format(**{name: _Detail(value) for name, value in details.items()})
