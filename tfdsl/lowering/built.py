"""A built graph: the `tf.Graph`, and what each node of the program became."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from threading import RLock
from typing import Any, Protocol

import numpy as np

from ..analysis.batch_split import NotSplit
from ..diagnostics import OUTSIDE_EXECUTED, Note
from ..program import Arg, Field, Graph, Item, Node, Origin, Ref, outside_of
from .cloning import GraphCloner
from .data import GraphData
from .failures import failure
from .kept_random import KeptRandom
from .layout import Placement, Setting
from .op_cache import OpCache
from .sums import order_sums
from .tf import Operand, branches_of_functions, tf, v1

Arrays = Callable[[Field], np.ndarray]
Operands = Callable[[Field], Operand]  # the operands that data becomes
# Builds one node of the op table into the default graph. The mapping and the function have its inputs.
BuildAlone = Callable[[Node, Mapping[Ref, Operand], Operands], tuple[Operand, ...]]


class BuiltGraph:
    """A built graph: the `tf.Graph`, the values of the nodes, and the origin of each op."""

    def __init__(self, program: Graph, setting: Setting, build_alone: BuildAlone):
        self.program, self.setting = program, setting
        self.graph = tf.Graph()
        order_sums(self.graph)
        self.losses: dict[Ref, tf.Tensor] = {}  # losses that are summed over towers
        self.undivided: dict[int, NotSplit] = {}  # `optimize` nodes whose step cannot be split, with the reason
        self.slots: dict[int, list[tf.Variable]] = {}  # the variables that steps of optimizers keep, by their nodes
        self.values: MutableMapping[int, tuple[Operand, ...]] = {}  # by node: its outputs or its operation
        # What sessions add for `save`, `restore`, `set` and `train`. It is kept, so a second run adds nothing.
        self.savers: dict = {}
        self.setters: dict = {}
        self.twins: dict = {}
        self.loops: dict = {}
        self.steps_outside: dict = {}  # of trainings, by the loops that they could have shared
        self._copier: GraphCloner | None = None
        self.added: dict[str, object] = {}  # what sessions on a cluster add
        self.ordered: dict = {}  # executions with ordered ops
        self.originals: dict[str, str] = {}  # names of the copied ops, by the names of the copies
        self.lock = RLock()  # guards additions to the graph by sessions in several threads
        self.templates = OpCache(self, build_alone)
        self.random = KeptRandom(self.graph, setting.kept, build_alone, setting.layout.seed_offset)
        self._placement = Placement(setting.layout, self.graph, self.random.variables)
        self.data = GraphData(self.graph)  # what its data placeholders are fed
        self.tags: set[str] = set()  # tags of summaries in event files
        self.outside: dict[str, Node] = {}  # the nodes that reach outside the graph, by the name of the op
        # For this graph and its function graphs: each node, with the number of ops after it was made.
        self._marks: dict[tf.Graph, list[tuple[Node, int]]] = {self.graph: []}

    def value(self, ref: Ref) -> Operand:
        """The tensor, variable or operation of a reference."""
        return self.values[ref.node][ref.output]

    def give(self, ref: Ref, value: Operand) -> None:
        """Let a value stand for an output of a node, whatever the node itself became."""
        outputs = list(self.values.get(ref.node, ()))
        outputs += [None] * (ref.output + 1 - len(outputs))
        outputs[ref.output] = value
        self.values[ref.node] = tuple(outputs)

    def element(self, value: Operand) -> Operand:
        """The tensor or operation that a session takes for a value."""
        is_one = isinstance(value, (tf.Tensor, tf.Operation)) and value.graph is self.graph  # true in most steps
        return value if is_one else self.graph.as_graph_element(value)

    def tensor(self, ref: Ref) -> tf.Tensor:
        """The tensor that is meant when a reference is fed or fetched."""
        return self.element(self.value(ref))

    def loss_tensor(self, loss: Ref) -> tf.Tensor:
        """The value of a loss as a step of its optimizer computes it."""
        return self.losses[loss] if loss in self.losses else self.tensor(loss)

    @contextmanager
    def adding(self, scope: str) -> Iterator[None]:
        """Make the graph the default one, in a scope, to add ops for sessions. No other thread adds ops meanwhile.

        A caller that first checks whether the ops exist must hold `lock` from then on.
        """
        with self.lock:
            with branches_of_functions(), self.graph.as_default(), v1.name_scope(scope):
                yield
            self.finish()

    def finish(self) -> None:
        """Complete what was added: fix the order of sums, and place ops on servers."""
        order_sums(self.graph)
        self._placement.place()

    def operation(self, ref: Ref) -> tf.Operation:
        """The operation to execute when a reference is run."""
        value = self.value(ref)
        return value if isinstance(value, tf.Operation) else value.op

    def variables(self) -> list[tf.Variable]:
        """All variables of the graph, including those of optimizers, but not the states of random ops."""
        states = self.random.variables
        return [one for one in self.graph.get_collection("variables") if one.op.name not in states]

    def state_variables(self) -> list[tf.Variable]:
        """The complete state of a session: variables and the states of random ops."""
        return [*self.variables(), *self.random.variables.values()]

    def setter(self, variable: tf.Variable) -> tuple[tf.Tensor, tf.Operation]:
        """A placeholder and the op that assigns it to a variable. They are added on first use."""
        name = variable.op.name
        with self.lock:
            if name not in self.setters:
                with self.adding("set"):
                    placeholder = v1.placeholder(variable.dtype.base_dtype, variable.shape, name=name.split("/")[-1])
                    self.setters[name] = placeholder, variable.assign(placeholder, read_value=False)
            return self.setters[name]

    def assign(self, session: v1.Session, values: Iterable[tuple[tf.Variable, object]]) -> None:
        """Assign values to variables in one execution."""
        pairs = [(self.setter(variable), value) for variable, value in values]
        if pairs:
            feeds = {placeholder: value for (placeholder, _), value in pairs}
            session.run([assign for (_, assign), _ in pairs], feeds)

    @property
    def copier(self) -> GraphCloner:
        """The copier of the graph without the ops added for sessions."""
        with self.lock:
            if self._copier is None:
                is_local = self.setting.layout.cluster is None
                self._copier = GraphCloner(
                    self.graph, self.data.fields, self.named(), self.places(), is_local, self.outside
                )
            return self._copier

    def named(self) -> list[str]:
        """The tensors that are fetched for variables."""
        return [self.graph.as_graph_element(one).name for one in self.graph.get_collection("variables")]

    def places(self) -> Callable[[str], int] | None:
        """A function from the name of an op to its place in the program. None if ops are made in program order."""
        if self.setting.layout.towers == 1:
            return None
        number = {id: at for at, id in enumerate(self.program.nodes)}
        return {op.name: number[node.id] for op, node in self.owned()}.__getitem__

    def mark(self, node: Node) -> None:
        """Record that the unclaimed ops of the default graph belong to a node."""
        graph = v1.get_default_graph()
        self._marks.setdefault(graph, []).append((node, graph.version))

    def owned(self, graph: tf.Graph | None = None) -> Iterator[tuple[tf.Operation, Node]]:
        """The ops of the program's graph or of one of its functions, with the node that made each.

        Ops added for sessions are not included.
        """
        graph = graph or self.graph
        start, operations = 0, graph.get_operations()
        for node, mark in self._marks.get(graph, ()):
            for operation in operations[start:mark]:
                yield operation, node
            start = mark

    def refuse_outside(self, fetches: Iterable[str], origin: Origin, fed: frozenset[str] = frozenset()) -> None:
        """Refuse to execute ops that reach outside the graph. For the sessions of a program, the check has already done
        this."""
        for name in self.copier.reached(fetches, fed) if self.outside else ():
            if (node := self.outside.get(name)) is not None:
                what, instead = outside_of(self.program, node)
                notes = [Note(f"{node.shown} is from line {{line}}", node.origin.span)]
                raise failure(OUTSIDE_EXECUTED, origin, notes, statement="run", op=node.op, what=what, instead=instead)

    def tag(self, summary: Ref) -> str:
        """The tag that a summary has in event files."""
        tag: Any = tf.get_static_value(self.value(summary).op.inputs[0])  # an array of one text
        return tag.item().decode()

    def node_of(self, operation: str, is_inside: bool | None = None) -> Node | None:
        """The node that made an op of the graph or of its functions, by the op's name. `is_inside` says whether the op
        is in a function, if that is known."""
        operation = self.originals.get(operation, operation)
        inner = re.sub(r".*/_\d+/", "", operation)  # TensorFlow puts a path in front of what it inlines
        names = (operation, inner)
        graphs = [graph for graph in self._marks if is_inside is None or is_inside == (graph is not self.graph)]
        return next((node for graph in graphs for op, node in self.owned(graph) if op.name in names), None)


class NodeLowering(Protocol):
    """The lowering of a graph, as the functions that lower one node use it."""

    built: BuiltGraph
    functions: Mapping[str, Callable]

    def argument(self, arg: Arg, kind: str = "") -> Operand:
        """What an argument of a node becomes."""

    def node(self, node: Node, is_plain: bool = False) -> tuple[Operand, ...]:
        """What the node becomes: its outputs, or its operation if it has none."""
        ...

    def table_op(self, node: Node) -> Operand:
        """A node of the op table, built by the call that its row names."""

    def items(self, items: tuple[Item, ...], is_alike: bool = True) -> None:
        """Build nodes in their scopes into the default graph."""

    def with_values(self, others: Mapping[Ref, tf.Tensor]) -> "NodeLowering":
        """A lowering into the same graph in which some outputs have other values."""
        ...
