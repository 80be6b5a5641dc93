"""The exact form of a graph: a raw call for each node, with the name, the inputs and the attributes of the node.

Nothing is folded, so building the program makes the same graph again, node for node.
"""

import keyword
import os
import re
from collections.abc import Iterator, Mapping
from itertools import groupby

import numpy as np

from ..analysis.calls.builtins import BUILTINS
from ..lowering.tf import AttrValue, OpDef, v1
from ..ops import OPS
from ..source import Source
from ..syntax.format import format_text
from ..syntax.hints import GRAPH_WORDS, SESSION_WORDS
from ..syntax.tree import CONSTANTS
from ..types import DTYPE_NAMES
from .constants import MOST_IN_TEXT, attribute, constant_value, frozen, is_splat, value_text
from .graph import Endpoint, GraphNode, SavedGraph
from .lifted import Lifted
from .nodes import OpDefs

# Names that a lifted program does not bind, since they mean something else in the language.
_TAKEN = frozenset(
    {*OPS, *BUILTINS, *DTYPE_NAMES, *GRAPH_WORDS, *SESSION_WORDS, *CONSTANTS, *keyword.kwlist, "raw", "later"}
)

_MOST_REPEATED = 100_000  # elements of a constant with one number in all places that is in the source


def lift_exact(graph: SavedGraph, arrays: str = "") -> Lifted:
    """The source that builds a graph again, node for node. `arrays` is the name of the file for large constants, which
    are in the source if it is empty."""
    return _Exact(graph, arrays).lifted()


class _Exact:
    def __init__(self, graph: SavedGraph, arrays: str):
        self._graph = graph
        self._file = arrays
        self._defs = OpDefs(graph.library)
        self._names = _names(graph)
        self._arrays: dict[str, np.ndarray] = {}

    def lifted(self) -> Lifted:
        body = "\n".join(self._blocks())
        head = f"# lifted from {os.path.basename(self._graph.path)}, {len(self._graph.nodes)} nodes, exactly\n"
        found = {
            end: self._end(end)
            for node in self._graph.nodes.values()
            for end in (Endpoint(node.name, at) for at in range(max(1, len(node.types))))
        }
        source = format_text(Source("lifted", f"{head}\n{body}\n"))
        return Lifted(source, self._arrays, found, self._graph.notes)

    # --- statements -----------------------------------------------------------------------------

    def _blocks(self) -> Iterator[str]:
        """The statements of all nodes. Neighbours on one device, or that wait for the same nodes, share a block."""
        for device, nodes in groupby(self._graph.nodes.values(), key=lambda node: node.device):
            margin = ""
            if device:
                yield f"device {value_text(device, 'string')}:"
                margin = "    "
            for controls, group in groupby(nodes, key=lambda node: node.controls):
                inner = margin
                if controls:
                    yield f"{margin}after {', '.join(self._names[one] for one in controls)}:"
                    inner += "    "
                for node in group:
                    yield f"{inner}{self._statement(node)}"

    def _statement(self, node: GraphNode) -> str:
        name = self._names[node.name]
        return f"{name} = {self._call(node)} as {value_text(node.name, 'string')}"

    def _call(self, node: GraphNode) -> str:
        definition = self._defs.find(node.op)
        assert definition is not None  # the reader refuses unknown ops
        if node.op == "Const" and node.attrs.keys() <= {"dtype", "value"}:
            value = constant_value(node)
            if value is not None and self._is_beside(value):
                self._arrays[node.name] = value
                return f"stored({value_text(node.name, 'string')}, from={value_text(self._file, 'string')})"
        arguments = [*self._inputs(node, definition), *self._attributes(node, definition)]
        return f"raw.{node.op}({', '.join(f'{name}={text}' for name, text in arguments)})"

    def _is_beside(self, value: np.ndarray) -> bool:
        """Whether a constant goes to the file: it is large or cannot be written, and its elements differ."""
        if 0 in value.shape[:-1]:
            return True
        is_long = value.size > MOST_IN_TEXT and value.dtype.kind != "O"
        return bool(self._file) and is_long and not (is_splat(value) and value.size <= _MOST_REPEATED)

    def _inputs(self, node: GraphNode, definition: OpDef) -> Iterator[tuple[str, str]]:
        ends = iter(node.inputs)
        for arg in definition.input_arg:
            count = count_of(arg, node.attrs)
            if count is None:
                yield arg.name, self._end(next(ends))
            else:
                yield arg.name, f"[{', '.join(self._end(next(ends)) for _ in range(count))}]"

    def _end(self, end: Endpoint) -> str:
        """An output of a node as an expression."""
        node = self._graph.nodes[end.node]
        definition = self._defs.find(node.op)
        assert definition is not None  # the reader refuses unknown ops
        return self._names[end.node] + place_of(definition, node.attrs, end.output)

    # --- attributes -----------------------------------------------------------------------------

    def _attributes(self, node: GraphNode, definition: OpDef) -> Iterator[tuple[str, str]]:
        """The attributes that follow neither from the inputs nor from the op's defaults."""
        inferred = set(_inferred(node, definition))
        known = {one.name: one for one in definition.attr}
        for name, value in sorted(node.attrs.items()):
            attr = known.get(name)
            is_default = attr is not None and attr.HasField("default_value") and attr.default_value == value
            if name not in inferred and not is_default:
                yield name, self._value(value)

    def _value(self, value: AttrValue) -> str:
        match value.WhichOneof("value"):
            case "tensor":
                return _tensor(v1.make_ndarray(value.tensor))
            case "type":
                return str(attribute(value))
            case "list" if value.list.type:
                return f"[{', '.join(attribute(value))}]"
            case "f":
                return value_text(value.f, "float32")
            case "list" if value.list.f:
                return f"[{', '.join(value_text(one, 'float32') for one in value.list.f)}]"
            case _:
                return value_text(attribute(value), "")


