"""Draws a graph of a program: nested boxes with items, and edges.

Input: a graph of the typed program. Output: plain records, independent of the format. A scope is a box. A `while`
or an `if` in the graph is a box with one box per region. A node is an item. `links.py` adds the data sets and the
sessions.
"""

from collections import Counter
from dataclasses import replace
from itertools import groupby
from typing import assert_never

from ..diagnostics.spelling import shortened
from ..ops.named import CONSTANT
from ..program import (
    COND,
    WHILE,
    Arg,
    Back,
    Enter,
    Exit,
    Field,
    Graph,
    Item,
    Literal,
    Node,
    Pack,
    Ref,
    Refs,
    Static,
    refs_of,
    thaw,
)  # fmt: skip
from ..record import Record
from ..types import TensorType

# The kinds of items with their meaning, in the order of the legend.
KINDS = {
    "placeholder": "placeholder: fed from outside",
    "variable": "variable: kept between executions",
    "constant": "constant",
    "op": "operation",
    "random": "random numbers",
    "control": "loop or branch",
    "train": "gradients, optimizer, assignment",
    "summary": "summary",
    "data": "data set",
    "session": "statement of a session",
}
LARGE = 150  # from this number of nodes on, runs of nodes are grouped
_RUN = 10
_REGIONS = {WHILE: ("condition", "body"), COND: ("then", "else")}


class Shape(Record):
    """An item: a node, a data set or a statement of a session. `label` is its name, or the op of a node without one;
    `params` are what the program gives it besides tensors, as texts."""

    id: str
    label: str
    kind: str
    op: str
    type: str
    line: int
    named: bool
    params: tuple[tuple[str, str], ...] = ()


class Box(Record):
    """A box. `like` is the name that it shares with `count` neighbouring boxes; its own number is `number`. If it is
    `in_order`, its children follow one another, as statements do."""

    id: str
    label: str
    like: str
    number: int
    count: int
    children: tuple["Box | Shape", ...]
    in_order: bool = False


class Edge(Record):
    """An edge between two items. `label` is a short shape. A `control` edge only orders the two. A `feed` leads back
    from a statement of a session to what it feeds or sets."""

    start: str
    end: str
    label: str
    control: bool = False
    feed: bool = False

    @property
    def look(self) -> str:
        """How it differs from an edge along which a tensor goes, in one word."""
        return "control" if self.control else "feed" if self.feed else ""


class Picture(Record):
    name: str
    children: tuple[Box | Shape, ...]
    edges: tuple[Edge, ...]


def picture(graph: Graph) -> Picture:
    """The picture of a graph."""
    builder = _PictureBuilder(graph)
    children = builder.children(graph.items, "")
    if len(graph.nodes) > LARGE:
        children = _by_lines(children)
    return Picture(graph.name, children, tuple(dict.fromkeys(builder.edges)))


def short(type: TensorType) -> str:
    """The type on an edge: the sizes with crosses between them, and the dtype unless it is float32."""
    dims = ["..."] if type.shape is None else ["?" if dim is None else str(dim) for dim in type.shape]
    sizes = "\N{MULTIPLICATION SIGN}".join(dims)
    return sizes if type.dtype.name == "float32" else f"{type.dtype.name} {sizes}".strip()


def summary(shape: Shape) -> str:
    """An item on one line: its op, type and line."""
    return f"{shape.op}: {shape.type}, line {shape.line}" if shape.type else f"{shape.op}, line {shape.line}"


def _by_lines(children: tuple[Box | Shape, ...]) -> tuple[Box | Shape, ...]:
    """Group a long run of items made by one line, such as an unrolled loop, into a box for the line."""
    result: list[Box | Shape] = []
    for line, group in groupby(children, key=lambda child: child.line if isinstance(child, Shape) else None):
        run = list(group)
        if line is None:
            result += [replace(box, children=_by_lines(box.children)) for box in run if isinstance(box, Box)]
        elif len(run) < _RUN:
            result += run
        else:
            result.append(Box(f"l{run[0].id}", f"line {line}: {len(run)} nodes", "", 1, 1, tuple(run)))
    return tuple(result)


class _Scope(Record):
    """A scope that is not yet numbered among scopes of the same name."""

    id: str
    name: str
    inside: list["_Scope | Box | Shape"]


