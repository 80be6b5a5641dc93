"""The page of the Python names, from their signatures and docstrings."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator, Mapping

import tfdsl
from tfdsl import pytest_plugin

from .markdown import block, code, table


def api_page() -> str:
    parts = [
        "# Python names\n",
        "The public names of the package `tfdsl`. [Python](../python.md) explains them, with examples. Members that\n"
        "it does not mention serve the commands, and may change.\n",
    ]
    public = {name: getattr(tfdsl, name) for name in tfdsl.__all__}
    for name, value in sorted(public.items(), key=lambda one: (inspect.isclass(one[1]), one[0])):
        title = f"## {code(f'tfdsl.{name}')}\n"
        parts += [title, *(_class(name, value) if inspect.isclass(value) else _function(name, value))]
    fixture = inspect.unwrap(pytest_plugin.golden_graph)
    parts += ["## The fixture `golden_graph`\n", *_function("golden_graph", fixture)]
    return "\n".join(filter(None, parts))


def _class(name: str, value: type) -> Iterator[str]:
    yield f"{inspect.getdoc(value)}\n"
    yield table(["field", "type", "default"], _fields(value))
    for member, found in vars(value).items():
        if member.startswith("_"):
            continue
        if isinstance(found, property) and found.fget:
            result = _type(inspect.signature(found.fget).return_annotation)
            yield f"### {code(f'{name}.{member}')}\n"
            yield block("python", f"{member}: {result}")
            yield f"{inspect.getdoc(found) or ''}\n"
        elif inspect.isfunction(found):
            yield f"### {code(f'{name}.{member}')}\n"
            yield from _function(member, found)


def _fields(value: type) -> Iterator[tuple[str, str, str]]:
    """The fields of a record or of a dataclass. A default that is made for each object is left out."""
    fields: Mapping[str, dataclasses.Field[object]] = getattr(value, "__dataclass_fields__", {})
    for name, one in fields.items():
        is_plain = one.default is None or type(one.default) in (str, int, float, bool, tuple)
        yield code(name), code(_type(value.__annotations__[name])), code(repr(one.default)) if is_plain else ""


def _function(name: str, value: Callable[..., object]) -> Iterator[str]:
    yield block("python", f"{name}{_signature(value)}")
    yield f"{inspect.getdoc(value) or ''}\n"


def _signature(function: Callable[..., object]) -> str:
    """The parameters of a function and its result, one in a line if they are long."""
    signature = inspect.signature(function)
    signs = {"/": inspect.Parameter.POSITIONAL_ONLY, "*": inspect.Parameter.KEYWORD_ONLY}
    found = [one for name, one in signature.parameters.items() if name != "self"]
    parts: list[str] = []
    for at, one in enumerate(found):
        if one.kind == signs["*"] and (at == 0 or found[at - 1].kind not in (signs["*"], one.VAR_POSITIONAL)):
            parts.append("*")
        parts.append(_parameter(one))
        if one.kind == signs["/"] and (at + 1 == len(found) or found[at + 1].kind != signs["/"]):
            parts.append("/")
    result = "" if signature.return_annotation is signature.empty else f" -> {_type(signature.return_annotation)}"
    text = f"({', '.join(parts)}){result}"
    return text if len(text) < 90 else "(\n" + "".join(f"    {part},\n" for part in parts) + f"){result}"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{stars}{parameter.name}"
    if parameter.annotation is not parameter.empty:
        text += f": {_type(parameter.annotation)}"
    return text if parameter.default is parameter.empty else f"{text} = {parameter.default!r}"


def _type(annotation: object) -> str:
    """A type as it is written, without the modules of its names."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b[a-z_]\w*\.(?=\w)", "", re.sub(r"'([A-Z][^']*)'", r"\1", text))
