"""Folds ops of the language that TensorFlow builds of several nodes, such as `moments` and `dropout`.

Each call in `_CALLS` is compiled once, with numbers that are unlikely in a graph. Where a graph has the same ops, the
numbers and tensors in their places are the arguments. The call with these arguments is compiled too, and it replaces
the nodes of the graph only if it builds the same ones.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from ...diagnostics import TfgError
from ...driver import compile_source
from ...lowering.tf import Operand as TensorFlowTensor
from ...lowering.tf import static_value, v1
from ...narrowing import is_list
from ...ops import OPS
from ...ops.op import Op
from ...record import Record
from ...source import Source
from ...types import TensorType
from ..constants import attribute, constant_value, frozen, plain, type_text, value_text
from ..draft import CallPiece, Draft, Given, Operand, VariablePiece
from ..graph import Endpoint, GraphNode
from .conds import is_gradient
from .operands import operand
from .random import seed_of

_NUMBERS = (0.4375, 0.5625, 0.6875, 0.8125)  # in the places of numbers
_COUNT, _AXES = 37, (1, 3)
# The tensors in calls: a picture, vectors, a scalar, and a counter of steps.
_TENSORS = {"x": "float32[?, ?, ?, ?]", "y": "float32[?, ?, ?, ?]", "a": "float32[?]", "b": "float32[?]",
            "c": "float32[?]", "d": "float32[?]", "r": "float32[]", "n": "int64[]"}  # fmt: skip
# The calls, those with more nodes before others that are parts of them. A name after `=` is a tensor of `_TENSORS`.
# Before the `:` is an op that only graphs with this call have.
_CALLS = """
SelectV2: dropout(x=x, keep_prob=r)
SelectV2: dropout(x=x, rate=r)
SelectV2: dropout(x=x, rate=0.4375)
SquaredDifference: mean, variance = moments(x=x, axes=[1, 3])
SquaredDifference: mean, variance = moments(x=x, axes=[1, 3], keepdims=true)
Rsqrt: batch_normalization(x=x, mean=a, variance=b, offset=c, scale=d, variance_epsilon=0.4375)
Rsqrt: batch_normalization(x=x, mean=a, variance=b, offset=c, scale=none, variance_epsilon=0.4375)
Rsqrt: batch_normalization(x=x, mean=a, variance=b, offset=none, scale=d, variance_epsilon=0.4375)
Rsqrt: batch_normalization(x=x, mean=a, variance=b, offset=none, scale=none, variance_epsilon=0.4375)
Rsqrt: l2_normalize(x=x, axis=[1, 3], epsilon=0.4375)
FusedBatchNorm: y, mean, variance = fused_batch_norm(x=x, scale=a, offset=b, epsilon=0.4375)
FusedBatchNorm: y, mean, variance = fused_batch_norm(x=x, scale=a, offset=b, mean=c, variance=d, epsilon=0.4375, \
is_training=false)
Select: clip_by_norm(t=x, clip_norm=r)
Select: clip_by_norm(t=x, clip_norm=0.4375)
Log1p: sigmoid_cross_entropy_with_logits(labels=x, logits=y)
Pow: natural_exp_decay(learning_rate=r, global_step=n, decay_steps=37, decay_rate=0.4375)
Pow: natural_exp_decay(learning_rate=r, global_step=n, decay_steps=37, decay_rate=0.4375, staircase=true)
Pow: exponential_decay(learning_rate=r, global_step=n, decay_steps=37, decay_rate=0.4375)
Pow: exponential_decay(learning_rate=r, global_step=n, decay_steps=37, decay_rate=0.4375, staircase=true)
Pow: polynomial_decay(learning_rate=r, global_step=n, decay_steps=37, end_learning_rate=0.4375, power=0.5625)
Pow: polynomial_decay(learning_rate=r, global_step=n, decay_steps=37, end_learning_rate=0.4375, power=0.5625, \
cycle=true)
RealDiv: inverse_time_decay(learning_rate=r, global_step=n, decay_steps=37, decay_rate=0.4375)
RealDiv: inverse_time_decay(learning_rate=r, global_step=n, decay_steps=37, decay_rate=0.4375, staircase=true)
Cos: cosine_decay(learning_rate=r, global_step=n, decay_steps=37, alpha=0.4375)
Cos: linear_cosine_decay(learning_rate=r, global_step=n, decay_steps=37, num_periods=0.4375, alpha=0.5625, beta=0.6875)
"""
_SAME = {"AddV2": "Add", "FusedBatchNorm": "FusedBatchNormV3", "FusedBatchNormV2": "FusedBatchNormV3"}
_WORDS = {"none": None, "true": True, "false": False}
_FREE = ("seed", "seed2", "U")  # attributes in which nodes may differ
_WHOLE = ("int32", "int64", "bool")


class _Call(Record):
    """A call: its op, the texts of its arguments, the names of its results, and the nodes that it builds. `places` maps
    the name of a placeholder in this graph to its parameter."""

    op: Op
    arguments: Mapping[str, str]
    names: tuple[str, ...]
    results: "tuple[TensorFlowTensor, ...]"
    places: Mapping[str, str]

    @property
    def last(self) -> str:
        return _op(self.results[-1].op.type)


def fold_composites(draft: Draft) -> None:
    there = {_op(node.op) for node in draft.graph.nodes.values() if draft.is_open(node.name)}
    for marker, text in _calls():
        if _op(marker) in there:
            call = _compiled(text)
            for node in list(draft.graph.nodes.values()):
                if _op(node.op) == call.last and draft.is_open(node.name):
                    _Match(draft, call, node).fold()


@cache
def _calls() -> tuple[tuple[str, str], ...]:
    pairs = (line.split(": ", 1) for line in _CALLS.split("\n") if line)
    return tuple((marker, text) for marker, text in pairs)


@cache
def _compiled(text: str) -> _Call:
    """A call of `_CALLS` with the nodes that it builds."""
    *names, call = text.split(" = ", 1) if " = " in text else ("result", text)
    name, _, rest = call.removesuffix(")").partition("(")
    arguments: dict[str, str] = {}
    for part in rest.replace(", ", "; ").replace("[1; 3]", "[1, 3]").split("; "):
        key, _, value = part.partition("=")
        arguments[key] = value
    results = tuple(names[0].split(", "))
    places = {value: key for key, value in arguments.items() if value in _TENSORS}
    made = built(call, {name: _TENSORS[name] for name in places}, results)
    assert made is not None
    return _Call(OPS[name], arguments, results if len(results) > 1 else (), made, places)


def built(call: str, declared: Mapping[str, str], results: tuple[str, ...]) -> "tuple[TensorFlowTensor, ...] | None":
    """The results of a call in a graph of its own, or None if it does not compile. `declared` has the types of the
    placeholders in it."""
    lines = [f"placeholder {name}: {type}" for name, type in declared.items()]
    lines.append(f"{', '.join(f'{one}_' for one in results)} = {call}\n")
    try:
        compiled = compile_source(Source("call.tfg", "\n".join(lines)))
        made = [compiled[f"{one}_"] for one in results]
    except TfgError:
        return None
    every = [item for one in made for item in (one if is_list(one) else [one])]
    return tuple(map(compiled.built().element, every))


def _call_text(op: Op, arguments: Mapping[str, str]) -> str:
    return f"{op.name}({', '.join(f'{key}={value}' for key, value in arguments.items())})"


def _op(name: str) -> str:
    return _SAME.get(name, name)


class _Match:
    """A place in a graph that may be a call. `node` makes its last result."""

    def __init__(self, draft: Draft, call: _Call, node: GraphNode):
        self._draft, self._call, self._node = draft, call, node
        self._bound: dict[str, Endpoint | np.ndarray] = {}  # by the text of an argument
        self._inside: dict[str, str] = {}  # the nodes of the call, by those that it builds
        self._seed: Given | None = None

    def fold(self) -> None:
        draft, call = self._draft, self._call
        if not self._fits(call.results[-1], Endpoint(self._node.name, call.results[-1].value_index)):
            return
        ends = [self._end_of(one) for one in call.results]
        given = self._arguments()
        if None in ends or given is None or not self._is_apart([end for end in ends if end is not None]):
            return
        found = tuple(end for end in ends if end is not None)
        arguments, texts, declared = given
        made = built(
            _call_text(call.op, texts), {texts[key]: type for key, type in declared.items()}, call.names or ("result",)
        )
        if made is None:
            return
        places = {texts[key]: self._place(key) for key in declared}
        if not all(Same(draft, places).are(one, end) for one, end in zip(made, found)):
            return
        last = self._named(found) if len(found) == 1 else found
        kept = {key: one for key, one in arguments.items() if not _is_default(call.op, key, one)}
        if self._seed is not None and self._seed.value is not None:
            kept["seed"] = self._seed
        order = [param.name for param in call.op.params]
        given_in_order = tuple(sorted(kept.items(), key=lambda one: order.index(one[0])))
        piece = CallPiece(last[0].node, last, callee=call.op.name, arguments=given_in_order, names=call.names)
        inside = {*self._inside.values(), *(end.node for end in found)}
        draft.claim(piece, *sorted(inside - {piece.node}))

    # --- the same ops -----------------------------------------------------------------------------

    def _fits(self, tensor: TensorFlowTensor, end: Endpoint) -> bool:
        """Whether the ops that make a tensor of the call are those that make an endpoint. Binds the arguments."""
        made, end = _passed(tensor), self._source(end)
        operation = made.op
        if operation.name in self._call.places:
            return self._bind(operation.name, end)
        known = _known(self._draft, end)
        if operation.type == "Cast" and known is not None:
            operation = operation.inputs[0].op  # of a whole number, which the graph has as a float
        if operation.type == "Const":
            text = value_text(plain(v1.make_ndarray(operation.get_attr("value"))), "")
            is_place = text in self._call.arguments.values()
            return known is not None and (not is_place or self._bind(text, known))
        if _is_size(tensor):
            return True  # compared later
        node = self._draft.graph.nodes[end.node]
        if _op(node.op) != _op(operation.type) or end.output != made.value_index:
            return False
        if len(node.inputs) != len(operation.inputs) or not self._attributes(operation, node):
            return False
        self._inside[operation.name] = node.name
        self._seed = self._seed or seed_of(self._draft, node)
        return all(self._fits(one, other) for one, other in zip(operation.inputs, node.inputs))

    def _attributes(self, operation: TensorFlowTensor, node: GraphNode) -> bool:
        """Bind the arguments that are attributes."""
        for name in operation.node_def.attr:
            text = value_text(frozen(attribute(operation.node_def.attr[name])), "") if name == "epsilon" else ""
            if text in self._call.arguments.values() and not self._bind(text, np.float32(node.attrs[name].f)):
                return False
        return True

    def _bind(self, name: str, value: "Endpoint | np.ndarray | np.float32") -> bool:
        own = np.asarray(value) if not isinstance(value, Endpoint) else value
        before = self._bound.setdefault(name, own)
        if isinstance(before, Endpoint) or isinstance(own, Endpoint):
            return before is own or (isinstance(before, Endpoint) and before == own)
        return before.dtype == own.dtype and before.tobytes() == own.tobytes()

    def _source(self, end: Endpoint) -> Endpoint:
        return _source(self._draft, end)

    def _end_of(self, tensor: TensorFlowTensor) -> Endpoint | None:
        """The endpoint of a result: a node of the match, or another one that uses such a node."""
        made = _passed(tensor)
        operation = made.op
        if operation.name in self._inside:
            return Endpoint(self._inside[operation.name], made.value_index)
        above = self._inside.get(operation.inputs[0].op.name)
        for name in self._draft.graph.users.get(above or "", ()):
            node = self._draft.graph.nodes[name]
            is_alike = _op(node.op) == _op(operation.type) and len(node.inputs) == len(operation.inputs)
            is_left = self._draft.is_open(name) and name not in self._inside.values() and not self._is_folded(name)
            if is_alike and is_left:
                self._inside[operation.name] = name
                return Endpoint(name, made.value_index)
        return None

    def _is_folded(self, name: str) -> bool:
        return is_gradient(self._draft, name)

    def _is_apart(self, ends: list[Endpoint]) -> bool:
        """Whether the nodes of the call are in one place, and nothing else uses what they make besides the results."""
        draft, graph = self._draft, self._draft.graph
        own = set(self._inside.values())
        if not all(map(draft.is_open, own)) or len({draft.regions.get(name, "") for name in own}) > 1:
            return False
        results = {end.node for end in ends}
        for name in own - results:
            if name in draft.served or not all(map(self._is_own, graph.users[name])):
                return False
        return all(
            end in ends or self._is_folded(user)
            for name in results
            for user in graph.users[name]
            for end in graph.nodes[user].inputs
            if end.node == name
        )

    def _is_own(self, user: str) -> bool:
        """Whether a user of a node is part of the call, or computes a gradient or a size."""
        node = self._draft.graph.nodes[user]
        if user in self._inside.values() or self._is_folded(user):
            return True
        users = self._draft.graph.users[user]
        passes = node.op in ("Identity", "Shape") or node.types[0].dtype.name in _WHOLE if node.types else False
        return passes and user not in self._draft.served and bool(users) and all(map(self._is_own, users))

    def _named(self, ends: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        """The identity that gives the result its name, in place of the result."""
        (end,) = ends
        users = [self._draft.graph.nodes[name] for name in self._draft.graph.users[end.node]]
        own = [one for one in users if not self._is_folded(one.name)]
        match own:
            case [GraphNode(op="Identity", controls=()) as one] if self._draft.is_open(one.name) and (
                self._draft.regions.get(one.name) == self._draft.regions.get(end.node)
            ):
                return (Endpoint(one.name),)
            case _:
                return ends

    # --- arguments --------------------------------------------------------------------------------

    def _place(self, key: str) -> Endpoint:
        end = self._bound[self._call.arguments[key]]
        assert isinstance(end, Endpoint)
        return end

    def _arguments(self) -> tuple[dict[str, Operand], dict[str, str], dict[str, str]] | None:
        """The arguments; their texts in a program in which tensors are placeholders; the types of these. None if one is
        not known."""
        given: dict[str, Operand] = {}
        texts: dict[str, str] = {}
        declared: dict[str, str] = {}
        for key, text in self._call.arguments.items():
            match self._bound.get(text):
                case None if text in _WORDS:
                    given[key], texts[key] = Given(_WORDS[text], ""), text
                case None:
                    return None
                case Endpoint() as end:
                    given[key] = operand(self._draft, end)
                    texts[key], declared[key] = self._tensor(key, given[key], end)
                    if not declared[key]:
                        del declared[key]
                case value:
                    given[key] = Given(plain(value), value.dtype.name)
                    texts[key] = value_text(plain(value), value.dtype.name)
        return given, texts, declared

    def _tensor(self, key: str, given: Operand, end: Endpoint) -> tuple[str, str]:
        """The text of a tensor, and its type if it is a placeholder: all but scalars of the usual dtypes."""
        type = type_of(self._draft, end)
        if isinstance(given, Given) and type.rank == 0 and type.dtype.name == "float32":
            return value_text(given.value, "float32"), ""
        first = next(one for one in self._call.arguments if self._bound.get(self._call.arguments[one]) == end)
        return f"{first}_", type_text(type)


def type_of(draft: Draft, end: Endpoint) -> TensorType:
    """The type of a tensor, without the names of sizes. A variable has the type of its value."""
    piece = draft.pieces.get(end.node)
    type = piece.type if isinstance(piece, VariablePiece) else draft.type(end)
    sizes = None if type.shape is None else tuple(size if isinstance(size, int) else None for size in type.shape)
    return TensorType(type.dtype, sizes)


def _is_default(op: Op, name: str, value: Operand) -> bool:
    param = next(one for one in op.params if one.name == name)
    if not isinstance(value, Given):
        return False
    if isinstance(param.default, float) and isinstance(value.value, (int, float)):
        return np.float32(param.default) == np.float32(value.value)
    return frozen(param.default) == value.value


def _is_size(tensor: TensorFlowTensor) -> bool:
    """Whether a tensor is computed only from shapes and whole numbers."""
    todo = [tensor]
    while todo:
        one = todo.pop()
        if one.dtype.name not in _WHOLE or one.op.type == "Placeholder":
            return False
        if one.op.type not in ("Shape", "Rank", "Size"):
            todo += one.op.inputs
    return True


def _passed(tensor: TensorFlowTensor) -> TensorFlowTensor:
    """The tensor that identities pass on."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor


