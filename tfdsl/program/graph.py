"""The graph half of the typed program: values, nodes in the order in which they are built, and their scopes.

Loops are unrolled, functions inlined, shared variables resolved; every tensor has its type.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard, assert_never

from ..diagnostics import Frame
from ..ops import OPS, raw
from ..ops.op import Op
from ..record import Record
from ..source import Span
from ..types import Shape, TensorType

# --- values -----------------------------------------------------------------------------------


class Origin(Record):
    """Where something stands in the user's text, and the calls and imports that lead there."""

    span: Span
    chain: tuple[Frame, ...] = ()

    @property
    def outside_libraries(self) -> Span:
        """The place; for what a library makes, the call of it."""
        places = [*(span for _, span in self.chain), self.span]
        return next((span for span in reversed(places) if not span.source.is_library), self.span)


class Ref(Record):
    """An output of a node of the same graph."""

    node: int
    output: int = 0


# A value known while compiling. Sequences are tuples.
HostValue: TypeAlias = "bool | int | float | complex | str | tuple[HostValue, ...] | None"


class Literal(Record):
    """A value known while compiling that becomes a tensor of this dtype: a number or nested tuples."""

    value: HostValue
    dtype: str


class Static(Record):
    """A value known while compiling that stays one: an axis, a flag, a dtype's name."""

    value: HostValue


# An index of one axis: a place, or (start, stop, step).
Index = int | tuple[int | None, int | None, int | None]


class Field(Record):
    """An array of a `data` declaration: `housing.train.features[:5]`.

    `part` is "", "train" or "test"; `field` is features or target; `index` is integers and
    (start, stop, step) triples, applied in order to the axes. An array with a name from outside of
    the text has neither part nor field.
    """

    data: str
    part: str
    field: str
    index: tuple[Index, ...] = ()

    def __str__(self) -> str:
        path = ".".join(filter(None, (self.data, self.part, self.field)))
        return f"{path}[{', '.join(map(_index_text, self.index))}]" if self.index else path


def _index_text(item: Index) -> str:
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


# What nodes are that no row of the op table describes. A function that the caller gives is `python.smooth`.
PLACEHOLDER, VARIABLE, SHARED, OPTIMIZE, SUMMARY = "placeholder", "variable", "shared", "optimize", "summary"
INDEX, WHILE, COND, CARRIED = "index", "while", "cond", "carried"
PYTHON = "python."


