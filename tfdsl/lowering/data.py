"""The data that a graph works on: a field of a `data` declaration becomes a placeholder that is fed its array.

A graph definition holds no data: it is limited to 2 GB and is written with every checkpoint and event file. So a
placeholder takes the place and the name of the constant, and each execution is fed the arrays that it needs
(`GraphData.needed`). TensorFlow uses the arrays of `data/arrays.py` without copying them.

TensorFlow computes a tensor that depends only on constants once, when it plans an execution. So a tensor that depends
only on data is also computed once, and then fed. The kernels that TensorFlow uses for this can differ in the last bits
from those of an execution. To get the same bits, data of limited size is computed in a temporary graph with constants.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from threading import RLock

import numpy as np

from ..data.arrays import aligned
from ..program import Field
from ..quiet import unlogged
from .sums import order_sums, ordered
from .tf import Operand, tf, v1

_NO_NAME = re.compile(r"[^A-Za-z0-9_.]+")  # characters that the name of a placeholder cannot have
_UNFED = (tf.variant, tf.resource)  # dtypes whose values cannot be fetched
_FOLDED = 1 << 26  # bytes of data that are computed as constants
_TRANSPOSES = ("Transpose", "ConjugateTranspose")
_SESSIONS = 32  # the number of sessions for that
_CONSTANT, _MADE, _OTHER = range(3)  # an op that depends on constants; on constants and data; on anything else

Arrays = dict[tf.Tensor, np.ndarray]
Evaluate = Callable[[list[tf.Tensor], Arrays], list]


class GraphData:
    """The data of one graph: `feeds` has the array of each placeholder, `fields` the field of each by its name."""

    def __init__(self, graph: tf.Graph):
        self.graph = graph
        self.feeds: Arrays = {}
        self.fields: dict[str, Field] = {}
        self._arrays: dict[tuple, np.ndarray] = {}  # each is stored once
        self._outside: dict[tuple, tf.Tensor] = {}  # placeholders for functions and 'after' blocks
        self._kinds: dict[frozenset[str], dict[str, int]] = {}  # of ops, by the ops whose tensors are fed
        self._needed: dict[tuple[tuple[str, ...], frozenset[str]], Arrays] = {}
        self._values: dict[str, np.ndarray] = {}  # of tensors that depend only on data, by name
        self._lock = RLock()  # for sessions in several threads

    def source(self, arrays: Callable[[Field], np.ndarray]) -> "Callable[[Field], FedArray]":
        """Returns fields as arguments of nodes."""
        return lambda field: FedArray(self, field, np.asarray(arrays(field)))

    # --- feeds ----------------------------------------------------------------------------------

    def needed(self, fetches: object, fed: Collection[object], evaluate: Evaluate) -> Arrays:
        """The arrays to feed for `fetches`, in any form that a session takes, given what is already fed.

        `evaluate` executes the graph: it returns the values of tensors when some arrays are fed.
        """
        if not self.feeds:
            return {}
        with self._lock:
            return self._found(fetches, fed, evaluate)

    def _found(self, fetches: object, fed: Collection[object], evaluate: Evaluate) -> Arrays:
        try:
            changed = self._changed(fed) if fed else frozenset()
            names = tuple([getattr(one, "name", one) for one in tf.nest.flatten(fetches)])
            if (names, changed) in self._needed:  # true for most steps of a training
                return self._needed[names, changed]
            tensors = self._reached([self.graph.as_graph_element(name) for name in names], changed)
        except (TypeError, ValueError, KeyError):  # a composite tensor, or a fetch that TensorFlow refuses
            return dict(self.feeds)
        self._compute([tensor for tensor in tensors if tensor.name not in self._values], evaluate)
        self._needed[names, changed] = {tensor: self._values[tensor.name] for tensor in tensors}
        return self._needed[names, changed]

    def has_transposed(self) -> bool:
        """Whether some data is transposed before any other op uses it."""
        operations = self.graph.get_operations() if self.feeds else []
        return any(op.type in _TRANSPOSES and self._kind(op, frozenset()) == _MADE for op in operations)

    def _changed(self, fed: Iterable[object]) -> frozenset[str]:
        """The ops of the fed tensors that would otherwise depend only on data."""
        tensors = [self.graph.as_graph_element(one) for one in fed]
        return frozenset(t.op.name for t in tensors if self._kind(t.op, frozenset()) == _MADE)

    def _reached(self, elements: list[tf.Tensor | tf.Operation], changed: frozenset[str]) -> list[tf.Tensor]:
        """The last tensors that depend only on data, on the way to some elements."""
        found: dict[str, tf.Tensor] = {}
        seen = set()
        todo = list(elements)
        while todo:
            one = todo.pop()
            op = one if isinstance(one, tf.Operation) else one.op
            if isinstance(one, tf.Tensor) and self._kind(op, changed) == _MADE:
                found[one.name] = one
                # If TensorFlow fuses an op with the next one, it may need the data of the first.
                found.update((used.name, used) for used in self._used(op))
            elif op.name not in seen and op.name not in changed:
                seen.add(op.name)
                if op.name in self.fields:
                    found[op.outputs[0].name] = op.outputs[0]
                todo += [*op.inputs, *op.control_inputs]
        return list(found.values())

    def _kind(self, op: tf.Operation, changed: frozenset[str]) -> int:
        kinds = self._kinds.setdefault(changed, {})
        todo = [op]
        while todo:
            one = todo[-1]
            unknown = [tensor.op for tensor in one.inputs if tensor.op.name not in kinds]
            if one.name not in kinds and unknown and self._can_be_made(one):
                todo += unknown
                continue
            todo.pop()
            if one.name not in kinds:
                kinds[one.name] = self._of_inputs(one, changed, kinds)
        return kinds[op.name]

    def _of_inputs(self, op: tf.Operation, changed: frozenset[str], kinds: Mapping[str, int]) -> int:
        if op.name in changed:
            return _OTHER
        if op.name in self.fields:
            return _MADE
        if not self._can_be_made(op):
            return _OTHER
        of_inputs = [kinds[tensor.op.name] for tensor in op.inputs]
        return max(of_inputs, default=_CONSTANT if op.type == "Const" else _OTHER)

    @staticmethod
    def _can_be_made(op: tf.Operation) -> bool:
        """Whether an op depends on its inputs and nothing else."""
        if op.type.startswith("Placeholder") or op.op_def.is_stateful or op.control_inputs:
            return False
        return not any(tensor.dtype in _UNFED for tensor in op.outputs)

    def _compute(self, tensors: list[tf.Tensor], evaluate: Evaluate) -> None:
        """Compute tensors that depend only on data."""
        folded = []
        for tensor in tensors:
            used = self._used(tensor.op)
            if tensor.op.name in self.fields:
                self._values[tensor.name] = self.feeds[tensor]
            elif sum(self.feeds[one].nbytes for one in used) > _FOLDED:
                self._compute_each(tensor, evaluate)
            else:
                folded.append((tensor, used))
        # Other fetches can change how TensorFlow computes a tensor, but there cannot be many sessions.
        count = 1 if len(folded) <= _SESSIONS else len(folded)
        definition = self.graph.as_graph_def() if folded else None
        for start in range(0, len(folded), count):
            self._compute_folded(folded[start : start + count], definition)

    def _used(self, op: tf.Operation) -> set[tf.Tensor]:
        """The data that an op depends on."""
        used, seen, todo = set(), set(), [op]
        while todo:
            one = todo.pop()
            if one.name in self.fields:
                used.add(one.outputs[0])
            elif one.name not in seen:
                seen.add(one.name)
                todo += [tensor.op for tensor in one.inputs]
        return used

    def _compute_folded(self, tensors: list[tuple[tf.Tensor, set[tf.Tensor]]], definition: v1.GraphDef) -> None:
        """Compute tensors from little data, as TensorFlow computes them from constants."""
        names = [tensor.name for tensor, _ in tensors]
        with unlogged():  # the function is old
            part = v1.graph_util.extract_sub_graph(definition, sorted({tensor.op.name for tensor, _ in tensors}))
        make_constants(part, {one.op.name: self.feeds[one] for _, used in tensors for one in used})
        for node in part.node:
            node.device = ""
        with tf.Graph().as_default() as graph:
            tf.graph_util.import_graph_def(part, name="")
            order_sums(graph)
        with v1.Session(graph=graph, config=ordered()) as session:
            self._values.update(zip(names, map(_held, session.run(names)), strict=True))

    def _compute_each(self, tensor: tf.Tensor, evaluate: Evaluate) -> None:
        """Compute a tensor from much data: one execution per op, which is fed the op's inputs."""
        known: dict[str, np.ndarray] = {}
        todo = [tensor.op]
        while todo:
            op = todo[-1]
            missing = [t.op for t in op.inputs if t.name not in known and self._kind(t.op, frozenset()) == _MADE]
            if missing:
                todo += missing
                continue
            todo.pop()
            if op.name in self.fields:
                known[op.outputs[0].name] = self.feeds[op.outputs[0]]
            elif op.outputs[0].name not in known:
                values = evaluate(list(op.outputs), {t: known[t.name] for t in op.inputs if t.name in known})
                known.update(zip((t.name for t in op.outputs), map(_held, values), strict=True))
        self._values[tensor.name] = known[tensor.name]

    # --- placeholders ---------------------------------------------------------------------------

    def placeholder(self, field: Field, array: np.ndarray, name: str | None) -> tf.Tensor:
        """A tensor of an array in the default graph."""
        graph = v1.get_default_graph()
        if graph is self.graph:
            return self._made(field, array, name)
        return graph.capture(self.outside(field, array))  # a function parameter cannot be fed

    def outside(self, field: Field, array: np.ndarray) -> tf.Tensor:
        """A placeholder outside all scopes, for any op that needs the array."""
        key = field, array.dtype.str, array.shape
        if key not in self._outside:
            with self.graph.as_default(), v1.name_scope(None), tf.device(None):
                self._outside[key] = self._made(field, array, None)
        return self._outside[key]

    def _made(self, field: Field, array: np.ndarray, name: str | None) -> tf.Tensor:
        key = field, array.dtype.str, array.shape
        if key not in self._arrays:
            self._arrays[key] = aligned(array)
        after_data = _NO_NAME.sub(".", str(field)).strip("._") or "data"
        # Feeding the placeholder would drop its control edges, and so the ops that use it would not have them either.
        with tf.control_dependencies(None):
            tensor = v1.placeholder(_dtype(array), array.shape, name or after_data)
        self.feeds[tensor], self.fields[tensor.op.name] = self._arrays[key], field
        return tensor


