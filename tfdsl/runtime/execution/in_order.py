"""Executions of the graph that read and write each variable in program order (`lowering/order.py`).

Most executions are in order already. For another one, the ops that would run too early are copied once, together with
all ops that depend on them, and the copies get the missing edges. All other ops, including random ops, are shared with
other executions. The twin of a copied random op draws its numbers from the session's stream, so it does not matter
which of them draws.

If variables are written, ops that use a fed tensor which the graph could compute from variables are copied too.
TensorFlow removes an edge if a path implies the order, and does not see that the path goes through a fed tensor.

A twin whose inputs cannot be computed before the execution, because this would write a variable or let an op with a
state of its own run twice, draws in the execution, so it and what depends on it are copied.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from ...diagnostics import ORDER_RANDOM
from ...lowering.built import BuiltGraph
from ...lowering.cloning import GraphCloner, name_of
from ...lowering.failures import failure
from ...lowering.order import PYTHON_CALLS, Order
from ...lowering.streams import TWINS, draw
from ...lowering.tf import NodeDef, tf, v1
from ...program import Origin, Statement
from .executions import executions
from .streams import Streams

Fetches = list[tf.Tensor | tf.Operation | tf.Variable]


@dataclass(frozen=True, slots=True)
class _Ordered:
    """An execution in order. `fetches` and `fed` replace the requested fetches and, by name, fed tensors. `draws` has,
    for each random op whose twin draws, the placeholder of its stream's state and the number of draws."""

    fetches: Fetches
    fed: dict[str, tf.Tensor]
    draws: dict[str, tuple[tf.Tensor, tf.Tensor]]


