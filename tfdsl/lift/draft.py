"""A program in the making: pieces that replace nodes of a graph, and the rest of the graph."""

from collections.abc import Callable, Iterator, Mapping
from typing import assert_never

import numpy as np

from ..lowering.tf import op_def
from ..ops.raw import PREFIX, READERS
from ..program import HostValue
from ..record import Record, State, field, replace
from ..types import FLOAT32, TensorType
from .constants import LiftedParameter
from .graph import GRADIENTS_SCOPE, SWITCHES, VARIABLES, Endpoint, GraphNode, SavedGraph
from .unfolded import UnfoldedPart


class NotReadable(Exception):
    """Raised with a reason if only the exact form can express a part of a graph."""


class NotFolded(NotReadable):
    """Raised if a fold cannot write some nodes in its form. They stay as they were if their own ops can be written."""

    def __init__(self, reason: str, part: UnfoldedPart):
        super().__init__(reason)
        self.part = part


# --- operands ---------------------------------------------------------------------------------


class Given(Record):
    """A value that is written in the source: a number, a string, or nested tuples of them. In a function it can be a
    parameter."""

    value: "HostValue | bytes | LiftedParameter"
    dtype: str


class Splat(Record):
    """A number that fills a shape."""

    value: HostValue
    shape: tuple[int, ...]
    dtype: str


class FunctionName(Record):
    """A function of the graph's library, by its name there."""

    name: str


class Produced(Record):
    """A result of another piece: a tensor or an operation."""

    end: Endpoint


class BackEdge(Record):
    """A result of a piece further down, which comes back into a loop that stays as it was."""

    end: Endpoint


class Listed(Record):
    """A list with tensors."""

    items: "tuple[Operand, ...]"


Operand = Given | Splat | FunctionName | Produced | BackEdge | Listed


def ends_of(operand: Operand) -> Iterator[Endpoint]:
    """The endpoints that an operand reads."""
    match operand:
        case Produced(end):
            yield end
        case Listed(items):
            for item in items:
                yield from ends_of(item)
        case Given() | Splat() | FunctionName() | BackEdge():
            pass
        case _:
            assert_never(operand)


def has_tensor(value: Operand | None) -> bool:
    """Whether an operand is or contains the result of another piece."""
    match value:
        case Produced():
            return True
        case Listed(items):
            return any(map(has_tensor, items))
        case _:
            return False


_SCALAR = TensorType(FLOAT32, ())
_BRANCH = "?"  # in the names of regions; names of nodes cannot have it


# --- pieces -----------------------------------------------------------------------------------


class LiftedPiece(Record):
    """A part of the program. It is in the place of the node `node`, and makes the endpoints `ends`, in the order of its
    results. `controls` are nodes that it waits for."""

    node: str
    ends: tuple[Endpoint, ...] = ()
    controls: tuple[str, ...] = ()

    def operands(self) -> Iterator[Operand]:
        """The operands that it reads."""
        yield from ()


class CallPiece(LiftedPiece):
    """A call of an op, with operands by parameter. A raw call has `raw.` before its op. `names` are the names for its
    results, if their nodes have no good ones."""

    callee: str = ""
    arguments: tuple[tuple[str, Operand], ...] = ()
    names: tuple[str, ...] = ()

    def operands(self) -> Iterator[Operand]:
        yield from (operand for _, operand in self.arguments)


def is_raw(piece: LiftedPiece) -> bool:
    """Whether a piece is a raw call."""
    return isinstance(piece, CallPiece) and piece.callee.startswith(PREFIX)


class IndexPiece(LiftedPiece):
    """`x[...]`. A spec is a text with no operand, a position, or the start, stop and step of a slice."""

    x: Operand = Given(None, "")
    specs: "tuple[str | Operand | tuple[Operand | None, Operand | None, Operand | None], ...]" = ()

    def operands(self) -> Iterator[Operand]:
        yield self.x
        for spec in self.specs:
            match spec:
                case str():
                    pass
                case tuple():
                    yield from (one for one in spec if one is not None)
                case _:
                    yield spec


class StoredPiece(LiftedPiece):
    """A constant in the file of arrays. `key` is its name in the file, if that differs from the name of the node: it
    may contain a parameter."""

    key: str = ""


