"""The rows of an array that stays in its .npz file until they are asked for.

Input: an open archive and one of its members. Output: `StoredRows`, if the member is kept as it is, not compressed and
row after row; then no more of it is in memory than is being worked on.
"""

import io
import os
import struct
import weakref
import zipfile

import numpy as np

from .files import npz_error

_CHUNK = 1 << 22  # bytes
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a member: the lengths of its name and of what follows that
_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class StoredRows:
    """An array [rows, columns] in a file, which it keeps open. A slice has no step; indices give the rows they name."""

    def __init__(self, file: io.FileIO, path: str, offset: int, shape: tuple[int, int], dtype: np.dtype):
        self.shape, self.dtype = shape, dtype
        self._file, self._path, self._offset = file, path, offset
        weakref.finalize(self, file.close)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            result = np.empty((stop - start, self.shape[1]), self.dtype)
            self._read(start, result)
        else:
            result = np.empty((len(rows), self.shape[1]), self.dtype)
            for at, row in enumerate(rows.tolist()):
                self._read(row, result[at])
        return result

    def _read(self, row: int, into: np.ndarray) -> None:
        left = memoryview(into.view(np.uint8)).cast("B")
        try:
            self._file.seek(self._offset + row * self.shape[1] * self.dtype.itemsize)
            while left:
                count = self._file.readinto(left)
                if not count:
                    raise EOFError("it has become shorter")
                left = left[count:]
        except (OSError, EOFError) as error:
            raise npz_error(self._path, error) from None


def stored_rows(archive: zipfile.ZipFile, member: str) -> StoredRows | None:
    """The rows of a member, once its checksum is known to be right; None where it can only be read as a whole."""
    info = archive.getinfo(member)
    with archive.open(info) as file:
        header = _READ_HEADER.get(np.lib.format.read_magic(file))
        if info.compress_type != zipfile.ZIP_STORED or header is None:
            return None
        shape, is_by_columns, dtype = header(file)
        start = file.tell()
        if is_by_columns or len(shape) != 2:
            return None
        while file.read(_CHUNK):
            pass
    raw = archive.fp
    raw.seek(info.header_offset)
    lengths = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
    offset = info.header_offset + _LOCAL_HEADER.size + sum(lengths) + start
    return StoredRows(open(os.dup(raw.fileno()), "rb", buffering=0), raw.name, offset, shape, dtype)
