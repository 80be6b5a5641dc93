"""Reads the headers of the arrays in an .npz file without NumPy.

Input: an open file. Output: `StoredArray`. Every fault of the file is a `DataError`.
"""

import ast
import lzma
import math
import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from ....diagnostics import ARRAY_KIND, NPZ_BAD, NPZ_DAMAGED, NPZ_NAMES
from ...schema import DataError, FilePlace, check_features, check_target, shown

_LONGEST_DIRECTORY = 1_000_000  # bytes, of a zip
_ZIP_END = 22 + 65_535 + 20 + 56  # bytes at the end of a zip that give the place of its directory
# How large an array may be when unpacked: always this many bytes, or this many times its stored size.
_PACKED, _TIMES_PACKED = 1 << 28, 100
_HEADER_LIMIT = 10_000  # the limit of NumPy
_PAIRS = (("features", "target"), ("X", "y"))
# Errors of zipfile and NumPy for an invalid file. RuntimeError: it needs a password or an unknown method.
FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class StoredArray:
    """The header of a stored array. `member` is its name in the zip, `kind` NumPy's letter b, i, u or f. `is_packed`
    is true if it is larger than its stored bytes."""

    name: str
    member: str
    shape: tuple[int, ...]
    kind: str
    is_packed: bool


def stored_arrays(file: BinaryIO) -> tuple[StoredArray, StoredArray | None]:
    """The features and the target declared in an .npz file, checked against the sizes of its members."""
    path = file.name
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            members = {m.filename[:-4]: m for m in archive.infolist() if m.filename.endswith(".npy")}
            for features, target in _PAIRS:
                if features in members:
                    x = _npy(archive, members[features], path)
                    y = _npy(archive, members[target], path) if target in members else None
                    check_features(x.name, x.shape, not x.is_packed)
                    if y is not None:
                        check_target(y.name, y.shape, x.shape[0])
                    return x, y
    except FAULTS as error:
        raise damaged(path, error) from None
    found = ", ".join(shown(name) for name in list(members)[:10]) or "none"
    raise DataError(NPZ_NAMES, place=FilePlace(path), path=shown(path), found=found)


def _check_directory(file: BinaryIO) -> None:
    """Refuse a zip whose directory is larger than arrays need. Python would read all of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _ZIP_END))
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    directory = struct.unpack_from("<L", end, at + 12)[0] if 0 <= at <= len(end) - 22 else 0
    locator = end.rfind(b"PK\x06\x06", 0, max(at, 0))
    if directory == 0xFFFFFFFF and 0 <= locator <= len(end) - 56:
        directory = struct.unpack_from("<Q", end, locator + 40)[0]
    if directory > _LONGEST_DIRECTORY:
        raise zipfile.BadZipFile("it has too many members")
    file.seek(0)


def damaged(path: str, error: Exception) -> DataError:
    """The error for a file that is not a complete .npz, from the library's error."""
    reason = str(error) or type(error).__name__
    return DataError(NPZ_BAD, place=FilePlace(path), path=shown(path), reason=reason)


def _npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> StoredArray:
    """The header of one member. Only the header is unpacked."""
    name = member.filename[:-4]
    wrong = DataError(NPZ_DAMAGED, place=FilePlace(path), path=shown(path), array=name)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"its array {name} is compressed in a way that NumPy does not write")
    if member.file_size > max(_PACKED, _TIMES_PACKED * member.compress_size):
        raise zipfile.BadZipFile(f"its array {name} is {member.file_size} bytes, packed into {member.compress_size}")
    with archive.open(member) as file:
        magic, version = file.read(6), file.read(2)
        width = 2 if version[:1] == b"\x01" else 4
        size = file.read(width)
        if magic != b"\x93NUMPY" or len(size) < width:
            raise wrong
        (length,) = struct.unpack("<H" if width == 2 else "<I", size)
        if length > _HEADER_LIMIT:
            raise wrong
        text = file.read(length).decode("latin-1")
    try:
        header = ast.literal_eval(text.strip())
        descr, shape = header["descr"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise wrong from None
    number = re.fullmatch(r"[<>=|]?([biuf])(1|2|4|8|16)", str(descr))
    if number is None:  # text, records, or Python objects, which would need unpickling
        raise DataError(ARRAY_KIND, place=FilePlace(path), array=name, dtype=shown(str(descr)))
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise wrong
    if member.file_size != 8 + width + length + math.prod(shape) * int(number[2]):
        raise wrong
    return StoredArray(name, member.filename, shape, number[1], member.file_size > member.compress_size)
