"""The program as plain data and back, and as YAML: what `tfdsl dump --stage program` prints.

Every dataclass is a mapping with one key, its class, whose fields that have their default are left
out. Three things that stand everywhere have a short form: a reference is `%node` or `%node:output`, a
type `!float32[batch, 9]`, a place `@source:start-end`. A string that starts like one of them is
`{str: ...}`. All sequences of the program are tuples, so lists come back as tuples.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping

from . import program as p
from .source import Source, Span
from .types import DTYPES, Size, TensorType, shape_text

_CLASSES = {
    name: value for name, value in vars(p).items() if isinstance(value, type) and dataclasses.is_dataclass(value)
}


class _Encoder:
    def __init__(self, places: bool = True):
        self.sources: dict[Source, int] = {}
        self.places = places

    def encode(self, value: object) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case complex():
                return {"complex": [value.real, value.imag]}
            case str():
                return {"str": value} if value[:1] in ("%", "!", "@") else value
            case p.Ref():
                return f"%{value.node}" + (f":{value.output}" if value.output else "")
            case TensorType():
                return f"!{value.dtype}{shape_text(value.shape)}"
            case Span():
                number = self.sources.setdefault(value.source, len(self.sources))
                return f"@{number}:{value.start}-{value.end}"
            case tuple() | list():
                return [self.encode(item) for item in value]
            case Mapping():
                return {"map": {key: self.encode(item) for key, item in value.items()}}
        fields = {}
        for one in dataclasses.fields(value):
            if not one.init:
                continue
            item = getattr(value, one.name)
            if not self.places and isinstance(item, (p.Origin, Span)):
                continue
            if one.default is not dataclasses.MISSING and item == one.default and type(item) is type(one.default):
                continue
            fields[one.name] = self.encode(item)
        return {type(value).__name__: fields}


def to_data(program: p.Program) -> dict:
    """The program as mappings, lists and scalars; `sources` has the texts that its places refer to."""
    encoder = _Encoder()
    body = encoder.encode(program)
    sources = [{"path": source.path, "text": source.text} for source in encoder.sources]
    return {"tfdsl": 1, "sources": sources, **body}


def from_data(data: Mapping) -> p.Program:
    """The program that `to_data` was given."""
    sources = [Source(item["path"], item["text"]) for item in data["sources"]]
    return _decode({"Program": data["Program"]}, sources)


def _decode(value: object, sources: list[Source]) -> object:
    match value:
        case str() if value[:1] == "%":
            node, _, output = value[1:].partition(":")
            return p.Ref(int(node), int(output or 0))
        case str() if value[:1] == "!":
            return _type(value[1:])
        case str() if value[:1] == "@":
            number, _, offsets = value[1:].partition(":")
            start, _, end = offsets.partition("-")
            return Span(sources[int(number)], int(start), int(end))
        case list():
            return tuple(_decode(item, sources) for item in value)
        case {"map": items}:
            return {key: _decode(item, sources) for key, item in items.items()}
        case {"str": text}:
            return text
        case {"complex": [real, imaginary]}:
            return complex(real, imaginary)
        case dict():
            ((name, fields),) = value.items()
            return _CLASSES[name](**{key: _decode(item, sources) for key, item in fields.items()})
    return value


def _type(text: str) -> TensorType:
    name, _, rest = text.partition("[")
    inside = rest.rstrip("]")
    if inside == "...":
        return TensorType(DTYPES[name], None)
    dims = (part.strip() for part in inside.split(",") if part.strip())
    return TensorType(DTYPES[name], tuple(None if d == "?" else int(d) if d.isdigit() else Size(d) for d in dims))


def to_yaml(program: p.Program) -> str:
    """The program as YAML; `from_yaml` gives an equal program back."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    def text(dumper: yaml.Dumper, value: str):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(to_data(program), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)


def from_yaml(text: str) -> p.Program:
    """The program of a YAML text that `to_yaml` made."""
    import yaml

    return from_data(yaml.safe_load(text))


def fingerprint(value: object) -> str:
    """A digest of a part of a program that does not depend on where it stands in its file."""
    plain = json.dumps(_Encoder(places=False).encode(value), sort_keys=True, default=str)
    return hashlib.sha256(plain.encode()).hexdigest()
