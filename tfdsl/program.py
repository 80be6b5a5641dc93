"""The typed program: what the analysis makes and everything after it reads.

The graph half is a flat list a graph: nodes in the order in which they are built, and the scopes
they stand in as `Enter` and `Exit`. Loops are unrolled, functions inlined, shared variables
resolved; every tensor has its type. The plan half is the statements of the sessions, whose names
are references to nodes. Nothing here is TensorFlow's or NumPy's.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .diagnostics import Frame
from .record import Record
from .source import Span
from .types import Shape, TensorType

# --- values -----------------------------------------------------------------------------------


class Origin(Record):
    """Where something stands in the user's text, and the calls and imports that lead there."""

    span: Span
    chain: tuple[Frame, ...] = ()


class Ref(Record):
    """An output of a node of the same graph."""

    node: int
    output: int = 0


class Literal(Record):
    """A value known while compiling that becomes a tensor of this dtype: a number or nested tuples."""

    value: object
    dtype: str


class Static(Record):
    """A value known while compiling that stays one: an axis, a flag, a dtype's name."""

    value: object


class Field(Record):
    """An array of a `data` declaration: `housing.train.features[:5]`.

    `part` is "", "train" or "test"; `field` is features or target; `index` is integers and
    (start, stop, step) triples, applied in order to the axes. An array with a name from outside of
    the text has neither part nor field.
    """

    data: str
    part: str
    field: str
    index: tuple[object, ...] = ()

    def __str__(self) -> str:
        path = ".".join(filter(None, (self.data, self.part, self.field)))
        return f"{path}[{', '.join(map(_index_text, self.index))}]" if self.index else path


def _index_text(item: object) -> str:
    """An index as the program writes it: `3`, `:5`, `::2`."""
    if not isinstance(item, tuple):
        return str(item)
    start, stop, step = ("" if part is None else str(part) for part in item)
    return f"{start}:{stop}" + (f":{step}" if step else "")


class Pack(Record):
    """A list of which at least one element is a tensor, packed along a new first axis."""

    items: tuple["Arg", ...]
    dtype: str


class Refs(Record):
    """A list of tensors given as a list."""

    items: tuple["Arg", ...]


Arg = Ref | Literal | Static | Field | Pack | Refs


def refs_of(arg: Arg) -> Iterator[Ref]:
    """The references in an argument."""
    if isinstance(arg, Ref):
        yield arg
    elif isinstance(arg, (Pack, Refs)):
        for item in arg.items:
            yield from refs_of(item)


# --- the graph half ---------------------------------------------------------------------------


_VARIABLES = ("variable", "shared")


class Node(Record):
    """One op: `op` is a row of the op table, or placeholder, variable, shared, optimize, summary, index, while, cond;
    `raw.Roll` is an op of TensorFlow's own, `python.smooth` a function that the caller of the compiler gives.

    `name` is the name that the program gives it; without one it takes `default`, which operators have (`sub`),
    or else TensorFlow's own. `args` holds only what was given. `outputs` is empty for an operation without output.
    """

    id: int
    op: str
    args: Mapping[str, Arg]
    name: str | None
    outputs: tuple[TensorType, ...]
    origin: Origin
    default: str = ""
    regions: "tuple[Region, ...]" = ()

    @property
    def is_variable(self) -> bool:
        """Whether it is a variable, one that a scope may share or not."""
        return self.op in _VARIABLES

    @property
    def is_source(self) -> bool:
        """Whether its value comes from outside of the graph: two of them are never the same."""
        return self.is_variable or self.op == "placeholder"

    @property
    def is_trainable(self) -> bool:
        """Whether it is a variable that optimizers train unless `wrt` names others."""
        is_number = self.is_variable and self.outputs[0].dtype.kind in ("float", "complex")
        return is_number and self.args.get("trainable") != Static(False)

    def inside(self) -> "Iterator[Node]":
        """The nodes of its regions, and of the regions in these."""
        for region in self.regions:
            yield from region.params
            for item in region.items:
                if isinstance(item, Node):
                    yield item
                    yield from item.inside()

    def inputs(self) -> Iterator[Ref]:
        """What the node is made from; of one with regions also what the nodes in them are."""
        for arg in self.args.values():
            yield from refs_of(arg)
        for region in self.regions:
            yield from region.inputs()


