"""The state of one analysis: graphs under construction, open calls, errors so far."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, ParamSpec, TypeVar

from ..access import Access
from ..data import DataError
from ..data.constant import StoredConstant
from ..data.pipeline import Pipeline
from ..diagnostics import (
    MAY_BE_UNBOUND,
    OTHER_GRAPH,
    TIME_LONG,
    TOO_DEEP,
    UNROLLED,
    WORK_LARGE,
    Diagnostic,
    Frame,
    Message,
    Note,
    TfgError,
)
from ..diagnostics.bag import Bag
from ..diagnostics.spelling import Suggestions
from ..inputs import CompileInputs, Foreign, Inference
from ..limits import Clock
from ..program import (
    CARRIED,
    PLACEHOLDER,
    SHARED,
    VARIABLE,
    Arg,
    Data,
    Enter,
    Exit,
    Feed,
    Graph,
    GraphFunction,
    Item,
    Literal,
    Named,
    Node,
    Origin,
    Pack,
    Param,
    Ref,
    Refs,
    Region,
    SessionValue,
    Signature,
    Static,
    reach,
    refs_of,
)
from ..record import Record, State, field, replace
from ..source import Span
from ..syntax import tree as t
from ..syntax.blocks import broken
from ..syntax.read import identity_of
from ..types import BOOL, INT64, Size, Sizes, TensorType
from .depth import LEVELS, NoStack, on_own_stack
from .dispatch import Dispatch, Returned
from .executed import Executions, Reached
from .names import Space, declared
from .naming import Naming
from .program_names import as_named, members
from .values import (
    PLAIN,
    DataValue,
    Env,
    ErrorValue,
    ExprValue,
    NodeValue,
    Pending,
    Tensor,
    Unbound,
)

_P = ParamSpec("_P")
_One = TypeVar("_One")
_Made = TypeVar("_Made")

_NAMES = re.compile(r"[^\W\d]\w*")
_LOOK = 20_000  # units of work between two looks at the clock


class StatementFailed(Exception):
    """A statement cannot be analysed further. The diagnostic is None if the failure follows from another error."""

    def __init__(self, diagnostic: Diagnostic | None):
        super().__init__()
        self.diagnostic = diagnostic


def _forget(error: BaseException | None) -> None:
    """Clear the frames of an error. A frame that holds its own error would form a reference cycle."""
    while error is not None:
        error.__traceback__ = None
        error = error.__context__


class Shared(Record):
    """A shared variable: its tensor, the identity of its initial value, and the place that created it."""

    tensor: Tensor
    initial: object
    span: Span


class Trial:
    """Whether to keep the nodes of a trial."""

    keep = False


class Taking(State):
    """The variables that a call takes from an earlier one. `left` are those that it has not taken yet."""

    scope: Space[ExprValue]
    left: list[Tensor]
    depth: int  # number of scopes open outside the call
    span: Span  # of its name


class GraphBuilder(State):
    """A graph under construction."""

    name: str
    env: Env
    seed: int | None = None
    items: list[Item] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=Sizes)
    span: Span | None = None
    seed_span: Span | None = None
    version: int | None = None
    functions: dict[str, GraphFunction] = field(default_factory=dict)
    function_places: dict[str, Span] = field(default_factory=dict)
    is_function: bool = False  # whether it is the body of a function
    pending: list[Pending] = field(default_factory=list)
    loss: Ref | None = None
    loss_span: Span | None = None
    signatures: dict[str, tuple[Signature, Span]] = field(default_factory=dict[str, tuple[Signature, Span]])
    broken: set[type] = field(default_factory=set)  # kinds of declarations with a failed member
    optimizers: list[Ref] = field(default_factory=list)
    summaries: dict[str, list[Ref]] = field(default_factory=dict)
    session_fed: dict[Ref, Feed] = field(default_factory=dict)  # placeholders for values of the session's names
    # The data whose field, such as its features, is fed to a placeholder, with the places.
    fed: dict[tuple[Ref, str], dict[str, Span]] = field(default_factory=dict)
    met: dict[int, tuple[tuple[Size, int], ...]] = field(default_factory=dict)  # by node, as in `Sizes`
    binary: dict[Ref, Span] = field(default_factory=dict)  # tensors taken for labels of 0 and 1, with places
    lists: set[int] = field(default_factory=set)  # loop variables whose initial values are lists
    classes: dict[Ref, tuple[Span, int]] = field(default_factory=dict)  # tensors taken for class numbers, and how many
    told: set[object] = field(default_factory=set)  # mistakes that were reported and are not reported again
    shared: dict[str, Shared] = field(default_factory=dict)
    held: tuple[Ref, ...] = ()  # what the open 'after' blocks wait for
    controls: dict[int, tuple[Ref, ...]] = field(default_factory=dict)
    regions: int = 0  # number of open regions
    variable_scope: tuple[str, ...] = ()
    reuse: bool = False
    naming: Naming = field(default_factory=Naming)
    opened: list[Space[ExprValue]] = field(default_factory=list)  # the open scopes
    taking: "Taking | None" = None  # the variables of an earlier call that the open one takes
    sharings: int = 0  # number of 'shared' statements so far
    bound: list[tuple[str, Span, tuple[Ref, ...]]] = field(default_factory=list)  # names given to nodes
    half: int = 0  # number of items when the sessions began; 0 before
    training: Node | None = None  # the predefined one; it is not an item until the graph is finished,
    training_at: int = 0  # and then goes in front of this item
    counts: Node | None = None  # the predefined `global_step`, which goes in front of all items
    counting: dict[Span, bool] = field(default_factory=dict)  # whether a step counts, by its place, if it says so
    modes: set[Ref] = field(default_factory=set)  # tensors that set the training mode or the drop rate of layers
    inference: Inference | None = None  # TensorFlow's, once a node has asked for it
    is_vague: bool = False  # whether some nodes have unknown shapes because TensorFlow may not be asked
    executions: Executions = field(init=False)

    def __post_init__(self) -> None:
        self.executions = Executions(self.nodes, self.controls)

    @property
    def shown(self) -> str:
        name = self.name if self.is_function else f"graph '{self.name}'"
        return name if self.name else "the default graph"

    def add(
        self, op: str, args: Mapping[str, Arg], name: str | None, outputs: tuple[TensorType, ...], origin: Origin,
        default: str = "", regions: tuple[Region, ...] = (),
    ) -> int:  # fmt: skip
        """Append a node and return its id."""
        if name is not None and op == SHARED:
            self.naming.share("/".join((*self.variable_scope, name)), origin.span)
        elif name is not None:
            self.naming.unique_node(name, origin.span)
        node = Node(len(self.nodes), op, args, name, outputs, origin, default, regions)
        self.nodes[node.id] = node
        self.items.append(node)
        if self.held:
            self.controls[node.id] = self.held
        return node.id

    def predefined(self, origin: Origin) -> Ref:
        """The graph's `training`, outside all scopes and regions. It comes before everything the program makes, or
        before everything its sessions make if nothing else uses it."""
        if self.training is None:
            args, type = {"default": Literal(False, "bool")}, TensorType(BOOL, ())
            self.training = Node(len(self.nodes), PLACEHOLDER, args, "training", (type,), origin)
            self.nodes[self.training.id], self.training_at = self.training, self.half
            self.add_modes([Ref(self.training.id)])
        return Ref(self.training.id)

    def counter(self, origin: Origin) -> Node:
        """The graph's `global_step`, outside all scopes and in front of everything that the program makes."""
        if self.counts is None:
            args: dict[str, Arg] = {"initial": Literal(0, "int64"), "trainable": Static(False)}
            type = TensorType(INT64, ())
            self.counts = Node(len(self.nodes), VARIABLE, args, "global_step", (type,), origin)
            self.nodes[self.counts.id] = self.counts
        return self.counts

    def exchange(self, node: Node) -> None:
        """Put a node in the place of the one with its number."""
        at = next(at for at, item in enumerate(self.items) if item is self.nodes[node.id])
        self.items[at] = self.nodes[node.id] = node

    def session_value(self, value: SessionValue, type: TensorType, origin: Origin) -> Ref:
        """A placeholder for the value that a name of the session has. Statements that need it feed it."""
        for ref, feed in self.session_fed.items():
            if feed.value == value and self.nodes[ref.node].outputs == (type,):
                return ref
        text = f"{value.name}.{value.field}" if value.field else value.name
        ref = Ref(self.add(PLACEHOLDER, {}, text.replace(".", "_"), (type,), origin))
        self.session_fed[ref] = Feed(ref, text, value, origin)
        return ref

    def add_modes(self, refs: Iterable[Ref]) -> None:
        """Record tensors that set the training mode or the drop rate of layers."""
        refs = list(refs)
        self.modes.update(refs)
        self.executions.ask(refs)

    def reach(self, refs: Iterable[Ref], fed: frozenset[Ref] = frozenset()) -> set[int]:
        """The nodes that computing `refs` executes, like `program.Graph.reach`."""
        return reach(self.nodes, self.controls, refs, fed)

    @contextmanager
    def apart(self):
        """Build variables and their initial values, which do not wait for open 'after' blocks."""
        outside = self.held
        if not outside:
            yield
            return
        self.held = ()
        self.items.append(Enter("apart"))
        try:
            yield
        finally:
            self.items.append(Exit())
            self.held = outside

    def on_servers(self) -> set[Ref]:
        """The variables that the program places on a cluster: in a `container`, or in a `device` with a job. They can
        have values before a session begins."""
        found: set[Ref] = set()
        scopes: list[bool] = []
        for item in self.items:
            match item:
                case Enter():
                    is_given = item.kind == "container" or (item.kind == "device" and "/job:" in item.name)
                    scopes.append(is_given or any(scopes[-1:]))
                case Exit():
                    scopes.pop()
                case Node() if item.is_variable and any(scopes[-1:]):
                    found.add(Ref(item.id))
        return found

    def carry(self, name: str, type: TensorType, origin: Origin) -> Node:
        """A node that stands for the value of a loop variable at the start of an iteration."""
        node = self.nodes[len(self.nodes)] = Node(len(self.nodes), CARRIED, {}, name, (type,), origin)
        return node

    @contextmanager
    def region(self):
        """Build into a separate list, which the `with` statement yields."""
        outside = self.items, self.held, self.naming
        self.items, self.held, self.regions, self.naming = [], (), self.regions + 1, Naming()
        try:
            yield self.items
        finally:
            (self.items, self.held, self.naming), self.regions = outside, self.regions - 1

    @contextmanager
    def trial(self):
        """Build nodes only to inspect them. The nodes, and what they say about named sizes, are removed afterwards
        unless `keep` of the trial is set."""
        items, nodes, bound, equals = len(self.items), len(self.nodes), len(self.bound), dict(self.sizes.equals)
        trial, names = Trial(), self.naming.mark()
        yield trial
        if trial.keep:
            return
        del self.items[items:], self.bound[bound:]
        self.naming.back_to(names)
        for scope in self.opened:
            scope.forget(nodes)
        if self.training is not None and self.training.id >= nodes:
            self.training = None
        if self.counts is not None and self.counts.id >= nodes:
            self.counts = None
        for id in range(nodes, len(self.nodes)):
            del self.nodes[id]
            self.controls.pop(id, None)
            self.met.pop(id, None)
            self.session_fed.pop(Ref(id), None)
        self.executions.forget(nodes)
        if self.inference is not None:
            self.inference.forget(nodes)
        self.sizes.equals = equals

    def key(self, arg: Arg) -> object:
        """A key of an argument. Arguments made in the same way have equal keys."""
        import hashlib

        below: set[int] = set()
        todo = list(refs_of(arg))
        while todo:
            id = todo.pop().node
            if id not in below:
                below.add(id)
                if not self.nodes[id].is_source:
                    todo += self.nodes[id].inputs()
        keys: dict[int, object] = {}
        for id in sorted(below):  # a node comes after its inputs
            made = self.nodes[id]
            if made.is_source:
                keys[id] = id
            else:
                parts = sorted((name, _part_key(part, keys)) for name, part in made.args.items())
                keys[id] = hashlib.sha256(repr((made.op, parts)).encode()).hexdigest()
        return _part_key(arg, keys)

    def rename(self, id: int, name: str, span: Span) -> None:
        """Give the last node a whole name. Raises `NameTaken` if another node has it."""
        self.naming.take(name, span)
        at = next(at for at in reversed(range(len(self.items))) if self.items[at] is self.nodes[id])
        self.items[at] = self.nodes[id] = replace(self.nodes[id], name=name, is_whole=True)

    @contextmanager
    def scope(self, scope: Space[ExprValue], name: str, reuse: bool = False):
        """Open a variable scope, like `tf.compat.v1.variable_scope`. `scope.path` ends in the name that
        `naming.unique` has for it."""
        outside = self.variable_scope, self.reuse, self.naming.scope
        self.variable_scope, self.reuse = (*outside[0], name), outside[1] or reuse
        self.naming.scope = "/".join(filter(None, (outside[2], scope.path[-1])))
        self.opened.append(scope)
        self.items.append(Enter("scope", name))
        try:
            yield
        finally:
            self.items.append(Exit())
            self.opened.pop()
            self.variable_scope, self.reuse, self.naming.scope = outside

    @contextmanager
    def taking_over(self, scope: Space[ExprValue], span: Span):
        """Let the next `variable` statements take the variables that an earlier call made, in their order."""
        made = [one for one in scope.made if isinstance(one, Tensor)]
        outside, self.taking = self.taking, Taking(scope, made, len(self.opened), span)
        try:
            yield self.taking
        finally:
            self.taking = outside

    def variable(self, node: Node) -> Tensor:
        """A variable of the graph as a value."""
        return Tensor(Ref(node.id), node.outputs[0], self.name, node.origin.span, True)

    def add_variable(self, variable: "Tensor", is_shared: bool) -> None:
        """Record a variable that a statement makes, shares or takes in the open scopes."""
        for scope in self.opened if self.taking is None or is_shared else self.opened[self.taking.depth :]:
            scope.variables[variable.ref.node] = variable
            if not is_shared:
                scope.made.append(variable)

    def dotted_name(self, id: int) -> str:
        """The shortest dotted name by which the program can reach a node inside a scope. "" if there is none."""
        names = [name for name, named in members(self.env) if named.value == Ref(id)]
        return min(names, key=len, default="")

    def finish(self) -> Graph:
        names: dict[str, Named] = {}
        for name, bindings in self.env.names.items():
            named = [as_named(binding.value, binding.span) for binding in bindings]
            first = named[0] if named else None
            if first is not None and all(one is not None and one.value == first.value for one in named):
                names[name] = first  # scopes that share a variable agree on its name
        for name, named in members(self.env):
            names.setdefault(name, named)
        items, training = tuple(self.items), None
        if self.training is not None:
            at, training = self.training_at, Ref(self.training.id)
            items = (*items[:at], self.training, *items[at:])
            names.setdefault("training", Named(training, self.training.origin.span))
        if self.counts is not None:
            items = (self.counts, *items)
            names.setdefault("global_step", Named(Ref(self.counts.id), self.counts.origin.span))
        signatures = tuple(one for one, _ in self.signatures.values())
        functions = tuple(self.functions.values())
        return Graph(self.name, self.seed, items, names, self.loss, training, signatures, self.version, functions)


