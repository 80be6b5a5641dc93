"""Frozen records with slots, as `@dataclass(frozen=True, slots=True)` makes them, but cheap to define.

The front end has over a hundred of them, and every start of the program defines them all: the
decorator takes 0.7 ms for each, this metaclass 0.03 ms. `dataclasses.fields` and `dataclasses.replace`
work on records, and so does `match`.
"""

import dataclasses
from typing import dataclass_transform

_MISSING = object()


def _field(default: object) -> object:
    if type(default).__hash__ is None:  # dataclasses refuse such a default; a record never changes it
        return dataclasses.field(default_factory=lambda: default)
    return dataclasses.field(default=default)


class _Fields:
    """`__dataclass_fields__`, made when it is first asked for."""

    def __get__(self, instance: object, owner: type) -> dict:
        if "_made_fields" not in owner.__dict__:
            specs = [
                (name, object) if default is _MISSING else (name, object, _field(default))
                for name, default in owner._defaults.items()
            ]
            type.__setattr__(owner, "_made_fields", dataclasses.make_dataclass("_", specs).__dataclass_fields__)
        return owner._made_fields


@dataclass_transform(frozen_default=True)
class _RecordType(type):
    """Turns the annotations of a class body into slots, `__match_args__` and `__init__`."""

    _defaults: dict[str, object]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict):
        own = namespace.get("__annotations__", {})
        inherited = next((base._defaults for base in bases if isinstance(base, _RecordType)), {})
        defaults = {**inherited, **{field: namespace.pop(field, _MISSING) for field in own}}
        namespace["__slots__"] = tuple(field for field in own if field not in inherited)
        namespace["_defaults"] = defaults
        namespace["__match_args__"] = tuple(defaults)
        namespace.setdefault("__init__", _first_init)
        return super().__new__(cls, name, bases, namespace)


def _first_init(self, *args: object, **keywords: object) -> None:
    """Compile the class's `__init__` when its first instance is made; most starts need only some."""
    cls = type(self)
    type.__setattr__(cls, "__init__", _initializer(cls._defaults))
    self.__init__(*args, **keywords)


def _initializer(defaults: dict[str, object]):
    parameters = "".join(
        f", {field}" if default is _MISSING else f", {field}=defaults[{field!r}]" for field, default in defaults.items()
    )
    body = "".join(f"\n    set(self, {field!r}, {field})" for field in defaults) or " pass"
    scope = {"set": object.__setattr__, "defaults": defaults}
    exec(f"def __init__(self{parameters}):{body}", scope)
    return scope["__init__"]


class Record(metaclass=_RecordType):
    """The base of all records: equal by class and fields, hashable, immutable."""

    __dataclass_fields__ = _Fields()

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to {name!r}")

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete {name!r}")

    def __eq__(self, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._defaults)

    def __hash__(self) -> int:
        return hash((self.__class__, *(getattr(self, name) for name in self._defaults)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._defaults)
        return f"{self.__class__.__name__}({fields})"

    def __getstate__(self) -> tuple:
        return tuple(getattr(self, name) for name in self._defaults)

    def __setstate__(self, state: tuple) -> None:
        for name, value in zip(self._defaults, state, strict=True):
            object.__setattr__(self, name, value)
