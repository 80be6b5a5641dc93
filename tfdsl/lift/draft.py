"""A program in the making: pieces that stand for nodes of a graph, and what is left of the graph."""

from collections.abc import Callable, Iterator
from typing import assert_never

import numpy as np

from ..lowering.tf import op_def
from ..ops.raw import PREFIX, READERS
from ..program import HostValue
from ..record import Record, State, field, replace
from ..types import FLOAT32, TensorType
from .constants import LiftedParameter
from .graph import VARIABLES, Endpoint, GraphNode, SavedGraph


class NotReadable(Exception):
    """A part of a graph that only the exact form can have, with the reason."""


# --- operands ---------------------------------------------------------------------------------


class Given(Record):
    """A value that source writes: a number, a string, or nested tuples of them. In a function it can be a parameter."""

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
    """What another piece makes: a tensor, or an operation."""

    end: Endpoint


class Listed(Record):
    """A list with tensors."""

    items: "tuple[Operand, ...]"


Operand = Given | Splat | FunctionName | Produced | Listed


def ends_of(operand: Operand) -> Iterator[Endpoint]:
    """The endpoints that an operand reads."""
    match operand:
        case Produced(end):
            yield end
        case Listed(items):
            for item in items:
                yield from ends_of(item)
        case Given() | Splat() | FunctionName():
            pass
        case _:
            assert_never(operand)


def has_tensor(value: Operand | None) -> bool:
    """Whether an operand is, or has, what another piece makes."""
    match value:
        case Produced():
            return True
        case Listed(items):
            return any(map(has_tensor, items))
        case _:
            return False


BRANCHES = ("Switch", "RefSwitch")  # whose outputs run one at a time

_SCALAR = TensorType(FLOAT32, ())
_BRANCH = "?"  # in the name of a region; no node has it in its name


# --- pieces -----------------------------------------------------------------------------------


class LiftedPiece(Record):
    """A part of the program. It is in the place of the node `node`, and makes the endpoints `ends`, in the order of its
    results. `controls` are nodes that it waits for."""

    node: str
    ends: tuple[Endpoint, ...] = ()
    controls: tuple[str, ...] = ()

    def operands(self) -> Iterator[Operand]:
        """What it reads."""
        yield from ()


class CallPiece(LiftedPiece):
    """A call of an op, with operands by parameter. A raw call has `raw.` before its op."""

    callee: str = ""
    arguments: tuple[tuple[str, Operand], ...] = ()

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
    """A constant in the file of arrays, with its name there, if that is not the node's: one with a parameter in it."""

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
    is_whole: bool = False  # the scope of its node is a scope of names only, so its variables have names without it
    is_scoped: bool = False  # its variables have names with the scope of its node

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
    """A statement with bodies, which are regions."""

    def bodies(self) -> tuple[tuple[str, tuple[Endpoint, ...]], ...]:
        """The regions of its bodies, and what each body has to compute."""
        return ()


class LoopPiece(BlockPiece):
    """A `while`. The pieces of its body are those whose region is its node."""

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
        """The region of a branch: 1 is the one for true."""
        return f"{self.node}{_BRANCH}{branch}"

    def bodies(self) -> tuple[tuple[str, tuple[Endpoint, ...]], ...]:
        return ((self.region(1), self.then), (self.region(0), self.otherwise))


def block_of(region: str) -> str:
    """The node of the piece whose body a region is."""
    return region.partition(_BRANCH)[0]


ALL_VALUES = 9_999  # the output of a variable of a loop that has its values in all iterations


class ScanElement(Record):
    """A tensor of which each iteration gets an element, and the element."""

    now: Endpoint
    whole: Operand


class ScanPiece(LoopPiece):
    """A `scan`: a loop over elements whose results are the values of its variables in all iterations. Its condition is
    one of these values."""

    elements: tuple[ScanElement, ...] = ()

    def operands(self) -> Iterator[Operand]:
        yield from (one.first for one in self.variables)
        yield from (one.whole for one in self.elements)

    def bodies(self) -> tuple[tuple[str, tuple[Endpoint, ...]], ...]:
        return ((self.node, tuple(one.following for one in self.variables)),)


class ParameterPiece(LiftedPiece):
    """A parameter of a function that is a tensor."""


class ReturnPiece(LiftedPiece):
    """What a function returns."""

    values: tuple[Operand, ...] = ()

    def operands(self) -> Iterator[Operand]:
        yield from self.values


class FunctionCallPiece(LiftedPiece):
    """A call of a function that the program defines. `parts` are endpoints inside of it, with the names through which
    the program reaches them: those of its variables, if it has some."""

    function: str = ""
    arguments: tuple[tuple[str, Operand], ...] = ()
    parts: tuple[tuple[Endpoint, tuple[str, ...]], ...] = ()

    def operands(self) -> Iterator[Operand]:
        yield from (operand for _, operand in self.arguments)


class LiftedFunction(Record):
    """A function that the program defines, with its body as a draft of its own. The names of its nodes begin with
    `prefix`."""

    name: str
    parameters: tuple[str, ...]
    body: "Draft"
    roots: tuple[str, ...]
    prefix: str


