"""What all contenders of a load are given, and what each gives back.

A `Problem` has the data, the values that training starts from, and which rows each batch has. An `Outcome` is one
training: its seconds, without set-up, and the values that it ended with.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Problem:
    """One training. `batch` is None where every step sees all rows; `momentum` 0 is plain gradient descent.

    `source` has the (features, target) that tfdsl's `data` line starts from, `features` and `target` what comes out
    of it, which everybody else trains on. `start` has the initial values by the variables' names.
    """

    features: np.ndarray
    target: np.ndarray
    source: tuple[np.ndarray, np.ndarray]
    batch: int | None
    rate: float
    momentum: float
    start: dict[str, np.ndarray] = field(default_factory=dict)
    is_synthetic: bool = False
    _indices: np.ndarray | None = None  # the last that were asked for

    @property
    def batches_per_epoch(self) -> int:
        return 1 if self.batch is None else -(-len(self.features) // self.batch)

    def indices(self, steps: int) -> np.ndarray:
        """The rows of all batches, int32 [steps, batch]: those that the chapter's `fetch_batch` draws."""
        if self._indices is None or len(self._indices) != steps:
            random = np.random.RandomState()
            self._indices = np.empty((steps, self.batch), np.int32)
            for step in range(steps):
                random.seed(step)  # what np.random.seed and np.random.RandomState(step) give
                self._indices[step] = random.randint(len(self.features), size=self.batch)
        return self._indices

    def forget(self) -> None:
        """Draw the batches anew when they are asked for again."""
        self._indices = None

    def gathered(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Features and target of all batches one after the other, for those that take them in the rows' order."""
        rows = self.indices(steps).reshape(-1)
        return self.features[rows], self.target[rows]


@dataclass
class Outcome:
    """`seconds` for `steps` steps, which can be fewer than were trained; `setup` what came before, where it is known.

    `results` are the trained parameters by their names, and `log` where something was logged.
    """

    seconds: float
    steps: int
    results: dict[str, np.ndarray]
    setup: float | None = None
