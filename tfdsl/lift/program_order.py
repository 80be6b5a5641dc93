"""Gives both sides of a comparison the order in which the program reads and changes variables.

A session executes a program in the order of its text (`lowering/order.py`). Where the graph leaves the order of two ops
open, it is given the same one. For each execution, the ops wait in copies of both graphs, since they need not wait in
others.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from ..lowering.built import BuiltGraph
from ..lowering.cloning import name_of
from ..lowering.definitions import op_name
from ..lowering.order import Orders
from ..lowering.tf import GraphDef, Operand, tf
from ..ops.raw import READERS
from ..record import Record
from .graph import SavedGraph
from .races import REFERENCES, Place, Race, Races, settle
from .read import graph_of


class OrderedExecution(Record):
    """The races of the graph in an execution, and the definitions of the graph and of the program in which ops wait as
    they must. They are None if no op waits."""

    races: tuple[Race, ...]
    definitions: tuple[GraphDef, GraphDef] | None

    @property
    def is_open(self) -> bool:
        """Whether no wait can give an order to some ops of the graph."""
        return any(one.edge is None for one in self.races)


class ProgramOrder:
    """The orders of the executions of a graph and its program, which have these definitions."""

    def __init__(self, graph: SavedGraph, built: BuiltGraph, definitions: tuple[GraphDef, GraphDef]):
        self._graph, self._built, self._definitions = graph, built, definitions
        self._races = Races(graph, Orders(definitions[0], ()).accessed)
        self._operations = {op.name: op for op in built.graph.get_operations()}
        self._places = {name: at for at, name in enumerate(self._operations)}
        self._named = frozenset(built.named())
        self._has_references = any(node.op in REFERENCES for node in definitions[1].node)

    def of(
        self, root: str, fetches: Sequence[Operand], fed: frozenset[str], pairs: Mapping[str, str]
    ) -> OrderedExecution:
        """The order of the execution of the op `root` of the graph, whose counterparts and results in the program are
        `fetches`. `pairs` has the counterparts of ops."""
        races = self._races.of([root], self._place(root, pairs))
        names = [name_of(one) for one in fetches]
        copier = self._built.copier
        order = copier.orders.of(copier.reached(names, fed), names, fed)
        if not (races or order or self._has_references):
            return OrderedExecution((), None)
        last = {op_name(one) for one in names} & self._named
        found = self._own.of(_operations(fetches), lambda one: (
            self._places[one.name] + len(self._places) * (one.name in last), one.is_write
        ))  # fmt: skip
        left, right = self._copies()
        settle(left, races)
        settle(right, found)
        for node in right.node:
            if node.name in order.changed:
                inputs = list(node.input)
                node.CopyFrom(order.changed[node.name])
                node.input[:] = inputs
        right.library.function.extend(order.functions.values())
        return OrderedExecution(tuple(races), (left, right))

    def reading_first(self, root: str, fetches: Sequence[Operand]) -> tuple[GraphDef, GraphDef]:
        """The graph and the program with an order of the execution of an op in which ops read before others change."""
        left, right = self._copies()
        settle(left, self._races.of([root]))
        settle(right, self._own.of(_operations(fetches)))
        return left, right

    def _copies(self) -> tuple[GraphDef, GraphDef]:
        left, right = (GraphDef.FromString(one.SerializeToString()) for one in self._definitions)
        return left, right

    @cached_property
    def _own(self) -> Races:
        """The races of the program."""
        definition = self._definitions[1]
        return Races(graph_of(definition), Orders(definition, ()).accessed)

    def _place(self, root: str, pairs: Mapping[str, str]) -> Place:
        """The places in the program of the ops of the graph that are executed for `root`: that of the op's counterpart,
        or else of the first op below it that has one. At the same place, reads come first."""
        graph, found = self._graph, dict[str, int]()
        needed, last = graph.above(root), len(self._places)
        for name in reversed(list(graph.nodes)):
            if name in needed:
                below = min((found.get(user, last) for user in graph.users[name] if user in needed), default=last)
                own = self._operations.get(pairs.get(name, name))
                is_own = own is not None and (name in pairs or own.type == graph.nodes[name].op)
                found[name] = min([below, *self._taken(own)]) if own is not None and is_own else below
        return lambda one: (found[one.name], one.is_write)

    def _taken(self, op: tf.Operation) -> list[int]:
        """The places at which an op of the program takes its inputs, where it reads variables. What an op returns that
        changes a variable is read after it."""
        if op.type in READERS:
            return [self._places[one.name] for one in op.control_inputs]
        reads = [self._places[end.op.name] for end in op.inputs if end.op.type in READERS]
        return reads or [self._places[op.name]]


def _operations(fetches: Sequence[Operand]) -> list[str]:
    """The names of the operations that compute fetches."""
    return [getattr(one, "op", one).name for one in fetches]
