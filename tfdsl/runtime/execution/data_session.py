"""A `tf.compat.v1.Session` that feeds the data of its graph automatically."""

from collections.abc import Collection

from ...lowering.data import Arrays, GraphData
from ...lowering.sums import ordered
from ...lowering.tf import Operand, RewriterConfig, tf, v1
from .repeated import Repeated, own


class DataSession(v1.Session):
    """Every `run`, and every callable made with feeds, is fed the data that it needs, unless the caller feeds it."""

    def __init__(self, data: GraphData, config: v1.ConfigProto | None = None, target: str = ""):
        in_order = ordered(config)
        if data.has_transposed():
            # TensorFlow would bypass the feed: it fuses a transposition with the multiplication after it.
            in_order.graph_options.rewrite_options.arithmetic_optimization = RewriterConfig.OFF
        super().__init__(target, data.graph, in_order)
        self._data = data
        self._repeated = None if target else Repeated(self)

    def expect(self, times: int) -> None:
        """Say how often each execution from now on will be repeated, 1 if this is not known. It changes no value, only
        how soon an execution becomes a callable."""
        if self._repeated is not None:
            self._repeated.expected = times

    def run(
        self, fetches: Operand, feed_dict: Operand = None, options: Operand = None, run_metadata: Operand = None
    ) -> Operand:
        feeds = feed_dict or {}
        if self._repeated is None or not isinstance(fetches, list) or options or run_metadata:
            return self._execute(fetches, feeds, options, run_metadata)
        return self._repeated.run(
            fetches, feeds, lambda: self._execute(fetches, feeds), lambda: self.held(fetches, feeds)
        )

    def _execute(
        self, fetches: Operand, feeds: Operand, options: Operand = None, run_metadata: Operand = None
    ) -> Operand:
        held = self.held(fetches, feeds)
        results = super().run(fetches, {**held, **feeds} or None, options, run_metadata)
        if not held or results is None:
            return results
        return tf.nest.map_structure(lambda value: own(value, held), results)

    def held(self, fetches: Operand, feed_dict: Collection[Operand] = ()) -> Arrays:
        """The data that some fetches need besides the given feeds."""
        return self._data.needed(fetches, feed_dict, super().run)
