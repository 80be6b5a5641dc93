"""The executions that a session repeats, which are looked up once.

`Session.run` looks up fetches and feeds in every call, and hands the ops to other threads. For the step of a small
model, this takes longer than the ops. So an execution that is repeated often becomes one of TensorFlow's callables. It
runs its ops in the thread of the caller, unless several threads turn out to be faster: kernels that are worth it divide
their own work between threads anyway.

TensorFlow optimises the ops again for each callable, which for many ops takes as long as thousands of their executions.
So the more ops there are, the later the callable is made. If it is known that an execution will be repeated, it is a
callable from the first time.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...lowering.order import PYTHON_CALLS
from ...lowering.tf import CallableOptions, Operand, tf, v1

_OFTEN = 20  # executions before a callable is made, if there are few ops
_OPTIMISED = 3e-4  # seconds that TensorFlow takes to optimise an op
_SAVED = 7e-5  # seconds that a callable saves in an execution
_SHORT = 0.001  # an execution of fewer seconds is not divided between threads
_MANY = 1000  # ops that take longer than that
_LOOKS = 5  # calls that show how fast a callable is
_GAIN = 0.1  # of the time of a longer execution, if it is divided
_MOST = 1000  # executions that are kept
_NO_VALUES = (tf.variant, tf.resource)  # dtypes whose values a callable cannot return

Feeds = Mapping[tf.Tensor, Any]  # numbers, lists and arrays
Key = tuple[tuple[int, ...], tuple[int, ...]]  # identities of the fetches and of the fed tensors


class _Fed:
    """A fed tensor, and what fits it without conversion: arrays of its dtype and shape."""

    def __init__(self, tensor: tf.Tensor):
        self.tensor = tensor
        self._dtype = np.dtype(tensor.dtype.base_dtype.as_numpy_dtype)
        self._shape = None if tensor.shape.rank is None else tuple(tensor.shape.as_list())

    def fits(self, value: object) -> bool:
        if not isinstance(value, np.ndarray) or value.dtype != self._dtype:
            return False
        if self._shape is None:
            return True
        sizes = zip(self._shape, value.shape, strict=False)
        return len(self._shape) == value.ndim and all(size is None or size == actual for size, actual in sizes)


@dataclass(slots=True)
class _Callable:
    """One of TensorFlow's callables. It takes the fed values, then those of `held`, and returns the values of the
    fetches that have a place; the others are operations. `is_undivided` says that it runs the ops in the thread of the
    caller. `seconds` are those of its fastest call among those that were looked at."""

    call: Callable[..., list]
    is_undivided: bool
    held: Mapping[tf.Tensor, np.ndarray]
    places: list[int | None]
    seconds: float = float("inf")
    looks: int = 0


@dataclass(slots=True)
class _Repetition:
    """An execution, and what has been learned about it. `made` has its callables while they are compared, and `chosen`
    is the one in use."""

    fetches: Sequence[Operand]  # kept, because other objects could get their identities
    fed: list[_Fed]
    expected: int  # executions
    due: int = _OFTEN  # executions after which a callable pays
    count: int = 0
    made: list[_Callable] = field(default_factory=list)
    chosen: _Callable | None = None

    def fits(self, feeds: Feeds) -> bool:
        """Whether the fed values need no conversion."""
        return all(one.fits(feeds[one.tensor]) for one in self.fed)


class Repeated:
    """The repeated executions of a session on this machine. `expected` says how often those that are run now will be
    repeated, as far as it is known."""

    def __init__(self, session: v1.Session):
        self.expected = 1
        self._session = session
        self._found: dict[Key, _Repetition] = {}

    def run(
        self, fetches: Sequence[Operand], feeds: Feeds, execute: Callable[[], list], held: Callable[[], Feeds]
    ) -> list:
        """The values of fetches. `execute` executes the graph as `Session.run` does; `held` returns what it feeds
        besides the feeds."""
        key = tuple(map(id, fetches)), tuple(map(id, feeds))
        found = self._found.get(key)
        if found is None:
            if len(self._found) == _MOST:
                self._found.clear()
            found = self._found[key] = _Repetition(tuple(fetches), [_Fed(one) for one in feeds], self.expected)
            if self.expected >= _OFTEN:
                self._make(found, held(), is_undivided=_ops_below(self._elements(found)) < _MANY)
        if found.chosen is not None and found.fits(feeds):
            if found.made:
                return self._compared(found, found.chosen, feeds, held)
            return self._called(found.chosen, feeds)
        values = execute()
        found.count += 1
        if found.count == _OFTEN and found.chosen is None:
            found.due = self._due(found)
        if found.count == found.due and found.chosen is None:
            found.expected = max(found.expected, found.count)  # as often again
            self._make(found, held(), is_undivided=_ops_below(self._elements(found)) < _MANY)
        return values

    def _elements(self, found: _Repetition) -> list[tf.Tensor | tf.Operation]:
        return [self._session.graph.as_graph_element(one) for one in found.fetches]

    def _due(self, found: _Repetition) -> int:
        """The executions after which a callable pays."""
        return max(_OFTEN, int(_ops_below(self._elements(found)) * _OPTIMISED / _SAVED))

    def _called(self, chosen: _Callable, feeds: Feeds) -> list:
        values = self._session._do_call(chosen.call, *feeds.values(), *chosen.held.values())
        return [None if at is None else own(values[at], chosen.held) for at in chosen.places]

    def _compared(self, found: _Repetition, chosen: _Callable, feeds: Feeds, held: Callable[[], Feeds]) -> list:
        """Call, and choose between undivided and divided executions. Only long ones may gain from several threads."""
        begun = time.perf_counter()
        values = self._called(chosen, feeds)
        chosen.seconds = min(chosen.seconds, time.perf_counter() - begun)
        chosen.looks += 1
        if chosen.looks == _LOOKS:
            cost = _OPTIMISED * _ops_below(self._elements(found))
            may_gain = chosen.seconds >= _SHORT and found.expected * chosen.seconds * _GAIN > cost
            if chosen.is_undivided and may_gain:
                self._make(found, held(), is_undivided=False)
            else:
                found.chosen = min(found.made, key=lambda one: one.seconds)
                found.made = []
        return values

    def _make(self, found: _Repetition, held: Feeds, is_undivided: bool) -> None:
        elements = self._elements(found)
        tensors = list(dict.fromkeys(one for one in elements if isinstance(one, tf.Tensor)))
        fed = [*(one.tensor for one in found.fed), *held]
        if any(one.dtype.base_dtype in _NO_VALUES or one in fed for one in tensors):
            return
        options = CallableOptions(
            feed=[one.name for one in fed],
            fetch=[one.name for one in tensors],
            target=[one.name for one in elements if not isinstance(one, tf.Tensor)],
        )
        is_undivided = is_undivided and not self._calls_python()
        if is_undivided:
            options.run_options.inter_op_thread_pool = -1  # the thread of the caller
        call = self._session._make_callable_from_options(options)
        places: dict[object, int] = {one: at for at, one in enumerate(tensors)}
        found.chosen = _Callable(call, is_undivided, held, [places.get(one) for one in elements])
        found.made.append(found.chosen)

    def _calls_python(self) -> bool:
        """Whether the graph calls Python, which would then get the signals of the caller's thread."""
        graph = self._session.graph.as_graph_def()
        nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
        return any(node.op in PYTHON_CALLS for node in nodes)


def _ops_below(elements: Sequence[tf.Tensor | tf.Operation]) -> int:
    """The number of ops that some tensors and operations need, with their own."""
    found = {one if isinstance(one, tf.Operation) else one.op for one in elements}
    todo = list(found)
    while todo:
        op = todo.pop()
        new = {tensor.op for tensor in op.inputs}.union(op.control_inputs) - found
        found |= new
        todo += new
    return len(found)


def own(value: Operand, held: Mapping[tf.Tensor, np.ndarray]) -> Operand:
    """A fetched value. If it is data, TensorFlow returns the fed array itself, so it is copied."""
    if not isinstance(value, np.ndarray):
        return value
    if not value.shape:  # of one element TensorFlow returns the element, unless it was fed
        return value[()]
    return value.copy() if any(np.may_share_memory(value, array) for array in held.values()) else value
