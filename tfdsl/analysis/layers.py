"""The layers of a graph: what each scope returns, its parameters, and the floating-point operations for a row.

Input: a graph of the typed program. A scope, of a function's call or of a block, is a layer if it makes variables or
computes. Its numbers include those of the scopes in it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import assert_never

from ..ops.batch import ROWS
from ..ops.flops import FlopCall, NotKnown
from ..ops.named import GRADIENTS, STORED
from ..ops.optimizers import OPTIMIZERS
from ..program import (
    Enter,
    Exit,
    Graph,
    Item,
    Literal,
    Node,
    Pack,
    Ref,
    Refs,
    Region,
    minimized,
    refs_of,
    shape_known,
)
from ..record import Record, State, field, replace
from ..types import ALL_DTYPES, STRING, Size, TensorType, dim_text
from .batch_kinds import batch_arguments, batch_kind
from .gradient_paths import gradient_upstream


class Amount(Record):
    """Numbers that are kept between executions, and how many bytes they take."""

    count: int = 0
    bytes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.count + other.count, self.bytes + other.bytes)


class Work(Record):
    """Floating-point operations. `unknown` has what is not counted in `flops`: ops, and what has sizes not known."""

    flops: int = 0
    unknown: tuple[str, ...] = ()

    def __add__(self, other: "Work") -> "Work":
        return Work(self.flops + other.flops, tuple(dict.fromkeys((*self.unknown, *other.unknown))))

    def times(self, count: int) -> "Work":
        return Work(self.flops * count, self.unknown)


class Layer(Record):
    """A scope. Its `path` is the name by which a program reaches it, "" for what is outside all scopes."""

    path: str
    level: int
    outputs: tuple[TensorType, ...]
    trainable: Amount
    fixed: Amount
    work: Work


class Layers(Record):
    """The layers of a graph in program order, a scope before those in it, and the sums over the whole graph.
    `optimizer` is what the optimizers keep, and `batch` has the named sizes that are 1 for a row."""

    graph: str
    layers: tuple[Layer, ...]
    trainable: Amount
    fixed: Amount
    optimizer: Amount
    work: Work
    batch: tuple[str, ...]


class _OpenedScope(State):
    path: str
    level: int
    nodes: list[Node] = field(default_factory=list[Node])  # including those of the scopes in it


def layers(graph: Graph) -> Layers:
    """The layers of a graph."""
    nodes = [item for item in graph.items if isinstance(item, Node)]
    idle = _preparing(graph, nodes)
    users = _users(nodes)
    batch = _batch(graph)
    counter = _Counter(graph, _with_rows(graph, nodes), dict.fromkeys(batch, 1))
    works = {node.id: counter.of(node.id) for node in nodes if node.id not in idle}
    found: list[Layer] = []
    for scope in _scopes(graph.items):
        own = [node for node in scope.nodes if node.id not in idle]
        trainable, fixed = _parameters(own)
        work = _sum(works[node.id] for node in own)
        has_numbers = trainable.count > 0 or fixed.count > 0 or work != Work()
        if (has_numbers or (scope.path and any(map(_computes, own)))) and not _is_inner(scope):
            outputs = _returned(graph, users, own) if scope.path else ()
            found.append(Layer(scope.path, scope.level, outputs, trainable, fixed, work))
    optimizers = sum((_slots(graph, step) for step in graph.steps()), Amount())
    return Layers(graph.name, tuple(found), *_parameters(nodes), optimizers, _sum(works.values()), batch)


def _sum(works: Iterable[Work]) -> Work:
    return sum(works, Work())


def _batch(graph: Graph) -> tuple[str, ...]:
    """The sizes of batches: the first ones of placeholders, unless they are numbers."""
    firsts = [node.outputs[0].shape[0] for node in graph.placeholders() if node.outputs[0].shape]
    return tuple(dict.fromkeys(dim_text(size) for size in firsts if not isinstance(size, int)))


def _with_rows(graph: Graph, nodes: list[Node]) -> dict[int, Node]:
    """The nodes of a graph. Where a batch axis has no name, it gets one."""
    kinds: dict[int, str] = {}
    result = dict(graph.nodes)
    for node in nodes:
        shape = node.outputs[0].shape if node.outputs else None
        is_fed = node.is_placeholder and bool(shape) and not isinstance(shape[0], int)
        kind = ROWS if is_fed else batch_kind(graph.nodes, node, kinds)
        kinds[node.id] = kind or "mixed"
        if kind == ROWS:
            result[node.id] = replace(node, outputs=tuple(map(_of_rows, node.outputs)))
    return result


def _of_rows(type: TensorType) -> TensorType:
    if not type.shape or type.shape[0] is not None:
        return type
    return TensorType(type.dtype, (Size(dim_text(None)), *type.shape[1:]))


# --- scopes -----------------------------------------------------------------------------------


def _scopes(items: tuple[Item, ...]) -> list[_OpenedScope]:
    """The scopes in program order, named as TensorFlow names them, and last what is outside of them."""
    outside = _OpenedScope("", 0)
    found: list[_OpenedScope] = []
    opened: list[_OpenedScope | None] = []  # None for what is no scope
    taken: set[str] = set()
    for item in items:
        around = [scope for scope in opened if scope is not None]
        match item:
            case Enter(kind="scope"):
                path = f"{around[-1].path}.{item.name}" if around else item.name
                unique, number = path, 0
                while unique.lower() in taken:
                    number += 1
                    unique = f"{path}_{number}"
                taken.add(unique.lower())
                found.append(_OpenedScope(unique, len(around)))
                opened.append(found[-1])
            case Enter():
                opened.append(None)
            case Exit():
                opened.pop()
            case Node():
                for scope in around or [outside]:
                    scope.nodes.append(item)
            case _:
                assert_never(item)
    return [*found, outside]


def _is_inner(scope: _OpenedScope) -> bool:
    """Whether a scope is of a function that a library keeps to itself, such as `auc._quotient`."""
    name = re.sub(r"_\d+$", "", scope.path.rpartition(".")[2])
    frames = scope.nodes[0].origin.chain if scope.nodes else ()
    return name.startswith("_") and any(
        text == f"in {name}, called" and span.source.is_library for text, span in frames
    )


def _preparing(graph: Graph, nodes: list[Node]) -> set[int]:
    """The nodes that only initial values of variables need, or arguments of optimizers, such as clipped gradients."""
    users: dict[int, list[tuple[Node, bool]]] = {}  # with whether what it uses is counted
    for node in nodes:
        for name, arg in node.args.items():
            is_counted = not node.is_variable and (not node.is_step or name == "loss")
            for ref in refs_of(arg):
                users.setdefault(ref.node, []).append((node, is_counted))
        for ref in (*(ref for region in node.regions for ref in region.inputs()), *graph.controls(node)):
            users.setdefault(ref.node, []).append((node, True))
    idle: set[int] = set()
    for node in reversed(nodes):  # a node comes before its users
        uses = users.get(node.id, ())
        is_idle = all(not counts or (user.id in idle and user.row is not GRADIENTS) for user, counts in uses)
        if uses and is_idle and not node.is_variable:
            idle.add(node.id)
    return idle


def _computes(node: Node) -> bool:
    """Whether a node makes something of its inputs, in the forward pass."""
    is_forward = not node.is_source and not node.is_summary and node.row is not GRADIENTS
    return is_forward and bool(node.outputs) and any(node.inputs())


def _users(nodes: list[Node]) -> dict[int, list[tuple[int, int]]]:
    """For each node its outputs that are used, each with a node that uses it."""
    users: dict[int, list[tuple[int, int]]] = {}
    for node in nodes:
        for ref in node.inputs():
            users.setdefault(ref.node, []).append((ref.output, node.id))
    return users


def _returned(graph: Graph, users: Mapping[int, list[tuple[int, int]]], own: list[Node]) -> tuple[TensorType, ...]:
    """The types of the values in a scope that are used outside of it, or else of the last one."""
    inside = {node.id for node in own}
    made = [node.id for node in own if node.outputs and not node.is_source and not node.is_summary]
    used = [
        Ref(id, output)
        for id in made
        for output in sorted({output for output, user in users.get(id, ()) if user not in inside})
    ]
    refs = used or [Ref(id) for id in made[-1:]]
    return tuple(dict.fromkeys(graph.tensor_type(ref) for ref in refs))


# --- parameters -------------------------------------------------------------------------------


def _parameters(nodes: Iterable[Node]) -> tuple[Amount, Amount]:
    """The parameters among some nodes: variables that can be trained, and other variables and constants of files."""
    trainable, fixed = Amount(), Amount()
    for node in nodes:
        if node.is_variable and node.is_trainable:
            trainable += _size(node)
        elif node.is_variable or node.row is STORED:
            fixed += _size(node)
    return trainable, fixed


def _size(made: Node) -> Amount:
    """The elements of a variable or a constant. Those of texts have no size."""
    (type,) = made.outputs
    assert shape_known(type.shape), f"{made.name}: {type}"  # the analysis refuses others
    count = prod(type.shape)
    return Amount(count, 0 if type.dtype is STRING else count * type.dtype.bits // 8)


def _slots(graph: Graph, step: Node) -> Amount:
    """What the optimizer of a step keeps."""
    row = OPTIMIZERS[step.text("optimizer")]
    slots = row.slots + (1 if row.one_more and step.static(row.one_more, False) else 0)
    given = {ref.node for ref in refs_of(step.args["wrt"])} if "wrt" in step.args else None
    reached = {node.id for node in gradient_upstream(graph.nodes, minimized(graph.nodes, step)) if node.is_trainable}
    ids = sorted(id for id in reached if given is None or id in given) if step.loss is not None else sorted(given or ())
    trained = [graph.nodes[id] for id in ids if id < step.id]
    each = sum(map(_size, trained), Amount())
    kept = Amount(row.kept, row.kept * trained[0].outputs[0].dtype.bits // 8) if trained else Amount()
    return Amount(each.count * slots, each.bytes * slots) + kept


# --- floating-point operations ----------------------------------------------------------------


class _Counter:
    """Counts the operations of nodes. `sizes` has the numbers of named sizes."""

    def __init__(self, graph: Graph, nodes: Mapping[int, Node], sizes: Mapping[str, int]):
        self.graph, self.nodes, self.sizes = graph, nodes, sizes

    def of(self, id: int) -> Work:
        """The operations of one execution. Training does not count: gradients, steps of optimizers and summaries."""
        node = self.nodes[id]
        if node.is_source or node.is_carried or node.is_index or node.is_step or node.is_summary:
            return Work()
        if node.row is GRADIENTS or not self._has_floats(node):
            return Work()
        try:
            return self._regions(node) if node.regions else self._op(node)
        except NotKnown as error:
            what = node.op.removeprefix("raw.") if node.raw_op else node.op
            return Work(0, (f"{what} (of {error})" if error.args else what,))

    def _op(self, node: Node) -> Work:
        if node.row is None:
            raise NotKnown
        count = node.row.counted(self._call(node))
        if count and "complex" in self._kinds(node):
            raise NotKnown("complex numbers")
        return Work(count)

    def _call(self, node: Node) -> FlopCall:
        return FlopCall(batch_arguments(self.nodes, node, {}), node.outputs, self.sizes)

    def _regions(self, node: Node) -> Work:
        """Those of a region for each element, or of the branch that is taken if nothing is trained."""
        if node.row is None and not node.is_branch:
            raise NotKnown
        works = [self._region(region) for region in node.regions]
        if node.is_branch:
            then, otherwise = works
            if node.args["pred"] == self.graph.training or then == otherwise:
                return otherwise
            raise NotKnown("branches that differ")
        call = self._call(node)
        elements = call.shapes("elems")[0][0]
        is_first_value = node.row is not None and node.row.folds and "initializer" not in node.args
        return works[0].times(max(elements - is_first_value, 0))

    def _region(self, region: Region) -> Work:
        return _sum(self.of(item.id) for item in region.items if isinstance(item, Node))

    def _has_floats(self, node: Node) -> bool:
        return bool(node.regions) or not self._kinds(node).isdisjoint(("float", "complex"))

    def _kinds(self, node: Node) -> set[str]:
        """The kinds of dtypes that a node takes or makes."""
        taken = (one for arg in node.args.values() for one in self._dtypes(arg))
        return {*taken, *(type.dtype.kind for type in node.outputs)}

    def _dtypes(self, arg: object) -> Iterator[str]:
        match arg:
            case Ref():
                type = self.graph.type(arg)
                if type is not None:
                    yield type.dtype.kind
            case Literal(dtype=dtype):
                yield ALL_DTYPES[dtype].kind
            case Pack(items=items) | Refs(items=items):
                for item in items:
                    yield from self._dtypes(item)
            case _:
                pass