def _held(value: object) -> np.ndarray:
    # NumPy's own type for bytes would drop zeros at their end.
    return aligned(np.asarray(value, object if isinstance(value, bytes) else None))


def make_constants(definition: v1.GraphDef, data: Mapping[str, np.ndarray]) -> None:
    """Replace placeholders that stand for data by constants. `data` has their arrays by name."""
    for node in definition.node:
        if node.name in data:
            dtype = node.attr["dtype"].type
            node.op = "Const"
            node.ClearField("attr")
            node.attr["dtype"].type = dtype
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(data[node.name], dtype))


def _dtype(array: np.ndarray) -> tf.DType:
    return tf.string if array.dtype.kind in "OSU" else tf.as_dtype(array.dtype)


class FedArray:
    """An array of data as an argument of a node.

    TensorFlow functions can use it like an array. When they convert it to a constant, they get a placeholder with the
    name of that constant.
    """

    def __init__(self, data: GraphData, field: Field, array: np.ndarray):
        self._data, self._field, self._array = data, field, array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, index: Operand) -> Operand:
        return self._array[index]

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._array, dtype) if copy else np.asarray(self._array, dtype)

    def __tf_tensor__(self, dtype: tf.DType | None = None, name: str | None = None) -> tf.Tensor:
        if dtype is not None and dtype.base_dtype != _dtype(self._array):
            return tf.constant(self._array, dtype, name=name)
        return self._data.placeholder(self._field, self._array, name)

    def constant(self, shape: list[int], name: str, is_after: bool) -> tf.Tensor:
        """The tensor for `constant(data)` with this shape and name. `is_after` says whether it has control inputs."""
        array = self._array
        if array.shape != tuple(shape):  # one number fills it all
            array = np.broadcast_to(array, shape) if array.size == 1 else array.reshape(shape)
        if is_after or v1.get_default_graph() is not self._data.graph:
            return tf.identity(self._data.outside(self._field, array), name)
        return self._data.placeholder(self._field, array, name)