class PlaceholderPiece(LiftedPiece):
    """A placeholder, perhaps with a value that it has if it is not fed."""

    type: TensorType = _SCALAR
    default: Operand | None = None

    def operands(self) -> Iterator[Operand]:
        if self.default is not None:
            yield self.default


class VariablePiece(LiftedPiece):
    """A variable with its initial value."""

    type: TensorType = _SCALAR
    initial: Operand = Given(0, "")
    is_trainable: bool = True
    is_reference: bool = False  # as TensorFlow 1 made them, for ops that take nothing else

    def operands(self) -> Iterator[Operand]:
        yield self.initial


class StepPiece(LiftedPiece):
    """A step of an optimizer that minimizes a loss: `loss` by the variables `trained`."""

    loss: Operand = Given(None, "")
    optimizer: str = ""
    arguments: tuple[tuple[str, Operand], ...] = ()
    trained: tuple[Endpoint, ...] | None = None  # None if these are all trainable ones
    global_step: Endpoint | None = None
    gradients: tuple[Operand, ...] = ()  # of an `apply`
    unchanged: tuple[Endpoint, ...] = ()  # the gradients before they are changed
    rows: tuple[Endpoint, ...] = ()  # those of them that are slices
    read: tuple[tuple[Endpoint, Endpoint], ...] = ()  # gradients that may be read elsewhere, with their tensors
    is_whole: bool = False  # its variables are named without the scope of its node, which is only a name scope
    is_scoped: bool = False  # its variables are named with the scope of its node
    is_restored: bool = False  # a session restores its variables by its name

    def operands(self) -> Iterator[Operand]:
        yield self.loss
        yield from self.gradients
        yield from (operand for _, operand in self.arguments)


class SummaryPiece(LiftedPiece):
    """A summary with its tag."""

    kind: str = ""
    tag: str = ""
    value: Operand = Given(None, "")

    def operands(self) -> Iterator[Operand]:
        yield self.value


class LoopVariable(Record):
    """A variable of a loop: its value now, at the start, in the next iteration, and at the end if anything reads it."""

    now: Endpoint
    first: Operand
    following: Endpoint
    last: Endpoint | None


class BlockPiece(LiftedPiece):
    """A statement with bodies. Each body is a region."""

    def bodies(self) -> tuple[tuple[str, tuple[Endpoint, ...]], ...]:
        """The regions of its bodies, each with the endpoints that the body computes."""
        return ()


class LoopPiece(BlockPiece):
    """A `while`. A piece is in its body if the piece's region is the node of the `while`."""

    variables: tuple[LoopVariable, ...] = ()
    condition: Endpoint = Endpoint("")

    def operands(self) -> Iterator[Operand]:
        yield from (one.first for one in self.variables)

    def bodies(self) -> tuple[tuple[str, tuple[Endpoint, ...]], ...]:
        return ((self.node, (self.condition, *(one.following for one in self.variables))),)


class IfPiece(BlockPiece):
    """An `if` on a tensor, with the results of both branches."""

    condition: Operand = Given(None, "")
    then: tuple[Endpoint, ...] = ()
    otherwise: tuple[Endpoint, ...] = ()

    def operands(self) -> Iterator[Operand]:
        yield self.condition

    def region(self, branch: int) -> str:
        """The region of a branch: 1 for true, 0 for false."""
        return f"{self.node}{_BRANCH}{branch}"

    def bodies(self) -> tuple[tuple[str, tuple[Endpoint, ...]], ...]:
        return ((self.region(1), self.then), (self.region(0), self.otherwise))


def block_of(region: str) -> str:
    """The node of the block that a region belongs to."""
    return region.partition(_BRANCH)[0]


ALL_VALUES = 9_999  # this output of a loop variable has its values from all iterations


class ScanElement(Record):
    """An element that the loop takes from a tensor in each iteration, and the whole tensor."""

    now: Endpoint
    whole: Operand


class ScanPiece(LoopPiece):
    """A `scan`: a loop over elements that returns the values of its variables from all iterations. Its condition is one
    of these values."""

    elements: tuple[ScanElement, ...] = ()

    def operands(self) -> Iterator[Operand]:
        yield from (one.first for one in self.variables)
        yield from (one.whole for one in self.elements)

    def bodies(self) -> tuple[tuple[str, tuple[Endpoint, ...]], ...]:
        return ((self.node, tuple(one.following for one in self.variables)),)


class ParameterPiece(LiftedPiece):
    """A tensor parameter of a function."""