def _tensor(value: np.ndarray) -> str:
    """The value of a constant. One number in all places is written once: `[[0.0] * 10] * 2`."""
    if value.size <= MOST_IN_TEXT or not is_splat(value):
        return value_text(frozen(value.tolist()), value.dtype.name)
    text = value_text(value.reshape(-1)[0].item(), value.dtype.name)
    for size in reversed(value.shape):
        text = f"[{text}] * {size}"
    return text


def place_of(definition: OpDef, attrs: Mapping[str, AttrValue], output: int) -> str:
    """How an output is reached in what a raw call gives: `[1]`, or `[1][0]` in a list of outputs."""
    outputs = definition.output_arg
    for at, arg in enumerate(outputs):
        count = count_of(arg, attrs)
        if output < (1 if count is None else count):
            place = "" if len(outputs) == 1 else f"[{at}]"
            return place if count is None else f"{place}[{output}]"
        output -= 1 if count is None else count
    return ""  # an operation


def count_of(arg: OpDef.ArgDef, attrs: Mapping[str, AttrValue]) -> int | None:
    """The number of tensors of an argument that is a list, else None."""
    if arg.number_attr:
        return attrs[arg.number_attr].i
    return len(attrs[arg.type_list_attr].list.type) if arg.type_list_attr else None


def _inferred(node: GraphNode, definition: OpDef) -> Iterator[str]:
    """The attributes that follow from inputs."""
    for arg in definition.input_arg:
        count = count_of(arg, node.attrs)
        if count == 0:
            continue
        yield from filter(None, (arg.type_attr, arg.number_attr, arg.type_list_attr))


def _names(graph: SavedGraph) -> dict[str, str]:
    """A name in the source for each node, like the node's own. A name of a node that nothing uses begins with `_`."""
    taken: set[str] = set(_TAKEN)
    found: dict[str, str] = {}
    for name in graph.nodes:
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).lstrip("_")
        wanted = plain if plain[:1].isalpha() else f"n{plain}"
        if not graph.users[name]:
            wanted = f"_{wanted}"
        made, number = wanted, 0
        while made in taken:
            number += 1
            made = f"{wanted}_{number}"
        taken.add(made)
        found[name] = made
    return found
