"""The batches of a streamed data set, read ahead by `tf.data` while the graph runs."""

from collections.abc import Mapping

import numpy as np

from ...data.batches import BatchOrder
from ...lowering.tf import tf, v1


class BatchStream:
    """The batches of a training from a step on: a tf.data pipeline in its own graph.

    The order determines the rows of a batch, as for arrays in memory.
    """

    def __init__(self, fields: Mapping[str, np.ndarray], order: BatchOrder, first: int, total: int):
        self._fields, arrays = tuple(fields), list(fields.values())

        def gather(step: np.ndarray) -> list[np.ndarray]:
            rows = order.indices(int(step))
            return [np.asarray(array[rows]) for array in arrays]

        @tf.autograph.experimental.do_not_convert  # AutoGraph writes a file that stays if this process is killed
        def batch(step: tf.Tensor) -> list[tf.Tensor]:
            return tf.numpy_function(gather, [step], dtypes)

        self._graph = tf.Graph()
        with self._graph.as_default():
            dtypes = [tf.string if array.dtype == object else tf.as_dtype(array.dtype) for array in arrays]
            steps = tf.data.Dataset.range(first, total)
            batches = steps.map(batch).prefetch(2)
            iterator = v1.data.make_initializable_iterator(batches)
            self._next = iterator.get_next()
        self._session = v1.Session(graph=self._graph)
        self._session.run(iterator.initializer)
        self._at = first - 1
        self._batch: list[np.ndarray] = []

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """The fields of a step. Steps come in order, and some may be left out."""
        while self._at < step:
            batch = self._session.run(self._next)
            self._batch = list(batch) if isinstance(batch, (list, tuple)) else [batch]
            self._at += 1
        return dict(zip(self._fields, self._batch, strict=True))

    def close(self) -> None:
        self._session.close()
