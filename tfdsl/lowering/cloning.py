"""Builds parts of a built graph again inside a TensorFlow function.

A copy has the same ops with the same attributes, so it computes the same bits. Fed tensors are replaced by other
tensors. Variables and other resources are captured rather than copied, so that a copy works on the same ones. Data,
large constants and tensors computed only from them are captured too, so that they are stored and computed only once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from .compiled import CALLS, SAFE, Unchecked, condition
from .definitions import INLINED, full, functions_of, op_name
from .failures import plain_reason
from .iterations import iterations
from .order import Order, Orders
from .streams import PHILOX, TWINS, advanced, distance, twin
from .tf import FunctionDef, NodeDef, op_def, static_value, tf, v1

# An attribute that distinguishes the ops of different copies. Grappler merges identical ops, and it optimizes an op
# with two consumers differently. With the attribute, it treats each copy like a separate execution.
_COPY = "_tfg_copy"
_LARGE = 4096  # bytes of a constant's definition, or elements of a tensor computed from constants


class NotCopied(Exception):
    """This part of the graph cannot be copied. The text says why. `op` is the name of the op to blame, and `function`
    the function that contains it."""

    def __init__(self, reason: str, op: str, function: str = ""):
        super().__init__(reason)
        self.op, self.function = op, function


@dataclass(slots=True)
class GraphClone:
    """The result of a copy: the requested tensors and operations, and how far it advances the streams. If XLA compiles
    it, `conditions` must hold, or an op fails."""

    tensors: list[tf.Tensor]
    operations: list[tf.Operation]
    streams: dict[str, tf.Tensor]
    conditions: list[tf.Tensor]


class GraphCloner:
    """Copies parts of one graph in its current state."""

    def __init__(
        self, graph: tf.Graph, data: Iterable[str] = (), named: Iterable[str] = (),
        place: Callable[[str], int] | None = None, is_local: bool = True, outside: Collection[str] = (),
    ):  # fmt: skip
        """`data` has the names of placeholders that are fed with data, and `outside` the names of ops that reach
        outside the graph. `Orders` takes the other arguments."""
        self.graph = graph
        self._data, self._outside = frozenset(data), outside
        self._definition = graph.as_graph_def()
        self._nodes = {node.name: node for node in self._definition.node}
        self.orders = Orders(self._definition, named, place, is_local)
        self._captured: dict[tuple[str, frozenset[str]], bool] = {}
        self._constant: dict[tuple[str, frozenset[str]], bool] = {}
        self._copies = 0
        self._functions = {f.signature.name: f for f in self._definition.library.function}

    def reached(
        self, fetches: Iterable[str], fed: frozenset[str] = frozenset(), compiled: bool = False
    ) -> list[str]:  # fmt: skip
        """The names of the ops that an execution of `fetches` runs, in graph order, or those that XLA compiles.

        `fetches` and `fed` are names of tensors ("a:0"); the name of an operation is "^a".
        """
        seen: set[str] = set()
        changed = self._changed(fed)
        todo = [name for name in fetches if name not in fed]
        while todo:
            name = op_name(todo.pop())
            if name in seen:
                continue
            seen.add(name)
            if not self._is_captured(name, changed, compiled):
                todo += [i for i in map(full, self._nodes[name].input) if i not in fed]
        return [name for name in self._nodes if name in seen]

    def dependents(self, names: Iterable[str], some: Iterable[str], fed: frozenset[str] = frozenset()) -> list[str]:
        """`some` and the ops that depend on them, among `names`, which are in graph order."""
        found = set(some)
        for name in names:
            if any(op_name(one) in found for one in self._nodes[name].input if full(one) not in fed):
                found.add(name)
        return [name for name in names if name in found]

    def computed(self, fed: Iterable[str]) -> list[str]:
        """The fed tensors that the graph would compute from others."""
        return sorted(name for name in fed if self._nodes[op_name(name)].input)

    def users_of(self, names: Iterable[str], tensors: Iterable[str]) -> set[str]:
        """The ops among `names` that have one of the tensors as an input."""
        tensors = frozenset(tensors)
        return {name for name in names if tensors.intersection(map(full, self._nodes[name].input))}

    def twinned(self, names: Iterable[str]) -> list[str]:
        """The ops among `names` that draw random numbers and have a twin."""
        return [name for name in names if self._nodes[name].op in TWINS]

    def random(self, names: Iterable[str]) -> list[str]:
        """The ops among `names` that draw random numbers. Raises `NotCopied` if one has no twin."""
        found = []
        for name in names:
            node = self._nodes[name]
            if node.op in TWINS:
                found.append(name)
            elif "seed2" in node.attr and "seed" in node.attr:
                raise NotCopied(f"the state of {node.op} cannot be saved", name)
            elif _keeps_state(node.op) and not self._is_captured(name):
                raise NotCopied(f"{node.op} has effects that cannot be undone", name)
            for inner in self._called(node):
                if "seed2" in inner.attr:
                    raise NotCopied("random numbers are drawn in a 'while' or an 'if'", name)
                if _keeps_state(inner.op):
                    raise NotCopied(f"{inner.op} has effects that cannot be undone", name)
        return found

    def draws_unseeded(self, names: Iterable[str]) -> bool:
        """Whether one of the ops draws random numbers without a seed."""
        nodes = (node for name in names for node in (self._nodes[name], *self._called(self._nodes[name])))
        return any("seed2" in node.attr and not node.attr["seed"].i and not node.attr["seed2"].i for node in nodes)

    def hidden(self, name: str) -> list[str]:
        """The types of ops with an unreadable state: this op and the ops in the functions that it calls."""
        nodes = [] if self._is_captured(name) else [self._nodes[name], *self._called(self._nodes[name])]
        return [node.op for node in nodes if "seed2" in node.attr or _keeps_state(node.op)]

    def _called(self, node: NodeDef) -> Iterator[NodeDef]:
        """The definitions of the ops in the functions that an op calls, directly or indirectly."""
        for function in self._reached_functions(node):
            yield from function.node_def

    def _reached_functions(self, node: NodeDef) -> Iterator[FunctionDef]:
        """The definitions of the functions that an op calls, directly or indirectly."""
        seen: set[str] = set()
        todo = functions_of(node)
        while todo:
            name = todo.pop()
            if name not in seen and name in self._functions:
                seen.add(name)
                yield self._functions[name]
                for inner in self._functions[name].node_def:
                    todo += functions_of(inner)

    def copy(
        self, tensors: list[tf.Tensor], operations: list[tf.Operation], feeds: Mapping[tf.Tensor, tf.Tensor],
        streams: Mapping[str, tf.Tensor], compiled: bool = False,
    ) -> GraphClone:  # fmt: skip
        """Copy the ops that compute tensors and operations into the default graph, with other tensors for fed ones.

        `streams` has the stream state of each random op by its name. `compiled` says whether XLA compiles the copy.
        """
        fed = {tensor.name: value for tensor, value in feeds.items()}
        fetches = [tensor.name for tensor in tensors] + [f"^{operation.name}" for operation in operations]
        names = self.reached(fetches, frozenset(fed), compiled)
        for name in names:
            if name in self._outside:
                raise NotCopied("it reaches outside the graph", name)
        changed = self._changed(fed)
        captured = {name for name in names if self._is_captured(name, changed, compiled)}
        order = self.orders.of(names, fetches, frozenset(fed))
        part, inputs = self._part(names, fed, captured, self._capture, order, compiled)
        if compiled:
            self._limit_iterations(part)
        checked = self._checked(part) if compiled else []
        drawn = []
        self._copies += 1
        for node in part.node:
            node.attr[_COPY].i = self._copies
            if node.op in TWINS:
                self._with_counter(node, streams[node.name], inputs)
                drawn.append(node.name)
        wanted = [name for name in fetches if name not in fed and op_name(name) not in captured]
        returned = [name.removeprefix("^") for name in wanted] + [f"{name}:0" for name in drawn]
        read = sorted({one for node in checked for one in map(full, node.input) if one[0] != "^"} - inputs.keys())
        made = dict(zip([*wanted, *drawn, *read], self._import(part, inputs, returned + read), strict=True))

        def of(name: str):
            return fed[name] if name in fed else made[name] if name in made else self._capture(name)

        conditions = [self._condition(node, lambda name: of(full(name))) for node in checked]
        moved = {name: advanced(streams[name], distance(made[name])) for name in drawn}
        done = [made[f"^{operation.name}"] for operation in operations if f"^{operation.name}" in made]
        return GraphClone(
            [of(t.name) for t in tensors], done, moved, [one for one in conditions if not isinstance(one, bool)]
        )

    def shape(self, tensor: tf.Tensor, feeds: Mapping[tf.Tensor, tf.Tensor]) -> tf.TensorShape:
        """The shape of a tensor when others are fed. This adds copies to the default graph."""
        fed = {tensor.name: value for tensor, value in feeds.items()}
        if tensor.name in fed:
            return fed[tensor.name].shape
        names, changed = self.reached([tensor.name], frozenset(fed)), self._changed(fed)
        held = {name for name in names if self._is_captured(name, changed) and not self._is_resource(name)}
        if tensor.op.name in held:
            return tensor.shape

        def like(name: str) -> tf.Tensor:
            whole = self.graph.get_tensor_by_name(name)
            return v1.placeholder(whole.dtype, whole.shape)

        part, inputs = self._part(names, fed, held, like)
        return self._import(part, inputs, [tensor.name])[0].shape

    def _part(
        self, names: list[str], fed: Mapping[str, tf.Tensor], captured: set[str], capture: Callable[[str], tf.Tensor],
        order: Order | None = None, compiled: bool = False,
    ) -> tuple[v1.GraphDef, dict[str, tf.Tensor]]:  # fmt: skip
        """The definition of some ops without the captured ones, and its inputs."""
        order = order or Order()
        part = v1.GraphDef(versions=self._definition.versions, library=self._definition.library)
        part.library.function.extend(order.functions.values())
        inputs: dict[str, tf.Tensor] = {}
        replaced = captured | {op_name(name) for name in fed if self._nodes[op_name(name)].op.startswith("Placeholder")}
        for name in names:
            if name in replaced:
                continue
            node = part.node.add()
            node.CopyFrom(order.changed.get(name) or self._nodes[name])
            if "_class" in node.attr:
                del node.attr["_class"]  # the op that it is colocated with may not be copied
            # An inlined `If` would count as done before its effects are, and XLA cannot compile an inlined `While`.
            if node.op == "If" or (compiled and INLINED in node.attr):
                node.attr[INLINED].b = False
            kept = [i for i in node.input if i.removeprefix("^") not in replaced or not i.startswith("^")]
            node.ClearField("input")
            node.input.extend(kept)
            node.input.extend(f"^{before}" for before in order.after.get(name, ()))
            for one in map(full, kept):
                if one in fed:
                    inputs[one] = fed[one]
                elif op_name(one) in captured:
                    inputs[one] = capture(one)
            if node.op == "PlaceholderWithDefault":
                dtype = node.attr["dtype"].type
                node.op = "Identity"
                node.ClearField("attr")
                node.attr["T"].type = dtype
        return part, inputs

    def _limit_iterations(self, part: v1.GraphDef) -> None:
        """Set the number of iterations of loops if it is known. XLA needs it for gradients."""
        made = {node.name: node for node in part.node}
        for node in part.node:
            limit = made.get(op_name(node.input[1])) if node.op in ("While", "StatelessWhile") else None
            if limit is None or limit.op != "Const" or tf.make_ndarray(limit.attr["value"].tensor) != -1:
                continue
            original = self._nodes[node.name].attr
            test, body = (self._functions[original[name].func.name] for name in ("cond", "body"))

            def initial(number: int, node: NodeDef = node) -> np.ndarray | None:
                begin = self._nodes[op_name(node.input[number])]
                return tf.make_ndarray(begin.attr["value"].tensor) if begin.op == "Const" else None

            count = iterations(test, body, self._definition.library, initial)
            if count is not None:  # XLA crashes if the limit is 0
                limit.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(max(count, 1), tf.int32))

    def _checked(self, part: v1.GraphDef) -> list:
        """The definitions of the ops whose failures XLA would not report. Raises `NotCopied` if one cannot be checked.

        An assertion is a branch: it fails because of the value that selects the branch.
        """
        found = []
        for node in part.node:
            original = self._nodes[node.name]
            if node.op not in CALLS:
                if node.op not in SAFE:
                    found.append(original)
                continue
            for function in self._reached_functions(original):
                for inner in function.node_def:
                    if inner.op == "Assert" and self._is_guarded(original, function, inner):
                        found.append(v1.NodeDef(op="Assert", input=original.input[:1]))
                    else:
                        self._check_inside(function, inner)
        return found

    @staticmethod
    def _condition(node: NodeDef, tensor: Callable[[str], tf.Tensor | None], function: str = "") -> tf.Tensor | bool:
        """The condition under which an op does not fail. Raises `NotCopied` if it cannot be computed."""
        try:
            return condition(node, tensor)
        except Unchecked as reason:
            raise NotCopied(str(reason), node.name, function) from None

    @staticmethod
    def _is_guarded(node: NodeDef, function: FunctionDef, assertion: NodeDef) -> bool:
        """Whether an assertion fails exactly when an `If` takes the branch that contains it."""
        if node.op not in ("If", "StatelessIf") or node.attr["else_branch"].func.name != function.signature.name:
            return False
        arguments = [argument.name for argument in function.signature.input_arg]
        checked = assertion.input[0]
        return checked in arguments and node.input[1 + arguments.index(checked)] == node.input[0]

    def _check_inside(self, function: FunctionDef, node: NodeDef) -> None:
        """Raise `NotCopied` for an op in a function that may fail. Only ops with constant inputs can be checked
        there."""
        constants = {one.name: one for one in function.node_def if one.op == "Const"}

        def constant(name: str) -> tf.Tensor | None:
            made = constants.get(op_name(name))
            return None if made is None else tf.constant(tf.make_ndarray(made.attr["value"].tensor))

        with tf.Graph().as_default():
            holds = self._condition(node, constant, function.signature.name)
            if holds is not True:
                with v1.Session() as session:
                    holds = session.run(holds)
        if not holds:
            raise NotCopied(f"{node.op} fails here, and XLA would not report it", node.name, function.signature.name)

    def _capture(self, name: str) -> tf.Tensor:
        return v1.get_default_graph().capture(self.graph.get_tensor_by_name(name))

    def _with_counter(self, node: NodeDef, stream: tf.Tensor, inputs: dict[str, tf.Tensor]) -> None:
        key, counter, algorithm = (f"{node.name}/stream/{part}" for part in ("key", "counter", "algorithm"))
        twin(node, key, counter, algorithm)
        inputs[f"{key}:0"] = tf.bitcast(stream[:1], tf.uint64)
        inputs[f"{counter}:0"] = tf.bitcast(stream[1:], tf.uint64)
        inputs[f"{algorithm}:0"] = tf.constant(PHILOX)

    def _import(self, part: v1.GraphDef, inputs: dict[str, tf.Tensor], returned: list[str]) -> list:
        graph = v1.get_default_graph()
        inputs = {name: one if one.graph is graph else graph.capture(one) for name, one in inputs.items()}
        try:
            return v1.import_graph_def(part, inputs, returned, name="") if returned else []
        except (ValueError, tf.errors.OpError) as error:
            raise NotCopied(f"TensorFlow cannot put it into a loop: {plain_reason(error)}", "") from error

    def _changed(self, fed: Iterable[str]) -> frozenset[str]:
        """The ops of fed tensors that would otherwise be constant. Tensors computed from them are not constant."""
        ops = [self._nodes[name] for name in map(op_name, fed) if name in self._nodes]
        return frozenset(node.name for node in ops if node.op != "Placeholder" or node.name in self._data)

    def _is_captured(self, name: str, changed: frozenset[str] = frozenset(), compiled: bool = False) -> bool:
        key = name, changed
        if key not in self._captured:
            is_held = self._is_resource(name) or (name in self._data and name not in changed)
            self._captured[key] = is_held or (self._is_large(name) and self._is_constant(name, changed))
        # XLA computes with one number what would otherwise be read from memory at each step.
        return self._captured[key] and not (compiled and self._is_uniform(name))

    def _is_uniform(self, name: str) -> bool:
        """Whether all elements of a large tensor are one number, which is computed from constants."""
        op = self.graph.get_operation_by_name(name)
        if op.type in _SPREADING:
            numbers, sizes = [op.inputs[op.type == "Fill"]], op.inputs[op.type != "Fill"]
            return static_value(sizes) is not None and self._are_uniform(numbers)
        return op.type in _ELEMENTWISE and self._are_uniform(op.inputs)

    def _are_uniform(self, tensors: Iterable[tf.Tensor]) -> bool:
        return all(one.shape.num_elements() == 1 or self._is_uniform(one.op.name) for one in tensors)

    def _is_resource(self, name: str) -> bool:
        node = self._nodes[name]
        if node.op in _HANDLES:
            return True
        return not node.input and any(t.dtype == tf.resource for t in self.graph.get_operation_by_name(name).outputs)

    def _is_large(self, name: str) -> bool:
        """Whether an op returns a large tensor, or numbers computed from one."""
        if self._nodes[name].op == "Const":
            return self._nodes[name].ByteSize() > _LARGE
        op = self.graph.get_operation_by_name(name)
        # A tensor that is not floating-point may be a shape, which XLA needs at compile time.
        is_of_floats = any(one.dtype.is_floating for one in op.outputs)
        tensors = [*op.outputs, *(op.inputs if is_of_floats else ())]
        return any((one.shape.num_elements() or 0) > _LARGE for one in tensors)

    def _is_constant(self, name: str, changed: frozenset[str]) -> bool:
        """Whether an op is computed from constants and data alone, none of them fed."""
        todo = [name]
        while todo:
            node = self._nodes[todo.pop()]
            is_known = node.name not in changed and (node.op in ("Const", "ImmutableConst") or node.name in self._data)
            if is_known or self._constant.get((node.name, changed)):
                continue
            op_def = self.graph.get_operation_by_name(node.name).op_def
            is_made = node.input and not op_def.is_stateful and not any(i.startswith("^") for i in node.input)
            if not is_made or node.name in changed:
                self._constant[name, changed] = False
                return False
            todo += map(op_name, node.input)
        self._constant[name, changed] = True
        return True


# Ops that TensorFlow marks as stateful but whose state is in variables, or that have none.
_STATEFUL = {
    "Placeholder", "PlaceholderWithDefault", "Assert", "CheckNumerics", "PrintV2", "Print", "If", "While",
    "PartitionedCall", "StatefulPartitionedCall", "Case",
}  # fmt: skip
_HANDLES = ("VarHandleOp", "ImmutableConst")
_SPREADING = ("Fill", "Tile", "BroadcastTo")
_ELEMENTWISE = ("Add", "AddV2", "Cast", "Identity", "Mul", "Neg", "RealDiv", "Sub")


def _keeps_state(type: str) -> bool:
    """Whether ops of a type have state outside variables, or effects outside the graph."""
    if type in _STATEFUL or "Variable" in type or type.startswith("Resource"):
        return False
    known = op_def(type)
    return known is not None and known.is_stateful


def name_of(element: tf.Tensor | tf.Operation) -> str:
    """The name of a tensor or operation, as `copy` takes it."""
    return f"^{element.name}" if isinstance(element, tf.Operation) else element.name