def _source(draft: Draft, end: Endpoint) -> Endpoint:
    """The endpoint that identities pass on."""
    end = draft.end(end)
    node = draft.graph.nodes[end.node]
    while node.op == "Identity" and draft.is_free(node.name) and not any(map(draft.has_effect, node.controls)):
        end = draft.end(node.inputs[0])
        node = draft.graph.nodes[end.node]
    return end


def _known(draft: Draft, end: Endpoint) -> np.ndarray | None:
    value = draft.known.get(end)
    return constant_value(draft.graph.nodes[end.node]) if value is None else value


class Same:
    """Compares the nodes that a call builds with those of the graph. `places` maps placeholders to the arguments.
    `nodes` are the nodes of the graph that were the same."""

    def __init__(self, draft: Draft, places: Mapping[str, Endpoint]):
        self._draft, self._places = draft, places
        self.nodes: set[str] = set()

    def are(self, tensor: TensorFlowTensor, end: Endpoint) -> bool:
        made, end = _passed(tensor), _source(self._draft, end)
        operation = made.op
        if operation.name in self._places:
            return _source(self._draft, self._places[operation.name]) == end
        known = _known(self._draft, end)
        value = static_value(made)
        if known is not None and value is not None:
            return known.dtype == value.dtype and known.shape == value.shape and known.tobytes() == value.tobytes()
        node = self._draft.graph.nodes[end.node]
        self.nodes.add(node.name)
        return (
            _op(node.op) == _op(operation.type)
            and made.value_index == end.output
            and len(node.inputs) == len(operation.inputs)
            and all(self._are_alike(operation, node, name) for name in operation.node_def.attr)
            and all(self.are(one, other) for one, other in zip(operation.inputs, node.inputs))
        )

    def _are_alike(self, operation: TensorFlowTensor, node: GraphNode, name: str) -> bool:
        if name.startswith("_") or name in _FREE or name not in node.attrs:
            return True
        return operation.node_def.attr[name] == node.attrs[name]