class ReturnPiece(LiftedPiece):
    """The `return` of a function."""

    values: tuple[Operand, ...] = ()

    def operands(self) -> Iterator[Operand]:
        yield from self.values


class FunctionCallPiece(LiftedPiece):
    """A call of a function that the program defines. `parts` lists endpoints inside the function, such as its
    variables, with the names by which the program refers to them."""

    function: str = ""
    arguments: tuple[tuple[str, Operand], ...] = ()
    parts: tuple[tuple[Endpoint, tuple[str, ...]], ...] = ()

    def operands(self) -> Iterator[Operand]:
        yield from (operand for _, operand in self.arguments)


class LiftedFunction(Record):
    """A function that the program defines. Its body is a separate draft, in which the names of nodes begin with
    `prefix`."""

    name: str
    parameters: tuple[str, ...]
    body: "Draft"
    roots: tuple[str, ...]
    prefix: str


def changes_something(node: GraphNode) -> bool:
    """Whether an op has an effect other than its outputs, such as a write, a print or a check."""
    definition = op_def(node.op)
    if definition is None or any(one.is_ref for one in definition.input_arg):
        return True
    is_draw = "seed2" in node.attrs
    is_silent = node.op in (*VARIABLES, *READERS) or is_draw or node.op.startswith("TensorArray")
    return definition.is_stateful and not is_silent


# --- the draft --------------------------------------------------------------------------------


