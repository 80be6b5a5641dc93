"""Constants of the graph that are arrays of .npz and .npy files.

The check reads their headers, without NumPy: `constants_in`. When the graph is built, `ConstantFiles` reads the arrays.
"""

import io
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

from ..access import Access
from ..diagnostics import NPZ_NAMES, STORED_CHANGED, STORED_KIND, STORED_LARGE
from ..types import ALL_DTYPES, STRING, DType
from .constant import ONLY, StoredConstant
from .schema import DataError, shown, shown_path
from .sources.base import Where, open_file
from .sources.npz.headers import (
    FAULTS,
    MAGIC,
    ArrayHeader,
    check_directory,
    check_member,
    damaged,
    incomplete,
    members,
    read_header,
)

if TYPE_CHECKING:
    import numpy as np

_MOST_BYTES = 2**31 - 1  # the largest tensor in a GraphDef
_BLOCK = 1 << 20
_NUMBER = re.compile(r"[<>=|]?([biufc])(\d{1,2})")
_TEXT = re.compile(r"[<>=|]?([SU])(\d{1,9})")
_KINDS = {"i": "int", "u": "uint", "f": "float"}
_BFLOAT16 = re.compile(r"[<>=|]?V2")  # as NumPy writes the bfloat16 of ml_dtypes


def constants_in(file: BinaryIO, path: str) -> Mapping[str, StoredConstant | DataError]:
    """The arrays of an open .npz file by name, or the only array of an .npy file, from their headers. An array that
    cannot be a constant has an error instead. `path` is the path as the program writes it."""
    try:
        if _is_npy(file):
            size, checksum = _summed(file)
            file.seek(0)
            return {ONLY: declared(read_header(file, path, size, path), ONLY, path, checksum)}
        check_directory(file)
        with zipfile.ZipFile(file) as archive:
            found = {name: _member(archive, member, name, path) for name, member in members(archive)}
    except FAULTS as error:
        raise damaged(path, error) from None
    if not found:
        raise DataError(NPZ_NAMES, param="from", path=shown_path(path))
    return found


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, path: str) -> StoredConstant | DataError:
    try:
        check_member(name, member)
        with archive.open(member) as file:
            return declared(read_header(file, name, member.file_size, path), name, path, member.CRC)
    except DataError as error:
        return error
    except FAULTS as error:
        return damaged(path, error)


def _is_npy(file: BinaryIO) -> bool:
    file.seek(0)
    is_npy = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    return is_npy


def _summed(file: BinaryIO) -> tuple[int, int]:
    """The size and the CRC-32 of a file. An .npy file does not contain its checksum."""
    size = checksum = 0
    while block := file.read(_BLOCK):
        size, checksum = size + len(block), zlib.crc32(block, checksum)
    return size, checksum


def declared(header: ArrayHeader, name: str, path: str, checksum: int) -> StoredConstant | DataError:
    """The type of an array by its header."""
    dtype, item = _dtype(header.descr)
    what = shown_path(path) if name == ONLY else f"{shown(name)} in {shown_path(path)}"
    if dtype is None:
        kind = "an array of Python objects" if "O" in str(header.descr) else f"of the dtype {shown(str(header.descr))}"
        return DataError(STORED_KIND, what=what, kind=kind)
    size = math.prod(header.shape) * item
    if header.rest != size:
        return incomplete(name, path)
    if size > _MOST_BYTES:
        return DataError(STORED_LARGE, what=what, size=size, most=_MOST_BYTES)
    return StoredConstant(dtype, header.shape, checksum)


def _dtype(descr: object) -> tuple[DType | None, int]:
    """The dtype of an array, and the size of an element in bytes."""
    match descr:
        case str() if found := _NUMBER.fullmatch(descr):
            kind, size = found[1], int(found[2])
            name = {"b": "bool", "c": f"complex{8 * size}"}.get(kind) or f"{_KINDS[kind]}{8 * size}"
            return ALL_DTYPES.get(name), size
        case str() if found := _TEXT.fullmatch(descr):
            return STRING, int(found[2]) * (4 if found[1] == "U" else 1)
        case str() if _BFLOAT16.fullmatch(descr):
            return ALL_DTYPES["bfloat16"], 2
        case [(str(name), str(inner))] if name in ALL_DTYPES:  # TensorFlow's quantized numbers in NumPy
            return ALL_DTYPES[name], _dtype(inner)[1]
        case _:
            return None, 0


class ConstantFiles:
    """Reads stored arrays while a graph is built."""

    def __init__(self, access: Access):
        self._access = access
        self._files: dict[tuple[str, str], BinaryIO] = {}
        self._archives: dict[tuple[str, str], zipfile.ZipFile] = {}
        self._members: dict[tuple[str, str], dict[str, zipfile.ZipInfo]] = {}

    def __enter__(self) -> "ConstantFiles":
        return self

    def __exit__(self, *error: object) -> None:
        for one in (*self._archives.values(), *self._files.values()):
            one.close()
        self._archives.clear()
        self._members.clear()
        self._files.clear()

    def read(self, path: str, folder: str, name: str, checksum: int) -> "np.ndarray":
        """An array. Its checksum must not have changed since the check."""
        if (folder, path) not in self._files:
            self._files[folder, path] = open_file(path, Where(folder, self._access))
        file = self._files[folder, path]
        try:
            return _as_tensor(self._array(file, (folder, path), name, checksum))
        except FAULTS as error:
            raise damaged(path, error) from None

    def _array(self, file: BinaryIO, key: tuple[str, str], name: str, checksum: int) -> "np.ndarray":
        import numpy as np

        changed = DataError(STORED_CHANGED, path=shown_path(key[1]))
        if name == ONLY:
            file.seek(0)
            content = file.read()
            if zlib.crc32(content) != checksum:
                raise changed
            return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
        if key not in self._archives:
            check_directory(file)
            self._archives[key] = zipfile.ZipFile(file)
            self._members[key] = dict(members(self._archives[key]))
        member = self._members[key].get(name)
        if member is None or checksum != member.CRC:
            raise changed
        check_member(name, member)
        with self._archives[key].open(member) as opened:
            return np.lib.format.read_array(opened, allow_pickle=False)


def _as_tensor(array: "np.ndarray") -> "np.ndarray":
    """An array as TensorFlow takes it: in the order of the machine, strings as objects."""
    import numpy as np

    if array.dtype.kind in "SU":
        return array.astype(object)
    if array.dtype.kind == "V" and array.dtype.fields is None:
        import ml_dtypes

        return np.ascontiguousarray(array).view(ml_dtypes.bfloat16)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
