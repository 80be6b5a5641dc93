"""The input and output of all contenders of a load.

A `Problem` has the data, the initial values, and the rows of each batch. An `Outcome` is one training: its seconds
without setup, and its final values.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Problem:
    """One training. `batch` is None if every step uses all rows; `momentum` 0 is plain gradient descent.

    `source` has the (features, target) that tfdsl's `data` line starts from. `features` and `target` are its result, on
    which all contenders train. `start` has the initial values by the names of the variables.
    """

    features: np.ndarray
    target: np.ndarray
    source: tuple[np.ndarray, np.ndarray]
    batch: int | None
    rate: float
    momentum: float
    start: dict[str, np.ndarray] = field(default_factory=dict)
    is_synthetic: bool = False
    is_ordered: bool = False  # whether batches are rows in order, which fill each epoch, in place of drawn ones
    _indices: np.ndarray | None = None  # the last requested ones

    @property
    def batches_per_epoch(self) -> int:
        return 1 if self.batch is None else -(-len(self.features) // self.batch)

    def indices(self, steps: int) -> np.ndarray:
        """The rows of all batches, int32 [steps, batch]: those that the chapter's `fetch_batch` draws, or those in
        order."""
        if self.is_ordered:
            starts = self.starts(steps)
            return starts[:, None] + np.arange(self.batch, dtype=np.int32)
        if self._indices is None or len(self._indices) != steps:
            random = np.random.RandomState()
            self._indices = np.empty((steps, self.batch), np.int32)
            for step in range(steps):
                random.seed(step)  # equal to np.random.seed and np.random.RandomState(step)
                self._indices[step] = random.randint(len(self.features), size=self.batch)
        return self._indices

    def starts(self, steps: int) -> np.ndarray:
        """The first rows of all batches in order, int32 [steps]."""
        return (np.arange(steps, dtype=np.int32) % self.batches_per_epoch) * np.int32(self.batch)

    def forget(self) -> None:
        """Forget the drawn batches."""
        self._indices = None

    def gathered(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Features and target of all batches in a row, for contenders that take the rows in order."""
        rows = self.indices(steps).reshape(-1)
        return self.features[rows], self.target[rows]


@dataclass
class Outcome:
    """`seconds` for `steps` steps, which can be fewer than were trained. `setup` is the time before, if known.

    `results` has the trained parameters by name, and `log` the logged points, if any.
    """

    seconds: float
    steps: int
    results: dict[str, np.ndarray]
    setup: float | None = None
