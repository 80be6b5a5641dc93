"""Writes a program with other values of its params."""

from collections.abc import Mapping

from ..source import Source
from ..syntax import tree as t
from ..syntax.parse import parse
from .space import Value


def with_params(source: Source, values: Mapping[str, Value], comment: str) -> tuple[str, list[str]]:
    """The text of a program whose params have other values, with a comment in front; and the names of params that are
    in other files."""
    tree = parse(source)
    params = {one.target.id: one for one in tree.body if isinstance(one, t.Param)}
    text = source.text
    for name in sorted(values.keys() & params.keys(), key=lambda name: -params[name].value.span.start):
        span = params[name].value.span
        text = text[: span.start] + _literal(values[name]) + text[span.end :]
    return f"# {comment}\n{text}", [name for name in values if name not in params]


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