def _part_key(arg: Arg, keys: Mapping[int, object]) -> str:
    match arg:
        case Ref(node, output):
            return repr((keys[node], output))
        case Pack(items) | Refs(items):
            return repr([_part_key(item, keys) for item in items])
        case Literal(value, dtype):
            return repr((value, dtype))
        case _:
            return repr(arg)


class RecomputedGradient(Record):
    """A gradient whose method computes the ys again after the node `last`."""

    method: str
    origin: Origin
    ys: tuple[Ref, ...]
    xs: tuple[Ref, ...]
    last: int
    results: frozenset[int]


class Always(Record):
    """A call of a layer that always runs in training mode. `bound` is the place that binds `training`, if that is the
    reason."""

    function: str
    bound: Span | None


class Analysis:
    """State shared by all passes over one program."""

    def __init__(self, path: str, inputs: CompileInputs, dispatch: Dispatch):
        self.dispatch = dispatch
        self.limits = inputs.limits
        self.bag = Bag(self.limits.errors)
        self.clock = inputs.clock or Clock(self.limits)
        self.folder = os.path.dirname(path) or "."
        self.access = inputs.access or Access(path)  # opens the paths that the program names
        self.given_params, self.given_data, self.origins = inputs.params, inputs.data, inputs.origins
        self.learned = inputs.learned  # by data sets, when a model was trained
        self.foreign = inputs.foreign or Foreign({}, None)  # ops that the caller adds, and TensorFlow's inference
        self.observer, self.opening, self.texts = inputs.observer, inputs.opening, inputs.texts
        self.outside = inputs.outside  # names from outside the text,
        self.taken = {}  # and the used ones
        self.params: list[Param] = []
        self.data: list[Data] = []
        self.constants: dict[tuple[str, str], Mapping[str, StoredConstant | DataError]] = {}  # by folder and path
        self.datasets: dict[str, DataValue] = {}
        self.pipelines: dict[str, Pipeline] = {} if inputs.read is None else inputs.read
        self.tree: t.Block = ()
        self.env = Env()
        self.graph = GraphBuilder("", self.env)
        self.graphs: dict[str, GraphBuilder] = {"": self.graph}
        self.again: dict[str, list[RecomputedGradient]] = {}  # by the name of the graph
        # by the chain of frames that leads to a call, and the call
        self.always: dict[tuple[tuple[Frame, ...], Span], Always] = {}
        self.prefix = ""  # of the names of params and data, in an imported file
        self.modules: dict[object, Env] = {}  # the names of imported files, by file identity
        self.importing: dict[object, str] = {}  # the files being imported
        with suppress(OSError, ValueError):  # a text has no folder
            self.importing[identity_of(os.stat(path))] = path
        self.reached: dict[int, tuple[Node, set[int]]] = {}  # by optimizer step, the variables that its loss reaches
        self.chain: tuple[Frame, ...] = ()
        self.remembered = 0  # statements that keep something for themselves
        self.targetless: set[str] = set()  # data whose missing target was reported
        self.nearly: set[tuple[str, str]] = set()  # columns whose few texts were reported
        self.refused: set[tuple[str, str]] = set()  # fields of data that were reported
        self.sound: set[tuple[str, str]] = set()  # those that can be made into arrays
        self.used: dict[tuple[str, str], Span] = {}  # those that expressions use, with the first place
        self.calling: list[t.Def] = []
        self.level, self.levels = 0, self.limits.levels  # nesting depth of expressions and blocks, and its limit
        self.unrolled = 0
        self.work = self._looked = 0  # units of work; the number at the last look at the clock
        self.allowed = self.limits.work  # units of work; grows with the text
        self.doubtful: set[str] = set()  # names that statements with syntax errors mention: they may bind them
        self.in_doubtful_blocks: set[str] = set()  # names that they mention below their first lines
        self.is_unread = False  # whether such a statement binds names that cannot be read
        self.is_partial = False  # whether there are such statements
        self.looks_ahead = False  # whether something depended on statements further down
        self.failed = 0  # statements that failed, including those that follow from other errors
        self.did_you_mean = Suggestions().did_you_mean

    def evaluate(self, env: Env, expr: t.Expr, name: str | None = None) -> ExprValue:
        """The value of an expression."""
        return self.dispatch.evaluate(self, env, expr, name)

    def block(self, env: Env, statements: t.Block) -> Returned | None:
        """Analyse statements in order, up to a `return`."""
        return self.dispatch.block(self, env, statements)

    def origin(self, span: Span) -> Origin:
        return Origin(span, self.chain)

    def diagnostic(
        self, message: Message, span: Span, notes: tuple[Note, ...] = (), help: str = "", **details: object
    ) -> Diagnostic:
        return Diagnostic(message, span, details, notes, help, self.chain).outside_libraries()

    def fail(
        self, message: Message, span: Span, notes: tuple[Note, ...] = (), help: str = "", **details: object
    ) -> NoReturn:
        """Report an error and abandon the statement."""
        raise StatementFailed(self.diagnostic(message, span, notes, help, **details))

    def report(
        self, message: Message, span: Span, notes: tuple[Note, ...] = (), help: str = "", **details: object
    ) -> None:
        """Report an error and continue."""
        self.bag.add(self.diagnostic(message, span, notes, help, **details))

    def warn(self, message: Message, origin: Origin, *notes: Note, help: str = "", **details: object) -> None:
        """Warn of a finished node or statement."""
        self.bag.add(Diagnostic(message, origin.span, details, notes, help, origin.chain).outside_libraries())

    def both(self, first: StatementFailed | None, second: StatementFailed) -> StatementFailed:
        """Combine the failures of two parts of a statement. If both have a diagnostic, report one of them here."""
        if first is None or first.diagnostic is None:
            return second
        if second.diagnostic is not None:
            self.bag.add(second.diagnostic)
        return first

    def each(self, action: Callable[[_One], _Made], parts: Iterable[_One]) -> list[_Made]:
        """The results of an action on each part of a statement. An error in one part does not hide errors in the
        others."""
        made: list[_Made] = []
        failure: StatementFailed | None = None
        for part in parts:
            try:
                made.append(action(part))
            except StatementFailed as abandoned:
                failure = self.both(failure, abandoned)
        if failure is not None:
            raise failure
        return made

    def together(self, *actions: Callable[[], Any]) -> list[Any]:  # the result of each action
        """The results of actions on the parts of a statement. An error in one part does not hide errors in the
        others."""
        return self.each(lambda action: action(), actions)

    def begin(self, tree: t.File) -> None:
        """Report the syntax errors of a file, before its analysis."""
        for error in tree.errors:
            self.bag.add(replace(error, chain=self.chain))
        self.is_partial |= bool(tree.errors)
        for one in broken(tree.body) if tree.errors else ():
            _, _, below = one.span.text.partition("\n")
            self.doubtful.update(_NAMES.findall(one.span.text))
            self.in_doubtful_blocks.update(_NAMES.findall(below))
            self.is_unread |= one.is_unread

    def is_doubtful(self, name: str) -> bool:
        """Whether a statement with a syntax error may bind a name that is unknown otherwise. Scopes of calls are
        numbered."""
        return self.is_unread or name in self.doubtful or re.sub(r"_\d+$", "", name) in self.doubtful

    def elsewhere(self, name: str, at: Span) -> tuple[Note, ...]:
        """A note on an unknown name that is bound elsewhere in the file."""
        for target, owner in declared(self.tree) if self.tree else ():
            if target.id != name or target.span.source != at.source:
                continue
            if isinstance(owner, t.Graph) and owner.target.id != self.graph.name:
                return (Note(f"'{name}' on line {{line}} is a name of graph '{owner.target.id}'", target.span),)
            if isinstance(owner, t.While):
                return (Note(f"'{name}' on line {{line}} is known only inside its 'while'", target.span),)
            if isinstance(owner, t.Def) and all(owner is not one for one in self.calling):
                return (Note(f"'{name}' on line {{line}} is known only in {owner.target.id}: return it", target.span),)
            if target.span.start > at.start:
                return (Note(f"'{name}' is bound later, on line {{line}}", target.span),)
            return (Note(f"'{name}' is bound on line {{line}}, which is not reached", target.span),)
        return ()

    def use(self, value: _Made, span: Span, name: str = "") -> _Made:
        """Return a value if this graph can use it. `name` is what the program calls it, by default the text there."""
        if type(value) in PLAIN or (type(value) is Tensor and value.graph == self.graph.name):  # the usual cases
            return value
        if isinstance(value, ErrorValue):
            raise StatementFailed(None)
        if isinstance(value, Unbound) and self.is_doubtful(name):
            raise StatementFailed(None)
        if isinstance(value, Unbound):
            note = Note(value.why, value.place)
            self.fail(MAY_BE_UNBOUND, span, (note,), value.help, name=name or span.text[:40])
        if isinstance(value, NodeValue) and value.graph != self.graph.name:
            if self.is_doubtful(name):
                raise StatementFailed(None)
            theirs = self.graphs[value.graph].shown
            self.fail(OTHER_GRAPH, span, name=name or span.text[:40], theirs=theirs, ours=self.graph.shown)
        return value

    @contextmanager
    def entering(self, what: str, span: Span):
        """Enter a call or an import. Errors inside show it."""
        outside = self.chain
        self.chain = (*outside, (what, span))
        try:
            yield
        finally:
            self.chain = outside

    def spend(self, work: int, span: Span) -> None:
        """Count work done for the program; stop the analysis if it is too much."""
        self.work += work
        if self.work > self._looked + _LOOK:
            self.look(span)

    def look(self, span: Span) -> None:
        """Stop the analysis if it has done too much work."""
        if self.work > self._looked + _LOOK:
            self._looked = self.work
            if self.work > self.allowed:
                self.give_up(WORK_LARGE, span, more=10 * self.limits.unroll)
            if self.clock.is_over:
                self.give_up(TIME_LONG, span, seconds=self.clock.seconds)

    def executed(
        self, graph: GraphBuilder | Graph, refs: Iterable[Ref], span: Span, fed: Iterable[Ref] = ()
    ) -> Reached:
        """What a statement executes that computes `refs` and feeds the tensors in `fed`."""
        executions = self.graphs[graph.name].executions
        before = executions.work
        found = executions.of(refs, fed)
        self.spend(1 + executions.work - before, span)
        return found

    def count_anew(self) -> None:
        """Restart the count: the check is over, and nodes added from now on have their own limits of time and work."""
        self.clock, self.work, self._looked = Clock(self.limits), 0, 0

    def give_up(self, message: Message, span: Span, **details: Any) -> NoReturn:  # keywords of any type
        """Stop the check with the errors found so far and this one."""
        raise TfgError([*self.bag.ordered(), self.diagnostic(message, span, **details)])

    def repeat(self, times: int, span: Span) -> None:
        """Count loop iterations and function calls."""
        self.unrolled += times
        if self.unrolled > self.limits.unroll:
            self.fail(UNROLLED, span, limit=self.limits.unroll)

    def with_depth(self, function: Callable[_P, _Made], span: Span, *arguments: _P.args, **named: _P.kwargs) -> _Made:
        """Call a function one nesting level deeper in the program. `span` is the code it works on."""
        if self.work > self._looked + _LOOK:
            self.look(span)
        if self.level >= self.levels:
            self.fail(TOO_DEEP, span, limit=self.levels)
        self.level += 1
        try:
            if self.level % LEVELS:
                return function(*arguments, **named)
            return on_own_stack(function, *arguments, **named)
        except NoStack:
            help = "the system has no memory for more: give names to the inner parts"
            self.fail(TOO_DEEP, span, help=help, limit=self.level)
        finally:
            self.level -= 1

    def abandon(self, failure: StatementFailed) -> None:
        """Report the error of a statement, and continue with the next one."""
        self.failed += 1
        self.work += 50
        _forget(failure)
        if failure.diagnostic is not None:
            self.bag.add(failure.diagnostic)
