"""What a search goes over: a range or some values for each param, as `--over NAME=...` writes it."""

import re
from collections.abc import Sequence
from itertools import product
from math import isfinite, isinf
from typing import TYPE_CHECKING, TypeAlias

from ..data.stage import written_whole
from ..diagnostics import TfgError
from ..record import Record
from ..source import Source
from ..syntax import tree as t
from ..syntax.parse import parse_expression

if TYPE_CHECKING:
    from optuna import Trial

Value: TypeAlias = bool | int | float | str

FORMS = "log(LOW, HIGH), uniform(LOW, HIGH), int(LOW, HIGH) or int(LOW, HIGH, STEP), choice(VALUE, ...)"
_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*\Z", re.DOTALL)
_TEXT = r'"(?:[^"\\]|\\.)*"'
_PART = re.compile(rf'(?:\A|(?<=,))(\s*{_TEXT}\s*|[^",]*)(?=,|\Z)', re.DOTALL)
_PARTS = re.compile(rf'(?:\s*{_TEXT}\s*|[^",]*)(?:,(?:\s*{_TEXT}\s*|[^",]*))*', re.DOTALL)


_NOT_FINITE = ("nan", "inf", "infinity")  # as Python reads numbers
_NO_NAMES = ("true", "false", *_NOT_FINITE)  # texts that need quotation marks


class NoSpace(ValueError):
    """A text that is none of the forms. The message says why."""


class FloatRange(Record):
    """Numbers of a range, drawn evenly, or with `log` evenly by their logarithm."""

    low: float
    high: float
    log: bool

    def suggest(self, trial: "Trial", name: str) -> Value:
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def values(self) -> None:
        """A grid cannot go over them."""

    def text(self) -> str:
        return f"{'log' if self.log else 'uniform'}({self.low!r}, {self.high!r})"


class IntRange(Record):
    """Whole numbers from `low` to `high`, of which a step is taken."""

    low: int
    high: int
    step: int

    def suggest(self, trial: "Trial", name: str) -> Value:
        return trial.suggest_int(name, self.low, self.high, step=self.step)

    def values(self) -> Sequence[Value]:
        return range(self.low, self.high + 1, self.step)

    def text(self) -> str:
        return f"int({self.low}, {self.high}{'' if self.step == 1 else f', {self.step}'})"


class Choices(Record):
    """Some values."""

    options: tuple[Value, ...]

    def suggest(self, trial: "Trial", name: str) -> Value:
        found = trial.suggest_categorical(name, self.options)
        assert found is not None  # it is no option
        return found

    def values(self) -> Sequence[Value]:
        return self.options

    def text(self) -> str:
        return f"choice({', '.join(map(written, self.options))})"


Axis: TypeAlias = FloatRange | IntRange | Choices
Space: TypeAlias = dict[str, Axis]  # by the name of the param


def axis(text: str) -> Axis:
    """What `--over NAME=` says of a param. Raises `NoSpace`."""
    found = _CALL.match(text)
    kind, parts = (found[1], _parts(found[2])) if found else ("", [])
    match kind, len(parts):
        case (("log" | "uniform"), 2):
            low, high = map(_number, parts)
            if not low < high:
                raise NoSpace(f"{parts[0]} is not less than {parts[1]}")
            if isinf(high - low):
                raise NoSpace("the range is wider than numbers can be")
            if kind == "log" and low <= 0:
                raise NoSpace("only numbers above 0 have a logarithm")
            return FloatRange(low, high, kind == "log")
        case "int", 2 | 3:
            low, high, step = *map(_whole, parts), *([1] if len(parts) == 2 else [])
            if low >= high or step < 1:
                raise NoSpace(f"no step of {step} leads from {low} to {high}")
            return IntRange(low, high - (high - low) % step, step)
        case "choice", count if count > 1:
            options = tuple(map(_value, parts))
            if len(set(options)) < count:
                raise NoSpace("one of its values is there twice")
            return Choices(options)
        case _:
            raise NoSpace(f"write {FORMS}")


def grid(space: Space) -> list[dict[str, Value]]:
    """All combinations, the last param changing first. Raises `NoSpace` if a param has no number of values."""
    values: list[Sequence[Value]] = []
    for name, one in space.items():
        found = one.values()
        if found is None:
            raise NoSpace(f"{name}={one.text()} has no number of values: write choice(...) or int(...) for a grid")
        values.append(found)
    return [dict(zip(space, combination, strict=True)) for combination in product(*values)]


def _parts(text: str) -> list[str]:
    """The arguments. A text in quotation marks may have commas, and quotation marks after a backslash."""
    found = _PARTS.fullmatch(text)
    if text.strip() and found is None:
        raise NoSpace(r'a text with a quotation mark is written "a\"b"')
    return [part.strip() for part in _PART.findall(text)] if text.strip() else []


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise NoSpace(f"{text!r} is not a number") from None
    if number in (float("inf"), float("-inf")) or number != number:
        raise NoSpace(f"{text!r} is not a finite number")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise NoSpace(f"{text!r} is not a whole number") from None


def _value(text: str) -> Value:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _text(text)
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if not isfinite(number):
            is_name = text.lower().strip("+-") in _NOT_FINITE
            raise NoSpace(f'{text} is not a finite number: a text is written "{text}"' if is_name else
                          f"{text} is larger than numbers can be")  # fmt: skip
        return number
    if not text:
        raise NoSpace("a value between its commas is missing")
    return text


def _text(literal: str) -> str:
    """The value of a text in quotation marks, with the escapes of the language."""
    try:
        tree = parse_expression(Source("--over", literal, is_argument=True))
    except TfgError as error:
        raise NoSpace(f"{literal}: {error.diagnostics[0].headline}") from None
    if not isinstance(tree, t.Constant) or not isinstance(tree.value, str):
        raise NoSpace(f"{literal} is no text")
    return tree.value


def written(value: Value) -> str:
    """A value as `choice` has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    is_plain = not isinstance(value, str) or (value.isidentifier() and value.lower() not in _NO_NAMES)
    return str(value) if is_plain else written_whole(value)
