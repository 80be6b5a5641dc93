"""What statements say that they use: everything that is in them."""

from collections.abc import Iterator
from itertools import count
from types import NoneType, UnionType
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from tfdsl.program import plan
from tfdsl.program.graph import Field, Origin, Ref
from tfdsl.record import Record
from tfdsl.source import Source, Span

ORIGIN = Origin(Span(Source("t", ""), 0, 0))
# What is in a statement and not used by it, each with the reason.
UNUSED = {
    "LogValues.items": "a summary whose tag the value gets; it is not executed",
    "Export.signatures.inputs": "the caller of the model feeds them",
    "Export.made": "the model makes them of its inputs",
    "Export.made.data": "the model makes them of its inputs",
    "Evaluate.items.tensor": "its value is computed from what is fetched",
    "Evaluate.combined": "how the fetched values are combined",
}


def dummy(hint, numbers):
    """A value of a type, whose references differ from all others."""
    if hint is Ref:
        return Ref(next(numbers))
    if hint is Origin:
        return ORIGIN
    if hint is Field:
        return Field("d", "", "features")
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if get_origin(hint) is tuple:
        return tuple(dummy(one, numbers) for one in get_args(hint) if one is not ...)
    if isinstance(hint, UnionType) or get_origin(hint) is not None:
        options = set(get_args(hint)) - {NoneType}
        if plan.Fetch in options:
            return plan.Fetch(Ref(next(numbers)))
        if plan.Run in options:
            return plan.Run(ORIGIN, (Ref(next(numbers)),), ())
        return dummy(next(one for one in get_args(hint) if one is not NoneType), numbers)
    if isinstance(hint, type) and issubclass(hint, Record):
        return made(hint, numbers)
    return f"text {next(numbers)}" if hint is str else hint()


def made(cls, numbers):
    hints = get_type_hints(cls)
    return cls(**{name: dummy(hints[name], numbers) for name in cls.__match_args__})


def parts(value, path: str) -> Iterator[tuple[str, object]]:
    """The references and the names of data and of values in a record, each with its fields on the way."""
    match value:
        case Ref():
            yield path, value
        case tuple():
            for one in value:
                yield from parts(one, path)
        case Record():
            for name in value.__match_args__:
                yield from parts(getattr(value, name), f"{path}.{name}")
        case str() if path.endswith((".data", ".names")):
            yield path, value


@pytest.mark.parametrize("cls", get_args(plan.Statement), ids=lambda cls: cls.__name__)
def test_a_statement_says_what_it_uses(cls):
    statement = made(cls, count())
    uses = statement.uses()
    used = {one for name in uses.__match_args__ for _, one in parts(getattr(uses, name), ".data")}
    missing = {path.removesuffix(".ref") for path, one in parts(statement, cls.__name__) if one not in used}
    assert missing == {path for path in UNUSED if path.startswith(f"{cls.__name__}.")}
