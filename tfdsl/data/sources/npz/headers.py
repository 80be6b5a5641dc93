"""Reads the headers of the arrays in .npz and .npy files without NumPy.

Input: an open file. Output: `StoredArray`. Every fault of a file is a `DataError`.
"""

import ast
import lzma
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from ....diagnostics import ARRAY_KIND, ARRAY_SHAPE, NPZ_BAD, NPZ_DAMAGED, NPZ_NAMES, NPZ_ROWS
from ....record import Record
from ...schema import DataError, FilePlace, check_size, composed, shown, shown_path, sizes

_LONGEST_DIRECTORY = 1_000_000  # bytes, of a zip
_ZIP_END = 22 + 65_535 + 20 + 56  # bytes at the end of a zip that give the place of its directory
# How large an array may be when unpacked: always this many bytes, or this many times its stored size.
_PACKED, _TIMES_PACKED = 1 << 28, 100
MAGIC = b"\x93NUMPY"  # what an array begins with
_HEADER_LIMIT = 10_000  # the limit of NumPy
# Errors of zipfile and NumPy for an invalid file. RuntimeError: it needs a password or an unknown method.
FAULTS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class StoredArray:
    """The header of a stored array. `member` is its name in the zip, `kind` NumPy's letter b, i, u, f, or U for text.
    `is_packed` is true if it is larger than its stored bytes."""

    name: str
    member: str
    shape: tuple[int, ...]
    kind: str
    is_packed: bool


def stored_arrays(file: BinaryIO) -> tuple[StoredArray, ...]:
    """The arrays declared in an .npz file, checked against the sizes of its members. They have one length."""
    path = file.name
    try:
        check_directory(file)
        with zipfile.ZipFile(file) as archive:
            arrays = tuple(_member(archive, name, member, path) for name, member in members(archive))
    except FAULTS as error:
        raise damaged(path, error) from None
    if not arrays:
        raise DataError(NPZ_NAMES, place=FilePlace(path), path=shown_path(path))
    check_arrays(arrays, path)
    return arrays


def stored_array(file: BinaryIO) -> StoredArray:
    """The array declared in an .npy file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        array = _npy(file, "features", "", size, file.name, is_packed=False)
    except FAULTS as error:
        raise damaged(file.name, error) from None
    check_arrays((array,), file.name)
    return array


def check_arrays(arrays: tuple[StoredArray, ...], path: str) -> None:
    """Check that arrays have a row each, as many of them, and that they fit."""
    first = arrays[0]
    for array in arrays:
        if not array.shape or 0 in array.shape:
            raise DataError(
                ARRAY_SHAPE, array=array.name, shape=sizes(array.shape), wanted="[rows, ...], none of them 0"
            )
        if array.shape[0] != first.shape[0]:
            raise DataError(NPZ_ROWS, place=FilePlace(path), array=array.name, rows=array.shape[0], first=first.name,
                            others=first.shape[0], way=_apart(arrays, path))  # fmt: skip
        rows, *others = array.shape
        check_size(array.name, rows, math.prod(others), not array.is_packed)


def _apart(arrays: tuple[StoredArray, ...], path: str) -> str:
    """How to save the arrays with as many rows as each other in files of their own."""
    groups: dict[int, list[str]] = {}
    for array in arrays:
        groups.setdefault(array.shape[0] if array.shape else 0, []).append(array.name)
    saved = (
        f'numpy.savez("{names[0]}.npz", {", ".join(f"{name}=a[{name!r}]" for name in names)})'.replace("'", '"')
        for names in groups.values()
    )
    return f'in Python: a = numpy.load("{os.path.basename(path)}"); {"; ".join(saved)}'


def check_directory(file: BinaryIO) -> None:
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
    return DataError(NPZ_BAD, place=FilePlace(path), path=shown_path(path), reason=reason)


def members(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """The arrays in an archive, by their names."""
    for member in archive.infolist():
        if member.filename.endswith(".npy"):
            yield composed(member.filename[:-4]), member


def _member(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo, path: str) -> StoredArray:
    """The header of one member. Only the header is unpacked."""
    check_member(name, member)
    with archive.open(member) as file:
        return _npy(file, name, member.filename, member.file_size, path, member.file_size > member.compress_size)


def check_member(name: str, member: zipfile.ZipInfo) -> None:
    """Refuse a member that NumPy would not write, or that is far larger than the file."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"its array {name} is compressed in a way that NumPy does not write")
    if member.file_size > max(_PACKED, _TIMES_PACKED * member.compress_size):
        raise zipfile.BadZipFile(f"its array {name} is {member.file_size} bytes, packed into {member.compress_size}")


class ArrayHeader(Record):
    """The header of an array: its dtype as NumPy writes it, its shape, and how many bytes follow."""

    descr: object
    shape: tuple[int, ...]
    rest: int


def incomplete(name: str, path: str) -> DataError:
    """The error for an array that is not as its header says."""
    return DataError(NPZ_DAMAGED, place=FilePlace(path), path=shown_path(path), array=name)


def read_header(file: IO[bytes], name: str, size: int, path: str) -> ArrayHeader:
    """The header of an array in a file of `size` bytes."""
    wrong = incomplete(name, path)
    magic, version = file.read(6), file.read(2)
    width = 2 if version[:1] == b"\x01" else 4
    count = file.read(width)
    if magic != MAGIC or len(count) < width:
        raise wrong
    (length,) = struct.unpack("<H" if width == 2 else "<I", count)
    if length > _HEADER_LIMIT:
        raise wrong
    text = file.read(length).decode("latin-1")
    try:
        header = ast.literal_eval(text.strip())
        descr, shape = header["descr"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise wrong from None
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise wrong
    return ArrayHeader(descr, shape, size - 8 - width - length)


def _npy(file: IO[bytes], name: str, member: str, size: int, path: str, is_packed: bool) -> StoredArray:
    """An array in a file of `size` bytes, from its header. Raises `DataError` for a dtype that data cannot have."""
    header = read_header(file, name, size, path)
    number = re.fullmatch(r"[<>=|]?([biuf])(1|2|4|8|16)|[<>=|]?(U)(\d{1,6})", str(header.descr))
    if number is None:  # records, or Python objects, which would need unpickling
        raise DataError(ARRAY_KIND, place=FilePlace(path), array=name, dtype=shown(str(header.descr)))
    item = int(number[2]) if number[2] else 4 * int(number[4])
    if header.rest != math.prod(header.shape) * item:
        raise incomplete(name, path)
    return StoredArray(name, member, header.shape, number[1] or number[3], is_packed)