def changes_something(node: GraphNode) -> bool:
    """Whether an op has an effect beside its outputs: a write, a print, a check."""
    definition = op_def(node.op)
    if definition is None or any(one.is_ref for one in definition.input_arg):
        return True
    is_draw = "seed2" in node.attrs
    is_silent = node.op in (*VARIABLES, *READERS) or is_draw or node.op.startswith("TensorArray")
    return definition.is_stateful and not is_silent


# --- the draft --------------------------------------------------------------------------------


class Draft(State):
    """What the folds share. `aliases` says which endpoint has the value of another one; `dropped` are nodes that no
    source needs; `notes` are what the user should know."""

    graph: SavedGraph
    arrays: str = ""  # the file of large constants; without it they are in the text
    pieces: dict[str, LiftedPiece] = field(default_factory=dict[str, LiftedPiece])
    aliases: dict[Endpoint, Endpoint] = field(default_factory=dict[Endpoint, Endpoint])
    dropped: set[str] = field(default_factory=set[str])
    known: dict[Endpoint, np.ndarray] = field(default_factory=dict[Endpoint, np.ndarray])  # values that follow
    types: dict[Endpoint, TensorType] = field(default_factory=dict[Endpoint, TensorType])  # that pieces know better
    inside: dict[str, str] = field(default_factory=dict[str, str])  # a node to the piece that it is part of
    regions: dict[str, str] = field(default_factory=dict[str, str])  # a node to the body that has it
    functions: dict[str, LiftedFunction] = field(default_factory=dict[str, LiftedFunction])  # that the program defines
    effects: set[str] | None = None  # the nodes that need an effect, once they are asked for
    notes: list[str] = field(default_factory=list[str])
    seeds: set[int] = field(default_factory=set[int])  # of the graph, in ops that have seeds
    trainable: frozenset[str] | None = None  # the variables that optimizers train, if the graph says so
    from_functions: frozenset[str] = frozenset()  # nodes that are in the place of calls
    closed: frozenset[str] = frozenset()  # nodes that the fold at work leaves alone
    folded: dict[str, str] = field(default_factory=dict[str, str])  # a node to the fold that took it
    served: frozenset[str] = frozenset()  # nodes with the tensors of signatures
    drop: frozenset[str] = frozenset()  # the parts that the user leaves out
    uninitialized: list[str] = field(default_factory=list[str])  # variables without an initializer

    def type(self, end: Endpoint) -> TensorType:
        """The type of a tensor."""
        end = self.end(end)
        return self.types.get(end) or self.graph.nodes[end.node].types[end.output]

    def is_free(self, name: str) -> bool:
        """Whether nothing stands for a node yet."""
        return name not in self.dropped and name not in self.inside and name not in self.pieces

    def is_open(self, name: str) -> bool:
        """Whether the fold at work can take a node."""
        return self.is_free(name) and name not in self.closed

    def apply(self, fold: "Callable[[Draft], None]", closed: frozenset[str]) -> None:
        """Let a fold do its work on all nodes but some."""
        self.closed, self.effects = closed, None
        fold(self)
        for name in (*self.pieces, *self.inside, *self.dropped):
            self.folded.setdefault(name, fold.__name__)

    def owner(self, name: str) -> str:
        """The piece that a node is part of, or the node itself."""
        while name not in self.pieces and name in self.inside:
            name = self.inside[name]
        return name

    def claim(self, piece: LiftedPiece, *nodes: str) -> None:
        """Let a piece stand for nodes. It waits for the effects that they wait for. A write also waits for what reads
        variables before it."""
        own = {piece.node, *nodes}
        waits = {name for one in own for name in self._waits(one)}
        writes = any(changes_something(self.graph.nodes[one]) for one in own)
        controls = (*piece.controls, *sorted(waits - own - {*piece.controls}))
        effects = tuple(name for name in controls if self.has_effect(name) or (writes and self._reads(name)))
        if effects and isinstance(piece, VariablePiece):
            raise NotReadable(f"the initial value of {piece.node} waits for {effects[0]}")
        self.pieces[piece.node] = piece if effects == piece.controls else replace(piece, controls=effects)
        for name in nodes:
            self.inside[name] = piece.node

    def _waits(self, name: str) -> Iterator[str]:
        """What a node waits for. What reads a constant waits for what the constant waits for."""
        node = self.graph.nodes[name]
        if node.op != "Const":
            yield from node.controls
            for end in node.inputs:
                if self.graph.nodes[end.node].op == "Const":
                    yield from self.graph.nodes[end.node].controls

    def has_effect(self, name: str) -> bool:
        """Whether a node, or one that it needs, changes or prints something, or does not always run."""
        if self.effects is None:
            self.effects = self.graph.below(*(node.name for node in self.graph.nodes.values() if self._is_effect(node)))
        return name in self.effects

    def _is_effect(self, node: GraphNode) -> bool:
        is_branch = node.op in BRANCHES and node.name not in self.inside
        return node.name not in self.dropped and (is_branch or changes_something(node))

    def _reads(self, name: str) -> bool:
        """Whether a node has the value of a variable, or something made of it."""
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