class InOrder:
    """The executions of one session, and the streams of its random ops."""

    def __init__(self, built: BuiltGraph, has_statements: bool):
        self._built, self._has_statements = built, has_statements
        self.streams = Streams(built)
        # For a session without statements: its executions, and random ops whose kernels may have drawn.
        self._seen: set[tuple] = set()
        self._drawn: set[str] = set()

    @property
    def _copier(self) -> GraphCloner:
        return self._built.copier

    def add_streams(self, names: Iterable[str]) -> None:
        """Use streams for the random ops with these names."""
        for name in names:
            self.streams.add(name)

    def keep(self, names: Iterable[str]) -> list[str]:
        """Use streams for the random ops with these names from now on, in a session without statements. Returns those
        whose kernels have drawn already, so that nobody knows their states."""
        wanted = [name for name in names if name not in self.streams.streams]
        self.add_streams(name for name in wanted if name not in self._drawn)
        return [name for name in wanted if name in self._drawn]

    def execute(
        self, session: v1.Session, fetches: Fetches, feeds: dict, origin: Origin, call: Callable[[Fetches, dict], list]
    ) -> list:
        """The values of fetches. `call` executes the graph."""
        names = tuple([name_of(self._built.element(one)) for one in fetches])
        fed = frozenset(tensor.name for tensor in feeds)
        streams = self.streams
        key = names, fed, frozenset(streams.streams)
        with self._built.lock:
            if key not in self._built.ordered:
                self._built.ordered[key] = self._made(names, fed, origin)
            ordered = self._built.ordered[key]
        if not self._has_statements and key not in self._seen:
            self._note_drawn(names, fed)
            self._seen.add(key)
        if ordered is None:
            drawn = streams.drawn(session, fetches, feeds)
            return call(fetches, {**feeds, **drawn})
        drawn = streams.drawn(session, fetches, feeds, ordered.draws)
        feeds = {ordered.fed.get(tensor.name, tensor): value for tensor, value in feeds.items()}
        states = {state: streams.streams[name].state for name, (state, _) in ordered.draws.items()}
        sizes = [size for _, size in ordered.draws.values()]
        values = call([*ordered.fetches, *sizes], {**feeds, **drawn, **states})
        for name, size in zip(ordered.draws, values[len(fetches) :], strict=True):
            streams.streams[name].advance(size)
        return values[: len(fetches)]

    def random(self, statements: tuple[Statement, ...], streams: set[str]) -> set[str]:
        """`streams` and the other random ops that draw from streams in the executions of some statements."""
        copier, found = self._copier, set(streams)
        made = {(one.fetches, one.fed) for one in executions(self._built, statements)}
        reached = copier.reached(name for fetches, _ in made for name in fetches)
        if not copier.twinned(reached) or not (streams or any(map(copier.orders.writes, reached))):
            return found
        while more := {name for one in made for name in copier.twinned(self._copied(*one, found)[1])} - found:
            found |= more
        return found

    def _note_drawn(self, names: Iterable[str], fed: frozenset[str]) -> None:
        found = self._copier.twinned(self._copier.reached(names, fed))
        self._drawn.update(name for name in found if name not in self.streams.streams)

    def _copied(self, names: tuple[str, ...], fed: frozenset[str], streams: Collection[str]) -> tuple[Order, list[str]]:
        """The order of an execution in which some random ops draw from streams, and the ops that are copied for it."""
        copier = self._copier
        reached = copier.reached(names, fed)
        order = copier.orders.of(reached, names, fed)
        copied = order.copied
        drawn = {name for name in copier.twinned(reached) if name in streams} if streams else set[str]()
        if drawn:
            once = [
                name for name in reached if copier.orders.writes(name) or (name not in drawn and copier.hidden(name))
            ]
            copied |= drawn.intersection(copier.dependents(reached, once, fed))
        if (computed := self._computed(fed)) and any(map(copier.orders.writes, reached)):
            copied |= copier.users_of(reached, computed)
        return order, copier.dependents(reached, copied, fed) if copied else []

    def _computed(self, fed: frozenset[str]) -> list[str]:
        """The fed tensors that the graph would compute from variables."""
        copier = self._copier
        return [name for name in copier.computed(fed) if any(map(copier.orders.accesses, copier.reached([name])))]

    # --- copies ---------------------------------------------------------------------------

    def _made(self, names: tuple[str, ...], fed: frozenset[str], origin: Origin) -> _Ordered | None:
        """The copies for an execution, or None if it is in order already."""
        self._built.refuse_outside(names, origin, fed)
        order, copied = self._copied(names, fed, self.streams.streams)
        if not copied:
            return None
        self._add_missing_streams(copied, origin)
        graph, built, streams = self._built.graph, self._built, self.streams
        tensors: dict[str, tf.Tensor] = {}  # by the names of the originals
        operations: dict[str, tf.Operation] = {}
        draws: dict[str, tuple[tf.Tensor, tf.Tensor]] = {}

        def tensor_of(name: str) -> tf.Tensor:
            known = replaced if name in fed else tensors
            return known[name] if name in known else graph.get_tensor_by_name(name)

        def operation_of(name: str) -> tf.Operation:
            return operations[name] if name in operations else graph.get_operation_by_name(name)

        with built.adding("order"):
            replaced = {name: _placeholder(graph.get_tensor_by_name(name)) for name in self._computed(fed)}
            self._add_functions(order)
            for name in copied:
                op = graph.get_operation_by_name(name)
                inputs = [tensor_of(tensor.name) for tensor in op.inputs]
                with tf.control_dependencies([operation_of(one.name) for one in op.control_inputs]):
                    if name in streams.streams:
                        state = v1.placeholder(tf.int64, [3], "state")
                        outputs = [draw(op, inputs, state)]
                        draws[name] = state, tf.size(outputs[0], out_type=tf.int64)
                        copy = outputs[0].op
                    else:
                        copy = _copied(op, inputs, order.changed.get(name, op.node_def))
                        outputs = copy.outputs
                operations[name] = copy
                tensors.update(zip((tensor.name for tensor in op.outputs), outputs, strict=True))
                built.originals[copy.name] = name
            for name, before in order.after.items():
                operations[name]._add_control_inputs([operation_of(one) for one in before])
        fetches = [operation_of(name[1:]) if name.startswith("^") else tensor_of(name) for name in names]
        return _Ordered(fetches, replaced, draws)

    def _add_functions(self, order: Order) -> None:
        if order.functions:
            library = v1.GraphDef(versions=self._built.graph.as_graph_def().versions)
            library.library.function.extend(order.functions.values())
            v1.import_graph_def(library, name="")

    def _add_missing_streams(self, copied: list[str], origin: Origin) -> None:
        """Use streams for copied random ops. Only a session without statements learns about one this late. It is an
        error if its kernel has already drawn, or if it has no twin."""
        graph = self._built.graph
        for name in copied:
            # A copy of an op calls the same Python function, and the state is in the function.
            if name in self.streams.streams or not set(self._copier.hidden(name)).difference(PYTHON_CALLS):
                continue
            op = graph.get_operation_by_name(name)
            if op.type not in TWINS or name in self._drawn or self._has_statements:
                raise failure(ORDER_RANDOM, origin, name=name, op=op.type)
            self.add_streams([name])


def _placeholder(tensor: tf.Tensor) -> tf.Tensor:
    return v1.placeholder(tensor.dtype, tensor.shape, "fed")


def _copied(op: tf.Operation, inputs: list[tf.Tensor], definition: NodeDef | None) -> tf.Operation:
    """A copy of an op with other inputs, in the default graph."""
    assert definition is not None, op.name
    with tf.device(op.device or None):
        copy = op.graph.create_op(
            op.type, inputs, [one.dtype for one in op.outputs], name=op.name, attrs=dict(definition.attr.items()),
            op_def=op.op_def,
        )  # fmt: skip
    for made, whole in zip(copy.outputs, op.outputs, strict=True):
        made.set_shape(whole.shape)
    return copy
