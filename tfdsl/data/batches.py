"""The order in which training sees the rows.

Input: an order (`declaration.ORDERS`), a seed, the number of rows, the batch size, and the step, counted over the
whole training. Output: the row indices of the batch at that step. They depend on nothing else, so a resumed
training sees the same batches.
"""

import numpy as np

from .mersenne import Draws, sampled

SEEDS = 1 << 32  # of numpy.random.RandomState


def steps_per_epoch(rows: int, size: int) -> int:
    return -(-rows // size)


def indices(order: str, seed: int, rows: int, size: int, step: int) -> np.ndarray:
    """The row indices of one batch. For many batches, keep a `BatchOrder`."""
    return BatchOrder(order, seed, rows, size).indices(step)


class BatchOrder:
    """The batches of a training. It keeps the permutation of the epoch, so a step only costs its batch."""

    def __init__(self, order: str, seed: int, rows: int, size: int):
        self.order, self.seed, self.rows, self.size = order, seed, rows, size
        self.steps_per_epoch = steps_per_epoch(rows, size)
        # The size of the last batch of an epoch, which is smaller if the batch size does not divide the rows.
        self.last_size = size if order == "sampled" else rows - (self.steps_per_epoch - 1) * size
        self._epoch = -1
        self._permutation = np.arange(rows)
        self._sampler = np.random.RandomState()
        self.draws: Draws | None = None  # makes the numbers of many batches; None for NumPy

    def indices(self, step: int) -> np.ndarray:
        epoch, batch = divmod(step, self.steps_per_epoch)
        if self.order == "sampled":
            # Seeds of RandomState end at 2**32; a longer training wraps around. Seeding one generator again gives the
            # same numbers as a new generator in a hundredth of the time.
            self._sampler.seed((self.seed + step) % SEEDS)
            return self._sampler.randint(self.rows, size=self.size)
        return self._rows_of(epoch)[batch * self.size : (batch + 1) * self.size]

    def sizes(self, first: int, last: int) -> np.ndarray:
        """The batch sizes of the steps from `first` up to `last` (exclusive), int32 [steps]."""
        is_last = np.arange(first + 1, last + 1) % self.steps_per_epoch == 0
        return np.where(is_last, self.last_size, self.size).astype(np.int32)

    def size_at(self, step: int) -> int:
        """The batch size at a step."""
        return self.last_size if (step + 1) % self.steps_per_epoch == 0 else self.size

    def block(self, first: int, last: int) -> np.ndarray:
        """The batches of the steps from `first` up to `last` (exclusive), int32 [steps, size]. Short batches are
        padded with -1."""
        if self.order == "sampled":
            seeds = (self.seed + np.arange(first, last)) % SEEDS
            return sampled(seeds.astype(np.uint32), self.rows, self.size, self.draws)
        result = np.full((last - first, self.size), -1, np.int32)
        step = first
        while step < last:
            epoch, batch = divmod(step, self.steps_per_epoch)
            end = min(last, (epoch + 1) * self.steps_per_epoch)
            rows = self._rows_of(epoch)[batch * self.size : (batch + end - step) * self.size]
            result[step - first : end - first].reshape(-1)[: len(rows)] = rows
            step = end
        return result

    def _rows_of(self, epoch: int) -> np.ndarray:
        """All rows in the order of an epoch."""
        if self.order == "shuffled" and epoch != self._epoch:
            self._permutation = np.random.default_rng([self.seed, epoch]).permutation(self.rows)
            self._epoch = epoch
        return self._permutation
