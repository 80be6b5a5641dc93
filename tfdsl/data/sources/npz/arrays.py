"""Reads the arrays of .npz and .npy files with NumPy."""

import os
import struct
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from ...array_columns import source_of_arrays
from ...schema import Column
from ...stored import StoredRows
from ...tables import ColumnSource
from .headers import FAULTS, StoredArray, damaged, stored_arrays

_CHUNK = 1 << 22  # bytes
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a member: the lengths of its name and of the extra field
_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read(file: BinaryIO, columns: Iterable[Column]) -> "ColumnSource":
    """The columns of an open file. Uncompressed arrays with several axes stay in the file."""
    try:
        with zipfile.ZipFile(file) as archive:
            arrays: dict[str, np.ndarray | StoredRows] = {}
            for array in stored_arrays(file):
                stored = _stored_rows(archive, array.member) if array.shape[1:] not in ((), (1,)) else None
                arrays[array.name] = _read_array(archive, array) if stored is None else stored
    except FAULTS as error:
        raise damaged(file.name, error) from None
    return source_of_arrays(arrays, columns, file.name)


def read_one(file: BinaryIO, columns: Iterable[Column]) -> "ColumnSource":
    """The columns of an open .npy file."""
    try:
        array = np.lib.format.read_array(file, allow_pickle=False)
    except FAULTS as error:
        raise damaged(file.name, error) from None
    return source_of_arrays({"features": array}, columns, file.name)


def _read_array(archive: zipfile.ZipFile, array: StoredArray) -> np.ndarray:
    with archive.open(array.member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _stored_rows(archive: zipfile.ZipFile, member: str) -> StoredRows | None:
    """The rows of a member, after checking its checksum. None if it can only be read as a whole."""
    info = archive.getinfo(member)
    with archive.open(info) as file:
        header = _READ_HEADER.get(np.lib.format.read_magic(file))
        if info.compress_type != zipfile.ZIP_STORED or header is None:
            return None
        shape, is_by_columns, dtype = header(file)
        start = file.tell()
        if is_by_columns or len(shape) < 2 or dtype.kind == "U":
            return None
        while file.read(_CHUNK):
            pass
    raw = archive.fp
    assert raw is not None
    path = raw.name
    raw.seek(info.header_offset)
    lengths = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
    offset = info.header_offset + _LOCAL_HEADER.size + sum(lengths) + start
    kept = open(os.dup(raw.fileno()), "rb", buffering=0)  # noqa: SIM115
    return StoredRows(kept, offset, shape, dtype, lambda error: damaged(path, error))
