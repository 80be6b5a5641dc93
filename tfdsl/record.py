"""Records with slots, like `@dataclass(frozen=True, slots=True)`, and mutable ones, both cheap to define and to make.

The front end defines more than a hundred records at every start. The decorator takes 0.7 ms for each, this
metaclasses 0.03 ms. `dataclasses.fields` and `match` work on records; `dataclasses` itself is not imported, since that
takes as long as a hundred records.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field

_T = TypeVar("_T")
_MISSING = object()


class _Special:
    """The default of a field that each instance makes for itself, or that `__post_init__` sets."""

    __slots__ = ("factory",)

    def __init__(self, factory: Callable[[], object] | None):
        self.factory = factory


# The result is the default of a field of any type, for a type checker.
def field(*, default_factory: Callable[[], Any] | None = None, init: bool = True) -> Any:
    """A field whose default is made for each instance, or without `init` one that `__post_init__` sets."""
    return _Special(default_factory if init else None)


def replace(one: _T, **changes: object) -> _T:
    """A copy of a record, a state or a dataclass with some other values."""
    cls: Any = type(one)  # called with the fields of its instances, which the type variable does not know
    # Fields of a dataclass that are given by name only are not among those that a pattern matches.
    fields = cls.__dict__.get("__dataclass_fields__")
    names = cls.__match_args__ if fields is None else [name for name, field in fields.items() if field.init]
    return cls(**{name: getattr(one, name) for name in names} | changes)


def _arguments(defaults: dict[str, object]) -> dict[str, object]:
    """The fields that the initializer takes."""
    return {
        name: default
        for name, default in defaults.items()
        if not isinstance(default, _Special) or default.factory is not None
    }


class _Fields:
    """`__dataclass_fields__`, made on first use."""

    def __get__(self, instance: object, owner: "_RecordType | _StateType") -> "dict[str, Field[Any]]":  # of any type
        made: dict[str, Field[Any]] | None = owner.__dict__.get("_made_fields")
        if made is None:
            made = _dataclass_fields(owner.__defaults__)
            type.__setattr__(owner, "_made_fields", made)
        return made


def _dataclass_fields(defaults: dict[str, object]) -> "dict[str, Field[Any]]":  # of any type
    import dataclasses

    def field_of(default: object) -> Any:  # a `Field`, to which the stubs give the type of its default
        if not isinstance(default, _Special):
            # Dataclasses refuse a default that can change. A record never changes it.
            if type(default).__hash__ is None:
                return dataclasses.field(default_factory=lambda: default)
            return dataclasses.field(default=default)
        return (
            dataclasses.field(init=False)
            if default.factory is None
            else dataclasses.field(default_factory=default.factory)
        )

    specs: list[Any] = [  # the two forms that `make_dataclass` accepts
        (name, object) if default is _MISSING else (name, object, field_of(default))
        for name, default in defaults.items()
    ]
    return {one.name: one for one in dataclasses.fields(dataclasses.make_dataclass("_", specs))}


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class _RecordType(type):
    """Turns the annotations of a class body into slots, `__match_args__` and `__init__`."""

    __defaults__: dict[str, object]  # of each field, `_MISSING` if it has none

    # A class body has names of all types.
    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "_RecordType":
        own: dict[str, object] = namespace.get("__annotations__", {})
        no_fields: dict[str, object] = {}
        inherited = next((base.__defaults__ for base in bases if isinstance(base, _RecordType)), no_fields)
        defaults = {**inherited, **{field: namespace.pop(field, _MISSING) for field in own}}
        kept = ("__dict__",) if any(isinstance(value, cached_property) for value in namespace.values()) else ()
        namespace["__slots__"] = (*(field for field in own if field not in inherited), *kept)
        namespace["__defaults__"] = defaults
        namespace["__match_args__"] = tuple(_arguments(defaults))
        namespace.setdefault("__init__", _first_init)
        if "__eq__" not in namespace:
            namespace["__eq__"] = _first_eq
            namespace.setdefault("__hash__", _first_hash)
        return super().__new__(cls, name, bases, namespace)


def _first_init(self: "Record | State", *args: object, **keywords: object) -> None:
    """Compile the `__init__` of a class when its first instance is made. Most runs need only some."""
    cls = type(self)
    type.__setattr__(cls, "__init__", _initializer(cls))
    self.__init__(*args, **keywords)


def _initializer(cls: "type[Record | State]") -> Callable[..., None]:
    defaults = cls.__defaults__
    assignment = "set(self, {!r}, {})" if issubclass(cls, Frozen) else "self.{} = {}"
    parameters, body = "", ""
    for name, default in _arguments(defaults).items():
        if isinstance(default, _Special):
            parameters += f", {name}=missing"
            value = f"defaults[{name!r}].factory() if {name} is missing else {name}"
        else:
            parameters += f", {name}" if default is _MISSING else f", {name}=defaults[{name!r}]"
            value = name
        body += "\n    " + assignment.format(name, value)
    end = "\n    self.__post_init__()" if hasattr(cls, "__post_init__") else ""
    # `exec` adds functions to it.
    scope: dict[str, Any] = {"defaults": defaults, "missing": _MISSING, "set": object.__setattr__}
    exec(f"def __init__(self{parameters}):{body + end or ' pass'}", scope)
    return scope["__init__"]


def _first_eq(self: "Record", other: object) -> bool:
    """Compile the comparison of a class when it is first needed."""
    _compile_comparison(type(self))
    return self.__eq__(other)


def _first_hash(self: "Record") -> int:
    _compile_comparison(type(self))
    return hash(self)


def _compile_comparison(cls: "_RecordType") -> None:
    fields = _arguments(cls.__defaults__)
    own, others = (", ".join(f"{one}.{field}" for field in fields) for one in ("self", "other"))
    code = f"""