class _PictureBuilder:
    def __init__(self, graph: Graph):
        self.graph = graph
        self.edges: list[Edge] = []

    def children(self, items: tuple[Item, ...], path: str) -> tuple[Box | Shape, ...]:
        """The top level of some items. Scopes become boxes with their contents."""
        inside: list[_Scope | Box | Shape] = []
        around: list[tuple[Enter, list[_Scope | Box | Shape]]] = []
        boxes = 0
        for item in items:
            match item:
                case Enter():
                    around.append((item, inside))
                    inside = [] if item.kind == "scope" else inside  # other kinds have no box
                case Exit():
                    enter, outer = around.pop()
                    if enter.kind == "scope":
                        boxes += 1
                        outer.append(_Scope(f"{path}b{boxes}", enter.name, inside))
                    inside = outer
                case Node():
                    inside.append(self.node(item, path))
                case _:
                    assert_never(item)
        return _boxed(inside)

    def node(self, node: Node, path: str) -> Box | Shape:
        """The item of a node. A node with regions is a box."""
        id = f"n{node.id}"
        for arg in node.args.values():
            self.connect(list(refs_of(arg)), id)
        self.edges += [Edge(f"n{ref.node}", id, "", True) for ref in self.graph.controls(node)]
        item = _shape(node, id)
        if not node.regions:
            return item
        inside: list[Box | Shape] = []
        for title, region in zip(_titles(node), node.regions, strict=True):
            params = tuple(_shape(param, f"n{param.id}") for param in region.params)
            content = (*params, *self.children(region.items, f"{path}{id}{title}"))
            inside.append(Box(f"{path}{id}{title}", title, "", 1, 1, content))
            self.connect([ref for arg in region.results for ref in refs_of(arg)], id)
        return Box(f"{path}{id}box", node.name or node.op, "", 1, 1, (*inside, item))

    def connect(self, refs: list[Ref], end: str) -> None:
        for ref in refs:
            type = self.graph.type(ref)
            self.edges.append(Edge(f"n{ref.node}", end, "" if type is None else short(type)))


def _titles(node: Node) -> tuple[str, ...]:
    """What the regions of a node are called."""
    return node.row.regions if node.row is not None else _REGIONS[node.op]


def _boxed(inside: list[_Scope | Box | Shape]) -> tuple[Box | Shape, ...]:
    """Turn the scopes among some children into boxes. Boxes with the same name are numbered."""
    counts = Counter(one.name for one in inside if isinstance(one, _Scope))
    seen: Counter[str] = Counter()
    result: list[Box | Shape] = []
    for one in inside:
        if isinstance(one, _Scope):
            name = one.name
            seen[name] += 1
            label = name if seen[name] == 1 else f"{name}_{seen[name] - 1}"
            result.append(Box(one.id, label, name, seen[name], counts[name], _boxed(one.inside)))
        else:
            result.append(one)
    return tuple(result)


def _shape(node: Node, id: str) -> Shape:
    type = ", ".join(map(str, node.outputs))
    label = node.name or _plain(node) or node.default or node.op
    params = ((name, text) for name, arg in node.args.items() if (text := _text(arg)))
    return Shape(
        id, label, _kind(node), node.op, type, node.origin.outside_libraries.line, node.name is not None, tuple(params)
    )


def _text(arg: Arg) -> str:
    """The text of an argument that holds no tensor, else ""."""
    match arg:
        case Literal(value=value) | Static(value=value):
            return shortened(str(thaw(value)))
        case Field():
            return str(arg)
        case Ref() | Pack() | Refs() | Back():
            return ""
        case _:
            assert_never(arg)


def _plain(node: Node) -> str:
    """Describe an unnamed constant."""
    value = node.args.get("value") if node.row is CONSTANT else None
    if isinstance(value, Field):
        return str(value)
    return str(value.value)[:20] if isinstance(value, (Literal, Static)) else ""


def _kind(node: Node) -> str:
    if node.is_variable:
        return "variable"
    if node.is_placeholder:
        return "placeholder"
    if node.is_summary:
        return "summary"
    if node.is_loop or node.is_branch or node.is_carried:
        return "control"
    if node.is_step:
        return "train"
    if node.row is not None and node.row.picture:
        return node.row.picture
    has_input = any(isinstance(arg, (Ref, Pack, Refs)) for arg in node.args.values())
    return "op" if has_input else "constant"
