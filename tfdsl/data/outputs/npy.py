"""NumPy's files of one array, with all its axes."""

from .base import Collected


class NpyOutput(Collected):
    takes_one = True

    def finish(self) -> None:
        import numpy as np

        (array,) = self.arrays().values()
        np.lib.format.write_array(self._file, array.astype(str) if array.dtype == object else array, allow_pickle=False)


OUTPUT = NpyOutput