def __eq__(self, other):
    if self is other:
        return True
    return ({own},) == ({others},) if other.__class__ is cls else NotImplemented

def __hash__(self):
    return hash((cls, {own}))
"""
    # `exec` adds functions to it.
    scope: dict[str, Any] = {"cls": cls}
    exec(code if fields else code.replace("(,)", "()"), scope)
    type.__setattr__(cls, "__eq__", scope["__eq__"])
    if cls.__hash__ is _first_hash:
        type.__setattr__(cls, "__hash__", scope["__hash__"])


class Record(metaclass=_RecordType):
    """The base of all records: immutable, hashable, equal if class and fields are equal.

    The type checker refuses assignments to fields. A check at run time would make each new record take more than twice
    as long, and a check of a program makes dozens for each statement; records that users hold have it (`Frozen`).
    """

    __dataclass_fields__ = _Fields()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in _arguments(self.__defaults__))
        return f"{self.__class__.__name__}({fields})"

    def __getstate__(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.__init__(*state)


class Frozen(Record):
    """A record that users hold. It also refuses assignments when the program runs."""

    def __setattr__(self, name: str, value: object) -> None:
        from dataclasses import FrozenInstanceError  # loaded late for start-up time

        raise FrozenInstanceError(f"cannot assign to {name!r}")

    def __delattr__(self, name: str) -> None:
        from dataclasses import FrozenInstanceError  # loaded late for start-up time

        raise FrozenInstanceError(f"cannot delete {name!r}")


# --- mutable ones -----------------------------------------------------------------------------


@dataclass_transform(field_specifiers=(field,))
class _StateType(type):
    """Turns the annotations of a class body into slots and `__init__`, like `@dataclass(slots=True)`."""

    __defaults__: dict[str, object]

    # A class body has names of all types.
    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "_StateType":
        own: dict[str, object] = namespace.get("__annotations__", {})
        no_fields: dict[str, object] = {}
        inherited = next((base.__defaults__ for base in bases if isinstance(base, _StateType)), no_fields)
        namespace["__defaults__"] = {**inherited, **{field: namespace.pop(field, _MISSING) for field in own}}
        namespace["__match_args__"] = tuple(_arguments(namespace["__defaults__"]))
        if own or not inherited:  # a subclass without fields is a usual class
            namespace["__slots__"] = tuple(own)
        namespace.setdefault("__init__", _first_init)
        return super().__new__(cls, name, bases, namespace)


class State(metaclass=_StateType):
    """The base of mutable classes that only have fields. They are equal only to themselves. `replace` makes a copy with
    other values."""

    __dataclass_fields__ = _Fields()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__defaults__)
        return f"{self.__class__.__name__}({fields})"
