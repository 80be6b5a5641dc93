"""The exact form of a graph: a raw call for each node, with the name, the inputs and the attributes of the node.

Nothing is folded, so building the program makes the same graph again, node for node.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby

import numpy as np

from ..lowering.tf import AttrValue, OpDef, v1
from .constants import MOST_IN_TEXT, attribute, constant_value, frozen, is_splat, value_text
from .functions import FunctionGraph, graph_functions
from .graph import Endpoint, GraphNode, SavedGraph
from .lifted import Lifted, formatted
from .names import TAKEN
from .nodes import OpDefs, count_of, inferred

ARRAYS = "arrays.npz"  # the default file for constants that cannot be written in source
_MOST_REPEATED = 100_000  # the most elements of a constant in the source that repeats one number


def lift_exact(graph: SavedGraph, arrays: str = "") -> Lifted:
    """The source that builds a graph again, node for node. `arrays` is the name of the file for large constants. If
    it is empty, only constants that cannot be written in source are in a file."""
    return _Exact(graph, arrays).lifted()


def function_blocks(graph: SavedGraph, arrays: dict[str, np.ndarray]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The functions of a graph: their names in the source, and the statements that declare them, in order. Constants
    that cannot be written in source go to `arrays`."""
    exact = _Exact(graph, "")
    found = exact.functions()
    arrays |= exact.arrays
    return found