class Region(Record):
    """Graph code that a node runs never, once or often: the condition and the body of a `while` node, the two
    branches of a `cond` node.

    `params` are nodes `carried`, which stand for the values that a turn begins with; `results` are what it ends
    with. Nodes of the graph around can be used in it, but none of it outside.
    """

    params: tuple[Node, ...]
    items: "tuple[Item, ...]"
    results: tuple[Arg, ...]

    def inputs(self) -> Iterator[Ref]:
        for arg in self.results:
            yield from refs_of(arg)
        for item in self.items:
            match item:
                case Node():
                    yield from item.inputs()
                case Enter():
                    yield from item.refs


class Enter(Record):
    """The start of a scope: `kind` is scope (also a call of a function, by its name), after, device, container, or
    apart, in which nothing waits for the `after` blocks around it."""

    kind: str
    name: str = ""
    refs: tuple[Ref, ...] = ()


class Exit(Record):
    """The end of the innermost open scope."""


Item = Node | Enter | Exit


class Named(Record):
    """What a name of the program stands for: a node's output, several, or a value known while compiling."""

    value: Ref | Refs | Static
    span: Span


@dataclass(frozen=True)
class Graph:
    """One graph. `name` is "" for the default one. `names` has bare and qualified names (`loss.mse`)."""

    name: str
    seed: int | None
    items: tuple[Item, ...]
    names: Mapping[str, Named]
    loss: Ref | None = None
    training: Ref | None = None  # the bool that the language feeds, where something uses it

    def __post_init__(self) -> None:
        nodes: dict[int, Node] = {}
        controls: dict[int, tuple[Ref, ...]] = {}

        def collect(items: tuple[Item, ...]) -> None:
            stack: list[tuple[Ref, ...]] = [()]
            for item in items:
                match item:
                    case Enter(kind="apart"):
                        stack.append(())
                    case Enter():
                        stack.append((*stack[-1], *item.refs))
                    case Exit():
                        stack.pop()
                    case Node():
                        for region in item.regions:
                            nodes.update((param.id, param) for param in region.params)
                            collect(region.items)
                        nodes[item.id] = item
                        if stack[-1]:
                            controls[item.id] = stack[-1]

        collect(self.items)
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "_controls", controls)

    nodes: Mapping[int, Node] = field(init=False, compare=False, repr=False)  # those in regions too

    def of(self, *ops: str) -> list[Node]:
        """The nodes of some ops, in the program's order."""
        return [node for node in self.nodes.values() if node.op in ops]

    def variables(self) -> list[Node]:
        """The variables, in the program's order."""
        return self.of(*_VARIABLES)

    def type(self, ref: Ref) -> TensorType | None:
        """The type of a tensor, None for an operation."""
        outputs = self.nodes[ref.node].outputs
        return outputs[ref.output] if outputs else None

    def is_after(self, node: Node) -> bool:
        """Whether a node stands in an `after`."""
        return node.id in self._controls

    def controls(self, node: Node) -> tuple[Ref, ...]:
        """What the `after` blocks around a node wait for."""
        return self._controls.get(node.id, ())

    def reach(self, refs, fed: frozenset[Ref] = frozenset()) -> set[int]:
        """The nodes that computing `refs` executes when the tensors in `fed` are fed.

        A variable counts, but not what made its initial value, which runs once, when it is initialised.
        """
        return reach(self.nodes, self._controls, refs, fed)


STEPS = ("optimize",)  # the ops that take a step of a training


def takes_step(nodes: Mapping[int, Node], reached: Iterable[int]) -> bool:
    """Whether an execution of these nodes takes the step of an optimizer, so that `training` is true in it."""
    return any(nodes[id].op in STEPS for id in reached)


def reach(
    nodes: Mapping[int, Node], controls: Mapping[int, tuple[Ref, ...]], refs, fed: frozenset[Ref] = frozenset()
) -> set[int]:
    """`Graph.reach`, also for a graph that is not finished; `controls` has what each node comes after."""
    seen: set[int] = set()
    todo = [ref for ref in refs if ref not in fed]
    while todo:
        ref = todo.pop()
        if ref.node in seen:
            continue
        seen.add(ref.node)
        node = nodes[ref.node]
        if not node.is_variable:
            todo += [r for r in node.inputs() if r not in fed]
        todo += [r for r in controls.get(ref.node, ()) if r not in fed]
    return seen


