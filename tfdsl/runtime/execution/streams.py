"""The streams of a session's random ops, if some executions of them are inside a training loop.

The kernels of these ops do not know what was drawn in the loop. So outside the loop, too, the twins of the ops draw the
numbers, which are then fed.
"""

from collections.abc import Collection, Mapping

import numpy as np

from ...lowering.built import BuiltGraph
from ...lowering.cloning import name_of
from ...lowering.streams import RandomStream, draw
from ...lowering.tf import Operand, tf, v1


class Streams:
    """The streams of some random ops, by name."""

    def __init__(self, built: BuiltGraph):
        self._built = built
        self.streams: dict[str, RandomStream] = {}
        self._drawing: dict[tuple[frozenset[str], frozenset[str]], list[str]] = {}  # by the fetches and feeds

    def add(self, name: str) -> None:
        self.streams[name] = RandomStream(self._built.graph.get_operation_by_name(name))
        self._drawing.clear()

    def states(self) -> np.ndarray:
        """int64 [streams, 3]."""
        return np.array([stream.state for stream in self.streams.values()], np.int64).reshape(-1, 3)

    def put(self, states: np.ndarray) -> None:
        for stream, state in zip(self.streams.values(), states, strict=True):
            stream.state = state.copy()

    def drawn(
        self, session: v1.Session, fetches: Operand, feeds: Mapping[tf.Tensor, object], but: Collection[str] = ()
    ) -> dict[tf.Tensor, np.ndarray]:
        """The values to feed for the random ops of one execution, except some. Advances their streams."""
        if not self.streams:
            return {}
        graph = self._built.graph
        elements = [graph.as_graph_element(one) for one in (fetches if isinstance(fetches, list) else [fetches])]
        result: dict[tf.Tensor, np.ndarray] = {}
        for name in self._reached(frozenset(map(name_of, elements)), frozenset(tensor.name for tensor in feeds)):
            if name not in but:
                stream = self.streams[name]
                output, state = self._twin(graph.get_operation_by_name(name))
                given = {**feeds, **result}
                given[state] = stream.state
                [value] = session.run([output], given)
                stream.advance(value.size)
                result[graph.get_tensor_by_name(f"{name}:0")] = value
        return result

    def _reached(self, names: frozenset[str], fed: frozenset[str]) -> list[str]:
        """The random ops with a stream that an execution runs, in the order of the graph."""
        key = names, fed
        if key not in self._drawing:
            self._drawing[key] = [one for one in self._built.copier.reached(names, fed) if one in self.streams]
        return self._drawing[key]

    def _twin(self, op: tf.Operation) -> tuple[tf.Tensor, tf.Tensor]:
        """The output of an op's twin, and the placeholder of its stream's state. They are added on first use."""
        twins = self._built.twins
        with self._built.lock:
            if op.name not in twins:
                with self._built.adding("streams"):
                    state = v1.placeholder(tf.int64, [3], "state")
                    output = draw(op, list(op.inputs), state)
                    twins[op.name] = output, state
            return twins[op.name]