class Draft(State):
    """The state that all folds share. `aliases` maps an endpoint to another one with the same value, `dropped` has the
    nodes that the source does not need, and `notes` are shown to the user."""

    graph: SavedGraph
    arrays: str = ""  # the file of large constants; without it they are in the text
    pieces: dict[str, LiftedPiece] = field(default_factory=dict[str, LiftedPiece])
    aliases: dict[Endpoint, Endpoint] = field(default_factory=dict[Endpoint, Endpoint])
    dropped: set[str] = field(default_factory=set[str])
    known: dict[Endpoint, np.ndarray] = field(default_factory=dict[Endpoint, np.ndarray])  # values that follow
    types: dict[Endpoint, TensorType] = field(default_factory=dict[Endpoint, TensorType])  # that pieces know better
    inside: dict[str, str] = field(default_factory=dict[str, str])  # a node to the piece that it is part of
    regions: dict[str, str] = field(default_factory=dict[str, str])  # a node to the body that contains it
    functions: dict[str, LiftedFunction] = field(default_factory=dict[str, LiftedFunction])  # of the program
    effects: set[str] | None = None  # the nodes that need an effect, computed on first use
    notes: list[str] = field(default_factory=list[str])
    seeds: set[int] = field(default_factory=set[int])  # the graph-level seeds of its random ops
    stored: Mapping[str, TensorType] = field(default_factory=dict[str, TensorType])  # in the checkpoint, of open shapes
    trainable: frozenset[str] | None = None  # the variables that optimizers train, if the graph says so
    from_functions: frozenset[str] = frozenset()  # nodes that replaced calls
    kept: frozenset[str] = frozenset()  # the nodes of loops that stay as they were
    closed: frozenset[str] = frozenset()  # nodes that the current fold leaves alone
    folded: dict[str, str] = field(default_factory=dict[str, str])  # a node to the fold that took it
    served: frozenset[str] = frozenset()  # nodes whose tensors are in signatures
    drop: frozenset[str] = frozenset()  # the parts that the user leaves out
    incomplete: set[str] = field(default_factory=set[str])  # groups of initializers, some of which are left out
    uninitialized: list[str] = field(default_factory=list[str])  # variables without an initializer

    def type(self, end: Endpoint) -> TensorType:
        """The type of a tensor."""
        end = self.end(end)
        return self.types.get(end) or self.graph.nodes[end.node].types[end.output]

    def is_free(self, name: str) -> bool:
        """Whether no piece has replaced a node yet."""
        return name not in self.dropped and name not in self.inside and name not in self.pieces

    def is_open(self, name: str) -> bool:
        """Whether the current fold can take a node."""
        return self.is_free(name) and name not in self.closed and name not in self.kept

    def apply(self, fold: "Callable[[Draft], None]", closed: frozenset[str]) -> None:
        """Run a fold on all nodes that are not closed."""
        self.closed, self.effects = closed, None
        fold(self)
        for name in (*self.pieces, *self.inside, *self.dropped):
            self.folded.setdefault(name, fold.__name__)

    def owner(self, name: str) -> str:
        """The piece that a node is part of, or the node itself."""
        while name not in self.pieces and name in self.inside:
            name = self.inside[name]
        return name

    def blocks(self, name: str) -> Iterator[str]:
        """The blocks that contain a node in one of their bodies, the innermost first."""
        while name in self.regions:
            name = block_of(self.regions[name])
            yield name

    def claim(self, piece: LiftedPiece, *nodes: str) -> None:
        """Replace nodes with a piece. The piece waits for the effects that the nodes wait for. If it writes, it also
        waits for earlier reads of variables. Gradients in it wait only for changes: in loops and branches, TensorFlow
        makes them wait for more. A single node also waits for the branch that it is in."""
        own = {piece.node, *nodes}
        waits = {name for one in own for name in self.before(one)}
        others = {name for one in own if not GRADIENTS_SCOPE.match(one) for name in self.before(one)}
        writes = any(changes_something(self.graph.nodes[one]) for one in own)
        effects: list[str] = []
        for name in (*piece.controls, *sorted(waits - own - {*piece.controls})):
            is_ordered = name in others or name in piece.controls
            if (
                (self.has_effect(name) or (writes and self._reads(name)))
                if is_ordered
                else self._changes(name, own, piece) or (not nodes and self._is_switched(name))
            ):
                effects.append(name)
        if effects and isinstance(piece, VariablePiece):
            raise NotReadable(f"the initial value of {piece.node} waits for {effects[0]}")
        self.pieces[piece.node] = piece if tuple(effects) == piece.controls else replace(piece, controls=tuple(effects))
        self.inside.pop(piece.node, None)
        for name in nodes:
            self.inside[name] = piece.node

    def waits(self, node: GraphNode) -> bool:
        """Whether a node waits for an effect."""
        return any(map(self.has_effect, self.before(node.name)))

    def is_silent(self, name: str) -> bool:
        """Whether a node changes nothing and waits for nothing that does, except for the branch that it is in."""
        return not self.has_effect(name) or self.graph.passes_condition(name)

    def before(self, name: str) -> Iterator[str]:
        """The nodes that a node waits for. A node that reads a constant also waits for the control inputs of the
        constant."""
        node = self.graph.nodes[name]
        if node.op != "Const":
            yield from node.controls
            for end in node.inputs:
                if self.graph.nodes[end.node].op == "Const":
                    yield from self.graph.nodes[end.node].controls

    def has_effect(self, name: str) -> bool:
        """Whether a node or any node that it needs changes something, prints something, or does not always run."""
        if self.effects is None:
            self.effects = self.graph.below(*(node.name for node in self.graph.nodes.values() if self._is_effect(node)))
        return name in self.effects

    def _is_effect(self, node: GraphNode) -> bool:
        is_branch = node.op in SWITCHES and node.name not in self.inside
        return node.name not in self.dropped and (is_branch or changes_something(node))

    def _changes(self, name: str, own: set[str], piece: LiftedPiece) -> bool:
        """Whether a node needs one that changes or prints something, apart from the nodes of a piece and from checks
        that the operands of the piece need too."""
        needed = self.graph.above(*(end.node for one in piece.operands() for end in ends_of(one)))
        above = [self.graph.nodes[one] for one in self.graph.above(name) - own - self.dropped]
        return any(changes_something(one) and not (one.op == "Assert" and one.name in needed) for one in above)

    def _is_switched(self, name: str) -> bool:
        """Whether a node only passes on the output of a Switch op that stays as it was, so it runs in one branch."""
        node = self.graph.nodes[name]
        while node.op == "Identity":
            node = self.graph.input(node, 0)
        return node.op in SWITCHES and self._is_effect(node)

    def _reads(self, name: str) -> bool:
        """Whether a node is computed from a variable."""
        return any(self.graph.nodes[one].op in VARIABLES for one in self.graph.above(name))

    def end(self, end: Endpoint) -> Endpoint:
        """The endpoint that has the value."""
        while end in self.aliases:
            end = self.aliases[end]
        return end

    def nodes(self, *ops: str) -> Iterator[GraphNode]:
        """The open nodes of some ops."""
        for node in self.graph.nodes.values():
            if node.op in ops and self.is_open(node.name):
                yield node
