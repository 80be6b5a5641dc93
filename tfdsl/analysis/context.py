"""The state of one analysis: the graphs under construction, the open calls, the errors so far."""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..diagnostics import OTHER_GRAPH, Bag, Diagnostic, Frame, Message, Note, TfgError
from ..program import Arg, Data, Enter, Exit, Graph, Item, Literal, Named, Node, Origin, Pack, Param, Ref, Refs, Static
from ..record import Record
from ..source import Span
from ..syntax import tree as t
from ..types import Sizes, TensorType
from .names import Env
from .values import Broken, Dataset, Tensor

MAX_UNROLL = 100_000


class Abandoned(Exception):
    """A statement cannot be analysed further. Its diagnostic is None where it is a follow-up of another error."""

    def __init__(self, diagnostic: Diagnostic | None):
        super().__init__()
        self.diagnostic = diagnostic


@dataclass(slots=True)
class Shared:
    """A shared variable: its tensor, what identifies its initial value, and where it was created."""

    tensor: Tensor
    initial: object
    span: Span


@dataclass(slots=True)
class GraphBuilder:
    """A graph under construction."""

    name: str
    env: Env
    seed: int | None = None
    items: list[Item] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=Sizes)
    loss: Ref | None = None
    loss_span: Span | None = None
    optimizers: list[Ref] = field(default_factory=list)
    summaries: dict[str, list[Ref]] = field(default_factory=dict)
    shared: dict[str, Shared] = field(default_factory=dict)
    variable_scope: tuple[str, ...] = ()
    reuse: bool = False
    bound: list[tuple[str, Span, tuple[Ref, ...]]] = field(default_factory=list)  # names given to nodes

    @property
    def shown(self) -> str:
        return f"graph '{self.name}'" if self.name else "the default graph"

    def add(
        self, op: str, args: Mapping[str, Arg], name: str | None, outputs: tuple[TensorType, ...], origin: Origin,
        default: str = "",
    ) -> int:  # fmt: skip
        """Append a node and return its id."""
        node = Node(len(self.nodes), op, args, name, outputs, origin, default)
        self.nodes[node.id] = node
        self.items.append(node)
        return node.id

    @contextmanager
    def trial(self):
        """Build nodes only to look at them: they are gone afterwards."""
        items, nodes, bound = len(self.items), len(self.nodes), len(self.bound)
        yield
        del self.items[items:], self.bound[bound:]
        for id in range(nodes, len(self.nodes)):
            del self.nodes[id]

    def key(self, arg: Arg) -> object:
        """What an argument is made of, equal for arguments made alike."""
        match arg:
            case Ref(node, output):
                made = self.nodes[node]
                if made.op in ("variable", "shared", "placeholder"):
                    return ("node", node)
                return (made.op, output, tuple((k, self.key(v)) for k, v in sorted(made.args.items())))
            case Pack(items) | Refs(items):
                return tuple(map(self.key, items))
            case Literal(value, dtype):
                return (repr(value), dtype)
            case _:
                return repr(arg)

    @contextmanager
    def scope(self, name: str, reuse: bool = False):
        """A variable scope, as `tf.compat.v1.variable_scope` opens it."""
        outside = self.variable_scope, self.reuse
        self.variable_scope, self.reuse = (*outside[0], name), outside[1] or reuse
        self.items.append(Enter("scope", name))
        try:
            yield
        finally:
            self.items.append(Exit())
            self.variable_scope, self.reuse = outside

    def finish(self) -> Graph:
        names: dict[str, Named] = {}
        for name, bindings in self.env.names.items():
            for binding in bindings:
                named = _named(binding.value, binding.span)
                if named is None:
                    continue
                names[binding.qualified(name)] = named
                if len(bindings) == 1:
                    names[name] = named
        return Graph(self.name, self.seed, tuple(self.items), names, self.loss)


def _named(value: object, span: Span) -> Named | None:
    match value:
        case Tensor():
            return Named(value.ref, span)
        case bool() | int() | float() | str():
            return Named(Static(value), span)
        case _:
            return None


class Analysis:
    """Everything that the passes over one program share."""

    def __init__(self, folder: str, params: Mapping[str, object], data: Mapping[str, object], limits: "Limits"):
        self.bag = Bag()
        self.folder = folder
        self.given_params, self.given_data, self.limits = params, data, limits
        self.params: list[Param] = []
        self.data: list[Data] = []
        self.datasets: dict[str, Dataset] = {}
        self.env = Env()
        self.graph = GraphBuilder("", self.env)
        self.graphs: dict[str, GraphBuilder] = {"": self.graph}
        self.chain: tuple[Frame, ...] = ()
        self.calling: list[t.Def] = []
        self.unrolled = 0

    def origin(self, span: Span) -> Origin:
        return Origin(span, self.chain)

    def diagnostic(
        self, message: Message, span: Span, notes: tuple[Note, ...] = (), help: str = "", **details: object
    ) -> Diagnostic:
        return Diagnostic(message, span, details, notes, help, self.chain)

    def fail(self, message: Message, span: Span, notes: tuple[Note, ...] = (), help: str = "", **details: object):
        """Give up the statement with an error."""
        raise Abandoned(self.diagnostic(message, span, notes, help, **details))

    def report(self, message: Message, span: Span, notes: tuple[Note, ...] = (), help: str = "", **details: object):
        """Note an error and go on."""
        self.bag.add(self.diagnostic(message, span, notes, help, **details))

    def use(self, value: object, span: Span, name: str) -> object:
        """A value found by name, if this graph can use it."""
        if isinstance(value, Broken):
            raise Abandoned(None)
        if isinstance(value, Tensor) and value.graph != self.graph.name:
            theirs = self.graphs[value.graph].shown
            self.fail(OTHER_GRAPH, span, name=name, theirs=theirs, ours=self.graph.shown)
        return value

    @contextmanager
    def entering(self, what: str, span: Span):
        """A call or an import, which errors below it show."""
        outside = self.chain
        self.chain = (*outside, (what, span))
        try:
            yield
        finally:
            self.chain = outside

    def guarded(self, action: Callable[[], object]) -> object:
        """Do a statement's work; note its error and return `Broken` where it fails."""
        try:
            return action()
        except Abandoned as abandoned:
            if abandoned.diagnostic is not None:
                self.bag.add(abandoned.diagnostic)
            return Broken()

    def check_errors(self) -> None:
        if self.bag.errors:
            raise TfgError(self.bag.ordered())


class Limits(Record):
    """What a program may ask of the compiler."""

    unroll: int = MAX_UNROLL
