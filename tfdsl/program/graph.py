"""The graph half of the typed program: values, nodes in build order, and scopes.

Loops are unrolled, functions inlined and shared variables resolved. Every tensor has its type.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard, assert_never

from ..diagnostics import Frame
from ..ops import OPS, raw
from ..ops.forbidden_ops import keeps, may_be_executed
from ..ops.forbidden_ops import reach as reach_of
from ..ops.named import GRADIENTS
from ..ops.op import Op
from ..ops.optimizers import OPTIMIZERS
from ..record import Record, field
from ..source import Span
from ..types import Shape, TensorType

# --- values -----------------------------------------------------------------------------------


class Origin(Record):
    """A place in the user's text, with the calls and imports that lead there."""

    span: Span
    chain: tuple[Frame, ...] = ()

    @property
    def outside_libraries(self) -> Span:
        """The place. Inside a library, the place of the library call."""
        places = [*(span for _, span in self.chain), self.span]
        return next((span for span in reversed(places) if not span.source.is_library), self.span)


class Ref(Record):
    """An output of a node in the same graph."""

    node: int
    output: int = 0


# A compile-time value. Sequences are tuples.
HostValue: TypeAlias = "bool | int | float | complex | str | bytes | tuple[HostValue, ...] | None"
ListedValue: TypeAlias = "bool | int | float | complex | str | bytes | list[ListedValue] | None"


def thaw(value: HostValue) -> ListedValue:
    """The value with lists for all sequences, as the program writes them."""
    return [thaw(item) for item in value] if isinstance(value, tuple) else value


def frozen(value: ListedValue) -> HostValue:
    """The value with tuples for all lists."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


class Literal(Record):
    """A compile-time value that becomes a tensor of this dtype: a number or nested tuples."""

    value: HostValue
    dtype: str


class Static(Record):
    """A compile-time value that is not a tensor: an axis, a flag, the name of a dtype."""

    value: HostValue


# An index of one axis: a position, or (start, stop, step).
Index = int | tuple[int | None, int | None, int | None]


class Field(Record):
    """An array of a `data` declaration: `housing.train.features[:5]`.

    `part` is "", "train" or "test". `field` is features or target. `index` has integers and (start, stop, step)
    triples, applied to the axes in order. An array with a name from outside the text has no part and no field.
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
    """A list with at least one tensor, packed along a new first axis."""

    items: tuple["Arg", ...]
    dtype: str


class Refs(Record):
    """A list of tensors that stays a list."""

    items: tuple["Arg", ...]


class Back(Record):
    """An output of a node further down that goes back into a TensorFlow 1 loop."""

    value: Ref


Arg = Ref | Literal | Static | Field | Pack | Refs | Back


def refs_of(arg: Arg) -> list[Ref]:
    """The references in an argument."""
    match arg:
        case Ref():
            return [arg]
        case Literal() | Static() | Field() | Back():
            return []
        case Pack(items=items) | Refs(items=items):
            return [ref for item in items for ref in refs_of(item)]
        case _:
            assert_never(arg)


def filled(arg: Arg, value: Callable[[Ref], Any]) -> Any:  # whatever `value` gives, a list of such, or a host value
    """What a name stands for, for a caller: the `value` of a reference, a list of such, or a compile-time value."""
    match arg:
        case Ref():
            return value(arg)
        case Refs(items):
            return [filled(item, value) for item in items]
        case Static(known):
            return thaw(known)
        case _:
            raise AssertionError(arg)


# --- the graph half ---------------------------------------------------------------------------


# Node kinds without a row in the op table. A Python function of the caller is `python.smooth`.
PLACEHOLDER, VARIABLE, SHARED, SUMMARY = "placeholder", "variable", "shared", "summary"
OPTIMIZE, APPLY = "optimize", "apply"
INDEX, WHILE, COND, CARRIED = "index", "while", "cond", "carried"
PYTHON = "python."


_MERGES = frozenset(raw.PREFIX + name for name in raw.MERGES)


