"""Reads the arrays of an .npz file with NumPy."""

import os
import struct
import zipfile
from typing import BinaryIO

import numpy as np

from ...arrays import Table, table
from ...stored import StoredRows
from .headers import FAULTS, StoredArray, damaged, stored_arrays

_CHUNK = 1 << 22  # bytes
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a member: the lengths of its name and of the extra field
_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read(file: BinaryIO) -> Table:
    """The features and the target of an open file. Uncompressed features stay in the file."""
    features, target = stored_arrays(file)
    try:
        with zipfile.ZipFile(file) as archive:
            x = _stored_rows(archive, features.member)
            x = _read_array(archive, features) if x is None else x
            y = None if target is None else _read_array(archive, target)
    except FAULTS as error:
        raise damaged(file.name, error) from None
    return table(x, y, file.name)


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
        if is_by_columns or len(shape) != 2:
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
