"""Converts the program to plain data and back, and to YAML for `tfdsl dump --stage program`.

A record is a mapping of its fields, in the order of `program/`, without fields that are None or have their
default.

If a field can hold records of several classes, the class wraps the record: `{Print: {...}}`. A class with one
field has only its value: `{Fetch: $3}`. Frequent values are short: a reference is `$node` or `$node.output`, a
type `float32[batch, 9]`, a literal `{int32: [9, 1]}`, a place `^line.column-column`, which is also an origin; an
origin with calls is a list of them. A string that begins like one of these is `{str: ...}`.

All sequences in the program are tuples, so lists are read back as tuples.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from .. import program as p
from ..narrowing import is_list, is_object
from ..source import Source, Span
from ..types import ALL_DTYPES, Size, TensorType

_CLASSES = {
    name: value for name, value in vars(p).items() if isinstance(value, type) and dataclasses.is_dataclass(value)
}
Fields = list[dataclasses.Field[Any]]  # of classes of any kind


@cache
def _fields(cls: type) -> Fields:
    return [one for one in dataclasses.fields(cls) if one.init]


# Fields with records of one class, or of this class in most cases, which is not named in the data.
_UNNAMED = {
    ("Program", "params"): p.Param, ("Program", "data"): p.Data, ("Program", "graphs"): p.Graph,
    ("Program", "sessions"): p.Session, ("Data", "source"): p.DataStage, ("Data", "transforms"): p.DataStage,
    ("Graph", "functions"): p.GraphFunction, ("GraphFunction", "inputs"): p.FunctionArgument,
    ("GraphFunction", "body"): p.Graph, ("Graph", "items"): p.Node, ("Node", "regions"): p.Region,
    ("Region", "items"): p.Node,
    ("Region", "params"): p.Node, ("Graph", "names"): p.Named,
    ("Print", "items"): p.Shown, ("Expect", "sides"): p.Shown,
    **{(name, "feeds"): p.Feed for name, cls in _CLASSES.items() if any(one.name == "feeds" for one in _fields(cls))},
}  # fmt: skip
_SIGNS = ("$", "^")
# Plain data: scalars, lists and mappings, as in YAML and JSON. Their types are checked when they are read.
Plain = Any
_Class = TypeVar("_Class")
_PLACE = re.compile(r"\^(?:(\d+)/)?(\d+)\.(\d+)-(?:(\d+)\.)?(\d+)")


class _Encoder:
    def __init__(self, places: bool = True):
        self.sources: dict[Source, int] = {}
        self.places = places

    def encode(self, value: object, expected: type | None = None) -> Plain:
        match value:
            case None | bool() | int() | float():
                return value
            case complex():
                return {"complex": [value.real, value.imag]}
            case bytes():
                return {"bytes": value.decode("latin-1")}
            case str():
                return {"str": value} if value.startswith(_SIGNS) else value
            case p.Ref():
                return f"${value.node}" + (f".{value.output}" if value.output else "")
            case p.Literal():
                return {value.dtype: self.encode(value.value)}
            case TensorType():
                return str(value)
            case Span():
                return self._place(value)
            case p.Origin():
                places = [self._place(value.span)]
                for frame, span in value.chain:
                    places += [frame, self._place(span)]
                return places if value.chain else places[0]
            case tuple() | list():  # a pattern leaves open of what it is
                return [self.encode(item, expected) for item in cast(Sequence[object], value)]
            case Mapping():
                items = cast(Mapping[str, object], value).items()  # the same
                return {key: self.encode(item, expected) for key, item in items}
            case _:  # a record
                cls = type(value)
                fields = _fields(cls)
                if len(fields) == 1:
                    return {cls.__name__: self.encode(getattr(value, fields[0].name))}
                encoded = self._encode_fields(value, fields)
                return encoded if cls is expected else {cls.__name__: encoded}

    def _encode_fields(self, value: object, fields: Fields) -> dict[str, Plain]:
        owner = type(value).__name__
        result: dict[str, Plain] = {}
        for one in fields:
            item = getattr(value, one.name)
            if not self.places and isinstance(item, (p.Origin, Span)):
                continue
            default = None if one.default is dataclasses.MISSING else one.default
            if item == default and type(item) is type(default):
                continue
            result[one.name] = self.encode(item, _UNNAMED.get((owner, one.name)))
        if isinstance(value, p.Node) and len(value.outputs) == 1:
            result["outputs"] = result["outputs"][0]
        return result

    def _place(self, span: Span) -> str:
        number = self.sources.setdefault(span.source, len(self.sources))
        (line, column), (end_line, end_column) = map(span.source.position, (span.start, span.end))
        source = f"{number}/" if number else ""
        end = f"{end_line}.{end_column}" if end_line != line else str(end_column)
        return f"^{source}{line}.{column}-{end}"


def to_data(program: p.Program) -> dict[str, Plain]:
    """The program as mappings, lists and scalars. `sources` has the texts of its places."""
    encoder = _Encoder()
    body = encoder.encode(program, p.Program)
    sources = [{"path": source.path, "text": source.text} for source in encoder.sources]
    return {"tfdsl": 1, **body, "sources": sources}


def from_data(data: Mapping[str, Plain]) -> p.Program:
    """The inverse of `to_data`."""
    decoder = _Decoder([Source(item["path"], item["text"]) for item in data["sources"]])
    body = {key: value for key, value in data.items() if key not in ("tfdsl", "sources")}
    return decoder.record(p.Program, body)


class _Decoder:
    def __init__(self, sources: list[Source]):
        self.sources = sources

    def decode(self, value: Plain, expected: type[Any] | None = None) -> Any:  # a record, or a value in one
        match value:
            case str() if value[:1] == "$":
                node, _, output = value[1:].partition(".")
                return p.Ref(int(node), int(output or 0))
            case str() if value[:1] == "^":
                return self._place(value)
            case _ if is_list(value):
                return tuple(self.decode(item, expected) for item in value)
            case {"str": str() as text}:
                return text
            case {"bytes": str() as text}:
                return text.encode("latin-1")
            case {"complex": [real, imaginary]}:
                return complex(real, imaginary)
            case _ if is_object(value):
                name = next(iter(value)) if len(value) == 1 else ""
                if name in ALL_DTYPES:
                    return p.Literal(self.decode(value[name]), name)
                if name in _CLASSES:
                    return self.record(_CLASSES[name], value[name])
                return value if expected is None else self.record(expected, value)
            case _:
                return value

    def record(self, cls: type[_Class], data: Plain) -> _Class:
        fields = _fields(cls)
        if len(fields) == 1:
            return cls(**{fields[0].name: self.decode(data)})
        given = {name: self._field(cls, name, item) for name, item in data.items()}
        absent = {one.name: None for one in fields if one.default is dataclasses.MISSING}
        return cls(**{**absent, **given})

    def _field(self, cls: type, name: str, item: Plain) -> object:
        expected = _UNNAMED.get((cls.__name__, name))
        match cls.__name__, name:
            case (
                ("Node", "args")
                | ("Graph", "names")
                | ("DataStage", "arguments")
                | ("GraphFunction", "outputs" | "controls" | "attributes")
                | ("FunctionArgument", "attributes")
            ):
                return {key: self.decode(one, expected) for key, one in item.items()}
            case "Node", "outputs":
                return tuple(map(_type, [item] if isinstance(item, str) else item))
            case _, "origin":
                own, *chain = map(self.decode, [item] if isinstance(item, str) else item)
                return p.Origin(own, tuple(zip(chain[::2], chain[1::2], strict=True)))
            case _:
                return self.decode(item, expected)

    def _place(self, text: str) -> Span:
        found = _PLACE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text} is no place")
        number, line, column, end_line, end_column = found.groups()
        source = self.sources[int(number or 0)]
        start = source.position_of(int(line)) + int(column) - 1
        return Span(source, start, source.position_of(int(end_line or line)) + int(end_column) - 1)


def _type(text: str) -> TensorType:
    name, _, rest = text.partition("[")
    inside = rest.rstrip("]")
    if inside == "...":
        return TensorType(ALL_DTYPES[name], None)
    dims = (part.strip() for part in inside.split(",") if part.strip())
    return TensorType(ALL_DTYPES[name], tuple(None if d == "?" else int(d) if d.isdigit() else Size(d) for d in dims))


def to_yaml(program: p.Program) -> str:
    """The program as YAML. `from_yaml` returns an equal program."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    def text(dumper: Dumper, value: str) -> yaml.Node:
        style = "|" if "\n" in value and value.replace("\n", "").isprintable() else None
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    # This flow style puts collections of scalars on one line.
    return yaml.dump(
        to_data(program), Dumper=Dumper, default_flow_style=None, sort_keys=False, allow_unicode=True, width=110
    )


def from_yaml(text: str) -> p.Program:
    """The program of a YAML text made by `to_yaml`."""
    import yaml

    return from_data(yaml.safe_load(text))


def fingerprint(value: object) -> str:
    """A digest of a part of a program, independent of its place in the file."""
    plain = json.dumps(_Encoder(places=False).encode(value), sort_keys=True, default=str)
    return hashlib.sha256(plain.encode()).hexdigest()