# --- the plan half ----------------------------------------------------------------------------


class Value(Record):
    """A value known while compiling."""

    value: object


class Fetch(Record):
    """The value of a tensor when the statement runs."""

    ref: Ref


class Counter(Record):
    """epoch or step of the loop, or now, the time at which the session began."""

    name: str


class BatchField(Record):
    """features, target or rows of the loop's current batch; `index` as in `Field`."""

    field: str
    index: tuple[object, ...] = ()


class Apply(Record):
    """An operator on values outside the graph: an arithmetic sign, a comparison, and, or, not, if."""

    op: str
    args: tuple["PlanExpr", ...]


class Template(Record):
    """A string with values in it; parts are text and expressions."""

    parts: tuple[object, ...]


def known_text(expr: "PlanExpr") -> str | None:
    """The text that a path is in every run; None where it depends on the run."""
    match expr:
        case Value():
            return expr.value
        case Template() if all(isinstance(part, str) for part in expr.parts):
            return "".join(expr.parts)
    return None


PlanExpr = Value | Fetch | Counter | Field | BatchField | Apply | Template


def fetches_of(expr: PlanExpr) -> Iterator[Ref]:
    """The tensors that an expression needs."""
    if isinstance(expr, Fetch):
        yield expr.ref
    elif isinstance(expr, Apply):
        for arg in expr.args:
            yield from fetches_of(arg)
    elif isinstance(expr, Template):
        for part in expr.parts:
            if not isinstance(part, str):
                yield from fetches_of(part)


class Shown(Record):
    """An expression with its text in the program."""

    text: str
    value: PlanExpr


class Feed(Record):
    """A tensor and what it is fed; `text` is its name in the program."""

    ref: Ref
    text: str
    value: PlanExpr
    origin: Origin


class Uses(Record):
    """What a statement uses by itself, and the statements that stand in it, which speak for themselves.

    `runs` is executed, and the tensors of `values` are fetched, in one execution that is fed `feeds`. `initialises` are
    the variables that the statement may initialise, None for all. `path` is that of a file or folder.
    """

    runs: tuple[Ref, ...] = ()
    values: tuple[PlanExpr, ...] = ()
    feeds: tuple[Feed, ...] = ()
    initialises: tuple[Ref, ...] | None = ()
    path: PlanExpr | None = None
    body: tuple["Statement", ...] = ()

    @property
    def executes(self) -> list[Ref]:
        """What is run or fetched."""
        return [*self.runs, *(ref for value in self.values for ref in fetches_of(value))]


class Statement(Record):
    """A statement of a session. Each class says what it uses, and whether it can be part of a training loop inside the
    graph. A class that leaves one of them out does not load."""

    origin: Origin

    def __init_subclass__(cls) -> None:
        for name in ("uses", "is_in_graph"):
            if name not in cls.__dict__:
                raise TypeError(f"the statement {cls.__name__} does not say {name}")

    if TYPE_CHECKING:

        def uses(self) -> Uses: ...

        def is_in_graph(self) -> bool: ...


class Init(Statement):
    """Initialise these variables; all of them where `variables` is None."""

    variables: tuple[Ref, ...] | None

    def uses(self) -> Uses:
        return Uses(initialises=self.variables)

    def is_in_graph(self) -> bool:
        return False


class Restore(Statement):
    """Read variables from a checkpoint: pairs of a variable and its name there; all where None."""

    path: PlanExpr
    pairs: tuple[tuple[Ref, str], ...] | None
    if_exists: bool

    def uses(self) -> Uses:
        return Uses(initialises=None if self.if_exists else (), path=self.path)

    def is_in_graph(self) -> bool:
        return False


class Save(Statement):
    path: PlanExpr
    pairs: tuple[tuple[Ref, str], ...] | None

    def uses(self) -> Uses:
        return Uses(path=self.path)

    def is_in_graph(self) -> bool:
        return False


