"""Any op that TensorFlow registers, called as `raw.Roll(input=x, shift=1, axis=0)`.

Input: `raw_ops.txt` with one line per op. `lowering/registry.py` generates and describes this file. Output: a
`RawOp`, parsed from its line on first use. Nothing is read before.
"""

import os
import re
from collections.abc import Mapping
from functools import cache, cached_property
from typing import TypeAlias

from ..record import Record
from ..types import ALL_DTYPES, DType
from .op import REQUIRED, Required

PREFIX = "raw."  # before the names of these ops in programs
# Ops that take the handle of a variable, or a reference to it, and leave the variable unchanged.
READERS = (
    "ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape", "VarIsInitializedOp",
    "IsVariableInitialized", "RefIdentity", "RefSwitch", "RefMerge", "RefSelect", "RefEnter", "RefExit",
    "RefNextIteration",
)  # fmt: skip

# The ops where an iteration of a TensorFlow 1 loop comes back, and those that send it there.
MERGES = ("Merge", "RefMerge")
NEXT_ITERATIONS = ("NextIteration", "RefNextIteration")


# A JSON value.
Json: TypeAlias = "bool | int | float | str | list[Json] | tuple[Json, ...] | dict[str, Json] | None"


class RawArgument(Record):
    """An input or an output.

    Its dtype is fixed or given by the attribute `attr`. It is a list if the attribute `count` gives its length, or if
    `attr` is a list of dtypes. `registered` is its name in TensorFlow's registry.
    """

    name: str
    registered: str
    dtype: DType | None
    attr: str
    count: str
    is_list: bool
    is_reference: bool  # to a v1 variable

    @property
    def takes_variable(self) -> bool:
        """Whether this input is a variable itself, that is, its handle or a reference to it."""
        return self.is_reference or (self.dtype is not None and self.dtype.name == "resource")


class RawAttr(Record):
    """An attribute. `kind` is string, int, float, bool, type, shape, tensor, func, or list(...) of one of them.
    `registered` is its name in TensorFlow's registry."""

    name: str
    registered: str
    kind: str
    allowed: tuple[str, ...] | None  # values: strings, or names of dtypes
    least: int | None  # of an int, or of the length of a list
    default: "Json | Required"  # a JSON value

    @property
    def is_list(self) -> bool:
        return self.kind.startswith("list(")

    @property
    def item(self) -> str:
        """The kind of the value, or of the values in the list."""
        return self.kind.removeprefix("list(").removesuffix(")")

    def takes(self, dtype: DType) -> bool:
        return self.allowed is None or dtype.name in self.allowed