class Node(Record):
    """One op: `op` is a row of the op table, or one of the names above; `raw.Roll` is a TensorFlow op,
    `python.smooth` a function that the caller of the compiler gives.

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
    def row(self) -> Op | None:
        """The row of the op table that describes it, if one does."""
        return OPS.get(self.op)

    @property
    def shown(self) -> str:
        """Its name, or what it does if it has none."""
        return self.name or self.op

    @property
    def raw_op(self) -> raw.RawOp | None:
        """The TensorFlow op that it is, if it is one."""
        return raw.find(self.op.removeprefix(raw.PREFIX)) if self.op.startswith(raw.PREFIX) else None

    @property
    def function(self) -> str:
        """The name of the caller's function that it calls; empty if it calls none."""
        return self.op.removeprefix(PYTHON) if self.op.startswith(PYTHON) else ""

    @property
    def is_variable(self) -> bool:
        """Whether it is a variable, one that a scope may share or not."""
        return self.op == VARIABLE or self.op == SHARED

    @property
    def is_shared(self) -> bool:
        """Whether it is a variable that a scope shares."""
        return self.op == SHARED

    @property
    def is_placeholder(self) -> bool:
        return self.op == PLACEHOLDER

    @property
    def is_source(self) -> bool:
        """Whether its value comes from outside of the graph: two of them are never the same."""
        return self.is_variable or self.is_placeholder

    @property
    def is_carried(self) -> bool:
        """Whether it stands for a value that a turn of a loop, or a branch, begins with."""
        return self.op == CARRIED

    @property
    def is_index(self) -> bool:
        """Whether it is `x[...]`."""
        return self.op == INDEX

    @property
    def is_step(self) -> bool:
        """Whether it takes a step of an optimizer."""
        return self.op == OPTIMIZE

    @property
    def is_summary(self) -> bool:
        return self.op == SUMMARY

    @property
    def is_loop(self) -> bool:
        return self.op == WHILE

    @property
    def is_branch(self) -> bool:
        return self.op == COND

    @property
    def is_trainable(self) -> bool:
        """Whether it is a variable that optimizers train unless `wrt` names others."""
        is_number = self.is_variable and self.outputs[0].dtype.kind in ("float", "complex")
        return is_number and self.static("trainable", True) is not False

    @property
    def given_name(self) -> str:
        """The name that the program gives it, as it does to a variable or placeholder."""
        assert self.name is not None, f"{self.op}: it has no name"
        return self.name

    def ref(self, name: str) -> Ref:
        """The argument of this name, which is a tensor."""
        arg = self.args[name]
        assert isinstance(arg, Ref), f"{self.op}: {name} is {arg}"
        return arg

    def items(self, name: str) -> tuple[Arg, ...]:
        """The elements of the argument of this name, which is a list of tensors."""
        arg = self.args[name]
        assert isinstance(arg, Refs), f"{self.op}: {name} is {arg}"
        return arg.items

    def refs(self, name: str) -> tuple[Ref, ...]:
        """The elements of the argument of this name, which are tensors of the graph."""
        return tuple(item for item in self.items(name) if isinstance(item, Ref))

    def static(self, name: str, default: HostValue = None) -> HostValue:
        """The argument of this name, which is known while compiling; `default` if it is not given."""
        arg = self.args.get(name, Static(default))
        assert isinstance(arg, (Static, Literal)), f"{self.op}: {name} is {arg}"
        return arg.value

    def text(self, name: str, default: str = "") -> str:
        """The argument of this name, which is a string."""
        value = self.static(name, default)
        assert isinstance(value, str), f"{self.op}: {name} is {value}"
        return value

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
                case Exit():
                    pass
                case _:
                    assert_never(item)


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
                    case _:
                        assert_never(item)

        collect(self.items)
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "_controls", controls)

    nodes: Mapping[int, Node] = field(init=False, compare=False, repr=False)  # those in regions too
    _controls: Mapping[int, tuple[Ref, ...]] = field(init=False, compare=False, repr=False)

    def variables(self) -> list[Node]:
        """The variables, in the program's order."""
        return [node for node in self.nodes.values() if node.is_variable]

    def placeholders(self) -> list[Node]:
        """The placeholders, in the program's order."""
        return [node for node in self.nodes.values() if node.is_placeholder]

    def steps(self) -> list[Node]:
        """The steps of optimizers, in the program's order."""
        return [node for node in self.nodes.values() if node.is_step]

    def summaries(self) -> list[Node]:
        """The summaries, in the program's order."""
        return [node for node in self.nodes.values() if node.is_summary]

    def type(self, ref: Ref) -> TensorType | None:
        """The type of a tensor, None for an operation."""
        outputs = self.nodes[ref.node].outputs
        return outputs[ref.output] if outputs else None

    def tensor_type(self, ref: Ref) -> TensorType:
        """The type of what is no operation."""
        type = self.type(ref)
        assert type is not None, f"{self.nodes[ref.node].op} is an operation"
        return type

    def is_after(self, node: Node) -> bool:
        """Whether a node stands in an `after`."""
        return node.id in self._controls

    def controls(self, node: Node) -> tuple[Ref, ...]:
        """What the `after` blocks around a node wait for."""
        return self._controls.get(node.id, ())

    def reach(self, refs: Iterable[Ref], fed: frozenset[Ref] = frozenset()) -> set[int]:
        """The nodes that computing `refs` executes when the tensors in `fed` are fed.

        A variable counts, but not what made its initial value, which runs once, when it is initialised.
        """
        return reach(self.nodes, self._controls, refs, fed)


def takes_step(nodes: Mapping[int, Node], reached: Iterable[int]) -> bool:
    """Whether an execution of these nodes takes the step of an optimizer, so that `training` is true in it."""
    return any(nodes[id].is_step for id in reached)


def reach(
    nodes: Mapping[int, Node],
    controls: Mapping[int, tuple[Ref, ...]],
    refs: Iterable[Ref],
    fed: frozenset[Ref] = frozenset(),
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


def shape_known(shape: Shape) -> TypeGuard[tuple[int, ...]]:
    """Whether every size is a number."""
    return shape is not None and all(isinstance(dim, int) for dim in shape)
