"""A `tf.compat.v1.Session` that feeds the data of its graph automatically."""

from collections.abc import Collection

import numpy as np

from ...lowering.data import Arrays, GraphData
from ...lowering.sums import ordered
from ...lowering.tf import Operand, RewriterConfig, tf, v1


class DataSession(v1.Session):
    """Every `run`, and every callable made with feeds, is fed the data that it needs, unless the caller feeds it."""

    def __init__(self, data: GraphData, config: v1.ConfigProto | None = None, target: str = ""):
        in_order = ordered(config)
        if data.has_transposed():
            # TensorFlow would bypass the feed: it fuses a transposition with the multiplication after it.
            in_order.graph_options.rewrite_options.arithmetic_optimization = RewriterConfig.OFF
        super().__init__(target, data.graph, in_order)
        self._data = data

    def run(
        self, fetches: Operand, feed_dict: Operand = None, options: Operand = None, run_metadata: Operand = None
    ) -> Operand:
        held = self.held(fetches, feed_dict or {})
        if not held:
            return super().run(fetches, feed_dict, options, run_metadata)
        results = super().run(fetches, {**held, **(feed_dict or {})}, options, run_metadata)
        if results is None:
            return None
        return tf.nest.map_structure(lambda value: _own(value, held), results)

    def held(self, fetches: Operand, feed_dict: Collection[Operand] = ()) -> Arrays:
        """The data that some fetches need besides the given feeds."""
        return self._data.needed(fetches, feed_dict, super().run)


def _own(value: object, held: Arrays) -> object:
    """A fetched value. If it is data, TensorFlow returns the fed array itself, so it is copied."""
    if not isinstance(value, np.ndarray) or not any(np.may_share_memory(value, array) for array in held.values()):
        return value
    return value.copy() if value.shape else value[()]