class Node(Record):
    """One op. `op` names a row of the op table or one of the kinds above; `raw.Roll` is a TensorFlow op,
    `python.smooth` a Python function of the compiler's caller.

    `name` is the name in the program. A node without a name uses `default`, such as `sub` for operators, or else
    TensorFlow's name. `args` holds only the given arguments. `outputs` is empty for an operation without outputs.
    """

    id: int
    op: str
    args: Mapping[str, Arg]
    name: str | None
    outputs: tuple[TensorType, ...]
    origin: Origin
    default: str = ""
    regions: "tuple[Region, ...]" = ()
    is_whole: bool = False  # the name stands as it is, outside all scopes
    # What passes over all nodes ask for, kept since a property takes several times as long.
    row: Op | None = field(init=False)  # the row of the op table for it
    is_variable: bool = field(init=False)  # whether it is a variable, shared or not
    _inputs: tuple[Ref, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", OPS.get(self.op))
        object.__setattr__(self, "is_variable", self.op == VARIABLE or self.op == SHARED)
        found: list[Ref] = []
        for arg in self.args.values():
            if type(arg) is Ref:  # the usual case
                found.append(arg)
            else:
                found += refs_of(arg)
        for region in self.regions:
            found += region.inputs()
        object.__setattr__(self, "_inputs", tuple(found))

    @property
    def shown(self) -> str:
        """Its name, or its op if it has none."""
        return self.name or self.op

    @property
    def table_row(self) -> Op:
        """The row that describes it, of a node that one does."""
        assert self.row is not None, f"{self.op} is no op of the table"
        return self.row

    @property
    def raw_op(self) -> raw.RawOp | None:
        """The raw TensorFlow op, or None."""
        return raw.find(self.op.removeprefix(raw.PREFIX)) if self.op.startswith(raw.PREFIX) else None

    def is_reference(self, output: int) -> bool:
        """Whether an output is a reference to a v1 variable, which ops can write through."""
        made = self.raw_op
        if made is None or not any(one.is_reference for one in made.outputs):
            return self.is_reference_variable
        if any(one.is_list for one in made.outputs):
            return made.outputs[0].is_reference  # a list is the only output
        return made.outputs[output].is_reference

    @property
    def outside(self) -> tuple[str, str]:
        """Two texts: what the node does outside the graph, and what to use instead. Both are empty if it stays inside
        the graph."""
        made = self.raw_op
        if made is None:
            return "", ""
        return reach_of(made, {name: self.static(name) for name in made.given if name in self.args})

    @property
    def function(self) -> str:
        """The name of the caller's function that it calls, or ""."""
        return self.op.removeprefix(PYTHON) if self.op.startswith(PYTHON) else ""

    @property
    def is_reference_variable(self) -> bool:
        """Whether it is an old variable of TensorFlow 1, which ops write through a reference."""
        return self.is_variable and self.static("resource", True) is False

    @property
    def is_shared(self) -> bool:
        """Whether it is a shared variable."""
        return self.op == SHARED

    @property
    def is_placeholder(self) -> bool:
        return self.op == PLACEHOLDER

    @property
    def is_source(self) -> bool:
        """Whether its value comes from outside the graph: no two of them are equal."""
        return self.is_variable or self.is_placeholder

    @property
    def is_carried(self) -> bool:
        """Whether it stands for an initial value in a loop iteration or a branch."""
        return self.op == CARRIED

    @property
    def is_index(self) -> bool:
        """Whether it is `x[...]`."""
        return self.op == INDEX

    @property
    def is_step(self) -> bool:
        """Whether it takes an optimizer step."""
        return self.op in (OPTIMIZE, APPLY)

    @property
    def keeps_variables(self) -> bool:
        """Whether it is a step whose optimizer keeps variables of its own."""
        return self.is_step and OPTIMIZERS[self.text("optimizer")].keeps_variables

    @property
    def loss(self) -> Ref | None:
        """The loss that an optimizer step minimizes. None for other nodes, and if the step is given gradients."""
        return self.ref("loss") if self.op == OPTIMIZE else None

    @property
    def is_summary(self) -> bool:
        return self.op == SUMMARY

    @property
    def is_merge(self) -> bool:
        """Whether an input of it can come from further down, as in a TensorFlow 1 loop."""
        return self.op in _MERGES

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
    def handles(self) -> list[str]:
        """The arguments that take the variable itself instead of its value."""
        if self.is_step:
            return ["wrt", "global_step"]
        row = self.row
        if row is GRADIENTS:
            return ["xs"]
        if row is not None:
            return row.handles
        made = self.raw_op
        if made is not None:
            return [one.name for one in made.inputs if one.takes_variable]
        return []

    @property
    def is_write(self) -> bool:
        """Whether it changes a variable among its arguments. Optimizer steps are not among these ops."""
        row = self.row
        if row is not None:
            return row.writes
        made = self.raw_op
        return made is not None and bool(self.handles) and made.tf not in raw.READERS

    @property
    def given_name(self) -> str:
        """The program's name for a node that must have one, such as a variable or placeholder."""
        assert self.name is not None, f"{self.op}: it has no name"
        return self.name

    def ref(self, name: str) -> Ref:
        """The argument with this name, a tensor."""
        arg = self.args[name]
        assert isinstance(arg, Ref), f"{self.op}: {name} is {arg}"
        return arg

    def items(self, name: str) -> tuple[Arg, ...]:
        """The elements of the argument with this name, a list of tensors."""
        arg = self.args[name]
        assert isinstance(arg, Refs), f"{self.op}: {name} is {arg}"
        return arg.items

    def refs(self, name: str) -> tuple[Ref, ...]:
        """The elements of the argument with this name that are tensors of the graph."""
        return tuple(item for item in self.items(name) if isinstance(item, Ref))

    def static(self, name: str, default: HostValue = None) -> HostValue:
        """The compile-time argument with this name, or `default`."""
        arg = self.args.get(name, Static(default))
        assert isinstance(arg, (Static, Literal)), f"{self.op}: {name} is {arg}"
        return arg.value

    def text(self, name: str, default: str = "") -> str:
        """The argument with this name, a string."""
        value = self.static(name, default)
        assert isinstance(value, str), f"{self.op}: {name} is {value}"
        return value

    def back(self) -> "Iterator[tuple[int, Ref]]":
        """The inputs that come from nodes further down, with their positions in the list of inputs."""
        if self.is_merge and isinstance(given := self.args.get("inputs"), Refs):
            yield from ((at, one.value) for at, one in enumerate(given.items) if isinstance(one, Back))

    def inside(self) -> "Iterator[Node]":
        """The nodes in its regions, at any depth."""
        for region in self.regions:
            yield from region.params
            for item in region.items:
                if isinstance(item, Node):
                    yield item
                    yield from item.inside()

    def inputs(self) -> tuple[Ref, ...]:
        """The inputs of the node, including those of nodes in its regions."""
        return self._inputs


class Region(Record):
    """Graph code that its node runs never, once or often: the condition and the body of a `while` node, or the two
    branches of a `cond` node.

    `params` are `carried` nodes for the initial values of an iteration; `results` are its final values. A region can
    use nodes of the surrounding graph, but its nodes cannot be used outside.
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
    """The start of a scope. `kind` is scope (also a function call, by the function's name), after, device, container,
    or apart, which ignores the `after` blocks around it."""

    kind: str
    name: str = ""
    refs: tuple[Ref, ...] = ()


class Exit(Record):
    """The end of the innermost open scope."""


Item = Node | Enter | Exit


class Named(Record):
    """The value of a name in the program: an output of a node, several outputs, or a compile-time value."""

    value: Ref | Refs | Static
    span: Span
    is_inner: bool = False  # bound by a function, in the scope that a call of it opened


class Signature(Record):
    """A named computation of an exported model, with its outputs and inputs by the names that callers use. Each call
    takes the steps, after it has computed the outputs."""

    name: str
    outputs: tuple[tuple[str, Ref], ...]
    inputs: tuple[tuple[str, Ref], ...]
    steps: tuple[Ref, ...] = ()

    @property
    def executes(self) -> tuple[Ref, ...]:
        """The nodes that a call executes."""
        return (*(ref for _, ref in self.outputs), *self.steps)


class FunctionArgument(Record):
    """An input of a function: a `carried` node of its body, with its name and attributes."""

    node: int
    name: str
    attributes: Mapping[str, Static]


class GraphFunction(Record):
    """A function of a graph, which ops call. Its body is a graph of raw nodes. `outputs` has the results,
    and `controls` the nodes that every call waits for, both by name."""

    name: str
    inputs: tuple[FunctionArgument, ...]
    body: "Graph"
    outputs: Mapping[str, Ref]
    controls: Mapping[str, Ref]
    attributes: Mapping[str, Static]


class Graph(Record):
    """One graph. `name` is "" for the default graph. `names` has bare and qualified names (`loss.mse`). `version` is
    the graph version of the TensorFlow that its ops belong to, or None for the current one."""

    name: str
    seed: int | None
    items: tuple[Item, ...]
    names: Mapping[str, Named]
    loss: Ref | None = None
    training: Ref | None = None  # the bool that the language feeds, if anything uses it
    signatures: tuple[Signature, ...] = ()
    version: int | None = None
    functions: tuple[GraphFunction, ...] = ()

    @property
    def prefix(self) -> str:
        """What the names of a named graph begin with outside it."""
        return f"{self.name}." if self.name else ""

    def __repr__(self) -> str:
        return f"<Graph {self.name!r}: {len(self.nodes)} nodes>"

    def __post_init__(self) -> None:
        nodes: dict[int, Node] = {}
        controls: dict[int, tuple[Ref, ...]] = {}

        def collect(items: tuple[Item, ...]) -> None:
            stack: list[tuple[Ref, ...]] = [()]
            for item in items:
                match item:
                    case Node():
                        for region in item.regions:
                            nodes.update((param.id, param) for param in region.params)
                            collect(region.items)
                        nodes[item.id] = item
                        if stack[-1]:
                            controls[item.id] = stack[-1]
                    case Enter(kind="apart"):
                        stack.append(())
                    case Enter():
                        stack.append((*stack[-1], *item.refs))
                    case Exit():
                        stack.pop()
                    case _:
                        assert_never(item)

        collect(self.items)
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "_controls", controls)

    nodes: Mapping[int, Node] = field(init=False)  # including those in regions
    _controls: Mapping[int, tuple[Ref, ...]] = field(init=False)

    def variables(self) -> list[Node]:
        """The variables in program order."""
        return [node for node in self.nodes.values() if node.is_variable]

    def placeholders(self) -> list[Node]:
        """The placeholders in program order."""
        return [node for node in self.nodes.values() if node.is_placeholder]

    def steps(self) -> list[Node]:
        """The optimizer steps in program order."""
        return [node for node in self.nodes.values() if node.is_step]

    def summaries(self) -> list[Node]:
        """The summaries in program order."""
        return [node for node in self.nodes.values() if node.is_summary]

    def nodes_of(self, row: Op) -> list[Node]:
        """The nodes of an op in program order."""
        return [node for node in self.nodes.values() if OPS.get(node.op) is row]

    def type(self, ref: Ref) -> TensorType | None:
        """The type of a tensor. None for an operation."""
        outputs = self.nodes[ref.node].outputs
        return outputs[ref.output] if outputs else None

    def tensor_type(self, ref: Ref) -> TensorType:
        """The type of what is no operation."""
        type = self.type(ref)
        assert type is not None, f"{self.nodes[ref.node].op} is an operation"
        return type

    def is_after(self, node: Node) -> bool:
        """Whether a node is in an `after` block."""
        return node.id in self._controls

    def controls(self, node: Node) -> tuple[Ref, ...]:
        """The nodes that the `after` blocks around a node wait for."""
        return self._controls.get(node.id, ())

    def needed(self, region: Region) -> list[int]:
        """The nodes of a region that its results need, in program order."""
        own = {item.id: item for item in region.items if isinstance(item, Node)}
        found: set[int] = set()
        todo = [ref for arg in region.results for ref in refs_of(arg)]
        while todo:
            id = todo.pop().node
            if id in own and id not in found:
                found.add(id)
                todo += [*own[id].inputs(), *self.controls(own[id])]
        return [id for id in own if id in found]

    def reach(self, refs: Iterable[Ref], fed: frozenset[Ref] = frozenset()) -> set[int]:
        """The nodes that computing `refs` executes if the tensors in `fed` are fed.

        This includes variables, but not the nodes of their initial values, which only run when they are initialised.
        """
        return reach(self.nodes, self._controls, refs, fed)


def evaluated_input(nodes: Mapping[int, Node], node: Node) -> Node | None:
    """An input that TensorFlow may execute while it builds the node, although the input reaches outside the graph."""
    if node.raw_op is not None and keeps(node.raw_op):
        return None
    made = (nodes[ref.node] for ref in node.inputs() if ref.node in nodes)
    return next((one for one in made if one.raw_op and may_be_executed(one.raw_op) and one.outside[0]), None)


def takes_step(nodes: Mapping[int, Node], reached: Iterable[int]) -> bool:
    """Whether executing these nodes takes an optimizer step, so `training` is true."""
    return any(nodes[id].is_step for id in reached)


def minimized(nodes: Mapping[int, Node], step: Node) -> tuple[Ref, ...]:
    """The scalars that an optimizer step minimizes: its loss, or those whose gradients it is given."""
    if step.loss is not None:
        return (step.loss,)
    made = upstream(nodes, step.refs("gradients"))
    ys = [ref for node in made if node.row is GRADIENTS for ref in node.refs("ys")]
    return tuple(ref for ref in dict.fromkeys(ys) if nodes[ref.node].outputs[ref.output].shape == ())


def written(nodes: Mapping[int, Node], node: Node) -> Iterator[int]:
    """The variables that an op changes. Those that an optimizer step trains depend on its loss; here is what counts its
    steps."""
    names = node.handles if node.is_write else ["global_step"] if node.is_step and "global_step" in node.args else []
    for name in names:
        yield from (ref.node for ref in refs_of(node.args[name]) if nodes[ref.node].is_variable)


def reach(
    nodes: Mapping[int, Node],
    controls: Mapping[int, tuple[Ref, ...]],
    refs: Iterable[Ref],
    fed: frozenset[Ref] = frozenset(),
) -> set[int]:
    """Like `Graph.reach`, also for an unfinished graph. `controls` has the control inputs of each node."""
    seen: set[int] = set()
    cut = {ref.node for ref in fed}  # to hash few references, which takes longer than all the rest
    todo = [ref for ref in refs if ref not in fed]
    while todo:
        ref = todo.pop()
        if ref.node in seen:
            continue
        seen.add(ref.node)
        node = nodes[ref.node]
        before: Iterable[Ref] = controls.get(ref.node, ())
        if not node.is_variable:
            before = (
                (*node.inputs(), *(r for _, r in node.back()), *before) if node.is_merge else (*node.inputs(), *before)
            )
        todo += [r for r in before if r.node not in cut or r not in fed] if cut else before
    return seen


def upstream(
    nodes: Mapping[int, Node], refs: Iterable[Ref], follow: Callable[[Node], Iterable[Ref]] = Node.inputs
) -> Iterator[Node]:
    """The nodes of `refs` and those before them, each once. `follow` returns the inputs of a node to go on with."""
    seen: set[int] = set()
    todo = list(refs)
    while todo:
        node = nodes[todo.pop().node]
        if node.id not in seen:
            seen.add(node.id)
            yield node
            todo += follow(node)


def shape_known(shape: Shape) -> TypeGuard[tuple[int, ...]]:
    """Whether every size is a number."""
    return shape is not None and all(isinstance(dim, int) for dim in shape)