class RawOp:
    """A TensorFlow op with its inputs, outputs and attributes. `name` is its name in programs, `raw.Roll`."""

    def __init__(self, line: str):
        name, self.reaches, inputs, outputs, *attrs = line.split("\t")  # `reaches` is a class of `forbidden_ops.py`
        self.name: str = PREFIX + name
        self.attrs: Mapping[str, RawAttr] = {attr.name: attr for attr in map(_attr, attrs)}
        self.inputs: tuple[RawArgument, ...] = self._arguments(inputs)
        self.outputs: tuple[RawArgument, ...] = self._arguments(outputs)

    @property
    def tf(self) -> str:
        """Its name in TensorFlow."""
        return self.name.removeprefix(PREFIX)

    def _arguments(self, text: str) -> tuple[RawArgument, ...]:
        return tuple(self._argument(*part.split(": ")) for part in text.split(", ")) if text else ()

    def _argument(self, name: str, type: str) -> RawArgument:
        name, _, registered = name.partition("|")
        count, _, type = type.rpartition("*")
        is_reference, type = type.startswith("&"), type.lstrip("&")
        attr = type if type in self.attrs else ""
        is_list = bool(count) or (attr != "" and self.attrs[attr].is_list)
        dtype = None if attr else ALL_DTYPES[type]
        return RawArgument(name, registered or name, dtype, attr, count, is_list, is_reference)

    @cached_property
    def other_names(self) -> Mapping[str, str]:
        """The names of inputs and attributes that differ in TensorFlow's registry: the name here, by the name there."""
        return {one.registered: one.name for one in (*self.inputs, *self.attrs.values()) if one.registered != one.name}

    @cached_property
    def inferred(self) -> Mapping[str, str]:
        """The attributes that follow from inputs, each with the first input that decides it."""
        pairs = [(attr, one.name) for one in self.inputs for attr in (one.attr, one.count) if attr]
        return dict(reversed(pairs))

    @cached_property
    def given(self) -> Mapping[str, RawAttr]:
        """The attributes that do not follow from inputs, required ones first."""
        own = [attr for attr in self.attrs.values() if attr.name not in self.inferred]
        return {attr.name: attr for attr in sorted(own, key=lambda attr: attr.default is not REQUIRED)}

    @property
    def signature(self) -> str:
        """`input: T, shift: Tshift, axis: Taxis`: the inputs, then the attributes with their defaults."""
        parts = [f"{one.name}: {_type_text(one)}" for one in self.inputs]
        for attr in self.given.values():
            default = "" if attr.default is REQUIRED else f" = {value_text(attr.default)}"
            parts.append(f"{attr.name}: {attr.kind}{default}")
        return ", ".join(parts)

    @property
    def results(self) -> str:
        """`output: T`, in the style of `signature`."""
        return ", ".join(f"{one.name}: {_type_text(one)}" for one in self.outputs)

    def limits(self) -> Mapping[str, str]:
        """The allowed dtypes, attribute values and list lengths, in words."""
        found: dict[str, str] = {}
        for attr in self.attrs.values():
            name = attr.name
            parts: list[str] = []
            if attr.allowed is not None:
                parts.append(" or ".join(v if attr.item == "type" else value_text(v) for v in attr.allowed))
            elif attr.item == "type" and name in self.inferred:
                parts.append("any dtype")
            if attr.kind == "int" and name in self.inferred:
                name = self.inferred[name]
                parts.append(f"a list of at least {attr.least or 0}")
            elif attr.least is not None and (attr.least > 0 or not attr.is_list):
                parts.append(f"at least {attr.least}" + (" of them" if attr.is_list else ""))
            if parts:
                found[name] = ", ".join(parts)
        return found


def _type_text(argument: RawArgument) -> str:
    type = argument.attr or str(argument.dtype)
    return f"[{type}]" if argument.is_list else type


def value_text(value: Json) -> str:
    """A JSON value as programs write it."""
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "none"}[value]
        case list() | tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case dict():
            return value_text(next(iter(value.values())))
        case str():
            return f'"{value}"'
        case _:
            return str(value)


_ATTR = re.compile(r"(\w+)(?:\|(\w+))?: ([\w()]+)(?: in (\[.*?\]))?(?: >= (-?\d+))?(?: = (.*))?")


def _attr(text: str) -> RawAttr:
    import json  # only programs with such an op need it

    match = _ATTR.fullmatch(text)
    assert match is not None, text
    name, registered, kind, allowed, least, default = match.groups()
    return RawAttr(
        name,
        registered or name,
        kind,
        tuple(json.loads(allowed)) if allowed else None,
        int(least) if least else None,
        json.loads(default) if default else REQUIRED,
    )


@cache
def _table() -> str:
    with open(os.path.join(os.path.dirname(__file__), "raw_ops.txt"), encoding="utf-8") as file:
        return "\n" + file.read()


def names() -> list[str]:
    """The TensorFlow names of all ops."""
    return [line.partition("\t")[0] for line in _table().splitlines()[1:]]


@cache
def find(name: str) -> RawOp | None:
    """The op of a name such as `Roll`, or None."""
    table = _table()
    start = table.find(f"\n{name}\t") + 1
    return RawOp(table[start : table.index("\n", start)]) if start else None
