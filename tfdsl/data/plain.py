"""Reads plain JSON from a file that anybody may have written, and checks the kind of each part.

A part knows its place, such as `data.titanic.steps[2].learned`. A part of the wrong kind raises a `DataError` with the
file and the place.
"""

import sys
from typing import Any, NoReturn

from ..diagnostics import LEARNED_FORM
from ..record import Record
from .schema import DataError, FilePlace, shown

_INT64 = 1 << 63
_MOST_TEXT = 1 << 20  # characters


class JsonPart(Record):
    """A part of the JSON of `file`."""

    value: Any  # JSON of any kind: the methods check it
    file: str
    at: str = ""

    def refuse(self, wanted: str, found: str = "") -> NoReturn:
        """Refuse it. `wanted` is what it must be."""
        raise DataError(LEARNED_FORM, place=FilePlace(self.file), file=shown(self.file), at=self.at or "the file",
                        wanted=wanted, found=found or _described(self.value))  # fmt: skip

    def fields(self, *names: str, **usual: object) -> "dict[str, JsonPart]":
        """The fields of an object that has these fields and no others. Those of `usual` may lack: these are their
        values then."""
        names = (*names, *usual)
        found = {name: JsonPart(value, self.file, f"{self.at}.{name}") for name, value in usual.items()} | self.named()
        if found.keys() != set(names):
            lacking, others = [n for n in names if n not in found], [n for n in found if n not in names]
            what = [f"without {shown(lacking[0])}"] if lacking else []
            what += [f"with {shown(others[0])}"] if others else []
            known = ", ".join(map(shown, names))
            wanted = f"an object with the fields {known}" if known else "an empty object"
            self.refuse(wanted, f"one {' and '.join(what)}")
        return found

    def named(self) -> "dict[str, JsonPart]":
        """The fields of an object."""
        if not isinstance(self.value, dict):
            self.refuse("an object")
        if any(_has_half_characters(name) for name in self.value):
            self.refuse("an object whose names are text in Unicode", "one with half a character")
        return {
            name: JsonPart(value, self.file, f"{self.at}.{name}" if self.at else name)
            for name, value in self.value.items()
        }

    def items(self, count: int | None = None) -> "list[JsonPart]":
        """The items of a list, `count` of them."""
        if not isinstance(self.value, list) or (count is not None and len(self.value) != count):
            self.refuse("a list" if count is None else f"a list of {count}")
        return [JsonPart(value, self.file, f"{self.at}[{number}]") for number, value in enumerate(self.value)]

    def texts(self) -> list[str]:
        return [one.text() for one in self.items()]

    def text(self) -> str:
        if not isinstance(self.value, str) or len(self.value) > _MOST_TEXT:
            self.refuse("a text")
        if _has_half_characters(self.value):
            self.refuse("a text in Unicode")
        return self.value

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.refuse("true or false")
        return self.value

    def number(self, positive: bool = False) -> float:
        is_number = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
        if not is_number or not abs(self.value) <= sys.float_info.max:
            self.refuse("a finite number")
        if positive and not self.value > 0:
            self.refuse("a number above 0")
        return float(self.value)

    def integer(self, least: int = -_INT64) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not least <= self.value < _INT64:
            self.refuse("a whole number" if least < 0 else f"a whole number of {least} or more")
        return self.value


def _has_half_characters(text: str) -> bool:
    """Whether a text has surrogates, which JSON can write and UTF-8 cannot."""
    return any("\ud800" <= one <= "\udfff" for one in text) if not text.isascii() else False


def _described(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return f"a list of {len(value)}"
        case str():
            return shown(value)
        case bool() | None:
            return str(value).lower().replace("none", "null")
    return "a huge number" if isinstance(value, int) and abs(value) > 1e40 else str(value)