class _Exact:
    def __init__(self, graph: SavedGraph, arrays: str):
        self._graph = graph
        self._defs = OpDefs(graph.library)
        self._notes = list(graph.notes)
        self._functions = graph_functions(graph.library, self._defs)
        if graph.library.gradient:
            self._notes.append("left out: the record of which functions are the gradients of other functions")
        self._file, self.arrays = arrays, dict[str, np.ndarray]()

    def lifted(self) -> Lifted:
        graph = self._graph
        head = [f"# lifted from {os.path.basename(graph.path)}, {len(graph.nodes)} nodes, exactly", ""]
        head += [f"graph_version {graph.producer}", ""]
        functions, blocks = self.functions()
        for block in blocks.values():
            head += [*block, ""]
        used = frozenset(name for name, users in graph.users.items() if users)
        body = _Statements(graph.nodes, names_of(graph.nodes, used, functions.values()), self._defs, functions,
                           self._file, self.arrays)  # fmt: skip
        source = formatted("\n".join([*head, *body.blocks()]) + "\n")
        found = {
            end: body.end(end)
            for node in graph.nodes.values()
            for end in (Endpoint(node.name, at) for at in range(max(1, len(node.types))))
        }
        return Lifted(source, self.arrays, found, tuple(self._notes), is_exact=True)

    def functions(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """The functions of the graph: their names in the source, and the statements that declare them, in order."""
        names = names_of(self._functions, frozenset(self._functions))
        blocks: dict[str, list[str]] = {}
        known: dict[str, str] = {}
        for name, function in self._functions.items():
            blocks[name] = list(self._function(function, names[name], known))
            known[name] = names[name]
        return names, blocks

    def _function(self, function: FunctionGraph, name: str, known: Mapping[str, str]) -> Iterator[str]:
        """A function of the library: `function f(x: float32[...]) -> (float32[...] as "y"):`."""
        used = {end.node for node in function.nodes.values() for end in node.inputs}
        used |= {one for node in function.nodes.values() for one in node.controls}
        used |= {end.node for end in function.outputs.values()} | set(function.controls)
        everything = {**dict.fromkeys(function.inputs), **function.nodes}
        names = names_of(everything, frozenset(used) | function.inputs.keys())
        body = _Statements(function.nodes, names, self._defs, known, "", self.arrays)
        inputs = [
            f"{names[one]}: {dtype}[...]{_beside(body, attrs)} as {quoted(one)}"
            for one, (dtype, attrs) in function.inputs.items()
        ]
        outputs = [f"{dtype}[...] as {quoted(one)}" for one, dtype in function.dtypes.items()]
        attributes = _beside(body, function.attributes)
        yield f"function {name}({', '.join(inputs)}) -> ({', '.join(outputs)}){attributes} as {quoted(function.name)}:"
        yield from (f"    {line}" for line in body.blocks())
        results = ", ".join(body.end(end) for end in function.outputs.values())
        waited = ", ".join(body.end(Endpoint(one)) for one in function.controls)
        if results or waited or not function.nodes:
            yield "    " + " ".join(["return", *filter(None, [results]), *([f"after {waited}"] if waited else [])])


def _beside(body: "_Statements", attributes: Mapping[str, AttrValue]) -> str:
    """` with (name=value)`: the attributes of a function or of its input."""
    texts = [f"{name}={body.value(value)}" for name, value in sorted(attributes.items())]
    return f" with ({', '.join(texts)})" if texts else ""


def quoted(text: str) -> str:
    return value_text(text, "string")


class _Statements:
    """The statements of a graph or of a function. `names` has the names that nodes and inputs have in the source, and
    `functions` the names of functions."""

    def __init__(
        self,
        nodes: Mapping[str, GraphNode],
        names: Mapping[str, str],
        defs: OpDefs,
        functions: Mapping[str, str],
        file: str,
        arrays: dict[str, np.ndarray],
    ):
        self._nodes, self._names, self._defs, self._functions = nodes, names, defs, functions
        self._file, self._is_inline, self._arrays = file or ARRAYS, not file, arrays
        self._made: set[str] = set()

    def blocks(self) -> Iterator[str]:
        """The statements of all nodes. Neighbours on one device, or that wait for the same nodes, share a block."""
        for device, nodes in groupby(self._nodes.values(), key=lambda node: node.device):
            margin = ""
            if device:
                yield f"device {quoted(device)}:"
                margin = "    "
            for controls, group in groupby(nodes, key=lambda node: node.controls):
                inner = margin
                if controls:
                    yield f"{margin}after {', '.join(self._names[one] for one in controls)}:"
                    inner += "    "
                for node in group:
                    yield f"{inner}{self._statement(node)}"
                    self._made.add(node.name)

    def _statement(self, node: GraphNode) -> str:
        name = self._names[node.name]
        return f"{name} = {self._call(node)} as {quoted(node.name)}"

    def _call(self, node: GraphNode) -> str:
        definition = self._defs.find(node.op)
        assert definition is not None  # the reader refuses unknown ops
        if node.op == "Const" and node.attrs.keys() <= {"dtype", "value"}:
            value = constant_value(node)
            if value is not None and self._is_beside(value):
                self._arrays[node.name] = value
                return f"stored({quoted(node.name)}, from={quoted(self._file)})"
        arguments = [*self._inputs(node, definition), *self._attributes(node, definition)]
        return f"raw.{node.op}({', '.join(f'{name}={text}' for name, text in arguments)})"

    def _is_beside(self, value: np.ndarray) -> bool:
        """Whether a constant goes to the file: it cannot be written in source, or is large and its elements differ."""
        if 0 in value.shape[:-1] or value.dtype.kind == "c":
            return True
        is_long = value.size > MOST_IN_TEXT and value.dtype.kind != "O"
        return not self._is_inline and is_long and not (is_splat(value) and value.size <= _MOST_REPEATED)

    def _inputs(self, node: GraphNode, definition: OpDef) -> Iterator[tuple[str, str]]:
        ends = iter(node.inputs)
        for arg in definition.input_arg:
            count = count_of(arg, node.attrs)
            if count is None:
                yield arg.name, self._operand(node, next(ends))
            else:
                yield arg.name, f"[{', '.join(self._operand(node, next(ends)) for _ in range(count))}]"

    def _operand(self, node: GraphNode, end: Endpoint) -> str:
        """An input of a node. An input that is made further down comes back into a loop."""
        is_later = end.node in self._nodes and end.node not in self._made
        return f"later {self.end(end)}" if is_later and end.node != node.name else self.end(end)

    def end(self, end: Endpoint) -> str:
        """An output of a node, or an input of a function, as an expression."""
        name = self._names[end.node]
        node = self._nodes.get(end.node)
        definition = None if node is None else self._defs.find(node.op)
        return name if node is None or definition is None else name + place_of(definition, node.attrs, end.output)

    # --- attributes -----------------------------------------------------------------------------

    def _attributes(self, node: GraphNode, definition: OpDef) -> Iterator[tuple[str, str]]:
        """The attributes that follow neither from the inputs nor from the op's defaults."""
        following = inferred(definition, node.attrs)
        known = {one.name: one for one in definition.attr}
        for name, value in sorted(node.attrs.items()):
            attr = known.get(name)
            is_default = attr is not None and attr.HasField("default_value") and attr.default_value == value
            if name not in following and not is_default:
                yield name, self.value(value)

    def value(self, value: AttrValue) -> str:
        """An attribute as source writes it."""
        match value.WhichOneof("value"):
            case "tensor":
                return _tensor(v1.make_ndarray(value.tensor))
            case "type":
                return str(attribute(value))
            case "list" if value.list.type:
                return f"[{', '.join(attribute(value))}]"
            case "func":
                return self._called(value.func.name)
            case "list" if value.list.func:
                return f"[{', '.join(self._called(one.name) for one in value.list.func)}]"
            case "f":
                return value_text(value.f, "float32")
            case "list" if value.list.f:
                return f"[{', '.join(value_text(one, 'float32') for one in value.list.f)}]"
            case _:
                return value_text(attribute(value), "")

    def _called(self, function: str) -> str:
        """A function by its name in the source if it is declared above, otherwise by its own name in quotes."""
        return self._functions.get(function) or quoted(function)


def _tensor(value: np.ndarray) -> str:
    """The value of a constant. If all elements are equal, the number is written once: `[[0.0] * 10] * 2`."""
    if value.size <= MOST_IN_TEXT or not is_splat(value):
        return value_text(frozen(value.tolist()), value.dtype.name)
    text = value_text(value.reshape(-1)[0].item(), value.dtype.name)
    for size in reversed(value.shape):
        text = f"[{text}] * {size}"
    return text


def place_of(definition: OpDef, attrs: Mapping[str, AttrValue], output: int) -> str:
    """The index of an output in the value of a raw call: `[1]`, or `[1][0]` in a list of outputs."""
    outputs = definition.output_arg
    for at, arg in enumerate(outputs):
        count = count_of(arg, attrs)
        if output < (1 if count is None else count):
            place = "" if len(outputs) == 1 else f"[{at}]"
            return place if count is None else f"{place}[{output}]"
        output -= 1 if count is None else count
    return ""  # an operation


def names_of(nodes: Iterable[str], used: Collection[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A similar name in the source for each of these names. A name that nothing uses begins with `_`."""
    there = {*TAKEN, *taken}
    found: dict[str, str] = {}
    for name in nodes:
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).lstrip("_")
        wanted = plain if plain[:1].isalpha() else f"n{plain}"
        if name not in used:
            wanted = f"_{wanted}"
        made, number = wanted, 0
        while made in there:
            number += 1
            made = f"{wanted}_{number}"
        there.add(made)
        found[name] = made
    return found
