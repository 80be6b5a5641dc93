"""Summarises the declarations of a program for people: its names and types, as text and as an HTML table.

Input: a typed program. Nothing is built.
"""

from collections.abc import Iterator
from html import escape

from ..diagnostics.spelling import bytes_text, counted, shortened, visible
from ..record import Record
from ..source import Span
from . import Data, Graph, HostValue, Named, Program, Refs, Static, refs_of

_LONGEST = 60  # of a compile-time value


class Row(Record):
    """A name with its type or value, its kind (an op, a param, data), and the place that binds it."""

    name: str
    type: str
    what: str
    span: Span


def rows(program: Program) -> list[Row]:
    """The names of the data and of the graphs, each once, in text order."""
    params = {param.name for param in program.params}
    found = [_data(data) for data in program.data]
    for graph in program.graphs:
        found += [_named(graph, graph.prefix + name, named, name in params) for name, named in _once(graph)]
    return sorted(found, key=lambda row: (row.span.source.path, row.span.start))


def _once(graph: Graph) -> Iterator[tuple[str, Named]]:
    """The names of a graph. A name in a scope has a bare and a qualified form; only the qualified one is listed."""
    longest: dict[Span, str] = {}
    for name, named in graph.names.items():
        if named.is_inner:
            continue
        longest[named.span] = max(longest.get(named.span, ""), name, key=len)
    return ((name, graph.names[name]) for name in longest.values())


def _data(data: Data) -> Row:
    return Row(data.name, f"{counted(data.rows, 'row')}, {counted(data.columns, 'column')}", "data", data.origin.span)


def _named(graph: Graph, name: str, named: Named, is_param: bool) -> Row:
    if isinstance(named.value, Static):
        return Row(name, _value(named.value.value), "param" if is_param else "value", named.span)
    if isinstance(named.value, Refs):
        types = dict.fromkeys(str(graph.type(ref) or "no output") for ref in refs_of(named.value))
        return Row(name, " and ".join(types), f"list of {len(named.value.items)}", named.span)
    type = graph.type(named.value)
    return Row(name, "no output" if type is None else str(type), graph.nodes[named.value.node].op, named.span)


def _value(value: HostValue) -> str:
    """A compile-time value, as the language writes it."""
    match value:
        case bool():
            text = str(value).lower()
        case str():
            text = f'"{visible(value)}"'
        case bytes():
            text = bytes_text(value)
        case tuple():
            text = f"[{', '.join(map(_value, value))}]"
        case _:
            text = "none" if value is None else str(value)
    return shortened(text, _LONGEST)


def headline(program: Program) -> str:
    """`models/moons.tfg: 12 nodes, 1 session`."""
    nodes, sessions = sum(len(graph.nodes) for graph in program.graphs), len(program.sessions)
    return f"{program.path}: {counted(nodes, 'node')}, {counted(sessions, 'session')}"


def as_text(program: Program) -> str:
    """One line per name, in columns."""
    table = rows(program)
    name, type = (max((len(getattr(row, part)) for row in table), default=0) for part in ("name", "type"))
    return "\n".join([headline(program), *(f"  {r.name:{name}}  {r.type:{type}}  {r.what}" for r in table)])


def as_html(program: Program) -> str:
    """A table with one row per name. All text of the program is escaped."""
    parts = [f"<table><caption>{escape(headline(program))}</caption>"]
    parts.append("<tr><th>name</th><th>type or value</th><th>made by</th><th>line</th></tr>")
    for row in rows(program):
        cells = "".join(f"<td><code>{escape(text)}</code></td>" for text in (row.name, row.type, row.what))
        parts.append(f"<tr>{cells}<td>{row.span.line}</td></tr>")
    return "\n".join([*parts, "</table>"])