class Run(Statement):
    refs: tuple[Ref, ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(runs=self.refs, feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Print(Statement):
    items: tuple[Shown, ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=tuple(item.value for item in self.items), feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Set(Statement):
    variable: Ref
    value: PlanExpr
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=(self.value,), feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return False


class LogTo(Statement):
    path: PlanExpr

    def uses(self) -> Uses:
        return Uses(path=self.path)

    def is_in_graph(self) -> bool:
        return False


class Log(Statement):
    summaries: tuple[Ref, ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(runs=self.summaries, feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Expect(Statement):
    condition: PlanExpr
    text: str
    sides: tuple[Shown, ...]
    within: PlanExpr | None
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        within = () if self.within is None else (self.within,)
        return Uses(values=(self.condition, *(side.value for side in self.sides), *within), feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Stop(Statement):
    condition: PlanExpr
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=(self.condition,), feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Export(Statement):
    """Write a SavedModel: pairs of a name in its signature and the tensor, for what it gives and what it takes."""

    path: PlanExpr
    outputs: tuple[tuple[str, Ref], ...]
    inputs: tuple[tuple[str, Ref], ...]

    def uses(self) -> Uses:
        return Uses(path=self.path)

    def is_in_graph(self) -> bool:
        return False


class Checkpoint(Statement):
    count: int | float
    unit: str
    path: PlanExpr

    def uses(self) -> Uses:
        return Uses(path=self.path)

    def is_in_graph(self) -> bool:
        return False


class Every(Statement):
    count: int | float
    unit: str
    body: tuple[Statement, ...]

    def uses(self) -> Uses:
        return Uses(body=self.body)

    def is_in_graph(self) -> bool:
        return self.unit != "second" and all(one.is_in_graph() for one in self.body)


ENGINES = ("step", "loop", "xla", "auto")
ON_NAN = ("stop", "ignore")


class Train(Statement):
    """A training loop. `body` ends with a `Run` for each optimizer where the program runs none itself.

    `data` is a dataset and its part ("housing", "train"), None for a loop without data; `size` is the
    number of rows of a batch, None for all of them. `engine` is one of `ENGINES`, `on_nan` of `ON_NAN`, which
    says what becomes of the training when its loss is not a number; "" where the program leaves them open.
    """

    count: int
    unit: str
    data: tuple[str, str] | None
    size: int | None
    order: str
    seed: int
    body: tuple[Statement, ...]
    engine: str = ""
    on_nan: str = ""

    def uses(self) -> Uses:
        return Uses(body=self.body)

    def is_in_graph(self) -> bool:
        return False


class Session(Record):
    """One session: `initialise` tells whether every variable is initialised when it opens."""

    name: str
    graph: str
    initialise: bool
    body: tuple[Statement, ...]
    origin: Origin


def walk(statements: tuple[Statement, ...]) -> Iterator[Statement]:
    """All statements, those in loops after the loop's own."""
    for statement in statements:
        yield statement
        yield from walk(statement.uses().body)


# --- the whole --------------------------------------------------------------------------------


class Param(Record):
    name: str
    type: str  # int, float, bool, str, list or none
    value: object


class DataStage(Record):
    """A source or a transform with all its arguments."""

    name: str
    arguments: Mapping[str, object]


class Data(Record):
    """A `data` declaration; paths in it are relative to `folder`."""

    name: str
    source: DataStage
    transforms: tuple[DataStage, ...]
    folder: str
    rows: int
    columns: int
    origin: Origin


@dataclass(frozen=True)
class Program:
    """A checked program."""

    path: str
    params: tuple[Param, ...]
    data: tuple[Data, ...]
    graphs: tuple[Graph, ...]
    sessions: tuple[Session, ...]

    def graph(self, name: str = "") -> Graph:
        return next(g for g in self.graphs if g.name == name)


def checkpoint_folders(program: Program, only: str | None = None) -> dict[str, Origin]:
    """The folders that a program's trainings, or those of one session, keep checkpoints in, with where it says so."""
    result: dict[str, Origin] = {}
    for session in program.sessions:
        for statement in walk(session.body) if only in (None, session.name) else ():
            if isinstance(statement, Checkpoint):
                result.setdefault(known_text(statement.path), statement.origin)
    return result


def shape_known(shape: Shape) -> bool:
    """Whether every size is a number."""
    return shape is not None and all(isinstance(dim, int) for dim in shape)
