"""The order in which training sees the rows.

Input: an order (`table.ORDERS`), a seed, the number of rows, the size of a batch, and the step, counted
over the whole training. Output: the indices of the rows of that step's batch. They depend on nothing
else, so that a training that is taken up again sees the batches that it would have seen.
"""

import numpy as np

SEEDS = 1 << 32  # of numpy.random.RandomState


def steps_per_epoch(rows: int, size: int) -> int:
    return -(-rows // size)


def indices(order: str, seed: int, rows: int, size: int, step: int) -> np.ndarray:
    """The rows of one batch. For batch after batch, keep a `BatchOrder`."""
    return BatchOrder(order, seed, rows, size).indices(step)


class BatchOrder:
    """The batches of a training. It keeps the epoch's permutation, so that a step costs only its batch."""

    def __init__(self, order: str, seed: int, rows: int, size: int):
        self.order, self.seed, self.rows, self.size = order, seed, rows, size
        self.steps_per_epoch = steps_per_epoch(rows, size)
        self._epoch = -1
        self._permutation = np.arange(rows)
        self._sampler = np.random.RandomState()

    def indices(self, step: int) -> np.ndarray:
        epoch, batch = divmod(step, self.steps_per_epoch)
        match self.order:
            case "sampled":
                # The seeds of RandomState end at 2**32; a training that long goes round.
                # Seeding one generator anew gives what a new one would, in a hundredth of the time.
                self._sampler.seed((self.seed + step) % SEEDS)
                return self._sampler.randint(self.rows, size=self.size)
            case "shuffled":
                if epoch != self._epoch:
                    self._permutation = np.random.default_rng([self.seed, epoch]).permutation(self.rows)
                    self._epoch = epoch
            case "ordered":
                pass
            case _:
                raise AssertionError(self.order)
        return self._permutation[batch * self.size : (batch + 1) * self.size]
