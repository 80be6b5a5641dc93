"""A `tf.compat.v1.Session` that feeds the data of its graph by itself."""

import numpy as np

from ...lowering.data import Arrays, GraphData
from ...lowering.sums import ordered
from ...lowering.tf import RewriterConfig, tf, v1


class DataSession(v1.Session):
    """Every `run`, and what `make_callable` makes with feeds, is fed the data that it needs; what the caller feeds goes
    before."""

    def __init__(self, data: GraphData, config: v1.ConfigProto | None = None, target: str = ""):
        in_order = ordered(config)
        if data.has_transposed():
            # TensorFlow would look past what is fed: it puts a transposition into the multiplication after it.
            in_order.graph_options.rewrite_options.arithmetic_optimization = RewriterConfig.OFF
        super().__init__(target, data.graph, in_order)
        self._data = data

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        held = self.held(fetches, feed_dict or {})
        if not held:
            return super().run(fetches, feed_dict, options, run_metadata)
        results = super().run(fetches, {**held, **(feed_dict or {})}, options, run_metadata)
        if results is None:
            return None
        return tf.nest.map_structure(lambda value: _own(value, held), results)

    def held(self, fetches, feed_dict=()) -> Arrays:
        """The data that fetching something needs, beside what is fed already."""
        return self._data.needed(fetches, feed_dict, super().run)


def _own(value: object, held: Arrays) -> object:
    """A fetched value; a copy of one that is data, of which TensorFlow gives back what it was fed."""
    if not isinstance(value, np.ndarray) or not any(np.may_share_memory(value, array) for array in held.values()):
        return value
    return value.copy() if value.shape else value[()]
