"""Writes a program with other values of its params."""

from collections.abc import Mapping

from ..data.stage import written_whole
from ..program import HostValue
from ..source import Source
from ..syntax import tree as t
from ..syntax.parse import parse


def with_params(source: Source, values: Mapping[str, HostValue], comment: str) -> tuple[str, list[str]]:
    """The text of a program whose params have other values, with a comment in front; and the names of params that are
    in other files. The first line of a lifted program stays the first."""
    params = {one.target.id: one for one in t.trees(parse(source).body) if isinstance(one, t.Param)}
    text = source.text
    for name in sorted(values.keys() & params.keys(), key=lambda name: -params[name].value.span.start):
        span = params[name].value.span
        text = text[: span.start] + written_whole(values[name]) + text[span.end :]
    head, text = text.split("\n", 1) if source.is_lifted and "\n" in text else ("", text)
    return f"{head}{head and chr(10)}# {comment}\n{text}", [name for name in values if name not in params]
