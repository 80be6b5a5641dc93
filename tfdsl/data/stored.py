"""Array rows that stay in a file until they are needed.

Input: an open file with the array stored row after row. Output: `StoredRows`. Only the rows in use are in memory.
"""

import io
import math
import weakref
from collections.abc import Callable

import numpy as np

from .schema import DataError


class StoredRows:
    """An array [rows, ...] in a file that it keeps open. A slice has no step. Indices select rows. `fault` makes
    the error for a failed read."""

    def __init__(
        self, file: io.FileIO, offset: int, shape: tuple[int, ...], dtype: np.dtype,
        fault: Callable[[Exception], DataError],
    ):  # fmt: skip
        self.shape, self.dtype = shape, dtype
        self._file, self._offset, self._fault = file, offset, fault
        weakref.finalize(self, file.close)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            result = np.empty((stop - start, *self.shape[1:]), self.dtype)
            self._read(start, result)
        else:
            result = np.empty((len(rows), *self.shape[1:]), self.dtype)
            for at, row in enumerate(rows.tolist()):
                self._read(row, result[at])
        return result

    def _read(self, row: int, into: np.ndarray) -> None:
        left = into.view(np.uint8).data.cast("B")
        try:
            self._file.seek(self._offset + row * math.prod(self.shape[1:]) * self.dtype.itemsize)
            while left:
                count = self._file.readinto(left)
                if not count:
                    raise EOFError("it is shorter now")
                left = left[count:]
        except (OSError, EOFError) as error:
            raise self._fault(error) from None
