"""Adds to the picture of a graph what it is linked with: the data sets above it, and its sessions below."""

from collections.abc import Iterable, Iterator

from ..diagnostics.spelling import shortened
from ..program import BatchField, Data, Feed, Field, Graph, Pack, Program, Refs, Statement, Value, parts_of, thaw
from ..record import replace
from .picture import Box, Edge, Picture, Shape, short

_WIDTH = 40  # of the text of a statement


def linked(picture: Picture, program: Program, graph: Graph) -> Picture:
    """The picture of a graph with the data sets that it uses, and with its sessions."""
    links = _Links(program, graph)
    sessions = tuple(
        Box(
            f"s{number}",
            f"session {session.name}".strip(),
            "",
            1,
            1,
            links.statements(session.body, f"s{number}", ""),
            in_order=True,
        )
        for number, session in enumerate(program.sessions)
        if session.graph == graph.name and session.body
    )
    links.constants()
    used = {edge.start for edge in links.edges}
    data = tuple(_data(one) for one in program.data if f"d{one.name}" in used)
    edges = dict.fromkeys((*picture.edges, *links.edges))
    return replace(picture, children=(*data, *picture.children, *sessions), edges=tuple(edges))


class _Links:
    def __init__(self, program: Program, graph: Graph):
        self.graph = graph
        # By the names of data sets, the items that they come from. A session can bind more of them.
        self.origins = {one.name: f"d{one.name}" for one in program.data}
        self.edges: list[Edge] = []

    def statements(self, body: Iterable[Statement], path: str, data: str) -> tuple[Box | Shape, ...]:
        """The items of statements. A statement with others in it is a box. `data` is the data set of the batches."""
        return tuple(self.statement(one, f"{path}_{number}", data) for number, one in enumerate(body))

    def statement(self, statement: Statement, id: str, data: str) -> Box | Shape:
        uses = statement.uses()
        self.origins |= dict.fromkeys(uses.binds, id)
        data = uses.data[0] if uses.data else data
        self.edges += [
            Edge(f"n{ref.node}", id, "" if (type := self.graph.type(ref)) is None else short(type))
            for ref in (*uses.executes, *uses.exports, *(ref for pairs in uses.stores for ref, _ in pairs or ()))
        ]
        self.edges += [Edge(id, f"n{ref.node}", "", feed=True) for ref in uses.sets]
        for feed in uses.feeds:
            self.edges.append(Edge(id, f"n{feed.ref.node}", "", feed=True))
            for name, label in _sources(feed, data):
                self.connect(name, f"n{feed.ref.node}", label)
        text = statement.origin.span.text.splitlines()[0].strip().rstrip(":")
        params = tuple((f"feed {feed.text}", shortened(_fed(feed))) for feed in uses.feeds)
        item = Shape(
            id, shortened(text, _WIDTH), "session", statement.word, "", statement.origin.span.line, True, params
        )
        if not uses.body:
            return item
        own = (item,) if uses.executes or uses.feeds or uses.sets or uses.binds else ()
        return Box(f"{id}box", item.label, "", 1, 1, (*own, *self.statements(uses.body, id, data)), in_order=True)

    def constants(self) -> None:
        """Link the data sets whose arrays are constants of the graph."""
        for node in self.graph.nodes.values():
            for field in (field for arg in node.args.values() for field in _fields(arg)):
                self.connect(field.data, f"n{node.id}", _path(field))

    def connect(self, data: str, end: str, label: str) -> None:
        """Link an item with the data set that it takes. In a notebook, an array of another cell has no item."""
        start = self.origins.get(data)
        if start is not None:
            self.edges.append(Edge(start, end, label, feed=start != f"d{data}"))


def _fields(arg: object) -> Iterator[Field]:
    """The fields of data in an argument of a node."""
    match arg:
        case Field():
            yield arg
        case Pack(items=items) | Refs(items=items):
            for item in items:
                yield from _fields(item)
        case _:
            pass


def _sources(feed: Feed, data: str) -> Iterator[tuple[str, str]]:
    """The data sets that a fed value comes from, each with what is taken of it."""
    for part in parts_of(feed.value):
        match part:
            case BatchField(field=field) if data:
                yield data, field
            case Field():
                yield part.data, _path(part)
            case _:
                pass


def _path(field: Field) -> str:
    return str(field).removeprefix(f"{field.data}.")


def _fed(feed: Feed) -> str:
    """The fed value in words."""
    match feed.value:
        case Value(value=value):
            return str(thaw(value))
        case _:
            return feed.origin.span.one_line.partition("=")[2].strip() or feed.origin.span.one_line


def _data(data: Data) -> Shape:
    params = ((f"{stage.name} {name}", shortened(str(thaw(value))))
              for stage in (data.source, *data.transforms) for name, value in stage.arguments.items())  # fmt: skip
    made = " | ".join(stage.name for stage in (data.source, *data.transforms))
    size = f"{data.rows} rows, {data.columns} columns"
    return Shape(f"d{data.name}", data.name, "data", made, size, data.origin.span.line, True, tuple(params))
