"""Records with values of the right types, and nothing behind them."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Literal, get_args, get_origin, get_type_hints

from tfdsl.program import Fetch, Run
from tfdsl.program.graph import Field, Origin, Ref
from tfdsl.record import Record, replace
from tfdsl.source import Source, Span

ORIGIN = Origin(Span(Source("t", ""), 0, 0))


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
        if Fetch in options:
            return Fetch(Ref(next(numbers)))
        if Run in options:
            return Run(ORIGIN, (Ref(next(numbers)),), ())
        return dummy(next(one for one in get_args(hint) if one is not NoneType), numbers)
    if isinstance(hint, type) and issubclass(hint, Record):
        return made(hint, numbers)
    return f"text {next(numbers)}" if hint is str else hint()


def made(cls, numbers):
    """A record of a class."""
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


def is_any_number(hint) -> bool:
    """Whether a type is, or can be, a tuple of any length."""
    args = get_args(hint)
    return ... in args if get_origin(hint) is tuple else any(map(is_any_number, args))


def changed(value, path: str) -> Iterator[tuple[str, object]]:
    """Copies of a record that differ in one part each: another reference, text or number, no value at all, or no
    elements; each with the fields on the way."""
    match value:
        case Ref(node=node):
            yield path, Ref(node + 1000)
        case bool():
            yield path, not value
        case int() | float():
            yield path, value + 1
        case str():
            yield path, f"other {value}"
        case tuple():
            for at, one in enumerate(value):
                yield from ((where, (*value[:at], new, *value[at + 1 :])) for where, new in changed(one, path))
        case Record() if not isinstance(value, Origin):
            hints = get_type_hints(type(value))
            for name in value.__match_args__:
                own = getattr(value, name)
                inner = f"{path}.{name}"
                if own is not None and NoneType in get_args(hints[name]):
                    yield f"{inner}: none", replace(value, **{name: None})
                if own and name != "names" and is_any_number(hints[name]):  # what has names has one at least
                    yield f"{inner}: empty", replace(value, **{name: ()})
                yield from ((where, replace(value, **{name: new})) for where, new in changed(own, inner))
