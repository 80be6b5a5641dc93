"""The executions that a session repeats, which are looked up once.

`Session.run` looks up fetches and feeds in every call, and hands the ops to other threads. For the step of a small
model, this takes longer than the ops. So when a session has repeated an execution some times, it becomes one of
TensorFlow's callables. If the execution is short, the callable runs its ops in the thread of the caller.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...lowering.order import PYTHON_CALLS
from ...lowering.tf import CallableOptions, Operand, tf, v1

_OFTEN = 20  # executions before a callable is made, since TensorFlow then optimises the ops again
_SHORT = 0.001  # an execution of fewer seconds is not divided between threads
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
class _Repetition:
    """An execution, and the seconds of its fastest call. `call` takes the fed values, then those of `held`. It returns
    the values of the fetches that have a place; the others are operations."""

    fetches: Sequence[Operand]  # kept, because other objects could get their identities
    fed: list[_Fed]
    count: int = 0
    seconds: float = float("inf")
    call: Callable[..., list] | None = None
    held: Mapping[tf.Tensor, np.ndarray] = field(default_factory=dict)
    places: list[int | None] = field(default_factory=list)


class Repeated:
    """The repeated executions of a session on this machine."""

    def __init__(self, session: v1.Session):
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
            found = self._found[key] = _Repetition(tuple(fetches), [_Fed(one) for one in feeds])
        if found.call is not None and all(one.fits(feeds[one.tensor]) for one in found.fed):
            values = self._session._do_call(found.call, *feeds.values(), *found.held.values())
            return [None if at is None else own(values[at], found.held) for at in found.places]
        begun = time.perf_counter()
        values = execute()
        found.seconds = min(found.seconds, time.perf_counter() - begun)
        found.count += 1
        if found.count == _OFTEN:
            self._make(found, held())
        return values

    def _make(self, found: _Repetition, held: Feeds) -> None:
        elements = [self._session.graph.as_graph_element(one) for one in found.fetches]
        tensors = list(dict.fromkeys(one for one in elements if isinstance(one, tf.Tensor)))
        fed = [*(one.tensor for one in found.fed), *held]
        if any(one.dtype.base_dtype in _NO_VALUES or one in fed for one in tensors):
            return
        options = CallableOptions(
            feed=[one.name for one in fed],
            fetch=[one.name for one in tensors],
            target=[one.name for one in elements if not isinstance(one, tf.Tensor)],
        )
        if found.seconds < _SHORT and not self._calls_python():
            options.run_options.inter_op_thread_pool = -1  # the thread of the caller
        found.held, found.call = held, self._session._make_callable_from_options(options)
        places = {one: at for at, one in enumerate(tensors)}
        found.places = [places.get(one) for one in elements]

    def _calls_python(self) -> bool:
        """Whether the graph calls Python, which would then get the signals of the caller's thread."""
        graph = self._session.graph.as_graph_def()
        nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
        return any(node.op in PYTHON_CALLS for node in nodes)


def own(value: Operand, held: Mapping[tf.Tensor, np.ndarray]) -> Operand:
    """A fetched value. If it is data, TensorFlow returns the fed array itself, so it is copied."""
    if not isinstance(value, np.ndarray) or not any(np.may_share_memory(value, array) for array in held.values()):
        return value
    return value.copy() if value.shape else value[()]
